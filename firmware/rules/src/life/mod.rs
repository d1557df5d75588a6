//! The temporal life of a rule: `Idle -> Holding -> Fired -> Cooling`, exact
//! and pure. Time is an argument; nothing here reads a clock.

mod belief;
mod snapshot;
mod stage;
mod why;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use scene::{Detection, Moment, Mono, Phase, Question, Track, TrackEvent, TrackId, Value};

use crate::arm::{CONFIRM_INTERVAL, FLOOR_INTERVAL, Plan};
use belief::Belief;
pub use snapshot::Snapshot;
use stage::Stage;

/// The smoothed belief at which a condition counts as holding.
pub const RAISE: f32 = 0.6;
/// The smoothed belief at which it counts as over.
pub const CLEAR: f32 = 0.4;
/// The most that one look moves the smoothed belief. Below 0.6, so that one
/// contrary frame neither raises nor clears.
pub const MAX_WEIGHT: f32 = 0.45;
/// Time constant of the smoothing where looks come fast.
pub const SMOOTHING: Duration = Duration::from_secs(1);
/// The shortest gap that restarts a hold.
pub const MIN_GAP_LIMIT: Duration = Duration::from_secs(30);
/// The least time from one update of an alert to the next.
pub const UPDATE_EVERY: Duration = Duration::from_secs(10);
/// How long an event waits for the answer that tells whether it is the right
/// thing.
pub const GATE_WAIT: Duration = Duration::from_secs(5);

/// Inside, times are this much later than outside, so that what happened
/// before a reboot (and so before the new clock's zero) has a time too.
const SHIFT: Duration = Duration::from_secs(400 * 24 * 3600);
/// Events remembered for a window; the oldest go first. Enough for any
/// threshold that the grammar takes.
const MAX_PASSAGES: usize = 10_000;
/// Events that wait for an answer; the oldest go first.
const MAX_PENDING: usize = 16;
/// Tracks remembered for "once per visit"; the oldest go first.
const MAX_VISITORS: usize = 64;

/// What one look showed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    /// Answers to the questions that were asked; one that was not asked is left out.
    pub answers: &'a [(&'a Question, &'a Value)],
    /// What the detector saw; `None` if it did not run.
    pub detections: Option<&'a [Detection]>,
    /// All live tracks; `None` without a tracker.
    pub tracks: Option<&'a [Track]>,
    /// What tracks did since the last look.
    pub events: &'a [TrackEvent],
}

/// A step in an alert's life.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The step.
    pub phase: Phase,
    /// When the condition began to hold.
    pub since: Moment,
    /// The moment of the step.
    pub at: Moment,
    /// The answer in a word: "yes", "12", "unknown".
    pub answer: String,
    /// Probability that the condition holds, 0..1.
    pub confidence: f32,
    /// One plain sentence for a person.
    pub says: String,
}

/// Where a rule is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its schedule is closed, or there is no clock to tell.
    Waiting,
    /// The condition does not hold.
    Idle,
    /// It holds, not yet for long enough.
    Holding,
    /// An alert is open.
    Fired,
    /// An alert is open and can't be checked.
    Stale,
    /// The last alert is too recent for another one.
    Cooling,
}

/// The life of one armed rule.
#[derive(Clone, Debug)]
pub struct Life {
    plan: Arc<Plan>,
    stage: Stage,
    /// Smoothed belief, 0..1.
    smoothed: f32,
    /// The first look ever (shifted).
    started: Option<Mono>,
    last_look: Option<Mono>,
    last_known: Option<Mono>,
    unknown: Option<(Mono, String)>,
    last_sent: Option<Mono>,
    belief: Option<Belief>,
    /// Each leaf's last belief from an answer, for looks at which it was not asked.
    cache: Vec<Option<(Mono, Belief)>>,
    /// Each leaf's events within its window.
    passages: Vec<VecDeque<Mono>>,
    pending: VecDeque<(usize, TrackEvent)>,
    visitors: VecDeque<(usize, TrackId)>,
    suppressed: u64,
    /// Whether the schedule is open; `None` before the first look or tick.
    open: Option<bool>,
}

fn inner(t: Mono) -> Mono {
    t + SHIFT
}

fn outer(t: Mono) -> Mono {
    t - SHIFT
}

/// The outside moment of an inside time, reckoned from `now`.
fn moment(t: Mono, now: Moment) -> Moment {
    let here = Moment {
        mono: inner(now.mono),
        wall: now.wall,
    };
    Moment {
        mono: outer(t),
        wall: here.wall_at(t),
    }
}

impl Life {
    pub(crate) fn new(plan: Arc<Plan>) -> Self {
        let n = plan.leaves.len();
        Self {
            plan,
            stage: Stage::Idle,
            smoothed: 0.0,
            started: None,
            last_look: None,
            last_known: None,
            unknown: None,
            last_sent: None,
            belief: None,
            cache: vec![None; n],
            passages: vec![VecDeque::new(); n],
            pending: VecDeque::new(),
            visitors: VecDeque::new(),
            suppressed: 0,
            open: None,
        }
    }

    /// The longest time without a known look that a hold survives, and after
    /// which an open alert is stale.
    pub fn gap_limit(&self) -> Duration {
        (self.plan.interval * 3).max(MIN_GAP_LIMIT)
    }

    /// Takes in what was seen in the frame captured at `at`. Looks that are
    /// not later than the last one are ignored.
    pub fn observe(&mut self, at: Moment, seen: &Seen<'_>) -> Vec<Transition> {
        let t = inner(at.mono);
        if self.last_look.is_some_and(|last| t <= last) {
            return Vec::new();
        }
        let mut out = self.keep_hours(at);
        self.last_look = Some(t);
        if self.open != Some(true) {
            return out;
        }
        self.started.get_or_insert(t);
        self.pulses(at, seen, &mut out);
        if let Some(look) = self.judge(at, seen) {
            self.step(at, look, &mut out);
        }
        out
    }

    /// Lets time pass without a look: schedules close, open alerts go stale.
    pub fn tick(&mut self, now: Moment) -> Vec<Transition> {
        let mut out = self.keep_hours(now);
        if self.open == Some(true) {
            self.grow_stale(now, &mut out);
        }
        out
    }

    /// Tells when the last alert really went out; the cool-down counts from there.
    pub fn sent(&mut self, at: Mono) {
        self.last_sent = Some(inner(at));
    }

    /// How long to wait for the next look, as things stand.
    pub fn wanted_interval(&self) -> Duration {
        let base = self.plan.interval;
        let p = self.belief.as_ref().map_or(0.0, |b| b.p);
        match self.stage {
            Stage::Idle => base,
            Stage::Holding { .. } if self.smoothed < RAISE || p < 0.5 => base.min(CONFIRM_INTERVAL),
            Stage::Holding { .. } => {
                // More than three looks a hold, so that the last one is not late.
                let share = self.plan.rule.hold().as_duration() / 6;
                base.min(share.max(FLOOR_INTERVAL)).min(base)
            }
            Stage::Fired { .. } if p < 0.5 => base.min(CONFIRM_INTERVAL),
            Stage::Fired { .. } => base,
        }
    }

    /// The last count; `None` for rules that count nothing.
    pub fn value(&self) -> Option<u64> {
        self.belief.as_ref().and_then(|b| b.count)
    }

    /// Whether an alert is open.
    pub fn active(&self) -> bool {
        matches!(self.stage, Stage::Fired { .. })
    }

    /// Alerts that the cool-down kept back since the start.
    pub fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// Where it is in its life.
    pub fn state(&self, now: Moment) -> State {
        if self.opened(now) != Some(true) {
            return State::Waiting;
        }
        match self.stage {
            Stage::Fired { stale: true, .. } => State::Stale,
            Stage::Fired { .. } => State::Fired,
            Stage::Holding { .. } => State::Holding,
            Stage::Idle if self.cooling(inner(now.mono)).is_some() => State::Cooling,
            Stage::Idle => State::Idle,
        }
    }

    /// When something happens of itself next: a hold is full, a cool-down or a
    /// schedule ends, an alert goes stale.
    pub fn next_wake(&self, now: Moment) -> Option<Mono> {
        let t = inner(now.mono);
        let mut wakes = Vec::new();
        if let (Some(hours), Some(wall)) = (&self.plan.hours, now.wall)
            && let Some(change) = hours.next_change(wall)
        {
            let wait = Duration::try_from(change.duration_since(wall)).unwrap_or_default();
            wakes.push(t + wait);
        }
        match self.stage {
            Stage::Holding { since, paused } => {
                wakes.push(since + paused + self.plan.rule.hold().as_duration());
            }
            Stage::Fired { stale: false, .. } => {
                wakes.extend(self.last_known.map(|k| k + self.gap_limit()));
            }
            _ => {}
        }
        wakes.extend(self.cooling(t).map(|left| t + left));
        wakes.into_iter().filter(|w| *w > t).min().map(outer)
    }

    /// What is left of the cool-down.
    fn cooling(&self, t: Mono) -> Option<Duration> {
        let ends = self.last_sent? + self.plan.rule.cooldown().as_duration();
        (ends > t).then(|| ends.since(t))
    }

    /// Whether the schedule is open; `None` if no clock can tell.
    fn opened(&self, now: Moment) -> Option<bool> {
        match &self.plan.hours {
            None => Some(true),
            Some(hours) => now.wall.map(|wall| hours.open(wall)),
        }
    }

    fn keep_hours(&mut self, now: Moment) -> Vec<Transition> {
        let mut out = Vec::new();
        // A camera that lost its clock keeps the state that it was in.
        let open = self.opened(now).or(self.open);
        if open == Some(false) && self.open != Some(false) {
            self.close(now, &mut out);
        }
        self.open = open;
        out
    }
}
