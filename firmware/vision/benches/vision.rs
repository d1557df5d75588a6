//! What a look costs, step by step, against the naive way in the same run.
//!
//! `cargo bench -p vision`. Rows of `questions` ask eight questions about one
//! frame; `naive` encodes the frame and reads the whole prompt for each.

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use scene::ports::Model;
use scene::{Concept, Frame, Question, QuestionKind};
use vision::internals::Probe;
use vision::package::Package;
use vision::{Grid, Options};

const LONG: Duration = Duration::from_secs(600);

fn frame() -> Frame {
    let noise = |i: usize| ((i * 7919 + i / 640 * 31) % 251) as u8;
    Frame::still((0..640 * 360 * 3).map(noise).collect(), 640, 360).unwrap()
}

fn models() -> Vec<(&'static str, PathBuf)> {
    let scout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/scout");
    let mut models = vec![("tiny-vlm", common::tiny_vlm())];
    match scout.join("model.toml").is_file() {
        true => models.push(("scout", scout)),
        false => eprintln!("SKIPPED: {} is not there", scout.display()),
    }
    models
}

fn question(n: usize) -> Question {
    Question {
        ask: ["is there a person ?", "how many people ?"][n % 2].into(),
        kind: [QuestionKind::YesNo, QuestionKind::Count][n % 2],
        crop: None,
        about: None,
    }
}

fn image_processing(c: &mut Criterion) {
    let frame = frame();
    let runtime = common::runtime();
    let mut group = c.benchmark_group("image_processing");
    for (name, folder) in models() {
        let package = Package::read(&folder, None).unwrap();
        let probe = Probe::load(&runtime, package).unwrap();
        group.bench_function(name, |b| b.iter(|| black_box(probe.pixels(&frame))));
    }
    for (name, split) in [
        ("smolvlm-512-via-2048", false),
        ("smolvlm-12+1-tiles", true),
    ] {
        let to = vision::internals::smolvlm_processor(512, 2048, split);
        group.bench_function(name, |b| {
            b.iter(|| black_box(vision::internals::pixels(&frame, &to)))
        });
    }
    group.finish();
}

fn questions(c: &mut Criterion) {
    let frame = frame();
    let runtime = common::runtime();
    let mut group = c.benchmark_group("questions");
    group.sample_size(20);
    for (name, folder) in models() {
        let mut eyes = vision::open(Options {
            vlm: Some(folder.clone()),
            ..Default::default()
        })
        .unwrap();
        for rules in [1, 8] {
            let asked: Vec<_> = (0..rules).map(question).collect();
            group.bench_function(BenchmarkId::new(format!("{name}/shared"), rules), |b| {
                b.iter(|| black_box(eyes.look(&frame, &[], &asked, false, LONG)))
            });
        }
        let mut probe = Probe::load(&runtime, Package::read(&folder, None).unwrap()).unwrap();
        let Ok(ids) = probe.prompt_ids(Grid::WHOLE, &question(0).ask) else {
            continue;
        };
        group.bench_function(BenchmarkId::new(format!("{name}/naive"), 8), |b| {
            b.iter(|| {
                for _ in 0..8 {
                    let seen = probe.see(&frame).unwrap();
                    black_box(probe.read_whole(&seen, &ids).unwrap());
                }
            })
        });
    }
    group.finish();
}

fn detector(c: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.cache/models/yolox-nano");
    if !folder.join("model.toml").is_file() {
        eprintln!(
            "SKIPPED: {}; models/export/yolox-package makes it",
            folder.display()
        );
        return;
    }
    let frame = frame();
    common::runtime();
    let mut eyes = vision::open(Options {
        detector: Some(folder),
        ..Default::default()
    })
    .unwrap();
    let mut group = c.benchmark_group("detector");
    group.sample_size(20);
    let asked = [Question {
        about: Some(Concept {
            noun: "person".into(),
            qualifiers: vec![],
        }),
        ..question(1)
    }];
    group.bench_function("yolox-nano", |b| {
        b.iter(|| black_box(eyes.look(&frame, &[], &asked, true, LONG)))
    });
    group.finish();
}

criterion_group!(benches, image_processing, questions, detector);
criterion_main!(benches);
