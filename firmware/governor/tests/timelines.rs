//! Governors on a small board, as timelines.

mod common;

use std::collections::BTreeMap;

use common::*;
use governor::{Cause, Config, Decision, Governor, Learned, Thermal, Wish};
use scene::{Celsius, Joules, Quantity, Source, Watts};

fn capped(watts: f64) -> Governor {
    Governor::new(Config {
        cap: Some(Watts(watts)),
        ..config()
    })
}

/// Looks that started within these seconds.
fn looks_in(ran: &Ran, from: f64, to: f64) -> usize {
    let within = |(t, _): &&(f64, String)| (from..to).contains(t);
    ran.starts.iter().filter(within).count()
}

fn go(g: &mut Governor, from: f64, seconds: f64, plant: &Plant) -> Ran {
    run(g, from, seconds, plant, &BTreeMap::new())
}

#[test]
fn with_watts_to_spare_every_rule_is_looked_at_as_wanted() {
    let mut g = Governor::new(config());
    for (name, wanted) in [("a", 5.0), ("b", 5.0), ("c", 20.0)] {
        g.register(id(name), wish(wanted, 5, 1));
    }
    let ran = go(&mut g, 10.0, 600.0, &CALM);
    assert!(
        (115..=125).contains(&ran.by_rule[&id("a")]),
        "{:?}",
        ran.by_rule
    );
    assert!(
        (29..=41).contains(&ran.by_rule[&id("c")]),
        "{:?}",
        ran.by_rule
    );
    let shared = ran.starts.len() as u64 <= ran.by_rule[&id("a")] + 2;
    assert!(
        shared,
        "rules that are due together share a look: {}",
        ran.starts.len()
    );
    assert!(ran.together >= 115);
    for rule in ["a", "b", "c"] {
        assert_eq!(g.slowed(&id(rule)), None);
    }
    assert_eq!(g.interval_now(&id("a")), Some(secs(5.0)));
    let blind = g.blind(&id("a"), at(610.0)).unwrap();
    assert!(blind < secs(11.0), "{blind:?}");
}

#[test]
fn under_shortage_the_lowest_priority_slows_first_and_none_starves() {
    let mut g = capped(0.4);
    g.register(id("low"), wish(1.0, 1, 1));
    g.register(id("high"), wish(5.0, 9, 1));
    go(&mut g, 0.0, 300.0, &CALM);
    let ran = go(&mut g, 300.0, 3_600.0, &CALM);
    assert!(ran.blind[&id("high")] < 7.5, "{:?}", ran.blind);
    assert!(g.slowed(&id("high")).is_none() && g.slowed(&id("low")).is_some());
    assert!(ran.blind[&id("low")] <= 65.0, "{:?}", ran.blind);

    // Less than everyone's floor costs: all slow, all are still looked at.
    let mut g = capped(0.01);
    g.register(id("low"), wish(1.0, 1, 1));
    g.register(id("high"), wish(5.0, 9, 1));
    let ran = go(&mut g, 0.0, 20_000.0, &CALM);
    assert!(ran.joules <= 0.01 * 20_000.0 + 6.0, "{} J", ran.joules);
    assert!(ran.by_rule[&id("low")] > 50, "{:?}", ran.by_rule);
    assert!(ran.by_rule[&id("high")] > 50, "{:?}", ran.by_rule);
}

#[test]
fn a_hold_is_looked_at_thrice_before_others_are_slowed_less() {
    // A hold of 15 s needs a look each 5 s, however low its priority.
    let mut g = capped(0.7);
    let holding = Wish {
        need: Some(secs(5.0)),
        ..wish(1.0, 1, 1)
    };
    g.register(id("holding"), holding);
    g.register(id("other"), wish(1.0, 2, 1));
    go(&mut g, 0.0, 200.0, &CALM);
    let ran = go(&mut g, 200.0, 1_000.0, &CALM);
    assert!(ran.blind[&id("holding")] < 6.5, "{:?}", ran.blind);
    g.set_wanted(&id("holding"), secs(1.0), None);
    go(&mut g, 1_200.0, 200.0, &CALM);
    assert!(g.interval_now(&id("holding")) > Some(secs(6.5)));
}

#[test]
fn the_share_is_used_and_not_passed_while_work_waits() {
    let mut g = capped(0.6);
    for (name, priority) in [("a", 2), ("b", 2), ("c", 8)] {
        g.register(id(name), wish(0.5, priority, 1));
    }
    go(&mut g, 0.0, 300.0, &CALM);
    let ran = go(&mut g, 300.0, 3_600.0, &CALM);
    let used = ran.joules / (0.6 * 3_600.0);
    assert!((0.9..=1.02).contains(&used), "used {used:.2} of the share");
    let why = g.slowed(&id("a")).expect("slowed");
    assert!(why.contains("instead of 0.5 s: 0.60 W"), "{why}");
    let low_first = g.interval_now(&id("a")) > g.interval_now(&id("c"));
    assert!(low_first, "low slows first");
    let most = ran.blind.values().fold(0.0f64, |m, b| m.max(*b));
    assert!(most < 65.0, "{:?}", ran.blind);
}

#[test]
fn no_look_starts_that_would_break_the_allotment() {
    let mut g = Governor::new(config());
    g.register(id("a"), wish(1.0, 5, 1));
    // The infrared light goes on at 300 s and off at 600 s.
    let night = Plant {
        base: &|t| {
            if (300.0..600.0).contains(&t) {
                11.0
            } else {
                6.0
            }
        },
        ..CALM
    };
    let ran = go(&mut g, 0.0, 900.0, &night);
    assert_eq!(looks_in(&ran, 302.0, 600.0), 0);
    assert!(looks_in(&ran, 0.0, 300.0) > 250 && looks_in(&ran, 605.0, 900.0) > 250);
    let (_, cause, reason) = ran.holds.iter().find(|(t, ..)| *t > 400.0).unwrap();
    assert_eq!(*cause, Cause::Peak);
    assert!(
        reason.contains("a look adds 3.") && reason.contains("allotment of 12.9"),
        "{reason}"
    );
}

#[test]
fn room_is_kept_for_what_switches_on() {
    let night = Plant {
        base: &|t| if t > 300.0 { 9.0 } else { 5.0 },
        ..CALM
    };
    // 5 W and 4 W of infrared light and 3 W: 12 W, of which 11.7 may be used
    // by sensors that are 7 % off.
    let board = |tolerance, step| Config {
        idle: Watts(5.0),
        switched: Watts(4.0),
        tolerance,
        points: vec![told("f32/256px/1t/1c", 0.9, step, 5.0, 0.1)],
        ..config()
    };
    let mut g = Governor::new(board(0.0, 3.0));
    g.register(id("a"), wish(1.0, 5, 1));
    let takes = Plant {
        takes: &|_, _| 5.0,
        ..night
    };
    let ran = go(&mut g, 0.0, 600.0, &takes);
    assert!(ran.given_up.is_empty() && looks_in(&ran, 310.0, 600.0) > 40);
    assert!(ran.peak <= 12.95);
    // Too little for both: it looks by day, since a sensor would tell in time,
    // and gives up what is under way at dusk.
    let dim = Plant {
        base: &|t| if t > 302.0 { 10.2 } else { 5.0 },
        ..takes
    };
    let mut g = Governor::new(board(0.07, 3.0));
    g.register(id("a"), wish(1.0, 5, 1));
    let ran = go(&mut g, 0.0, 600.0, &dim);
    assert!(looks_in(&ran, 0.0, 300.0) > 40);
    assert_eq!(looks_in(&ran, 305.0, 600.0), 0);
    let (t, why) = &ran.given_up[0];
    assert!(
        (302.0..306.0).contains(t) && why.contains("12.9 W are granted"),
        "{t}: {why}"
    );
    // Without a sensor nobody would tell.
    let mut g = Governor::new(board(0.07, 3.5));
    g.register(id("a"), wish(1.0, 5, 1));
    let ran = go(
        &mut g,
        0.0,
        300.0,
        &Plant {
            sensor: false,
            ..takes
        },
    );
    assert_eq!(ran.starts.len(), 0);
    assert!(ran.holds[0].2.contains("4.0 W can switch on") || ran.holds[0].1 == Cause::Peak);
}

#[test]
fn a_lower_class_ends_the_look_under_way_and_a_limit_counts() {
    let mut g = Governor::new(config());
    g.register(id("a"), wish(0.5, 5, 1));
    let lower = Plant {
        granted: &|t| {
            if (200.0..400.0).contains(&t) {
                6.49
            } else {
                12.95
            }
        },
        takes: &|_, _| 4.0,
        ..CALM
    };
    let ran = go(&mut g, 0.0, 600.0, &lower);
    assert_eq!(ran.given_up.len(), 1);
    assert!((200.0..201.0).contains(&ran.given_up[0].0));
    assert_eq!(looks_in(&ran, 201.0, 400.0), 0);
    assert!(looks_in(&ran, 400.0, 420.0) > 3, "back at once");
    g.set_limit(Some(Watts(6.0)));
    let ran = go(&mut g, 600.0, 100.0, &CALM);
    assert_eq!(ran.starts.len(), 0);
    assert_eq!(g.state().allotment.value, Watts(6.0));
    g.set_limit(Some(Watts(99.0)));
    go(&mut g, 700.0, 10.0, &CALM);
    assert_eq!(g.state().allotment.value, Watts(12.95), "never raised");
    g.set_limit(None);
    assert!(go(&mut g, 710.0, 100.0, &CALM).starts.len() > 100);
}

fn three_points() -> Config {
    Config {
        points: vec![
            told("f32/256px/1t/2c", 0.9, 4.0, 0.5, 0.1),
            told("f32/192px/1t/1c", 0.8, 2.5, 0.4, 0.1),
            told("f32/128px/1t/1c", 0.7, 2.5, 0.15, 0.05),
        ],
        ..Config::default()
    }
}

#[test]
fn answers_get_cheaper_under_shortage_and_better_after_it() {
    let mut g = Governor::new(three_points());
    g.register(id("a"), wish(1.0, 5, 1));
    let board = Plant {
        granted: &|t| {
            if (300.0..2_000.0).contains(&t) {
                8.0
            } else {
                12.95
            }
        },
        step: &|_, point| if point.ends_with("2c") { 4.0 } else { 2.5 },
        ..CALM
    };
    let mut points: Vec<String> = Vec::new();
    let ran = go(&mut g, 0.0, 4_000.0, &board);
    for (_, point) in &ran.starts {
        if points.last() != Some(point) {
            points.push(point.clone());
        }
    }
    // 8 W leave no room for 4 W; a limit that is lifted is used again at once.
    assert_eq!(
        points,
        ["f32/256px/1t/2c", "f32/192px/1t/1c", "f32/256px/1t/2c"]
    );
    let back = ran
        .starts
        .iter()
        .rev()
        .find(|(_, p)| p.contains("192px"))
        .unwrap()
        .0;
    assert!((2_000.0..2_030.0).contains(&back), "{back}");
}

#[test]
fn rules_that_want_more_than_there_is_get_cheaper_answers() {
    let mut g = Governor::new(three_points());
    for n in 0..12 {
        g.register(id(&format!("r{n}")), wish(1.0, 5, 2));
    }
    let questions = (0..12).map(|n| (id(&format!("r{n}")), 2)).collect();
    let takes = |point: &str, n: usize| match point.contains("128px") {
        true => 0.15 + 0.05 * n as f64,
        false => 0.45 + 0.1 * n as f64,
    };
    let quick = Plant {
        takes: &takes,
        ..CALM
    };
    let ran = run(&mut g, 0.0, 900.0, &quick, &questions);
    assert_eq!(ran.starts.last().unwrap().1, "f32/128px/1t/1c");
    let why = g.slowed(&id("r1")).unwrap();
    assert!(why.contains("more of them than there is time for"), "{why}");
}

#[test]
fn watts_are_learned_where_they_are_measured() {
    let mut g = Governor::new(config());
    g.register(id("a"), wish(2.0, 5, 2));
    let (told, questions) = (g.cost_of(secs(5.0), 1), BTreeMap::from([(id("a"), 2)]));
    assert_eq!(
        (told.source, told.check_every_seconds),
        (Source::Modelled, 5.0)
    );
    assert!((told.watts - told.joules_per_check / 5.0).abs() < 1e-9 && !g.learned());
    let dear = Plant {
        step: &|_, _| 4.2,
        takes: &|_, n| 0.4 + 0.25 * n as f64,
        ..CALM
    };
    run(&mut g, 0.0, 900.0, &dear, &questions);
    let (cost, state) = (g.cost(&id("a")).unwrap(), g.state());
    assert!(
        (cost.joules_per_check / (4.2 * 0.9) - 1.0).abs() < 0.05,
        "{cost:?}"
    );
    assert_eq!(cost.source, Source::Measured);
    assert_eq!(state.watts_per_inference.source, Source::Measured);
    assert!(
        (state.baseline.value.0 - 4.0).abs() < 0.2,
        "{:?}",
        state.baseline
    );
    // What was learned is kept, and nonsense is not taken up.
    let kept = g.keep();
    let json = serde_json::to_string(&kept).unwrap();
    let mut again = Governor::new(config());
    again.recall(&serde_json::from_str::<Learned>(&json).unwrap());
    let recalled = again.cost_of(secs(2.0), 2).joules_per_check;
    assert!((recalled / cost.joules_per_check - 1.0).abs() < 0.01);
    let mut mad = kept;
    mad.points[0].step = Watts(f64::NAN);
    mad.lowest = Some(Watts(-7.0));
    let mut fresh = Governor::new(config());
    fresh.recall(&mad);
    assert_eq!(
        fresh.cost_of(secs(2.0), 2),
        Governor::new(config()).cost_of(secs(2.0), 2)
    );
}

#[test]
fn one_odd_look_teaches_nothing_and_many_do() {
    let mut g = Governor::new(config());
    g.register(id("a"), wish(2.0, 5, 1));
    go(&mut g, 0.0, 300.0, &CALM);
    let before = g.cost(&id("a")).unwrap().joules_per_check;
    assert!(matches!(g.decide(at(301.9)), Decision::Look { .. }));
    g.settle(at(307.0), Quantity::modelled(Joules(500.0)), secs(5.0), 1);
    let after = g.cost(&id("a")).unwrap().joules_per_check;
    assert!((after / before - 1.0).abs() < 0.1, "{before} {after}");
    for absurd in [f64::NAN, -1.0, f64::INFINITY] {
        g.settle(at(308.0), Quantity::modelled(Joules(absurd)), secs(0.5), 2);
        assert!(g.state().saved.0.is_finite());
    }
    let slow = Plant {
        takes: &|_, _| 1.2,
        ..CALM
    };
    go(&mut g, 310.0, 60.0, &slow);
    let after = g.cost(&id("a")).unwrap().joules_per_check;
    assert!((after / 3.6 - 1.0).abs() < 0.15, "{after}");
}

#[test]
fn a_step_that_lets_no_look_start_is_forgotten() {
    // Looks draw twice what was told, until the board has no room for that.
    let mut g = Governor::new(config());
    g.register(id("a"), wish(2.0, 5, 1));
    let dear = Plant {
        base: &|t| if t > 600.0 { 7.0 } else { 4.0 },
        step: &|t, _| if t > 600.0 { 3.0 } else { 6.0 },
        ..CALM
    };
    let ran = go(&mut g, 0.0, 600.0, &dear);
    assert!(ran.starts.len() > 250);
    let ran = go(&mut g, 600.0, 3_000.0, &dear);
    assert_eq!(looks_in(&ran, 610.0, 700.0), 0);
    assert!(
        looks_in(&ran, 1_600.0, 3_600.0) > 900,
        "{}",
        looks_in(&ran, 1_600.0, 3_600.0)
    );
}

#[test]
fn without_a_sensor_it_reckons_and_keeps_a_wider_margin() {
    let mut g = Governor::new(config());
    g.register(id("a"), wish(1.0, 5, 1));
    let blind = Plant {
        sensor: false,
        base: &|_| 5.0,
        ..CALM
    };
    let ran = go(&mut g, 0.0, 300.0, &blind);
    assert!(ran.starts.len() > 250);
    let state = g.state();
    assert_eq!(state.baseline, Quantity::modelled(Watts(5.0)));
    assert_eq!(
        (state.board, state.watts_per_inference.source),
        (None, Source::Modelled)
    );
    let sees = Governor::new(config());
    let margin = |mut g: Governor, r| {
        g.observe(at(1.0), &r);
        g.state().margin.0
    };
    assert!(margin(sees.clone(), unmeasured(12.95)) > margin(sees, readings(12.95, 5.0)) + 0.4);
}

#[test]
fn heat_stops_looks_until_it_is_cooler() {
    let mut g = Governor::new(config());
    g.register(id("a"), wish(1.0, 5, 1));
    let hot = Plant {
        celsius: &|t| {
            Some(match t {
                t if t < 100.0 => 60.0,
                t if t < 200.0 => 94.5,
                t if t < 300.0 => 90.0,
                _ => 70.0,
            })
        },
        ..CALM
    };
    let ran = go(&mut g, 0.0, 900.0, &hot);
    assert!(looks_in(&ran, 0.0, 100.0) > 80);
    assert_eq!(looks_in(&ran, 120.0, 300.0), 0, "not cool enough yet");
    assert!(looks_in(&ran, 320.0, 900.0) > 100);
    let (_, _, reason) = ran
        .holds
        .iter()
        .find(|(_, c, _)| *c == Cause::Heat)
        .unwrap();
    assert!(reason.contains("95 °C is critical"), "{reason}");
}

#[test]
fn looks_get_rarer_before_it_is_too_hot() {
    let thermal = Thermal {
        derate: Celsius(80.0),
        ..Thermal::default()
    };
    let mut g = Governor::new(Config {
        thermal,
        ..config()
    });
    g.register(id("a"), wish(0.5, 5, 1));
    // Air of 45 °C and 5.38 W keep the die at 80 °C; the board alone draws 4 W.
    let die = std::cell::Cell::new((45.0, 0.0));
    let drawn = std::cell::Cell::new(0.0f64);
    let warm = Plant {
        celsius: &|_| {
            let (case, rise) = die.get();
            let watts = 4.0 + drawn.get();
            die.set((
                case + (45.0 + 4.0 * watts - case) / 1_800.0,
                rise + (2.5 * watts - rise) / 40.0,
            ));
            Some(case + rise)
        },
        ..CALM
    };
    let mut hottest = 0.0f64;
    for minute in 0..240 {
        let ran = go(&mut g, f64::from(minute) * 60.0, 60.0, &warm);
        drawn.set(ran.joules / 60.0);
        let (case, rise) = die.get();
        hottest = hottest.max(case + rise);
    }
    let (case, rise) = die.get();
    assert!((77.0..83.0).contains(&(case + rise)), "{}", case + rise);
    assert!(hottest < 86.0, "{hottest}");
    assert!((1.0..1.7).contains(&drawn.get()), "{}", drawn.get());
    let why = g.slowed(&id("a")).unwrap();
    assert!(why.contains("cool enough"), "{why}");
    assert_eq!(g.state().throttle.unwrap().cause, Cause::Heat);
}

#[test]
fn a_look_that_did_not_happen_costs_nothing() {
    let mut g = Governor::new(config());
    g.register(id("a"), wish(5.0, 5, 1));
    g.observe(at(0.0), &readings(12.95, 4.0));
    assert!(matches!(g.decide(at(0.0)), Decision::Look { .. }));
    assert!(matches!(
        g.decide(at(0.1)),
        Decision::Hold {
            cause: Cause::Busy,
            ..
        }
    ));
    g.cancel(at(0.1));
    let before = g.state().saved;
    assert!(matches!(g.decide(at(0.3)), Decision::Look { .. }));
    g.cancel(at(0.4));
    g.cancel(at(0.5));
    assert!(g.state().saved >= before);
}

#[test]
fn a_rule_that_holds_is_looked_at_sooner() {
    let mut g = Governor::new(config());
    g.register(id("a"), wish(30.0, 5, 1));
    let look = |g: &mut Governor, t| {
        g.observe(at(t), &readings(12.95, 4.0));
        let look = matches!(g.decide(at(t)), Decision::Look { .. });
        if look {
            g.settle(at(t + 0.4), Quantity::modelled(Joules(1.2)), secs(0.4), 1);
        }
        look
    };
    assert!(look(&mut g, 0.0));
    assert!(!look(&mut g, 5.0));
    g.set_wanted(&id("a"), secs(3.0), None);
    assert!(look(&mut g, 5.1));
    g.remove(&id("a"));
    assert!(!look(&mut g, 60.0));
    assert_eq!(g.interval_now(&id("a")), None);
}

#[test]
fn a_rule_that_cannot_fit_is_told_what_could() {
    let mut g = capped(0.1);
    g.register(id("a"), wish(5.0, 5, 1));
    g.observe(at(0.0), &readings(12.95, 4.0));
    // 0.4 s of 3 W each 60 s take 0.02 W; each question more 0.005 W.
    let cost = g.fits(&id("b"), &wish(5.0, 5, 1)).unwrap();
    assert!(
        (cost.watts - 0.24).abs() < 0.01 && cost.source == Source::Modelled,
        "{cost:?}"
    );
    let over = g.fits(&id("b"), &wish(5.0, 5, 40)).unwrap_err();
    let every = over.feasible.unwrap();
    assert!(every > secs(60.0) && every < secs(300.0), "{over:?}");
    assert!(
        over.needs > over.left && (over.left.0 - 0.1).abs() < 1e-6,
        "{over:?}"
    );
    let slower = wish(every.as_secs_f64(), 5, 40);
    assert!(
        g.fits(&id("b"), &slower).is_ok(),
        "what is offered is granted"
    );
    assert!(
        g.fits(&id("a"), &wish(5.0, 5, 10)).is_ok(),
        "a rule does not stand in its own way"
    );
    let mut g = capped(0.0);
    g.observe(at(0.0), &readings(12.95, 4.0));
    assert_eq!(
        g.fits(&id("b"), &wish(5.0, 5, 1)).unwrap_err().feasible,
        None
    );
}

#[test]
fn a_still_scene_saves_joules_and_teaches_nothing_about_looks() {
    let mut g = capped(0.4);
    g.register(id("a"), wish(2.0, 5, 1));
    let slow = Plant {
        takes: &|_, _| 1.3,
        ..CALM
    };
    let busy = go(&mut g, 10.0, 600.0, &slow);
    let (cost, pace) = (g.cost(&id("a")).unwrap(), g.interval_now(&id("a")).unwrap());
    assert!(pace > secs(6.0), "{pace:?}");
    // Nothing changes: 14 of 15 looks need no model.
    let (mut t, mut looks, mut saved) = (610.0, 0u32, 0u32);
    while t < 1_210.0 {
        g.observe(at(t), &readings(12.95, 4.0));
        match g.decide(at(t)) {
            Decision::Look { .. } => {
                looks += 1;
                t += 0.1;
                match looks.is_multiple_of(15) {
                    true => drop(g.settle(at(t), Quantity::modelled(Joules(3.9)), secs(1.3), 1)),
                    false => {
                        saved += 1;
                        g.reused(at(t));
                    }
                }
            }
            Decision::Hold { until, .. } => t = (until.as_secs_f64() + 1e-6).min(t + 5.0),
        }
    }
    assert!(
        looks as usize > busy.starts.len() * 2,
        "{looks} against {}",
        busy.starts.len()
    );
    assert!(saved > 100);
    let change = g.cost(&id("a")).unwrap().joules_per_check / cost.joules_per_check - 1.0;
    assert!(change.abs() < 0.1, "looks did not get cheaper: {change}");
}
