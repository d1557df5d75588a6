//! From a description's text to elements.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;

use crate::description::Description;
use crate::{CaptureError, Pipelines};

/// Builds `launch`, which was put together from `parts`; the first part is the
/// one that holds the others. Errors name the part at fault.
pub(crate) fn parse(
    pipelines: &Pipelines,
    launch: &str,
    parts: &[&Description],
) -> Result<gst::Pipeline, CaptureError> {
    let element = parse_element(pipelines, launch, parts)?;
    match element.downcast::<gst::Pipeline>() {
        Ok(pipeline) => Ok(pipeline),
        Err(element) => Err(CaptureError::Description {
            file: parts[0].file.clone(),
            why: format!(
                "the launch line makes a {} and not a pipeline",
                element.type_()
            ),
        }),
    }
}

/// Whether the elements of `text`, a part of a pipeline, are installed.
pub(crate) fn try_part(
    pipelines: &Pipelines,
    text: &str,
    part: &Description,
) -> Result<(), CaptureError> {
    parse_element(pipelines, text, &[part]).map(drop)
}

/// Whether the elements of an RTSP media are installed and named.
pub(crate) fn try_media(pipelines: &Pipelines, text: &str) -> Result<(), CaptureError> {
    let part = &pipelines.rtsp;
    let file = part.file.clone();
    let element = parse_element(pipelines, text, &[part])?;
    let bin = element
        .downcast::<gst::Bin>()
        .map_err(|_| CaptureError::Description {
            file: file.clone(),
            why: "the launch line must be a bin: ( appsrc … ! … )".into(),
        })?;
    for name in ["pictures", "pay0"] {
        if bin.by_name(name).is_none() {
            return Err(CaptureError::Description {
                file,
                why: format!("the launch line must have an element with name={name}"),
            });
        }
    }
    Ok(())
}

fn parse_element(
    pipelines: &Pipelines,
    launch: &str,
    parts: &[&Description],
) -> Result<gst::Element, CaptureError> {
    let mut context = gst::ParseContext::new();
    let flags = gst::ParseFlags::FATAL_ERRORS;
    gst::parse::launch_full(launch, Some(&mut context), flags).map_err(|error| {
        // The list is only meaningful with this kind of error.
        let missing = if error.matches(gst::ParseError::NoSuchElement) {
            context.missing_elements()
        } else {
            vec![]
        };
        match missing.first() {
            Some(element) => pipelines.missing_element(element, culprit(parts, element)),
            None => CaptureError::Description {
                file: parts[0].file.clone(),
                why: error.message().to_owned(),
            },
        }
    })
}

/// The file whose text has the word.
fn culprit<'a>(parts: &[&'a Description], word: &str) -> &'a Path {
    let not_word = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-';
    let part = (parts.iter()).find(|part| part.launch.split(not_word).any(|w| w == word));
    &part.unwrap_or(&parts[0]).file
}

/// The element that a description must have under this name.
pub(crate) fn named(
    pipeline: &gst::Pipeline,
    name: &str,
    file: &Path,
) -> Result<gst::Element, CaptureError> {
    pipeline
        .by_name(name)
        .ok_or_else(|| CaptureError::Description {
            file: file.to_owned(),
            why: format!("the launch line must have an element with name={name}"),
        })
}

/// The appsink that a description must have under this name.
pub(crate) fn appsink(
    pipeline: &gst::Pipeline,
    name: &str,
    file: &Path,
) -> Result<gstreamer_app::AppSink, CaptureError> {
    named(pipeline, name, file)?
        .downcast()
        .map_err(|element| CaptureError::Description {
            file: file.to_owned(),
            why: format!(
                "the element with name={name} must be an appsink and is a {}",
                element.type_()
            ),
        })
}

/// The pad of that element, which must have it at all times.
pub(crate) fn pad(
    element: &gst::Element,
    pad: &str,
    file: &Path,
) -> Result<gst::Pad, CaptureError> {
    element
        .static_pad(pad)
        .ok_or_else(|| CaptureError::Description {
            file: file.to_owned(),
            why: format!(
                "the element with name={} must have a {pad} pad",
                element.name()
            ),
        })
}

/// What an error message on the bus says, in a sentence about `subject`.
pub(crate) fn sentence(subject: &str, error: &gst::message::Error) -> String {
    format!("{subject}: {}", said(error))
}

/// Whether an error is that two elements can't agree on what goes between them.
pub(crate) fn not_negotiated(error: &gst::message::Error) -> bool {
    let said = error.error();
    said.matches(gst::CoreError::Negotiation)
        || said.matches(gst::StreamError::Format)
        || (error.debug()).is_some_and(|debug| debug.contains("not-negotiated"))
}

/// What an error message on the bus says.
pub(crate) fn said(error: &gst::message::Error) -> String {
    let said = error.error();
    let text = said.message().trim_end().trim_end_matches('.');
    // The debug text's last line has the system's own words ("No such device").
    let debug = error.debug();
    let detail = (debug.as_deref())
        .and_then(|d| d.lines().map(str::trim).rfind(|l| !l.is_empty()))
        .map(|line| line.trim_end_matches([':', '.']))
        .filter(|line| !line.contains(".c(") && !text.contains(line));
    match detail {
        Some(detail) => format!("{text} ({detail})"),
        None => text.to_owned(),
    }
}

/// What decodebin could not find, if that is what an element message says:
/// a media type (for RTP with the encoding's name) or an element's name.
pub(crate) fn missing_plugin(message: &gst::message::Element) -> Option<String> {
    let structure = message.structure()?;
    if structure.name() != "missing-plugin" {
        return None;
    }
    if let Ok(caps) = structure.get::<gst::Caps>("detail") {
        let caps = caps.structure(0)?;
        return Some(match caps.get::<&str>("encoding-name") {
            Ok(encoding) => format!("{},{encoding}", caps.name()),
            Err(_) => caps.name().to_string(),
        });
    }
    structure.get::<String>("detail").ok()
}

/// Tells a file from its successor of the same name.
pub(crate) fn fingerprint(path: &Path) -> Option<(u64, std::time::SystemTime)> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.len(), meta.modified().ok()?))
}

/// Sets a pipeline to NULL. A driver can hang in that: after `limit` it is
/// left behind on its own thread, and the receiver tells when it is done.
pub(crate) fn tear_down(
    pipeline: gst::Pipeline,
    limit: Duration,
) -> Result<(), mpsc::Receiver<()>> {
    let (done, wait) = mpsc::channel();
    let name = "capture-stop".to_owned();
    let in_thread = pipeline.clone();
    let spawned = std::thread::Builder::new().name(name).spawn(move || {
        // NULL can't be refused, only delayed.
        let _ = in_thread.set_state(gst::State::Null);
        drop(in_thread);
        let _ = done.send(());
    });
    if spawned.is_err() {
        let _ = pipeline.set_state(gst::State::Null);
        return Ok(());
    }
    match wait.recv_timeout(limit) {
        Err(mpsc::RecvTimeoutError::Timeout) => Err(wait),
        _ => Ok(()),
    }
}

/// Paths that a source needs, with a sentence for the first that is not there.
pub(crate) fn absent(subject: &str, paths: &[PathBuf]) -> Option<String> {
    let path = paths.iter().find(|path| !path.exists())?;
    let path = path.display().to_string();
    if subject.contains(&path) {
        Some(format!("{subject} is not there"))
    } else {
        Some(format!("{subject} is not there: no {path}"))
    }
}
