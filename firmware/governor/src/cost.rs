//! What a look costs: told before, learned while running.

use std::time::Duration;

use scene::{Joules, Quantity, Source, Watts};
use serde::Serialize;

use crate::Config;

/// What a rule costs, as its echo says it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Seconds from check to check.
    pub check_every_seconds: f64,
    /// Energy of one check if it had the look to itself; rules that are due
    /// together share a look and cost less.
    pub joules_per_check: f64,
    /// The one by the other.
    pub watts: f64,
    /// Measured once a look has been measured.
    pub source: Source,
}

/// Looks after which a new one counts as one in so many.
const MEMORY: f64 = 20.0;
/// Looks after which outliers are cut.
const SETTLED: u32 = 5;
/// A look that costs this many times more or less than expected is an outlier;
/// it counts as this much.
const OUTLIER: f64 = 4.0;

/// Time constant with which a learned step that lets no look start grows old,
/// seconds.
const AGE: f64 = 600.0;

/// Learns by how much looks cost more or less than told, which keeps the shape
/// (fixed part and part per question) and needs one number.
#[derive(Clone, Debug)]
pub(crate) struct Costs {
    look: f64,
    question: f64,
    scale: f64,
    settled: u32,
    source: Source,
    told_step: f64,
    step: f64,
    step_learned: bool,
    latency: f64,
}

impl Costs {
    pub fn new(config: &Config) -> Self {
        Self {
            look: config.look.0.max(1e-6),
            question: config.question.0.max(0.0),
            scale: 1.0,
            settled: 0,
            source: Source::Modelled,
            told_step: config.step.0.max(0.0),
            step: config.step.0.max(0.0),
            step_learned: false,
            latency: 0.0,
        }
    }

    /// Energy of a look with so many questions.
    pub fn joules(&self, questions: usize) -> f64 {
        self.scale * (self.look + self.question * questions as f64)
    }

    /// The part of it that does not depend on the questions.
    pub fn fixed(&self) -> f64 {
        self.scale * self.look
    }

    /// The part of each question.
    pub fn each(&self) -> f64 {
        self.scale * self.question
    }

    /// What a look adds to the board's draw while it runs.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// How long a look takes, seconds; 0 until one was settled.
    pub fn latency(&self) -> f64 {
        self.latency
    }

    pub fn learned(&self) -> bool {
        self.settled > 0
    }

    pub fn source(&self) -> Source {
        self.source
    }

    /// A look with `questions` took this. Numbers that make no sense teach
    /// nothing.
    pub fn learn(&mut self, joules: Quantity<Joules>, latency: Duration, questions: usize) {
        let took = joules.value.0;
        if !took.is_finite() || took < 0.0 {
            return;
        }
        self.source = joules.source;
        let told = self.look + self.question * questions as f64;
        let mut ratio = (took / told).clamp(0.001, 1000.0);
        if self.settled >= SETTLED {
            ratio = ratio.clamp(self.scale / OUTLIER, self.scale * OUTLIER);
        }
        self.settled = self.settled.saturating_add(1);
        let gain = 1.0 / f64::from(self.settled).min(MEMORY);
        self.scale += gain * (ratio - self.scale);
        let seconds = latency.as_secs_f64();
        self.latency += gain * (seconds - self.latency);
        // Too short a look says nothing about watts.
        if seconds >= 0.01 {
            let watts = (took / seconds).min(OUTLIER * self.step.max(self.told_step));
            // Up at once, down slowly: the guard is for the worst look. The
            // told value goes with the first measurement.
            self.step = if !self.step_learned || watts > self.step {
                watts
            } else {
                self.step + (watts - self.step) / MEMORY
            };
            self.step_learned = true;
        }
    }

    /// For `dt` seconds no look could start because of the learned step. One
    /// false measurement must not stop looks for good, and nothing is learned
    /// without looks, so it slowly goes back to what was told.
    pub fn age(&mut self, dt: f64) {
        if self.step > self.told_step {
            self.step += (self.told_step - self.step) * (1.0 - (-dt / AGE).exp());
        }
    }

    /// What a rule with `questions` costs, looked at every `every`.
    pub fn cost(&self, every: Duration, questions: usize) -> Cost {
        let seconds = every.as_secs_f64();
        let joules = self.joules(questions);
        Cost {
            check_every_seconds: seconds,
            joules_per_check: joules,
            watts: joules / seconds.max(1e-3),
            source: self.source,
        }
    }

    /// Watts that a look adds, in the unit.
    pub fn step_watts(&self) -> Watts {
        Watts(self.step)
    }
}
