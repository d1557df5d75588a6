//! `ask`: a model, a picture, a question.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use scene::QuestionKind;
use scene::ports::Model;
use serde::Deserialize;

use crate::evidence::read_still;
use crate::share::Share;
use crate::watch::{AskAnswer, question};

#[derive(Debug, clap::Args)]
pub(super) struct AskArgs {
    /// The question.
    #[arg(required_unless_present = "batch")]
    question: Option<String>,
    /// The picture, JPEG or PNG.
    #[arg(long, value_name = "FILE", required_unless_present = "batch")]
    image: Option<PathBuf>,
    /// JSON lines of {"image", "question", "kind"?}; pictures are found from
    /// the file's folder. Prints a JSON line each.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["image", "question"])]
    batch: Option<PathBuf>,
    /// The model package; the built-in one if absent.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// A detector package that is asked first.
    #[arg(long, value_name = "DIR")]
    detector: Option<PathBuf>,
    /// Threads of ONNX Runtime.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchLine {
    image: PathBuf,
    question: String,
    kind: Option<QuestionKind>,
}

/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(300);

pub(super) fn ask(args: AskArgs) -> Result<ExitCode> {
    let (package, detector) = (args.model.as_deref(), args.detector.as_deref());
    let threads = crate::daemon::threads(args.threads);
    let mut model = crate::daemon::open_model(package, detector, threads, &Share::find()?)?;
    if let Some(batch) = &args.batch {
        return ask_batch(&mut *model, batch);
    }
    let (Some(image), Some(text)) = (&args.image, &args.question) else {
        bail!("ask needs --image FILE and a question");
    };
    let answer = ask_one(&mut *model, image, text, None)?;
    if args.json {
        println!("{}", serde_json::to_string(&answer)?);
    } else {
        match &answer.why {
            Some(why) => println!("unknown: {why}"),
            None => println!("{} ({:.0} %)", answer.answer, answer.confidence * 100.0),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn ask_one(
    model: &mut dyn Model,
    image: &Path,
    text: &str,
    kind: Option<QuestionKind>,
) -> Result<AskAnswer> {
    let frame = read_still(image)?;
    let question = question(text, kind, None);
    let sight = model.look(
        &frame,
        &[],
        std::slice::from_ref(&question),
        false,
        DEADLINE,
    );
    let answer = sight.answers.first().context("the model gave no answer")?;
    Ok(AskAnswer::new(&question, answer, None))
}

fn ask_batch(model: &mut dyn Model, batch: &Path) -> Result<ExitCode> {
    let folder = batch.parent().unwrap_or(Path::new("."));
    let file =
        std::fs::File::open(batch).with_context(|| format!("can't open {}", batch.display()))?;
    let mut failed = 0;
    for (number, line) in std::io::BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("can't read {}", batch.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        let done = serde_json::from_str::<BatchLine>(&line)
            .map_err(anyhow::Error::from)
            .and_then(|asked| {
                ask_one(
                    model,
                    &folder.join(&asked.image),
                    &asked.question,
                    asked.kind,
                )
            });
        match done {
            Ok(answer) => println!("{}", serde_json::to_string(&answer)?),
            Err(error) => {
                failed += 1;
                eprintln!("{}:{}: {error:#}", batch.display(), number + 1);
                println!("{}", serde_json::json!({"error": format!("{error:#}")}));
            }
        }
    }
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
