//! Provisioning: a camera is told who it is by a file, `provision.toml`, on the
//! FAT partition of its medium. [`read`] judges the file and says every problem
//! at once; [`apply`] moves it onto the data partition at boot, so that a power
//! cut at any point can be repaired by applying again. What a person reads
//! about it is in docs/guides/provisioning.md.

mod apply;
mod boot;
mod disk;
mod erase;
mod keys;
mod network;
mod plan;
mod problem;
mod read;
mod ssh;
mod tell;

pub use apply::{Applied, Apply, Owner, Tell, apply};
pub use disk::Disk;
pub use keys::{Mqtt, Password, Provision};
pub use network::{Fixed, Network};
pub use problem::Problem;
pub use read::{read, read_file};

/// The name of the provisioning file in the top folder of the ESP.
pub const FILE: &str = "provision.toml";
/// The most bytes that a provisioning file or a CA file may have.
pub const MAX_BYTES: usize = 64 * 1024;
/// What the camera writes beside a file that it can't follow.
pub const ERROR_FILE: &str = "provision-error.txt";
/// What the camera writes when it has followed one.
pub const DONE_FILE: &str = "provisioned.txt";
