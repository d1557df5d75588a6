use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use rumqttc::v5::MqttOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::LastWill;
use rumqttc::{TlsConfiguration, Transport};
use thiserror::Error;
use url::Url;

use super::tls;

/// A password: never printed, not even by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What the broker publishes, retained, when the camera is gone without
/// having said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Bytes,
}

/// How to reach a broker, and as whom.
#[derive(Clone)]
pub struct LinkConfig {
    /// `mqtt://host[:1883]` or `mqtts://host[:8883]`. May hold
    /// `user:password@`; the two fields below win over it.
    pub url: String,
    /// Names the session at the broker; no two clients may share one.
    pub client_id: String,
    /// `None` for no login.
    pub username: Option<String>,
    /// Goes with `username`.
    pub password: Option<Secret>,
    /// PEM file of the authorities that may vouch for the broker; `None` is
    /// the system's bundle. Only with `mqtts://`.
    pub ca: Option<PathBuf>,
    /// PEM file of the camera's own certificate chain; goes with
    /// `client_key`. Only with `mqtts://`.
    pub client_cert: Option<PathBuf>,
    /// PEM file of the certificate's private key.
    pub client_key: Option<PathBuf>,
    /// The broker declares the camera offline after 1.5 times this silence.
    /// 5 s to 18 h; default 30 s.
    pub keep_alive: Duration,
    /// Default `None`.
    pub will: Option<Will>,
    /// Topic filters to subscribe to, with QoS 1.
    pub subscriptions: Vec<String>,
    /// How long the broker keeps the session (the subscriptions and what was
    /// published to them) while the camera is away; default 7 days.
    pub session_expiry: Duration,
    /// The largest packet to send or to take, bytes; default 4 MiB. The
    /// broker is told, and one that follows MQTT 5 drops what is larger.
    pub max_packet_bytes: u32,
    /// The largest operator's payload to hand on, bytes; larger ones come as
    /// [`super::LinkEvent::Oversize`]. Default 64 KiB.
    pub max_payload_bytes: usize,
    /// The most publishes that wait for their acknowledgement at a time;
    /// default 16. Lower if the broker says so.
    pub max_in_flight: u16,
    /// The most publishes that wait to be sent; default 64.
    pub queue: usize,
    /// The first wait after a lost connection; default 1 s.
    pub retry_least: Duration,
    /// The longest wait; default 60 s.
    pub retry_most: Duration,
}

impl LinkConfig {
    /// The default size of [`Self::max_packet_bytes`].
    pub const MAX_PACKET_BYTES: u32 = 4 * 1024 * 1024;
    /// The default size of [`Self::max_payload_bytes`].
    pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

    /// The defaults for the broker at `url`.
    pub fn new(url: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            client_id: client_id.into(),
            username: None,
            password: None,
            ca: None,
            client_cert: None,
            client_key: None,
            keep_alive: Duration::from_secs(30),
            will: None,
            subscriptions: Vec::new(),
            session_expiry: Duration::from_secs(7 * 24 * 3600),
            max_packet_bytes: Self::MAX_PACKET_BYTES,
            max_payload_bytes: Self::MAX_PAYLOAD_BYTES,
            max_in_flight: 16,
            queue: 64,
            retry_least: Duration::from_secs(1),
            retry_most: Duration::from_secs(60),
        }
    }

    /// Checks everything that can be checked without a broker.
    pub fn check(&self) -> Result<(), LinkError> {
        self.clone().prepare().map(drop)
    }

    pub(super) fn prepare(self) -> Result<Prepared, LinkError> {
        let bad_url = |why: String| LinkError::Url {
            url: without_credentials(&self.url),
            why,
        };
        let url = Url::parse(&self.url).map_err(|e| bad_url(e.to_string()))?;
        let tls = match url.scheme() {
            "mqtt" | "tcp" => false,
            "mqtts" | "ssl" => true,
            other => return Err(bad_url(format!("the scheme '{other}' is not known"))),
        };
        let host = url.host_str().unwrap_or_default();
        if host.is_empty() {
            return Err(bad_url("it names no host".into()));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() {
            return Err(bad_url("nothing may follow host and port".into()));
        }
        let port = url.port().unwrap_or(if tls { 8883 } else { 1883 });

        let in_range = |name, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                Ok(value)
            } else {
                Err(LinkError::Range {
                    name,
                    value,
                    least,
                    most,
                })
            }
        };
        in_range("keep_alive_seconds", self.keep_alive.as_secs(), 5, 64_800)?;
        in_range(
            "max_packet_bytes",
            self.max_packet_bytes.into(),
            1024,
            0x0fff_ffff,
        )?;
        in_range("max_in_flight", self.max_in_flight.into(), 1, 1000)?;
        let expiry = in_range(
            "session_expiry_seconds",
            self.session_expiry.as_secs(),
            0,
            u64::from(u32::MAX) - 1,
        )?;
        // MQTT brokers refuse or misread other names.
        let name = &self.client_id;
        if name.is_empty() || name.len() > 128 || name.contains(['+', '#', '$', '/', '\0']) {
            return Err(LinkError::ClientId {
                given: name.chars().take(140).collect(),
            });
        }

        let mut options = MqttOptions::new(name, host, port);
        options
            .set_keep_alive(self.keep_alive)
            .set_clean_start(false)
            .set_session_expiry_interval(Some(expiry as u32))
            .set_max_packet_size(Some(self.max_packet_bytes))
            .set_receive_maximum(Some(RECEIVE_MAXIMUM))
            .set_connection_timeout(CONNECT_SECONDS)
            .set_manual_acks(true)
            // Room for packet ids beyond what is in flight, so that one that
            // is acknowledged late does not hold up the others.
            .set_outgoing_inflight_upper_limit(self.max_in_flight.saturating_mul(4));
        let mut network = options.network_options();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);

        let decoded = |text: &str| percent_decode(text);
        let username = (self.username.clone())
            .or_else(|| Some(decoded(url.username())).filter(|u| !u.is_empty()));
        let password = (self.password.as_ref().map(|p| p.reveal().to_owned()))
            .or_else(|| url.password().map(decoded));
        match (username, password) {
            (Some(user), password) => {
                options.set_credentials(user, password.unwrap_or_default());
            }
            (None, Some(_)) => return Err(LinkError::PasswordWithoutUser),
            (None, None) => {}
        }
        if let Some(will) = &self.will {
            options.set_last_will(LastWill::new(
                will.topic.as_str(),
                will.payload.clone(),
                QoS::AtLeastOnce,
                true,
                None,
            ));
        }
        if tls {
            let tls = tls::client(
                self.ca.as_deref(),
                self.client_cert.as_deref(),
                self.client_key.as_deref(),
            )?;
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
        } else if self.ca.is_some() || self.client_cert.is_some() || self.client_key.is_some() {
            return Err(bad_url(
                "a CA or client certificate is configured, but only 'mqtts://' uses one".into(),
            ));
        }
        Ok(Prepared {
            broker: format!("{}://{host}:{port}", url.scheme()),
            options,
            config: self,
        })
    }
}

impl fmt::Debug for LinkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkConfig")
            .field("url", &without_credentials(&self.url))
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .field("password", &self.password)
            .field("ca", &self.ca)
            .field("client_cert", &self.client_cert)
            .field("keep_alive", &self.keep_alive)
            .field("subscriptions", &self.subscriptions)
            .finish_non_exhaustive()
    }
}

/// How many messages of QoS 1 the broker may have under way to the camera.
pub(super) const RECEIVE_MAXIMUM: u16 = 64;
/// The longest that TCP, TLS and MQTT may take to connect.
const CONNECT_SECONDS: u64 = 15;

/// A checked configuration.
pub(super) struct Prepared {
    /// The broker's address without credentials, for logs.
    pub broker: String,
    pub options: MqttOptions,
    pub config: LinkConfig,
}

/// What is wrong with a link's configuration.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The address of the broker.
    #[error(
        "the broker URL '{url}' can't be used: {why}; it looks like mqtt://host:1883 or mqtts://host:8883"
    )]
    Url {
        /// The URL without credentials.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// The name of this client.
    #[error("'{given}' is not a client id: it is 1 to 128 bytes without + # $ /")]
    ClientId {
        /// As given, cut.
        given: String,
    },
    /// A number.
    #[error("{name} is {value}; it may be {least} to {most}")]
    Range {
        /// Which.
        name: &'static str,
        /// What it is.
        value: u64,
        /// The least it may be.
        least: u64,
        /// The most it may be.
        most: u64,
    },
    /// A password without a user.
    #[error("a broker password is configured without a username; set both or none")]
    PasswordWithoutUser,
    /// A certificate or key file.
    #[error("{what} '{}' can't be used: {why}", path.display())]
    Certificate {
        /// "the CA file", for instance.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Only half of a client certificate.
    #[error(
        "a client certificate needs its key and a key its certificate; only the {given} is configured"
    )]
    HalfCertificate {
        /// Which half is there.
        given: &'static str,
    },
    /// No system certificates.
    #[error(
        "mqtts:// needs certificates of authorities: none of {looked_at} is there; install ca-certificates or configure a CA file"
    )]
    NoSystemCertificates {
        /// Where they were looked for.
        looked_at: String,
    },
}

/// `url` with everything before an `@` in the authority cut out; also for
/// what does not parse.
fn without_credentials(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    // Passwords may hold '/' or '@' unescaped; better to cut too much.
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}…@{host}"),
        None => format!("{scheme}{rest}"),
    }
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = (bytes[i] == b'%')
            .then(|| text.get(i + 1..i + 3))
            .flatten()
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        match hex {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(config: LinkConfig) -> String {
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn good_urls() {
        for (url, broker) in [
            ("mqtt://10.0.0.7", "mqtt://10.0.0.7:1883"),
            ("mqtt://broker.example:1884/", "mqtt://broker.example:1884"),
            ("mqtt://u:p@host", "mqtt://host:1883"),
        ] {
            let prepared = LinkConfig::new(url, "cam").prepare().unwrap();
            assert_eq!(prepared.broker, broker);
        }
    }

    #[test]
    fn logins_come_from_the_url_or_the_fields() {
        let login = |config: LinkConfig| config.prepare().unwrap().options.credentials().unwrap();
        let mut config = LinkConfig::new("mqtt://eve:a%40b@host", "cam");
        assert_eq!(login(config.clone()).password, "a@b");
        config.username = Some("adam".into());
        config.password = Some(Secret::new("x"));
        let l = login(config);
        assert_eq!((l.username.as_str(), l.password.as_str()), ("adam", "x"));
    }

    #[test]
    fn passwords_stay_out_of_errors_and_logs() {
        for url in [
            "mqtt://eve:hunter2@host:99999",
            "http://eve:hunter2@host",
            "mqtt://eve:hunter2@host/path",
            "mqtt://eve:hun/ter2@ho st",
            "eve:hunter2@host",
        ] {
            let mut config = LinkConfig::new(url, "cam");
            config.password = Some(Secret::new("hunter2"));
            for text in [error(config.clone()), format!("{config:?}")] {
                assert!(
                    !text.contains("hunter2") && !text.contains("ter2"),
                    "{text}"
                );
            }
            assert!(error(config).contains("host") || url.contains("ho st"));
        }
    }

    #[test]
    fn errors_name_the_value_and_the_remedy() {
        let with = |change: fn(&mut LinkConfig)| {
            let mut config = LinkConfig::new("mqtt://host", "cam");
            change(&mut config);
            error(config)
        };
        let e = with(|c| c.keep_alive = Duration::from_secs(4));
        assert!(e.contains("keep_alive_seconds is 4; it may be 5"), "{e}");
        let e = with(|c| c.client_id = "a/b".into());
        assert!(e.contains("'a/b'"), "{e}");
        let e = with(|c| c.password = Some(Secret::new("x")));
        assert!(e.contains("without a username"), "{e}");
        let e = with(|c| c.ca = Some("/nowhere/ca.pem".into()));
        assert!(e.contains("mqtts://"), "{e}");
    }
}
