//! The camera's one connection to an MQTT broker.
//!
//! A single task owns the protocol engine (rumqttc, MQTT 5). Everybody else
//! holds a [`LinkHandle`] to publish and one receiver of [`LinkEvent`]s.
//!
//! What the link promises:
//! - A publish with a token ends in exactly one of [`LinkEvent::Acked`],
//!   [`LinkEvent::Refused`] or the next [`LinkEvent::Down`]. After `Down` no
//!   token of before is ever acknowledged: whoever needs delivery keeps the
//!   message itself (the spool) and publishes it again after `Up`.
//! - Messages go out in the order they were published, and the engine never
//!   resends any by itself: each connection gets a fresh engine.
//! - A message of QoS 1 from the broker is acknowledged when its
//!   [`Receipt`] is dropped, in the order of arrival. Keep the receipt until
//!   what the message asks for is stored, and a crash in between makes the
//!   broker deliver it again.

mod backoff;
mod config;
mod connection;
mod receipt;
mod task;
mod tls;
pub mod topics;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

pub use config::{LinkConfig, LinkError, Secret, Will};
pub use receipt::Receipt;
pub use topics::{Inbound, Topics};

/// How surely a message is delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Qos {
    /// Sent once, never acknowledged.
    AtMostOnce,
    /// Acknowledged by the broker.
    #[default]
    AtLeastOnce,
}

/// A message to publish.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// Where to; no wildcards.
    pub topic: String,
    /// What.
    pub payload: Bytes,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
    /// How surely.
    pub qos: Qos,
    /// MIME type, "application/json" for instance.
    pub content_type: Option<String>,
    /// Named strings beside the payload (MQTT 5 subscribers see them).
    pub user_properties: Vec<(String, String)>,
    /// Copied from a request into its answer.
    pub correlation_data: Option<Bytes>,
    /// Comes back in [`LinkEvent::Acked`]. Only with [`Qos::AtLeastOnce`].
    pub token: Option<u64>,
}

impl Outgoing {
    /// A retained JSON message of QoS 1 without a token.
    pub fn retained_json(topic: impl Into<String>, json: impl Into<Bytes>) -> Self {
        Self {
            retain: true,
            ..Self::json(topic, json)
        }
    }

    /// A JSON message of QoS 1 without a token.
    pub fn json(topic: impl Into<String>, json: impl Into<Bytes>) -> Self {
        Self {
            topic: topic.into(),
            payload: json.into(),
            content_type: Some("application/json".into()),
            ..Self::default()
        }
    }

    /// A retained plain text of QoS 1 without a token.
    pub fn retained_text(topic: impl Into<String>, text: impl Into<Bytes>) -> Self {
        Self {
            topic: topic.into(),
            payload: text.into(),
            retain: true,
            content_type: Some("text/plain".into()),
            ..Self::default()
        }
    }

    /// Removes what the broker keeps on `topic`.
    pub fn clear(topic: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            retain: true,
            ..Self::default()
        }
    }

    /// The same with a token.
    pub fn with_token(mut self, token: u64) -> Self {
        self.token = Some(token);
        self
    }
}

/// A message from an operator.
#[derive(Debug)]
pub struct Message {
    /// Where it was published.
    pub topic: String,
    /// What.
    pub payload: Bytes,
    /// Whether it was kept by the broker from before the subscription.
    pub retain: bool,
    /// Where the sender wants the answer (MQTT 5). Untrusted: pass it through
    /// [`Topics::answer_to`].
    pub response_topic: Option<String>,
    /// To be copied into the answer (MQTT 5).
    pub correlation: Option<Bytes>,
    /// Named strings beside the payload (MQTT 5).
    pub user_properties: Vec<(String, String)>,
    /// Acknowledges the message when dropped.
    pub receipt: Receipt,
}

/// What happened on the link.
#[derive(Debug)]
pub enum LinkEvent {
    /// Connected and subscribed; publish retained state now.
    Up {
        /// Whether the broker kept the session: what was published meanwhile
        /// follows. If not, retained messages come again as new.
        session_present: bool,
    },
    /// Not connected; every token not acknowledged yet is lost.
    Down {
        /// What went wrong, in a sentence.
        why: String,
        /// How long until the next try.
        retry_in: Duration,
    },
    /// An operator published something.
    Message(Message),
    /// An operator published something that is too big to look at; it was
    /// dropped.
    Oversize {
        /// Where it was published.
        topic: String,
        /// Its size.
        payload_bytes: usize,
        /// The most the link takes ([`LinkConfig::max_payload_bytes`]).
        limit_bytes: usize,
        /// Where the sender wants the answer. Untrusted.
        response_topic: Option<String>,
        /// To be copied into the answer.
        correlation: Option<Bytes>,
    },
    /// The broker has the message with this token.
    Acked {
        /// As it was given to [`LinkHandle::publish`].
        token: u64,
    },
    /// The broker does not take the message with this token and would not the
    /// next time either; publishing it again as it is makes no sense.
    Refused {
        /// As it was given to [`LinkHandle::publish`]; `None` if it had none.
        token: Option<u64>,
        /// Where it was to go.
        topic: String,
        /// Why, in a sentence.
        why: String,
    },
    /// The broker does not let this client subscribe; operators can't reach
    /// the camera on this filter.
    SubscriptionRefused {
        /// The filter.
        filter: String,
        /// Why, in a sentence.
        why: String,
    },
}

/// Why a message was not taken for publishing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PublishError {
    /// There is no connection; publish again after [`LinkEvent::Up`].
    #[error("the broker is not connected")]
    Down,
    /// More is waiting than the queue holds; publish again after an
    /// [`LinkEvent::Acked`], or drop it.
    #[error("{waiting} messages wait for the broker already")]
    Full {
        /// How many.
        waiting: usize,
    },
    /// The topic can't be published to.
    #[error("'{topic}' is not a topic to publish to: {why}")]
    BadTopic {
        /// The topic, cut to 120 characters.
        topic: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The link was stopped.
    #[error("the link to the broker was stopped")]
    Stopped,
}

/// A message on its way to the task, marked with the connection that it was
/// meant for: what was queued for a connection that has ended is dropped.
struct Queued {
    epoch: u64,
    message: Outgoing,
}

/// The connection's number; even while it is down, odd while it is up.
#[derive(Debug, Default)]
struct Epoch(AtomicU64);

impl Epoch {
    fn read(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
    fn is_up(epoch: u64) -> bool {
        epoch % 2 == 1
    }
    /// Only the task calls these two.
    fn raise(&self) {
        if !Self::is_up(self.read()) {
            self.0.fetch_add(1, Ordering::AcqRel);
        }
    }
    fn lower(&self) {
        if Self::is_up(self.read()) {
            self.0.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// The order to stop, with an optional last message.
struct Stop {
    farewell: Option<Outgoing>,
    done: oneshot::Sender<Stopped>,
}

/// How a stop went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Whether the broker has the farewell (or there was none to send).
    pub farewell_acked: bool,
}

/// Publishes. Cheap to clone.
#[derive(Clone)]
pub struct LinkHandle {
    queue: mpsc::Sender<Queued>,
    stop: mpsc::Sender<Stop>,
    epoch: Arc<Epoch>,
}

impl LinkHandle {
    /// The longest that [`Self::stop`] waits for the farewell's
    /// acknowledgement.
    pub const FAREWELL: Duration = Duration::from_secs(2);

    /// Queues `message` without waiting. The queue holds
    /// [`LinkConfig::queue`] messages; when it is full nothing is dropped
    /// behind the caller's back but the new message is refused.
    pub fn publish(&self, message: Outgoing) -> Result<(), PublishError> {
        check_topic(&message.topic)?;
        let epoch = self.epoch.read();
        if self.queue.is_closed() {
            return Err(PublishError::Stopped);
        }
        if !Epoch::is_up(epoch) {
            return Err(PublishError::Down);
        }
        self.queue
            .try_send(Queued { epoch, message })
            .map_err(|e| match e {
                mpsc::error::TrySendError::Full(_) => PublishError::Full {
                    waiting: self.queue.max_capacity(),
                },
                mpsc::error::TrySendError::Closed(_) => PublishError::Stopped,
            })
    }

    /// Whether the broker is connected. It may be gone by the time the caller
    /// looks at the answer; [`Self::publish`] tells again.
    pub fn is_up(&self) -> bool {
        Epoch::is_up(self.epoch.read())
    }

    /// Publishes what is queued and then `farewell`, waits up to
    /// [`Self::FAREWELL`] for its acknowledgement, and disconnects in order,
    /// so that the broker does not publish the will. Tokens acknowledged
    /// meanwhile are reported as long as the receiver has room.
    pub async fn stop(&self, farewell: Option<Outgoing>) -> Stopped {
        let nothing = Stopped {
            farewell_acked: false,
        };
        let (done, stopped) = oneshot::channel();
        let limit = Self::FAREWELL + Duration::from_secs(1);
        let order = async {
            self.stop.send(Stop { farewell, done }).await.ok()?;
            stopped.await.ok()
        };
        match tokio::time::timeout(limit, order).await {
            Ok(Some(stopped)) => stopped,
            Ok(None) | Err(_) => nothing,
        }
    }
}

fn check_topic(topic: &str) -> Result<(), PublishError> {
    topics::publishable(topic).map_err(|why| PublishError::BadTopic {
        topic: topic.chars().take(120).collect(),
        why,
    })
}

/// Checks `config`, reads the certificates that it names, and starts the task
/// that keeps the connection. Must be called inside a tokio runtime.
///
/// The receiver holds 256 events. When it is full the task waits, reads
/// nothing more from the broker, and nothing is lost; a daemon that stays
/// stuck longer than 1.5 x keep-alive is declared offline by the broker's
/// will, as it should be. Dropping the receiver ends the link without a
/// farewell.
pub fn spawn(config: LinkConfig) -> Result<(LinkHandle, mpsc::Receiver<LinkEvent>), LinkError> {
    let prepared = config.prepare()?;
    let (queue, queued) = mpsc::channel(prepared.config.queue.max(1));
    let (stop, stops) = mpsc::channel(1);
    let (events, receiver) = mpsc::channel(256);
    let epoch = Arc::new(Epoch::default());
    let task = task::Task {
        prepared,
        queued,
        stops,
        events,
        epoch: Arc::clone(&epoch),
    };
    tokio::spawn(task.run());
    Ok((LinkHandle { queue, stop, epoch }, receiver))
}
