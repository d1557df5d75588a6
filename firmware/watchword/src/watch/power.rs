//! Watts: what the board says goes to the governor, and what the governor makes
//! of it is told.

use std::time::Duration;

use governor::{Cause, Learned, State, Wish};
use rules::{Refusal, RefusalKind};
use scene::ports::Readings;
use scene::{Id, Joules, Moment, Mono, OperatingPoint, Quantity, Sight, Watts};
use serde_json::{Value as Json, json};
use spool::{Batch, Note};

use super::Watch;
use super::event::{Drops, Effect};
use super::inbox::{self, Limit};

/// `…/power` is published at most this often, …
const AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// … and where nothing but numbers changed, this often.
const NUMBERS_EVERY: Duration = Duration::from_secs(10);

/// A number has changed if it did by this share of itself.
const NOTICED: f64 = 0.05;

/// How often what looks cost is written down, so that flash lasts.
const KEEP_EVERY: Duration = Duration::from_secs(600);

/// What the watch loop knows of watts beside the governor.
pub(super) struct Balance {
    readings: Readings,
    drops: Drops,
    limit: Limit,
    /// Why the newest order for a limit was refused.
    error: Option<String>,
    /// Operating points that nothing runs at, and why. As many as there are
    /// points at most.
    lost: Vec<(OperatingPoint, String)>,
    told: Option<Told>,
    /// What looks cost, as written down last, and when.
    kept: (Mono, Vec<u8>),
}

/// What was published last.
struct Told {
    at: Mono,
    urgent: Urgent,
    numbers: Vec<(Option<f64>, f64)>,
}

/// What is told at once.
#[derive(PartialEq)]
struct Urgent {
    cause: Option<Cause>,
    point: OperatingPoint,
    allotment: Watts,
    limit: Limit,
    problems: Vec<String>,
    error: Option<String>,
}

impl Balance {
    pub(super) fn new(readings: &Readings, now: Mono) -> Self {
        Self {
            readings: readings.clone(),
            drops: Drops::default(),
            limit: Limit::default(),
            error: None,
            lost: Vec::new(),
            told: None,
            kept: (now, Vec::new()),
        }
    }

    /// All is told again.
    pub(super) fn forget_told(&mut self) {
        self.told = None;
    }
}

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

/// A number with no more digits than anybody reads.
pub(super) fn round(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

fn quantity(value: f64, source: scene::Source) -> Json {
    json!({"value": round(value), "source": source})
}

/// The text of a problem without its numbers, which change all the time.
fn gist(problem: &str) -> String {
    let digit = |c: &char| c.is_ascii_digit() || *c == '.';
    problem.chars().filter(|c| !digit(c)).collect()
}

/// Whether somebody who reads numbers would notice.
fn noticeable(before: &[(Option<f64>, f64)], now: &[(Option<f64>, f64)]) -> bool {
    before.iter().zip(now).any(|((a, _), (b, least))| {
        let (Some(a), Some(b)) = (a, b) else {
            return a.is_some() != b.is_some();
        };
        (a - b).abs() > least.max(NOTICED * a.abs())
    })
}

impl Watch {
    /// Takes in what the board says. A look that must not go on is given up; it
    /// is told so again at every reading until it is over, since it may not
    /// have begun when it was told first.
    pub(super) fn read(&mut self, readings: Readings, now: Moment, effects: &mut Vec<Effect>) {
        let why = self.governor.observe(now.mono, &readings);
        self.balance.readings = readings;
        let Some(looking) = &mut self.looking else {
            return;
        };
        if let Some(why) = why {
            tracing::warn!("the look under way is given up: {why}");
            looking.given_up = Some(why);
        }
        if let Some(reason) = &looking.given_up {
            effects.push(Effect::GiveUp {
                number: looking.order.number,
                reason: reason.clone(),
            });
        }
    }

    /// Takes in what was dropped so far.
    pub(super) fn dropped(&mut self, drops: Drops) {
        self.balance.drops = drops;
    }

    /// Nothing runs at `point`: the governor chooses another one.
    pub(super) fn point_lost(&mut self, point: &OperatingPoint, why: String) {
        self.governor.exclude(point);
        let lost = &mut self.balance.lost;
        if lost.iter().all(|(known, _)| known != point) {
            tracing::error!(%point, "can't run at this operating point, going on at another: {why}");
            lost.push((point.clone(), why));
        }
    }

    /// Takes up what was kept before a restart: what looks cost, and the
    /// operator's limit. What can't be read is left and said in the log.
    pub fn recall(&mut self, costs: Option<&[u8]>, limit: Option<&[u8]>) {
        match costs.map(serde_json::from_slice::<Learned>) {
            Some(Ok(learned)) => self.governor.recall(&learned),
            Some(Err(error)) => {
                tracing::warn!("what looks cost can't be read and is learned anew: {error}");
            }
            None => {}
        }
        match limit.map(inbox::limit) {
            Some(Ok(limit)) => self.limit_to(limit),
            Some(Err(why)) => tracing::warn!("the stored limit can't be read: {why}"),
            None => {}
        }
    }

    /// What looks cost, to be kept over a restart; `None` before any look.
    pub fn costs(&self) -> Option<Vec<u8>> {
        let learned = self.governor.keep();
        let anything = !learned.points.is_empty();
        anything.then(|| serde_json::to_vec(&learned).expect("costs are plain data"))
    }

    /// Has what looks cost written down now and then.
    pub(super) fn keep_costs(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let (at, kept) = &self.balance.kept;
        if now.mono.since(*at) < KEEP_EVERY {
            return;
        }
        let costs = self.costs().filter(|costs| costs != kept);
        self.balance.kept.0 = now.mono;
        if let Some(costs) = costs {
            effects.push(Effect::Store(Batch::new().put_note(Note::Costs, &costs)));
            self.balance.kept.1 = costs;
        }
    }

    /// `power/limit/set`.
    pub(super) fn limit_request(
        &mut self,
        payload: Result<Vec<u8>, String>,
        effects: &mut Vec<Effect>,
    ) {
        match payload.and_then(|payload| inbox::limit(&payload)) {
            Ok(limit) => {
                self.balance.error = None;
                if limit == self.balance.limit {
                    return;
                }
                tracing::info!(
                    watts = limit.watts.map(|w| w.0),
                    inference_watts = limit.inference_watts.map(|w| w.0),
                    "an operator set the limit"
                );
                self.limit_to(limit);
                let note = if limit == Limit::default() {
                    Batch::new().remove_note(Note::Limit)
                } else {
                    let kept = serde_json::to_vec(&limit).expect("a limit is plain data");
                    Batch::new().put_note(Note::Limit, &kept)
                };
                effects.push(Effect::Store(note));
            }
            Err(why) => {
                tracing::info!("refused a limit: {why}");
                self.balance.error = Some(why);
            }
        }
    }

    fn limit_to(&mut self, limit: Limit) {
        self.balance.limit = limit;
        self.governor.set_limit(limit.watts);
        self.governor.set_cap(limit.inference_watts);
    }

    /// Why a rule with such a wish can't be afforded; `None` if it can.
    pub(super) fn over_budget(&self, id: &Id, wish: &Wish) -> Option<Refusal> {
        let over = self.governor.fits(id, wish).err()?;
        let state = self.governor.state();
        let why = format!(
            "there is not enough power for one more rule: with it, inference would need {:.2} W even if \
             every rule were checked as seldom as it bears, and {:.2} W are left of {:.2} W",
            over.needs.0, over.left.0, state.allotment.value.0
        );
        let mut offers = Vec::new();
        if let Some(every) = over.feasible {
            // With a little room, since the balance moves.
            let seconds = (every.as_secs_f64() * 1.1).ceil();
            offers.push(format!(
                "it could be checked every {seconds} s: send {{\"text\": \"…\", \"every_seconds\": {seconds}}}"
            ));
        }
        offers.push("delete or disable another rule".into());
        if let Some(limit) = state.limit {
            offers.push(format!("lift the limit of {} W", limit.0));
        }
        if let Some(cap) = self.balance.limit.inference_watts {
            offers.push(format!("lift the limit of {} W for inference", cap.0));
        }
        let refusal = Refusal::new(RefusalKind::OverBudget, why);
        Some(refusal.offer(offers.join("; or ")))
    }

    fn problems(&self) -> Vec<String> {
        let lost = self.balance.lost.iter();
        let lost = lost.map(|(point, why)| format!("nothing runs at {point}: {why}"));
        let sensors = self.balance.readings.problems.iter().cloned();
        sensors.chain(lost).collect()
    }

    fn urgent(&self, state: &State) -> Urgent {
        Urgent {
            cause: state.throttle.as_ref().map(|throttle| throttle.cause),
            point: state.point.clone(),
            allotment: self.balance.readings.allotment.value,
            limit: self.balance.limit,
            problems: self.problems().iter().map(|p| gist(p)).collect(),
            error: self.balance.error.clone(),
        }
    }

    /// The numbers that change slowly, each with the least that is noticed.
    fn numbers(&self, state: &State) -> Vec<(Option<f64>, f64)> {
        let drops = self.balance.drops;
        let dropped = drops.publishes + drops.alerts + drops.pictures;
        let hottest = self.balance.readings.hottest.as_ref();
        vec![
            (state.board.map(|w| w.value.0), 0.2),
            (Some(state.baseline.value.0), 0.2),
            (Some(state.share.0), 0.1),
            // It rises and falls with each look.
            (
                Some(state.inference.0),
                (0.4 * state.inference.0).max(0.005),
            ),
            (Some(state.watts_per_inference.value.0), 0.05),
            (Some(state.joules_per_inference.value.0), 0.02),
            (Some(state.margin.0), 0.05),
            (hottest.map(|c| c.value.0), 2.0),
            (self.share_of_answers(self.reused), 0.05),
            (Some(dropped as f64), 0.5),
        ]
    }

    /// Publishes `…/power` if there is something new in it.
    pub(super) fn publish_power(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        if !self.setup.metered {
            return;
        }
        let told = self.balance.told.as_ref();
        let since = told.map_or(Duration::MAX, |told| now.mono.since(told.at));
        if since < AT_MOST_EVERY {
            return;
        }
        let state = self.governor.state();
        let (urgent, numbers) = (self.urgent(&state), self.numbers(&state));
        let worth_it = told.is_none_or(|told| {
            let slowly = since >= NUMBERS_EVERY && noticeable(&told.numbers, &numbers);
            slowly || told.urgent != urgent
        });
        if !worth_it {
            return;
        }
        self.balance.told = Some(Told {
            at: now.mono,
            urgent,
            numbers,
        });
        effects.push(Effect::State {
            topic: self.topics.power(),
            payload: self.power_form(&state, now).to_string().into(),
        });
    }

    fn power_form(&self, state: &State, now: Moment) -> Json {
        let Readings {
            allotment, hottest, ..
        } = &self.balance.readings;
        let watts = |w: Watts| round(w.0);
        let by = |mut form: Json, by: &str| {
            form["by"] = by.into();
            form
        };
        let hottest = match (hottest, state.hottest) {
            (Some(told), _) => Some(by(quantity(told.value.0, told.source), &told.by)),
            (None, Some(c)) => Some(by(quantity(c.value.0, c.source), "model")),
            (None, None) => None,
        };
        let note = state.limit.filter(|limit| *limit >= allotment.value);
        let note = note.map(|limit| {
            format!(
                "the limit of {} W is no lower than the {} W that were granted, and changes nothing",
                limit.0, allotment.value.0
            )
        });
        json!({
            "v": 1,
            "t": now.wall,
            "allotment": by(quantity(allotment.value.0, allotment.source), &allotment.by),
            "limit": state.limit.map(watts),
            "margin": watts(state.margin),
            "reserve": watts(state.reserve),
            "board": state.board.map(|w| {
                by(quantity(w.value.0, w.source), state.board_by.as_deref().unwrap_or("model"))
            }),
            "baseline": quantity(state.baseline.value.0, state.baseline.source),
            "inference": {
                "watts": watts(state.inference),
                "share": watts(state.share),
                "limit": self.balance.limit.inference_watts.map(watts),
            },
            "watts_per_inference":
                quantity(state.watts_per_inference.value.0, state.watts_per_inference.source),
            "joules_per_inference":
                quantity(state.joules_per_inference.value.0, state.joules_per_inference.source),
            "point": state.point,
            "points": state.points,
            "temperatures": {"hottest": hottest},
            "throttle": state.throttle,
            "problems": self.problems(),
            "drops": self.balance.drops,
            "reused_share": self.share_of_answers(self.reused).map(round),
            "note": note,
            "error": self.balance.error,
        })
    }

    /// `of` as a share of all answers; `None` before the first.
    pub(super) fn share_of_answers(&self, of: u64) -> Option<f64> {
        (self.answers > 0).then(|| of as f64 / self.answers as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_hardly_move_are_not_told_again() {
        let before = [(Some(4.0), 0.2), (None, 1.0)];
        assert!(!noticeable(&before, &[(Some(4.15), 0.2), (None, 1.0)]));
        assert!(noticeable(&before, &[(Some(4.3), 0.2), (None, 1.0)]));
        assert!(noticeable(&before, &[(Some(4.0), 0.2), (Some(40.0), 1.0)]));
    }

    #[test]
    fn a_problem_is_the_same_though_its_numbers_change() {
        let gists = ["stuck at 4.25 W for 12 s", "stuck at 4.25 W for 13.5 s"].map(gist);
        assert_eq!(gists[0], gists[1]);
    }
}
