//! GStreamer: pipelines as data, the newest frame for inference, H.264 over RTSP.
//!
//! What elements make a pipeline is said in `pipelines/*.toml`; this crate
//! knows only the names of the places where frames come out ([`Pipelines`]).
//! A [`Camera`] runs for ever and drops what nobody takes; a [`Replay`] plays a
//! clip once and drops nothing. Both are [`scene::ports::FrameSource`]s, and
//! their frames borrow GStreamer's buffers.

mod backoff;
mod camera;
mod choice;
mod description;
mod device;
mod encoding;
mod error;
mod gate;
mod launch;
mod live;
mod log;
mod memory;
mod modes;
mod picture;
mod plan;
mod remote;
mod replay;
mod rtsp;
mod seam;
mod slots;
mod steady;
mod value;

pub use camera::{Camera, CameraConfig, CameraControl, Encode, RtspConfig, Source, Stats};
pub use description::Pipelines;
pub use error::CaptureError;
pub use log::init;
pub use replay::{Replay, ReplayConfig};
pub use value::{Value, Values};

/// The widest frame that inference gets unless told otherwise, pixels: half of
/// full HD, and more than the models look at.
pub const DEFAULT_MAX_WIDTH: u32 = 960;
