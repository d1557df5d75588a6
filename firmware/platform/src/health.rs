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
    /// fine sensor, and one that tells whole or half degrees.
    longest: Option<(Duration, Duration)>,
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
};

const TEMPERATURE: Limits = Limits {
    // What on-die sensors are specified for (-55 to 150 at the widest). What
    // fails lies outside: -273, 0x7FFF as 255 or 32767, all bits as 65535.
    range: (-55.0, 150.0),
    moved: 2.0,
    patience: Duration::from_secs(120),
    average: Duration::from_secs(30),
    // Air moves. A die under a steady load may follow a night's air within
    // one degree for four hours (8 K a day and night).
    longest: Some((Duration::from_secs(1_800), Duration::from_secs(6 * 3_600))),
};

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
    /// more than 0.5 W or 2 K since the value was first seen; or a temperature
    /// unchanged for 30 min (6 h if it is whole or half degrees, since those
    /// of a healthy sensor may stay for a night). It recovers with the first change, and one that
    /// vanished or was absurd with the first reading that can be.
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
            if held.high - held.low - held.slack > limits.moved {
                held.moved_after = Some(held.unchanged);
            } else if !held.settled && held.unchanged >= limits.average * SETTLED {
                (held.low, held.high, held.slack) = (average, average, 0.0);
                held.settled = true;
            }
        }
        let followed_not = held
            .moved_after
            .is_some_and(|then| held.unchanged.saturating_sub(then) >= limits.patience);
        let coarse = (value * 2.0).fract() == 0.0;
        let too_long = limits
            .longest
            .is_some_and(|(fine, halves)| held.unchanged >= if coarse { halves } else { fine });
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
mod tests {
    use super::*;

    /// Half a second, as the daemon reads.
    const STEP: f64 = 0.5;

    /// Reads for `seconds` with what `sensor` and `model` say at a time since
    /// the start; the times and sentences of what was not believed.
    fn timeline(
        judge: &mut Judge,
        seconds: f64,
        sensor: impl Fn(f64) -> Option<f64>,
        model: impl Fn(f64) -> f64,
    ) -> Vec<(f64, Fault)> {
        (0..=(seconds / STEP) as u32)
            .map(|n| f64::from(n) * STEP)
            .filter_map(|t| {
                let told = judge.judge(Mono::from_secs_f64(t), sensor(t), model(t));
                if let Ok(value) = told {
                    assert_eq!(Some(value), sensor(t), "never another value");
                }
                told.err().map(|fault| (t, fault))
            })
            .collect()
    }

    fn power() -> Judge {
        Judge::new(Kind::Power)
    }

    fn temperature() -> Judge {
        Judge::new(Kind::Temperature)
    }

    /// Noise of ±`by`, the same every time.
    fn noise(t: f64, by: f64) -> f64 {
        ((t * 7919.0).sin() * 43758.5453).fract() * by
    }

    fn quantised(value: f64, step: f64) -> f64 {
        (value / step).round() * step
    }

    /// 1 s of 4 W more, every 5 s.
    fn looks(t: f64) -> f64 {
        4.0 + if t % 5.0 < 1.0 { 4.0 } else { 0.0 }
    }

    fn is_stuck(fault: &Fault) -> bool {
        matches!(fault, Fault::Stuck { .. })
    }

    #[test]
    fn a_power_sensor_that_does_not_follow_is_stuck() {
        let step = |t: f64| if t < 60.0 { 4.0 } else { 6.0 };
        let faults = timeline(&mut power(), 120.0, |_| Some(4.2), step);
        let (first, fault) = faults[0];
        assert!((70.0..73.0).contains(&first), "{first}");
        assert!(is_stuck(&fault));
        assert_eq!(faults.last().unwrap().0, 120.0, "and stays so");
        let said = fault.to_string();
        assert!(said.starts_with("the power sensor is stuck: it has said 4.20 W for 7"));
        // Small looks, but many.
        let faults = timeline(&mut power(), 60.0, |_| Some(4.2), looks);
        assert!((10.0..20.0).contains(&faults[0].0), "{:?}", faults[0]);
    }

    #[test]
    fn a_late_sensor_is_not_stuck() {
        // Quiet to the last bit for 5 min, then a step that it shows 2 s later.
        let step = |t: f64| if t < 300.0 { 4.0 } else { 9.0 };
        let faults = timeline(&mut power(), 400.0, |t| Some(step(t - 2.0)), step);
        // It is as constant after the step, which is no fault either.
        assert_eq!(faults.first(), None);
    }

    #[test]
    fn a_short_look_that_it_missed_is_no_evidence() {
        let once = |t: f64| if t == 30.0 { 8.0 } else { 4.0 };
        assert_eq!(
            timeline(&mut power(), 90.0, |_| Some(4.2), once).first(),
            None
        );
    }

    #[test]
    fn a_calm_board_is_not_a_stuck_sensor() {
        // Hours of the same, and a model that moves less than clearly.
        let calm = |t: f64| 4.0 + noise(t, 0.2);
        assert_eq!(
            timeline(&mut power(), 7_200.0, |_| Some(4.2), calm).first(),
            None
        );
        // Coarse, and true.
        let coarse = |t: f64| Some(quantised(looks(t) + noise(t, 0.01), 0.025));
        assert_eq!(timeline(&mut power(), 3_600.0, coarse, looks).first(), None);
        // Late as well, and what it samples is only every other half second.
        let late = |t: f64| Some(quantised(looks((t - 2.0).floor()), 0.025));
        assert_eq!(timeline(&mut power(), 3_600.0, late, looks).first(), None);
        // Noisy, and wrong by a constant: bias is not this judge's matter.
        let noisy = |t: f64| Some(looks(t) * 1.1 + noise(t, 0.4));
        assert_eq!(timeline(&mut power(), 3_600.0, noisy, looks).first(), None);
        // Noise as small as it gets.
        let alive = |t: f64| Some(4.2 + noise(t, 1e-9));
        assert_eq!(timeline(&mut power(), 600.0, alive, looks).first(), None);
    }

    #[test]
    fn it_recovers_when_it_moves() {
        let sensor = |t: f64| Some(if t < 80.0 { 4.2 } else { looks(t) });
        let faults = timeline(&mut power(), 200.0, sensor, looks);
        assert!(!faults.is_empty() && faults.iter().all(|(t, f)| *t < 80.0 && is_stuck(f)));
    }

    #[test]
    fn what_vanished_comes_back() {
        let there = |t: f64| (!(20.0..30.0).contains(&t)).then_some(looks(t));
        let faults = timeline(&mut power(), 60.0, there, looks);
        assert_eq!(faults.len(), 20);
        assert!(
            faults
                .iter()
                .all(|(_, f)| *f == Fault::Vanished(Kind::Power))
        );
        assert_eq!(
            faults[0].1.to_string(),
            "the power sensor can't be read",
            "a sentence"
        );
        // A stuck one that comes and goes is stuck none the less.
        let flaps = |t: f64| (t % 4.0 != 0.0).then_some(4.2);
        let faults = timeline(&mut power(), 60.0, flaps, looks);
        assert!(faults.iter().any(|(_, f)| is_stuck(f)));
    }

    #[test]
    fn a_gap_is_no_time_without_change() {
        let mut judge = temperature();
        let at = Mono::from_secs_f64;
        assert_eq!(judge.judge(at(0.0), Some(50.0), 5.0), Ok(50.0));
        assert!(judge.judge(at(1.0), None, 5.0).is_err());
        assert_eq!(judge.judge(at(7_200.0), Some(50.0), 5.0), Ok(50.0));
    }

    #[test]
    fn what_can_not_be_is_absurd() {
        for bad in [-1.0, 0.0, 2_001.0, f64::NAN, f64::INFINITY, -f64::INFINITY] {
            let fault = power().judge(Mono::ZERO, Some(bad), 4.0).unwrap_err();
            assert!(matches!(fault, Fault::Absurd { .. }), "{bad}: {fault}");
            assert!(fault.to_string().contains("can't be"), "{fault}");
        }
        for bad in [-273.0, 151.0, 65_535.0, f64::NAN] {
            let fault = temperature().judge(Mono::ZERO, Some(bad), 4.0).unwrap_err();
            assert!(matches!(fault, Fault::Absurd { .. }), "{bad}: {fault}");
        }
        // One bad reading, and all is well again.
        let spike = |t: f64| Some(if t == 10.0 { -1e6 } else { looks(t) });
        let faults = timeline(&mut power(), 60.0, spike, looks);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].0, 10.0);
        // Cold and hot that a camera may see.
        for good in [-40.0, 0.0, 110.0] {
            assert_eq!(
                temperature().judge(Mono::ZERO, Some(good), 0.0),
                Ok(good),
                "{good}"
            );
        }
    }

    #[test]
    fn a_temperature_that_does_not_follow_is_stuck() {
        // The die's rise over the case, from 3 to 8 K in a minute.
        let rise = |t: f64| 3.0 + 5.0 * (1.0 - (-((t - 300.0).max(0.0)) / 20.0).exp());
        let faults = timeline(&mut temperature(), 900.0, |_| Some(48.0), rise);
        let (first, fault) = faults[0];
        assert!((420.0..480.0).contains(&first) && is_stuck(&fault));
        // One of 1 °C that follows.
        let coarse = |t: f64| Some(quantised(45.0 + rise(t), 1.0));
        assert_eq!(
            timeline(&mut temperature(), 900.0, coarse, rise).first(),
            None
        );
        // A rise of less than clearly that falls between two steps.
        let little = |t: f64| 3.0 + if t < 300.0 { 0.0 } else { 1.5 };
        assert_eq!(
            timeline(&mut temperature(), 900.0, |_| Some(48.0), little).first(),
            None
        );
    }

    #[test]
    fn a_temperature_unchanged_for_half_an_hour_is_stuck() {
        let faults = timeline(&mut temperature(), 2_400.0, |_| Some(27.8), |_| 3.0);
        assert_eq!(faults[0].0, 1_800.0);
        // A day and a night of 8 K in steps of 1 °C, the load steady.
        let day = |t: f64| Some(quantised(30.0 + 4.0 * (t / 13_750.0).sin(), 1.0));
        let faults = timeline(&mut temperature(), 90_000.0, day, |_| 3.0);
        assert_eq!(faults.first(), None);
        let faults = timeline(&mut temperature(), 22_000.0, |_| Some(30.0), |_| 3.0);
        assert_eq!(faults[0].0, 21_600.0);
    }

    #[test]
    fn a_model_that_knows_nothing_accuses_nobody() {
        let faults = timeline(&mut power(), 600.0, |_| Some(4.2), |_| f64::NAN);
        assert_eq!(faults.first(), None);
    }
}
