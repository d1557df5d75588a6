//! A bounded store, safe against power cuts, of rules, zones and undelivered
//! alerts.
//!
//! One file, one process, one lock. What [`Store::commit`] returns from is on
//! the medium (fsync); a crash at any moment leaves the last commit. A file
//! that can't be read is moved aside, never deleted, and a fresh one takes its
//! place, so that a broken file never takes the camera down.
//!
//! Undelivered alerts are a queue, bounded by count and bytes ([`Limits`]).
//! Full-policy: the oldest pictures go first, then the oldest alerts; every
//! drop is counted ([`Counts`]).

mod batch;
mod error;
mod file;
mod record;
mod store;
mod table;

pub use batch::Batch;
pub use error::StoreError;
pub use record::{Counts, Limits, Note, Opened, Pending, RuleRecord, SetAside, Snapshot};
pub use store::Store;
