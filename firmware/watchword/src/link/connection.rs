use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use rumqttc::v5::AsyncClient;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnAckProperties, PubAck, PubAckReason, Publish, PublishProperties,
};
use tokio::sync::mpsc;

use super::{LinkConfig, LinkEvent, Message, Outgoing, Qos, Receipt};

/// The most publishes handed to the engine that it has not put on the wire
/// yet. Small, because what is in there can't be taken back.
const ENGINE_PUBLISHES: usize = 32;
/// The engine's request channel: those, all acknowledgements that can be due,
/// and a subscribe and disconnect.
pub(super) const ENGINE_QUEUE: usize =
    ENGINE_PUBLISHES + super::config::RECEIVE_MAXIMUM as usize * 2 + 8;
/// Room for dropped receipts: all that a broker may have under way to us, and
/// as much again for brokers that do not count.
pub(super) const RECEIPTS: usize = super::config::RECEIVE_MAXIMUM as usize * 4;

/// A publish of QoS 1 that is not acknowledged.
struct Unacked {
    token: Option<u64>,
    topic: String,
}

/// The book-keeping of one connection, from CONNECT to its end. Nothing in it
/// outlives the connection; that is what keeps tokens and packet ids of
/// different connections apart.
pub(super) struct Connection {
    client: AsyncClient,
    max_in_flight: usize,
    max_packet_bytes: usize,
    max_payload_bytes: usize,
    retain_available: bool,
    /// Handed to the engine, not on the wire yet, in that order. The engine
    /// names their packet ids in the same order: its events are the only
    /// place where a publish and its id meet.
    handed_over: VecDeque<Unacked>,
    handed_over_qos0: usize,
    in_flight: HashMap<u16, Unacked>,
    /// Received with QoS 1, in order of arrival, and whether the daemon is
    /// done with it. Acknowledged from the front only (MQTT 5, 4.6).
    received: VecDeque<Received>,
    arrivals: u64,
    receipts: mpsc::Sender<u64>,
}

struct Received {
    arrival: u64,
    pkid: u16,
    done: bool,
}

impl Connection {
    pub fn new(client: AsyncClient, config: &LinkConfig, receipts: mpsc::Sender<u64>) -> Self {
        Self {
            client,
            max_in_flight: usize::from(config.max_in_flight),
            max_packet_bytes: config.max_packet_bytes as usize,
            max_payload_bytes: config.max_payload_bytes,
            retain_available: true,
            handed_over: VecDeque::new(),
            handed_over_qos0: 0,
            in_flight: HashMap::new(),
            received: VecDeque::new(),
            arrivals: 0,
            receipts,
        }
    }

    /// Takes over the broker's limits from its CONNACK.
    pub fn limits(&mut self, broker: &ConnAckProperties) {
        if let Some(most) = broker.receive_max {
            // The engine stops sending anything, acknowledgements too, when
            // it has `receive_max` in flight; stay one below.
            let most = usize::from(most).saturating_sub(1).max(1);
            self.max_in_flight = self.max_in_flight.min(most);
        }
        if let Some(most) = broker.max_packet_size {
            self.max_packet_bytes = self.max_packet_bytes.min(most as usize);
        }
        self.retain_available = broker.retain_available != Some(0);
    }

    /// Whether another publish may be handed to the engine.
    pub fn ready(&self) -> bool {
        let unacked = self.in_flight.len() + self.handed_over.len();
        unacked < self.max_in_flight
            && self.handed_over.len() + self.handed_over_qos0 < ENGINE_PUBLISHES
    }

    /// Nothing waits for an acknowledgement or for the wire.
    pub fn idle(&self) -> bool {
        self.in_flight.is_empty() && self.handed_over.is_empty() && self.handed_over_qos0 == 0
    }

    /// Hands `message` to the engine; an event if it can never be sent. Only
    /// when [`Self::ready`].
    pub fn submit(&mut self, message: Outgoing) -> Option<LinkEvent> {
        let refused = |why: String| {
            Some(LinkEvent::Refused {
                token: message.token,
                topic: message.topic.clone(),
                why,
            })
        };
        // The engine drops the connection over a packet that is too large, so
        // it must not see one.
        let size = packet_bytes_at_most(&message);
        if size > self.max_packet_bytes {
            return refused(format!(
                "the message takes {size} bytes and the broker takes {} at most",
                self.max_packet_bytes
            ));
        }
        let retain = message.retain && self.retain_available;
        if retain != message.retain {
            tracing::warn!(
                topic = message.topic,
                "the broker keeps no retained messages"
            );
        }
        let properties = PublishProperties {
            content_type: message.content_type.clone(),
            user_properties: message.user_properties.clone(),
            correlation_data: message.correlation_data.clone(),
            ..PublishProperties::default()
        };
        let qos = match message.qos {
            Qos::AtMostOnce => QoS::AtMostOnce,
            Qos::AtLeastOnce => QoS::AtLeastOnce,
        };
        let handed = self.client.try_publish_with_properties(
            message.topic.as_str(),
            qos,
            retain,
            message.payload.clone(),
            properties,
        );
        if handed.is_err() {
            return refused("the protocol engine does not take it".into());
        }
        match message.qos {
            Qos::AtMostOnce => self.handed_over_qos0 += 1,
            Qos::AtLeastOnce => self.handed_over.push_back(Unacked {
                token: message.token,
                topic: message.topic,
            }),
        }
        None
    }

    /// The engine put a publish on the wire; 0 is the id of QoS 0.
    pub fn sent(&mut self, pkid: u16) {
        if pkid == 0 {
            self.handed_over_qos0 = self.handed_over_qos0.saturating_sub(1);
        } else if let Some(unacked) = self.handed_over.pop_front() {
            self.in_flight.insert(pkid, unacked);
        }
    }

    /// The broker acknowledged, or refused, a publish.
    pub fn acked(&mut self, ack: &PubAck) -> Option<LinkEvent> {
        let unacked = self.in_flight.remove(&ack.pkid)?;
        match ack.reason {
            PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Some(LinkEvent::Acked {
                token: unacked.token?,
            }),
            reason => {
                let said = (ack.properties.as_ref())
                    .and_then(|p| p.reason_string.as_deref())
                    .map(|s| format!(" ({s})"))
                    .unwrap_or_default();
                Some(LinkEvent::Refused {
                    token: unacked.token,
                    topic: unacked.topic,
                    why: format!("the broker answered {reason:?}{said}"),
                })
            }
        }
    }

    /// A message came in.
    pub fn received(&mut self, publish: Publish) -> Option<LinkEvent> {
        let receipt = if publish.qos == QoS::AtMostOnce {
            Receipt::none()
        } else {
            let arrival = self.arrivals;
            self.arrivals += 1;
            self.received.push_back(Received {
                arrival,
                pkid: publish.pkid,
                done: false,
            });
            Receipt::new(arrival, self.receipts.clone())
        };
        let Ok(topic) = String::from_utf8(publish.topic.to_vec()) else {
            tracing::warn!("a message came on a topic that is not UTF-8; it was dropped");
            return None;
        };
        let properties = publish.properties.unwrap_or_default();
        if publish.payload.len() > self.max_payload_bytes {
            return Some(LinkEvent::Oversize {
                topic,
                payload_bytes: publish.payload.len(),
                limit_bytes: self.max_payload_bytes,
                response_topic: properties.response_topic,
                correlation: properties.correlation_data,
            });
        }
        Some(LinkEvent::Message(Message {
            topic,
            // A slice of the engine's read buffer would keep all of that alive.
            payload: Bytes::copy_from_slice(&publish.payload),
            retain: publish.retain,
            response_topic: properties.response_topic,
            correlation: properties.correlation_data,
            user_properties: properties.user_properties,
            receipt,
        }))
    }

    /// The daemon is done with the message of this arrival.
    pub fn done_with(&mut self, arrival: u64) {
        if let Some(received) = self.received.iter_mut().find(|r| r.arrival == arrival) {
            received.done = true;
        }
        self.acknowledge();
    }

    /// Acknowledges what is done, in order. What the engine has no room for
    /// now stays for the next call.
    pub fn acknowledge(&mut self) {
        while let Some(first) = self.received.front().filter(|r| r.done) {
            let mut ack = Publish::new("", QoS::AtLeastOnce, Bytes::new(), None);
            ack.pkid = first.pkid;
            if self.client.try_ack(&ack).is_err() {
                return;
            }
            self.received.pop_front();
        }
    }
}

/// An upper bound of the packet's size (MQTT 5, 3.3).
fn packet_bytes_at_most(message: &Outgoing) -> usize {
    let properties: usize = message
        .user_properties
        .iter()
        .map(|(k, v)| 5 + k.len() + v.len())
        .sum();
    let optional = |len: Option<usize>| len.map_or(0, |n| 3 + n);
    // Fixed header 5, topic and packet id 4, length of the properties 4.
    13 + message.topic.len()
        + message.payload.len()
        + properties
        + optional(message.content_type.as_ref().map(String::len))
        + optional(message.correlation_data.as_ref().map(Bytes::len))
}
