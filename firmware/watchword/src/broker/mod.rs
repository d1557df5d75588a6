//! An MQTT broker inside this process, for a camera that has none configured:
//! so that a demonstration or a bench set-up needs nothing else.
//!
//! It listens on loopback only, keeps nothing on disk, and asks nobody for a
//! name. The router is rumqttd, which has a port for each version of MQTT, no
//! way to stop, and panics for good over some clients and over what version 5
//! sends to 3.1.1; a door in front of it takes both versions on either port,
//! keeps those clients away, and translates 3.1.1, so that the router has to
//! do with version 5 only.
//! docs/decisions/0007-mqtt-link.md has the rest of its limits.

mod connect;
mod door;
mod translate;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rumqttd::{ConnectionSettings, RouterConfig, SegmentConfig, ServerSettings};
use thiserror::Error;
use tokio::sync::watch;

use door::Behind;

/// What to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerConfig {
    /// Where MQTT 3.1.1 clients are told to go; loopback; port 0 is any free
    /// one. MQTT 5 works there too.
    pub v4: SocketAddr,
    /// Where MQTT 5 clients are told to go; loopback; port 0 is any free one.
    /// MQTT 3.1.1 works there too.
    pub v5: SocketAddr,
    /// The largest packet taken from a client, bytes. A client that sends a
    /// larger one is thrown out.
    pub max_payload_bytes: usize,
    /// The most clients at a time; more wait until one leaves.
    pub max_connections: usize,
}

impl Default for BrokerConfig {
    /// The usual port for 3.1.1 and the next one for 5, on 127.0.0.1, with
    /// room for a JPEG of 4 MiB and 64 clients.
    fn default() -> Self {
        Self {
            v4: SocketAddr::from(([127, 0, 0, 1], 1883)),
            v5: SocketAddr::from(([127, 0, 0, 1], 1884)),
            max_payload_bytes: 4 * 1024 * 1024,
            max_connections: 64,
        }
    }
}

/// Why there is no broker.
#[derive(Debug, Error)]
pub enum BrokerError {
    /// Anonymous clients may come from this machine only.
    #[error(
        "the built-in broker can't listen on {address}: it has no access control, so it stays \
         on this machine (127.0.0.1 or [::1]); for clients elsewhere run a broker such as \
         Mosquitto and configure its URL"
    )]
    NotLoopback {
        /// As given.
        address: SocketAddr,
    },
    /// The port can't be had.
    #[error(
        "the built-in broker can't listen on {address}: {why}; stop what uses the port, \
         configure another one (0 takes any), or configure that broker's URL"
    )]
    Listen {
        /// As given.
        address: SocketAddr,
        /// What the system said.
        why: io::Error,
    },
    /// It was started and does not answer.
    #[error("the built-in broker does not accept connections on {address} ({why})")]
    NotUp {
        /// As chosen.
        address: SocketAddr,
        /// What the system said last.
        why: String,
    },
}

/// A running broker. It runs as long as this process unless it is stopped,
/// also when this value is dropped.
#[derive(Debug)]
pub struct Broker {
    v4: SocketAddr,
    v5: SocketAddr,
    stop: watch::Sender<bool>,
    door: Option<thread::JoinHandle<()>>,
}

impl Broker {
    /// Where MQTT 3.1.1 clients connect.
    pub fn v4(&self) -> SocketAddr {
        self.v4
    }

    /// Where MQTT 5 clients connect.
    pub fn v5(&self) -> SocketAddr {
        self.v5
    }

    /// The URL for [`crate::link::LinkConfig`].
    pub fn url(&self) -> String {
        format!("mqtt://{}", self.v5)
    }

    /// Closes the ports and every connection; blocks for a moment. The
    /// router's threads stay, idle and unreachable, until the process ends.
    pub fn stop(mut self) {
        let _ = self.stop.send(true);
        if let Some(door) = self.door.take() {
            let _ = door.join();
        }
    }
}

/// What the router keeps for subscribers that are slow or away, for each
/// topic filter: `SEGMENTS` full segments and the one being filled, each over
/// its size by at most one message. The oldest segment goes first. A message
/// that is kept holds all that was read from its client's connection with it,
/// 10 KiB for one that came to publish and went: what fits into a segment
/// weighs a hundred times as much.
const SEGMENT_BYTES: usize = 512 * 1024;
const SEGMENTS: usize = 2;
/// The same for topics of which only the newest messages count, and which the
/// router also keeps when nobody subscribes; the retained one is apart from
/// these. They are told for as long as the camera runs, and each of their topics
/// would fill its segments in the end.
const NEWEST_SEGMENT_BYTES: usize = 16 * 1024;
const NEWEST: [&str; 8] = [
    "watchword/+/alerts/+/image",
    "watchword/+/ask",
    "watchword/+/ask/answer",
    "watchword/+/check",
    "watchword/+/check/answer",
    "watchword/+/rules/+/active",
    "watchword/+/rules/+/value",
    "watchword/+/rules/+/why",
];

/// Starts a broker and waits until both ports accept connections (up to 5 s;
/// blocks the thread).
pub fn start(config: BrokerConfig) -> Result<Broker, BrokerError> {
    let outside = [listen(config.v4)?, listen(config.v5)?];
    let [v4, v5] = outside.each_ref().map(|(_, address)| *address);

    // The router takes an address and not a listener, so a free one is looked
    // for and given up again.
    let private = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let inside = listen(private)?;
    let behind = Behind {
        v5: inside.1,
        largest: config.max_payload_bytes,
    };
    drop(inside);
    start_router(&config, behind).map_err(|why| BrokerError::Listen { address: v5, why })?;
    wait_until_it_accepts(behind.v5)?;

    let (stop, stopped) = watch::channel(false);
    let door = start_door(
        outside.map(|(l, _)| l),
        behind,
        config.max_connections,
        stopped,
    )
    .map_err(|why| BrokerError::Listen { address: v4, why })?;
    Ok(Broker {
        v4,
        v5,
        stop,
        door: Some(door),
    })
}

fn start_router(config: &BrokerConfig, behind: Behind) -> io::Result<()> {
    let server = |name: &str, listen| {
        let settings = ServerSettings {
            name: name.into(),
            listen,
            tls: None,
            next_connection_delay_ms: 1,
            connections: ConnectionSettings {
                connection_timeout_ms: 10_000,
                // The door keeps to the limit, and adds a little.
                max_payload_size: config.max_payload_bytes.saturating_add(translate::ADDED),
                max_inflight_count: 100,
                auth: None,
                external_auth: None,
                // Without it a publish to a topic without subscribers ends
                // the publisher's connection.
                dynamic_filters: true,
            },
        };
        Some(HashMap::from([(name.to_owned(), settings)]))
    };
    let newest = |topic: &str| {
        let segments = SegmentConfig {
            max_segment_size: NEWEST_SEGMENT_BYTES,
            max_segment_count: 1,
        };
        (topic.to_owned(), segments)
    };
    let settings = rumqttd::Config {
        id: 0,
        router: RouterConfig {
            // The door keeps to its own limit. The router must never come to
            // its limit, since it gives no answer then, and see the door.
            max_connections: config.max_connections.saturating_mul(2) + 8,
            max_outgoing_packet_count: 200,
            max_segment_size: SEGMENT_BYTES,
            max_segment_count: SEGMENTS,
            custom_segment: Some(HashMap::from(NEWEST.map(newest))),
            ..RouterConfig::default()
        },
        v5: server("mqtt-v5", behind.v5),
        ..rumqttd::Config::default()
    };
    let mut router = rumqttd::Broker::new(settings);
    thread::Builder::new()
        .name("mqtt-broker".into())
        .spawn(move || {
            if let Err(e) = router.start() {
                tracing::error!("the built-in broker ended: {e}");
            }
        })
        .map(drop)
}

fn start_door(
    listeners: [TcpListener; 2],
    behind: Behind,
    places: usize,
    stopped: watch::Receiver<bool>,
) -> io::Result<thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let listeners = {
        let _inside = runtime.enter();
        listeners
            .into_iter()
            .map(|listener| {
                listener.set_nonblocking(true)?;
                tokio::net::TcpListener::from_std(listener)
            })
            .collect::<io::Result<Vec<_>>>()?
    };
    thread::Builder::new()
        .name("mqtt-door".into())
        .spawn(move || runtime.block_on(door::serve(listeners, behind, places, stopped)))
}

/// Claims `address`; with it the address that port 0 became.
fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BrokerError> {
    if !address.ip().is_loopback() {
        return Err(BrokerError::NotLoopback { address });
    }
    let listener =
        TcpListener::bind(address).map_err(|why| BrokerError::Listen { address, why })?;
    let chosen = listener
        .local_addr()
        .map_err(|why| BrokerError::Listen { address, why })?;
    Ok((listener, chosen))
}

fn wait_until_it_accepts(address: SocketAddr) -> Result<(), BrokerError> {
    let give_up = Instant::now() + Duration::from_secs(5);
    loop {
        match TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
            Ok(_) => return Ok(()),
            Err(_) if Instant::now() < give_up => thread::sleep(Duration::from_millis(10)),
            Err(e) => {
                let why = e.to_string();
                return Err(BrokerError::NotUp { address, why });
            }
        }
    }
}
