//! `watchword simulate` as a person or a script runs it.

use std::path::Path;
use std::process::{Command, Output};

fn simulate(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_watchword"))
        .arg("simulate")
        .args(args)
        .output()
        .unwrap()
}

fn scenario(name: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sim/scenarios");
    dir.join(name).display().to_string()
}

#[test]
fn scripts_get_their_keys_and_people_a_plot() {
    let dir = tempfile::tempdir().unwrap();
    let plot = dir.path().join("day.svg");
    let (file, plot) = (scenario("class-3-tight.toml"), plot.display().to_string());
    let out = simulate(&[
        "--scenario",
        &file,
        "--days",
        "0.25",
        "--json",
        "--plot",
        &plot,
    ]);
    assert!(out.status.success(), "{out:?}");
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(json["scenario"], "class-3-tight");
    assert_eq!(json["days"], 0.25);
    for key in [
        "unsafe_starts",
        "pse_cuts",
        "pse_cuts_without_inference",
        "critical_seconds",
        "budget_used",
        "checks_per_hour",
        "operating_point_changes_per_hour",
    ] {
        assert!(json[key].is_number(), "{key}: {}", json[key]);
    }
    for other in ["fixed", "on_off"] {
        let checks = &json["baselines"][other]["checks_per_hour"];
        assert!(checks.as_f64().unwrap() > 0.0, "{other}");
    }
    assert!(json["max_blind_seconds"]["rule-0"].as_f64().unwrap() > 0.0);
    assert_eq!(json["unsafe_starts"], 0);
    let svg = std::fs::read_to_string(plot).unwrap();
    assert!(svg.starts_with("<svg"), "{}", &svg[..40]);
}

#[test]
fn a_bad_scenario_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bad.toml");
    let good = std::fs::read_to_string(scenario("calm-day.toml")).unwrap();
    std::fs::write(&path, good.replace("idle_watts = ", "idle_watts = -")).unwrap();
    let out = simulate(&["--scenario", &path.display().to_string()]);
    assert_eq!(out.status.code(), Some(2));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        said.contains("bad.toml") && said.contains("board.idle_watts"),
        "{said}"
    );
    let out = simulate(&["--scenario", "no/such.toml"]);
    assert_eq!(out.status.code(), Some(2));
}
