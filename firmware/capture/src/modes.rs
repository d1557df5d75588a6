//! Why a camera and its description can't agree on a mode, in words.
//!
//! GStreamer says "not-negotiated" and no more. What the camera offers and what
//! the description asks for are both caps; these functions compare them.

use gstreamer as gst;
use gstreamer::prelude::*;

/// Modes that a sentence lists; of more, the rest is counted.
const MOST_TOLD: usize = 12;

/// One thing that a camera can give. Ranges are those of drivers that scale.
#[derive(Clone, Debug, PartialEq)]
struct Mode {
    kind: String,
    width: (i32, i32),
    height: (i32, i32),
    rates: Vec<(f64, f64)>,
    /// Whether the description takes pictures of this kind.
    usable: bool,
}

/// The largest that is asked for: pixels, and pictures a second if that is
/// asked for at all.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Limits {
    width: i32,
    height: i32,
    rate: Option<f64>,
}

/// The same for `camera`, an opened source element, and the caps after it;
/// `None` too if nothing says what it offers or what is asked for.
pub(crate) fn of(camera: &gst::Element) -> Option<String> {
    let pad = camera.static_pad("src")?;
    let filter = pad.peer()?.parent_element()?;
    if filter.factory()?.name() != "capsfilter" {
        return None;
    }
    let wanted = filter.property::<gst::Caps>("caps");
    let offered = pad.query_caps(None);
    // Elements that ask no device give what they could give of any.
    let template = pad.pad_template_caps();
    if offered == template {
        return None;
    }
    explain(&offered, &wanted)
}

/// Why no mode of `offered` is one of `wanted`, what there is, and which
/// settings would take the nearest one. `None` if one does fit, so that the
/// reason must be another.
pub(crate) fn explain(offered: &gst::Caps, wanted: &gst::Caps) -> Option<String> {
    if offered.is_any() || offered.can_intersect(wanted) {
        return None;
    }
    let modes = modes(offered, wanted);
    if modes.is_empty() {
        return Some("it offers no mode at all; is it a camera, and is it plugged in?".into());
    }
    let limits = limits(wanted);
    let told = list(&modes);
    let usable: Vec<&Mode> = modes.iter().filter(|mode| mode.usable).collect();
    let Some(nearest) = nearest(&usable, limits) else {
        let needed = kinds(wanted.iter().flat_map(kinds_of));
        return Some(format!(
            "it gives no pictures of a kind that can be read, which are {needed}; it offers {told}"
        ));
    };
    let asked = match limits.rate {
        Some(rate) => format!(
            "{} x {} at {} pictures a second",
            limits.width,
            limits.height,
            number(rate)
        ),
        None => format!("{} x {}", limits.width, limits.height),
    };
    let (width, height, rate) = nearest.closest(limits);
    let mut settings = vec![];
    if width > limits.width {
        settings.push(format!("width = {width}"));
    }
    if height > limits.height {
        settings.push(format!("height = {height}"));
    }
    if limits.rate.is_some_and(|most| rate > most) {
        settings.push(format!("rate = {}", rate.ceil()));
    }
    let nearest = format!(
        "the nearest is {} {width} x {height} at {}",
        nearest.kind,
        number(rate)
    );
    let remedy = if settings.is_empty() {
        nearest
    } else {
        format!("{nearest}: set {} of [source]", settings.join(", "))
    };
    Some(format!(
        "it has no mode of {asked} or less; it offers {told}; {remedy}"
    ))
}

impl Mode {
    /// Width, height and rate within the mode that come closest to `limits`.
    fn closest(&self, limits: Limits) -> (i32, i32, f64) {
        let within = |(low, high): (i32, i32), most: i32| most.clamp(low, high.max(low));
        let wish = limits.rate.unwrap_or(f64::MAX);
        let rates = self.rates.iter();
        let rate = rates
            .map(|(low, high)| wish.clamp(*low, high.max(*low)))
            .min_by(|a, b| (a - wish).abs().total_cmp(&(b - wish).abs()));
        (
            within(self.width, limits.width),
            within(self.height, limits.height),
            rate.unwrap_or(0.0),
        )
    }

    fn text(&self) -> String {
        let side = |(low, high): (i32, i32)| {
            if low == high {
                low.to_string()
            } else {
                format!("{low}-{high}")
            }
        };
        let rates = self.rates.iter().map(|(low, high)| {
            if low == high {
                number(*low)
            } else {
                format!("{}-{}", number(*low), number(*high))
            }
        });
        let rates = rates.collect::<Vec<_>>().join(", ");
        let at = if rates.is_empty() { "" } else { " at " };
        format!("{} x {}{at}{rates}", side(self.width), side(self.height))
    }
}

/// By the ratio of areas, then of rates: twice the size is as far off as half.
fn nearest<'a>(modes: &[&'a Mode], limits: Limits) -> Option<&'a Mode> {
    let distance = |mode: &Mode| {
        let (width, height, rate) = mode.closest(limits);
        let area = |w: i32, h: i32| f64::from(w.max(1)) * f64::from(h.max(1));
        let size = (area(width, height) / area(limits.width, limits.height)).ln();
        let wish = limits.rate.unwrap_or(rate);
        size.abs() + (rate.max(0.1) / wish.max(0.1)).ln().abs()
    };
    modes
        .iter()
        .copied()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

fn modes(offered: &gst::Caps, wanted: &gst::Caps) -> Vec<Mode> {
    let kinds_wanted = bare(wanted);
    let mut modes: Vec<Mode> = vec![];
    for structure in offered.iter() {
        let (Some(width), Some(height)) = (ints(structure, "width"), ints(structure, "height"))
        else {
            continue;
        };
        let rates = rates(structure);
        for (kind, caps) in kinds_of(structure) {
            let mode = Mode {
                usable: kinds_wanted.can_intersect(&caps),
                kind,
                width,
                height,
                rates: rates.clone(),
            };
            // The same with other memory or colours.
            if !modes.contains(&mode) {
                modes.push(mode);
            }
        }
    }
    modes
}

/// Each kind of picture that a structure stands for: what people call it, and
/// caps with nothing but the kind.
fn kinds_of(structure: &gst::StructureRef) -> Vec<(String, gst::Caps)> {
    let media = structure.name().as_str();
    let formats = strings(structure, "format");
    let with = |format: &str| {
        gst::Caps::builder(media)
            .field("format", format)
            .any_features()
            .build()
    };
    let named = |format: &String| match media {
        "video/x-raw" => (format.clone(), with(format)),
        "video/x-bayer" => (format!("Bayer {format}"), with(format)),
        _ => (format!("{media} {format}"), with(format)),
    };
    if !formats.is_empty() {
        return formats.iter().map(named).collect();
    }
    let name = match media {
        "video/x-raw" => "raw",
        "image/jpeg" => "motion JPEG",
        "video/x-h264" => "H.264",
        "video/x-h265" => "H.265",
        "video/x-vp8" => "VP8",
        "video/mpegts" => "MPEG-TS",
        "video/x-bayer" => "Bayer",
        other => other,
    };
    let caps = gst::Caps::builder(media).any_features().build();
    vec![(name.to_owned(), caps)]
}

/// `caps` with nothing left but the kinds of pictures.
fn bare(caps: &gst::Caps) -> gst::Caps {
    let mut all = gst::Caps::new_empty();
    for structure in caps.iter() {
        for (_, kind) in kinds_of(structure) {
            all.merge(kind);
        }
    }
    all
}

fn limits(wanted: &gst::Caps) -> Limits {
    let most = |name: &str| {
        let all = wanted.iter().filter_map(|s| ints(s, name));
        all.map(|(_, high)| high).max().unwrap_or(i32::MAX)
    };
    let rates = wanted.iter().flat_map(rates).map(|(_, high)| high);
    Limits {
        width: most("width"),
        height: most("height"),
        rate: rates.reduce(f64::max),
    }
}

/// "motion JPEG 640 x 480 at 30, 15 and 1280 x 720 at 30; YUY2 …"
fn list(modes: &[Mode]) -> String {
    let mut kinds: Vec<&str> = vec![];
    for mode in modes {
        if !kinds.contains(&mode.kind.as_str()) {
            kinds.push(&mode.kind);
        }
    }
    let mut left = MOST_TOLD;
    let mut parts = vec![];
    for kind in kinds {
        let of_kind: Vec<&Mode> = modes.iter().filter(|m| m.kind == kind).collect();
        let told: Vec<String> = of_kind.iter().take(left).map(|m| m.text()).collect();
        left -= told.len();
        if !told.is_empty() {
            parts.push(format!("{kind} {}", told.join(" and ")));
        }
    }
    let told = parts.join("; ");
    match modes.len().saturating_sub(MOST_TOLD) {
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}

fn kinds(all: impl Iterator<Item = (String, gst::Caps)>) -> String {
    let mut names: Vec<String> = vec![];
    for (name, _) in all {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// A number or range of a field, as lowest and highest.
fn ints(structure: &gst::StructureRef, name: &str) -> Option<(i32, i32)> {
    if let Ok(n) = structure.get::<i32>(name) {
        return Some((n, n));
    }
    if let Ok(range) = structure.get::<gst::IntRange<i32>>(name) {
        return Some((range.min(), range.max()));
    }
    let list = structure.get::<gst::List>(name).ok()?;
    let all = || list.iter().filter_map(|v| v.get::<i32>().ok());
    Some((all().min()?, all().max()?))
}

fn rates(structure: &gst::StructureRef) -> Vec<(f64, f64)> {
    let per_second = |f: gst::Fraction| f64::from(f.numer()) / f64::from(f.denom().max(1));
    if let Ok(one) = structure.get::<gst::Fraction>("framerate") {
        return vec![(per_second(one), per_second(one))];
    }
    if let Ok(range) = structure.get::<gst::FractionRange>("framerate") {
        return vec![(per_second(range.min()), per_second(range.max()))];
    }
    let Ok(list) = structure.get::<gst::List>("framerate") else {
        return vec![];
    };
    let rates = list.iter().filter_map(|v| v.get::<gst::Fraction>().ok());
    rates.map(|f| (per_second(f), per_second(f))).collect()
}

fn strings(structure: &gst::StructureRef, name: &str) -> Vec<String> {
    if let Ok(one) = structure.get::<String>(name) {
        return vec![one];
    }
    let Ok(list) = structure.get::<gst::List>(name) else {
        return vec![];
    };
    list.iter().filter_map(|v| v.get::<String>().ok()).collect()
}

/// 30, 29.97, 7.5: no more digits than there are.
fn number(n: f64) -> String {
    let text = format!("{n:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(text: &str) -> gst::Caps {
        crate::init().unwrap();
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    /// What source-v4l2.toml asks for by default.
    fn wanted() -> gst::Caps {
        let limits = "width=[1,1920],height=[1,1080],framerate=[0/1,30/1]";
        caps(&format!("video/x-raw,{limits};image/jpeg,{limits}"))
    }

    #[test]
    fn what_fits_is_not_explained() {
        for offered in [
            "video/x-raw,format=YUY2,width=640,height=480,framerate={30/1,15/1}",
            "video/x-raw,format=NV12,width=[32,4096],height=[32,2160],framerate=[1/1,120/1]",
            "video/x-raw,format=GRAY8,width=3000,height=3000,framerate=5/1;\
             image/jpeg,width=1280,height=720,framerate=30/1",
        ] {
            assert_eq!(explain(&caps(offered), &wanted()), None, "{offered}");
        }
        assert_eq!(explain(&gst::Caps::new_any(), &wanted()), None);
    }

    #[test]
    fn the_camera_the_wish_and_the_remedy_are_told() {
        for (offered, says) in [
            // Only larger pictures.
            (
                "image/jpeg,width=2592,height=1944,framerate={15/1,10/1};\
                 image/jpeg,width=3840,height=2160,framerate=10/1",
                "it has no mode of 1920 x 1080 at 30 pictures a second or less; it offers motion \
                 JPEG 2592 x 1944 at 15, 10 and 3840 x 2160 at 10; the nearest is motion JPEG \
                 2592 x 1944 at 15: set width = 2592, height = 1944 of [source]",
            ),
            // Only faster ones.
            (
                "video/x-raw,format=YUY2,width=640,height=480,framerate={60/1,120/1}",
                "it has no mode of 1920 x 1080 at 30 pictures a second or less; it offers YUY2 \
                 640 x 480 at 60, 120; the nearest is YUY2 640 x 480 at 60: set rate = 60 of \
                 [source]",
            ),
            // A rate that is no whole number; a portrait sensor.
            (
                "video/x-raw,format=NV12,width=1080,height=1920,framerate=30000/1001;\
                 video/x-raw,format=NV12,width=1080,height=1920,framerate=240000/1001",
                "it has no mode of 1920 x 1080 at 30 pictures a second or less; it offers NV12 \
                 1080 x 1920 at 29.97 and 1080 x 1920 at 239.76; the nearest is NV12 1080 x 1920 \
                 at 29.97: set height = 1920 of [source]",
            ),
            // A driver that scales, but not far enough.
            (
                "video/x-raw,format={NV12,YUY2},width=[2000,4056],height=[1100,3040],framerate=[50/1,60/1]",
                "it has no mode of 1920 x 1080 at 30 pictures a second or less; it offers NV12 \
                 2000-4056 x 1100-3040 at 50-60; YUY2 2000-4056 x 1100-3040 at 50-60; the nearest \
                 is NV12 2000 x 1100 at 50: set width = 2000, height = 1100, rate = 50 of [source]",
            ),
            // Nothing that can be read: a bare sensor, an H.264 camera.
            (
                "video/x-bayer,format=rggb,width=640,height=480,framerate=30/1;\
                 video/x-h264,width=1280,height=720,framerate=30/1",
                "it gives no pictures of a kind that can be read, which are raw, motion JPEG; it \
                 offers Bayer rggb 640 x 480 at 30; H.264 1280 x 720 at 30",
            ),
            // The large kind is near, the other can't be read.
            (
                "video/x-h264,width=1280,height=720,framerate=30/1;\
                 image/jpeg,width=4000,height=3000,framerate=5/1",
                "it has no mode of 1920 x 1080 at 30 pictures a second or less; it offers H.264 \
                 1280 x 720 at 30; motion JPEG 4000 x 3000 at 5; the nearest is motion JPEG 4000 \
                 x 3000 at 5: set width = 4000, height = 3000 of [source]",
            ),
        ] {
            assert_eq!(explain(&caps(offered), &wanted()).as_deref(), Some(says));
        }
    }

    #[test]
    fn one_kind_is_wanted() {
        let wanted = caps("video/x-raw,format=NV12,width=[1,1280],height=[1,720]");
        let offered = caps("video/x-raw,format=YUY2,width=640,height=480,framerate=30/1");
        let says = explain(&offered, &wanted).unwrap();
        assert!(
            says.contains("which are NV12; it offers YUY2 640 x 480 at 30"),
            "{says}"
        );
        let offered = caps("video/x-raw,format=NV12,width=1920,height=1080,framerate=30/1");
        let says = explain(&offered, &wanted).unwrap();
        assert!(
            says.starts_with("it has no mode of 1280 x 720 or less;"),
            "{says}"
        );
        assert!(
            says.ends_with("set width = 1920, height = 1080 of [source]"),
            "{says}"
        );
    }

    #[test]
    fn long_lists_are_cut_and_nothing_is_something() {
        let all: Vec<String> = (1..=20)
            .map(|n| format!("image/jpeg,width={},height=4000,framerate=5/1", 4000 + n))
            .collect();
        let says = explain(&caps(&all.join(";")), &wanted()).unwrap();
        assert!(
            says.contains("4012 x 4000 at 5; and 8 more; the nearest is"),
            "{says}"
        );
        let says = explain(&gst::Caps::new_empty(), &wanted()).unwrap();
        assert!(says.contains("no mode at all"), "{says}");
    }
}
