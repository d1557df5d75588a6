use std::path::{Path, PathBuf};
use std::time::Duration;

use scene::Watts;
use scene::ports::{Board, Clock, Reading, Readings};

use crate::PlatformError;
use crate::clock::{SystemClock, since_start};
use crate::meter::Meter;
use crate::spec::{BoardSpec, EnergyCounter};
use crate::sysfs::{self, Rapl};

/// The allotment where the class says nothing: 802.3af.
const LOWEST: Watts = Watts(12.95);

/// A board and its sensors.
#[derive(Debug)]
pub struct Platform {
    spec: BoardSpec,
    root: PathBuf,
    rapl: Option<Rapl>,
    meter: Meter,
}

impl Platform {
    /// The board described in `board_dir`, with its sensors below `root` (`/`
    /// on a real board, a recorded tree in a test).
    pub fn open(board_dir: &Path, root: &Path) -> Result<Self, PlatformError> {
        let spec = BoardSpec::load(board_dir)?;
        let rapl = match spec.power.energy_counter {
            EnergyCounter::None => None,
            EnergyCounter::Rapl => Rapl::find(root),
        };
        if spec.power.energy_counter == EnergyCounter::Rapl && rapl.is_none() {
            tracing::warn!(
                board = spec.board.name,
                "the energy counter of the processor can't be read (only root may, on most systems); \
                 board watts are modelled"
            );
        }
        Ok(Self {
            meter: Meter::new(&spec),
            spec,
            root: root.to_path_buf(),
            rapl,
        })
    }

    /// What the board's file says.
    pub fn spec(&self) -> &BoardSpec {
        &self.spec
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
        let cpu_time = cpu_time();
        let joules = self.rapl.as_mut().and_then(Rapl::joules);
        let now = SystemClock::new().now().mono;
        let board = self.meter.read(now, cpu_time, joules);
        Readings {
            // Nobody told more than the class yet.
            allotment: Reading::modelled(self.spec.poe.allotment().unwrap_or(LOWEST), "class"),
            board: Some(Reading {
                value: board.value,
                source: board.source,
                age: Duration::ZERO,
                by: "board.toml".into(),
            }),
            hottest: sysfs::hottest(&self.root).map(|t| Reading::measured(t, "thermal zone")),
            frequency_mhz: None,
            cpu_time,
            problems: Vec::new(),
        }
    }
}
