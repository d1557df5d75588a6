//! A camera: a live pipeline that is kept alive.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gstreamer::prelude::ObjectExt;
use scene::Frame;
use scene::ports::{Clock, FrameSource, SourceState};

use crate::backoff::Backoff;
use crate::choice::{Choice, Verdict};
use crate::gate::Gate;
use crate::live::{End, Run};
use crate::plan::Plan;
use crate::remote::Access;
use crate::rtsp::{Outlet, Server};
use crate::value::{Value, Values};
use crate::{CaptureError, Pipelines, init, launch, memory};

/// A pipeline's way to NULL, at most.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// The least time between two runs of a source that just begins again.
const AGAIN: Duration = Duration::from_millis(100);

/// Where pictures come from: a `pipelines/source-<name>.toml` and what its
/// placeholders stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The description's name.
    pub name: String,
    /// Values for its placeholders; the description's defaults fill the rest.
    pub values: Values,
    /// Whether a source that comes to its end begins again.
    pub repeat: bool,
    /// How to reach it, if it is on the network.
    pub(crate) access: Option<Access>,
}

impl Source {
    /// The source described in `source-<name>.toml`, repeated if it ends.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            values: Values::new(),
            repeat: true,
            access: None,
        }
    }

    /// The same with a placeholder's value.
    pub fn with(mut self, placeholder: impl Into<String>, value: impl Into<Value>) -> Self {
        self.values.insert(placeholder.into(), value.into());
        self
    }

    /// A clip at the speed it was recorded, over and over. An error if the
    /// path is not UTF-8.
    pub fn file(path: impl AsRef<Path>) -> Result<Self, CaptureError> {
        let path = crate::replay::utf8(path.as_ref())?;
        Ok(Self::named("file").with("path", path))
    }

    /// A drawn test picture of this size (pixels) and whole frames a second.
    pub fn test(width: u32, height: u32, rate: u32) -> Self {
        (Self::named("test")
            .with("width", width)
            .with("height", height))
        .with("rate", format!("{rate}/1"))
    }

    /// A Video4Linux device: `/dev/video0`.
    pub fn v4l2(device: impl Into<String>) -> Self {
        Self::named("v4l2").with("device", device.into())
    }

    /// A sensor behind libcamera: the one of this name, or the first.
    pub fn libcamera(name: Option<&str>) -> Self {
        let source = Self::named("libcamera");
        match name {
            Some(name) => source.with("camera_name", name),
            None => source,
        }
    }

    /// A network camera: `rtsp://host:554/path` or `rtsps://…`. A user name and
    /// a password in it are used and never shown. The placeholders `transport`
    /// ("tcp" or "udp") and `latency_ms` can be given with [`Source::with`].
    pub fn rtsp(url: &str) -> Result<Self, CaptureError> {
        let (access, shown) = Access::parse(url)?;
        let mut source = Self::named("rtsp").with("url", shown);
        source.access = Some(access);
        Ok(source)
    }

    /// The same with a user name and a password, which win over those in the
    /// URL. Without effect on sources that are not on the network.
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.access = (self.access).map(|access| access.with_login(user.into(), password.into()));
        self
    }
}

/// When H.264 is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encode {
    /// While somebody watches: an encoder that nobody watches only makes heat.
    #[default]
    OnDemand,
    /// All the time.
    Always,
}

/// Where H.264 is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtspConfig {
    /// Address to listen on; port 0 is any free one.
    pub address: SocketAddr,
}

impl Default for RtspConfig {
    /// Loopback, the standard port 8554 of RTSP servers without root.
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8554),
        }
    }
}

/// What a camera is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraConfig {
    /// Where pictures come from.
    pub source: Source,
    /// Encoders in order of preference, each a `pipelines/encoder-<name>.toml`;
    /// none means those of `live.toml`. The first that is installed is taken,
    /// and the next when it fails.
    pub encoders: Vec<String>,
    /// Values for the encoder's placeholders, `bitrate_kbps` for example.
    pub encoder_values: Values,
    /// When H.264 is made.
    pub encode: Encode,
    /// Where it is served; `None` serves none.
    pub rtsp: Option<RtspConfig>,
    /// Frames a second that inference gets at most; 0 is every frame.
    pub rate: f64,
    /// The widest frame that inference gets, pixels; wider ones are made
    /// smaller, with their aspect kept. At least 2.
    pub max_width: u32,
    /// A source that gives no picture for this long is restarted.
    pub watchdog: Duration,
    /// The wait before a dead source is tried the first time.
    pub retry_first: Duration,
    /// The longest wait between tries.
    pub retry_most: Duration,
}

impl CameraConfig {
    /// `source`, any installed encoder, RTSP on the default address while
    /// somebody watches, five frames a second of at most 960 pixels, watchdog
    /// 10 s, tries after 0.5 s up to 30 s.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            encoders: vec![],
            encoder_values: Values::new(),
            encode: Encode::default(),
            rtsp: Some(RtspConfig::default()),
            rate: 5.0,
            max_width: crate::DEFAULT_MAX_WIDTH,
            watchdog: Duration::from_secs(10),
            retry_first: Duration::from_millis(500),
            retry_most: Duration::from_secs(30),
        }
    }
}

/// Counts since the camera was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Pictures that came from the source.
    pub captured: u64,
    /// Pictures that were encoded.
    pub encoded: u64,
    /// Encoded pictures handed to the RTSP server.
    pub sent: u64,
    /// Encoded pictures dropped because clients did not take them in time.
    pub unsent: u64,
    /// Frames that were due for inference and that nobody took.
    pub dropped: u64,
    /// How often the source was started again.
    pub restarts: u64,
}

/// What the camera's threads share.
pub(crate) struct Shared {
    pub gate: Gate,
    pub outlet: Arc<Outlet>,
    pub clock: Arc<dyn Clock>,
    pub encoded: AtomicU64,
    captured: AtomicU64,
    restarts: AtomicU64,
    last_frame: Mutex<Option<Instant>>,
    state: Mutex<SourceState>,
    encoder: Mutex<Option<String>>,
    stop: Mutex<bool>,
    stopped: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn new(rate: f64, outlet: Arc<Outlet>, clock: Arc<dyn Clock>, subject: &str) -> Self {
        Self {
            gate: Gate::new(rate),
            outlet,
            clock,
            encoded: AtomicU64::new(0),
            captured: AtomicU64::new(0),
            restarts: AtomicU64::new(0),
            last_frame: Mutex::new(None),
            state: Mutex::new(SourceState::Retrying {
                why: format!("{subject} is starting"),
                retry_in: Duration::ZERO,
            }),
            encoder: Mutex::new(None),
            stop: Mutex::new(false),
            stopped: Condvar::new(),
        }
    }

    /// Ends all waits; the source is over.
    pub fn stop(&self) {
        *lock(&self.stop) = true;
        self.stopped.notify_all();
    }

    /// A picture came from the source.
    pub fn saw_frame(&self) {
        self.captured.fetch_add(1, Ordering::Relaxed);
        let first = lock(&self.last_frame).replace(Instant::now()).is_none();
        if first {
            *lock(&self.state) = SourceState::Live;
        }
    }

    pub fn since_frame(&self) -> Option<Duration> {
        lock(&self.last_frame).map(|at| at.elapsed())
    }

    pub fn stopping(&self) -> bool {
        *lock(&self.stop)
    }

    /// Waits; `true` if it was told to stop meanwhile.
    fn pause(&self, time: Duration) -> bool {
        let stop = lock(&self.stop);
        let woken = self.stopped.wait_timeout_while(stop, time, |stop| !*stop);
        *woken.unwrap_or_else(PoisonError::into_inner).0
    }

    fn stats(&self) -> Stats {
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        Stats {
            captured: count(&self.captured),
            encoded: count(&self.encoded),
            sent: count(&self.outlet.sent),
            unsent: count(&self.outlet.dropped),
            dropped: self.gate.dropped(),
            restarts: count(&self.restarts),
        }
    }
}

/// Reads and adjusts a running camera from anywhere; clones are cheap.
#[derive(Clone)]
pub struct CameraControl {
    shared: Arc<Shared>,
}

impl CameraControl {
    /// Frames a second that inference gets at most, from now on; 0 is every
    /// frame.
    pub fn set_rate(&self, rate: f64) {
        self.shared.gate.set_rate(rate);
    }

    /// What the source is doing.
    pub fn state(&self) -> SourceState {
        lock(&self.shared.state).clone()
    }

    /// What has been counted.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// The encoder that is in use; see [`Camera::encoder`].
    pub fn encoder(&self) -> Option<String> {
        lock(&self.shared.encoder).clone()
    }
}

/// A running camera. Dropped, it stops.
pub struct Camera {
    shared: Arc<Shared>,
    server: Option<Server>,
    thread: Option<JoinHandle<()>>,
    done: mpsc::Receiver<()>,
}

impl Camera {
    /// Starts a camera. A description that can't work (an element that is not
    /// installed, a placeholder without value) and an RTSP address that can't
    /// be listened on are errors; a source that is not there yet is not: it is
    /// tried again and again, and [`Camera::state`] says why.
    pub fn start(
        pipelines: &Pipelines,
        config: &CameraConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CaptureError> {
        init()?;
        let plan = Plan::new(pipelines, config)?;
        let choice = first_that_builds(&plan)?;
        let outlet = Arc::new(Outlet::new(config.encode));
        let server = match &config.rtsp {
            Some(rtsp) => {
                let media = pipelines.rtsp.render(&Values::new())?;
                launch::try_media(pipelines, &media)?;
                Some(Server::start(rtsp.address, &media, outlet.clone())?)
            }
            None => None,
        };
        let shared = Arc::new(Shared::new(config.rate, outlet, clock, &plan.subject));
        *lock(&shared.encoder) = choice.encoder().map(|n| plan.encoder(n).to_owned());
        let backoff = Backoff::new(config.retry_first, config.retry_most);
        let (finished, done) = mpsc::channel();
        let for_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("capture".into())
            .spawn(move || {
                supervise(&plan, choice, &for_thread, backoff);
                let _ = finished.send(());
            })
            .map_err(|why| CaptureError::Thread {
                what: "the camera",
                why,
            })?;
        Ok(Self {
            shared,
            server,
            thread: Some(thread),
            done,
        })
    }

    /// A handle to it that others may keep.
    pub fn control(&self) -> CameraControl {
        CameraControl {
            shared: self.shared.clone(),
        }
    }

    /// Where clients find the picture; `None` if it is not served.
    pub fn rtsp_url(&self) -> Option<String> {
        self.server.as_ref().map(Server::url)
    }

    /// The encoder that is in use, `pipelines/encoder-<name>.toml`; `None`
    /// once all have failed, so that nothing is encoded any more.
    pub fn encoder(&self) -> Option<String> {
        lock(&self.shared.encoder).clone()
    }

    /// What has been counted.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Stops it and waits until it has, 6 s at most; a pipeline whose driver
    /// hangs is left behind. Idempotent.
    pub fn stop(&mut self) {
        self.shared.stop();
        self.server = None;
        let Some(thread) = self.thread.take() else {
            return;
        };
        match self.done.recv_timeout(STOP_LIMIT + Duration::from_secs(1)) {
            Err(mpsc::RecvTimeoutError::Timeout) => {
                tracing::error!("the camera did not stop in time; its thread is left behind");
            }
            _ => drop(thread.join()),
        }
    }
}

impl FrameSource for Camera {
    fn next(&mut self, timeout: Duration) -> Option<Frame> {
        self.shared.gate.next(timeout, self.shared.clock.as_ref())
    }

    fn state(&self) -> SourceState {
        lock(&self.shared.state).clone()
    }

    fn dropped(&self) -> u64 {
        self.shared.gate.dropped()
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs the pipeline again and again until it is over.
fn supervise(plan: &Plan, mut choice: Choice, shared: &Arc<Shared>, mut backoff: Backoff) {
    // A pipeline whose driver hangs; no second one is begun beside it.
    let mut stuck: Option<mpsc::Receiver<()>> = None;
    let mut seeks = true;
    loop {
        *lock(&shared.last_frame) = None;
        let begun = Instant::now();
        let mut lived = Duration::ZERO;
        let end = match stuck.take().map(|wait| (wait.try_recv(), wait)) {
            Some((Err(mpsc::TryRecvError::Empty), wait)) => {
                stuck = Some(wait);
                End::Failed(format!(
                    "{}: its driver has hung since the last failure; only a reboot may help",
                    plan.subject
                ))
            }
            _ => match Run::new(plan, &choice, shared) {
                Ok(mut run) => {
                    let end = run.go(seeks);
                    lived = begun.elapsed();
                    let left = run.pipeline.downgrade();
                    stuck = run.tear_down(STOP_LIMIT).err();
                    if stuck.is_none() && left.upgrade().is_some() {
                        // Nothing may hold it now, or every loss would cost memory.
                        tracing::warn!("a pipeline that was torn down is still there");
                    }
                    memory::give_back();
                    end
                }
                Err(error) => End::Failed(error.to_string()),
            },
        };
        shared.gate.forget_under_way();
        if shared.since_frame().is_some() {
            choice.source_gave();
        }
        let why = match end {
            End::Stopped => break,
            End::Encoder(why, made) => {
                other_encoder(plan, &mut choice, shared, &why, made);
                if shared.pause(AGAIN) {
                    break;
                }
                shared.restarts.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            End::Unfit(why) => {
                let was = plan.variant(choice.variant());
                if let Some(next) = choice.source_failed() {
                    let next = plan.variant(next);
                    tracing::warn!(why, "no picture with {was}; {next} is tried next");
                }
                why
            }
            End::Unsought => {
                // Next time it is begun again at its end, with a small gap.
                seeks = false;
                continue;
            }
            End::Over => {
                tracing::info!("{} is through", plan.subject);
                *lock(&shared.state) = SourceState::Ended;
                break;
            }
            End::Again => {
                // A file that ends as soon as it begins must not spin.
                if shared.since_frame().is_some() {
                    if shared.pause(AGAIN) {
                        break;
                    }
                    shared.restarts.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                format!("{} has no picture in it", plan.subject)
            }
            End::Failed(why) => why,
        };
        let lived = shared.since_frame().map(|_| lived);
        let retry_in = backoff.wait(lived, luck());
        tracing::warn!(why, retry_in_ms = retry_in.as_millis() as u64, "no picture");
        *lock(&shared.state) = SourceState::Retrying { why, retry_in };
        if shared.pause(retry_in) {
            break;
        }
        shared.restarts.fetch_add(1, Ordering::Relaxed);
    }
    shared.gate.set_over(true);
}

/// The first choice whose pipeline can be put together: an encoder may be
/// known to be too small for the source.
fn first_that_builds(plan: &Plan) -> Result<Choice, CaptureError> {
    let mut choice = plan.choice();
    let mut first = None;
    loop {
        let Err(why) = plan.build(&choice) else {
            return Ok(choice);
        };
        let was = choice.encoder().map_or("none", |n| plan.encoder(n));
        tracing::info!("the encoder {was} is passed over: {why}");
        let why = first.unwrap_or(why);
        if !matches!(choice.encoder_failed(0), Verdict::Next(_)) {
            return Err(why);
        }
        first = Some(why);
    }
}

/// What takes the place of an encoder that failed, said and settled.
fn other_encoder(plan: &Plan, choice: &mut Choice, shared: &Shared, why: &str, made: u64) {
    let was = choice.encoder().map_or("none", |n| plan.encoder(n));
    match choice.encoder_failed(made) {
        Verdict::Again => tracing::warn!(why, "the encoder {was} failed; it is tried again"),
        Verdict::Next(next) => {
            let next = plan.encoder(next);
            tracing::warn!(why, "the encoder {was} failed; {next} takes its place");
        }
        Verdict::Nothing => tracing::error!(
            why,
            "the encoder {was} failed and there is no other: the picture is looked at, but nobody can watch it"
        ),
    }
    *lock(&shared.encoder) = choice.encoder().map(|n| plan.encoder(n).to_owned());
}

/// A random number in 0..1, from the seed that the standard library gives its
/// hash maps: jitter needs no better one.
fn luck() -> f64 {
    let bits = RandomState::new().hash_one(0u8) >> 11;
    bits as f64 / (1u64 << 53) as f64
}
