//! Elements that stand for hardware which no test machine has: a camera with
//! given modes, an encoder that breaks, a clock that jumps.

use std::str::FromStr;
use std::sync::{Mutex, Once};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer::subclass::prelude::*;
use gstreamer_base as gst_base;
use gstreamer_base::prelude::*;
use gstreamer_base::subclass::prelude::*;

/// Makes `standincam`, `breaks` and `clockjump` known to this process.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        capture::init().unwrap();
        let rank = gst::Rank::NONE;
        gst::Element::register(None, "standincam", rank, Camera::static_type()).unwrap();
        gst::Element::register(None, "breaks", rank, Breaks::static_type()).unwrap();
        gst::Element::register(None, "clockjump", rank, ClockJump::static_type()).unwrap();
    });
}

glib::wrapper! {
    pub struct Camera(ObjectSubclass<camera::Camera>)
        @extends gst_base::PushSrc, gst_base::BaseSrc, gst::Element, gst::Object;
}

glib::wrapper! {
    pub struct Breaks(ObjectSubclass<breaks::Breaks>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

glib::wrapper! {
    pub struct ClockJump(ObjectSubclass<clock_jump::ClockJump>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

fn any_pad(name: &str, direction: gst::PadDirection) -> gst::PadTemplate {
    let always = gst::PadPresence::Always;
    gst::PadTemplate::new(name, direction, always, &gst::Caps::new_any()).unwrap()
}

fn text(name: &str) -> glib::ParamSpec {
    glib::ParamSpecString::builder(name).build()
}

/// What GStreamer wants to know of every element.
macro_rules! stand_in {
    ($class:literal) => {{
        type Metadata = gst::subclass::ElementMetadata;
        static ABOUT: std::sync::LazyLock<Metadata> =
            std::sync::LazyLock::new(|| Metadata::new("Stand-in", $class, "For tests", "tests"));
        Some(&ABOUT)
    }};
}

mod camera {
    use super::*;

    #[derive(Default)]
    struct Settings {
        modes: String,
        io_mode: String,
        exports: String,
    }

    /// A device that is asked for its modes, as v4l2src asks its driver.
    #[derive(Default)]
    pub struct Camera(Mutex<Settings>);

    #[glib::object_subclass]
    impl ObjectSubclass for Camera {
        const NAME: &'static str = "StandInCamera";
        type Type = super::Camera;
        type ParentType = gst_base::PushSrc;
    }

    impl ObjectImpl for Camera {
        fn properties() -> &'static [glib::ParamSpec] {
            static ALL: std::sync::LazyLock<Vec<glib::ParamSpec>> =
                std::sync::LazyLock::new(|| {
                    ["modes", "io-mode", "exports", "device"].map(text).into()
                });
            &ALL
        }

        fn set_property(&self, _id: usize, value: &glib::Value, spec: &glib::ParamSpec) {
            let value = value.get::<Option<String>>().unwrap().unwrap_or_default();
            let mut settings = self.0.lock().unwrap();
            match spec.name() {
                "modes" => settings.modes = value,
                "io-mode" => settings.io_mode = value,
                "exports" => settings.exports = value,
                _ => {}
            }
        }

        fn constructed(&self) {
            self.parent_constructed();
            self.obj().set_live(true);
            self.obj().set_format(gst::Format::Time);
            self.obj().set_do_timestamp(true);
        }
    }

    impl GstObjectImpl for Camera {}

    impl ElementImpl for Camera {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            stand_in!("Source/Video")
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static ALL: std::sync::LazyLock<Vec<gst::PadTemplate>> =
                std::sync::LazyLock::new(|| vec![any_pad("src", gst::PadDirection::Src)]);
            &ALL
        }
    }

    impl BaseSrcImpl for Camera {
        fn caps(&self, filter: Option<&gst::Caps>) -> Option<gst::Caps> {
            // A device that is not opened is not asked.
            let closed = self.obj().current_state() < gst::State::Ready;
            let caps = if closed {
                gst::Caps::new_any()
            } else {
                gst::Caps::from_str(&self.0.lock().unwrap().modes).unwrap()
            };
            Some(match filter {
                Some(filter) => filter.intersect_with_mode(&caps, gst::CapsIntersectMode::First),
                None => caps,
            })
        }
    }

    impl PushSrcImpl for Camera {
        fn create(
            &self,
            _buffer: Option<&mut gst::BufferRef>,
        ) -> Result<gst_base::subclass::base_src::CreateSuccess, gst::FlowError> {
            let dead = {
                let settings = self.0.lock().unwrap();
                settings.io_mode == "dmabuf" && settings.exports == "no"
            };
            if dead {
                let what = "Failed to allocate required memory.";
                gst::element_imp_error!(self, gst::ResourceError::NoSpaceLeft, ["{what}"]);
                return Err(gst::FlowError::Error);
            }
            std::thread::sleep(Duration::from_millis(40));
            let caps = self.obj().src_pad().current_caps().unwrap();
            let info = gstreamer_video::VideoInfo::from_caps(&caps).unwrap();
            let buffer = gst::Buffer::from_mut_slice(vec![100u8; info.size()]);
            Ok(gst_base::subclass::base_src::CreateSuccess::NewBuffer(
                buffer,
            ))
        }
    }
}

mod breaks {
    use super::*;

    #[derive(Default)]
    struct Settings {
        how: String,
        after: u32,
        seen: u32,
    }

    /// Passes on what comes, until it breaks.
    #[derive(Default)]
    pub struct Breaks(Mutex<Settings>);

    #[glib::object_subclass]
    impl ObjectSubclass for Breaks {
        const NAME: &'static str = "Breaks";
        type Type = super::Breaks;
        type ParentType = gst_base::BaseTransform;
    }

    impl ObjectImpl for Breaks {
        fn properties() -> &'static [glib::ParamSpec] {
            static ALL: std::sync::LazyLock<Vec<glib::ParamSpec>> =
                std::sync::LazyLock::new(|| {
                    vec![text("how"), glib::ParamSpecUInt::builder("after").build()]
                });
            &ALL
        }

        fn set_property(&self, _id: usize, value: &glib::Value, spec: &glib::ParamSpec) {
            let mut settings = self.0.lock().unwrap();
            match spec.name() {
                "how" => settings.how = value.get().unwrap(),
                _ => settings.after = value.get().unwrap(),
            }
        }
    }

    impl GstObjectImpl for Breaks {}

    impl ElementImpl for Breaks {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            stand_in!("Filter/Video")
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static ALL: std::sync::LazyLock<Vec<gst::PadTemplate>> =
                std::sync::LazyLock::new(|| {
                    let pads = [
                        ("src", gst::PadDirection::Src),
                        ("sink", gst::PadDirection::Sink),
                    ];
                    pads.map(|(name, direction)| any_pad(name, direction))
                        .into()
                });
            &ALL
        }

        fn change_state(
            &self,
            transition: gst::StateChange,
        ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
            let how = self.0.lock().unwrap().how.clone();
            if transition == gst::StateChange::NullToReady {
                if how == "open" {
                    gst::element_imp_error!(
                        self,
                        gst::ResourceError::OpenReadWrite,
                        ["Could not open device '/dev/video11' for reading and writing."]
                    );
                }
                if how == "open" || how == "silent" {
                    return Err(gst::StateChangeError);
                }
            }
            self.parent_change_state(transition)
        }
    }

    impl BaseTransformImpl for Breaks {
        const MODE: gst_base::subclass::BaseTransformMode =
            gst_base::subclass::BaseTransformMode::AlwaysInPlace;
        const PASSTHROUGH_ON_SAME_CAPS: bool = false;
        const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

        fn transform_ip(
            &self,
            _buffer: &mut gst::BufferRef,
        ) -> Result<gst::FlowSuccess, gst::FlowError> {
            let mut settings = self.0.lock().unwrap();
            settings.seen += 1;
            if settings.seen <= settings.after {
                return Ok(gst::FlowSuccess::Ok);
            }
            if settings.how == "hang" {
                return Ok(gst_base::BASE_TRANSFORM_FLOW_DROPPED);
            }
            gst::element_imp_error!(self, gst::StreamError::Encode, ["The firmware crashed."]);
            Err(gst::FlowError::Error)
        }
    }
}

mod clock_jump {
    use super::*;

    #[derive(Default)]
    struct State {
        /// Picture and shift from there on, ms.
        jumps: Vec<(u64, i64)>,
        seen: u64,
    }

    /// Moves the times of pictures, as a camera does whose clock is set.
    #[derive(Default)]
    pub struct ClockJump(Mutex<State>);

    #[glib::object_subclass]
    impl ObjectSubclass for ClockJump {
        const NAME: &'static str = "ClockJump";
        type Type = super::ClockJump;
        type ParentType = gst_base::BaseTransform;
    }

    impl ObjectImpl for ClockJump {
        fn properties() -> &'static [glib::ParamSpec] {
            static ALL: std::sync::LazyLock<Vec<glib::ParamSpec>> =
                std::sync::LazyLock::new(|| vec![text("jumps")]);
            &ALL
        }

        fn set_property(&self, _id: usize, value: &glib::Value, _spec: &glib::ParamSpec) {
            let text = value.get::<String>().unwrap();
            let jump = |part: &str| {
                let (at, by) = part.split_once(':').unwrap();
                (at.parse().unwrap(), by.parse().unwrap())
            };
            self.0.lock().unwrap().jumps = text.split('/').map(jump).collect();
        }
    }

    impl GstObjectImpl for ClockJump {}

    impl ElementImpl for ClockJump {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            stand_in!("Filter/Video")
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static ALL: std::sync::LazyLock<Vec<gst::PadTemplate>> =
                std::sync::LazyLock::new(|| {
                    let pads = [
                        ("src", gst::PadDirection::Src),
                        ("sink", gst::PadDirection::Sink),
                    ];
                    pads.map(|(name, direction)| any_pad(name, direction))
                        .into()
                });
            &ALL
        }
    }

    impl BaseTransformImpl for ClockJump {
        const MODE: gst_base::subclass::BaseTransformMode =
            gst_base::subclass::BaseTransformMode::AlwaysInPlace;
        const PASSTHROUGH_ON_SAME_CAPS: bool = false;
        const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

        fn transform_ip(
            &self,
            buffer: &mut gst::BufferRef,
        ) -> Result<gst::FlowSuccess, gst::FlowError> {
            let mut state = self.0.lock().unwrap();
            state.seen += 1;
            let seen = state.seen;
            let last = state.jumps.iter().rfind(|(at, _)| seen > *at);
            if let (Some((_, by)), Some(pts)) = (last, buffer.pts()) {
                let moved = pts.mseconds() as i64 + by;
                buffer.set_pts(gst::ClockTime::from_mseconds(moved.max(0) as u64));
            }
            Ok(gst::FlowSuccess::Ok)
        }
    }
}
