//! The machine: a condition's smoothed belief over time.

use std::time::Duration;

use scene::{Moment, Mono, Phase};

use super::belief::Look;
use super::{CLEAR, Life, MAX_WEIGHT, RAISE, SMOOTHING, Transition, UPDATE_EVERY, inner, moment};
use crate::arm::{Combine, Leaf, Means};
use crate::says;

/// Where the condition is. Times are inside ones.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    Idle,
    Holding {
        since: Mono,
        paused: Duration,
    },
    Fired {
        since: Mono,
        told: Mono,
        count: Option<u64>,
        stale: bool,
    },
}

/// The weight of a look that comes `dt` after the last one: an exponentially
/// weighted mean with time constant [`SMOOTHING`], bounded by [`MAX_WEIGHT`].
fn weight(dt: Option<Duration>) -> f32 {
    match dt {
        None => MAX_WEIGHT,
        Some(dt) => (1.0 - (-dt.as_secs_f32() / SMOOTHING.as_secs_f32()).exp()).min(MAX_WEIGHT),
    }
}

impl Life {
    pub(super) fn step(&mut self, at: Moment, look: Look, out: &mut Vec<Transition>) {
        let t = inner(at.mono);
        let belief = match look {
            Ok(belief) => belief,
            Err(why) => {
                let from = self.unknown.take().map_or(t, |(from, _)| from);
                self.unknown = Some((from, why));
                self.grow_stale(at, out);
                return;
            }
        };
        let gap = self.last_known.map(|k| t.since(k));
        let unknown = self.unknown.take();
        let limit = self.gap_limit();
        if let Stage::Holding { paused, .. } = &mut self.stage {
            if gap.is_some_and(|g| g > limit) {
                self.stage = Stage::Idle;
                self.smoothed = 0.0;
            } else if let Some((from, _)) = unknown {
                *paused += t.since(from);
            }
        }
        self.smoothed = if belief.exact {
            belief.p
        } else {
            self.smoothed + weight(gap) * (belief.p - self.smoothed)
        };
        self.last_known = Some(t);
        let (p, since) = (belief.p, belief.since);
        let count = belief.count;
        self.belief = Some(belief);
        let for_it = p >= 0.5;
        match &mut self.stage {
            Stage::Idle if for_it => {
                self.stage = Stage::Holding {
                    since: since.unwrap_or(t),
                    paused: Duration::ZERO,
                };
            }
            Stage::Idle => {}
            Stage::Holding {
                since: from,
                paused,
            } => {
                if !for_it && self.smoothed <= CLEAR {
                    self.stage = Stage::Idle;
                } else if let Some(since) = since {
                    (*from, *paused) = (since, Duration::ZERO);
                }
            }
            Stage::Fired { .. } => {}
        }
        if let Stage::Holding { since, paused } = self.stage {
            let full = t.since(since + paused) >= self.plan.rule.hold().as_duration();
            if full && for_it && self.smoothed >= RAISE && self.cooling(t).is_none() {
                self.stage = Stage::Fired {
                    since,
                    told: t,
                    count,
                    stale: false,
                };
                self.last_sent = Some(t);
                out.push(self.transition(Phase::New, since, at));
            }
            return;
        }
        let Stage::Fired {
            since,
            told,
            count: before,
            stale,
        } = self.stage
        else {
            return;
        };
        if !for_it && self.smoothed <= CLEAR {
            out.push(self.transition(Phase::End, since, at));
            self.stage = Stage::Idle;
        } else if for_it && (stale || (count != before && t.since(told) >= UPDATE_EVERY)) {
            self.stage = Stage::Fired {
                since,
                told: t,
                count,
                stale: false,
            };
            out.push(self.transition(Phase::Update, since, at));
        }
    }

    pub(super) fn grow_stale(&mut self, now: Moment, out: &mut Vec<Transition>) {
        let limit = self.gap_limit();
        let t = inner(now.mono);
        let blind = self.last_known.is_none_or(|k| t.since(k) > limit);
        if let Stage::Fired { since, stale, .. } = &mut self.stage
            && blind
            && !*stale
        {
            *stale = true;
            let since = *since;
            out.push(self.transition(Phase::Stale, since, now));
        }
    }

    /// The schedule closes: an open alert ends, a hold is forgotten.
    pub(super) fn close(&mut self, now: Moment, out: &mut Vec<Transition>) {
        if let Stage::Fired { since, .. } = self.stage {
            let mut end = self.transition(Phase::End, since, now);
            end.says = format!(
                "the schedule closed while there was: {}",
                self.sentence(None)
            );
            out.push(end);
        }
        self.stage = Stage::Idle;
        self.smoothed = 0.0;
        self.belief = None;
        self.unknown = None;
        self.last_known = None;
        self.started = None;
        self.cache.iter_mut().for_each(|c| *c = None);
        self.passages.iter_mut().for_each(|p| p.clear());
        self.pending.clear();
    }

    /// One event: an alert that begins and ends at once.
    pub(super) fn pulse(
        &mut self,
        at: Moment,
        when: Mono,
        leaf: &Leaf,
        p: f32,
        out: &mut Vec<Transition>,
    ) {
        let t = inner(at.mono);
        if self.cooling(t).is_some() {
            self.suppressed += 1;
            return;
        }
        self.last_sent = Some(t);
        for phase in [Phase::New, Phase::End] {
            out.push(Transition {
                phase,
                since: moment(when, at),
                at,
                answer: "yes".into(),
                confidence: p,
                says: says::happened(&leaf.rule, None, None),
            });
        }
    }

    /// The leaf that an alert speaks of: the only one, or of "any" the one
    /// that is most believed.
    fn telling(&self) -> Option<&Leaf> {
        let leaves = &self.plan.leaves;
        if leaves.len() == 1 || self.plan.combine == Combine::All {
            return (leaves.len() == 1).then(|| &leaves[0]);
        }
        (leaves.iter().zip(&self.cache))
            .filter(|(l, _)| {
                !(matches!(l.means, Means::Passage { .. }) && l.rule.threshold.is_none())
            })
            .max_by(|(_, a), (_, b)| {
                let p = |c: &Option<(Mono, super::Belief)>| c.as_ref().map_or(0.0, |(_, b)| b.p);
                p(a).total_cmp(&p(b))
            })
            .map(|(leaf, _)| leaf)
    }

    pub(super) fn sentence(&self, held: Option<crate::Seconds>) -> String {
        let count = self.value();
        match self.telling() {
            Some(leaf) => says::happened(&leaf.rule, count, held),
            None => {
                let parts: Vec<String> = self
                    .plan
                    .leaves
                    .iter()
                    .map(|l| says::happened(&l.rule, None, None))
                    .collect();
                let held = held.map_or(String::new(), |h| format!(" for {h}"));
                format!("{}{held}", parts.join(" and "))
            }
        }
    }

    fn transition(&self, phase: Phase, since: Mono, at: Moment) -> Transition {
        let hold = self.plan.rule.hold();
        let held = (hold.as_millis() > 0).then_some(hold);
        let (answer, confidence) = match (&self.belief, phase) {
            (_, Phase::Stale) | (None, _) => ("unknown".to_owned(), 0.0),
            (Some(b), _) => match b.count {
                Some(n) if self.counts() => (n.to_string(), b.p),
                _ => (self.yes_or_no(b.p).to_owned(), b.p),
            },
        };
        let says = match phase {
            Phase::New => self.sentence(held),
            Phase::Update => format!("still {}", self.sentence(None)),
            Phase::End => format!("over: {}", self.sentence_at_its_height()),
            Phase::Stale => {
                let why = self
                    .unknown
                    .as_ref()
                    .map_or("no look", |(_, why)| why.as_str());
                format!(
                    "can't be checked ({why}): {}",
                    self.sentence_at_its_height()
                )
            }
        };
        Transition {
            phase,
            since: moment(since, at),
            at,
            answer,
            confidence,
            says,
        }
    }

    /// The sentence with the count that was last told, not the one that ended it.
    fn sentence_at_its_height(&self) -> String {
        let told = match self.stage {
            Stage::Fired { count, .. } => count,
            _ => None,
        };
        match self.telling() {
            Some(leaf) => says::happened(&leaf.rule, told, None),
            None => self.sentence(None),
        }
    }

    fn counts(&self) -> bool {
        self.telling().is_some_and(|l| l.rule.comparator.is_some())
    }

    /// The answer to the question that a person would ask: is there one?
    fn yes_or_no(&self, p: f32) -> &'static str {
        let absence = self
            .telling()
            .is_some_and(|l| l.rule.predicate == Some(crate::Predicate::Absence));
        if (p >= 0.5) != absence { "yes" } else { "no" }
    }
}
