//! Cameras on the network: where they are, who may look, and what they say
//! when it fails. What is secret about them stays in [`Access`].

use std::fmt;
use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::{CaptureError, log};

/// How to reach a camera. Never shown, not even by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Access {
    /// The URL without user name and password.
    location: String,
    user: Option<String>,
    password: Option<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access(hidden)")
    }
}

impl Access {
    /// Takes `url` apart: how to reach it, and what may be shown of it.
    pub fn parse(url: &str) -> Result<(Self, String), CaptureError> {
        let refuse = |why: &str| CaptureError::Url { why: why.into() };
        let mut url = Url::parse(url.trim()).map_err(|why| {
            refuse(&format!(
                "{why}; write rtsp://host:554/path, with signs such as '/', '@' or '#' in a password as %2F, %40, %23"
            ))
        })?;
        if !matches!(url.scheme(), "rtsp" | "rtsps") {
            return Err(refuse("it must begin with rtsp:// or rtsps://"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(refuse("it names no host; write rtsp://host:554/path"));
        }
        // A '#' is no part of RTSP's URLs; what follows it may be half a password.
        if url.fragment().is_some() {
            return Err(refuse(
                "it has a '#'; write it as %23 if it is part of a password or a path",
            ));
        }
        let decoded = |text: &str| {
            let text = percent_decode_str(text).decode_utf8();
            (text.map(|t| t.into_owned()))
                .map_err(|_| refuse("its user name or password is not UTF-8"))
        };
        let user = Some(url.username()).filter(|user| !user.is_empty());
        let user = user.map(decoded).transpose()?;
        let password = url.password().map(decoded).transpose()?;
        // Neither can fail for a URL with a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let location = url.to_string();
        let shown = shown(&url);
        let access = Self {
            location,
            user,
            password,
        };
        access.hide();
        Ok((access, shown))
    }

    /// The same with this user name and password instead of the URL's.
    pub fn with_login(mut self, user: String, password: String) -> Self {
        self.user = Some(user);
        self.password = Some(password);
        self.hide();
        self
    }

    /// Keeps the secrets out of what GStreamer logs, even at its most talkative.
    fn hide(&self) {
        if let Some(password) = &self.password {
            let user = self.user.as_deref().unwrap_or_default();
            log::hide(password);
            // As HTTP's and RTSP's basic authentication sends it.
            let basic = gst::glib::base64_encode(format!("{user}:{password}").as_bytes());
            log::hide(&basic);
        }
        if let Ok(url) = Url::parse(&self.location)
            && let Some(query) = url.query()
        {
            log::hide(query);
        }
    }

    /// Tells `camera`, an `rtspsrc`, all this, and to take the first video
    /// stream only.
    pub fn apply(&self, camera: &gst::Element) -> Result<(), String> {
        let kind = camera.factory().map(|f| f.name());
        if kind.as_deref() != Some("rtspsrc") {
            return Err("the element with name=camera must be an rtspsrc".into());
        }
        camera.set_property("location", &self.location);
        camera.set_property("user-id", self.user.as_deref());
        camera.set_property("user-pw", self.password.as_deref());
        let first = Mutex::new(None);
        camera.connect("select-stream", false, move |values| {
            let number = values.get(1)?.get::<u32>().ok()?;
            let caps = values.get(2)?.get::<gst::Caps>().ok()?;
            let media = caps.structure(0)?.get::<&str>("media").ok();
            let mut first = first
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            // Asked again for the same streams when it falls back to TCP.
            let taken = media == Some("video") && *first.get_or_insert(number) == number;
            Some(taken.to_value())
        });
        Ok(())
    }

    /// What an error means for somebody who set up the camera; `None` if
    /// GStreamer's own words say it well enough.
    pub fn explain(&self, error: &gst::glib::Error) -> Option<String> {
        let why = match error.kind::<gst::ResourceError>()? {
            gst::ResourceError::NotAuthorized if self.password.is_some() => {
                "it refuses the user name or the password (401 Unauthorized); check username and password_file"
            }
            gst::ResourceError::NotAuthorized => {
                "it wants a user name and a password (401 Unauthorized); set username and password_file"
            }
            gst::ResourceError::NotFound => {
                "it has no such stream (404 Not Found); check the path in url"
            }
            // GStreamer says "Generic error" to all of them.
            gst::ResourceError::OpenRead | gst::ResourceError::OpenReadWrite => {
                return self.unreachable();
            }
            _ => return None,
        };
        Some(why.to_owned())
    }

    /// Why no connection can be made; `None` if one can.
    fn unreachable(&self) -> Option<String> {
        let url = Url::parse(&self.location).ok()?;
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let port = (url.port()).unwrap_or(if url.scheme() == "rtsps" { 322 } else { 554 });
        let (said, hear) = mpsc::channel();
        // On a thread of its own, as nothing bounds the time that a name takes.
        let knock = move || {
            let _ = said.send(knock(&host, port));
        };
        let name = "capture-knock".to_owned();
        std::thread::Builder::new().name(name).spawn(knock).ok()?;
        (hear.recv_timeout(KNOCK + KNOCK / 2))
            .unwrap_or_else(|_| Some("its name is not resolved in time".into()))
    }
}

/// How long a host may take to accept or refuse a connection.
const KNOCK: Duration = Duration::from_secs(2);

/// Tries to connect to a host's first address, and says why that fails.
fn knock(host: &str, port: u16) -> Option<String> {
    let address = match (host, port).to_socket_addrs() {
        Ok(mut all) => all.next(),
        Err(why) => return Some(format!("no address is known for {host} ({why})")),
    };
    let Some(address) = address else {
        return Some(format!("no address is known for {host}"));
    };
    match TcpStream::connect_timeout(&address, KNOCK).map_err(|e| (e.kind(), e)) {
        Ok(_) => None,
        Err((ErrorKind::ConnectionRefused, _)) => Some(format!(
            "{address} refused the connection; the camera is off or starting, or the port is another one"
        )),
        Err((ErrorKind::TimedOut, _)) => Some(format!(
            "{address} does not answer; is the camera on, and in this network?"
        )),
        Err((_, why)) => Some(format!("no connection to {address} ({why})")),
    }
}

/// A URL as far as it is fit to be shown: no user name, no password, no query,
/// and no part of the path that sets something ("user=admin&password=…").
fn shown(url: &Url) -> String {
    let port = url.port().map(|p| format!(":{p}")).unwrap_or_default();
    let parts = url.path().split('/').map(|part| {
        if part.contains('=') || part.contains("%3D") || part.contains("%3d") {
            "..."
        } else {
            part
        }
    });
    let path = parts.collect::<Vec<_>>().join("/");
    let query = if url.query().is_some() { "?..." } else { "" };
    let host = url.host_str().unwrap_or_default();
    format!("{}://{host}{port}{path}{query}", url.scheme())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_taken_out_of_the_url() {
        let (access, shown) =
            Access::parse("rtsp://adam:p%40ss%2F%20w@10.0.0.9:5554/live/ch0?token=abcdef").unwrap();
        assert_eq!(shown, "rtsp://10.0.0.9:5554/live/ch0?...");
        assert_eq!(
            access.location,
            "rtsp://10.0.0.9:5554/live/ch0?token=abcdef"
        );
        assert_eq!(access.user.as_deref(), Some("adam"));
        assert_eq!(access.password.as_deref(), Some("p@ss/ w"));
        assert_eq!(format!("{access:?}"), "Access(hidden)");
        let access = access.with_login("eve".into(), "other".into());
        assert_eq!(access.user.as_deref(), Some("eve"));
        assert_eq!(access.password.as_deref(), Some("other"));
    }

    #[test]
    fn a_password_in_the_path_is_not_shown() {
        let url = "rtsp://[fd00::7]/user=admin&password=hunter2&channel=1.sdp";
        let (access, shown) = Access::parse(url).unwrap();
        assert_eq!(shown, "rtsp://[fd00::7]/...");
        assert_eq!(access.location, url);
        let (_, shown) = Access::parse("rtsps://cam/h264").unwrap();
        assert_eq!(shown, "rtsps://cam/h264");
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for url in [
            "hunter2",
            "http://adam:hunter2@cam/",
            "rtsp:///hunter2",
            "rtsp://adam:hun/hunter2@cam/",
            "rtsp://adam:x#hunter2@cam/",
        ] {
            let error = Access::parse(url).unwrap_err().to_string();
            assert!(error.starts_with("the camera's url"), "{error}");
            assert!(!error.contains("hunter2"), "{url}: {error}");
        }
    }
}
