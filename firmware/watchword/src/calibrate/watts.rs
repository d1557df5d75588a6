//! The board's sensor, read in the background while looks run.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use scene::Source;
use scene::ports::Board;

/// Twice as often as the daemon reads: windows are short.
const EVERY: Duration = Duration::from_millis(250);

/// Readings that are kept, the oldest given up first: some minutes of them,
/// where a window takes seconds.
const KEPT: usize = 2_048;

/// A window with fewer readings of the sensor says nothing.
const FEWEST: usize = 2;

/// One reading of the sensor, and when it was true.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Instant,
    watts: f64,
}

/// The thread that reads.
pub(super) struct Sensor {
    seen: Arc<Mutex<VecDeque<Seen>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sensor {
    pub fn watch(mut board: Box<dyn Board>) -> std::io::Result<Self> {
        let seen = Arc::new(Mutex::new(VecDeque::with_capacity(KEPT)));
        let stop = Arc::new(AtomicBool::new(false));
        let (kept, stopped) = (seen.clone(), stop.clone());
        let read = move || {
            while !stopped.load(Ordering::Relaxed) {
                let now = Instant::now();
                let reading = board.read().board;
                if let Some(reading) = reading.filter(|r| r.source == Source::Measured)
                    && let Some(at) = now.checked_sub(reading.age)
                {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    if kept.len() == KEPT {
                        kept.pop_front();
                    }
                    let watts = reading.value.0;
                    kept.push_back(Seen { at, watts });
                }
                std::thread::park_timeout(EVERY);
            }
        };
        let thread = std::thread::Builder::new()
            .name("sensor".into())
            .spawn(read)?;
        Ok(Self {
            seen,
            stop,
            thread: Some(thread),
        })
    }

    /// Mean watts of what was true within a window; `None` if the sensor said
    /// too little of it. What comes later than its age tells is not waited for.
    pub fn mean(&self, from: Instant, to: Instant) -> Option<f64> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let within = seen.iter().filter(|s| (from..=to).contains(&s.at));
        let watts: Vec<f64> = within.map(|s| s.watts).collect();
        let sane = watts.len() >= FEWEST && watts.iter().all(|w| w.is_finite());
        sane.then(|| watts.iter().sum::<f64>() / watts.len() as f64)
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A board that panics has been told of by the panic itself.
            let _ = thread.join();
        }
    }
}
