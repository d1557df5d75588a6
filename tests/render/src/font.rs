//! A 5 x 7 dot font for signs.

use crate::geom::V3;
use crate::shape::Frame;

/// Rows from the top, the lowest five bits each, leftmost dot first.
fn glyph(c: char) -> [u8; 7] {
    match c.to_ascii_uppercase() {
        'A' => [14, 17, 17, 31, 17, 17, 17],
        'B' => [30, 17, 17, 30, 17, 17, 30],
        'C' => [14, 17, 16, 16, 16, 17, 14],
        'D' => [30, 17, 17, 17, 17, 17, 30],
        'E' => [31, 16, 16, 30, 16, 16, 31],
        'F' => [31, 16, 16, 30, 16, 16, 16],
        'G' => [14, 17, 16, 23, 17, 17, 15],
        'H' => [17, 17, 17, 31, 17, 17, 17],
        'I' => [14, 4, 4, 4, 4, 4, 14],
        'J' => [7, 2, 2, 2, 2, 18, 12],
        'K' => [17, 18, 20, 24, 20, 18, 17],
        'L' => [16, 16, 16, 16, 16, 16, 31],
        'M' => [17, 27, 21, 21, 17, 17, 17],
        'N' => [17, 25, 21, 19, 17, 17, 17],
        'O' => [14, 17, 17, 17, 17, 17, 14],
        'P' => [30, 17, 17, 30, 16, 16, 16],
        'Q' => [14, 17, 17, 17, 21, 18, 13],
        'R' => [30, 17, 17, 30, 20, 18, 17],
        'S' => [15, 16, 16, 14, 1, 1, 30],
        'T' => [31, 4, 4, 4, 4, 4, 4],
        'U' => [17, 17, 17, 17, 17, 17, 14],
        'V' => [17, 17, 17, 17, 17, 10, 4],
        'W' => [17, 17, 17, 21, 21, 27, 17],
        'X' => [17, 17, 10, 4, 10, 17, 17],
        'Y' => [17, 17, 10, 4, 4, 4, 4],
        'Z' => [31, 1, 2, 4, 8, 16, 31],
        '0' => [14, 17, 19, 21, 25, 17, 14],
        '1' => [4, 12, 4, 4, 4, 4, 14],
        '2' => [14, 17, 1, 6, 8, 16, 31],
        '3' => [31, 2, 4, 2, 1, 17, 14],
        '4' => [2, 6, 10, 18, 31, 2, 2],
        '5' => [31, 16, 30, 1, 1, 17, 14],
        '6' => [6, 8, 16, 30, 17, 17, 14],
        '7' => [31, 1, 2, 4, 4, 4, 4],
        '8' => [14, 17, 17, 14, 17, 17, 14],
        '9' => [14, 17, 17, 15, 1, 2, 12],
        '-' => [0, 0, 0, 14, 0, 0, 0],
        _ => [0; 7],
    }
}

/// The dots of `text` as small rectangles on the frame's plane `z`, centred on (`x`, `y`), `high` metres
/// tall and never wider than `wide`. `mirror` writes for a reader behind the frame.
#[allow(clippy::too_many_arguments)] // one rectangle, two places, no type of its own
pub fn lettering(
    f: &Frame,
    text: &str,
    x: f32,
    y: f32,
    z: f32,
    high: f32,
    wide: f32,
    mirror: bool,
) -> Vec<Vec<V3>> {
    let columns = (text.chars().count() * 6) as f32;
    let dot_x = (high / 7.0).min(wide / columns.max(1.0));
    let dot_y = high / 7.0;
    let sign = if mirror { 1.0 } else { -1.0 };
    let mut out = Vec::new();
    for (i, c) in text.chars().enumerate() {
        for (row, bits) in glyph(c).into_iter().enumerate() {
            // Runs of dots become one rectangle each.
            let mut col = 0;
            while col < 5 {
                if bits >> (4 - col) & 1 == 0 {
                    col += 1;
                    continue;
                }
                let start = col;
                while col < 5 && bits >> (4 - col) & 1 == 1 {
                    col += 1;
                }
                let x0 = x + sign * (((i * 6 + start) as f32 - columns / 2.0) * dot_x);
                let x1 = x + sign * (((i * 6 + col) as f32 - columns / 2.0) * dot_x);
                let y1 = y + high / 2.0 - row as f32 * dot_y;
                out.push(f.front_rect(x0, x1, y1 - dot_y, y1, z));
            }
        }
    }
    out
}
