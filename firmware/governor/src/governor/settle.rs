//! The end of a look: what it took is settled, its rules are looked at.

use std::time::Duration;

use scene::{Joules, Mono, Quantity};

use super::{Flight, Governor};

/// How much the newest look counts in the share of looks that cost something.
/// One that does counts more than one that does not: a scene that comes to
/// life must soon not be reckoned with as a still one.
const ASKED_UP: f64 = 0.2;
const ASKED_DOWN: f64 = 0.05;

impl Governor {
    /// The look that was permitted took `latency` and answered so many
    /// `questions`; its energy as the model reckons it is `modelled`. The
    /// difference to what was expected is made good. Gives the energy by the
    /// best that is known.
    pub fn settle(
        &mut self,
        now: Mono,
        modelled: Quantity<Joules>,
        latency: Duration,
        questions: usize,
    ) -> Quantity<Joules> {
        let now = now.max(self.now);
        self.now = now;
        let Some(flight) = self.flight.take() else {
            return modelled;
        };
        self.activity.end(now, Some(now - latency));
        let here = self.costs.current();
        let seconds = latency.as_secs_f64();
        let sane = |j: f64| j.is_finite() && j >= 0.0;
        let whole = !flight.given_up;
        if whole {
            self.costs.took(latency, questions);
        }
        let told = self.power.measured() && self.power.meter().sure();
        let took = match (told, sane(modelled.value.0)) {
            (true, _) => Quantity::measured(Joules(self.costs.step(here) * seconds)),
            (false, true) => {
                if whole && seconds >= 0.01 && !self.power.measured() {
                    self.costs.modelled(modelled.value.0 / seconds);
                }
                modelled
            }
            (false, false) => Quantity::modelled(Joules(flight.predicted)),
        };
        self.saved += flight.predicted - took.value.0;
        self.spent += took.value.0;
        self.asked += ASKED_UP * (1.0 - self.asked);
        match whole {
            true => self.looked(&flight, now),
            false => self.undo(flight),
        }
        took
    }

    fn looked(&mut self, flight: &Flight, now: Mono) {
        for (id, ..) in &flight.before {
            if let Some(entry) = self.rules.get_mut(id) {
                entry.blind.looked(now);
            }
        }
    }

    /// The rules of the look are due again.
    fn undo(&mut self, flight: Flight) {
        for (id, due, looked) in flight.before {
            if let Some(entry) = self.rules.get_mut(&id) {
                entry.due = due;
                entry.looked = looked;
            }
        }
    }

    /// The look that was permitted needed no model, since nothing had changed:
    /// the joules are given back, and nothing is learned about what looks cost.
    pub fn reused(&mut self, now: Mono) {
        self.now = now.max(self.now);
        self.activity.forget();
        self.asked -= ASKED_DOWN * self.asked;
        if let Some(flight) = self.flight.take() {
            self.saved += flight.predicted;
            self.looked(&flight, self.now);
        }
    }

    /// The look that was permitted did not happen (no frame came): the joules
    /// are given back and the rules are due again.
    pub fn cancel(&mut self, now: Mono) {
        self.now = now.max(self.now);
        self.activity.forget();
        if let Some(flight) = self.flight.take() {
            self.saved += flight.predicted;
            self.undo(flight);
        }
    }
}
