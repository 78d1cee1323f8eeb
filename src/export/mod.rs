//! An exchange in the forms that other tools read. All of them start from the masked
//! record: there is nothing in it to hide any more.

pub mod curl;
pub mod http;
pub mod json;
pub mod policy;
pub mod text;

pub use curl::command;
pub use json::{to_json, write_line};
pub use policy::{Policy, policy};
pub use text::line;
