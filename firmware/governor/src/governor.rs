mod asked;
mod decide;
mod settle;
pub(crate) mod tell;

use std::collections::BTreeMap;
use std::time::Duration;

use scene::ports::Readings;
use scene::{Id, Mono, OperatingPoint, Watts};
use serde::{Deserialize, Serialize};

use crate::activity::Activity;
use crate::blind::Blind;
use crate::choose::{Candidate, Chooser};
use crate::config::{Config, Wish};
use crate::cost::{Costs, LearnedPoint};
use crate::heat::Heat;
use crate::pace::{self, Pace, Times};
use crate::power::Power;

/// Looks are taken to be at most this much cheaper than ones that ask.
const ASKED_LEAST: f64 = 0.1;

/// Looks take no more of the time than this.
const DUTY_MOST: f64 = 0.95;

/// Operating points are weighed and intervals reckoned this often.
const WEIGH_EVERY: Duration = Duration::from_secs(1);
/// Time constant with which a step that lets no look start is forgotten,
/// seconds.
const FORGETS: f64 = 600.0;
/// Savings up to this share of what can be saved up are not short.
const PLENTY: f64 = 0.8;

/// Kind of a [`Decision::Hold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A look would pass the allotment while it runs.
    Peak,
    /// The joules for a look are not saved up.
    Energy,
    /// It is too hot.
    Heat,
    /// The last look was just now, or one runs.
    Busy,
    /// All rules have been looked at lately enough.
    NothingDue,
    /// There are no rules.
    NoRules,
    /// A pause by which the board's own draw is learned.
    Sounding,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Look at one frame for these rules, together; then [`Governor::settle`],
    /// [`Governor::reused`] or [`Governor::cancel`].
    Look {
        /// Most urgent first.
        rules: Vec<Id>,
        /// How.
        point: OperatingPoint,
        /// Why now, in words.
        reason: String,
    },
    /// Don't look; ask again at `until`, or sooner if rules change.
    Hold {
        /// Kind of reason.
        cause: Cause,
        /// Why not, in words.
        reason: String,
        /// When it may be otherwise.
        until: Mono,
    },
}

/// What is worth keeping over a reboot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Of each operating point that ran.
    pub points: Vec<LearnedPoint>,
    /// The board's lowest draw of a day, without looks.
    pub lowest: Option<Watts>,
}

#[derive(Clone, Debug)]
struct Entry {
    pace: Pace,
    looked: Option<Mono>,
    due: Mono,
    blind: Blind,
}

impl Entry {
    /// When it is due: as often as it gets, or, where watts are not short, as
    /// often as it wants, since nothing is won by waiting.
    fn due(&self, plenty: bool) -> Mono {
        let wanted = self
            .looked
            .map_or(Mono::ZERO, |l| l + self.pace.wish.wanted);
        if plenty {
            wanted.min(self.due)
        } else {
            self.due
        }
    }
}

/// A look that was permitted and is not settled yet.
#[derive(Clone, Debug)]
struct Flight {
    predicted: f64,
    step: f64,
    /// It was told to give up.
    given_up: bool,
    /// The rules and when they were due and looked at before.
    before: Vec<(Id, Mono, Option<Mono>)>,
}

/// Turns due rules into permits to look.
#[derive(Clone, Debug)]
pub struct Governor {
    config: Config,
    /// Bounded by whoever registers; the store refuses more than it holds.
    rules: BTreeMap<Id, Entry>,
    costs: Costs,
    power: Power,
    heat: Heat,
    chooser: Chooser,
    activity: Activity,
    saved: f64,
    /// Average watts of looks.
    inference: f64,
    spent: f64,
    refilled: Option<Mono>,
    last_look: Option<Mono>,
    /// When looks last left a pause that readings could see.
    paused: Mono,
    sounding: Option<Mono>,
    /// Share of looks for which a model was asked, lately.
    asked: f64,
    flight: Option<Flight>,
    weighed: Option<Mono>,
    fitted: Option<Mono>,
    throttle: Option<(Cause, String)>,
    problems: Vec<String>,
    now: Mono,
}

impl Governor {
    /// No rules; a first look is allowed as soon as the board was observed.
    pub fn new(config: Config) -> Self {
        let costs = Costs::new(&config.points);
        Self {
            saved: costs.joules(0, 1),
            power: Power::new(&config),
            heat: Heat::new(config.thermal),
            costs,
            rules: BTreeMap::new(),
            chooser: Chooser::default(),
            activity: Activity::default(),
            inference: 0.0,
            spent: 0.0,
            refilled: None,
            last_look: None,
            paused: Mono::ZERO,
            sounding: None,
            asked: 1.0,
            flight: None,
            weighed: None,
            fitted: None,
            throttle: None,
            problems: Vec::new(),
            now: Mono::ZERO,
            config,
        }
    }

    fn clamp(&self, interval: Duration) -> Duration {
        interval.clamp(self.config.gap, Duration::from_secs(86_400))
    }

    /// Watches for `rule` as it wishes, if watts allow. A rule that is known is
    /// changed.
    pub fn register(&mut self, rule: Id, wish: Wish) {
        let wish = Wish {
            wanted: self.clamp(wish.wanted),
            ..wish
        };
        let known = self.rules.remove(&rule);
        let looked = known.as_ref().and_then(|k| k.looked);
        let entry = Entry {
            pace: Pace {
                wish,
                interval: wish.wanted,
            },
            looked,
            due: looked.map_or(Mono::ZERO, |l| l + wish.wanted),
            blind: known.map_or(Blind::new(self.now), |k| k.blind),
        };
        self.rules.insert(rule, entry);
        self.fitted = None;
    }

    /// Changes how often a rule wants to be looked at (while it holds, for
    /// example), and what it needs at the least.
    pub fn set_wanted(&mut self, rule: &Id, wanted: Duration, need: Option<Duration>) {
        let wanted = self.clamp(wanted);
        if let Some(entry) = self.rules.get_mut(rule)
            && (entry.pace.wish.wanted, entry.pace.wish.need) != (wanted, need)
        {
            entry.pace.wish.wanted = wanted;
            entry.pace.wish.need = need;
            entry.pace.interval = wanted;
            entry.due = entry.looked.map_or(Mono::ZERO, |l| l + wanted);
            self.fitted = None;
        }
    }

    /// Forgets a rule.
    pub fn remove(&mut self, rule: &Id) {
        self.rules.remove(rule);
        self.fitted = None;
    }

    /// An operator lowers the allotment, or lifts that. More than what is
    /// granted changes nothing.
    pub fn set_limit(&mut self, limit: Option<Watts>) {
        self.power.set_limit(limit);
        self.chooser.hurry();
        self.weighed = None;
    }

    /// Takes readings in. Call it at every reading, also while a look runs:
    /// a reason that comes back means that this look must be given up now.
    pub fn observe(&mut self, now: Mono, readings: &Readings) -> Option<String> {
        let (now, before) = (now.max(self.now), self.now);
        self.now = now;
        let granted = self.power.granted().map(|r| r.value);
        self.power.take(now, readings, &self.activity);
        if granted != self.power.granted().map(|r| r.value) {
            self.chooser.hurry();
            self.weighed = None;
        }
        self.forget_step(now, before);
        self.learn_step();
        let watts = match self.power.reading() {
            Some(reading) => reading.value.0,
            None => self.power.board() + self.inference,
        };
        let sane = |c: f64| c.is_finite() && (-80.0..=250.0).contains(&c);
        let celsius = readings.hottest.as_ref().map(|c| c.value.0);
        self.heat.take(now, watts, celsius.filter(|c| sane(*c)));
        self.problems.clone_from(&readings.problems);
        self.refill(now);
        let broken = self.power.breaks(self.flight.as_ref()?.step);
        let why = broken.or_else(|| self.heat.breaks())?;
        let flight = self.flight.as_mut().filter(|flight| !flight.given_up)?;
        flight.given_up = true;
        self.weighed = None;
        Some(why)
    }

    /// While looks can't start for what they were learned to add, what was
    /// learned slowly goes back to what was told: one false measurement must
    /// not stop looks for good, and nothing is learned without looks.
    fn forget_step(&mut self, now: Mono, before: Mono) {
        let stopped = self
            .throttle
            .as_ref()
            .is_some_and(|(cause, _)| *cause == Cause::Peak);
        if stopped {
            let gain = 1.0 - (-now.since(before).as_secs_f64() / FORGETS).exp();
            let told = self.costs.age(gain);
            self.power.meter_mut().age(told, gain);
        }
    }

    /// What readings tell of the step goes into the table.
    fn learn_step(&mut self) {
        let meter = self.power.meter();
        if self.power.measured() && meter.sure() && self.costs.learned() {
            let (by, doubt) = (meter.correction(), meter.doubt());
            let step = self.costs.base() * by;
            self.costs.measured(step, doubt);
        }
    }

    fn refill(&mut self, now: Mono) {
        let dt = self.refilled.map_or(0.0, |at| now.since(at).as_secs_f64());
        self.refilled = Some(now);
        let (share, room) = (self.share(), self.room());
        self.saved = (self.saved + share * dt).clamp(-room, room);
        if dt > 0.0 {
            let gain = 1.0 - (-dt / 30.0).exp();
            self.inference += gain * (self.spent / dt - self.inference);
            self.spent = 0.0;
        }
    }

    /// What can be saved up: also what the largest look takes, or it could
    /// never be paid.
    fn room(&self) -> f64 {
        let here = self.costs.current();
        let most = self
            .costs
            .joules(here, self.questions_of(self.rules.keys()));
        (self.share() * self.config.savings.as_secs_f64()).max(most * 1.2)
    }

    /// Whether it is time and not watts that looks are short of.
    fn plenty(&self) -> bool {
        let step = self.costs.step(self.costs.current());
        self.share() >= step * DUTY_MOST || self.saved > PLENTY * self.room()
    }

    /// Average watts that are left for looks.
    fn share(&self) -> f64 {
        self.power.share(self.heat.budget())
    }

    fn times(&self, index: usize) -> Times {
        Times {
            fixed: self.costs.fixed(index),
            each: self.costs.each(index),
        }
    }

    /// Share of the time that looks may take at a point, on average.
    fn duty(&self, index: usize, asked: f64) -> f64 {
        let by_watts = self.share() / self.costs.step(index).max(1e-3);
        by_watts.min(DUTY_MOST) / asked.max(ASKED_LEAST)
    }

    /// Chooses the operating point.
    fn weigh(&mut self, now: Mono) {
        if self.weighed.is_some_and(|at| now.since(at) < WEIGH_EVERY) {
            return;
        }
        self.weighed = Some(now);
        let candidate = |index: usize| {
            let (step, most) = (self.costs.step_guarded(index), self.costs.step_most(index));
            let wanted = pace::duty_wanted(self.rules.values().map(|e| &e.pace), self.times(index));
            let duty = self.duty(index, self.asked);
            let hot = self.heat.after(most, self.costs.seconds(index, 1));
            let cool = hot.is_none_or(|c| c < self.config.thermal.critical.0);
            let can = cool && !self.costs.excluded(index);
            Candidate {
                fits: can && self.power.fits(most),
                fits_now: can && (self.power.fits(most) || self.power.fits_now(step)),
                accuracy: self.costs.accuracy(index),
                need: wanted / duty.max(1e-6),
            }
        };
        let all: Vec<Candidate> = (0..self.costs.len()).map(candidate).collect();
        let current = self.costs.current();
        let next = self.chooser.choose(now, current, &all);
        if next != current {
            self.costs.run_at(next);
            self.fitted = None;
            let doubt = self.costs.doubt();
            self.power.meter_mut().rebase(doubt);
        }
    }
}
