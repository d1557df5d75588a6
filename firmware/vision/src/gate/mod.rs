//! The gate: what did not change need not be asked again.
//!
//! A frame is averaged to a small luma [`Plane`] and compared with the plane
//! *at the last fresh answer*, not with the frame before, so that slow change
//! adds up until it is seen ([`Difference`]). [`Gated`] stands before a model
//! and gives its answers again while nothing changed where they look, up to a
//! greatest age. What is a change errs on the side of asking: an answer too
//! many costs a joule, one too few an alert.

mod agree;
mod change;
mod plane;
mod reuse;

pub use change::{Difference, Noise, Sensitivity};
pub use plane::Plane;
pub use reuse::{Config, Gated};
