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
fn a_coarse_temperature_is_given_three_steps() {
    // By the model 2.5 K; in truth less, and not over the next degree.
    let rise = |by: f64| move |t: f64| 3.0 + if t < 300.0 { 0.0 } else { by };
    let steps = |step: f64| move |t: f64| Some(48.0 + if t < 1.0 { step } else { 0.0 });
    let faults = timeline(&mut temperature(), 900.0, steps(1.0), rise(2.5));
    assert_eq!(faults.first(), None);
    let faults = timeline(&mut temperature(), 900.0, steps(1.0), rise(3.5));
    assert!(is_stuck(&faults[0].1));
    let faults = timeline(&mut temperature(), 900.0, steps(0.1), rise(2.5));
    assert!(is_stuck(&faults[0].1));
}

#[test]
fn a_temperature_unchanged_for_half_an_hour_is_stuck() {
    let fine = |t: f64| Some(27.8 + if t < 1.0 { 0.01 } else { 0.0 });
    let faults = timeline(&mut temperature(), 2_400.0, fine, |_| 3.0);
    assert_eq!(faults[0].0, 1_801.0);
    // A day and a night of 8 K in steps of 1 °C, the load steady.
    let day = |t: f64| Some(quantised(30.0 + 4.0 * (t / 13_750.0).sin(), 1.0));
    let faults = timeline(&mut temperature(), 90_000.0, day, |_| 3.0);
    assert_eq!(faults.first(), None);
    let faults = timeline(&mut temperature(), 90_000.0, |_| Some(30.0), |_| 3.0);
    assert_eq!(faults[0].0, 86_400.0);
}

#[test]
fn a_model_that_knows_nothing_accuses_nobody() {
    let faults = timeline(&mut power(), 600.0, |_| Some(4.2), |_| f64::NAN);
    assert_eq!(faults.first(), None);
}

/// Numbers that look random and are the same every time (xorshift).
struct Dice(u64);

impl Dice {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        low + (high - low) * (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A board under looks of random length, its watts and the rise of its die.
struct Simulated {
    dice: Dice,
    /// W of a look; seconds of it, and at most between two.
    look: (f64, f64, f64),
    until: f64,
    looking: bool,
    /// Watts so far, for sensors that are late.
    history: Vec<f64>,
}

impl Simulated {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        dice.between(0.0, 1.0);
        let look = (
            dice.between(1.0, 6.0),
            dice.between(0.1, 4.0),
            dice.between(0.5, 90.0),
        );
        Self {
            dice,
            look,
            until: 0.0,
            looking: false,
            history: vec![4.0; 5],
        }
    }

    /// Watts in the half second from `t`, on average.
    fn step(&mut self, t: f64) -> f64 {
        let (more, length, gap) = self.look;
        let mut sum = 0.0;
        // In tenths, so that a look may be shorter than a reading's interval.
        for tenth in 0..5 {
            let t = t + f64::from(tenth) * 0.1;
            if t >= self.until {
                self.looking = !self.looking;
                let stay = if self.looking { length } else { gap };
                self.until = t + self.dice.between(0.3, 1.0) * stay;
            }
            sum += if self.looking { more } else { 0.0 };
        }
        let watts = 4.0 + sum / 5.0;
        self.history.push(watts);
        watts
    }

    fn late(&self, seconds: f64) -> f64 {
        let back = 1 + (seconds / STEP) as usize;
        self.history[self.history.len() - back]
    }
}

#[test]
fn healthy_sensors_are_left_alone() {
    for seed in 1..=40 {
        let mut board = Simulated::new(seed);
        let latency = board.dice.between(0.0, 2.0);
        let (bias, wrong) = (board.dice.between(0.9, 1.1), board.dice.between(0.6, 1.6));
        let (swing, phase) = (board.dice.between(2.0, 30.0), board.dice.between(0.0, 6.3));
        let steps = [1.0, 0.5, 0.923, 0.125][seed as usize % 4];
        let (mut watts_judge, mut die_judge) = (power(), temperature());
        let (mut die, mut model) = (8.0, 8.0 * wrong);
        for n in 0..=(12.0 * 3_600.0 / STEP) as u32 {
            let t = f64::from(n) * STEP;
            let watts = board.step(t);
            let said = quantised(board.late(latency) * bias, 0.025);
            let expected = 4.0 + (watts - 4.0) * wrong;
            let now = Mono::from_secs_f64(t);
            let told = watts_judge.judge(now, Some(said), expected);
            assert_eq!(told, Ok(said), "seed {seed} at {t} s");
            // A die of 2 K for a watt and 20 s; the model is wrong in both.
            die += (2.0 * watts - die) * STEP / 20.0;
            model += (2.0 * wrong * expected - model) * STEP / 15.0;
            let air = 20.0 + swing / 2.0 * (t / 13_750.0 + phase).sin();
            let said = quantised(air + 16.0 + die, steps);
            let told = die_judge.judge(now, Some(said), model);
            assert_eq!(told, Ok(said), "seed {seed} at {t} s");
        }
    }
}

#[test]
fn stuck_ones_are_found_if_anything_moves() {
    let (mut slowest, mut sum) = (0.0f64, 0.0);
    for seed in 1..=40 {
        let mut board = Simulated::new(seed);
        // Less than this moves less than clearly.
        board.look = (board.look.0.max(3.0), board.look.1.max(1.0), 10.0);
        let stuck_at = board.dice.between(600.0, 1_200.0);
        let (mut judge, mut held, mut found) = (power(), 0.0, None);
        for n in 0..=7_200 {
            let t = f64::from(n) * STEP;
            let watts = board.step(t);
            if t < stuck_at {
                held = quantised(watts, 0.025);
            }
            let told = judge.judge(Mono::from_secs_f64(t), Some(held), watts);
            if told.is_err() {
                assert!(t > stuck_at, "seed {seed}: {t} before {stuck_at}");
                found.get_or_insert(t - stuck_at);
            }
        }
        let after = found.unwrap_or(f64::INFINITY);
        slowest = slowest.max(after);
        sum += after;
    }
    let mean = sum / 40.0;
    println!("stuck power sensors: found after {mean:.0} s on average, {slowest:.0} s at most");
    assert!(slowest < 120.0 && mean < 40.0, "{slowest} {mean}");
}
