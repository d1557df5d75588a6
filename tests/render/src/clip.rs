//! Clips: frames of a script, encoded to H.264 in MP4 by GStreamer, and their truth.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;

use anyhow::{Context as _, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use crate::script::Script;
use crate::shot::{Boxed, Stage};

/// One second of a clip's truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Seconds of video.
    pub t: f32,
    /// As scripted, whether seen or not; `null` without a place to queue at.
    pub in_queue: Option<u32>,
    /// Labelled (visible) people, in the queue or not.
    pub people: u32,
    /// Labelled bags that nobody holds and nobody visible is near.
    pub unattended_bags: u32,
    pub boxes: Vec<Boxed>,
}

/// What happens to a bag that is put down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftBag {
    pub id: u32,
    pub label: String,
    /// Seconds of video.
    pub left_at: f32,
    pub taken_at: Option<f32>,
    /// First whole second at which its owner is out of view (or more than [`crate::shot::ATTENDED_WITHIN`] away).
    pub alone_from: Option<f32>,
    /// First whole second after that with somebody near it again.
    pub alone_to: Option<f32>,
    /// While it stands: its box.
    #[serde(rename = "box")]
    pub boxed: Option<Boxed>,
}

/// The truth of a clip, written beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipTruth {
    pub scene: String,
    pub seed: u64,
    pub width: u32,
    pub height: u32,
    pub fps: u32,
    pub frames: u64,
    pub duration_s: f32,
    pub queue_place: Option<String>,
    pub seconds: Vec<Second>,
    pub left_bags: Vec<LeftBag>,
}

/// A clip's settings.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    pub width: u32,
    pub height: u32,
    pub fps: u32,
}

/// Frames of a clip of this length.
pub fn frame_count(script: &Script, fps: u32) -> u64 {
    (script.duration_s * fps as f32).round() as u64
}

/// The stage of a script.
pub fn stage(script: &Script, width: u32, height: u32) -> Stage {
    Stage::new(
        script.place.clone(),
        script.fixtures.clone(),
        script.queue_place.clone(),
        width,
        height,
        true,
    )
}

/// The truth, a row a second.
pub fn truth(script: &Script, stage: &Stage, seed: u64, format: Format) -> ClipTruth {
    let mut seconds = Vec::new();
    let mut left_bags: Vec<LeftBag> = script
        .actors
        .iter()
        .filter_map(|a| a.bag)
        .filter_map(|b| {
            b.left_at.map(|left_at| LeftBag {
                id: b.id,
                label: b.look.kind.label().name().to_owned(),
                left_at,
                taken_at: b.taken_at,
                alone_from: None,
                alone_to: None,
                boxed: None,
            })
        })
        .collect();
    let mut t = 0.0f32;
    while t < script.duration_s {
        let shot = script.at(t, 0);
        let truth = stage.label(&shot);
        for bag in &mut left_bags {
            let Some(standing) = shot.bags.iter().find(|b| b.id == bag.id) else {
                if bag.alone_from.is_some() && bag.alone_to.is_none() {
                    bag.alone_to = Some(t);
                }
                continue;
            };
            let seen = |id| truth.found.iter().any(|f| f.id == Some(id));
            let alone = !shot.people.iter().any(|p| {
                seen(p.id) && p.pose.at.ground_distance(standing.at) <= crate::shot::ATTENDED_WITHIN
            });
            if alone && bag.alone_from.is_none() {
                bag.alone_from = Some(t);
                bag.boxed = truth
                    .found
                    .iter()
                    .find(|f| f.id == Some(bag.id))
                    .map(|f| f.boxed.clone());
            } else if !alone && bag.alone_from.is_some() && bag.alone_to.is_none() {
                bag.alone_to = Some(t);
            }
        }
        seconds.push(Second {
            t,
            in_queue: script.queue_place.is_some().then(|| script.queue_at(t)),
            people: truth.facts.people,
            unattended_bags: truth.facts.unattended_bags,
            boxes: truth.found.into_iter().map(|f| f.boxed).collect(),
        });
        t += 1.0;
    }
    ClipTruth {
        scene: script.name.clone(),
        seed,
        width: format.width,
        height: format.height,
        fps: format.fps,
        frames: frame_count(script, format.fps),
        duration_s: script.duration_s,
        queue_place: script.queue_place.clone(),
        seconds,
        left_bags,
    }
}

/// Renders all frames on all cores and hands them to `sink` in order, RGBx.
pub fn frames(
    script: &Script,
    stage: &Stage,
    fps: u32,
    mut sink: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let total = frame_count(script, fps);
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get()) as u64;
    std::thread::scope(|scope| {
        let mut lanes = Vec::new();
        for first in 0..workers {
            // Two finished frames a worker; when the encoder is slower, the worker waits.
            let (send, receive) = sync_channel(2);
            lanes.push(receive);
            scope.spawn(move || {
                let mut frame = first;
                while frame < total {
                    let (pix, _) =
                        stage.render(&script.at(frame as f32 / fps as f32, frame), false);
                    // The receiver is gone when the encoder failed: stop quietly, the error is told there.
                    if send.send(pix).is_err() {
                        return;
                    }
                    frame += workers;
                }
            });
        }
        for frame in 0..total {
            let pix = lanes[(frame % workers) as usize]
                .recv()
                .map_err(|_| anyhow!("a rendering thread ended before frame {frame}"))?;
            sink(pix.data())?;
        }
        Ok(())
    })
}

/// Elements of the encoder and the Debian packages that have them.
const ELEMENTS: [(&str, &str); 6] = [
    ("fdsrc", "gstreamer1.0-plugins-base"),
    ("rawvideoparse", "gstreamer1.0-plugins-base"),
    ("videoconvert", "gstreamer1.0-plugins-base"),
    ("x264enc", "gstreamer1.0-plugins-ugly"),
    ("h264parse", "gstreamer1.0-plugins-bad"),
    ("mp4mux", "gstreamer1.0-plugins-good"),
];

fn missing(program: &str, error: std::io::Error) -> anyhow::Error {
    if error.kind() == std::io::ErrorKind::NotFound {
        anyhow!("{program} is not installed; install the package gstreamer1.0-tools")
    } else {
        anyhow!("start {program}: {error}")
    }
}

fn check_elements() -> Result<()> {
    for (element, package) in ELEMENTS {
        let status = Command::new("gst-inspect-1.0")
            .args(["--exists", element])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|e| missing("gst-inspect-1.0", e))?;
        if !status.success() {
            bail!("GStreamer has no element '{element}'; install the package {package}");
        }
    }
    Ok(())
}

fn encoder(out: &Path, format: Format) -> Result<Child> {
    check_elements()?;
    // As a property of filesink, so that no character of the path is read as pipeline syntax.
    let location = format!("location={}", out.display());
    let parse = [
        "rawvideoparse".to_owned(),
        "format=rgbx".to_owned(),
        format!("width={}", format.width),
        format!("height={}", format.height),
        format!("framerate={}/1", format.fps),
    ];
    let key_interval = format!("key-int-max={}", format.fps * 2);
    let mut command = Command::new("gst-launch-1.0");
    command
        .args(["-q", "fdsrc", "fd=0", "blocksize=1048576", "!"])
        .args(parse);
    command.args(["!", "videoconvert", "!", "video/x-raw,format=I420", "!"]);
    command
        .args([
            "x264enc",
            "speed-preset=superfast",
            "pass=quant",
            "quantizer=23",
        ])
        .arg(key_interval);
    command
        .args([
            "!",
            "h264parse",
            "!",
            "mp4mux",
            "faststart=true",
            "!",
            "filesink",
        ])
        .arg(location);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().map_err(|e| missing("gst-launch-1.0", e))
}

/// Renders a script to an MP4 file.
pub fn write(script: &Script, stage: &Stage, format: Format, out: &Path) -> Result<()> {
    if let Some(folder) = out.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    }
    // A half-written file must not be taken for a clip.
    let part = out.with_extension("part");
    let mut child = encoder(&part, format)?;
    let mut stdin = child.stdin.take().context("the encoder has no input")?;
    let fed = frames(script, stage, format.fps, |frame| {
        stdin
            .write_all(frame)
            .context("the encoder stopped reading")
    });
    drop(stdin);
    let result = child
        .wait_with_output()
        .context("wait for gst-launch-1.0")?;
    if !result.status.success() || fed.is_err() {
        let _ = std::fs::remove_file(&part);
        let said = String::from_utf8_lossy(&result.stderr);
        fed?;
        bail!("gst-launch-1.0 failed ({}): {}", result.status, said.trim());
    }
    std::fs::rename(&part, out)
        .with_context(|| format!("rename {} to {}", part.display(), out.display()))
}
