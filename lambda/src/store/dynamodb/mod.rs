//! DynamoDB. The only folder that knows its SDK.

mod about;
mod answer;
mod client;
mod configurations;
mod date;
mod faults;
mod forms;
mod goodbyes;
mod hours;
mod pages;
pub mod row;
mod row_error;
mod scan;
mod send;
mod silence;
pub mod value;
mod values;
pub mod written;

pub use self::client::DynamoDb;
