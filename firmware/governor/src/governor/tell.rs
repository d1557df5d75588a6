//! What the governor tells of itself: the balance, costs, reasons.

use std::time::Duration;

use scene::{Celsius, Id, Joules, Mono, OperatingPoint, Quantity, Source, Watts};
use serde::Serialize;

use super::{Cause, Governor, Learned};
use crate::config::Wish;
use crate::cost::Cost;
use crate::over::{OverBudget, feasible};
use crate::pace::{self, Pace};

/// The balance, for `…/power`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct State {
    /// What counts: the lower of what the PSE granted and the operator's limit.
    pub allotment: Quantity<Watts>,
    /// Who said what was granted: `lldp`, `class 3`, …
    pub allotment_by: String,
    /// What the operator lowered it to.
    pub limit: Option<Watts>,
    /// What of it is never used, the sensor's tolerance included.
    pub margin: Watts,
    /// The board's draw as read last; `None` if nothing tells it.
    pub board: Option<Quantity<Watts>>,
    /// Who read it.
    pub board_by: Option<String>,
    /// The board without looks.
    pub baseline: Quantity<Watts>,
    /// Kept free for what can switch on by itself.
    pub reserve: Watts,
    /// What is left for looks on average.
    pub share: Watts,
    /// What looks took on average lately.
    pub inference: Watts,
    /// What a look adds while it runs.
    pub watts_per_inference: Quantity<Watts>,
    /// Expected energy of a look with one question.
    pub joules_per_inference: Quantity<Joules>,
    /// The operating point.
    pub point: OperatingPoint,
    /// How many there are to choose from.
    pub points: usize,
    /// Energy saved up for looks; below 0 when they took more than expected.
    pub saved: Joules,
    /// The die.
    pub hottest: Option<Quantity<Celsius>>,
    /// What keeps looks from being made at will, if anything does.
    pub throttle: Option<Throttled>,
    /// What is wrong with sensors.
    pub problems: Vec<String>,
}

/// Why looks are held back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Throttled {
    /// Kind of reason.
    pub cause: Cause,
    /// In words.
    pub reason: String,
}

impl Governor {
    /// How often a rule is looked at now; `None` if it is not known.
    pub fn interval_now(&self, rule: &Id) -> Option<Duration> {
        self.rules.get(rule).map(|e| e.pace.interval)
    }

    /// The longest time that a rule went without a look within the last hour
    /// or so; `None` if it is not known.
    pub fn blind(&self, rule: &Id, now: Mono) -> Option<Duration> {
        self.rules.get(rule).map(|e| e.blind.longest(now))
    }

    /// Why a rule is looked at less often than it wants; `None` if it is not.
    pub fn slowed(&self, rule: &Id) -> Option<String> {
        let pace = &self.rules.get(rule)?.pace;
        if !slow(pace) {
            return None;
        }
        let (gets, wants) = (pace.interval.as_secs_f64(), pace.wish.wanted.as_secs_f64());
        let (_, why) = self.scarce();
        Some(format!(
            "checked every {gets:.1} s instead of {wants:.1} s: {why}"
        ))
    }

    /// What there is too little of for more looks.
    fn scarce(&self) -> (Cause, String) {
        let here = self.costs.current();
        let (share, step) = (self.share(), self.costs.step(here));
        if share >= step * super::DUTY_MOST {
            let seconds = self.costs.seconds(here, 1);
            let why = format!(
                "a look takes {seconds:.2} s, and rules want more of them than there is time for"
            );
            return (Cause::Busy, why);
        }
        let left = format!("{share:.2} W are left for inference");
        if self.power.capped(self.heat.budget()) {
            return (
                Cause::Energy,
                format!("{left}, by the limit that is set for it"),
            );
        }
        match self.cool_matters() {
            true => (Cause::Heat, format!("{left}, so that it stays cool enough")),
            false => (Cause::Energy, left),
        }
    }

    /// What holds looks back now, or slows rules.
    fn throttled(&self) -> Option<Throttled> {
        if let Some((cause, reason)) = self.throttle.clone() {
            return Some(Throttled { cause, reason });
        }
        let slowed = self.rules.values().filter(|e| slow(&e.pace)).count();
        let (cause, why) = self.scarce();
        (slowed > 0).then(|| Throttled {
            cause,
            reason: match slowed {
                1 => format!("1 rule is checked less often than it wants: {why}"),
                n => format!("{n} rules are checked less often than they want: {why}"),
            },
        })
    }

    /// Whether it is heat that leaves looks no more.
    pub(super) fn cool_matters(&self) -> bool {
        let budget = self.heat.budget();
        !self.power.capped(budget) && budget.is_some_and(|heat| heat < self.power.usable())
    }

    /// What a rule costs at its interval now; `None` if it is not known.
    pub fn cost(&self, rule: &Id) -> Option<Cost> {
        let pace = &self.rules.get(rule)?.pace;
        Some(self.costs.cost(pace.interval, pace.wish.questions))
    }

    /// What a rule with so many `questions` would cost, looked at every
    /// `every`.
    pub fn cost_of(&self, every: Duration, questions: usize) -> Cost {
        self.costs.cost(self.clamp(every), questions)
    }

    /// Whether another rule (or `rule`, if it is known, as `wish` says) can be
    /// afforded: all rules at their floors, at the cheapest operating point.
    /// Gives what it costs as it wishes.
    pub fn fits(&self, rule: &Id, wish: &Wish) -> Result<Cost, OverBudget> {
        let others = || {
            let others = self.rules.iter().filter(|(id, _)| *id != rule);
            others.map(|(_, entry)| &entry.pace)
        };
        let floor = wish.floor(self.config.floor);
        // Of heat nothing is known soon after a start; what proves too hot is
        // slowed then.
        let heat = self.heat.budget().filter(|_| self.heat.settled());
        let left = self.power.share(heat);
        let mut best: Option<OverBudget> = None;
        for index in 0..self.costs.len() {
            let (times, step) = (self.times(index), self.costs.step(index));
            let most = (left / step.max(1e-3)).min(super::DUTY_MOST);
            let duty = |every: Duration| {
                let more = Some((every, wish.questions));
                pace::duty_floors(others(), more, times, self.config.floor)
            };
            let fits = self.power.fits(self.costs.step_most(index)) || self.power.fits_now(step);
            if !fits && self.costs.len() > 1 {
                continue;
            }
            if duty(floor) <= most {
                return Ok(self.costs.cost(self.clamp(wish.wanted), wish.questions));
            }
            let over = OverBudget {
                feasible: feasible(floor, most, duty),
                needs: Watts(step * duty(floor)),
                left: Watts(left),
            };
            let sooner = |b: &OverBudget| match (over.feasible, b.feasible) {
                (Some(this), Some(other)) => this < other,
                (this, other) => this.is_some() && other.is_none(),
            };
            if best.as_ref().is_none_or(sooner) {
                best = Some(over);
            }
        }
        Err(best.unwrap_or(OverBudget {
            feasible: None,
            needs: Watts(self.costs.step(self.costs.current())),
            left: Watts(0.0),
        }))
    }

    /// Whether a look has been settled, so that costs are more than told.
    pub fn learned(&self) -> bool {
        self.costs.learned()
    }

    /// What is worth keeping over a reboot.
    pub fn keep(&self) -> Learned {
        Learned {
            points: self.costs.learnt(),
            lowest: self.power.low(),
        }
    }

    /// Takes up what was kept, as far as it makes sense here.
    pub fn recall(&mut self, kept: &Learned) {
        self.costs.recall(&kept.points);
        self.power.recall(kept.lowest);
        let doubt = self.costs.doubt();
        self.power.meter_mut().rebase(doubt);
        self.saved = self.costs.joules(self.costs.current(), 1);
    }

    /// The balance as of the last readings.
    pub fn state(&self) -> State {
        let here = self.costs.current();
        let granted = self.power.granted();
        let reading = self.power.reading();
        let told = match self.power.measured() && self.power.meter().sure() {
            true => Source::Measured,
            false => Source::Modelled,
        };
        let die = self.heat.die().map(|c| Quantity {
            value: Celsius(c),
            source: match self.heat.told() {
                true => Source::Measured,
                false => Source::Modelled,
            },
        });
        State {
            allotment: Quantity {
                value: Watts(self.power.allotment()),
                source: granted.map_or(Source::Modelled, |r| r.source),
            },
            allotment_by: granted.map_or_else(|| "nothing".into(), |r| r.by.to_string()),
            limit: self.power.limit(),
            margin: Watts(self.power.margin()),
            board: reading.map(|r| r.quantity()),
            board_by: reading.map(|r| r.by.to_string()),
            baseline: self.power.baseline(),
            reserve: Watts(self.power.reserve()),
            share: Watts(self.share()),
            inference: Watts(self.inference),
            watts_per_inference: Quantity {
                value: Watts(self.costs.step(here)),
                source: told,
            },
            joules_per_inference: Quantity {
                value: Joules(self.costs.joules(here, 1)),
                source: told,
            },
            point: self.costs.point(here).clone(),
            points: self.costs.len(),
            saved: Joules(self.saved),
            hottest: die,
            throttle: self.throttled(),
            problems: self.problems.clone(),
        }
    }
}

/// Whether a rule gets less than it wants. Bisection leaves a hair's breadth.
fn slow(pace: &Pace) -> bool {
    pace.interval > pace.wish.wanted.mul_f64(1.01)
}

pub(super) fn word(source: Source) -> &'static str {
    match source {
        Source::Measured => "measured",
        Source::Modelled => "modelled",
    }
}
