//! One particular person: relatives, somebody called so, faces, number plates,
//! being followed.

use super::super::pattern::{Pattern, here, longest, patterns};
use super::super::token::{Tok, span_of};
use super::harm::{NAME_OFFER, mending, unsafe_to};
use super::people::{GIVEN, PEOPLE, PLACE_NOUNS, RELATIONS, SEXED};
use crate::Refusal;
use crate::refusal::Edit;

/// One particular person: relatives, names, faces, number plates, following.
pub(super) fn particular(toks: &[Tok], i: usize) -> Option<Refusal> {
    let t = &toks[i];
    let prev = i.checked_sub(1).map(|p| &toks[p]);
    const WHY: &str = "Rules do not follow or recognise one particular person";
    let fail = |n: usize, edit: Option<Edit>| {
        let raw: Vec<&str> = toks[i..i + n].iter().map(|t| t.raw.as_str()).collect();
        let r = unsafe_to(
            format!("{WHY}: '{}'.", raw.join(" ")),
            NAME_OFFER,
            span_of(&toks[i..i + n]),
        );
        Some(mending(r, edit))
    };
    let adjective = prev.is_some_and(|p| {
        p.any(&[
            "teenage", "little", "youngest", "oldest", "elder", "old", "younger", "older", "dear",
            "late",
        ])
    });
    let owner = i.checked_sub(1 + usize::from(adjective)).map(|p| &toks[p]);
    let owner = owner.filter(|p| p.any(&["my", "our", "his", "her", "their", "your", "the", "a"]));
    let word = t.text.trim_end_matches("'s").trim_end_matches('\'');
    if RELATIONS.contains(word) || word.ends_with("-in-law") {
        let own = owner.is_some_and(|p| !p.any(&["the", "a"])) || prev.is_none();
        let always = matches!(
            word,
            "grandma"
                | "grandpa"
                | "granny"
                | "grandad"
                | "mummy"
                | "daddy"
                | "mommy"
                | "mum"
                | "dad"
                | "mom"
                | "neighbour"
                | "neighbor"
                | "neighbours"
                | "neighbors"
                | "husband"
                | "wife"
                | "girlfriend"
                | "boyfriend"
                | "ex-wife"
                | "ex-husband"
                | "landlord"
                | "tenant"
                | "nextdoor"
        );
        let owned = t.text.len() > word.len();
        let place = owned && toks.get(i + 1).is_some_and(|n| n.any(PLACE_NOUNS)) && prev.is_some();
        if (own || always) && !place && !thing_of_house(toks, i) {
            let names = toks[i + 1..]
                .iter()
                .take_while(|n| n.starts_upper() && n.raw.chars().skip(1).all(char::is_lowercase))
                .count();
            let from = owner.map_or(t.span[0], |p| p.span[0]);
            let plural = word.ends_with('s') && word != "boss";
            let edit = (
                [from, toks[i + names].span[1]],
                if plural { "people" } else { "a person" }.to_owned(),
            );
            return fail(1 + names, Some(edit).filter(|_| !owned));
        }
    }
    const TOLD_APART: &[Pattern] = patterns![
        "recognise|recognize|identify|match|know|remember|scan|compare the|a|his|her|their|all|every? face|faces",
        "facial|face recognition|id|identification|matching|detection",
        "identify who|whoever|him|her|them|everyone|everybody|anyone",
        "recognise|recognize|identify|match|compare|scan every|each|any|all visitor's|person's|customer's|guest's|worker's|employee's face",
        "face|faces with|against|to the|my|our? photo|photos|picture|pictures|list|database",
        "whose face",
        "with|has|having this|that|same|his|her face",
        "biometric|biometrics|facial-recognition",
    ];
    if let Some(n) = longest(toks, i, TOLD_APART) {
        return fail(n, None);
    }
    if t.any(&["stalk", "stalks", "spy", "stalking", "spying", "surveil"]) {
        return fail(1, None);
    }
    // A person called Tom.
    if t.any(&["named", "called"])
        && prev.is_some_and(|p| p.any(PEOPLE) || p.any(SEXED) || p.any(&["child", "kid", "is"]))
        && toks
            .get(i + 1)
            .is_some_and(|n| n.starts_upper() || GIVEN.contains(n.text.as_str()))
    {
        let who = prev.map_or(t.span[0], |_| toks[i - 1].span[1]);
        return fail(2, Some(([who, toks[i + 1].span[1]], String::new())));
    }
    if let Some(n) = plate(toks, i) {
        return fail(n, None);
    }
    follow(toks, i).map(|n| {
        // with the name that comes after
        let name = toks[i + n..]
            .iter()
            .take_while(|t| t.word && t.starts_upper());
        let n = n + name.count();
        let raw: Vec<&str> = toks[i..i + n].iter().map(|t| t.raw.as_str()).collect();
        unsafe_to(
            format!(
                "Rules do not follow persons; they tell what happens in a place: '{}'.",
                raw.join(" ")
            ),
            "Say what should raise an alert, for example 'a person enters the yard'.",
            span_of(&toks[i..i + n]),
        )
    })
}

/// "the neighbour's fence", "mother ship"
fn thing_of_house(toks: &[Tok], i: usize) -> bool {
    toks.get(i + 1).is_some_and(|n| {
        n.any(&[
            "fence", "wall", "hedge", "gate", "roof", "garden", "yard", "house", "ship", "board",
            "lode",
        ])
    })
}

/// Number plates of a particular car.
fn plate(toks: &[Tok], i: usize) -> Option<usize> {
    let n = here!(
        toks,
        i,
        "licence|license|number|registration plate|plates|number|numbers"
    )
    .or(here!(
        toks,
        i,
        "plate|plates|reg|registration number|numbers?"
    ))
    .or(here!(toks, i, "anpr|alpr|lpr"))?;
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
        .find(|t| {
            !t.any(&[
                "is", "number", ":", "of", "\"", "starting", "with", "ending", "in", "has",
            ])
        })
        .is_some_and(|t| code(t) || (t.word && t.text.chars().any(|c| c.is_ascii_digit())));
    let read = toks[..i].iter().any(|t| {
        t.any(&[
            "read",
            "record",
            "log",
            "recognise",
            "recognize",
            "identify",
            "scan",
            "note",
            "save",
            "store",
            "whose",
            "list",
            "get",
            "capture",
        ])
    });
    let reader = toks[i].any(&["anpr", "alpr", "lpr"]);
    let plates = toks[i..i + n].iter().any(|t| {
        t.any(&[
            "plate",
            "plates",
            "anpr",
            "alpr",
            "lpr",
            "reg",
            "registration",
        ])
    });
    let without = i > 0
        && toks[..i]
            .iter()
            .rev()
            .take(2)
            .any(|t| t.any(&["without", "no", "missing"]));
    (plates && (coded || read || reader) && !without).then_some(n)
}

/// "follow him", "keep tabs on her", "track the person in blue".
fn follow(toks: &[Tok], i: usize) -> Option<usize> {
    let t = &toks[i];
    let opens = i == 0
        || toks[i - 1].any(&[
            "please", ",", "you", "to", "and", "then", "just", "camera", "always", "must", ".",
        ]);
    let n = if t.any(&[
        "follow", "track", "trail", "shadow", "tail", "chase", "pursue",
    ]) && opens
    {
        1
    } else if opens {
        here!(toks, i, "keep tabs on")
            .or(here!(toks, i, "keep track of"))
            .or(here!(toks, i, "keep an eye on him|her|them"))
            .or(here!(
                toks,
                i,
                "log|record|watch everywhere|wherever|him|her|them"
            ))
            .or(here!(toks, i, "watch|monitor|observe him|her|them|he|she"))?
    } else {
        here!(
            toks,
            i,
            "where|wherever|everywhere he|she|they is|goes|go|are"
        )?
    };
    if n > 1 {
        let people = here!(toks, i, "keep").is_none() || people_near(toks, i + n - 1);
        return people.then_some(n);
    }
    people_near(toks, i + 1).then_some(1)
}

fn people_near(toks: &[Tok], i: usize) -> bool {
    toks[i.min(toks.len())..].iter().take(5).any(|n| {
        n.any(PEOPLE)
            || n.any(SEXED)
            || RELATIONS.contains(n.text.trim_end_matches("'s"))
            || n.any(&[
                "him",
                "her",
                "them",
                "everyone",
                "everybody",
                "whoever",
                "he",
                "she",
                "child",
                "kid",
                "kids",
                "children",
            ])
            || GIVEN.contains(n.text.trim_end_matches("'s"))
    })
}
