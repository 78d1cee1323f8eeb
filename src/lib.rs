//! sigscope: a terminal inspector and debugger for AWS request authentication.
#![forbid(unsafe_code)]

pub mod aws;
pub mod capture;
pub mod cli;
pub mod config;
pub mod diagnose;
pub mod explain;
pub mod export;
pub mod profile;
pub mod proxy;
pub mod replay;
pub mod sandbox;
pub mod secret;
pub mod sigv4;
pub mod tui;
