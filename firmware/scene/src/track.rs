use std::fmt;
use std::time::Duration;

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

/// A way to go, as a person who looks at the picture sees it. Sectors overlap:
/// who goes up and to the left goes both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heading {
    /// To the left edge of the picture.
    Left,
    /// To the right edge.
    Right,
    /// To the upper edge.
    Up,
    /// To the lower edge.
    Down,
    /// To the camera: it grows.
    Toward,
    /// Away from the camera: it shrinks.
    Away,
}

impl Heading {
    /// All of them.
    pub const ALL: [Heading; 6] = [
        Heading::Left,
        Heading::Right,
        Heading::Up,
        Heading::Down,
        Heading::Toward,
        Heading::Away,
    ];
}

/// How a thing moved over the last seconds, from where it was to where it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Movement {
    /// To the right, in heights of the picture (so that both axes have one
    /// unit); negative is to the left.
    pub right: f32,
    /// Downwards, in heights of the picture; negative is upwards.
    pub down: f32,
    /// Its size (square root of the box's area) by what it was; 1 where the
    /// edge of the picture cut the box.
    pub growth: f32,
    /// Over this time.
    pub over: Duration,
}

impl Movement {
    /// It stays where it is.
    pub const NONE: Movement = Movement {
        right: 0.0,
        down: 0.0,
        growth: 1.0,
        over: Duration::ZERO,
    };

    /// Growth from which a thing comes towards the camera; the inverse is
    /// going away. A person at 15 m who walks up at 1.4 m/s takes 2 s for it;
    /// a detector's jitter stays below.
    pub const GROWS: f32 = 1.25;

    /// Length of the way, in heights of the picture.
    pub fn length(&self) -> f32 {
        self.right.hypot(self.down)
    }

    /// Whether it goes `heading`. In the picture: at least half of the way is
    /// in that direction (within 60 degrees of it).
    pub fn goes(&self, heading: Heading) -> bool {
        let along = match heading {
            Heading::Left => -self.right,
            Heading::Right => self.right,
            Heading::Up => -self.down,
            Heading::Down => self.down,
            Heading::Toward => return self.growth >= Self::GROWS,
            Heading::Away => return self.growth <= 1.0 / Self::GROWS,
        };
        along > 0.0 && along >= 0.5 * self.length()
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
    /// Since when it has been in each of them, in the same order.
    pub zones_since: Vec<Mono>,
    /// How it moved over the last seconds; in a passage, how it passed.
    pub movement: Movement,
}

impl Track {
    /// How long it has been in `zone` when last seen; `None` if it is not there.
    pub fn dwell(&self, zone: &Id) -> Option<Duration> {
        let i = self.zones.iter().position(|z| z == zone)?;
        Some(self.seen.since(*self.zones_since.get(i)?))
    }
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
    /// It went through a drawn zone and came out on another side. The
    /// movement is from side to side.
    Cross(Id),
    /// It goes towards a drawn zone, is outside, and not far from it.
    Approach(Id),
    /// It goes away from a drawn zone that it was in or not far from.
    Retreat(Id),
    /// It began to go that way, or came into `zone` going that way. Told once
    /// until it goes another way.
    Go {
        /// The way.
        heading: Heading,
        /// The drawn zone that it is told for; `None` is the whole picture.
        zone: Option<Id>,
    },
    /// It turned by its own left or right, as seen from above.
    Turn {
        /// `Left` or `Right`.
        to: Heading,
        /// The drawn zone that it is told for; `None` is the whole picture.
        zone: Option<Id>,
    },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_sectors_of_60_degrees_to_either_side() {
        let going = |right: f32, down: f32| -> Vec<Heading> {
            let m = Movement {
                right,
                down,
                ..Movement::NONE
            };
            let all = Heading::ALL.into_iter();
            all.filter(|h| m.goes(*h)).collect()
        };
        assert_eq!(going(0.0, 0.0), []);
        assert_eq!(going(-0.1, 0.0), [Heading::Left]);
        assert_eq!(going(0.1, 0.04), [Heading::Right]);
        assert_eq!(going(0.1, -0.1), [Heading::Right, Heading::Up]);
        assert_eq!(going(0.01, 0.1), [Heading::Down]);
        assert_eq!(going(f32::NAN, 0.1), []);
        let grown = |growth| Movement {
            growth,
            ..Movement::NONE
        };
        assert!(grown(1.3).goes(Heading::Toward) && !grown(1.1).goes(Heading::Toward));
        assert!(grown(0.7).goes(Heading::Away) && !grown(0.9).goes(Heading::Away));
    }
}
