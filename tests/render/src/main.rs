//! `render`: the project's own footage, from the command line.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use render::clip::{self, Format};
use render::scenes;
use render::script::Script;
use render::stills::Subject;

#[derive(Parser)]
#[command(
    version,
    about = "Renders labelled scenes: stills for training, clips for tests and the demo"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Random labelled JPEGs with annotations.jsonl.
    Stills {
        /// Equal seeds give equal pictures.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many pictures.
        #[arg(long, default_value_t = 100)]
        count: usize,
        /// Folder for the pictures and annotations.jsonl; made if missing.
        #[arg(long)]
        out: PathBuf,
        /// Pixels, WIDTHxHEIGHT.
        #[arg(long, default_value = "384x288", value_parser = size)]
        size: (u32, u32),
        /// What they show.
        #[arg(long, value_enum, default_value_t = Subject::Any)]
        subject: Subject,
    },
    /// A scripted clip as H.264 in MP4 (encoded by gst-launch-1.0), and its truth as JSON.
    Clip {
        /// station, doorway, empty, parcel, or the path of a script (.json).
        #[arg(long)]
        scene: String,
        /// Looks and textures; times and places stay.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The clip.
        #[arg(long)]
        out: PathBuf,
        /// Where to write what is true of every second.
        #[arg(long)]
        truth: Option<PathBuf>,
        #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=60))]
        fps: u32,
        /// Pixels, WIDTHxHEIGHT.
        #[arg(long, default_value = "960x540", value_parser = size)]
        size: (u32, u32),
    },
    /// One frame of a script as PNG or JPEG.
    Frame {
        #[arg(long)]
        scene: String,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Seconds into the script.
        #[arg(long)]
        at: f32,
        /// .png or .jpg
        #[arg(long)]
        out: PathBuf,
        #[arg(long, default_value = "960x540", value_parser = size)]
        size: (u32, u32),
    },
    /// Prints a built-in script as JSON, to start one's own from.
    Script {
        #[arg(long)]
        scene: String,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

fn script(scene: &str, seed: u64) -> Result<Script> {
    let script = if scene.ends_with(".json") {
        let text =
            std::fs::read_to_string(scene).with_context(|| format!("read the script {scene}"))?;
        serde_json::from_str(&text)
            .with_context(|| format!("the script {scene} is not understood"))?
    } else {
        scenes::by_name(scene, seed)?
    };
    script.check()?;
    Ok(script)
}

fn size(text: &str) -> Result<(u32, u32)> {
    let (w, h) = text
        .split_once('x')
        .with_context(|| format!("'{text}' is no size; write WIDTHxHEIGHT, e.g. 960x540"))?;
    let (w, h): (u32, u32) = (
        w.parse().with_context(|| format!("width '{w}'"))?,
        h.parse().with_context(|| format!("height '{h}'"))?,
    );
    if !(32..=4096).contains(&w) || !(32..=4096).contains(&h) || w % 2 == 1 || h % 2 == 1 {
        bail!("{w}x{h}: each side must be even and between 32 and 4096 pixels");
    }
    Ok((w, h))
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Stills {
            seed,
            count,
            out,
            size,
            subject,
        } => render::stills::write(seed, count, &out, size, subject),
        Command::Clip {
            scene,
            seed,
            out,
            truth,
            fps,
            size: (width, height),
        } => {
            let script = script(&scene, seed)?;
            let format = Format { width, height, fps };
            let stage = clip::stage(&script, width, height);
            clip::write(&script, &stage, format, &out)?;
            if let Some(path) = truth {
                let text =
                    serde_json::to_string_pretty(&clip::truth(&script, &stage, seed, format))?;
                std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
            }
            Ok(())
        }
        Command::Frame {
            scene,
            seed,
            at,
            out,
            size: (width, height),
        } => {
            let script = script(&scene, seed)?;
            let stage = clip::stage(&script, width, height);
            let (pix, _) = stage.render(&script.at(at, (at * 12.0) as u64), false);
            render::stills::to_rgb(&pix)
                .save(&out)
                .with_context(|| format!("write {}", out.display()))
        }
        Command::Script { scene, seed } => {
            println!("{}", serde_json::to_string_pretty(&script(&scene, seed)?)?);
            Ok(())
        }
    }
}
