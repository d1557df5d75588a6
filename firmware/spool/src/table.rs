//! What lies where in the file, and the bounded queue inside it.

use redb::{
    Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table, TableDefinition,
    WriteTransaction,
};

use crate::batch::Change;
use crate::{Counts, Limits};

/// Rule id -> [`crate::RuleRecord`] as JSON.
pub(crate) const RULES: TableDefinition<&str, &[u8]> = TableDefinition::new("rules");
/// Zone name -> [`scene::Zone`] as JSON.
pub(crate) const ZONES: TableDefinition<&str, &[u8]> = TableDefinition::new("zones");
/// Rule id -> where it is in its life, in a form of the rules' own.
pub(crate) const LIVES: TableDefinition<&str, &[u8]> = TableDefinition::new("lives");
/// [`crate::Note`] -> bytes in a form of the keeper's own.
pub(crate) const NOTES: TableDefinition<&str, &[u8]> = TableDefinition::new("notes");
/// Place in the queue -> [`scene::Alert`] as JSON.
pub(crate) const ALERTS: TableDefinition<u64, &[u8]> = TableDefinition::new("alerts");
/// Place in the queue -> JPEG. Apart from the alerts, so that pictures can go
/// without rewriting them.
pub(crate) const PICTURES: TableDefinition<u64, &[u8]> = TableDefinition::new("pictures");
/// Counters.
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

const NEXT_SEQ: &str = "next_seq";
const BYTES: &str = "bytes";
const DROPPED_ALERTS: &str = "dropped_alerts";
const DROPPED_PICTURES: &str = "dropped_pictures";
const BOOT_COUNT: &str = "boot_count";

/// Makes the tables that are missing; counts a boot if `new_boot`. Gives the
/// boot count.
pub(crate) fn prepare(db: &Database, new_boot: bool) -> Result<u64, redb::Error> {
    let txn = db.begin_write()?;
    let boots = {
        for names in [RULES, ZONES, LIVES, NOTES] {
            txn.open_table(names)?;
        }
        txn.open_table(ALERTS)?;
        txn.open_table(PICTURES)?;
        let mut meta = txn.open_table(META)?;
        let boots = number(&meta, BOOT_COUNT)? + u64::from(new_boot);
        meta.insert(BOOT_COUNT, boots)?;
        boots
    };
    txn.commit()?;
    Ok(boots)
}

fn number(
    meta: &impl ReadableTable<&'static str, u64>,
    name: &'static str,
) -> Result<u64, redb::Error> {
    Ok(meta.get(name)?.map_or(0, |v| v.value()))
}

/// The queue's counts as of the last commit.
pub(crate) fn counts(db: &Database) -> Result<Counts, redb::Error> {
    let txn = db.begin_read()?;
    let meta = txn.open_table(META)?;
    Ok(Counts {
        alerts: txn.open_table(ALERTS)?.len()?,
        pictures: txn.open_table(PICTURES)?.len()?,
        bytes: number(&meta, BYTES)?,
        dropped_alerts: number(&meta, DROPPED_ALERTS)?,
        dropped_pictures: number(&meta, DROPPED_PICTURES)?,
        unreadable: 0,
    })
}

/// The queue inside one write transaction, with its counters.
struct Queue<'txn> {
    alerts: Table<'txn, u64, &'static [u8]>,
    pictures: Table<'txn, u64, &'static [u8]>,
    meta: Table<'txn, &'static str, u64>,
    next_seq: u64,
    bytes: u64,
    dropped_alerts: u64,
    dropped_pictures: u64,
}

impl<'txn> Queue<'txn> {
    fn open(txn: &'txn WriteTransaction) -> Result<Self, redb::Error> {
        let meta = txn.open_table(META)?;
        Ok(Self {
            alerts: txn.open_table(ALERTS)?,
            pictures: txn.open_table(PICTURES)?,
            next_seq: number(&meta, NEXT_SEQ)?,
            bytes: number(&meta, BYTES)?,
            dropped_alerts: number(&meta, DROPPED_ALERTS)?,
            dropped_pictures: number(&meta, DROPPED_PICTURES)?,
            meta,
        })
    }

    fn push(&mut self, alert: &[u8], jpeg: Option<&[u8]>) -> Result<u64, redb::Error> {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.alerts.insert(seq, alert)?;
        self.bytes += alert.len() as u64;
        if let Some(jpeg) = jpeg {
            self.pictures.insert(seq, jpeg)?;
            self.bytes += jpeg.len() as u64;
        }
        Ok(seq)
    }

    /// Takes an alert and its picture out. Gives what was there.
    fn take(&mut self, seq: u64) -> Result<(bool, bool), redb::Error> {
        let alert = self.alerts.remove(seq)?.map(|v| v.value().len());
        let picture = self.take_picture(seq)?;
        self.bytes = self.bytes.saturating_sub(alert.unwrap_or(0) as u64);
        Ok((alert.is_some(), picture))
    }

    fn take_picture(&mut self, seq: u64) -> Result<bool, redb::Error> {
        let picture = self.pictures.remove(seq)?.map(|v| v.value().len());
        self.bytes = self.bytes.saturating_sub(picture.unwrap_or(0) as u64);
        Ok(picture.is_some())
    }

    /// Full-policy: too many bytes, and the oldest pictures go; still too
    /// many, or too many alerts, and the oldest alerts go. The newest stays.
    fn make_room(&mut self, limits: &Limits) -> Result<(), redb::Error> {
        loop {
            let many = self.alerts.len()?;
            let too_many = many > limits.alerts as u64;
            let too_big = self.bytes > limits.bytes;
            if too_big && !too_many {
                let oldest = self.pictures.first()?.map(|(seq, _)| seq.value());
                if let Some(seq) = oldest {
                    self.dropped_pictures += u64::from(self.take_picture(seq)?);
                    continue;
                }
            }
            let oldest = self.alerts.first()?.map(|(seq, _)| seq.value());
            match oldest {
                Some(seq) if (too_many || too_big) && many > 1 => {
                    let (alert, picture) = self.take(seq)?;
                    self.dropped_alerts += u64::from(alert);
                    self.dropped_pictures += u64::from(picture);
                }
                _ => return Ok(()),
            }
        }
    }

    fn close(mut self) -> Result<(), redb::Error> {
        for (name, value) in [
            (NEXT_SEQ, self.next_seq),
            (BYTES, self.bytes),
            (DROPPED_ALERTS, self.dropped_alerts),
            (DROPPED_PICTURES, self.dropped_pictures),
        ] {
            self.meta.insert(name, value)?;
        }
        Ok(())
    }
}

/// What a batch did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Places of the pushed alerts.
    pub seqs: Vec<u64>,
    /// Acknowledged alerts that were there.
    pub acked: usize,
    /// A table that would hold more than its limit; nothing was done.
    pub full: Option<(&'static str, usize)>,
}

/// Makes `changes` in one durable transaction.
pub(crate) fn apply<'a>(
    db: &Database,
    limits: &Limits,
    changes: impl Iterator<Item = &'a Change>,
) -> Result<Done, redb::Error> {
    // A write transaction is Durability::Immediate unless told otherwise.
    let txn = db.begin_write()?;
    let mut done = Done::default();
    {
        let mut rules = txn.open_table(RULES)?;
        let mut zones = txn.open_table(ZONES)?;
        let mut lives = txn.open_table(LIVES)?;
        let mut notes = txn.open_table(NOTES)?;
        let mut queue = Queue::open(&txn)?;
        let before = (rules.len()?, zones.len()?);
        for change in changes {
            match change {
                Change::PutRule(id, bytes) => {
                    rules.insert(id.as_str(), bytes.as_slice())?;
                }
                Change::RemoveRule(id) => {
                    rules.remove(id.as_str())?;
                    lives.remove(id.as_str())?;
                }
                Change::PutZone(name, bytes) => {
                    zones.insert(name.as_str(), bytes.as_slice())?;
                }
                Change::RemoveZone(name) => {
                    zones.remove(name.as_str())?;
                }
                Change::PutLife(id, bytes) => {
                    // There are more lives than rules only if somebody keeps
                    // lives of rules that do not exist. That must not stop
                    // the alerts in the same batch.
                    let known = lives.get(id.as_str())?.is_some();
                    if known || lives.len()? < limits.rules as u64 {
                        lives.insert(id.as_str(), bytes.as_slice())?;
                    } else {
                        tracing::warn!(rule = %id, "no room for one more life; not kept");
                    }
                }
                Change::PutNote(note, bytes) => {
                    notes.insert(note.name(), bytes.as_slice())?;
                }
                Change::RemoveNote(note) => {
                    notes.remove(note.name())?;
                }
                Change::PushAlert(alert, jpeg) => {
                    done.seqs.push(queue.push(alert, jpeg.as_deref())?);
                }
                Change::Ack(seq) => {
                    done.acked += usize::from(queue.take(*seq)?.0);
                }
            }
        }
        queue.make_room(limits)?;
        queue.close()?;
        for (what, before, held, limit) in [
            ("rules", before.0, rules.len()?, limits.rules),
            ("zones", before.1, zones.len()?, limits.zones),
        ] {
            // A file from a time of higher limits must still take alerts.
            if held > limit as u64 && held > before {
                done.full = Some((what, limit));
            }
        }
    }
    if done.full.is_some() {
        txn.abort()?;
    } else {
        txn.commit()?;
    }
    Ok(done)
}

/// All of a table, by key.
pub(crate) fn all(
    db: &Database,
    table: TableDefinition<&'static str, &'static [u8]>,
) -> Result<Vec<(String, Vec<u8>)>, redb::Error> {
    let txn = db.begin_read()?;
    let table = txn.open_table(table)?;
    let mut out = Vec::new();
    for entry in table.iter()? {
        let (key, value) = entry?;
        out.push((key.value().to_string(), value.value().to_vec()));
    }
    Ok(out)
}

/// An alert and its picture as they lie in the file.
pub(crate) type RawPending = (u64, Vec<u8>, Option<Vec<u8>>);

/// The queue from place `from` on, as bytes, until `take` has had enough.
pub(crate) fn queued(
    db: &Database,
    from: u64,
    mut take: impl FnMut(RawPending) -> bool,
) -> Result<(), redb::Error> {
    let txn = db.begin_read()?;
    let alerts = txn.open_table(ALERTS)?;
    let pictures = txn.open_table(PICTURES)?;
    for entry in alerts.range(from..)? {
        let (seq, alert) = entry?;
        let seq = seq.value();
        let jpeg = pictures.get(seq)?.map(|v| v.value().to_vec());
        if !take((seq, alert.value().to_vec(), jpeg)) {
            break;
        }
    }
    Ok(())
}
