//! What looks cost and are worth at every operating point of this board:
//! `watchword calibrate`.

mod file;
mod machine;
mod measure;
mod pareto;
mod watts;

pub use file::{Calibration, CalibrationError, Measured, Round, Skipped, VERSION, read};
pub use machine::{fingerprint, machine};
pub use measure::{Job, Outcome, Progress, Rig, Windows, caps_of, run, usual_frames};
pub use pareto::dominated_by;

/// Its name in the data folder.
pub const FILE_NAME: &str = "calibration.toml";
