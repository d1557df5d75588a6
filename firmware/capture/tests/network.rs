//! Network cameras that refuse, fall silent, vanish and come back changed.
//!
//! Every wait is for a condition and has a minute: a loaded machine is slow, not wrong.

mod common;

use std::net::TcpListener;
use std::time::Duration;

use capture::{Camera, CameraConfig, Source};
use common::network_camera::{Codec, NetworkCamera, Setup, free_port};
use common::{clock, config, eventually, start};
use scene::Frame;
use scene::ports::{FrameSource, SourceState};

const LIMIT: Duration = Duration::from_secs(60);

fn remote(url: &str) -> CameraConfig {
    let mut config = config(Source::rtsp(url).unwrap());
    config.rtsp = None;
    config.retry_most = Duration::from_millis(500);
    config
}

/// The next frames, each within the limit.
fn frames(camera: &mut Camera, count: usize) -> Vec<Frame> {
    (0..count)
        .map(|n| {
            let frame = camera.next(LIMIT);
            frame.unwrap_or_else(|| panic!("frame {n} of {count}: {:?}", camera.state()))
        })
        .collect()
}

/// Waits until a frame of this size comes; gives all frames up to it.
fn until_size(camera: &mut Camera, size: (u32, u32)) -> Vec<Frame> {
    let mut all = vec![];
    eventually("a frame of the new size", LIMIT, || {
        all.extend(camera.next(Duration::from_millis(500)));
        all.last().is_some_and(|f| (f.width, f.height) == size)
    });
    all
}

/// Waits until the state's sentence has one of `words` in it.
fn told(camera: &Camera, words: &[&str]) -> String {
    let mut last = String::new();
    eventually(&format!("one of {words:?}"), LIMIT, || {
        if let SourceState::Retrying { why, .. } = camera.state() {
            if why != last {
                println!("{why}");
            }
            last = why;
        }
        words.iter().any(|word| last.contains(word))
    });
    last
}

#[track_caller]
fn rising(frames: &[Frame]) {
    let times: Vec<_> = frames.iter().map(|f| (f.seq, f.captured.mono)).collect();
    assert!(
        times.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1),
        "{times:?}"
    );
}

#[test]
fn a_camera_that_is_cut_and_comes_back_with_another_size_and_codec() {
    let port = free_port();
    let setup = Setup {
        login: Some(("adam", "correct-horse")),
        ..Setup::default()
    };
    let server = NetworkCamera::start(port, &setup);
    let url = server.url();
    let with_login = url.replace("://", "://adam:correct-horse@");
    let mut camera = start(&remote(&with_login));
    let mut all = frames(&mut camera, 5);
    assert_eq!((all[0].width, all[0].height), (320, 240));
    assert_eq!(camera.state(), SourceState::Live);

    drop(server);
    let why = told(&camera, &["refused"]);
    assert!(why.contains(&format!("the camera {url}: ")), "{why}");
    assert!(camera.next(Duration::from_millis(20)).is_none());

    let setup = Setup {
        size: (352, 288),
        codec: Codec::H265,
        ..setup
    };
    let server = NetworkCamera::start(port, &setup);
    all.extend(until_size(&mut camera, (352, 288)));
    all.extend(frames(&mut camera, 3));
    assert_eq!(camera.state(), SourceState::Live);
    rising(&all);
    assert!(camera.stats().restarts >= 1);

    // Somebody changes the password on the camera.
    drop(server);
    let setup = Setup {
        login: Some(("adam", "battery-staple")),
        ..setup
    };
    let _server = NetworkCamera::start(port, &setup);
    let why = told(&camera, &["401"]);
    assert!(
        why.contains("refuses the user name or the password"),
        "{why}"
    );
    assert!(why.contains("password_file") && why.contains(&url), "{why}");
    for secret in ["correct-horse", "battery-staple", "adam"] {
        assert!(!why.contains(secret), "{why}");
    }
}

#[test]
fn a_password_that_is_needed_and_not_given_is_asked_for() {
    let setup = Setup {
        login: Some(("adam", "correct-horse")),
        ..Setup::default()
    };
    let server = NetworkCamera::start(free_port(), &setup);
    let camera = start(&remote(&server.url()));
    let why = told(&camera, &["401"]);
    assert!(why.contains("set username and password_file"), "{why}");
    drop(camera);
    let mut config = remote(&server.url());
    config.source = config.source.login("adam", "correct-horse");
    frames(&mut start(&config), 2);
}

#[test]
fn a_wrong_path_and_a_dead_port_are_told() {
    let server = NetworkCamera::start(free_port(), &Setup::default());
    let camera = start(&remote(&server.url().replace("/live", "/dead")));
    let why = told(&camera, &["404"]);
    assert!(why.contains("check the path in url"), "{why}");
    drop(server);
    told(&camera, &["refused"]);
    eventually("tried again", LIMIT, || camera.stats().restarts >= 3);
}

#[test]
fn a_host_that_does_not_answer_is_given_up_and_tried_again() {
    // Takes connections and never says a word.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("rtsp://{}/live", mute.local_addr().unwrap());
    let camera = start(&remote(&url));
    told(&camera, &["answer", "imeout", "timed out", "no picture"]);
    eventually("tried again", LIMIT, || camera.stats().restarts >= 2);
}

#[test]
fn a_stream_that_falls_silent_is_begun_again() {
    let server = NetworkCamera::start(free_port(), &Setup::default());
    let mut config = remote(&server.url());
    config.watchdog = Duration::from_secs(3);
    let mut camera = start(&config);
    let mut all = frames(&mut camera, 3);
    server.set_silent(true);
    told(&camera, &["no picture has come for 3 s"]);
    server.set_silent(false);
    // Frames may come that were under way before the silence.
    eventually("live again", LIMIT, || {
        all.extend(camera.next(Duration::from_millis(500)));
        camera.stats().restarts >= 1 && camera.state() == SourceState::Live
    });
    all.extend(frames(&mut camera, 3));
    rising(&all);
}

#[test]
fn a_stream_that_ends_is_begun_again() {
    let setup = Setup {
        pictures: Some(45),
        ..Setup::default()
    };
    let server = NetworkCamera::start(free_port(), &setup);
    let mut camera = start(&remote(&server.url()));
    let mut all = frames(&mut camera, 2);
    told(&camera, &["ended the stream"]);
    all.extend(frames(&mut camera, 2));
    rising(&all);
}

#[test]
fn a_camera_that_is_cut_again_and_again_is_tried_soon_each_time() {
    let (port, setup) = (free_port(), Setup::default());
    let mut server = NetworkCamera::start(port, &setup);
    let mut config = remote(&server.url());
    // Doubled at every cut, the waits would soon be as long as this.
    config.retry_most = Duration::from_secs(3600);
    let mut camera = start(&config);
    let mut all = frames(&mut camera, 1);
    for _ in 0..7 {
        drop(server);
        // Away for two tries at least, and the first wait is a short one.
        let mut waits = vec![];
        eventually("tried twice without it", LIMIT, || {
            if let SourceState::Retrying { retry_in, .. } = camera.state()
                && waits.last() != Some(&retry_in)
            {
                waits.push(retry_in);
            }
            waits.len() >= 2
        });
        // Four first waits less what it lived, or one and a quarter.
        assert!(waits[0] <= config.retry_first * 4, "{waits:?}");
        server = NetworkCamera::start(port, &setup);
        all.extend(frames(&mut camera, 1));
    }
    rising(&all);
    drop(server);
}

#[test]
fn the_size_may_change_in_the_running_stream() {
    let server = NetworkCamera::start(free_port(), &Setup::default());
    let mut camera = start(&remote(&server.url()));
    let mut all = frames(&mut camera, 3);
    server.resize((640, 360));
    all.extend(until_size(&mut camera, (640, 360)));
    server.resize((176, 144));
    all.extend(until_size(&mut camera, (176, 144)));
    rising(&all);
    assert_eq!(camera.stats().restarts, 0);
}

#[test]
fn sound_is_not_asked_for() {
    let setup = Setup {
        sound: true,
        ..Setup::default()
    };
    let server = NetworkCamera::start(free_port(), &setup);
    let mut camera = start(&remote(&server.url()));
    rising(&frames(&mut camera, 10));
    assert_eq!(camera.stats().restarts, 0);
    assert_eq!(server.streams_set_up(), 1, "of two that it has");
}

#[test]
fn pictures_come_over_udp_too() {
    let server = NetworkCamera::start(free_port(), &Setup::default());
    let mut config = remote(&server.url());
    config.source = config
        .source
        .with("transport", "udp")
        .with("latency_ms", 100u32);
    let mut camera = start(&config);
    let mut all = frames(&mut camera, 5);
    let port = server.url();
    let port = port.trim_end_matches("/live").rsplit(':').next().unwrap();
    let port = port.parse().unwrap();
    drop(server);
    told(&camera, &["the camera"]);
    let _server = NetworkCamera::start(port, &Setup::default());
    all.extend(frames(&mut camera, 5));
    rising(&all);
}

#[test]
fn a_camera_is_served_on_while_it_changes() {
    let port = free_port();
    let server = NetworkCamera::start(port, &Setup::default());
    let mut config = remote(&server.url());
    config.rtsp = common::config(Source::test(320, 240, 15)).rtsp;
    let mut camera = Camera::start(&common::pipelines(), &config, clock()).unwrap();
    frames(&mut camera, 2);
    let client = common::Client::connect(&camera.rtsp_url().unwrap());
    assert!(client.picture(LIMIT).is_some());
    drop(server);
    told(&camera, &["refused"]);
    let setup = Setup {
        size: (640, 360),
        ..Setup::default()
    };
    let _server = NetworkCamera::start(port, &setup);
    eventually("the new size for the client", LIMIT, || {
        let sample = client.picture(LIMIT).expect("a picture");
        let caps = sample.caps().unwrap().structure(0).unwrap();
        caps.get::<i32>("width").unwrap() == 640
    });
}
