//! One run of the live pipeline, from its start to its first failure.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use scene::Moment;

use crate::camera::Shared;
use crate::description::Description;
use crate::remote::Access;
use crate::replay::{TURN_AWAY, resize, running_time};
use crate::{CameraConfig, CaptureError, Pipelines, launch, picture, seam};

/// How often a run looks whether it should stop or has stalled.
const TURN: Duration = Duration::from_millis(250);

/// Everything that a run is built from; worked out once.
pub(crate) struct Plan {
    pipelines: Pipelines,
    text: String,
    parts: Vec<Description>,
    pub subject: String,
    pub encoder: String,
    exists: Vec<PathBuf>,
    loops: bool,
    repeat: bool,
    max_width: u32,
    watchdog: Duration,
    access: Option<Access>,
}

impl Plan {
    pub fn new(pipelines: &Pipelines, config: &CameraConfig) -> Result<Self, CaptureError> {
        let source = pipelines.source(&config.source.name)?;
        let given = &config.source.values;
        let source_text = source.text.render(given)?;
        let (encoder, encoder_text) = choose_encoder(pipelines, config)?;
        let live = &pipelines.live;
        let text = live.compose(&[("source", &source_text), ("encoder", &encoder_text)])?;
        let exists = source.exists.iter().filter_map(|name| {
            match given.get(name).or_else(|| source.text.defaults.get(name))? {
                crate::Value::Text(path) => Some(PathBuf::from(path)),
                crate::Value::Int(_) => None,
            }
        });
        Ok(Self {
            subject: source.called(given)?,
            parts: vec![
                live.clone(),
                source.text.clone(),
                pipelines.encoder(&encoder)?.clone(),
            ],
            pipelines: pipelines.clone(),
            text,
            encoder,
            exists: exists.collect(),
            loops: source.loops,
            repeat: config.source.repeat,
            max_width: config.max_width,
            watchdog: config.watchdog,
            access: config.source.access.clone(),
        })
    }

    /// Builds the pipeline without starting it.
    pub fn build(&self) -> Result<gst::Pipeline, CaptureError> {
        let parts: Vec<&Description> = self.parts.iter().collect();
        let pipeline = launch::parse(&self.pipelines, &self.text, &parts)?;
        let file = &self.parts[0].file;
        for name in ["video", "to_encoder", "to_inference", "inference_size"] {
            launch::pad(&launch::named(&pipeline, name, file)?, "sink", file)?;
        }
        for name in ["encoded", "inference"] {
            launch::appsink(&pipeline, name, file)?;
        }
        if self.loops {
            let file = &self.parts[1].file;
            launch::pad(&launch::named(&pipeline, "pace", file)?, "sink", file)?;
        }
        if let Some(access) = &self.access {
            let file = &self.parts[1].file;
            let camera = launch::named(&pipeline, "camera", file)?;
            (access.apply(&camera)).map_err(|why| CaptureError::Description {
                file: file.clone(),
                why,
            })?;
        }
        // RTSP's pipelines run on the same clock, so times carry over.
        pipeline.use_clock(Some(&gst::SystemClock::obtain()));
        Ok(pipeline)
    }
}

/// The encoder that was asked for, or the first of the list whose elements are
/// installed; if none is, the error is the last one's, the most common encoder
/// standing at the end of the list being the one to install.
fn choose_encoder(
    pipelines: &Pipelines,
    config: &CameraConfig,
) -> Result<(String, String), CaptureError> {
    let names = match &config.encoder {
        Some(name) => std::slice::from_ref(name),
        None => pipelines.encoder_order.as_slice(),
    };
    let mut failure = None;
    for name in names {
        let encoder = pipelines.encoder(name)?;
        let text = encoder.render(&config.encoder_values)?;
        match launch::try_part(pipelines, &text, encoder) {
            Ok(()) => return Ok((name.clone(), text)),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(|| CaptureError::Description {
        file: pipelines.live.file.clone(),
        why: "'encoders' is empty; name at least one".into(),
    }))
}

/// A clip that was sought to its start gives its first picture within this
/// time, or its demultiplexer does not take such a seek.
const SOUGHT: Duration = Duration::from_secs(3);

/// How a run ended.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    /// It was told to.
    Stopped,
    /// A source that is not to be repeated is through.
    Over,
    /// A source that can't be sought in is through, or its file is a new one:
    /// begin again at once.
    Again,
    /// The clip can't be looped by seeking: begin again without.
    Unsought,
    /// It broke; why, in a sentence.
    Failed(String),
}

/// One pipeline, wired.
pub(crate) struct Run<'a> {
    plan: &'a Plan,
    shared: &'a Arc<Shared>,
    pub pipeline: gst::Pipeline,
    bus: gst::Bus,
    /// A picture has come as far as `pace`, or as the tee.
    primed: Arc<AtomicBool>,
    missing: Option<String>,
}

impl<'a> Run<'a> {
    pub fn new(plan: &'a Plan, shared: &'a Arc<Shared>) -> Result<Self, CaptureError> {
        let pipeline = plan.build()?;
        let Some(bus) = pipeline.bus() else {
            return Err(CaptureError::Gstreamer("a pipeline without a bus".into()));
        };
        let run = Self {
            plan,
            shared,
            pipeline,
            bus,
            primed: Arc::default(),
            missing: None,
        };
        run.wire()?;
        Ok(run)
    }

    fn wire(&self) -> Result<(), CaptureError> {
        let file = &self.plan.parts[0].file;
        let find = |name: &str| launch::named(&self.pipeline, name, file);
        let sink_pad = |name: &str| launch::pad(&find(name)?, "sink", file);

        let first = if self.plan.loops { "pace" } else { "video" };
        if self.plan.loops {
            seam::join(&sink_pad("pace")?);
        }
        let primed = self.primed.clone();
        sink_pad(first)?.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            primed.store(true, Ordering::Release);
            gst::PadProbeReturn::Remove
        });

        let shared = self.shared.clone();
        sink_pad("video")?.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            shared.saw_frame();
            gst::PadProbeReturn::Ok
        });

        let encoded = launch::appsink(&self.pipeline, "encoded", file)?;
        self.gate_encoder(&sink_pad("to_encoder")?, &encoded);
        self.take_encoded(&encoded);

        let size = find("inference_size")?;
        self.gate_inference(&sink_pad("to_inference")?, size);
        self.take_inference(&launch::appsink(&self.pipeline, "inference", file)?);
        Ok(())
    }

    /// Turns pictures away from the encoder while nobody watches.
    fn gate_encoder(&self, pad: &gst::Pad, encoded: &gst_app::AppSink) {
        let outlet = self.shared.outlet.clone();
        let encoded = encoded.downgrade();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            if !outlet.wants() {
                return TURN_AWAY;
            }
            if outlet.take_key_wanted()
                && let Some(pad) = encoded.upgrade().and_then(|sink| sink.static_pad("sink"))
            {
                // Upstream from the end of the branch: the encoder takes it.
                let event = gst_video::UpstreamForceKeyUnitEvent::builder();
                pad.push_event(event.all_headers(true).build());
            }
            gst::PadProbeReturn::Ok
        });
    }

    fn take_encoded(&self, encoded: &gst_app::AppSink) {
        let shared = self.shared.clone();
        let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            shared.encoded.fetch_add(1, Ordering::Relaxed);
            if let Some(base) = sink.base_time() {
                shared.outlet.push(&sample, base);
            }
            Ok(gst::FlowSuccess::Ok)
        });
        encoded.set_callbacks(callbacks.build());
    }

    /// Lets a picture through to be scaled and converted only when inference
    /// waits for one.
    fn gate_inference(&self, pad: &gst::Pad, size: gst::Element) {
        let shared = self.shared.clone();
        let max_width = self.plan.max_width;
        let types = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
        pad.add_probe(types, move |pad, info| {
            if let Some(event) = info.event() {
                resize(event, &size, max_width);
                return gst::PadProbeReturn::Ok;
            }
            let at = (info.buffer())
                .and_then(|buffer| running_time(pad, buffer))
                .zip(size.base_time())
                .map(|(running, base)| running + base);
            match at {
                Some(at) if shared.gate.offer(at.nseconds()) => gst::PadProbeReturn::Ok,
                _ => TURN_AWAY,
            }
        });
    }

    fn take_inference(&self, sink: &gst_app::AppSink) {
        let shared = self.shared.clone();
        let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let times = (sample.buffer().and_then(gst::BufferRef::pts))
                .zip(
                    sample
                        .segment()
                        .and_then(|s| s.downcast_ref::<gst::ClockTime>()),
                )
                .and_then(|(pts, segment)| segment.to_running_time(pts))
                .zip(sink.base_time())
                .zip(sink.current_clock_time());
            let Some(((running, base), now)) = times else {
                return Ok(gst::FlowSuccess::Ok);
            };
            // From GStreamer's clock to ours: now, less the frame's age.
            let at = running + base;
            let age = Duration::from(now.saturating_sub(at));
            let reading = shared.clock.now();
            let mono = reading.mono - age;
            let captured = Moment {
                mono,
                wall: reading.wall_at(mono),
            };
            let taken = shared
                .gate
                .deliver(at.nseconds(), captured, |seq, captured| {
                    picture::frame(&sample, seq, captured)
                });
            if let Err(why) = taken {
                tracing::warn!(why, "a frame is of no use to inference");
            }
            Ok(gst::FlowSuccess::Ok)
        });
        sink.set_callbacks(callbacks.build());
    }

    /// Starts the pipeline and stays until it ends. A clip is looped by seeking
    /// if `seeks`, else it ends with [`End::Again`].
    pub fn go(&mut self, seeks: bool) -> End {
        if let Some(why) = launch::absent(&self.plan.subject, &self.plan.exists) {
            return End::Failed(why);
        }
        let print = self.fingerprints();
        let ring = seeks && self.plan.loops && self.plan.repeat;
        // A refusal is explained on the bus, which both loops below listen to.
        let _ = self.pipeline.set_state(if ring {
            gst::State::Paused
        } else {
            gst::State::Playing
        });
        if ring {
            if let Err(end) = self.prime() {
                return end;
            }
            if !self.seek(gst::SeekFlags::FLUSH | gst::SeekFlags::SEGMENT) {
                return End::Unsought;
            }
            let _ = self.pipeline.set_state(gst::State::Playing);
        }
        self.watch(&print, ring)
    }

    /// Waits until the clip's first picture waits at `pace`: only then does
    /// every element know enough to seek.
    fn prime(&mut self) -> Result<(), End> {
        let begun = Instant::now();
        while !self.primed.load(Ordering::Acquire) {
            if self.shared.stopping() {
                return Err(End::Stopped);
            }
            if begun.elapsed() > self.plan.watchdog {
                return Err(self.stalled());
            }
            if let Some(message) = self.bus.timed_pop(gst::ClockTime::from_mseconds(10))
                && let Some(end) = self.hear(&message)
            {
                return Err(end);
            }
        }
        Ok(())
    }

    /// Goes to the clip's start. Not from the sinks: there are two of them, and
    /// the source would be sought twice. `false` if it can't be sought in.
    fn seek(&self, flags: gst::SeekFlags) -> bool {
        let pace = self
            .pipeline
            .by_name("pace")
            .and_then(|pace| pace.static_pad("sink"));
        pace.is_some_and(|pad| {
            pad.push_event(gst::event::Seek::new(
                1.0,
                flags,
                gst::SeekType::Set,
                gst::ClockTime::ZERO,
                gst::SeekType::None,
                gst::ClockTime::NONE,
            ))
        })
    }

    fn watch(&mut self, print: &[Option<(u64, std::time::SystemTime)>], sought: bool) -> End {
        let begun = Instant::now();
        loop {
            if self.shared.stopping() {
                return End::Stopped;
            }
            if sought && begun.elapsed() > SOUGHT && self.shared.since_frame().is_none() {
                return End::Unsought;
            }
            let quiet = self.shared.since_frame().unwrap_or(Duration::MAX);
            if quiet.min(begun.elapsed()) > self.plan.watchdog {
                return self.stalled();
            }
            let turn = gst::ClockTime::try_from(TURN).unwrap_or(gst::ClockTime::SECOND);
            let Some(message) = self.bus.timed_pop(turn) else {
                continue;
            };
            if let gst::MessageView::SegmentDone(_) = message.view() {
                // An open file outlives its name: look whether it is still the one.
                if let Some(why) = launch::absent(&self.plan.subject, &self.plan.exists) {
                    return End::Failed(why);
                }
                if self.fingerprints() != print || !self.seek(gst::SeekFlags::SEGMENT) {
                    return End::Again;
                }
            }
            if let Some(end) = self.hear(&message) {
                return end;
            }
        }
    }

    fn fingerprints(&self) -> Vec<Option<(u64, std::time::SystemTime)>> {
        (self.plan.exists.iter())
            .map(|path| launch::fingerprint(path))
            .collect()
    }

    fn stalled(&self) -> End {
        End::Failed(format!(
            "{}: no picture has come for {} s",
            self.plan.subject,
            self.plan.watchdog.as_secs_f64()
        ))
    }

    fn hear(&mut self, message: &gst::Message) -> Option<End> {
        match message.view() {
            gst::MessageView::Eos(_) if !self.plan.repeat => Some(End::Over),
            gst::MessageView::Eos(_) if self.plan.loops => Some(End::Again),
            gst::MessageView::Eos(_) => Some(End::Failed(format!(
                "{}: {}",
                self.plan.subject,
                // A connection that is closed looks like an end, too.
                match self.plan.access {
                    Some(_) => "it ended the stream or closed the connection",
                    None => "the stream ended",
                }
            ))),
            gst::MessageView::Element(element) => {
                if let Some(detail) = launch::missing_plugin(element) {
                    self.missing = Some(self.plan.pipelines.missing_decoder(&detail));
                }
                None
            }
            gst::MessageView::Error(error) => {
                let subject = &self.plan.subject;
                let explained =
                    (self.plan.access.as_ref()).and_then(|access| access.explain(&error.error()));
                Some(End::Failed(match self.missing.take().or(explained) {
                    Some(why) => format!("{subject}: {why}"),
                    None => launch::sentence(subject, error),
                }))
            }
            gst::MessageView::Warning(warning) => {
                tracing::warn!(
                    source = self.plan.subject,
                    "GStreamer warns: {}",
                    warning.error().message()
                );
                None
            }
            _ => None,
        }
    }
}
