//! The words every part of the camera uses: frames, questions, answers,
//! alerts, time, and the ports (traits) between the pure core and its edges.
//!
//! Nothing in this crate reads a clock, a file or a socket. Everything that
//! can be out of range is checked where it is built, so that holding a value
//! of one of these types means that it is valid.

mod alert;
mod answer;
mod frame;
mod geometry;
mod id;
mod point;
pub mod ports;
mod question;
mod time;
mod track;
mod units;

pub use alert::{Alert, AlertId, Evidence, Phase, Severity};
pub use answer::{Answer, CountBelief, Detection, Sight, Unknown, Value};
pub use frame::{Frame, FrameError, Pixels};
pub use geometry::{BBox, GeometryError, Point, Polygon, Zone};
pub use id::{Id, IdError};
pub use point::{OperatingPoint, OperatingPointError};
pub use question::{Concept, Question, QuestionKind};
pub use time::{Moment, Mono};
pub use track::{Heading, Movement, Passage, Track, TrackEvent, TrackId};
pub use units::{Celsius, Joules, Quantity, Source, Watts};
