use std::fmt;
use std::time::Duration;

use scene::Severity;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a rule asks about its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicate {
    /// How many there are.
    Count,
    /// Whether there is one.
    Presence,
    /// Whether there is none.
    Absence,
    /// Whether one is in a state: open, fallen, parked.
    State,
    /// Whether one did something: entered, left, fell.
    Event,
}

/// How a count is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparator {
    /// More than.
    Gt,
    /// At least.
    Ge,
    /// Fewer than.
    Lt,
    /// At most.
    Le,
    /// Exactly.
    Eq,
    /// Any number but.
    Ne,
    /// From low to high, both included.
    Between,
}

/// What a count is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Threshold {
    /// One number.
    One(u64),
    /// Low and high, both included.
    Range([u64; 2]),
}

/// Whether `count` compares with `threshold` as `comparator` says. A range
/// with a comparator other than `between` compares with its low end.
pub fn compares(comparator: Comparator, threshold: Threshold, count: u64) -> bool {
    let (low, high) = match threshold {
        Threshold::One(n) => (n, n),
        Threshold::Range([low, high]) => (low, high),
    };
    match comparator {
        Comparator::Gt => count > low,
        Comparator::Ge => count >= low,
        Comparator::Lt => count < low,
        Comparator::Le => count <= low,
        Comparator::Eq => count == low,
        Comparator::Ne => count != low,
        Comparator::Between => (low..=high).contains(&count),
    }
}

/// A length of time, to the millisecond. In JSON a number of seconds, whole
/// when it is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds {
    millis: u64,
}

impl Seconds {
    /// No time.
    pub const ZERO: Seconds = Seconds { millis: 0 };

    /// `seconds` whole seconds.
    pub const fn new(seconds: u64) -> Self {
        Self {
            millis: seconds.saturating_mul(1000),
        }
    }

    /// `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// In milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.millis
    }

    /// In seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.millis as f64 / 1000.0
    }

    /// As a duration.
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.millis)
    }
}

impl fmt::Display for Seconds {
    /// "15 s", "2 min", "1 h", "1.5 min" as "90 s".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.millis;
        if ms > 0 && ms.is_multiple_of(3_600_000) {
            write!(f, "{} h", ms / 3_600_000)
        } else if ms > 0 && ms.is_multiple_of(60_000) {
            write!(f, "{} min", ms / 60_000)
        } else if ms.is_multiple_of(1000) {
            write!(f, "{} s", ms / 1000)
        } else {
            write!(f, "{} s", ms as f64 / 1000.0)
        }
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.millis.is_multiple_of(1000) {
            s.serialize_u64(self.millis / 1000)
        } else {
            s.serialize_f64(self.as_secs_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(d)?;
        if !(0.0..=1e12).contains(&seconds) {
            return Err(serde::de::Error::custom(format!(
                "{seconds} is not a length of time in seconds; give a number from 0 up"
            )));
        }
        Ok(Self {
            millis: (seconds * 1000.0).round() as u64,
        })
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    /// The days in order, Monday first.
    pub const ALL: [Day; 7] = [
        Day::Mon,
        Day::Tue,
        Day::Wed,
        Day::Thu,
        Day::Fri,
        Day::Sat,
        Day::Sun,
    ];

    /// 0 for Monday to 6 for Sunday.
    pub fn index(self) -> usize {
        self as usize
    }

    /// "Monday".
    pub fn name(self) -> &'static str {
        [
            "Monday",
            "Tuesday",
            "Wednesday",
            "Thursday",
            "Friday",
            "Saturday",
            "Sunday",
        ][self.index()]
    }
}

/// A time of the day: minutes after midnight, or a turn of the sun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeOfDay {
    /// Minutes after midnight, 0..1440.
    Clock(u16),
    /// When the sun rises.
    Sunrise,
    /// When the sun sets.
    Sunset,
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimeOfDay::Clock(m) => write!(f, "{:02}:{:02}", m / 60, m % 60),
            TimeOfDay::Sunrise => f.write_str("sunrise"),
            TimeOfDay::Sunset => f.write_str("sunset"),
        }
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let clock = || {
            let (h, m) = text.split_once(':')?;
            let (h, m): (u16, u16) = (h.parse().ok()?, m.parse().ok()?);
            (h < 24 && m < 60).then_some(TimeOfDay::Clock(h * 60 + m))
        };
        match text.as_str() {
            "sunrise" => Ok(TimeOfDay::Sunrise),
            "sunset" => Ok(TimeOfDay::Sunset),
            _ => clock().ok_or_else(|| {
                serde::de::Error::custom(format!(
                    "'{text}' is not a time of day; write HH:MM, sunrise or sunset"
                ))
            }),
        }
    }
}

/// When a rule watches. An end that is not after its start is on the next day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Schedule {
    /// The days on which it starts; `None` is every day.
    pub days: Option<Vec<Day>>,
    /// From then on; `None` is midnight.
    pub start: Option<TimeOfDay>,
    /// Until then; `None` is midnight.
    pub end: Option<TimeOfDay>,
}

/// Where a rule looks, in the user's words.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Place {
    /// One zone.
    One(String),
    /// Any of these.
    Many(Vec<String>),
}

impl Place {
    /// The zones' names.
    pub fn names(&self) -> &[String] {
        match self {
            Place::One(name) => std::slice::from_ref(name),
            Place::Many(names) => names,
        }
    }
}

/// What counts as the same alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dedup {
    /// One alert a visit, however long it is and however often it moves.
    PerEpisode,
}

/// What a sentence says. `None` is "not stated"; defaults are applied apart
/// from it ([`Rule::defaults`]) so that an echo can tell one from the other.
///
/// A compound rule has its parts in `all` or `any`, and only what concerns
/// the whole (schedule, hold, cool-down, severity, dedup) in its own fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The singular noun phrase that is watched: "person in queue".
    pub subject: Option<String>,
    /// What is asked about it.
    pub predicate: Option<Predicate>,
    /// How the count compares.
    pub comparator: Option<Comparator>,
    /// With what.
    pub threshold: Option<Threshold>,
    /// How long it must hold before an alert is raised.
    pub for_seconds: Option<Seconds>,
    /// Events are counted over this window: a rate, not a hold.
    pub window_seconds: Option<Seconds>,
    /// When it watches.
    pub schedule: Option<Schedule>,
    /// Where, without article and without a trailing "zone".
    pub zone: Option<Place>,
    /// The least time from one alert to the next.
    pub cooldown_seconds: Option<Seconds>,
    /// How urgent.
    pub severity: Option<Severity>,
    /// "open", "fallen", "parked".
    pub state: Option<String>,
    /// A verb: enter, exit, cross, appear, disappear, or another one's base form.
    pub action: Option<String>,
    /// A direction that the action does not already say.
    pub direction: Option<String>,
    /// What narrows the subject: "red", "not wearing hard hat".
    pub attributes: Vec<String>,
    /// What counts as the same alert.
    pub dedup: Option<Dedup>,
    /// Which camera; this firmware has one.
    pub camera: Option<String>,
    /// All of these hold.
    pub all: Option<Vec<Rule>>,
    /// Any of these holds.
    pub any: Option<Vec<Rule>>,
    /// The place as it was said, with its preposition and article: "near the
    /// crane". Words for questions and sentences, no part of the contract.
    #[serde(skip)]
    pub place: Option<String>,
}

/// What is applied where a sentence says nothing. A field is `null` where the
/// sentence states it itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defaults {
    /// The hold; 0 is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_seconds: Option<Seconds>,
    /// The cool-down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_seconds: Option<Seconds>,
    /// The severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

impl Rule {
    /// The cool-down of a rule that states none.
    pub const DEFAULT_COOLDOWN: Seconds = Seconds::new(60);
    /// How long a thing must be still and alone to count as unattended, in a
    /// rule that states no hold.
    pub const DEFAULT_UNATTENDED: Seconds = Seconds::new(60);

    /// What is applied where the sentence is silent.
    pub fn defaults(&self) -> Defaults {
        // An event happens in an instant, so a rule with one holds for none.
        let leaves = self.leaves();
        let instant = leaves.iter().any(|l| l.predicate == Some(Predicate::Event));
        let hold = if !instant && leaves.iter().any(|l| l.is_unattended()) {
            Self::DEFAULT_UNATTENDED
        } else {
            Seconds::ZERO
        };
        Defaults {
            for_seconds: self.for_seconds.is_none().then_some(hold),
            cooldown_seconds: self
                .cooldown_seconds
                .is_none()
                .then_some(Self::DEFAULT_COOLDOWN),
            severity: self.severity.is_none().then_some(Severity::Warning),
        }
    }

    /// The hold, stated or default.
    pub fn hold(&self) -> Seconds {
        (self.for_seconds.or(self.defaults().for_seconds)).unwrap_or_default()
    }

    /// The cool-down, stated or default.
    pub fn cooldown(&self) -> Seconds {
        self.cooldown_seconds.unwrap_or(Self::DEFAULT_COOLDOWN)
    }

    /// The severity, stated or default.
    pub fn severity(&self) -> Severity {
        self.severity.unwrap_or_default()
    }

    /// The parts that hold a condition: the rule itself, or those of `all`/`any`.
    pub fn leaves(&self) -> Vec<&Rule> {
        match self.all.as_ref().or(self.any.as_ref()) {
            Some(parts) => parts.iter().flat_map(|p| p.leaves()).collect(),
            None => vec![self],
        }
    }

    /// Whether it is about a thing that somebody left.
    pub fn is_unattended(&self) -> bool {
        (self.subject.as_deref()).is_some_and(|s| s.starts_with("unattended "))
    }

    /// With every default written out: two rules that do the same are equal so.
    pub fn with_defaults(&self) -> Rule {
        Rule {
            for_seconds: Some(self.hold()),
            cooldown_seconds: Some(self.cooldown()),
            severity: Some(self.severity()),
            ..self.clone()
        }
    }
}
