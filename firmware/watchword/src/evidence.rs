//! The picture of an alert: the very frame that fired, as JPEG.

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use scene::Frame;
use sha2::{Digest, Sha256};

use crate::config::Snapshot;

/// JPEG quality of alert pictures, 1..100: 960x540 comes to 60–120 kB.
const QUALITY: u8 = 85;

/// Columns that a blurred picture is reduced to before it is scaled up again:
/// a face of a tenth of the picture's width keeps about three.
const BLURRED_COLUMNS: u32 = 32;

/// A picture with its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// JPEG bytes.
    pub jpeg: Vec<u8>,
    /// SHA-256 of them, lower-case hex.
    pub sha256: String,
}

/// Encodes `frame` as `snapshot` asks; `None` if it asks for no picture.
pub fn picture(frame: &Frame, snapshot: Snapshot) -> anyhow::Result<Option<Picture>> {
    let jpeg = match snapshot {
        Snapshot::None => return Ok(None),
        Snapshot::Alert => match frame.packed() {
            Some(rgb) => encode(rgb, frame.width, frame.height)?,
            None => encode(&unpadded(frame), frame.width, frame.height)?,
        },
        Snapshot::Blurred => {
            let picture = RgbImage::from_raw(frame.width, frame.height, unpadded(frame))
                .expect("unpadded rows fill the picture");
            let rows = (BLURRED_COLUMNS * frame.height / frame.width).max(1);
            let coarse = imageops::resize(&picture, BLURRED_COLUMNS, rows, FilterType::Triangle);
            let shown = imageops::resize(&coarse, frame.width, frame.height, FilterType::Triangle);
            encode(shown.as_raw(), frame.width, frame.height)?
        }
    };
    let sha256 = hex(&Sha256::digest(&jpeg));
    Ok(Some(Picture { jpeg, sha256 }))
}

fn unpadded(frame: &Frame) -> Vec<u8> {
    (0..frame.height)
        .flat_map(|y| frame.row(y))
        .copied()
        .collect()
}

fn encode(rgb: &[u8], width: u32, height: u32) -> anyhow::Result<Vec<u8>> {
    let mut jpeg = Vec::with_capacity(rgb.len() / 12);
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).write_image(
        rgb,
        width,
        height,
        ExtendedColorType::Rgb8,
    )?;
    Ok(jpeg)
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads a picture file (JPEG or PNG) as a frame.
pub fn read_still(path: &std::path::Path) -> anyhow::Result<Frame> {
    use anyhow::Context;
    let picture = image::ImageReader::open(path)
        .with_context(|| format!("can't open {}", path.display()))?
        .with_guessed_format()?
        .decode()
        .with_context(|| format!("{} is not a JPEG or PNG that can be read", path.display()))?
        .into_rgb8();
    let (width, height) = picture.dimensions();
    Ok(Frame::still(picture.into_raw(), width, height)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Left half black, right half white, with a one-pixel chequer on top.
    fn scene() -> Frame {
        let rgb = (0..120u32)
            .flat_map(|y| (0..160u32).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                let base = if x < 80 { 20 } else { 220 };
                [base + 15 * ((x + y) % 2) as u8; 3]
            })
            .collect();
        Frame::still(rgb, 160, 120).unwrap()
    }

    fn decoded(snapshot: Snapshot) -> RgbImage {
        let picture = picture(&scene(), snapshot).unwrap().unwrap();
        image::load_from_memory(&picture.jpeg).unwrap().into_rgb8()
    }

    #[test]
    fn the_picture_shows_the_frame() {
        let shown = decoded(Snapshot::Alert);
        assert_eq!(shown.dimensions(), (160, 120));
        assert!(shown.get_pixel(20, 60)[0] < 60 && shown.get_pixel(140, 60)[0] > 200);
    }

    #[test]
    fn a_blurred_picture_keeps_no_detail() {
        let detail = |picture: &RgbImage| {
            let at = |x: u32| i32::from(picture.get_pixel(x, 60)[0]);
            (20..60).map(|x| (at(x) - at(x + 1)).abs()).max().unwrap()
        };
        assert!(detail(&decoded(Snapshot::Alert)) >= 8);
        assert!(detail(&decoded(Snapshot::Blurred)) <= 3);
    }

    #[test]
    fn none_is_none_and_the_hash_is_of_the_bytes() {
        assert_eq!(picture(&scene(), Snapshot::None).unwrap(), None);
        let p = picture(&scene(), Snapshot::Alert).unwrap().unwrap();
        assert_eq!(p.sha256, hex(&Sha256::digest(&p.jpeg)));
        assert_eq!(p.sha256.len(), 64);
    }
}
