//! A model that runs at other operating points answers as one that was opened
//! there, and what it can't run at changes nothing.

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{copy_of, runtime, tiny_vlm};
use render::changes::{Kind, Sequence};
use scene::ports::Model;
use scene::{Answer, Concept, Detection, Frame, OperatingPoint, Question, QuestionKind, Source};
use vision::bench::{Sample, points};
use vision::package::verify;
use vision::{Eyes, Options, open};

const LONG: Duration = Duration::from_secs(60);

fn scout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/scout")
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn opened(folder: &Path, threads: usize) -> Eyes {
    runtime();
    let options = Options {
        vlm: Some(folder.into()),
        threads,
        ..Options::default()
    };
    open(options).unwrap_or_else(|error| panic!("{error}"))
}

fn at(text: &str) -> OperatingPoint {
    text.parse().unwrap()
}

fn texts(eyes: &Eyes) -> Vec<String> {
    eyes.points().iter().map(ToString::to_string).collect()
}

fn picture() -> Frame {
    let sequence = Sequence::new(Kind::Passing, 3, 640, 360);
    Frame::still(sequence.frame(20), 640, 360).unwrap()
}

/// Plain nouns (counted by the detections, where there are some) and whole
/// sentences, of both kinds.
fn questions() -> Vec<Question> {
    let asked = [
        ("person", true),
        ("person", false),
        ("car", true),
        ("car", false),
    ];
    let ask = |(noun, plain): &(&str, bool)| {
        let about = plain.then(|| Concept {
            noun: (*noun).into(),
            qualifiers: Vec::new(),
        });
        let question = |kind, ask| Question {
            ask,
            kind,
            crop: None,
            about: about.clone(),
        };
        [
            question(QuestionKind::YesNo, format!("Is there a {noun}?")),
            question(QuestionKind::Count, format!("How many {noun} are there?")),
        ]
    };
    asked.iter().flat_map(ask).collect()
}

/// What was answered, to the bit, by whom, and what was detected.
fn look(eyes: &mut Eyes) -> (Vec<(scene::Value, String)>, Option<Vec<Detection>>) {
    let sight = eyes.look(&picture(), &[], &questions(), true, LONG);
    let said = |answer: Answer| (answer.value, answer.model);
    (
        sight.answers.into_iter().map(said).collect(),
        sight.detections,
    )
}

#[test]
fn scout_runs_at_the_sizes_of_its_manifest() {
    let eyes = opened(&scout(), 2);
    let sizes = [256, 224, 192, 160, 128];
    let threads = |n: u32| sizes.map(move |size| format!("f32/{size}px/1t/{n}c"));
    assert_eq!(texts(&eyes), [threads(2), threads(1)].concat());
    assert_eq!(texts(&opened(&scout(), 1)), threads(1));
    let worth: Vec<_> = (eyes.points().iter()).map(|p| eyes.accuracy(p)).collect();
    assert!(
        worth.iter().all(|q| q.source == Source::Measured),
        "{worth:?}"
    );
    let falls = worth[..5].windows(2).all(|two| two[0].value > two[1].value);
    assert!(falls && worth[4].value > 0.55, "{worth:?}");
}

#[test]
fn a_point_reached_by_any_way_answers_as_one_opened_fresh() {
    let way = [
        "f32/128px/1t/2c",
        "f32/256px/1t/2c",
        "f32/192px/1t/1c",
        "f32/192px/1t/2c",
        "f32/128px/1t/1c",
        "f32/256px/1t/1c",
        "f32/256px/1t/2c",
    ];
    let mut wandering = opened(&scout(), 2);
    let home = look(&mut wandering);
    assert_eq!(home, look(&mut opened(&scout(), 2)), "as it is opened");
    for text in way {
        wandering.run_at(&at(text)).unwrap();
        assert_eq!(texts(&wandering)[0], text, "the one it runs at is first");
        let mut fresh = opened(&scout(), 2);
        fresh.run_at(&at(text)).unwrap();
        assert_eq!(look(&mut wandering), look(&mut fresh), "{text}");
    }
    assert_eq!(look(&mut wandering), home, "back again");
}

#[test]
fn another_size_is_what_a_package_of_that_size_would_see() {
    // The same weights in a package whose own tiles are smaller.
    let dir = copy_of(&scout());
    let path = dir.path().join("preprocessor_config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let smaller = text.replace("\"longest_edge\": 256", "\"longest_edge\": 192");
    assert_ne!(text, smaller);
    std::fs::write(path, smaller).unwrap();
    let mut own = opened(dir.path(), 1);
    let mut eyes = opened(&scout(), 1);
    eyes.run_at(&at("f32/192px/1t/1c")).unwrap();
    let (there, here) = (look(&mut own), look(&mut eyes));
    let values =
        |of: &[(scene::Value, String)]| -> Vec<_> { of.iter().map(|a| a.0.clone()).collect() };
    assert_eq!(values(&there.0), values(&here.0));
    assert_eq!(there.1, here.1);
    // And the size matters at all.
    eyes.run_at(&at("f32/128px/1t/1c")).unwrap();
    assert_ne!(values(&look(&mut eyes).0), values(&here.0));
}

#[test]
fn answers_name_the_point_that_gave_them() {
    let mut eyes = opened(&scout(), 1);
    let name = eyes.knowledge().name();
    let who = |eyes: &mut Eyes| {
        let mut all: Vec<_> = look(eyes).0.into_iter().map(|a| a.1).collect();
        all.dedup();
        all
    };
    assert_eq!(who(&mut eyes), std::slice::from_ref(&name));
    eyes.run_at(&at("f32/160px/1t/1c")).unwrap();
    assert_eq!(who(&mut eyes), [format!("{name}/f32/160px/1t/1c")]);
    assert_eq!(eyes.knowledge().name(), name, "the model is the same one");
    // A cap is the board's affair.
    eyes.run_at(&at("f32/256px/1t/1c/1200MHz")).unwrap();
    assert_eq!(who(&mut eyes), [name]);
}

#[test]
fn what_it_lacks_is_refused_by_name() {
    let mut eyes = opened(&scout(), 1);
    let before = look(&mut eyes);
    for text in [
        "f32/200px/1t/1c",
        "int8/256px/1t/1c",
        "f32/256px/5t/1c",
        "f32/256px/1t/2c",
    ] {
        let why = eyes.run_at(&at(text)).unwrap_err();
        for part in [
            "scout/",
            text,
            "f32/256px/1t/1c, f32/224px/1t/1c",
            "f32/128px/1t/1c",
        ] {
            assert!(why.contains(part), "'{part}' is not in: {why}");
        }
    }
    assert_eq!(look(&mut eyes), before);
}

#[test]
fn a_graph_of_one_size_has_one_point_a_thread_and_variant() {
    assert_eq!(texts(&opened(&tiny_vlm(), 1)), ["f32/64px/1t/1c"]);
    assert_eq!(
        texts(&opened(&tiny_vlm(), 3)),
        ["f32/64px/1t/3c", "f32/64px/1t/1c"]
    );
    let variants = texts(&opened(&data("variants"), 2));
    assert_eq!(variants[..2], ["all16/32px/1t/2c", "all16/32px/1t/1c"]);
    assert_eq!(variants.len(), 2 + 5, "{variants:?}");
    let eyes = opened(&tiny_vlm(), 1);
    let worth = eyes.accuracy(&eyes.points()[0]);
    assert_eq!((worth.value, worth.source), (1.0, Source::Modelled));
}

#[test]
fn a_free_graph_that_nobody_measured_has_halves_and_three_quarters() {
    let dir = copy_of(&scout());
    let path = dir.path().join("model.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.find("[[points]]").unwrap()]).unwrap();
    let eyes = opened(dir.path(), 1);
    let wanted = ["f32/256px/1t/1c", "f32/192px/1t/1c", "f32/128px/1t/1c"];
    assert_eq!(texts(&eyes), wanted);
    let worth = wanted.map(|text| eyes.accuracy(&at(text)));
    assert!(worth.iter().all(|q| q.source == Source::Modelled));
    assert!(worth[0].value == 1.0 && worth[0].value > worth[1].value);
    assert!(worth[1].value > worth[2].value && worth[2].value > 0.5);
}

#[test]
fn fewer_tiles_are_what_a_shorter_longest_edge_would_cut() {
    let mut eyes = opened(&data("split/mini-256m"), 1);
    let wanted = ["f32/64px/17t/1c", "f32/64px/5t/1c", "f32/64px/1t/1c"];
    assert_eq!(texts(&eyes), wanted);
    let worth = wanted.map(|text| eyes.accuracy(&at(text)).value);
    assert!(worth[0] > worth[1] && worth[1] > worth[2], "{worth:?}");

    let with = |edge: &str, splits: &str| {
        let dir = copy_of(&data("split/mini-256m"));
        let path = dir.path().join("preprocessor_config.json");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("\"longest_edge\": 256", edge);
        let text = text.replace("\"do_image_splitting\": true", splits);
        std::fs::write(path, text).unwrap();
        dir
    };
    let shorter = with("\"longest_edge\": 128", "\"do_image_splitting\": true");
    let whole = with("\"longest_edge\": 256", "\"do_image_splitting\": false");
    let values =
        |eyes: &mut Eyes| -> Vec<_> { look(eyes).0.into_iter().map(|answer| answer.0).collect() };
    let full = values(&mut eyes);
    for (point, same) in [(wanted[1], shorter), (wanted[2], whole)] {
        eyes.run_at(&at(point)).unwrap();
        let here = values(&mut eyes);
        assert_eq!(here, values(&mut opened(same.path(), 1)), "{point}");
        assert_ne!(here, full, "{point}");
    }
    eyes.run_at(&at(wanted[0])).unwrap();
    assert_eq!(values(&mut eyes), full);
}

#[test]
fn variants_are_loaded_and_named_and_told_to_who_asks() {
    let mut eyes = opened(&data("variants"), 1);
    let knowledge = eyes.knowledge();
    assert_eq!(knowledge.name(), "variants/1/all16");
    let first = look(&mut eyes);
    for point in eyes.points() {
        eyes.run_at(&point).unwrap();
        let name = format!("variants/1/{}", point.variant);
        assert_eq!(knowledge.name(), name);
        let here = look(&mut eyes);
        assert!(here.0.iter().all(|a| a.1 == name), "{here:?}");
        let mut fresh = open(Options {
            vlm: Some(data("variants")),
            variant: Some(point.variant.clone()),
            ..Options::default()
        })
        .unwrap();
        assert_eq!(here, look(&mut fresh), "{name}");
    }
    eyes.run_at(&at("all16/32px/1t/1c")).unwrap();
    assert_eq!(look(&mut eyes), first);
}

#[test]
fn a_variant_that_does_not_load_changes_nothing() {
    let dir = copy_of(&data("variants"));
    let mut eyes = opened(dir.path(), 2);
    eyes.run_at(&at("int8/32px/1t/2c")).unwrap();
    let before = look(&mut eyes);
    for (file, point) in [
        ("decoder_model_merged_q4.onnx", "q4/32px/1t/2c"),
        ("vision_encoder_fp16.onnx", "fp16/32px/1t/2c"),
    ] {
        let path = dir.path().join(file);
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, b"this is no graph").unwrap();
        let why = eyes.run_at(&at(point)).unwrap_err();
        assert!(why.contains(file), "{why}");
        assert_eq!(texts(&eyes)[0], "int8/32px/1t/2c");
        assert_eq!(eyes.knowledge().name(), "variants/1/int8");
        assert_eq!(look(&mut eyes), before);
        std::fs::write(&path, good).unwrap();
        eyes.run_at(&at(point)).unwrap();
        eyes.run_at(&at("int8/32px/1t/2c")).unwrap();
        assert_eq!(look(&mut eyes), before);
    }
    // A file that is gone when it is opened is no point at all.
    std::fs::remove_file(dir.path().join("vision_encoder_fp16.onnx")).unwrap();
    let points = texts(&opened(dir.path(), 1));
    assert!(points.iter().all(|p| !p.starts_with("fp16/")), "{points:?}");
}

#[test]
fn a_size_that_the_graph_does_not_take_is_found_out_and_forgotten() {
    let dir = copy_of(&scout());
    let path = dir.path().join("model.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("resolution = 160", "resolution = 100")).unwrap();
    let said = verify(dir.path()).unwrap_err();
    let said: Vec<_> = said.iter().map(ToString::to_string).collect();
    let said = said.join("\n");
    assert!(
        said.contains("vision_encoder.onnx") && said.contains("100 pixels"),
        "{said}"
    );

    let mut eyes = opened(dir.path(), 1);
    let before = look(&mut eyes);
    let why = eyes.run_at(&at("f32/100px/1t/1c")).unwrap_err();
    assert!(why.contains("100 pixels"), "{why}");
    assert_eq!(look(&mut eyes), before);
    assert!(!texts(&eyes).iter().any(|p| p.contains("100px")));
    eyes.run_at(&at("f32/128px/1t/1c")).unwrap();
}

#[test]
fn a_manifest_with_points_that_cannot_be_is_refused() {
    runtime();
    let table = |rest: &str| format!("\n[[points]]\n{rest}\n");
    let good = "resolution = 64\naccuracy = 0.9";
    for (extra, part) in [
        (
            table("resolution = 0\naccuracy = 0.9"),
            "points.0.resolution: 0",
        ),
        (
            table("resolution = 64\naccuracy = 1.5"),
            "points.0.accuracy: 1.5",
        ),
        (
            table("resolution = 64\naccuracy = nan"),
            "points.0.accuracy: NaN",
        ),
        (table(&format!("{good}\ntiles = 0")), "points.0.tiles"),
        (table(&format!("{good}\nvariant = \"int3\"")), "'int3'"),
        (table(good).repeat(2), "points.1: is told twice"),
        (table(&format!("{good}\nwatts = 3")), "watts"),
        // The graph's input is of one size.
        (
            table("resolution = 32\naccuracy = 0.9"),
            "points of model.toml has 32",
        ),
    ] {
        let dir = copy_of(&tiny_vlm());
        let path = dir.path().join("model.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + &extra).unwrap();
        let said = verify(dir.path()).unwrap_err();
        let said: Vec<_> = said.iter().map(ToString::to_string).collect();
        assert!(said.join("\n").contains(part), "{part}: {said:?}");
    }
    let dir = copy_of(&tiny_vlm());
    let path = dir.path().join("model.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + &table(good)).unwrap();
    verify(dir.path()).unwrap();
    let eyes = opened(dir.path(), 1);
    let worth = eyes.accuracy(&at("f32/64px/1t/1c"));
    assert_eq!((worth.value, worth.source), (0.9, Source::Measured));
}

#[test]
fn points_are_measured_and_left_as_they_were() {
    let dir = copy_of(&data("variants"));
    let mut eyes = opened(dir.path(), 2);
    std::fs::write(dir.path().join("decoder_model_merged_q4.onnx"), b"no graph").unwrap();
    let of = eyes.points();
    let (frame, asked) = (picture(), &questions()[4..]);
    let sample = Sample {
        frame: &frame,
        zones: &[],
        questions: asked,
        detect: false,
    };
    let mut told = Vec::new();
    let measured = points(&mut eyes, &sample, &of, 2, &mut |now| {
        told.push((now.round, now.done, now.point.clone()));
        assert_eq!((now.rounds, now.all), (2, 2 * of.len()));
        true
    });
    assert_eq!(told.len(), 2 * of.len());
    assert_eq!(told[of.len()], (1, of.len(), of[0].clone()));
    let (refused, why) = &measured.refused[0];
    assert_eq!(
        (measured.refused.len(), refused.variant.as_str()),
        (1, "q4")
    );
    assert!(why.contains("decoder_model_merged_q4.onnx"), "{why}");
    assert_eq!(measured.points.len(), of.len() - 1);
    for cost in &measured.points {
        let further = cost.question.unwrap();
        assert!(
            cost.look.cpu_ms > 0.0 && cost.look.wall_ms > 0.0,
            "{cost:?}"
        );
        assert!(cost.look.bytes > 0 && further.bytes > 0, "{cost:?}");
        assert!(cost.switch_ms.is_finite(), "{cost:?}");
    }
    assert_eq!(eyes.points()[0], of[0], "back where it was");

    // Whoever has seen enough gets what there is.
    let some = points(&mut eyes, &sample, &of, 5, &mut |now| now.done < 2);
    assert_eq!(some.points.len(), 2);
    let one = Sample {
        questions: &asked[..1],
        ..sample
    };
    let alone = points(&mut eyes, &one, &of[..1], 1, &mut |_| true);
    assert_eq!(alone.points[0].question, None);
}
