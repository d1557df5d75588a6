//! What the board's sensors make of the truth.

use std::borrow::Cow;
use std::time::Duration;

use platform::health::{Judge, Kind};
use scene::ports::{Reading, Readings};
use scene::{Celsius, Mono, Watts};

use super::chance::Chance;
use super::plant::{Past, Plant};
use super::scenario::{Fault, How, Scenario, Sensor, Which};

/// What a power sensor that fails absurdly says, W; °C of the other.
const ABSURD: f64 = 65_535.0;
const DAY: f64 = 86_400.0;

/// One sensor and its judge.
#[derive(Clone, Debug)]
struct Sense {
    sensor: Option<Sensor>,
    faults: Vec<Fault>,
    chance: Chance,
    judge: Judge,
    last: f64,
}

impl Sense {
    fn new(scenario: &Scenario, which: Which) -> Self {
        let (sensor, purpose, kind) = match which {
            Which::Power => (scenario.power_sensor, "power", Kind::Power),
            Which::Temperature => (
                scenario.temperature_sensor,
                "temperature",
                Kind::Temperature,
            ),
        };
        Self {
            sensor,
            faults: (scenario.faults.iter())
                .filter(|f| f.sensor == which)
                .copied()
                .collect(),
            chance: Chance::new(scenario.seed, purpose),
            judge: Judge::new(kind),
            last: 0.0,
        }
    }

    fn fault(&self, t: f64) -> Option<How> {
        (self.faults.iter())
            .find(|f| {
                let (from, long) = (f.at_hours * 3_600.0, f.hours * 3_600.0);
                let since = match f.daily && t >= from {
                    true => (t - from) % DAY,
                    false => t - from,
                };
                (0.0..long).contains(&since)
            })
            .map(|f| f.how)
    }

    /// What it says of `truth`.
    fn raw(&mut self, t: f64, truth: f64, relative: bool) -> Option<f64> {
        let sensor = self.sensor?;
        let unit = if relative { truth } else { 1.0 };
        let noise = sensor.noise * self.chance.normal();
        let mut value = truth + unit * (sensor.bias + noise);
        if sensor.quantum > 0.0 {
            value = (value / sensor.quantum).round() * sensor.quantum;
        }
        match self.fault(t) {
            Some(How::Missing) => return None,
            Some(How::Absurd) => return Some(ABSURD),
            Some(How::Stuck) => return Some(self.last),
            None => {}
        }
        self.last = value;
        Some(value)
    }
}

/// All sensors of a board.
#[derive(Clone, Debug)]
pub struct Sensors {
    power: Sense,
    temperature: Sense,
    idle: f64,
    per_core: f64,
    die_k_per_w: f64,
    die_seconds: f64,
    read: f64,
    cpu: f64,
    cpu_before: f64,
    /// Watts of load, through the die's time constant.
    warm: f64,
}

/// The draw at `t`.
fn watts_at(plant: &Plant, t: f64) -> Option<&Past> {
    let past = plant.past();
    let after = past.iter().rev().take_while(|p| p.until >= t).count();
    past.get(past.len().saturating_sub(after.max(1)))
}

/// Joules drawn until `t`.
fn joules_at(plant: &Plant, t: f64) -> Option<f64> {
    let past = watts_at(plant, t)?;
    Some(past.joules - past.watts * (past.until - t).max(0.0))
}

impl Sensors {
    /// Of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            power: Sense::new(scenario, Which::Power),
            temperature: Sense::new(scenario, Which::Temperature),
            idle: scenario.board.idle_watts,
            per_core: scenario.board.watts_per_core,
            die_k_per_w: scenario.board.thermal.die_k_per_w,
            die_seconds: scenario.board.thermal.die_seconds,
            read: 0.0,
            cpu: 0.0,
            cpu_before: 0.0,
            warm: 0.0,
        }
    }

    /// The process used so many seconds of CPU time for a look that is over.
    pub fn worked(&mut self, cpu_seconds: f64) {
        self.cpu += cpu_seconds;
    }

    /// Whether the power sensor is there and whole at `t`.
    pub fn power_told(&self, t: f64) -> bool {
        self.power.sensor.is_some() && self.power.fault(t).is_none()
    }

    /// Reads them all, as the board would, while a look has used `running`
    /// seconds of CPU time that it has not told of yet.
    pub fn read(&mut self, plant: &Plant, running: f64) -> Readings {
        let t = plant.now();
        let now = Mono::from_secs_f64(t);
        let dt = (t - self.read).clamp(1e-3, 2.0);
        let cpu = self.cpu + running;
        let busy = (cpu - self.cpu_before).max(0.0) / dt;
        (self.read, self.cpu_before) = (t, cpu);
        let load = busy * self.per_core;
        let modelled = self.idle + load;
        self.warm += (1.0 - (-dt / self.die_seconds).exp()) * (load - self.warm);
        let mut problems = Vec::new();

        let truth = self.power.sensor.and_then(|s| {
            let then = t - s.latency_seconds;
            match s.averages {
                false => watts_at(plant, then).map(|p| p.watts),
                true => {
                    let drew = joules_at(plant, then)? - joules_at(plant, then - dt)?;
                    Some(drew / dt)
                }
            }
        });
        let board = match self.power.sensor {
            None => None,
            Some(_) => {
                let raw = truth.and_then(|truth| self.power.raw(t, truth, true));
                (self.power.judge.judge(now, raw, modelled))
                    .map_err(|fault| problems.push(fault.to_string()))
                    .ok()
            }
        };
        let board = match board {
            Some(watts) => Reading::measured(Watts(watts), "sim"),
            None => Reading::modelled(Watts(modelled), "load"),
        };

        let expected = self.die_k_per_w * self.warm;
        let hottest = self.temperature.sensor.and_then(|s| {
            let die = watts_at(plant, t - s.latency_seconds)?.die;
            let raw = self.temperature.raw(t, die, false);
            (self.temperature.judge.judge(now, raw, expected))
                .map_err(|fault| problems.push(fault.to_string()))
                .ok()
        });
        let (allotment, by) = plant.pse.read(t, plant.powered());
        Readings {
            allotment: Reading {
                value: Watts(allotment),
                source: match by {
                    "lldp" => scene::Source::Measured,
                    _ => scene::Source::Modelled,
                },
                age: Duration::ZERO,
                by: Cow::Borrowed(by),
            },
            board: Some(board),
            hottest: hottest.map(|t| Reading::measured(Celsius(t), "sim")),
            frequency_mhz: None,
            cpu_time: Duration::from_secs_f64(cpu),
            problems,
        }
    }
}
