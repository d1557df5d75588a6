use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::Database;
use scene::{Alert, Id, Zone};
use serde::de::DeserializeOwned;

use crate::batch::{Batch, Change};
use crate::file::{self, Fault};
use crate::table::{self, LIVES, NOTES, RULES, ZONES};
use crate::{Counts, Limits, Note, Opened, Pending, RuleRecord, StoreError};

/// Rules, zones, where rules are in their lives, and undelivered alerts.
///
/// Calls block on the medium (an fsync takes milliseconds on flash) and wait
/// for each other.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    limits: Limits,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// `None` after a failure, until the next call opens it again: redb takes
    /// no more writes after one that failed (a full medium, for example).
    db: Option<Database>,
    opened: Opened,
    counts: Counts,
    /// Lives that were put since the last durable commit. Bounded by
    /// [`Limits::rules`]; one more is refused.
    fresh_lives: BTreeMap<Id, Vec<u8>>,
}

impl Store {
    /// Opens the store in the file at `path`, making it and its directory if
    /// they are missing. A file that can't be read is renamed to
    /// `<name>.broken-<n>` and a fresh one made; [`Store::opened`] tells.
    ///
    /// Fails if the place can't be written or another process has it open.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, StoreError> {
        let mut opened = Opened {
            set_aside: None,
            boot_count: 0,
            // RandomState's keys come from the system's random source.
            boot_tag: RandomState::new().hash_one(()) as u32,
        };
        let db = Self::open_file(path, &mut opened, true)?;
        let mut inner = Inner {
            db: Some(db),
            opened,
            counts: Counts::default(),
            fresh_lives: BTreeMap::new(),
        };
        inner.counts = inner.run(path, table::counts)?;
        Ok(Self {
            path: path.to_path_buf(),
            limits,
            inner: Mutex::new(inner),
        })
    }

    fn open_file(path: &Path, opened: &mut Opened, boot: bool) -> Result<Database, StoreError> {
        let mut boots = 0;
        let (db, aside) = file::open(path, |db| {
            boots = table::prepare(db, boot).map_err(|e| file::fault(path, e))?;
            Ok(())
        })?;
        opened.boot_count = boots;
        opened.set_aside = aside.or(opened.set_aside.take());
        Ok(db)
    }

    /// What opening brought to light.
    pub fn opened(&self) -> Opened {
        self.lock().opened.clone()
    }

    /// How full the queue is and what was lost.
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What a panic left is at worst a closed database, which is reopened.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` on the open database, opening it first if the last use of
    /// it failed.
    fn with<T>(
        &self,
        inner: &mut Inner,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        if inner.db.is_none() {
            let db = Self::open_file(&self.path, &mut inner.opened, false)?;
            inner.db = Some(db);
            let unreadable = inner.counts.unreadable;
            inner.counts = inner.run(&self.path, table::counts)?;
            inner.counts.unreadable = unreadable;
        }
        inner.run(&self.path, work)
    }

    /// Makes all changes of `batch` or none, durably: when this returns they
    /// are on the medium. Gives the places of the pushed alerts, in order.
    pub fn commit(&self, batch: Batch) -> Result<Vec<u64>, StoreError> {
        self.apply(batch).map(|done| done.seqs)
    }

    fn apply(&self, batch: Batch) -> Result<table::Done, StoreError> {
        for change in &batch.changes {
            self.check_length(change)?;
        }
        let inner = &mut *self.lock();
        // Lives that are waiting go along, first, so that the batch's win.
        let waiting: Vec<Change> = (inner.fresh_lives.iter())
            .map(|(id, life)| Change::PutLife(id.clone(), life.clone()))
            .collect();
        if waiting.is_empty() && batch.is_empty() {
            return Ok(table::Done::default());
        }
        let limits = self.limits;
        let (done, counts) = self.with(inner, |db| {
            let done = table::apply(db, &limits, waiting.iter().chain(&batch.changes))?;
            Ok((done, table::counts(db)?))
        })?;
        if let Some((what, limit)) = done.full {
            return Err(StoreError::Full { what, limit });
        }
        inner.fresh_lives.clear();
        let lost = counts.dropped_alerts - inner.counts.dropped_alerts;
        if lost > 0 {
            tracing::warn!(
                lost,
                "the alert queue is full; the oldest alerts were dropped"
            );
        }
        let unreadable = inner.counts.unreadable;
        inner.counts = Counts {
            unreadable,
            ..counts
        };
        Ok(done)
    }

    fn check_length(&self, change: &Change) -> Result<(), StoreError> {
        let (what, name, bytes) = match change {
            Change::PutRule(id, bytes) => ("the rule", id.as_str(), bytes.len()),
            Change::PutZone(id, bytes) => ("the zone", id.as_str(), bytes.len()),
            Change::PutLife(id, bytes) => ("the life", id.as_str(), bytes.len()),
            Change::PutNote(note, bytes) => ("the note", note.name(), bytes.len()),
            _ => return Ok(()),
        };
        let limit = self.limits.record_bytes;
        if bytes <= limit {
            return Ok(());
        }
        Err(StoreError::TooLong {
            what,
            name: name.to_string(),
            bytes,
            limit,
        })
    }

    /// Sets a rule, durably.
    pub fn put_rule(&self, id: &Id, rule: &RuleRecord) -> Result<(), StoreError> {
        self.commit(Batch::new().put_rule(id, rule)).map(drop)
    }

    /// Removes a rule and its life, durably; nothing happens if it is not there.
    pub fn remove_rule(&self, id: &Id) -> Result<(), StoreError> {
        self.commit(Batch::new().remove_rule(id)).map(drop)
    }

    /// All rules, by id. One that can't be read is logged, counted and left
    /// where it is.
    pub fn rules(&self) -> Result<Vec<(Id, RuleRecord)>, StoreError> {
        let inner = &mut *self.lock();
        let raw = self.with(inner, |db| table::all(db, RULES))?;
        Ok(inner.readable(raw, "rule"))
    }

    /// Draws a zone, durably.
    pub fn put_zone(&self, zone: &Zone) -> Result<(), StoreError> {
        self.commit(Batch::new().put_zone(zone)).map(drop)
    }

    /// Removes a zone, durably; nothing happens if it is not there.
    pub fn remove_zone(&self, name: &Id) -> Result<(), StoreError> {
        self.commit(Batch::new().remove_zone(name)).map(drop)
    }

    /// All zones, by name. One that can't be read is logged, counted and left
    /// where it is.
    pub fn zones(&self) -> Result<Vec<Zone>, StoreError> {
        let inner = &mut *self.lock();
        let raw = self.with(inner, |db| table::all(db, ZONES))?;
        let zones: Vec<(Id, Zone)> = inner.readable(raw, "zone");
        Ok(zones.into_iter().map(|(_, zone)| zone).collect())
    }

    /// Notes where a rule is in its life. To spare the flash it is written
    /// with the next durable commit, by [`Store::flush`], or when the store is
    /// dropped; in a [`Batch`] it is durable at once.
    pub fn put_life(&self, rule: &Id, life: &[u8]) -> Result<(), StoreError> {
        let change = Change::PutLife(rule.clone(), life.to_vec());
        self.check_length(&change)?;
        let lives = &mut self.lock().fresh_lives;
        if !lives.contains_key(rule) && lives.len() >= self.limits.rules {
            return Err(StoreError::Full {
                what: "lives",
                limit: self.limits.rules,
            });
        }
        lives.insert(rule.clone(), life.to_vec());
        Ok(())
    }

    /// Where each rule is in its life, by rule.
    pub fn lives(&self) -> Result<Vec<(Id, Vec<u8>)>, StoreError> {
        let inner = &mut *self.lock();
        let written = self.with(inner, |db| table::all(db, LIVES))?;
        let mut lives: BTreeMap<Id, Vec<u8>> = (written.into_iter())
            .filter_map(|(id, life)| Some((Id::new(id).ok()?, life)))
            .collect();
        lives.extend(inner.fresh_lives.clone());
        Ok(lives.into_iter().collect())
    }

    /// What was kept as `note`; `None` if nothing was.
    pub fn note(&self, note: Note) -> Result<Option<Vec<u8>>, StoreError> {
        let inner = &mut *self.lock();
        let all = self.with(inner, |db| table::all(db, NOTES))?;
        let found = all.into_iter().find(|(name, _)| name == note.name());
        Ok(found.map(|(_, bytes)| bytes))
    }

    /// Writes the lives that are waiting, durably.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.commit(Batch::new()).map(drop)
    }

    /// Queues an alert with its picture. When this returns it is on the
    /// medium. Gives its place in the queue.
    pub fn push_alert(&self, alert: &Alert, jpeg: Option<&[u8]>) -> Result<u64, StoreError> {
        let seqs = self.commit(Batch::new().push_alert(alert, jpeg))?;
        Ok(seqs.first().copied().unwrap_or_default())
    }

    /// Up to `max` undelivered alerts in the order they were pushed, from
    /// place `from` on (0: the oldest). One that can't be read is logged,
    /// counted and skipped; it leaves when the queue is full.
    pub fn pending(&self, from: u64, max: usize) -> Result<Vec<Pending>, StoreError> {
        let inner = &mut *self.lock();
        let mut out = Vec::new();
        let mut unreadable = 0;
        self.with(inner, |db| {
            table::queued(db, from, |(seq, alert, jpeg)| {
                if out.len() >= max {
                    return false;
                }
                match serde_json::from_slice(&alert) {
                    Ok(alert) => out.push(Pending { seq, alert, jpeg }),
                    Err(error) => {
                        tracing::warn!(seq, %error, "an alert in the store can't be read; skipped");
                        unreadable += 1;
                    }
                }
                out.len() < max
            })
        })?;
        inner.counts.unreadable += unreadable;
        Ok(out)
    }

    /// Takes an alert that the broker acknowledged out of the queue, durably.
    /// `false` if it was not there: acknowledged before, or dropped for room.
    pub fn ack(&self, seq: u64) -> Result<bool, StoreError> {
        self.apply(Batch::new().ack(seq)).map(|done| done.acked > 0)
    }
}

impl Inner {
    fn run<T>(
        &mut self,
        path: &Path,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let Some(db) = &self.db else {
            return Err(StoreError::Failed {
                path: path.to_path_buf(),
                why: "it is closed".into(),
            });
        };
        // redb asserts what a file that changes under it can break.
        let why = match catch_unwind(AssertUnwindSafe(|| work(db))) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => match file::fault(path, error) {
                Fault::Place(error) => error,
                Fault::Broken(why) => StoreError::Failed {
                    path: path.to_path_buf(),
                    why,
                },
            },
            Err(panic) => StoreError::Failed {
                path: path.to_path_buf(),
                why: file::panic_words(panic),
            },
        };
        // Opening again checks the file, and moves it aside if it is broken.
        let closing = self.db.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(closing)));
        Err(why)
    }

    fn readable<T: DeserializeOwned>(
        &mut self,
        raw: Vec<(String, Vec<u8>)>,
        what: &str,
    ) -> Vec<(Id, T)> {
        let mut out = Vec::with_capacity(raw.len());
        for (name, bytes) in raw {
            match (Id::new(name.as_str()), serde_json::from_slice(&bytes)) {
                (Ok(id), Ok(value)) => out.push((id, value)),
                (_, read) => {
                    let error = read.err().map(|e| e.to_string()).unwrap_or_default();
                    tracing::warn!(
                        what,
                        name,
                        error,
                        "a record in the store can't be read; skipped"
                    );
                    self.counts.unreadable += 1;
                }
            }
        }
        out
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.flush() {
            tracing::warn!(%error, "the rules' lives could not be written at the end");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full medium or a panic inside redb fails one call; the next one opens
    /// the file anew and finds everything.
    #[test]
    fn a_failed_call_is_followed_by_a_fresh_opening() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let store = Store::open(&path, Limits::default()).unwrap();
        let rule = Id::new("a").unwrap();
        store.put_rule(&rule, &RuleRecord::new("x")).unwrap();
        store.put_life(&rule, b"waiting").unwrap();

        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let mut guard = store.lock();
        let inner = &mut *guard;
        let failed = inner.run::<()>(&path, |_| Err(redb::Error::Io(full)));
        let text = failed.unwrap_err().to_string();
        assert!(text.contains("free some room"), "{text}");
        assert!(inner.db.is_none());
        let failed = store.with::<()>(inner, |_| panic!("an assertion in redb"));
        let text = failed.unwrap_err().to_string();
        assert!(text.contains("an assertion in redb"), "{text}");
        drop(guard);

        store.flush().unwrap();
        assert_eq!(store.rules().unwrap().len(), 1);
        assert_eq!(store.lives().unwrap()[0].1, b"waiting");
        assert_eq!(store.opened().boot_count, 1, "the same boot");
    }
}
