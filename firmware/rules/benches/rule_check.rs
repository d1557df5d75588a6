//! What reading one sentence costs, beside the named baseline "words": lower
//! casing the text and splitting it at white space, which any reader must do.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};

const SENTENCES: &[(&str, &str)] = &[
    ("short", "Is there a fire?"),
    (
        "queue",
        "count the people in a queue by passport control and give an alert if longer than 3 for 10 seconds",
    ),
    (
        "long",
        "Please send me a critical alert whenever more than twenty-five people without a hard hat enter aisle 4, \
         aisle 5 or the rack B3 area within a quarter of an hour on weekdays between 8am and 6pm, but not more than \
         once every 5 minutes",
    ),
    ("refused", "Tell me when the lobby is crowded"),
];

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_lowercase).collect()
}

/// Seconds a call of `f`, the median of 15 rounds.
fn cost(mut f: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            (0..50).for_each(|_| f());
            start.elapsed().as_secs_f64() / 50.0
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn rule_check(c: &mut Criterion) {
    let mut group = c.benchmark_group("rule_check");
    group
        .measurement_time(Duration::from_secs(2))
        .warm_up_time(Duration::from_millis(300));
    for (name, text) in SENTENCES {
        group.bench_function(*name, |b| {
            b.iter(|| black_box(rules::read(black_box(text))))
        });
        group.bench_function(format!("{name}/words"), |b| {
            b.iter(|| black_box(words(black_box(text))))
        });
    }
    group.finish();
    for (name, text) in SENTENCES {
        let read = cost(|| drop(black_box(rules::read(black_box(text)))));
        let base = cost(|| drop(black_box(words(black_box(text)))));
        println!(
            "rule_check {name}: {:.1} µs a sentence, {:.0} x the baseline 'words' ({:.2} µs); the limit is 1000 µs",
            read * 1e6,
            read / base,
            base * 1e6
        );
        assert!(
            read < 1e-3,
            "reading '{text}' took {:.1} µs; a check must stay under 1 ms",
            read * 1e6
        );
    }
}

criterion_group!(benches, rule_check);
criterion_main!(benches);
