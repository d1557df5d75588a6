use std::time::Duration;

use scene::ports::{Board, Readings};
use scene::{Celsius, Quantity, Watts};

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
                allotment: Quantity::modelled(Watts(12.95)),
                board: Some(Quantity::measured(Watts(4.0))),
                hottest: Some(Celsius(40.0)),
                cpu_time: Duration::ZERO,
                energy_joules: None,
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
