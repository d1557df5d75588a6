//! Power readings, allotment and time become permits to look. Pure: time and
//! readings are arguments.
//!
//! Three things decide, in this order: the peak guard (a look must not break
//! the allotment while it runs), the energy bucket (looks together must not
//! use more than what the rest of the board leaves), and fairness (under
//! shortage the rules of lowest priority slow first, none below a floor).
//! The bucket is what Cinder calls a reserve with a tap (Roy et al., "Energy
//! Management in Mobile Devices with the Cinder Operating System", EuroSys
//! 2011).

mod config;
mod cost;
mod governor;
mod pace;
mod power;

pub use config::Config;
pub use cost::Cost;
pub use governor::{Decision, Governor, State};
