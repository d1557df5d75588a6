//! Programs that are asked again and again, away from whoever reads: a hang
//! of theirs costs a thread, never a reading.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use scene::Mono;
use scene::ports::Clock;

use crate::SystemClock;

/// What something outside of `/sys` said, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When it was asked, on the clock of [`SystemClock`].
    pub at: Mono,
    /// Its words, or why there are none.
    pub text: Result<String, String>,
}

/// Something outside of `/sys` that tells.
pub trait Tell: Send {
    /// The newest that it said; `None` before it said anything. Returns at
    /// once.
    fn newest(&mut self) -> Option<Told>;
}

/// What a program may take and say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// From start to start.
    pub every: Duration,
    /// Then it is killed.
    pub patience: Duration,
    /// More bytes than that are no answer.
    pub most: usize,
}

/// A program that is run every so often by a thread of its own, until this is
/// dropped.
#[derive(Debug)]
pub(crate) struct Asked {
    newest: Arc<Mutex<Option<Told>>>,
    /// Dropped, it ends the thread.
    _alive: SyncSender<()>,
}

impl Asked {
    pub fn new(program: &'static [&'static str], bounds: Bounds) -> Self {
        let newest = Arc::new(Mutex::new(None));
        let (alive, dropped) = mpsc::sync_channel::<()>(0);
        let told = Arc::clone(&newest);
        let work = move || {
            let clock = SystemClock::new();
            loop {
                let at = clock.now().mono;
                let text = run(program, bounds);
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(Told { at, text });
                match dropped.recv_timeout(bounds.every) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return,
                }
            }
        };
        // Without a thread it never says anything, which is a state that every
        // reader knows.
        if let Err(error) = thread::Builder::new().name("ask".into()).spawn(work) {
            tracing::warn!(%error, program = program[0], "can't be asked");
        }
        Self {
            newest,
            _alive: alive,
        }
    }
}

impl Tell for Asked {
    fn newest(&mut self) -> Option<Told> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.clone()
    }
}

/// What a program says, or a sentence why it said nothing.
fn run(program: &[&str], bounds: Bounds) -> Result<String, String> {
    let name = program[0];
    let mut child = Command::new(name)
        .args(&program[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("{name} can't be started: {e}"))?;
    let started = Instant::now();
    // One more than allowed, to tell a long answer from one that just fits.
    let most = bounds.most as u64 + 1;
    let pipe = child.stdout.take();
    let (say, hear) = mpsc::sync_channel(1);
    // It ends when the program ends, is killed or has said enough; what it is
    // held by (a grandchild with the pipe) holds this thread and no other.
    let read = thread::Builder::new().name("hear".into()).spawn(move || {
        let mut text = Vec::new();
        let read = pipe.map(|pipe| pipe.take(most).read_to_end(&mut text));
        let _ = say.send(read.map(|n| n.map(|_| text)));
    });
    let heard = match read {
        Ok(_) => hear.recv_timeout(bounds.patience).ok().flatten(),
        Err(_) => None,
    };
    let mut status = child.try_wait();
    while matches!(status, Ok(None)) && heard.is_some() && started.elapsed() < bounds.patience {
        let full = matches!(&heard, Some(Ok(text)) if text.len() > bounds.most);
        if full {
            break;
        }
        thread::sleep(Duration::from_millis(5));
        status = child.try_wait();
    }
    if !matches!(status, Ok(Some(_))) {
        // Gone already is as good.
        let _ = child.kill();
        let _ = child.wait();
    }
    match (heard, status) {
        (Some(Ok(text)), _) if text.len() > bounds.most => {
            Err(format!("{name} said more than {} bytes", bounds.most))
        }
        (Some(Ok(text)), Ok(Some(status))) if status.success() => {
            String::from_utf8(text).map_err(|_| format!("{name} said what is no text"))
        }
        (_, Ok(Some(status))) => Err(format!("{name} failed: {status}")),
        (Some(Err(e)), _) => Err(format!("{name} can't be heard: {e}")),
        _ => Err(format!(
            "{name} did not answer within {} s",
            bounds.patience.as_secs_f64()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        every: Duration::from_millis(50),
        patience: Duration::from_secs(10),
        most: 1_000,
    };

    #[test]
    fn words_are_heard_and_failures_named() {
        let said = |script| run(&["sh", "-c", script], BOUNDS);
        assert_eq!(said("echo hello"), Ok("hello\n".into()));
        assert_eq!(said(""), Ok(String::new()));
        let failed = said("echo no; exit 3").unwrap_err();
        assert!(
            failed.contains("sh failed") && failed.contains('3'),
            "{failed}"
        );
        let said = said("printf '\\377'").unwrap_err();
        assert!(said.contains("no text"), "{said}");
        let none = run(&["watchword-no-such-program"], BOUNDS).unwrap_err();
        assert!(none.contains("can't be started"), "{none}");
    }

    #[test]
    fn neither_a_flood_nor_a_hang_is_waited_for() {
        let began = Instant::now();
        let flood = run(&["sh", "-c", "while :; do echo flood; done"], BOUNDS).unwrap_err();
        assert!(flood.contains("more than 1000 bytes"), "{flood}");
        let patience = Duration::from_millis(200);
        let short = Bounds { patience, ..BOUNDS };
        let hang = run(&["sh", "-c", "exec sleep 60"], short).unwrap_err();
        assert!(hang.contains("within 0.2 s"), "{hang}");
        // A grandchild that keeps the pipe open.
        let hang = run(&["sh", "-c", "sleep 3 & sleep 60"], short).unwrap_err();
        assert!(hang.contains("within 0.2 s"), "{hang}");
        // It closes its mouth and stays.
        let hang = run(&["sh", "-c", "exec >&-; exec sleep 60"], short).unwrap_err();
        assert!(hang.contains("within 0.2 s"), "{hang}");
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn it_is_asked_again_and_again() {
        let mut asked = Asked::new(&["sh", "-c", "date +%N"], BOUNDS);
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut wait_for_other = |than: Option<&Told>| {
            loop {
                if let Some(newest) = asked.newest().filter(|told| Some(told) != than) {
                    return newest;
                }
                assert!(Instant::now() < deadline);
                thread::sleep(Duration::from_millis(10));
            }
        };
        let first = wait_for_other(None);
        let second = wait_for_other(Some(&first));
        assert!(second.at > first.at);
        assert!(first.text.is_ok(), "{first:?}");
    }
}
