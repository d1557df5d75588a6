//! `[source] kind = "v4l2"` and `kind = "libcamera"`: cameras on this machine.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How pictures come from a Video4Linux driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IoMode {
    /// As GStreamer chooses: `mmap` with every driver that streams.
    Auto,
    /// In the driver's own buffers, which a hardware encoder can import. If no
    /// picture comes so, `mmap` is tried.
    Dmabuf,
    /// In the driver's buffers, mapped.
    Mmap,
}

impl IoMode {
    fn name(self) -> &'static str {
        match self {
            IoMode::Auto => "auto",
            IoMode::Dmabuf => "dmabuf",
            IoMode::Mmap => "mmap",
        }
    }
}

/// A Video4Linux2 capture device: the fastest mode within these limits is
/// taken, and of these the largest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct V4l2Camera {
    /// The device node.
    pub device: PathBuf,
    /// The widest picture taken, pixels, 16 to 7680.
    pub width: u32,
    /// The highest picture taken, pixels, 16 to 4320.
    pub height: u32,
    /// The most pictures a second, 1 to 240.
    pub rate: u32,
    /// How pictures come from the driver; the board's way if absent.
    pub io_mode: Option<IoMode>,
}

impl Default for V4l2Camera {
    fn default() -> Self {
        Self {
            device: PathBuf::from("/dev/video0"),
            width: 1920,
            height: 1080,
            rate: 30,
            io_mode: None,
        }
    }
}

/// A sensor behind libcamera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LibcameraCamera {
    /// Which of libcamera's cameras; the first if absent.
    pub camera_name: Option<String>,
    /// The widest picture taken, pixels, 16 to 7680.
    pub width: u32,
    /// The highest picture taken, pixels, 16 to 4320.
    pub height: u32,
    /// Pictures a second, 1 to 240; libcamera's own choice if absent. Needs
    /// libcamera 0.1 or newer.
    pub rate: Option<u32>,
}

impl Default for LibcameraCamera {
    fn default() -> Self {
        Self {
            camera_name: None,
            width: 1920,
            height: 1080,
            rate: None,
        }
    }
}

/// What can't work about a size and a rate: key, value, remedy.
fn check_mode(
    (width, height, rate): (u32, u32, Option<u32>),
    wrong: &mut dyn FnMut(&str, &dyn fmt::Display, &str),
) {
    if !(16..=7680).contains(&width) {
        wrong("source.width", &width, "choose 16 to 7680 pixels");
    }
    if !(16..=4320).contains(&height) {
        wrong("source.height", &height, "choose 16 to 4320 pixels");
    }
    if let Some(rate) = rate
        && !(1..=240).contains(&rate)
    {
        wrong("source.rate", &rate, "choose 1 to 240 pictures a second");
    }
}

impl V4l2Camera {
    pub(super) fn check(&self, wrong: &mut dyn FnMut(&str, &dyn fmt::Display, &str)) {
        check_mode((self.width, self.height, Some(self.rate)), wrong);
    }

    /// The source that capture opens on a board with this `[video]`: within
    /// its limits, and in its driver's way where the configuration names none.
    pub fn open(&self, board: &platform::Video) -> capture::Source {
        let boards = board.io_mode.map(platform::IoMode::name);
        let io_mode = self.io_mode.map(IoMode::name).or(boards).unwrap_or("auto");
        let most = |asked: u32, of: fn(platform::Mode) -> u32| match board.most {
            Some(mode) => asked.min(of(mode)),
            None => asked,
        };
        capture::Source::v4l2(self.device.to_string_lossy())
            .with("width", most(self.width, |mode| mode.width))
            .with("height", most(self.height, |mode| mode.height))
            .with("rate", format!("{}/1", most(self.rate, |mode| mode.rate)))
            .with("io_mode", io_mode)
    }
}

impl LibcameraCamera {
    pub(super) fn check(&self, wrong: &mut dyn FnMut(&str, &dyn fmt::Display, &str)) {
        check_mode((self.width, self.height, self.rate), wrong);
        if self.camera_name.as_deref() == Some("") {
            wrong(
                "source.camera_name",
                &"\"\"",
                "name a camera, or leave it out for the first",
            );
        }
    }

    /// The source that capture opens.
    pub fn open(&self) -> capture::Source {
        let mut source = capture::Source::libcamera(self.camera_name.as_deref())
            .with("width", self.width)
            .with("height", self.height);
        if let Some(rate) = self.rate {
            source = source.with("rate", format!("{rate}/1"));
        }
        source
    }
}

#[cfg(test)]
mod tests {
    use capture::{Source, Value};

    use super::*;
    use crate::config::{Config, SourceConfig};
    use crate::share::Share;

    fn read(source: &str) -> Result<SourceConfig, String> {
        let text = format!("[source]\n{source}\n");
        let config: Config = toml::from_str(&text).map_err(|e| e.to_string())?;
        let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        config
            .check(&Share::at(repository))
            .map_err(|e| e.to_string())?;
        Ok(config.source)
    }

    fn value(source: &Source, name: &str) -> Option<String> {
        source.values.get(name).map(|value| match value {
            Value::Int(n) => n.to_string(),
            Value::Text(text) => text.clone(),
        })
    }

    #[test]
    fn a_v4l2_camera_has_limits_and_the_boards_io_mode() {
        let SourceConfig::V4l2(camera) = read("kind = \"v4l2\"").unwrap() else {
            panic!("v4l2");
        };
        assert_eq!(camera, V4l2Camera::default());
        let mut board = platform::Video {
            source: "v4l2".into(),
            encoder: vec!["x264".into()],
            io_mode: Some(platform::IoMode::Dmabuf),
            most: None,
        };
        let source = camera.open(&board);
        for (name, wanted) in [
            ("device", "/dev/video0"),
            ("width", "1920"),
            ("rate", "30/1"),
            ("io_mode", "dmabuf"),
        ] {
            assert_eq!(value(&source, name).as_deref(), Some(wanted));
        }
        board.io_mode = None;
        board.most = Some(platform::Mode {
            width: 1280,
            height: 360,
            rate: 5,
        });
        let limited = camera.open(&board);
        for (name, wanted) in [
            ("width", "1280"),
            ("height", "360"),
            ("rate", "5/1"),
            ("io_mode", "auto"),
        ] {
            assert_eq!(value(&limited, name).as_deref(), Some(wanted));
        }
        board.io_mode = Some(platform::IoMode::Dmabuf);
        let text = "kind = \"v4l2\"\ndevice = \"/dev/video2\"\nwidth = 640\nheight = 480\n\
                    rate = 15\nio_mode = \"mmap\"";
        let SourceConfig::V4l2(camera) = read(text).unwrap() else {
            panic!("v4l2");
        };
        let source = camera.open(&board);
        assert_eq!(value(&source, "io_mode").unwrap(), "mmap");
        assert_eq!(value(&source, "width").unwrap(), "640");
        assert_eq!(value(&source, "height").unwrap(), "360");
    }

    #[test]
    fn a_libcamera_camera_may_be_named() {
        let SourceConfig::Libcamera(camera) = read("kind = \"libcamera\"").unwrap() else {
            panic!("libcamera");
        };
        let source = camera.open();
        assert_eq!(value(&source, "camera_name"), None);
        assert_eq!(value(&source, "rate"), None);
        let text = "kind = \"libcamera\"\ncamera_name = \"/base/soc/i2c0mux/imx219@10\"\nrate = 15";
        let SourceConfig::Libcamera(camera) = read(text).unwrap() else {
            panic!("libcamera");
        };
        let source = camera.open();
        let name = value(&source, "camera_name").unwrap();
        assert_eq!(name, "/base/soc/i2c0mux/imx219@10");
        assert_eq!(value(&source, "rate").unwrap(), "15/1");
    }

    #[test]
    fn what_can_not_work_is_named() {
        for (text, says) in [
            ("kind = \"v4l2\"\nwidth = 8", "source.width = 8"),
            ("kind = \"v4l2\"\nheight = 10000", "source.height = 10000"),
            ("kind = \"v4l2\"\nrate = 0", "source.rate = 0"),
            ("kind = \"v4l2\"\nio_mode = \"rw\"", "`dmabuf`"),
            ("kind = \"v4l2\"\nfps = 5", "fps"),
            (
                "kind = \"libcamera\"\ncamera_name = \"\"",
                "source.camera_name",
            ),
            ("kind = \"libcamera\"\nrate = 500", "source.rate = 500"),
            ("kind = \"libcamera\"\ndevice = \"/dev/video0\"", "device"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
