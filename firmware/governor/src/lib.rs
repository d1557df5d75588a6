//! Power readings, allotment and time become permits to look. Pure: time and
//! readings are arguments.
//!
//! Four things decide, in this order: heat (a look must not bring the die to
//! its critical temperature), the peak guard (a look must not break the
//! allotment while it runs, whatever switches on meanwhile), the energy bucket
//! (looks together must not use more than what the rest of the board and the
//! air leave), and fairness (under shortage answers get cheaper, then the
//! rules of lowest priority slow first, none below a floor). The bucket is
//! what Cinder calls a reserve with a tap (Roy et al., "Energy Management in
//! Mobile Devices with the Cinder Operating System", EuroSys 2011).
//!
//! What looks cost is learned while they run: [`Governor::observe`] holds each
//! reading of the board's watts against what ran when it was true.

mod activity;
mod blind;
mod choose;
mod config;
mod cost;
mod governor;
mod heat;
mod kalman;
mod meter;
mod over;
mod pace;
mod power;

pub use config::{Config, Thermal, Told, Wish};
pub use cost::{Cost, LearnedPoint};
pub use governor::tell::{State, Throttled};
pub use governor::{Cause, Decision, Governor, Learned};
pub use over::OverBudget;
