//! The configuration file, where files live, and every limit with its name and default.

mod file;
mod limits;
mod paths;

pub use file::{File, Mask};
pub use limits::Limits;
pub use paths::Paths;
