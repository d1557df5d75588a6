//! A model that hangs is left at the deadline, or when somebody cancels; the
//! next look starts afresh.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{copy_of, runtime, tiny_vlm};
use scene::ports::Model;
use scene::{Frame, Question, QuestionKind, Unknown, Value};
use vision::{Eyes, Options};

/// Longer than any test may take: what ends before it was ended.
const NEVER: Duration = Duration::from_secs(24 * 3600);

fn open(folder: &Path) -> Eyes {
    runtime();
    vision::open(Options {
        vlm: Some(folder.to_owned()),
        ..Default::default()
    })
    .unwrap()
}

/// The tiny model with a vision graph that never ends.
fn hung() -> Eyes {
    let dir = copy_of(&tiny_vlm());
    // Its checksums would not fit; without a manifest it is a plain download.
    std::fs::remove_file(dir.path().join("model.toml")).unwrap();
    let graph = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hung/vision_encoder.onnx");
    std::fs::copy(graph, dir.path().join("vision_encoder.onnx")).unwrap();
    open(dir.path())
}

fn look(eyes: &mut Eyes, deadline: Duration) -> Value {
    let frame = Frame::still(vec![90; 32 * 32 * 3], 32, 32).unwrap();
    let question = Question {
        ask: "Is anybody there?".into(),
        kind: QuestionKind::YesNo,
        crop: None,
        about: None,
    };
    let mut sight = eyes.look(&frame, &[], &[question], false, deadline);
    sight.answers.remove(0).value
}

#[test]
fn a_graph_that_never_ends_is_left_at_the_deadline() {
    let mut eyes = hung();
    for _ in 0..3 {
        let answer = look(&mut eyes, Duration::from_millis(100));
        assert_eq!(answer, Value::Unknown(Unknown::Timeout));
    }
}

#[test]
fn a_look_is_cancelled_from_another_thread() {
    let mut eyes = hung();
    let canceller = eyes.canceller();
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        canceller.cancel();
    });
    assert_eq!(look(&mut eyes, NEVER), Value::Unknown(Unknown::Cancelled));
    other.join().unwrap();
    // What was cancelled is over: the next look ends for its own reason.
    let answer = look(&mut eyes, Duration::from_millis(100));
    assert_eq!(answer, Value::Unknown(Unknown::Timeout));
}

#[test]
fn a_cancel_between_looks_is_no_look_s_business() {
    let mut eyes = open(&tiny_vlm());
    eyes.canceller().cancel();
    assert!(matches!(look(&mut eyes, NEVER), Value::YesNo(_)));
    let late = look(&mut eyes, Duration::ZERO);
    assert_eq!(late, Value::Unknown(Unknown::Timeout));
    assert!(matches!(look(&mut eyes, NEVER), Value::YesNo(_)));
}
