//! `calibration.toml`: what operating points cost and are worth on one board.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use governor::Told;
use jiff::Timestamp;
use scene::{Id, Joules, OperatingPoint, Source, Watts};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version of the form that this program writes and reads.
pub const VERSION: u32 = 1;

/// More points than any model and board offer together.
const MOST_POINTS: usize = 256;
/// A step above this is none of a camera's: the most that PoE grants is 71.3 W.
const MOST_WATTS: f64 = 100.0;
/// Longer looks are of no use to anybody.
const LONGEST: Duration = Duration::from_secs(600);

/// What was found out. Closed: a key that is not listed here is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// [`VERSION`]
    pub version: u32,
    /// The board that was reckoned with, as in `board/<name>`.
    pub board: Id,
    /// The model's `id/version/variant`, and the detector's after ` + `.
    pub model: String,
    /// SHA-256 of the packages, see [`super::fingerprint`].
    pub package: String,
    /// What it ran on, for people and to tell machines apart.
    pub machine: String,
    /// When it was begun.
    pub when: Timestamp,
    /// Measured if a power sensor told the watts of every point.
    pub source: Source,
    /// Rounds over all points that were asked for.
    pub rounds: u32,
    /// Whether all of them were made.
    pub finished: bool,
    /// For the governor: medians of the points that have at least one round.
    #[serde(default)]
    pub points: Vec<Told>,
    /// The same and more, for people, with every round as it was measured.
    #[serde(default)]
    pub measured: Vec<Measured>,
    /// The points that nothing runs at here, or that would say nothing.
    #[serde(default)]
    pub skipped: Vec<Skipped>,
}

/// One operating point: medians over its rounds; spreads are the difference of
/// the largest and the smallest round, as a share of the median.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Which.
    pub point: OperatingPoint,
    /// How right its answers are, 0..1.
    pub accuracy: f64,
    /// Whether the package tells it; else it is reckoned from the size.
    pub accuracy_source: Source,
    /// Whether a sensor told the watts of all rounds.
    pub source: Source,
    /// Energy of a look with one question.
    pub joules: Joules,
    /// See above.
    pub joules_spread: f64,
    /// Energy of each further question.
    pub joules_per_question: Joules,
    /// What a look adds to the board's draw.
    pub watts: Watts,
    /// See above.
    pub watts_spread: f64,
    /// A look with one question, wall time.
    pub look_ms: f64,
    /// See above.
    pub look_spread: f64,
    /// Each further question.
    pub question_ms: f64,
    /// CPU time of a look with one question, all threads.
    pub cpu_ms: f64,
    /// Bytes of weights and cache that such a look moves, 10⁶; modelled from
    /// sizes of files and tensors.
    pub megabytes: f64,
    /// Going there from another point, the shortest.
    pub switch_ms: f64,
    /// As they were measured, in turn.
    pub rounds: Vec<Round>,
}

/// One round of one point: means over its looks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Which, from 0.
    pub round: u32,
    /// Looks with one question, and as many with several.
    pub looks: u32,
    /// A look with one question, wall time.
    pub look_ms: f64,
    /// Each further question.
    pub question_ms: f64,
    /// CPU time of a look with one question.
    pub cpu_ms: f64,
    /// What looks added to the board's draw.
    pub watts: f64,
    /// Whether a sensor said so.
    pub source: Source,
    /// Bytes moved by a look with one question, 10⁶.
    pub megabytes: f64,
    /// Going there.
    pub switch_ms: f64,
}

/// A point that was left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skipped {
    /// Which.
    pub point: OperatingPoint,
    /// In a sentence.
    pub why: String,
}

/// Why a calibration can't be used.
#[derive(Debug, Error)]
pub enum CalibrationError {
    /// It is not there, or may not be read.
    #[error("the calibration {} can't be read: {why}; `watchword calibrate` makes one", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// It is not in the form.
    #[error(
        "{} is no calibration of this form: {why}; delete it and run `watchword calibrate` again",
        path.display()
    )]
    Form {
        /// Which.
        path: PathBuf,
        /// Where and what.
        why: String,
    },
    /// A value makes no sense.
    #[error(
        "{}: {what} is {value}, {why}; delete it and run `watchword calibrate` again",
        path.display()
    )]
    Value {
        /// Which.
        path: PathBuf,
        /// The key.
        what: String,
        /// What it says.
        value: String,
        /// What is expected.
        why: String,
    },
    /// It can't be written.
    #[error("the calibration {} can't be written: {why}; choose another place with --out", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
}

/// Reads what `watchword calibrate` wrote, whole or cut short, as long as one
/// point was measured.
pub fn read(path: &Path) -> Result<Calibration, CalibrationError> {
    let calibration = load(path)?;
    if calibration.points.is_empty() {
        return Err(CalibrationError::Value {
            path: path.into(),
            what: "points".into(),
            value: "empty".into(),
            why: "and at least one must have been measured".into(),
        });
    }
    Ok(calibration)
}

/// The same; it may have no points yet.
pub(super) fn load(path: &Path) -> Result<Calibration, CalibrationError> {
    let form = |why: String| CalibrationError::Form {
        path: path.into(),
        why,
    };
    let text = fs::read_to_string(path).map_err(|why| match why.kind() {
        io::ErrorKind::InvalidData => form("it is not UTF-8".into()),
        _ => CalibrationError::Read {
            path: path.into(),
            why,
        },
    })?;
    // First, since another version has other keys.
    let any: toml::Table =
        toml::from_str(&text).map_err(|e| form(e.to_string().trim_end().into()))?;
    match any.get("version").and_then(toml::Value::as_integer) {
        Some(version) if version == i64::from(VERSION) => {}
        Some(version) => {
            return Err(form(format!("its version is {version}, not {VERSION}")));
        }
        None => return Err(form("it has no version".into())),
    }
    let calibration: Calibration =
        toml::from_str(&text).map_err(|e| form(e.to_string().trim_end().into()))?;
    calibration.check(path)?;
    Ok(calibration)
}

impl Calibration {
    fn check(&self, path: &Path) -> Result<(), CalibrationError> {
        let refuse = |what: String, value: String, why: &str| CalibrationError::Value {
            path: path.into(),
            what,
            value,
            why: why.into(),
        };
        let all = [self.points.len(), self.measured.len(), self.skipped.len()];
        if let Some(many) = all.iter().find(|n| **n > MOST_POINTS) {
            let why = "and no model and board offer so many";
            return Err(refuse("the number of points".into(), many.to_string(), why));
        }
        let mut seen = BTreeSet::new();
        for told in &self.points {
            let name = |key: &str| format!("{key} of point {}", told.point);
            if !seen.insert(&told.point) {
                let point = told.point.to_string();
                return Err(refuse("a point".into(), point, "which is there twice"));
            }
            if !(0.0..=1.0).contains(&told.accuracy) {
                let value = told.accuracy.to_string();
                return Err(refuse(name("accuracy"), value, "not within 0 to 1"));
            }
            let sane = |w: f64| w > 0.0 && w <= MOST_WATTS;
            if !sane(told.step.0) {
                let why = "not above 0 W and at most 100 W";
                return Err(refuse(name("step"), told.step.0.to_string(), why));
            }
            if told.look + told.question == Duration::ZERO || told.look > LONGEST {
                let value = told.look.as_secs_f64() * 1e3;
                let why = "and a look takes more than nothing and at most 600,000 ms";
                return Err(refuse(name("look_ms"), value.to_string(), why));
            }
            if told.question > LONGEST {
                let value = told.question.as_secs_f64() * 1e3;
                let why = "more than 600,000 ms";
                return Err(refuse(name("question_ms"), value.to_string(), why));
            }
        }
        Ok(())
    }

    /// What is told of the `offered` points, at whatever cap on the frequency
    /// was measured; of the others nothing is known.
    pub fn told(&self, offered: &[OperatingPoint]) -> Vec<Told> {
        let is_offered = |told: &&Told| {
            let plain = OperatingPoint {
                cap_mhz: None,
                ..told.point.clone()
            };
            offered.contains(&plain)
        };
        self.points.iter().filter(is_offered).cloned().collect()
    }

    /// Writes it so that a power cut leaves the old file or the new one.
    pub fn write(&self, path: &Path) -> Result<(), CalibrationError> {
        self.write_bytes(path)
            .map_err(|why| CalibrationError::Write {
                path: path.into(),
                why,
            })
    }

    fn write_bytes(&self, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        let folder = folder_of(path);
        let (mut file, staged) = stage(path)?;
        let intro = "# Written by `watchword calibrate`; do not edit by hand.\n";
        file.write_all(intro.as_bytes())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&staged, path)?;
        File::open(folder)?.sync_all()
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// The file beside `path` that takes its place when it is whole.
fn stage(path: &Path) -> io::Result<(File, PathBuf)> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    let staged = folder.join(name);
    Ok((File::create(&staged)?, staged))
}

/// Whether it could be written there: found out before an hour of measuring.
pub(super) fn can_write(path: &Path) -> Result<(), CalibrationError> {
    let try_it = || {
        if path.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let (_, staged) = stage(path)?;
        fs::remove_file(staged)
    };
    try_it().map_err(|why| CalibrationError::Write {
        path: path.into(),
        why,
    })
}

/// The middle of numbers; 0 of none.
pub(super) fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = numbers.collect();
    all.sort_by(f64::total_cmp);
    match all.len() {
        0 => 0.0,
        n if n % 2 == 1 => all[n / 2],
        n => f64::midpoint(all[n / 2 - 1], all[n / 2]),
    }
}

/// Largest less smallest, as a share of the median.
fn spread(numbers: impl Iterator<Item = f64> + Clone) -> f64 {
    let (least, most) = numbers
        .clone()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), n| {
            (l.min(n), m.max(n))
        });
    let middle = median(numbers);
    match middle > 0.0 && most >= least {
        true => (most - least) / middle,
        false => 0.0,
    }
}

impl Measured {
    /// A point of which nothing is measured yet.
    pub(super) fn new(point: OperatingPoint, accuracy: scene::Quantity<f64>) -> Self {
        Self {
            point,
            accuracy: accuracy.value,
            accuracy_source: accuracy.source,
            source: Source::Modelled,
            joules: Joules(0.0),
            joules_spread: 0.0,
            joules_per_question: Joules(0.0),
            watts: Watts(0.0),
            watts_spread: 0.0,
            look_ms: 0.0,
            look_spread: 0.0,
            question_ms: 0.0,
            cpu_ms: 0.0,
            megabytes: 0.0,
            switch_ms: 0.0,
            rounds: Vec::new(),
        }
    }

    /// Takes one more round in.
    pub(super) fn add(&mut self, round: Round) {
        self.rounds.push(round);
        let all = |of: fn(&Round) -> f64| self.rounds.iter().map(of);
        let joules = |r: &Round| r.watts * r.look_ms / 1e3;
        self.joules = Joules(median(all(joules)));
        self.joules_spread = spread(all(joules));
        self.joules_per_question = Joules(median(all(|r| r.watts * r.question_ms / 1e3)));
        self.watts = Watts(median(all(|r| r.watts)));
        self.watts_spread = spread(all(|r| r.watts));
        self.look_ms = median(all(|r| r.look_ms));
        self.look_spread = spread(all(|r| r.look_ms));
        self.question_ms = median(all(|r| r.question_ms));
        self.cpu_ms = median(all(|r| r.cpu_ms));
        self.megabytes = median(all(|r| r.megabytes));
        self.switch_ms = all(|r| r.switch_ms).fold(f64::INFINITY, f64::min);
        let measured = |r: &Round| r.source == Source::Measured;
        self.source = match self.rounds.iter().all(measured) {
            true => Source::Measured,
            false => Source::Modelled,
        };
    }

    /// As the governor takes it.
    pub(super) fn told(&self) -> Told {
        let millis = |ms: f64| Duration::from_secs_f64(ms.max(0.0) / 1e3);
        Told {
            point: self.point.clone(),
            accuracy: self.accuracy,
            step: self.watts,
            look: millis(self.look_ms - self.question_ms),
            question: millis(self.question_ms),
        }
    }
}
