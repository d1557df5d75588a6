//! What a person types.

mod ask;
mod bench;
mod calibrate;
mod check;
mod plan;
pub(crate) use check::{print_echo, read_zones};
mod provision;
mod run;
mod simulate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tell a camera in plain English what to watch for.
#[derive(Debug, Parser)]
#[command(name = "watchword", version, about, max_term_width = 100)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the camera.
    Run {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Run a camera on a clip, set rules over MQTT as an operator would, and
    /// show what comes back.
    Demo(crate::demo::DemoArgs),
    /// What the camera makes of a sentence.
    #[command(subcommand)]
    Rule(RuleCommand),
    /// A dry run of rules on footage, as fast as it can, on the clip's own
    /// clock.
    Replay(crate::replay::ReplayArgs),
    /// Ask a model about a picture.
    Ask(ask::AskArgs),
    /// Check a configuration file.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Set a camera up from a file on its medium.
    #[command(subcommand)]
    Provision(provision::ProvisionCommand),
    /// Find out what every operating point of the model costs and is worth on
    /// this board, and write it down for the governor.
    Calibrate(calibrate::CalibrateArgs),
    /// Before any hardware is bought: which rules fit a board and an allotment,
    /// how often each is looked at, and what that takes a year.
    Plan(plan::PlanArgs),
    /// Days of a camera's power in seconds: the governor on a simulated board.
    Simulate(simulate::SimulateArgs),
    /// Check a model package.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Measure on this machine.
    #[command(subcommand)]
    Bench(BenchCommand),
}

#[derive(Debug, Subcommand)]
enum RuleCommand {
    /// Print what a sentence is understood as (exit 0), or why it is refused
    /// (exit 2).
    Check(check::RuleCheckArgs),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the settings in force (exit 0), or what is wrong (exit 2).
    Check {
        /// The configuration file.
        #[arg(value_name = "FILE")]
        config: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Check files, hashes and tensors of a package, and run it once.
    Verify {
        /// The package's folder.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// What a model's answers cost: rules that share one look at a frame,
    /// against a naive loop over rules in the same run.
    Vlm(bench::VlmArgs),
}

/// The exit code of a command whose input was refused.
const REFUSED: u8 = 2;

/// The program.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let quiet = !matches!(args.command, Command::Run { .. });
    start_logging(quiet);
    let done = match args.command {
        Command::Run { config } => run::run(&config),
        Command::Demo(args) => crate::demo::demo(args),
        Command::Rule(RuleCommand::Check(args)) => check::rule(args),
        Command::Replay(args) => crate::replay::replay(args),
        Command::Ask(args) => ask::ask(args),
        Command::Config(ConfigCommand::Check { config }) => check::config(&config),
        Command::Provision(command) => provision::run(command),
        Command::Calibrate(args) => calibrate::calibrate(args),
        Command::Plan(args) => plan::run(args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Model(ModelCommand::Verify { dir }) => check::model(&dir),
        Command::Bench(BenchCommand::Vlm(args)) => bench::vlm(args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("watchword: {error:#}");
        ExitCode::FAILURE
    })
}

/// Logs go to standard error: sentences with fields. `WATCHWORD_LOG` sets what
/// is shown, in the syntax of tracing's `EnvFilter`.
fn start_logging(quiet: bool) {
    use tracing_subscriber::EnvFilter;
    let usual = if quiet {
        "error,watchword=warn,rumqttd=off,gstreamer=off"
    } else {
        "warn,rumqttd=off,gstreamer=off,watchword=info,capture=info,vision=info,spool=info,platform=info"
    };
    // GStreamer says "error" of every encoder that it is asked for and does not
    // have; what matters of it comes as a sentence of capture's.
    let filter = EnvFilter::try_from_env("WATCHWORD_LOG").unwrap_or_else(|_| usual.into());
    let under_systemd = std::env::var_os("JOURNAL_STREAM").is_some();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false);
    // The journal has its own clock.
    if under_systemd {
        builder.without_time().init();
    } else {
        builder.init();
    }
}
