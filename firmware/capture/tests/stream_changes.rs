//! Pictures that change their size, format or shape while they run, and times
//! that go on whatever the source's clock does.

mod common;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use capture::{Camera, Pipelines, Source};
use common::network_camera::{NetworkCamera, Setup, free_port};
use common::*;
use gstreamer as gst;
use gstreamer::prelude::*;
use scene::ports::{Clock, FrameSource, SourceState};

/// `source-test.toml` with another launch line.
fn source(launch: &str) -> (tempfile::TempDir, Pipelines) {
    elements::register();
    let (dir, path) = altered("source-test.toml", |text| format!("{text}\n"));
    let text = format!(
        "about = \"A.\"\nsubject = \"the test picture\"\nlaunch = \"\"\"\n{launch}\n\"\"\"\n"
    );
    std::fs::write(path, text).unwrap();
    let pipelines = Pipelines::load(dir.path()).unwrap();
    (dir, pipelines)
}

/// Collects what an RTSP client gets, until it has seen pictures of so many sizes.
fn sizes(client: &Client, wanted: usize) -> (Vec<(i32, i32)>, Vec<gst::ClockTime>) {
    let (mut sizes, mut times) = (vec![], vec![]);
    let end = Instant::now() + Duration::from_secs(40);
    while BTreeSet::from_iter(&sizes).len() < wanted {
        assert!(Instant::now() < end, "only {sizes:?}");
        let Some(picture) = client.picture(Duration::from_secs(10)) else {
            panic!("no more pictures after {sizes:?}");
        };
        let caps = picture.caps().unwrap().structure(0).unwrap();
        let size = (caps.get("width").unwrap(), caps.get("height").unwrap());
        if sizes.last() != Some(&size) {
            sizes.push(size);
        }
        times.extend(picture.buffer().unwrap().pts());
    }
    (sizes, times)
}

/// RTP's own times of `count` pictures that a client gets, seconds: what the
/// server says, without what a client's jitter buffer makes of it.
fn rtp_times(url: &str, count: usize) -> Vec<f64> {
    let launch = format!(
        "rtspsrc location={url} protocols=tcp latency=0 ! appsink name=sink sync=false max-buffers=2000"
    );
    let pipeline = gst::parse::launch(&launch).unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("sink").unwrap();
    let sink = sink.downcast::<gstreamer_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut times: Vec<f64> = vec![];
    let mut last: Option<u32> = None;
    while times.len() < count {
        let packet = sink.try_pull_sample(gst::ClockTime::from_seconds(20));
        let packet = packet.unwrap_or_else(|| panic!("no more after {times:?}"));
        let packet = packet.buffer().unwrap().map_readable().unwrap();
        // RFC 3550, section 5.1; a picture is many packets of one time.
        let time = u32::from_be_bytes(packet[4..8].try_into().unwrap());
        let step = last.map_or(0, |last| time.wrapping_sub(last) as i32);
        if last.is_none() || step != 0 {
            times.push(times.last().unwrap_or(&0.0) + f64::from(step) / 90_000.0);
        }
        last = Some(time);
    }
    pipeline.set_state(gst::State::Null).unwrap();
    // No leap either: a client would wait, or drop what it holds.
    let steps = times.windows(2).map(|pair| pair[1] - pair[0]);
    let longest = steps.fold(0.0, f64::max);
    assert!(longest < 2.0, "a leap of {longest} s");
    times
}

#[track_caller]
fn rising<T: PartialOrd + std::fmt::Debug>(times: &[T]) {
    let back = times.windows(2).find(|pair| pair[0] >= pair[1]);
    assert!(back.is_none(), "{back:?} among {}", times.len());
}

#[track_caller]
fn frames_rise(frames: &[scene::Frame]) {
    let times: Vec<_> = frames.iter().map(|f| f.captured.mono).collect();
    rising(&times);
    let numbers: Vec<_> = frames.iter().map(|f| f.seq).collect();
    rising(&numbers);
}

#[test]
fn size_format_and_shape_may_change_in_the_running_stream() {
    let part = |caps: &str| {
        format!("videotestsrc num-buffers=45 ! video/x-raw,framerate=15/1,{caps} ! parts.\n")
    };
    let parts = [
        "format=I420,width=1280,height=720",
        "format=NV12,width=640,height=360",
        "format=YUY2,width=640,height=480",
        // PAL: 4:3 of pixels that are wider than high.
        "format=I420,width=720,height=576,pixel-aspect-ratio=16/15",
        "format=RGB,width=360,height=640",
    ];
    let parts: String = parts.map(part).concat();
    let (_dir, pipelines) = source(&format!("concat name=parts\n{parts}parts. ! clocksync"));
    let mut config = config(Source::named("test"));
    config.source.repeat = false;
    let mut camera = Camera::start(&pipelines, &config, clock()).unwrap();
    let client = Client::connect(&camera.rtsp_url().unwrap());
    let watcher = std::thread::spawn(move || sizes(&client, 5));
    let mut frames = vec![];
    while camera.state() != SourceState::Ended {
        frames.extend(camera.next(Duration::from_millis(500)));
    }
    frames_rise(&frames);
    let mut seen: Vec<(u32, u32)> = frames.iter().map(|f| (f.width, f.height)).collect();
    seen.dedup();
    assert_eq!(
        seen,
        [(960, 540), (640, 360), (640, 480), (720, 540), (360, 640)],
        "each with square pixels and its own shape"
    );
    // The picture itself is whole: colour bars, white left and blue right.
    for frame in frames.iter().step_by(7) {
        let row = frame.row(4);
        let last = &row[row.len() - 15..row.len() - 12];
        assert!(
            row[..3].iter().all(|c| *c > 150),
            "{frame:?} {:?}",
            &row[..3]
        );
        assert!(
            last[2] > 120 && last[0] < 90 && last[1] < 90,
            "{frame:?} {last:?}"
        );
    }
    assert_eq!(camera.stats().restarts, 0);
    let (sizes, times) = watcher.join().unwrap();
    assert_eq!(
        sizes,
        [(1280, 720), (640, 360), (640, 480), (720, 576), (360, 640)],
        "for the same client"
    );
    rising(&times);
}

#[test]
fn a_clip_may_change_its_size_on_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let clip = dir.path().join("clip.h264");
    let mut whole = vec![];
    for (n, (width, height)) in [(320, 180), (160, 120)].into_iter().enumerate() {
        let part = dir.path().join(format!("part-{n}.h264"));
        make_clip(&part, 25, 10, width, height);
        whole.extend(std::fs::read(part).unwrap());
    }
    std::fs::write(&clip, whole).unwrap();
    let mut camera = start(&config(Source::file(&clip).unwrap()));
    let client = Client::connect(&camera.rtsp_url().unwrap());
    let watcher = std::thread::spawn(move || sizes(&client, 2));
    let frames = take(&mut camera, 60);
    frames_rise(&frames);
    let seen: BTreeSet<_> = frames.iter().map(|f| (f.width, f.height)).collect();
    assert_eq!(seen, BTreeSet::from([(320, 180), (160, 120)]));
    let (_, times) = watcher.join().unwrap();
    rising(&times);
}

#[test]
fn times_go_on_when_the_sources_clock_is_set() {
    // Back to its start, on by an hour, back by an hour and more.
    let (_dir, pipelines) = source(
        "videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=15/1 \
         ! clockjump jumps=20:-1300/40:3600000/60:-3900",
    );
    let clock = clock();
    let config = config(Source::named("test"));
    let mut camera = Camera::start(&pipelines, &config, clock.clone()).unwrap();
    let url = camera.rtsp_url().unwrap();
    let begun = Instant::now();
    let watcher = std::thread::spawn(move || rtp_times(&url, 80));
    let mut frames = vec![];
    while begun.elapsed() < Duration::from_secs(7) {
        frames.extend(take(&mut camera, 1));
        // And they tell when it was taken, as far as that can be known.
        let age = clock.now().mono.since(frames.last().unwrap().captured.mono);
        assert!(age < Duration::from_secs(5), "{age:?} old");
    }
    frames_rise(&frames);
    assert!(frames.len() > 60, "{}", frames.len());
    let times = watcher.join().unwrap();
    rising(&times);
    let span = times[times.len() - 1] - times[0];
    assert!((4.0..8.0).contains(&span), "80 pictures span {span} s");
    assert_eq!(camera.stats().restarts, 0);
}

#[test]
fn times_go_on_when_a_network_cameras_clock_is_set() {
    let setup = Setup {
        // Set on, the simulation itself would wait until then.
        jumps: Some("30:-1500/75:-4500"),
        ..Setup::default()
    };
    let server = NetworkCamera::start(free_port(), &setup);
    let config = config(Source::rtsp(&server.url()).unwrap());
    let mut camera = Camera::start(&pipelines(), &config, clock()).unwrap();
    let url = camera.rtsp_url().unwrap();
    let watcher = std::thread::spawn(move || rtp_times(&url, 100));
    let mut frames = take(&mut camera, 1);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(10) {
        frames.extend(take(&mut camera, 1));
    }
    frames_rise(&frames);
    assert!(frames.len() > 60, "{}", frames.len());
    rising(&watcher.join().unwrap());
    assert_eq!(camera.stats().restarts, 0);
}

#[test]
fn times_go_on_when_the_source_is_begun_again() {
    let (_dir, pipelines) = source(
        "videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=15/1 \
         ! identity error-after=25",
    );
    let config = config(Source::named("test"));
    let mut camera = Camera::start(&pipelines, &config, clock()).unwrap();
    let client = Client::connect(&camera.rtsp_url().unwrap());
    let watcher = std::thread::spawn(move || times(&client.pictures(60)));
    let mut frames = vec![];
    while camera.stats().restarts < 3 || frames.len() < 50 {
        frames.extend(camera.next(Duration::from_secs(10)));
    }
    frames_rise(&frames);
    rising(&watcher.join().unwrap());
}

#[test]
fn times_go_on_over_the_loop_of_a_clip_for_everybody() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["clip.mp4", "clip.ts"] {
        let clip = dir.path().join(name);
        make_clip(&clip, 10, 10, 320, 240);
        let mut camera = start(&config(Source::file(&clip).unwrap()));
        let client = Client::connect(&camera.rtsp_url().unwrap());
        let watcher = std::thread::spawn(move || times(&client.pictures(32)));
        frames_rise(&take(&mut camera, 30));
        rising(&watcher.join().unwrap());
    }
}
