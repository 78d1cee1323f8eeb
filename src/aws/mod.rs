//! The catalogue of what AWS publishes about itself: services, hosts, regions, signing names,
//! operations, IAM actions and the shapes of errors. Data with a source and a generator
//! (`generate.py`), read once when first asked for; nothing here knows of requests under way.
//!
//! ```text
//! host name ──► host ──────────┐
//! credential scope ──► services_signing_as ──► candidates ──► operation ──► iam_action
//! target, action, path ────────────────────────────────────────┘
//! service + region ──► endpoint, fixed_region
//! reply ──► error::parse            code + message ──► error::render
//! ```

mod catalogue;
mod endpoint;
pub mod error;
mod host;
mod operation;
mod path;
mod region;
mod request;
pub mod sensitive;

pub use catalogue::{Protocol, Service, service, services, services_signing_as};
pub use endpoint::{endpoint, fixed_region};
pub use host::{Flavour, HostFacts, host, is_aws_host};
pub use operation::{Operation, iam_action};
pub use region::{Partition, partition_of_region, partitions, region_exists};
pub use request::{
    FoundBy, OperationFound, RequestFacts, by_action, by_rpc_path, by_target, by_unique_path,
    operation,
};
