//! What looks cost at each operating point of a package on this machine:
//! `cargo run --release -p vision --example points -- --model models/scout`.

use std::path::PathBuf;

use scene::ports::Model;
use scene::{Concept, Frame, Question, QuestionKind};
use vision::bench::{self, Sample};
use vision::{Options, open};

/// A picture with edges, colours and noise.
fn picture() -> Result<Frame, scene::FrameError> {
    let (width, height) = (960usize, 540usize);
    let at = |i: usize| {
        let (x, y, c) = (i / 3 % width, i / 3 / width, i % 3);
        let ramp = (x * 170 / width + y * 30 / height + c * 10) as u8;
        ramp + if (x / 37 + y / 23) % 2 == 0 { 15 } else { 0 } + (i * 7919 % 13) as u8
    };
    Frame::still((0..width * height * 3).map(at).collect(), 960, 540)
}

/// Yes-or-no and, in whole sentences, counts: all go to the language model.
fn question(n: usize) -> Question {
    let noun = ["person", "car", "truck", "suitcase"][n / 2 % 4];
    let counts = n % 2 == 1;
    Question {
        ask: match counts {
            true => format!("How many {noun} are there?"),
            false => format!("Is there a {noun}?"),
        },
        kind: if counts {
            QuestionKind::Count
        } else {
            QuestionKind::YesNo
        },
        crop: None,
        about: None::<Concept>,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut model, mut threads, mut rounds) = (PathBuf::from("models/scout"), 2, 9);
    let mut args = std::env::args().skip(1);
    while let Some(key) = args.next() {
        let value = args.next().ok_or_else(|| format!("{key} needs a value"))?;
        match key.as_str() {
            "--model" => model = value.into(),
            "--threads" => threads = value.parse()?,
            "--rounds" => rounds = value.parse()?,
            _ => return Err(format!("unknown option {key}; --model, --threads, --rounds").into()),
        }
    }
    let mut eyes = open(Options {
        vlm: Some(model),
        threads,
        ..Options::default()
    })?;
    let (frame, questions) = (picture()?, (0..8).map(question).collect::<Vec<_>>());
    let sample = Sample {
        frame: &frame,
        zones: &[],
        questions: &questions,
        detect: false,
    };
    let of = eyes.points();
    let measured = bench::points(&mut eyes, &sample, &of, rounds, &mut |now| {
        eprint!("\r{} of {} ", now.done + 1, now.all);
        true
    });
    eprintln!();
    println!(
        "| point | accuracy | look, CPU-ms | wall ms | MB | question, CPU-ms | wall ms | MB | switch, ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for cost in &measured.points {
        let mb = |bytes: u64| bytes as f64 / 1e6;
        let further = cost.question.unwrap_or_default();
        println!(
            "| {} | {:.3} ({}) | {:.1} | {:.1} | {:.2} | {:.2} | {:.2} | {:.2} | {:.1} |",
            cost.point,
            cost.accuracy.value,
            match cost.accuracy.source {
                scene::Source::Measured => "measured",
                scene::Source::Modelled => "modelled",
            },
            cost.look.cpu_ms,
            cost.look.wall_ms,
            mb(cost.look.bytes),
            further.cpu_ms,
            further.wall_ms,
            mb(further.bytes),
            cost.switch_ms
        );
    }
    for (point, why) in &measured.refused {
        println!("{point}: {why}");
    }
    Ok(())
}
