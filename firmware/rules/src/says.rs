//! A rule as one plain sentence, with all defaults; the grammar reads it back
//! as the same rule.

use crate::ask::{POSTURES, concept, deed_parts, gerund, spoken, with_object, words};
use crate::noun::{article, plural, takes_no_article, with_article};
use crate::{Comparator, Day, Dedup, Predicate, Rule, Schedule, Seconds, Threshold, TimeOfDay};

fn join(parts: &[&str]) -> String {
    parts
        .iter()
        .copied()
        .filter(|p| !p.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// "more than 10", "from 2 to 5", "at least 1".
pub(crate) fn needs(rule: &Rule) -> String {
    let threshold = rule.threshold.unwrap_or(Threshold::One(1));
    let (low, high) = match threshold {
        Threshold::One(n) => (n, n),
        Threshold::Range([low, high]) => (low, high),
    };
    match rule.comparator.unwrap_or(Comparator::Ge) {
        Comparator::Gt => format!("more than {low}"),
        Comparator::Ge => format!("at least {low}"),
        Comparator::Lt => format!("fewer than {low}"),
        Comparator::Le => format!("at most {low}"),
        Comparator::Eq => format!("exactly {low}"),
        Comparator::Ne => format!("not exactly {low}"),
        Comparator::Between => format!("between {low} and {high}"),
    }
}

fn only_one(rule: &Rule) -> bool {
    rule.threshold == Some(Threshold::One(1))
}

/// The thing with all that narrows it, in the plural or with its article:
/// (before the place, from the place on).
fn thing(rule: &Rule, many: bool) -> String {
    let mut bare = rule.clone();
    bare.state = None;
    bare.action = None;
    let (before, noun, after) = words(&concept(&bare));
    let noun = if rule.subject.as_deref() == Some("any object") {
        "object".to_owned()
    } else {
        noun
    };
    let noun = if many { plural(&noun) } else { noun };
    let after = after.replace(" and in the queue", " in the queue");
    let head = join(&[&before, &noun]);
    if rule.subject.as_deref() == Some("any object") && !many && before.is_empty() {
        let word = if rule.predicate == Some(Predicate::Absence) {
            "object"
        } else {
            "anything"
        };
        return join(&[word, &after]);
    }
    let head = if many || takes_no_article(&noun) || rule.predicate == Some(Predicate::Absence) {
        head
    } else {
        format!("{} {head}", article(&head))
    };
    join(&[&head, &after])
}

/// (between the verb and the place, behind the place): "the wrong way" for
/// `wrong_way`; a way that the place's words say already is not said twice.
fn spoken_direction(leaf: &Rule) -> (&str, &'static str) {
    let place = leaf.place.as_deref().unwrap_or("");
    let before = match leaf.direction.as_deref() {
        Some("wrong_way")
            if !place.is_empty() && leaf.action.as_deref().is_some_and(crate::arm::is_passage) =>
        {
            return ("", "the wrong way");
        }
        // "falls left kitchen" names the place without any preposition.
        Some(way @ ("left" | "right"))
            if place.split(' ').next().is_some_and(|first| {
                !first.is_empty()
                    && !crate::grammar::is_preposition(first)
                    && !matches!(first, "the" | "a" | "an" | "next" | "close")
            }) =>
        {
            way
        }
        Some("left") if !place.is_empty() => return ("", "from right to left"),
        Some("right") if !place.is_empty() => return ("", "from left to right"),
        Some(way @ ("up" | "down" | "toward" | "away")) if place.starts_with(way) => "",
        Some("wrong_way") => "the wrong way",
        Some("toward") => "towards the camera",
        Some("away") => "away from the camera",
        Some(other) => other,
        None => "",
    };
    (before, "")
}

/// Whether the place is where somebody is, but would be where they go, or
/// where the thing is that they do something to, behind the verb.
fn leads(leaf: &Rule, place: &str) -> bool {
    let action = leaf.action.as_deref().unwrap_or("");
    let (verb, _, object) = deed_parts(action);
    if leaf.direction.is_some() || crate::arm::is_passage(action) || place.is_empty() {
        return false;
    }
    // "in front of the aisle jumps a fence"
    if matches!(
        verb,
        "climb" | "jump" | "vault" | "scale" | "hop" | "leap" | "block" | "obstruct" | "occupy"
    ) {
        return !object.is_empty()
            || matches!(
                place.split(' ').next().unwrap_or(""),
                "toward" | "towards" | "away" | "inside" | "outside"
            );
    }
    matches!(
        place.split(' ').next().unwrap_or(""),
        "toward" | "towards" | "up" | "away" | "inside" | "outside" | "over" | "across" | "through"
    )
}

/// Whether the verb might go on with what stands before it: "carrying a box
/// rides", "over the bay rides".
fn goes_on(leaf: &Rule, place: &str, verb: &str) -> bool {
    let first = place.split(' ').next().unwrap_or("");
    let apart = !leads(leaf, place) && !first.is_empty() && {
        crate::grammar::is_preposition(first)
            || matches!(first, "the" | "a" | "an" | "next" | "close")
    };
    (leads(leaf, place) || leaf.attributes.iter().any(|a| a.contains(' ')))
        && !apart
        && crate::grammar::is_plural_too(verb)
}

/// Whether it is somebody, of whom "is moving" says a deed.
fn is_somebody(leaf: &Rule) -> bool {
    matches!(
        leaf.subject.as_deref(),
        Some("person" | "worker" | "person in queue")
    )
}

/// A state in -ing that is a deed behind "is": "a moving car", where "a car is
/// moving in the yard" is one that moves.
fn like_a_deed(state: &str) -> bool {
    state.ends_with("ing")
        && (matches!(state, "moving" | "running" | "smoking") || !crate::grammar::is_state(state))
}

/// (third person singular, plural) of a verb.
fn inflected(verb: &str, many: bool) -> String {
    let (head, particle, object) = deed_parts(verb);
    let head = match head {
        "exit" => "leave",
        "go" if !many => "goes",
        other => other,
    };
    let head = if many || head.ends_with("oes") {
        head.to_owned()
    } else {
        plural_verb(head)
    };
    // "passes someone": "a person" would be the place that is passed.
    let object = match object {
        "person" if verb.starts_with("pass ") || verb.starts_with("approach ") => "someone",
        other => other,
    };
    with_object(&head, particle, object)
}

fn plural_verb(verb: &str) -> String {
    let consonant_y =
        verb.ends_with('y') && !["ay", "ey", "oy", "uy"].iter().any(|e| verb.ends_with(e));
    if consonant_y {
        format!("{}ies", &verb[..verb.len() - 1])
    } else if ["ss", "x", "ch", "sh", "zz", "o"]
        .iter()
        .any(|e| verb.ends_with(e))
    {
        format!("{verb}es")
    } else {
        format!("{verb}s")
    }
}

/// The condition of a leaf as a clause: "more than 10 people are in the queue
/// at passport control".
fn clause(leaf: &Rule) -> String {
    let place = leaf.place.as_deref().unwrap_or("");
    let many = leaf.comparator.is_some() && !only_one(leaf);
    let counted = leaf.comparator.is_some();
    let amount = if counted { needs(leaf) } else { String::new() };
    let uncounted = |rule: &Rule, many: bool| {
        let words = thing(rule, many);
        // "at least 1 person", not "at least 1 a person".
        let bare = words
            .strip_prefix("a ")
            .or(words.strip_prefix("an "))
            .unwrap_or(&words);
        if counted {
            bare.to_owned()
        } else {
            words.clone()
        }
    };
    match leaf.predicate {
        Some(Predicate::Absence) if leaf.subject.as_deref() == Some("any object") => {
            match thing(leaf, false).strip_prefix("object") {
                Some(has) => join(&["there is nothing", has.trim(), place]),
                None => join(&["there is nothing", place]),
            }
        }
        Some(Predicate::Absence) => join(&[
            "there is no",
            leaf.state.as_deref().unwrap_or(""),
            &thing(leaf, false),
            place,
        ]),
        Some(Predicate::Event) => {
            let verb = inflected(leaf.action.as_deref().unwrap_or("appear"), many);
            let (way, behind) = spoken_direction(leaf);
            // "3 doors open" are doors that are open; one that opens is said apart.
            if counted
                && matches!(
                    leaf.action.as_deref(),
                    Some("open" | "close" | "empty" | "clean" | "dry")
                )
            {
                let verb = inflected(leaf.action.as_deref().unwrap_or_default(), false);
                return join(&[
                    &thing(leaf, false),
                    &verb,
                    way,
                    place,
                    behind,
                    &amount,
                    "times",
                ]);
            }
            let things = uncounted(leaf, many);
            // "a bird outside the house moves" does not go outside, and "carrying
            // a box | rides" carries no ride.
            let verb = if goes_on(leaf, place, &verb) {
                let (verb, particle, object) = deed_parts(leaf.action.as_deref().unwrap_or(""));
                let doing = with_object(&gerund(verb), particle, object);
                format!("{} {doing}", if many { "are" } else { "is" })
            } else if matches!(
                place.split(' ').next(),
                Some("a" | "an" | "some" | "his" | "her" | "its" | "their")
            ) && verb.starts_with("leave")
            {
                // "leaves a bag" is left behind.
                verb.replacen("leave", "exit", 1)
            } else {
                verb
            };
            if leads(leaf, place) {
                return join(&[&amount, &things, place, &verb]);
            }
            join(&[&amount, &things, &verb, way, place, behind])
        }
        Some(Predicate::State | Predicate::Count)
            if leaf.state.as_deref().is_some_and(like_a_deed) =>
        {
            let state = leaf.state.as_deref().unwrap_or("");
            let be = if many { "are" } else { "is" };
            let things = uncounted(leaf, many);
            if crate::grammar::is_state(state) && !is_somebody(leaf) {
                return join(&[&amount, &things, place, be, state]);
            }
            let bare = things.strip_prefix("a ").or(things.strip_prefix("an "));
            let bare = bare.unwrap_or(&things);
            let what = match bare.strip_prefix("unattended ") {
                Some(thing) => format!("unattended {state} {thing}"),
                None => format!("{state} {bare}"),
            };
            let article = if counted { "" } else { article(&what) };
            join(&["there", be, &amount, article, &what, place])
        }
        Some(Predicate::State) => {
            let state = leaf.state.as_deref().unwrap_or("");
            let be = if many { "are" } else { "is" };
            join(&[&amount, &uncounted(leaf, many), be, state, place])
        }
        Some(Predicate::Count) if leaf.state.is_some() => {
            let be = if many { "are" } else { "is" };
            let state = leaf.state.as_deref().unwrap_or("");
            join(&[&amount, &uncounted(leaf, many), be, state, place])
        }
        Some(Predicate::Count) if leaf.action.is_some() => {
            let be = if many { "are" } else { "is" };
            let (verb, particle, object) = deed_parts(leaf.action.as_deref().unwrap_or(""));
            let doing = with_object(&gerund(verb), particle, object);
            let (way, behind) = spoken_direction(leaf);
            let things = uncounted(leaf, many);
            // "10 cars are moving" is a state of theirs.
            let alone = place.is_empty() && way.is_empty() && behind.is_empty();
            if alone
                && like_a_deed(&doing)
                && crate::grammar::is_state(&doing)
                && !is_somebody(leaf)
            {
                return join(&[&amount, &things, &inflected(verb, many)]);
            }
            if leads(leaf, place) {
                // "a bag inside the yard is running" is in a state.
                let stateful = like_a_deed(&doing) && crate::grammar::is_state(&doing);
                if stateful && !many && !is_somebody(leaf) {
                    return join(&[&amount, &things, place, &inflected(verb, many)]);
                }
                return join(&[&amount, &things, place, be, &doing]);
            }
            join(&[&amount, &things, be, &doing, way, place, behind])
        }
        Some(Predicate::Count) => {
            let be = if many { "there are" } else { "there is" };
            join(&[be, &amount, &uncounted(leaf, many), place])
        }
        _ => join(&["there is", &thing(leaf, false), place]),
    }
}

fn days(days: &[Day]) -> String {
    if days == &Day::ALL[..5] {
        return "on weekdays".into();
    }
    if days == [Day::Sat, Day::Sun] {
        return "at weekends".into();
    }
    let names: Vec<String> = days.iter().map(|d| format!("{}s", d.name())).collect();
    match names.split_last() {
        Some((last, [])) => format!("on {last}"),
        Some((last, rest)) => format!("on {} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn schedule(s: &Schedule) -> String {
    let when = s.days.as_deref().map(days).unwrap_or_default();
    let clock = |t: TimeOfDay| t.to_string();
    let hours = match (s.start, s.end) {
        (Some(a), Some(b)) => format!("from {} to {}", clock(a), clock(b)),
        (Some(a), None) => format!("after {}", clock(a)),
        (None, Some(b)) => format!("before {}", clock(b)),
        (None, None) => String::new(),
    };
    join(&[&when, &hours])
}

fn cooldown(s: Seconds) -> String {
    match s.as_millis() {
        0 => "; then every time".into(),
        1000 => "; then at most once a second".into(),
        60_000 => "; then at most once a minute".into(),
        3_600_000 => "; then at most once an hour".into(),
        86_400_000 => "; then at most once a day".into(),
        _ => format!("; then at most once every {s}"),
    }
}

impl Rule {
    /// The rule in one plain sentence, with all defaults.
    pub fn says(&self) -> String {
        let clauses: Vec<String> = self.leaves().iter().map(|l| clause(l)).collect();
        let glue = if self.all.is_some() { " and " } else { " or " };
        let camera = match self.camera.as_deref() {
            Some(name) if name.starts_with("camera ") => format!(" on {name}"),
            Some(name) => format!(" on the {name} camera"),
            None => String::new(),
        };
        let mut out = format!(
            "Alert ({}){camera} when {}",
            self.severity(),
            clauses.join(glue)
        );
        let leaf_window = self
            .window_seconds
            .or(self.leaves().iter().find_map(|l| l.window_seconds));
        if let Some(window) = leaf_window {
            out.push_str(&format!(" within {window}"));
        }
        let hold = self.hold();
        if hold.as_millis() > 0 {
            out.push_str(&format!(" for {hold}"));
        }
        if let Some(s) = &self.schedule {
            out.push_str(&format!(", {}", schedule(s)));
        }
        if self.dedup == Some(Dedup::PerEpisode) {
            out.push_str(", once per visit");
        }
        out.push_str(&cooldown(self.cooldown()));
        out.push('.');
        out
    }
}

/// What happened, for an alert: "5 people in the queue at passport control
/// (more than 3) for 10 s", "a fire in the kitchen".
pub(crate) fn happened(leaf: &Rule, count: Option<u64>, held: Option<Seconds>) -> String {
    let place = leaf.place.as_deref().unwrap_or("");
    let held = held.map_or(String::new(), |h| format!("for {h}"));
    let window = leaf
        .window_seconds
        .map_or(String::new(), |w| format!("within {w}"));
    let bare = |words: String| {
        words
            .strip_prefix("a ")
            .or(words.strip_prefix("an "))
            .map(str::to_owned)
            .unwrap_or(words)
    };
    if let (Some(n), Some(_)) = (count, leaf.comparator) {
        let limit = format!("({})", needs(leaf));
        let things = if n == 1 {
            bare(thing(leaf, false))
        } else {
            thing(leaf, true)
        };
        let verb = match leaf.predicate {
            Some(Predicate::Event) => inflected(leaf.action.as_deref().unwrap_or("appear"), n != 1),
            _ => leaf.state.clone().unwrap_or_default(),
        };
        return join(&[
            &n.to_string(),
            &things,
            &verb,
            place,
            &window,
            &limit,
            &held,
        ]);
    }
    match leaf.predicate {
        Some(Predicate::Absence) => {
            let things = thing(leaf, false);
            let nobody = match things.strip_prefix("person") {
                Some(rest) => format!("nobody{rest}"),
                None => format!("no {things}"),
            };
            join(&[&nobody, place, &held])
        }
        Some(Predicate::Event) => {
            let verb = inflected(leaf.action.as_deref().unwrap_or("appear"), false);
            let (way, behind) = spoken_direction(leaf);
            join(&[&thing(leaf, false), &verb, way, place, behind])
        }
        Some(Predicate::State) => {
            let state = leaf.state.as_deref().unwrap_or("");
            let trailing = POSTURES.contains(&state) || state.contains(' ');
            let things = if trailing {
                join(&[&thing(leaf, false), &spoken(state)])
            } else {
                with_article(&join(&[state, &bare(thing(leaf, false))]))
            };
            join(&[&things, place, &held])
        }
        _ => join(&[&thing(leaf, false), place, &held]),
    }
}
