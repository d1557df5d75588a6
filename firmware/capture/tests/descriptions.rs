//! Descriptions that are wrong are refused with the file, the name and the remedy.

mod common;

use capture::{Camera, CaptureError, Pipelines, Source};
use common::*;

fn refused(file: &str, change: impl Fn(&str) -> String) -> CaptureError {
    let (dir, _path) = altered(file, change);
    let config = config(Source::test(320, 240, 15));
    let started = Pipelines::load(dir.path())
        .and_then(|pipelines| Camera::start(&pipelines, &config, clock()));
    started.err().expect("a refusal")
}

#[track_caller]
fn says(error: &CaptureError, words: &[&str]) {
    let text = error.to_string();
    println!("{text}");
    for word in words {
        assert!(text.contains(word), "'{word}' is not in: {text}");
    }
}

#[test]
fn all_descriptions_load_and_say_what_they_are() {
    let pipelines = pipelines();
    let sources: Vec<_> = pipelines.sources().map(|(name, _)| name).collect();
    assert_eq!(sources, ["file", "libcamera", "rtsp", "test", "v4l2"]);
    assert!(pipelines.encoders().all(|(_, about)| about.ends_with('.')));
}

#[test]
fn an_unknown_element_is_named_with_its_file() {
    let error = refused("source-test.toml", |t| {
        t.replace("videotestsrc", "videotesssrc")
    });
    assert!(matches!(error, CaptureError::UnknownElement { .. }));
    says(&error, &["videotesssrc", "source-test.toml", "spelling"]);
    let error = refused("live.toml", |t| {
        t.replace("! videoscale", "! videoscale ! nonsense")
    });
    says(&error, &["'nonsense'", "live.toml"]);
}

#[test]
fn a_missing_element_is_named_with_its_package() {
    // Stands for a plugin that is not installed: known to the table, absent here.
    let (dir, _) = altered("source-test.toml", |t| {
        t.replace("videotestsrc", "acmecamsrc")
    });
    let table = dir.path().join("packages.toml");
    let text = std::fs::read_to_string(&table).unwrap();
    let entry = "[elements]\nacmecamsrc = \"gstreamer1.0-acme\"\n";
    std::fs::write(&table, text.replace("[elements]\n", entry)).unwrap();
    let pipelines = Pipelines::load(dir.path()).unwrap();
    let config = config(Source::test(320, 240, 15));
    let error = Camera::start(&pipelines, &config, clock()).err().unwrap();
    assert!(matches!(error, CaptureError::MissingElement { .. }));
    says(
        &error,
        &[
            "acmecamsrc",
            "source-test.toml",
            "apt install gstreamer1.0-acme",
        ],
    );
}

#[test]
fn an_encoder_that_is_not_installed_is_passed_over_and_none_is_an_error() {
    let (dir, _) = altered("encoder-x264.toml", |t| t.replace("x264enc", "x264encc"));
    let pipelines = Pipelines::load(dir.path()).unwrap();
    let mut config = config(Source::test(320, 240, 15));
    let camera = Camera::start(&pipelines, &config, clock()).unwrap();
    assert_eq!(camera.encoder().as_deref(), Some("openh264"));
    let client = Client::connect(&camera.rtsp_url().unwrap());
    client.pictures(5);
    config.encoders = vec!["x264".into()];
    let error = Camera::start(&pipelines, &config, clock()).err().unwrap();
    says(&error, &["x264encc", "encoder-x264.toml"]);
    config.encoders = vec!["h266".into()];
    let error = Camera::start(&pipelines, &config, clock()).err().unwrap();
    says(&error, &["no encoder 'h266'", "openh264", "x264"]);
}

#[test]
fn unknown_keys_files_and_properties_are_refused() {
    let error = refused("live.toml", |t| format!("colour = \"red\"\n{t}"));
    says(&error, &["live.toml", "colour"]);
    let error = refused("sauce-test.toml", |_| "about = \"\"".into());
    says(&error, &["sauce-test.toml", "source-<name>"]);
    let error = refused("live.toml", |t| {
        t.replace("! videoscale", "! videoscale hue=3")
    });
    says(&error, &["live.toml", "hue"]);
    let error = refused("rtsp.toml", |t| t.replace("name=pictures", "name=images"));
    says(&error, &["rtsp.toml", "name=pictures"]);
    let error = refused("live.toml", |t| t.replace("name=inference_size", ""));
    says(&error, &["live.toml", "name=inference_size"]);
    let error = refused("live.toml", |t| {
        t.replace("appsink name=encoded sync=false async=false max-buffers=8 drop=true enable-last-sample=false", "fakesink name=encoded")
    });
    says(&error, &["live.toml", "encoded", "appsink"]);
}

#[test]
fn placeholders_and_values_must_meet() {
    let error = refused("source-test.toml", |t| {
        t.replace("pattern={pattern}", "pattern={patern}")
    });
    says(&error, &["source-test.toml", "{pattern}", "patern"]);
    let error = refused("source-test.toml", |t| {
        t.replace("pattern = \"smpte\"\n", "")
    });
    says(&error, &["source-test.toml", "{pattern}", "default"]);
    let error = refused("live.toml", |t| t.replace("{encoder}", "{codec}"));
    says(&error, &["live.toml", "{encoder}"]);
    let config = config(Source::test(320, 240, 15).with("colour", "red"));
    let error = Camera::start(&pipelines(), &config, clock()).err().unwrap();
    says(&error, &["source-test.toml", "{colour}"]);
    let config = common::config(Source::named("lidar"));
    let error = Camera::start(&pipelines(), &config, clock()).err().unwrap();
    says(
        &error,
        &["no source 'lidar'", "file, libcamera, rtsp, test, v4l2"],
    );
}

#[test]
fn a_folder_that_lacks_something_says_what() {
    let dir = tempfile::tempdir().unwrap();
    says(
        &Pipelines::load(dir.path().join("none")).unwrap_err(),
        &["none"],
    );
    says(
        &Pipelines::load(dir.path()).unwrap_err(),
        &["live.toml", "needed"],
    );
}
