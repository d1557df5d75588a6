//! One run of the live pipeline, from its start to its first failure.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use scene::Moment;

use crate::camera::Shared;
use crate::choice::Choice;
use crate::encoding::Encoding;
use crate::plan::Plan;
use crate::replay::{TURN_AWAY, resize, running_time};
use crate::{CaptureError, device, launch, modes, picture, seam, steady};

/// How often a run looks whether it should stop or has stalled.
const TURN: Duration = Duration::from_millis(250);

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
    /// So did it, but another way to launch the source might do better.
    Unfit(String),
    /// The encoder broke after it had made so many pictures; why.
    Encoder(String, u64),
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
    encoding: Encoding,
    /// Nothing is encoded, since no encoder works.
    mute: bool,
}

impl<'a> Run<'a> {
    pub fn new(
        plan: &'a Plan,
        choice: &Choice,
        shared: &'a Arc<Shared>,
    ) -> Result<Self, CaptureError> {
        let pipeline = plan.build(choice)?;
        let Some(bus) = pipeline.bus() else {
            return Err(CaptureError::Gstreamer("a pipeline without a bus".into()));
        };
        let encoding = Encoding::of(&pipeline);
        let run = Self {
            plan,
            shared,
            pipeline,
            bus,
            primed: Arc::default(),
            missing: None,
            encoding,
            mute: choice.encoder().is_none(),
        };
        run.wire()?;
        Ok(run)
    }

    fn wire(&self) -> Result<(), CaptureError> {
        let file = self.plan.file();
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
        let video = sink_pad("video")?;
        video.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            shared.saw_frame();
            gst::PadProbeReturn::Ok
        });
        steady::keep(&video);

        let encoded = launch::appsink(&self.pipeline, "encoded", file)?;
        self.gate_encoder(&sink_pad("to_encoder")?, &encoded);
        self.take_encoded(&encoded);

        let size = find("inference_size")?;
        self.gate_inference(&sink_pad("to_inference")?, &size);
        let behind = launch::pad(&find("to_inference")?, "src", file)?;
        self.size_inference(&behind, &size);
        self.take_inference(&launch::appsink(&self.pipeline, "inference", file)?);
        Ok(())
    }

    /// Turns pictures away from the encoder while nobody watches.
    fn gate_encoder(&self, pad: &gst::Pad, encoded: &gst_app::AppSink) {
        let outlet = self.shared.outlet.clone();
        let encoded = encoded.downgrade();
        let meter = self.encoding.meter();
        if self.mute {
            // The branch's end is cut off, and would keep the pipeline from ending.
            pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
                if info
                    .event()
                    .is_some_and(|e| e.type_() == gst::EventType::Eos)
                    && let Some(pad) = encoded.upgrade().and_then(|sink| sink.static_pad("sink"))
                {
                    pad.send_event(gst::event::Eos::new());
                }
                gst::PadProbeReturn::Ok
            });
            return;
        }
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            if !outlet.wants() {
                return TURN_AWAY;
            }
            meter.fed();
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
        let meter = self.encoding.meter();
        let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            meter.made();
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
    fn gate_inference(&self, pad: &gst::Pad, size: &gst::Element) {
        let shared = self.shared.clone();
        let size = size.downgrade();
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let base = size.upgrade().and_then(|size| size.base_time());
            let at = (info.buffer())
                .and_then(|buffer| running_time(pad, buffer))
                .zip(base)
                .map(|(running, base)| running + base);
            match at {
                Some(at) if shared.gate.offer(at.nseconds()) => gst::PadProbeReturn::Ok,
                _ => TURN_AWAY,
            }
        });
    }

    /// Fixes what inference gets by what comes. On `pad`, behind the queue, as
    /// nothing is being scaled while an event goes by there: a size that was
    /// set from the other side could meet a picture half-way that has the old one.
    fn size_inference(&self, pad: &gst::Pad, size: &gst::Element) {
        let size = size.downgrade();
        let max_width = self.plan.max_width;
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            if let (Some(event), Some(size)) = (info.event(), size.upgrade()) {
                resize(event, &size, max_width);
            }
            gst::PadProbeReturn::Ok
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

    /// Ends it; see [`launch::tear_down`].
    pub fn tear_down(self, limit: Duration) -> Result<(), mpsc::Receiver<()>> {
        launch::tear_down(self.pipeline, limit)
    }

    /// Starts the pipeline and stays until it ends. A clip is looped by seeking
    /// if `seeks`, else it ends with [`End::Again`].
    pub fn go(&mut self, seeks: bool) -> End {
        if let Some(why) = launch::absent(&self.plan.subject, &self.plan.exists) {
            return End::Failed(why);
        }
        let print = self.fingerprints();
        let ring = seeks && self.plan.loops && self.plan.repeat;
        let started = self.pipeline.set_state(if ring {
            gst::State::Paused
        } else {
            gst::State::Playing
        });
        // A refusal is explained on the bus, which both loops below listen to,
        // unless the element keeps its reasons to itself.
        if started.is_err()
            && let Some(end) = self.refused()
        {
            return end;
        }
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

    /// How it ends after an element refused to start, if that is told.
    fn refused(&mut self) -> Option<End> {
        while let Some(message) = self.bus.pop() {
            if let Some(end) = self.hear(&message) {
                return Some(end);
            }
        }
        let element = self.encoding.refuses()?;
        let why = format!("{} does not start", element.name());
        Some(End::Encoder(why, 0))
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
            if self.encoding.hangs(self.plan.watchdog) {
                let why = "it takes pictures and makes nothing of them".to_owned();
                return End::Encoder(why, self.encoding.made());
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

    /// What an error means: for the source, or for the encoder.
    fn broken(&mut self, error: &gst::message::Error) -> End {
        let mine = error.src().is_some_and(|src| self.encoding.has(src));
        if mine || self.encoding.turned_down() {
            let why = launch::said(error);
            return End::Encoder(why, self.encoding.made());
        }
        let subject = &self.plan.subject;
        if let Some(why) = self.missing.take() {
            return End::Failed(format!("{subject}: {why}"));
        }
        if let Some(access) = &self.plan.access {
            return End::Failed(match access.explain(&error.error()) {
                Some(why) => format!("{subject}: {why}"),
                None => launch::sentence(subject, error),
            });
        }
        let camera = self.pipeline.by_name("camera");
        if let Some(camera) = camera.filter(|camera| error.src() == Some(camera.upcast_ref())) {
            let device = self.plan.exists.first().map(|path| path.as_path());
            if let Some(why) = device::explain_error(&camera, &error.error(), device) {
                return End::Failed(format!("{subject}: {why}"));
            }
            if launch::not_negotiated(error)
                && let Some(why) = modes::of(&camera)
            {
                return End::Unfit(format!("{subject}: {why}"));
            }
        }
        End::Unfit(launch::sentence(subject, error))
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
            gst::MessageView::Error(error) => Some(self.broken(error)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtsp::Outlet;
    use crate::{Camera, CameraConfig, Encode, Pipelines, RtspConfig, Source};
    use gstreamer::glib;
    use scene::Mono;
    use scene::ports::Clock;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Moment {
            Moment::unclocked(Mono::from_millis(100_000))
        }
    }

    fn pipelines() -> Pipelines {
        Pipelines::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../pipelines")).unwrap()
    }

    /// Everything in a pipeline that can be held: itself, its elements, their pads.
    fn inside(pipeline: &gst::Pipeline) -> Vec<(String, glib::WeakRef<gst::Object>)> {
        let weak = |object: &gst::Object| (object.path_string().to_string(), object.downgrade());
        let mut all = vec![weak(pipeline.upcast_ref())];
        for element in pipeline.iterate_recurse().into_iter().flatten() {
            all.push(weak(element.upcast_ref()));
            all.extend(element.pads().iter().map(|pad| weak(pad.upcast_ref())));
        }
        all
    }

    /// Runs a source until a frame has come, and tears it down.
    fn leaves_nothing(source: Source) {
        crate::init().unwrap();
        let mut config = CameraConfig::new(source);
        config.encode = Encode::Always;
        let plan = Plan::new(&pipelines(), &config).unwrap();
        let outlet = Arc::new(Outlet::new(config.encode));
        let shared = Shared::new(0.0, outlet, Arc::new(Still), &plan.subject);
        let shared = Arc::new(shared);
        let mut run = Run::new(&plan, &plan.choice(), &shared).unwrap();
        let pipeline = run.pipeline.downgrade();
        let (frame, left) = std::thread::scope(|scope| {
            let ran = scope.spawn(move || {
                let end = run.go(true);
                (end, run)
            });
            let frame = shared.gate.next(Duration::from_secs(60), &Still);
            let left = inside(&pipeline.upgrade().unwrap());
            shared.stop();
            let (end, run) = ran.join().unwrap();
            assert_eq!(end, End::Stopped);
            run.tear_down(Duration::from_secs(60)).unwrap();
            (frame, left)
        });
        let frame = frame.expect("a frame within a minute");
        assert!(left.len() > 20, "{}", left.len());
        // GStreamer's own threads may still be about to let go.
        let end = Instant::now() + Duration::from_secs(20);
        let held = || -> Vec<&str> {
            let held = left.iter().filter(|(_, weak)| weak.upgrade().is_some());
            held.map(|(name, _)| name.as_str()).collect()
        };
        while !held().is_empty() {
            assert!(Instant::now() < end, "still held: {:?}", held());
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(Arc::strong_count(&shared), 1, "no callback is left");
        // A frame that somebody still looks at holds its pixels and nothing else.
        assert!(!frame.row(0).is_empty());
    }

    #[test]
    fn nothing_holds_a_pipeline_that_was_torn_down() {
        leaves_nothing(Source::test(320, 240, 15));
    }

    #[test]
    fn nothing_holds_a_network_camera_that_was_torn_down() {
        let mut served = CameraConfig::new(Source::test(320, 240, 15));
        served.rtsp = Some(RtspConfig {
            address: "127.0.0.1:0".parse().unwrap(),
        });
        let camera = Camera::start(&pipelines(), &served, Arc::new(Still)).unwrap();
        leaves_nothing(Source::rtsp(&camera.rtsp_url().unwrap()).unwrap());
    }
}
