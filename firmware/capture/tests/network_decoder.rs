//! A network camera whose codec nothing installed can decode. Alone in its
//! process, since it takes the decoders away.

mod common;

use std::time::Duration;

use capture::Source;
use common::network_camera::{NetworkCamera, Setup, free_port};
use common::{config, eventually, start};
use gstreamer as gst;
use gstreamer::prelude::*;
use scene::ports::{FrameSource, SourceState};

const LIMIT: Duration = Duration::from_secs(60);

/// Forgets every element of this kind that takes `media`.
fn take_away(kind: gst::ElementFactoryType, media: &str) {
    let caps = gst::Caps::builder(media).build();
    let all = gst::ElementFactory::factories_with_type(kind, gst::Rank::NONE);
    let registry = gst::Registry::get();
    let mut count = 0;
    for factory in all {
        if factory.can_sink_any_caps(&caps) && factory.name() != "decodebin" {
            registry.remove_feature(&factory);
            count += 1;
        }
    }
    assert!(count > 0, "there was one that decodes {media}");
}

fn told(url: &str) -> String {
    let mut config = config(Source::rtsp(url).unwrap());
    config.rtsp = None;
    // Trying OpenH264's encoder would bring its decoder back.
    config.encoders = vec!["x264".into()];
    let camera = start(&config);
    let mut last = String::new();
    eventually("what is missing", LIMIT, || {
        if let SourceState::Retrying { why, .. } = camera.state() {
            last = why;
        }
        last.contains("nothing installed")
    });
    println!("{last}");
    last
}

#[test]
fn a_missing_decoder_is_named_with_its_package() {
    capture::init().unwrap();
    let server = NetworkCamera::start(free_port(), &Setup::default());
    take_away(gst::ElementFactoryType::DECODER, "video/x-h264");
    let why = told(&server.url());
    for word in ["video/x-h264", "'avdec_h264'", "gstreamer1.0-libav"] {
        assert!(why.contains(word), "'{word}' is not in: {why}");
    }
    take_away(gst::ElementFactoryType::DEPAYLOADER, "application/x-rtp");
    let why = told(&server.url());
    for word in ["H264", "'rtph264depay'", "gstreamer1.0-plugins-good"] {
        assert!(why.contains(word), "'{word}' is not in: {why}");
    }
}
