//! `bench`: what it costs here.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use vision::bench::{Bench, Report, run};

use crate::share::Share;

#[derive(Debug, clap::Args)]
pub(super) struct VlmArgs {
    /// The model package; the built-in one if absent.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// The package's variant; its default one if absent.
    #[arg(long)]
    variant: Option<String>,
    /// Rules that are due on the same frame; every other one counts.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=Bench::MOST_RULES as i64))]
    rules: u8,
    /// Zones that the rules look at by turns; 0 is the whole frame.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=Bench::MOST_ZONES as i64))]
    zones: u8,
    /// Threads of the vision graph; the decoder always has one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
    /// Measurements of which the median is taken.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn vlm(args: VlmArgs) -> Result<ExitCode> {
    let model = match args.model {
        Some(model) => model,
        None => Share::find()?.scout(),
    };
    let bench = Bench {
        model,
        variant: args.variant,
        rules: args.rules.into(),
        zones: args.zones.into(),
        threads: args.threads.into(),
        rounds: args.rounds.into(),
    };
    let mut say = |what: &str| eprintln!("{what} …");
    let report = run(&bench, &mut say, Some(&crate::heap::allocations))?;
    match args.json {
        true => println!("{}", serde_json::to_string(&report)?),
        false => print(&report),
    }
    Ok(ExitCode::SUCCESS)
}

fn print(report: &Report) {
    let stages = &report.stages;
    let row = |what: &str, ms: f64, note: &str| println!("{what:<34}{ms:>10.1} ms  {note}");
    println!(
        "{}: {} rules on one frame, {} thread(s), CPU time, medians of {}\n",
        report.model, report.rules, report.threads, report.rounds
    );
    row("picture to tensor", stages.process, "");
    row("encode", stages.encode, "");
    row("prefill", stages.prefill, "the prefix that all rules share");
    row("ask and score", stages.score, "a rule");
    for (what, ms) in [
        ("  yes or no", stages.score_yes_no),
        ("  count", stages.score_count),
    ] {
        if let Some(ms) = ms {
            row(what, ms, "a rule");
        }
    }
    println!();
    row("one rule on a frame", report.one_rule_cpu_ms, "");
    let ratio = format!("{:.2} x one rule", report.frame_over_one_rule);
    row("all rules on a frame", report.frame_cpu_ms, &ratio);
    row("an answer", report.per_answer_cpu_ms, "");
    let ratio = format!(
        "{:.1} x; encodes for every rule, writes 8 tokens",
        report.naive_over_shared
    );
    row("an answer, naively", report.naive_per_answer_cpu_ms, &ratio);
    println!();
    println!(
        "neighbours move an answer by {:.4} sigma; {} of {} rules unknown",
        report.neighbour_sigma, report.unknown, report.rules
    );
    println!(
        "{:.0} MB moved an answer (modelled); {:.0} MB resident, {:.0} at most; {} allocations a look",
        report.bytes_per_answer as f64 / 1e6,
        report.rss_mb,
        report.peak_rss_mb,
        report.allocations.map_or("?".into(), |n| n.to_string())
    );
    println!(
        "this machine, one thread: {:.0} GFLOP/s, {:.1} GB/s",
        report.machine.gflops, report.machine.gbps
    );
}
