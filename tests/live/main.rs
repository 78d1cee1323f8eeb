//! The program as its users meet it: the real binary, real sockets, a pseudo-terminal, the
//! embedded sandbox in the part of AWS.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests end at what they did not expect"
)]

mod aws;
mod canary;
mod doors;
mod faults;
mod fidelity;
mod modes;
mod process;
mod safety;
mod terminal;
mod wire;
