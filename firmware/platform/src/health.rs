//! Whether a sensor can be believed. Pure: time is an argument.
//!
//! A sensor that fails seldom says so. It goes on saying the last thing (a
//! driver that caches, a bus that hangs, a zone that firmware fakes), it says
//! what can't be (all bits set, a shunt of another board), or it is gone.
//! Most dangerous is the first, since a constant reads like a calm board; so
//! what a sensor says is held against what the board's model says *moved*. By
//! how much the model is right is of no account: only whether anything should
//! have changed at all.

use std::fmt;
use std::time::Duration;

use scene::Mono;

/// What a sensor measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The draw of a board, watts.
    Power,
    /// The temperature of a die, degrees Celsius.
    Temperature,
}

/// What is taken for a kind's physical range and for a clear movement.
struct Limits {
    /// Lowest and highest that can be, in the kind's unit.
    range: (f64, f64),
    /// By how much the model has to move, W or K.
    moved: f64,
    /// How long the sensor then has to follow.
    patience: Duration,
    /// The model's fast movements are averaged over this: what a sensor that
    /// samples now and then need not have seen is no evidence.
    average: Duration,
    /// Without any movement of the model, unchanged for this long is stuck: a
    /// fine sensor, and a coarse one.
    longest: Option<(Duration, Duration)>,
    /// A sensor with steps of this and more is coarse, W or K.
    coarse: f64,
    /// Steps are no larger than this, W or K; of one that never moved they are
    /// taken to be.
    largest: f64,
}

const POWER: Limits = Limits {
    // A computer that runs draws something; a Pi Zero idles at 0.4 W. No
    // camera, and no development host with a camera's work, draws 2 kW.
    range: (0.05, 2_000.0),
    moved: 0.5,
    patience: Duration::from_secs(10),
    average: Duration::from_secs(5),
    // A quiet board behind a coarse converter may say the same for hours.
    longest: None,
    coarse: f64::INFINITY,
    // What looks like a step is the load's.
    largest: 0.0,
};

const TEMPERATURE: Limits = Limits {
    // What on-die sensors are specified for (-55 to 150 at the widest). What
    // fails lies outside: -273, 0x7FFF as 255 or 32767, all bits as 65535.
    range: (-55.0, 150.0),
    moved: 2.0,
    patience: Duration::from_secs(120),
    average: Duration::from_secs(30),
    // A converter of fine steps shows its own noise. One of coarse steps may
    // stay within one of them while the load is steady: at the turn of a day
    // of 2 K, four hours within 0.125 K and half a day within 0.9 K.
    longest: Some((Duration::from_secs(1_800), Duration::from_secs(24 * 3_600))),
    coarse: 0.1,
    largest: 1.0,
};

/// The model has to move by this many of the sensor's own steps, since it may
/// be wrong by a factor of two or three and the sensor still be well.
const STEPS: f64 = 3.0;

/// A new value may be late for what the model had seen; once unchanged for
/// this many times [`Limits::average`] it goes with what the model says now.
const SETTLED: u32 = 3;

impl Kind {
    fn limits(self) -> &'static Limits {
        match self {
            Kind::Power => &POWER,
            Kind::Temperature => &TEMPERATURE,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Power => "power",
            Kind::Temperature => "temperature",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Kind::Power => "W",
            Kind::Temperature => "°C",
        }
    }
}

/// Why a sensor is not believed. Shown as a sentence, without the sensor's
/// name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// It can't be read.
    Vanished(Kind),
    /// It says what can't be.
    Absurd {
        /// What it measures.
        kind: Kind,
        /// What it said, W or °C; may be no number.
        value: f64,
    },
    /// It has not moved although it must have.
    Stuck {
        /// What it measures.
        kind: Kind,
        /// What it keeps saying, W or °C.
        value: f64,
        /// For how long.
        unchanged: Duration,
    },
    /// What it said last is too old. [`Judge`] never says so: it is told what
    /// was read now.
    Stale {
        /// What it measures.
        kind: Kind,
        /// How old.
        age: Duration,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Fault::Vanished(kind) => write!(f, "the {} sensor can't be read", kind.name()),
            Fault::Absurd { kind, value } => {
                let (low, high) = kind.limits().range;
                let (name, unit) = (kind.name(), kind.unit());
                write!(
                    f,
                    "the {name} sensor says {value:.1} {unit}, which can't be ({low} to {high})"
                )
            }
            Fault::Stuck {
                kind,
                value,
                unchanged,
            } => write!(
                f,
                "the {} sensor is stuck: it has said {value:.2} {} for {} s",
                kind.name(),
                kind.unit(),
                unchanged.as_secs()
            ),
            Fault::Stale { kind, age } => write!(
                f,
                "the {} sensor last said something {} s ago",
                kind.name(),
                age.as_secs()
            ),
        }
    }
}

/// Judges one sensor, reading by reading.
#[derive(Clone, Debug)]
pub struct Judge {
    kind: Kind,
    /// When it was judged last; `None` if it could not be read then. Time in
    /// which nobody looked is no time without change.
    last: Option<Mono>,
    /// What the model says, averaged.
    expected: Option<f64>,
    held: Option<Held>,
    /// The smallest difference between two values that followed each other: no
    /// less than the sensor's step. `None` until it moved.
    step: Option<f64>,
}

/// A value that has not changed.
#[derive(Clone, Copy, Debug)]
struct Held {
    value: f64,
    /// Watched unchanged for so long.
    unchanged: Duration,
    /// The model's lowest and highest meanwhile, averaged.
    low: f64,
    high: f64,
    /// How much of that is no evidence: a late sensor may have changed for
    /// anything between the model's average and its last word.
    slack: f64,
    settled: bool,
    /// Watched unchanged for so long when the model had moved clearly.
    moved_after: Option<Duration>,
}

impl Judge {
    /// For a sensor of which nothing is known yet.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            last: None,
            expected: None,
            held: None,
            step: None,
        }
    }

    /// What the sensor said at `now`, if it can be believed.
    ///
    /// `raw` in W or °C, `None` if it could not be read. `expected` is what
    /// the board's model says it should be about now: W from load; or, for a
    /// temperature, the rise of the die over the case from recent watts, K.
    /// Only its movements count. One that is no number counts as unmoved.
    ///
    /// Stuck is: unchanged to the last bit for 10 s (power) or 2 min
    /// (temperature) after `expected`, averaged over 5 s or 30 s, has moved by
    /// more than 0.5 W or 2 K since the value was first seen, temperatures by
    /// three of the sensor's own steps (3 K at most); or a temperature unchanged
    /// for 30 min (24 h if its steps are of 0.1 K or more or not known yet). It
    /// recovers with the first change, and one that vanished or was absurd with
    /// the first reading that can be.
    pub fn judge(&mut self, now: Mono, raw: Option<f64>, expected: f64) -> Result<f64, Fault> {
        let kind = self.kind;
        let limits = kind.limits();
        let dt = self.last.map_or(Duration::ZERO, |last| now.since(last));
        let average = self.average(dt, expected);
        let Some(value) = raw else {
            self.last = None;
            return Err(Fault::Vanished(kind));
        };
        self.last = Some(now);
        let (low, high) = limits.range;
        // Written so that NaN is outside.
        if !(low..=high).contains(&value) {
            self.held = None;
            return Err(Fault::Absurd { kind, value });
        }
        if let Some(held) = &self.held {
            let step = (value - held.value).abs();
            if step > 0.0 {
                self.step = Some(self.step.map_or(step, |least| least.min(step)));
            }
        }
        let step = self.step.unwrap_or(limits.largest).min(limits.largest);
        let moved = limits.moved.max(STEPS * step);
        let held = match &mut self.held {
            // To the last bit: noise is a sign of life, however small.
            Some(held) if held.value.to_bits() == value.to_bits() => held,
            held => {
                let last = if expected.is_finite() {
                    expected
                } else {
                    average
                };
                let (low, high) = (average.min(last), average.max(last));
                *held = Some(Held {
                    value,
                    unchanged: Duration::ZERO,
                    low,
                    high,
                    slack: high - low,
                    settled: false,
                    moved_after: None,
                });
                return Ok(value);
            }
        };
        held.unchanged += dt;
        held.low = held.low.min(average);
        held.high = held.high.max(average);
        if held.moved_after.is_none() {
            if held.high - held.low - held.slack > moved {
                held.moved_after = Some(held.unchanged);
            } else if !held.settled && held.unchanged >= limits.average * SETTLED {
                (held.low, held.high, held.slack) = (average, average, 0.0);
                held.settled = true;
            }
        }
        let followed_not = held
            .moved_after
            .is_some_and(|then| held.unchanged.saturating_sub(then) >= limits.patience);
        let too_long = limits.longest.is_some_and(|(fine, coarse)| {
            held.unchanged >= if step < limits.coarse { fine } else { coarse }
        });
        if followed_not || too_long {
            return Err(Fault::Stuck {
                kind,
                value,
                unchanged: held.unchanged,
            });
        }
        Ok(value)
    }

    /// `expected` through a first-order low-pass; 0 until it said something.
    fn average(&mut self, dt: Duration, expected: f64) -> f64 {
        if expected.is_finite() {
            let tau = self.kind.limits().average.as_secs_f64();
            let share = 1.0 - (-dt.as_secs_f64() / tau).exp();
            let before = self.expected.unwrap_or(expected);
            self.expected = Some(before + (expected - before) * share);
        }
        self.expected.unwrap_or(0.0)
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
