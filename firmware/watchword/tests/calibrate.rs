//! `watchword calibrate` on the built-in model, with boards that are played.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use scene::ports::{Board, Model, Reading, Readings, Throttle};
use scene::{Frame, Id, Source, Watts};
use watchword::calibrate::{self, Calibration, Job, Outcome, Progress, Rig, Windows};

/// The test that plays a sensor by the CPU time of this process must be alone
/// in it.
static WORK: RwLock<()> = RwLock::new(());

fn among_others() -> impl Drop {
    WORK.read().unwrap_or_else(PoisonError::into_inner)
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn scout() -> vision::Eyes {
    vision::open(vision::Options {
        vlm: Some(repository().join("models/scout")),
        ..vision::Options::default()
    })
    .expect("the built-in model")
}

/// A small picture: this is not about pixels.
fn frame() -> Frame {
    let rgb = (0..96 * 64 * 3u32).map(|i| (i * 7 % 251) as u8).collect();
    Frame::still(rgb, 96, 64).unwrap()
}

/// What a board draws.
enum Draws {
    /// Nobody knows.
    Unknown,
    /// 4 W, and 3 W for each core that this process keeps busy.
    ByWork,
    /// More and more.
    Wandering,
}

struct Played {
    draws: Draws,
    last: Option<(Instant, Duration)>,
    reads: u32,
}

impl Played {
    fn new(draws: Draws) -> Box<Self> {
        Box::new(Self {
            draws,
            last: None,
            reads: 0,
        })
    }
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

impl Board for Played {
    fn name(&self) -> &str {
        "played"
    }

    fn read(&mut self) -> Readings {
        let now = (Instant::now(), cpu());
        let busy = self.last.map_or(0.0, |(then, before)| {
            (now.1 - before).as_secs_f64() / (now.0 - then).as_secs_f64().max(1e-3)
        });
        self.last = Some(now);
        self.reads += 1;
        let watts = match self.draws {
            Draws::Unknown => None,
            Draws::ByWork => Some(4.0 + 3.0 * busy),
            Draws::Wandering => Some(4.0 + f64::from(self.reads)),
        };
        Readings {
            allotment: Reading::modelled(Watts(12.95), "class 3"),
            board: Some(match watts {
                Some(watts) => Reading::measured(Watts(watts), "played"),
                None => Reading::modelled(Watts(4.0), "CPU time"),
            }),
            hottest: None,
            frequency_mhz: None,
            cpu_time: now.1,
            problems: Vec::new(),
        }
    }
}

/// Notes the caps that it is asked for; refuses some.
#[derive(Clone, Default)]
struct Caps(Arc<Mutex<Vec<Option<u32>>>>);

impl Throttle for Caps {
    fn cap(&mut self, mhz: Option<u32>) -> Result<(), String> {
        self.0.lock().unwrap().push(mhz);
        match mhz {
            Some(mhz) if mhz < 700 => Err(format!("{mhz} MHz is no clock of this processor")),
            _ => Ok(()),
        }
    }
}

fn job(out: PathBuf) -> Job {
    Job {
        board: Id::new("played").unwrap(),
        watts_per_core: Watts(1.5),
        package: "a checksum".into(),
        machine: "this one".into(),
        when: "2026-01-01T00:00:00Z".parse().unwrap(),
        out,
        again: false,
        rounds: 2,
        within: None,
        windows: Windows {
            pause: Duration::from_millis(900),
            looks: Duration::from_millis(1_200),
            settle: Duration::from_millis(300),
        },
    }
}

/// Runs `job`, and stops after so many rounds of points. Gives what was
/// measured, in turn.
fn run(job: &Job, draws: Draws, caps: &[u32], stop_after: usize) -> (Outcome, Vec<String>) {
    let mut eyes = scout();
    let begun = RefCell::new(Vec::new());
    let stop = || begun.borrow().len() > stop_after;
    let rig = Rig {
        eyes: &mut eyes,
        board: Played::new(draws),
        throttle: Box::new(Caps::default()),
        caps: caps.to_vec(),
        frames: vec![frame()],
        stop: &stop,
    };
    let tell = |progress: &Progress| {
        let Progress { point, round, .. } = progress;
        begun.borrow_mut().push(format!("{} {point}", round.0));
    };
    let mut tell = tell;
    let outcome = calibrate::run(job, rig, &mut tell).expect("it runs");
    (outcome, begun.into_inner())
}

const ALL: usize = usize::MAX;

#[test]
fn cut_in_the_middle_it_goes_on_where_it_was() {
    let _here = among_others();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("calibration.toml");
    let job = job(out.clone());
    let points = scout().points();
    assert!(points.len() >= 3, "{points:?}");
    let many = points.len();

    let (first, begun) = run(&job, Draws::Unknown, &[], many + 1);
    assert!(first.stopped && !first.calibration.finished);
    assert_eq!(begun.len(), many + 2, "the last one was given up");
    let there = calibrate::read(&out).expect("what was done is kept");
    assert_eq!(there, first.calibration);
    let rounds = |c: &Calibration| c.measured.iter().map(|m| m.rounds.len()).sum::<usize>();
    assert_eq!(rounds(&there), many + 1);

    let (second, more) = run(&job, Draws::Unknown, &[], ALL);
    assert!(!second.stopped && second.calibration.finished);
    assert_eq!(more.len(), many - 1, "nothing is measured twice: {more:?}");
    assert_eq!(more[0], begun[many + 1], "the one that was given up");
    let done = calibrate::read(&out).unwrap();
    assert_eq!(rounds(&done), 2 * many);
    assert_eq!(done.points.len(), many);
    // Rounds are interleaved, so that what drifts falls on all alike.
    let order: Vec<String> = (1..=2)
        .flat_map(|round| points.iter().map(move |p| format!("{round} {p}")))
        .collect();
    let kept = begun[..=many].iter().chain(&more);
    assert_eq!(kept.cloned().collect::<Vec<_>>(), order);

    // Once more: nothing to do.
    let (third, nothing) = run(&job, Draws::Unknown, &[], ALL);
    assert!(nothing.is_empty() && third.calibration.finished);

    for told in &done.points {
        assert!(told.step.0 > 0.0 && told.look > Duration::ZERO, "{told:?}");
        assert!((0.5..1.0).contains(&told.accuracy));
    }
    assert_eq!(done.source, Source::Modelled, "no sensor told");
    // Watts are of the process's CPU time, which other tests share: nothing is
    // said here of how many.
    assert!(done.points.iter().all(|p| p.step.0.is_finite()));
    assert!(done.measured.iter().all(|m| m.megabytes > 0.1));
    assert_eq!(done.told(&points[..1]).len(), 1);
}

/// A board that tells nothing.
fn plain(eyes: &mut vision::Eyes) -> Rig<'_> {
    Rig {
        eyes,
        board: Played::new(Draws::Unknown),
        throttle: Box::new(Caps::default()),
        caps: Vec::new(),
        frames: vec![frame()],
        stop: &|| false,
    }
}

#[test]
fn what_was_measured_elsewhere_is_not_gone_on_with() {
    let _here = among_others();
    let dir = tempfile::tempdir().unwrap();
    let here = Job {
        rounds: 1,
        ..job(dir.path().join("calibration.toml"))
    };
    run(&here, Draws::Unknown, &[], 1);
    let other = Job {
        machine: "another one".into(),
        ..here.clone()
    };
    let mut eyes = scout();
    let refused = calibrate::run(&other, plain(&mut eyes), &mut |_| ()).unwrap_err();
    let why = refused.to_string();
    assert!(
        why.contains("machine is this one") && why.contains("--again"),
        "{why}"
    );
    let nowhere = Job {
        out: dir.path().to_path_buf(),
        again: true,
        ..here
    };
    let mut begun = false;
    let refused = calibrate::run(&nowhere, plain(&mut eyes), &mut |_| begun = true);
    let why = refused.unwrap_err().to_string();
    assert!(
        why.contains("can't be written") && why.contains("--out"),
        "{why}"
    );
    assert!(!begun, "it is found out before anything is measured");
    let anew = Job {
        again: true,
        ..other
    };
    let outcome = calibrate::run(&anew, plain(&mut eyes), &mut |_| ()).unwrap();
    assert_eq!(outcome.calibration.machine, "another one");
}

#[test]
fn a_sensor_tells_watts_and_a_point_that_fails_is_named() {
    let _alone = WORK.write().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let job = Job {
        rounds: 1,
        ..job(dir.path().join("calibration.toml"))
    };
    let (outcome, _) = run(&job, Draws::ByWork, &[600, 900], ALL);
    let c = &outcome.calibration;
    let points = scout().points().len();
    assert_eq!(c.points.len(), 2 * points, "{:?}", outcome.notes);
    assert_eq!(c.skipped.len(), points);
    assert!(c.skipped.iter().all(|s| s.point.cap_mhz == Some(600)));
    assert!(c.skipped[0].why.contains("600 MHz is no clock"));
    assert!(c.finished, "failures do not end it");
    assert_eq!(c.source, Source::Measured, "{:?}", outcome.notes);
    // 3 W for each busy core, of which looks keep at most one busy; others on
    // the machine may take theirs.
    for m in &c.measured {
        assert!((0.3..4.0).contains(&m.watts.0), "{} {}", m.point, m.watts);
        let joules = m.watts.0 * m.look_ms / 1e3;
        assert!((m.joules.0 - joules).abs() < 1e-9);
    }
}

#[test]
fn a_baseline_that_wanders_is_said() {
    let _here = among_others();
    let dir = tempfile::tempdir().unwrap();
    let job = Job {
        rounds: 1,
        ..job(dir.path().join("calibration.toml"))
    };
    let (outcome, _) = run(&job, Draws::Wandering, &[], 2);
    let notes = outcome.notes.join("\n");
    assert!(notes.contains("the baseline wandered by up to"), "{notes}");
}

#[test]
fn time_that_is_up_begins_no_round() {
    let _here = among_others();
    let dir = tempfile::tempdir().unwrap();
    let job = Job {
        within: Some(Duration::ZERO),
        ..job(dir.path().join("calibration.toml"))
    };
    let (outcome, begun) = run(&job, Draws::Unknown, &[], ALL);
    assert_eq!(
        begun.len(),
        scout().points().len(),
        "the first round is made"
    );
    assert!(!outcome.calibration.finished);
    let notes = outcome.notes.join("\n");
    assert!(notes.contains("after 1 of 2 rounds"), "{notes}");
}

const GOOD: &str = r#"
version = 1
board = "generic"
model = "scout/0.2.1"
package = "a checksum"
machine = "this one"
when = "2026-01-01T00:00:00Z"
source = "measured"
rounds = 1
finished = false

[[points]]
point = "f32/256px/1t/1c"
accuracy = 0.7
step = 1.5
look_ms = 40.0
question_ms = 3.5
"#;

#[test]
fn broken_files_say_what_is_wrong_with_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("calibration.toml");
    let read = |text: &[u8]| {
        fs::write(&path, text).unwrap();
        calibrate::read(&path).map_err(|e| e.to_string())
    };
    let good = read(GOOD.as_bytes()).unwrap();
    assert_eq!(good.points[0].look, Duration::from_millis(40));
    let (_, point) = GOOD.split_once("[[points]]").unwrap();
    let twice = format!("{GOOD}\n[[points]]{point}");
    for (text, says) in [
        (
            GOOD.replace("version = 1", "version = 2"),
            "its version is 2, not 1",
        ),
        (GOOD.replace("version = 1\n", ""), "it has no version"),
        (
            GOOD.replace("rounds = 1", "rounds = 1\nlooks = 3"),
            "unknown field `looks`",
        ),
        (GOOD.replace("rounds = 1\n", ""), "missing field `rounds`"),
        (
            GOOD.replace("accuracy = 0.7", "accuracy = 1.7"),
            "accuracy of point f32/256px/1t/1c is 1.7",
        ),
        (
            GOOD.replace("accuracy = 0.7", "accuracy = nan"),
            "is NaN, not within 0 to 1",
        ),
        (
            GOOD.replace("step = 1.5", "step = 0.0"),
            "step of point f32/256px/1t/1c is 0",
        ),
        (
            GOOD.replace("step = 1.5", "step = inf"),
            "not above 0 W and at most 100 W",
        ),
        (
            GOOD.replace("look_ms = 40.0", "look_ms = -1.0"),
            "-1 is no number of milliseconds",
        ),
        (
            GOOD.replace("look_ms = 40.0", "look_ms = 1e9"),
            "at most 600,000 ms",
        ),
        (
            GOOD.replace("question_ms = 3.5", "question_ms = 1e9"),
            "question_ms of point",
        ),
        (
            GOOD.replace("f32/256px", "f32/256"),
            "is no operating point",
        ),
        (
            GOOD.replace("\"measured\"", "\"guessed\""),
            "unknown variant `guessed`",
        ),
        (GOOD.replace("generic", "No Board"), "board"),
        (
            GOOD.split("[[points]]").next().unwrap().into(),
            "points is empty",
        ),
        (twice, "which is there twice"),
        (
            GOOD[..GOOD.len() / 2].into(),
            "is no calibration of this form",
        ),
        ("{}".into(), "is no calibration of this form"),
        (String::new(), "it has no version"),
    ] {
        let why = read(text.as_bytes()).expect_err(says);
        assert!(why.contains(says), "wanted {says:?}: {why}");
        assert!(
            why.contains("calibration.toml") && why.contains("watchword calibrate"),
            "{why}"
        );
    }
    let why = read(b"version = \xff").unwrap_err();
    assert!(why.contains("not UTF-8"), "{why}");
    let why = calibrate::read(&dir.path().join("none.toml")).unwrap_err();
    assert!(why.to_string().contains("can't be read"), "{why}");
    assert!(calibrate::read(dir.path()).is_err(), "a folder");
}

#[test]
fn an_interrupt_keeps_what_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("deep/calibration.toml");
    let picture = dir.path().join("picture.png");
    image::RgbImage::from_fn(96, 64, |x, y| image::Rgb([x as u8, y as u8, 90]))
        .save(&picture)
        .unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_watchword"))
        .args(["calibrate", "--rounds", "1000", "--threads", "1", "--out"])
        .arg(&out)
        .arg("--picture")
        .arg(&picture)
        .current_dir(repository())
        .env("WATCHWORD_SHARE", repository())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(120);
    while calibrate::read(&out).is_err() {
        assert!(Instant::now() < patience, "nothing was written");
        assert!(program.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(50));
    }
    let interrupt = Command::new("kill")
        .args(["-INT", &program.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let ended = program.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{said}");
    assert!(said.contains("cut short; run it again to go on"), "{said}");
    for line in said.lines().filter(|line| !line.starts_with("cut short")) {
        assert!(line.chars().count() <= 100, "{line}");
    }
    let kept = calibrate::read(&out).expect("what was done is kept");
    assert!(!kept.finished && kept.board.as_str() == "generic");
}
