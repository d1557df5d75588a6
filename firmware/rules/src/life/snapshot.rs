//! A life that survives a restart. The monotonic clock starts anew at boot, so
//! ages are kept, not times; the wall clock, where there is one, tells how long
//! the camera was off.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scene::{Moment, Mono};
use serde::{Deserialize, Serialize};

use super::belief::Belief;
use super::stage::{Open, Stage};
use super::{Following, Life, MAX_PASSAGES, inner};
use crate::Seconds;
use crate::arm::Plan;

/// The longest time off that a clock is believed to tell; half of what fits
/// before the start of the inside clock, so that ages still fit too.
const MAX_OFF: Duration = Duration::from_secs(50 * 365 * 24 * 3600);

/// All that a life must remember over a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Wall time at which it was taken.
    taken: Option<Timestamp>,
    stage: StageAges,
    smoothed: f32,
    known_ago: Option<Seconds>,
    sent_ago: Option<Seconds>,
    passages_ago: Vec<Vec<Seconds>>,
    suppressed: u64,
    /// Since when nothing was known, and why.
    #[serde(default)]
    unknown: Option<(Seconds, String)>,
    /// For how long the camera had been off since the last known look.
    #[serde(default)]
    off: Seconds,
    /// How long things had been followed without a gap, and when last.
    #[serde(default)]
    following: Option<[Seconds; 2]>,
    #[serde(default)]
    belief: Option<Kept>,
    /// Each leaf's last belief and its age.
    #[serde(default)]
    cache: Vec<Option<(Seconds, Kept)>>,
    #[serde(default)]
    dropped: u64,
    #[serde(default)]
    looked_ago: Option<Seconds>,
}

/// What is kept of a [`Belief`]; what tracks knew goes with the tracks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    p: f32,
    count: Option<u64>,
    exact: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StageAges {
    Idle,
    Holding {
        since_ago: Seconds,
        paused: Seconds,
    },
    Fired {
        since_ago: Seconds,
        told_ago: Seconds,
        count: Option<u64>,
        stale: bool,
        #[serde(default)]
        over_ago: Option<Seconds>,
    },
}

fn seconds(d: Duration) -> Seconds {
    Seconds::from_millis(u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

fn probability(p: f32) -> f32 {
    if p.is_finite() {
        p.clamp(0.0, 1.0)
    } else {
        0.0
    }
}

impl Kept {
    fn of(b: &Belief) -> Self {
        Self {
            p: b.p,
            count: b.count,
            exact: b.exact,
        }
    }

    fn belief(self) -> Belief {
        Belief {
            p: probability(self.p),
            count: self.count,
            since: None,
            exact: self.exact,
        }
    }
}

impl Life {
    /// What to keep so that [`crate::Armed::resume`] can go on from here.
    /// Tracks do not survive a restart, so neither do visits and events that
    /// wait for an answer about their track.
    pub fn snapshot(&self, now: Moment) -> Snapshot {
        let t = inner(now.mono);
        let ago = |then: Mono| seconds(t.since(then));
        Snapshot {
            taken: self.wall(now),
            stage: match &self.stage {
                Stage::Idle => StageAges::Idle,
                Stage::Holding { since, paused } => StageAges::Holding {
                    since_ago: ago(*since),
                    paused: seconds(*paused),
                },
                Stage::Fired(open) => StageAges::Fired {
                    since_ago: ago(open.since),
                    told_ago: ago(open.told),
                    count: open.count,
                    stale: open.stale,
                    over_ago: open.over.map(ago),
                },
            },
            smoothed: self.smoothed,
            known_ago: self.last_known.map(ago),
            sent_ago: self.last_sent.map(ago),
            passages_ago: self
                .passages
                .iter()
                .map(|p| p.iter().map(|t| ago(*t)).collect())
                .collect(),
            suppressed: self.suppressed,
            unknown: (self.unknown.as_ref()).map(|(from, why)| (ago(*from), why.clone())),
            off: seconds(self.off),
            following: self.following.map(|f| [ago(f.since), ago(f.last)]),
            belief: self.belief.as_ref().map(Kept::of),
            cache: (self.cache.iter())
                .map(|c| c.as_ref().map(|(when, b)| (ago(*when), Kept::of(b))))
                .collect(),
            dropped: self.dropped,
            looked_ago: self.last_look.map(ago),
        }
    }

    pub(crate) fn resume(plan: Arc<Plan>, kept: &Snapshot, now: Moment) -> Self {
        let mut life = Life::new(plan);
        // How long it was off is not known without both clocks, nor if they
        // say that it is over before it began.
        let told = kept.taken.zip(now.wall).and_then(|(then, now)| {
            let off = Duration::try_from(now.duration_since(then)).ok()?;
            (off <= MAX_OFF).then_some(off)
        });
        let off = told.unwrap_or_default();
        let t = inner(now.mono);
        let then = |ago: Seconds| t - off - ago.as_duration().min(MAX_OFF);
        life.stage = match kept.stage {
            StageAges::Idle => Stage::Idle,
            StageAges::Holding { since_ago, paused } => Stage::Holding {
                since: then(since_ago),
                paused: paused.as_duration().min(MAX_OFF),
            },
            StageAges::Fired {
                since_ago,
                told_ago,
                count,
                stale,
                over_ago,
            } => Stage::Fired(Open {
                since: then(since_ago),
                told: then(told_ago),
                count,
                stale,
                over: over_ago.map(then),
            }),
        };
        life.smoothed = probability(kept.smoothed);
        life.last_look = kept.looked_ago.map(then);
        life.last_known = kept.known_ago.map(then);
        life.last_sent = kept.sent_ago.map(then);
        life.suppressed = kept.suppressed;
        life.dropped = kept.dropped;
        life.belief = kept.belief.map(Kept::belief);
        life.unknown = (kept.unknown.as_ref()).map(|(ago, why)| (then(*ago), why.clone()));
        life.off = (kept.off.as_duration().min(MAX_OFF)) + off;
        if kept.cache.len() == life.cache.len() {
            let cached = |(ago, b): (Seconds, Kept)| (then(ago), b.belief());
            life.cache = kept.cache.iter().map(|c| c.map(cached)).collect();
        }
        if told.is_some() && kept.passages_ago.len() == life.passages.len() {
            for (past, kept) in life.passages.iter_mut().zip(&kept.passages_ago) {
                past.extend(kept.iter().take(MAX_PASSAGES).map(|ago| then(*ago)));
            }
            life.following = (kept.following).map(|[since, last]| Following {
                since: then(since),
                last: then(last),
            });
        }
        if told.is_none() && matches!(life.stage, Stage::Holding { .. } | Stage::Idle) {
            life.stage = Stage::Idle;
            life.smoothed = 0.0;
        }
        if let (Some(hours), Some(before), Some(after)) = (&life.plan.hours, kept.taken, now.wall) {
            life.closed_while_off = told.is_some()
                && hours.open(before)
                && hours.next_change(before).is_some_and(|c| c <= after);
        }
        life
    }
}
