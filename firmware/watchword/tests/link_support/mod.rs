//! What the tests of the link share: brokers to talk to, and a patient reader
//! of events.
#![allow(dead_code)]

pub mod fake;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use watchword::broker::{self, BrokerConfig};
use watchword::link::{self, LinkConfig, LinkEvent, LinkHandle, Message, Outgoing, PublishError};

pub const PATIENCE: Duration = Duration::from_secs(20);

/// A port that nobody uses now.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|l| l.local_addr())
        .expect("a free port")
        .port()
}

/// A broker for clients of both versions.
pub trait Broker {
    /// Port for MQTT 3.1.1 clients.
    fn v4(&self) -> u16;
    /// Port for MQTT 5 clients.
    fn v5(&self) -> u16;
    fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.v5())
    }
}

impl Broker for broker::Broker {
    fn v4(&self) -> u16 {
        broker::Broker::v4(self).port()
    }
    fn v5(&self) -> u16 {
        broker::Broker::v5(self).port()
    }
}

pub fn embedded() -> broker::Broker {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    broker::start(BrokerConfig {
        v4: any,
        v5: any,
        ..BrokerConfig::default()
    })
    .expect("the built-in broker starts")
}

/// A real Mosquitto, killed when dropped.
pub struct Mosquitto {
    child: Child,
    port: u16,
    config: PathBuf,
    _dir: tempfile::TempDir,
}

impl Broker for Mosquitto {
    fn v4(&self) -> u16 {
        self.port
    }
    fn v5(&self) -> u16 {
        self.port
    }
}

pub fn tool(name: &str) -> Option<PathBuf> {
    [
        "/usr/sbin",
        "/usr/bin",
        "/usr/local/sbin",
        "/usr/local/bin",
        "/opt/homebrew/bin",
    ]
    .iter()
    .map(|dir| Path::new(dir).join(name))
    .find(|path| path.exists())
}

/// Says, loudly, that `what` is not tested for want of a tool.
pub fn skip(what: &str, tool: &str) {
    eprintln!(
        "SKIPPED: {what}: there is no {tool}; install the packages mosquitto, mosquitto-clients and openssl"
    );
}

impl Mosquitto {
    /// `None`, having said so, if it is not installed.
    pub fn start(what: &str) -> Option<Self> {
        Self::start_with(what, |_| "allow_anonymous true\n".into())
    }

    /// With configuration lines of the test's own; `dir` is for their files.
    pub fn start_with(what: &str, lines: impl FnOnce(&Path) -> String) -> Option<Self> {
        let Some(program) = tool("mosquitto") else {
            skip(what, "mosquitto");
            return None;
        };
        let dir = tempfile::tempdir().expect("a directory");
        let port = free_port();
        let config = dir.path().join("mosquitto.conf");
        let text = format!(
            "listener {port} 127.0.0.1\npersistence false\nlog_dest none\n{}",
            lines(dir.path())
        );
        std::fs::write(&config, text).expect("the configuration is written");
        let mut mosquitto = Self {
            child: run_mosquitto(&program, &config),
            port,
            config,
            _dir: dir,
        };
        mosquitto.wait();
        Some(mosquitto)
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("it was running");
        self.child.wait().expect("it ends");
    }

    /// Stops it from doing anything without closing its connections.
    pub fn freeze(&self) {
        let pid = self.child.id().to_string();
        let stopped = Command::new("kill").args(["-STOP", &pid]).status();
        assert!(stopped.expect("kill runs").success());
    }

    pub fn restart(&mut self) {
        self.child = run_mosquitto(&tool("mosquitto").expect("it was there"), &self.config);
        self.wait();
    }

    fn wait(&mut self) {
        let give_up = Instant::now() + PATIENCE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(Instant::now() < give_up, "mosquitto does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn run_mosquitto(program: &Path, config: &Path) -> Child {
    Command::new(program)
        .arg("-c")
        .arg(config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("mosquitto starts")
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a Mosquitto client program to its end.
pub async fn client(program: &str, args: &[&str]) -> Vec<u8> {
    let run = tokio::process::Command::new(program)
        .args(args)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, run)
        .await
        .unwrap_or_else(|_| panic!("{program} {args:?} did not end"))
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(
        output.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// One end of a link with its events.
pub struct Camera {
    pub handle: LinkHandle,
    pub events: mpsc::Receiver<LinkEvent>,
}

/// Quick retries, so that tests need not wait.
pub fn config(broker: &impl Broker, client_id: &str) -> LinkConfig {
    config_at(&broker.url(), client_id)
}

pub fn config_at(url: &str, client_id: &str) -> LinkConfig {
    LinkConfig {
        retry_least: Duration::from_millis(100),
        retry_most: Duration::from_millis(500),
        ..LinkConfig::new(url, client_id)
    }
}

pub fn subscriber(broker: &impl Broker, client_id: &str, filters: &[&str]) -> LinkConfig {
    LinkConfig {
        subscriptions: filters.iter().map(|f| f.to_string()).collect(),
        ..config(broker, client_id)
    }
}

impl Camera {
    pub fn spawn(config: LinkConfig) -> Self {
        let (handle, events) = link::spawn(config).expect("the link's configuration is good");
        Self { handle, events }
    }

    /// Spawns and waits for `Up`; with it whether there was a session.
    pub async fn up(config: LinkConfig) -> (Self, bool) {
        let mut camera = Self::spawn(config);
        let present = camera.wait_up().await;
        (camera, present)
    }

    pub async fn next(&mut self) -> LinkEvent {
        tokio::time::timeout(PATIENCE, self.events.recv())
            .await
            .expect("an event in time")
            .expect("the link lives")
    }

    /// The first event that `pick` takes; others are passed over.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(LinkEvent) -> Option<T>) -> T {
        loop {
            if let Some(found) = pick(self.next().await) {
                return found;
            }
        }
    }

    pub async fn wait_up(&mut self) -> bool {
        self.until(|e| match e {
            LinkEvent::Up { session_present } => Some(session_present),
            _ => None,
        })
        .await
    }

    pub async fn wait_down(&mut self) -> String {
        self.until(|e| match e {
            LinkEvent::Down { why, .. } => Some(why),
            _ => None,
        })
        .await
    }

    pub async fn wait_message(&mut self) -> Message {
        self.until(|e| match e {
            LinkEvent::Message(message) => Some(message),
            _ => None,
        })
        .await
    }

    pub async fn wait_acked(&mut self) -> u64 {
        self.until(|e| match e {
            LinkEvent::Acked { token } => Some(token),
            _ => None,
        })
        .await
    }

    /// Publishes, waiting while the queue is full.
    pub async fn publish(&self, message: Outgoing) {
        let give_up = Instant::now() + PATIENCE;
        loop {
            match self.handle.publish(message.clone()) {
                Ok(()) => return,
                Err(PublishError::Full { .. }) if Instant::now() < give_up => {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                Err(e) => panic!("{e}"),
            }
        }
    }

    /// Nothing that `pick` takes comes within `quiet`.
    pub async fn nothing(&mut self, quiet: Duration, pick: impl Fn(&LinkEvent) -> bool) {
        let end = tokio::time::Instant::now() + quiet;
        while let Ok(Some(event)) = tokio::time::timeout_at(end, self.events.recv()).await {
            assert!(!pick(&event), "unwanted: {event:?}");
        }
    }
}

/// A QoS 1 message.
pub fn message(topic: &str, payload: &str) -> Outgoing {
    Outgoing {
        topic: topic.into(),
        payload: payload.to_owned().into(),
        ..Outgoing::default()
    }
}
