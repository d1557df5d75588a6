use std::path::PathBuf;

use thiserror::Error;

/// Why the store did not do what it was asked. Nothing of a failed commit is
/// kept.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The place can't be used: no permission, a read-only or full medium.
    #[error("the store {path} can't be used: {why}; {remedy}", path = path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
        /// What a person can do.
        remedy: &'static str,
    },
    /// Another process has it open.
    #[error(
        "the store {path} is open in another process; stop that one or give this camera its own file",
        path = path.display()
    )]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// There is room for so many and no more.
    #[error("the store holds {limit} {what} at most; remove one first")]
    Full {
        /// Of what: "rules", "zones".
        what: &'static str,
        /// How many fit.
        limit: usize,
    },
    /// One record is too long.
    #[error("{what} of '{name}' takes {bytes} bytes; {limit} are the most")]
    TooLong {
        /// What: "the rule", "the life".
        what: &'static str,
        /// Whose.
        name: String,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The store failed in the middle of something. The next call opens it
    /// anew.
    #[error("the store {path} failed: {why}; it is opened anew at the next use", path = path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What it said.
        why: String,
    },
}
