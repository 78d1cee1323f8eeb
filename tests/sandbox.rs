//! The look-alike over real sockets: every service, every refusal, with a client that signs
//! with `aws-sigv4`.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot go on should say where"
)]

#[path = "sandbox/client.rs"]
mod client;
#[path = "sandbox/refusals.rs"]
mod refusals;
#[path = "sandbox/s3.rs"]
mod s3;
#[path = "sandbox/script.rs"]
mod script;
#[path = "sandbox/services.rs"]
mod services;
#[path = "sandbox/uploads.rs"]
mod uploads;
