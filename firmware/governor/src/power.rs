//! What the board draws without inference, and what is left for it.

use scene::ports::Readings;
use scene::{Mono, Source};

use crate::Config;

/// Time constant of averages, seconds: longer than a look, shorter than the
/// savings.
const AVERAGE: f64 = 30.0;

/// Averages of the board's draw and of what looks took of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Power {
    last: Option<Mono>,
    board: Option<f64>,
    inference: f64,
    settled: f64,
    now: Now,
}

/// The balance as of the last reading, in watts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub allotment: f64,
    pub margin: f64,
    /// The board without inference, for the average.
    pub baseline: f64,
    /// The board without inference, for the peak: no lower than just read.
    pub peak: f64,
    pub source: Source,
    cap: f64,
}

impl Default for Now {
    fn default() -> Self {
        Self {
            allotment: 0.0,
            margin: 0.0,
            baseline: 0.0,
            peak: 0.0,
            source: Source::Modelled,
            cap: 0.0,
        }
    }
}

impl Now {
    /// What is left for inference on average.
    pub fn share(&self) -> f64 {
        let left = self.allotment - self.margin - self.baseline;
        left.min(self.cap).max(0.0)
    }
}

impl Power {
    /// A look took so many joules.
    pub fn settle(&mut self, joules: f64) {
        self.settled += joules;
    }

    /// Average watts of looks.
    pub fn inference(&self) -> f64 {
        self.inference
    }

    pub fn now(&self) -> Now {
        self.now
    }

    /// Takes readings in; gives the seconds since the last ones.
    ///
    /// Board watts that are modelled, or that come from an energy counter, are
    /// averages and hold what looks took, which is taken out again. Those of a
    /// power sensor are of this moment, in which no look runs.
    pub fn read(&mut self, config: &Config, at: Mono, readings: &Readings) -> f64 {
        let dt = self.last.map_or(0.0, |last| at.since(last).as_secs_f64());
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        let gain = 1.0 - (-dt / AVERAGE).exp();
        if dt > 0.0 {
            self.inference += gain * (self.settled / dt - self.inference);
            self.settled = 0.0;
        }
        let sane = |w: f64| w.is_finite() && w >= 0.0;
        let board = readings.board.filter(|b| sane(b.value.0));
        let (reading, source) = match board {
            Some(b) => (b.value.0, b.source),
            None => (config.board.0, Source::Modelled),
        };
        let average = self
            .board
            .map_or(reading, |old| old + gain * (reading - old));
        self.board = Some(average);
        let holds_looks =
            board.is_some() && (source == Source::Modelled || readings.energy_joules.is_some());
        let (baseline, peak) = match holds_looks {
            true => {
                let rest = (average - self.inference).max(0.0);
                (rest, rest)
            }
            false => (average, average.max(reading)),
        };
        let allotment = readings.allotment.value.0;
        let allotment = if sane(allotment) { allotment } else { 0.0 };
        let margin = match source {
            Source::Measured => config.margin,
            Source::Modelled => config.modelled_margin,
        };
        self.now = Now {
            allotment,
            margin: allotment * margin,
            baseline,
            peak,
            source,
            cap: config.cap.map_or(f64::INFINITY, |w| w.0),
        };
        dt
    }
}
