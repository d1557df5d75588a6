use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use scene::{Celsius, Watts};
use serde::Deserialize;

use crate::PlatformError;

/// What `board/<name>/board.toml` says. Closed: a key that is not listed here
/// is refused.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardSpec {
    /// `[board]`
    pub board: BoardName,
    /// `[video]`
    pub video: Video,
    /// `[poe]`
    pub poe: Poe,
    /// `[power]`
    pub power: Power,
    /// `[thermal]`
    pub thermal: Thermal,
    /// `[compute]`
    pub compute: Compute,
    /// `[boot]`
    pub boot: Boot,
}

/// Which board this is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardName {
    /// The name of its folder.
    pub name: String,
    /// For people.
    pub title: String,
}

/// Fills the placeholders of the pipelines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Video {
    /// `pipelines/source-<source>.toml`
    pub source: String,
    /// `pipelines/encoder-<encoder>.toml`, one or a list in order of
    /// preference: the next is taken where one is not installed or fails.
    #[serde(deserialize_with = "one_or_more")]
    pub encoder: Vec<String>,
    /// How pictures come from this board's Video4Linux drivers, where
    /// GStreamer's own choice is not the best.
    #[serde(default)]
    pub io_mode: Option<IoMode>,
    /// The most that is asked of a camera on this board, whatever the
    /// configuration asks for.
    #[serde(default)]
    pub most: Option<Mode>,
}

/// A size and a rate of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// Pixels, 16 to 7680.
    pub width: u32,
    /// Pixels, 16 to 4320.
    pub height: u32,
    /// Pictures a second, 1 to 240.
    pub rate: u32,
}

/// How a Video4Linux driver hands pictures over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IoMode {
    /// In its own buffers, which the encoder can import.
    Dmabuf,
    /// In its own buffers, mapped.
    Mmap,
}

impl IoMode {
    /// As `board.toml` and GStreamer call it.
    pub fn name(self) -> &'static str {
        match self {
            IoMode::Dmabuf => "dmabuf",
            IoMode::Mmap => "mmap",
        }
    }
}

fn one_or_more<'de, D: serde::Deserializer<'de>>(form: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a name, or a list of names")]
    enum Names {
        One(String),
        More(Vec<String>),
    }
    Ok(match Names::deserialize(form)? {
        Names::One(name) => vec![name],
        Names::More(names) => names,
    })
}

/// How the board is fed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poe {
    /// Class of the powered device, 0..=8 (IEEE 802.3bt table 145-11). It
    /// caps what it is granted; alone it grants no more than 12.95 W.
    pub class: u8,
    /// Whether `lldpcli` is asked what the switch allocated. Yes, unless said
    /// otherwise.
    #[serde(default = "yes")]
    pub lldp: bool,
    /// Where the powered device's controller shows what it was granted;
    /// `None`: nowhere.
    #[serde(default)]
    pub pins: Option<Pins>,
}

/// The lines that a PD controller shows its grant on, by the names that the
/// device tree gives them (`gpio-line-names`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// Which controller it is.
    pub controller: Controller,
    /// TPH of the TPS2372 and TPS2373.
    #[serde(default)]
    pub tph: Option<String>,
    /// TPL of the TPS2372 and TPS2373.
    #[serde(default)]
    pub tpl: Option<String>,
    /// BT of the TPS2372 and TPS2373. Without it an auxiliary adapter on a
    /// TPS2373 can't be told from 51 W.
    #[serde(default)]
    pub bt: Option<String>,
    /// T2P of the TPS23731.
    #[serde(default)]
    pub t2p: Option<String>,
}

/// A PD controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Controller {
    /// TPH, TPL, BT.
    Tps2372,
    /// TPH, TPL, BT, and an auxiliary adapter.
    Tps2373,
    /// T2P alone.
    Tps23731,
}

fn yes() -> bool {
    true
}

impl Poe {
    /// Watts at the device for its class, after the loss in 100 m of cable.
    /// `None` for a class that does not exist.
    pub fn allotment(&self) -> Option<Watts> {
        Some(Watts(match self.class {
            0 | 3 => 12.95,
            1 => 3.84,
            2 => 6.49,
            4 => 25.5,
            5 => 40.0,
            6 => 51.0,
            7 => 62.0,
            8 => 71.3,
            _ => return None,
        }))
    }
}

/// What it draws: the sensor that tells, and what stands in for one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// The whole board with video running and no inference, at no load of
    /// this process, watts at the PoE input.
    pub idle_watts: f64,
    /// What one core adds at full load, watts.
    pub watts_per_core: f64,
    /// What measures the whole board's draw. `none` unless said otherwise:
    /// watts are modelled.
    #[serde(default)]
    pub sensor: Sensor,
    /// Which one, where a board has several of a kind: the name of its device,
    /// `"1-0040"` for address 0x40 on I2C bus 1.
    #[serde(default)]
    pub at: Option<String>,
    /// Which inputs of an `ina3221` are added up: labels (`in1_label`) or
    /// numbers ("1" to "3").
    #[serde(default)]
    pub channels: Vec<String>,
    /// Watts where the sensor sits for each watt at the PoE input, 0.5 to 1:
    /// what the converters between them lose. What the sensor says is divided
    /// by it.
    #[serde(default = "one")]
    pub efficiency: f64,
    /// How far the sensor may be off, 0 to 0.3 of what it says. 0.05 unless
    /// said otherwise: a shunt of 1 %, its tracks, and a converter's
    /// efficiency that is not constant.
    #[serde(default = "tolerance")]
    pub tolerance: f64,
    /// Loads that can switch on by themselves, watts at the PoE input:
    /// `infrared`, `heater`, a step of the `encoder`. None unless named.
    #[serde(default)]
    pub switched: BTreeMap<String, f64>,
}

fn one() -> f64 {
    1.0
}

fn tolerance() -> f64 {
    0.05
}

/// What measures a board's draw. hwmon and IIO devices are found by their
/// `name`, never by their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensor {
    /// Nothing: board watts are modelled.
    #[default]
    None,
    /// The only one that is found: not `rapl` and `pmic`, which are no whole
    /// board's, and an `ina3221` only with `channels`.
    Auto,
    /// hwmon.
    Ina226,
    /// hwmon; its energy counter gives averages.
    Ina228,
    /// hwmon.
    Ina238,
    /// hwmon; `channels` says which inputs.
    Ina3221,
    /// IIO (`ina2xx-adc`): an INA219, 220, 226, 230 or 231.
    Ina2xx,
    /// power_supply of the Raspberry Pi PoE+ HAT, behind its 5 V converter.
    #[serde(rename = "rpi-poe")]
    RpiPoe,
    /// The Raspberry Pi 5's power management, by `vcgencmd`: an estimate.
    Pmic,
    /// The processor packages of an x86 machine; what lies outside of them is
    /// not in it.
    Rapl,
}

impl Sensor {
    /// As board.toml and the readings call it.
    pub fn name(self) -> &'static str {
        match self {
            Sensor::None => "none",
            Sensor::Auto => "auto",
            Sensor::Ina226 => "ina226",
            Sensor::Ina228 => "ina228",
            Sensor::Ina238 => "ina238",
            Sensor::Ina3221 => "ina3221",
            Sensor::Ina2xx => "ina2xx",
            Sensor::RpiPoe => "rpi-poe",
            Sensor::Pmic => "pmic",
            Sensor::Rapl => "rapl",
        }
    }
}

/// How hot it may get, and how heat leaves it: a die on a case in the air, two
/// thermal masses and two resistances. The defaults are estimates for a
/// four-core SoC in a small aluminium housing without a fan; they are what a
/// prediction begins with.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thermal {
    /// No inference at or above this, degrees Celsius.
    pub critical_celsius: f64,
    /// Inference gets less from here on, degrees Celsius, below the critical.
    /// 10 below it unless said otherwise; [`Thermal::derate`].
    #[serde(default)]
    pub derate_celsius: Option<f64>,
    /// What the case is warmer than the air, kelvin for each watt of the
    /// board; 0.2 to 30, 2.0 unless said otherwise: natural convection and
    /// radiation take about 10 W/(m² K) from a housing of 0.05 m².
    #[serde(default = "kelvin_per_watt")]
    pub kelvin_per_watt: f64,
    /// Time constant of the case, seconds; 30 to 7200, 900 unless said
    /// otherwise.
    #[serde(default = "case_seconds")]
    pub case_seconds: f64,
    /// What the die is warmer than the case, kelvin for each watt of the
    /// board; 0.1 to 30, 2.0 unless said otherwise.
    #[serde(default = "die_kelvin_per_watt")]
    pub die_kelvin_per_watt: f64,
    /// Time constant of the die, seconds; 1 to 300, 20 unless said otherwise.
    #[serde(default = "die_seconds")]
    pub die_seconds: f64,
    /// The hottest air that it is made for, degrees Celsius, the sun's heat
    /// included; 0 to 85, 55 unless said otherwise.
    #[serde(default = "ambient_most_celsius")]
    pub ambient_most_celsius: f64,
}

fn kelvin_per_watt() -> f64 {
    2.0
}

fn case_seconds() -> f64 {
    900.0
}

fn die_kelvin_per_watt() -> f64 {
    2.0
}

fn die_seconds() -> f64 {
    20.0
}

fn ambient_most_celsius() -> f64 {
    55.0
}

impl Thermal {
    /// No inference at or above this.
    pub fn critical(&self) -> Celsius {
        Celsius(self.critical_celsius)
    }

    /// Inference gets less from here on.
    pub fn derate(&self) -> Celsius {
        Celsius(self.derate_celsius.unwrap_or(self.critical_celsius - 10.0))
    }

    /// Time constant of the case.
    pub fn case(&self) -> Duration {
        Duration::from_secs_f64(self.case_seconds)
    }

    /// Time constant of the die.
    pub fn die(&self) -> Duration {
        Duration::from_secs_f64(self.die_seconds)
    }
}

/// What it reckons with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compute {
    /// Cores that the power model knows; load above it is not counted.
    pub cores: u32,
    /// Threads for inference, no more than cores.
    pub threads: u32,
    /// Caps on the processor's frequency that are worth a try, MHz, rising;
    /// none unless named.
    #[serde(default)]
    pub caps_mhz: Vec<u32>,
}

/// How it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boot {
    /// What counts failed starts.
    pub counter: Counter,
}

/// What counts failed starts of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// Nothing: no image is made for this board.
    None,
    /// UEFI boot entries or GRUB's environment on the ESP.
    Uefi,
    /// The Raspberry Pi's `tryboot`.
    Tryboot,
    /// U-Boot's environment.
    Uboot,
}

/// The boards that there are beside `dir`.
fn known(dir: &Path) -> Vec<String> {
    let beside = dir.parent().map(fs::read_dir);
    let mut names: Vec<String> = (beside.into_iter().flatten().flatten().flatten())
        .filter(|entry| entry.path().join("board.toml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

impl BoardSpec {
    /// Reads `<dir>/board.toml`, whose `[board] name` must be the folder's.
    pub fn load(dir: &Path) -> Result<Self, PlatformError> {
        let path = dir.join("board.toml");
        let text = fs::read_to_string(&path).map_err(|e| PlatformError::Missing {
            path: path.clone(),
            why: e.to_string(),
            known: known(dir),
        })?;
        let spec: Self = toml::from_str(&text).map_err(|e| PlatformError::Form {
            path: path.clone(),
            why: e.to_string().trim_end().to_string(),
        })?;
        crate::check::check(&spec, dir, &path)?;
        Ok(spec)
    }

    /// What full inference adds to the board's draw, until it is learned.
    pub fn step(&self) -> Watts {
        Watts(f64::from(self.compute.threads) * self.power.watts_per_core)
    }
}
