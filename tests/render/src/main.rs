//! `render`: the project's own footage, from the command line.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about = "Renders labelled scenes: stills for training, clips for tests and the demo")]
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
    },
}

fn size(text: &str) -> Result<(u32, u32)> {
    let (w, h) = text.split_once('x').with_context(|| format!("'{text}' is no size; write WIDTHxHEIGHT, e.g. 960x540"))?;
    let (w, h): (u32, u32) = (w.parse().with_context(|| format!("width '{w}'"))?, h.parse().with_context(|| format!("height '{h}'"))?);
    if !(32..=4096).contains(&w) || !(32..=4096).contains(&h) || w % 2 == 1 || h % 2 == 1 {
        bail!("{w}x{h}: each side must be even and between 32 and 4096 pixels");
    }
    Ok((w, h))
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Stills { seed, count, out, size: (w, h) } => render::stills::write(seed, count, &out, w, h),
    }
}
