//! What the tables' attributes are called where the manifest has no say: the generator creates them, the functions write them.

/// Attribute from which DynamoDB reads when a row expires, seconds since 1970.
pub const TTL_ATTRIBUTE: &str = "ttl";
/// Beginning of the partition keys that users have in the users table.
pub const USER_PREFIX: &str = "USER#";
/// Beginning of the sort keys that configurations have there.
pub const CONFIGURATION_PREFIX: &str = "CONFIG#";
/// Beginning of the partition keys that goodbyes have in the users table.
pub const STREAM_PREFIX: &str = "STREAM#";
