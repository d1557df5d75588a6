//! GStreamer's log goes where everybody's does.

use std::borrow::Cow;
use std::sync::{OnceLock, PoisonError, RwLock};

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
            let text = without_secrets(&text);
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

/// What must not be in a log. Bounded: the oldest goes.
static SECRETS: RwLock<Vec<String>> = RwLock::new(Vec::new());
const MOST_SECRETS: usize = 64;
/// Shorter ones are in too many innocent words, and are no secret.
const SHORTEST_SECRET: usize = 4;

/// From now on `secret` is struck out of GStreamer's messages.
pub(crate) fn hide(secret: &str) {
    if secret.len() < SHORTEST_SECRET {
        return;
    }
    let mut secrets = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    if secrets.iter().any(|known| known == secret) {
        return;
    }
    if secrets.len() == MOST_SECRETS {
        secrets.remove(0);
    }
    secrets.push(secret.to_owned());
}

/// `text` with every secret struck out.
pub(crate) fn without_secrets(text: &str) -> Cow<'_, str> {
    let secrets = SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    let mut text = Cow::Borrowed(text);
    for secret in secrets.iter() {
        if text.contains(secret.as_str()) {
            text = Cow::Owned(text.replace(secret.as_str(), "***"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_struck_out() {
        hide("hunter2");
        hide("abc");
        assert_eq!(without_secrets("a hunter2 abc"), "a *** abc");
        (0..2 * MOST_SECRETS).for_each(|n| hide(&format!("secret {n}")));
        assert_eq!(SECRETS.read().unwrap().len(), MOST_SECRETS);
    }
}
