//! What a provisioning file says, once it is understood.

use std::collections::BTreeMap;
use std::fmt;

use scene::Id;
use spool::Snapshot;

use super::network::Network;
use crate::config::{PositionConfig, SourceConfig, VideoConfig};

/// A password: never printed, not even by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A provisioning file that can be followed. `Default` is one that sets
/// nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Provision {
    /// The camera's id and host name; made from its machine id if absent.
    pub camera: Option<Id>,
    /// IANA time zone, spelt as the database has it; UTC if absent.
    pub time_zone: Option<String>,
    /// Where the camera is.
    pub position: Option<PositionConfig>,
    /// What picture an alert carries.
    pub snapshot: Snapshot,
    /// Where alerts go.
    pub mqtt: Mqtt,
    /// Where frames come from, without a password.
    pub source: SourceConfig,
    /// The password of a network camera.
    pub source_password: Option<Password>,
    /// What is done with video.
    pub video: VideoConfig,
    /// How the camera gets its address.
    pub network: Network,
    /// Who may log in: lines of an `authorized_keys` file.
    pub authorized_keys: Vec<String>,
    /// Rules set at start if the store does not have them.
    pub rules: BTreeMap<Id, String>,
    /// True if the file has no key at all.
    pub sets_nothing: bool,
}

impl Default for Provision {
    fn default() -> Self {
        Self {
            camera: None,
            time_zone: None,
            position: None,
            snapshot: Snapshot::Alert,
            mqtt: Mqtt::default(),
            source: SourceConfig::default(),
            source_password: None,
            video: VideoConfig::default(),
            network: Network::default(),
            authorized_keys: Vec::new(),
            rules: BTreeMap::new(),
            sets_nothing: true,
        }
    }
}

/// `[mqtt]`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Mqtt {
    /// The broker; may hold credentials.
    pub url: Option<String>,
    /// The broker as it may be shown: scheme, host and port.
    pub shown: Option<String>,
    /// User name, if the broker wants one.
    pub username: Option<String>,
    /// Goes with the user name.
    pub password: Option<Password>,
    /// Certificates of the authorities that may vouch for the broker, PEM.
    pub ca: Option<String>,
    /// The file beside the provisioning file that `ca` was read from.
    pub ca_file: Option<String>,
}

impl fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mqtt")
            .field("url", &self.shown)
            .field("username", &self.username)
            .field("password", &self.password)
            .field("ca", &self.ca.is_some())
            .field("ca_file", &self.ca_file)
            .finish()
    }
}
