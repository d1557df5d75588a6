//! What a scenario says. Closed: a key that is not listed is refused, and so is
//! a number out of its range.

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
}
