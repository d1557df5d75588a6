//! The configuration file of the daemon: closed TOML, every key with a default
//! that works, so that an empty file (or none) is a working camera.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use scene::Id;
use serde::{Deserialize, Serialize};
pub use spool::Snapshot;
use thiserror::Error;

use crate::share::Share;

mod local;
mod network;
pub use local::{IoMode, LibcameraCamera, V4l2Camera};
pub use network::{NetworkCamera, Transport};

/// All settings of the daemon. `Default` is what an empty file means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The camera's id: the `<camera>` in every topic.
    pub camera: Id,
    /// Where rules, zones and undelivered alerts are kept.
    pub data_dir: PathBuf,
    /// IANA time zone of schedules; the system's if absent.
    pub time_zone: Option<String>,
    /// Where the camera is, for rules that name sunrise or sunset; without it
    /// they are taken as 06:00 and 18:00, and the echo says so.
    pub position: Option<PositionConfig>,
    /// Where frames come from.
    pub source: SourceConfig,
    /// What is done with video beside looking at it.
    pub video: VideoConfig,
    /// Who answers questions.
    pub model: ModelConfig,
    /// When answers are given again instead of asking.
    pub gate: GateConfig,
    /// Where alerts go.
    pub mqtt: MqttConfig,
    /// What board this is.
    pub board: BoardConfig,
    /// What picture an alert carries, unless its rule says otherwise.
    pub snapshot: Snapshot,
    /// Rules set at start if the store does not have them: id = sentence.
    pub rules: BTreeMap<Id, String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            camera: Id::new("camera").expect("a valid id"),
            data_dir: PathBuf::from("/var/lib/watchword"),
            time_zone: None,
            position: None,
            source: SourceConfig::default(),
            video: VideoConfig::default(),
            model: ModelConfig::default(),
            gate: GateConfig::default(),
            mqtt: MqttConfig::default(),
            board: BoardConfig::default(),
            snapshot: Snapshot::Alert,
            rules: BTreeMap::new(),
        }
    }
}

/// A place on Earth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionConfig {
    /// -90 (south) to 90 (north).
    pub latitude_degrees: f64,
    /// -180 (west) to 180 (east).
    pub longitude_degrees: f64,
}

impl From<PositionConfig> for rules::Position {
    fn from(p: PositionConfig) -> Self {
        Self {
            latitude_degrees: p.latitude_degrees,
            longitude_degrees: p.longitude_degrees,
        }
    }
}

/// Where frames come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub enum SourceConfig {
    /// A clip, played in a loop at its own pace.
    File {
        /// The clip.
        path: PathBuf,
    },
    /// A moving test picture.
    Test,
    /// A Video4Linux2 capture device.
    V4l2(V4l2Camera),
    /// A sensor behind libcamera.
    Libcamera(LibcameraCamera),
    /// A camera on the network.
    Rtsp(NetworkCamera),
}

impl Default for SourceConfig {
    fn default() -> Self {
        SourceConfig::V4l2(V4l2Camera::default())
    }
}

impl SourceConfig {
    /// The source that capture opens on a board with this `[video]`.
    pub fn open(&self, board: &platform::Video) -> anyhow::Result<capture::Source> {
        Ok(match self {
            SourceConfig::File { path } => capture::Source::file(path)?,
            SourceConfig::Test => capture::Source::test(1280, 720, 15),
            SourceConfig::V4l2(camera) => camera.open(board),
            SourceConfig::Libcamera(camera) => camera.open(),
            SourceConfig::Rtsp(camera) => camera.open()?,
        })
    }
}

/// What is done with video beside looking at it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VideoConfig {
    /// Where the RTSP server listens; `/main` is the camera's stream. It has
    /// no password yet, so it stays on loopback by default.
    pub rtsp: Option<SocketAddr>,
    /// H.264 bit rate, kbit/s.
    pub bitrate_kbps: u32,
    /// Encoders in order of preference, each an `encoder-<name>.toml` of
    /// `pipelines/`; empty means the board's.
    pub encoders: Vec<String>,
    /// Frames for inference and alert pictures are scaled down to at most this
    /// width, pixels.
    pub inference_width: u32,
}

impl Default for VideoConfig {
    fn default() -> Self {
        Self {
            rtsp: Some(SocketAddr::from(([127, 0, 0, 1], 8554))),
            bitrate_kbps: 2000,
            encoders: vec![],
            inference_width: 960,
        }
    }
}

/// Who answers questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// A model package folder; the built-in `scout` if absent.
    pub package: Option<PathBuf>,
    /// A detector package folder that is asked first.
    pub detector: Option<PathBuf>,
    /// How long one look may take before its unanswered questions count as
    /// unknown, ms.
    pub deadline_ms: u64,
    /// Threads of ONNX Runtime. One is the joule-optimal number for the
    /// decoder (see docs/decisions/0003-vision.md).
    pub threads: usize,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            package: None,
            detector: None,
            deadline_ms: 20_000,
            threads: 1,
        }
    }
}

/// When answers are given again instead of asking: while nothing changes in
/// the picture (docs/decisions/0017-the-gate.md).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateConfig {
    /// Off, every look asks the model.
    pub enabled: bool,
    /// An answer is given again until it is this old, seconds, 1 to 3600. A
    /// change that the gate overlooks is seen this much later at worst.
    pub max_age_seconds: u64,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            max_age_seconds: vision::gate::Config::default().max_age.as_secs(),
        }
    }
}

impl GateConfig {
    /// `model` behind a gate, or as it is if the gate is off.
    pub fn before(&self, model: Box<dyn scene::ports::Model>) -> Box<dyn scene::ports::Model> {
        let config = vision::gate::Config {
            max_age: std::time::Duration::from_secs(self.max_age_seconds),
            ..vision::gate::Config::default()
        };
        match self.enabled {
            true => Box::new(vision::gate::Gated::new(model, config)),
            false => model,
        }
    }
}

/// Where alerts go.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MqttConfig {
    /// `mqtt://host[:port]` or `mqtts://…`. Absent: a broker inside this
    /// process, on loopback only.
    pub url: Option<String>,
    /// User name, if the broker wants one.
    pub username: Option<String>,
    /// A file that holds the password, readable by the owner only.
    pub password_file: Option<PathBuf>,
    /// PEM file of the authority that signed the broker's certificate.
    pub ca_file: Option<PathBuf>,
    /// Where the broker inside listens for MQTT 3.1.1.
    pub inside_v4: SocketAddr,
    /// Where the broker inside listens for MQTT 5.
    pub inside_v5: SocketAddr,
}

impl Default for MqttConfig {
    fn default() -> Self {
        Self {
            url: None,
            username: None,
            password_file: None,
            ca_file: None,
            inside_v4: SocketAddr::from(([127, 0, 0, 1], 1883)),
            inside_v5: SocketAddr::from(([127, 0, 0, 1], 1884)),
        }
    }
}

impl std::fmt::Debug for MqttConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A URL may carry a password.
        f.debug_struct("MqttConfig")
            .field("url", &self.url.as_deref().map(without_credentials))
            .field("username", &self.username)
            .field("password_file", &self.password_file)
            .field("ca_file", &self.ca_file)
            .field("inside_v4", &self.inside_v4)
            .field("inside_v5", &self.inside_v5)
            .finish()
    }
}

/// `url` without user name and password, fit to be shown.
pub fn without_credentials(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut url) => {
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        Err(_) => "(not a URL)".into(),
    }
}

/// What board this is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BoardConfig {
    /// A folder under `board/`.
    pub name: Id,
}

impl Default for BoardConfig {
    fn default() -> Self {
        Self {
            name: Id::new("generic").expect("a valid id"),
        }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("can't read the configuration {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path} is not a valid configuration: {why}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Where and why; URLs are struck out, as they may hold a password.
        why: String,
    },
    /// Keys that can't work.
    #[error("{}", problems.join("\n"))]
    Invalid {
        /// A sentence each: key, value, remedy.
        problems: Vec<String>,
    },
}

impl Config {
    /// Reads `path`. Relative paths in it are meant from its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.into(),
            source,
        })?;
        let mut config: Config = toml::from_str(&text).map_err(|source| ConfigError::Parse {
            path: path.into(),
            why: network::without_urls(&source.to_string()),
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        config.root_paths(folder);
        Ok(config)
    }

    fn root_paths(&mut self, folder: &Path) {
        let root = |path: &mut PathBuf| {
            if path.is_relative() {
                *path = folder.join(&*path);
            }
        };
        root(&mut self.data_dir);
        match &mut self.source {
            SourceConfig::File { path } => root(path),
            SourceConfig::Rtsp(camera) => camera.password_file.iter_mut().for_each(root),
            SourceConfig::Test | SourceConfig::V4l2(_) | SourceConfig::Libcamera(_) => {}
        }
        for path in [
            &mut self.model.package,
            &mut self.model.detector,
            &mut self.mqtt.password_file,
            &mut self.mqtt.ca_file,
        ]
        .into_iter()
        .flatten()
        {
            root(path);
        }
    }

    /// Checks what can be checked without starting anything: ranges, files that
    /// must exist, rules that must read. All problems at once.
    pub fn check(&self, share: &Share) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        let mut wrong = |key: &str, value: &dyn std::fmt::Display, remedy: &str| {
            problems.push(format!("{key} = {value}: {remedy}"));
        };
        if let Some(zone) = &self.time_zone
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            wrong(
                "time_zone",
                zone,
                "not a known IANA time zone such as Europe/London",
            );
        }
        if let Some(p) = &self.position {
            if !(-90.0..=90.0).contains(&p.latitude_degrees) {
                let given = p.latitude_degrees;
                wrong("position.latitude_degrees", &given, "choose -90 to 90");
            }
            if !(-180.0..=180.0).contains(&p.longitude_degrees) {
                let given = p.longitude_degrees;
                wrong("position.longitude_degrees", &given, "choose -180 to 180");
            }
        }
        match &self.source {
            SourceConfig::File { path } if !path.is_file() => {
                wrong("source.path", &path.display(), "there is no such file");
            }
            SourceConfig::V4l2(camera) => camera.check(&mut wrong),
            SourceConfig::Libcamera(camera) => camera.check(&mut wrong),
            SourceConfig::Rtsp(camera) => camera.check(&mut wrong),
            SourceConfig::File { .. } | SourceConfig::Test => {}
        }
        if !(160..=1920).contains(&self.video.inference_width) {
            let given = self.video.inference_width;
            wrong("video.inference_width", &given, "choose 160 to 1920 pixels");
        }
        if !(100..=50_000).contains(&self.video.bitrate_kbps) {
            let given = self.video.bitrate_kbps;
            wrong("video.bitrate_kbps", &given, "choose 100 to 50000 kbit/s");
        }
        for name in &self.video.encoders {
            let file = share.pipelines().join(format!("encoder-{name}.toml"));
            if !file.is_file() {
                let remedy = format!("there is no {}", file.display());
                wrong("video.encoders", name, &remedy);
            }
        }
        if !(100..=600_000).contains(&self.model.deadline_ms) {
            let given = self.model.deadline_ms;
            wrong("model.deadline_ms", &given, "choose 100 to 600000 ms");
        }
        if !(1..=3600).contains(&self.gate.max_age_seconds) {
            let given = self.gate.max_age_seconds;
            wrong("gate.max_age_seconds", &given, "choose 1 to 3600 s");
        }
        if !(1..=64).contains(&self.model.threads) {
            wrong(
                "model.threads",
                &self.model.threads,
                "choose 1 to 64 threads",
            );
        }
        for (key, dir) in [
            ("model.package", &self.model.package),
            ("model.detector", &self.model.detector),
        ] {
            if let Some(dir) = dir
                && !dir.is_dir()
            {
                wrong(
                    key,
                    &dir.display(),
                    "there is no such folder; a model package is a folder",
                );
            }
        }
        for (key, file) in [
            ("mqtt.password_file", &self.mqtt.password_file),
            ("mqtt.ca_file", &self.mqtt.ca_file),
        ] {
            if let Some(file) = file
                && !file.is_file()
            {
                wrong(key, &file.display(), "there is no such file");
            }
        }
        if self.mqtt.password_file.is_some() && self.mqtt.username.is_none() {
            wrong("mqtt.username", &"(absent)", "a password needs a user name");
        }
        if let Some(url) = &self.mqtt.url
            && !url.starts_with("mqtt://")
            && !url.starts_with("mqtts://")
        {
            let shown = without_credentials(url);
            wrong(
                "mqtt.url",
                &shown,
                "write mqtt://host:1883 or mqtts://host:8883",
            );
        }
        for (key, address) in [
            ("mqtt.inside_v4", self.mqtt.inside_v4),
            ("mqtt.inside_v5", self.mqtt.inside_v5),
        ] {
            if !address.ip().is_loopback() {
                wrong(
                    key,
                    &address,
                    "the broker inside has no passwords and stays on loopback; set mqtt.url to use a broker of yours",
                );
            }
        }
        if !share.board(&self.board.name).is_dir() {
            let looked = share.board(&self.board.name);
            let remedy = format!("there is no {}", looked.display());
            wrong("board.name", &self.board.name, &remedy);
        }
        for (id, sentence) in &self.rules {
            if let Err(refusal) = rules::read(sentence) {
                wrong(
                    &format!("rules.{id}"),
                    &format!("{sentence:?}"),
                    &refusal.why,
                );
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Invalid { problems })
        }
    }

    /// Takes out what must not be shown: user names and passwords in URLs.
    pub fn hide_credentials(&mut self) {
        self.mqtt.url = self.mqtt.url.as_deref().map(without_credentials);
        if let SourceConfig::Rtsp(camera) = &mut self.source {
            camera.url = camera.shown_url();
        }
    }

    /// The time zone of schedules.
    pub fn zone(&self) -> jiff::tz::TimeZone {
        match &self.time_zone {
            Some(name) => jiff::tz::TimeZone::get(name).unwrap_or(jiff::tz::TimeZone::UTC),
            None => jiff::tz::TimeZone::system(),
        }
    }
}
