//! A simulated camera for tests: every port of `scene::ports` has a stand-in
//! here whose behaviour is a script, and time passes only when a test says so. [`power`] simulates days of its power in closed loop.

mod board;
mod clock;
mod model;
pub mod power;
mod source;

pub use board::SimBoard;
pub use clock::SimClock;
pub use model::{Scripted, SimModel};
pub use source::SimSource;
