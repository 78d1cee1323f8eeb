//! AWS's published facts: data with a generator and a source.

pub mod sensitive;
