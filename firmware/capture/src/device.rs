//! Cameras on this machine: why one can't be opened, and which ones there are.

use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;

/// The major number of Video4Linux devices (Linux, Documentation/admin-guide/devices.txt).
const VIDEO4LINUX: u64 = 81;

/// How long the list of cameras may take.
const LOOK_AROUND: Duration = Duration::from_secs(3);

/// What is wrong with the device file that a source names; `None` if it can be
/// opened, so that the reason must be another.
pub(crate) fn explain(device: &Path) -> Option<String> {
    let meta = match std::fs::metadata(device) {
        Ok(meta) => meta,
        Err(why) => return refused(why.kind(), &why),
    };
    if !meta.file_type().is_char_device() {
        return Some(not_a_camera("it is no device but a file"));
    }
    if major(meta.rdev()) != VIDEO4LINUX {
        return Some(not_a_camera("it is no video device"));
    }
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(device);
    match opened {
        Ok(_) => None,
        Err(why) => refused(why.kind(), &why),
    }
}

/// As glibc's `major` splits a device number.
fn major(device: u64) -> u64 {
    ((device >> 8) & 0xfff) | ((device >> 32) & !0xfff)
}

fn refused(kind: ErrorKind, why: &dyn std::fmt::Display) -> Option<String> {
    match kind {
        ErrorKind::PermissionDenied => Some(
            "this user may not open it; add the user to the group video (usermod -aG video NAME, \
             or SupplementaryGroups=video in the service)"
                .into(),
        ),
        ErrorKind::ResourceBusy => Some(busy()),
        ErrorKind::NotFound => None,
        _ => Some(format!("it can't be opened ({why})")),
    }
}

fn busy() -> String {
    "another program uses it; close that one (fuser -v shows which it is)".into()
}

fn not_a_camera(why: &str) -> String {
    let there = match cameras("v4l2src") {
        Some(names) if !names.is_empty() => {
            format!("; the cameras that are there: {}", names.join(", "))
        }
        Some(_) => "; no camera is there".into(),
        None => String::new(),
    };
    format!("{why}, so it gives no pictures{there}")
}

/// What an error of a camera element means for somebody who set it up; `None`
/// if GStreamer's own words say it well enough.
pub(crate) fn explain_error(
    camera: &gst::Element,
    error: &gst::glib::Error,
    device: Option<&Path>,
) -> Option<String> {
    use gst::ResourceError::{Busy, NotFound, OpenRead, OpenReadWrite, OpenWrite, Settings};
    let kind = error.kind::<gst::ResourceError>()?;
    let element = camera.factory().map(|factory| factory.name().to_string());
    if element.as_deref() == Some("libcamerasrc") && kind == NotFound {
        let wanted = camera.property::<Option<String>>("camera-name");
        return Some(no_such_camera(
            wanted.as_deref(),
            cameras("libcamerasrc").as_deref(),
        ));
    }
    match kind {
        Busy => Some(busy()),
        NotFound | OpenRead | OpenWrite | OpenReadWrite | Settings => {
            let device = device?;
            let opened = explain(device);
            // It opens, and GStreamer did not take it: a driver's other node.
            opened.or_else(|| (kind == NotFound).then(|| not_a_camera("it does not capture")))
        }
        _ => None,
    }
}

/// The sentence for libcamera's "not found", given the cameras that there are.
fn no_such_camera(wanted: Option<&str>, there: Option<&[String]>) -> String {
    match (wanted, there) {
        (_, Some([])) | (None, None) => {
            "libcamera finds no camera; is the ribbon in, and does the kernel know the sensor \
             (device tree overlay)?"
                .into()
        }
        (None, Some(names)) => format!("libcamera opens none of its cameras: {}", names.join(", ")),
        (Some(name), Some(names)) => format!(
            "libcamera has no camera named '{name}'; set camera_name of [source] to one of {}, or \
             leave it out for the first",
            names.join(", ")
        ),
        (Some(name), None) => format!(
            "libcamera has no camera named '{name}'; leave camera_name of [source] out for the first"
        ),
    }
}

/// What the cameras are called that `element` could open, from GStreamer's
/// device monitor; `None` if it does not say in time.
fn cameras(element: &'static str) -> Option<Vec<String>> {
    let (said, hear) = mpsc::channel();
    // On a thread of its own, as drivers may take their time.
    let look = move || {
        let _ = said.send(look_around(element));
    };
    let name = "capture-devices".to_owned();
    std::thread::Builder::new().name(name).spawn(look).ok()?;
    hear.recv_timeout(LOOK_AROUND).ok().flatten()
}

fn look_around(element: &str) -> Option<Vec<String>> {
    let monitor = gst::DeviceMonitor::new();
    monitor.add_filter(Some("Video/Source"), None)?;
    // Providers that can't be started have nothing to say.
    let _ = monitor.start();
    let mut names = vec![];
    for device in monitor.devices() {
        let Ok(camera) = device.create_element(None) else {
            continue;
        };
        if camera.factory().is_none_or(|f| f.name() != element) {
            continue;
        }
        let property = if element == "v4l2src" {
            "device"
        } else {
            "camera-name"
        };
        let id = camera.property::<Option<String>>(property);
        names.push(match id {
            Some(id) if id != device.display_name() => {
                format!("{id} ({})", device.display_name())
            }
            Some(id) => id,
            None => device.display_name().to_string(),
        });
    }
    monitor.stop();
    names.sort();
    names.dedup();
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_camera_is_told_apart() {
        crate::init().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let says = explain(file.path()).unwrap();
        assert!(says.starts_with("it is no device but a file"), "{says}");
        let says = explain(Path::new("/dev/null")).unwrap();
        assert!(says.starts_with("it is no video device"), "{says}");
        assert_eq!(
            explain(Path::new("/dev/video-none")),
            None,
            "said elsewhere"
        );
    }

    #[test]
    fn a_refusal_names_the_group_or_the_other_program() {
        let says = |kind| refused(kind, &std::io::Error::from(kind));
        let denied = says(ErrorKind::PermissionDenied).unwrap();
        assert!(denied.contains("group video"), "{denied}");
        let busy = says(ErrorKind::ResourceBusy).unwrap();
        assert!(busy.contains("another program"), "{busy}");
        assert!(says(ErrorKind::Other).unwrap().contains("can't be opened"));
    }

    #[test]
    fn the_number_of_video_devices_is_theirs() {
        assert_eq!(major(0x5103), 81);
        assert_eq!(major((0x12000 << 32) | (0x345 << 8) | 0x7f), 0x12345);
    }

    #[test]
    fn libcameras_that_are_there_are_named() {
        let there = ["imx219 (one)".to_owned(), "ov5647".to_owned()];
        let says = no_such_camera(Some("imx708"), Some(&there));
        assert!(
            says.contains("'imx708'") && says.contains("imx219 (one), ov5647"),
            "{says}"
        );
        for wanted in [None, Some("imx708")] {
            let says = no_such_camera(wanted, Some(&[]));
            assert!(says.contains("finds no camera"), "{says}");
        }
        assert!(no_such_camera(Some("imx708"), None).contains("'imx708'"));
        assert!(no_such_camera(None, Some(&there)).contains("opens none"));
    }
}
