//! A network camera: an RTSP server that draws its own picture, and that can be
//! cut off, fall silent, or change its mind about size and codec.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_rtsp_server as rtsp;
use gstreamer_rtsp_server::prelude::*;

#[derive(Clone, Copy, PartialEq)]
pub enum Codec {
    H264,
    H265,
}

/// What the camera sends, and to whom.
#[derive(Clone)]
pub struct Setup {
    pub size: (u32, u32),
    pub codec: Codec,
    /// User name and password; asked for with digest authentication.
    pub login: Option<(&'static str, &'static str)>,
    /// It asks for it with basic authentication, which sends it in the clear.
    pub basic: bool,
    /// It has a microphone too, announced before the picture.
    pub sound: bool,
    /// It ends after so many pictures.
    pub pictures: Option<u32>,
    /// Its clock is set while it runs; see [`super::elements`].
    pub jumps: Option<&'static str>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            size: (320, 240),
            codec: Codec::H264,
            login: None,
            basic: false,
            sound: false,
            pictures: None,
            jumps: None,
        }
    }
}

pub struct NetworkCamera {
    port: u16,
    context: glib::MainContext,
    listening: glib::Source,
    main_loop: glib::MainLoop,
    server: rtsp::RTSPServer,
    silent: Arc<AtomicBool>,
    media: Arc<std::sync::Mutex<Option<glib::WeakRef<gst::Element>>>>,
    set_up: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

/// A port that nothing listens on now.
pub fn free_port() -> u16 {
    let any = TcpListener::bind("127.0.0.1:0").unwrap();
    any.local_addr().unwrap().port()
}

impl NetworkCamera {
    /// Serves `/live` on `port` of loopback.
    pub fn start(port: u16, setup: &Setup) -> Self {
        capture::init().unwrap();
        let server = rtsp::RTSPServer::new();
        server.set_address("127.0.0.1");
        server.set_service(&port.to_string());
        let silent = Arc::new(AtomicBool::new(false));
        let media = Arc::default();
        let factory = factory(setup, &silent, &media);
        if let Some((user, password)) = setup.login {
            let auth = rtsp::RTSPAuth::new();
            let token = rtsp::RTSPToken::builder()
                .field(rtsp::RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
                .build();
            if setup.basic {
                auth.set_supported_methods(rtsp::gst_rtsp::RTSPAuthMethod::Basic);
                auth.add_basic(&rtsp::RTSPAuth::make_basic(user, password), &token);
            } else {
                auth.set_supported_methods(rtsp::gst_rtsp::RTSPAuthMethod::Digest);
                auth.add_digest(user, password, &token);
            }
            server.set_auth(Some(&auth));
            let may = gst::Structure::builder("viewer")
                .field(rtsp::RTSP_PERM_MEDIA_FACTORY_ACCESS, true)
                .field(rtsp::RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, true)
                .build();
            factory.add_role_from_structure(&may);
        }
        let mounts = server.mount_points().unwrap();
        mounts.add_factory("/live", factory);
        let set_up = Arc::new(AtomicUsize::new(0));
        let count = set_up.clone();
        server.connect_client_connected(move |_, client| {
            let count = count.clone();
            client.connect_setup_request(move |_, _| {
                count.fetch_add(1, Ordering::Relaxed);
            });
        });
        let context = glib::MainContext::new();
        let listening = server.attach(Some(&context)).unwrap();
        let listening = context.find_source_by_id(&listening).unwrap();
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let (loop_, context_) = (main_loop.clone(), context.clone());
        let thread = std::thread::spawn(move || {
            context_.with_thread_default(|| loop_.run()).unwrap();
        });
        Self {
            port,
            context,
            listening,
            main_loop,
            server,
            silent,
            media,
            set_up,
            thread: Some(thread),
        }
    }

    pub fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/live", self.port)
    }

    /// How many streams clients have asked for.
    pub fn streams_set_up(&self) -> usize {
        self.set_up.load(Ordering::Relaxed)
    }

    /// Whether pictures stop while the connection stays.
    pub fn set_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::Relaxed);
    }

    /// Another size in the running stream.
    pub fn resize(&self, size: (u32, u32)) {
        let media = self.media.lock().unwrap().as_ref().unwrap().upgrade();
        let bin = media.unwrap().downcast::<gst::Bin>().unwrap();
        let filter = bin.by_name("size").unwrap();
        filter.set_property("caps", caps(size));
    }
}

fn caps((width, height): (u32, u32)) -> gst::Caps {
    let text = format!("video/x-raw,format=I420,width={width},height={height},framerate=15/1");
    text.parse().unwrap()
}

fn factory(
    setup: &Setup,
    silent: &Arc<AtomicBool>,
    remember: &Arc<std::sync::Mutex<Option<glib::WeakRef<gst::Element>>>>,
) -> rtsp::RTSPMediaFactory {
    let factory = rtsp::RTSPMediaFactory::new();
    let (encoder, pay) = match setup.codec {
        Codec::H264 => ("x264enc speed-preset=ultrafast", "rtph264pay"),
        Codec::H265 => ("x265enc speed-preset=ultrafast", "rtph265pay"),
    };
    // Sound comes first in the announcement, which must confuse nobody.
    let (sound, number) = if setup.sound {
        let sound = "audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! alawenc \
                     ! rtppcmapay name=pay0 pt=8";
        (sound, 1)
    } else {
        ("", 0)
    };
    let end = (setup.pictures).map_or(String::new(), |n| format!("num-buffers={n}"));
    let jump = (setup.jumps).map_or(String::new(), |jumps| {
        super::elements::register();
        format!("! clockjump jumps={jumps}")
    });
    factory.set_launch(&format!(
        "( {sound} videotestsrc is-live=true {end} ! capsfilter name=size caps=\"{}\" {jump} \
         ! {encoder} tune=zerolatency key-int-max=15 bitrate=500 \
         ! {pay} name=pay{number} pt=96 config-interval=-1 )",
        caps(setup.size)
    ));
    factory.set_shared(true);
    let silent = silent.clone();
    let remember = remember.clone();
    factory.connect_media_configure(move |_, media| {
        let element = media.element();
        let bin = element.clone().downcast::<gst::Bin>().unwrap();
        *remember.lock().unwrap() = Some(element.downgrade());
        let silent = silent.clone();
        let pay = bin.by_name(&format!("pay{number}")).unwrap();
        // Before it is cut into packets, so that the next key frame is whole.
        pay.static_pad("sink")
            .unwrap()
            .add_probe(gst::PadProbeType::BUFFER, move |_, info| {
                if silent.load(Ordering::Relaxed) {
                    info.data.take();
                    return gst::PadProbeReturn::Handled;
                }
                gst::PadProbeReturn::Ok
            });
    });
    factory
}

impl Drop for NetworkCamera {
    /// The plug is pulled: every connection is closed, and the port.
    fn drop(&mut self) {
        let (server, main_loop) = (self.server.clone(), self.main_loop.clone());
        let listening = self.listening.clone();
        self.context.invoke(move || {
            listening.destroy();
            let mut all =
                |_: &rtsp::RTSPServer, _: &rtsp::RTSPClient| rtsp::RTSPFilterResult::Remove;
            server.client_filter(Some(&mut all));
            main_loop.quit();
        });
        self.thread.take().unwrap().join().unwrap();
    }
}
