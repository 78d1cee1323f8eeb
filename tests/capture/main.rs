//! The record, its store, its file, its filter language and its exports, through their
//! public interfaces.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests end at what they did not expect"
)]

mod export;
mod filter;
mod record;
mod samples;
mod session;
mod store;
