//! What it costs to read all sensors of a board once, against reading one file
//! by opening it. The mark is a thousandth of a core at two readings a second,
//! 500 µs for each; on a board the converters on I2C add what their bus takes.

#[path = "../tests/common/mod.rs"]
mod common;

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use scene::ports::Board;

use common::Tree;

/// Seconds of one call, on average over a second.
fn seconds(mut work: impl FnMut()) -> f64 {
    let began = Instant::now();
    let mut calls = 0u32;
    while began.elapsed() < Duration::from_secs(1) {
        work();
        calls += 1;
    }
    began.elapsed().as_secs_f64() / f64::from(calls)
}

fn readings(c: &mut Criterion) {
    let tree = Tree::recorded("rock-5b");
    let mut board = tree.shipped("rock-5b");
    let file = tree.root().join("sys/class/thermal/thermal_zone0/temp");
    let sensors = "seven zones, three clusters, an IIO device, the HAT";
    c.bench_function("one file, opened", |b| {
        b.iter(|| fs::read_to_string(black_box(&file)).unwrap());
    });
    c.bench_function("all sensors", |b| b.iter(|| black_box(board.read())));
    let one = seconds(|| {
        black_box(fs::read_to_string(black_box(&file)).unwrap());
    });
    let all = seconds(|| {
        black_box(board.read());
    });
    println!(
        "all sensors ({sensors}): {:.1} us, {:.1} x one file that is opened and read ({:.1} us); \
         {:.4} % of a core at two readings a second",
        all * 1e6,
        all / one,
        one * 1e6,
        all * 2.0 * 100.0
    );
}

criterion_group!(benches, readings);
criterion_main!(benches);
