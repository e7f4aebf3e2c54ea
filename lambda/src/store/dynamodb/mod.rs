//! DynamoDB. The only folder that knows its SDK.

mod client;
mod configurations;
mod date;
mod faults;
mod forms;
mod goodbyes;
mod pages;
pub mod row;
mod scan;
mod send;
mod silence;

pub use self::client::DynamoDb;
