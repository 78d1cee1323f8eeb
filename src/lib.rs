//! sigscope: a terminal inspector and debugger for AWS request authentication.
#![forbid(unsafe_code)]

pub mod aws;
pub mod capture;
pub mod config;
pub mod diagnose;
pub mod export;
pub mod proxy;
pub mod sandbox;
pub mod secret;
pub mod sigv4;
