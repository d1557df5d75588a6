use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Id, Joules, OperatingPoint, Quantity};

/// How urgent an alert is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Recorded, not urgent.
    Info,
    /// Somebody should look.
    #[default]
    Warning,
    /// Somebody should act.
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        })
    }
}

/// Where an alert is in its life: one id goes `new -> update* -> end`, with
/// `stale` while it can't be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The condition holds.
    New,
    /// It still holds and something about it changed.
    Update,
    /// It no longer holds.
    End,
    /// It can't be checked; neither holding nor over.
    Stale,
}

/// The name of one alert through all its phases; survives a reboot.
///
/// Made of the boot's random tag and a counter, so it needs no clock:
/// `<boot tag, 8 hex digits>-<count, hex>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertId(String);

impl AlertId {
    /// The `count`th alert of the boot with the random tag `boot`.
    pub fn new(boot: u32, count: u64) -> Self {
        Self(format!("{boot:08x}-{count:04x}"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an alert rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The answer in a word: "yes", "12", "unknown".
    pub answer: String,
    /// Probability that the rule's condition held, 0..1.
    pub confidence: f32,
    /// When the frame was captured; `null` if the camera had no clock.
    pub frame_time: Option<Timestamp>,
    /// How much older than that the frame is which the answer is of, seconds,
    /// if nothing changed since and the answer was given again; `null` if it is
    /// of this very frame.
    #[serde(default)]
    pub answer_age_seconds: Option<f64>,
    /// Which model answered.
    pub model: String,
    /// The operating point at which it looked at this very frame; `null` if
    /// the answer was given again.
    #[serde(default)]
    pub point: Option<OperatingPoint>,
    /// SHA-256 of the JPEG in lower-case hex; `null` if there is no picture.
    pub image_sha256: Option<String>,
}

/// An alert as it is published on `…/alerts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Version of this form: 1.
    pub v: u8,
    /// One id through all phases.
    pub id: AlertId,
    /// The rule that raised it.
    pub rule: Id,
    /// Where it is in its life.
    pub phase: Phase,
    /// How urgent.
    pub severity: Severity,
    /// When the condition began to hold; `null` if the camera had no clock.
    pub since: Option<Timestamp>,
    /// One plain sentence for a person.
    pub says: String,
    /// What it rests on.
    pub evidence: Evidence,
    /// Energy of the look that decided it.
    pub joules: Quantity<Joules>,
    /// From the capture of the frame to the decision.
    pub latency_ms: u64,
}

impl Alert {
    /// The form's version.
    pub const VERSION: u8 = 1;
}
