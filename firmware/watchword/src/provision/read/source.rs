//! `[source]`, with the daemon's own types.

use toml::{Table, Value};

use super::{Password, SourceConfig, login, take_text, tell_unknown, whole};
use crate::provision::problem::{HIDDEN, Problems, kind, nearest, quoted};

const KINDS: [&str; 5] = ["v4l2", "libcamera", "rtsp", "file", "test"];

/// Stands for the true URL while other keys are tried: it may be secret.
const SOME_URL: &str = "rtsp://camera.invalid/";

pub(super) fn read(mut table: Table, problems: &mut Problems) -> (SourceConfig, Option<Password>) {
    let nothing = (SourceConfig::default(), None);
    if table.is_empty() {
        return nothing;
    }
    let Some(sort) = table.remove("kind") else {
        let remedy = format!("say where pictures come from, one of {}", KINDS.join(", "));
        problems.add("source.kind", "(absent)", &remedy);
        return nothing;
    };
    let Value::String(sort) = sort else {
        let remedy = format!("write one of \"{}\"", KINDS.join("\", \""));
        problems.add("source.kind", format!("({})", kind(&sort)), &remedy);
        return nothing;
    };
    if !KINDS.contains(&sort.as_str()) {
        let near = nearest(&sort, KINDS.into_iter()).map(|near| format!("; did you mean {near}?"));
        let remedy = format!(
            "choose one of {}{}",
            KINDS.join(", "),
            near.unwrap_or_default()
        );
        problems.add("source.kind", quoted(&sort), &remedy);
        return nothing;
    }
    let mut base = Table::new();
    base.insert("kind".into(), Value::String(sort.clone()));
    match sort.as_str() {
        "test" => {
            for key in table.keys() {
                tell_unknown("source", key, &["kind"], problems);
            }
            (SourceConfig::Test, None)
        }
        "file" => {
            let path = take_text(&mut table, "source", "path", problems);
            for key in table.keys() {
                tell_unknown("source", key, &["kind", "path"], problems);
            }
            match path {
                Some(path) if path.starts_with('/') => {
                    (SourceConfig::File { path: path.into() }, None)
                }
                Some(path) => {
                    let remedy = "write the clip's path on the camera, from / on";
                    problems.add("source.path", quoted(&path), remedy);
                    nothing
                }
                None => {
                    problems.add("source.path", "(absent)", "name the clip");
                    nothing
                }
            }
        }
        "rtsp" => {
            let (username, password) = login("source", &mut table, problems);
            let url = take_text(&mut table, "source", "url", problems);
            base.insert("url".into(), Value::String(SOME_URL.into()));
            let mut source: SourceConfig = whole("source", &base, table, problems);
            if url.is_none() {
                let remedy = "write rtsp://host:554/path, as the camera's manual has it";
                problems.add("source.url", "(absent)", remedy);
            }
            if let SourceConfig::Rtsp(camera) = &mut source {
                camera.username = username;
                camera.url = url.unwrap_or_else(|| SOME_URL.into());
            }
            (source, password)
        }
        _ => {
            for key in ["password", "username", "url"] {
                // Not handed to `whole`: what it says may hold the value.
                if table.remove(key).is_some() {
                    let remedy = "only kind = \"rtsp\" has it; leave it out";
                    problems.add(format!("source.{key}"), HIDDEN, remedy);
                }
            }
            (whole("source", &base, table, problems), None)
        }
    }
}
