//! The pump that publishes undelivered alerts in the order they were raised.
//!
//! The spool is the truth: the outbox remembers only how far it has read and
//! what the broker has not acknowledged yet. After a reconnect it starts over
//! from the oldest alert that is still in the spool, so nothing is lost and
//! nothing that was acknowledged is sent twice.

use std::collections::BTreeSet;

use spool::{Pending, Store, StoreError};

/// Alerts that may wait for the broker's acknowledgement at once.
pub const WINDOW: usize = 16;

/// Takes one alert (picture first) towards the broker.
pub trait Publish {
    /// Hands over `pending`; the acknowledgement must carry its `seq`.
    /// `false` if there is no room now; it is offered again later.
    fn publish(&self, pending: &Pending) -> bool;
}

/// The pump.
#[derive(Debug, Default)]
pub struct Outbox {
    connected: bool,
    /// The first sequence number not handed over since the last connection.
    next: u64,
    in_flight: BTreeSet<u64>,
}

impl Outbox {
    /// The broker is there: start over from the oldest undelivered alert.
    pub fn link_up(&mut self) {
        *self = Self {
            connected: true,
            ..Self::default()
        };
    }

    /// The broker is gone: acknowledgements under way will not come.
    pub fn link_down(&mut self) {
        *self = Self::default();
    }

    /// The broker has alert `seq`: it leaves the spool.
    pub fn acked(&mut self, seq: u64, store: &Store) -> Result<(), StoreError> {
        // An acknowledgement of an earlier connection is still true.
        self.in_flight.remove(&seq);
        store.ack(seq).map(drop)
    }

    /// Hands over as many undelivered alerts as fit the window.
    pub fn pump(&mut self, store: &Store, link: &impl Publish) -> Result<(), StoreError> {
        while self.connected && self.in_flight.len() < WINDOW {
            let batch = store.pending(self.next, 1)?;
            let Some(pending) = batch.first() else { break };
            if !link.publish(pending) {
                break;
            }
            self.in_flight.insert(pending.seq);
            self.next = pending.seq + 1;
        }
        Ok(())
    }

    /// How many alerts wait for an acknowledgement.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use scene::{Alert, AlertId, Evidence, Id, Joules, Phase, Quantity, Severity};
    use spool::Limits;

    use super::*;

    #[derive(Default)]
    struct Wire {
        sent: RefCell<Vec<u64>>,
        full: Cell<bool>,
    }

    impl Publish for Wire {
        fn publish(&self, pending: &Pending) -> bool {
            if !self.full.get() {
                self.sent.borrow_mut().push(pending.seq);
            }
            !self.full.get()
        }
    }

    fn alert(n: u64) -> Alert {
        Alert {
            v: 1,
            id: AlertId::new(1, n),
            rule: Id::new("queue").unwrap(),
            phase: Phase::New,
            severity: Severity::Warning,
            since: None,
            says: "5 people".into(),
            evidence: Evidence {
                answer: "5".into(),
                confidence: 0.9,
                frame_time: None,
                answer_age_seconds: None,
                model: "sim/1".into(),
                point: None,
                image_sha256: None,
            },
            joules: Quantity::modelled(Joules(0.1)),
            latency_ms: 5,
        }
    }

    fn store_with(alerts: u64) -> (tempfile::TempDir, Store, Vec<u64>) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("s.redb"), Limits::default()).unwrap();
        let seqs = (0..alerts)
            .map(|n| store.push_alert(&alert(n), None).unwrap())
            .collect();
        (dir, store, seqs)
    }

    #[test]
    fn the_window_bounds_what_is_in_flight_and_acks_move_it() {
        let (_dir, store, seqs) = store_with(20);
        let (mut outbox, wire) = (Outbox::default(), Wire::default());
        outbox.pump(&store, &wire).unwrap();
        assert!(
            wire.sent.borrow().is_empty(),
            "nothing goes before the link is up"
        );
        outbox.link_up();
        outbox.pump(&store, &wire).unwrap();
        assert_eq!(*wire.sent.borrow(), seqs[..WINDOW]);
        outbox.acked(seqs[3], &store).unwrap();
        outbox.pump(&store, &wire).unwrap();
        assert_eq!(*wire.sent.borrow(), seqs[..=WINDOW]);
    }

    #[test]
    fn a_reconnect_sends_what_was_not_acknowledged_again_in_order() {
        let (_dir, store, seqs) = store_with(3);
        let (mut outbox, wire) = (Outbox::default(), Wire::default());
        outbox.link_up();
        outbox.pump(&store, &wire).unwrap();
        outbox.acked(seqs[1], &store).unwrap();
        outbox.link_down();
        outbox.pump(&store, &wire).unwrap();
        outbox.link_up();
        outbox.pump(&store, &wire).unwrap();
        assert_eq!(
            *wire.sent.borrow(),
            [seqs[0], seqs[1], seqs[2], seqs[0], seqs[2]]
        );
    }

    #[test]
    fn a_full_link_is_offered_the_alert_again() {
        let (_dir, store, seqs) = store_with(1);
        let (mut outbox, wire) = (Outbox::default(), Wire::default());
        wire.full.set(true);
        outbox.link_up();
        outbox.pump(&store, &wire).unwrap();
        assert_eq!(outbox.in_flight(), 0);
        wire.full.set(false);
        outbox.pump(&store, &wire).unwrap();
        assert_eq!(*wire.sent.borrow(), seqs);
    }
}
