//! AWS's errors, in the shape that each protocol gives them: read from a reply, and made for the
//! answers that we give ourselves, so that an SDK raises its native error.
//!
//! Shapes: <https://smithy.io/2.0/aws/protocols/index.html>, "Operation error serialization" of
//! each protocol; S3: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.

mod parse;
mod render;

pub use parse::{ErrorReply, parse, request_id};
pub use render::{Rendered, Shape, render};

#[cfg(test)]
mod tests;
