//! A model in the shape of the built-in one: a word-level tokenizer, a closed
//! world, and detections as an extra output of the vision graph.

mod common;

use std::time::Duration;

use common::{copy_of, runtime, tiny_vlm};
use scene::ports::{Ability, Model};
use scene::{Concept, Frame, Id, Polygon, Question, QuestionKind, Unknown, Value, Zone};
use vision::{Eyes, Options};

const LONG: Duration = Duration::from_secs(60);

const MANIFEST: &str = r#"
[prompt]
yes = ["yes"]
no = ["no"]
count_spellings = ["{n}"]
max_count = 5
max_new_tokens = 4
template = "<|im_start|> {image} {question} <end_of_utterance>"
yes_no_form = "is there a {concept} ?"
count_form = "how many {concept} ?"
lowercase = true

[calibration.nouns.person]
yes_no = { temperature = 1.0, bias = 50.0 }

[concepts]
person = ["in queue"]
car = []

[synonyms]
worker = ["person"]
vehicle = ["car"]

[detector]
decode = "centre"
classes = ["person", "car"]

[detector.per_class.car]
threshold = 0.7
"#;

/// The tiny model with a vocabulary of whole words and the detecting graph.
fn built_in(extra: &str) -> (tempfile::TempDir, Eyes) {
    let dir = copy_of(&tiny_vlm());
    let path = dir.path().join("model.toml");
    let graph = tiny_vlm().join("centre/vision_encoder.onnx");
    std::fs::copy(graph, dir.path().join("vision_encoder.onnx")).unwrap();
    let old = std::fs::read_to_string(&path).unwrap();
    let head = &old[..old.find("[prompt]").unwrap()];
    std::fs::write(&path, format!("{head}{MANIFEST}{extra}")).unwrap();

    let special = [
        "<unk>",
        "<|im_start|>",
        "<end_of_utterance>",
        "<fake_token_around_image>",
        "<global-img>",
        "<image>",
    ];
    let words = "is there a how many ? in queue person car yes no 0 1 2 3 4 5 what do you see";
    let all: Vec<&str> = special.into_iter().chain(words.split(' ')).collect();
    let vocabulary: serde_json::Map<_, _> = (all.iter().enumerate())
        .map(|(id, word)| (word.to_string(), id.into()))
        .collect();
    let added: Vec<_> = (special.iter().enumerate())
        .map(|(id, word)| {
            serde_json::json!({"id": id, "content": word, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true})
        })
        .collect();
    let tokenizer = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null,
        "decoder": null, "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"}
    });
    std::fs::write(dir.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    std::fs::write(dir.path().join("config.json"), "{}").unwrap();
    runtime();
    let vlm = Some(dir.path().to_owned());
    let eyes = vision::open(Options {
        vlm,
        ..Default::default()
    })
    .unwrap();
    (dir, eyes)
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

fn grey() -> Frame {
    Frame::still(vec![90; 64 * 36 * 3], 64, 36).unwrap()
}

fn zone(name: &str, left: f32, right: f32) -> Zone {
    let corners = [[left, 0.5], [right, 0.5], [right, 1.0], [left, 1.0]];
    Zone {
        name: Id::new(name).unwrap(),
        polygon: Polygon::new(corners.map(Into::into).to_vec()).unwrap(),
    }
}

#[test]
fn plain_nouns_are_counted_and_the_rest_is_asked() {
    let (_dir, mut eyes) = built_in("");
    let knowledge = eyes.knowledge();
    assert_eq!(knowledge.classes_for("worker"), ["person"]);
    assert_eq!(knowledge.classes(), ["person", "car"]);

    let mut at_left = question("x", QuestionKind::YesNo, Some(("worker", &[])));
    at_left.crop = Some(Id::new("left").unwrap());
    let mut at_right = at_left.clone();
    at_right.crop = Some(Id::new("right").unwrap());
    let mut queue_left = question("x", QuestionKind::YesNo, Some(("worker", &["in queue"])));
    queue_left.crop = at_left.crop.clone();
    let asked = [
        question("x", QuestionKind::Count, Some(("worker", &[]))),
        at_left,
        at_right,
        question("x", QuestionKind::Count, Some(("vehicle", &[]))),
        queue_left,
        question("x", QuestionKind::Count, Some(("person", &["in queue"]))),
        question("What do you see?", QuestionKind::Text, None),
    ];
    for one in &asked {
        let wanted = if one.about.is_some() {
            Ability::Knows
        } else {
            Ability::Tries
        };
        assert_eq!(knowledge.ability(one), wanted, "{one:?}");
    }
    let zones = [zone("left", 0.0, 0.5), zone("right", 0.5, 1.0)];
    let sight = eyes.look(&grey(), &zones, &asked, true, LONG);
    let value = |n: usize| &sight.answers[n].value;

    assert!(
        matches!(value(0), Value::Count(b) if b.most_likely() == 1 && (b.masses()[1] - 0.9).abs() < 1e-4)
    );
    assert!(matches!(value(1), Value::YesNo(p) if (p - 0.9).abs() < 1e-4));
    assert!(matches!(value(2), Value::YesNo(p) if *p == 0.0));
    assert!(
        matches!(value(3), Value::Count(b) if b.most_likely() == 0),
        "0.6 is below the car's threshold"
    );
    // The bias of the noun's own calibration shows that "worker" was asked as "person".
    assert!(
        matches!(value(4), Value::YesNo(p) if *p > 0.999),
        "{:?}",
        value(4)
    );
    assert!(matches!(value(5), Value::Count(b) if b.masses().len() == 6));
    assert!(matches!(value(6), Value::Text(_)));
    let detections = sight.detections.unwrap();
    assert_eq!(detections.len(), 1);
    assert_eq!(detections[0].class, "person");
    assert!((detections[0].bbox.y - 0.4).abs() < 1e-6);
}

#[test]
fn words_that_it_never_learnt_are_outside_its_concepts() {
    let (_dir, mut eyes) = built_in("");
    let strange = question("Is there a giraffe?", QuestionKind::YesNo, None);
    let Ability::Cannot(why) = eyes.knowledge().ability(&strange) else {
        panic!()
    };
    assert!(
        why.contains("'giraffe'") && why.contains("smolvlm-256m"),
        "{why}"
    );
    let known = question("Is there a car?", QuestionKind::YesNo, None);
    let sight = eyes.look(&grey(), &[], &[strange, known], false, LONG);
    assert!(matches!(
        &sight.answers[0].value,
        Value::Unknown(Unknown::OutsideConcepts(_))
    ));
    assert!(matches!(sight.answers[1].value, Value::YesNo(_)));
    assert_eq!(sight.detections, None);
}

#[test]
fn weak_beliefs_are_unsure() {
    let (_dir, mut eyes) = built_in(
        "\n[calibration.count]\nunsure_below = 0.999\n[calibration.yes_no]\ntemperature = 1000.0\nunsure_below = 0.9\n",
    );
    let asked = [
        question("how many car ?", QuestionKind::Count, None),
        question("is there a car ?", QuestionKind::YesNo, None),
    ];
    let sight = eyes.look(&grey(), &[], &asked, false, LONG);
    assert_eq!(sight.answers[1].value, Value::Unknown(Unknown::Unsure));
    assert_eq!(sight.answers[0].value, Value::Unknown(Unknown::Unsure));
}
