//! Detections become tracks: identity, dwell, zones, stillness, abandonment.
//! Pure: time is an argument, and the same calls give the same tracks.
//!
//! Association follows SORT (Bewley et al., "Simple Online and Realtime
//! Tracking", ICIP 2016) and ByteTrack (Zhang et al., "ByteTrack: Multi-Object
//! Tracking by Associating Every Detection Box", ECCV 2022, arXiv 2110.06864):
//! things are predicted, paired with what is seen by optimal assignment,
//! confident detections first; then weak ones keep tracks alive that would
//! otherwise be lost, and only confident ones begin a track. Since looks come
//! at anything from 0.2 to 10 a second, constants are in seconds in place of
//! frames, and pairs are judged by how far a thing may have gone unseen in
//! place of the overlap of boxes. Measured on the scenes of `tests/data`:
//! `cargo run -p tracking --example score`; docs/decisions/0011-tracking.md
//! has the figures.

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
