use std::fs;
use std::path::Path;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poe {
    /// Class of the powered device, 0..=8 (IEEE 802.3bt table 145-11). What
    /// it is granted is taken for this until something tells more.
    pub class: u8,
}

impl Poe {
    /// Watts at the device for its class, after the loss in 100 m of cable.
    /// `None` for a class that does not exist.
    pub fn allotment(self) -> Option<Watts> {
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

/// What stands in for a power sensor.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// The whole board with video running and no inference, at no load of
    /// this process, watts.
    pub idle_watts: f64,
    /// What one core adds at full load, watts.
    pub watts_per_core: f64,
    /// A counter of energy to measure with.
    pub energy_counter: EnergyCounter,
}

/// A counter of energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnergyCounter {
    /// There is none: board watts are modelled.
    None,
    /// The processor packages' of an x86 machine; what lies outside of them
    /// is not in it.
    Rapl,
}

/// How hot it may get.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thermal {
    /// No inference at or above this, degrees Celsius.
    pub critical_celsius: f64,
}

impl Thermal {
    /// The same, in the unit.
    pub fn critical(&self) -> Celsius {
        Celsius(self.critical_celsius)
    }
}

/// What it reckons with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compute {
    /// Cores that the power model knows; load above it is not counted.
    pub cores: u32,
    /// Threads for inference, no more than cores.
    pub threads: u32,
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

impl BoardSpec {
    /// Reads `<dir>/board.toml`, whose `[board] name` must be the folder's.
    pub fn load(dir: &Path) -> Result<Self, PlatformError> {
        let path = dir.join("board.toml");
        let text = fs::read_to_string(&path).map_err(|e| PlatformError::Missing {
            path: path.clone(),
            why: e.to_string(),
        })?;
        let spec: Self = toml::from_str(&text).map_err(|e| PlatformError::Form {
            path: path.clone(),
            why: e.to_string().trim_end().to_string(),
        })?;
        spec.check(dir, &path)?;
        Ok(spec)
    }

    fn check(&self, dir: &Path, path: &Path) -> Result<(), PlatformError> {
        let refuse = |key: &'static str, value: String, why: String| {
            Err(PlatformError::Value {
                path: path.to_path_buf(),
                key,
                value,
                why,
            })
        };
        // "." and a link have no or another name; what they lead to counts.
        let folder = dir.canonicalize().ok();
        let folder = folder.as_deref().unwrap_or(dir).file_name();
        if let Some(folder) = folder
            && folder != self.board.name.as_str()
        {
            let folder = folder.to_string_lossy();
            return refuse(
                "[board] name",
                format!("\"{}\"", self.board.name),
                format!("its folder is called \"{folder}\""),
            );
        }
        if self.video.encoder.is_empty() {
            let why = "name at least one".into();
            return refuse("[video] encoder", "[]".into(), why);
        }
        let source = ("[video] source", &self.video.source);
        let encoders = self.video.encoder.iter();
        let encoders = encoders.map(|name| ("[video] encoder", name));
        for (key, name) in std::iter::once(source).chain(encoders) {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if name.is_empty() || !name.bytes().all(plain) {
                let why = "it names a file of pipelines/: a-z, 0-9 and '-'".into();
                return refuse(key, format!("\"{name}\""), why);
            }
        }
        if let Some(most) = self.video.most {
            for (key, value, low, high) in [
                ("[video] most.width", most.width, 16, 7680),
                ("[video] most.height", most.height, 16, 4320),
                ("[video] most.rate", most.rate, 1, 240),
            ] {
                if !(low..=high).contains(&value) {
                    return refuse(key, value.to_string(), format!("it is {low} to {high}"));
                }
            }
        }
        if self.poe.allotment().is_none() {
            return refuse(
                "[poe] class",
                self.poe.class.to_string(),
                "classes run from 0 to 8".into(),
            );
        }
        let (p, t) = (&self.power, &self.thermal);
        for (key, value, low, high) in [
            ("[power] idle_watts", p.idle_watts, 0.0, 100.0),
            ("[power] watts_per_core", p.watts_per_core, 0.0, 100.0),
            (
                "[thermal] critical_celsius",
                t.critical_celsius,
                30.0,
                150.0,
            ),
            ("[compute] cores", f64::from(self.compute.cores), 1.0, 256.0),
        ] {
            if !(low..=high).contains(&value) {
                return refuse(key, value.to_string(), format!("it is {low} to {high}"));
            }
        }
        let Compute { cores, threads } = self.compute;
        if threads == 0 || threads > cores {
            let why = format!("it is 1 to the {cores} of [compute] cores");
            return refuse("[compute] threads", threads.to_string(), why);
        }
        Ok(())
    }

    /// What full inference adds to the board's draw, until it is learned.
    pub fn step(&self) -> Watts {
        Watts(f64::from(self.compute.threads) * self.power.watts_per_core)
    }
}
