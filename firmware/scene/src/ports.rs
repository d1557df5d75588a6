//! The ports: what the core asks of the edges. Each has a real implementation
//! in an edge crate and a simulated one in `tests/sim`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::{
    Celsius, Frame, Moment, OperatingPoint, Quantity, Question, Sight, Source, Watts, Zone,
};

/// Tells the time. The only way the daemon learns it; the core gets moments
/// as arguments.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Moment;
}

/// What happened to a source of frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Frames flow.
    Live,
    /// It failed and is tried again after `retry_in`.
    Retrying {
        /// What went wrong, in a sentence.
        why: String,
        /// How long until the next try.
        retry_in: Duration,
    },
    /// A source that is played once came to its end.
    Ended,
}

/// Gives the newest frame; older ones that nobody took are gone.
pub trait FrameSource: Send {
    /// Waits up to `timeout` for a frame newer than the last one given.
    /// `None` on time-out, and at once when the source has ended; `state`
    /// tells which.
    fn next(&mut self, timeout: Duration) -> Option<Frame>;

    /// What the source is doing.
    fn state(&self) -> SourceState;

    /// Frames that were captured and dropped because a newer one came first.
    fn dropped(&self) -> u64;
}

/// What a model can say about something, before any frame is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ability {
    /// It was made for this.
    Knows,
    /// It can try; nothing is promised.
    Tries,
    /// It can't, and why, in a sentence that names the remedy.
    Cannot(String),
}

/// What a model can do, to be asked from any thread while the model itself is
/// busy looking.
pub trait Knowledge: Send + Sync {
    /// Who this is: `id/version[/variant]`.
    fn name(&self) -> String;

    /// Whether it can answer `question`.
    fn ability(&self, question: &Question) -> Ability;

    /// The classes, as this model's detector names them, that stand for the
    /// singular noun `noun` ("worker" -> person; "bag" -> backpack, handbag,
    /// suitcase). Empty if it detects no such thing or has no detector.
    fn classes_for(&self, noun: &str) -> Vec<String>;

    /// All classes that its detector can see; empty without one.
    fn classes(&self) -> Vec<String>;
}

/// Gives up a look, from any thread.
pub trait Cancel: Send + Sync {
    /// Ends the look under way; what has no answer yet becomes
    /// [`crate::Unknown::Cancelled`]. Does nothing between looks.
    fn cancel(&self);
}

/// For models whose looks end at once.
impl Cancel for () {
    fn cancel(&self) {}
}

/// Answers questions about frames.
pub trait Model: Send {
    /// What it can do.
    fn knowledge(&self) -> Arc<dyn Knowledge>;

    /// What gives up its look under way.
    fn canceller(&self) -> Arc<dyn Cancel> {
        Arc::new(())
    }

    /// The operating points that it can run at, the one it runs at first.
    /// Frequency caps are the board's and not among them. Empty if there is
    /// nothing to choose.
    fn points(&self) -> Vec<OperatingPoint> {
        Vec::new()
    }

    /// Runs at `point` from the next look on. May take as long as loading the
    /// model. An error says why it can't; it goes on at the point of before.
    fn run_at(&mut self, point: &OperatingPoint) -> Result<(), String> {
        let _ = point;
        Ok(())
    }

    /// Looks at `frame` once and answers all `questions`; zones that questions
    /// crop to are among `zones`. Detections come too if `detect` and the
    /// model has a detector. Never panics and never fails: what it can't
    /// answer is [`crate::Unknown`]. Gives up on what is left at `deadline`
    /// after the start.
    fn look(
        &mut self,
        frame: &Frame,
        zones: &[Zone],
        questions: &[Question],
        detect: bool,
        deadline: Duration,
    ) -> Sight;
}

/// A number from the board: what, how old, and who said so.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading<T> {
    /// The number.
    pub value: T,
    /// Whether a sensor vouches for it.
    pub source: Source,
    /// How long ago it was true, as far as that is known.
    pub age: Duration,
    /// Who said so, for people: `"ina226"`, `"lldp"`, `"class 3"`.
    pub by: Cow<'static, str>,
}

impl<T> Reading<T> {
    /// Just read from the sensor `by`.
    pub fn measured(value: T, by: impl Into<Cow<'static, str>>) -> Self {
        Self {
            value,
            source: Source::Measured,
            age: Duration::ZERO,
            by: by.into(),
        }
    }

    /// Reckoned; `by` says from what.
    pub fn modelled(value: T, by: impl Into<Cow<'static, str>>) -> Self {
        Self {
            source: Source::Modelled,
            ..Self::measured(value, by)
        }
    }

    /// The number and its source.
    pub fn quantity(&self) -> Quantity<T>
    where
        T: Copy,
    {
        Quantity {
            value: self.value,
            source: self.source,
        }
    }
}

/// What the board says of itself now. A sensor that is missing, stale, stuck
/// or absurd is left out here and named in `problems`.
#[derive(Clone, Debug, PartialEq)]
pub struct Readings {
    /// What the PSE granted, or the lowest class until it is known.
    pub allotment: Reading<Watts>,
    /// The whole board's draw, on average since it was read last or just now;
    /// `None` if nothing measures or models it.
    pub board: Option<Reading<Watts>>,
    /// The hottest zone; `None` without a sensor.
    pub hottest: Option<Reading<Celsius>>,
    /// The processor's frequency now, MHz; `None` if it is not told.
    pub frequency_mhz: Option<u32>,
    /// CPU time used by this process since it started.
    pub cpu_time: Duration,
    /// What is wrong with sensors, a sentence each; empty if nothing is.
    pub problems: Vec<String>,
}

/// The board's sensors.
pub trait Board: Send {
    /// The board's name, as in `board/<name>`.
    fn name(&self) -> &str;
    /// Reads all sensors.
    fn read(&mut self) -> Readings;
}

/// Caps the processor's frequency.
pub trait Throttle: Send {
    /// Caps it at `mhz`, or lifts the cap. An error says what is in the way.
    fn cap(&mut self, mhz: Option<u32>) -> Result<(), String>;
}

/// For boards whose frequency is left alone.
impl Throttle for () {
    fn cap(&mut self, mhz: Option<u32>) -> Result<(), String> {
        match mhz {
            None => Ok(()),
            Some(_) => Err("this board's frequency can't be capped".into()),
        }
    }
}
