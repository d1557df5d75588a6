//! A network camera that draws its picture, to try `kind = "rtsp"` without one:
//! `cargo run -p capture --example network_camera -- 8600 20` serves
//! `rtsp://127.0.0.1:8600/live`, and is cut off every 20 s, for 3 s, to come
//! back with another size. Without the second number it is never cut.

#![allow(dead_code, reason = "the tests use the rest of the module")]

#[path = "../tests/common/network_camera.rs"]
mod network_camera;

use std::time::Duration;

use network_camera::{NetworkCamera, Setup};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().map_or(Ok(8600), |port| port.parse())?;
    let cut = arguments
        .next()
        .map(|seconds| seconds.parse())
        .transpose()?;
    for size in [(640, 360), (1280, 720)].iter().cycle() {
        let setup = Setup {
            size: *size,
            ..Setup::default()
        };
        let camera = NetworkCamera::start(port, &setup);
        println!("{} with {} x {}", camera.url(), size.0, size.1);
        match cut {
            Some(seconds) => std::thread::sleep(Duration::from_secs(seconds)),
            None => loop {
                std::thread::park();
            },
        }
        drop(camera);
        println!("cut off");
        std::thread::sleep(Duration::from_secs(3));
    }
    Ok(())
}
