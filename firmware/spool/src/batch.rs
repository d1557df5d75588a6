use scene::{Alert, Id, Zone};

use crate::{Note, RuleRecord};

/// Changes that are made together or not at all, in the order given.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(crate) changes: Vec<Change>,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    PutRule(Id, Vec<u8>),
    RemoveRule(Id),
    PutZone(Id, Vec<u8>),
    RemoveZone(Id),
    PutLife(Id, Vec<u8>),
    PutNote(Note, Vec<u8>),
    RemoveNote(Note),
    PushAlert(Vec<u8>, Option<Vec<u8>>),
    Ack(u64),
}

/// JSON of our own types: string keys and numbers only, which can't fail.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

impl Batch {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    fn and(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// Sets a rule.
    pub fn put_rule(self, id: &Id, rule: &RuleRecord) -> Self {
        let mut rule = rule.clone();
        // A known field among the unknown ones would be written twice and
        // could not be read back.
        for known in ["text", "enabled", "priority", "snapshot", "every_seconds"] {
            rule.other.remove(known);
        }
        self.and(Change::PutRule(id.clone(), json(&rule)))
    }

    /// Removes a rule and its life, if there.
    pub fn remove_rule(self, id: &Id) -> Self {
        self.and(Change::RemoveRule(id.clone()))
    }

    /// Draws a zone.
    pub fn put_zone(self, zone: &Zone) -> Self {
        self.and(Change::PutZone(zone.name.clone(), json(zone)))
    }

    /// Removes a zone, if there.
    pub fn remove_zone(self, name: &Id) -> Self {
        self.and(Change::RemoveZone(name.clone()))
    }

    /// Keeps where a rule is in its life.
    pub fn put_life(self, rule: &Id, life: &[u8]) -> Self {
        self.and(Change::PutLife(rule.clone(), life.to_vec()))
    }

    /// Keeps a note; one of the same name is replaced.
    pub fn put_note(self, note: Note, bytes: &[u8]) -> Self {
        self.and(Change::PutNote(note, bytes.to_vec()))
    }

    /// Removes a note, if there.
    pub fn remove_note(self, note: Note) -> Self {
        self.and(Change::RemoveNote(note))
    }

    /// Queues an alert with its picture.
    pub fn push_alert(self, alert: &Alert, jpeg: Option<&[u8]>) -> Self {
        let mut alert = alert.clone();
        // JSON has no NaN: it would be written as null and the alert could
        // not be read back.
        if !alert.evidence.confidence.is_finite() {
            alert.evidence.confidence = 0.0;
        }
        if !alert.joules.value.0.is_finite() {
            alert.joules.value.0 = 0.0;
        }
        self.and(Change::PushAlert(json(&alert), jpeg.map(<[u8]>::to_vec)))
    }

    /// Takes an alert that the broker acknowledged out of the queue.
    pub fn ack(self, seq: u64) -> Self {
        self.and(Change::Ack(seq))
    }
}
