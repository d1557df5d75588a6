use std::time::Duration;

use scene::ports::{Board, Reading, Readings};
use scene::{Celsius, Watts};

/// A board whose sensors say what a test sets.
pub struct SimBoard {
    /// What the next reading says.
    pub readings: Readings,
}

impl Default for SimBoard {
    /// A class 3 board at rest: 12.95 W granted, 4 W drawn, 40 °C.
    fn default() -> Self {
        Self {
            readings: Readings {
                allotment: Reading::modelled(Watts(12.95), "class 3"),
                board: Some(Reading::measured(Watts(4.0), "sim")),
                hottest: Some(Reading::measured(Celsius(40.0), "sim")),
                frequency_mhz: None,
                cpu_time: Duration::ZERO,
                problems: Vec::new(),
            },
        }
    }
}

impl Board for SimBoard {
    fn name(&self) -> &str {
        "sim"
    }

    fn read(&mut self) -> Readings {
        self.readings.clone()
    }
}
