//! Image splitting against the reference implementation: pixels, prompts and
//! whole small models, as `models/export/make_split.py` wrote them down.

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{copy_of, runtime, shared, with_tiny_graphs};
use scene::Frame;
use scene::ports::Model;
use scene::{Question, QuestionKind, Unknown, Value};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use vision::Grid;
use vision::internals::{Probe, pixels, prompt_ids_of, smolvlm_processor};
use vision::package::{Package, verify};

const SHAPES: [&str; 3] = ["mini-256m", "mini-500m", "mini-2b"];

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/split")
        .join(path)
}

fn golden<T: DeserializeOwned>(path: &str) -> Vec<T> {
    let text = std::fs::read_to_string(data(path)).unwrap();
    let cases: Vec<T> = serde_json::from_str(&text).unwrap();
    assert!(!cases.is_empty());
    cases
}

/// The script's picture: a ramp, a grid of edges and noise, in whole numbers.
fn picture(width: u32, height: u32) -> Frame {
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let red = x * 255 / (width - 1).max(1);
        let green = (x / 7 + y / 5) % 2 * 200 + (x + y) % 50;
        let blue = (x * x * 3 + y * y * 5 + x * y * 7) % 256;
        rgb.extend([red as u8, green as u8, blue as u8]);
    }
    Frame::still(rgb, width, height).unwrap()
}

fn unrun(runs: &[(u32, usize)]) -> Vec<u32> {
    let each = runs.iter();
    each.flat_map(|&(id, times)| std::iter::repeat_n(id, times))
        .collect()
}

/// Largest difference, relative to the largest reference value.
fn relative(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(0f32, |m, v| m.max(v.abs()));
    let apart = got.iter().zip(want).map(|(a, b)| (a - b).abs());
    // A NaN must not pass for no difference.
    assert!(got.iter().all(|v| v.is_finite()));
    apart.fold(0f32, f32::max) / scale
}

#[derive(Deserialize)]
struct Pixels {
    tile: u32,
    longest_edge: u32,
    split: bool,
    width: u32,
    height: u32,
    rows: u32,
    columns: u32,
    tiles: usize,
    levels_sha256: String,
    samples: Vec<(usize, f32)>,
}

#[test]
fn pixel_tensors_are_the_reference_s() {
    let mut worst = 0f32;
    let mut grids = Vec::new();
    for case in golden::<Pixels>("pixels.json") {
        let Pixels {
            tile,
            longest_edge,
            split,
            width,
            height,
            ..
        } = case;
        let what =
            format!("{width}x{height}, tile {tile}, longest edge {longest_edge}, split {split}");
        let to = smolvlm_processor(tile, longest_edge, split);
        let (grid, got) = pixels(&picture(width, height), &to);
        assert_eq!(
            (grid.rows, grid.columns),
            (case.rows, case.columns),
            "{what}"
        );
        assert_eq!(grid.tiles(), case.tiles, "{what}");
        assert_eq!(got.len(), case.tiles * 3 * (tile * tile) as usize, "{what}");
        // Every pixel stands for the reference's level, and is its number ...
        let mut levels = Vec::with_capacity(got.len());
        for &v in &got {
            let level = ((v as f64 * 0.5 + 0.5) * 255.0).round();
            worst = worst.max(((level / 255.0 - 0.5) / 0.5 - v as f64).abs() as f32);
            levels.push(level as u8);
        }
        let sum = Sha256::digest(&levels);
        let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sum, case.levels_sha256, "{what}");
        // ... and some numbers are looked at as they are.
        for (place, want) in case.samples {
            worst = worst.max((got[place] - want).abs());
        }
        grids.push(case.tiles);
    }
    for tiles in [1, 4 + 1, 12 + 1, 16 + 1] {
        assert!(
            grids.contains(&tiles),
            "no case has {tiles} tiles: {grids:?}"
        );
    }
    eprintln!("{} pictures, worst difference {worst:e}", grids.len());
    assert!(worst <= 1e-5, "worst difference {worst}");
}

#[derive(Deserialize)]
struct Prompted {
    split: bool,
    rows: u32,
    columns: u32,
    question: String,
    input_ids: Vec<(u32, usize)>,
}

#[test]
fn the_real_tokenizer_makes_the_real_split_prompt() {
    let Some(real) = shared("models/SmolVLM-256M-Instruct") else {
        return;
    };
    let dir = with_tiny_graphs(&real);
    let mut package = Package::read(dir.path(), None).unwrap();
    let processor = package.processor.as_mut().unwrap();
    assert!(
        processor.do_image_splitting && !processor.split,
        "one tile unless asked"
    );
    let mut tiles = Vec::new();
    for case in golden::<Prompted>("real_tokenizer.json") {
        package.processor.as_mut().unwrap().split = case.split;
        let grid = Grid {
            rows: case.rows,
            columns: case.columns,
        };
        let ids = prompt_ids_of(&package, 64, grid, &case.question).unwrap();
        assert_eq!(ids, unrun(&case.input_ids), "{grid:?} / {}", case.question);
        tiles.push(grid.tiles());
    }
    for wanted in [1, 4 + 1, 12 + 1, 16 + 1] {
        assert!(
            tiles.contains(&wanted),
            "no case has {wanted} tiles: {tiles:?}"
        );
    }
}

#[derive(Deserialize)]
struct Case {
    width: u32,
    height: u32,
    split: bool,
    rows: u32,
    columns: u32,
    question: String,
    input_ids: Vec<(u32, usize)>,
    logits: Vec<f32>,
    greedy: Vec<u32>,
    greedy_text: String,
}

#[test]
fn three_shapes_say_what_the_reference_says_split_and_unsplit() {
    let runtime = runtime();
    for shape in SHAPES {
        let mut probes = [true, false].map(|split| {
            let mut package = Package::read(&data(shape), None).unwrap();
            package.processor.as_mut().unwrap().split = split;
            Probe::load(&runtime, package).unwrap()
        });
        let (mut worst, mut grids) = (0f32, Vec::new());
        for case in golden::<Case>(&format!("{shape}/golden.json")) {
            let probe = &mut probes[usize::from(!case.split)];
            let what = format!(
                "{shape}, {}x{}, split {}, {}",
                case.width, case.height, case.split, case.question
            );
            let seen = probe.see(&picture(case.width, case.height)).unwrap();
            let grid = Grid {
                rows: case.rows,
                columns: case.columns,
            };
            assert_eq!(seen.grid(), grid, "{what}");
            let want = unrun(&case.input_ids);
            assert_eq!(
                probe.prompt_ids(grid, &case.question).unwrap(),
                want,
                "{what}"
            );

            // As a look does it: the prefix with the picture, then the question after its cache.
            let prefix = probe.prefill(&seen).unwrap();
            let suffix = probe.suffix(&case.question).unwrap();
            let joined = [probe.shared_prefix(grid).unwrap(), suffix.clone()].concat();
            assert_eq!(joined, want, "{what}");
            let (cache, logits) = probe.step(&prefix, &suffix).unwrap();
            let error = relative(&logits, &case.logits);
            assert!(error <= 1e-3, "{what}: logits differ by {error}");
            worst = worst.max(error);
            // And at once, without a cache before it.
            let (_, whole) = probe.read_whole(&seen, &want).unwrap();
            assert!(relative(&whole, &case.logits) <= 1e-3, "{what}");

            let (ids, text) = probe.generate(cache, logits).unwrap();
            // The reference keeps the stop token at the end.
            assert!(case.greedy.starts_with(&ids), "{what}");
            assert!(case.greedy.len() - ids.len() <= 1, "{what}");
            assert_eq!(text, case.greedy_text, "{what}");
            grids.push((case.split, grid.tiles()));
        }
        assert!(grids.iter().any(|&(split, tiles)| split && tiles > 4));
        assert!(grids.contains(&(false, 1)));
        eprintln!(
            "{shape}: {} cases, worst relative error of logits {worst:e}",
            grids.len()
        );
    }
}

#[test]
fn a_look_at_a_split_frame_gives_the_reference_s_text() {
    runtime();
    for shape in SHAPES {
        let mut eyes = vision::open(vision::Options {
            vlm: Some(data(shape)),
            ..Default::default()
        })
        .unwrap();
        let cases = golden::<Case>(&format!("{shape}/golden.json"));
        for case in cases.iter().filter(|case| case.split) {
            let question = [Question {
                ask: case.question.clone(),
                kind: QuestionKind::Text,
                crop: None,
                about: None,
            }];
            let frame = picture(case.width, case.height);
            let sight = eyes.look(&frame, &[], &question, false, Duration::from_secs(60));
            assert_eq!(
                sight.answers[0].value,
                Value::Text(case.greedy_text.clone())
            );
            let late = eyes.look(&frame, &[], &question, false, Duration::ZERO);
            assert_eq!(late.answers[0].value, Value::Unknown(Unknown::Timeout));
        }
    }
}

fn rewrite(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn the_manifest_decides_whether_pictures_are_split() {
    runtime();
    let splits = |manifest: Option<&str>, configured: &str| {
        let dir = copy_of(&data("mini-256m"));
        let toml = dir.path().join("model.toml");
        rewrite(
            &toml,
            "[image]\nsplitting = \"configured\"\n",
            manifest.unwrap_or(""),
        );
        let json = dir.path().join("preprocessor_config.json");
        rewrite(&json, "\"do_image_splitting\": true,", configured);
        let split = Package::read(dir.path(), None)
            .unwrap()
            .processor
            .unwrap()
            .split;
        let notes = verify(dir.path()).unwrap().notes;
        (split, notes.iter().any(|n| n.contains("image.splitting")))
    };
    let (yes, no) = (
        "\"do_image_splitting\": true,",
        "\"do_image_splitting\": false,",
    );
    let says = |word: &str| format!("[image]\nsplitting = \"{word}\"\n");
    // One tile is the default, and the report says what was left out.
    assert_eq!(splits(None, yes), (false, true));
    assert_eq!(splits(None, no), (false, false));
    assert_eq!(splits(Some(&says("off")), yes), (false, true));
    assert_eq!(splits(Some(&says("configured")), yes), (true, false));
    assert_eq!(splits(Some(&says("configured")), no), (false, false));
    // The reference splits where nothing is said.
    assert_eq!(splits(Some(&says("configured")), ""), (true, false));
    assert_eq!(splits(Some(&says("on")), no), (true, false));
}

#[test]
fn what_can_t_be_split_is_said() {
    runtime();
    let fails = |file: &str, from: &str, to: &str, parts: &[&str]| {
        let dir = copy_of(&data("mini-256m"));
        rewrite(&dir.path().join(file), from, to);
        let problems = verify(dir.path()).unwrap_err();
        let said: Vec<_> = problems.iter().map(|p| p.to_string()).collect();
        for part in parts {
            assert!(said.concat().contains(part), "'{part}' is not in {said:?}");
        }
    };
    fails(
        "model.toml",
        "\"configured\"",
        "\"sometimes\"",
        &["model.toml", "splitting", "sometimes"],
    );
    fails(
        "model.toml",
        "[prompt]",
        "[prompt]\ntile = \"<row_{row}>{tiles}\"",
        &["model.toml", "prompt.tile", "{column}"],
    );
    // Without a bound of the tiles, a frame of a new size could ask for hundreds.
    fails(
        "preprocessor_config.json",
        "\"do_resize\": true",
        "\"do_resize\": false",
        &["preprocessor_config.json", "do_resize", "image.splitting"],
    );
    // 7 x 7 tiles, where the tokenizer has marks for 6 x 6.
    fails(
        "preprocessor_config.json",
        "\"longest_edge\": 256",
        "\"longest_edge\": 448",
        &["tokenizer.json", "<row_1_col_7>", "size.longest_edge"],
    );
    // 17 tiles of 4 features and a mark each don't fit in 100 positions.
    fails(
        "config.json",
        "\"max_position_embeddings\": 1024",
        "\"max_position_embeddings\": 100",
        &["17 tiles", "image.splitting"],
    );
}

/// Writes `to` over every `from` in a graph; of one length, so that the file
/// stays a graph.
fn patch(path: &Path, from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(path).unwrap();
    let mut found = 0;
    for at in 0..=bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + from.len()].copy_from_slice(to);
            found += 1;
        }
    }
    assert!(
        found > 0,
        "{} is not in {}",
        from.escape_ascii(),
        path.display()
    );
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_missing_or_wrong_tensor_is_named_with_its_graph() {
    runtime();
    let fails = |graph: &str, from: &[u8], to: &[u8], parts: &[&str]| {
        let dir = copy_of(&data("mini-500m"));
        // Without a manifest no checksum stands before the tensors.
        std::fs::remove_file(dir.path().join("model.toml")).unwrap();
        verify(dir.path()).unwrap();
        patch(&dir.path().join(graph), from, to);
        let problems = verify(dir.path()).unwrap_err();
        let said: Vec<_> = problems.iter().map(|p| p.to_string()).collect();
        for part in parts.iter().chain([&graph]) {
            assert!(said.concat().contains(part), "'{part}' is not in {said:?}");
        }
    };
    let (vision, embed, decoder) = (
        "vision_encoder.onnx",
        "embed_tokens.onnx",
        "decoder_model_merged.onnx",
    );
    // Missing: the tensor is there under another name.
    for (graph, name, other) in [
        (vision, "pixel_values", "pixel_volues"),
        (vision, "image_features", "image_fixtures"),
        (embed, "input_ids", "input_idz"),
        (embed, "inputs_embeds", "inputs_embed_"),
        (decoder, "inputs_embeds", "inputs_embed_"),
        (decoder, "attention_mask", "attention_task"),
        (decoder, "logits", "digits"),
        (
            decoder,
            "past_key_values.2.value",
            "past_key_values.2.velue",
        ),
        (decoder, "present.3.key", "present.3.kay"),
    ] {
        fails(
            graph,
            name.as_bytes(),
            other.as_bytes(),
            &[&format!("'{name}'")],
        );
    }
    // Unknown: an input that nothing would fill.
    fails(
        vision,
        b"pixel_attention_mask",
        b"pixel_attention_task",
        &["'pixel_attention_task'", "unknown"],
    );
    // Wrong type: i32 (6) for i64 (7) in the declaration of the input.
    fails(
        embed,
        b"input_ids\x12\x1b\x0a\x19\x08\x07",
        b"input_ids\x12\x1b\x0a\x19\x08\x06",
        &["'input_ids'", "type i32", "i64 is needed"],
    );
    // Wrong width: the decoder of another model.
    let dir = copy_of(&data("mini-500m"));
    std::fs::remove_file(dir.path().join("model.toml")).unwrap();
    std::fs::copy(data("mini-2b").join(decoder), dir.path().join(decoder)).unwrap();
    let said = verify(dir.path()).unwrap_err()[0].to_string();
    for part in [decoder, "image_features 30", "decoder 32"] {
        assert!(said.contains(part), "'{part}' is not in {said}");
    }
}
