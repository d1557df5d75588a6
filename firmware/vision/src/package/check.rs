//! What a manifest that parses can still have wrong.

use std::path::{Component, Path};

use scene::CountBelief;

use super::manifest::*;

impl Manifest {
    /// What is wrong with it, a line a key. A manifest that parses can still
    /// contradict itself.
    pub fn problems(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut need = |good: bool, what: String| {
            if !good {
                wrong.push(what);
            }
        };
        let text = |s: &str| !s.trim().is_empty() && !s.contains('/');
        need(
            text(&self.version),
            "version: a non-empty text without '/' is needed".into(),
        );
        need(
            !self.licence.trim().is_empty(),
            "licence: an SPDX expression is needed".into(),
        );
        need(
            !self.variants.is_empty(),
            "variants: at least one is needed".into(),
        );
        if let Some(name) = &self.default_variant {
            let known: Vec<_> = self.variants.keys().map(String::as_str).collect();
            let known = known.join(", ");
            need(
                self.variants.contains_key(name),
                format!("default_variant: '{name}' is not among the variants ({known})"),
            );
        }
        for (name, variant) in &self.variants {
            // As an operating point spells it.
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
            need(
                !name.is_empty() && name.chars().all(plain),
                format!(
                    "variants: '{name}' is no variant's name; a to z, 0 to 9, '.', '_' and '-' make one"
                ),
            );
            let at_once = variant.tiles_at_once.unwrap_or(1);
            need(
                (1..=Variant::MOST_AT_ONCE).contains(&at_once),
                format!(
                    "variants.{name}.tiles_at_once: {at_once} is not in 1 to {}",
                    Variant::MOST_AT_ONCE
                ),
            );
            for (role, entry) in variant.graphs(self.kind) {
                let key = format!("variants.{name}.{role}");
                let Some(entry) = entry else {
                    need(false, format!("{key}: is missing"));
                    continue;
                };
                need(
                    inside(&entry.file),
                    format!("{key}.file: '{}' leaves the package", entry.file),
                );
                if let Some(sum) = &entry.sha256 {
                    need(
                        is_sha256(sum),
                        format!("{key}.sha256: 64 lower-case hex digits are needed"),
                    );
                }
            }
        }
        for (file, sum) in &self.files {
            let key = format!("files.\"{file}\"");
            need(inside(file), format!("{key}: leaves the package"));
            need(
                is_sha256(&sum.sha256),
                format!("{key}.sha256: 64 lower-case hex digits are needed"),
            );
        }
        if self.kind == Kind::Vlm {
            self.prompt.problems(&mut need);
        }
        self.calibration.problems(&mut need);
        match &self.detector {
            Some(detector) => detector.problems(self.kind, &mut need),
            None => need(
                self.kind == Kind::Vlm,
                "detector: the table is missing; kind = \"detector\" needs it".into(),
            ),
        }
        self.check_points(&mut need);
        for (noun, targets) in &self.synonyms {
            let known = |target: &String| {
                self.concepts
                    .as_ref()
                    .is_none_or(|all| all.contains_key(target))
                    || self
                        .detector
                        .as_ref()
                        .is_some_and(|d| d.classes.contains(target))
            };
            for target in targets.iter().filter(|target| !known(target)) {
                need(
                    false,
                    format!("synonyms.{noun}: '{target}' is neither a concept nor a class"),
                );
            }
        }
        wrong
    }

    fn check_points(&self, need: &mut Need) {
        need(
            self.points.is_empty() || self.kind == Kind::Vlm,
            "points: only packages of kind \"vlm\" have them".into(),
        );
        for (index, point) in self.points.iter().enumerate() {
            let key = format!("points.{index}");
            need(
                (1..=PointSpec::MAX_RESOLUTION).contains(&point.resolution),
                format!(
                    "{key}.resolution: {} is not in 1 to {}",
                    point.resolution,
                    PointSpec::MAX_RESOLUTION
                ),
            );
            need(
                (0.0..=1.0).contains(&point.accuracy),
                format!("{key}.accuracy: {} is not in 0 to 1", point.accuracy),
            );
            need(
                point.tiles != Some(0),
                format!("{key}.tiles: at least 1 is needed"),
            );
            if let Some(name) = &point.variant {
                need(
                    self.variants.contains_key(name),
                    format!("{key}.variant: '{name}' is not among the variants"),
                );
            }
            let of = |p: &PointSpec| (p.resolution, p.variant.clone(), p.tiles);
            need(
                !self.points[..index].iter().any(|p| of(p) == of(point)),
                format!("{key}: is told twice"),
            );
        }
    }

    /// Whether every graph has its checksum and size, as a manifest on disk must.
    pub(crate) fn lacks_checksums(&self) -> Vec<String> {
        let mut lacking = Vec::new();
        for (name, variant) in &self.variants {
            for (role, entry) in variant.graphs(self.kind) {
                if let Some(entry) = entry
                    && (entry.sha256.is_none() || entry.bytes.is_none())
                {
                    lacking.push(format!(
                        "variants.{name}.{role}: sha256 and bytes are needed"
                    ));
                }
            }
        }
        lacking
    }
}

fn inside(file: &str) -> bool {
    let plain = |c: Component| matches!(c, Component::Normal(_));
    !file.is_empty() && Path::new(file).components().all(plain)
}

fn is_sha256(text: &str) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.len() == 64 && text.chars().all(hex)
}

type Need<'a> = dyn FnMut(bool, String) + 'a;

impl Prompt {
    fn problems(&self, need: &mut Need) {
        let once = |text: &str, mark: &str| text.matches(mark).count() == 1;
        let order = self.template.find("{image}") < self.template.find("{question}");
        need(
            once(&self.template, "{image}") && once(&self.template, "{question}") && order,
            "prompt.template: {image} once and, after it, {question} once are needed".into(),
        );
        need(
            once(&self.image, "{tiles}"),
            "prompt.image: {tiles} is needed once".into(),
        );
        let tile = ["{row}", "{column}", "{tiles}"].map(|mark| once(&self.tile, mark));
        need(
            tile == [true; 3] && self.tile.ends_with("{tiles}"),
            "prompt.tile: {row} and {column} once each and {tiles} at the end are needed".into(),
        );
        need(
            !self.image_token.is_empty(),
            "prompt.image_token: is empty".into(),
        );
        for (key, words) in [("yes", &self.yes), ("no", &self.no)] {
            let good = !words.is_empty() && words.iter().all(|word| !word.trim().is_empty());
            need(
                good,
                format!("prompt.{key}: at least one spelling, and none empty"),
            );
        }
        let spelt = !self.count_spellings.is_empty()
            && self
                .count_spellings
                .iter()
                .all(|spelling| once(spelling, "{n}"));
        need(
            spelt,
            "prompt.count_spellings: at least one, and each with {n} once".into(),
        );
        need(
            (1..=CountBelief::MAX).contains(&self.max_count),
            format!(
                "prompt.max_count: {} is not in 1 to {}",
                self.max_count,
                CountBelief::MAX
            ),
        );
        need(
            (1..=1024).contains(&self.max_new_tokens),
            format!(
                "prompt.max_new_tokens: {} is not in 1 to 1024",
                self.max_new_tokens
            ),
        );
        let forms = [
            ("yes_no_form", &self.yes_no_form),
            ("count_form", &self.count_form),
        ];
        for (key, form) in forms {
            let good = form
                .as_ref()
                .is_none_or(|f| f.contains("{concept}") || f.contains("{noun}"));
            need(
                good,
                format!("prompt.{key}: {{concept}} or {{noun}} is needed"),
            );
        }
    }
}

impl Calibration {
    fn problems(&self, need: &mut Need) {
        let yes_no = |key: String, c: YesNoCalibration, need: &mut Need| {
            need(
                c.temperature > 0.0 && c.temperature.is_finite(),
                format!("{key}.temperature: a number above 0 is needed"),
            );
            need(
                c.bias.is_finite(),
                format!("{key}.bias: a finite number is needed"),
            );
            need(
                (0.0..1.0).contains(&c.unsure_below),
                format!("{key}.unsure_below: 0 to below 1 is needed"),
            );
        };
        let count = |key: String, c: CountCalibration, need: &mut Need| {
            need(
                c.temperature > 0.0 && c.temperature.is_finite(),
                format!("{key}.temperature: a number above 0 is needed"),
            );
            need(
                (0.0..1.0).contains(&c.unsure_below),
                format!("{key}.unsure_below: 0 to below 1 is needed"),
            );
        };
        yes_no("calibration.yes_no".into(), self.yes_no, need);
        count("calibration.count".into(), self.count, need);
        for (noun, own) in &self.nouns {
            if let Some(c) = own.yes_no {
                yes_no(format!("calibration.nouns.{noun}.yes_no"), c, need);
            }
            if let Some(c) = own.count {
                count(format!("calibration.nouns.{noun}.count"), c, need);
            }
        }
    }
}

impl DetectorSpec {
    fn problems(&self, kind: Kind, need: &mut Need) {
        need(
            !self.classes.is_empty(),
            "detector.classes: at least one is needed".into(),
        );
        for (index, class) in self.classes.iter().enumerate() {
            let twice = self.classes[..index].contains(class);
            need(
                !class.trim().is_empty() && !twice,
                format!("detector.classes: '{class}' is empty or named twice"),
            );
        }
        for class in self.per_class.keys() {
            need(
                self.classes.contains(class),
                format!("detector.per_class.{class}: is not among the classes"),
            );
        }
        for class in &self.classes {
            let c = self.calibration(class);
            let good = c.temperature > 0.0 && c.temperature.is_finite() && c.bias.is_finite();
            need(
                good && (0.0..=1.0).contains(&c.threshold),
                format!(
                    "detector.per_class.{class}: temperature above 0, a finite bias and a threshold of 0 to 1 are needed"
                ),
            );
        }
        need(
            (0.0..=1.0).contains(&self.nms_iou),
            "detector.nms_iou: 0 to 1 is needed".into(),
        );
        need(
            (1..=10_000).contains(&self.max_detections),
            "detector.max_detections: 1 to 10000 is needed".into(),
        );
        if kind == Kind::Vlm {
            need(
                self.decode == Decode::Centre,
                "detector.decode: a vision graph's extra output is \"centre\"".into(),
            );
            need(
                self.input.is_none(),
                "detector.input: a VLM's input is set by preprocessor_config.json".into(),
            );
        }
        if let Some(input) = &self.input {
            let good = input.std.iter().all(|s| s.is_finite() && *s != 0.0)
                && input.mean.iter().all(|m| m.is_finite())
                && input.scale.is_finite();
            need(
                good,
                "detector.input: scale and mean must be finite, std not 0".into(),
            );
        }
    }
}
