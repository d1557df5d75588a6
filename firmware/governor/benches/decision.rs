//! What the governor itself costs: taking readings in and deciding, with the
//! most rules that a camera watches and a dozen operating points, against the
//! simplest that could stand in its place (one comparison, one subtraction).
//!
//!     cargo bench -p governor

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use governor::{Config, Decision, Governor, Told, Wish};
use scene::ports::{Reading, Readings};
use scene::{Celsius, Id, Joules, Mono, Quantity, Watts};

fn readings(board: f64) -> Readings {
    Readings {
        allotment: Reading::measured(Watts(12.95), "lldp"),
        board: Some(Reading::measured(Watts(board), "ina226")),
        hottest: Some(Reading::measured(Celsius(58.0), "soc")),
        frequency_mhz: Some(1_500),
        cpu_time: Duration::ZERO,
        problems: Vec::new(),
    }
}

/// A governor with so many rules, of many intervals and priorities, that has
/// run for a while; and when that was.
fn busy(rules: u8) -> (Governor, Mono) {
    let point = |n: u32| Told {
        point: format!("f32/{}px/1t/{}c", 64 + 16 * n, 1 + n % 4)
            .parse()
            .expect("a point"),
        accuracy: 0.5 + 0.03 * f64::from(n),
        step: Watts(1.0 + 0.3 * f64::from(n)),
        look: Duration::from_millis(100 + 30 * u64::from(n)),
        question: Duration::from_millis(20),
    };
    let mut governor = Governor::new(Config {
        points: (0..12).map(point).collect(),
        ..Config::default()
    });
    for n in 0..rules {
        let wish = Wish {
            wanted: Duration::from_millis(500 + 377 * u64::from(n % 13)),
            priority: n % 10,
            questions: usize::from(n % 3),
            need: None,
        };
        governor.register(Id::new(format!("rule-{n}")).expect("an id"), wish);
    }
    let mut t = 0.0;
    while t < 120.0 {
        governor.observe(Mono::from_secs_f64(t), &readings(6.0));
        if let Decision::Look { .. } = governor.decide(Mono::from_secs_f64(t)) {
            let took = Quantity::modelled(Joules(0.6));
            governor.settle(
                Mono::from_secs_f64(t + 0.3),
                took,
                Duration::from_millis(300),
                10,
            );
        }
        t += 0.5;
    }
    (governor, Mono::from_secs_f64(t))
}

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("governor");
    let (mut saved, cost) = (black_box(10.0f64), black_box(0.6f64));
    group.bench_function("baseline: one comparison", |b| {
        b.iter(|| {
            if saved > cost {
                saved -= cost;
            }
            saved += black_box(0.01);
            black_box(saved)
        });
    });
    for rules in [1u8, 8, 32] {
        let (governor, start) = busy(rules);
        let mut now = start;
        let mut at_work = governor.clone();
        group.bench_function(format!("a decision, {rules} rules, 12 points"), |b| {
            b.iter(|| {
                // Every tenth is a second later and weighs the points.
                now = now + Duration::from_millis(100);
                let decision = at_work.decide(black_box(now));
                if let Decision::Look { .. } = decision {
                    at_work.cancel(now);
                }
                decision
            });
        });
        let (mut at_work, mut now) = (governor, start);
        let board = readings(6.0);
        group.bench_function(format!("a reading, {rules} rules"), |b| {
            b.iter(|| {
                now = now + Duration::from_millis(500);
                at_work.observe(black_box(now), black_box(&board))
            });
        });
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
