//! Whatever the board does.

mod common;

use std::collections::BTreeMap;

use common::*;
use governor::{Decision, Governor};
use proptest::{prelude::*, test_runner::RngSeed};
use scene::{Celsius, Id, Joules, Quantity};

proptest! {
    // The same cases at every run; PROPTEST_RNG_SEED and PROPTEST_CASES choose others.
    #![proptest_config(ProptestConfig { cases: 48, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    /// Whatever the board does: no unsafe start as far as the sensor tells, and
    /// time and numbers stay sane.
    #[test]
    fn the_allotment_holds(
        rules in prop::collection::vec((0.1f64..30.0, 0u8..10, 0usize..5), 1..12),
        loads in prop::collection::vec(3.0f64..13.0, 1..20),
        fixed in 0.05f64..2.0, each in 0.0f64..0.5,
    ) {
        let mut g = Governor::new(config());
        let mut questions: BTreeMap<Id, usize> = BTreeMap::new();
        for (i, (wanted, priority, asked)) in rules.iter().enumerate() {
            let rule = id(&format!("r{i}"));
            g.register(rule.clone(), wish(*wanted, *priority, *asked));
            questions.insert(rule, *asked);
        }
        let plant = Plant {
            base: &|t| loads[(t / 30.0) as usize % loads.len()],
            takes: &|_, n| fixed + each * n as f64,
            ..CALM
        };
        let ran = run(&mut g, 0.0, 600.0, &plant, &questions);
        for (t, _) in &ran.starts {
            // What was read last, two thirds of a second ago at most; a step
            // of the board is believed within four seconds, even while little
            // is known of looks.
            let seen = (0..9).map(|n| (plant.base)((t - f64::from(n) * 0.5).max(0.0)));
            let least = seen.fold(f64::MAX, f64::min);
            prop_assert!(least + 3.0 <= 12.95, "at {t}: {least} W");
        }
        prop_assert!(g.state().saved.0.is_finite());
    }

    #[test]
    fn mad_readings_are_survived(
        mad in prop::collection::vec((any::<f64>(), any::<f64>(), any::<f64>(), 0u64..5_000, any::<bool>()), 1..80),
    ) {
        let mut g = Governor::new(config());
        g.register(id("a"), wish(1.0, 5, 1));
        for (allotment, board, celsius, ms, settle) in mad {
            let mut r = readings(allotment, board);
            r.hottest = Some(scene::ports::Reading::measured(Celsius(celsius), "soc"));
            let now = scene::Mono::from_millis(ms);
            g.observe(now, &r);
            if let Decision::Look { .. } = g.decide(now) {
                match settle {
                    true => drop(g.settle(now, Quantity::modelled(Joules(board)), secs(0.3), 1)),
                    false => g.cancel(now),
                }
            }
            let s = g.state();
            prop_assert!(s.saved.0.is_finite() && s.share.0.is_finite() && s.share.0 >= 0.0);
            prop_assert!(s.watts_per_inference.value.0 > 0.0);
        }
    }
}
