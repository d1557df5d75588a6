//! A simulated camera for tests: every port of `scene::ports` has a stand-in
//! here whose behaviour is a script, and time passes only when a test says so.

mod board;
mod clock;
mod model;
mod source;

pub use board::SimBoard;
pub use clock::SimClock;
pub use model::{Scripted, SimModel};
pub use source::SimSource;
