//! Scripted clips: what is scripted is seen, and the file holds every frame.

use std::process::Command;

use render::clip::{self, ClipTruth, Format};
use render::scenes;
use render::script::Script;

const SMALL: Format = Format {
    width: 320,
    height: 180,
    fps: 12,
};

fn truth(name: &str, seed: u64) -> ClipTruth {
    let script = scenes::by_name(name, seed).unwrap();
    script.check().unwrap();
    let stage = clip::stage(&script, 640, 360);
    clip::truth(&script, &stage, seed, SMALL)
}

#[test]
fn the_station_queue_grows_to_five_and_shrinks() {
    for seed in [1, 2, 3] {
        let script = scenes::by_name("station", seed).unwrap();
        let at = |t: f32| script.queue_at(t);
        assert_eq!(
            [
                at(0.0),
                at(11.0),
                at(14.0),
                at(20.0),
                at(44.0),
                at(49.0),
                at(58.0)
            ],
            [2, 2, 3, 5, 5, 3, 1]
        );
        assert!((58..150).all(|t| at(t as f32) <= 2));
        // Everybody who is scripted to queue can be seen.
        let stage = clip::stage(&script, 640, 360);
        for t in 0..150 {
            let seen = stage.label(&script.at(t as f32, 0)).facts.in_queue;
            assert_eq!(seen, Some(at(t as f32)), "seed {seed} at {t} s");
        }
    }
}

#[test]
fn the_station_suitcase_is_left_alone_and_taken() {
    for seed in [1, 9] {
        let truth = truth("station", seed);
        let [bag] = truth.left_bags.as_slice() else {
            panic!("one bag is left, not {:?}", truth.left_bags)
        };
        assert_eq!(
            (bag.label.as_str(), bag.left_at, bag.taken_at),
            ("suitcase", 55.5, Some(140.0))
        );
        let (from, to) = (bag.alone_from.unwrap(), bag.alone_to.unwrap());
        assert!(
            (57.0..=65.0).contains(&from) && (133.0..=140.0).contains(&to),
            "alone {from}..{to}"
        );
        for s in &truth.seconds {
            assert_eq!(
                s.unattended_bags,
                u32::from((from..to).contains(&s.t)),
                "at {} s",
                s.t
            );
            // When the queue is short, no crowd elsewhere could be taken for it.
            if (64.0..132.0).contains(&s.t) {
                assert!(
                    s.people <= 4 && s.in_queue <= Some(2),
                    "{} people at {} s",
                    s.people,
                    s.t
                );
            }
        }
        let b = bag.boxed.as_ref().unwrap();
        assert!(
            b.h > 0.12 && b.y + b.h < 1.0,
            "the suitcase is well in view: {b:?}"
        );
    }
}

#[test]
fn people_come_and_go_through_the_door() {
    let truth = truth("doorway", 4);
    let people = |t: usize| truth.seconds[t].people;
    assert_eq!(
        [people(2), people(6), people(12), people(17), people(29)],
        [0, 1, 0, 1, 0]
    );
    assert_eq!(truth.queue_place, None);
    assert!(truth.seconds.iter().all(|s| s.in_queue.is_none()));
}

#[test]
fn nothing_happens_in_the_empty_room_but_noise() {
    let truth = truth("empty", 1);
    assert!(
        truth
            .seconds
            .iter()
            .all(|s| s.people == 0 && s.boxes.iter().all(|b| b.label == "bench"))
    );
    let script = scenes::by_name("empty", 1).unwrap();
    let stage = clip::stage(&script, 160, 90);
    let frame = |n: u64| stage.render(&script.at(n as f32 / 12.0, n), false).0;
    let (a, b) = (frame(0), frame(1));
    assert_ne!(a.data(), b.data());
    let mean = |p: &tiny_skia::Pixmap| {
        p.data().iter().map(|&v| f64::from(v)).sum::<f64>() / p.data().len() as f64
    };
    assert!((mean(&a) - mean(&b)).abs() < 15.0);
}

#[test]
fn a_parcel_is_left_by_one_and_taken_by_another() {
    let truth = truth("parcel", 2);
    let parcels = |t: usize| {
        truth.seconds[t]
            .boxes
            .iter()
            .filter(|b| b.label == "parcel")
            .count()
    };
    assert_eq!(
        [parcels(2), parcels(15), parcels(25), parcels(38)],
        [0, 1, 1, 0]
    );
    assert!((16..27).all(|t| truth.seconds[t].people == 0));
    let [bag] = truth.left_bags.as_slice() else {
        panic!("one parcel is left")
    };
    assert!(bag.alone_from.unwrap() < 16.0 && bag.alone_to.unwrap() > 27.0);
}

#[test]
fn threads_do_not_change_the_frames() {
    let mut script = scenes::by_name("station", 3).unwrap();
    script.duration_s = 0.5;
    let stage = clip::stage(&script, 160, 90);
    let mut n = 0;
    clip::frames(&script, &stage, 12, |got| {
        let (want, _) = stage.render(&script.at(n as f32 / 12.0, n), false);
        assert!(got == want.data(), "frame {n}");
        n += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(n, 6);
}

#[test]
fn a_sink_that_fails_ends_the_rendering() {
    let script = scenes::by_name("station", 3).unwrap();
    let stage = clip::stage(&script, 64, 36);
    let error = clip::frames(&script, &stage, 12, |_| anyhow::bail!("full")).unwrap_err();
    assert_eq!(error.to_string(), "full");
}

#[test]
fn scripts_survive_json_and_nonsense_is_refused() {
    let script = scenes::by_name("station", 1).unwrap();
    let text = serde_json::to_string(&script).unwrap();
    let mut back: Script = serde_json::from_str(&text).unwrap();
    assert_eq!(back, script);
    back.actors[1].id = back.actors[0].id;
    assert!(back.check().unwrap_err().to_string().contains("used twice"));
    let mut back = script.clone();
    back.actors[2].way.reverse();
    assert!(
        back.check()
            .unwrap_err()
            .to_string()
            .contains("back in time")
    );
    let mut back = script.clone();
    back.place.camera.hfov = 0.0;
    assert!(back.check().unwrap_err().to_string().contains("hfov"));
    assert!(
        scenes::by_name("moon", 1)
            .unwrap_err()
            .to_string()
            .contains("station")
    );
}

fn render(args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_render"))
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn the_clip_command_writes_a_playable_file_with_every_frame() {
    let dir = tempfile::tempdir().unwrap();
    let mut script = scenes::by_name("doorway", 1).unwrap();
    script.duration_s = 2.5;
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("short.json"), serde_json::to_string(&script).unwrap()).unwrap();
    // A path with a space and quotes must reach the encoder unharmed.
    let clip = path("a \"clip\".mp4");
    let out = render(&[
        "clip",
        "--scene",
        &path("short.json"),
        "--out",
        &clip,
        "--truth",
        &path("t.json"),
        "--fps",
        "10",
        "--size",
        "160x90",
    ]);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let truth: ClipTruth =
        serde_json::from_str(&std::fs::read_to_string(path("t.json")).unwrap()).unwrap();
    assert_eq!((truth.frames, truth.seconds.len()), (25, 3));
    let raw = path("raw");
    std::fs::copy(&clip, path("c.mp4")).unwrap();
    let status = Command::new("gst-launch-1.0")
        .args([
            "-q",
            "filesrc",
            &format!("location={}", path("c.mp4")),
            "!",
            "decodebin",
            "!",
            "videoconvert",
            "!",
        ])
        .args([
            "video/x-raw,format=GRAY8,width=160,height=90",
            "!",
            "filesink",
            &format!("location={raw}"),
        ])
        .status()
        .unwrap();
    assert!(status.success());
    // GRAY8 rows are padded to four bytes: 160 needs none.
    assert_eq!(std::fs::metadata(&raw).unwrap().len(), 25 * 160 * 90);
}

#[test]
fn wrong_arguments_are_told() {
    for (args, says) in [
        (
            vec!["clip", "--scene", "moon", "--out", "x.mp4"],
            "no scene 'moon'",
        ),
        (
            vec![
                "clip", "--scene", "empty", "--out", "x.mp4", "--size", "161x90",
            ],
            "even",
        ),
        (
            vec!["clip", "--scene", "/nowhere/s.json", "--out", "x.mp4"],
            "/nowhere/s.json",
        ),
    ] {
        let out = render(&args);
        assert!(!out.status.success());
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(text.contains(says), "{text}");
    }
}
