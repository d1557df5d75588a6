//! The RTSP server: one encoded stream, any number of clients.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_rtsp_server as rtsp;
use gstreamer_rtsp_server::prelude::*;

use crate::{CaptureError, Encode};

/// Pictures that wait for a client's network. Full: everything up to the next
/// key frame is dropped and counted, since nothing before it can be decoded.
const MOST_WAITING: u64 = 60;
/// Sessions at once; the next client is refused with 503.
const MOST_SESSIONS: u32 = 16;
/// Threads that serve clients; one that waits for a first picture occupies one.
const THREADS: i32 = 4;
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Where pictures leave a media's pipeline. The server owns it; this only knows it.
struct Tap {
    source: glib::WeakRef<gst_app::AppSrc>,
    needs_key: bool,
    caps: Option<gst::Caps>,
}

/// Takes encoded pictures and hands them to whoever is connected.
pub(crate) struct Outlet {
    encode: Encode,
    taps: Mutex<Vec<Tap>>,
    any: AtomicBool,
    key_wanted: AtomicBool,
    pub sent: AtomicU64,
    pub dropped: AtomicU64,
}

impl Outlet {
    /// For a camera without a server: wants nothing, unless encoding is
    /// always on.
    pub fn new(encode: Encode) -> Self {
        Self {
            encode,
            taps: Mutex::default(),
            any: AtomicBool::new(false),
            key_wanted: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    /// Whether pictures are to be encoded now.
    pub fn wants(&self) -> bool {
        self.encode == Encode::Always || self.any.load(Ordering::Relaxed)
    }

    /// Whether somebody needs a key frame; asks once.
    pub fn take_key_wanted(&self) -> bool {
        self.key_wanted.load(Ordering::Relaxed) && self.key_wanted.swap(false, Ordering::Relaxed)
    }

    fn want_key(&self) {
        self.key_wanted.store(true, Ordering::Relaxed);
    }

    fn add(&self, source: &gst_app::AppSrc) {
        let mut taps = self.taps.lock().unwrap_or_else(PoisonError::into_inner);
        taps.push(Tap {
            source: source.downgrade(),
            needs_key: true,
            caps: None,
        });
        self.any.store(true, Ordering::Relaxed);
        self.want_key();
    }

    fn remove(&self, source: &gst_app::AppSrc) {
        let mut taps = self.taps.lock().unwrap_or_else(PoisonError::into_inner);
        taps.retain(|tap| tap.source.upgrade().is_some_and(|s| s != *source));
        self.any.store(!taps.is_empty(), Ordering::Relaxed);
    }

    /// Passes on one access unit. `base` is the base time of the pipeline that
    /// made it; both pipelines run on the system clock, so the difference of
    /// base times moves a picture from one time line to the other.
    pub fn push(&self, sample: &gst::Sample, base: gst::ClockTime) {
        let (Some(buffer), Some(segment)) = (sample.buffer(), sample.segment()) else {
            return;
        };
        let Some(segment) = segment.downcast_ref::<gst::ClockTime>() else {
            return;
        };
        let is_key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        let mut taps = self.taps.lock().unwrap_or_else(PoisonError::into_inner);
        taps.retain_mut(|tap| {
            let Some(source) = tap.source.upgrade() else {
                return false;
            };
            if source.current_state() != gst::State::Playing {
                return true;
            }
            if source.current_level_buffers() >= MOST_WAITING {
                tap.needs_key = true;
                self.dropped.fetch_add(1, Ordering::Relaxed);
                self.want_key();
                return true;
            }
            if tap.needs_key && !is_key {
                self.want_key();
                return true;
            }
            let Some(theirs) = source.base_time() else {
                return true;
            };
            let shift = |time: Option<gst::ClockTime>| {
                let running = segment.to_running_time(time?)?;
                (running + base).checked_sub(theirs)
            };
            let Some(pts) = shift(buffer.pts()) else {
                // From before the client came.
                return true;
            };
            // Shares the memory; only the times are its own.
            let mut copy = buffer.to_owned();
            {
                let copy = copy.make_mut();
                copy.set_pts(pts);
                copy.set_dts(shift(buffer.dts()));
            }
            if tap.caps.as_deref() != sample.caps() {
                tap.caps = sample.caps_owned();
                source.set_caps(tap.caps.as_ref());
            }
            match source.push_buffer(copy) {
                Ok(_) => {
                    tap.needs_key = false;
                    self.sent.fetch_add(1, Ordering::Relaxed);
                }
                Err(gst::FlowError::Flushing) => tap.needs_key = true,
                Err(error) => {
                    tap.needs_key = true;
                    tracing::warn!(%error, "an RTSP media takes no picture");
                }
            }
            true
        });
        self.any.store(!taps.is_empty(), Ordering::Relaxed);
    }
}

/// A running server. Dropped, it sends its clients away and stops.
pub(crate) struct Server {
    pub address: SocketAddr,
    context: glib::MainContext,
    main_loop: glib::MainLoop,
    server: rtsp::RTSPServer,
    thread: Option<JoinHandle<()>>,
    done: mpsc::Receiver<()>,
}

impl Server {
    /// Serves what `outlet` is given under `/main` on `address`; port 0 is any
    /// free one. `launch` is the description of a media.
    pub fn start(
        address: SocketAddr,
        launch: &str,
        outlet: Arc<Outlet>,
    ) -> Result<Self, CaptureError> {
        let failed = |why: String| CaptureError::Rtsp { address, why };
        let server = rtsp::RTSPServer::new();
        server.set_address(&address.ip().to_string());
        server.set_service(&address.port().to_string());
        if let Some(pool) = server.thread_pool() {
            pool.set_max_threads(THREADS);
        }
        let sessions = server.session_pool();
        if let Some(sessions) = &sessions {
            sessions.set_max_sessions(MOST_SESSIONS);
        }
        let mounts = server
            .mount_points()
            .ok_or_else(|| failed("no mount points".into()))?;
        mounts.add_factory("/main", factory(launch, &outlet));
        let for_clients = outlet.clone();
        server.connect_client_connected(move |_, client| {
            let outlet = for_clients.clone();
            // Who joins a running stream starts with the next key frame: make it soon.
            client.connect_play_request(move |_, _| outlet.want_key());
        });

        let context = glib::MainContext::new();
        let attached = server.attach(Some(&context)).map_err(|e| {
            failed(format!(
                "{e}; is something else listening there? Choose another port, or 0 for any free one"
            ))
        })?;
        let port = u16::try_from(server.bound_port())
            .ok()
            .filter(|port| *port != 0);
        let Some(port) = port else {
            if let Some(source) = context.find_source_by_id(&attached) {
                source.destroy();
            }
            return Err(failed("the address is not one of this machine's".into()));
        };
        if let Some(sessions) = sessions {
            // Clients that vanished without TEARDOWN: encoding stops for them too.
            let every = Duration::from_secs(5);
            let sweep = glib::timeout_source_new(every, None, glib::Priority::LOW, move || {
                sessions.cleanup();
                glib::ControlFlow::Continue
            });
            sweep.attach(Some(&context));
        }
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let (finished, done) = mpsc::channel();
        let (loop_, context_) = (main_loop.clone(), context.clone());
        let thread = std::thread::Builder::new()
            .name("rtsp".into())
            .spawn(move || {
                let ran = context_.with_thread_default(|| loop_.run());
                if ran.is_err() {
                    tracing::error!("the RTSP server's context is taken by another thread");
                }
                let _ = finished.send(());
            })
            .map_err(|why| CaptureError::Thread {
                what: "the RTSP server",
                why,
            })?;
        Ok(Self {
            address: SocketAddr::new(address.ip(), port),
            context,
            main_loop,
            server,
            thread: Some(thread),
            done,
        })
    }

    /// Where clients find the stream.
    pub fn url(&self) -> String {
        format!("rtsp://{}/main", self.address)
    }
}

fn factory(launch: &str, outlet: &Arc<Outlet>) -> rtsp::RTSPMediaFactory {
    let factory = rtsp::RTSPMediaFactory::new();
    factory.set_launch(launch);
    // One media for all clients: encoded once, payloaded once.
    factory.set_shared(true);
    factory.set_clock(Some(&gst::SystemClock::obtain()));
    let outlet = outlet.clone();
    factory.connect_media_configure(move |_, media| {
        let source = (media.element().downcast::<gst::Bin>().ok())
            .and_then(|bin| bin.by_name("pictures"))
            .and_then(|element| element.downcast::<gst_app::AppSrc>().ok());
        let Some(source) = source else {
            tracing::error!("the RTSP description has no appsrc with name=pictures");
            return;
        };
        // The bound is kept by the outlet, which knows what a key frame is.
        source.set_max_buffers(0);
        source.set_max_bytes(0);
        source.set_max_time(gst::ClockTime::ZERO);
        outlet.add(&source);
        let outlet = outlet.clone();
        let source = source.downgrade();
        media.connect_unprepared(move |_| {
            if let Some(source) = source.upgrade() {
                outlet.remove(&source);
            }
        });
    });
    factory
}

impl Drop for Server {
    fn drop(&mut self) {
        let server = self.server.clone();
        let main_loop = self.main_loop.clone();
        self.context.invoke(move || {
            let mut all =
                |_: &rtsp::RTSPServer, _: &rtsp::RTSPClient| rtsp::RTSPFilterResult::Remove;
            server.client_filter(Some(&mut all));
            main_loop.quit();
        });
        if self.done.recv_timeout(STOP_LIMIT).is_err() {
            tracing::error!(
                "the RTSP server did not stop within {STOP_LIMIT:?}; it is left behind"
            );
        } else if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
