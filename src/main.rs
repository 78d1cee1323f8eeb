//! The door: everything is in the library.

use std::process::ExitCode;

/// Exchanges are made on one thread and freed on another, which the system's allocator does
/// under a lock.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sigscope::cli::main()
}
