//! What would harm people: picking them out by what they are, watching what is
//! private, following or recognising one of them.

use super::super::pattern::{Pattern, here, patterns, stands};
use super::super::token::{Tok, span_of};
use super::super::words::{ARTICLES, COPULAS, PREPOSITIONS, STRUCTURE, verb};
use super::particular::particular;
use super::people::{FEATURES, NATIONS, PEOPLE, PLACE_NOUNS, SEXED, TRAITS};
use super::private::private;
use crate::lexicon::{Lexicon, lexicon};
use crate::refusal::Edit;
use crate::{Refusal, RefusalKind};

const TRAIT_WHY: &str = "Rules do not pick out people by sex, age, origin, belief or health";
const TRAIT_OFFER: &str = "Say 'person' instead.";
pub(super) const NAME_OFFER: &str =
    "Say 'person' instead; the camera does not follow or recognise one person.";

pub(super) fn unsafe_to(why: String, offer: &str, span: [usize; 2]) -> Refusal {
    Refusal::new(RefusalKind::Unsafe, why).offer(offer).at(span)
}

/// With the edit that mends the sentence, if there is one.
pub(super) fn mending(refusal: Refusal, edit: Option<Edit>) -> Refusal {
    match edit {
        Some((span, words)) => refusal.mend(span, words),
        None => refusal,
    }
}

/// `toks[i]` left out, with "an" before it put right.
fn without(toks: &[Tok], i: usize) -> Option<Edit> {
    let next = toks.get(i + 1)?;
    let Some(a) = i
        .checked_sub(1)
        .map(|p| &toks[p])
        .filter(|t| t.any(&["a", "an"]))
    else {
        return Some(([toks[i].span[0], next.span[0]], String::new()));
    };
    let vowel = next.text.starts_with(['a', 'e', 'i', 'o', 'u']);
    let article = if vowel { "an " } else { "a " };
    Some(([a.span[0], next.span[0]], article.into()))
}

/// A noun that stands for a thing or a place, not for people: "lift" in "man
/// lift".
fn thing_follows(toks: &[Tok], i: usize) -> bool {
    // "the American flag": a verb in its base form does not follow one thing.
    let one = i > 0 && toks[i - 1].any(&["a", "an", "the", "this", "that"]);
    toks.get(i + 1).is_some_and(|n| {
        let flag = one && verb(&n.text) == Some(n.text.as_str());
        n.word
            && !n.any(PEOPLE)
            && !n.any(SEXED)
            && !n.any(STRUCTURE)
            && !n.any(PREPOSITIONS)
            && !n.any(COPULAS)
            && !n.any(ARTICLES)
            && !n.any(super::super::words::STATES)
            && (verb(&n.text).is_none() || flag)
            && (!n.text.ends_with("ing") || n.any(super::super::words::ING_NOUNS))
            && !n.any(FEATURES)
    })
}

/// Whether `toks[i]` belongs to the name of a place: "in the women's clothing
/// aisle", "at the disabled bay".
fn in_place(toks: &[Tok], i: usize) -> bool {
    let prep = (i.saturating_sub(3)..i)
        .rev()
        .find(|j| !toks[*j].any(ARTICLES));
    let placed =
        prep.is_some_and(|p| toks[p].any(PREPOSITIONS) || toks[p].any(&["enters", "leaves", "of"]));
    placed && (thing_follows(toks, i) || toks.get(i + 1).is_some_and(|n| n.any(PLACE_NOUNS)))
}

/// Whether people follow within a few words: "black security guards".
fn people_follow(toks: &[Tok], i: usize) -> bool {
    toks[i + 1..]
        .iter()
        .take(3)
        .take_while(|t| {
            t.word
                && !t.any(PREPOSITIONS)
                && !t.any(COPULAS)
                && !t.any(ARTICLES)
                && !t.any(STRUCTURE)
        })
        .any(|t| t.any(PEOPLE) || t.any(SEXED))
}

fn traits(toks: &[Tok], i: usize) -> Option<Refusal> {
    let t = &toks[i];
    let fail = |n: usize, edit: Option<Edit>| {
        let span = span_of(&toks[i..i + n]);
        let raw: Vec<&str> = toks[i..i + n].iter().map(|t| t.raw.as_str()).collect();
        let r = unsafe_to(
            format!("{TRAIT_WHY}: '{}'.", raw.join(" ")),
            TRAIT_OFFER,
            span,
        );
        Some(mending(r, edit))
    };
    let word = t.text.trim_end_matches("'s").trim_end_matches('\'');
    let owned = t.text.ends_with("'s") || t.text.ends_with('\'');
    if SEXED.contains(word) {
        let role = i > 0
            && toks[i - 1].any(&[
                "delivery",
                "repair",
                "maintenance",
                "handy",
                "bin",
                "milk",
                "mail",
                "post",
                "fire",
                "police",
                "camera",
                "sales",
                "pizza",
                "parcel",
                "meter",
                "garbage",
                "cleaning",
                "lollipop",
                "service",
                "removal",
            ]);
        let compound = role
            || t.any(&["man", "men", "lady", "ladies", "gents", "gentlemen"])
                && toks.get(i + 1).is_some_and(|n| {
                    n.any(&[
                        "lift", "lifts", "basket", "cage", "hole", "door", "gate", "way", "trap",
                        "chapel", "bag", "made",
                    ]) || n.any(PLACE_NOUNS)
                });
        // "the men's shoe rack" is a department's
        let shop = owned
            && matches!(
                word,
                "men" | "women" | "boys" | "girls" | "ladies" | "gents" | "gentlemen"
            )
            && thing_follows(toks, i);
        let place = shop
            || owned && (in_place(toks, i) || toks.get(i + 1).is_some_and(|n| n.any(PLACE_NOUNS)))
            || (in_place(toks, i) && toks.get(i + 1).is_some_and(|n| n.any(PLACE_NOUNS)));
        if compound || place || (i > 0 && toks[i - 1].is("of") && t.starts_upper()) {
            return None;
        }
        let plural = matches!(
            word,
            "women"
                | "men"
                | "girls"
                | "boys"
                | "ladies"
                | "guys"
                | "males"
                | "females"
                | "gentlemen"
                | "blokes"
                | "lads"
                | "dudes"
                | "chicks"
                | "gents"
                | "grannies"
                | "pensioners"
                | "teenagers"
                | "teens"
                | "seniors"
                | "blacks"
                | "oaps"
        );
        let adjective = matches!(word, "male" | "female") && people_follow(toks, i);
        let edit = if adjective {
            without(toks, i)
        } else {
            Some((
                t.span,
                if plural {
                    "people".into()
                } else {
                    "person".into()
                },
            ))
        };
        return fail(1, edit.filter(|_| !owned));
    }
    if t.any(FEATURES) {
        return fail(1, None);
    }
    if let Some(n) = here!(
        toks,
        i,
        "race|age|gender|sex|religion|ethnicity|nationality of"
    ) {
        return fail(n, None);
    }
    if let Some(n) = here!(
        toks,
        i,
        "dark|black|brown|white|light|pale|fair skin|skinned|complexion"
    ) {
        return fail(n, None);
    }
    let nation = NATIONS.contains(word) && (t.starts_upper() || people_follow(toks, i));
    if TRAITS.contains(word) || nation {
        let thing = thing_follows(toks, i) && !people_follow(toks, i);
        let noun = !people_follow(toks, i);
        if thing || in_place(toks, i) && !people_follow(toks, i) {
            return None;
        }
        // "the blind is closed", "the Dutch barn": a trait that is a thing too
        // needs people behind it.
        if noun
            && (nation || t.any(WEAK_ALONE))
            && !alone_as_people(toks, i)
            && !of_somebody(toks, i)
        {
            return None;
        }
        let edit = if noun {
            Some((t.span, "person".into()))
        } else {
            without(toks, i)
        };
        return fail(1, edit);
    }
    // "a black person", "white or brown people"
    if t.any(LOOKS) && people_follow(toks, i) && !clothes_between(toks, i) {
        return fail(1, without(toks, i));
    }
    // "somebody who is old", "a person is black", "somebody black"
    let pronoun = i > 0 && toks[i - 1].any(&["someone", "somebody", "anyone", "anybody"]);
    if t.any(LOOKS) && !thing_follows(toks, i) && (of_somebody(toks, i) || pronoun) {
        return fail(1, None);
    }
    for pattern in AGES {
        if let Some(n) = stands(toks, i, pattern) {
            let number = toks
                .get(i + n)
                .is_some_and(|t| super::super::number::small_number(&t.text).is_some());
            let years = here!(toks, i + n + 1, "years|year").is_some();
            let person = i > 0
                && (toks[i - 1].any(PEOPLE)
                    || toks[i - 1].any(&["is", "are", "someone", "anyone"]));
            let ages = pattern.words.starts_with("older") || pattern.words.starts_with("aged");
            let unit = toks.get(i + n + 1).is_some_and(|t| {
                super::super::number::unit_millis(&t.text).is_some() && !t.any(&["years"])
            });
            if number
                && !unit
                && (ages
                    || years
                    || (person && i > 0 && toks[i - 1].any(PEOPLE) && !counted(toks, i)))
            {
                return fail(n + 1, None);
            }
        }
    }
    if t.text.contains("-year-old")
        || t.any(&["year-old", "years-old", "year-olds"])
        || here!(toks, i, "years|year old").is_some()
    {
        return fail(1, None);
    }
    None
}

/// Said of somebody: "a person who looks Arab".
fn of_somebody(toks: &[Tok], i: usize) -> bool {
    const BE: &Lexicon = lexicon![
        "is", "are", "looks", "look", "seems", "very", "too", "being",
    ];
    let be = i >= 2 && toks[i - 1].any(BE);
    let who = || {
        toks[..i - 1]
            .iter()
            .rev()
            .find(|t| !t.any(BE) && !t.any(&["who", "that"]))
    };
    be && who().is_some_and(|w| w.any(PEOPLE))
}

/// "over 60" behind "the number of people" counts them.
fn counted(toks: &[Tok], i: usize) -> bool {
    let one = toks[i - 1].any(&["someone", "somebody", "anyone", "anybody"])
        || (i > 1
            && toks[i - 2].any(&["a", "an", "any", "every", "no"])
            && !toks[i - 1].any(&["people", "staff"]));
    !one && toks[..i]
        .iter()
        .any(|t| t.any(&["number", "count", "queue", "line", "many", "if", "when"]))
}

const AGES: &[Pattern] = patterns![
    "older|younger than",
    "aged over|under|above|below?",
    "over|under|above|below",
];

/// Words of how somebody looks or is that describe things too.
#[rustfmt::skip]
const LOOKS: &Lexicon = lexicon![
    "old", "young", "black", "white", "brown", "yellow", "fat", "thin", "skinny", "ugly", "attractive",
    "pretty", "beautiful", "handsome", "hot", "homeless", "poor", "rich", "foreign", "older",
    "younger", "middle-aged", "coloured", "colored", "native", "indigenous", "ethnic", "blind",
    "deaf", "overweight", "elder", "aged", "crippled", "retarded", "crazy",
];

const WEAK_ALONE: &Lexicon = lexicon![
    "african", "asian", "indian", "chinese", "mexican", "roma", "arab", "ethnic", "trans",
];

/// "an Asian is", "two Mexicans at"
fn alone_as_people(toks: &[Tok], i: usize) -> bool {
    let before = i > 0
        && (toks[i - 1].any(ARTICLES)
            || toks[i - 1].any(&[
                "every", "many", "no", "more", "than", "if", "when", "all", "two", "three",
            ]));
    let after = toks.get(i + 1).is_none_or(|n| {
        !n.word
            || n.any(COPULAS)
            || n.any(PREPOSITIONS)
            || verb(&n.text).is_some()
            || n.any(STRUCTURE)
    });
    before
        && after
        && !in_place(toks, i)
        && !(i >= 2 && toks[i - 1].any(ARTICLES) && toks[i - 2].any(PREPOSITIONS))
}

/// "a person in black clothes" is about clothes; "white coat people"?
fn clothes_between(toks: &[Tok], i: usize) -> bool {
    toks[i + 1..]
        .iter()
        .take_while(|t| t.word && !t.any(PEOPLE))
        .any(|t| {
            t.any(super::super::words::CLOTHES)
                || t.any(super::super::words::KNOWN) && !t.any(PEOPLE)
        })
}

/// # Errors
/// `unsafe`, with the place of the word that shows it.
pub(crate) fn harm(toks: &[Tok], shouted: bool) -> Result<(), Refusal> {
    let words = || (0..toks.len()).filter(|i| toks[*i].word);
    if let Some(refusal) = words().find_map(|i| private(toks, i)) {
        return Err(refusal);
    }
    for i in words() {
        let found = traits(toks, i).or_else(|| particular(toks, i)).or_else(|| {
            super::names::name(toks, i, shouted).map(|n| {
                let raw: Vec<&str> = toks[i..i + n].iter().map(|t| t.raw.as_str()).collect();
                let r = unsafe_to(
                    format!(
                        "'{}' looks like the name of one person; rules do not follow one.",
                        raw.join(" ")
                    ),
                    NAME_OFFER,
                    span_of(&toks[i..i + n]),
                );
                let edit = (span_of(&toks[i..i + n]), "a person".to_owned());
                let owned = toks[i + n - 1].text.ends_with("'s");
                mending(r, Some(edit).filter(|_| !owned))
            })
        });
        if let Some(refusal) = found {
            return Err(refusal);
        }
    }
    Ok(())
}
