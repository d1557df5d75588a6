//! `plan`: which rules fit a board and an allotment.

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use platform::BoardSpec;
use scene::ports::Model;
use scene::{Celsius, Id};

use super::{REFUSED, read_zones};
use crate::calibrate::{self, Calibration};
use crate::config::ModelConfig;
use crate::daemon::balance::{self, Caps};
use crate::plan::{Allotment, Asked, plan, read_rules, table};
use crate::share::Share;

/// The exit code where some rules do not fit.
const SOME_DO_NOT: u8 = 3;

/// Which rules a board can watch for on an allotment, how often, and what that
/// takes, before there is a board. Exits with 0 if all rules fit, with 3 if
/// some do not, with 2 if the question makes no sense.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// The board, a folder of board/.
    #[arg(long, value_name = "BOARD")]
    board: Id,
    /// What the switch grants at the device: watts, "class 4" or 802.3at.
    #[arg(long, value_name = "WATTS")]
    allotment: Allotment,
    /// The rules: a sentence a line ('#' begins a comment), or a JSON array of
    /// sentences or of rules as rules/<id>/set takes them.
    #[arg(long, value_name = "FILE")]
    rules: PathBuf,
    /// Drawn zones: a JSON array of {"name", "polygon"}.
    #[arg(long, value_name = "FILE")]
    zones: Option<PathBuf>,
    /// The model package; the built-in one if absent.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// A detector package that is asked first.
    #[arg(long, value_name = "DIR")]
    detector: Option<PathBuf>,
    /// Threads of the vision graph, as model.threads of the configuration.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: Option<u8>,
    /// What `watchword calibrate` found out on such a board. Without it costs
    /// are the constants that a camera begins with.
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// Without a calibration: what a look with one question takes on that
    /// board, at the model's own operating point, milliseconds.
    #[arg(long, value_name = "MS", conflicts_with = "calibration")]
    look_ms: Option<f64>,
    /// Temperature of the air round the camera, degrees Celsius.
    #[arg(
        long,
        value_name = "CELSIUS",
        default_value_t = 25.0,
        allow_negative_numbers = true
    )]
    ambient: f64,
    /// Hours a day for which all is on that switches by itself: infrared
    /// light, heater.
    #[arg(long, value_name = "HOURS", default_value_t = 12.0)]
    night_hours: f64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Why a question makes no sense, with what is to be done.
struct Refused(String);

impl<E: Display> From<E> for Refused {
    fn from(error: E) -> Self {
        Refused(format!("{error:#}"))
    }
}

pub(super) fn run(args: PlanArgs) -> Result<ExitCode> {
    let json = args.json;
    let planned = match answer(args) {
        Ok(planned) => planned,
        Err(Refused(why)) => {
            eprintln!("watchword: {why}");
            return Ok(ExitCode::from(REFUSED));
        }
    };
    match json {
        true => println!("{}", planned.to_json()),
        false => print!("{}", table(&planned)),
    }
    Ok(match planned.all_fit() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(SOME_DO_NOT),
    })
}

fn within(what: &str, value: f64, least: f64, most: f64) -> Result<(), Refused> {
    match (least..=most).contains(&value) {
        true => Ok(()),
        false => Err(Refused(format!("{what} {value}: choose {least} to {most}"))),
    }
}

fn answer(args: PlanArgs) -> Result<crate::plan::Plan, Refused> {
    within("--ambient", args.ambient, -40.0, 85.0)?;
    within("--night-hours", args.night_hours, 0.0, 24.0)?;
    if let Some(ms) = args.look_ms {
        within("--look-ms", ms, 0.1, 60_000.0)?;
    }
    let share = Share::find()?;
    let spec = BoardSpec::load(&share.board(&args.board))?;
    let most = spec.poe.allotment().unwrap_or(args.allotment.watts);
    if args.allotment.watts > most {
        return Err(Refused(format!(
            "--allotment {}: {} is a device of class {}, which is granted {most} at most; plan with that or \
             less, or set [poe] class of its board.toml if that is wrong",
            args.allotment, args.board, spec.poe.class,
        )));
    }
    let rules = read_rules(&args.rules)?;
    let zones = match &args.zones {
        Some(path) => read_zones(path)?,
        None => Vec::new(),
    };
    let usual = ModelConfig::default();
    let threads = args.threads.map_or(usual.threads, usize::from);
    if threads > spec.compute.cores as usize {
        return Err(Refused(format!(
            "--threads {threads}: {} has {} cores; choose no more",
            args.board, spec.compute.cores
        )));
    }
    let options = vision::Options {
        threads,
        ..vision::Options::default()
    };
    let (package, detector) = (args.model.as_deref(), args.detector.as_deref());
    let eyes = crate::daemon::open_eyes(package, detector, options, &share)?;
    let knowledge = eyes.knowledge();
    let calibration = args
        .calibration
        .as_deref()
        .map(calibrate::read)
        .transpose()?;
    let mut costs =
        "they are constants that hold for no board; calibrate one, or give --look-ms".to_owned();
    let told = match &calibration {
        Some(found) => {
            is_of(found, &args.board, &knowledge.name())?;
            costs = format!("calibrated on {} ({})", found.machine, found.when);
            found.told(&eyes.points())
        }
        None => Vec::new(),
    };
    if calibration.is_some() && told.is_empty() {
        return Err(Refused(format!(
            "the calibration has none of the operating points that {} offers with {threads} threads ({}); \
             calibrate this package on the board, or give its --threads",
            knowledge.name(),
            (eyes.points().iter())
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        )));
    }
    let deadline = Duration::from_millis(usual.deadline_ms);
    let worth = crate::daemon::worth(&eyes);
    // Where some points were measured, the constants of the others say nothing.
    let offered: Vec<_> = match &calibration {
        Some(_) => (worth.into_iter())
            .filter(|(point, _)| told.iter().any(|told| told.point == *point))
            .collect(),
        None => worth,
    };
    // A calibration tells of the caps that it measured; constants tell nothing
    // of the clock of a board that nobody has yet.
    let caps = Caps {
        mhz: told.iter().filter_map(|told| told.point.cap_mhz).collect(),
        most_mhz: u32::MAX,
    };
    let mut config = balance::config(&spec, &caps, &offered, &told, deadline);
    if let Some(ms) = args.look_ms {
        let first = (config.points.first()).map_or(1.0, |t| (t.look + t.question).as_secs_f64());
        for point in &mut config.points {
            point.look = point.look.mul_f64(ms / 1e3 / first);
            point.question = point.question.mul_f64(ms / 1e3 / first);
        }
        costs = format!("told by --look-ms {ms}, other points in proportion to their pixels");
    }
    Ok(plan(Asked {
        spec: &spec,
        config,
        costs,
        calibrated: calibration.is_some_and(|c| c.source == scene::Source::Measured),
        allotment: args.allotment,
        ambient: Celsius(args.ambient),
        night_hours: args.night_hours,
        rules: (1..)
            .zip(rules)
            .filter_map(|(n, wish)| Some((Id::new(format!("rule-{n}")).ok()?, wish)))
            .collect(),
        zones: &zones,
        knowledge: &*knowledge,
    }))
}

/// Whether a calibration is of this board and of this model, of whatever
/// version.
fn is_of(found: &Calibration, board: &Id, model: &str) -> Result<(), Refused> {
    if found.board != *board {
        return Err(Refused(format!(
            "the calibration is of {}, not of {board}; calibrate on a {board}, or plan for {}",
            found.board, found.board
        )));
    }
    let ids = |name: &str| -> Vec<String> {
        let names = name.split(" + ");
        names
            .map(|name| name.split('/').next().unwrap_or(name).to_owned())
            .collect()
    };
    if ids(&found.model) != ids(model) {
        return Err(Refused(format!(
            "the calibration is of the model {}, not of {model}; give that package with --model, or \
             calibrate this one",
            found.model
        )));
    }
    Ok(())
}
