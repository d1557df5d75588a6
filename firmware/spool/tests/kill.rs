//! Starts itself as a child that pushes alerts and prints each place in the
//! queue after its commit; kills it (SIGKILL) at a random moment; opens the
//! store again: everything printed must be there, in order, with its picture.
//! It starts a child and needs no test harness, hence the own `main`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use spool::{Batch, Limits, Store};

mod common;
use common::{alert, id};

const CHILD: &str = "SPOOL_KILL_TEST_STORE";
const ROUNDS: u32 = 24;

/// A picture that only this alert has.
fn picture(n: u64) -> Vec<u8> {
    let size = 1_000 + (n * 7_919) % 20_000;
    (0..size).map(|i| (n * 31 + i) as u8).collect()
}

fn child(path: &Path) -> ! {
    let store = Store::open(path, Limits::default()).expect("the child opens the store");
    let mut out = std::io::stdout();
    let mut n =
        (store.pending(0, usize::MAX).unwrap().last()).map_or(0, |p| p.alert.latency_ms + 1);
    loop {
        let batch = Batch::new()
            .push_alert(&alert(n), Some(&picture(n)))
            .put_life(&id("queue"), &n.to_le_bytes());
        let seqs = store.commit(batch).expect("the child commits");
        writeln!(out, "{} {n}", seqs[0])
            .and_then(|()| out.flush())
            .expect("the parent listens");
        n += 1;
    }
}

/// xorshift64*: no crate for a handful of random delays.
fn random(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_F491_4F6C_DD1D)
}

fn main() {
    if let Some(path) = std::env::var_os(CHILD) {
        child(Path::new(&path));
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool.redb");
    let mut seed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64
        | 1;
    println!("kill -9 test: {ROUNDS} rounds, seed {seed}");
    let began = Instant::now();
    let mut printed: Vec<(u64, u64)> = Vec::new();
    for round in 0..ROUNDS {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut parse = |line: String| {
            let (seq, n) = line.split_once(' ').expect("a place and a number");
            printed.push((seq.parse().unwrap(), n.parse().unwrap()));
        };
        for _ in 0..1 + random(&mut seed) % 12 {
            parse(
                lines
                    .next()
                    .expect("the child goes on until it is killed")
                    .unwrap(),
            );
        }
        std::thread::sleep(Duration::from_micros(random(&mut seed) % 8_000));
        process.kill().unwrap();
        process.wait().unwrap();
        // What it still said before it died counts too; a line cut short by
        // the kill was not said.
        for line in lines.map_while(Result::ok) {
            parse(line);
        }

        let store = Store::open(&path, Limits::default()).unwrap();
        assert_eq!(
            store.opened().set_aside,
            None,
            "round {round}: the file broke"
        );
        let pending = store.pending(0, usize::MAX).unwrap();
        assert!(
            pending.windows(2).all(|w| w[0].seq < w[1].seq),
            "round {round}: out of order"
        );
        for (seq, n) in &printed {
            let held = (pending.iter().find(|p| p.seq == *seq))
                .unwrap_or_else(|| panic!("round {round}: alert {n} at {seq} is lost"));
            assert_eq!(held.alert, alert(*n), "round {round}");
            assert_eq!(held.jpeg, Some(picture(*n)), "round {round}");
        }
        // At most the one that was under way is there unsaid.
        let unsaid = pending.len() - printed.len();
        assert!(
            unsaid <= (round + 1) as usize,
            "round {round}: {unsaid} unsaid"
        );
        // The life went with its alert: they agree on the last number.
        let life = &store.lives().unwrap()[0].1;
        let last = pending.last().unwrap().alert.latency_ms;
        assert_eq!(life.as_slice(), last.to_le_bytes(), "round {round}");
    }
    println!(
        "kill -9 test: {} alerts said, all there, {:.1} s",
        printed.len(),
        began.elapsed().as_secs_f64()
    );
}
