//! sigscope: a terminal inspector and debugger for AWS request authentication.
#![forbid(unsafe_code)]

pub mod capture;
pub mod config;
pub mod secret;
pub mod tui;
