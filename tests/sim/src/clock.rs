use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use scene::ports::Clock;
use scene::{Moment, Mono};

/// A clock that a test moves. Clones share the time.
#[derive(Clone)]
pub struct SimClock(Arc<Mutex<Moment>>);

impl SimClock {
    /// Starts at monotonic zero; `wall` is `None` for a camera with no clock.
    pub fn new(wall: Option<Timestamp>) -> Self {
        Self(Arc::new(Mutex::new(Moment {
            mono: Mono::ZERO,
            wall,
        })))
    }

    /// Lets `by` pass.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().expect("no test panicked with the clock");
        *now = Moment {
            mono: now.mono + by,
            wall: now.wall.and_then(|wall| wall.checked_add(by).ok()),
        };
    }

    /// Steps the wall clock, as NTP does; monotonic time goes on.
    pub fn set_wall(&self, wall: Option<Timestamp>) {
        self.0.lock().expect("no test panicked with the clock").wall = wall;
    }
}

impl Clock for SimClock {
    fn now(&self) -> Moment {
        *self.0.lock().expect("no test panicked with the clock")
    }
}
