//! A camera that is cut again and again leaves nothing behind. Alone in its
//! process, since it counts the process's threads and files.

mod common;

use std::time::Duration;

use capture::{Camera, Source};
use common::network_camera::{NetworkCamera, Setup, free_port};
use common::{config, eventually, start};
use scene::ports::{FrameSource, SourceState};

const LIMIT: Duration = Duration::from_secs(60);
/// GLib keeps a few idle threads for the next task, and their number wavers.
const THREADS_MORE: usize = 4;
/// A connection of the simulated camera may be in the act of closing.
const FILES_MORE: usize = 3;
const CUTS: usize = 20;

fn count(what: &str) -> usize {
    std::fs::read_dir(format!("/proc/self/{what}"))
        .unwrap()
        .count()
}

/// Cuts the camera off, waits until that is told, and until it is back.
fn cut(camera: &mut Camera, server: NetworkCamera, port: u16, setup: &Setup) -> NetworkCamera {
    drop(server);
    eventually("the cut is told", LIMIT, || {
        matches!(camera.state(), SourceState::Retrying { .. })
    });
    let server = NetworkCamera::start(port, setup);
    eventually("it is back", LIMIT, || {
        camera.next(Duration::from_millis(500)).is_some() && camera.state() == SourceState::Live
    });
    server
}

#[test]
fn twenty_cuts_leave_no_thread_and_no_file() {
    let (port, setup) = (free_port(), Setup::default());
    let mut server = NetworkCamera::start(port, &setup);
    let mut config = config(Source::rtsp(&server.url()).unwrap());
    config.retry_most = Duration::from_millis(300);
    let mut camera = start(&config);
    assert!(camera.next(LIMIT).is_some(), "{:?}", camera.state());
    // What is made once and kept is made in the first rounds.
    for _ in 0..3 {
        server = cut(&mut camera, server, port, &setup);
    }
    let (threads, files) = (count("task"), count("fd"));
    for _ in 0..CUTS {
        server = cut(&mut camera, server, port, &setup);
    }
    println!("{threads} threads, {files} files before {CUTS} cuts");
    let mut now = (0, 0);
    eventually("as few threads and files as before", LIMIT, || {
        let seen = (count("task"), count("fd"));
        if seen != now {
            println!("{} threads, {} files after", seen.0, seen.1);
        }
        now = seen;
        now.0 <= threads + THREADS_MORE && now.1 <= files + FILES_MORE
    });
    assert!(camera.stats().restarts >= CUTS as u64);
}
