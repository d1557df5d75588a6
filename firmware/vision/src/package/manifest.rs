//! `model.toml`: what a package says of itself. `docs/guides` has it in words.

use std::collections::BTreeMap;

use scene::Id;
use serde::Deserialize;

/// What a package answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A vision language model: three graphs and a tokenizer.
    Vlm,
    /// A detector: one graph.
    Detector,
}

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path relative to the package.
    pub file: String,
    /// SHA-256, lower-case hex. `None` only in packages without a manifest.
    pub sha256: Option<String>,
    /// Size. `None` only in packages without a manifest.
    pub bytes: Option<u64>,
}

/// Checksum and size of a file that is named elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checksum {
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
}

/// The graphs of one variant (precision) of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// VLM: pixels to image features.
    pub vision_encoder: Option<FileEntry>,
    /// VLM: token ids to embeddings.
    pub embed_tokens: Option<FileEntry>,
    /// VLM: embeddings and cache to logits.
    pub decoder: Option<FileEntry>,
    /// Detector: pixels to boxes.
    pub detector: Option<FileEntry>,
    /// VLM: how many tiles (or zones' crops) the vision graph may encode in one
    /// run, 1 to [`Variant::MOST_AT_ONCE`]; 1 if it is not said. More than one
    /// is for graphs in which a tile's features do not depend on the tiles beside
    /// it; with scales that are found as a graph runs (dynamic int8) they do.
    pub tiles_at_once: Option<usize>,
}

impl Variant {
    /// Memory grows with each tile.
    pub const MOST_AT_ONCE: usize = 16;

    /// The graphs that a package of `kind` needs, by their key.
    pub fn graphs(&self, kind: Kind) -> Vec<(&'static str, Option<&FileEntry>)> {
        match kind {
            Kind::Vlm => vec![
                ("vision_encoder", self.vision_encoder.as_ref()),
                ("embed_tokens", self.embed_tokens.as_ref()),
                ("decoder", self.decoder.as_ref()),
            ],
            Kind::Detector => vec![("detector", self.detector.as_ref())],
        }
    }
}

/// Whether pictures are split into tiles before a VLM encodes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Splitting {
    /// One tile, the whole picture squashed, whatever `preprocessor_config.json`
    /// says. The default: thirteen tiles cost a camera thirteen times the joules.
    #[default]
    Off,
    /// As `do_image_splitting` of `preprocessor_config.json` says.
    Configured,
    /// Always.
    On,
}

/// The `[image]` table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageOptions {
    /// Whether pictures are split.
    pub splitting: Splitting,
}

/// How questions are put to a language model and answers read off.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prompt {
    /// The whole prompt, with `{image}` once and after it `{question}` once.
    pub template: String,
    /// What `{image}` becomes, with `{tiles}` once.
    pub image: String,
    /// With image splitting, what stands for each tile before `image`, which
    /// then stands for the whole picture; `{row}`, `{column}` (counted from 1)
    /// and `{tiles}` once each.
    pub tile: String,
    /// Follows the last tile of each row.
    pub row_end: String,
    /// Stands between the last row and `image`.
    pub before_whole: String,
    /// The token of which `{tiles}` becomes as many as there are image features.
    pub image_token: String,
    /// Spellings of yes.
    pub yes: Vec<String>,
    /// Spellings of no.
    pub no: Vec<String>,
    /// How a number is written, with `{n}` once.
    pub count_spellings: Vec<String>,
    /// Numbers 0 to this are scored; at most [`CountBelief::MAX`].
    pub max_count: usize,
    /// Whether the belief in `max_count` includes all higher numbers.
    pub count_open_ended: bool,
    /// Bound of free text, tokens.
    pub max_new_tokens: usize,
    /// Tokens that end free text.
    pub stop: Vec<String>,
    /// How a yes/no question about a known concept is put; `{concept}`,
    /// `{noun}`, `{qualifiers}`.
    pub yes_no_form: Option<String>,
    /// How a count question about a known concept is put.
    pub count_form: Option<String>,
    /// Follows a yes/no question that no form puts.
    pub yes_no_suffix: String,
    /// Follows a count question that no form puts.
    pub count_suffix: String,
    /// Whether questions are lower-cased.
    pub lowercase: bool,
}

impl Default for Prompt {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|w| w.to_string()).collect();
        Self {
            template: "<|im_start|>User:{image}{question}<end_of_utterance>\nAssistant:".into(),
            image: "<fake_token_around_image><global-img>{tiles}<fake_token_around_image>".into(),
            tile: "<fake_token_around_image><row_{row}_col_{column}>{tiles}".into(),
            row_end: "\n".into(),
            before_whole: "\n".into(),
            image_token: "<image>".into(),
            yes: words(&[" Yes", "Yes", " yes", "yes"]),
            no: words(&[" No", "No", " no", "no"]),
            count_spellings: words(&[" {n}", "{n}"]),
            max_count: 20,
            count_open_ended: true,
            max_new_tokens: 48,
            stop: words(&["<end_of_utterance>", "<|im_end|>"]),
            yes_no_form: None,
            count_form: None,
            yes_no_suffix: String::new(),
            count_suffix: String::new(),
            lowercase: false,
        }
    }
}

/// Platt scaling of a yes/no answer:
/// `p = sigmoid((ln P(yes) - ln P(no)) / temperature + bias)`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct YesNoCalibration {
    /// > 0.
    pub temperature: f32,
    /// In logits.
    pub bias: f32,
    /// `max(p, 1 - p)` below this is unknown; 0 is never.
    pub unsure_below: f32,
}

impl Default for YesNoCalibration {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            bias: 0.0,
            unsure_below: 0.0,
        }
    }
}

/// Temperature scaling of a count: `p(n) ~ exp(ln P(n) / temperature)`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CountCalibration {
    /// > 0.
    pub temperature: f32,
    /// The highest probability below this is unknown; 0 is never.
    pub unsure_below: f32,
}

impl Default for CountCalibration {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            unsure_below: 0.0,
        }
    }
}

/// Overrides for one noun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NounCalibration {
    /// For yes/no questions about it.
    pub yes_no: Option<YesNoCalibration>,
    /// For counts of it.
    pub count: Option<CountCalibration>,
}

/// How probabilities are made honest.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calibration {
    /// For yes/no questions.
    pub yes_no: YesNoCalibration,
    /// For counts.
    pub count: CountCalibration,
    /// By noun.
    pub nouns: BTreeMap<String, NounCalibration>,
}

impl Calibration {
    /// The yes/no calibration for questions about `noun`.
    pub fn yes_no(&self, noun: Option<&str>) -> YesNoCalibration {
        let own = noun.and_then(|noun| self.nouns.get(noun)?.yes_no);
        own.unwrap_or(self.yes_no)
    }

    /// The count calibration for `noun`.
    pub fn count(&self, noun: Option<&str>) -> CountCalibration {
        let own = noun.and_then(|noun| self.nouns.get(noun)?.count);
        own.unwrap_or(self.count)
    }
}

/// How the numbers of a detector graph become boxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decode {
    /// YOLOX: a row a grid cell, raw offsets and logs, objectness x class.
    Yolox,
    /// Rows `x, y, w, h, score, class`, peak-picked in the graph.
    Centre,
}

/// The form of a question that a detector answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// How many.
    Count,
    /// Whether there is one.
    YesNo,
}

/// Score calibration: `p = sigmoid(logit(score) / temperature + bias)`; a
/// detection with `p` below `threshold` is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassCalibration {
    /// > 0.
    pub temperature: f32,
    /// In logits.
    pub bias: f32,
    /// 0..1.
    pub threshold: f32,
}

impl Default for ClassCalibration {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            bias: 0.0,
            threshold: 0.3,
        }
    }
}

/// [`ClassCalibration`] of one class, where it differs from the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassOverride {
    temperature: Option<f32>,
    bias: Option<f32>,
    threshold: Option<f32>,
}

/// The order of colour channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// How a picture is made to fit a graph's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Aspect kept; top left; padded right and below.
    Letterbox,
    /// Both sides stretched.
    Squash,
}

/// What a detector graph wants to see. The defaults are YOLOX's.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DetectorInput {
    /// Channel order.
    pub colour: Colour,
    /// How the picture is fitted.
    pub fit: Fit,
    /// Grey level (0..=255) of the padding.
    pub pad: u8,
    /// Pixels are multiplied by this,
    pub scale: f32,
    /// less this,
    pub mean: [f32; 3],
    /// divided by this; in the order of `colour`.
    pub std: [f32; 3],
}

impl Default for DetectorInput {
    fn default() -> Self {
        Self {
            colour: Colour::Bgr,
            fit: Fit::Letterbox,
            pad: 114,
            scale: 1.0,
            mean: [0.0; 3],
            std: [1.0; 3],
        }
    }
}

/// The `[detector]` table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorSpec {
    /// How numbers become boxes.
    pub decode: Decode,
    /// The output tensor; else `detections` for centre and the only one for YOLOX.
    pub output: Option<String>,
    /// Names in class-index order.
    pub classes: Vec<String>,
    /// The questions about a plain noun that are answered from detections.
    #[serde(default = "both")]
    pub answers: Vec<Answers>,
    /// YOLOX: of two boxes of a class that overlap more, the weaker goes.
    #[serde(default = "nms_iou")]
    pub nms_iou: f32,
    /// The highest scores that are kept.
    #[serde(default = "max_detections")]
    pub max_detections: usize,
    /// Calibration of classes without their own.
    #[serde(default)]
    pub default: ClassCalibration,
    /// Overrides by class.
    #[serde(default)]
    pub per_class: BTreeMap<String, ClassOverride>,
    /// What the graph wants to see; only in packages of kind `detector`.
    pub input: Option<DetectorInput>,
}

fn both() -> Vec<Answers> {
    vec![Answers::Count, Answers::YesNo]
}

fn nms_iou() -> f32 {
    0.45
}

fn max_detections() -> usize {
    300
}

impl DetectorSpec {
    /// The calibration of `class`.
    pub fn calibration(&self, class: &str) -> ClassCalibration {
        let own = self.per_class.get(class).copied().unwrap_or_default();
        ClassCalibration {
            temperature: own.temperature.unwrap_or(self.default.temperature),
            bias: own.bias.unwrap_or(self.default.bias),
            threshold: own.threshold.unwrap_or(self.default.threshold),
        }
    }
}

/// One of `[[points]]`: a size of tiles that the package may run at, and what
/// its answers are worth there.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointSpec {
    /// Side of a tile, pixels; the package's own or, where the vision graph
    /// leaves height and width free, another one.
    pub resolution: u32,
    /// The variant that it is about; all of them if it is not said.
    pub variant: Option<String>,
    /// How many tiles a picture has at most, the whole one included; any number
    /// if it is not said.
    pub tiles: Option<u32>,
    /// Mean balanced accuracy of answers, 0..1; 0.5 is chance.
    pub accuracy: f64,
}

impl PointSpec {
    /// Sides beyond this are no camera model's, and a typo would eat the memory.
    pub const MAX_RESOLUTION: u32 = 4096;
}

/// The whole of `model.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Short name.
    pub id: Id,
    /// Any text without a slash.
    pub version: String,
    /// SPDX expression.
    pub licence: String,
    /// What it answers with.
    pub kind: Kind,
    /// One sentence for people.
    pub title: Option<String>,
    /// Where it came from.
    pub source: Option<String>,
    /// The variant that is used when none is asked for.
    pub default_variant: Option<String>,
    /// Variants by name.
    pub variants: BTreeMap<String, Variant>,
    /// Other files to check.
    #[serde(default)]
    pub files: BTreeMap<String, Checksum>,
    /// How pictures are cut.
    #[serde(default)]
    pub image: ImageOptions,
    /// How questions are put.
    #[serde(default)]
    pub prompt: Prompt,
    /// How probabilities are made honest.
    #[serde(default)]
    pub calibration: Calibration,
    /// Nouns and the qualifiers known with each. Absent: anything is tried.
    pub concepts: Option<BTreeMap<String, Vec<String>>>,
    /// A rule's noun to this package's nouns or classes.
    #[serde(default)]
    pub synonyms: BTreeMap<String, Vec<String>>,
    /// How detections come out.
    pub detector: Option<DetectorSpec>,
    /// Sizes that it may run at; only those if any are given, and its own.
    #[serde(default)]
    pub points: Vec<PointSpec>,
}
