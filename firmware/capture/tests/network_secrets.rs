//! No password in a log, even if GStreamer is asked to tell everything. Alone
//! in its process, since it listens to all logs.

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use capture::Source;
use common::network_camera::{NetworkCamera, Setup, free_port};
use common::{config, eventually, start};
use gstreamer as gst;
use scene::ports::{FrameSource, SourceState};

const LIMIT: Duration = Duration::from_secs(60);

#[derive(Clone, Default)]
struct Pot(Arc<Mutex<Vec<u8>>>);

impl Write for Pot {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_that_is_logged_or_told_has_the_password() {
    let pot = Pot::default();
    let writer = pot.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    capture::init().unwrap();
    let mut setup = Setup {
        login: Some(("adam", "correct-horse")),
        basic: true,
        ..Setup::default()
    };
    let port = free_port();
    let mut server = NetworkCamera::start(port, &setup);
    // Everything that the client's side knows; the server is not ours to hush.
    let categories = "GST_PIPELINE:9,rtspsrc:9,sdpmessage:9,uri:9,GST_PROPERTIES:9";
    gst::log::set_threshold_from_string(categories, false);
    let url = server.url();
    let url = url.replace("://", "://adam:correct%2Dhorse@") + "?token=hush-hush";
    for (basic, password) in [(true, "correct-horse"), (true, "wrong"), (false, "wrong")] {
        drop(server);
        setup.basic = basic;
        setup.login = Some(("adam", password));
        server = NetworkCamera::start(port, &setup);
        let source = Source::rtsp(&url).unwrap();
        assert!(!format!("{source:?}").contains("horse"), "{source:?}");
        let mut config = config(source);
        config.rtsp = None;
        let mut camera = start(&config);
        if password == "wrong" {
            eventually("a refusal", LIMIT, || match camera.state() {
                SourceState::Retrying { why, .. } => {
                    assert!(!why.contains("horse") && !why.contains("hush"), "{why}");
                    why.contains("401")
                }
                _ => false,
            });
        } else {
            assert!(camera.next(LIMIT).is_some(), "{:?}", camera.state());
        }
    }
    let log = String::from_utf8_lossy(&pot.0.lock().unwrap()).into_owned();
    assert!(log.contains("rtspsrc"), "GStreamer has told something");
    assert!(log.contains("***"), "and would have told the password");
    let basic = gst::glib::base64_encode(b"adam:correct-horse");
    for secret in ["correct-horse", "correct%2Dhorse", "hush-hush", &basic] {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} is in: {line:?}");
    }
}
