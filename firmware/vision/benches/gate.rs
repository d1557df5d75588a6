//! What the gate costs a look, against what it saves of it.
//!
//! `cargo bench -p vision --bench gate`. Baseline `nv12_to_rgb` is what any
//! frame costs before it can be looked at: one plain conversion of the camera's
//! format, without scaling. What a model's look costs is in the bench `vision`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use scene::ports::Model;
use scene::{BBox, Frame, Moment, Mono, Question, QuestionKind};
use sim::SimModel;
use vision::gate::{Config, Difference, Gated, Noise, Plane};

const WIDTH: usize = 960;
const HEIGHT: usize = 540;

fn rgb(seed: usize) -> Vec<u8> {
    let level = |i: usize| (60 + i / 3 % WIDTH / 8 + (i * 7919 + seed * 31) % 7) as u8;
    (0..WIDTH * HEIGHT * 3).map(level).collect()
}

fn frame(seed: usize, seconds: f64) -> Frame {
    let at = Moment::unclocked(Mono::from_secs_f64(seconds));
    let (width, height) = (WIDTH as u32, HEIGHT as u32);
    let pixels = std::sync::Arc::new(rgb(seed));
    Frame::rgb(pixels, width, height, WIDTH * 3, seed as u64, at).unwrap()
}

/// BT.601, limited range, integers of 8 fractional bits.
fn nv12_to_rgb(nv12: &[u8], out: &mut [u8]) {
    let (luma, chroma) = nv12.split_at(WIDTH * HEIGHT);
    for (y, line) in out.chunks_exact_mut(WIDTH * 3).enumerate() {
        let luma = &luma[y * WIDTH..(y + 1) * WIDTH];
        let chroma = &chroma[y / 2 * WIDTH..(y / 2 + 1) * WIDTH];
        let pairs = luma.chunks_exact(2).zip(chroma.chunks_exact(2));
        for ((luma, uv), rgb) in pairs.zip(line.chunks_exact_mut(6)) {
            let (u, v) = (i32::from(uv[0]) - 128, i32::from(uv[1]) - 128);
            for (l, rgb) in luma.iter().zip(rgb.chunks_exact_mut(3)) {
                let l = 298 * (i32::from(*l) - 16) + 128;
                rgb[0] = ((l + 409 * v) >> 8).clamp(0, 255) as u8;
                rgb[1] = ((l - 100 * u - 208 * v) >> 8).clamp(0, 255) as u8;
                rgb[2] = ((l + 516 * u) >> 8).clamp(0, 255) as u8;
            }
        }
    }
}

fn gate(c: &mut Criterion) {
    let mut group = c.benchmark_group("gate-960x540");
    let nv12 = vec![100u8; WIDTH * HEIGHT * 3 / 2];
    let mut out = vec![0u8; WIDTH * HEIGHT * 3];
    group.bench_function("nv12_to_rgb", |b| {
        b.iter(|| nv12_to_rgb(black_box(&nv12), black_box(&mut out)))
    });
    let (one, two) = (frame(1, 1.0), frame(2, 2.0));
    group.bench_function("plane", |b| b.iter(|| Plane::of(black_box(&one))));
    let sensitivity = Config::default().sensitivity;
    let (then, now) = (Plane::of(&one), Plane::of(&two));
    let mut noise = Noise::new(&then, &now, sensitivity.band);
    group.bench_function("compare", |b| {
        b.iter(|| {
            let found = Difference::between(&then, black_box(&now), &noise, &sensitivity);
            black_box(found.map(|d| d.changed(BBox::WHOLE)))
        })
    });
    group.bench_function("learn", |b| {
        b.iter(|| noise.learn(&then, black_box(&now), &sensitivity))
    });
    // All of it: a look at an unchanged picture that asks no model.
    let model = SimModel::new(&[]);
    let script = model.script();
    let asked: Vec<Question> = (0..8)
        .map(|n| Question {
            ask: format!("thing {n}?"),
            kind: QuestionKind::YesNo,
            crop: None,
            about: None,
        })
        .collect();
    let yes = |q: &Question| (q.ask.clone(), scene::Value::YesNo(0.9));
    script.lock().unwrap().answers = asked.iter().map(yes).collect();
    let config = Config {
        max_age: Duration::from_secs(1_000_000),
        ..Config::default()
    };
    let mut gated = Gated::new(Box::new(model), config);
    let long = Duration::from_secs(60);
    let frames: Vec<Frame> = (0..4).map(|n| frame(n, 10.0 + n as f64)).collect();
    for frame in &frames {
        gated.look(frame, &[], &asked, false, long);
    }
    let last = frames.last().expect("there are four");
    assert!(gated.look(last, &[], &asked, false, long).reused());
    group.bench_function("look", |b| {
        b.iter(|| black_box(gated.look(black_box(last), &[], &asked, false, long)))
    });
    group.finish();
}

criterion_group!(benches, gate);
criterion_main!(benches);
