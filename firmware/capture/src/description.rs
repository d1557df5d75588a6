//! Pipeline descriptions: text with placeholders, read from a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::CaptureError;
use crate::value::{Value, Values};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceForm {
    about: String,
    launch: String,
    /// What sentences call it; placeholders allowed.
    subject: String,
    /// Placeholders that are paths which must be there.
    #[serde(default)]
    exists: Vec<String>,
    /// It comes to an end and can be sought back to its start at `pace`.
    #[serde(default)]
    loops: bool,
    #[serde(default)]
    defaults: Values,
    /// What stands for a placeholder that has a value; without one it is left out.
    #[serde(default)]
    optional: BTreeMap<String, String>,
    /// Values of one placeholder, tried in turn while no picture comes.
    #[serde(default)]
    fallback: BTreeMap<String, Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EncoderForm {
    about: String,
    launch: String,
    #[serde(default)]
    defaults: Values,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LiveForm {
    about: String,
    launch: String,
    encoders: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainForm {
    about: String,
    launch: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PackagesForm {
    elements: BTreeMap<String, String>,
    decoders: BTreeMap<String, String>,
}

/// One description.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    pub file: PathBuf,
    pub about: String,
    pub launch: String,
    pub defaults: Values,
    optional: BTreeMap<String, String>,
}

/// A source's description.
#[derive(Clone, Debug)]
pub(crate) struct SourceDescription {
    pub text: Description,
    pub subject: String,
    pub exists: Vec<String>,
    pub loops: bool,
    fallback: Option<(String, Vec<Value>)>,
}

/// One way to launch a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    /// What is special about it: "io_mode = dmabuf"; empty if there is but one.
    pub name: String,
    /// The launch line.
    pub text: String,
}

/// All descriptions of a folder, checked as far as that needs no GStreamer.
#[derive(Clone, Debug)]
pub struct Pipelines {
    dir: PathBuf,
    sources: BTreeMap<String, SourceDescription>,
    encoders: BTreeMap<String, Description>,
    pub(crate) live: Description,
    pub(crate) encoder_order: Vec<String>,
    pub(crate) replay: Description,
    pub(crate) rtsp: Description,
    elements: BTreeMap<String, String>,
    decoders: BTreeMap<String, String>,
}

impl Pipelines {
    /// Reads every `*.toml` in `dir`: `live`, `replay`, `rtsp`, `packages`,
    /// `source-<name>` and `encoder-<name>`. A missing one, an unknown one, an
    /// unknown key or an unfilled placeholder is an error that names the file.
    pub fn load(dir: impl AsRef<Path>) -> Result<Self, CaptureError> {
        let dir = dir.as_ref();
        let mut sources = BTreeMap::new();
        let mut encoders = BTreeMap::new();
        let (mut live, mut replay, mut rtsp, mut packages) = (None, None, None, None);
        for file in toml_files(dir)? {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            if let Some(name) = stem.strip_prefix("source-") {
                sources.insert(name.to_owned(), source(&file)?);
            } else if let Some(name) = stem.strip_prefix("encoder-") {
                let form: EncoderForm = read(&file)?;
                let text = Description::new(&file, form.about, form.launch, form.defaults);
                encoders.insert(name.to_owned(), text?);
            } else if stem == "live" {
                let form: LiveForm = read(&file)?;
                let text = Description::new(&file, form.about, form.launch, Values::new())?;
                live = Some((text, form.encoders));
            } else if stem == "replay" || stem == "rtsp" {
                let form: PlainForm = read(&file)?;
                let text = Description::new(&file, form.about, form.launch, Values::new())?;
                *(if stem == "replay" {
                    &mut replay
                } else {
                    &mut rtsp
                }) = Some(text);
            } else if stem == "packages" {
                packages = Some(read::<PackagesForm>(&file)?);
            } else {
                return Err(CaptureError::Description {
                    file: file.clone(),
                    why: "no such kind of description; files are named live, replay, rtsp, packages, source-<name> or encoder-<name>".into(),
                });
            }
        }
        let lacks = |name: &str| CaptureError::Description {
            file: dir.join(name),
            why: "this description is needed and not there".into(),
        };
        let (live, encoder_order) = live.ok_or_else(|| lacks("live.toml"))?;
        let packages = packages.ok_or_else(|| lacks("packages.toml"))?;
        let homeless = (packages.decoders.iter())
            .find(|(_, element)| !packages.elements.contains_key(*element));
        if let Some((media, element)) = homeless {
            return Err(CaptureError::Description {
                file: dir.join("packages.toml"),
                why: format!("'{element}' for {media} must be in [elements], with its package"),
            });
        }
        live.expect_placeholders(&["source", "encoder"])?;
        let all = Self {
            dir: dir.to_owned(),
            sources,
            encoders,
            encoder_order,
            replay: replay.ok_or_else(|| lacks("replay.toml"))?,
            rtsp: rtsp.ok_or_else(|| lacks("rtsp.toml"))?,
            elements: packages.elements,
            decoders: packages.decoders,
            live,
        };
        all.replay.expect_placeholders(&["path"])?;
        all.rtsp.expect_placeholders(&[])?;
        if all.encoder_order.is_empty() {
            return Err(CaptureError::Description {
                file: all.live.file.clone(),
                why: "'encoders' is empty; name at least one".into(),
            });
        }
        for name in &all.encoder_order {
            all.encoder(name)?;
        }
        Ok(all)
    }

    /// The sources' names, each with what it is in a sentence.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        (self.sources.iter()).map(|(name, s)| (name.as_str(), s.text.about.as_str()))
    }

    /// The encoders' names, each with what it is in a sentence.
    pub fn encoders(&self) -> impl Iterator<Item = (&str, &str)> {
        (self.encoders.iter()).map(|(name, e)| (name.as_str(), e.about.as_str()))
    }

    pub(crate) fn source(&self, name: &str) -> Result<&SourceDescription, CaptureError> {
        (self.sources.get(name)).ok_or_else(|| self.no_such("source", name, self.sources.keys()))
    }

    pub(crate) fn encoder(&self, name: &str) -> Result<&Description, CaptureError> {
        (self.encoders.get(name)).ok_or_else(|| self.no_such("encoder", name, self.encoders.keys()))
    }

    fn no_such<'a>(
        &self,
        what: &'static str,
        name: &str,
        have: impl Iterator<Item = &'a String>,
    ) -> CaptureError {
        CaptureError::NoSuch {
            what,
            name: name.to_owned(),
            dir: self.dir.clone(),
            have: list(have.cloned()),
        }
    }

    /// The error for an element that is not installed and that `file` names.
    pub(crate) fn missing_element(&self, element: &str, file: &Path) -> CaptureError {
        match self.elements.get(element) {
            Some(package) => CaptureError::MissingElement {
                element: element.to_owned(),
                file: file.to_owned(),
                package: package.clone(),
            },
            None => CaptureError::UnknownElement {
                element: element.to_owned(),
                file: file.to_owned(),
            },
        }
    }

    /// A sentence for what decodebin found missing: a media type or an element.
    pub(crate) fn missing_decoder(&self, media: &str) -> String {
        let element = self.decoders.get(media).map_or(media, String::as_str);
        match self.elements.get(element) {
            Some(package) => format!(
                "nothing installed reads {media}; the GStreamer element '{element}' does, which is in the package {package} (apt install {package})"
            ),
            None => format!(
                "nothing installed reads {media}, and packages.toml knows no package that does"
            ),
        }
    }
}

fn toml_files(dir: &Path) -> Result<BTreeSet<PathBuf>, CaptureError> {
    let failed = |why| CaptureError::Read {
        file: dir.to_owned(),
        why,
    };
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            files.insert(path);
        }
    }
    Ok(files)
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T, CaptureError> {
    let text = fs::read_to_string(file).map_err(|why| CaptureError::Read {
        file: file.to_owned(),
        why,
    })?;
    toml::from_str(&text).map_err(|e| CaptureError::Description {
        file: file.to_owned(),
        why: e.to_string().trim_end().to_owned(),
    })
}

fn source(file: &Path) -> Result<SourceDescription, CaptureError> {
    let form: SourceForm = read(file)?;
    let mut text = Description::new(file, form.about, form.launch, form.defaults)?;
    let have = text.placeholders();
    let subject = Description {
        launch: form.subject.clone(),
        ..text.clone()
    };
    let named = (form.exists.iter())
        .chain(form.optional.keys())
        .chain(form.fallback.keys())
        .cloned();
    for name in named.chain(subject.placeholders()) {
        if !have.contains(&name) {
            return Err(CaptureError::Unasked {
                file: file.to_owned(),
                name,
                have: list(have),
            });
        }
    }
    let wrong = |why: String| CaptureError::Description {
        file: file.to_owned(),
        why,
    };
    for (name, part) in &form.optional {
        let inner = placeholders_of(part);
        if inner.iter().ne([name]) {
            return Err(wrong(format!(
                "[optional] {name} must have the placeholder {{{name}}} and no other"
            )));
        }
    }
    if form.fallback.len() > 1 {
        return Err(wrong("[fallback] can have one key only".into()));
    }
    text.optional = form.optional;
    Ok(SourceDescription {
        text,
        subject: form.subject,
        exists: form.exists,
        loops: form.loops,
        fallback: form.fallback.into_iter().next(),
    })
}

impl SourceDescription {
    /// What sentences call this source.
    pub fn called(&self, given: &Values) -> Result<String, CaptureError> {
        let called = split(&self.subject, |name| {
            let value = given.get(name).or_else(|| self.text.defaults.get(name));
            let left_out = self.text.optional.contains_key(name).then(String::new);
            value.map(Value::plain).or(left_out)
        });
        let called = called.map_err(|name| self.text.unfilled(name))?;
        Ok(called.trim().to_owned())
    }

    /// The ways to launch it, the one that was asked for first; the others
    /// have the values of `[fallback]` that follow it there, the first after
    /// the last. At least one.
    pub fn variants(&self, given: &Values) -> Result<Vec<Variant>, CaptureError> {
        let plain = Variant {
            name: String::new(),
            text: self.text.render(given)?,
        };
        let Some((key, values)) = &self.fallback else {
            return Ok(vec![plain]);
        };
        let asked = given.get(key).or_else(|| self.text.defaults.get(key));
        let place = values.iter().position(|value| Some(value) == asked);
        let Some(place) = place else {
            return Ok(vec![plain]);
        };
        let turns = values.iter().cycle().skip(place).take(values.len());
        turns
            .map(|value| {
                let mut given = given.clone();
                given.insert(key.clone(), value.clone());
                Ok(Variant {
                    name: format!("{key} = {}", value.plain()),
                    text: self.text.render(&given)?,
                })
            })
            .collect()
    }
}

impl Description {
    fn new(
        file: &Path,
        about: String,
        launch: String,
        defaults: Values,
    ) -> Result<Self, CaptureError> {
        let this = Self {
            file: file.to_owned(),
            about,
            launch,
            defaults,
            optional: BTreeMap::new(),
        };
        let have = this.placeholders();
        for name in this.defaults.keys() {
            if !have.contains(name) {
                return Err(CaptureError::Unasked {
                    file: file.to_owned(),
                    name: name.clone(),
                    have: list(have),
                });
            }
        }
        Ok(this)
    }

    /// The launch line with every `{name}` replaced by its value, quoted.
    /// Refuses values that it has no placeholder for.
    pub fn render(&self, given: &Values) -> Result<String, CaptureError> {
        let have = self.placeholders();
        if let Some(name) = given.keys().find(|name| !have.contains(*name)) {
            return Err(CaptureError::Unasked {
                file: self.file.clone(),
                name: name.clone(),
                have: list(have),
            });
        }
        self.fill(given)
    }

    /// The launch line with fragments of other descriptions put in as they are.
    pub fn compose(&self, fragments: &[(&str, &str)]) -> Result<String, CaptureError> {
        split(&self.launch, |name| {
            let fragment = fragments.iter().find(|(n, _)| *n == name);
            fragment.map(|(_, text)| text.trim().to_owned())
        })
        .map_err(|name| self.unfilled(name))
    }

    fn fill(&self, given: &Values) -> Result<String, CaptureError> {
        split(&self.launch, |name| {
            let value = given.get(name).or_else(|| self.defaults.get(name));
            let value = value.map(Value::quoted);
            match (value, self.optional.get(name)) {
                (Some(value), None) => Some(value),
                // It was checked to have this placeholder and no other.
                (Some(value), Some(part)) => split(part, |_| Some(value.clone())).ok(),
                (None, part) => part.map(|_| String::new()),
            }
        })
        .map_err(|name| self.unfilled(name))
    }

    fn unfilled(&self, name: String) -> CaptureError {
        CaptureError::Unfilled {
            file: self.file.clone(),
            name,
        }
    }

    /// The names of the placeholders in the launch line.
    pub fn placeholders(&self) -> BTreeSet<String> {
        placeholders_of(&self.launch)
    }

    fn expect_placeholders(&self, wanted: &[&str]) -> Result<(), CaptureError> {
        let have = self.placeholders();
        if let Some(name) = wanted.iter().find(|name| !have.contains(**name)) {
            return Err(CaptureError::Description {
                file: self.file.clone(),
                why: format!("the launch line must have the placeholder {{{name}}}"),
            });
        }
        match have.iter().find(|name| !wanted.contains(&name.as_str())) {
            Some(name) => Err(self.unfilled(name.clone())),
            None => Ok(()),
        }
    }
}

fn placeholders_of(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let all = split(text, |name| {
        names.insert(name.to_owned());
        Some(String::new())
    });
    debug_assert!(all.is_ok());
    names
}

/// Replaces every `{name}`, where a name is lower-case letters, digits and
/// underscores; other braces (GStreamer's lists, `{ I420, NV12 }`) stay. The
/// error is the first name that `value` does not know.
fn split(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let after = &rest[open + 1..];
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && (name.bytes()).all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        match after.find('}').map(|close| (&after[..close], close)) {
            Some((name, close)) if is_name(name) => {
                out.push_str(&value(name).ok_or_else(|| name.to_owned())?);
                rest = &after[close + 1..];
            }
            _ => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn list(names: impl IntoIterator<Item = String>) -> String {
    let names: Vec<String> = names.into_iter().collect();
    if names.is_empty() {
        "none".into()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(launch: &str, defaults: &[(&str, Value)]) -> Description {
        let defaults = (defaults.iter().cloned())
            .map(|(k, v)| (k.to_owned(), v))
            .collect();
        Description::new(Path::new("t.toml"), "".into(), launch.into(), defaults).unwrap()
    }

    #[test]
    fn values_fill_placeholders_and_lists_stay() {
        let d = description("a={a} b={b} f={ I420, NV12 } {X}", &[("b", 7i64.into())]);
        let given = Values::from([("a".to_owned(), "25/2".into())]);
        assert_eq!(d.render(&given).unwrap(), "a=25/2 b=7 f={ I420, NV12 } {X}");
    }

    #[test]
    fn a_value_can_never_add_an_element() {
        let d = description("filesrc location={path}", &[]);
        let given = Values::from([("path".to_owned(), r#"a "b" ! fakesink \"#.into())]);
        assert_eq!(
            d.render(&given).unwrap(),
            r#"filesrc location="a \"b\" ! fakesink \\""#
        );
    }

    fn source_of(text: &str) -> Result<SourceDescription, CaptureError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("source-t.toml");
        let head = "about = \"A.\"\nsubject = \"s\"\n";
        std::fs::write(&file, format!("{head}{text}")).unwrap();
        source(&file)
    }

    fn launches(source: &SourceDescription, given: &[(&str, &str)]) -> Vec<(String, String)> {
        let given = given.iter().map(|(k, v)| (k.to_string(), Value::from(*v)));
        let all = source.variants(&given.collect()).unwrap();
        all.into_iter().map(|v| (v.name, v.text)).collect()
    }

    #[test]
    fn what_is_optional_is_left_out_without_a_value() {
        let text = "launch = \"src {name} ! x{rate}\"\n[optional]\nname = \"n={name}\"\nrate = \",r={rate}\"";
        let source = source_of(text).unwrap();
        let only = |given: &[(&str, &str)]| launches(&source, given).remove(0).1;
        assert_eq!(only(&[]), "src  ! x");
        assert_eq!(only(&[("rate", "5/1")]), "src  ! x,r=5/1");
        let wicked = only(&[("name", "a\" ! filesink b=\"")]);
        assert_eq!(wicked, r#"src n="a\" ! filesink b=\"" ! x"#);
        for wrong in [
            "name = \"n={name} {other}\"",
            "name = \"n\"",
            "other = \"{other}\"",
        ] {
            let error = source_of(&format!("launch = \"{{name}}\"\n[optional]\n{wrong}"));
            let error = error.unwrap_err().to_string();
            assert!(error.contains("source-t.toml"), "{error}");
        }
    }

    #[test]
    fn fallbacks_begin_with_what_was_asked_for_and_go_round() {
        let text = "launch = \"src io={io}\"\n[defaults]\nio = \"auto\"\n[fallback]\nio = [\"dma\", \"map\", \"rw\"]";
        let source = source_of(text).unwrap();
        let pair = |io: &str| (format!("io = {io}"), format!("src io={io}"));
        let plain = (String::new(), "src io=auto".to_owned());
        assert_eq!(launches(&source, &[]), [plain]);
        let turns = launches(&source, &[("io", "map")]);
        assert_eq!(turns, [pair("map"), pair("rw"), pair("dma")]);
        let two = format!("{text}\nother = []");
        assert!(source_of(&two).is_err());
    }

    #[test]
    fn what_is_not_filled_or_not_asked_for_is_named() {
        let d = description("a={a}", &[]);
        let error = d.render(&Values::new()).unwrap_err().to_string();
        assert!(error.contains("t.toml") && error.contains("{a}"), "{error}");
        let given = Values::from([
            ("colour".to_owned(), 1i64.into()),
            ("a".to_owned(), 1i64.into()),
        ]);
        let error = d.render(&given).unwrap_err().to_string();
        assert!(
            error.contains("{colour}") && error.contains("it has a"),
            "{error}"
        );
    }
}
