//! An embedded AWS look-alike: one HTTP/1.1 address behind which STS, IAM, Route 53, Secrets
//! Manager, S3, SQS, DynamoDB, Bedrock, an API Gateway stage and the two credential endpoints
//! of EC2 and ECS answer as AWS does, refusals included. Nothing in it is real.
//!
//! ```text
//! server    socket → head → which service? (credential scope, host, target, action, path)
//!   claim → verify     is the signature right? recomputed with aws-sigv4's own `sign`
//!   service file       one each: sts iam secrets sqs dynamo gateway bedrock metadata s3/
//!     policy           may this caller do it? identity, boundary, session, SCP, resource
//!   errors             a refusal in the words and the wrapping of that service's protocol
//! world · keyring      who and what exists; `fixtures/demo/world.json`
//! scenario             scripted requests for the demo: plain data
//! ```
//!
//! It shares no code with the signer it is there to judge.

mod bedrock;
mod body;
mod chunked;
mod claim;
mod dynamo;
mod errors;
mod gateway;
mod hash;
mod iam;
mod keyring;
mod metadata;
mod policy;
mod reader;
mod s3;
pub mod scenario;
mod secrets;
mod server;
mod sqs;
mod sts;
mod times;
mod verify;
mod world;

pub use server::{CallSummary, Clock, Options, Sandbox};
