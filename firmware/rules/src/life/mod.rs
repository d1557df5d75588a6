//! The temporal life of a rule: `Idle -> Holding -> Fired -> Cooling`, exact
//! and pure. Time is an argument; nothing here reads a clock.
//!
//! The exact rules (unknown gaps, restarts, steps of the clock and closing
//! schedules in each state) are in `docs/decisions/0012-temporal-life.md`; each
//! has a timeline under `tests/timelines/`. In short:
//!
//! - Durations are monotonic, schedules are wall time.
//! - Unknown pauses a hold up to [`Life::gap_limit`] and restarts it after;
//!   it makes an open alert stale after the same time, and never raises or ends one.
//! - The cool-down counts from the last `new` or `update`.
//! - A closing schedule forgets a hold and ends an open alert.

mod belief;
mod events;
mod snapshot;
mod stage;
mod why;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use scene::{Detection, Moment, Mono, Phase, Question, Track, TrackEvent, Value};

use crate::arm::{Armed, CONFIRM_INTERVAL, FLOOR_INTERVAL, Leaf, Plan};
use crate::{Dedup, Rule};
use belief::Belief;
use events::Visitor;
pub use snapshot::Snapshot;
use stage::{Open, Stage};

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
/// The least time for which a known look vouches when no other one comes.
pub const MIN_VOUCHED: Duration = Duration::from_secs(5);
/// How long a visitor is out before coming back is another visit.
pub const VISIT_GAP: Duration = Duration::from_secs(30);
/// How long things must be followed before it is known that none of them
/// qualifies any more for an open alert.
pub const TRACK_SETTLE: Duration = Duration::from_secs(10);
/// The least time from one update of an alert to the next.
pub const UPDATE_EVERY: Duration = Duration::from_secs(10);
/// How long an event waits for the answer that tells whether it is the right
/// thing.
pub const GATE_WAIT: Duration = Duration::from_secs(5);

/// Inside, times are this much later than outside, so that what happened
/// before a reboot (and so before the new clock's zero) has a time too.
/// A century: a snapshot may come from a camera whose clock had not been set.
const SHIFT: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
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

/// Things are followed without a gap over the limit.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Following {
    since: Mono,
    last: Mono,
}

/// The life of one armed rule. Its memory is bounded: each queue below names
/// its bound and what goes when it is full.
#[derive(Clone, Debug)]
pub struct Life {
    plan: Arc<Plan>,
    /// From look to look; longer than the plan's where the camera is short of
    /// watts.
    interval: Duration,
    stage: Stage,
    /// Smoothed belief, 0..1.
    smoothed: f32,
    last_look: Option<Mono>,
    last_known: Option<Mono>,
    /// Since when nothing is known, and why.
    unknown: Option<(Mono, String)>,
    /// For how long the camera was off since the last known look.
    off: Duration,
    last_sent: Option<Mono>,
    /// A `new` or `update` that nobody has confirmed as sent.
    unsent: bool,
    belief: Option<Belief>,
    /// Each leaf's last belief from an answer, for looks at which it was not asked.
    cache: Vec<Option<(Mono, Belief)>>,
    /// Since when tracks are told.
    following: Option<Following>,
    /// Since when the same tracker has told them; it does not survive a restart.
    tracks_from: Option<Mono>,
    /// Each leaf's events within its window, in order; [`MAX_PASSAGES`], the
    /// oldest go first.
    passages: Vec<VecDeque<Mono>>,
    /// Events that wait for an answer; [`MAX_PENDING`], the oldest go first.
    pending: VecDeque<(usize, TrackEvent)>,
    /// Visits that were told; [`MAX_VISITORS`], the oldest go first.
    visitors: VecDeque<Visitor>,
    /// An event that could not be told, and why.
    missed: Option<(Mono, String)>,
    suppressed: u64,
    dropped: u64,
    /// Whether the schedule is open; `None` before the first look or tick, or
    /// without a clock.
    open: Option<bool>,
    /// The latest moment at which the schedule was looked up.
    latest: Option<Mono>,
    /// The latest reading of both clocks.
    clock: Option<Moment>,
    /// The schedule closed while the camera was off.
    closed_while_off: bool,
}

/// What an operator should know of how the rule lives that its sentence does
/// not say.
pub(crate) fn notes(rule: &Rule, leaves: &[Leaf]) -> Vec<String> {
    let lasts = leaves.iter().any(|l| !l.is_event()) && !stage::needs_event(rule, leaves);
    let mut notes = Vec::new();
    if rule.schedule.is_some() && lasts {
        notes.push("an alert that is open when the schedule closes ends then".into());
    }
    if stage::reminds(rule) && lasts {
        let every = rule.cooldown().as_duration().max(UPDATE_EVERY).as_secs();
        let every = crate::Seconds::new(every);
        notes.push(format!("while it lasts, it is told again every {every}"));
    }
    if rule.dedup == Some(Dedup::PerEpisode) {
        let out = VISIT_GAP.as_secs();
        notes.push(format!("a visit is over after {out} s away"));
    }
    notes
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
            interval: plan.interval,
            plan,
            stage: Stage::Idle,
            smoothed: 0.0,
            last_look: None,
            last_known: None,
            unknown: None,
            off: Duration::ZERO,
            last_sent: None,
            unsent: false,
            belief: None,
            cache: vec![None; n],
            following: None,
            tracks_from: None,
            passages: vec![VecDeque::new(); n],
            pending: VecDeque::new(),
            visitors: VecDeque::new(),
            missed: None,
            suppressed: 0,
            dropped: 0,
            open: None,
            latest: None,
            clock: None,
            closed_while_off: false,
        }
    }

    /// Goes on as the life of `armed`, the same rule armed anew while the camera
    /// runs (a zone was drawn). Nothing is forgotten but what was last seen of
    /// each part, since it may be looked for elsewhere now; a rule of other
    /// parts begins its life.
    pub fn rearmed(mut self, armed: &Armed) -> Life {
        let plan = armed.0.clone();
        if plan.rule != self.plan.rule || plan.leaves.len() != self.plan.leaves.len() {
            return Life::new(plan);
        }
        self.interval = if self.interval > self.plan.interval {
            self.interval.max(plan.interval)
        } else {
            plan.interval
        };
        self.cache.iter_mut().for_each(|c| *c = None);
        self.plan = plan;
        self
    }

    /// The longest time without a known look that a hold survives, and after
    /// which an open alert is stale.
    pub fn gap_limit(&self) -> Duration {
        self.interval.saturating_mul(3).max(MIN_GAP_LIMIT)
    }

    /// How long a known look stands for what was not looked at.
    fn vouched(&self) -> Duration {
        self.interval.saturating_mul(3).max(MIN_VOUCHED)
    }

    /// Tells the interval that the rule really gets. Without being told of a
    /// longer one it takes looks that come so rarely for gaps, and a hold never
    /// fills. Shorter than the rule's own counts as its own.
    pub fn slowed_to(&mut self, interval: Duration) {
        self.interval = interval.max(self.plan.interval);
    }

    /// Takes in what was seen in the frame captured at `at`. Looks that are
    /// not later than the last one are ignored, with their events.
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
        self.follow(t, seen);
        let raised = self.take_in(t, seen);
        if let Some(look) = self.judge(at, seen) {
            self.step(at, look, &mut out);
        }
        for (leaf, event, p) in raised {
            self.happen(at, leaf, &event, p, &mut out);
        }
        out
    }

    /// Lets time pass without a look: schedules close, open alerts go stale.
    /// Time does not go back: a tick from before the last one is ignored.
    pub fn tick(&mut self, now: Moment) -> Vec<Transition> {
        if self.is_past(now) {
            return Vec::new();
        }
        let mut out = self.keep_hours(now);
        if self.open != Some(false) {
            self.grow_stale(now, &mut out);
        }
        out
    }

    /// Confirms that the last `new` or `update` went out at `at`; the cool-down
    /// counts from there. It counts from the transition until then, and calls
    /// for other phases change nothing.
    pub fn sent(&mut self, at: Mono) {
        if std::mem::take(&mut self.unsent) {
            self.last_sent = self.last_sent.max(Some(inner(at)));
        }
    }

    /// How long to wait for the next look, as things stand.
    pub fn wanted_interval(&self) -> Duration {
        let base = self.plan.interval;
        let p = self.belief.as_ref().map_or(0.0, |b| b.p);
        // Full, and kept back by the cool-down: nothing to find out before.
        if let Some(left) = self.last_look.and_then(|t| self.kept_back(t)) {
            return base.min(left.max(FLOOR_INTERVAL));
        }
        match self.stage {
            Stage::Idle => base,
            Stage::Holding { .. } if self.smoothed < RAISE || p < 0.5 => base.min(CONFIRM_INTERVAL),
            Stage::Holding { .. } => {
                // More than three looks a hold, so that the last one is not late.
                let share = self.plan.rule.hold().as_duration() / 6;
                base.min(share.max(FLOOR_INTERVAL))
            }
            Stage::Fired(_) if p < 0.5 => base.min(CONFIRM_INTERVAL),
            Stage::Fired(_) => base,
        }
    }

    /// The longest interval that serves it as things stand: three looks a hold
    /// while it holds; `None` if any will do.
    pub fn needed_interval(&self) -> Option<Duration> {
        let hold = self.plan.rule.hold().as_duration();
        let holds = matches!(self.stage, Stage::Holding { .. });
        (holds && !hold.is_zero()).then(|| (hold / 3).max(FLOOR_INTERVAL))
    }

    /// The last count; `None` for rules that count nothing.
    pub fn value(&self) -> Option<u64> {
        self.belief.as_ref().and_then(|b| b.count)
    }

    /// Whether an alert is open.
    pub fn active(&self) -> bool {
        matches!(self.stage, Stage::Fired(_))
    }

    /// Alerts that the cool-down kept back since the start.
    pub fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// Events that were dropped because too many waited for an answer at once.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Where it is in its life.
    pub fn state(&self, now: Moment) -> State {
        if self.opened(now) != Some(true) {
            return State::Waiting;
        }
        match self.stage {
            Stage::Fired(Open { stale: true, .. }) => State::Stale,
            Stage::Fired(_) => State::Fired,
            Stage::Holding { .. } if self.kept_back(inner(now.mono)).is_some() => State::Cooling,
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
        if let (Some(hours), Some(wall)) = (&self.plan.hours, self.wall(now))
            && let Some(change) = hours.next_change(wall)
        {
            let wait = Duration::try_from(change.duration_since(wall)).unwrap_or_default();
            wakes.push(t + wait);
        }
        match self.stage {
            Stage::Holding { since, paused } => {
                wakes.push(since + paused + self.plan.rule.hold().as_duration());
            }
            Stage::Fired(Open { stale: false, .. }) => {
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

    /// What is left of the cool-down, if a full hold waits for it alone.
    fn kept_back(&self, t: Mono) -> Option<Duration> {
        let hold = self.plan.rule.hold().as_duration();
        let full = match self.stage {
            Stage::Holding { since, paused } => t.since(since + paused) >= hold,
            _ => false,
        };
        self.cooling(t).filter(|_| full && self.smoothed >= RAISE)
    }

    /// The wall time; a clock that was lost is reckoned on.
    fn wall(&self, now: Moment) -> Option<jiff::Timestamp> {
        now.wall.or_else(|| self.clock?.wall_at(now.mono))
    }

    /// Whether the schedule is open; `None` if no clock can tell.
    fn opened(&self, now: Moment) -> Option<bool> {
        match &self.plan.hours {
            None => Some(true),
            Some(hours) => self.wall(now).map(|wall| hours.open(wall)),
        }
    }

    fn is_past(&self, now: Moment) -> bool {
        self.latest.is_some_and(|latest| now.mono < latest)
    }

    fn keep_hours(&mut self, now: Moment) -> Vec<Transition> {
        let mut out = Vec::new();
        // A frame may come later than a tick. It counts by its own time, so
        // that what it saw just before a schedule closed is still told.
        if !self.is_past(now) {
            self.latest = Some(now.mono);
            if now.wall.is_some() {
                self.clock = Some(now);
            }
        }
        let open = self.opened(now);
        if std::mem::take(&mut self.closed_while_off) || (open == Some(false) && self.open != open)
        {
            self.close(now, &mut out);
        }
        self.open = open;
        out
    }
}
