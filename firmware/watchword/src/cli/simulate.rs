//! `simulate`: days of a camera's power in seconds.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use sim::power::{self, Scenario, ScenarioError};

use super::REFUSED;

/// Run the governor against a simulated board, in closed loop: what it would
/// do in days of weather, failing sensors and a supply that cuts the power.
/// Fixed intervals and on/off throttling run on the same days, to compare.
/// Exits with 2 if the scenario makes no sense.
#[derive(Debug, clap::Args)]
pub(super) struct SimulateArgs {
    /// What to simulate: a file as those in tests/sim/scenarios.
    #[arg(long, value_name = "FILE")]
    scenario: PathBuf,
    /// How long, 0.01 to 366.
    #[arg(long, value_name = "DAYS", default_value = "7", value_parser = days)]
    days: f64,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// Draw watts, temperatures, looks and blind time into this file, as SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

fn days(text: &str) -> Result<f64, String> {
    let days: Option<f64> = text.parse().ok();
    days.filter(|d| (0.01..=366.0).contains(d))
        .ok_or_else(|| "give a number of days from 0.01 to 366".into())
}

pub(super) fn run(args: &SimulateArgs) -> Result<ExitCode> {
    let scenario = match Scenario::load(&args.scenario) {
        Ok(scenario) => scenario,
        Err(why) => return Ok(refuse(&why)),
    };
    let name = args.scenario.file_stem().unwrap_or_default();
    let name = name.to_string_lossy();
    let outcome = power::simulate(&name, &scenario, args.days, args.plot.is_some());
    if let Some(path) = &args.plot {
        power::plot(path, &scenario, &outcome.governor)?;
    }
    match args.json {
        true => println!("{}", serde_json::to_string(&outcome.report)?),
        false => println!("{}", outcome.report),
    }
    Ok(ExitCode::SUCCESS)
}

fn refuse(why: &ScenarioError) -> ExitCode {
    eprintln!("watchword: {why}");
    ExitCode::from(REFUSED)
}
