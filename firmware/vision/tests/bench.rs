//! The bench measures, on a model of the tests' size, and says what it was
//! asked to say.

mod common;

use common::{runtime, tiny_vlm};
use vision::bench::{Bench, run};

fn bench(rules: usize, zones: usize) -> Bench {
    runtime();
    Bench {
        model: tiny_vlm(),
        variant: None,
        rules,
        zones,
        threads: 1,
        rounds: 1,
    }
}

#[test]
fn a_report_has_every_key_and_numbers_that_can_be() {
    let mut said = Vec::new();
    let mut say = |what: &str| said.push(what.to_owned());
    let allocations = || 7;
    let report = run(&bench(8, 0), &mut say, Some(&allocations)).unwrap();
    assert!(said.iter().any(|what| what == "round 1 of 1"), "{said:?}");
    let json = serde_json::to_value(&report).unwrap();
    for key in [
        "rules",
        "frame_cpu_ms",
        "per_answer_cpu_ms",
        "naive_per_answer_cpu_ms",
        "naive_over_shared",
        "frame_over_one_rule",
        "bytes_per_answer",
        "rss_mb",
    ] {
        assert!(json[key].as_f64().unwrap() > 0.0, "{key}: {json}");
    }
    for stage in ["process", "encode", "prefill", "score"] {
        assert!(json["stages"][stage].as_f64().unwrap() >= 0.0, "{stage}");
    }
    for key in ["gflops", "gbps"] {
        assert!(json["machine"][key].as_f64().unwrap() > 0.0, "{key}");
    }
    assert_eq!((report.rules, report.unknown), (8, 0));
    assert_eq!(report.allocations, Some(0), "the counter stood still");
    assert_eq!(report.per_answer_cpu_ms, report.frame_cpu_ms / 8.0);
}

#[test]
fn no_answer_depends_on_which_others_are_asked_for() {
    for zones in [0, 3] {
        let report = run(&bench(9, zones), &mut |_| (), None).unwrap();
        assert_eq!(report.neighbour_sigma, 0.0, "{zones} zones");
    }
}

#[test]
fn a_model_that_is_no_model_is_named() {
    let nowhere = Bench {
        model: "/nowhere/at-all".into(),
        ..bench(1, 0)
    };
    let error = run(&nowhere, &mut |_| (), None).unwrap_err();
    assert!(error.to_string().contains("/nowhere/at-all"), "{error}");
}
