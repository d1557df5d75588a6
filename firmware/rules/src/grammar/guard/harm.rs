//! What would harm people: picking them out by what they are, watching what is
//! private, following or recognising one of them.

use super::super::token::{Tok, here, span_of};
use super::super::words::{ARTICLES, COPULAS, PREPOSITIONS, STRUCTURE, verb};
use super::people::{FEATURES, GIVEN, NATIONS, PEOPLE, PLACE_NOUNS, RELATIONS, SEXED, TRAITS};
use crate::{Refusal, RefusalKind};

const TRAIT_WHY: &str = "Rules do not pick out people by sex, age, origin, belief or health";
const TRAIT_OFFER: &str = "Say 'person' instead.";
const NAME_OFFER: &str =
    "Say 'person' instead; the camera does not follow or recognise one person.";

fn unsafe_to(why: String, offer: &str, span: [usize; 2]) -> Refusal {
    Refusal::new(RefusalKind::Unsafe, why).offer(offer).at(span)
}

/// `toks[i]` left out, with "an" before it put right.
fn without(toks: &[Tok], i: usize) -> Option<([usize; 2], String)> {
    let next = toks.get(i + 1)?;
    let Some(a) = i.checked_sub(1).map(|p| &toks[p]).filter(|t| t.any(&["a", "an"])) else {
        return Some(([toks[i].span[0], next.span[0]], String::new()));
    };
    let vowel = next.text.starts_with(['a', 'e', 'i', 'o', 'u']);
    let article = if vowel { "an " } else { "a " };
    Some(([a.span[0], next.span[0]], article.into()))
}

/// A noun that stands for a thing or a place, not for people: "lift" in "man
/// lift".
fn thing_follows(toks: &[Tok], i: usize) -> bool {
    toks.get(i + 1).is_some_and(|n| {
        n.word
            && !n.any(PEOPLE)
            && !n.any(SEXED)
            && !n.any(STRUCTURE)
            && !n.any(PREPOSITIONS)
            && !n.any(COPULAS)
            && !n.any(ARTICLES)
            && !n.any(super::super::words::STATES)
            && verb(&n.text).is_none()
            && !(n.text.ends_with("ing") && !n.any(super::super::words::ING_NOUNS))
            && !n.any(FEATURES)
    })
}

/// Whether `toks[i]` belongs to the name of a place: "in the women's clothing
/// aisle", "at the disabled bay".
fn in_place(toks: &[Tok], i: usize) -> bool {
    let prep = (i.saturating_sub(3)..i).rev().find(|j| !toks[*j].any(ARTICLES));
    let placed = prep.is_some_and(|p| toks[p].any(PREPOSITIONS) || toks[p].any(&["enters", "leaves", "of"]));
    placed && (thing_follows(toks, i) || toks.get(i + 1).is_some_and(|n| n.any(PLACE_NOUNS)))
}

/// Whether people follow within a few words: "black security guards".
fn people_follow(toks: &[Tok], i: usize) -> bool {
    toks[i + 1..]
        .iter()
        .take(3)
        .take_while(|t| {
            t.word && !t.any(PREPOSITIONS) && !t.any(COPULAS) && !t.any(ARTICLES) && !t.any(STRUCTURE)
        })
        .any(|t| t.any(PEOPLE) || t.any(SEXED))
}

fn traits(toks: &[Tok], i: usize) -> Option<Refusal> {
    let t = &toks[i];
    let fail = |n: usize, edit: Option<([usize; 2], String)>| {
        let span = span_of(&toks[i..i + n]);
        let raw: Vec<&str> = toks[i..i + n].iter().map(|t| t.raw.as_str()).collect();
        let mut r = unsafe_to(format!("{TRAIT_WHY}: '{}'.", raw.join(" ")), TRAIT_OFFER, span);
        r.edits.extend(edit);
        Some(r)
    };
    let word = t.text.trim_end_matches("'s").trim_end_matches('\'');
    let owned = t.text.ends_with("'s") || t.text.ends_with('\'');
    if SEXED.contains(&word) {
        let compound = t.any(&["man", "men", "lady", "ladies", "gents", "gentlemen"])
            && toks.get(i + 1).is_some_and(|n| {
                n.any(&["lift", "lifts", "basket", "cage", "hole", "door", "gate", "way", "trap", "chapel", "bag", "made"])
                    || n.any(PLACE_NOUNS)
            });
        let place = owned && (in_place(toks, i) || toks.get(i + 1).is_some_and(|n| n.any(PLACE_NOUNS)))
            || (in_place(toks, i) && toks.get(i + 1).is_some_and(|n| n.any(PLACE_NOUNS)));
        if compound || place || (i > 0 && toks[i - 1].is("of") && t.starts_upper()) {
            return None;
        }
        let plural = matches!(
            word,
            "women" | "men" | "girls" | "boys" | "ladies" | "guys" | "males" | "females" | "gentlemen"
                | "blokes" | "lads" | "dudes" | "chicks" | "gents" | "grannies" | "pensioners"
                | "teenagers" | "teens" | "seniors" | "blacks" | "oaps"
        );
        let adjective = matches!(word, "male" | "female") && people_follow(toks, i);
        let edit = if adjective {
            without(toks, i)
        } else {
            Some((t.span, if plural { "people".into() } else { "person".into() }))
        };
        return fail(1, edit.filter(|_| !owned));
    }
    if t.any(FEATURES) {
        return fail(1, None);
    }
    let nation = NATIONS.contains(&word) && (t.starts_upper() || people_follow(toks, i));
    if TRAITS.contains(&word) || nation {
        let thing = thing_follows(toks, i) && !people_follow(toks, i);
        let noun = !people_follow(toks, i);
        if thing || in_place(toks, i) && !people_follow(toks, i) {
            return None;
        }
        // "the blind is closed", "the Dutch barn": a trait that is a thing too
        // needs people behind it.
        if noun && (nation || t.any(WEAK_ALONE)) && !alone_as_people(toks, i) {
            return None;
        }
        let edit = if noun { Some((t.span, "person".into())) } else { without(toks, i) };
        return fail(1, edit);
    }
    // "a black person", "white or brown people"
    if t.any(LOOKS) && people_follow(toks, i) && !clothes_between(toks, i) {
        return fail(1, without(toks, i));
    }
    // "somebody who is old", "a person is black"
    if t.any(LOOKS) && i >= 2 && !thing_follows(toks, i) {
        let be = toks[i - 1].any(&["is", "are", "looks", "look", "seems", "very", "too"]);
        let who = toks[..i - 1]
            .iter()
            .rev()
            .find(|t| !t.any(&["who", "that", "is", "are", "looks", "very", "too"]));
        if be && who.is_some_and(|w| w.any(PEOPLE)) {
            return fail(1, None);
        }
    }
    for pattern in AGES {
        if let Some(n) = here(toks, i, pattern) {
            let number = toks
                .get(i + n)
                .is_some_and(|t| super::super::number::small_number(&t.text).is_some());
            let years = here(toks, i + n + 1, "years|year").is_some();
            let person = i > 0 && (toks[i - 1].any(PEOPLE) || toks[i - 1].any(&["is", "are", "someone", "anyone"]));
            let ages = pattern.starts_with("older") || pattern.starts_with("aged");
            let unit = toks.get(i + n + 1).is_some_and(|t| {
                super::super::number::unit_millis(&t.text).is_some() && !t.any(&["years"])
            });
            if number && !unit && (ages || years || (person && i > 0 && toks[i - 1].any(PEOPLE) && !counted(toks, i))) {
                return fail(n + 1, None);
            }
        }
    }
    if t.text.contains("-year-old") || here(toks, i, "years|year old").is_some() {
        return fail(1, None);
    }
    None
}

/// "over 60" behind "the number of people" counts them.
fn counted(toks: &[Tok], i: usize) -> bool {
    toks[..i].iter().any(|t| t.any(&["number", "count", "queue", "line", "many", "if", "when"])) && !toks[i - 1].any(&["someone", "somebody", "anyone", "person"])
}

const AGES: &[&str] = &["older|younger than", "aged over|under|above|below?", "over|under|above|below"];

/// Words of how somebody looks or is that describe things too.
#[rustfmt::skip]
const LOOKS: &[&str] = &[
    "old", "young", "black", "white", "brown", "yellow", "fat", "thin", "skinny", "ugly", "attractive",
    "pretty", "beautiful", "handsome", "hot", "homeless", "poor", "rich", "foreign", "older",
    "younger", "middle-aged", "coloured", "colored", "native", "indigenous", "ethnic", "blind",
    "deaf", "overweight", "elder", "aged", "crippled", "retarded", "crazy",
];

const WEAK_ALONE: &[&str] = &["african", "asian", "indian", "chinese", "mexican", "roma", "arab", "ethnic", "trans"];

/// "an Asian is", "two Mexicans at"
fn alone_as_people(toks: &[Tok], i: usize) -> bool {
    let before = i > 0 && (toks[i - 1].any(ARTICLES) || toks[i - 1].any(&["every", "many", "no", "more", "than", "if", "when", "all", "two", "three"]));
    let after = toks.get(i + 1).is_none_or(|n| {
        !n.word || n.any(COPULAS) || n.any(PREPOSITIONS) || verb(&n.text).is_some() || n.any(STRUCTURE)
    });
    before && after && !in_place(toks, i) && !(i >= 2 && toks[i - 1].any(ARTICLES) && toks[i - 2].any(PREPOSITIONS))
}

/// "a person in black clothes" is about clothes; "white coat people"?
fn clothes_between(toks: &[Tok], i: usize) -> bool {
    toks[i + 1..]
        .iter()
        .take_while(|t| t.word && !t.any(PEOPLE))
        .any(|t| t.any(super::super::words::CLOTHES) || t.any(super::super::words::KNOWN) && !t.any(PEOPLE))
}

#[rustfmt::skip]
const BARE: &[&str] = &[
    "naked", "nude", "nudes", "undressing", "undressed", "undresses", "undress", "topless",
    "bottomless", "sexual", "sexually", "sex", "sexy", "breasts", "breast", "boobs", "tits",
    "genitals", "penis", "vagina", "underwear", "bikini", "bikinis", "lingerie", "masturbating",
    "masturbates", "intimate", "upskirt", "kissing", "kisses", "kiss", "cleavage", "buttocks", "butt",
    "breastfeeding", "porn", "horny", "striptease", "panties", "bra", "nudity", "nipples", "thong",
    "voyeur", "peeping", "perv", "milf", "snogging", "cuddling",
];
#[rustfmt::skip]
const ROOMS: &[&str] = &[
    "toilet", "toilets", "restroom", "restrooms", "bathroom", "bathrooms", "shower", "showers",
    "cubicle", "cubicles", "washroom", "washrooms", "lavatory", "lavatories", "loo", "loos", "urinal",
    "urinals", "sauna", "saunas", "bathtub", "wc", "tub",
];
const ROOM_PAIRS: &[&str] = &[
    "changing|fitting|dressing|locker|shower|bath|rest|powder|ladies|men's|women's|mens|womens|gents room|rooms|cubicle|cubicles|cabin|cabins",
    "toilet|shower cubicle|cubicles|stall|stalls|cabin|room|rooms|block",
    "wash room|rooms",
];

/// People inside a private room: "somebody is in the shower".
fn private_room(toks: &[Tok], i: usize) -> Option<[usize; 2]> {
    let n = ROOM_PAIRS
        .iter()
        .filter_map(|p| here(toks, i, p))
        .max()
        .or_else(|| toks[i].any(ROOMS).then_some(1));
    let owned_bedroom = toks[i].any(&["bedroom", "bedrooms"])
        && i > 0
        && (toks[i - 1].text.ends_with("'s")
            || toks[i - 1].text.ends_with("s'")
            || toks[i - 1].any(&["her", "his", "their", "hotel", "guest", "tenant", "neighbour", "neighbor"]));
    let n = n.or(owned_bedroom.then_some(1))?;
    // "changing room corridor", "toilet door", "the queue for the toilets"
    let more = toks.get(i + n).is_some_and(|t| {
        t.word && !t.any(STRUCTURE) && !t.any(PREPOSITIONS) && !t.any(COPULAS) && !t.any(ARTICLES)
            && verb(&t.text).is_none()
    });
    if more {
        return None;
    }
    let inside = (i.saturating_sub(3)..i).rev().find(|j| {
        !toks[*j].any(ARTICLES) && !toks[*j].any(&["ladies", "ladies'", "gents", "men's", "women's", "mens", "womens", "girls'", "boys'", "public"]) && !toks[*j].text.ends_with("'s")
    })?;
    let inside = toks[inside].any(&["in", "inside", "within"]);
    let people = toks[..i].iter().any(|t| {
        t.any(PEOPLE) || t.any(SEXED) || t.any(&["nobody", "everyone", "everybody", "him", "her", "them", "who", "child", "children", "kid", "kids"])
    });
    let queue = toks[..i].iter().any(|t| t.any(&["queue", "queueing", "queuing", "line"]));
    (inside && people && !queue).then(|| span_of(&toks[i..i + n]))
}

fn private(toks: &[Tok], i: usize) -> Option<Refusal> {
    const WHY: &str = "Rules do not watch what is private";
    if toks[i].any(BARE) && !here(toks, i, "butt|bra joint|weld|hinge|strap").is_some() {
        return Some(unsafe_to(
            format!("{WHY}: '{}'.", toks[i].raw),
            "Watch a place outside instead, for example 'someone enters the changing room corridor'.",
            toks[i].span,
        ));
    }
    let span = private_room(toks, i)?;
    let name: Vec<&str> = toks
        .iter()
        .filter(|t| t.span[0] >= span[0] && t.span[1] <= span[1])
        .map(|t| t.raw.as_str())
        .collect();
    Some(unsafe_to(
        format!("{WHY}: people in the '{}'.", name.join(" ")),
        "Watch a place outside instead, for example 'someone enters the changing room corridor'.",
        span,
    ))
}

/// One particular person: relatives, names, faces, number plates, following.
fn particular(toks: &[Tok], i: usize) -> Option<Refusal> {
    let t = &toks[i];
    let prev = i.checked_sub(1).map(|p| &toks[p]);
    const WHY: &str = "Rules do not follow or recognise one particular person";
    let fail = |n: usize, edit: Option<([usize; 2], String)>| {
        let raw: Vec<&str> = toks[i..i + n].iter().map(|t| t.raw.as_str()).collect();
        let mut r = unsafe_to(
            format!("{WHY}: '{}'.", raw.join(" ")),
            NAME_OFFER,
            span_of(&toks[i..i + n]),
        );
        r.edits.extend(edit);
        Some(r)
    };
    let owner = prev.filter(|p| {
        p.any(&["my", "our", "his", "her", "their", "your", "the", "a"])
    });
    let word = t.text.trim_end_matches("'s").trim_end_matches('\'');
    if RELATIONS.contains(&word) {
        let own = owner.is_some_and(|p| !p.any(&["the", "a"])) || prev.is_none();
        let always = matches!(
            word,
            "grandma" | "grandpa" | "granny" | "grandad" | "mummy" | "daddy" | "mommy" | "mum" | "dad"
                | "mom" | "neighbour" | "neighbor" | "neighbours" | "neighbors" | "husband" | "wife"
                | "girlfriend" | "boyfriend" | "ex-wife" | "ex-husband" | "landlord" | "nextdoor"
        );
        let owned = t.text.len() > word.len();
        let place = owned
            && toks.get(i + 1).is_some_and(|n| n.any(PLACE_NOUNS))
            && prev.is_some();
        if (own || always) && !place && !thing_of_house(toks, i) {
            let from = owner.map_or(t.span[0], |p| p.span[0]);
            let plural = word.ends_with('s') && word != "boss";
            let edit = ([from, t.span[1]], if plural { "people" } else { "a person" }.to_owned());
            return fail(1, Some(edit).filter(|_| !owned));
        }
    }
    const TOLD_APART: &[&str] = &[
        "recognise|recognize|identify|match|know|remember|scan|compare the|a|his|her|their|all|every? face|faces",
        "facial|face recognition|id|identification|matching|detection",
        "identify who|whoever|him|her|them|everyone|everybody|anyone",
        "whose face",
        "biometric|biometrics|facial-recognition",
    ];
    if let Some(n) = TOLD_APART.iter().filter_map(|p| here(toks, i, p)).max() {
        return fail(n, None);
    }
    if t.any(&["stalk", "stalks", "spy", "stalking", "spying", "surveil"]) {
        return fail(1, None);
    }
    // A person called Tom.
    if t.any(&["named", "called"])
        && prev.is_some_and(|p| p.any(PEOPLE) || p.any(SEXED) || p.any(&["child", "kid", "is"]))
        && toks.get(i + 1).is_some_and(|n| n.starts_upper() || GIVEN.contains(&n.text.as_str()))
    {
        let who = prev.map_or(t.span[0], |_| toks[i - 1].span[1]);
        return fail(2, Some(([who, toks[i + 1].span[1]], String::new())));
    }
    if let Some(n) = plate(toks, i) {
        return fail(n, None);
    }
    follow(toks, i).map(|n| {
        let raw: Vec<&str> = toks[i..i + n].iter().map(|t| t.raw.as_str()).collect();
        unsafe_to(
            format!("Rules do not follow persons; they tell what happens in a place: '{}'.", raw.join(" ")),
            "Say what should raise an alert, for example 'a person enters the yard'.",
            span_of(&toks[i..i + n]),
        )
    })
}

/// "the neighbour's fence", "mother ship"
fn thing_of_house(toks: &[Tok], i: usize) -> bool {
    toks.get(i + 1).is_some_and(|n| {
        n.any(&["fence", "wall", "hedge", "gate", "roof", "garden", "yard", "house", "ship", "board", "lode"])
    })
}

/// Number plates of a particular car.
fn plate(toks: &[Tok], i: usize) -> Option<usize> {
    let n = here(toks, i, "licence|license|number|registration plate|plates|number|numbers")
        .or(here(toks, i, "plate|plates|reg|registration number|numbers?"))
        .or(here(toks, i, "anpr|alpr|lpr"))?;
    let code = |t: &Tok| {
        let chars = || t.raw.chars();
        t.word
            && chars().count() >= 2
            && chars().any(|c| c.is_ascii_uppercase())
            && chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-')
    };
    let coded = toks[i + n..]
        .iter()
        .take(5)
        .find(|t| !t.any(&["is", "number", ":", "of", "\"", "starting", "with", "ending", "in", "has"]))
        .is_some_and(|t| code(t) || (t.word && t.text.chars().any(|c| c.is_ascii_digit())));
    let read = toks[..i].iter().any(|t| {
        t.any(&["read", "record", "log", "recognise", "recognize", "identify", "scan", "note", "save", "store", "whose", "list", "get", "capture"])
    });
    let reader = toks[i].any(&["anpr", "alpr", "lpr"]);
    let plates = toks[i..i + n].iter().any(|t| t.any(&["plate", "plates", "anpr", "alpr", "lpr", "reg", "registration"]));
    let without = i > 0 && toks[..i].iter().rev().take(2).any(|t| t.any(&["without", "no", "missing"]));
    (plates && (coded || read || reader) && !without).then_some(n)
}

/// "follow him", "keep tabs on her", "track the person in blue".
fn follow(toks: &[Tok], i: usize) -> Option<usize> {
    let t = &toks[i];
    let opens = i == 0
        || toks[i - 1].any(&["please", ",", "you", "to", "and", "then", "just", "camera", "always", "must", "."]);
    let n = if t.any(&["follow", "track", "trail", "shadow", "tail", "chase", "pursue"]) && opens {
        1
    } else if opens {
        here(toks, i, "keep tabs on")
            .or(here(toks, i, "keep track of"))
            .or(here(toks, i, "keep an eye on him|her|them"))
            .or(here(toks, i, "log|record|watch everywhere|wherever|him|her|them"))
            .or(here(toks, i, "watch|monitor|observe him|her|them|he|she"))?
    } else {
        here(toks, i, "where|wherever|everywhere he|she|they is|goes|go|are")?
    };
    if n > 1 {
        let people = !here(toks, i, "keep").is_some() || people_near(toks, i + n - 1);
        return people.then_some(n);
    }
    people_near(toks, i + 1).then_some(1)
}

fn people_near(toks: &[Tok], i: usize) -> bool {
    toks[i.min(toks.len())..].iter().take(5).any(|n| {
        n.any(PEOPLE)
            || n.any(SEXED)
            || RELATIONS.contains(&n.text.trim_end_matches("'s"))
            || n.any(&["him", "her", "them", "everyone", "everybody", "whoever", "he", "she", "child", "kid", "kids", "children"])
            || GIVEN.contains(&n.text.trim_end_matches("'s"))
    })
}

/// # Errors
/// `unsafe`, with the place of the word that shows it.
pub(crate) fn harm(toks: &[Tok], shouted: bool) -> Result<(), Refusal> {
    for i in 0..toks.len() {
        if !toks[i].word {
            continue;
        }
        let found = private(toks, i)
            .or_else(|| traits(toks, i))
            .or_else(|| particular(toks, i))
            .or_else(|| super::names::name(toks, i, shouted).map(|n| {
                let raw: Vec<&str> = toks[i..i + n].iter().map(|t| t.raw.as_str()).collect();
                let mut r = unsafe_to(
                    format!("'{}' looks like the name of one person; rules do not follow one.", raw.join(" ")),
                    NAME_OFFER,
                    span_of(&toks[i..i + n]),
                );
                if !toks[i + n - 1].text.ends_with("'s") {
                    r.edits.push((span_of(&toks[i..i + n]), "a person".into()));
                }
                r
            }));
        if let Some(refusal) = found {
            return Err(refusal);
        }
    }
    Ok(())
}
