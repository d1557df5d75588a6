//! The board: what it was granted, what it draws, how hot it is; the clock;
//! and the service manager that watches over the daemon.
//!
//! A board is data (`board/<name>/board.toml`). What its sensors can't tell is
//! reckoned from its constants and says so. A sensor that is missing, stuck or
//! says something absurd is named and survived.

pub mod allotment;
mod board;
mod check;
mod clock;
mod command;
mod error;
mod frequency;
pub mod health;
pub mod lldp;
mod meter;
pub mod pins;
mod power;
mod rapl;
pub mod service;
mod spec;
mod sysfs;
mod thermal;

pub use board::{Outside, Platform};
pub use clock::SystemClock;
pub use command::{Tell, Told};
pub use error::PlatformError;
pub use frequency::{CpuCap, Frequency};
pub use power::pmic_watts;
pub use spec::{
    BoardName, BoardSpec, Boot, Compute, Controller, Counter, IoMode, Mode, Pins, Poe, Power,
    Sensor, Thermal, Video,
};
