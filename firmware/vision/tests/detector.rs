//! The detector package kind with a real detector on real pictures.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::{picture, runtime, shared};
use scene::ports::{Ability, Model};
use scene::{Concept, Frame, Id, Polygon, Question, QuestionKind, Unknown, Value, Zone};
use serde::Deserialize;
use vision::package::{Kind, verify};

const LONG: Duration = Duration::from_secs(60);

/// The shared YOLOX as a package, made by the repository's own script.
fn yolox() -> Option<(tempfile::TempDir, PathBuf)> {
    let onnx = shared("models/yolox_nano.onnx")?;
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("yolox-nano");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/export/yolox-package");
    let made = Command::new(&script)
        .arg("--onnx")
        .arg(onnx)
        .arg("--out")
        .arg(&out)
        .output();
    let made = made.unwrap_or_else(|e| panic!("{}: {e}", script.display()));
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    Some((dir, out))
}

fn eyes(package: &Path) -> vision::Eyes {
    runtime();
    vision::open(vision::Options {
        detector: Some(package.to_owned()),
        ..Default::default()
    })
    .unwrap()
}

fn about(noun: &str, qualifiers: &[&str], kind: QuestionKind) -> Question {
    Question {
        ask: format!("What of {noun}?"),
        kind,
        crop: None,
        about: Some(Concept {
            noun: noun.into(),
            qualifiers: qualifiers.iter().map(|q| q.to_string()).collect(),
        }),
    }
}

#[derive(Deserialize)]
struct Row {
    image: String,
    boxes: Vec<Labelled>,
    complete_labels: Vec<String>,
}

#[derive(Deserialize)]
struct Labelled {
    label: String,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
}

#[test]
fn persons_are_found_where_they_are() {
    let (Some(pack), Some((_keep, package))) = (shared("data/pack"), yolox()) else {
        return;
    };
    let rows = std::fs::read_to_string(pack.join("coco_by/annotations.jsonl")).unwrap();
    let rows = rows
        .lines()
        .map(|line| serde_json::from_str::<Row>(line).unwrap());
    let usable = rows.filter(|row| row.complete_labels.iter().any(|l| l == "person"));
    let mut eyes = eyes(&package);
    let question = about("worker", &[], QuestionKind::Count);
    assert_eq!(eyes.knowledge().ability(&question), Ability::Knows);
    let (mut right, mut found, mut labelled, mut off) = (0, 0, 0, Vec::new());
    for row in usable.step_by(4).take(50) {
        let frame = picture(&pack.join(&row.image));
        let sight = eyes.look(&frame, &[], std::slice::from_ref(&question), true, LONG);
        let people: Vec<_> = row.boxes.iter().filter(|b| b.label == "person").collect();
        let seen = sight.detections.expect("it was asked to detect");
        let seen: Vec<_> = seen.iter().filter(|d| d.class == "person").collect();
        let overlaps = |d: &&&scene::Detection| {
            people.iter().any(|p| {
                d.bbox.iou(&scene::BBox {
                    x: p.x,
                    y: p.y,
                    w: p.w,
                    h: p.h,
                }) > 0.4
            })
        };
        right += seen.iter().filter(overlaps).count();
        found += seen.len();
        labelled += people.len();
        let Value::Count(belief) = &sight.answers[0].value else {
            panic!("{:?}", sight.answers[0])
        };
        off.push(belief.most_likely().abs_diff(people.len()));
    }
    let precision = right as f32 / found as f32;
    let mean_off = off.iter().sum::<usize>() as f32 / off.len() as f32;
    eprintln!(
        "{} pictures: {found} found, {right} right, {labelled} labelled; precision {precision:.2}; counts off by {mean_off:.2}",
        off.len()
    );
    assert!(
        off.len() >= 20 && labelled >= 20,
        "too few pictures to judge"
    );
    assert!(precision >= 0.75, "precision {precision}");
    assert!(
        right as f32 >= 0.25 * labelled as f32,
        "recall {right} of {labelled}"
    );
    assert!(mean_off <= 2.0, "counts off by {mean_off}");
}

#[test]
fn zones_cut_counts_and_unknown_things_are_refused() {
    let Some((_keep, package)) = yolox() else {
        return;
    };
    let mut eyes = eyes(&package);
    let knowledge = eyes.knowledge();
    assert_eq!(
        knowledge.classes_for("bag"),
        ["backpack", "handbag", "suitcase"]
    );
    assert_eq!(knowledge.classes_for("person"), ["person"]);
    assert!(knowledge.classes_for("forklift").is_empty());
    assert_eq!(knowledge.classes().len(), 80);
    assert_eq!(knowledge.name(), "yolox-nano/0.1.1rc0");
    for (noun, qualifiers) in [("forklift", &[][..]), ("person", &["fallen"][..])] {
        let Ability::Cannot(why) = knowledge.ability(&about(noun, qualifiers, QuestionKind::YesNo))
        else {
            panic!("{noun} {qualifiers:?}")
        };
        assert!(
            why.contains("smolvlm-256m") && why.contains("yolox-nano"),
            "{why}"
        );
    }

    let grey = Frame::still(vec![114; 320 * 240 * 3], 320, 240).unwrap();
    let zone = Zone {
        name: Id::new("door").unwrap(),
        polygon: Polygon::new(vec![
            [0.1, 0.1].into(),
            [0.9, 0.1].into(),
            [0.5, 0.9].into(),
        ])
        .unwrap(),
    };
    let mut in_door = about("person", &[], QuestionKind::YesNo);
    in_door.crop = Some(zone.name.clone());
    let mut nowhere = in_door.clone();
    nowhere.crop = Some(Id::new("nowhere").unwrap());
    let asked = [
        in_door,
        nowhere,
        about("person", &["fallen"], QuestionKind::YesNo),
    ];
    let sight = eyes.look(&grey, &[zone], &asked, false, LONG);
    assert_eq!(sight.detections, None, "nobody asked for them");
    assert!(matches!(sight.answers[0].value, Value::YesNo(p) if p < 0.5));
    assert_eq!(
        sight.answers[1].value,
        Value::Unknown(Unknown::NoSuchZone("nowhere".into()))
    );
    assert!(matches!(
        sight.answers[2].value,
        Value::Unknown(Unknown::OutsideConcepts(_))
    ));
    assert!(sight.joules.value.0 > 0.0);

    for (width, height) in [(1, 1), (1, 300), (2000, 1)] {
        let odd =
            Frame::still(vec![9; width as usize * height as usize * 3], width, height).unwrap();
        let sight = eyes.look(&odd, &[], &asked[..1], true, LONG);
        assert!(sight.detections.is_some(), "{width}x{height}");
    }
    let late = eyes.look(
        &grey,
        &[],
        &[about("car", &[], QuestionKind::Count)],
        true,
        Duration::ZERO,
    );
    assert_eq!(late.answers[0].value, Value::Unknown(Unknown::Timeout));
    assert_eq!(late.detections, None);
}

#[test]
fn the_package_is_verified() {
    let Some((_keep, package)) = yolox() else {
        return;
    };
    runtime();
    let report = verify(&package).unwrap();
    assert_eq!((report.kind, report.checked_files), (Kind::Detector, 1));
    // One class too few: the graph's rows no longer fit.
    let path = package.join("model.toml");
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace(", \"toothbrush\"]", "]");
    std::fs::write(&path, text).unwrap();
    let problems = verify(&package).unwrap_err();
    let said = problems[0].to_string();
    assert!(
        said.contains("yolox-nano.onnx") && said.contains("'output'") && said.contains("84"),
        "{said}"
    );
}
