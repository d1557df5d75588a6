//! What was left in a template: "<password>", "CHANGE-ME".

use toml::{Table, Value};

use crate::provision::problem::{HIDDEN, Problems};

/// Words of templates, without what may stand between them.
const WORDS: [&str; 6] = [
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "yourpassword",
    "fillmein",
];

/// Names every text that looks like a placeholder. It is not shown: it may be a
/// real password after all.
pub(super) fn find(table: &Table, problems: &mut Problems) {
    for (key, value) in table {
        look(key, value, problems);
    }
}

fn look(key: &str, value: &Value, problems: &mut Problems) {
    match value {
        Value::String(text) => {
            // A true password may well hold a '<' and a '>' somewhere, and a
            // sentence the words.
            let whole = key.ends_with("password") || key.starts_with("rules.");
            if is_placeholder(text, whole) {
                let remedy =
                    "this looks like a placeholder; write the true value, or take the line out";
                problems.add(key, HIDDEN, remedy);
            }
        }
        Value::Array(values) => {
            for (i, value) in values.iter().enumerate() {
                look(&format!("{key}[{i}]"), value, problems);
            }
        }
        Value::Table(table) => {
            for (name, value) in table {
                look(&format!("{key}.{name}"), value, problems);
            }
        }
        _ => {}
    }
}

/// `whole`: only a text that is nothing but a placeholder is one.
fn is_placeholder(text: &str, whole: bool) -> bool {
    let text = text.trim();
    let in_brackets = match text.split_once('<').and_then(|(before, rest)| {
        let (inside, after) = rest.split_once('>')?;
        Some((before, inside, after))
    }) {
        Some((before, inside, after)) => {
            inside.starts_with(|c: char| c.is_alphabetic() || c == '.' || c == '…')
                && (!whole || (before.is_empty() && after.is_empty()))
        }
        None => false,
    };
    let plain: String = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    in_brackets
        || WORDS
            .iter()
            .any(|word| plain.contains(word) && (!whole || plain == *word))
}

#[cfg(test)]
mod tests {
    use super::is_placeholder;

    #[test]
    fn templates_are_told_from_true_values() {
        for (text, whole) in [
            ("<password>", true),
            (" <your password> ", true),
            ("CHANGE-ME", true),
            ("change_me!", true),
            ("mqtt://<broker>:1883", false),
            ("mqtt://u:CHANGE-ME@host", false),
            ("ssh-ed25519 <your key>", false),
        ] {
            assert!(is_placeholder(text, whole), "{text}");
        }
        for (text, whole) in [
            ("a<b>c9!", true),
            ("never-change-me-again", true),
            ("more than 3 < 4 > 2", false),
            ("mqtt://broker:1883", false),
            ("tell me when a change is made", false),
        ] {
            assert!(!is_placeholder(text, whole), "{text}");
        }
    }
}
