//! What the board draws without looks, and what looks add to it, told apart
//! while both go on.
//!
//! Each reading is taken for `board + correction x activity`, with `activity`
//! the watts that looks were believed to add while the reading was true. A
//! Kalman filter with these two states learns where they differ: the board
//! may wander and jump, the correction drifts slowly. How old readings really
//! are is not known, since drivers do not tell how long a sensor averages; a
//! bank of filters, one for each lag, runs side by side, and the one that
//! foresees the readings best is believed (multiple-model estimation: Magill,
//! "Optimal adaptive estimation of sampled stochastic processes", IEEE
//! Transactions on Automatic Control, 1965).

use std::time::Duration;

use scene::Mono;

use crate::activity::Activity;
use crate::kalman::Pair;

/// The lags that are reckoned with: none to 2 s.
const LAGS: u32 = 17;
const LAG_STEP: Duration = Duration::from_millis(125);
/// Looks this long ago still show.
const LOOK_BACK: Duration = Duration::from_millis(2_750);

/// How far the board wanders without jumping, W²/s.
const WANDER: f64 = 0.002;
/// How far the correction drifts, 1/s: it follows a change of 10 % within
/// minutes even where readings are noisy.
const DRIFT: f64 = 9e-6;
/// Variance of the correction that nothing was learned of.
const UNSURE: f64 = 0.09;
/// Variance of the correction up to which looks count as measured: 12 %.
const SURE: f64 = 0.015;
/// No sensor is taken to be better than this, W².
const LEAST_NOISE: f64 = 2.5e-3;
/// Surprises count as this many standard deviations at most: one reading must
/// not teach what is not so.
const ROBUST: f64 = 3.0;
/// How much of a jump while a look runs may be the look's, as a share of its
/// square.
const LOOKS_TOO: f64 = 0.2;
/// Part of a shift, in standard deviations, that is put down to noise, and how
/// much of the rest must add up to be a jump of the board (a CUSUM test: Page,
/// "Continuous inspection schemes", Biometrika, 1954).
/// One reading counts as [`MOST`] at most, since a look that begins or ends
/// within it is no jump.
const SLACK: f64 = 0.7;
const MOST: f64 = 3.0;
const JUMP: f64 = 6.0;
/// How much the newest reading counts in averages of squared errors.
const NEWEST: f64 = 0.02;
/// Another lag is believed when it errs by this much less for so many
/// readings.
const BETTER: f64 = 0.95;
const INSIST: u32 = 20;
/// Looks are seen if knowing of them makes the error this much less.
const SEES: f64 = 0.9;

#[derive(Clone, Copy, Debug)]
struct Filter {
    lag: Duration,
    /// The sensor averages from reading to reading, or says how it is at one
    /// moment.
    averages: bool,
    /// The board and the correction.
    state: Pair,
    noise: f64,
    up: f64,
    down: f64,
    error: f64,
}

impl Filter {
    fn new(lag: Duration, averages: bool, board: f64) -> Self {
        Self {
            lag,
            averages,
            state: Pair {
                x: [board, 1.0],
                p: [1.0, 0.0, UNSURE],
            },
            noise: 0.01,
            up: 0.0,
            down: 0.0,
            error: 1.0,
        }
    }

    /// `tells`: looks ran about this time, so that lags can be told apart.
    fn take(&mut self, reading: f64, activity: f64, dt: f64, tells: bool) {
        self.state.p[0] += WANDER * dt;
        self.state.p[2] = (self.state.p[2] + DRIFT * dt).min(UNSURE);
        let h = [1.0, activity];
        let surprise = reading - self.state.expected(h);
        let spread = self.state.spread(h);
        let expected = spread + self.noise;
        let sigmas = surprise / expected.sqrt();
        self.up = (self.up + sigmas.min(MOST) - SLACK).max(0.0);
        self.down = (self.down - sigmas.max(-MOST) - SLACK).max(0.0);
        let mut believed = surprise;
        if self.up > JUMP || self.down > JUMP {
            // Boards jump, costs drift: most of it is the board's, and the next
            // pause will tell.
            self.state.p[0] += surprise * surprise + 4.0 * self.noise;
            if activity > 0.2 {
                let doubt = LOOKS_TOO * (surprise / activity).powi(2);
                self.state.p[2] = (self.state.p[2] + doubt).min(UNSURE);
            }
            (self.up, self.down) = (0.0, 0.0);
        } else {
            let most = ROBUST * expected.sqrt();
            believed = surprise.clamp(-most, most);
        }
        let noise = (surprise * surprise).min(16.0 * expected) - spread;
        self.noise = (self.noise + NEWEST * (noise - self.noise)).max(LEAST_NOISE);
        if tells {
            self.error += NEWEST * ((surprise * surprise).min(25.0) - self.error);
        }
        let expected = self.state.expected(h);
        self.state.learn(h, expected + believed, self.noise);
        let [board, correction] = &mut self.state.x;
        *board = board.max(0.0);
        *correction = correction.clamp(0.2, 5.0);
    }
}

/// The bank.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    bank: Vec<Filter>,
    /// Takes looks for nothing: who foresees no better knows nothing of them.
    blank: Filter,
    best: usize,
    /// For how many readings another one has been better.
    better: u32,
    newest: f64,
    last: Option<Mono>,
    readings: u32,
}

impl Meter {
    /// Nothing is known but what was told of the board, watts.
    pub fn new(board: f64) -> Self {
        let lags = (0..LAGS).map(|n| LAG_STEP * n);
        let both = lags.flat_map(|lag| [(lag, true), (lag, false)]);
        Self {
            bank: both
                .map(|(lag, averages)| Filter::new(lag, averages, board))
                .collect(),
            blank: Filter::new(Duration::ZERO, true, board),
            best: 0,
            better: 0,
            newest: 0.0,
            last: None,
            readings: 0,
        }
    }

    /// A reading that was true until `at`.
    pub fn take(&mut self, at: Mono, reading: f64, activity: &Activity) {
        let Some(last) = self.last.replace(at) else {
            let filters = self.bank.iter_mut().chain([&mut self.blank]);
            for filter in filters {
                filter.state.x[0] = (reading - activity.mean(at, at)).max(0.0);
            }
            return;
        };
        if at <= last {
            self.last = Some(last);
            return;
        }
        let dt = at.since(last).as_secs_f64();
        // After a gap in the readings the window is not the gap.
        let from = last.max(at - Duration::from_secs(2));
        let tells = activity.mean(at - LOOK_BACK, at) > 0.0;
        self.blank.take(reading, 0.0, dt.min(600.0), tells);
        for (index, filter) in self.bank.iter_mut().enumerate() {
            let to = at - filter.lag;
            let from = if filter.averages {
                from - filter.lag
            } else {
                to
            };
            let active = activity.mean(from, to);
            if index == self.best {
                let looks = filter.state.x[1] * active;
                self.newest = reading - looks - ROBUST * filter.noise.sqrt();
            }
            filter.take(reading, active, dt.min(600.0), tells);
        }
        if !tells {
            return;
        }
        self.readings = self.readings.saturating_add(1);
        let error = |i: usize| self.bank[i].error;
        let least = (0..self.bank.len()).min_by(|a, b| error(*a).total_cmp(&error(*b)));
        match least {
            Some(least) if self.readings > 60 && error(least) < BETTER * error(self.best) => {
                self.better += 1;
                if self.better >= INSIST {
                    self.best = least;
                    self.better = 0;
                }
            }
            _ => self.better = 0,
        }
    }

    /// The board without looks, watts.
    pub fn board(&self) -> f64 {
        self.bank[self.best].state.x[0]
    }

    /// The same by the newest reading alone, no higher than its noise allows:
    /// what has just switched on shows here first.
    pub fn newest(&self) -> f64 {
        self.newest
    }

    /// By how much looks add more or less than believed.
    pub fn correction(&self) -> f64 {
        self.bank[self.best].state.x[1]
    }

    /// Standard deviation of the correction.
    pub fn doubt(&self) -> f64 {
        self.bank[self.best].state.p[2].sqrt()
    }

    /// Whether readings have told what looks add.
    pub fn sure(&self) -> bool {
        let best = &self.bank[self.best];
        best.state.p[2] < SURE && best.error < SEES * self.blank.error
    }

    /// How far back readings look.
    pub fn lag(&self) -> Duration {
        self.bank[self.best].lag
    }

    /// The correction goes back towards `to` by this share of the way, if it is
    /// higher.
    pub fn age(&mut self, to: f64, gain: f64) {
        for filter in &mut self.bank {
            let correction = &mut filter.state.x[1];
            *correction -= gain * (*correction - to).max(0.0);
        }
    }

    /// What looks are believed to add has changed, with `doubt` as a share of
    /// it: the correction starts again at 1.
    pub fn rebase(&mut self, doubt: f64) {
        for filter in &mut self.bank {
            filter.state.x[1] = 1.0;
            filter.state.p[1] = 0.0;
            filter.state.p[2] = (doubt * doubt).clamp(1e-6, UNSURE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A board of `base(t)` watts with looks of `step(t)` watts, `on` of
    /// `cycle` seconds, read through a sensor with a lag and noise.
    struct Plant<'f> {
        base: &'f dyn Fn(f64) -> f64,
        step: &'f dyn Fn(f64) -> f64,
        on: f64,
        cycle: f64,
        lag: f64,
        noise: f64,
    }

    /// Looks are believed to add 3 W.
    fn run(plant: &Plant, seconds: f64) -> Meter {
        let (mut meter, mut activity) = (Meter::new(5.0), Activity::default());
        let (mut t, mut running) = (0.0f64, false);
        let mut seed = 7u64;
        while t < seconds {
            let runs = t % plant.cycle < plant.on;
            if runs != running {
                match runs {
                    true => activity.start(Mono::from_secs_f64(t), 3.0),
                    false => activity.end(Mono::from_secs_f64(t), None),
                }
                running = runs;
            }
            if ((t / 0.05).round() as u64).is_multiple_of(10) {
                let then = (t - plant.lag).max(0.0);
                let adds = f64::from(then % plant.cycle < plant.on) * (plant.step)(then);
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                // Uniform with the variance of 1.
                let noise = ((seed >> 33) as f64 / (1u64 << 31) as f64 - 0.5) * 12f64.sqrt();
                let truth = (plant.base)(then) + adds;
                meter.take(
                    Mono::from_secs_f64(t),
                    truth * (1.0 + plant.noise * noise),
                    &activity,
                );
            }
            t = ((t / 0.05).round() + 1.0) * 0.05;
        }
        meter
    }

    const CALM: Plant = Plant {
        base: &|_| 6.0,
        step: &|_| 4.0,
        on: 1.3,
        cycle: 3.1,
        lag: 0.0,
        noise: 0.01,
    };

    fn close(meter: &Meter, step: f64, within: f64) {
        let error = meter.correction() * 3.0 / step - 1.0;
        assert!(
            error.abs() < within && meter.sure(),
            "{:.1} % off: board {:.2} W, lag {:?}, doubt {:.3}",
            error * 100.0,
            meter.board(),
            meter.lag(),
            meter.doubt()
        );
    }

    #[test]
    fn board_and_looks_are_told_apart() {
        close(&run(&CALM, 600.0), 4.0, 0.02);
        let noisy = Plant {
            noise: 0.05,
            ..CALM
        };
        close(&run(&noisy, 600.0), 4.0, 0.08);
        assert!((run(&CALM, 600.0).board() - 6.0).abs() < 0.1);
    }

    #[test]
    fn a_lag_is_found() {
        for lag in [0.5, 1.0, 2.0] {
            let late = Plant { lag, ..CALM };
            let meter = run(&late, 600.0);
            close(&meter, 4.0, 0.05);
            assert!(
                (meter.lag().as_secs_f64() - lag).abs() < 0.3,
                "{:?}",
                meter.lag()
            );
        }
    }

    #[test]
    fn a_jump_of_the_board_is_not_put_down_to_looks() {
        let infrared = Plant {
            base: &|t| {
                if (300.0..700.0).contains(&t) {
                    10.0
                } else {
                    6.0
                }
            },
            ..CALM
        };
        let meter = run(&infrared, 303.0);
        assert!(
            meter.board() > 9.0,
            "within seconds: {:.1} W",
            meter.board()
        );
        close(&run(&infrared, 330.0), 4.0, 0.08);
        close(&run(&infrared, 1_000.0), 4.0, 0.05);
    }

    #[test]
    fn costs_that_change_are_followed() {
        let dearer = Plant {
            step: &|t| if t > 600.0 { 4.4 } else { 4.0 },
            noise: 0.03,
            ..CALM
        };
        close(&run(&dearer, 900.0), 4.4, 0.04);
    }
}
