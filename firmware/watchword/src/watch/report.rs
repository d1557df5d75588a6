//! What the camera publishes about itself and its rules, each only when it
//! changed.

use std::collections::VecDeque;
use std::time::Duration;

use governor::Cause;
use jiff::Timestamp;
use rules::Echo;
use scene::ports::SourceState;
use scene::{Id, Moment, Mono, Phase, Quantity, Source, Unknown, Zone};
use serde::Serialize;

use super::book::Entry;
use super::event::Effect;
use super::inbox::MAX_PAYLOAD_BYTES;
use super::{INFO_EVERY, MAX_RULES, MAX_ZONES, Watch, power};

/// The least time between two `why` of a rule.
const WHY_EVERY: Duration = Duration::from_secs(2);

/// A rule is said to be held back if it was not looked at for this long at
/// least.
const HELD_AFTER: Duration = Duration::from_secs(10);

/// An echo of which nothing but numbers changed is told again at most this
/// often, …
const NUMBERS_EVERY: Duration = Duration::from_secs(10);

/// … and if it is only slowed or not slowed any more, this often.
const SLOWED_EVERY: Duration = Duration::from_secs(2);

/// How many evaluations `why` tells.
const WHY_KEPT: usize = 10;

/// What `info` says that the machine does not know itself.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Info {
    /// The board's name.
    pub board: String,
    /// The firmware's version.
    pub version: String,
    /// The model and detector packages in use.
    pub models: Vec<String>,
    /// Where the video can be watched.
    pub rtsp: Option<String>,
}

/// What was published of a rule last.
#[derive(Default)]
pub(super) struct Shown {
    echo: Option<ShownEcho>,
    active: Option<bool>,
    value: Option<Option<u64>>,
    why: VecDeque<Why>,
    why_at: Option<Mono>,
    why_pending: bool,
}

/// What of an echo tells whether it must be told again.
struct ShownEcho {
    at: Mono,
    state: &'static str,
    /// Why, unless that is full of numbers.
    why: String,
    source: Option<Source>,
    numbers: Vec<Option<f64>>,
}

impl ShownEcho {
    /// Whether `now` must be told, since `self` was.
    fn outdated(&self, now: &Self) -> bool {
        let since = now.at.since(self.at);
        let slowed = |state| ["armed", "slowed"].contains(&state);
        if self.state != now.state && slowed(self.state) && slowed(now.state) {
            return since >= SLOWED_EVERY;
        }
        if (self.state, &self.why, self.source) != (now.state, &now.why, now.source) {
            return true;
        }
        let differ = |(a, b): (&Option<f64>, &Option<f64>)| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() > 0.15 * a.abs(),
            (a, b) => a.is_some() != b.is_some(),
        };
        since >= NUMBERS_EVERY && self.numbers.iter().zip(&now.numbers).any(differ)
    }
}

#[derive(Clone, Serialize)]
struct Why {
    t: Option<Timestamp>,
    text: String,
}

/// The governor's cost in the echo's form.
pub(super) fn cost(cost: governor::Cost) -> rules::Cost {
    rules::Cost {
        check_every_seconds: cost.check_every_seconds,
        joules_per_check: cost.joules_per_check,
        watts: cost.watts,
        source: cost.source,
    }
}

fn seconds(time: Option<Duration>) -> Option<f64> {
    time.map(|time| power::round(time.as_secs_f64()))
}

#[derive(Serialize)]
struct RuleState<'a> {
    v: u8,
    rule: &'a Id,
    /// The newest sentence.
    text: &'a str,
    enabled: bool,
    priority: u8,
    state: &'a str,
    /// Why it is in this state, where that needs saying.
    why: Option<&'a str>,
    /// The sentence that still watches, if the newest one was refused.
    watching: Option<&'a str>,
    /// What the operator said how often it is looked at most.
    every_seconds: Option<f64>,
    /// How often it is looked at now.
    interval_seconds: Option<f64>,
    /// The longest that it went without a look lately.
    blind_seconds: Option<f64>,
    /// What a look adds to the board's draw while it runs.
    watts_per_inference: Option<Quantity<f64>>,
    /// What keeps it from being looked at as often as it wants.
    throttle: Option<&'a str>,
    #[serde(flatten)]
    echo: Echo,
}

impl Watch {
    fn watts_per_inference(&self) -> Quantity<f64> {
        let watts = self.governor.state().watts_per_inference;
        Quantity {
            value: power::round(watts.value.0),
            source: watts.source,
        }
    }

    fn state_of(&self, id: &Id, entry: &Entry, now: Moment) -> (&'static str, String) {
        if let Some((_, refusal)) = &entry.refused {
            return ("rejected", refusal.why.clone());
        }
        let Some(watching) = entry.watching() else {
            return ("paused", "it is not enabled".into());
        };
        if watching.life.state(now) == rules::State::Waiting {
            return ("waiting", watching.life.why(now));
        }
        if let Some(reason) = self.held(id, entry, now) {
            return ("slowed", format!("not looked at now: {reason}"));
        }
        match self.governor.slowed(id) {
            Some(reason) => ("slowed", reason),
            None => ("armed", String::new()),
        }
    }

    /// Why a rule has not been looked at for much longer than it wants.
    fn held(&self, id: &Id, entry: &Entry, now: Moment) -> Option<&str> {
        let hold = self.hold.as_ref()?;
        let patience = match hold.cause {
            // Nothing is looked at, whatever is due.
            Cause::Peak => entry.watching()?.life.wanted_interval() * 3,
            Cause::Energy | Cause::Heat => self.governor.interval_now(id)?.mul_f64(1.5),
            _ => return None,
        };
        let missed = now.mono.since(entry.looked) > patience.max(HELD_AFTER);
        missed.then_some(hold.reason.as_str())
    }

    /// The last evaluation, or that none can be made for want of pictures.
    fn why_of(&self, life: &rules::Life, now: Moment) -> String {
        if !self.frameless || life.state(now) == rules::State::Waiting {
            return life.why(now);
        }
        match &self.source {
            SourceState::Retrying { why, .. } => format!("unknown: {} ({why})", Unknown::NoFrame),
            _ => format!("unknown: {}", Unknown::NoFrame),
        }
    }

    fn echo_of(&self, id: &Id, entry: &Entry, now: Moment) -> Vec<u8> {
        let (state, why) = self.state_of(id, entry, now);
        let record = entry.record();
        let kept = record.map(|record| record.text.as_str());
        let (text, echo) = match (&entry.refused, entry.watching()) {
            (Some((text, refusal)), _) => (text.as_str(), Echo::refused(refusal.clone())),
            (None, Some(watching)) => (kept.unwrap_or_default(), Echo::armed(&watching.armed)),
            (None, None) => {
                let text = kept.unwrap_or_default();
                (
                    text,
                    rules::check(text, &self.site(), &*self.setup.knowledge).0,
                )
            }
        };
        let mut echo = echo;
        if self.setup.metered {
            echo.cost = self.governor.cost(id).map(cost);
        }
        let watching = entry
            .watching()
            .and(kept)
            .filter(|_| entry.refused.is_some());
        let form = RuleState {
            v: 1,
            rule: id,
            text,
            enabled: record.is_none_or(|record| record.enabled),
            priority: record.map_or(spool::RuleRecord::PRIORITY, |record| record.priority),
            state,
            why: Some(why.as_str()).filter(|why| !why.is_empty()),
            watching,
            every_seconds: record.and_then(|record| record.every_seconds),
            interval_seconds: seconds(self.governor.interval_now(id)),
            blind_seconds: seconds(self.governor.blind(id, now.mono)),
            watts_per_inference: entry.watching().map(|_| self.watts_per_inference()),
            throttle: Some(why.as_str()).filter(|_| state == "slowed"),
            echo,
        };
        serde_json::to_vec(&form).expect("an echo is plain data")
    }

    /// Publishes what changed about the rules.
    pub(super) fn publish_changes(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let mut rules = std::mem::take(&mut self.rules);
        for (id, entry) in &mut rules {
            self.publish_entry(id, entry, now, effects);
        }
        self.rules = rules;
        let due = |at| now.mono.since(at) >= INFO_EVERY;
        if self.connected && self.info_at.is_some_and(due) {
            self.publish_info(now, effects);
        }
    }

    pub(super) fn publish_entry(
        &self,
        id: &Id,
        entry: &mut Entry,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let mut state = |topic: String, payload: Vec<u8>| {
            effects.push(Effect::State { topic, payload });
        };
        let (name, why) = self.state_of(id, entry, now);
        let cost = self.governor.cost(id);
        let newest = ShownEcho {
            at: now.mono,
            state: name,
            // The watts in the reason change at every reading.
            why: if name == "slowed" { String::new() } else { why },
            source: cost.map(|cost| cost.source),
            numbers: vec![
                cost.map(|cost| cost.watts),
                seconds(self.governor.interval_now(id)),
                seconds(self.governor.blind(id, now.mono)).map(|s| s.max(10.0)),
                entry.watching().map(|_| self.watts_per_inference().value),
            ],
        };
        let shown = entry.shown.echo.as_ref();
        if shown.is_none_or(|shown| shown.outdated(&newest)) {
            state(self.topics.rule(id), self.echo_of(id, entry, now));
            entry.shown.echo = Some(newest);
        }
        let life = entry.watching().map(|watching| &watching.life);
        let active = life.is_some_and(|life| life.active());
        let value = life.and_then(|life| life.value());
        let text = life.map(|life| self.why_of(life, now));
        let shown = &mut entry.shown;
        if shown.active != Some(active) {
            let word = if active { "ON" } else { "OFF" };
            state(self.topics.rule_active(id), word.into());
            shown.active = Some(active);
        }
        if value.is_some() && shown.value != Some(value) {
            let number = value.unwrap_or_default().to_string();
            state(self.topics.rule_value(id), number.into());
            shown.value = Some(value);
        }
        let Some(text) = text else { return };
        if shown.why.back().is_none_or(|last| last.text != text) {
            if shown.why.len() == WHY_KEPT {
                shown.why.pop_front();
            }
            shown.why.push_back(Why { t: now.wall, text });
            shown.why_pending = true;
        }
        let quiet = shown
            .why_at
            .is_none_or(|at| now.mono.since(at) >= WHY_EVERY);
        if shown.why_pending && quiet {
            let form = serde_json::json!({"v": 1, "rule": id, "state": name, "why": shown.why});
            state(self.topics.rule_why(id), form.to_string().into());
            shown.why_at = Some(now.mono);
            shown.why_pending = false;
        }
    }

    /// Publishes all retained states, as after every connection.
    pub(super) fn publish_everything(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        effects.push(Effect::State {
            topic: self.topics.status(),
            payload: "online".into(),
        });
        self.publish_info(now, effects);
        self.balance.forget_told();
        effects.push(self.source_state());
        for zone in &self.zones {
            effects.push(self.zone_state(zone));
        }
        for entry in self.rules.values_mut() {
            let why = std::mem::take(&mut entry.shown.why);
            entry.shown = Shown {
                why_pending: !why.is_empty(),
                why,
                ..Shown::default()
            };
        }
    }

    fn publish_info(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        self.info_at = Some(now.mono);
        let mut form = serde_json::to_value(&self.setup.info).expect("info is plain data");
        let more = serde_json::json!({
            "v": 1,
            "camera": self.setup.camera,
            "limits": {
                "rules": MAX_RULES,
                "zones": MAX_ZONES,
                "text_chars": rules::MAX_CHARS,
                "payload_bytes": MAX_PAYLOAD_BYTES,
            },
            "capabilities": ["rules", "zones", "check", "ask", "power", "limit"],
            "detects": self.setup.knowledge.classes(),
            "answers": self.answers,
            "unknown_share": self.share_of_answers(self.unknowns),
            "reused_share": self.share_of_answers(self.reused),
        });
        if let (Some(form), serde_json::Value::Object(more)) = (form.as_object_mut(), more) {
            form.extend(more);
        }
        effects.push(Effect::State {
            topic: self.topics.info(),
            payload: form.to_string().into(),
        });
    }

    pub(super) fn zone_state(&self, zone: &Zone) -> Effect {
        let form = serde_json::json!({"v": 1, "name": zone.name, "polygon": zone.polygon});
        Effect::State {
            topic: self.topics.zone(&zone.name),
            payload: form.to_string().into(),
        }
    }

    /// Says why a zone was refused, with what stays drawn.
    pub(super) fn zone_error(&self, name: &Id, why: &str) -> Effect {
        tracing::info!(zone = %name, "refused a zone: {why}");
        let drawn = self.drawn(name).map(|zone| &zone.polygon);
        let form = serde_json::json!({"v": 1, "name": name, "polygon": drawn, "error": why});
        Effect::State {
            topic: self.topics.zone(name),
            payload: form.to_string().into(),
        }
    }

    /// Ends the alert that a rule has open because the rule itself goes.
    pub(super) fn end_open_alert(&mut self, id: &Id, now: Moment, effects: &mut Vec<Effect>) {
        let Some(watching) = self.rules.get(id).and_then(Entry::watching) else {
            return;
        };
        if watching.open.is_none() {
            return;
        }
        let transition = rules::Transition {
            phase: Phase::End,
            since: now,
            at: now,
            answer: "unknown".into(),
            confidence: 0.0,
            says: "The rule was changed or deleted while its alert was open.".into(),
        };
        let basis = self.setup.knowledge.name().into();
        self.raise(id, transition, None, basis, None, now, effects);
    }
}
