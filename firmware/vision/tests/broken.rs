//! Damaged packages and odd frames: an error that names the place, or an
//! answer; never a panic.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{copy_of, runtime, tiny_vlm};
use scene::ports::{Ability, Model};
use scene::{Concept, Frame, Question, QuestionKind, Unknown, Value};
use vision::package::{Problem, verify};
use vision::{Options, VisionError};

fn said(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(Problem::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

fn fails(folder: &Path, parts: &[&str]) {
    let said = said(&verify(folder).unwrap_err());
    for part in parts {
        assert!(said.contains(part), "'{part}' is not in: {said}");
    }
}

fn edit(folder: &Path, from: &str, to: &str) {
    let path = folder.join("model.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_good_package_is_verified() {
    runtime();
    let report = verify(&tiny_vlm()).unwrap();
    assert_eq!(report.name, "tiny-vlm/1");
    assert_eq!((report.checked_files, report.variants.len()), (3, 1));
    assert!(report.notes.iter().any(|note| note.contains("no concepts")));
}

#[test]
fn a_plain_download_is_a_package() {
    runtime();
    let dir = copy_of(&tiny_vlm());
    std::fs::remove_file(dir.path().join("model.toml")).unwrap();
    let onnx = dir.path().join("onnx");
    std::fs::create_dir(&onnx).unwrap();
    for stem in ["vision_encoder", "embed_tokens", "decoder_model_merged"] {
        let from = dir.path().join(format!("{stem}.onnx"));
        std::fs::copy(&from, onnx.join(format!("{stem}_int8.onnx"))).unwrap();
        std::fs::rename(&from, onnx.join(format!("{stem}.onnx"))).unwrap();
    }
    let report = verify(dir.path()).unwrap();
    assert_eq!(report.variants, ["f32", "int8"]);
    assert_eq!(report.checked_files, 0);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("no model.toml"))
    );
}

#[test]
fn damage_is_named() {
    runtime();
    fails(
        Path::new("/nowhere/at-all"),
        &["/nowhere/at-all", "not a folder"],
    );
    let empty = tempfile::tempdir().unwrap();
    fails(empty.path(), &["model.toml", "vision_encoder"]);

    let dir = copy_of(&tiny_vlm());
    std::fs::remove_file(dir.path().join("embed_tokens.onnx")).unwrap();
    fails(dir.path(), &["embed_tokens.onnx", "is missing"]);

    let dir = copy_of(&tiny_vlm());
    let path = dir.path().join("vision_encoder.onnx");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    fails(dir.path(), &["vision_encoder.onnx", "bytes"]);
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    std::fs::write(&path, &flipped).unwrap();
    fails(dir.path(), &["vision_encoder.onnx", "sha256"]);

    let dir = copy_of(&tiny_vlm());
    std::fs::remove_file(dir.path().join("tokenizer.json")).unwrap();
    fails(dir.path(), &["tokenizer.json", "can't be read"]);
    std::fs::write(dir.path().join("tokenizer.json"), "{}").unwrap();
    fails(dir.path(), &["tokenizer.json"]);
}

#[test]
fn graphs_that_do_not_fit_are_named_with_their_tensors() {
    runtime();
    // Without a manifest no checksum stands before the tensors.
    let plain = || {
        let dir = copy_of(&tiny_vlm());
        std::fs::remove_file(dir.path().join("model.toml")).unwrap();
        dir
    };
    let swapped = |from: &str, to: &str| {
        let dir = plain();
        std::fs::copy(dir.path().join(from), dir.path().join(to)).unwrap();
        dir
    };
    let dir = swapped("embed_tokens.onnx", "vision_encoder.onnx");
    fails(
        dir.path(),
        &["vision_encoder.onnx", "'pixel_values'", "input_ids"],
    );
    let dir = swapped("vision_encoder.onnx", "decoder_model_merged.onnx");
    fails(
        dir.path(),
        &["decoder_model_merged.onnx", "'inputs_embeds'"],
    );
    let dir = swapped("embed_tokens.onnx", "decoder_model_merged.onnx");
    fails(
        dir.path(),
        &["decoder_model_merged.onnx", "'inputs_embeds'"],
    );

    let dir = plain();
    let path = dir.path().join("decoder_model_merged.onnx");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..1000]).unwrap();
    fails(dir.path(), &["decoder_model_merged.onnx", "can't load"]);

    let dir = plain();
    let path = dir.path().join("preprocessor_config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("64", "96")).unwrap();
    fails(
        dir.path(),
        &["vision_encoder.onnx", "'pixel_values'", "96x96"],
    );
}

#[test]
fn bad_manifests_name_file_and_key() {
    let cases = [
        ("id = \"tiny-vlm\"", "id = \"Tiny VLM\"", "Tiny VLM"),
        ("kind = \"vlm\"", "kind = \"vlm\"\nkinds = 3", "kinds"),
        ("kind = \"vlm\"", "kind = \"audio\"", "audio"),
        ("max_count = 20", "max_count = 0", "prompt.max_count"),
        (
            "max_count = 20",
            "template = \"{question}{image}\"",
            "prompt.template",
        ),
        ("max_count = 20", "yes = []", "prompt.yes"),
        (
            "[prompt]",
            "[calibration.yes_no]\ntemperature = 0.0\n[prompt]",
            "calibration.yes_no.temperature",
        ),
        (
            "vision_encoder = { file = \"vision",
            "vision_encoder = { file = \"../vision",
            "leaves the package",
        ),
        (
            "[prompt]",
            "[synonyms]\nbag = [\"sack\"]\n[concepts]\nbox = []\n[prompt]",
            "'sack'",
        ),
        (
            "[variants.f32]",
            "default_variant = \"q4\"\n[variants.f32]",
            "default_variant",
        ),
        ("[variants.f32]", "[variants.f32]\ndetector = 3", "detector"),
    ];
    for (from, to, key) in cases {
        let dir = copy_of(&tiny_vlm());
        edit(dir.path(), from, to);
        fails(dir.path(), &["model.toml", key]);
    }
}

fn question(ask: &str, kind: QuestionKind, about: Option<(&str, &[&str])>) -> Question {
    Question {
        ask: ask.into(),
        kind,
        crop: None,
        about: about.map(|(noun, qualifiers)| Concept {
            noun: noun.into(),
            qualifiers: qualifiers.iter().map(|q| q.to_string()).collect(),
        }),
    }
}

#[test]
fn odd_frames_and_late_looks_are_answered() {
    runtime();
    let open = || {
        vision::open(Options {
            vlm: Some(tiny_vlm()),
            ..Default::default()
        })
        .unwrap()
    };
    let mut eyes = open();
    let asked = [
        question("How many?", QuestionKind::Count, None),
        question("Is it?", QuestionKind::YesNo, None),
        question("What?", QuestionKind::Text, None),
    ];
    for (width, height) in [(1, 1), (1, 700), (3000, 2)] {
        let frame = Frame::still(
            vec![200; width as usize * height as usize * 3],
            width,
            height,
        )
        .unwrap();
        let sight = eyes.look(&frame, &[], &asked, true, Duration::from_secs(60));
        assert!(
            matches!(sight.answers[0].value, Value::Count(_)),
            "{width}x{height}"
        );
        assert!(matches!(sight.answers[1].value, Value::YesNo(_)));
        assert!(matches!(sight.answers[2].value, Value::Text(_)));
        assert_eq!(sight.detections, None, "it has no detector");
    }
    let frame = Frame::still(vec![0; 3], 1, 1).unwrap();
    let late = eyes.look(&frame, &[], &asked, false, Duration::ZERO);
    assert!(
        late.answers
            .iter()
            .all(|a| a.value == Value::Unknown(Unknown::Timeout))
    );
    let long = question(&"how ".repeat(5000), QuestionKind::YesNo, None);
    let sight = eyes.look(&frame, &[], &[long], false, Duration::from_secs(60));
    assert!(
        matches!(&sight.answers[0].value, Value::Unknown(Unknown::Failed(why)) if why.contains("tokens"))
    );
    assert!(matches!(
        vision::open(Options::default()),
        Err(VisionError::Nothing)
    ));
    let wrong = Options {
        detector: Some(tiny_vlm()),
        ..Default::default()
    };
    assert!(
        vision::open(wrong)
            .unwrap_err()
            .to_string()
            .contains("not Detector")
    );
}

#[test]
fn a_closed_world_knows_what_it_does_not_know() {
    runtime();
    let dir = copy_of(&tiny_vlm());
    let table = "[concepts]\nperson = [\"in queue\"]\nbox = []\ncrate = []\n\
                 [synonyms]\nworker = [\"person\"]\ncontainer = [\"box\", \"crate\"]\n[prompt]";
    edit(dir.path(), "[prompt]", table);
    let eyes = vision::open(Options {
        vlm: Some(dir.path().to_owned()),
        ..Default::default()
    })
    .unwrap();
    let ability = |noun, qualifiers| {
        eyes.knowledge().ability(&question(
            "Any?",
            QuestionKind::YesNo,
            Some((noun, qualifiers)),
        ))
    };
    assert_eq!(ability("person", &["in queue"]), Ability::Knows);
    assert_eq!(ability("worker", &[]), Ability::Knows);
    for (noun, qualifiers, word) in [
        ("giraffe", &[][..], "giraffe"),
        ("worker", &["asleep"], "asleep"),
        ("container", &[], "crate"),
    ] {
        let Ability::Cannot(why) = ability(noun, qualifiers) else {
            panic!("{noun}")
        };
        assert!(why.contains(word) && why.contains("smolvlm-256m"), "{why}");
    }
}
