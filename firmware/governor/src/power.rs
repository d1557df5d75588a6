//! What was granted, what the board draws without looks, and what is left.

use std::time::Duration;

use scene::ports::{Reading, Readings};
use scene::{Mono, Quantity, Source, Watts};

use crate::Config;
use crate::activity::Activity;
use crate::meter::Meter;

/// Time constant of averages, seconds: longer than a look, shorter than the
/// savings.
const AVERAGE: f64 = 30.0;
/// Older readings are none.
const STALE: Duration = Duration::from_secs(5);
/// What a PSE bears for a moment over what it granted: a little less than
/// 802.3at table 33-18 says (14.4 W for 12.95 W).
const PEAK: f64 = 1.10;
/// The lowest draw of the board is that of a day.
const DAY: f64 = 86_400.0;
/// It is no higher than what is told of the board by this much.
const LOW_MOST: f64 = 1.25;

/// The lowest draw without looks, of today and of yesterday.
#[derive(Clone, Copy, Debug, Default)]
struct Low {
    average: Option<f64>,
    watched: f64,
    today: Option<f64>,
    yesterday: Option<f64>,
    since: f64,
}

impl Low {
    fn take(&mut self, board: f64, dt: f64) {
        let gain = 1.0 - (-dt / 300.0).exp();
        let average = self.average.map_or(board, |a| a + gain * (board - a));
        self.average = Some(average);
        self.watched += dt;
        self.since += dt;
        if self.watched < 600.0 {
            return;
        }
        self.today = Some(self.today.map_or(average, |low| low.min(average)));
        if self.since > DAY {
            self.since = 0.0;
            self.yesterday = self.today.take();
        }
    }

    fn get(&self) -> Option<f64> {
        match (self.today, self.yesterday) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

/// The balance.
#[derive(Clone, Debug)]
pub(crate) struct Power {
    meter: Meter,
    low: Low,
    last: Option<Mono>,
    limit: Option<f64>,
    granted: Option<Reading<Watts>>,
    reading: Option<Reading<Watts>>,
    /// The board without looks, averaged.
    average: Option<f64>,
    idle: f64,
    switched: f64,
    tolerance: f64,
    modelled_tolerance: f64,
    margin: f64,
    cap: f64,
}

impl Power {
    pub fn new(config: &Config) -> Self {
        Self {
            meter: Meter::new(config.idle.0),
            low: Low::default(),
            last: None,
            limit: None,
            granted: None,
            reading: None,
            average: None,
            idle: config.idle.0,
            switched: config.switched.0.max(0.0),
            tolerance: config.tolerance,
            modelled_tolerance: config.modelled_tolerance,
            margin: config.margin,
            cap: config.cap.map_or(f64::INFINITY, |w| w.0),
        }
    }

    pub fn set_limit(&mut self, limit: Option<Watts>) {
        self.limit = limit.map(|w| w.0).filter(|w| w.is_finite() && *w >= 0.0);
    }

    /// Looks take no more than this on average, however much is left.
    pub fn set_cap(&mut self, cap: Option<Watts>) {
        let sane = |w: &f64| w.is_finite() && *w >= 0.0;
        self.cap = cap.map(|w| w.0).filter(sane).unwrap_or(f64::INFINITY);
    }

    pub fn limit(&self) -> Option<Watts> {
        self.limit.map(Watts)
    }

    /// Takes readings in. Readings that say nothing sane say nothing.
    pub fn take(&mut self, now: Mono, readings: &Readings, activity: &Activity) {
        let dt = self.last.map_or(0.0, |last| now.since(last).as_secs_f64());
        self.last = Some(now);
        let sane = |w: &Reading<Watts>| w.value.0.is_finite() && w.value.0 >= 0.0;
        self.granted = Some(readings.allotment.clone()).filter(sane);
        let fresh = |r: &Reading<Watts>| sane(r) && r.age <= STALE;
        self.reading = readings.board.clone().filter(fresh);
        if let Some(reading) = &self.reading {
            self.meter
                .take(now - reading.age, reading.value.0, activity);
            self.low.take(self.meter.board(), dt);
        }
        let board = self.board();
        let gain = 1.0 - (-dt / AVERAGE).exp();
        self.average = Some(self.average.map_or(board, |a| a + gain * (board - a)));
    }

    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    pub fn meter_mut(&mut self) -> &mut Meter {
        &mut self.meter
    }

    /// Whether a sensor tells the board's draw now.
    pub fn measured(&self) -> bool {
        (self.reading.as_ref()).is_some_and(|r| r.source == Source::Measured)
    }

    /// What was read last, if it is fresh.
    pub fn reading(&self) -> Option<&Reading<Watts>> {
        self.reading.as_ref()
    }

    /// What was granted, as told.
    pub fn granted(&self) -> Option<&Reading<Watts>> {
        self.granted.as_ref()
    }

    /// What counts: the lower of what was granted and what the operator set.
    pub fn allotment(&self) -> f64 {
        let granted = self.granted.as_ref().map_or(0.0, |r| r.value.0);
        self.limit.map_or(granted, |limit| limit.min(granted))
    }

    fn tolerance(&self) -> f64 {
        match self.measured() {
            true => self.tolerance,
            false => self.modelled_tolerance.max(self.tolerance),
        }
    }

    /// What of the allotment may be used by what sensors say that is used:
    /// without the margin, and as if they said too little.
    pub fn usable(&self) -> f64 {
        self.allotment() * (1.0 - self.margin) / (1.0 + self.tolerance())
    }

    /// What never is.
    pub fn margin(&self) -> f64 {
        self.allotment() - self.usable()
    }

    /// The board without looks, now.
    pub fn board(&self) -> f64 {
        match self.reading {
            Some(_) => self.meter.board(),
            // Nobody sees what switches on now.
            None => self.worst().max(self.average.unwrap_or(0.0)),
        }
    }

    fn lowest(&self) -> f64 {
        (self.low.get()).map_or(self.idle, |low| low.min(self.idle * LOW_MOST))
    }

    /// The board without looks, with all on that can switch on by itself.
    pub fn worst(&self) -> f64 {
        self.lowest() + self.switched
    }

    /// The board without looks, and where that comes from.
    pub fn baseline(&self) -> Quantity<Watts> {
        Quantity {
            value: Watts(self.board()),
            source: match self.measured() {
                true => Source::Measured,
                false => Source::Modelled,
            },
        }
    }

    /// What may still switch on by itself, watts.
    pub fn reserve(&self) -> f64 {
        (self.worst() - self.board()).max(0.0)
    }

    /// What board and look draw at the most, watts, as far as a sensor that is
    /// off by its tolerance tells.
    fn most(&self, step: f64) -> f64 {
        (self.peak() + step) * (1.0 + self.tolerance())
    }

    /// The board without looks, as it may have become just now.
    fn peak(&self) -> f64 {
        match self.measured() {
            true => self.board().max(self.meter.newest()),
            false => self.board(),
        }
    }

    /// Whether a look that adds `step` fits whatever switches on meanwhile.
    pub fn fits(&self, step: f64) -> bool {
        self.most(step) + self.reserve() <= self.allotment() * (1.0 - self.margin)
    }

    /// Whether it fits now, and could be given up in time if something
    /// switches on, since a sensor would tell.
    pub fn fits_now(&self, step: f64) -> bool {
        let granted = self.granted.as_ref().map_or(0.0, |r| r.value.0);
        let peak = self.most(step) + self.reserve() <= granted * PEAK;
        self.measured() && peak && self.peak() + step <= self.usable()
    }

    /// Whether a look under way that adds `step` must be given up.
    pub fn breaks(&self, step: f64) -> Option<String> {
        let (draw, limit) = (self.board() + step, self.usable() + self.margin() / 2.0);
        (draw > limit).then(|| {
            format!(
                "the board draws {:.1} W and the look adds {step:.1} W, and {:.1} W are granted",
                self.board(),
                self.allotment()
            )
        })
    }

    /// Average watts that are left for looks.
    pub fn share(&self, heat: Option<f64>) -> f64 {
        self.left(heat).min(self.cap).max(0.0)
    }

    fn left(&self, heat: Option<f64>) -> f64 {
        let board = self.average.unwrap_or(0.0).max(self.board());
        self.usable().min(heat.unwrap_or(f64::INFINITY)) - board
    }

    /// Whether more would be left than looks may take.
    pub fn capped(&self, heat: Option<f64>) -> bool {
        self.left(heat) > self.cap
    }

    /// The lowest draw, to be kept over a reboot.
    pub fn low(&self) -> Option<Watts> {
        self.low.get().map(Watts)
    }

    pub fn recall(&mut self, low: Option<Watts>) {
        let sane = |w: &f64| w.is_finite() && (0.0..=200.0).contains(w);
        self.low.yesterday = low.map(|w| w.0).filter(sane).or(self.low.yesterday);
    }
}
