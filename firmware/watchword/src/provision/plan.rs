//! What a provisioning file becomes on the data partition.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use scene::Id;
use toml::{Table, Value};

use super::keys::Provision;
use crate::config::{BoardConfig, Config, MqttConfig, SourceConfig};

/// Places below the data partition.
pub(super) struct Places {
    pub home: PathBuf,
    pub config: PathBuf,
    pub secrets: PathBuf,
    pub system: PathBuf,
    pub hostname: PathBuf,
    pub localtime: PathBuf,
    pub networks: PathBuf,
    pub network: PathBuf,
    pub ssh: PathBuf,
    pub authorized_keys: PathBuf,
    pub erasing: PathBuf,
    pub machine_id: PathBuf,
}

impl Places {
    pub fn below(data: &Path) -> Self {
        let home = data.join("watchword");
        let system = data.join("system");
        let ssh = data.join("ssh");
        Self {
            config: home.join("config.toml"),
            secrets: home.join("secrets"),
            hostname: system.join("hostname"),
            localtime: system.join("localtime"),
            networks: system.join("network"),
            network: system.join("network").join(UNIT),
            erasing: system.join("provision-erasing"),
            authorized_keys: ssh.join("authorized_keys"),
            machine_id: data.join("identity/machine-id"),
            home,
            system,
            ssh,
        }
    }

    /// Files that are written beside themselves first.
    pub fn files(&self) -> [&Path; 6] {
        [
            &self.config,
            &self.hostname,
            &self.localtime,
            &self.network,
            &self.authorized_keys,
            &self.erasing,
        ]
    }
}

/// The file for systemd-networkd.
pub(super) const UNIT: &str = "10-wired.network";
/// Where time zones are.
pub(super) const ZONES: &str = "/usr/share/zoneinfo";
/// Two folders that hold secrets by turns: new ones are written into the one
/// that the configuration in force does not name, so that both are whole until
/// a new configuration takes the place of the old in one rename.
pub(super) const SLOTS: [&str; 2] = ["a", "b"];

const MQTT_PASSWORD: &str = "mqtt-password";
const MQTT_CA: &str = "mqtt-ca.pem";
const SOURCE_PASSWORD: &str = "source-password";

/// What is kept apart from the configuration: file name and content.
pub(super) fn secrets(provision: &Provision) -> Vec<(&'static str, Vec<u8>)> {
    let line = |text: &str| format!("{text}\n").into_bytes();
    let mqtt = &provision.mqtt;
    [
        (
            MQTT_PASSWORD,
            mqtt.password.as_ref().map(|p| line(p.reveal())),
        ),
        (
            MQTT_CA,
            mqtt.ca.as_ref().map(|pem| pem.clone().into_bytes()),
        ),
        (
            SOURCE_PASSWORD,
            provision.source_password.as_ref().map(|p| line(p.reveal())),
        ),
    ]
    .into_iter()
    .filter_map(|(name, bytes)| Some((name, bytes?)))
    .collect()
}

/// The daemon's configuration; paths are meant from the folder that it lies in.
pub(super) fn config(provision: &Provision, camera: Id, board: Id, slot: &str) -> Config {
    let secret = |name: &str| Path::new("secrets").join(slot).join(name);
    let mqtt = &provision.mqtt;
    let mut source = provision.source.clone();
    if let SourceConfig::Rtsp(network) = &mut source {
        let has = provision.source_password.is_some();
        network.password_file = has.then(|| secret(SOURCE_PASSWORD));
    }
    Config {
        camera,
        data_dir: ".".into(),
        time_zone: provision.time_zone.clone(),
        position: provision.position,
        source,
        video: provision.video.clone(),
        mqtt: MqttConfig {
            url: mqtt.url.clone(),
            username: mqtt.username.clone(),
            password_file: mqtt.password.is_some().then(|| secret(MQTT_PASSWORD)),
            ca_file: mqtt.ca.is_some().then(|| secret(MQTT_CA)),
            ..MqttConfig::default()
        },
        board: BoardConfig { name: board },
        snapshot: provision.snapshot,
        rules: provision.rules.clone(),
        ..Config::default()
    }
}

/// `config` as a file that means the same. Defaults are left out, so that a
/// later version of the firmware may choose better ones.
pub(super) fn config_text(config: &Config) -> Result<String> {
    let mut table = Table::try_from(config)?;
    let defaults = Table::try_from(Config::default())?;
    without(&mut table, &defaults);
    // What the camera is goes without saying in no version.
    table.insert("camera".into(), Value::String(config.camera.to_string()));
    let text = format!(
        "# Written by watchword provision; replaced by a new provision.toml.\n{}",
        toml::to_string(&table)?
    );
    let back: Config = toml::from_str(&text).context("the configuration does not read back")?;
    ensure!(
        back == *config,
        "the configuration means something else when it is read back; this is a mistake of the program"
    );
    Ok(text)
}

/// Takes out of `table` what is as in `defaults`.
fn without(table: &mut Table, defaults: &Table) {
    table.retain(|key, value| {
        let Some(default) = defaults.get(key) else {
            return true;
        };
        // Its kind decides what its other keys mean, so it stays whole.
        if key != "source"
            && let (Value::Table(inner), Value::Table(default)) = (&mut *value, default)
        {
            without(inner, default);
            return !inner.is_empty();
        }
        value != default
    });
}

/// The host's name: the camera's, which may begin or end with '-' where a host
/// must not.
pub(super) fn hostname(camera: &Id) -> String {
    match camera.as_str().trim_matches('-') {
        "" => "camera".into(),
        name => name.into(),
    }
}

/// The slot of secrets that the configuration at `path` names, if any.
pub(super) fn slot_in_force(path: &Path) -> Option<&'static str> {
    let text = std::fs::read_to_string(path).ok()?;
    let config: Config = toml::from_str(&text).ok()?;
    let source = match &config.source {
        SourceConfig::Rtsp(camera) => camera.password_file.as_ref(),
        _ => None,
    };
    let files = [
        config.mqtt.password_file.as_ref(),
        config.mqtt.ca_file.as_ref(),
        source,
    ];
    SLOTS.into_iter().find(|slot| {
        let folder = Path::new("secrets").join(slot);
        files.iter().flatten().any(|file| file.starts_with(&folder))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LibcameraCamera, PositionConfig, VideoConfig};

    /// Every key set to something else than its default.
    fn unusual(source: SourceConfig) -> Config {
        let id = |text: &str| Id::new(text).unwrap();
        let mut config = Config {
            camera: id("gate"),
            data_dir: ".".into(),
            time_zone: Some("Europe/London".into()),
            position: Some(PositionConfig {
                latitude_degrees: -33.0,
                longitude_degrees: 1e-7,
            }),
            source,
            video: VideoConfig {
                rtsp: Some(([0, 0, 0, 0], 8555).into()),
                bitrate_kbps: 1,
                encoders: vec!["x264".into(), "a \"quoted\" one".into()],
                inference_width: 640,
            },
            mqtt: MqttConfig {
                url: Some("mqtts://u:p%40@host:8883".into()),
                username: Some("ü\\\"'".into()),
                password_file: Some("secrets/a/mqtt-password".into()),
                ca_file: Some("/etc/ca.pem".into()),
                inside_v4: ([127, 0, 0, 2], 1).into(),
                inside_v5: ([127, 0, 0, 2], 2).into(),
            },
            board: BoardConfig {
                name: id("qemu-virt"),
            },
            snapshot: spool::Snapshot::None,
            rules: [(id("a-1"), "more than 10 people".into())].into(),
            ..Config::default()
        };
        config.model.threads = 2;
        config.model.package = Some("/data/models/x".into());
        config.gate.enabled = false;
        config
    }

    #[test]
    fn configurations_are_read_back_as_they_were_written() {
        let sources = [
            "kind = \"test\"",
            "kind = \"file\"\npath = \"/a b.mp4\"",
            "kind = \"v4l2\"",
            "kind = \"v4l2\"\ndevice = \"/dev/video2\"\nio_mode = \"dmabuf\"",
            "kind = \"rtsp\"\nurl = \"rtsp://u:p@c/\"\ntransport = \"udp\"\nlatency_ms = 0",
        ];
        let sources = sources.map(|text| toml::from_str::<SourceConfig>(text).unwrap());
        let libcamera = SourceConfig::Libcamera(LibcameraCamera::default());
        for source in sources.into_iter().chain([libcamera]) {
            let config = unusual(source);
            let text = config_text(&config).unwrap();
            assert_eq!(toml::from_str::<Config>(&text).unwrap(), config, "{text}");
        }
        let text = config_text(&Config::default()).unwrap();
        assert_eq!(toml::from_str::<Config>(&text).unwrap(), Config::default());
        assert_eq!(text.lines().count(), 2, "defaults are left out: {text}");
    }

    /// TOML has no word for "none": a stream that is switched off would be on
    /// again when read back.
    #[test]
    fn what_can_not_be_written_is_not_written_wrongly() {
        let mut config = Config::default();
        config.video.rtsp = None;
        let error = config_text(&config).unwrap_err().to_string();
        assert!(error.contains("something else"), "{error}");
    }

    #[test]
    fn hosts_have_no_dash_at_their_ends() {
        for (camera, host) in [("gate-3", "gate-3"), ("-a-", "a"), ("---", "camera")] {
            assert_eq!(hostname(&Id::new(camera).unwrap()), host);
        }
    }
}
