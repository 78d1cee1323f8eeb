//! sigscope: a terminal inspector and debugger for AWS request authentication.
#![forbid(unsafe_code)]

pub mod aws;
pub mod capture;
pub mod config;
pub mod secret;
