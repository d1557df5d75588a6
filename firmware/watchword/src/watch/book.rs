//! The rule book: setting, deleting and re-arming rules and zones.

use std::time::Duration;

use governor::Wish;
use jiff::Timestamp;
use rules::{Armed, Life, Refusal, RefusalKind, Site};
use scene::{AlertId, Id, Moment, Mono, Zone};
use serde::{Deserialize, Serialize};
use spool::{Batch, RuleRecord, Snapshot};

use super::event::{Effect, Event};
use super::inbox::{self, RuleSet, RuleWish, ZoneSet};
use super::report::Shown;
use super::{MAX_RULES, MAX_ZONES, Watch};

/// One rule of the book.
pub(super) struct Entry {
    /// What watches now; the last good sentence.
    watching: Option<Watching>,
    /// What the operator stated, as stored. `None` if nothing good was ever
    /// stated under this id.
    record: Option<RuleRecord>,
    /// Why the newest sentence was refused, with that sentence.
    pub(super) refused: Option<(String, Refusal)>,
    /// When it was looked at last, or set.
    pub(super) looked: Mono,
    /// What was published last.
    pub(super) shown: Shown,
}

/// An armed rule and its life.
pub(super) struct Watching {
    pub(super) armed: Armed,
    pub(super) life: Life,
    /// The alert that has begun and not ended.
    pub(super) open: Option<OpenAlert>,
}

/// The life that a rule had before it was armed.
enum Past<'a> {
    /// None: it is new.
    None,
    /// As it was stored before a restart.
    Stored(&'a [u8]),
    /// It went on until now.
    Running(Box<Watching>),
}

/// What must be known of a begun alert to go on with it after a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenAlert {
    pub(super) id: AlertId,
    pub(super) since: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    life: rules::Snapshot,
    open: Option<OpenAlert>,
}

impl Watching {
    /// What is asked of the governor, as things stand: at least every `most`,
    /// at most every `stated`.
    pub(super) fn wish(&self, most: Option<Duration>, stated: Option<Duration>) -> Wish {
        Wish {
            need: self.life.needed_interval(),
            ..wish(&self.armed, self.life.wanted_interval(), most, stated)
        }
    }

    /// For the store.
    pub(super) fn save(&self, now: Moment) -> Vec<u8> {
        let saved = Saved {
            life: self.life.snapshot(now),
            open: self.open.clone(),
        };
        serde_json::to_vec(&saved).expect("a life is plain data")
    }
}

impl Entry {
    pub(super) fn armed(&self) -> Option<&Armed> {
        self.watching().map(|watching| &watching.armed)
    }

    /// What watches now; `None` while paused or rejected.
    pub(super) fn watching(&self) -> Option<&Watching> {
        self.watching.as_ref()
    }

    pub(super) fn watching_mut(&mut self) -> Option<&mut Watching> {
        self.watching.as_mut()
    }

    pub(super) fn record(&self) -> Option<&RuleRecord> {
        self.record.as_ref()
    }

    pub(super) fn stated_interval(&self) -> Option<Duration> {
        stated_interval(self.record.as_ref()?)
    }

    pub(super) fn snapshot(&self) -> Option<Snapshot> {
        self.record.as_ref()?.snapshot
    }

    pub(super) fn next_wake(&self, now: Moment) -> Option<Mono> {
        self.watching()?.life.next_wake(now)
    }

    fn rejected(text: String, refusal: Refusal) -> Self {
        Self {
            watching: None,
            record: None,
            refused: Some((text, refusal)),
            looked: Mono::ZERO,
            shown: Shown::default(),
        }
    }
}

fn wish(armed: &Armed, wanted: Duration, most: Option<Duration>, stated: Option<Duration>) -> Wish {
    let wanted = most.map_or(wanted, |most| most.min(wanted));
    Wish {
        wanted: stated.map_or(wanted, |stated| stated.max(wanted)),
        priority: RuleRecord::PRIORITY,
        questions: armed.questions().len(),
        need: None,
    }
}

/// How often an operator wants a rule to be looked at most.
fn stated_interval(record: &RuleRecord) -> Option<Duration> {
    let seconds = record.every_seconds?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// A refusal that is not about the sentence itself.
fn refusal(kind: RefusalKind, why: impl Into<String>, offer: &str) -> Refusal {
    Refusal::new(kind, why).offer(offer)
}

impl Watch {
    /// Takes up what the store kept: zones first, then rules with their lives.
    /// A rule that can no longer be armed stays in the book and says why.
    pub fn restore(
        &mut self,
        zones: Vec<Zone>,
        rules: Vec<(Id, RuleRecord)>,
        lives: Vec<(Id, Vec<u8>)>,
        now: Moment,
    ) {
        self.zones = zones;
        for (id, record) in rules {
            let past = lives
                .iter()
                .find(|(of, _)| *of == id)
                .map_or(Past::None, |(_, bytes)| Past::Stored(bytes));
            let armed = self.arm(&record.text);
            self.put(id, record, armed, past, now);
        }
    }

    /// Whether the book has a rule `id`.
    pub fn has_rule(&self, id: &Id) -> bool {
        self.rules.contains_key(id)
    }

    /// `rules/<id>/set`.
    pub(super) fn rule_request(
        &mut self,
        id: Id,
        payload: &[u8],
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        match inbox::rule_set(payload) {
            Ok(RuleSet::Delete) => self.delete_rule(&id, now, effects),
            Ok(RuleSet::Put(wish)) => self.wish(id, wish, true, now, effects),
            Err(why) => {
                let text = String::from_utf8_lossy(payload).chars().take(200).collect();
                let offer = "send a plain sentence, or {\"text\": \"…\"}";
                self.refuse(id, text, refusal(RefusalKind::NotARule, why, offer));
            }
        }
    }

    /// Sets a rule that stands in the configuration. It is not refused for want
    /// of watts, which may be back before anybody looks: it is slowed.
    pub fn preset(&mut self, id: &Id, sentence: &str, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        let wish = RuleWish::plain(sentence);
        self.wish(id.clone(), wish, false, now, &mut effects);
        effects.extend(self.handle(Event::Tick, now));
        effects
    }

    fn wish(
        &mut self,
        id: Id,
        wish: RuleWish,
        afford: bool,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let mut record = RuleRecord::new(wish.text);
        record.enabled = wish.enabled;
        record.priority = wish.priority;
        record.snapshot = wish.snapshot;
        record.every_seconds = wish.every_seconds;
        let full = self.rules.len() >= MAX_RULES;
        match self.rules.get_mut(&id) {
            // A retained wish comes again at every connection; it must not
            // start the rule's life anew.
            Some(entry) if entry.record.as_ref() == Some(&record) => {
                entry.refused = None;
                entry.shown = Shown::default();
                return;
            }
            None if full => {
                let why = format!("this camera watches at most {MAX_RULES} rules");
                let refused = refusal(RefusalKind::OverBudget, why, "delete another rule first");
                // Not entered in the book, or refusals could fill memory.
                let mut entry = Entry::rejected(record.text, refused);
                self.publish_entry(&id, &mut entry, now, effects);
                return;
            }
            _ => {}
        }
        let armed = self.arm(&record.text).and_then(|armed| {
            let refused = match afford {
                true => self.unaffordable(&id, &record, &armed),
                false => None,
            };
            refused.map_or(Ok(armed), Err)
        });
        match armed {
            Ok(armed) => {
                let batch = Batch::new().put_rule(&id, &record);
                effects.push(Effect::Store(batch));
                self.end_open_alert(&id, now, effects);
                self.put(id, record, Ok(armed), Past::None, now);
            }
            Err(refused) => self.refuse(id, record.text, refused),
        }
    }

    /// Why a rule can't be afforded as `record` states it; `None` if it can. One
    /// that watches already may be stated anew if that costs no more.
    fn unaffordable(&self, id: &Id, record: &RuleRecord, armed: &Armed) -> Option<Refusal> {
        if !record.enabled || !self.setup.metered {
            return None;
        }
        let wish = self.wish_of(armed, stated_interval(record));
        let before = self.rules.get(id).and_then(|entry| {
            let watching = entry.watching()?;
            Some(self.wish_of(&watching.armed, entry.stated_interval()))
        });
        let dearer = before
            .is_none_or(|before| before.wanted > wish.wanted || before.questions < wish.questions);
        self.over_budget(id, &wish).filter(|_| dearer)
    }

    /// What a rule that is armed so will ask of the governor while nothing
    /// happens.
    pub(super) fn wish_of(&self, armed: &Armed, stated: Option<Duration>) -> Wish {
        wish(armed, armed.wanted_interval(), self.setup.every, stated)
    }

    /// An id that no rule has.
    pub(super) fn unused_id(&self) -> Id {
        let ids = (0..).filter_map(|n| Id::new(format!("check-{n}")).ok());
        let mut unused = ids.filter(|id| !self.rules.contains_key(id));
        unused.next().expect("the book is bounded")
    }

    /// Notes a refusal; what watched goes on watching.
    fn refuse(&mut self, id: Id, text: String, refused: Refusal) {
        tracing::info!(rule = %id, kind = ?refused.kind, "refused a sentence: {}", refused.why);
        let full = self.rules.len() >= MAX_RULES;
        match self.rules.get_mut(&id) {
            Some(entry) => {
                entry.refused = Some((text, refused));
                entry.shown = Shown::default();
            }
            None if full => tracing::warn!(rule = %id, "the book is full; the refusal is not kept"),
            None => {
                self.rules.insert(id, Entry::rejected(text, refused));
            }
        }
    }

    pub(super) fn site(&self) -> Site<'_> {
        Site {
            zones: &self.zones,
            time_zone: self.setup.time_zone.clone(),
            position: self.setup.position,
        }
    }

    /// Reads a sentence and arms it for this camera as it is.
    fn arm(&self, text: &str) -> Result<Armed, Refusal> {
        rules::read(text).and_then(|rule| rules::arm(&rule, &self.site(), &*self.setup.knowledge))
    }

    /// Enters a rule in the book, with the life it had if that still fits.
    fn put(
        &mut self,
        id: Id,
        record: RuleRecord,
        armed: Result<Armed, Refusal>,
        past: Past<'_>,
        now: Moment,
    ) {
        self.governor.remove(&id);
        let (watching, refused) = match armed {
            Ok(armed) if record.enabled => {
                let (life, open) = match past {
                    Past::None => (armed.life(), None),
                    Past::Stored(bytes) => match serde_json::from_slice::<Saved>(bytes) {
                        Ok(saved) => (armed.resume(&saved.life, now), saved.open),
                        Err(_) => (armed.life(), None),
                    },
                    Past::Running(before) => (before.life.rearmed(&armed), before.open),
                };
                let watching = Watching { armed, life, open };
                let wish = Wish {
                    priority: record.priority,
                    ..watching.wish(self.setup.every, stated_interval(&record))
                };
                self.governor.register(id.clone(), wish);
                (Some(watching), None)
            }
            Ok(_) => (None, None),
            Err(refused) => (None, Some((record.text.clone(), refused))),
        };
        let entry = Entry {
            watching,
            record: Some(record),
            refused,
            looked: now.mono,
            shown: Shown::default(),
        };
        self.rules.insert(id, entry);
    }

    fn delete_rule(&mut self, id: &Id, now: Moment, effects: &mut Vec<Effect>) {
        self.end_open_alert(id, now, effects);
        if self.rules.remove(id).is_some() {
            tracing::info!(rule = %id, "deleted a rule");
            self.governor.remove(id);
        }
        effects.push(Effect::Store(Batch::new().remove_rule(id)));
        // Also for a rule that the book does not know: its topics may be left
        // from before.
        for topic in self.topics.rule_retained(id) {
            effects.push(Effect::State {
                topic,
                payload: Vec::new(),
            });
        }
    }

    pub(super) fn drawn(&self, name: &Id) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.name == *name)
    }

    /// `zones/<name>/set`. Rules are armed anew, since what they look at may
    /// have changed; their lives go on.
    pub(super) fn zone_request(
        &mut self,
        name: Id,
        payload: &[u8],
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let topic = self.topics.zone(&name);
        match inbox::zone_set(&name, payload) {
            Ok(ZoneSet::Delete) => {
                self.zones.retain(|zone| zone.name != name);
                effects.push(Effect::Store(Batch::new().remove_zone(&name)));
                let payload = Vec::new();
                effects.push(Effect::State { topic, payload });
            }
            Ok(ZoneSet::Put(_)) if self.zones.len() >= MAX_ZONES && self.drawn(&name).is_none() => {
                let why = format!("at most {MAX_ZONES} zones can be drawn; delete one first");
                effects.push(self.zone_error(&name, &why));
                return;
            }
            Ok(ZoneSet::Put(polygon)) => {
                let zone = Zone {
                    name: name.clone(),
                    polygon,
                };
                if self.drawn(&name) == Some(&zone) {
                    effects.push(self.zone_state(&zone));
                    return;
                }
                effects.push(Effect::Store(Batch::new().put_zone(&zone)));
                effects.push(self.zone_state(&zone));
                self.zones.retain(|zone| zone.name != name);
                self.zones.push(zone);
            }
            Err(why) => {
                effects.push(self.zone_error(&name, &why));
                return;
            }
        }
        for id in self.rules.keys().cloned().collect::<Vec<_>>() {
            let text = self.rules.get(&id).and_then(|entry| entry.record.as_ref());
            let armed = text.map(|record| self.arm(&record.text));
            if matches!(armed, Some(Err(_))) {
                // Without its zone it can't go on; what it said is over.
                self.end_open_alert(&id, now, effects);
            }
            let Some(armed) = armed else {
                continue;
            };
            let Some(entry) = self.rules.remove(&id) else {
                continue;
            };
            if let Some(record) = entry.record {
                let past = entry
                    .watching
                    .map_or(Past::None, |before| Past::Running(Box::new(before)));
                self.put(id, record, armed, past, now);
            }
        }
    }
}
