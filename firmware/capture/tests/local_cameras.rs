//! Cameras on this machine, as far as they can be tried without one: what is
//! not there, what is no camera, and modes that do not fit, with a stand-in for
//! the driver behind the same description.

mod common;

use capture::{Camera, CameraConfig, Pipelines, Source};
use common::*;
use scene::ports::{FrameSource, SourceState};

/// `source-v4l2.toml` with a stand-in for the driver that has these modes.
fn stand_in(modes: &str, more: &str) -> (tempfile::TempDir, Pipelines) {
    elements::register();
    let (dir, _) = altered("source-v4l2.toml", |text| {
        let driver = format!("standincam modes=\\\"{modes}\\\" {more}");
        text.replace(
            "launch = \"\"\"\nv4l2src",
            &format!("launch = \"\"\"\n{driver}"),
        )
        // There is no device file.
        .replace("exists = [\"device\"]\n", "")
    });
    let pipelines = Pipelines::load(dir.path()).unwrap();
    (dir, pipelines)
}

fn quick(source: Source) -> CameraConfig {
    let mut config = config(source);
    config.rtsp = None;
    config
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    println!("{text}");
    for word in words {
        assert!(text.contains(word), "'{word}' is not in: {text}");
    }
}

const MODES: &str = "video/x-raw,format=YUY2,width=640,height=480,framerate={30/1,15/1};\
                     video/x-raw,format=YUY2,width=1280,height=960,framerate=10/1";

#[test]
fn the_fastest_mode_within_the_limits_is_taken() {
    let (_dir, pipelines) = stand_in(MODES, "");
    let config = quick(Source::v4l2("/dev/video0"));
    let mut camera = Camera::start(&pipelines, &config, clock()).unwrap();
    let frame = take(&mut camera, 1).remove(0);
    assert_eq!((frame.width, frame.height), (640, 480));
    assert_eq!(camera.state(), SourceState::Live);
}

#[test]
fn a_camera_without_a_fitting_mode_says_what_it_has_and_what_to_set() {
    let (_dir, pipelines) = stand_in(MODES, "");
    let source = Source::v4l2("/dev/video0")
        .with("width", 320i64)
        .with("height", 240i64)
        .with("rate", "5/1");
    let camera = Camera::start(&pipelines, &quick(source), clock()).unwrap();
    says(
        &failure(&camera),
        &[
            "the camera /dev/video0: it has no mode of 320 x 240 at 5 pictures a second or less",
            "it offers YUY2 640 x 480 at 30, 15 and 1280 x 960 at 10",
            "the nearest is YUY2 640 x 480 at 15: set width = 640, height = 480, rate = 15 of [source]",
        ],
    );
    // And doing so helps.
    let source = Source::v4l2("/dev/video0")
        .with("width", 640i64)
        .with("height", 480i64)
        .with("rate", "15/1");
    let mut camera = Camera::start(&pipelines, &quick(source), clock()).unwrap();
    take(&mut camera, 2);
}

#[test]
fn a_camera_that_gives_nothing_readable_says_what_it_gives() {
    let modes = "video/x-bayer,format=rggb,width=1640,height=1232,framerate=30/1;\
                 video/x-h264,width=1280,height=720,framerate=30/1";
    let (_dir, pipelines) = stand_in(modes, "");
    let config = quick(Source::v4l2("/dev/video0"));
    let camera = Camera::start(&pipelines, &config, clock()).unwrap();
    says(
        &failure(&camera),
        &[
            "it gives no pictures of a kind that can be read, which are raw, motion JPEG",
            "Bayer rggb 1640 x 1232 at 30",
            "H.264 1280 x 720 at 30",
        ],
    );
}

#[test]
fn a_driver_that_does_not_export_its_buffers_is_mapped_instead() {
    let (_dir, pipelines) = stand_in(MODES, "exports=no");
    let source = Source::v4l2("/dev/video0").with("io_mode", "dmabuf");
    let mut camera = Camera::start(&pipelines, &quick(source), clock()).unwrap();
    let why = failure(&camera);
    says(&why, &["the camera /dev/video0: ", "Failed to allocate"]);
    take(&mut camera, 3);
    assert_eq!(camera.state(), SourceState::Live);
    assert_eq!(
        camera.stats().restarts,
        1,
        "one try with dmabuf, one with mmap"
    );
    // One that does is not.
    let (_dir, pipelines) = stand_in(MODES, "exports=yes");
    let source = Source::v4l2("/dev/video0").with("io_mode", "dmabuf");
    let mut camera = Camera::start(&pipelines, &quick(source), clock()).unwrap();
    take(&mut camera, 3);
    assert_eq!(camera.stats().restarts, 0);
}

#[test]
fn what_is_no_camera_is_told_with_what_is_wrong_with_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    for (device, words) in [
        (
            "/dev/null",
            "it is no video device, so it gives no pictures",
        ),
        (path, "it is no device but a file, so it gives no pictures"),
    ] {
        let camera = start(&quick(Source::v4l2(device)));
        says(
            &failure(&camera),
            &[&format!("the camera {device}: "), words],
        );
    }
    // Nothing to open at all, but a driver's other node would look the same: a
    // device file of the video kind that no driver is behind.
    let dir = tempfile::tempdir().unwrap();
    let node = dir.path().join("video9");
    let made = std::process::Command::new("mknod")
        .arg(&node)
        .args(["c", "81", "250"])
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: making a device file needs root");
        return;
    }
    let camera = start(&quick(Source::v4l2(node.to_str().unwrap())));
    says(&failure(&camera), &["video9: it can't be opened ("]);
}

fn libcamera_is_installed() -> bool {
    capture::init().unwrap();
    let there = gstreamer::ElementFactory::find("libcamerasrc").is_some();
    if !there {
        eprintln!("SKIPPED: gstreamer1.0-libcamera is not installed");
    }
    there
}

#[test]
fn without_a_camera_libcamera_says_so() {
    if !libcamera_is_installed() {
        return;
    }
    let camera = start(&quick(Source::libcamera(None)));
    let why = failure(&camera);
    if std::path::Path::new("/dev/media0").exists() {
        eprintln!("SKIPPED: this machine may have a camera ({why})");
        return;
    }
    says(&why, &["the camera: libcamera finds no camera"]);
    let named = start(&quick(Source::libcamera(Some("imx219"))));
    says(
        &failure(&named),
        &["the camera imx219: libcamera finds no camera"],
    );
}

#[test]
fn without_its_plugin_libcamera_is_refused_with_its_package() {
    // Stands for a machine without the plugin.
    let (dir, _) = altered("source-libcamera.toml", |text| {
        text.replace("\nlibcamerasrc ", "\nlibcamerasrcc ")
    });
    let table = dir.path().join("packages.toml");
    let text = std::fs::read_to_string(&table).unwrap();
    std::fs::write(&table, text.replace("libcamerasrc =", "libcamerasrcc =")).unwrap();
    let pipelines = Pipelines::load(dir.path()).unwrap();
    let config = quick(Source::libcamera(None));
    let error = Camera::start(&pipelines, &config, clock()).err().unwrap();
    says(
        &error.to_string(),
        &[
            "source-libcamera.toml",
            "apt install gstreamer1.0-libcamera",
        ],
    );
}

#[test]
fn libcamera_is_asked_for_its_name_and_limits_and_falls_back_over_formats() {
    elements::register();
    // A stand-in that gives only YUY2, where NV12 is wanted first.
    let (dir, _) = altered("source-libcamera.toml", |text| {
        text.replace(
            "\nlibcamerasrc name=camera {camera_name}",
            "\nstandincam name=camera modes=\\\"video/x-raw,format=YUY2,width=640,height=480,\
             framerate=30/1\\\" device={camera_name}",
        )
        .replace(
            "camera_name = \"camera-name={camera_name}\"",
            "camera_name = \"{camera_name}\"",
        )
    });
    let pipelines = Pipelines::load(dir.path()).unwrap();
    let config = quick(Source::libcamera(Some("/base/i2c@1/imx219@10")));
    let mut camera = Camera::start(&pipelines, &config, clock()).unwrap();
    let why = failure(&camera);
    says(
        &why,
        &[
            "the camera /base/i2c@1/imx219@10: it gives no pictures of a kind",
            "which are NV12; it offers YUY2 640 x 480 at 30",
        ],
    );
    let frame = take(&mut camera, 1).remove(0);
    assert_eq!((frame.width, frame.height), (640, 480));
    assert_eq!(camera.stats().restarts, 2, "NV12, I420, YUY2");
}
