//! Stops a graph that is running: at a look's deadline, or when somebody
//! cancels the look.
//!
//! ONNX Runtime looks at a run's termination flag before every node, so a run
//! ends within the time of its longest node. One thread a loaded model sleeps
//! until the deadline of the look that is under way, and raises the flag.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ort::session::RunOptions;
use scene::ports::Cancel;

use crate::package::Problem;

/// Why a look ended early.
#[derive(Clone, Debug)]
pub(crate) enum Halt {
    /// Its deadline has passed.
    Timeout,
    /// Somebody cancelled it.
    Cancelled,
    /// The model failed.
    Failed(Problem),
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Halt::Failed(problem)
    }
}

impl From<Halt> for Problem {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Failed(problem) => problem,
            Halt::Timeout => Problem::new("the model", "took too long"),
            Halt::Cancelled => Problem::new("the model", "was cancelled"),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Look {
    /// None is under way.
    #[default]
    Idle,
    /// One may go on until then (`None`: for ever).
    Going(Option<Instant>),
    Late,
    Cancelled,
}

#[derive(Debug, Default)]
struct State {
    look: Look,
    /// The model is being dropped.
    over: bool,
}

struct Shared {
    /// Given to every graph run of a look.
    options: RunOptions,
    state: Mutex<State>,
    changed: Condvar,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The runtime's options can't be shown.
        let state = &self.state;
        f.debug_struct("Shared").field("state", state).finish()
    }
}

impl Shared {
    fn new() -> Result<Self, Problem> {
        let options = RunOptions::new().map_err(|error| {
            Problem::new("ONNX Runtime", format!("gives no run options: {error}"))
        })?;
        Ok(Self {
            options,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the look that `state` tells of, with the flag raised under the lock:
    /// else it could hit the next one.
    fn halt(&self, state: &mut State, as_what: Look) {
        state.look = as_what;
        if let Err(error) = self.options.terminate() {
            tracing::warn!(%error, "a run can't be terminated");
        }
    }

    /// Sleeps until a deadline passes; until the model is dropped.
    fn watch(&self) {
        let mut state = self.lock();
        while !state.over {
            let left = match state.look {
                Look::Going(Some(until)) => Some(until.saturating_duration_since(Instant::now())),
                _ => None,
            };
            state = match left {
                Some(Duration::ZERO) => {
                    self.halt(&mut state, Look::Late);
                    state
                }
                Some(left) => {
                    let woken = self.changed.wait_timeout(state, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let woken = self.changed.wait(state);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

/// The brake of one loaded model.
#[derive(Debug)]
pub(crate) struct Brake {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Brake {
    pub fn new() -> Result<Self, Problem> {
        let shared = Arc::new(Shared::new()?);
        let watched = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("brake".into())
            .spawn(move || watched.watch())
            .map_err(|error| {
                Problem::new(
                    "the model",
                    format!("can't start the thread that keeps its deadlines: {error}"),
                )
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Begins a look that may take `after`; it ends when the [`Stop`] is dropped.
    pub fn look(&self, after: Duration) -> Stop {
        let start = Instant::now();
        let mut state = self.shared.lock();
        if let Err(error) = self.shared.options.unterminate() {
            // All runs of this look will fail, and say so.
            tracing::warn!(%error, "a terminated run can't be reset");
        }
        state.look = Look::Going(start.checked_add(after));
        drop(state);
        self.shared.changed.notify_all();
        Stop {
            shared: Arc::clone(&self.shared),
            start,
        }
    }

    pub fn canceller(&self) -> Canceller {
        Canceller(Arc::clone(&self.shared))
    }
}

impl Drop for Brake {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It only sleeps and sets flags.
            let _ = thread.join();
        }
    }
}

/// Cancels the look that is under way, from any thread.
#[derive(Clone, Debug)]
pub(crate) struct Canceller(Arc<Shared>);

impl Cancel for Canceller {
    fn cancel(&self) {
        let mut state = self.0.lock();
        if matches!(state.look, Look::Going(_)) {
            self.0.halt(&mut state, Look::Cancelled);
        }
    }
}

/// One look's leave to go on.
#[derive(Debug)]
pub(crate) struct Stop {
    shared: Arc<Shared>,
    start: Instant,
}

impl Stop {
    /// Leave that nothing ends: for loading and for tests.
    pub fn never() -> Result<Self, Problem> {
        let shared = Shared::new()?;
        shared.lock().look = Look::Going(None);
        Ok(Self {
            shared: Arc::new(shared),
            start: Instant::now(),
        })
    }

    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Whether to go on.
    pub fn check(&self) -> Result<(), Halt> {
        let mut state = self.shared.lock();
        match state.look {
            Look::Going(Some(until)) if Instant::now() >= until => {
                self.shared.halt(&mut state, Look::Late);
                Err(Halt::Timeout)
            }
            Look::Going(_) => Ok(()),
            Look::Late | Look::Idle => Err(Halt::Timeout),
            Look::Cancelled => Err(Halt::Cancelled),
        }
    }

    /// What graphs are run with.
    pub fn options(&self) -> &RunOptions {
        &self.shared.options
    }

    /// What a failed run means: a terminated one did not fail.
    pub fn or(&self, problem: Problem) -> Halt {
        match self.check() {
            Err(halt) => halt,
            Ok(()) => Halt::Failed(problem),
        }
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.shared.lock().look = Look::Idle;
        self.shared.changed.notify_all();
    }
}
