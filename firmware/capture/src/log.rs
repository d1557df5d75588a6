//! GStreamer's log goes where everybody's does.

use std::sync::OnceLock;

use gstreamer as gst;

use crate::CaptureError;

/// Starts GStreamer once and sends its messages to `tracing`, target
/// `gstreamer`. Warnings and errors come by default; `GST_DEBUG` asks for more.
/// Called by everything that needs it; calling it early only fixes when.
pub fn init() -> Result<(), CaptureError> {
    static STARTED: OnceLock<Result<(), String>> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        gst::init().map_err(|e| e.to_string())?;
        gst::log::remove_default_log_function();
        gst::log::add_log_function(|category, level, _file, function, line, object, message| {
            let Some(text) = message.get() else { return };
            let category = category.name();
            let object = object.map(ToString::to_string).unwrap_or_default();
            let function = function.as_str();
            macro_rules! say {
                ($level:ident) => {
                    tracing::$level!(target: "gstreamer", category, object, function, line, "{text}")
                };
            }
            match level {
                gst::DebugLevel::Error => say!(error),
                gst::DebugLevel::Warning => say!(warn),
                gst::DebugLevel::Fixme | gst::DebugLevel::Info => say!(debug),
                _ => say!(trace),
            }
        });
        if std::env::var_os("GST_DEBUG").is_none() {
            gst::log::set_default_threshold(gst::DebugLevel::Warning);
        }
        Ok(())
    });
    started.clone().map_err(CaptureError::Gstreamer)
}
