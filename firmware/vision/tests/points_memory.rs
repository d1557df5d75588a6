//! Whoever changes the operating point all day needs no more memory for it, and
//! smaller pictures cost less. Alone in their process and one after the other,
//! so that no other test's memory and time are counted.

mod common;

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use common::{copy_of, runtime};
use scene::ports::Model;
use scene::{Frame, Question, QuestionKind, Value};
use vision::bench::{Sample, points};
use vision::{Options, open};

static ALONE: Mutex<()> = Mutex::new(());

fn question() -> Question {
    Question {
        ask: "Is there a person?".into(),
        kind: QuestionKind::YesNo,
        crop: None,
        about: None,
    }
}

/// Resident memory of the process, MB.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kilobytes = line.unwrap().trim().trim_end_matches("kB").trim();
    kilobytes.parse::<f64>().unwrap() / 1e3
}

/// More than this many MB more after a hundred switches is a leak. Where graphs
/// are loaded anew the allocator leaves holes that wax and wane by some 20 MB; a
/// graph of scout's that was kept each time would take 1200.
const CASES: [(&str, &str, f64); 3] = [
    ("../../models/scout", "1t/2c", 2.0),
    ("../../models/scout", "", 40.0),
    ("tests/data/variants", "", 8.0),
];

#[test]
fn a_hundred_switches_leave_memory_as_it_was() {
    let _alone = ALONE.lock().unwrap_or_else(|poison| poison.into_inner());
    runtime();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (package, among, most) in CASES {
        let options = Options {
            vlm: Some(folder.join(package)),
            threads: 2,
            ..Options::default()
        };
        let mut eyes = open(options).unwrap();
        let mut points = eyes.points();
        points.retain(|point| point.to_string().ends_with(among));
        let frame = Frame::still(vec![90; 96 * 54 * 3], 96, 54).unwrap();
        let asked = &[question()];
        let mut switch = |times: usize| {
            for n in 0..times {
                // Sizes, threads and variants by turns, in no order of cost.
                eyes.run_at(&points[n * 3 % points.len()]).unwrap();
                let sight = eyes.look(&frame, &[], asked, false, Duration::from_secs(60));
                assert!(matches!(sight.answers[0].value, Value::YesNo(_)));
            }
            resident_mb()
        };
        // The allocator's and the runtime's own stores fill first.
        let before = switch(40);
        let after = switch(100);
        println!(
            "{package}, {} points: {before:.1} MB after 40 switches, {after:.1} MB after 140",
            points.len()
        );
        assert!(after < before + most, "{package}: {before} to {after} MB");
    }
}

#[test]
fn smaller_pictures_cost_less() {
    let _alone = ALONE.lock().unwrap_or_else(|poison| poison.into_inner());
    runtime();
    let scout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/scout");
    // Without the first resize, which is the same for all sizes and slow where
    // it is not optimised.
    let dir = copy_of(&scout);
    let path = dir.path().join("preprocessor_config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replace("\"do_resize\": true", "\"do_resize\": false"),
    )
    .unwrap();
    let mut eyes = open(Options {
        vlm: Some(dir.path().into()),
        ..Options::default()
    })
    .unwrap();
    let frame = Frame::still(vec![90; 48 * 48 * 3], 48, 48).unwrap();
    let sample = Sample {
        frame: &frame,
        zones: &[],
        questions: &[question()],
        detect: false,
    };
    let of = eyes.points();
    let measured = points(&mut eyes, &sample, &of, 7, &mut |_| true);
    let cpu: Vec<f64> = measured.points.iter().map(|p| p.look.cpu_ms).collect();
    println!("{cpu:.1?} CPU-ms");
    // Half the side is a quarter of the encoder's work.
    let (first, last) = (cpu[0], cpu[cpu.len() - 1]);
    assert!(last < 0.7 * first, "{cpu:?}");
}
