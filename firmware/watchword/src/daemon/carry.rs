//! Carries out what the watch loop wants: stores, publishes, orders looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use scene::Moment;
use scene::ports::Cancel;
use spool::{Batch, Note, Pending, Store};
use tokio::sync::mpsc::Sender;

use super::{link_event, request, retained};
use crate::evidence;
use crate::link::topics::{Inbound, Topics};
use crate::link::{LinkEvent, LinkHandle, Message, Outgoing, PublishError};
use crate::outbox::{Outbox, Publish};
use crate::watch::{Drops, Effect, Event, Order, Raise, Request, Watch};

/// The hands of the watch loop.
pub(super) struct Carrier {
    store: Store,
    link: LinkHandle,
    topics: Topics,
    orders: Sender<Order>,
    give_up: GiveUp,
    outbox: Outbox,
    /// States that found no room in the link's queue since the last
    /// connection; all are sent again at the next one.
    dropped: u64,
    /// The same since the start.
    dropped_ever: u64,
}

/// Ends the look under way.
pub(super) struct GiveUp {
    /// Where the look thread finds the order that is given up.
    pub number: Arc<AtomicU64>,
    pub canceller: Arc<dyn Cancel>,
}

impl GiveUp {
    fn now(&self, number: u64) {
        self.number.store(number, Ordering::Release);
        self.canceller.cancel();
    }
}

/// Publishes an alert, its picture first.
struct Wire<'a> {
    link: &'a LinkHandle,
    topics: &'a Topics,
}

impl Publish for Wire<'_> {
    fn publish(&self, pending: &Pending) -> bool {
        let alert = &pending.alert;
        if let Some(jpeg) = &pending.jpeg {
            let picture = Outgoing {
                content_type: Some("image/jpeg".into()),
                user_properties: vec![("alert".into(), alert.id.to_string())],
                ..retained(self.topics.alert_image(&alert.rule), jpeg.clone())
            };
            if self.link.publish(picture).is_err() {
                return false;
            }
        }
        let form = serde_json::to_vec(alert).expect("an alert is plain data");
        let alert = Outgoing::json(self.topics.alerts(), form).with_token(pending.seq);
        self.link.publish(alert).is_ok()
    }
}

impl Carrier {
    pub(super) fn new(
        store: Store,
        link: LinkHandle,
        topics: Topics,
        orders: Sender<Order>,
        give_up: GiveUp,
    ) -> Self {
        Self {
            store,
            link,
            topics,
            orders,
            give_up,
            outbox: Outbox::default(),
            dropped: 0,
            dropped_ever: 0,
        }
    }

    /// Deals with what concerns delivery, and hands back what concerns the
    /// core, with the message to keep until it is dealt with.
    pub(super) fn take_in(&mut self, event: LinkEvent) -> Option<(Event, Option<Message>)> {
        match &event {
            LinkEvent::Up { .. } => {
                tracing::info!("connected to the broker");
                self.dropped = 0;
                self.outbox.link_up();
            }
            LinkEvent::Down { why, retry_in } => {
                tracing::warn!(
                    retry_in_ms = retry_in.as_millis() as u64,
                    "no broker: {why}"
                );
                self.outbox.link_down();
            }
            LinkEvent::Acked { token } => {
                if let Err(error) = self.outbox.acked(*token, &self.store) {
                    tracing::error!(
                        seq = token,
                        "can't take a delivered alert out of the store: {error}"
                    );
                }
                self.pump();
            }
            LinkEvent::Refused { token, topic, why } => {
                tracing::error!(topic, "the broker refuses a publish: {why}");
                // It would be refused for ever and hold up those behind it.
                if let Some(token) = token
                    && let Err(error) = self.outbox.acked(*token, &self.store)
                {
                    tracing::error!(
                        seq = token,
                        "can't take a refused alert out of the store: {error}"
                    );
                }
                self.pump();
            }
            LinkEvent::SubscriptionRefused { filter, why } => {
                tracing::error!(filter, "the broker refuses a subscription: {why}");
            }
            LinkEvent::Oversize {
                topic,
                payload_bytes,
                limit_bytes,
                response_topic,
                correlation,
            } => {
                let why = format!(
                    "the payload has {payload_bytes} bytes; at most {limit_bytes} are taken"
                );
                tracing::warn!(topic, "refused a message: {why}");
                if self.topics.parse(topic) == Some(Inbound::LimitSet) {
                    let payload = Err(why);
                    return Some((Event::Operator(Request::Limit { payload }), None));
                }
                let told = match self.topics.parse(topic) {
                    Some(Inbound::RuleSet(id)) => Some(self.topics.rule(&id)),
                    Some(Inbound::ZoneSet(name)) => Some(self.topics.zone(&name)),
                    Some(Inbound::Check) => Some(self.topics.check_answer()),
                    Some(Inbound::Ask) => Some(self.topics.ask_answer()),
                    Some(Inbound::BadId { echo, .. }) => Some(echo),
                    Some(Inbound::LimitSet) | None => None,
                };
                let wanted = response_topic
                    .as_deref()
                    .and_then(|topic| self.topics.answer_to(topic).ok());
                if let Some(topic) = wanted.or(told) {
                    // Not retained: what is set under this name stays as it is.
                    self.publish(Outgoing {
                        correlation_data: correlation.clone(),
                        ..Outgoing::json(topic, refusal(&why))
                    });
                }
            }
            LinkEvent::Message(_) => {}
        }
        if let LinkEvent::Message(message) = event {
            if let Some(Inbound::BadId { error, echo, .. }) = self.topics.parse(&message.topic) {
                self.publish(Outgoing::json(echo, refusal(&error.to_string())));
                return None;
            }
            let request = request(&self.topics, &message)?;
            return Some((Event::Operator(request), Some(message)));
        }
        link_event(&event).map(|event| (event, None))
    }

    /// What was dropped so far, with the `frames` that the source tells.
    pub(super) fn drops(&self, frames: u64) -> Drops {
        let counts = self.store.counts();
        Drops {
            frames,
            publishes: self.dropped_ever,
            alerts: counts.dropped_alerts,
            pictures: counts.dropped_pictures,
        }
    }

    /// Does all of `effects`, in order.
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Look(order) => {
                    if self.orders.try_send(order).is_err() {
                        tracing::error!("the look thread is gone");
                    }
                }
                Effect::GiveUp { number, .. } => self.give_up.now(number),
                Effect::Store(batch) => {
                    if let Err(error) = blocking(|| self.store.commit(batch)) {
                        tracing::error!("can't store a change: {error}");
                    }
                }
                Effect::Raise(raise) => self.raise(*raise),
                Effect::State { topic, payload } => self.publish(retained(topic, payload)),
                Effect::Reply {
                    topic,
                    correlation,
                    payload,
                } => match self.topics.answer_to(&topic) {
                    Ok(topic) => self.publish(Outgoing {
                        correlation_data: correlation.map(Bytes::from),
                        ..Outgoing::json(topic, payload)
                    }),
                    Err(error) => tracing::warn!("can't answer: {error}"),
                },
            }
        }
        self.pump();
    }

    fn raise(&mut self, raise: Raise) {
        let Raise {
            mut alert,
            frame,
            snapshot,
            life,
        } = raise;
        let picture = blocking(|| match &frame {
            Some(frame) => evidence::picture(frame, snapshot),
            None => Ok(None),
        });
        let picture = picture.unwrap_or_else(|error| {
            tracing::error!(rule = %alert.rule, "an alert goes without its picture: {error:#}");
            None
        });
        alert.evidence.image_sha256 = picture.as_ref().map(|p| p.sha256.clone());
        tracing::info!(
            rule = %alert.rule, alert = %alert.id, phase = ?alert.phase, severity = %alert.severity,
            "{}", alert.says
        );
        let jpeg = picture.as_ref().map(|picture| picture.jpeg.as_slice());
        let batch = Batch::new()
            .put_life(&alert.rule, &life)
            .push_alert(&alert, jpeg);
        if let Err(error) = blocking(|| self.store.commit(batch)) {
            // A disk that fails must not silence the camera: the alert goes
            // out once, undurable, and the log says so.
            tracing::error!(alert = %alert.id, "can't store an alert, sending it just once: {error}");
            let pending = Pending {
                seq: u64::MAX,
                alert,
                jpeg: picture.map(|picture| picture.jpeg),
            };
            Wire {
                link: &self.link,
                topics: &self.topics,
            }
            .publish(&pending);
        }
    }

    fn publish(&mut self, outgoing: Outgoing) {
        match self.link.publish(outgoing) {
            // While the link is down everything retained waits for `LinkUp`.
            Ok(()) | Err(PublishError::Down) => {}
            Err(error) => {
                self.dropped += 1;
                self.dropped_ever += 1;
                tracing::warn!(dropped = self.dropped, "a publish was dropped: {error}");
            }
        }
    }

    fn pump(&mut self) {
        let wire = Wire {
            link: &self.link,
            topics: &self.topics,
        };
        if let Err(error) = self.outbox.pump(&self.store, &wire) {
            tracing::error!("can't read undelivered alerts: {error}");
        }
    }

    /// Keeps what looks cost and the lives of all rules, and says goodbye to
    /// the broker.
    pub(super) async fn stop(self, watch: &Watch, now: Moment) {
        for (id, life) in watch.lives(now) {
            if let Err(error) = self.store.put_life(&id, &life) {
                tracing::error!(rule = %id, "can't store a rule's life: {error}");
            }
        }
        if let Some(costs) = watch.costs() {
            let batch = Batch::new().put_note(Note::Costs, &costs);
            if let Err(error) = blocking(|| self.store.commit(batch)) {
                tracing::error!("can't store what looks cost: {error}");
            }
        }
        if let Err(error) = blocking(|| self.store.flush()) {
            tracing::error!("can't store the rules' lives: {error}");
        }
        let farewell = retained(self.topics.status(), b"stopped".to_vec());
        self.link.stop(Some(farewell)).await;
    }
}

/// What an operator is told of a message that can't be taken at all.
fn refusal(why: &str) -> String {
    let error = serde_json::json!({"kind": "not_a_rule", "why": why});
    serde_json::json!({"v": 1, "state": "rejected", "error": error}).to_string()
}

/// Runs something that waits for the disk or takes some milliseconds of CPU
/// without holding up the runtime's other tasks.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}
