//! Judges starts by what could be known, apart from any policy.

use std::collections::VecDeque;

use scene::ports::Readings;
use scene::{Mono, Source};

use super::scenario::{Scenario, Sensor};

/// Readings that are averaged against noise.
const MEAN: usize = 8;
/// Standard deviations of the sensor's noise that are no knowledge.
const SIGMAS: f64 = 3.0;
/// Looks kept: more than a sensor can look back on.
const LOOKS: usize = 64;

/// What a start was judged by, W or °C.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unsafe {
    /// Seconds from the beginning.
    pub at: f64,
    /// The board without looks, by readings.
    pub board: f64,
    /// What the look was believed to add.
    pub step: f64,
    /// The allotment as read.
    pub allotment: f64,
    /// The die as read, where it was critical.
    pub hottest: Option<f64>,
}

/// Keeps what was read and what ran.
///
/// A start is *unsafe* if the board's draw as last read, less what that
/// reading holds of looks, plus what the policy believes the look to add,
/// passes the allotment as read by more than three standard deviations of the
/// sensor's noise; or the mean of the last eight readings does so by three of
/// its own, and the last one agrees with it; or if the die as read is at its
/// critical temperature. Without noise any excess counts.
#[derive(Clone, Debug)]
pub struct Watch {
    sensor: Option<Sensor>,
    idle: f64,
    critical: f64,
    /// Start, end, watts as believed at the start.
    looks: VecDeque<(f64, f64, f64)>,
    boards: VecDeque<f64>,
    measured: bool,
    allotment: f64,
    hottest: Option<f64>,
    read: f64,
    noise: f64,
}

impl Watch {
    /// Of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            sensor: scenario.power_sensor,
            idle: scenario.board.idle_watts,
            critical: scenario.board.critical_celsius,
            looks: VecDeque::new(),
            boards: VecDeque::new(),
            measured: false,
            allotment: f64::INFINITY,
            hottest: None,
            read: 0.0,
            noise: 0.0,
        }
    }

    /// Joules of looks between two moments, as believed.
    fn believed(&self, from: f64, to: f64) -> f64 {
        (self.looks.iter())
            .map(|(start, end, watts)| (end.min(to) - start.max(from)).max(0.0) * watts)
            .sum()
    }

    /// What was read.
    pub fn read(&mut self, t: f64, readings: &Readings) {
        let dt = (t - self.read).clamp(1e-3, 2.0);
        self.read = t;
        self.allotment = readings.allotment.value.0;
        self.hottest = readings.hottest.as_ref().map(|h| h.value.0);
        let Some(board) = &readings.board else { return };
        let measured = board.source == Source::Measured;
        if measured != self.measured {
            self.boards.clear();
            self.measured = measured;
        }
        let without = match (measured, self.sensor) {
            (true, Some(s)) => {
                let then = t - s.latency_seconds;
                // At one moment: as good as the microsecond before.
                let from = if s.averages { then - dt } else { then - 1e-6 };
                self.noise = s.noise * board.value.0 + s.quantum / 2.0;
                board.value.0 - self.believed(from, then) / (then - from)
            }
            _ => {
                self.noise = 0.0;
                self.idle
            }
        };
        if self.boards.len() == MEAN {
            self.boards.pop_front();
        }
        self.boards.push_back(without);
    }

    /// A look starts that is believed to add `step` watts.
    pub fn start(&mut self, now: Mono, step: f64) -> Option<Unsafe> {
        let t = now.as_secs_f64();
        if self.looks.len() == LOOKS {
            self.looks.pop_front();
        }
        self.looks.push_back((t, f64::INFINITY, step));
        let newest = self.boards.back().copied().unwrap_or(self.idle);
        let n = self.boards.len().max(1) as f64;
        let mean = self.boards.iter().sum::<f64>() / n;
        let single = SIGMAS * self.noise;
        let over = |board: f64, doubt: f64| board + step > self.allotment + doubt + 1e-9;
        let agrees = self.boards.len() == MEAN && (newest - mean).abs() <= single + 1e-9;
        let peak = over(newest, single) || agrees && over(mean, single / n.sqrt());
        let hot = self.hottest.filter(|h| *h >= self.critical);
        (peak || hot.is_some()).then_some(Unsafe {
            at: t,
            board: newest,
            step,
            allotment: self.allotment,
            hottest: hot,
        })
    }

    /// The look that runs is over.
    pub fn end(&mut self, t: f64) {
        if let Some(look) = self.looks.back_mut() {
            look.1 = look.1.min(t);
        }
    }

    /// The power was cut.
    pub fn restart(&mut self, t: f64) {
        self.end(t);
        self.boards.clear();
    }
}

#[cfg(test)]
mod tests {
    use scene::ports::{Board, Reading};
    use scene::{Celsius, Watts};

    use super::super::random;
    use super::*;
    use crate::SimBoard;

    fn watch(noise: f64, latency_seconds: f64) -> Watch {
        let mut s = random::scenario(1);
        s.power_sensor = Some(Sensor {
            noise,
            bias: 0.0,
            quantum: 0.0,
            latency_seconds,
            averages: true,
        });
        s.board.critical_celsius = 95.0;
        Watch::new(&s)
    }

    fn read(watch: &mut Watch, t: f64, watts: f64, celsius: f64) {
        let mut r = SimBoard::default().read();
        r.board = Some(Reading::measured(Watts(watts), "x"));
        r.hottest = Some(Reading::measured(Celsius(celsius), "x"));
        watch.read(t, &r);
    }

    #[test]
    fn what_is_read_decides() {
        let mut w = watch(0.0, 0.0);
        read(&mut w, 0.5, 9.0, 40.0);
        assert_eq!(w.start(Mono::from_secs_f64(0.6), 3.9), None);
        w.end(0.7);
        assert!(w.start(Mono::from_secs_f64(0.7), 4.0).is_some(), "13 W");
        w.end(0.8);
        read(&mut w, 3.0, 5.0, 95.0);
        assert!(w.start(Mono::from_secs_f64(3.0), 1.0).is_some(), "hot");
    }

    #[test]
    fn looks_are_taken_out_of_late_readings() {
        let mut w = watch(0.0, 2.0);
        read(&mut w, 0.5, 9.0, 40.0);
        assert_eq!(w.start(Mono::from_secs_f64(1.0), 3.0), None);
        w.end(2.0);
        // What is read from 3.0 to 3.5 s is of 1.0 to 1.5 s, all of it the look.
        read(&mut w, 3.0, 9.0, 40.0);
        read(&mut w, 3.5, 12.0, 40.0);
        let mut again = w.clone();
        assert_eq!(again.start(Mono::from_secs_f64(3.6), 3.0), None);
        // What is read at 5.0 s is of a time without a look.
        read(&mut w, 4.5, 12.0, 40.0);
        read(&mut w, 5.0, 12.0, 40.0);
        assert!(w.start(Mono::from_secs_f64(5.1), 3.0).is_some());
    }

    #[test]
    fn noise_is_no_knowledge_but_its_mean_is() {
        let mut w = watch(0.05, 0.0);
        for n in 0..8 {
            read(
                &mut w,
                f64::from(n),
                if n % 2 == 0 { 9.4 } else { 10.2 },
                40.0,
            );
        }
        assert_eq!(w.clone().start(Mono::from_secs_f64(9.0), 3.5), None);
        assert!(w.start(Mono::from_secs_f64(9.0), 4.0).is_some());
    }
}
