use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use scene::ports::Readings;
use scene::{Id, Joules, Mono, Quantity, Source, Watts};
use serde::Serialize;

use crate::Config;
use crate::cost::{Cost, Costs};
use crate::pace::{self, Pace};
use crate::power::Power;

/// How long to wait before asking again when only the board can change things.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A rule is taken along on a look that comes early by up to this share of its
/// interval, …
const EARLY_SHARE: f64 = 0.25;
/// … or this long at most.
const EARLY: Duration = Duration::from_secs(1);

/// How much the newest look counts in the share of looks that cost something.
/// One that does counts more than one that does not: a scene that comes to
/// life must soon not be reckoned with as a still one.
const ASKED_UP: f64 = 0.2;
const ASKED_DOWN: f64 = 0.05;
/// Looks are taken to be at most this much cheaper than ones that ask.
const ASKED_LEAST: f64 = 0.1;

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Look at one frame for these rules, together; then [`Governor::settle`],
    /// [`Governor::reused`] or [`Governor::cancel`].
    Look {
        /// Most urgent first.
        rules: Vec<Id>,
        /// Why now, in words.
        reason: String,
    },
    /// Don't look; ask again at `until`, or sooner if rules change.
    Hold {
        /// Why not, in words.
        reason: String,
        /// When it may be otherwise.
        until: Mono,
    },
}

/// The balance, for `…/power`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct State {
    /// What the PSE granted.
    pub allotment: Watts,
    /// What of it is never used.
    pub margin: Watts,
    /// The board without inference.
    pub baseline: Quantity<Watts>,
    /// What is left for inference.
    pub share: Watts,
    /// What inference took on average lately.
    pub inference: Watts,
    /// What a look adds while it runs.
    pub step: Watts,
    /// Energy saved up for looks; below 0 when they took more than expected.
    pub saved: Joules,
    /// Expected energy of a look with one question.
    pub joules_per_look: Quantity<Joules>,
}

#[derive(Clone, Debug)]
struct Entry {
    pace: Pace,
    looked: Option<Mono>,
    due: Mono,
}

/// A look that was permitted and is not settled yet.
#[derive(Clone, Debug)]
struct Flight {
    predicted: f64,
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
    saved: f64,
    last_look: Option<Mono>,
    /// Share of looks for which a model was asked, lately.
    asked: f64,
    flight: Option<Flight>,
    hot: bool,
    now: Mono,
}

impl Governor {
    /// No rules; a first look is allowed at once.
    pub fn new(config: Config) -> Self {
        let costs = Costs::new(&config);
        Self {
            saved: costs.joules(1),
            costs,
            config,
            rules: BTreeMap::new(),
            power: Power::default(),
            last_look: None,
            asked: 1.0,
            flight: None,
            hot: false,
            now: Mono::ZERO,
        }
    }

    fn clamp(&self, interval: Duration) -> Duration {
        interval.clamp(self.config.gap, Duration::from_secs(86_400))
    }

    /// Watches for `rule` every `wanted` if watts allow. More `priority` slows
    /// later. It asks so many `questions` (0: the detector alone answers). A
    /// rule that is known is changed.
    pub fn register(&mut self, rule: Id, wanted: Duration, priority: u8, questions: usize) {
        let wanted = self.clamp(wanted);
        let known = self.rules.remove(&rule);
        let looked = known.and_then(|k| k.looked);
        let entry = Entry {
            pace: Pace {
                wanted,
                priority,
                questions,
                interval: wanted,
            },
            looked,
            due: looked.map_or(Mono::ZERO, |l| l + wanted),
        };
        self.rules.insert(rule, entry);
    }

    /// Changes how often a rule wants to be looked at (while it holds, for
    /// example).
    pub fn set_wanted(&mut self, rule: &Id, wanted: Duration) {
        let wanted = self.clamp(wanted);
        if let Some(entry) = self.rules.get_mut(rule)
            && entry.pace.wanted != wanted
        {
            entry.pace.wanted = wanted;
            entry.pace.interval = wanted;
            entry.due = entry.looked.map_or(Mono::ZERO, |l| l + wanted);
        }
    }

    /// Forgets a rule.
    pub fn remove(&mut self, rule: &Id) {
        self.rules.remove(rule);
    }

    /// Says whether to look now. Call it while no look runs.
    pub fn decide(&mut self, now: Mono, readings: &Readings) -> Decision {
        let now = now.max(self.now);
        self.now = now;
        let dt = self.power.read(&self.config, now, readings);
        let balance = self.power.now();
        let share = balance.share();
        self.fit();
        let most = self.costs.joules(self.questions_of(self.rules.keys()));
        // Room for the largest look, or it could never be paid.
        let room = (share * self.config.savings.as_secs_f64()).max(most * 1.2);
        self.saved = (self.saved + share * dt).clamp(-room, room);

        let hold = |reason: String, until: Mono| Decision::Hold { reason, until };
        let (usable, step) = (balance.allotment - balance.margin, self.costs.step());
        if let Some(reason) = self.too_hot(readings) {
            return hold(reason, now + ASK_AGAIN);
        }
        if balance.peak + step > usable {
            self.costs.age(dt);
            let reason = format!(
                "a look adds {step:.1} W to the board's {:.1} W ({}), which would pass the {usable:.1} W \
                 that the allotment of {:.1} W leaves after a margin of {:.1} W",
                balance.peak,
                word(balance.source),
                balance.allotment,
                balance.margin
            );
            return hold(reason, now + ASK_AGAIN);
        }
        let Some(next) = self.rules.values().map(|e| e.due).min() else {
            return hold("no rule to look for".into(), now + ASK_AGAIN);
        };
        if next > now {
            let wait = next.since(now).as_secs_f64();
            return hold(format!("nothing is due for {wait:.1} s"), next);
        }
        let free = self.last_look.map_or(Mono::ZERO, |l| l + self.config.gap);
        if free > now {
            return hold("the last look was just now".into(), free);
        }
        let rules = self.affordable(now);
        if rules.is_empty() {
            let least = (self.due(now).iter())
                .map(|id| self.costs.joules(self.questions_of([id])))
                .fold(f64::MAX, f64::min);
            let wait = ((least - self.saved) / share.max(1e-3)).clamp(0.05, 60.0);
            let reason = format!(
                "a look takes {least:.2} J and {:.2} J are saved up; {share:.2} W are left for \
                 inference, so it waits {wait:.1} s",
                self.saved
            );
            return hold(reason, now + Duration::from_secs_f64(wait));
        }
        self.permit(now, rules)
    }

    fn permit(&mut self, now: Mono, rules: Vec<Id>) -> Decision {
        let predicted = self.costs.joules(self.questions_of(&rules));
        self.saved -= predicted;
        self.last_look = Some(now);
        let mut before = Vec::with_capacity(rules.len());
        for id in &rules {
            if let Some(entry) = self.rules.get_mut(id) {
                before.push((id.clone(), entry.due, entry.looked));
                entry.looked = Some(now);
                entry.due = now + entry.pace.interval;
            }
        }
        self.flight = Some(Flight { predicted, before });
        let reason = format!(
            "{} due; {predicted:.2} J expected, {:.2} J stay saved up",
            match rules.len() {
                1 => "1 rule is".to_string(),
                n => format!("{n} rules are"),
            },
            self.saved
        );
        Decision::Look { rules, reason }
    }

    fn too_hot(&mut self, readings: &Readings) -> Option<String> {
        let hottest = readings.hottest.filter(|c| c.0.is_finite())?;
        let limit = match self.hot {
            true => self.config.critical - Config::HYSTERESIS,
            false => self.config.critical,
        };
        self.hot = hottest >= limit;
        self.hot.then(|| {
            format!(
                "the board is at {hottest:.0}; looks start again below {:.0}",
                self.config.critical - Config::HYSTERESIS
            )
        })
    }

    /// Sets all intervals to what the share allows, for looks of which some
    /// cost nothing. That the others can be paid is seen to at each look.
    fn fit(&mut self) {
        let share = self.power.now().share() / self.asked.max(ASKED_LEAST);
        let mut paces: Vec<&mut Pace> = self.rules.values_mut().map(|e| &mut e.pace).collect();
        pace::fit(&mut paces, &self.costs, share, self.config.floor);
        for entry in self.rules.values_mut() {
            // A shortage that begins or ends between two looks counts too.
            entry.due = entry.looked.map_or(Mono::ZERO, |l| l + entry.pace.interval);
        }
    }

    fn questions_of<'a>(&self, rules: impl IntoIterator<Item = &'a Id>) -> usize {
        let each = rules.into_iter().filter_map(|id| self.rules.get(id));
        each.map(|e| e.pace.questions).sum()
    }

    /// Rules that are due or nearly so, most urgent first: those past their
    /// floor, the longest unseen first whatever their priority, so that none
    /// starves; then by priority; then the longest due.
    fn due(&self, now: Mono) -> Vec<Id> {
        let mut due: Vec<(&Id, &Entry)> = (self.rules.iter())
            .filter(|(_, e)| now + e.pace.interval.mul_f64(EARLY_SHARE).min(EARLY) >= e.due)
            .collect();
        let unseen_past_floor = |e: &Entry| {
            let floor = e.pace.wanted.max(self.config.floor);
            let unseen = e.looked.map(|l| now.since(l)).filter(|u| *u > floor);
            unseen.unwrap_or_default()
        };
        due.sort_by_key(|(id, e)| {
            let first = Reverse(unseen_past_floor(e));
            (first, Reverse(e.pace.priority), e.due, *id)
        });
        due.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// As many of the due rules as can be paid, most urgent first.
    fn affordable(&self, now: Mono) -> Vec<Id> {
        let mut taken = Vec::new();
        let mut questions = 0;
        for id in self.due(now) {
            let more = questions + self.questions_of([&id]);
            if self.costs.joules(more) > self.saved {
                break;
            }
            questions = more;
            taken.push(id);
        }
        taken
    }

    /// The look that was permitted took `joules` and `latency` and answered so
    /// many `questions`: the difference to what was expected is made good.
    pub fn settle(&mut self, joules: Quantity<Joules>, latency: Duration, questions: usize) {
        let took = joules.value.0;
        let sane = took.is_finite() && took >= 0.0;
        let predicted = self.flight.take().map_or(0.0, |f| f.predicted);
        let took = if sane { took } else { predicted };
        self.saved += predicted - took;
        self.power.settle(took);
        self.costs.learn(joules, latency, questions);
        self.asked += ASKED_UP * (1.0 - self.asked);
    }

    /// The look that was permitted needed no model, since nothing had changed:
    /// the joules are given back, and nothing is learned about what looks cost.
    pub fn reused(&mut self) {
        self.saved += self.flight.take().map_or(0.0, |f| f.predicted);
        self.asked -= ASKED_DOWN * self.asked;
    }

    /// The look that was permitted did not happen (no frame came): the joules
    /// are given back and the rules are due again.
    pub fn cancel(&mut self) {
        let Some(flight) = self.flight.take() else {
            return;
        };
        self.saved += flight.predicted;
        for (id, due, looked) in flight.before {
            if let Some(entry) = self.rules.get_mut(&id) {
                entry.due = due;
                entry.looked = looked;
            }
        }
    }

    /// How often a rule is looked at now; `None` if it is not known.
    pub fn interval_now(&self, rule: &Id) -> Option<Duration> {
        self.rules.get(rule).map(|e| e.pace.interval)
    }

    /// Why a rule is looked at less often than it wants; `None` if it is not.
    pub fn slowed(&self, rule: &Id) -> Option<String> {
        let pace = &self.rules.get(rule)?.pace;
        // Bisection leaves a hair's breadth.
        if pace.interval <= pace.wanted.mul_f64(1.01) {
            return None;
        }
        let (gets, wants) = (pace.interval.as_secs_f64(), pace.wanted.as_secs_f64());
        let why = if self.costs.latency() >= gets * 0.99 {
            format!("a look takes {:.1} s", self.costs.latency())
        } else {
            format!("{:.2} W are left for inference", self.power.now().share())
        };
        Some(format!(
            "checked every {gets:.1} s instead of {wants:.1} s: {why}"
        ))
    }

    /// What a rule costs at its interval now; `None` if it is not known.
    pub fn cost(&self, rule: &Id) -> Option<Cost> {
        let pace = &self.rules.get(rule)?.pace;
        Some(self.costs.cost(pace.interval, pace.questions))
    }

    /// What a rule with so many `questions` would cost, looked at every
    /// `every`.
    pub fn cost_of(&self, every: Duration, questions: usize) -> Cost {
        self.costs.cost(self.clamp(every), questions)
    }

    /// Whether a look has been settled, so that costs are more than told.
    pub fn learned(&self) -> bool {
        self.costs.learned()
    }

    /// The balance as of the last decision.
    pub fn state(&self) -> State {
        let now = self.power.now();
        State {
            allotment: Watts(now.allotment),
            margin: Watts(now.margin),
            baseline: Quantity {
                value: Watts(now.baseline),
                source: now.source,
            },
            share: Watts(now.share()),
            inference: Watts(self.power.inference()),
            step: self.costs.step_watts(),
            saved: Joules(self.saved),
            joules_per_look: Quantity {
                value: Joules(self.costs.joules(1)),
                source: self.costs.source(),
            },
        }
    }
}

fn word(source: Source) -> &'static str {
    match source {
        Source::Measured => "measured",
        Source::Modelled => "modelled",
    }
}
