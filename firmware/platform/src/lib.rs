//! The board: what it was granted, what it draws, how hot it is; the clock;
//! and the service manager that watches over the daemon.
//!
//! A board is data (`board/<name>/board.toml`). What its sensors can't tell is
//! reckoned from its constants and says so. A sensor that is missing, or says
//! something absurd, is survived.

mod board;
mod clock;
mod error;
pub mod health;
mod meter;
pub mod service;
mod spec;
mod sysfs;

pub use board::Platform;
pub use clock::SystemClock;
pub use error::PlatformError;
pub use spec::{
    BoardName, BoardSpec, Boot, Compute, Counter, EnergyCounter, IoMode, Mode, Poe, Power, Thermal,
    Video,
};
