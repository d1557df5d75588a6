//! A leaf of a rule as a question to the model, phrased as the built-in model
//! was trained to be asked.

use scene::{Concept, Question, QuestionKind};

use crate::noun::{article, plural, takes_no_article, with_article};
use crate::{Predicate, Rule};

/// Openings of qualifiers that stand after the noun.
const TRAILING: &[&str] = &[
    "not ",
    "wearing ",
    "carrying ",
    "holding ",
    "with ",
    "without ",
    "in queue",
    "on ",
    "out of ",
    "upside down",
    "pushing ",
    "riding ",
    "pulling ",
    "using ",
    "made of ",
    "left ",
    "facing ",
];

/// States of posture, which stand after the noun.
pub(crate) const POSTURES: &[&str] = &[
    "lying",
    "sitting",
    "standing",
    "sleeping",
    "kneeling",
    "crouching",
    "leaning",
    "waiting",
    "loitering",
    "lying down",
];

fn is_trailing(qualifier: &str) -> bool {
    TRAILING.iter().any(|t| qualifier.starts_with(t))
        || POSTURES.contains(&qualifier)
        || qualifier
            .split(' ')
            .next()
            .is_some_and(|w| w.ends_with("ing") && w.len() > 5 && w != "missing")
}

/// "climb" -> "climbing".
pub(crate) fn gerund(verb: &str) -> String {
    let (head, rest) = verb.split_once(' ').map_or((verb, ""), |(h, r)| (h, r));
    let b = head.as_bytes();
    let vowel = |c: u8| b"aeiou".contains(&c);
    let n = b.len();
    let stem = if head == "lie" || head == "die" || head == "tie" {
        format!("{}ying", &head[..n - 2])
    } else if head.ends_with("ee") || !head.ends_with('e') {
        let doubles = n >= 3
            && !vowel(b[n - 1])
            && !b"wxy".contains(&b[n - 1])
            && vowel(b[n - 2])
            && !vowel(b[n - 3])
            && (n <= 4 || matches!(head, "begin" | "unplug"));
        if doubles {
            format!("{head}{}ing", b[n - 1] as char)
        } else {
            format!("{head}ing")
        }
    } else {
        format!("{}ing", &head[..n - 1])
    };
    if rest.is_empty() {
        stem
    } else {
        format!("{stem} {rest}")
    }
}

/// A deed as (verb, particle, what it is done to): "pick up parcel" is
/// ("pick", "up", "parcel").
pub(crate) fn deed_parts(action: &str) -> (&str, &str, &str) {
    let (verb, rest) = action.split_once(' ').unwrap_or((action, ""));
    let (first, more) = rest.split_once(' ').unwrap_or((rest, ""));
    const PARTICLES: &[&str] = &[
        "up", "down", "off", "out", "over", "away", "open", "into", "through", "under",
    ];
    if PARTICLES.contains(&first) {
        (verb, first, more)
    } else {
        (verb, "", rest)
    }
}

/// "open hatch" -> "opening a hatch" after "opening".
pub(crate) fn with_object(verb: &str, particle: &str, object: &str) -> String {
    let object = match object {
        "" => String::new(),
        "something" | "someone" => object.to_owned(),
        noun => with_article(noun),
    };
    join(&[verb, particle, &object])
}

/// What a question in plain English is about, where the grammar can tell and
/// the whole picture is meant: "Is there a fire?", "How many people are there?"
/// (a count question is a count rule without its number).
pub fn concept_of(question: &str) -> Option<Concept> {
    let words = question.trim().trim_end_matches(['?', ' ']);
    let counted = (words.get(..8)).is_some_and(|start| start.eq_ignore_ascii_case("how many"));
    let rule = if counted {
        let rest = words[8..].trim_end().trim_end_matches(" are there");
        crate::read(&format!("more than 0{}", rest.trim_end_matches(" in view")))
    } else {
        crate::read(question)
    };
    let rule = rule.ok()?;
    let simple = rule.zone.is_none() && rule.schedule.is_none() && rule.subject.is_some();
    simple.then(|| concept(&rule))
}

/// What a leaf is about: the noun and all that narrows it.
pub(crate) fn concept(leaf: &Rule) -> Concept {
    let subject = leaf.subject.as_deref().unwrap_or("object");
    let mut qualifiers = Vec::new();
    let mut noun = subject;
    if let Some(rest) = noun.strip_prefix("unattended ") {
        noun = rest;
        qualifiers.push("unattended".to_owned());
    }
    if let Some(rest) = noun.strip_suffix(" in queue") {
        noun = rest;
        qualifiers.push("in queue".to_owned());
    }
    if noun == "any object" {
        noun = "object";
    }
    qualifiers.extend(leaf.attributes.iter().cloned());
    qualifiers.extend(leaf.state.clone());
    if let Some(action) = &leaf.action
        && !crate::arm::is_passage(action)
    {
        qualifiers.push(match &leaf.direction {
            Some(d) => format!("{} {d}", gerund(action)),
            None => gerund(action),
        });
    }
    Concept {
        noun: noun.to_owned(),
        qualifiers,
    }
}

/// A qualifier as it stands in a sentence: "not wearing hard hat" becomes
/// "not wearing a hard hat".
pub(crate) fn spoken(qualifier: &str) -> String {
    if qualifier == "in queue" {
        return "in the queue".into();
    }
    for verb in [
        "not wearing ",
        "wearing ",
        "carrying ",
        "holding ",
        "without ",
        "with ",
        "pushing ",
        "riding ",
    ] {
        if let Some(thing) = qualifier.strip_prefix(verb) {
            return format!("{verb}{}", with_article(thing));
        }
    }
    let (verb, particle, object) = deed_parts(qualifier);
    if verb.ends_with("ing") && !object.is_empty() {
        return with_object(verb, particle, object);
    }
    qualifier.to_owned()
}

fn join(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|p| !p.is_empty()).collect();
    parts.join(" ")
}

/// The words of a leaf's concept: (before the noun, noun, after the noun).
pub(crate) fn words(concept: &Concept) -> (String, String, String) {
    let (after, before): (Vec<_>, Vec<_>) = concept.qualifiers.iter().partition(|q| is_trailing(q));
    let before: Vec<&str> = before.iter().map(|s| s.as_str()).collect();
    // Queue last: "not wearing a mask in the queue at the till".
    let mut after: Vec<&String> = after;
    after.sort_by_key(|q| q.as_str() == "in queue");
    let after: Vec<String> = after.iter().map(|q| spoken(q)).collect();
    (before.join(" "), concept.noun.clone(), after.join(" and "))
}

/// The question for a leaf. `crop` is the drawn zone it looks at.
pub(crate) fn question(leaf: &Rule, crop: Option<scene::Id>) -> Question {
    let about = concept(leaf);
    let (before, noun, mut after) = words(&about);
    after = after.replace(" and in the queue", " in the queue");
    let place = leaf.place.clone().unwrap_or_default();
    let (ask, kind) = if leaf.predicate == Some(Predicate::Count) {
        let many = join(&[&before, &plural(&noun)]);
        let rest = join(&[&after, &place]);
        let be = if takes_no_article(&noun) && plural(&noun) == noun {
            "How much"
        } else {
            "How many"
        };
        let ask = if rest.is_empty() {
            format!("{be} {many} are there?")
        } else {
            format!("{be} {many} are {rest}?")
        };
        (ask, QuestionKind::Count)
    } else {
        let thing = join(&[&before, &noun]);
        let article = if takes_no_article(&noun) || crate::noun::is_plural(&noun) {
            ""
        } else {
            article(&thing)
        };
        let ask = format!("Is there {}?", join(&[article, &thing, &after, &place]));
        (ask, QuestionKind::YesNo)
    };
    Question {
        ask,
        kind,
        crop,
        about: Some(about),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_about_what_they_name() {
        let noun = |text| concept_of(text).map(|c| (c.noun, c.qualifiers));
        let plain = |noun: &str| Some((noun.to_string(), Vec::new()));
        assert_eq!(noun("Is there a fire?"), plain("fire"));
        assert_eq!(noun("How many people are there?"), plain("person"));
        assert_eq!(noun("how many cars?"), plain("car"));
        assert_eq!(noun("What is on the table?"), None);
        assert_eq!(noun("How many"), None);
        assert_eq!(noun("é"), None);
        assert_eq!(
            noun("How many people are at the till?"),
            None,
            "a place narrows it"
        );
    }
}
