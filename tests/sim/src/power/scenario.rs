//! What a scenario says. Closed: a key that is not listed is refused, and so is
//! a number out of its range.

use std::ops::RangeInclusive;
use std::path::Path;

use scene::OperatingPoint;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a scenario can't be simulated.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The file can't be read.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no TOML, or has a key that does not exist or lacks one.
    #[error("{name}: {source}")]
    Form {
        /// Which.
        name: String,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// A value is out of range.
    #[error("{name}: {key} is {value}; {remedy}")]
    Range {
        /// Which scenario.
        name: String,
        /// Which key.
        key: String,
        /// What it says.
        value: String,
        /// What it may be.
        remedy: String,
    },
}

/// A board, its surroundings, its faults and its work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What happens, in a sentence.
    pub title: String,
    /// Of everything that is random.
    pub seed: u64,
    /// Hour of the day at which it begins, 0..24.
    #[serde(default)]
    pub starts_at_hour: f64,
    /// What is granted.
    pub poe: Poe,
    /// What the board's file tells.
    pub board: Told,
    /// What is true of it.
    pub truth: Truth,
    /// Where it hangs.
    pub air: Air,
    /// Lamp for the night.
    #[serde(default)]
    pub infrared: Option<Infrared>,
    /// Against frost.
    #[serde(default)]
    pub heater: Option<Heater>,
    /// Steps of the video encoder's load.
    #[serde(default)]
    pub encoder: Option<Encoder>,
    /// Measures the board's watts; none: they are modelled.
    #[serde(default)]
    pub power_sensor: Option<Sensor>,
    /// Measures the die's temperature.
    #[serde(default)]
    pub temperature_sensor: Option<Sensor>,
    /// When sensors fail.
    #[serde(default, rename = "fault")]
    pub faults: Vec<Fault>,
    /// How costs move.
    #[serde(default)]
    pub drift: Drift,
    /// Jumps of all costs.
    #[serde(default, rename = "cost_step")]
    pub cost_steps: Vec<CostStep>,
    /// How the model can be run.
    #[serde(rename = "point")]
    pub points: Vec<Point>,
    /// What is watched for.
    #[serde(rename = "rule")]
    pub rules: Vec<Rules>,
}

/// The supply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poe {
    /// Granted at the device from the start, W.
    pub watts: f64,
    /// What the board takes it for after it started, until LLDP said more, W.
    #[serde(default = "class_3")]
    pub until_told_watts: f64,
    /// How long after a start LLDP has said more, s.
    #[serde(default = "thirty")]
    pub told_after_seconds: f64,
    /// How long after a change the board's reading of it changes, s.
    #[serde(default = "one")]
    pub delay_seconds: f64,
    /// Renegotiations.
    #[serde(default, rename = "grant")]
    pub grants: Vec<Grant>,
}

fn class_3() -> f64 {
    12.95
}
fn thirty() -> f64 {
    30.0
}
fn one() -> f64 {
    1.0
}

/// Another grant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// When, hours from the beginning.
    pub at_hours: f64,
    /// What, W at the device.
    pub watts: f64,
}

/// What the board's file tells the governor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The board with video and without inference, W.
    pub idle_watts: f64,
    /// What one core adds, W; for modelled watts.
    #[serde(default = "per_core")]
    pub watts_per_core: f64,
    /// How far its power sensor and its watts may be off, share.
    #[serde(default = "tenth")]
    pub tolerance: f64,
    /// The lamp, W.
    #[serde(default)]
    pub infrared_watts: f64,
    /// The heater, W.
    #[serde(default)]
    pub heater_watts: f64,
    /// The highest step of the encoder, W.
    #[serde(default)]
    pub encoder_watts: f64,
    /// The thermal network.
    pub thermal: ThermalNetwork,
    /// At this the die is at risk, °C.
    #[serde(default = "critical")]
    pub critical_celsius: f64,
    /// The hottest air that it is made for, °C.
    #[serde(default)]
    pub ambient_most_celsius: Option<f64>,
}

fn per_core() -> f64 {
    1.5
}
fn tenth() -> f64 {
    0.1
}
fn critical() -> f64 {
    95.0
}

/// Constants of case and die.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThermalNetwork {
    /// Time constant of the case, minutes.
    pub case_minutes: f64,
    /// Rise of the case over the air, K/W of the whole board.
    pub case_k_per_w: f64,
    /// Time constant of the die over the case, seconds.
    pub die_seconds: f64,
    /// Rise of the die over the case, K/W of inference.
    pub die_k_per_w: f64,
}

/// What is true.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// The board with video and without inference, W on average.
    pub base_watts: f64,
    /// How far it wanders from that slowly, share.
    #[serde(default = "small")]
    pub base_wander: f64,
    /// The share of it that the die turns into heat.
    #[serde(default = "third")]
    pub base_in_die: f64,
    /// More, for the first seconds after a start, W.
    #[serde(default)]
    pub boot_watts: f64,
    /// How long, s.
    #[serde(default = "thirty")]
    pub boot_seconds: f64,
    /// What looks draw of what is told, factor.
    #[serde(default = "one")]
    pub watts_factor: f64,
    /// How long looks take of what is told, factor.
    #[serde(default = "one")]
    pub time_factor: f64,
    /// The thermal network.
    pub thermal: ThermalNetwork,
}

fn small() -> f64 {
    0.03
}
fn third() -> f64 {
    0.35
}

/// The air around the case: lowest at 05:00, highest at 17:00.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Air {
    /// On average, °C.
    pub mean_celsius: f64,
    /// Half of the daily swing, K.
    pub swing_k: f64,
    /// How far a day's mean is off, K.
    #[serde(default)]
    pub days_k: f64,
}

/// On from dusk to dawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Infrared {
    /// What it draws, W; 60 % of it stay in the case.
    pub watts: f64,
    /// Hour of the day at which it goes on.
    #[serde(default = "dusk")]
    pub dusk_hour: f64,
    /// Hour of the day at which it goes off.
    #[serde(default = "dawn")]
    pub dawn_hour: f64,
}

fn dusk() -> f64 {
    18.0
}
fn dawn() -> f64 {
    6.0
}

/// A thermostat on the case.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heater {
    /// What it draws, W.
    pub watts: f64,
    /// On below, °C.
    #[serde(default = "frost")]
    pub on_celsius: f64,
    /// Off above, °C.
    #[serde(default = "warm")]
    pub off_celsius: f64,
}

fn frost() -> f64 {
    5.0
}
fn warm() -> f64 {
    12.0
}

/// At random times it draws more for a while.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoder {
    /// The least step, W.
    pub low_watts: f64,
    /// The highest, W.
    pub high_watts: f64,
    /// How often, on average.
    pub per_hour: f64,
    /// How long, on average, s.
    pub seconds: f64,
}

/// A sensor and its faults of manufacture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sensor {
    /// Standard deviation of a reading: share of the watts, or K.
    #[serde(default)]
    pub noise: f64,
    /// Of the watts, share; or K.
    #[serde(default)]
    pub bias: f64,
    /// The steps in which it reads, W or K; 0: none.
    #[serde(default)]
    pub quantum: f64,
    /// How old a reading is, s.
    #[serde(default)]
    pub latency_seconds: f64,
    /// Whether it averages since the last reading.
    #[serde(default)]
    pub averages: bool,
}

/// Which sensor fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The board's watts.
    Power,
    /// The die's temperature.
    Temperature,
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It repeats the last value.
    Stuck,
    /// It can't be read.
    Missing,
    /// It says 65535.
    Absurd,
}

/// A spell of failure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which sensor.
    pub sensor: Which,
    /// How.
    pub how: How,
    /// When, hours from the beginning.
    pub at_hours: f64,
    /// How long, hours.
    pub hours: f64,
    /// Again at the same hour of each day.
    #[serde(default)]
    pub daily: bool,
}

/// How the cost of looks moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// At most so much with the die's temperature (20 to 90 °C), share of the
    /// watts.
    #[serde(default)]
    pub temperature: f64,
    /// At most so much with what is seen, share of the time: wanders, and
    /// jumps a few times a day.
    #[serde(default)]
    pub content: f64,
    /// From look to look, standard deviation, share of the time.
    #[serde(default)]
    pub each: f64,
}

/// All looks cost so many times as much from then on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostStep {
    /// When, hours from the beginning.
    pub at_hours: f64,
    /// Of the watts, factor.
    pub factor: f64,
}

/// An operating point, as its calibration tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Which.
    pub point: OperatingPoint,
    /// How often it is right, 0..1.
    pub accuracy: f64,
    /// What it adds to the board's draw, W.
    pub step_watts: f64,
    /// A look before any question, ms.
    pub look_ms: f64,
    /// Each question, ms.
    pub question_ms: f64,
}

/// Rules of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// How many.
    #[serde(default = "single")]
    pub count: u32,
    /// How often each wants a look, s.
    pub every_seconds: f64,
    /// The higher, the later it is slowed.
    #[serde(default = "single_u8")]
    pub priority: u8,
    /// Questions of each.
    #[serde(default = "single")]
    pub questions: u32,
    /// While it holds it needs a look this often, s.
    #[serde(default)]
    pub hold_every_seconds: Option<f64>,
    /// How often it holds on a day.
    #[serde(default)]
    pub holds_per_day: f64,
    /// For how long, minutes.
    #[serde(default = "ten")]
    pub hold_minutes: f64,
}

fn single() -> u32 {
    1
}
fn single_u8() -> u8 {
    1
}
fn ten() -> f64 {
    10.0
}

/// Checks ranges, naming keys.
struct Check<'a> {
    name: &'a str,
}

impl Check<'_> {
    fn bad(&self, key: &str, value: impl ToString, remedy: impl Into<String>) -> ScenarioError {
        ScenarioError::Range {
            name: self.name.into(),
            key: key.into(),
            value: value.to_string(),
            remedy: remedy.into(),
        }
    }

    fn number(
        &self,
        key: &str,
        value: f64,
        range: RangeInclusive<f64>,
    ) -> Result<(), ScenarioError> {
        match range.contains(&value) {
            true => Ok(()),
            false => {
                let (low, high) = range.into_inner();
                Err(self.bad(key, value, format!("it may be {low} to {high}")))
            }
        }
    }

    fn numbers(&self, all: &[(&str, f64, RangeInclusive<f64>)]) -> Result<(), ScenarioError> {
        (all.iter()).try_for_each(|(key, value, range)| self.number(key, *value, range.clone()))
    }

    fn network(&self, key: &str, n: &ThermalNetwork) -> Result<(), ScenarioError> {
        self.numbers(&[
            (&format!("{key}.case_minutes"), n.case_minutes, 1.0..=120.0),
            (&format!("{key}.case_k_per_w"), n.case_k_per_w, 0.1..=20.0),
            (&format!("{key}.die_seconds"), n.die_seconds, 1.0..=300.0),
            (&format!("{key}.die_k_per_w"), n.die_k_per_w, 0.1..=30.0),
        ])
    }
}

/// Rules at most.
pub const RULES: usize = 32;

impl Scenario {
    /// The one in `path`.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|source| ScenarioError::Read {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// The one in `text`; errors call it `name`.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|source| ScenarioError::Form {
            name: name.into(),
            source: Box::new(source),
        })?;
        scenario.check(name)?;
        Ok(scenario)
    }

    /// Whether everything is in range.
    pub fn check(&self, name: &str) -> Result<(), ScenarioError> {
        let check = Check { name };
        let always = 0.0..=24.0 * 366.0;
        let (poe, board, truth) = (&self.poe, &self.board, &self.truth);
        check.numbers(&[
            ("starts_at_hour", self.starts_at_hour, 0.0..=24.0),
            ("poe.watts", poe.watts, 1.0..=100.0),
            ("poe.until_told_watts", poe.until_told_watts, 1.0..=100.0),
            (
                "poe.told_after_seconds",
                poe.told_after_seconds,
                0.0..=3_600.0,
            ),
            ("poe.delay_seconds", poe.delay_seconds, 0.0..=10.0),
            ("board.idle_watts", board.idle_watts, 0.1..=90.0),
            ("board.watts_per_core", board.watts_per_core, 0.05..=20.0),
            ("board.tolerance", board.tolerance, 0.0..=0.5),
            ("board.infrared_watts", board.infrared_watts, 0.0..=30.0),
            ("board.heater_watts", board.heater_watts, 0.0..=30.0),
            ("board.encoder_watts", board.encoder_watts, 0.0..=10.0),
            (
                "board.critical_celsius",
                board.critical_celsius,
                40.0..=125.0,
            ),
            (
                "board.ambient_most_celsius",
                board.ambient_most_celsius.unwrap_or(40.0),
                -20.0..=80.0,
            ),
            ("truth.base_watts", truth.base_watts, 0.1..=90.0),
            ("truth.base_wander", truth.base_wander, 0.0..=0.3),
            ("truth.base_in_die", truth.base_in_die, 0.0..=1.0),
            ("truth.boot_watts", truth.boot_watts, 0.0..=20.0),
            ("truth.boot_seconds", truth.boot_seconds, 0.0..=600.0),
            ("truth.watts_factor", truth.watts_factor, 0.5..=2.0),
            ("truth.time_factor", truth.time_factor, 0.5..=2.0),
            ("air.mean_celsius", self.air.mean_celsius, -40.0..=60.0),
            ("air.swing_k", self.air.swing_k, 0.0..=40.0),
            ("air.days_k", self.air.days_k, 0.0..=20.0),
            ("drift.temperature", self.drift.temperature, 0.0..=0.5),
            ("drift.content", self.drift.content, 0.0..=0.5),
            ("drift.each", self.drift.each, 0.0..=0.3),
        ])?;
        check.network("board.thermal", &board.thermal)?;
        check.network("truth.thermal", &truth.thermal)?;
        for grant in &poe.grants {
            check.numbers(&[
                ("poe.grant.at_hours", grant.at_hours, always.clone()),
                ("poe.grant.watts", grant.watts, 1.0..=100.0),
            ])?;
        }
        if poe
            .grants
            .windows(2)
            .any(|w| w[0].at_hours >= w[1].at_hours)
        {
            let times: Vec<f64> = poe.grants.iter().map(|g| g.at_hours).collect();
            return Err(check.bad(
                "poe.grant.at_hours",
                format!("{times:?}"),
                "list grants in the order of time",
            ));
        }
        if let Some(lamp) = &self.infrared {
            check.numbers(&[
                ("infrared.watts", lamp.watts, 0.0..=30.0),
                ("infrared.dusk_hour", lamp.dusk_hour, 12.0..=24.0),
                ("infrared.dawn_hour", lamp.dawn_hour, 0.0..=12.0),
            ])?;
        }
        if let Some(heater) = &self.heater {
            check.numbers(&[
                ("heater.watts", heater.watts, 0.0..=30.0),
                ("heater.on_celsius", heater.on_celsius, -40.0..=40.0),
                (
                    "heater.off_celsius",
                    heater.off_celsius,
                    heater.on_celsius + 1.0..=60.0,
                ),
            ])?;
        }
        if let Some(encoder) = &self.encoder {
            check.numbers(&[
                ("encoder.low_watts", encoder.low_watts, 0.0..=10.0),
                (
                    "encoder.high_watts",
                    encoder.high_watts,
                    encoder.low_watts..=10.0,
                ),
                ("encoder.per_hour", encoder.per_hour, 0.0..=600.0),
                ("encoder.seconds", encoder.seconds, 0.5..=3_600.0),
            ])?;
        }
        for (key, sensor, biases) in [
            ("power_sensor", &self.power_sensor, -0.3..=0.3),
            ("temperature_sensor", &self.temperature_sensor, -10.0..=10.0),
        ] {
            if let Some(s) = sensor {
                check.numbers(&[
                    (
                        &format!("{key}.noise"),
                        s.noise,
                        0.0..=if key == "power_sensor" { 0.3 } else { 5.0 },
                    ),
                    (&format!("{key}.bias"), s.bias, biases),
                    (&format!("{key}.quantum"), s.quantum, 0.0..=5.0),
                    (
                        &format!("{key}.latency_seconds"),
                        s.latency_seconds,
                        0.0..=5.0,
                    ),
                ])?;
            }
        }
        for fault in &self.faults {
            check.numbers(&[
                ("fault.at_hours", fault.at_hours, always.clone()),
                ("fault.hours", fault.hours, 0.001..=24.0 * 366.0),
            ])?;
        }
        for step in &self.cost_steps {
            check.numbers(&[
                ("cost_step.at_hours", step.at_hours, always.clone()),
                ("cost_step.factor", step.factor, 0.5..=2.0),
            ])?;
        }
        self.check_work(&check)
    }

    fn check_work(&self, check: &Check<'_>) -> Result<(), ScenarioError> {
        if self.points.is_empty() || self.points.len() > 64 {
            let n = self.points.len();
            return Err(check.bad(
                "point",
                format!("{n} times"),
                "give 1 to 64 operating points",
            ));
        }
        for (i, p) in self.points.iter().enumerate() {
            if self.points[..i].iter().any(|q| q.point == p.point) {
                return Err(check.bad("point.point", &p.point, "give each point once"));
            }
            check.numbers(&[
                ("point.accuracy", p.accuracy, 0.0..=1.0),
                ("point.step_watts", p.step_watts, 0.05..=60.0),
                ("point.look_ms", p.look_ms, 5.0..=60_000.0),
                ("point.question_ms", p.question_ms, 0.0..=10_000.0),
            ])?;
        }
        let rules: usize = self.rules.iter().map(|r| r.count as usize).sum();
        if !(1..=RULES).contains(&rules) {
            return Err(check.bad(
                "rule.count",
                format!("{rules} in all"),
                format!("give 1 to {RULES} rules in all"),
            ));
        }
        for rule in &self.rules {
            check.numbers(&[
                ("rule.every_seconds", rule.every_seconds, 0.1..=86_400.0),
                ("rule.questions", f64::from(rule.questions), 0.0..=8.0),
                (
                    "rule.hold_every_seconds",
                    rule.hold_every_seconds.unwrap_or(1.0),
                    0.1..=3_600.0,
                ),
                ("rule.holds_per_day", rule.holds_per_day, 0.0..=96.0),
                ("rule.hold_minutes", rule.hold_minutes, 0.1..=600.0),
            ])?;
        }
        Ok(())
    }
}
