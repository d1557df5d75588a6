//! A running camera: frames, RTSP, and that neither waits for the other.

mod common;

use std::time::{Duration, Instant};

use capture::{Encode, Source};
use common::*;
use gstreamer as gst;
use scene::ports::{FrameSource, SourceState};

#[test]
fn frames_flow_with_rising_numbers_and_times() {
    let mut camera = start(&config(Source::test(1920, 1080, 15)));
    let frames = take(&mut camera, 8);
    assert_eq!(camera.state(), SourceState::Live);
    for frame in &frames {
        assert_eq!((frame.width, frame.height), (960, 540));
        assert_eq!(frame.row(539).len(), 960 * 3);
        // Colour bars: the top left is white or grey, the blue bar is right.
        let row = frame.row(10);
        assert!(row[..3].iter().all(|c| *c > 150), "{:?}", &row[..3]);
        let last = &row[955 * 3..955 * 3 + 3];
        assert!(last[2] > 150 && last[0] < 60 && last[1] < 60, "{last:?}");
    }
    assert!(frames.is_sorted_by(|a, b| a.seq < b.seq), "{frames:?}");
    assert!(
        frames.is_sorted_by(|a, b| a.captured.mono < b.captured.mono),
        "{frames:?}"
    );
    assert!(frames.iter().all(|f| f.captured.wall.is_some()));
}

#[test]
fn a_frame_is_newer_than_the_wish_for_it() {
    let clock = clock();
    let config = config(Source::test(320, 240, 15));
    let mut camera = capture::Camera::start(&pipelines(), &config, clock.clone()).unwrap();
    take(&mut camera, 1);
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(150));
        let asked = scene::ports::Clock::now(clock.as_ref()).mono;
        let frame = take(&mut camera, 1).remove(0);
        let got = scene::ports::Clock::now(clock.as_ref()).mono;
        // A frame's time is that of its exposure, which began up to one
        // interval (67 ms) before it came.
        assert!(frame.captured.mono + Duration::from_millis(80) > asked);
        assert!(frame.captured.mono <= got);
        assert!(got.since(frame.captured.mono) < Duration::from_millis(500));
    }
}

#[test]
fn the_rate_is_a_limit_and_can_be_changed() {
    let mut config = config(Source::test(320, 240, 30));
    config.rate = 5.0;
    let mut camera = start(&config);
    let gap = |frames: &[scene::Frame]| {
        let (first, last) = (&frames[0], &frames[frames.len() - 1]);
        let time = last.captured.mono.since(first.captured.mono).as_secs_f64();
        time / (frames.len() - 1) as f64
    };
    take(&mut camera, 1);
    let slow = gap(&take(&mut camera, 6));
    assert!((0.15..0.3).contains(&slow), "{slow} s from frame to frame");
    camera.control().set_rate(15.0);
    take(&mut camera, 1);
    let fast = gap(&take(&mut camera, 16));
    assert!(
        fast < 0.6 * slow,
        "{fast} s from frame to frame after {slow} s"
    );
}

#[test]
fn a_client_gets_h264_and_the_encoder_rests_when_it_is_gone() {
    let mut config = config(Source::test(640, 360, 15));
    config.encode = Encode::OnDemand;
    let camera = start(&config);
    wait_live(&camera);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(camera.stats().encoded, 0, "nobody watches yet");

    let client = Client::connect(&camera.rtsp_url().unwrap());
    let pictures = client.pictures(20);
    let caps = pictures[0].caps().unwrap().structure(0).unwrap();
    assert_eq!(caps.name(), "video/x-h264");
    assert_eq!(caps.get::<i32>("width").unwrap(), 640);
    let first = pictures[0].buffer().unwrap();
    assert!(
        !first.flags().contains(gst::BufferFlags::DELTA_UNIT),
        "begins with a key frame"
    );
    let times = times(&pictures);
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    let per_picture = (times[18] - times[3]).mseconds() as f64 / 15.0;
    assert!(
        (55.0..80.0).contains(&per_picture),
        "{per_picture} ms a picture at 15 a second"
    );

    drop(client);
    let mut last = camera.stats().encoded;
    let mut since = Instant::now();
    eventually("the encoder rests", Duration::from_secs(20), || {
        let now = camera.stats().encoded;
        if now != last {
            (last, since) = (now, Instant::now());
        }
        since.elapsed() > Duration::from_secs(1)
    });
    // And it wakes up again.
    let client = Client::connect(&camera.rtsp_url().unwrap());
    let again = client.pictures(3);
    assert!(
        !again[0]
            .buffer()
            .unwrap()
            .flags()
            .contains(gst::BufferFlags::DELTA_UNIT)
    );
}

#[test]
fn several_clients_share_one_encoding() {
    let camera = start(&config(Source::test(320, 240, 15)));
    let url = camera.rtsp_url().unwrap();
    let clients: Vec<_> = (0..3).map(|_| Client::connect(&url)).collect();
    for client in &clients {
        client.pictures(10);
    }
    let before = camera.stats();
    for client in &clients {
        client.pictures(15);
    }
    let after = camera.stats();
    let captured = after.captured - before.captured;
    let encoded = after.encoded - before.encoded;
    assert!(
        encoded > 0 && encoded <= captured + 4,
        "{encoded} encoded of {captured} captured"
    );
}

#[test]
fn inference_that_hangs_never_holds_up_video() {
    let mut config = config(Source::test(640, 360, 15));
    config.encode = Encode::Always;
    let mut camera = start(&config);
    let client = Client::connect(&camera.rtsp_url().unwrap());
    client.pictures(3);
    // Inference took one frame and never comes back; it even keeps the frame.
    let kept = take(&mut camera, 1);
    let (before, begun) = (camera.stats(), Instant::now());
    client.pictures(45);
    let seconds = begun.elapsed().as_secs_f64();
    let after = camera.stats();
    assert!(seconds < 6.0, "45 pictures at 15 a second took {seconds} s");
    let captured = after.captured - before.captured;
    let encoded = after.encoded - before.encoded;
    assert!(
        encoded + 4 >= captured,
        "{encoded} encoded of {captured} captured"
    );
    let dropped = after.dropped - before.dropped;
    assert!(
        dropped + 4 >= captured,
        "{dropped} counted as dropped of {captured}"
    );
    // When it comes back it gets a new frame, and the gap in numbers is the count.
    let next = take(&mut camera, 1);
    let gap = next[0].seq - kept[0].seq - 1;
    assert_eq!(
        gap,
        camera.dropped() - before.dropped,
        "numbers skipped, frames counted"
    );
    let late = next[0]
        .captured
        .mono
        .since(kept[0].captured.mono)
        .as_secs_f64();
    assert!(
        late > 0.9 * seconds,
        "a frame of {late} s after the first, asked for {seconds} s after"
    );
}

#[test]
fn a_consumer_that_polls_gets_frames_too() {
    let mut camera = start(&config(Source::test(320, 240, 15)));
    let mut got = 0;
    eventually("five frames", Duration::from_secs(15), || {
        got += usize::from(camera.next(Duration::ZERO).is_some());
        got == 5
    });
}

#[test]
fn stopping_is_quick_and_final() {
    let mut camera = start(&config(Source::test(320, 240, 15)));
    let client = Client::connect(&camera.rtsp_url().unwrap());
    client.pictures(2);
    let url = camera.rtsp_url().unwrap();
    let begun = Instant::now();
    camera.stop();
    camera.stop();
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert!(camera.next(Duration::from_secs(5)).is_none());
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "an ended source keeps nobody waiting"
    );
    let port = url
        .rsplit(':')
        .next()
        .unwrap()
        .trim_end_matches("/main")
        .to_owned();
    let address = format!("127.0.0.1:{port}");
    eventually("the port is free", Duration::from_secs(5), || {
        std::net::TcpListener::bind(&address).is_ok()
    });
}

#[test]
fn a_port_that_is_taken_is_an_error_that_says_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config(Source::test(320, 240, 15));
    config.rtsp.as_mut().unwrap().address = taken.local_addr().unwrap();
    let error = capture::Camera::start(&pipelines(), &config, clock())
        .err()
        .unwrap();
    let error = error.to_string();
    let port = taken.local_addr().unwrap().port().to_string();
    assert!(
        error.contains(&port) && error.contains("another port"),
        "{error}"
    );
}
