//! A small board in closed loop: what it draws, what it is granted and how
//! long looks take are functions of time.

use std::collections::BTreeMap;
use std::time::Duration;

use governor::{Cause, Config, Decision, Governor, Told, Wish};
use scene::ports::{Reading, Readings};
use scene::{Celsius, Id, Joules, Mono, Quantity, Watts};

pub fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

pub fn secs(s: f64) -> Duration {
    Duration::from_secs_f64(s)
}

pub fn at(s: f64) -> Mono {
    Mono::from_secs_f64(s)
}

pub fn wish(wanted: f64, priority: u8, questions: usize) -> Wish {
    Wish {
        wanted: secs(wanted),
        priority,
        questions,
        need: None,
    }
}

/// A point of so many watts that takes so long.
pub fn told(point: &str, accuracy: f64, step: f64, look: f64, question: f64) -> Told {
    Told {
        point: point.parse().unwrap(),
        accuracy,
        step: Watts(step),
        look: secs(look),
        question: secs(question),
    }
}

/// One operating point: 3 W, 0.3 s and 0.1 s a question.
pub fn config() -> Config {
    Config {
        points: vec![told("f32/256px/1t/1c", 0.9, 3.0, 0.3, 0.1)],
        ..Config::default()
    }
}

/// Readings of a board with a power sensor.
pub fn readings(allotment: f64, board: f64) -> Readings {
    Readings {
        allotment: Reading::modelled(Watts(allotment), "class 3"),
        board: Some(Reading::measured(Watts(board), "ina226")),
        hottest: None,
        frequency_mhz: None,
        cpu_time: Duration::ZERO,
        problems: Vec::new(),
    }
}

/// Readings of a board without one.
pub fn unmeasured(allotment: f64) -> Readings {
    Readings {
        board: None,
        ..readings(allotment, 0.0)
    }
}

pub struct Plant<'f> {
    /// The board without looks, watts.
    pub base: &'f dyn Fn(f64) -> f64,
    pub granted: &'f dyn Fn(f64) -> f64,
    pub celsius: &'f dyn Fn(f64) -> Option<f64>,
    /// What a look adds at an operating point, watts.
    pub step: &'f dyn Fn(f64, &str) -> f64,
    /// How long one takes at an operating point with so many questions.
    pub takes: &'f dyn Fn(&str, usize) -> f64,
    /// Whether the board has a power sensor.
    pub sensor: bool,
}

pub const CALM: Plant = Plant {
    base: &|_| 4.0,
    granted: &|_| 12.95,
    celsius: &|_| None,
    step: &|_, _| 3.0,
    takes: &|_, n| 0.3 + 0.1 * n as f64,
    sensor: true,
};

fn sensed(plant: &Plant, t: f64, draws: f64) -> Readings {
    let mut now = match plant.sensor {
        true => readings((plant.granted)(t), draws),
        false => unmeasured((plant.granted)(t)),
    };
    now.hottest = (plant.celsius)(t).map(|c| Reading::measured(Celsius(c), "soc"));
    now
}

/// What a run came to.
#[derive(Default)]
pub struct Ran {
    /// When looks started, and at which operating point.
    pub starts: Vec<(f64, String)>,
    pub joules: f64,
    pub by_rule: BTreeMap<Id, u64>,
    /// The longest time between two looks for a rule.
    pub blind: BTreeMap<Id, f64>,
    pub together: u64,
    /// When looks were given up, and why.
    pub given_up: Vec<(f64, String)>,
    pub holds: Vec<(f64, Cause, String)>,
    /// The most that board and look drew together.
    pub peak: f64,
}

/// Runs from `from` for `seconds`; readings come about every half second.
pub fn run(
    g: &mut Governor,
    from: f64,
    seconds: f64,
    plant: &Plant,
    questions: &BTreeMap<Id, usize>,
) -> Ran {
    let mut ran = Ran::default();
    let mut last: BTreeMap<Id, f64> = BTreeMap::new();
    let (mut flight, mut wait) = (None::<(f64, f64, usize, bool)>, from);
    let mut point_now = String::new();
    let (mut ticks, mut sample, mut seed) = (0u64, 0u64, from.to_bits());
    g.observe(at(from), &sensed(plant, from, (plant.base)(from)));
    loop {
        let t = from + ticks as f64 * 0.05;
        if t >= from + seconds && flight.is_none() {
            return ran;
        }
        if let Some((start, end, asked, _)) = flight
            && t >= end
        {
            flight = None;
            let step = (plant.step)(t, &point_now);
            ran.joules += step * (end - start);
            let modelled = Quantity::modelled(Joules(step * (end - start)));
            g.settle(at(end), modelled, secs(end - start), asked);
        }
        if flight.is_none() && t >= wait && t < from + seconds {
            match g.decide(at(t)) {
                Decision::Look {
                    rules,
                    point,
                    reason,
                } => {
                    assert!(!rules.is_empty() && reason.contains("due"), "{reason}");
                    let asked = rules
                        .iter()
                        .map(|r| questions.get(r).copied().unwrap_or(1))
                        .sum();
                    ran.starts.push((t, point.to_string()));
                    ran.together += u64::from(rules.len() > 1);
                    for rule in rules {
                        let before = last.insert(rule.clone(), t).unwrap_or(from);
                        let blind = ran.blind.entry(rule.clone()).or_default();
                        *blind = blind.max(t - before);
                        *ran.by_rule.entry(rule).or_default() += 1;
                    }
                    point_now = point.to_string();
                    let takes = (plant.takes)(&point_now, asked);
                    flight = Some((t, t + takes, asked, false));
                }
                Decision::Hold {
                    cause,
                    reason,
                    until,
                } => {
                    assert!(!reason.is_empty());
                    assert!(until > at(t), "a hold that does not wait: {reason}");
                    wait = until.as_secs_f64();
                    ran.holds.push((t, cause, reason));
                }
            }
        }
        let step = (plant.step)(t, &point_now);
        let draws = (plant.base)(t) + if flight.is_some() { step } else { 0.0 };
        ran.peak = ran.peak.max(draws);
        if ticks >= sample {
            // Not in step with looks, or a sensor might never see one.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            sample = ticks + 7 + (seed >> 40) % 7;
            if let Some(why) = g.observe(at(t), &sensed(plant, t, draws)) {
                let (_, end, _, given_up) = flight.as_mut().expect("only a look is given up");
                *end = t + 0.1;
                *given_up = true;
                ran.given_up.push((t, why));
            }
        }
        ticks += 1;
    }
}
