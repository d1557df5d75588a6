//! What the camera publishes about itself and its rules, each only when it
//! changed.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use rules::Echo;
use scene::ports::SourceState;
use scene::{Id, Moment, Mono, Phase, Unknown, Zone};
use serde::Serialize;

use super::book::Entry;
use super::event::Effect;
use super::inbox::MAX_PAYLOAD_BYTES;
use super::{INFO_EVERY, MAX_RULES, MAX_ZONES, Watch};

/// The least time between two `why` of a rule.
const WHY_EVERY: Duration = Duration::from_secs(2);

/// A rule is said to be held back if it was not looked at for this long at
/// least, and for three of its intervals.
const HELD_AFTER: Duration = Duration::from_secs(10);

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
    echo: Option<(&'static str, String, bool)>,
    active: Option<bool>,
    value: Option<Option<u64>>,
    why: VecDeque<Why>,
    why_at: Option<Mono>,
    why_pending: bool,
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
    #[serde(flatten)]
    echo: Echo,
}

impl Watch {
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
        if let Some(reason) = self.held(entry, now) {
            return ("slowed", format!("not looked at now: {reason}"));
        }
        match self.governor.slowed(id) {
            Some(reason) => ("slowed", reason),
            None => ("armed", String::new()),
        }
    }

    /// Why a rule has not been looked at for much longer than it wants.
    fn held(&self, entry: &Entry, now: Moment) -> Option<&str> {
        let wanted = entry.watching()?.life.wanted_interval();
        let missed = now.mono.since(entry.looked) > (wanted * 3).max(HELD_AFTER);
        self.hold_reason().filter(|_| missed)
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
        if self.governor.learned() {
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
        // The watts in a hold's reason change at every reading; one echo of it
        // is enough.
        let told = if self.held(entry, now).is_some() {
            String::new()
        } else {
            why
        };
        let key = (name, told, self.governor.learned());
        if entry.shown.echo.as_ref() != Some(&key) {
            state(self.topics.rule(id), self.echo_of(id, entry, now));
            entry.shown.echo = Some(key);
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
        let share = |of: u64| (self.answers > 0).then(|| of as f64 / self.answers as f64);
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
            "capabilities": ["rules", "zones", "check", "ask"],
            "detects": self.setup.knowledge.classes(),
            "answers": self.answers,
            "unknown_share": share(self.unknowns),
            "reused_share": share(self.reused),
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

    /// Why the governor lets nobody look, if it does not.
    fn hold_reason(&self) -> Option<&str> {
        self.hold.as_ref().map(|(_, reason)| reason.as_str())
    }
}
