//! An MQTT broker inside this process, for a camera that has none configured:
//! so that a demonstration or a bench set-up needs nothing else.
//!
//! It listens on loopback only, keeps nothing on disk, and asks nobody for a
//! name. MQTT 3.1.1 and MQTT 5 have a port each; messages pass between them.
//! Its limits (rumqttd's) are in docs/decisions/0007-mqtt-link.md.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rumqttd::{ConnectionSettings, RouterConfig, ServerSettings};
use thiserror::Error;

/// What to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerConfig {
    /// For MQTT 3.1.1 clients; loopback; port 0 is any free one.
    pub v4: SocketAddr,
    /// For MQTT 5 clients; loopback; port 0 is any free one.
    pub v5: SocketAddr,
    /// The largest packet taken from a client, bytes. A client that sends a
    /// larger one is thrown out.
    pub max_payload_bytes: usize,
    /// The most clients at a time.
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

/// A broker that runs as long as this process: rumqttd has no way to stop its
/// threads.
#[derive(Debug)]
pub struct Broker {
    v4: SocketAddr,
    v5: SocketAddr,
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
}

/// The most memory that one topic filter's log may take, bytes per segment
/// and segments: what a subscriber that is away or slow can still get. Two
/// segments are the least that rumqttd takes.
const SEGMENT_BYTES: usize = 4 * 1024 * 1024;
const SEGMENTS: usize = 2;

/// Starts a broker and waits until both ports accept connections (up to 5 s;
/// blocks the thread).
pub fn start(config: BrokerConfig) -> Result<Broker, BrokerError> {
    let v4 = free_port(config.v4)?;
    let v5 = free_port(config.v5)?;
    // Both are held until both are known, so that two ports 0 differ.
    let (v4_at, v5_at) = (v4.1, v5.1);
    drop((v4.0, v5.0));

    let server = |name: &str, listen| {
        let settings = ServerSettings {
            name: name.into(),
            listen,
            tls: None,
            next_connection_delay_ms: 1,
            connections: ConnectionSettings {
                connection_timeout_ms: 10_000,
                max_payload_size: config.max_payload_bytes,
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
    let settings = rumqttd::Config {
        id: 0,
        router: RouterConfig {
            max_connections: config.max_connections,
            max_outgoing_packet_count: 200,
            max_segment_size: SEGMENT_BYTES,
            max_segment_count: SEGMENTS,
            ..RouterConfig::default()
        },
        v4: server("mqtt-v4", v4_at),
        v5: server("mqtt-v5", v5_at),
        ..rumqttd::Config::default()
    };
    let listen_error = |address, why| BrokerError::Listen { address, why };
    let mut broker = rumqttd::Broker::new(settings);
    thread::Builder::new()
        .name("mqtt-broker".into())
        .spawn(move || {
            if let Err(e) = broker.start() {
                tracing::error!("the built-in broker ended: {e}");
            }
        })
        .map_err(|why| listen_error(v4_at, why))?;
    for address in [v4_at, v5_at] {
        wait_until_it_accepts(address)?;
    }
    Ok(Broker {
        v4: v4_at,
        v5: v5_at,
    })
}

/// Claims `address`; rumqttd binds it again a moment later, since it takes no
/// listener, and only logs it if it can't.
fn free_port(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BrokerError> {
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
