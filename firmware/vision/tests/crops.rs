//! Crops of zones are encoded together where the package allows, and the
//! answers stay what they are.

mod common;

use std::time::Duration;

use common::{copy_of, picture, runtime, tiny_vlm};
use scene::ports::Model;
use scene::{Id, Polygon, Question, QuestionKind, Sight, Unknown, Value, Zone};
use vision::package::verify;
use vision::{Eyes, Options};

const LONG: Duration = Duration::from_secs(60);

fn zone(n: usize) -> Zone {
    let x = n as f32 * 0.18;
    let corners = [[x, 0.1], [x + 0.2, 0.1], [x + 0.2, 0.9], [x, 0.7]];
    Zone {
        name: Id::new(format!("zone-{n}")).unwrap(),
        polygon: Polygon::new(corners.map(Into::into).to_vec()).unwrap(),
    }
}

fn question(zone: Option<usize>, kind: QuestionKind) -> Question {
    Question {
        ask: "How many people are there?".into(),
        kind,
        crop: zone.map(|n| Id::new(format!("zone-{n}")).unwrap()),
        about: None,
    }
}

fn with_tiles_at_once(tiles: usize) -> tempfile::TempDir {
    let dir = copy_of(&tiny_vlm());
    let path = dir.path().join("model.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace(
        "[variants.f32]",
        &format!("[variants.f32]\ntiles_at_once = {tiles}"),
    );
    std::fs::write(path, text).unwrap();
    dir
}

fn look(eyes: &mut Eyes, asked: &[Question]) -> Sight {
    let frame = picture(&tiny_vlm().join("golden/wide.png"));
    let zones: Vec<Zone> = (0..5).map(zone).collect();
    eyes.look(&frame, &zones, asked, false, LONG)
}

fn open(folder: &std::path::Path) -> Eyes {
    runtime();
    vision::open(Options {
        vlm: Some(folder.to_owned()),
        ..Default::default()
    })
    .unwrap()
}

/// The largest difference of two answers' probabilities.
fn differ(a: &Value, b: &Value) -> f32 {
    match (a, b) {
        (Value::YesNo(a), Value::YesNo(b)) => (a - b).abs(),
        (Value::Count(a), Value::Count(b)) => (a.masses().iter().zip(b.masses()))
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max),
        _ => panic!("{a:?} and {b:?} are no answers of a kind"),
    }
}

#[test]
fn crops_that_are_encoded_together_are_answered_as_alone() {
    let mut asked = Vec::new();
    for n in 0..5 {
        asked.push(question(Some(n), QuestionKind::Count));
        asked.push(question(None, QuestionKind::YesNo));
        asked.push(question(Some(4 - n), QuestionKind::YesNo));
    }
    let alone = look(&mut open(&tiny_vlm()), &asked);
    for tiles in [2, 4, 16] {
        let dir = with_tiles_at_once(tiles);
        let together = look(&mut open(dir.path()), &asked);
        for (alone, together) in alone.answers.iter().zip(&together.answers) {
            let differ = differ(&alone.value, &together.value);
            assert!(differ < 1e-5, "{tiles} at once: {differ}");
        }
    }
    // Else the zones would show the same and this would prove nothing.
    let zones: Vec<_> = (alone.answers.iter().zip(&asked))
        .filter(|(_, q)| q.crop.is_some() && q.kind == QuestionKind::YesNo)
        .map(|(a, _)| &a.value)
        .collect();
    assert!(zones.windows(2).all(|w| differ(w[0], w[1]) > 1e-5));
}

#[test]
fn a_zone_that_is_not_drawn_leaves_the_others_alone() {
    let dir = with_tiles_at_once(4);
    let asked = [9, 0, 1].map(|n| question(Some(n), QuestionKind::YesNo));
    let sight = look(&mut open(dir.path()), &asked);
    assert_eq!(
        sight.answers[0].value,
        Value::Unknown(Unknown::NoSuchZone("zone-9".into()))
    );
    assert!(matches!(sight.answers[1].value, Value::YesNo(_)));
    assert!(matches!(sight.answers[2].value, Value::YesNo(_)));
}

#[test]
fn a_number_of_tiles_that_no_memory_holds_is_refused() {
    runtime();
    for tiles in [0, 17] {
        let dir = with_tiles_at_once(tiles);
        let said = verify(dir.path()).unwrap_err()[0].to_string();
        assert!(
            said.contains("variants.f32.tiles_at_once") && said.contains("1 to 16"),
            "{said}"
        );
    }
}
