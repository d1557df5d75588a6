//! A network camera that draws its picture, to try `kind = "rtsp"` without one:
//! `cargo run -p capture --example network_camera -- 8600 20 3` serves
//! `rtsp://127.0.0.1:8600/live`, and is cut off every 20 s for 3 s (3 if not
//! told). Every fourth time it comes back with another size. Without the second
//! number it is never cut. It says on standard output what it does.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Duration;

use common::network_camera::{NetworkCamera, Setup};

/// Three times the usual picture, once another.
const SIZES: [(u32, u32); 4] = [(640, 360), (640, 360), (640, 360), (1280, 720)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().map_or(Ok(8600), |port| port.parse())?;
    let seconds = |text: String| {
        text.parse()
            .map(|s: f64| Duration::from_secs_f64(s.max(0.0)))
    };
    let every = arguments.next().map(seconds).transpose()?;
    let off = arguments
        .next()
        .map_or(Ok(Duration::from_secs(3)), seconds)?;
    for size in SIZES.iter().cycle() {
        let setup = Setup {
            size: *size,
            ..Setup::default()
        };
        let camera = NetworkCamera::start(port, &setup);
        println!("{} with {} x {}", camera.url(), size.0, size.1);
        match every {
            Some(every) => std::thread::sleep(every.saturating_sub(off)),
            None => loop {
                std::thread::park();
            },
        }
        drop(camera);
        println!("cut off");
        std::thread::sleep(off);
    }
    Ok(())
}
