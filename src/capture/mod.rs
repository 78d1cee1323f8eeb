//! The record's shape, the store that keeps it and the language that filters it.

pub mod exchange;

pub use exchange::Exchange;
