use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::Outgoing as OnWire;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnectReturnCode, Filter, Packet, RetainForwardRule, SubAck, SubscribeReasonCode,
};
use rumqttc::v5::mqttbytes::{Error as FormatError, QoS};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, StateError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;
use super::config::Prepared;
use super::connection::{Connection, ENGINE_QUEUE, RECEIPTS};
use super::{Epoch, LinkEvent, LinkHandle, Outgoing, Queued, Stop, Stopped};

/// How long a connection attempt may take in all before it is given up; the
/// engine's own limit is lower and covers all but a broker that accepts and
/// then never grants the subscription.
const NOT_UP: Duration = Duration::from_secs(30);
/// How long the DISCONNECT itself may take.
const GOODBYE: Duration = Duration::from_millis(500);

pub(super) struct Task {
    pub prepared: Prepared,
    pub queued: mpsc::Receiver<Queued>,
    pub stops: mpsc::Receiver<Stop>,
    pub events: mpsc::Sender<LinkEvent>,
    pub epoch: Arc<Epoch>,
}

/// How a connection ended.
enum End {
    /// In order, because somebody asked.
    Stopped,
    /// Nobody listens any more.
    Abandoned,
    Lost {
        why: String,
        up_for: Duration,
    },
}

/// A stop under way.
struct Stopping {
    done: oneshot::Sender<Stopped>,
    farewell: Option<Outgoing>,
    had_farewell: bool,
    farewell_acked: bool,
    farewell_refused: bool,
    disconnecting: bool,
    deadline: Instant,
}

impl Stopping {
    fn new(stop: Stop) -> Self {
        Self {
            done: stop.done,
            had_farewell: stop.farewell.is_some(),
            farewell: stop.farewell,
            farewell_acked: false,
            farewell_refused: false,
            disconnecting: false,
            deadline: Instant::now() + LinkHandle::FAREWELL,
        }
    }

    fn finish(self) -> End {
        let _ = self.done.send(Stopped {
            farewell_acked: self.farewell_acked || !self.had_farewell,
        });
        End::Stopped
    }
}

impl Task {
    pub async fn run(mut self) {
        let config = &self.prepared.config;
        let mut backoff = Backoff::new(config.retry_least, config.retry_most);
        loop {
            let end = self.connect_and_serve().await;
            self.epoch.lower();
            let End::Lost { why, up_for } = end else {
                return;
            };
            backoff.lasted(up_for);
            let retry_in = backoff.wait();
            tracing::warn!(
                broker = self.prepared.broker,
                retry_in_ms = retry_in.as_millis() as u64,
                "the broker is not connected: {why}"
            );
            // What waits was meant for the connection that is gone.
            while self.queued.try_recv().is_ok() {}
            let down = LinkEvent::Down { why, retry_in };
            let next_try = Instant::now() + retry_in;
            // Without any handle left `stops` is closed, and the link goes on
            // for the one who reads its events.
            tokio::select! {
                sent = self.events.send(down) => if sent.is_err() { return },
                Some(stop) = self.stops.recv() => return refuse(stop),
            }
            tokio::select! {
                () = sleep_until(next_try) => {}
                () = self.events.closed() => return,
                Some(stop) = self.stops.recv() => return refuse(stop),
            }
        }
    }

    /// One connection, from its first byte to its last. A fresh engine for
    /// each: what it remembers of the last one (unacknowledged publishes in
    /// the order of their packet ids, a collision that was never resolved)
    /// must not come back, since the callers replay what they need.
    async fn connect_and_serve(&mut self) -> End {
        let (client, mut engine) = AsyncClient::new(self.prepared.options.clone(), ENGINE_QUEUE);
        let (receipts, mut dropped_receipts) = mpsc::channel(RECEIPTS);
        let mut connection = Connection::new(client.clone(), &self.prepared.config, receipts);
        let mut stopping: Option<Stopping> = None;
        let mut up_since: Option<Instant> = None;
        let mut session_present = false;
        let mut handshaken = false;
        // The engine pings once a keep-alive, so silence of twice that means
        // that it is stuck in a write (a half-open connection).
        let silence = self.prepared.options.keep_alive() * 2 + Duration::from_secs(5);
        let not_up = Instant::now() + NOT_UP;

        loop {
            let deadline = up_since.map_or(not_up, |_| Instant::now() + silence);
            let event = {
                // Cancelling a poll may lose half a packet, so one future is
                // kept until it is done.
                let mut poll = pin!(engine.poll());
                loop {
                    connection.acknowledge();
                    if let Some(s) = &mut stopping {
                        self.wind_up(s, &mut connection, &client);
                    }
                    let stop_at = stopping.as_ref().map_or(deadline, |s| s.deadline);
                    let accepts = up_since.is_some() && stopping.is_none() && connection.ready();
                    tokio::select! {
                        biased;
                        event = &mut poll => break event,
                        Some(arrival) = dropped_receipts.recv() => connection.done_with(arrival),
                        () = self.events.closed() => return End::Abandoned,
                        Some(stop) = self.stops.recv(), if stopping.is_none() => {
                            if up_since.is_none() {
                                return Stopping::new(stop).finish();
                            }
                            stopping = Some(Stopping::new(stop));
                        }
                        Some(queued) = self.queued.recv(), if accepts => {
                            let refused = self.submit(queued, &mut connection);
                            if let Some(event) = refused {
                                // Not awaited: the engine must not wait for
                                // the daemon here. Full means that the daemon
                                // learns nothing of this refusal and may try
                                // again.
                                let _ = self.events.try_send(event);
                            }
                        }
                        () = sleep_until(stop_at), if stopping.is_some() => {
                            if let Some(s) = stopping.take() {
                                return s.finish();
                            }
                        }
                        () = sleep_until(deadline) => {
                            let why = match up_since {
                                Some(_) => "it has gone silent",
                                None => "it did not complete the connection",
                            };
                            return lost(why.into(), up_since);
                        }
                    }
                }
            };

            let report = match event {
                Ok(Event::Incoming(Packet::ConnAck(ack))) => {
                    handshaken = true;
                    session_present = ack.session_present;
                    match self.connected(&ack, &mut connection, &client) {
                        Err(why) => return lost(why, None),
                        Ok(subscribing) if subscribing => None,
                        Ok(_) => Some(self.up(session_present, &mut up_since)),
                    }
                }
                Ok(Event::Incoming(Packet::SubAck(ack))) => {
                    for event in self.refused_filters(&ack) {
                        if !self.emit(event, &mut stopping).await {
                            return End::Abandoned;
                        }
                    }
                    (up_since.is_none()).then(|| self.up(session_present, &mut up_since))
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => connection.received(publish),
                Ok(Event::Incoming(Packet::PubAck(ack))) => connection.acked(&ack),
                Ok(Event::Outgoing(OnWire::Publish(pkid))) => {
                    connection.sent(pkid);
                    None
                }
                Ok(Event::Outgoing(OnWire::Disconnect)) => {
                    if let Some(s) = stopping.take() {
                        return s.finish();
                    }
                    None
                }
                Ok(_) => None,
                Err(error) => {
                    if let Some(s) = stopping.take() {
                        return s.finish();
                    }
                    return lost(explain(&error, handshaken), up_since);
                }
            };
            if let Some(report) = report
                && !self.emit(report, &mut stopping).await
            {
                return End::Abandoned;
            }
        }
    }

    /// Subscribes; whether there was anything to subscribe to.
    fn connected(
        &self,
        ack: &ConnAck,
        connection: &mut Connection,
        client: &AsyncClient,
    ) -> Result<bool, String> {
        if let Some(broker) = &ack.properties {
            if broker.max_qos == Some(0) {
                return Err("it takes only QoS 0, and alerts need QoS 1; \
                            use a broker that supports QoS 1"
                    .into());
            }
            connection.limits(broker);
        }
        let filters: Vec<Filter> = (self.prepared.config.subscriptions.iter())
            .map(|path| {
                let mut filter = Filter::new(path.as_str(), QoS::AtLeastOnce);
                // Retained orders come once a session. Again at each
                // reconnection they would overwrite newer ones that were not
                // retained.
                filter.retain_forward_rule = RetainForwardRule::OnNewSubscribe;
                filter
            })
            .collect();
        if filters.is_empty() {
            return Ok(false);
        }
        client
            .try_subscribe_many(filters)
            .map(|()| true)
            .map_err(|_| "a subscription is not a valid topic filter".into())
    }

    fn up(&self, session_present: bool, up_since: &mut Option<Instant>) -> LinkEvent {
        *up_since = Some(Instant::now());
        self.epoch.raise();
        tracing::info!(
            broker = self.prepared.broker,
            session_present,
            "the broker is connected"
        );
        LinkEvent::Up { session_present }
    }

    fn refused_filters(&self, ack: &SubAck) -> Vec<LinkEvent> {
        let filters = self.prepared.config.subscriptions.iter();
        (filters.zip(&ack.return_codes))
            .filter(|(_, code)| !matches!(code, SubscribeReasonCode::Success(_)))
            .map(|(filter, code)| LinkEvent::SubscriptionRefused {
                filter: filter.clone(),
                why: format!("the broker answered {code:?}"),
            })
            .collect()
    }

    fn submit(&self, queued: Queued, connection: &mut Connection) -> Option<LinkEvent> {
        if queued.epoch != self.epoch.read() {
            return None;
        }
        connection.submit(queued.message)
    }

    /// Sends what is left, then the farewell, then the DISCONNECT.
    fn wind_up(&mut self, s: &mut Stopping, connection: &mut Connection, client: &AsyncClient) {
        while !s.disconnecting && connection.ready() {
            if let Ok(queued) = self.queued.try_recv() {
                self.submit(queued, connection);
            } else if let Some(farewell) = s.farewell.take() {
                if let Some(refused) = connection.submit(farewell) {
                    tracing::warn!(?refused, "the farewell could not be sent");
                    s.farewell_refused = true;
                }
            } else {
                break;
            }
        }
        // Acknowledgements of QoS 1 come in order, so nothing under way
        // means that the farewell has arrived too.
        if !s.disconnecting && s.farewell.is_none() && connection.idle() {
            s.farewell_acked = s.had_farewell && !s.farewell_refused;
            s.disconnecting = true;
            s.deadline = Instant::now() + GOODBYE;
            if client.try_disconnect().is_err() {
                s.deadline = Instant::now();
            }
        }
    }

    /// Hands `event` to the daemon, waiting for room; false if nobody
    /// listens. A stop that comes meanwhile ends the wait, since the one who
    /// stops may be the one who no longer reads.
    async fn emit(&mut self, event: LinkEvent, stopping: &mut Option<Stopping>) -> bool {
        if stopping.is_some() {
            return !matches!(
                self.events.try_send(event),
                Err(mpsc::error::TrySendError::Closed(_))
            );
        }
        tokio::select! {
            biased;
            room = self.events.reserve() => match room {
                Ok(room) => {
                    room.send(event);
                    true
                }
                Err(_) => false,
            },
            Some(stop) = self.stops.recv() => {
                *stopping = Some(Stopping::new(stop));
                true
            }
        }
    }
}

/// Answers a stop while there is no connection.
fn refuse(stop: Stop) {
    Stopping::new(stop).finish();
}

fn lost(why: String, up_since: Option<Instant>) -> End {
    End::Lost {
        why,
        up_for: up_since.map_or(Duration::ZERO, |t| t.elapsed()),
    }
}

/// What went wrong, for a person: what, and where there is one the remedy.
fn explain(error: &ConnectionError, handshaken: bool) -> String {
    const OLD: &str = "it may speak only MQTT 3.1.1, and the camera needs MQTT 5";
    match error {
        ConnectionError::ConnectionRefused(code) => match code {
            ConnectReturnCode::UnsupportedProtocolVersion
            | ConnectReturnCode::RefusedProtocolVersion => {
                format!("it does not speak MQTT 5 (it answered {code:?}); use a broker that does")
            }
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => {
                format!("it refused the login ({code:?}); check username and password")
            }
            code => format!("it refused the connection ({code:?})"),
        },
        ConnectionError::Timeout(_) => "it did not answer in time".into(),
        ConnectionError::Tls(e) => format!("the secure connection failed: {e}"),
        ConnectionError::Io(e) => format!("{e}"),
        ConnectionError::MqttState(e) => match e {
            StateError::ServerDisconnect {
                reason_code,
                reason_string,
            } => {
                let said = reason_string.as_deref().map(|s| format!(": {s}"));
                format!(
                    "it closed the connection ({reason_code:?}{})",
                    said.unwrap_or_default()
                )
            }
            StateError::Deserialization(FormatError::PayloadSizeLimitExceeded {
                pkt_size,
                max,
            }) => {
                format!("it sent a packet of {pkt_size} bytes, and was told to send {max} at most")
            }
            StateError::Deserialization(FormatError::InvalidConnectReturnCode(code)) => {
                format!("it answered with the MQTT 3 code {code}; {OLD}")
            }
            StateError::AwaitPingResp => "it does not answer pings".into(),
            StateError::ConnectionAborted if handshaken => "it closed the connection".into(),
            StateError::ConnectionAborted => {
                format!("it closed the connection without an answer; {OLD}")
            }
            StateError::Deserialization(FormatError::Io(e)) | StateError::Io(e) => format!("{e}"),
            e if handshaken => format!("{e}"),
            e => format!("its answer to CONNECT is not MQTT 5 ({e}); {OLD}"),
        },
        e => format!("{e}"),
    }
}
