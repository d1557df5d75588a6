//! The machine: a condition's smoothed belief over time.

use std::time::Duration;

use scene::{Moment, Mono, Phase};

use super::belief::Look;
use super::{
    CLEAR, Life, MAX_WEIGHT, RAISE, SMOOTHING, Transition, UPDATE_EVERY, VISIT_GAP, inner, moment,
};
use crate::arm::{Combine, Leaf, Means, Plan};
use crate::{Rule, says};

/// Where the condition is. Times are inside ones.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    Idle,
    Holding {
        since: Mono,
        /// How much of the time since then does not count.
        paused: Duration,
    },
    Fired(Open),
}

/// An open alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Open {
    /// When the condition began to hold.
    pub since: Mono,
    /// The last `new` or `update`.
    pub told: Mono,
    /// The count that was told then.
    pub count: Option<u64>,
    /// Told as stale, and not seen to hold since.
    pub stale: bool,
    /// Of an alert that is one a visit: since when the condition is over.
    pub over: Option<Mono>,
}

/// The weight of a look that comes `dt` after the last one: an exponentially
/// weighted mean with time constant [`SMOOTHING`], bounded by [`MAX_WEIGHT`].
fn weight(dt: Option<Duration>) -> f32 {
    match dt {
        None => MAX_WEIGHT,
        Some(dt) => (1.0 - (-dt.as_secs_f32() / SMOOTHING.as_secs_f32()).exp()).min(MAX_WEIGHT),
    }
}

/// Whether all parts must hold and one of them is an event.
pub(super) fn needs_event(rule: &Rule, leaves: &[Leaf]) -> bool {
    rule.all.is_some() && leaves.len() > 1 && leaves.iter().any(Leaf::is_event)
}

/// A stated cool-down is the pace that somebody asked for, but "once per
/// visit" is once.
pub(super) fn reminds(rule: &Rule) -> bool {
    rule.cooldown_seconds.is_some_and(|c| c.as_millis() > 0) && rule.dedup.is_none()
}

impl Leaf {
    /// Whether it is something that happens in an instant, not counted.
    pub(super) fn is_event(&self) -> bool {
        matches!(self.means, Means::Passage { .. }) && self.rule.threshold.is_none()
    }
}

impl Plan {
    /// Whether an event must come to a condition: the condition alone raises
    /// nothing.
    pub(super) fn needs_event(&self) -> bool {
        needs_event(&self.rule, &self.leaves)
    }

    /// Whether an open alert is told again though nothing about it changed.
    fn reminds(&self) -> bool {
        reminds(&self.rule)
    }

    /// The least time from one update of an open alert to the next.
    pub(super) fn update_every(&self) -> Duration {
        let stated = self.rule.cooldown_seconds.unwrap_or_default();
        stated.as_duration().max(UPDATE_EVERY)
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
        let lost = gap.is_some_and(|g| g > self.gap_limit());
        let unwatched = self.unwatched(t);
        self.unknown = None;
        self.off = Duration::ZERO;
        match &mut self.stage {
            Stage::Fired(open) => {
                let over = &mut open.over;
                *over = over.map(|from| if lost { t } else { from + unwatched });
            }
            _ if lost => {
                self.stage = Stage::Idle;
                self.smoothed = 0.0;
            }
            Stage::Holding { paused, .. } => *paused = paused.saturating_add(unwatched),
            Stage::Idle => {}
        }
        self.smoothed = if belief.exact {
            belief.p
        } else {
            self.smoothed + weight(gap) * (belief.p - self.smoothed)
        };
        self.last_known = Some(t);
        let (p, since, count) = (belief.p, belief.since, belief.count);
        self.belief = Some(belief);
        if self.plan.needs_event() {
            return;
        }
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
            Stage::Fired(open) => {
                let open = *open;
                self.go_on(at, open, for_it, out);
                return;
            }
        }
        if let Stage::Holding { since, paused } = self.stage {
            let full = t.since(since + paused) >= self.plan.rule.hold().as_duration();
            if full && for_it && self.smoothed >= RAISE && self.cooling(t).is_none() {
                self.stage = Stage::Fired(Open {
                    since,
                    told: t,
                    count,
                    stale: false,
                    over: None,
                });
                self.tell(t);
                out.push(self.transition(Phase::New, since, at));
            }
        }
    }

    /// How much of the time since the last known look nobody vouches for: from
    /// the first unknown look, from the end of what the last one stands for, and
    /// while the camera was off.
    fn unwatched(&self, t: Mono) -> Duration {
        let Some(known) = self.last_known else {
            return Duration::ZERO;
        };
        let until = self.unknown.as_ref().map_or(t, |(from, _)| *from);
        let counted = until.since(known).min(self.vouched());
        t.since(known).saturating_sub(counted).max(self.off)
    }

    /// An open alert meets a known look.
    fn go_on(&mut self, at: Moment, mut open: Open, for_it: bool, out: &mut Vec<Transition>) {
        let t = inner(at.mono);
        let count = self.value();
        if !for_it && self.smoothed <= CLEAR {
            let over = *open.over.get_or_insert(t);
            // One alert a visit: who comes back soon was never gone.
            if self.plan.rule.dedup.is_some() && t.since(over) < VISIT_GAP {
                self.stage = Stage::Fired(open);
                return;
            }
            out.push(self.transition(Phase::End, open.since, at));
            self.stage = Stage::Idle;
            return;
        }
        if for_it && self.smoothed >= RAISE {
            open.over = None;
        }
        let reminds = self.plan.reminds();
        let due = t.since(open.told) >= self.plan.update_every();
        if for_it && (open.stale || due && (reminds || count != open.count)) {
            (open.told, open.count, open.stale) = (t, count, false);
            self.tell(t);
            self.stage = Stage::Fired(open);
            out.push(self.transition(Phase::Update, open.since, at));
        } else {
            self.stage = Stage::Fired(open);
        }
    }

    /// An alert goes out: the cool-down counts from here.
    pub(super) fn tell(&mut self, t: Mono) {
        self.last_sent = Some(t);
        self.unsent = true;
    }

    pub(super) fn grow_stale(&mut self, now: Moment, out: &mut Vec<Transition>) {
        let limit = self.gap_limit();
        let t = inner(now.mono);
        let blind = self.last_known.is_none_or(|k| t.since(k) > limit);
        if let Stage::Fired(open) = &mut self.stage
            && blind
            && !open.stale
        {
            open.stale = true;
            let since = open.since;
            out.push(self.transition(Phase::Stale, since, now));
        }
    }

    /// The schedule closes: an open alert ends, a hold is forgotten.
    pub(super) fn close(&mut self, now: Moment, out: &mut Vec<Transition>) {
        if let Stage::Fired(open) = self.stage {
            let mut end = self.transition(Phase::End, open.since, now);
            end.says = format!(
                "the schedule closed while there was: {}",
                self.sentence_at_its_height()
            );
            out.push(end);
        }
        self.stage = Stage::Idle;
        self.smoothed = 0.0;
        self.belief = None;
        self.unknown = None;
        self.off = Duration::ZERO;
        self.last_known = None;
        self.following = None;
        self.cache.iter_mut().for_each(|c| *c = None);
        self.passages.iter_mut().for_each(|p| p.clear());
        self.pending.clear();
    }

    /// The leaf that an alert speaks of: the only one, or of "any" the one
    /// that is most believed.
    fn telling(&self) -> Option<&Leaf> {
        let leaves = &self.plan.leaves;
        if leaves.len() == 1 || self.plan.combine == Combine::All {
            return (leaves.len() == 1).then(|| &leaves[0]);
        }
        (leaves.iter().zip(&self.cache))
            .filter(|(l, _)| !l.is_event())
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

    pub(super) fn transition(&self, phase: Phase, since: Mono, at: Moment) -> Transition {
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
            Stage::Fired(open) => open.count,
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
