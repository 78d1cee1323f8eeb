//! Who the operator can be: profiles, where their credentials come from, and lanes.
//!
//! ```text
//! Sources (environment, files)
//!    │ source/*, ini          every setting with its file and line
//!    ▼
//! Files ─► graph ─► Plan      the hops of each profile, or what is wrong; no network
//!    └───► reach              its region and endpoints
//!                  │
//! Profiles::resolve(name)
//!    │ cache                  valid? one refresh for all who wait, in good time
//!    ▼
//! resolve ─► leaf/*, STS      hop by hop, over the HTTP client that was handed in
//!    ▼
//! Resolved                    credentials and the chain that led to them
//! ```
//!
//! A new place where profiles come from is a file in `source/`; a new way to get first
//! credentials is a hop in `plan` and a file in `leaf/`.

mod account;
mod cache;
mod env;
mod error;
mod files;
mod graph;
mod ini;
mod lane;
mod leaf;
mod plan;
mod profiles;
mod reach;
mod resolve;
mod source;
mod table;
mod watch;
mod wiring;

pub use account::account_of_key_id;
pub use env::Env;
pub use error::{Failure, ResolveError, Status};
pub use lane::{LaneKeys, Lanes, PER_PROFILE, PREFIX as LANE_PREFIX};
pub use profiles::{Held, Profiles, Summary};
pub use reach::Reach;
pub use resolve::{Hop, Resolved};
pub use source::{At, FileError, FileSource, Sources};
pub use table::{Origin, Profile, Table};
pub use watch::Watch;
pub use wiring::{IsOurs, OnCredentials, Wiring};
