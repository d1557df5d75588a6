//! A life that survives a restart. The monotonic clock starts anew at boot, so
//! ages are kept, not times; the wall clock, where there is one, tells how long
//! the camera was away.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scene::{Moment, Mono};
use serde::{Deserialize, Serialize};

use super::stage::Stage;
use super::{Life, inner};
use crate::Seconds;
use crate::arm::Plan;

/// All that a life must remember over a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Wall time at which it was taken.
    taken: Option<Timestamp>,
    stage: StageAges,
    smoothed: f32,
    started_ago: Option<Seconds>,
    known_ago: Option<Seconds>,
    sent_ago: Option<Seconds>,
    passages_ago: Vec<Vec<Seconds>>,
    count: Option<u64>,
    suppressed: u64,
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
    },
}

fn seconds(d: Duration) -> Seconds {
    Seconds::from_millis(u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

impl Life {
    /// What to keep so that [`crate::Armed::resume`] can go on from here.
    /// Tracks do not survive a restart, so neither does what is known of them.
    pub fn snapshot(&self, now: Moment) -> Snapshot {
        let t = inner(now.mono);
        let ago = |then: Mono| seconds(t.since(then));
        Snapshot {
            taken: now.wall,
            stage: match &self.stage {
                Stage::Idle => StageAges::Idle,
                Stage::Holding { since, paused } => StageAges::Holding {
                    since_ago: ago(*since),
                    paused: seconds(*paused),
                },
                Stage::Fired {
                    since,
                    told,
                    count,
                    stale,
                } => StageAges::Fired {
                    since_ago: ago(*since),
                    told_ago: ago(*told),
                    count: *count,
                    stale: *stale,
                },
            },
            smoothed: self.smoothed,
            started_ago: self.started.map(ago),
            known_ago: self.last_known.map(ago),
            sent_ago: self.last_sent.map(ago),
            passages_ago: self
                .passages
                .iter()
                .map(|p| p.iter().map(|t| ago(*t)).collect())
                .collect(),
            count: self.value(),
            suppressed: self.suppressed,
        }
    }

    pub(crate) fn resume(plan: Arc<Plan>, kept: &Snapshot, now: Moment) -> Self {
        let mut life = Life::new(plan);
        let away = match (kept.taken, now.wall) {
            (Some(then), Some(now)) => {
                Duration::try_from(now.duration_since(then)).unwrap_or_default()
            }
            _ => Duration::ZERO,
        };
        let t = inner(now.mono);
        let then = |ago: Seconds| t - away - ago.as_duration();
        life.stage = match kept.stage {
            StageAges::Idle => Stage::Idle,
            StageAges::Holding { since_ago, paused } => {
                // The time away was not watched, so it does not count as held.
                Stage::Holding {
                    since: then(since_ago),
                    paused: paused.as_duration(),
                }
            }
            StageAges::Fired {
                since_ago,
                told_ago,
                count,
                stale,
            } => Stage::Fired {
                since: then(since_ago),
                told: then(told_ago),
                count,
                stale,
            },
        };
        if !matches!(life.stage, Stage::Idle) {
            life.unknown = Some((t - away, "the camera restarted".into()));
        }
        life.smoothed = kept.smoothed.clamp(0.0, 1.0);
        life.started = kept.started_ago.map(then);
        life.last_known = kept.known_ago.map(then);
        life.last_sent = kept.sent_ago.map(then);
        if kept.passages_ago.len() == life.passages.len() {
            for (past, kept) in life.passages.iter_mut().zip(&kept.passages_ago) {
                past.extend(kept.iter().take(super::MAX_PASSAGES).map(|ago| then(*ago)));
            }
        }
        life.suppressed = kept.suppressed;
        life
    }
}
