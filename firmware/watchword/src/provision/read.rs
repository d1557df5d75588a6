//! Judging a provisioning file. It is walked key by key instead of handed to
//! serde as a whole: so all problems are told at once, and nothing that a
//! parser would repeat of a secret value is.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use scene::Id;
use serde::Deserialize;
use toml::{Table, Value};

use super::keys::{Mqtt, Password, Provision};
use super::network::{Network, Written};
use super::problem::{HIDDEN, Problem, Problems, kind, nearest, quoted, shown};
use super::{MAX_BYTES, ssh};
use crate::config::{Config, ConfigError, SourceConfig, VideoConfig};
use crate::share::Share;

mod mqtt;
mod placeholder;
mod source;

/// Every key outside `[source]` and `[video]`, which have their own types, and
/// `[rules]`, whose keys are ids.
const KEYS: [(&str, &[&str]); 5] = [
    (
        "",
        &[
            "camera",
            "time_zone",
            "position",
            "snapshot",
            "mqtt",
            "source",
            "video",
            "network",
            "ssh",
            "rules",
        ],
    ),
    ("mqtt", &["url", "username", "password", "ca", "ca_file"]),
    ("network", &["address", "gateway", "dns", "ntp"]),
    ("ssh", &["authorized_keys"]),
    ("position", &["latitude_degrees", "longitude_degrees"]),
];

/// Reads a file, but no more of it than tells that it is too large.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Judges a provisioning file. `beside` is the folder that it lies in, where a
/// CA file is looked for; `share` has the encoders that `[video]` may name.
/// Whether a clip of `[source]` exists is not looked at: it is on the camera.
pub fn read(bytes: &[u8], beside: &Path, share: &Share) -> Result<Provision, Vec<Problem>> {
    let mut problems = Problems::default();
    let provision = text(bytes, &mut problems)
        .and_then(|text| table(&text, &mut problems))
        .map(|table| walk(table, beside, share, &mut problems));
    match provision {
        Some(provision) if problems.is_empty() => Ok(provision),
        _ => Err(problems.into_vec()),
    }
}

/// The file's text without a byte order mark.
fn text(bytes: &[u8], problems: &mut Problems) -> Option<String> {
    let mut wrong = |value: &str, remedy: &str| {
        problems.add("the file", value, remedy);
        None
    };
    if bytes.len() > MAX_BYTES {
        let value = format!("more than {} KiB", MAX_BYTES / 1024);
        return wrong(
            &value,
            "a provisioning file is a short text; is this the right file?",
        );
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return wrong(
            "UTF-16 text",
            "save it as UTF-8; Notepad offers that in \"Save as\"",
        );
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return wrong("not UTF-8 text", "save it as plain text in UTF-8");
    };
    if text.contains('\0') {
        return wrong(
            "(holds zero bytes)",
            "it was not written whole; copy it again",
        );
    }
    Some(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())
}

/// The file as TOML. The parser's own message would show the line, so only its
/// place and the sort of mistake are told.
fn table(text: &str, problems: &mut Problems) -> Option<Table> {
    match text.parse::<Table>() {
        Ok(table) => Some(table),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start).min(text.len());
            let before = text.get(..at).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .chars()
                .count()
                + 1;
            // Messages of the parser are its own words; whatever it may quote
            // of the text is cut.
            let said: String = error.message().chars().take_while(|c| *c != '`').collect();
            let said = said
                .lines()
                .next()
                .unwrap_or_default()
                .trim_end_matches([',', ' ']);
            let remedy = format!(
                "this is not TOML ({said}); write key = \"value\", texts in straight quotes, and each key once"
            );
            problems.add(format!("line {line}, column {column}"), HIDDEN, &remedy);
            None
        }
    }
}

fn walk(mut root: Table, beside: &Path, share: &Share, problems: &mut Problems) -> Provision {
    placeholder::find(&root, problems);
    let sets_nothing = root.is_empty();
    let mut section = |name: &str, problems: &mut Problems| match root.remove(name) {
        None => Table::new(),
        Some(Value::Table(table)) => table,
        Some(other) => {
            let remedy = format!("write a section: [{name}] on a line, its keys below");
            problems.add(name, format!("({})", kind(&other)), &remedy);
            Table::new()
        }
    };
    let mut mqtt = section("mqtt", problems);
    let source = section("source", problems);
    let video = section("video", problems);
    let mut network = section("network", problems);
    let mut ssh = section("ssh", problems);
    let rules = section("rules", problems);
    let position = root.remove("position");

    let mut provision = Provision {
        sets_nothing,
        ..Provision::default()
    };
    if let Some(name) = take_text(&mut root, "", "camera", problems) {
        provision.camera = read_id("camera", &name, problems);
    }
    if let Some(zone) = take_text(&mut root, "", "time_zone", problems) {
        match jiff::tz::TimeZone::get(&zone) {
            // Spelt as the database has it: it becomes a path.
            Ok(known) if zone != "Etc/Unknown" => {
                provision.time_zone = known.iana_name().map(str::to_owned);
            }
            _ => problems.add(
                "time_zone",
                quoted(&zone),
                "not a known IANA time zone such as Europe/London",
            ),
        }
    }
    if let Some(position) = position {
        if let Value::Table(table) = &position {
            unknown(table, "position", problems);
        }
        provision.position = leaf("position", position, problems);
    }
    if let Some(snapshot) = root.remove("snapshot") {
        provision.snapshot = leaf("snapshot", snapshot, problems).unwrap_or(provision.snapshot);
    }
    unknown(&root, "", problems);

    provision.mqtt = mqtt::read(&mut mqtt, beside, problems);
    unknown(&mqtt, "mqtt", problems);
    (provision.source, provision.source_password) = source::read(source, problems);
    provision.video = whole::<VideoConfig>("video", &Table::new(), video, problems);
    provision.network = Network::read(
        &Written {
            address: take_text(&mut network, "network", "address", problems),
            gateway: take_text(&mut network, "network", "gateway", problems),
            dns: take_texts(&mut network, "network", "dns", problems),
            ntp: take_texts(&mut network, "network", "ntp", problems),
        },
        problems,
    );
    unknown(&network, "network", problems);
    provision.authorized_keys = authorized_keys(&mut ssh, problems);
    unknown(&ssh, "ssh", problems);
    for (id, sentence) in rules {
        rule(id, sentence, &mut provision, problems);
    }
    ranges(&provision, share, problems);
    provision
}

fn authorized_keys(ssh: &mut Table, problems: &mut Problems) -> Vec<String> {
    let lines = take_texts(ssh, "ssh", "authorized_keys", problems);
    if lines.len() > ssh::MOST_KEYS {
        let value = format!("({} keys)", lines.len());
        problems.add("ssh.authorized_keys", value, "name 32 at most");
    }
    let mut keys = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        match ssh::public_key(line) {
            Ok(key) => keys.push(key),
            Err(why) => problems.add(format!("ssh.authorized_keys[{i}]"), HIDDEN, &why),
        }
    }
    keys
}

fn rule(id: String, sentence: Value, provision: &mut Provision, problems: &mut Problems) {
    let key = format!("rules.{id}");
    let Value::String(sentence) = sentence else {
        let remedy = "write id = \"sentence\"";
        return problems.add(key, format!("({})", kind(&sentence)), remedy);
    };
    let Some(id) = read_id(&key, &id, problems) else {
        return;
    };
    match rules::read(&sentence) {
        Ok(_) => drop(provision.rules.insert(id, sentence)),
        Err(refusal) => {
            let offer = refusal.offer.map(|offer| format!("; try: {offer}"));
            let why = refusal.why.trim_end_matches('.');
            let remedy = format!("{why}{}", offer.unwrap_or_default());
            problems.add(key, quoted(&sentence), &remedy);
        }
    }
}

/// What the daemon's own check says of ranges and files of `share`.
fn ranges(provision: &Provision, share: &Share, problems: &mut Problems) {
    let mut config = Config {
        time_zone: provision.time_zone.clone(),
        position: provision.position,
        source: provision.source.clone(),
        video: provision.video.clone(),
        ..Config::default()
    };
    if let SourceConfig::File { .. } = config.source {
        config.source = SourceConfig::Test;
    }
    if let Err(ConfigError::Invalid { problems: said }) = config.check(share) {
        // Which board it is says the image, not this file.
        for line in said.iter().filter(|line| !line.starts_with("board.")) {
            // "key = value: remedy", see ConfigError::Invalid.
            let (key, rest) = line.split_once(" = ").unwrap_or((line, HIDDEN));
            let (value, remedy) = rest.split_once(": ").unwrap_or((HIDDEN, rest));
            problems.add(key, value, remedy);
        }
    }
}

fn read_id(key: &str, text: &str, problems: &mut Problems) -> Option<Id> {
    match Id::new(text) {
        Ok(id) => Some(id),
        Err(_) => {
            let offer = Id::slug(text).map(|id| format!("; write {id}"));
            let remedy = format!(
                "an id is 1 to 40 of a-z, 0-9 and '-'{}",
                offer.unwrap_or_default()
            );
            problems.add(key, quoted(text), &remedy);
            None
        }
    }
}

fn dotted(section: &str, key: &str) -> String {
    match section {
        "" => key.into(),
        _ => format!("{section}.{key}"),
    }
}

/// Takes a text out of `table`. Its value is never told where it is not a
/// text: it may be a password without its quotes.
fn take_text(
    table: &mut Table,
    section: &str,
    key: &str,
    problems: &mut Problems,
) -> Option<String> {
    match table.remove(key)? {
        Value::String(text) => Some(text),
        other => {
            let value = format!("({})", kind(&other));
            problems.add(dotted(section, key), value, "write a text in quotes");
            None
        }
    }
}

/// Takes a list of texts out of `table`.
fn take_texts(table: &mut Table, section: &str, key: &str, problems: &mut Problems) -> Vec<String> {
    let name = dotted(section, key);
    let remedy = "write a list of texts: [\"…\", \"…\"]";
    match table.remove(key) {
        None => Vec::new(),
        Some(Value::Array(values)) => {
            let mut texts = Vec::new();
            for (i, value) in values.into_iter().enumerate() {
                match value {
                    Value::String(text) => texts.push(text),
                    other => {
                        let value = format!("({})", kind(&other));
                        problems.add(format!("{name}[{i}]"), value, remedy);
                    }
                }
            }
            texts
        }
        Some(other) => {
            problems.add(name, format!("({})", kind(&other)), remedy);
            Vec::new()
        }
    }
}

/// A value that is not secret, by its own type.
fn leaf<T: for<'de> Deserialize<'de>>(
    key: &str,
    value: Value,
    problems: &mut Problems,
) -> Option<T> {
    let show = shown(&value);
    T::deserialize(value)
        .map_err(|error| problems.add(key, show, error.message().trim_end()))
        .ok()
}

/// A section by its own type, in which every key has a default, besides those
/// of `base`, which are known to be right. Each key is tried by itself, so that
/// all that are wrong are named.
fn whole<T: for<'de> Deserialize<'de> + Default>(
    section: &str,
    base: &Table,
    table: Table,
    problems: &mut Problems,
) -> T {
    let mut all = base.clone();
    for (key, value) in table {
        let mut alone = base.clone();
        alone.insert(key.clone(), value.clone());
        match T::deserialize(Value::Table(alone)) {
            Ok(_) => drop(all.insert(key, value)),
            Err(error) => {
                let name = dotted(section, &key);
                let message = error.message().trim_end();
                if message.starts_with("unknown field") {
                    // "unknown field `a`, expected one of `b`, `c`"
                    let mut known: Vec<_> = message.split('`').skip(3).step_by(2).collect();
                    // Its own file is what the camera makes of a password.
                    for name in known.iter_mut().filter(|name| **name == "password_file") {
                        *name = "password";
                    }
                    tell_unknown(section, &key, &known, problems);
                } else if name == "video.rtsp" {
                    let remedy = "write address and port, such as 127.0.0.1:8554";
                    problems.add(name, shown(&value), remedy);
                } else if message.starts_with("invalid value: integer") {
                    let remedy = "such a number can't be; it is negative or far too large";
                    problems.add(name, shown(&value), remedy);
                } else {
                    problems.add(name, shown(&value), message);
                }
            }
        }
    }
    // Those that are right are kept, so that their ranges are looked at too.
    match T::deserialize(Value::Table(all)) {
        Ok(read) => read,
        Err(error) => {
            problems.add(section, "(a section)", error.message().trim_end());
            T::default()
        }
    }
}

/// Names the keys that are left in `table` and not known there.
fn unknown(table: &Table, section: &str, problems: &mut Problems) {
    let known = KEYS.iter().find(|(name, _)| *name == section);
    let known = known.map_or(&[] as &[&str], |(_, keys)| keys);
    for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
        tell_unknown(section, key, known, problems);
    }
}

fn tell_unknown(section: &str, key: &str, known: &[&str], problems: &mut Problems) {
    let elsewhere = KEYS
        .iter()
        .find(|(name, keys)| *name != section && keys.contains(&key));
    let remedy = match (nearest(key, known.iter().copied()), elsewhere) {
        (Some(near), _) => format!("there is no such key; did you mean {near}?"),
        (None, Some(("", _))) => {
            format!("there is no such key in [{section}]; write it above the first [section]")
        }
        (None, Some((place, _))) => format!("there is no such key here; it belongs in [{place}]"),
        (None, None) if known.is_empty() => "there is no such key; leave it out".into(),
        (None, None) => format!(
            "there is no such key; those known here are {}",
            known.join(", ")
        ),
    };
    problems.add(dotted(section, key), HIDDEN, &remedy);
}

/// A password that can be stored as one line, else what to do.
fn password(text: String) -> Result<Password, &'static str> {
    if text.is_empty() {
        Err("it is empty; write the password, or leave the key out")
    } else if text.chars().any(char::is_control) {
        Err("it holds a line end or another control character; write it on one line")
    } else if text.len() > 1024 {
        Err("it is longer than 1024 bytes; no broker or camera takes that")
    } else {
        Ok(Password::new(text))
    }
}

/// A user name that can be sent, else what to do.
fn username(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("it is empty; write the name, or leave the key out")
    } else if text.chars().any(char::is_control) || text.len() > 1024 {
        Err("write it on one line, 1024 bytes at most")
    } else {
        Ok(())
    }
}

/// The parts of [`Mqtt`] and of `[source]` that log in.
fn login(
    section: &str,
    table: &mut Table,
    problems: &mut Problems,
) -> (Option<String>, Option<Password>) {
    let name = take_text(table, section, "username", problems);
    let given = name.is_some();
    let name = name.filter(|name| match username(name) {
        Ok(()) => true,
        Err(why) => {
            problems.add(dotted(section, "username"), quoted(name), why);
            false
        }
    });
    let secret = take_text(table, section, "password", problems);
    if secret.is_some() && !given {
        let remedy = "a password needs a user name";
        problems.add(dotted(section, "username"), "(absent)", remedy);
    }
    let secret = secret.and_then(|text| match password(text) {
        Ok(password) => Some(password),
        Err(why) => {
            problems.add(dotted(section, "password"), HIDDEN, why);
            None
        }
    });
    if table.remove("password_file").is_some() {
        let remedy = "write password = \"…\" itself; the camera moves it into a file of its own";
        problems.add(dotted(section, "password_file"), HIDDEN, remedy);
    }
    (name, secret)
}
