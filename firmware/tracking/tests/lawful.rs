//! What holds whatever a detector says.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::{prelude::*, test_runner::RngSeed};
use scene::{BBox, Detection, Heading, Id, Mono, Passage, Polygon, Zone};
use tracking::{Assignment, Config, Motion, Tracker, Update};

const CLASSES: [&str; 4] = ["person", "handbag", "suitcase", "car"];

/// Any number: sensible, outside, huge, tiny, none.
fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        6 => -0.3f32..1.3,
        1 => any::<f32>(),
        1 => prop::sample::select(vec![
            f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE, 0.0, -0.0, 1.0,
        ]),
    ]
}

fn detection() -> impl Strategy<Value = Detection> {
    (0usize..4, number(), number(), number(), number(), number()).prop_map(
        |(c, score, x, y, w, h)| Detection {
            class: CLASSES[c].into(),
            score,
            bbox: BBox { x, y, w, h },
        },
    )
}

/// Looks: milliseconds since the last one, and what is seen.
fn looks() -> impl Strategy<Value = Vec<(u64, Vec<Detection>)>> {
    let gap = prop_oneof![20 => 0u64..3_000, 1 => 0u64..10_000_000_000];
    prop::collection::vec((gap, prop::collection::vec(detection(), 0..10)), 1..30)
}

fn zone(name: &str, corners: &[[f32; 2]]) -> Zone {
    Zone {
        name: Id::new(name).unwrap(),
        polygon: Polygon::new(corners.iter().map(|&c| c.into()).collect()).unwrap(),
    }
}

fn zones() -> Vec<Zone> {
    vec![
        zone("a", &[[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]),
        zone("all", &[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]),
        // A strip, and one with points twice.
        zone("line", &[[0.7, 0.0], [0.71, 0.0], [0.71, 1.0], [0.7, 1.0]]),
        zone(
            "odd",
            &[[0.2, 0.2], [0.2, 0.2], [0.8, 0.2], [0.5, 0.9], [0.5, 0.9]],
        ),
    ]
}

fn play(config: &Config, looks: &[(u64, Vec<Detection>)]) -> Vec<Update> {
    let mut tracker = Tracker::new(config.clone());
    let zones = zones();
    let mut at = Mono::ZERO;
    (looks.iter().enumerate())
        .map(|(i, (gap, seen))| {
            at = at + Duration::from_millis(*gap);
            // Zones come and go.
            tracker.update(at, seen, &zones[..=i / 5 % zones.len()])
        })
        .collect()
}

fn configs() -> impl Strategy<Value = Config> {
    let usual = Config::default;
    prop::sample::select(vec![
        usual(),
        Config::iou_only(),
        Config {
            motion: Motion::Kalman,
            assignment: Assignment::Greedy,
            ..usual()
        },
        Config {
            motion: Motion::Kalman,
            hits: 1,
            most: 5,
            ..usual()
        },
        Config {
            aspect: 0.5,
            most: 3,
            ..usual()
        },
    ])
}

proptest! {
    // The same cases at every run; PROPTEST_RNG_SEED and PROPTEST_CASES choose others.
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn numbers_are_never_given_twice_and_passages_make_sense(config in configs(), looks in looks()) {
        let updates = play(&config, &looks);
        let (mut present, mut past) = (BTreeSet::new(), BTreeSet::new());
        for update in &updates {
            let now = |what: Passage, id| update.events.iter().any(|e| e.what == what && e.track.id == id);
            for e in &update.events {
                let id = e.track.id;
                let m = e.track.movement;
                prop_assert!(m.right.is_finite() && m.down.is_finite() && m.growth > 0.0);
                match &e.what {
                    Passage::Appear => {
                        prop_assert!(!past.contains(&id) && present.insert(id));
                    }
                    Passage::Disappear => {
                        prop_assert!(present.remove(&id) && past.insert(id));
                    }
                    Passage::Enter(z) => prop_assert!(
                        e.track.zones.contains(z) || now(Passage::Cross(z.clone()), id)),
                    // Over to the other side is out.
                    Passage::Cross(z) => prop_assert!(now(Passage::Exit(z.clone()), id)),
                    Passage::Approach(z) => prop_assert!(
                        !e.track.zones.contains(z) || now(Passage::Enter(z.clone()), id)),
                    Passage::Exit(_) => prop_assert!(present.contains(&id)),
                    Passage::Retreat(z) => prop_assert!(!e.track.zones.contains(z)),
                    Passage::Go { zone, .. } => prop_assert!(
                        zone.as_ref().is_none_or(|z| e.track.zones.contains(z))),
                    Passage::Turn { to, .. } => prop_assert!(
                        matches!(to, Heading::Left | Heading::Right)),
                }
            }
            let ids: Vec<_> = update.tracks.iter().map(|t| t.id).collect();
            prop_assert!(ids.len() <= config.most);
            prop_assert!(ids.windows(2).all(|w| w[0] < w[1]));
            prop_assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), present.clone());
            for t in &update.tracks {
                prop_assert!(t.since <= t.seen);
                prop_assert!(t.still_since.is_none_or(|s| s >= t.since && s <= t.seen));
                prop_assert!(t.class != "person" || t.alone_since.is_none());
                prop_assert_eq!(t.zones.len(), t.zones_since.len());
                prop_assert!(t.zones_since.iter().all(|s| *s >= t.since && *s <= t.seen));
            }
        }
    }

    #[test]
    fn the_same_again_gives_the_same(config in configs(), looks in looks()) {
        // As text, since no number equals NaN.
        let told = |u: Vec<Update>| format!("{u:?}");
        prop_assert_eq!(told(play(&config, &looks)), told(play(&config, &looks)));
    }

    #[test]
    fn the_order_of_detections_does_not_matter(
        config in configs(),
        looks in looks(),
        turns in prop::collection::vec(any::<u64>(), 30),
    ) {
        let mut shuffled = looks.clone();
        for ((_, seen), turn) in shuffled.iter_mut().zip(&turns) {
            // Any order: by a hash of the place and the turn.
            let mut keyed: Vec<(u64, Detection)> = (seen.drain(..).enumerate())
                .map(|(i, d)| ((i as u64 + 1).wrapping_mul(turn | 1) >> 7, d))
                .collect();
            keyed.sort_by_key(|(k, _)| *k);
            seen.extend(keyed.into_iter().map(|(_, d)| d));
        }
        let told = |u: Vec<Update>| format!("{u:?}");
        prop_assert_eq!(told(play(&config, &looks)), told(play(&config, &shuffled)));
    }
}

/// Deterministic noise in 0..1.
fn unit(seed: u64) -> f32 {
    let x = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f32 / (1u64 << 24) as f32
}

#[test]
fn a_day_of_crowds_takes_no_more_memory_than_an_hour() {
    let zones = zones();
    let mut tracker = Tracker::new(Config {
        most: 32,
        ..Config::default()
    });
    let mut most = (0, 0);
    // A look in two seconds, in steps so that things move, vanish and return.
    for i in 0..43_200u64 {
        let seen: Vec<Detection> = (0..12u64)
            .filter(|k| unit(i / 40 * 31 + k) > 0.4)
            .map(|k| {
                let x = unit(i / 40 * 17 + k * 3) + 0.003 * (i % 40) as f32;
                let y = 0.3 * unit(k + i / 400);
                let bbox = BBox {
                    x,
                    y,
                    w: 0.05,
                    h: 0.1,
                };
                Detection {
                    class: CLASSES[k as usize % 4].into(),
                    score: 0.9,
                    bbox,
                }
            })
            .collect();
        tracker.update(Mono::from_millis(i * 2_000), &seen, &zones);
        // All that it holds, in words: longer if it holds more.
        if i % 200 == 0 {
            let holds = format!("{tracker:?}").len();
            match i < 1_800 {
                true => most.0 = most.0.max(holds),
                false => most.1 = most.1.max(holds),
            }
        }
    }
    assert!(most.0 > 10_000, "{most:?}: it holds something");
    assert!(most.1 < 3 * most.0, "{most:?}");
}
