//! What holds for every life, whatever is seen: proved on any sequence of looks
//! (sure, unsure, unknown, told twice, late, with gaps, with restarts).

#[path = "support/story.rs"]
mod story;
mod support;

use jiff::Timestamp;
use proptest::{prelude::*, test_runner::RngSeed};
use rules::Seen;
use scene::{BBox, Detection, Moment, Mono, Phase};
use serde_json::json;
use story::{Happens, Run, armed, cases, conditions, cooldown, happens, passages, steps, whole};

proptest! {
    // The same cases at every run; PROPTEST_RNG_SEED and PROPTEST_CASES choose others.
    #![proptest_config(ProptestConfig { cases: cases(100), rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens: `new (update | stale)* end`, the cool-down between two
    /// `new`, and nothing panics or says nonsense.
    #[test]
    fn phases_and_cool_downs_hold(
        seq in prop::collection::vec((happens(), prop::option::weighted(0.05, 0u64..120_000), prop::option::weighted(0.05, steps())), 1..120),
    ) {
        for armed in conditions().iter().chain(&passages()) {
            let mut run = Run::new(armed);
            for ((dt, what), off, step) in &seq {
                run.happen(*dt, what);
                if let Some(step) = step {
                    run.happen(0, &Happens::Step(*step));
                }
                if let Some(off) = off {
                    run.restart(*off);
                }
            }
            let news: Vec<u64> = run.got.iter().filter(|g| g.1 == Phase::New).map(|g| g.0).collect();
            for pair in news.windows(2) {
                prop_assert!(pair[1] - pair[0] >= cooldown(armed), "{pair:?} {}", armed.says());
            }
        }
    }

    /// A clock that steps or is lost touches no rule without a schedule.
    #[test]
    fn clock_steps_change_no_duration(
        seq in prop::collection::vec((happens(), prop::option::weighted(0.2, steps())), 1..100),
    ) {
        for armed in conditions().iter().chain(&passages()).filter(|a| !a.needs_clock()) {
            let (mut plain, mut stepped) = (Run::new(armed), Run::new(armed));
            for ((dt, what), step) in &seq {
                plain.happen(*dt, what);
                stepped.happen(*dt, what);
                if let Some(step) = step {
                    stepped.happen(0, &Happens::Step(*step));
                }
            }
            let times = |run: &Run| run.got.iter().map(|g| (g.0, g.1)).collect::<Vec<_>>();
            prop_assert_eq!(times(&plain), times(&stepped), "{}", armed.says());
        }
    }

    /// From some moment on all is unknown: no alert begins, none ends.
    #[test]
    fn unknown_alone_neither_raises_nor_ends(
        seq in prop::collection::vec(happens(), 1..60),
        blind in prop::collection::vec((1u64..40_000, any::<bool>()), 1..60),
    ) {
        for armed in conditions().iter().chain(&passages()).filter(|a| !a.needs_clock()) {
            let mut run = Run::new(armed);
            for (dt, what) in &seq {
                run.happen(*dt, what);
            }
            let known = run.got.len();
            for (dt, look) in &blind {
                let what = if *look { Happens::Look { p: None, enters: 0 } } else { Happens::Tick };
                run.happen(*dt, &what);
            }
            let stale = run.got[known..].iter().all(|g| g.1 == Phase::Stale);
            prop_assert!(stale, "{:?} {}", &run.got[known..], armed.says());
            prop_assert!(run.got.len() <= known + 1);
        }
    }

    /// A restart that takes no time changes nothing, wherever it comes.
    #[test]
    fn restarts_in_no_time_change_nothing(
        seq in prop::collection::vec((happens(), any::<bool>()), 1..100),
    ) {
        for armed in &conditions() {
            let (mut plain, mut restarted) = (Run::new(armed), Run::new(armed));
            for ((dt, what), restart) in &seq {
                if matches!(what, Happens::Late { .. }) {
                    continue; // A frame of another boot does not come.
                }
                plain.happen(*dt, what);
                restarted.happen(*dt, what);
                if *restart {
                    restarted.restart(0);
                }
            }
            prop_assert_eq!(&plain.got, &restarted.got, "{}", armed.says());
        }
    }

    /// Arming the same rule anew forgets nothing, with or without a clock.
    #[test]
    fn arming_anew_changes_nothing(
        seq in prop::collection::vec((happens(), any::<bool>()), 1..100),
        clock in any::<bool>(),
    ) {
        for armed in conditions().iter().chain(&passages()) {
            let (mut plain, mut anew) = (Run::new(armed), Run::new(armed));
            if !clock {
                (plain.zero, anew.zero) = (None, None);
            }
            for ((dt, what), again) in &seq {
                plain.happen(*dt, what);
                anew.happen(*dt, what);
                if *again {
                    anew.life = anew.life.clone().rearmed(armed);
                }
            }
            prop_assert_eq!(&plain.got, &anew.got, "{}", armed.says());
        }
    }

    /// A short restart between two looks changes nothing but that the time off
    /// does not count as held.
    #[test]
    fn short_restarts_only_pause_holds(
        seq in prop::collection::vec((1_000u64..25_000, prop_oneof![Just(0.0f32), Just(1.0)], any::<bool>()), 1..80),
    ) {
        for armed in conditions().iter().filter(|a| !a.needs_clock()) {
            let (mut plain, mut restarted) = (Run::new(armed), Run::new(armed));
            for (dt, p, restart) in &seq {
                let look = Happens::Look { p: Some(*p), enters: 1 };
                plain.happen(*dt, &look);
                if *restart {
                    restarted.restart(*dt);
                    restarted.happen(0, &look);
                } else {
                    restarted.happen(*dt, &look);
                }
            }
            // Neither does it count as being out, for a visit.
            if armed.rule().hold().as_millis() == 0 && armed.rule().dedup.is_none() {
                prop_assert_eq!(&plain.got, &restarted.got, "{}", armed.says());
            }
        }
    }

    /// No alert before its hold is full: the time for which somebody vouches and
    /// the camera was on, from the look at which the condition began to hold.
    #[test]
    fn no_alert_before_its_hold_is_full(
        seq in prop::collection::vec((
            1u64..20_000,
            prop_oneof![3 => Just(Some(1.0f32)), 1 => Just(Some(0.0)), 1 => Just(None)],
            prop::option::weighted(0.2, 0.0f64..1.0),
        ), 1..150),
        hold in 1u64..120,
    ) {
        let rule = json!({"subject": "forklift", "predicate": "count", "comparator": "gt", "threshold": 3,
            "for_seconds": hold, "cooldown_seconds": 0});
        let armed = armed(whole(rule));
        let vouched = armed.wanted_interval().as_millis() as u64 * 3;
        let limit = armed.life().gap_limit().as_millis() as u64;
        let mut run = Run::new(&armed);
        // (when, what, how long off before it)
        let mut looks: Vec<(u64, Option<f32>, u64)> = Vec::new();
        for (dt, p, share) in &seq {
            let told = run.got.len();
            let off = share.map_or(0, |share| (*dt as f64 * share) as u64);
            if share.is_some() {
                run.restart(off);
            }
            run.happen(dt - off, &Happens::Look { p: *p, enters: 0 });
            looks.push((run.now, *p, off));
            let Some((at, _, ago)) = run.got[told..].iter().find(|g| g.1 == Phase::New) else {
                continue;
            };
            let since = at - ago;
            let held: Vec<_> = looks.iter().filter(|l| l.0 >= since).collect();
            prop_assert_eq!((held[0].0, held[0].1), (since, Some(1.0)));
            let known: Vec<usize> = (0..held.len()).filter(|i| held[*i].1.is_some()).collect();
            let mut counted = 0;
            for pair in known.windows(2) {
                let (from, to) = (pair[0], pair[1]);
                let gap = held[to].0 - held[from].0;
                prop_assert!(gap <= limit);
                let off: u64 = held[from + 1..=to].iter().map(|l| l.2).sum();
                counted += (held[from + 1].0 - held[from].0).min(vouched).min(gap - off);
            }
            prop_assert!(counted >= hold * 1000, "held {counted} ms of {hold} s");
        }
    }

    /// At any rate of looks, one contrary frame neither raises nor ends.
    #[test]
    fn one_contrary_look_changes_nothing(
        steady in prop::collection::vec(200u64..5_000, 30..40),
        contrary in 1u64..25_000,
        after in prop::collection::vec(1u64..5_000, 1..30),
        yes in any::<bool>(),
    ) {
        let armed = &conditions()[1];
        let mut run = Run::new(armed);
        let look = |yes: bool| Happens::Look { p: Some(if yes { 1.0 } else { 0.0 }), enters: 0 };
        steady.iter().for_each(|dt| run.happen(*dt, &look(yes)));
        run.happen(contrary, &look(!yes));
        after.iter().for_each(|dt| run.happen(*dt, &look(yes)));
        let count = |phase| run.got.iter().filter(|g| g.1 == phase).count();
        prop_assert_eq!((count(Phase::New), count(Phase::End)), (usize::from(yes), 0));
    }

    /// Times from anywhere, forwards and backwards, do not panic.
    #[test]
    fn any_times_are_survived(
        times in prop::collection::vec((any::<u64>(), prop::option::of(any::<i64>()), 0u8..4), 1..60),
    ) {
        for armed in conditions().iter().chain(&passages()) {
            let mut life = armed.life();
            for (mono, wall, what) in &times {
                let now = Moment {
                    mono: Mono::from_nanos(*mono),
                    wall: wall.and_then(|s| Timestamp::from_second(s % 300_000_000_000).ok()),
                };
                let person = Detection { class: "person".into(), score: f32::NAN, bbox: BBox { x: 0.0, y: 0.0, w: 0.1, h: 0.1 } };
                match what {
                    0 => { life.tick(now); }
                    1 => { life = armed.resume(&life.snapshot(now), now); }
                    2 => { life.sent(now.mono); }
                    _ => {
                        let detections = [person];
                        life.observe(now, &Seen { detections: Some(&detections), tracks: Some(&[]), ..Seen::default() });
                    }
                }
                life.why(now);
                life.state(now);
                life.next_wake(now);
                life.wanted_interval();
            }
        }
    }
}

/// A day of a crowd that runs in and out: what is remembered stays bounded.
#[test]
fn memory_is_bounded() {
    let rule = json!({"subject": "person", "predicate": "event", "action": "enter", "zone": "yard",
        "comparator": "gt", "threshold": 1_000_000, "window_seconds": 86_400});
    let armed = armed(whole(rule));
    let mut run = Run::new(&armed);
    for _ in 0..200 {
        run.happen(
            1_000,
            &Happens::Look {
                p: Some(0.0),
                enters: 250,
            },
        );
    }
    let kept = serde_json::to_value(run.life.snapshot(run.moment(run.now))).unwrap();
    assert_eq!(kept["passages_ago"][0].as_array().unwrap().len(), 10_000);
    assert_eq!(run.life.value(), Some(10_000));
}
