//! A sentence becomes a rule; a rule and answers over time become the life of
//! an alert. Pure: no clock, no file, no sleep.
//!
//! [`read`] turns a sentence into a [`Rule`] or a [`Refusal`]; [`arm`] finds
//! the means for it among what the camera can sense; [`Life`] turns what is
//! seen over time into alerts. [`check`] does the first two and gives the
//! [`Echo`] that an operator reads.

mod arm;
mod ask;
mod echo;
mod grammar;
mod hours;
mod lexicon;
mod life;
pub mod noun;
mod refusal;
mod rule;
mod says;

pub use arm::{
    Armed, CONFIRM_INTERVAL, DETECT_INTERVAL, FLOOR_INTERVAL, IDLE_INTERVAL, Site, TRACK_INTERVAL,
    arm,
};
pub use ask::concept_of;
pub use echo::{Cost, Echo, EchoQuestion, check};
pub use grammar::{MAX_CHARS, read};
pub use hours::{Hours, Position};
pub use life::{
    CLEAR, GATE_WAIT, Life, MAX_WEIGHT, MIN_GAP_LIMIT, MIN_VOUCHED, RAISE, SMOOTHING, Seen,
    Snapshot, State, TRACK_SETTLE, Transition, UPDATE_EVERY, VISIT_GAP,
};
pub use refusal::{Refusal, RefusalKind};
pub use rule::{
    Comparator, Day, Dedup, Defaults, Place, Predicate, Rule, Schedule, Seconds, Threshold,
    TimeOfDay, compares,
};
