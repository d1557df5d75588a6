//! `rule check`, `config check`, `model verify`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use scene::Question;
use scene::Zone;
use scene::ports::{Ability, Knowledge};

use super::REFUSED;
use crate::config::Config;
use crate::share::Share;

#[derive(Debug, clap::Args)]
pub(super) struct RuleCheckArgs {
    /// The sentence.
    sentence: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Check against this model package too; without it, any model is assumed
    /// that sees what it is asked for.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Check against this detector package too.
    #[arg(long, value_name = "DIR")]
    detector: Option<PathBuf>,
    /// Drawn zones: a JSON array of {"name", "polygon"}.
    #[arg(long, value_name = "FILE")]
    zones: Option<PathBuf>,
}

/// Stands for a camera about which nothing is known: its model tries whatever
/// it is asked, its detector knows every noun. So a sentence is judged by
/// itself.
struct AnyCamera;

impl Knowledge for AnyCamera {
    fn name(&self) -> String {
        "any".into()
    }
    fn ability(&self, _question: &Question) -> Ability {
        Ability::Tries
    }
    fn classes_for(&self, noun: &str) -> Vec<String> {
        vec![noun.into()]
    }
    fn classes(&self) -> Vec<String> {
        vec!["any object".into()]
    }
}

pub(super) fn rule(args: RuleCheckArgs) -> Result<ExitCode> {
    let zones = match &args.zones {
        Some(path) => read_zones(path)?,
        None => Vec::new(),
    };
    let site = rules::Site {
        zones: &zones,
        time_zone: jiff::tz::TimeZone::system(),
        position: None,
    };
    let echo = if args.model.is_some() || args.detector.is_some() {
        let (model, detector) = (args.model.as_deref(), args.detector.as_deref());
        let threads = crate::daemon::threads(1);
        let knowledge =
            crate::daemon::open_model(model, detector, threads, &Share::find()?)?.knowledge();
        rules::check(&args.sentence, &site, &*knowledge).0
    } else {
        on_any_camera(&args.sentence, &site)
    };
    if args.json {
        println!("{}", serde_json::to_string(&echo)?);
    } else {
        print_echo(&args.sentence, &echo);
    }
    Ok(match echo.error {
        Some(_) => ExitCode::from(REFUSED),
        None => ExitCode::SUCCESS,
    })
}

/// What a sentence says, when it is not known which camera it is for: what no
/// camera could do about it is a note, not a refusal.
fn on_any_camera(sentence: &str, site: &rules::Site<'_>) -> rules::Echo {
    let rule = match rules::read(sentence) {
        Ok(rule) => rule,
        Err(refusal) => return rules::Echo::refused(refusal),
    };
    match rules::arm(&rule, site, &AnyCamera) {
        Ok(armed) => rules::Echo::armed(&armed),
        Err(refusal) if refusal.kind == rules::RefusalKind::OverBudget => {
            rules::Echo::refused(refusal)
        }
        Err(refusal) => {
            let mut echo = rules::Echo::understood(&rule);
            let offer = refusal.offer.unwrap_or_default();
            echo.notes
                .push(format!("it can't be armed: {} {offer}", refusal.why));
            echo
        }
    }
}

/// Shows an echo to a person.
pub(crate) fn print_echo(sentence: &str, echo: &rules::Echo) {
    if let Some(error) = &echo.error {
        println!("refused ({}): {}", error.kind, error.why);
        for [start, end] in &error.spans {
            let before = " ".repeat(*start);
            let under = "^".repeat(end.saturating_sub(*start).max(1));
            println!("  {sentence}\n  {before}{under}");
        }
        if let Some(offer) = &error.offer {
            println!("try: {offer}");
        }
        return;
    }
    if let Some(says) = &echo.says {
        println!("{says}");
    }
    for question in &echo.questions {
        println!("asks: {}", question.ask);
    }
    if let Some(cost) = &echo.cost {
        let source = match cost.source {
            scene::Source::Measured => "measured",
            scene::Source::Modelled => "modelled",
        };
        println!(
            "costs: {:.2} J a look, one every {:.1} s: {:.3} W ({source})",
            cost.joules_per_check, cost.check_every_seconds, cost.watts
        );
    }
    for note in &echo.notes {
        println!("note: {note}");
    }
}

/// Reads a JSON array of zones.
pub(crate) fn read_zones(path: &Path) -> Result<Vec<Zone>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("can't read the zones {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is not an array of zones like [{{\"name\":\"till\",\"polygon\":[[0,0],[1,0],[1,1]]}}]",
            path.display()
        )
    })
}

pub(super) fn config(path: &Path) -> Result<ExitCode> {
    let share = Share::find()?;
    let checked = Config::load(path).and_then(|config| config.check(&share).map(|()| config));
    match checked {
        Ok(config) => {
            let mut shown = config;
            // A URL may carry a password; the file is where that stays.
            shown.hide_credentials();
            print!("{}", toml::to_string(&shown)?);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{error}");
            Ok(ExitCode::from(REFUSED))
        }
    }
}

pub(super) fn model(dir: &Path) -> Result<ExitCode> {
    vision::runtime::load(None)?;
    match vision::package::verify(dir) {
        Ok(report) => {
            println!(
                "{}: {:?}, {}; variants {}; {} files checked",
                report.name,
                report.kind,
                report.licence,
                report.variants.join(", "),
                report.checked_files
            );
            for note in &report.notes {
                println!("note: {note}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            for problem in problems {
                eprintln!("{problem}");
            }
            Ok(ExitCode::from(REFUSED))
        }
    }
}
