use std::path::PathBuf;

use scene::Alert;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How much the store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Undelivered alerts.
    pub alerts: usize,
    /// Bytes of undelivered alerts and their pictures together. The newest
    /// alert's text is kept even if it alone is more.
    pub bytes: u64,
    /// Rules; one more is refused.
    pub rules: usize,
    /// Zones; one more is refused.
    pub zones: usize,
    /// Bytes of one rule, zone, life or note; a longer one is refused.
    pub record_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            alerts: 5_000,
            bytes: 64 << 20,
            rules: 512,
            zones: 512,
            record_bytes: 64 << 10,
        }
    }
}

/// What of the picture goes out with an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Snapshot {
    /// The frame that fired.
    Alert,
    /// That frame, so coarse that faces can't be told apart.
    Blurred,
    /// No picture.
    None,
}

/// A rule as an operator set it: the sentence, not what was understood of it,
/// so that a better grammar reads it again after an update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleRecord {
    /// The sentence.
    pub text: String,
    /// Whether it is watched.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Who slows last when watts are short: 0..=9, more is more important.
    #[serde(default = "middle")]
    pub priority: u8,
    /// Overrides the camera's choice of picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
    /// It is looked at no more often than this, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<f64>,
    /// Fields that this version does not know; kept as they are, so that a
    /// rolled-back slot does not erase what a newer one wrote.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

fn yes() -> bool {
    true
}

fn middle() -> u8 {
    RuleRecord::PRIORITY
}

impl RuleRecord {
    /// The priority of a rule that states none.
    pub const PRIORITY: u8 = 5;

    /// A plain sentence, everything else as usual.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            enabled: true,
            priority: Self::PRIORITY,
            snapshot: None,
            every_seconds: None,
            other: Map::new(),
        }
    }
}

/// What else a camera keeps: a few bytes each, in a form of the keeper's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// What looks cost, as the governor has learned it.
    Costs,
    /// What an operator lowered the allotment to.
    Limit,
}

impl Note {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Note::Costs => "costs",
            Note::Limit => "limit",
        }
    }
}

/// An alert that no broker has acknowledged yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// Its place in the queue; never used twice, not even after a reboot.
    pub seq: u64,
    /// The alert.
    pub alert: Alert,
    /// Its picture. `None` with `alert.evidence.image_sha256` set: the picture
    /// was dropped for room.
    pub jpeg: Option<Vec<u8>>,
}

/// How full the queue is and what was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Undelivered alerts.
    pub alerts: u64,
    /// How many of them have a picture.
    pub pictures: u64,
    /// Bytes of both.
    pub bytes: u64,
    /// Alerts dropped for room since the file was made.
    pub dropped_alerts: u64,
    /// Pictures dropped for room since the file was made.
    pub dropped_pictures: u64,
    /// Records met since the start that this version can't read; they are
    /// left where they are.
    pub unreadable: u64,
}

/// A file that could not be read and was put out of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub moved_to: PathBuf,
    /// What was wrong with it.
    pub why: String,
}

/// What opening the store brought to light.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The last broken file that was moved aside since the start.
    pub set_aside: Option<SetAside>,
    /// How often this file was opened by a process, this time included.
    pub boot_count: u64,
    /// Random; for [`scene::AlertId::new`].
    pub boot_tag: u32,
}
