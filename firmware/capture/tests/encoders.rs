//! Encoders that are there and do not work: the next one takes their place, and
//! the picture is looked at whatever happens.

mod common;

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use capture::{Camera, CameraConfig, Encode, Pipelines, Source};
use common::*;
use scene::ports::{FrameSource, SourceState};

/// What everybody in this process logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        log
    })
}

fn logged(words: &str) -> bool {
    let bytes = log().0.lock().unwrap();
    String::from_utf8_lossy(&bytes).contains(words)
}

/// Descriptions with more encoders: each name and launch line.
fn with_encoders(more: &[(&str, &str)]) -> (tempfile::TempDir, Pipelines) {
    elements::register();
    log();
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    for (name, launch) in more {
        let text = format!("about = \"A.\"\nlaunch = \"\"\"{launch}\"\"\"\n");
        let file = Path::new(dir.path()).join(format!("encoder-{name}.toml"));
        std::fs::write(file, text).unwrap();
    }
    let pipelines = Pipelines::load(dir.path()).unwrap();
    (dir, pipelines)
}

fn camera(pipelines: &Pipelines, encoders: &[&str]) -> (CameraConfig, Camera) {
    let mut config = config(Source::test(320, 240, 15));
    config.encoders = encoders.iter().map(|name| name.to_string()).collect();
    let camera = Camera::start(pipelines, &config, clock()).unwrap();
    (config, camera)
}

/// x264enc as a part of a stand-in that then breaks in some way.
fn breaking(how: &str) -> String {
    format!(
        "videoconvert ! video/x-raw,format=I420 ! x264enc tune=zerolatency speed-preset=ultrafast \
         key-int-max=15 ! breaks {how}"
    )
}

#[test]
fn one_that_does_not_open_gives_way_at_once() {
    for (name, how) in [("unopened", "how=open"), ("unsaid", "how=silent")] {
        let (_dir, pipelines) = with_encoders(&[(name, &breaking(how))]);
        let (_, mut camera) = camera(&pipelines, &[name, "x264"]);
        let frames = take(&mut camera, 3);
        assert_eq!(frames[0].width, 320);
        assert_eq!(camera.encoder().as_deref(), Some("x264"));
        assert!(logged(&format!(
            "the encoder {name} failed; x264 takes its place"
        )));
        let client = Client::connect(&camera.rtsp_url().unwrap());
        client.pictures(5);
        assert_eq!(camera.stats().restarts, 1);
    }
    assert!(logged("Could not open device '/dev/video11'"));
    assert!(logged("does not start"));
}

#[test]
fn one_that_breaks_while_somebody_watches_gives_way_to_the_next() {
    let (_dir, pipelines) = with_encoders(&[("crashing", &breaking("how=crash after=20"))]);
    let (_, mut camera) = camera(&pipelines, &["crashing", "openh264"]);
    assert_eq!(camera.encoder().as_deref(), Some("crashing"));
    take(&mut camera, 2);
    assert_eq!(camera.stats().restarts, 0, "nobody watches, nothing breaks");
    let client = Client::connect(&camera.rtsp_url().unwrap());
    // The same client, over the change.
    let times = times(&client.pictures(60));
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    assert_eq!(camera.encoder().as_deref(), Some("openh264"));
    assert!(logged(
        "the encoder crashing failed; openh264 takes its place"
    ));
    assert!(logged("The firmware crashed"));
    assert_eq!(camera.stats().restarts, 1);
    take(&mut camera, 2);
    assert_eq!(camera.state(), SourceState::Live);
}

#[test]
fn one_that_makes_nothing_of_what_it_takes_gives_way() {
    let (_dir, pipelines) = with_encoders(&[("stuck", &breaking("how=hang after=3"))]);
    let mut config = config(Source::test(320, 240, 30));
    config.encoders = vec!["stuck".into(), "x264".into()];
    config.watchdog = Duration::from_secs(2);
    let mut camera = Camera::start(&pipelines, &config, clock()).unwrap();
    let client = Client::connect(&camera.rtsp_url().unwrap());
    client.pictures(30);
    assert_eq!(camera.encoder().as_deref(), Some("x264"));
    assert!(logged("makes nothing of them"));
    take(&mut camera, 2);
}

#[test]
fn one_that_is_too_small_for_the_picture_gives_way() {
    let small = "videoconvert ! video/x-raw,format=I420,width=[16,176],height=[16,144] \
                 ! x264enc tune=zerolatency";
    let (_dir, pipelines) = with_encoders(&[("small", small)]);
    // Known before it starts.
    let (_, known) = camera(&pipelines, &["small", "x264"]);
    assert_eq!(known.encoder().as_deref(), Some("x264"));
    drop(known);
    // Known when the first picture comes.
    let dir = tempfile::tempdir().unwrap();
    let clip = dir.path().join("clip.mp4");
    make_clip(&clip, 20, 10, 320, 240);
    let mut config = config(Source::file(&clip).unwrap());
    config.encoders = vec!["small".into(), "x264".into()];
    let mut camera = Camera::start(&pipelines, &config, clock()).unwrap();
    assert_eq!(camera.encoder().as_deref(), Some("small"));
    let client = Client::connect(&camera.rtsp_url().unwrap());
    client.pictures(5);
    assert_eq!(camera.encoder().as_deref(), Some("x264"));
    take(&mut camera, 2);
}

#[test]
fn without_any_the_picture_is_looked_at_and_nothing_loops() {
    let one = breaking("how=open");
    let (_dir, pipelines) = with_encoders(&[("first", &one), ("second", &one)]);
    let (_, mut camera) = camera(&pipelines, &["first", "second"]);
    let frames = take(&mut camera, 20);
    assert!(frames.is_sorted_by(|a, b| a.captured.mono < b.captured.mono));
    assert_eq!(camera.encoder(), None);
    assert_eq!(camera.stats().restarts, 2);
    assert_eq!(camera.state(), SourceState::Live);
    assert!(logged("the encoder first failed; second takes its place"));
    assert!(logged("the encoder second failed and there is no other"));
    // A client waits in vain and harms nobody.
    let client = Client::connect(&camera.rtsp_url().unwrap());
    assert!(client.picture(Duration::from_secs(2)).is_none());
    take(&mut camera, 5);
    assert_eq!(camera.stats().restarts, 2);
    assert_eq!(camera.stats().encoded, 0);
}

#[test]
fn without_any_a_clip_still_ends() {
    let (_dir, pipelines) = with_encoders(&[("broken", &breaking("how=open"))]);
    let dir = tempfile::tempdir().unwrap();
    let clip = dir.path().join("clip.mp4");
    make_clip(&clip, 10, 10, 320, 240);
    let mut source = Source::file(&clip).unwrap();
    source.repeat = false;
    let mut config = config(source);
    config.encoders = vec!["broken".into()];
    let mut camera = Camera::start(&pipelines, &config, clock()).unwrap();
    eventually("the end", Duration::from_secs(20), || {
        camera.next(Duration::from_millis(200)).is_none() && camera.state() == SourceState::Ended
    });
    assert_eq!(camera.encoder(), None);
}

#[test]
fn one_that_worked_for_long_is_tried_again() {
    // A crash every 300 pictures, at 120 a second.
    let (_dir, pipelines) = with_encoders(&[("moody", &breaking("how=crash after=300"))]);
    let mut config = config(Source::test(64, 64, 120));
    config.encoders = vec!["moody".into(), "x264".into()];
    config.encode = Encode::Always;
    let camera = Camera::start(&pipelines, &config, clock()).unwrap();
    // Three times forgiven.
    eventually("the next one", Duration::from_secs(90), || {
        camera.stats().restarts == 4
    });
    assert_eq!(camera.encoder().as_deref(), Some("x264"));
    assert!(logged("the encoder moody failed; it is tried again"));
}
