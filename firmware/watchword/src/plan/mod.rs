//! Which rules fit a board and an allotment, before there is a board:
//! `watchword plan`.
//!
//! Nothing is reckoned here that the camera would reckon otherwise: the
//! sentences are armed as the camera arms them, its very governor, set up as
//! the daemon sets it up, looks for them on a simulated board in simulated
//! hours, and what came of it is counted.

mod board;
mod input;
mod judge;
mod table;

pub use board::{Air, Camera, Looks, Ran, Watched};
pub use input::{Allotment, read_rules};
pub use judge::{Asked, Fit, Plan, Planned, Year, plan};
pub(crate) use table::paragraph;
pub use table::table;
