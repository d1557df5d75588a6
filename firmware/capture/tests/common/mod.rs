//! What the tests share: a clock, the descriptions, clips made on the spot.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod elements;
pub mod network_camera;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use capture::{Camera, CameraConfig, Pipelines, RtspConfig, Source};
use gstreamer as gst;
use gstreamer::prelude::*;
use scene::ports::{Clock, FrameSource, SourceState};
use scene::{Frame, Moment, Mono};

pub struct Steady(Instant);

impl Clock for Steady {
    fn now(&self) -> Moment {
        let nanos = u64::try_from(self.0.elapsed().as_nanos()).unwrap();
        // Not from zero, so that a frame from before the start has a time too.
        let mono = Mono::from_nanos(nanos) + Duration::from_secs(100);
        Moment {
            mono,
            wall: Some("2026-01-02T03:04:05Z".parse().unwrap()),
        }
    }
}

pub fn clock() -> Arc<Steady> {
    Arc::new(Steady(Instant::now()))
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines")
}

pub fn pipelines() -> Pipelines {
    Pipelines::load(folder()).unwrap()
}

/// A copy of the descriptions with `file` changed by `change`.
pub fn altered(file: &str, change: impl Fn(&str) -> String) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    let path = dir.path().join(file);
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let new = change(&old);
    assert_ne!(old, new, "the change must change something");
    std::fs::write(&path, new).unwrap();
    (dir, path)
}

/// A camera on `source` with any free port, quick to retry.
pub fn config(source: Source) -> CameraConfig {
    let mut config = CameraConfig::new(source);
    config.rtsp = Some(RtspConfig {
        address: "127.0.0.1:0".parse().unwrap(),
    });
    config.retry_first = Duration::from_millis(200);
    config.rate = 0.0;
    config
}

pub fn start(config: &CameraConfig) -> Camera {
    Camera::start(&pipelines(), config, clock()).unwrap()
}

/// Runs a GStreamer pipeline to its end.
pub fn run_to_end(launch: &str) {
    capture::init().unwrap();
    let pipeline = gst::parse::launch(launch).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let types = [gst::MessageType::Eos, gst::MessageType::Error];
    let limit = gst::ClockTime::from_seconds(60);
    let message = pipeline.bus().unwrap().timed_pop_filtered(limit, &types);
    pipeline.set_state(gst::State::Null).unwrap();
    let message = message.expect("a message within a minute");
    assert!(
        matches!(message.view(), gst::MessageView::Eos(_)),
        "{message:?}"
    );
}

/// A clip of `frames` pictures, `fps` a second, made by GStreamer itself.
pub fn make_clip(path: &Path, frames: u32, fps: u32, width: u32, height: u32) {
    let mux = match path.extension().unwrap().to_str().unwrap() {
        "mp4" => "mp4mux",
        "mkv" => "matroskamux",
        "ts" => "mpegtsmux",
        "h264" => "identity silent=true",
        other => panic!("no muxer for {other}"),
    };
    let format = match mux {
        "mp4mux" | "matroskamux" | "mpegtsmux" => "",
        _ => "stream-format=byte-stream,",
    };
    run_to_end(&format!(
        "videotestsrc num-buffers={frames} pattern=ball \
         ! video/x-raw,format=I420,width={width},height={height},framerate={fps}/1 \
         ! x264enc tune=zerolatency key-int-max={fps} ! h264parse \
         ! video/x-h264,{format}alignment=au ! {mux} ! filesink location=\"{}\"",
        path.display()
    ));
}

/// Takes `count` frames, each within ten seconds.
pub fn take(source: &mut impl FrameSource, count: usize) -> Vec<Frame> {
    let limit = Duration::from_secs(10);
    (0..count)
        .map(|n| {
            let frame = source.next(limit);
            frame.unwrap_or_else(|| panic!("frame {n} of {count}: {:?}", source.state()))
        })
        .collect()
}

/// Waits until `holds` does, `limit` at most.
pub fn eventually(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !holds() {
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn wait_live(camera: &Camera) {
    eventually("live", Duration::from_secs(15), || {
        camera.state() == SourceState::Live
    });
}

/// The sentence of a source that is being retried, as soon as there is one
/// that tells more than that it is starting.
pub fn failure(camera: &Camera) -> String {
    let mut sentence = String::new();
    eventually("a failure", Duration::from_secs(15), || {
        match camera.state() {
            SourceState::Retrying { why, .. } if !why.ends_with("is starting") => {
                sentence = why;
                true
            }
            _ => false,
        }
    });
    sentence
}

/// An RTSP client that counts the access units it gets.
pub struct Client {
    pipeline: gst::Pipeline,
    sink: gstreamer_app::AppSink,
}

impl Client {
    pub fn connect(url: &str) -> Self {
        capture::init().unwrap();
        let launch = format!(
            "rtspsrc location={url} protocols=tcp latency=0 ! rtph264depay ! h264parse \
             ! video/x-h264,stream-format=byte-stream,alignment=au \
             ! appsink name=sink sync=false max-buffers=500"
        );
        let pipeline = gst::parse::launch(&launch).unwrap();
        let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
        let sink = pipeline.by_name("sink").unwrap();
        let sink = sink.downcast::<gstreamer_app::AppSink>().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        Self { pipeline, sink }
    }

    /// The next picture.
    pub fn picture(&self, limit: Duration) -> Option<gst::Sample> {
        self.sink
            .try_pull_sample(gst::ClockTime::try_from(limit).unwrap())
    }

    /// `count` pictures, each within ten seconds.
    pub fn pictures(&self, count: usize) -> Vec<gst::Sample> {
        (0..count)
            .map(|n| {
                let sample = self.picture(Duration::from_secs(10));
                sample.unwrap_or_else(|| {
                    let error = [gst::MessageType::Error];
                    let bus = self.pipeline.bus().unwrap();
                    panic!("picture {n} of {count}: {:?}", bus.pop_filtered(&error))
                })
            })
            .collect()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// When they are to be shown. The first one may come before the client knows
/// the time line.
pub fn times(pictures: &[gst::Sample]) -> Vec<gst::ClockTime> {
    let all: Vec<_> = pictures.iter().map(|p| p.buffer().unwrap().pts()).collect();
    assert!(all[1..].iter().all(Option::is_some), "{all:?}");
    all.into_iter().flatten().collect()
}
