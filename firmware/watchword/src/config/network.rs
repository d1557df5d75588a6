//! `[source] kind = "rtsp"`: a camera on the network, and keeping its password
//! out of everything that is shown.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How pictures travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// In the RTSP connection itself: nothing is lost, firewalls let it through.
    #[default]
    Tcp,
    /// In packets of their own, which may be lost.
    Udp,
}

/// A camera on the network that speaks RTSP.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkCamera {
    /// `rtsp://host:554/path` or `rtsps://…`. May carry `user:password@`, which
    /// is used and never shown; the two keys below win over it.
    pub url: String,
    /// User name, if the camera wants one.
    #[serde(default)]
    pub username: Option<String>,
    /// A file that holds the password, readable by the owner only.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// How pictures travel.
    #[serde(default)]
    pub transport: Transport,
    /// How long to wait for packets that come late or out of order, ms, 0 to
    /// 10000; those that come in order never wait.
    #[serde(default = "default_latency_ms")]
    pub latency_ms: u32,
}

fn default_latency_ms() -> u32 {
    200
}

/// The longest wait for a late packet, ms: about as long as the watchdog of a
/// source that gives nothing.
const MOST_LATENCY_MS: u32 = 10_000;

impl fmt::Debug for NetworkCamera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkCamera")
            .field("url", &self.shown_url())
            .field("username", &self.username)
            .field("password_file", &self.password_file)
            .field("transport", &self.transport)
            .field("latency_ms", &self.latency_ms)
            .finish()
    }
}

impl NetworkCamera {
    /// The URL as far as it may be shown.
    pub fn shown_url(&self) -> String {
        let source = capture::Source::rtsp(&self.url).ok();
        match source.as_ref().and_then(|s| s.values.get("url")) {
            Some(capture::Value::Text(url)) => url.clone(),
            _ => "(not a URL)".into(),
        }
    }

    /// What can't work: key, value (unless it is secret), remedy.
    pub(super) fn check(&self, wrong: &mut dyn FnMut(&str, &dyn fmt::Display, &str)) {
        if let Err(why) = capture::Source::rtsp(&self.url) {
            wrong("source.url", &"(not shown)", &why.to_string());
        }
        if self.latency_ms > MOST_LATENCY_MS {
            wrong(
                "source.latency_ms",
                &self.latency_ms,
                "choose 0 to 10000 ms",
            );
        }
        let Some(file) = &self.password_file else {
            return;
        };
        if let Err(why) = read_password(file) {
            wrong("source.password_file", &file.display(), &why);
        }
        if self.username.is_none() {
            let remedy = "a password needs a user name";
            wrong("source.username", &"(absent)", remedy);
        }
    }

    /// The source that capture opens. Reads the password file.
    pub fn open(&self) -> anyhow::Result<capture::Source> {
        let transport = match self.transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        let source = capture::Source::rtsp(&self.url)?
            .with("transport", transport)
            .with("latency_ms", self.latency_ms);
        let Some(user) = &self.username else {
            return Ok(source);
        };
        let password = match &self.password_file {
            Some(file) => read_password(file).map_err(|why| {
                anyhow::anyhow!("source.password_file = {}: {why}", file.display())
            })?,
            None => String::new(),
        };
        Ok(source.login(user, password))
    }
}

/// The first line of a file that only its owner may read.
fn read_password(file: &Path) -> Result<String, String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file)
        .map_err(|why| format!("can't be read: {why}"))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(format!(
            "its mode is {:o}, so others can read the password; chmod 600 {}",
            mode & 0o777,
            file.display()
        ));
    }
    let text = std::fs::read_to_string(file).map_err(|why| format!("can't be read: {why}"))?;
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(password.to_owned()),
        _ => Err("it is empty; write the password into it".into()),
    }
}

/// `text` with everything that follows a `://`, up to the closing quote or the
/// line's end, made stars: what a parser repeats of a line may hold a password.
pub(super) fn without_urls(text: &str) -> String {
    let hide = |line: &str| match line.find("://") {
        Some(at) => {
            let mut open = true;
            let rest = line[at + 3..].chars().map(|c| {
                open &= !matches!(c, '"' | '\'');
                if open { '*' } else { c }
            });
            line[..at + 3].chars().chain(rest).collect()
        }
        None => line.to_owned(),
    };
    text.lines().map(hide).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::{Config, SourceConfig};
    use crate::share::Share;

    fn load(dir: &Path, source: &str) -> Result<Config, crate::config::ConfigError> {
        let file = dir.join("watchword.toml");
        std::fs::write(&file, format!("[source]\n{source}\n")).unwrap();
        let config = Config::load(&file)?;
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        config.check(&Share::at(repository))?;
        Ok(config)
    }

    fn password_file(dir: &Path, text: &str, mode: u32) {
        let file = dir.join("camera-password");
        std::fs::write(&file, text).unwrap();
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&file, mode).unwrap();
    }

    #[test]
    fn a_network_camera_is_read_checked_and_shown_without_its_password() {
        let dir = tempfile::tempdir().unwrap();
        let text = "kind = \"rtsp\"\nurl = \"rtsp://adam:hunter2@cam:5554/live?key=hunter2\"";
        let mut config = load(dir.path(), text).unwrap();
        let SourceConfig::Rtsp(camera) = &config.source else {
            panic!("{:?}", config.source);
        };
        assert_eq!((camera.transport, camera.latency_ms), (Transport::Tcp, 200));
        camera.open().unwrap();
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
        config.hide_credentials();
        let shown = toml::to_string(&config).unwrap();
        assert!(!shown.contains("hunter2") && !shown.contains("adam"));
        assert!(
            shown.contains("url = \"rtsp://cam:5554/live?...\""),
            "{shown}"
        );
    }

    #[test]
    fn the_password_file_is_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let text = "kind = \"rtsp\"\nurl = \"rtsp://cam/live\"\nusername = \"adam\"\n\
                    password_file = \"camera-password\"\ntransport = \"udp\"\nlatency_ms = 50";
        let refused = |words: &str| {
            let error = load(dir.path(), text).unwrap_err().to_string();
            assert!(error.contains("source.password_file"), "{error}");
            assert!(
                error.contains(words) && !error.contains("hunter2"),
                "{error}"
            );
        };
        refused("can't be read");
        password_file(dir.path(), "hunter2\n", 0o644);
        refused("chmod 600");
        password_file(dir.path(), "\n", 0o600);
        refused("empty");
        password_file(dir.path(), "hunter2\n", 0o600);
        let config = load(dir.path(), text).unwrap();
        let SourceConfig::Rtsp(camera) = config.source else {
            panic!("{:?}", config.source);
        };
        let direct = capture::Source::rtsp("rtsp://cam/live").unwrap();
        let direct =
            (direct.with("transport", "udp").with("latency_ms", 50u32)).login("adam", "hunter2");
        assert_eq!(
            camera.open().unwrap(),
            direct,
            "path and line end are dealt with"
        );
        let alone = text.replace("username = \"adam\"\n", "");
        let error = load(dir.path(), &alone).unwrap_err().to_string();
        assert!(error.contains("needs a user name"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        let dir = tempfile::tempdir().unwrap();
        for (text, says) in [
            // Quotes that are missing, one or both; a wrong key, type, scheme, number.
            (
                "kind = \"rtsp\"\nurl = rtsp://adam:hunter2@cam/live",
                "watchword.toml",
            ),
            (
                "kind = \"rtsp\"\nurl = \"rtsp://adam:hunter2@cam/live",
                "watchword.toml",
            ),
            (
                "kind = \"rtsp\"\nurl = [\"rtsp://adam:hunter2@cam/live\"]",
                "watchword.toml",
            ),
            (
                "kind = \"rtsp\"\nlatency_ms = \"rtsp://adam:hunter2@cam/live\"",
                "watchword.toml",
            ),
            (
                "kind = \"rtsp\"\nuri = \"rtsp://adam:hunter2@cam/live\"",
                "uri",
            ),
            (
                "kind = \"rtsp\"\nurl = \"http://adam:hunter2@cam/live\"",
                "rtsp://",
            ),
            (
                "kind = \"rtsp\"\nurl = \"rtsp://adam:hun#hunter2@cam/live\"",
                "%23",
            ),
            (
                "kind = \"rtsp\"\nurl = \"rtsp://adam:hunter2@cam/\"\nlatency_ms = 10001",
                "10000",
            ),
            (
                "kind = \"rtsp\"\nurl = \"rtsp://adam:hunter2@cam/\"\ntransport = \"sctp\"",
                "tcp",
            ),
        ] {
            let error = load(dir.path(), text).unwrap_err();
            let told = format!("{error}\n{error:?}");
            let told = format!("{told}\n{:#}", anyhow::Error::from(error));
            assert!(told.contains(says), "'{says}' is not in: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
