//! Words to systemd. Without it (no `NOTIFY_SOCKET`) they go nowhere; a
//! failure to say them is logged and never stops the camera.

use std::time::Duration;

use sd_notify::NotifyState;

fn say(what: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}

/// The daemon is up.
pub fn ready() {
    say(&[NotifyState::Ready]);
}

/// What the daemon is doing, in a line for `systemctl status`.
pub fn status(line: &str) {
    // One line: what follows would be read as another assignment.
    let line = line.replace(['\n', '\r'], " ");
    say(&[NotifyState::Status(&line)]);
}

/// The daemon is going down as asked.
pub fn stopping() {
    say(&[NotifyState::Stopping]);
}

/// The daemon is alive; to be said every [`watchdog_interval`].
pub fn ping() {
    say(&[NotifyState::Watchdog]);
}

/// How often to [`ping`]: half of what the watchdog waits, as
/// sd_watchdog_enabled(3) recommends. `None` if nobody watches.
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|patience| patience / 2)
}
