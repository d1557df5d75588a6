//! Whether to look now, for which rules, and if not, why not and until when.

use std::cmp::Reverse;
use std::time::Duration;

use scene::{Id, Mono};

use super::{Cause, Decision, Entry, Flight, Governor, WEIGH_EVERY, tell};
use crate::pace::{self, Pace};

/// How long to wait before asking again when only the board can change things.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// A rule is taken along on a look that comes early by up to this share of its
/// interval, …
const EARLY_SHARE: f64 = 0.25;
/// … or this long at most.
const EARLY: Duration = Duration::from_secs(1);
/// A look is filled up to this share of its deadline.
const FILLED: f64 = 0.8;
/// Where looks leave no pause, one of the sensor's lag and this much more …
const SOUNDING: Duration = Duration::from_millis(1_000);
/// … is made this often, so that board and looks can be told apart, …
const SOUND_EVERY: Duration = Duration::from_secs(120);
/// … and this often once they are, to this doubt.
const SOUND_SELDOM: Duration = Duration::from_secs(600);
const SETTLED_DOUBT: f64 = 0.04;
/// A pause that readings can see.
const SEEN: Duration = Duration::from_millis(1_500);
/// Share of the time that looks may take and still be told from the board.
const BUSY: f64 = 0.8;
/// A rule goes before others at this share of its floor, since the look that
/// runs must end first.
const NEAR_FLOOR: f64 = 0.8;

impl Governor {
    /// Says whether to look now. Call it while no look runs.
    pub fn decide(&mut self, now: Mono) -> Decision {
        let now = now.max(self.now);
        self.now = now;
        self.refill(now);
        self.weigh(now);
        self.fit(now);
        match self.hold(now) {
            Ok(rules) => {
                self.throttle = None;
                self.permit(now, rules)
            }
            Err((cause, reason, until)) => {
                let lacks = [Cause::Peak, Cause::Energy, Cause::Heat].contains(&cause);
                if lacks {
                    self.throttle = Some((cause, reason.clone()));
                }
                Decision::Hold {
                    cause,
                    reason,
                    until,
                }
            }
        }
    }

    pub(super) fn hold(&mut self, now: Mono) -> Result<Vec<Id>, (Cause, String, Mono)> {
        if self.flight.is_some() {
            return Err((Cause::Busy, "a look runs".into(), now + ASK_AGAIN));
        }
        let here = self.costs.current();
        let (step, most) = (self.costs.step_guarded(here), self.costs.step_most(here));
        if let Some(reason) = self.heat.refuses(most, self.costs.seconds(here, 1)) {
            return Err((Cause::Heat, reason, now + ASK_AGAIN));
        }
        if !self.power.fits(most) && !self.power.fits_now(step) {
            let board = self.power.board().max(match self.power.measured() {
                true => 0.0,
                false => self.power.worst(),
            });
            let reason = format!(
                "a look adds {step:.1} W to the board's {board:.1} W ({}), and {:.1} W of the allotment of \
                 {:.1} W may be used; {:.1} W can switch on by themselves",
                tell::word(self.power.baseline().source),
                self.power.usable(),
                self.power.allotment(),
                self.power.reserve(),
            );
            return Err((Cause::Peak, reason, now + ASK_AGAIN));
        }
        let plenty = self.plenty();
        let due = |e: &Entry| e.due(plenty);
        let Some(next) = self.rules.values().map(due).min() else {
            return Err((
                Cause::NoRules,
                "no rule to look for".into(),
                now + ASK_AGAIN,
            ));
        };
        if next > now {
            self.throttle = None;
            let wait = next.since(now);
            self.pauses(now, wait);
            let wait = wait.as_secs_f64();
            let reason = format!("nothing is due for {wait:.1} s");
            return Err((Cause::NothingDue, reason, next));
        }
        let free = self.last_look.map_or(Mono::ZERO, |l| l + self.config.gap);
        if free > now {
            let reason = "the last look was just now".into();
            return Err((Cause::Busy, reason, free));
        }
        if let Some(until) = self.sound(now) {
            let reason = "a pause, to tell what looks draw from what the board draws".into();
            return Err((Cause::Sounding, reason, until));
        }
        self.affordable(now).map_err(|least| {
            let share = self.share();
            let wait = ((least - self.saved) / share.max(1e-3)).clamp(0.05, 60.0);
            let (cause, why) = match self.cool_matters() {
                true => (Cause::Heat, ", so that it stays cool enough"),
                false => (Cause::Energy, ""),
            };
            let reason = format!(
                "a look takes {least:.2} J and {:.2} J are saved up; {share:.2} W are left for \
                 inference{why}, so it waits {wait:.1} s",
                self.saved
            );
            (cause, reason, now + Duration::from_secs_f64(wait))
        })
    }

    fn pauses(&mut self, now: Mono, wait: Duration) {
        if wait >= SEEN {
            self.paused = now;
        }
    }

    /// Until when looks pause so that the board's own draw can be seen.
    fn sound(&mut self, now: Mono) -> Option<Mono> {
        if !self.power.measured() {
            return None;
        }
        if let Some(until) = self.sounding {
            if until > now {
                return Some(until);
            }
            self.sounding = None;
            self.paused = now;
            return None;
        }
        let busy = self.inference / self.costs.step(self.costs.current()).max(1e-3);
        if busy < BUSY && self.power.meter().sure() {
            return None;
        }
        let settled = self.power.meter().sure() && self.power.meter().doubt() < SETTLED_DOUBT;
        let every = if settled { SOUND_SELDOM } else { SOUND_EVERY };
        if now.since(self.paused) < every {
            return None;
        }
        let until = now + SOUNDING + self.power.meter().lag();
        self.sounding = Some(until);
        Some(until)
    }

    pub(super) fn permit(&mut self, now: Mono, rules: Vec<Id>) -> Decision {
        let here = self.costs.current();
        let predicted = self.costs.joules(here, self.questions_of(&rules));
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
        self.activity.start(now, self.costs.base());
        self.flight = Some(Flight {
            predicted,
            step: self.costs.step_guarded(here),
            given_up: false,
            before,
        });
        let point = self.costs.point(here).clone();
        let reason = format!(
            "{} due; {predicted:.2} J expected at {point}, {:.2} J stay saved up",
            match rules.len() {
                1 => "1 rule is".to_string(),
                n => format!("{n} rules are"),
            },
            self.saved
        );
        Decision::Look {
            rules,
            point,
            reason,
        }
    }

    /// Sets all intervals to what may be used, for looks of which some cost
    /// nothing. That the others can be paid is seen to at each look.
    pub(super) fn fit(&mut self, now: Mono) {
        if self.fitted.is_some_and(|at| now.since(at) < WEIGH_EVERY) {
            return;
        }
        self.fitted = Some(now);
        let here = self.costs.current();
        let (times, duty) = (self.times(here), self.duty(here, self.asked));
        let mut paces: Vec<&mut Pace> = self.rules.values_mut().map(|e| &mut e.pace).collect();
        pace::fit(&mut paces, times, duty, self.config.floor);
        for entry in self.rules.values_mut() {
            // A shortage that begins or ends between two looks counts too.
            entry.due = entry.looked.map_or(Mono::ZERO, |l| l + entry.pace.interval);
        }
    }

    pub(super) fn questions_of<'a>(&self, rules: impl IntoIterator<Item = &'a Id>) -> usize {
        let each = rules.into_iter().filter_map(|id| self.rules.get(id));
        each.map(|e| e.pace.wish.questions).sum()
    }

    /// Rules that are due or nearly so, most urgent first: those past their
    /// floor, the longest unseen first whatever their priority, so that none
    /// starves; then by priority; then the longest due.
    pub(super) fn due(&self, now: Mono) -> Vec<Id> {
        let plenty = self.plenty();
        let mut due: Vec<(&Id, &Entry)> = (self.rules.iter())
            .filter(|(_, e)| now + e.pace.interval.mul_f64(EARLY_SHARE).min(EARLY) >= e.due(plenty))
            .collect();
        let unseen_past_floor = |e: &Entry| {
            let floor = e.pace.wish.floor(self.config.floor);
            let soon = floor.mul_f64(NEAR_FLOOR);
            // Also of one that never had a look.
            let unseen = e.looked.map_or(e.blind.unseen(now), |l| now.since(l));
            Some(unseen).filter(|u| *u > soon).unwrap_or_default()
        };
        due.sort_by_key(|(id, e)| {
            let first = Reverse(unseen_past_floor(e));
            (first, Reverse(e.pace.wish.priority), e.due, *id)
        });
        due.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// The due rules that one look is made for, most urgent first: all that
    /// can be answered before its deadline, as soon as that can be paid, since
    /// a look for few costs hardly less. Once the most urgent one has waited
    /// twice as long as it should, as many as can be paid.
    pub(super) fn affordable(&self, now: Mono) -> Result<Vec<Id>, f64> {
        let here = self.costs.current();
        let longest = self.config.deadline.as_secs_f64() * FILLED;
        let mut due = self.due(now);
        let mut questions = 0;
        let all = due.iter().take_while(|id| {
            let first = questions == 0;
            questions += self.questions_of([*id]);
            first || self.costs.seconds(here, questions) <= longest
        });
        let all = all.count();
        due.truncate(all.max(1));
        let joules = |due: &[Id]| self.costs.joules(here, self.questions_of(due));
        let needs = joules(&due);
        let late = due
            .first()
            .and_then(|id| self.rules.get(id))
            .is_some_and(|e| now.since(e.due) > e.pace.interval);
        while !due.is_empty() && joules(&due) > self.saved {
            if !late {
                return Err(needs);
            }
            due.pop();
        }
        if due.is_empty() { Err(needs) } else { Ok(due) }
    }
}
