//! The gate on a part of the labelled set: what it must not miss, and how
//! often it may open for nothing. The whole set: `cargo run --release -p vision
//! --example gate`.

#[path = "common/changes.rs"]
mod changes;

use changes::{Case, watch_all};
use render::changes::{Kind, Label, Sequence};

/// From some seconds before the change to some after it is complete.
fn near(sequence: &Sequence) -> std::ops::Range<usize> {
    match sequence.change {
        Some(change) => change.from as usize - 10..(change.until as usize + 8).min(sequence.frames),
        None => 0..40,
    }
}

fn kinds(label: Label) -> Vec<Kind> {
    (Kind::ALL.into_iter())
        .filter(|kind| kind.label() == label && !kind.at_the_limit())
        .collect()
}

fn told(case: &Case) -> String {
    format!(
        "{} of seed {} (contrast {:?})",
        case.kind.name(),
        case.seed,
        case.contrast
    )
}

#[test]
fn no_change_of_the_set_is_missed_in_the_picture_or_its_zone() {
    let seeds = 100..102;
    let mut cases = watch_all(&kinds(Label::Change), seeds.clone(), near);
    cases.extend(watch_all(&kinds(Label::Light), seeds, near));
    assert_eq!(cases.len(), 26);
    for case in &cases {
        let seen = |watched| case.delay(watched, |look| look.opened);
        let delay = seen(&case.whole);
        assert!(delay.is_some(), "missed: {}", told(case));
        // What comes at once is seen at once; what creeps, long before it is
        // complete.
        let most = match case.kind {
            Kind::FadeIn | Kind::SlowWalk => 30.0,
            Kind::Passing => 4.0,
            _ => 0.0,
        };
        assert!(delay <= Some(most), "{delay:?} s: {}", told(case));
        if let Some(zone) = &case.with {
            assert!(seen(zone).is_some(), "missed in its zone: {}", told(case));
        }
        if let Some(zone) = &case.without
            && case.kind != Kind::InRain
        {
            let opened = zone.looks.iter().filter(|look| look.opened).count();
            assert!(opened <= 1, "opened {opened} times beside: {}", told(case));
        }
    }
}

#[test]
fn light_noise_and_motion_elsewhere_do_not_open_it() {
    let mut cases = watch_all(&kinds(Label::Nothing), 100..101, near);
    cases.extend(watch_all(&kinds(Label::Elsewhere), 100..101, near));
    for case in &cases {
        let looks = match &case.without {
            // What moves is seen in the whole picture, and not beside it.
            Some(beside) => {
                let seen = case.whole.looks.iter().any(|look| look.opened);
                assert!(seen, "blind: {}", told(case));
                &beside.looks
            }
            None => &case.whole.looks,
        };
        // Rain is let pass as change: that costs looks and misses nothing.
        if case.kind == Kind::Rain {
            continue;
        }
        let opened = looks.iter().filter(|look| look.opened).count();
        assert_eq!(opened, 0, "opened for nothing: {}", told(case));
        let asked = looks.iter().filter(|look| look.asked).count();
        assert!(asked * 10 <= looks.len(), "{asked} of {}", looks.len());
    }
}
