//! Detections become tracks: identity, dwell, zones, stillness, abandonment.
//! Pure: time is an argument, and the same calls give the same tracks.
//!
//! Association follows ByteTrack (Zhang et al., "ByteTrack: Multi-Object
//! Tracking by Associating Every Detection Box", ECCV 2022, arXiv 2110.06864):
//! confident detections are matched first, then weak ones keep tracks alive
//! that would otherwise be lost, and only confident ones begin a track. In
//! place of its Kalman filter and frame counts stand a damped
//! constant-velocity prediction and seconds, since looks come at anything
//! from 0.2 to 10 a second. What is left goes by distance, for looks so far
//! apart that boxes no longer overlap.

mod assign;
mod associate;
mod config;
mod follow;
mod gone;
mod motion;
mod near;
mod path;
mod still;
mod tracker;
mod zones;

pub use assign::Assignment;
pub use config::Config;
pub use motion::Motion;
pub use tracker::{Tracker, Update};
