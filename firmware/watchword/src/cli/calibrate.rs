//! `calibrate`: what every operating point costs on this board.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use platform::{BoardSpec, CpuCap, Platform};
use scene::ports::{Cancel, Model};
use scene::{Id, Source, Watts};
use serde_json::json;

use super::REFUSED;
use crate::calibrate::{
    self, Calibration, FILE_NAME, Job, Outcome, Progress, Rig, Windows, caps_of, dominated_by,
};
use crate::plan::paragraph;
use crate::share::Share;

#[derive(Debug, clap::Args)]
pub(super) struct CalibrateArgs {
    /// The board that this machine is, a folder of board/: its power sensor,
    /// its constants, its caps on the frequency.
    #[arg(long, value_name = "BOARD", default_value = "generic")]
    board: Id,
    /// The model package; the built-in one if absent.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// A detector package that is asked first.
    #[arg(long, value_name = "DIR")]
    detector: Option<PathBuf>,
    /// The package's variant to begin with; its default one if absent.
    #[arg(long)]
    variant: Option<String>,
    /// Threads of the vision graph at most; the board's number if absent.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: Option<u8>,
    /// Where the calibration is written, and gone on with; calibration.toml in
    /// the camera's data folder if absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Pictures to look at, JPEG or PNG, instead of painted ones; may be given
    /// several times.
    #[arg(long = "picture", value_name = "FILE")]
    pictures: Vec<PathBuf>,
    /// Rounds over all points; medians are taken over them.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Begin no new round after so many minutes.
    #[arg(long, value_name = "MINUTES")]
    minutes: Option<f64>,
    /// Begin anew instead of going on with what is there.
    #[arg(long)]
    again: bool,
    /// Print the calibration as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn calibrate(args: CalibrateArgs) -> Result<ExitCode> {
    let share = Share::find()?;
    let within = match args.minutes {
        Some(minutes) if !(0.0..=10_080.0).contains(&minutes) => {
            eprintln!("watchword: --minutes {minutes}: choose 0 to 10080 (a week)");
            return Ok(ExitCode::from(REFUSED));
        }
        minutes => minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0)),
    };
    let board = match Platform::open(&share.board(&args.board), Path::new("/")) {
        Ok(board) => board,
        Err(error) => {
            eprintln!("watchword: {error}");
            return Ok(ExitCode::from(REFUSED));
        }
    };
    let spec = board.spec().clone();
    let package = args.model.clone().unwrap_or_else(|| share.scout());
    let mut eyes = vision::open(vision::Options {
        vlm: Some(package.clone()),
        detector: args.detector.clone(),
        variant: args.variant.clone(),
        threads: threads(&args, &spec),
        watts_per_core: Watts(spec.power.watts_per_core),
        ..vision::Options::default()
    })?;
    let frames = match args.pictures.is_empty() {
        true => calibrate::usual_frames(),
        false => {
            let frames = args.pictures.iter().map(|p| crate::evidence::read_still(p));
            frames.collect::<Result<_>>()?
        }
    };
    let folders = std::iter::once(package.as_path()).chain(args.detector.as_deref());
    let job = Job {
        board: args.board.clone(),
        watts_per_core: Watts(spec.power.watts_per_core),
        package: calibrate::fingerprint(folders)
            .with_context(|| format!("can't read the package {}", package.display()))?,
        machine: calibrate::machine(),
        // Whole seconds read better.
        when: jiff::Timestamp::from_second(jiff::Timestamp::now().as_second())?,
        out: args.out.clone().unwrap_or_else(|| {
            let data_dir = crate::config::Config::default().data_dir;
            data_dir.join(FILE_NAME)
        }),
        again: args.again,
        rounds: args.rounds,
        within,
        windows: Windows::default(),
    };
    let cap = CpuCap::open(Path::new("/"));
    let (caps, note) = caps_of(&spec.compute.caps_mhz, cap.range_mhz());

    let runtime = crate::daemon::runtime()?;
    let stopped = stop_on_signals(&runtime, eyes.canceller())?;
    let rig = Rig {
        eyes: &mut eyes,
        board: Box::new(board),
        throttle: Box::new(cap),
        caps,
        frames,
        stop: &|| stopped.load(Ordering::Relaxed),
    };
    let mut outcome = calibrate::run(&job, rig, &mut |progress| tell(progress))?;
    outcome.notes.extend(note);
    runtime.shutdown_background();
    match args.json {
        true => println!("{}", to_json(&outcome)?),
        false => print(&outcome, &job.out),
    }
    if outcome.calibration.points.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// As many as the board's model is run with, and no more than there are here.
fn threads(args: &CalibrateArgs, spec: &BoardSpec) -> usize {
    let here = std::thread::available_parallelism().map_or(1, usize::from);
    match args.threads {
        Some(threads) => usize::from(threads),
        None => (spec.compute.threads as usize).min(here),
    }
}

/// Turns true on SIGINT or SIGTERM, and gives up the look under way: what was
/// measured before is kept.
fn stop_on_signals(
    runtime: &tokio::runtime::Runtime,
    canceller: std::sync::Arc<dyn Cancel>,
) -> Result<std::sync::Arc<AtomicBool>> {
    let stopped = std::sync::Arc::new(AtomicBool::new(false));
    let tell = stopped.clone();
    runtime.block_on(async {
        let mut stop = crate::daemon::stop_on_signals()?;
        tokio::spawn(async move {
            if stop.wait_for(|stop| *stop).await.is_ok() {
                tell.store(true, Ordering::Relaxed);
                canceller.cancel();
            }
        });
        anyhow::Ok(())
    })?;
    Ok(stopped)
}

fn tell(progress: &Progress) {
    let Progress {
        number: (point, points),
        round: (round, rounds),
        ..
    } = progress;
    let left = match progress.left {
        Some(left) => format!("; about {} s left", left.as_secs() + 1),
        None => String::new(),
    };
    eprintln!(
        "round {round} of {rounds}, point {point} of {points}: {}{left}",
        progress.point
    );
}

fn to_json(outcome: &Outcome) -> Result<String> {
    let calibration = &outcome.calibration;
    let front = dominated_by(&calibration.measured);
    let pareto: Vec<_> = calibration
        .measured
        .iter()
        .zip(&front)
        .map(|(point, by)| {
            let by = by.map(|by| &calibration.measured[by].point);
            json!({"point": point.point, "dominated_by": by})
        })
        .collect();
    let mut form = serde_json::to_value(calibration)?;
    form["pareto"] = pareto.into();
    form["notes"] = json!(outcome.notes);
    Ok(serde_json::to_string(&form)?)
}

fn print(outcome: &Outcome, out: &Path) {
    print!("{}", table(&outcome.calibration));
    println!();
    let mut notes = String::new();
    for note in &outcome.notes {
        paragraph(&mut notes, "note: ", note);
    }
    print!("{notes}");
    let what = match outcome.stopped {
        true => "cut short; run it again to go on",
        false => "done",
    };
    println!("{what}: {}", out.display());
}

/// What was found out, for people; fits 100 columns.
fn table(c: &Calibration) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let say = |source: Source| match source {
        Source::Measured => "measured by a power sensor",
        Source::Modelled => "modelled from CPU time and the board's watts a core",
    };
    let looks: u32 = c
        .measured
        .iter()
        .flat_map(|m| &m.rounds)
        .map(|r| r.looks)
        .sum();
    // Writing to a String can't fail.
    let _ = writeln!(
        text,
        "{} on {} ({})\nwatts are {}\n{} points, {looks} looks; medians of rounds, and their spread\n",
        c.model,
        c.board,
        c.machine,
        say(c.source),
        c.measured.len(),
    );
    let _ = writeln!(
        text,
        "  {:<24}{:>9} {:>9} {:>5} {:>7} {:>5} {:>7} {:>5} {:>8} {:>8}",
        "operating point",
        "accuracy",
        "J a look",
        "+-",
        "W",
        "+-",
        "ms",
        "+-",
        "ms a q.",
        "MB moved"
    );
    let front = dominated_by(&c.measured);
    let percent = |share: f64| format!("{:.0}%", share * 100.0);
    let mut order: Vec<usize> = (0..c.measured.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&c.measured[*a], &c.measured[*b]);
        let first = b.accuracy.total_cmp(&a.accuracy);
        first.then(a.joules.0.total_cmp(&b.joules.0))
    });
    for at in order {
        let m = &c.measured[at];
        let accuracy = match m.accuracy_source {
            Source::Measured => format!("{:.3} ", m.accuracy),
            Source::Modelled => format!("{:.3}?", m.accuracy),
        };
        let _ = writeln!(
            text,
            "{} {:<24}{:>9} {:>9.3} {:>5} {:>7.2} {:>5} {:>7.1} {:>5} {:>8.2} {:>8.1}",
            if front[at].is_none() { "*" } else { " " },
            m.point.to_string(),
            accuracy,
            m.joules.0,
            percent(m.joules_spread),
            m.watts.0,
            percent(m.watts_spread),
            m.look_ms,
            percent(m.look_spread),
            m.question_ms,
            m.megabytes,
        );
        if let Some(by) = front[at] {
            let by = &c.measured[by].point;
            let _ = writeln!(text, "      no better and no cheaper than {by}");
        }
    }
    for skipped in &c.skipped {
        let _ = writeln!(
            text,
            "  {:<24} left out: {}",
            skipped.point.to_string(),
            skipped.why
        );
    }
    let _ = writeln!(
        text,
        "\n* nothing is both as accurate and as cheap; a look has one question, \"ms a q.\" is each more"
    );
    if c.measured
        .iter()
        .any(|m| m.accuracy_source == Source::Modelled)
    {
        let _ = writeln!(
            text,
            "? reckoned from the number of pixels: the package does not tell what it is worth"
        );
    }
    text
}
