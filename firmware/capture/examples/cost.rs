//! What it costs to give inference a few frames a second, in CPU time: with
//! the rate dropped before scaling and converting (as this crate does) against
//! the baseline "convert every frame, then drop", on the same source in the
//! same run. The source's own cost is measured first and taken off.
//!
//! `cargo run --release -p capture --example cost [-- CLIP]`

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capture::{Camera, CameraConfig, CaptureError, Pipelines, Source};
use scene::ports::{Clock, FrameSource};
use scene::{Moment, Mono};

const WANTED: f64 = 5.0;
const LENGTH: Duration = Duration::from_secs(8);

struct Since(Instant);

impl Clock for Since {
    fn now(&self) -> Moment {
        Moment::unclocked(Mono::ZERO + self.0.elapsed())
    }
}

/// CPU time of this process, seconds: user and system, in hundredths.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = after_name.split_whitespace().skip(11).take(2);
    fields.filter_map(|f| f.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// CPU seconds a second of video; `rate` as in the configuration, `None` for
/// an inference that asks for nothing.
fn run(
    pipelines: &Pipelines,
    source: &Source,
    rate: Option<f64>,
) -> Result<(f64, u32), CaptureError> {
    let mut config = CameraConfig::new(source.clone());
    config.rtsp = None;
    config.rate = rate.unwrap_or(WANTED);
    let mut camera = Camera::start(pipelines, &config, Arc::new(Since(Instant::now())))?;
    let begun = Instant::now();
    while camera.stats().captured == 0 && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let (begun, before, mut frames) = (Instant::now(), cpu_seconds(), 0);
    while begun.elapsed() < LENGTH {
        if rate.is_none() {
            std::thread::sleep(Duration::from_millis(50));
        } else if camera.next(Duration::from_secs(1)).is_some() {
            frames += 1;
        }
    }
    Ok((
        (cpu_seconds() - before) / begun.elapsed().as_secs_f64(),
        frames,
    ))
}

fn main() -> Result<(), CaptureError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines");
    let pipelines = Pipelines::load(folder)?;
    let source = match std::env::args_os().nth(1) {
        Some(clip) => Source::file(clip)?,
        None => Source::test(1920, 1080, 30),
    };
    let (alone, _) = run(&pipelines, &source, None)?;
    let (ours, few) = run(&pipelines, &source, Some(WANTED))?;
    let (baseline, all) = run(&pipelines, &source, Some(0.0))?;
    let ms = |seconds: f64| seconds * 1000.0;
    println!(
        "source alone:                      {:7.1} ms CPU a second",
        ms(alone)
    );
    println!(
        "drop before convert ({few} frames):   {:+7.1} ms CPU a second",
        ms(ours - alone)
    );
    println!(
        "convert every frame ({all} frames):  {:+7.1} ms CPU a second",
        ms(baseline - alone)
    );
    println!("ratio: {:.2}", (ours - alone) / (baseline - alone));
    Ok(())
}
