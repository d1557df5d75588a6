//! `watchword plan`, as a person runs it. A case is a folder of `tests/plan`:
//! `args` (one a line; files are those of the folder) and `expected.txt`, its
//! exit code and what it prints. `UPDATE_EXPECT=1` writes the latter.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

fn repository() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    path.canonicalize().expect("a checkout")
}

/// Runs in the repository, where the model and its runtime are found; files of
/// `folder` are named as if it ran there.
fn run(args: &[&str], folder: &Path) -> Output {
    let named = |arg: &&str| match folder.join(arg) {
        file if file.is_file() => file.display().to_string(),
        _ => (*arg).to_owned(),
    };
    Command::new(env!("CARGO_BIN_EXE_watchword"))
        .arg("plan")
        .args(args.iter().map(named))
        .current_dir(repository())
        .env("WATCHWORD_SHARE", repository())
        .env("WATCHWORD_LOG", "error")
        .output()
        .expect("the program runs")
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("an exit code");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let repository = repository().display().to_string();
    let err = err.replace(&format!("{repository}/"), "");
    let err = if err.is_empty() {
        err
    } else {
        format!("--- stderr\n{err}")
    };
    format!("exit {code}\n{out}{err}")
}

#[test]
fn the_cases() {
    let folder = repository().join("firmware/watchword/tests/plan");
    let cases = fs::read_dir(&folder).expect("there are cases").flatten();
    let mut cases: Vec<PathBuf> = cases.map(|case| case.path()).collect();
    cases.sort();
    assert!(cases.len() >= 10, "{cases:?}");
    let mut wrong = Vec::new();
    for case in cases {
        let args = fs::read_to_string(case.join("args")).expect("a case has args");
        let args: Vec<&str> = args.lines().collect();
        let told = told(&run(&args, &case));
        if !args.contains(&"--json") {
            let table = told.split("--- stderr").next().unwrap_or_default();
            for line in table.lines() {
                let long = line.chars().count();
                assert!(long <= 100, "{long}: {line}");
            }
        }
        let expected = case.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&expected, &told).expect("writable");
        } else if fs::read_to_string(&expected).unwrap_or_default() != told {
            wrong.push(format!("{}:\n{told}", case.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "UPDATE_EXPECT=1 accepts these:\n\n{}",
        wrong.join("\n\n")
    );
    the_guide();
}

/// What the guide shows is what the command in it prints.
fn the_guide() {
    let case = repository().join("firmware/watchword/tests/plan/the-guide");
    let expected = fs::read_to_string(case.join("expected.txt")).unwrap();
    let (_, table) = expected.split_once('\n').expect("exit code and table");
    let guide = repository().join("docs/guides/power.md");
    let text = fs::read_to_string(&guide).unwrap();
    let args = fs::read_to_string(case.join("args")).unwrap();
    let quoted = |arg: &str| match arg.contains(' ') {
        true => format!("\"{arg}\""),
        false => arg.into(),
    };
    let command: Vec<String> = args.lines().map(quoted).collect();
    let command = format!("watchword plan {}\n", command.join(" "));
    assert!(text.contains(&command), "the guide does not say {command}");
    let (before, rest) = text.split_once("<!-- plan -->\n").expect("its place");
    let (shown, after) = rest.split_once("<!-- end -->\n").expect("its end");
    let block = format!("```\n{table}```\n");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let text = format!("{before}<!-- plan -->\n{block}<!-- end -->\n{after}");
        fs::write(&guide, text).expect("writable");
        return;
    }
    assert_eq!(shown, block, "UPDATE_EXPECT=1 accepts this");
}

fn json(args: &[&str], rules: &str) -> Json {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("rules.txt"), rules).unwrap();
    let args = [args, &["--rules", "rules.txt", "--json"]].concat();
    let output = run(&args, dir.path());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output)))
}

const RULES: &str = "a person\nsmoke\na dog\na bag is left unattended for 60 s\n";

fn number(json: &Json, path: &str) -> f64 {
    let found = json.pointer(path).and_then(Json::as_f64);
    found.unwrap_or_else(|| panic!("no number at {path} of {json}"))
}

#[test]
fn a_year_is_its_watts_over_its_hours() {
    let plan = json(&["--board", "imx8mp-evk", "--allotment", "12.95"], RULES);
    for whose in ["inference", "camera"] {
        let watts = number(&plan, &format!("/year/{whose}/watts"));
        let kwh = number(&plan, &format!("/year/{whose}/kwh"));
        let joules = number(&plan, &format!("/year/{whose}/joules"));
        assert!(watts > 0.1, "{plan}");
        // Watts are told to four decimals.
        assert!((kwh - watts * 8.76).abs() < 0.001, "{kwh} of {watts}");
        assert!((joules - watts * 31_536_000.0).abs() < 2_000.0, "{joules}");
    }
    // What looks take is what rules take.
    let rules = plan["rules"].as_array().unwrap();
    let sum: f64 = rules.iter().map(|r| number(r, "/watts")).sum();
    let all = number(&plan, "/year/inference/watts");
    assert!((sum - all).abs() < 0.02 * all, "{sum} of {all}");
    let camera = number(&plan, "/year/camera/watts");
    assert!((camera - 4.0 - all).abs() < 0.001, "{camera}");
}

#[test]
fn an_interval_that_is_offered_fits() {
    let tight = ["--board", "generic", "--allotment", "12.95"];
    let tight = [&tight[..], &["--look-ms", "15000", "--ambient", "68.86"]].concat();
    let plan = json(&tight, "smoke\n");
    let error = &plan["rules"][0]["error"];
    assert_eq!(error["kind"], "over_budget", "{plan}");
    let every = number(error, "/feasible_seconds");
    assert!(every > 60.0, "{every}");
    let dir = tempfile::tempdir().unwrap();
    let rules = serde_json::json!([{"text": "smoke", "every_seconds": every}]);
    fs::write(dir.path().join("rules.json"), rules.to_string()).unwrap();
    let args = [&tight[..], &["--rules", "rules.json"]].concat();
    let output = run(&args, dir.path());
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
}

#[test]
fn more_watts_never_fit_fewer_rules() {
    let fits = |watts: &str| {
        let plan = json(&["--board", "generic", "--allotment", watts], RULES);
        let rules = plan["rules"].as_array().unwrap();
        rules.iter().filter(|rule| rule["fits"] == true).count()
    };
    let counts = ["4.2", "4.6", "5.5", "7", "12.95"].map(fits);
    assert!(counts.is_sorted(), "{counts:?}");
    assert_eq!((counts[0], counts[4]), (0, 4));
}

#[test]
fn hotter_air_leaves_less() {
    let left = |celsius: &str| {
        let plan = json(
            &[
                "--board",
                "imx8mp-evk",
                "--allotment",
                "25.5",
                "--ambient",
                celsius,
            ],
            RULES,
        );
        number(&plan, "/conditions/0/left_for_looks_watts")
    };
    let (cold, warm, hot) = (left("-20"), left("30"), left("50"));
    assert!(cold > warm && warm > hot, "{cold} {warm} {hot}");
}
