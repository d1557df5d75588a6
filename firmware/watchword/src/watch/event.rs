//! What happens to the watch loop, and what it wants done.

use std::time::Duration;

use scene::ports::{Readings, SourceState};
use scene::{Alert, Frame, Id, OperatingPoint, Question, Sight, Zone};
use serde::Serialize;
use spool::{Batch, Snapshot};

use super::inbox::ReplyTo;

/// Everything that can happen to the watch loop. Closed: a new kind of event
/// is a new variant here and an arm in [`super::Watch::handle`].
#[derive(Debug)]
pub enum Event {
    /// Time has passed; nothing else.
    Tick,
    /// Look once if nothing has been learned of what looks cost, so that the
    /// echo of a first rule can say more than what is told. The governor has
    /// the last word as ever.
    Trial,
    /// The board was read.
    Readings(Readings),
    /// What was dropped so far, if that has changed.
    Dropped(Drops),
    /// The look that was ordered is over.
    Looked(Looked),
    /// The source's state changed.
    Source(SourceState),
    /// The broker is connected; retained states must be sent again.
    LinkUp,
    /// The broker is gone.
    LinkDown,
    /// An operator sent something.
    Operator(Request),
}

/// What an operator sent, with its topic taken apart.
#[derive(Debug)]
pub enum Request {
    /// `rules/<id>/set`
    Rule {
        /// The rule.
        id: Id,
        /// A sentence, JSON, or nothing.
        payload: Vec<u8>,
    },
    /// `zones/<name>/set`
    Zone {
        /// The zone.
        name: Id,
        /// JSON, or nothing.
        payload: Vec<u8>,
    },
    /// `power/limit/set`
    Limit {
        /// Watts, JSON, or nothing; or why it can't be taken at all.
        payload: Result<Vec<u8>, String>,
    },
    /// `check`
    Check {
        /// A sentence or JSON.
        payload: Vec<u8>,
        /// Where MQTT 5 says the answer goes.
        reply: ReplyTo,
    },
    /// `ask`
    Ask {
        /// A question or JSON.
        payload: Vec<u8>,
        /// Where MQTT 5 says the answer goes.
        reply: ReplyTo,
    },
}

/// One look at the newest frame, to be carried out by the look thread.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Counts up; comes back in [`Looked`].
    pub number: u64,
    /// What to find out, each question once.
    pub questions: Vec<Question>,
    /// All drawn zones.
    pub zones: Vec<Zone>,
    /// Whether detections are wanted too.
    pub detect: bool,
    /// When to give up on what is left.
    pub deadline: Duration,
    /// How to run.
    pub point: OperatingPoint,
}

/// What became of an [`Order`].
#[derive(Debug)]
pub struct Looked {
    /// The order's number.
    pub number: u64,
    /// The frame and what was found, or why there is nothing.
    pub seen: Result<(Frame, Sight), Unseen>,
}

/// Why a look found nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// No frame came.
    NoFrame,
    /// It was given up before it began.
    GivenUp,
    /// It can't be run at the order's operating point, and why.
    NoPoint(String),
}

/// What was dropped since the start, or since the store was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drops {
    /// Frames that nobody looked at before a newer one came. Most are, since
    /// video is faster than looks.
    pub frames: u64,
    /// Retained states that found no room on their way to the broker; they are
    /// sent whole at the next connection.
    pub publishes: u64,
    /// Undelivered alerts that made room for newer ones.
    pub alerts: u64,
    /// Pictures of undelivered alerts that did.
    pub pictures: u64,
}

/// Everything the watch loop can want done, in order.
#[derive(Debug)]
pub enum Effect {
    /// Start a look; its end comes back as [`Event::Looked`].
    Look(Order),
    /// End the look under way now; what it has no answer for yet is unknown,
    /// and it comes back as any other.
    GiveUp {
        /// The order's number.
        number: u64,
        /// Why, in words.
        reason: String,
    },
    /// Make this durable before any later effect is carried out.
    Store(Batch),
    /// Encode the picture, make alert and life durable, then publish.
    Raise(Box<Raise>),
    /// Publish a retained state; an empty payload clears it.
    State {
        /// Full topic.
        topic: String,
        /// JSON or plain text.
        payload: Vec<u8>,
    },
    /// Answer somebody; not retained, dropped if nobody is connected.
    Reply {
        /// Full topic.
        topic: String,
        /// MQTT 5 correlation data.
        correlation: Option<Vec<u8>>,
        /// JSON.
        payload: Vec<u8>,
    },
}

/// An alert on its way out.
#[derive(Debug)]
pub struct Raise {
    /// Complete but for `evidence.image_sha256`.
    pub alert: Alert,
    /// The frame that decided, if the alert shows one.
    pub frame: Option<Frame>,
    /// How much of it may be shown.
    pub snapshot: Snapshot,
    /// The rule's life after this, for the store.
    pub life: Vec<u8>,
}
