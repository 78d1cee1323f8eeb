//! The configuration file, where files live, and every limit with its name and default.

mod limits;

pub use limits::Limits;
