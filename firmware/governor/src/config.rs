use std::time::Duration;

use scene::{Celsius, OperatingPoint, Watts};
use serde::{Deserialize, Serialize};

/// What is known of the board and the model before anything is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The operating points to choose from, in any order. None is taken for
    /// one that costs little ([`Told::default`]).
    pub points: Vec<Told>,
    /// The board's draw without inference and without the loads of
    /// `switched`, where nothing measures it.
    pub idle: Watts,
    /// All loads together that can switch on by themselves: infrared light,
    /// heater, a step of the encoder. Room is kept for them.
    pub switched: Watts,
    /// How wrong the power sensor may be, as a share (0..1) of what it says.
    pub tolerance: f64,
    /// The same for watts that are only modelled.
    pub modelled_tolerance: f64,
    /// Share of the allotment (0..1) that is never used.
    pub margin: f64,
    /// Average watts of inference at most, where less than what the allotment
    /// leaves is wanted; `None`: all of it.
    pub cap: Option<Watts>,
    /// How much of the inference share can be saved up, in seconds of it.
    pub savings: Duration,
    /// No rule is looked at less often than this for want of watts, or than it
    /// wants if that is less often still.
    pub floor: Duration,
    /// No two looks closer than this.
    pub gap: Duration,
    /// A look that would take longer is split: its deadline.
    pub deadline: Duration,
    /// What heat does to the board.
    pub thermal: Thermal,
}

/// An operating point and what is told of it before it has run here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Which.
    pub point: OperatingPoint,
    /// How right its answers are, 0..1; only compared.
    pub accuracy: f64,
    /// What a look adds to the board's draw while it runs.
    pub step: Watts,
    /// How long a look takes before any question is asked.
    #[serde(rename = "look_ms", with = "millis")]
    pub look: Duration,
    /// What each question adds to it.
    #[serde(rename = "question_ms", with = "millis")]
    pub question: Duration,
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(d: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(d.as_secs_f64() * 1e3)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let millis = f64::deserialize(from)?;
        Duration::try_from_secs_f64(millis / 1e3)
            .map_err(|_| D::Error::custom(format!("{millis} is no number of milliseconds")))
    }
}

impl Default for Told {
    /// A small model on one core: 3 W for 0.33 s, and 0.1 s more a question.
    fn default() -> Self {
        Self {
            point: OperatingPoint {
                variant: "full".into(),
                resolution: 1,
                tiles: 1,
                threads: 1,
                cap_mhz: None,
            },
            accuracy: 1.0,
            step: Watts(3.0),
            look: Duration::from_millis(330),
            question: Duration::from_millis(100),
        }
    }
}

/// What heat does to the board: two masses in a row, the die on the case and
/// the case in the air.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thermal {
    /// Average watts are chosen so that the die settles no hotter than this.
    pub derate: Celsius,
    /// No look starts that would bring the die here.
    pub critical: Celsius,
    /// How much hotter than the air the case settles, K/W of the whole board.
    pub case_kelvin_per_watt: f64,
    /// How fast: its time constant.
    pub case: Duration,
    /// How much hotter than the case the die settles, K/W of the whole board.
    pub die_kelvin_per_watt: f64,
    /// How fast: its time constant.
    pub die: Duration,
    /// The hottest air that the camera is made for, which is taken where no
    /// sensor tells the temperature; `None`: nothing is known, and heat
    /// without a sensor is the hardware's own business.
    pub ambient_most: Option<Celsius>,
}

impl Default for Thermal {
    fn default() -> Self {
        Self {
            derate: Celsius(85.0),
            critical: Celsius(95.0),
            case_kelvin_per_watt: 4.0,
            case: Duration::from_secs(900),
            die_kelvin_per_watt: 2.5,
            die: Duration::from_secs(20),
            ambient_most: None,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            points: Vec::new(),
            idle: Watts(5.0),
            switched: Watts(0.0),
            tolerance: 0.05,
            modelled_tolerance: 0.10,
            margin: 0.03,
            cap: None,
            savings: Duration::from_secs(30),
            floor: Duration::from_secs(60),
            gap: Duration::from_millis(200),
            deadline: Duration::from_secs(10),
            thermal: Thermal::default(),
        }
    }
}

/// What a rule wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// How often it wants to be looked at.
    pub wanted: Duration,
    /// More slows later.
    pub priority: u8,
    /// Questions that it asks of the model; 0: the detector alone answers.
    pub questions: usize,
    /// What it can do with at the least, where that is more often than
    /// [`Config::floor`]: a third of its hold, say.
    pub need: Option<Duration>,
}
