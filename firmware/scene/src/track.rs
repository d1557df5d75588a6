use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{BBox, Id, Mono};

/// One thing followed over frames. Numbers are never used twice in a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackId(pub u64);

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A thing that is followed, as of the last frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Its number.
    pub id: TrackId,
    /// Its class, as the detector names it.
    pub class: String,
    /// The detector's calibrated score when it was last seen, 0..1.
    pub score: f32,
    /// Where it was last seen.
    pub bbox: BBox,
    /// When it was first seen.
    pub since: Mono,
    /// When it was last seen; earlier than the frame while it is hidden.
    pub seen: Mono,
    /// Since when it has not moved; `None` while it moves.
    pub still_since: Option<Mono>,
    /// Since when no person has been near it; `None` while one is, and for
    /// persons themselves.
    pub alone_since: Option<Mono>,
    /// The drawn zones that its foot is in.
    pub zones: Vec<Id>,
}

/// What a track did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It came into view and stayed long enough to be believed.
    Appear,
    /// It left the view.
    Disappear,
    /// It came into a drawn zone.
    Enter(Id),
    /// It left a drawn zone.
    Exit(Id),
}

/// A track did something.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackEvent {
    /// The track as it was then.
    pub track: Track,
    /// What it did.
    pub what: Passage,
    /// When.
    pub at: Mono,
}
