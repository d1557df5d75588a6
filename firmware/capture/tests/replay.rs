//! Clips, once, at full speed.

mod common;

use std::path::Path;
use std::time::Duration;

use capture::{Replay, ReplayConfig};
use common::*;
use scene::ports::{FrameSource, SourceState};

fn play(config: &ReplayConfig) -> Vec<scene::Frame> {
    let mut replay = Replay::open(&pipelines(), config).unwrap();
    let mut frames = vec![];
    while let Some(frame) = replay.next(Duration::from_secs(10)) {
        frames.push(frame);
    }
    assert_eq!(replay.failure(), None);
    assert_eq!(replay.state(), SourceState::Ended);
    assert_eq!(replay.dropped(), 0);
    frames
}

fn sum(frame: &scene::Frame) -> u64 {
    (0..frame.height)
        .flat_map(|y| frame.row(y))
        .fold(0xcbf2_9ce4_8422_2325, |h, b| {
            (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3)
        })
}

#[test]
fn a_replay_is_whole_and_repeatable() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = ReplayConfig::new(dir.path().join("clip.mp4"));
    make_clip(&config.path, 100, 10, 320, 240);
    let once = play(&config);
    let times: Vec<_> = once.iter().map(|f| f.captured.mono.as_secs_f64()).collect();
    assert_eq!(once.len(), 50, "{times:?}");
    for (n, (frame, time)) in once.iter().zip(&times).enumerate() {
        assert!(
            (time - n as f64 * 0.2).abs() < 0.002,
            "frame {n} at {time} s"
        );
        assert_eq!((frame.seq, frame.captured.wall), (n as u64, None));
    }
    let sums: Vec<_> = once.iter().map(sum).collect();
    let again: Vec<_> = play(&config).iter().map(sum).collect();
    assert_eq!(sums, again);
    let mut different = sums.clone();
    different.dedup();
    assert_eq!(different.len(), 50, "the ball moves");

    config.rate = 0.0;
    assert_eq!(play(&config).len(), 100, "every frame");
    config.rate = 3.0;
    config.max_width = 100;
    let small = play(&config);
    assert_eq!(small.len(), 30);
    assert_eq!((small[0].width, small[0].height), (100, 76));
}

#[test]
fn a_slow_consumer_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = ReplayConfig::new(dir.path().join("clip.mkv"));
    config.rate = 0.0;
    make_clip(&config.path, 30, 10, 320, 240);
    let mut replay = Replay::open(&pipelines(), &config).unwrap();
    assert_eq!(
        replay.duration().map(|d| d.as_secs_f64().round()),
        Some(3.0)
    );
    let mut seen = vec![];
    while let Some(frame) = replay.next(Duration::from_secs(10)) {
        seen.push((frame.captured.mono.as_secs_f64() * 10.0).round() as usize);
        std::thread::sleep(Duration::from_millis(30));
    }
    assert_eq!(seen, (0..30).collect::<Vec<_>>());
}

#[test]
fn what_is_no_clip_is_refused_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gone.mp4");
    let open = |path: &Path| {
        let replay = Replay::open(&pipelines(), &ReplayConfig::new(path));
        replay.err().unwrap().to_string()
    };
    let error = open(&path);
    assert!(error.contains("gone.mp4 is not there"), "{error}");

    let path = dir.path().join("text.mp4");
    std::fs::write(&path, "words ".repeat(1000)).unwrap();
    let error = open(&path);
    println!("{error}");
    assert!(error.contains("text.mp4"), "{error}");

    let path = dir.path().join("empty.mp4");
    std::fs::write(&path, "").unwrap();
    let error = open(&path);
    println!("{error}");
    assert!(error.contains("empty.mp4"), "{error}");
}

#[test]
fn a_clip_that_breaks_off_says_so_or_ends_early_but_never_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole.mkv");
    make_clip(&whole, 100, 10, 320, 240);
    let bytes = std::fs::read(&whole).unwrap();
    let path = dir.path().join("half.mkv");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let mut config = ReplayConfig::new(path);
    config.rate = 0.0;
    let mut replay = Replay::open(&pipelines(), &config).unwrap();
    let mut count = 0;
    while replay.next(Duration::from_secs(10)).is_some() {
        count += 1;
    }
    println!("{count} frames, then {:?}", replay.failure());
    assert!((10..95).contains(&count), "{count} frames of half a clip");
    assert_eq!(replay.state(), SourceState::Ended);
}

#[test]
fn the_shared_clips_play_to_their_ends() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/clips");
    if !dir.is_dir() {
        eprintln!("SKIPPED: no clips in {}", dir.display());
        return;
    }
    let clips = [
        ("bottle_count", 39.8, 597),
        ("car_overhead", 30.0, 375),
        ("fall_in_room", 13.73, 206),
        ("one_person_visits", 60.0, 600),
    ];
    for (name, seconds, frames) in clips {
        let mut config = ReplayConfig::new(dir.join(format!("{name}.mp4")));
        let at_five = play(&config);
        let last = at_five.last().unwrap().captured.mono.as_secs_f64();
        println!(
            "{name}: {} frames at 5 a second, last at {last:.3} s",
            at_five.len()
        );
        assert_eq!(at_five[0].captured.mono.as_secs_f64(), 0.0, "{name}");
        assert!(
            (seconds - 0.3..seconds).contains(&last),
            "{name} ends at {last} s"
        );
        let expected = (seconds * 5.0f64).ceil() as usize;
        assert!(
            at_five.len().abs_diff(expected) <= 1,
            "{name}: {} for {expected}",
            at_five.len()
        );
        assert_eq!((at_five[0].width, at_five[0].height), (640, 360));
        config.rate = 0.0;
        assert_eq!(play(&config).len(), frames, "{name}, every frame");
    }
}
