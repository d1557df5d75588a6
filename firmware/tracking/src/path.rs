//! The way that a thing came, and what it says of where it goes.

use std::collections::VecDeque;
use std::time::Duration;

use scene::{BBox, Heading, Mono, Movement};

use crate::Config;

/// How far back the way is remembered.
const WINDOW: Duration = Duration::from_secs(6);
/// Steps are remembered at least this far apart …
const SPACING: Duration = Duration::from_millis(100);
/// … and so many at most; the oldest go first.
const MOST_STEPS: usize = 64;
/// A passage's movement is over this long, or since the last look but one.
const RECENT: Duration = Duration::from_secs(2);
/// A way shorter than this, in own sizes (square root of the box's area), says
/// nothing: jitter and somebody shifting their weight stay below.
const LEG: f32 = 0.5;
/// … and so does one shorter than this, in heights of the picture, since
/// cameras shake.
const LEAST_LEG: f32 = 0.08;
/// The time constant of the smoothed size, seconds.
const SMOOTH: f32 = 0.5;
/// Growth is told over at least this long.
const GROWING: Duration = Duration::from_millis(500);
/// A box nearer to the picture's edge than this may be cut by it.
const EDGE: f32 = 0.01;
/// A way is no longer gone when the sine of the angle to it is under this: 75
/// degrees off (it is taken up within 60).
const OFF: f32 = 0.25;
/// Who stands for so long and then goes on the same way does so anew. A car at
/// a light, or somebody who looks round, does not.
const REST: Duration = Duration::from_secs(30);
/// A turn is a change of course from this to that, radians: 50 to 150 degrees.
/// More is turning back, which has no side.
const TURN: std::ops::Range<f32> = 0.87..2.62;

/// A set of headings, as bits in the order of [`Heading::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ways(u8);

impl Ways {
    fn of(test: impl Fn(Heading) -> bool) -> Self {
        let bits = Heading::ALL.iter().enumerate();
        Self(bits.map(|(i, h)| u8::from(test(*h)) << i).sum())
    }

    pub fn and(self, other: Ways) -> Ways {
        Ways(self.0 & other.0)
    }

    pub fn or(self, other: Ways) -> Ways {
        Ways(self.0 | other.0)
    }

    pub fn without(self, other: Ways) -> Ways {
        Ways(self.0 & !other.0)
    }

    pub fn headings(self) -> impl Iterator<Item = Heading> {
        let all = Heading::ALL.into_iter().enumerate();
        all.filter(move |(i, _)| self.0 >> i & 1 == 1)
            .map(|(_, h)| h)
    }
}

/// Where it was at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    at: Mono,
    pub bbox: BBox,
    /// Smoothed size, in shares of the picture.
    size: f32,
    /// Not cut by the picture's edge.
    whole: bool,
}

/// The last seconds of a thing's way. Bounded by [`MOST_STEPS`].
#[derive(Clone, Debug)]
pub(crate) struct Path {
    past: VecDeque<Step>,
    now: Step,
    /// The ways it went at the last look, and those it was 75 degrees off.
    last: Ways,
    last_off: Ways,
    told: Ways,
    /// It has stood so long that going on is news.
    pub rested: bool,
    /// The ways it goes, by this look and the last one.
    pub going: Ways,
    /// The direction in which its course was last set, a unit vector.
    course: Option<(f32, f32)>,
    /// The side to which it seemed to turn at the last look.
    turning: Option<Heading>,
}

/// Whether the edge of the picture may cut the box.
pub(crate) fn at_edge(b: &BBox, margin: f32) -> bool {
    b.x < margin || b.y < margin || b.x + b.w > 1.0 - margin || b.y + b.h > 1.0 - margin
}

fn step(bbox: &BBox, at: Mono, before: Option<&Step>) -> Step {
    let size = bbox.area().sqrt();
    let smoothed = before.map_or(size, |b| {
        let gain = 1.0 - (-at.since(b.at).as_secs_f32() / SMOOTH).exp();
        b.size + gain * (size - b.size)
    });
    Step {
        at,
        bbox: *bbox,
        size: smoothed,
        whole: !at_edge(bbox, EDGE),
    }
}

impl Path {
    pub fn new(bbox: &BBox, at: Mono) -> Self {
        Self {
            past: VecDeque::new(),
            now: step(bbox, at, None),
            last: Ways::default(),
            last_off: Ways::default(),
            told: Ways::default(),
            rested: false,
            going: Ways::default(),
            course: None,
            turning: None,
        }
    }

    pub fn see(&mut self, bbox: &BBox, at: Mono) {
        let old = self.now;
        self.now = step(bbox, at, Some(&old));
        let apart = self
            .past
            .back()
            .is_none_or(|p| old.at.since(p.at) >= SPACING);
        if apart {
            self.past.push_back(old);
        }
        // One remains, however old: looks may be further apart.
        while self.past.len() > MOST_STEPS
            || self.past.len() > 1 && at.since(self.past[0].at) > WINDOW
        {
            self.past.pop_front();
        }
    }

    fn from(&self, then: &Step, aspect: f32) -> Movement {
        let (a, b) = (then.bbox.centre(), self.now.bbox.centre());
        Movement {
            right: (b.x - a.x) * aspect,
            down: b.y - a.y,
            growth: match then.whole && self.now.whole {
                true => self.now.size / then.size,
                false => 1.0,
            },
            over: self.now.at.since(then.at),
        }
    }

    /// How it moved over the last two seconds.
    pub fn movement(&self, config: &Config) -> Movement {
        let recent = |s: &&Step| self.now.at.since(s.at) <= RECENT;
        let then = self.past.iter().find(recent).or(self.past.back());
        then.map_or(Movement::NONE, |s| self.from(s, config.aspect))
    }

    /// The last step from which it has come far enough to say where it goes.
    pub fn leg(&self, config: &Config) -> Option<(&Step, Movement)> {
        let size = self.now.bbox.area().sqrt() * config.aspect.sqrt();
        (self.past.iter().rev())
            .map(|s| (s, self.from(s, config.aspect)))
            .find(|(_, m)| m.length() >= (LEG * size).max(LEAST_LEG))
    }

    fn growth(&self, config: &Config) -> Movement {
        (self.past.iter().rev())
            .map(|s| self.from(s, config.aspect))
            .find(|m| m.over >= GROWING && (m.goes(Heading::Toward) || m.goes(Heading::Away)))
            .unwrap_or(Movement::NONE)
    }

    /// Judges the last step of a thing that has stood for `still`: the ways
    /// that it has newly taken, by two looks, and the side to which it turned.
    pub fn judge(&mut self, config: &Config, still: Duration) -> (Ways, Option<Heading>) {
        let leg = self.leg(config).map(|(_, m)| m);
        let growth = self.growth(config);
        let flat = leg.unwrap_or(Movement::NONE);
        let in_depth = |h: Heading| matches!(h, Heading::Toward | Heading::Away);
        let now = Ways::of(|h| {
            if in_depth(h) {
                growth.goes(h)
            } else {
                flat.goes(h)
            }
        });
        let off = Ways::of(|h| match h {
            Heading::Toward => growth.goes(Heading::Away),
            Heading::Away => growth.goes(Heading::Toward),
            _ => leg.is_some_and(|m| {
                let along = match h {
                    Heading::Left => -m.right,
                    Heading::Right => m.right,
                    Heading::Up => -m.down,
                    _ => m.down,
                };
                along < OFF * m.length()
            }),
        });
        self.going = now.and(self.last);
        self.told = self.told.without(off.and(self.last_off));
        // It counts as still for a moment after it has set out.
        self.rested = still >= REST && now == Ways::default() && self.last == now;
        if self.rested {
            self.told = Ways::default();
        }
        let new = self.going.without(self.told);
        self.told = self.told.or(new);
        (self.last, self.last_off) = (now, off);
        (new, leg.and_then(|m| self.turned(m)))
    }

    fn turned(&mut self, leg: Movement) -> Option<Heading> {
        let length = leg.length();
        let now = (leg.right / length, leg.down / length);
        let Some(was) = self.course else {
            self.course = Some(now);
            return None;
        };
        // The picture's y points down, so clockwise, which is to the right
        // seen from above, is positive. Any camera above the ground sees it so.
        let cross = was.0 * now.1 - was.1 * now.0;
        let angle = cross.atan2(was.0 * now.0 + was.1 * now.1);
        if angle.abs() < TURN.start {
            self.turning = None;
            return None;
        }
        let side = match angle > 0.0 {
            true => Heading::Right,
            false => Heading::Left,
        };
        if self.turning.replace(side) != Some(side) {
            return None;
        }
        self.course = Some(now);
        self.turning = None;
        TURN.contains(&angle.abs()).then_some(side)
    }
}
