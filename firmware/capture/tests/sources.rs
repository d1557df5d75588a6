//! Sources that end, break, vanish and come back.

mod common;

use std::time::Duration;

use capture::{Camera, Source};
use common::*;
use scene::ports::{FrameSource, SourceState};

fn rising(camera: &mut Camera, clip_seconds: f64, loops: f64) {
    let mut frames = take(camera, 1);
    let first = frames[0].captured.mono;
    while frames
        .last()
        .unwrap()
        .captured
        .mono
        .since(first)
        .as_secs_f64()
        < clip_seconds * loops
    {
        frames.extend(take(camera, 1));
    }
    assert!(frames.is_sorted_by(|a, b| a.captured.mono < b.captured.mono && a.seq < b.seq));
    let gap = (frames.windows(2))
        .map(|pair| pair[1].captured.mono.since(pair[0].captured.mono))
        .max();
    println!("{} frames, largest gap {gap:?}", frames.len());
    // At full speed the clip would be through many times in that time.
    let rate = frames.len() as f64 / (clip_seconds * loops);
    assert!(
        (6.0..13.0).contains(&rate),
        "{rate} frames a second of a clip with 10"
    );
    assert_eq!(camera.state(), SourceState::Live);
}

#[test]
fn a_clip_loops_in_real_time_and_its_times_go_on() {
    for name in ["clip.mp4", "clip.mkv"] {
        let dir = tempfile::tempdir().unwrap();
        let clip = dir.path().join(name);
        make_clip(&clip, 15, 10, 320, 240);
        let mut camera = start(&config(Source::file(&clip).unwrap()));
        rising(&mut camera, 1.5, 3.3);
        assert_eq!(
            camera.stats().restarts,
            0,
            "{name} loops without a new pipeline"
        );
    }
}

#[test]
fn rtsp_goes_on_across_the_loop() {
    let dir = tempfile::tempdir().unwrap();
    let clip = dir.path().join("clip.mp4");
    make_clip(&clip, 10, 10, 320, 240);
    let camera = start(&config(Source::file(&clip).unwrap()));
    let client = Client::connect(&camera.rtsp_url().unwrap());
    let times = times(&client.pictures(35));
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    let seconds = (times[times.len() - 1] - times[0]).mseconds() as f64 / 1000.0;
    assert!(
        (2.5..4.5).contains(&seconds),
        "35 pictures at 10 a second span {seconds} s"
    );
}

#[test]
fn streams_without_an_index_go_round_too() {
    for name in ["clip.h264", "clip.ts"] {
        let dir = tempfile::tempdir().unwrap();
        let clip = dir.path().join(name);
        make_clip(&clip, 10, 10, 320, 240);
        let mut camera = start(&config(Source::file(&clip).unwrap()));
        let frames = take(&mut camera, 28);
        println!("{name}: {:?}", camera.stats());
        assert!(frames.is_sorted_by(|a, b| a.captured.mono < b.captured.mono && a.seq < b.seq));
    }
}

#[test]
fn a_clip_that_is_not_repeated_ends() {
    let dir = tempfile::tempdir().unwrap();
    let clip = dir.path().join("clip.mp4");
    make_clip(&clip, 10, 10, 320, 240);
    let mut source = Source::file(&clip).unwrap();
    source.repeat = false;
    let mut camera = start(&config(source));
    take(&mut camera, 3);
    eventually("the end", Duration::from_secs(15), || {
        camera.next(Duration::from_millis(500)).is_none() && camera.state() == SourceState::Ended
    });
}

#[test]
fn a_clip_with_sound_and_an_odd_name_plays() {
    let dir = tempfile::tempdir().unwrap();
    let clip = dir.path().join("a \\ clip ! it's odd é.mkv");
    let plain = dir.path().join("plain.mkv");
    run_to_end(&format!(
        "videotestsrc num-buffers=20 ! video/x-raw,width=322,height=182,framerate=10/1 \
         ! x264enc tune=zerolatency ! h264parse ! mux. \
         audiotestsrc num-buffers=90 ! audio/x-raw,rate=44100 ! mux. \
         matroskamux name=mux ! filesink location={}",
        plain.display()
    ));
    std::fs::rename(&plain, &clip).unwrap();
    let mut camera = start(&config(Source::file(&clip).unwrap()));
    let frames = take(&mut camera, 30);
    assert_eq!((frames[0].width, frames[0].height), (322, 182));
    // RGB rows of 322 pixels are 966 bytes; GStreamer pads them to 968.
    assert_eq!(frames[0].stride(), 968);
    assert_eq!(frames[0].row(181).len(), 966);
}

#[test]
fn a_missing_file_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let clip = dir.path().join("late.mp4");
    let mut camera = start(&config(Source::file(&clip).unwrap()));
    let why = failure(&camera);
    assert!(
        why.contains("late.mp4") && why.contains("not there"),
        "{why}"
    );
    assert!(camera.next(Duration::from_millis(50)).is_none());
    let made = dir.path().join("made.mp4");
    make_clip(&made, 10, 10, 320, 240);
    std::fs::rename(&made, &clip).unwrap();
    take(&mut camera, 3);
    assert_eq!(camera.state(), SourceState::Live);
    assert!(camera.stats().restarts >= 1);
}

#[test]
fn a_deleted_file_is_noticed_and_a_new_one_taken() {
    let dir = tempfile::tempdir().unwrap();
    let clip = dir.path().join("clip.mp4");
    make_clip(&clip, 10, 10, 320, 240);
    let mut camera = start(&config(Source::file(&clip).unwrap()));
    take(&mut camera, 2);
    std::fs::remove_file(&clip).unwrap();
    let why = failure(&camera);
    assert!(
        why.contains("clip.mp4") && why.contains("not there"),
        "{why}"
    );
    make_clip(&clip, 10, 10, 160, 120);
    let frame = take(&mut camera, 1).remove(0);
    assert_eq!((frame.width, frame.height), (160, 120));
    // Replaced while it plays: the new one comes with the next loop.
    let other = dir.path().join("other.mp4");
    make_clip(&other, 12, 10, 176, 144);
    std::fs::rename(&other, &clip).unwrap();
    eventually("the new picture", Duration::from_secs(15), || {
        take(&mut camera, 1)[0].width == 176
    });
}

#[test]
fn a_file_that_is_no_clip_is_retried_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let clip = dir.path().join("broken.mp4");
    std::fs::write(&clip, b"this is no clip, only some text").unwrap();
    let camera = start(&config(Source::file(&clip).unwrap()));
    let why = failure(&camera);
    println!("{why}");
    assert!(why.contains("broken.mp4"), "{why}");
    eventually("a second try", Duration::from_secs(15), || {
        camera.stats().restarts >= 2
    });
}

#[test]
fn a_device_that_is_not_there_is_named() {
    let mut camera = start(&config(Source::v4l2("/dev/video-none")));
    let why = failure(&camera);
    assert!(
        why.contains("the camera /dev/video-none is not there"),
        "{why}"
    );
    assert!(camera.next(Duration::from_millis(50)).is_none());
    eventually("tried again", Duration::from_secs(15), || {
        camera.stats().restarts >= 2
    });
}

#[test]
fn a_device_that_is_no_camera_is_named_in_gstreamers_words() {
    let camera = start(&config(Source::v4l2("/dev/null")));
    let why = failure(&camera);
    println!("{why}");
    assert!(
        why.contains("the camera /dev/null: ") && why.len() > 40,
        "{why}"
    );
}

#[test]
fn a_source_that_goes_quiet_is_restarted() {
    let (dir, _) = altered("source-test.toml", |text| {
        // Five pictures, and then a source that gives nothing and does not end.
        text.replace("pattern={pattern}", "pattern={pattern} num-buffers=5")
            .replace(
                "framerate={rate}\n",
                "framerate={rate} ! concat name=one_by_one  appsrc ! one_by_one.  one_by_one.\n",
            )
    });
    let mut config = config(Source::test(320, 240, 15));
    config.watchdog = Duration::from_millis(800);
    let pipelines = capture::Pipelines::load(dir.path()).unwrap();
    let mut camera = Camera::start(&pipelines, &config, clock()).unwrap();
    take(&mut camera, 2);
    let why = failure(&camera);
    assert_eq!(why, "the test picture: no picture has come for 0.8 s");
    take(&mut camera, 2);
    assert!(camera.stats().restarts >= 1);
}
