//! A clip, once, as fast as the consumer goes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use scene::ports::{FrameSource, SourceState};
use scene::{Frame, Moment, Mono};

use crate::slots::Slots;
use crate::value::Values;
use crate::{CaptureError, Pipelines, init, launch, picture};

const OPEN_LIMIT: Duration = Duration::from_secs(20);
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// How a clip is replayed.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayConfig {
    /// The clip.
    pub path: PathBuf,
    /// Frames given a second of the clip; 0 gives every frame.
    pub rate: f64,
    /// The widest frame given, pixels; wider pictures are made smaller, with
    /// their aspect kept. At least 2.
    pub max_width: u32,
}

impl ReplayConfig {
    /// The clip at `path`, five frames a second, at most 960 pixels wide.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            rate: 5.0,
            max_width: crate::DEFAULT_MAX_WIDTH,
        }
    }
}

/// Plays a clip once, at full speed, on its own timestamps: `Mono::ZERO` is
/// the clip's start, and there is no wall time. Nothing is dropped; the
/// decoder waits for the consumer. The same clip gives the same frames each
/// time on the same machine.
pub struct Replay {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    sink: gst_app::AppSink,
    subject: String,
    pipelines: Pipelines,
    duration: Option<Duration>,
    seq: u64,
    ended: bool,
    failure: Option<String>,
    missing: Option<String>,
}

impl Replay {
    /// Opens the clip and waits for its first picture. The error is a sentence
    /// that names the file and what is wrong with it.
    pub fn open(pipelines: &Pipelines, config: &ReplayConfig) -> Result<Self, CaptureError> {
        init()?;
        let subject = format!("the clip {}", config.path.display());
        if let Some(why) = launch::absent(&subject, std::slice::from_ref(&config.path)) {
            return Err(CaptureError::Source(why));
        }
        let description = &pipelines.replay;
        let path = utf8(&config.path)?;
        let values = Values::from([("path".to_owned(), path.into())]);
        let text = description.render(&values)?;
        let pipeline = launch::parse(pipelines, &text, &[description])?;
        let file = &description.file;
        let sampler = launch::named(&pipeline, "sampler", file)?;
        let size = launch::named(&pipeline, "inference_size", file)?;
        let sink = launch::appsink(&pipeline, "inference", file)?;
        watch(&launch::pad(&sampler, "sink", file)?, size, config);
        let Some(bus) = pipeline.bus() else {
            return Err(CaptureError::Gstreamer("a pipeline without a bus".into()));
        };
        let mut replay = Self {
            pipeline,
            bus,
            sink,
            subject,
            pipelines: pipelines.clone(),
            duration: None,
            seq: 0,
            ended: false,
            failure: None,
            missing: None,
        };
        // A refusal is explained on the bus.
        let _ = replay.pipeline.set_state(gst::State::Paused);
        replay.preroll()?;
        replay.duration = (replay.pipeline.query_duration::<gst::ClockTime>()).map(Into::into);
        let _ = replay.pipeline.set_state(gst::State::Playing);
        Ok(replay)
    }

    fn preroll(&mut self) -> Result<(), CaptureError> {
        let end = Instant::now() + OPEN_LIMIT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let left = gst::ClockTime::try_from(left).unwrap_or(gst::ClockTime::ZERO);
            let Some(message) = self.bus.timed_pop(left) else {
                return Err(CaptureError::Source(format!(
                    "{} gives no picture within {OPEN_LIMIT:?}",
                    self.subject
                )));
            };
            use gst::MessageView::*;
            match message.view() {
                AsyncDone(_) => return Ok(()),
                Eos(_) => {
                    return Err(CaptureError::Source(format!(
                        "{} has no picture in it",
                        self.subject
                    )));
                }
                _ => self.hear(&message),
            }
            if let Some(why) = self.failure.take() {
                return Err(CaptureError::Source(why));
            }
        }
    }

    /// Takes note of errors and of what they come from.
    fn hear(&mut self, message: &gst::Message) {
        match message.view() {
            gst::MessageView::Element(element) => {
                if let Some(detail) = launch::missing_plugin(element) {
                    self.missing = Some(self.pipelines.missing_decoder(&detail));
                }
            }
            gst::MessageView::Error(error) => {
                let why = match self.missing.take() {
                    Some(missing) => format!("{}: {missing}", self.subject),
                    None => launch::sentence(&self.subject, error),
                };
                tracing::warn!(why, "replay failed");
                self.failure.get_or_insert(why);
            }
            _ => {}
        }
    }

    /// How long the clip is, if it says so.
    pub fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// What broke the replay off before the end of the clip, in a sentence.
    /// `None` while it goes on and after a whole replay.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn frame(&mut self, sample: &gst::Sample) -> Result<Frame, String> {
        let at = (sample.buffer().and_then(gst::BufferRef::pts))
            .zip(
                sample
                    .segment()
                    .and_then(|s| s.downcast_ref::<gst::ClockTime>()),
            )
            .and_then(|(pts, segment)| segment.to_running_time(pts))
            .ok_or("a picture without a time")?;
        let captured = Moment::unclocked(Mono::from_nanos(at.nseconds()));
        let frame = picture::frame(sample, self.seq, captured)?;
        self.seq += 1;
        Ok(frame)
    }
}

impl FrameSource for Replay {
    fn next(&mut self, timeout: Duration) -> Option<Frame> {
        let end = Instant::now() + timeout.min(Duration::from_secs(3600));
        while !self.ended {
            let left = end.saturating_duration_since(Instant::now());
            // Short turns, so that an error on the bus ends the wait.
            let turn = left.min(Duration::from_millis(100));
            let turn = gst::ClockTime::try_from(turn).unwrap_or(gst::ClockTime::ZERO);
            if let Some(sample) = self.sink.try_pull_sample(turn) {
                match self.frame(&sample) {
                    Ok(frame) => return Some(frame),
                    Err(why) => {
                        self.failure = Some(format!("{}: {why}", self.subject));
                        self.ended = true;
                    }
                }
                break;
            }
            while let Some(message) = self.bus.pop() {
                self.hear(&message);
            }
            if self.failure.is_some() || self.sink.is_eos() {
                self.ended = true;
            } else if left.is_zero() {
                break;
            }
        }
        None
    }

    fn state(&self) -> SourceState {
        if self.ended {
            SourceState::Ended
        } else {
            SourceState::Live
        }
    }

    fn dropped(&self) -> u64 {
        0
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        if launch::tear_down(self.pipeline.clone(), STOP_LIMIT).is_err() {
            tracing::error!(
                "{} did not stop within {STOP_LIMIT:?}; it is left behind",
                self.subject
            );
        }
    }
}

/// What a probe returns to turn a buffer away. Not `Drop`: the binding has freed
/// the buffer by then, and GStreamer 1.22 would free it again and complain.
pub(crate) const TURN_AWAY: gst::PadProbeReturn = gst::PadProbeReturn::Handled;

/// Samples the rate before anything is scaled, and fixes the size of what is
/// given by the size of what comes.
fn watch(pad: &gst::Pad, size: gst::Element, config: &ReplayConfig) {
    let slots = Arc::new(Mutex::new(Slots::new(config.rate)));
    let max_width = config.max_width;
    let types = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    pad.add_probe(types, move |pad, info| {
        if let Some(event) = info.event() {
            resize(event, &size, max_width);
        } else if let Some(buffer) = info.buffer() {
            let at = running_time(pad, buffer);
            let mut slots = slots
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if at.is_some_and(|at| !slots.begins(at.nseconds())) {
                return TURN_AWAY;
            }
        }
        gst::PadProbeReturn::Ok
    });
}

/// Sets the inference branch's size when the source's caps go by.
pub(crate) fn resize(event: &gst::EventRef, size: &gst::Element, max_width: u32) {
    let gst::EventView::Caps(caps) = event.view() else {
        return;
    };
    match gst_video::VideoInfo::from_caps(caps.caps()) {
        Ok(info) => size.set_property("caps", picture::inference_caps(&info, max_width)),
        Err(_) => {
            tracing::warn!(caps = %caps.caps(), "the source gives something that is no plain picture")
        }
    }
}

/// When a buffer is due, counted from the pipeline's start.
pub(crate) fn running_time(pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<gst::ClockTime> {
    let segment = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = segment.segment().downcast_ref::<gst::ClockTime>()?;
    segment.to_running_time(buffer.pts()?)
}

pub(crate) fn utf8(path: &Path) -> Result<&str, CaptureError> {
    path.to_str().ok_or_else(|| {
        CaptureError::Source(format!(
            "the name of {} is not UTF-8; GStreamer's descriptions need that, so rename it",
            path.display()
        ))
    })
}
