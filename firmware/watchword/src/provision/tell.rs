//! What a provisioning file does, in words, without its secrets.

use super::keys::Provision;
use super::problem::Problem;
use super::{ERROR_FILE, FILE};
use crate::config::{SourceConfig, VideoConfig};

impl Provision {
    /// What the camera will do, a sentence each.
    pub fn says(&self) -> Vec<String> {
        let mut says = Vec::new();
        says.push(match &self.camera {
            Some(camera) => {
                format!("be called {camera}: its topics begin with watchword/{camera}/")
            }
            None => "be called camera- and 6 hex digits of its own".into(),
        });
        says.push(format!(
            "keep the time of {}",
            self.time_zone.as_deref().unwrap_or("UTC")
        ));
        if let Some(position) = &self.position {
            says.push(format!(
                "reckon sunrise and sunset at latitude {}, longitude {}",
                position.latitude_degrees, position.longitude_degrees
            ));
        }
        says.push(self.says_network());
        if !self.network.ntp.is_empty() {
            says.push(format!("ask the time of {}", self.network.ntp.join(", ")));
        }
        says.push(self.says_broker());
        says.push(self.says_source());
        says.push(format!(
            "send alerts {}",
            match self.snapshot {
                spool::Snapshot::Alert => "with a picture",
                spool::Snapshot::Blurred => "with a blurred picture",
                spool::Snapshot::None => "without a picture",
            }
        ));
        if self.video != VideoConfig::default() {
            let video = &self.video;
            let encoders = match video.encoders.is_empty() {
                true => "the board's encoder".into(),
                false => video.encoders.join(" or "),
            };
            let rtsp = video.rtsp.map(|at| format!(", shown at rtsp://{at}/main"));
            says.push(format!(
                "encode video with {encoders} at {} kbit/s{}; look at pictures {} pixels wide",
                video.bitrate_kbps,
                rtsp.unwrap_or_default(),
                video.inference_width
            ));
        }
        says.push(match self.authorized_keys.len() {
            0 => "let nobody log in over SSH".into(),
            n => format!(
                "let the holders of {n} SSH key(s) log in: {}",
                self.key_names()
            ),
        });
        for (id, sentence) in &self.rules {
            says.push(format!("watch for {id}: {sentence}"));
        }
        says
    }

    /// Type and comment of each key.
    fn key_names(&self) -> String {
        let names = self.authorized_keys.iter().map(|line| {
            let mut words = line.split_whitespace();
            let kind = words.next().unwrap_or_default();
            let comment: Vec<_> = words.skip(1).collect();
            match comment.is_empty() {
                true => kind.to_owned(),
                false => format!("{kind} ({})", comment.join(" ")),
            }
        });
        names.collect::<Vec<_>>().join(", ")
    }

    fn says_network(&self) -> String {
        let list = |servers: &[std::net::IpAddr]| {
            let servers: Vec<_> = servers.iter().map(ToString::to_string).collect();
            servers.join(", ")
        };
        let mut says = match &self.network.fixed {
            None => "get its address by DHCP".into(),
            Some(fixed) => {
                let gateway = match fixed.gateway {
                    Some(gateway) => format!("through {gateway}"),
                    None => "without a gateway".into(),
                };
                format!(
                    "have the address {}/{}, {gateway}",
                    fixed.address, fixed.prefix
                )
            }
        };
        if !self.network.dns.is_empty() {
            says.push_str(&format!(", and ask names of {}", list(&self.network.dns)));
        }
        says
    }

    fn says_broker(&self) -> String {
        let mqtt = &self.mqtt;
        let Some(broker) = &mqtt.shown else {
            return "run a broker of its own, which only it can reach".into();
        };
        let in_url = mqtt.url.as_deref().is_some_and(|url| url.contains('@'));
        let login = match (&mqtt.username, &mqtt.password, in_url) {
            (Some(user), Some(_), _) => format!(" as {user}, with a password"),
            (Some(user), None, _) => format!(" as {user}"),
            (None, _, true) => ", with the login that the address holds".into(),
            (None, _, false) => ", without a login".into(),
        };
        let ca = match (&mqtt.ca, broker.starts_with("mqtts")) {
            (Some(_), _) => ", trusting the given authority alone",
            (None, true) => ", trusting the usual authorities",
            (None, false) => "",
        };
        format!("talk to the broker {broker}{login}{ca}")
    }

    fn says_source(&self) -> String {
        match &self.source {
            SourceConfig::File { path } => format!("look at the clip {}", path.display()),
            SourceConfig::Test => "look at a moving test picture".into(),
            SourceConfig::V4l2(camera) => format!("look through {}", camera.device.display()),
            SourceConfig::Libcamera(camera) => match &camera.camera_name {
                Some(name) => format!("look through libcamera's {name}"),
                None => "look through the first camera of libcamera".into(),
            },
            SourceConfig::Rtsp(camera) => {
                let login = match (&camera.username, &self.source_password) {
                    (Some(user), Some(_)) => format!(" as {user}, with a password"),
                    (Some(user), None) => format!(" as {user}"),
                    (None, _) => String::new(),
                };
                format!("look at {}{login}", camera.shown_url())
            }
        }
    }

    /// What works, but may not be what was meant.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mqtt = &self.mqtt;
        if mqtt.url.is_none() {
            notes.push("without mqtt.url nobody outside can set rules or hear alerts".to_owned());
        }
        let in_clear = mqtt
            .shown
            .as_deref()
            .is_some_and(|url| url.starts_with("mqtt:"));
        let logs_in =
            mqtt.password.is_some() || mqtt.url.as_deref().is_some_and(|url| url.contains('@'));
        if in_clear && logs_in {
            notes.push(
                "the password goes over the network in clear, as mqtt.url is not mqtts://"
                    .to_owned(),
            );
        }
        let named = mqtt
            .url
            .as_deref()
            .and_then(|url| url::Url::parse(url).ok())
            .and_then(|url| Some(url.host_str()?.trim_matches(['[', ']']).to_owned()))
            .filter(|host| host.parse::<std::net::IpAddr>().is_err());
        if self.network.fixed.is_some() && self.network.dns.is_empty() && named.is_some() {
            notes.push(
                "mqtt.url has a name, but with network.address there is nobody to ask for its \
                 address; set network.dns, or write the broker's address"
                    .to_owned(),
            );
        }
        if named.is_some_and(|host| host.split('.').rev().take(2).any(|part| part == "example")) {
            notes.push("mqtt.url names a host of manuals (example), which nobody has".to_owned());
        }
        if let Some(at) = self.video.rtsp
            && !at.ip().is_loopback()
        {
            notes.push(format!(
                "video.rtsp = {at}: whoever reaches the camera can watch; the stream has no password"
            ));
        }
        if let SourceConfig::File { path } = &self.source {
            let path = path.display();
            notes.push(format!(
                "whether {path} is on the camera can only be seen there"
            ));
        }
        notes
    }
}

/// What is written beside a file that was followed.
pub(super) fn done(provision: &Provision, camera: &str, now: jiff::Timestamp) -> String {
    let mut text = format!(
        "{FILE} was applied. It is erased from here next; if it is still here, so are its secrets.\n\n\
         camera: {camera}\ntime: {} (the camera's clock, which may have been wrong yet)\n\nIt will\n",
        now.strftime("%Y-%m-%dT%H:%M:%SZ")
    );
    for line in provision.says() {
        text.push_str(&format!("- {line}\n"));
    }
    for note in provision.notes() {
        text.push_str(&format!("note: {note}\n"));
    }
    text.push_str(&format!(
        "\nTo change anything, put a new, whole {FILE} here and start the camera again.\n"
    ));
    for_windows(&text)
}

/// What is written beside a file that can't be followed.
pub(super) fn refused(problems: &[Problem]) -> String {
    let mut text =
        format!("{FILE} was NOT applied; the camera goes on as it was. What is wrong:\n\n");
    for problem in problems {
        text.push_str(&format!("- {problem}\n"));
    }
    text.push_str(&format!(
        "\nPut it right and start the camera again; {ERROR_FILE} then goes. It can be checked\n\
         beforehand with: watchword provision check {FILE}\n\
         As it was not applied, the passwords in it still lie here.\n"
    ));
    for_windows(&text)
}

/// The medium is read where people have Notepad.
fn for_windows(text: &str) -> String {
    text.replace('\n', "\r\n")
}
