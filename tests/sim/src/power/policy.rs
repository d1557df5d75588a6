//! Who decides when to look: the governor, or what it is compared with.

use std::time::Duration;

use scene::Mono;
use scene::ports::Readings;

/// A rule as a policy sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task {
    /// How often it wants a look.
    pub every: Duration,
    /// The higher, the later it is slowed.
    pub priority: u8,
    /// Its questions.
    pub questions: usize,
    /// How often it needs one while it holds.
    pub need: Option<Duration>,
}

/// What keeps a policy from looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The peak would pass the allotment.
    Peak,
    /// The joules are not there yet.
    Energy,
    /// It is too hot.
    Heat,
    /// Nothing to do, or it just looked.
    Idle,
}

/// What a policy wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// Look for these rules at this point, by their numbers.
    Look {
        /// At least one.
        rules: Vec<usize>,
        /// Of the scenario's points.
        point: usize,
    },
    /// Ask again then.
    Hold {
        /// What is in the way.
        why: Why,
        /// When.
        until: Mono,
    },
}

/// A look that is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Done {
    /// How long it took.
    pub latency: Duration,
    /// Its questions.
    pub questions: usize,
    /// What it took by the board's constants, J.
    pub modelled: f64,
    /// It was given up: nothing was answered.
    pub given_up: bool,
}

/// What a policy keeps free, W.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Kept {
    /// Of the allotment, never used.
    pub margin: f64,
    /// More, for what may switch on while a look runs.
    pub reserve: f64,
}

/// Decides.
pub trait Policy {
    /// For tables.
    fn name(&self) -> &'static str;

    /// Whether it reads sensors; else it is never told.
    fn senses(&self) -> bool {
        true
    }

    /// New readings; true gives up the look under way.
    fn observe(&mut self, now: Mono, readings: &Readings) -> bool;

    /// Called while no look runs.
    fn decide(&mut self, now: Mono) -> Choice;

    /// The look is over. What it took as it is published, J, and whether that
    /// was measured; `None` if it does not tell.
    fn settle(&mut self, now: Mono, done: &Done) -> Option<(f64, bool)>;

    /// A rule wants another interval, and needs one: it holds, or holds no more.
    fn set_every(&mut self, rule: usize, every: Duration, need: Option<Duration>);

    /// What it learned is kept for the next start.
    fn persist(&mut self) {}

    /// The power was cut; only what was kept is known.
    fn restart(&mut self);

    /// What it believes a look at `point` adds, W.
    fn step(&self, point: usize) -> f64;

    /// What it says it keeps free of the allotment now.
    fn kept(&self) -> Kept;

    /// Whether heat holds inference back now.
    fn hot(&self) -> bool;

    /// The longest that it means to leave a rule blind, s.
    fn floor(&self, rule: usize) -> f64;
}

/// Never looks.
#[derive(Debug)]
pub struct Never;

impl Policy for Never {
    fn name(&self) -> &'static str {
        "none"
    }
    fn senses(&self) -> bool {
        false
    }
    fn observe(&mut self, _: Mono, _: &Readings) -> bool {
        false
    }
    fn decide(&mut self, now: Mono) -> Choice {
        Choice::Hold {
            why: Why::Idle,
            until: now + Duration::from_secs(600),
        }
    }
    fn settle(&mut self, _: Mono, _: &Done) -> Option<(f64, bool)> {
        None
    }
    fn set_every(&mut self, _: usize, _: Duration, _: Option<Duration>) {}
    fn restart(&mut self) {}
    fn step(&self, _: usize) -> f64 {
        0.0
    }
    fn kept(&self) -> Kept {
        Kept::default()
    }
    fn hot(&self) -> bool {
        false
    }
    fn floor(&self, _: usize) -> f64 {
        f64::INFINITY
    }
}
