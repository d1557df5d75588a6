//! How often something happens: "twice within 5 minutes", "more than 3 times
//! an hour"; and other ways to say a count, put into the common one.

use super::compare::{Compare, REACHES, afterthought, compare, lead};
use super::pattern::{Pattern, any_of, entry, here, table};
use super::token::{GAP, Tok, span_of, take};
use super::words::{ARTICLES, CLOTHES, COPULAS, PREPOSITIONS, STRUCTURE};
use crate::lexicon::{Lexicon, lexicon};
use crate::noun::is_plural;
use crate::{Comparator, Predicate, Refusal, RefusalKind, Rule, Seconds, Threshold};

/// Verbs that say what a number is not, and the words that say what it is.
const NOT_REACHED: &[(Pattern, [&str; 3])] = table![
    ("does|do not exceed|surpass|top", ["is", "at", "most"]),
    ("does|do not reach|hit", ["is", "fewer", "than"]),
];

const ONE_WORD: &[(&str, u64)] = &[("once", 1), ("twice", 2), ("thrice", 3)];

/// How often, and where it was said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Times {
    comparator: Comparator,
    threshold: Threshold,
    span: [usize; 2],
}

/// The times at `i` and how many tokens they are. "Once" alone is a link
/// ("once it is open"), not a number of times.
fn times_at(toks: &[Tok], i: usize) -> Option<(Comparator, Threshold, usize)> {
    let word = |at: usize| {
        let t = toks.get(at)?;
        ONE_WORD.iter().find(|(w, _)| t.is(w)).map(|(_, n)| *n)
    };
    let then = |c: Comparator, threshold: Threshold, end: usize| {
        let (c, more) = match afterthought(toks, end) {
            Some((after, more)) if c == Comparator::Ge => (after, more),
            _ => (c, 0),
        };
        Some((c, threshold, end + more - i))
    };
    if let Some(n) = word(i).filter(|n| *n > 1) {
        return then(Comparator::Ge, Threshold::One(n), i + 1);
    }
    if let Some((len, c)) = lead(toks, i)
        && let Some(n) = word(i + len)
        // "only once" is about alerts.
        && !(n == 1 && c == Comparator::Eq)
    {
        return Some((c, Threshold::One(n), len + 1));
    }
    let k = compare(toks, i).ok().flatten()?;
    let end = i + k.len;
    let noun = here!(
        toks,
        end,
        "separate|different|consecutive? times|occasions|x"
    )?;
    let c = if k.bare { Comparator::Ge } else { k.comparator };
    then(c, k.threshold, end + noun)
}

/// Takes "three times" out.
pub(crate) fn times(toks: &mut Vec<Tok>) -> Result<Option<Times>, Refusal> {
    super::compare::uncountable(toks)?;
    let mut found: Option<Times> = None;
    let mut i = 0;
    while i < toks.len() {
        let on = usize::from(toks[i].any(&["on", "for"]));
        if let Some((comparator, threshold, len)) = times_at(toks, i + on)
            // "three times as many", "four times the size"
            && !toks
                .get(i + on + len)
                .is_some_and(|t| t.any(&["as", "the", "more", "less", "larger", "bigger"]))
        {
            let span = span_of(&toks[i..i + on + len]);
            if found.is_some() {
                return Err(Refusal::new(
                    RefusalKind::Ambiguous,
                    "It is said twice how many times.",
                )
                .offer("Make one rule for each.")
                .at(span));
            }
            found = Some(Times {
                comparator,
                threshold,
                span,
            });
            take(toks, i, i + on + len);
        }
        i += 1;
    }
    Ok(found)
}

/// Counts the rule's event.
pub(crate) fn count(
    rule: &mut Rule,
    times: Option<Times>,
    window: Option<Seconds>,
) -> Result<(), Refusal> {
    let Some(times) = times else {
        return Ok(());
    };
    let single = rule.all.is_none() && rule.any.is_none() && rule.comparator.is_none();
    if !single || rule.predicate != Some(Predicate::Event) {
        return Err(Refusal::new(
            RefusalKind::Ambiguous,
            "It is not clear what happens that many times.",
        )
        .offer("Say it as an event, for example 'a person enters the shed twice within an hour'.")
        .at(times.span));
    }
    let Some(window) = window else {
        return Err(Refusal::new(
            RefusalKind::Ambiguous,
            "It is not said within what time it must happen so often.",
        )
        .missing("window_seconds")
        .offer("Say it, for example 'within an hour'.")
        .at(times.span));
    };
    rule.comparator = Some(times.comparator);
    rule.threshold = Some(times.threshold);
    rule.window_seconds = Some(window);
    Ok(())
}

fn word(text: &str, span: [usize; 2]) -> Tok {
    Tok {
        text: text.to_owned(),
        raw: text.to_owned(),
        span,
        word: true,
    }
}

/// Puts other ways to say a count into the common one: "a crowd of at least 8"
/// is at least 8 people, "a queue of more than 5" more than 5 people in a
/// queue, "the occupancy of the gym" the number of people in it.
pub(crate) fn common(toks: &mut Vec<Tok>) {
    brackets(toks);
    let mut i = 0;
    while i < toks.len() {
        let article = usize::from(toks[i].any(&["a", "the", "any"]));
        let size = here!(toks, i + article, "large|big|huge").unwrap_or(0);
        let at = i + article + size;
        if let Some(n) = here!(
            toks,
            at,
            "crowd|crowds|group|groups|gathering|gatherings|cluster|party|mob|queue|queues|line|lines of"
        ) && let Some(k) = compare(toks, at + n).ok().flatten()
        {
            let queue = toks[at].any(&["queue", "queues", "line", "lines"]);
            let from = at + n;
            let span = toks[at].span;
            let end = from + k.len;
            if let Some(noun) = counted_noun(toks, end, &k) {
                let queue = queue
                    && (noun > end + 1
                        || !toks[at].any(&["line", "lines"])
                        || toks[noun - 1].any(QUEUERS));
                if queue {
                    toks.splice(
                        noun..noun,
                        [word("in", span), word("a", span), word("queue", span)],
                    );
                }
            } else {
                let mut people = vec![word("people", span)];
                if queue {
                    people.extend([word("in", span), word("a", span), word("queue", span)]);
                }
                toks.splice(end..end, people);
            }
            toks.drain(i..from);
        } else if let Some(n) = here!(
            toks,
            at,
            "occupancy|headcount|attendance of|in|at|on|inside"
        ) {
            let prep = match toks[at + n - 1].text.as_str() {
                "of" => "in".to_owned(),
                other => other.to_owned(),
            };
            say(toks, at, n, &["number", "of", "people", &prep]);
        } else if let Some(n) =
            here!(toks, at, "queue length|size").or(here!(toks, at, "length|size of the|a? queue"))
        {
            say(toks, at, n, &["number", "of", "people", "in", "a", "queue"]);
        } else if let Some(n) = here!(toks, at, "rate|flow|traffic|stream|total of")
            && compare(toks, at + n).is_ok_and(|k| k.is_some())
        {
            toks.drain(i..at + n);
        } else if let Some((n, words)) = entry(toks, i, NOT_REACHED)
            .filter(|(n, _)| super::number::number(toks, i + n).is_some())
        {
            say(toks, i, n, words);
        } else if here!(toks, i, "# of").is_some() {
            say(toks, i, 2, &["number", "of"]);
        } else if here!(toks, i, "more|fewer|less").is_some()
            && here!(toks, i + 2, "than").is_some()
            && is_plural(&toks[i + 1].text)
            && super::number::number(toks, i + 3).is_some()
        {
            // "more people than 5"
            let (_, n) = super::number::number(toks, i + 3).unwrap_or_default();
            let noun = toks.remove(i + 1);
            toks.insert(i + 2 + n, noun);
        } else if let Some((n, end)) = holder(toks, i) {
            // "the lobby has more than 10 people in it"
            let place = toks[i..i + n].to_vec();
            let span = toks[i].span;
            toks.splice(end..end + inside(toks, end), place);
            toks.insert(end, word("in", span));
            let has = usize::from(!toks[i + n].any(REACHES));
            toks.drain(i..i + n + has);
        }
        both_limits(toks, i);
        i += 1;
    }
}

/// Takes out brackets that hold nothing any more: "(Mon-Fri, 9:00-17:00)".
fn brackets(toks: &mut Vec<Tok>) {
    let mut i = 0;
    while i < toks.len() {
        if toks[i].any(&["(", "["])
            && let Some(n) = toks[i + 1..]
                .iter()
                .position(|t| !(t.is_gap() || t.any(&[",", ";", "and", "-", "."])))
            && toks[i + 1 + n].any(&[")", "]"])
        {
            take(toks, i, i + n + 2);
        }
        i += 1;
    }
}

/// Says `words` instead of the `len` tokens at `at`.
fn say(toks: &mut Vec<Tok>, at: usize, len: usize, words: &[&str]) {
    let span = span_of(&toks[at..at + len]);
    toks.splice(at..at + len, words.iter().map(|w| word(w, span)));
}

fn inside(toks: &[Tok], i: usize) -> usize {
    here!(toks, i, "in|inside|on it")
        .or(here!(toks, i, "inside"))
        .unwrap_or(0)
}

/// "the lobby has more than 10 people": the tokens of the place, and where
/// what it has ends.
fn holder(toks: &[Tok], i: usize) -> Option<(usize, usize)> {
    if i > 0 && !toks[i - 1].is_gap() && !toks[i - 1].any(&["if", "when", "whenever", "once", ","])
    {
        return None;
    }
    let the = here!(toks, i, "the|our|my")?;
    let words = toks[i + the..]
        .iter()
        .take_while(|t| {
            t.word
                && !t.any(REACHES)
                && !t.any(&["contains", "holds"])
                && !t.any(STRUCTURE)
                && !t.any(PREPOSITIONS)
                && !t.any(COPULAS)
        })
        .count();
    let at = i + the + words;
    // "the hall exceeds 50 people": the verb is the comparison.
    let verb = toks.get(at)?;
    let reaches = verb.any(REACHES);
    let quantity = toks[i + the..at].iter().any(|t| {
        t.any(&[
            "queue",
            "line",
            "number",
            "count",
            "total",
            "occupancy",
            "crowd",
            "group",
        ])
    });
    // What a vest has is on who wears it.
    if words > 0 && toks[at - 1].any(CLOTHES) {
        return None;
    }
    if !(1..=4).contains(&words)
        || quantity
        || !(reaches || verb.any(&["has", "contains", "holds"]))
    {
        return None;
    }
    let from = at + usize::from(!reaches);
    let k = compare(toks, from).ok().flatten()?;
    let end = counted_noun(toks, from + k.len, &k)?;
    Some((at - i, end))
}

/// "more than 2 people but fewer than 8": both limits stand before the noun.
fn both_limits(toks: &mut Vec<Tok>, i: usize) {
    let Some(first) = compare(toks, i).ok().flatten().filter(|k| !k.bare) else {
        return;
    };
    let noun = i + first.len;
    let Some(end) = counted_noun(toks, noun, &first) else {
        return;
    };
    let Some(glue) = here!(toks, end, ",? but|and|yet") else {
        return;
    };
    let second = compare(toks, end + glue).ok().flatten();
    if let Some(second) = second.filter(|k| !k.bare)
        && counted_noun(toks, end + glue + second.len, &second).is_none()
    {
        let things: Vec<Tok> = toks.drain(noun..end).collect();
        let at = noun + glue + second.len;
        toks.splice(at..at, things);
    }
}

const QUEUERS: &Lexicon = lexicon![
    "people",
    "persons",
    "customers",
    "visitors",
    "passengers",
    "guests",
    "shoppers",
    "cars",
    "vehicles",
    "trucks",
    "lorries",
    "vans",
    "taxis",
    "buses",
    "travellers",
    "travelers",
    "patients",
    "children",
];

/// Where the noun that the comparison at `end` counts ends, if there is one.
fn counted_noun(toks: &[Tok], end: usize, k: &Compare) -> Option<usize> {
    let noun = |at: usize| {
        toks.get(at).is_some_and(|t| {
            t.word
                && t.text != GAP
                && !t.any(STRUCTURE)
                && !t.any(PREPOSITIONS)
                && !t.any(COPULAS)
                && !t.any(ARTICLES)
        })
    };
    let plural = |at: usize| noun(at) && is_plural(&toks[at].text);
    let one = k.threshold == Threshold::One(1);
    if plural(end) || (one && noun(end)) {
        Some(end + 1)
    } else if noun(end) && plural(end + 1) {
        Some(end + 2)
    } else {
        None
    }
}

/// Whether "at most 3 times an hour" stands at `i`: a limit that one cool-down
/// can't keep. How many tokens the number and its noun are.
pub(crate) fn several(toks: &[Tok], i: usize) -> Option<(u64, usize)> {
    if let Some(n) = here!(toks, i, "twice") {
        return Some((2, n));
    }
    let (n, len) = super::number::number(toks, i)?;
    let noun = any_of!(
        toks,
        i + len,
        ["times|alerts|messages|notifications|warnings|alarms|emails|texts|pings"]
    )?;
    (n > 1.0).then_some((n as u64, len + noun))
}

#[cfg(test)]
mod tests {
    use super::super::token::tokenise;
    use super::*;

    fn said(text: &str) -> Option<(Comparator, Threshold)> {
        let mut toks = tokenise(text);
        times(&mut toks)
            .unwrap_or_default()
            .map(|t| (t.comparator, t.threshold))
    }

    #[test]
    fn times_are_told_from_things() {
        use Comparator::{Ge, Gt, Le};
        for (text, c, n) in [
            ("falls twice", Ge, 2),
            ("falls more than once", Gt, 1),
            ("falls three times or more", Ge, 3),
            ("on at least 4 occasions", Ge, 4),
            ("no more than twice", Le, 2),
        ] {
            assert_eq!(said(text), Some((c, Threshold::One(n))), "{text}");
        }
        for text in ["once it falls", "3 times as many people", "three people"] {
            assert_eq!(said(text), None, "{text}");
        }
    }

    #[test]
    fn a_crowd_is_people() {
        for (text, common_text) in [
            (
                "a crowd of at least 8 in the hall",
                "at least 8 people in the hall",
            ),
            ("a group of more than 5 dogs", "more than 5 dogs"),
            ("a queue of more than 5", "more than 5 people in a queue"),
            ("a row of 5 chairs", "a row of 5 chairs"),
        ] {
            let mut toks = tokenise(text);
            common(&mut toks);
            let words: Vec<&str> = toks.iter().map(|t| t.text.as_str()).collect();
            assert_eq!(words.join(" "), common_text);
        }
    }
}
