//! `replay`: a dry run of rules on footage. The very machine that watches on
//! the camera, driven by the clip's own clock, as fast as the model looks.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use jiff::Timestamp;
use scene::ports::{FrameSource, Model, Reading, Readings, SourceState};
use scene::{Id, Moment, Mono, Watts, Zone};
use serde_json::json;
use spool::Snapshot;

use crate::cli::{print_echo, read_zones};
use crate::share::Share;
use crate::watch::{Effect, Event, Info, Looked, Raise, Setup, Watch};

/// `watchword replay`
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// The clip.
    #[arg(long, value_name = "FILE")]
    pub clip: PathBuf,
    /// A rule in plain English; may be given several times.
    #[arg(long = "rule", value_name = "SENTENCE", required = true)]
    pub rules: Vec<String>,
    /// The model package; the built-in one if absent.
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// A detector package that is asked first.
    #[arg(long, value_name = "DIR")]
    pub detector: Option<PathBuf>,
    /// Drawn zones: a JSON array of {"name", "polygon"}.
    #[arg(long, value_name = "FILE")]
    pub zones: Option<PathBuf>,
    /// Seconds of video between looks.
    #[arg(long, default_value_t = 0.5, value_name = "SECONDS")]
    pub every: f64,
    /// Wall time of the first frame (RFC 3339), for rules with a schedule; now
    /// if absent.
    #[arg(long, value_name = "TIME")]
    pub start: Option<Timestamp>,
    /// Frames are scaled down to at most this width.
    #[arg(long, default_value_t = 960, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(160..=1920))]
    pub width: u32,
    /// Threads of ONNX Runtime.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub threads: u8,
    /// Ask the model at every look, also where nothing changed. A camera does
    /// so with gate.enabled = false.
    #[arg(long)]
    pub no_gate: bool,
    /// Print a JSON line an event.
    #[arg(long)]
    pub json: bool,
    /// Tell what each rule thinks after every look, on standard error.
    #[arg(long)]
    pub why: bool,
}

/// How long one look may take.
const DEADLINE: Duration = Duration::from_secs(300);

/// How long the clip may fail to give a frame before the replay gives up.
const FRAME_WAIT: Duration = Duration::from_secs(20);

/// The ids of rules given on a command line: `rule-1`, `rule-2`, …
pub(crate) fn numbered(sentences: &[String]) -> Vec<(Id, String)> {
    (1..)
        .zip(sentences)
        .map(|(n, text)| {
            (
                Id::new(format!("rule-{n}")).expect("a valid id"),
                text.clone(),
            )
        })
        .collect()
}

/// Runs the command.
pub fn replay(args: ReplayArgs) -> Result<ExitCode> {
    if !(0.05..=60.0).contains(&args.every) {
        bail!("--every {}: choose 0.05 to 60 seconds", args.every);
    }
    let share = Share::find()?;
    let zones = match &args.zones {
        Some(path) => read_zones(path)?,
        None => Vec::new(),
    };
    let (package, detector) = (args.model.as_deref(), args.detector.as_deref());
    let model = crate::daemon::open_model(
        package,
        detector,
        crate::daemon::threads(args.threads),
        &share,
    )?;
    let gate = crate::config::GateConfig {
        enabled: !args.no_gate,
        ..Default::default()
    };
    let mut model = gate.before(model);
    let pipelines = capture::Pipelines::load(share.pipelines())?;
    let mut clip = capture::ReplayConfig::new(&args.clip);
    clip.rate = 1.0 / args.every;
    clip.max_width = args.width;
    let mut source = capture::Replay::open(&pipelines, &clip)?;
    let start = Moment {
        mono: Mono::ZERO,
        wall: Some(args.start.unwrap_or_else(Timestamp::now)),
    };
    let mut watch = offline_watch(&*model, &zones, args.every, start);
    let rules = numbered(&args.rules);
    if let Some(code) = set_rules(&mut watch, &rules, start, args.json) {
        return Ok(code);
    }
    let began = Instant::now();
    let (mut frames, mut reused) = (0u64, 0u64);
    let mut last = Mono::ZERO;
    while let Some(mut frame) = source.next(FRAME_WAIT) {
        frame.captured.wall = start.wall_at(frame.captured.mono);
        let now = frame.captured;
        (frames, last) = (frames + 1, now.mono);
        let mut effects = watch.handle(Event::Tick, now);
        if let Some(order) = watch.looking().cloned() {
            let sight = model.look(
                &frame,
                &order.zones,
                &order.questions,
                order.detect,
                DEADLINE,
            );
            reused += u64::from(sight.reused());
            let looked = Looked {
                number: order.number,
                seen: Ok((frame, sight)),
            };
            effects.extend(watch.handle(Event::Looked(looked), now));
        }
        for effect in effects {
            match effect {
                Effect::Raise(raise) => print_alert(&raise, now.mono, args.json)?,
                Effect::State { topic, payload } if args.why && topic.ends_with("/why") => {
                    let why = String::from_utf8_lossy(&payload);
                    eprintln!("{:8.2} s  {why}", now.mono.as_secs_f64());
                }
                _ => {}
            }
        }
    }
    if let Some(why) = source.failure() {
        bail!(
            "{} broke off after {:.1} s: {why}",
            args.clip.display(),
            last.as_secs_f64()
        );
    }
    if source.state() != SourceState::Ended {
        bail!(
            "{} stopped giving frames after {:.1} s: {:?}",
            args.clip.display(),
            last.as_secs_f64(),
            source.state()
        );
    }
    if frames == 0 {
        bail!("{} has no frames", args.clip.display());
    }
    if !args.json {
        let took = began.elapsed().as_secs_f64();
        println!(
            "{:8.1} s  end of the clip: {frames} looks ({reused} of them asked nothing, since nothing had changed) in {took:.1} s, {:.1} times as fast as life",
            last.as_secs_f64(),
            last.as_secs_f64() / took
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A machine with no limits but the spacing of the frames.
pub fn offline_watch(model: &dyn Model, zones: &[Zone], every: f64, start: Moment) -> Watch {
    let setup = Setup {
        camera: Id::new("replay").expect("a valid id"),
        time_zone: jiff::tz::TimeZone::system(),
        position: None,
        knowledge: model.knowledge(),
        snapshot: Snapshot::None,
        deadline: DEADLINE,
        // A little less than the spacing, so that every frame is due.
        every: Some(Duration::from_secs_f64(every * 0.9)),
        metered: false,
        boot: 0,
        info: Info::default(),
    };
    // A replay is not on a board: watts bound nothing.
    let plenty = Watts(1e6);
    let governor = governor::Governor::new(governor::Config {
        idle: Watts(0.0),
        // Looks take no time of the clip's.
        points: vec![governor::Told {
            look: Duration::ZERO,
            question: Duration::ZERO,
            ..governor::Told::default()
        }],
        gap: Duration::ZERO,
        ..governor::Config::default()
    });
    let readings = Readings {
        allotment: Reading::modelled(plenty, "replay"),
        board: None,
        hottest: None,
        frequency_mhz: None,
        cpu_time: Duration::ZERO,
        problems: Vec::new(),
    };
    let mut watch = Watch::new(setup, governor, &readings, start.mono);
    watch.restore(zones.to_vec(), Vec::new(), Vec::new(), start);
    watch
}

/// Sets `rules`; shows what is understood, and gives an exit code if one is
/// refused.
fn set_rules(
    watch: &mut Watch,
    rules: &[(Id, String)],
    start: Moment,
    json: bool,
) -> Option<ExitCode> {
    for (id, sentence) in rules {
        let echo = watch.dry_run(sentence);
        if echo.error.is_some() {
            if json {
                let form = json!({"rule": id, "text": sentence, "error": echo.error});
                println!("{form}");
            } else {
                print_echo(sentence, &echo);
            }
            return Some(ExitCode::from(2));
        }
        if !json {
            println!("{id}:");
            print_echo(sentence, &echo);
        }
        watch.handle(crate::daemon::rule_request(id.clone(), sentence), start);
    }
    None
}

fn print_alert(raise: &Raise, now: Mono, json: bool) -> Result<()> {
    let alert = &raise.alert;
    let t = (now.as_secs_f64() * 1000.0).round() / 1000.0;
    if json {
        let line = json!({
            "t": t,
            "rule": alert.rule,
            "phase": alert.phase,
            "says": alert.says,
            "id": alert.id,
            "severity": alert.severity,
            "since": alert.since,
            "evidence": alert.evidence,
            "joules": alert.joules,
        });
        println!("{line}");
    } else {
        let phase = serde_json::to_value(alert.phase)?;
        let phase = phase.as_str().unwrap_or_default();
        println!("{t:8.1} s  {:8} {phase:6} {}", alert.rule, alert.says);
    }
    Ok(())
}
