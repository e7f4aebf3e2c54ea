//! What the tests stand on: processes, raw HTTP, a real table, a fault proxy, an independent EventSource client.
//!
//! Nothing here knows how the programs under test are written; they are started as they are shipped.

pub(crate) mod bins;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod decoder;
pub(crate) mod dynamodb;
pub(crate) mod emf;
pub(crate) mod external;
pub(crate) mod faketime;
pub(crate) mod harmless;
pub(crate) mod http1;
pub(crate) mod json_schema;
pub(crate) mod local;
pub(crate) mod nursery;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod reaper;
pub(crate) mod script;
pub(crate) mod seed;
pub(crate) mod server;
pub(crate) mod shared;
pub(crate) mod sse;
pub(crate) mod table;
