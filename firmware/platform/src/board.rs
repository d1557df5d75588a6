use std::path::{Path, PathBuf};
use std::time::Duration;

use scene::ports::{Board, Clock, Reading, Readings};
use scene::{Celsius, Mono, Watts};

use crate::allotment::{Allotment, Grants};
use crate::clock::{SystemClock, since_start};
use crate::command::{Asked, Bounds, Tell, Told};
use crate::frequency::{self, Frequency};
use crate::health::{Judge, Kind};
use crate::meter::{Model, Said};
use crate::pins::{self, Gpio, Lines};
use crate::power::{self, Found, HatGrant};
use crate::spec::{BoardSpec, Sensor};
use crate::sysfs::Attribute;
use crate::thermal::{Rise, Zones};
use crate::{PlatformError, lldp};

/// What is looked for and was not there is looked for again after this.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The switch's word, every ten seconds: lldpd hears it at most every second,
/// and usually every thirty. An answer of a megabyte is no neighbour's.
const LLDP: Bounds = Bounds {
    every: Duration::from_secs(10),
    patience: Duration::from_secs(5),
    most: 1 << 20,
};

/// The power management of a Raspberry Pi 5: a page of text.
const PMIC: Bounds = Bounds {
    every: Duration::from_secs(1),
    patience: Duration::from_secs(2),
    most: 1 << 14,
};

/// Who tells what `/sys` does not.
#[derive(Default)]
pub struct Outside {
    /// `lldpcli -f json0 show neighbors details`.
    pub lldp: Option<Box<dyn Tell>>,
    /// `vcgencmd pmic_read_adc`.
    pub pmic: Option<Box<dyn Tell>>,
    /// The lines of the PD controller.
    pub pins: Option<Box<dyn Lines>>,
}

impl Outside {
    /// This machine's, as `spec` says.
    pub fn of(spec: &BoardSpec) -> Self {
        let lldpcli = &["lldpcli", "-f", "json0", "show", "neighbors", "details"];
        let vcgencmd = &["vcgencmd", "pmic_read_adc"];
        Self {
            lldp: (spec.poe.lldp).then(|| Box::new(Asked::new(lldpcli, LLDP)) as _),
            pmic: (spec.power.sensor == Sensor::Pmic)
                .then(|| Box::new(Asked::new(vcgencmd, PMIC)) as _),
            pins: (spec.poe.pins.clone()).map(|pins| Box::new(Gpio::new(pins)) as _),
        }
    }
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside")
            .field("lldp", &self.lldp.is_some())
            .field("pmic", &self.pmic.is_some())
            .field("pins", &self.pins.is_some())
            .finish()
    }
}

/// A board and its sensors.
#[derive(Debug)]
pub struct Platform {
    spec: BoardSpec,
    root: PathBuf,
    outside: Outside,
    allotment: Allotment,
    switch: Switch,
    hat: HatGrant,
    power: Option<Found>,
    /// When to look for what is not there.
    look: Option<Mono>,
    /// Whether the sensor that was found can't be read any more.
    lost: bool,
    /// Why the board's sensor was not found.
    missing: Option<String>,
    judge: Judge,
    model: Model,
    zones: Zones,
    rise: Rise,
    frequency: frequency::Now,
    undervoltage: Option<Attribute>,
}

/// The last answer of lldpcli, read once.
#[derive(Debug, Default)]
struct Switch {
    read: Option<Mono>,
    granted: Option<(Watts, Mono)>,
    problem: Option<String>,
}

impl Switch {
    fn hear(&mut self, told: Option<Told>) {
        let Some(told) = told.filter(|told| Some(told.at) != self.read) else {
            return;
        };
        self.read = Some(told.at);
        self.granted = None;
        match told.text.and_then(|text| lldp::parse(&text)) {
            Ok(neighbours) => {
                self.granted = lldp::granted(&neighbours).map(|watts| (watts, told.at));
                self.problem = None;
            }
            Err(why) => {
                // Without a word from it 12.95 W stays, which looks like a
                // choice if nobody says why.
                if self.problem.as_ref() != Some(&why) {
                    tracing::info!(%why, "the switch can't be asked for its allotment");
                }
                self.problem = Some(why);
            }
        }
    }
}

impl Platform {
    /// The board described in `board_dir`, with its sensors below `root`: `/`
    /// on a real board. Below any other root (a recorded tree) nothing outside
    /// of it is asked.
    pub fn open(board_dir: &Path, root: &Path) -> Result<Self, PlatformError> {
        let spec = BoardSpec::load(board_dir)?;
        let outside = if root == Path::new("/") {
            Outside::of(&spec)
        } else {
            Outside::default()
        };
        Ok(Self::with(spec, root, outside))
    }

    /// The same, with `outside` to ask.
    pub fn open_with(
        board_dir: &Path,
        root: &Path,
        outside: Outside,
    ) -> Result<Self, PlatformError> {
        Ok(Self::with(BoardSpec::load(board_dir)?, root, outside))
    }

    fn with(spec: BoardSpec, root: &Path, outside: Outside) -> Self {
        Self {
            allotment: Allotment::new(&spec.poe),
            switch: Switch::default(),
            hat: HatGrant::new(root),
            power: None,
            look: None,
            lost: false,
            missing: None,
            judge: Judge::new(Kind::Power),
            model: Model::new(&spec),
            zones: Zones::new(root),
            rise: Rise::new(&spec.thermal),
            frequency: frequency::Now::new(root),
            undervoltage: None,
            root: root.to_path_buf(),
            outside,
            spec,
        }
    }

    /// What the board's file says.
    pub fn spec(&self) -> &BoardSpec {
        &self.spec
    }

    /// What every thermal zone says, by type, unjudged: for people. Empty
    /// before the first reading.
    pub fn zones(&self) -> Vec<(String, Celsius)> {
        self.zones.all()
    }

    /// The clocks of the processor's clusters and of other devices.
    pub fn frequencies(&self) -> Vec<Frequency> {
        frequency::all(&self.root)
    }

    /// Reads all sensors at `now`, this process having used `cpu_time`.
    pub fn read_at(&mut self, now: Mono, cpu_time: Duration) -> Readings {
        let mut problems = Vec::new();
        self.find(now);
        let modelled = self.model.watts(now, cpu_time);
        let board = self.board_watts(now, modelled, &mut problems);
        let rise = self.rise.kelvin(now, modelled);
        let hottest = (self.zones.hottest(now, rise, &mut problems))
            .map(|(celsius, zone)| Reading::measured(celsius, zone));
        let allotment = self.allotment(now, &mut problems);
        if let Some(alarm) = &self.undervoltage
            && alarm.whole() == Some(1)
        {
            problems.push(
                "rpi_volt: the board's supply voltage is too low; it slows down or fails under load".into(),
            );
        }
        Readings {
            allotment,
            board: Some(board),
            hottest,
            frequency_mhz: self.frequency.mhz(now),
            cpu_time,
            problems,
        }
    }

    fn board_watts(
        &mut self,
        now: Mono,
        modelled: f64,
        problems: &mut Vec<String>,
    ) -> Reading<Watts> {
        let reckoned = Reading::modelled(Watts(modelled), "CPU time");
        let Some(sensor) = &mut self.power else {
            problems.extend(self.missing.clone());
            return reckoned;
        };
        let name = sensor.kind.name();
        let pmic = self.outside.pmic.as_mut().and_then(|pmic| pmic.newest());
        let (raw, age) = match sensor.read(now, pmic.as_ref()) {
            Said::NotYet => return reckoned,
            Said::Watts(watts, age) => (Some(watts / self.spec.power.efficiency), age),
            Said::Nothing => (None, Duration::ZERO),
        };
        match self.judge.judge(now, raw, modelled) {
            Ok(watts) => {
                self.lost = false;
                Reading {
                    age,
                    ..Reading::measured(Watts(watts), name)
                }
            }
            Err(fault) => {
                // Who was asked elsewhere may know more than that.
                let why = pmic
                    .and_then(|told| told.text.err())
                    .filter(|_| raw.is_none());
                let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
                problems.push(format!("{name}: {fault}{why}; watts are modelled"));
                // Its device may have another number by now.
                self.lost = raw.is_none();
                reckoned
            }
        }
    }

    /// Looks for what has not been found, now and then.
    fn find(&mut self, now: Mono) {
        if self.look.is_some_and(|look| now < look) {
            return;
        }
        self.look = Some(now + LOOK_AGAIN);
        if self.undervoltage.is_none() {
            self.undervoltage = power::undervoltage(&self.root);
        }
        if self.power.is_some() && !self.lost {
            return;
        }
        let pmic = self.outside.pmic.as_deref();
        match power::find(&self.root, &self.spec.power, pmic) {
            Ok(found) => {
                self.power = found;
                self.missing = None;
            }
            // What was there once is missed by its own reading.
            Err(_) if self.lost => {}
            Err(why) => self.missing = Some(format!("{why}; watts are modelled")),
        }
    }

    fn allotment(&mut self, now: Mono, problems: &mut Vec<String>) -> Reading<Watts> {
        if let Some(lldp) = &mut self.outside.lldp {
            self.switch.hear(lldp.newest());
        }
        let mut told = Grants {
            lldp: self.switch.granted,
            hat: self.hat.watts(),
            pins: None,
        };
        let pins = self.outside.pins.as_mut().zip(self.spec.poe.pins.as_ref());
        if let Some((lines, pins)) = pins {
            let shown = lines.levels();
            match shown.and_then(|levels| pins::decode(pins.controller, levels)) {
                Ok(shown) => told.pins = Some(shown),
                Err(why) => problems.push(why),
            }
        }
        let (allotment, silent) = self.allotment.combine(now, &told);
        let lldp_is_silent = told.lldp.is_none() && !silent.is_empty();
        problems.extend(silent);
        // A machine without lldpd has no problem; one that lost it has.
        if lldp_is_silent {
            problems.extend(self.switch.problem.clone());
        }
        allotment
    }
}

/// CPU time of all threads of this process.
fn cpu_time() -> Duration {
    since_start(rustix::time::ClockId::ProcessCPUTime)
}

impl Board for Platform {
    fn name(&self) -> &str {
        &self.spec.board.name
    }

    fn read(&mut self) -> Readings {
        self.read_at(SystemClock::new().now().mono, cpu_time())
    }
}
