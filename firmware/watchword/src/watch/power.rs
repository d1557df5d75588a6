//! Watts: what the board says goes to the governor, and what the governor makes
//! of it is told.

use scene::ports::Readings;
use scene::{Joules, Moment, Quantity, Sight};

use super::Watch;
use super::event::Effect;

/// Puts what a look took by the best that is known in the place of what the
/// model reckoned. Each answer keeps its share.
pub(super) fn took(sight: &mut Sight, took: Quantity<Joules>) {
    let by = took.value.0 / sight.joules.value.0;
    let fresh = sight.fresh_answers();
    for answer in sight.answers.iter_mut().filter(|a| a.age.is_none()) {
        let joules = match by.is_finite() {
            true => answer.joules.value.0 * by,
            false => took.value.0 / fresh as f64,
        };
        answer.joules = Quantity {
            value: Joules(joules),
            source: took.source,
        };
    }
    sight.joules = took;
}

impl Watch {
    /// Takes in what the board says.
    pub(super) fn read(&mut self, readings: &Readings, now: Moment, effects: &mut Vec<Effect>) {
        if let Some(reason) = self.governor.observe(now.mono, readings) {
            effects.push(Effect::GiveUp { reason });
        }
    }
}
