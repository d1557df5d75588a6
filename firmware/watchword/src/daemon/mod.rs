//! The daemon: starts the parts, introduces them to each other, and carries
//! out what the watch loop wants. Reads as a script, top to bottom.

pub mod balance;
mod carry;
mod look;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use platform::{CpuCap, Platform, SystemClock, service};
use scene::ports::{Board, Clock, Model, Throttle};
use spool::{Limits, Note, Store};
use tokio::sync::{mpsc, watch as flag};
use tokio::time::{Instant, sleep_until, timeout};

use crate::broker::{self, Broker, BrokerConfig};
use crate::config::Config;
use crate::link::topics::{Inbound, Topics};
use crate::link::{self, LinkConfig, LinkEvent, Message, Outgoing, Secret, Will};
use crate::share::Share;
use crate::watch::inbox::ReplyTo;
use crate::watch::{Event, Info, Request, Setup, Watch};
use balance::{Caps, Worth};
use carry::{Carrier, GiveUp};
use look::Looker;

/// How often the board's sensors are read on average: soon enough to give a
/// look up.
const READ_EVERY: Duration = Duration::from_millis(500);

/// When they are read next after the `n`-th time: after 0.7 to 1.3 times
/// [`READ_EVERY`], unevenly. In step with looks, a sensor that says how it is
/// at one moment would see all of them or none. (Multiples of the golden
/// ratio, without their whole part, are spread evenly and never in step.)
fn read_after(n: u32) -> Duration {
    let spread = (f64::from(n) * 0.618_033_988_749_895).fract();
    READ_EVERY.mul_f64(0.7 + 0.6 * spread)
}

/// How long a clean stop may take before it is cut short.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Turns true when the daemon shall stop.
pub type Stop = flag::Receiver<bool>;

/// The runtime for MQTT, timers and the watch loop.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("can't start the async runtime")
}

/// A [`Stop`] that turns true on SIGTERM or SIGINT.
pub fn stop_on_signals() -> Result<Stop> {
    use tokio::signal::unix::{SignalKind, signal};
    let (tell, stop) = flag::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        let _ = tell.send(true);
        // Keeps the channel open; a closed one would read as "stop" too.
        tell.closed().await;
    });
    Ok(stop)
}

/// Opens the model package (the built-in one if `None`) and, if there is one,
/// the detector that is asked first.
pub fn open_model(
    package: Option<&Path>,
    detector: Option<&Path>,
    options: vision::Options,
    share: &Share,
) -> Result<Box<dyn Model>> {
    Ok(Box::new(open_eyes(package, detector, options, share)?))
}

/// The same, as what it is.
pub fn open_eyes(
    package: Option<&Path>,
    detector: Option<&Path>,
    options: vision::Options,
    share: &Share,
) -> Result<vision::Eyes> {
    let scout = share.scout();
    Ok(vision::open(vision::Options {
        vlm: Some(package.unwrap_or(&scout).into()),
        detector: detector.map(Into::into),
        ..options
    })?)
}

/// The operating points that eyes offer, and how right they are at each.
pub fn worth(eyes: &vision::Eyes) -> Vec<Worth> {
    let points = eyes.points().into_iter();
    points
        .map(|point| {
            let accuracy = eyes.accuracy(&point).value;
            (point, accuracy)
        })
        .collect()
}

/// Options for looking away from a board, where watts are vision's own guess.
pub fn threads(threads: u8) -> vision::Options {
    vision::Options {
        threads: usize::from(threads),
        ..vision::Options::default()
    }
}

/// What of a running daemon others may want to know.
#[derive(Clone, Debug)]
pub struct Running {
    /// Where an MQTT 5 client reaches the camera's broker.
    pub broker_url: String,
    /// Where an MQTT 3.1.1 client reaches the broker inside; `None` with a
    /// broker elsewhere.
    pub inside_v4: Option<std::net::SocketAddr>,
    /// Where the video can be watched.
    pub rtsp: Option<String>,
}

/// Runs the camera until `stop` turns true.
pub async fn run(config: Config, share: Share, stop: Stop) -> Result<()> {
    run_and_tell(config, share, stop, |_| {}).await
}

/// Like [`run`], and calls `started` once everything is up.
pub async fn run_and_tell(
    config: Config,
    share: Share,
    stop: Stop,
    started: impl FnOnce(&Running),
) -> Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut board = Platform::open(&share.board(&config.board.name), Path::new("/"))?;
    let store = open_store(&config)?;
    let eyes = open_configured(&config, &board, &share)?;
    let points = worth(&eyes);
    let model = (config.gate).before(Box::new(eyes));
    let (throttle, caps) = frequency(&board);
    let (knowledge, canceller) = (model.knowledge(), model.canceller());
    let camera = start_camera(&config, &board.spec().video, &share, clock.clone())?;
    let rtsp = camera.rtsp_url();
    let source = camera.control();
    let broker = start_broker(&config).await?;
    let topics = Topics::new(&config.camera);
    let (handle, mut from_broker) = link::spawn(link_config(&config, &broker, &topics)?)?;

    let now = clock.now();
    let deadline = Duration::from_millis(config.model.deadline_ms);
    let offered: Vec<_> = points.iter().map(|(point, _)| point.clone()).collect();
    let table = config.data_dir.join(crate::calibrate::FILE_NAME);
    let calibrated = balance::calibrated(&table, board.name(), &knowledge.name(), &offered);
    let governor = balance::config(board.spec(), &caps, &points, &calibrated, deadline);
    let mut watch = Watch::new(
        Setup {
            camera: config.camera.clone(),
            time_zone: config.zone(),
            position: config.position.map(Into::into),
            knowledge: knowledge.clone(),
            snapshot: config.snapshot,
            deadline,
            every: None,
            metered: true,
            boot: store.opened().boot_tag,
            info: Info {
                board: board.name().into(),
                version: env!("CARGO_PKG_VERSION").into(),
                models: knowledge.name().split(" + ").map(Into::into).collect(),
                rtsp: rtsp.clone(),
            },
        },
        governor::Governor::new(governor),
        &board.read(),
        now.mono,
    );
    let (costs, limit) = (store.note(Note::Costs)?, store.note(Note::Limit)?);
    watch.recall(costs.as_deref(), limit.as_deref());
    watch.restore(store.zones()?, store.rules()?, store.lives()?, now);

    // One order at a time, one answer at a time: neither can fill up.
    let (orders, to_look) = mpsc::channel(1);
    let (tell, mut news) = mpsc::channel(4);
    let given_up = Arc::new(AtomicU64::new(0));
    let looker = Looker {
        source: Box::new(camera),
        model,
        throttle,
        given_up: given_up.clone(),
    };
    let looker = std::thread::Builder::new()
        .name("look".into())
        .spawn(move || looker.run(to_look, &tell))
        .context("can't start the look thread")?;

    let giver_up = GiveUp {
        number: given_up,
        canceller: canceller.clone(),
    };
    let mut carrier = Carrier::new(store, handle, topics, orders, giver_up);
    for (id, sentence) in &config.rules {
        if !watch.has_rule(id) {
            let effects = watch.preset(id, sentence, clock.now());
            carrier.carry_out(effects);
        }
    }
    let running = Running {
        broker_url: broker.url,
        inside_v4: broker.inside.as_ref().map(Broker::v4),
        rtsp,
    };
    tracing::info!(
        camera = %config.camera,
        broker = %crate::config::without_credentials(&running.broker_url),
        rtsp = running.rtsp.as_deref().unwrap_or("off"),
        model = %knowledge.name(),
        "the camera is up"
    );
    service::ready();
    started(&running);

    let mut known = source.state();
    for event in [Event::Source(known.clone()), Event::Trial] {
        let effects = watch.handle(event, clock.now());
        carrier.carry_out(effects);
    }
    let ping_every = service::watchdog_interval();
    let mut stop = stop;
    let (mut read_at, mut reads) = (Instant::now() + READ_EVERY, 0u32);
    loop {
        let now = clock.now();
        let wake = Instant::now() + watch.next_wake(now).since(now.mono);
        let event = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            Some(event) = from_broker.recv() => {
                if let Some((event, message)) = carrier.take_in(event) {
                    let effects = watch.handle(event, clock.now());
                    carrier.carry_out(effects);
                    // Only now may the broker forget what it delivered.
                    drop(message);
                }
                continue;
            }
            Some(looked) = news.recv() => Event::Looked(looked),
            () = sleep_until(read_at) => {
                read_at = Instant::now() + read_after(reads);
                reads = reads.wrapping_add(1);
                if ping_every.is_some() {
                    service::ping();
                }
                let drops = carrier.drops(source.stats().dropped);
                let effects = watch.handle(Event::Dropped(drops), clock.now());
                carrier.carry_out(effects);
                Event::Readings(board.read())
            }
            () = sleep_until(wake) => Event::Tick,
        };
        // First, so that a look that found no frame finds the reason told. The
        // wake is never more than a second away, whether there are rules or not.
        let state = source.state();
        if state != known {
            tracing::info!(?state, "the source changed");
            known = state.clone();
            let effects = watch.handle(Event::Source(state), clock.now());
            carrier.carry_out(effects);
        }
        let effects = watch.handle(event, clock.now());
        carrier.carry_out(effects);
    }

    service::stopping();
    let stopped = async {
        carrier.stop(&watch, clock.now()).await;
        // Its orders are closed with the carrier, so it ends after the look
        // that is under way; nobody waits for that one's answers.
        canceller.cancel();
        drop(news);
        tokio::task::spawn_blocking(move || looker.join()).await
    };
    if timeout(STOP_WITHIN, stopped).await.is_err() {
        tracing::warn!("a look is still under way; stopping without it");
    }
    tracing::info!("stopped");
    Ok(())
}

/// The configured model; if it can't be opened, the built-in one, loudly: a bad
/// package must not take the camera down.
fn open_configured(config: &Config, board: &Platform, share: &Share) -> Result<vision::Eyes> {
    let options = || vision::Options {
        threads: config.model.threads,
        // The governor learns what a look adds to the board's draw; both must
        // reckon with the same watts.
        watts_per_core: scene::Watts(board.spec().power.watts_per_core),
        ..vision::Options::default()
    };
    let (package, detector) = (&config.model.package, &config.model.detector);
    match open_eyes(package.as_deref(), detector.as_deref(), options(), share) {
        Err(error) if package.is_some() || detector.is_some() => {
            tracing::error!(
                "the configured model can't be used, going on with the built-in one: {error:#}"
            );
            open_eyes(None, None, options(), share)
        }
        opened => opened,
    }
}

fn open_store(config: &Config) -> Result<Store> {
    let path = config.data_dir.join("watchword.redb");
    let store = Store::open(&path, Limits::default())?;
    if let Some(aside) = &store.opened().set_aside {
        tracing::error!(
            moved_to = %aside.moved_to.display(),
            "the store could not be read ({}); a fresh one was made, rules must be set again",
            aside.why
        );
    }
    Ok(store)
}

fn start_camera(
    config: &Config,
    board: &platform::Video,
    share: &Share,
    clock: Arc<dyn Clock>,
) -> Result<capture::Camera> {
    let mut camera = capture::CameraConfig::new(config.source.open(board)?);
    let chosen = &config.video.encoders;
    camera.encoders = if chosen.is_empty() {
        &board.encoder
    } else {
        chosen
    }
    .clone();
    camera.rtsp = (config.video.rtsp).map(|address| capture::RtspConfig { address });
    camera.max_width = config.video.inference_width;
    let bitrate = i64::from(config.video.bitrate_kbps);
    (camera.encoder_values).insert("bitrate_kbps".into(), bitrate.into());
    let pipelines = capture::Pipelines::load(share.pipelines())?;
    Ok(capture::Camera::start(&pipelines, &camera, clock)?)
}

/// The broker that the camera talks to.
struct TheBroker {
    url: String,
    inside: Option<Broker>,
}

async fn start_broker(config: &Config) -> Result<TheBroker> {
    if let Some(url) = &config.mqtt.url {
        return Ok(TheBroker {
            url: url.clone(),
            inside: None,
        });
    }
    let wanted = BrokerConfig {
        v4: config.mqtt.inside_v4,
        v5: config.mqtt.inside_v5,
        ..BrokerConfig::default()
    };
    let inside = tokio::task::spawn_blocking(move || broker::start(wanted)).await??;
    tracing::info!(v4 = %inside.v4(), v5 = %inside.v5(), "no broker is configured; one runs inside");
    Ok(TheBroker {
        url: inside.url(),
        inside: Some(inside),
    })
}

fn link_config(config: &Config, broker: &TheBroker, topics: &Topics) -> Result<LinkConfig> {
    let mut link = LinkConfig::new(broker.url.clone(), format!("watchword-{}", config.camera));
    link.username = config.mqtt.username.clone();
    if let Some(path) = &config.mqtt.password_file {
        let password = std::fs::read_to_string(path)
            .with_context(|| format!("can't read mqtt.password_file {}", path.display()))?;
        link.password = Some(Secret::new(password.trim_end_matches(['\n', '\r'])));
    }
    link.ca = config.mqtt.ca_file.clone();
    link.will = Some(Will {
        topic: topics.status(),
        payload: Bytes::from_static(b"offline"),
    });
    link.subscriptions = topics.subscriptions();
    link.queue = 256;
    link.max_payload_bytes = crate::watch::inbox::MAX_PAYLOAD_BYTES;
    Ok(link)
}

/// What caps the processor's frequency, and the caps that the board's file finds
/// worth a try.
fn frequency(board: &Platform) -> (Box<dyn Throttle>, Caps) {
    let cap = CpuCap::open(Path::new("/"));
    let Some((least_mhz, most_mhz)) = cap.range_mhz() else {
        return (Box::new(()), Caps::default());
    };
    let wanted = board.spec().compute.caps_mhz.iter();
    let mhz = wanted
        .copied()
        .filter(|mhz| (least_mhz..most_mhz).contains(mhz));
    let caps = Caps {
        mhz: mhz.collect(),
        most_mhz,
    };
    (Box::new(cap), caps)
}

/// What an operator's message asks for; `None` if it is not for the loop.
fn request(topics: &Topics, message: &Message) -> Option<Request> {
    let payload = message.payload.to_vec();
    let reply = || ReplyTo {
        topic: message.response_topic.clone(),
        correlation: message.correlation.as_ref().map(|bytes| bytes.to_vec()),
        request_id: None,
    };
    Some(match topics.parse(&message.topic)? {
        Inbound::RuleSet(id) => Request::Rule { id, payload },
        Inbound::ZoneSet(name) => Request::Zone { name, payload },
        Inbound::LimitSet => Request::Limit {
            payload: Ok(payload),
        },
        Inbound::Check => Request::Check {
            payload,
            reply: reply(),
        },
        Inbound::Ask => Request::Ask {
            payload,
            reply: reply(),
        },
        Inbound::BadId { .. } => return None,
    })
}

/// The events of the link that concern the core, apart.
fn link_event(event: &LinkEvent) -> Option<Event> {
    match event {
        LinkEvent::Up { .. } => Some(Event::LinkUp),
        LinkEvent::Down { .. } => Some(Event::LinkDown),
        _ => None,
    }
}

/// A plain sentence as a rule request, for callers inside the process.
pub fn rule_request(id: scene::Id, sentence: &str) -> Event {
    let payload = sentence.as_bytes().to_vec();
    Event::Operator(Request::Rule { id, payload })
}

/// A retained text, as the link takes it.
fn retained(topic: String, payload: Vec<u8>) -> Outgoing {
    Outgoing {
        topic,
        payload: payload.into(),
        retain: true,
        ..Outgoing::default()
    }
}
