//! Noun phrases: what is left for the visual concept when structure is out.

use super::compare::{Compare, compare};
use super::number::small_number;
use super::pattern::here;
use super::token::{Tok, span_of};
use super::words::*;
use crate::noun::{is_plural, singular};
use crate::{Refusal, RefusalKind};

/// A noun phrase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phrase {
    /// The singular noun, in lower case.
    pub noun: String,
    /// As it was written, without its article, plural kept.
    pub raw: String,
    /// The article as written: "the", "a" or none.
    pub article: String,
    pub attributes: Vec<String>,
    pub state: Option<String>,
    pub unattended: bool,
    /// "no", "nobody"
    pub negative: bool,
    /// "every", "all"
    pub universal: bool,
    pub compare: Option<Compare>,
    pub pronoun: bool,
    pub span: [usize; 2],
}

/// Where a phrase stands: places may hold numbers ("aisle 4") and "of".
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    Subject,
    Place,
    Object,
}

pub(crate) fn place_cannot(toks: &[Tok]) -> Refusal {
    let words: Vec<&str> = toks
        .iter()
        .filter(|t| !t.raw.is_empty())
        .map(|t| t.raw.as_str())
        .collect();
    Refusal::new(
        RefusalKind::Ambiguous,
        format!("It is not clear what '{}' means here.", words.join(" ")),
    )
    .offer("Say it in a simpler way: what to watch for, where, how many, for how long.")
    .at(span_of(toks))
}

fn nounish(toks: &[Tok], i: usize) -> bool {
    toks.get(i).is_some_and(|t| {
        t.word
            && (!t.any(STRUCTURE) || t.any(&["lower", "higher", "back", "first", "second"]))
            && !t.any(PREPOSITIONS)
            && !t.any(COPULAS)
            && !t.any(ARTICLES)
            && !t.any(UNIVERSAL)
            && !t.any(UNATTENDED)
            && small_number(&t.text).is_none()
    })
}

/// Whether the word at `i` acts as a verb, given that `words` noun words came
/// before it.
pub(crate) fn acts(
    toks: &[Tok],
    i: usize,
    words: usize,
    after_plural: bool,
    after_pronoun: bool,
    role: Role,
) -> bool {
    let t = &toks[i];
    let object_follows = toks
        .get(i + 1)
        .is_some_and(|n| n.any(ARTICLES) || n.any(&["into", "onto", "out"]));
    let s = t.text.as_str();
    let known = verb(s).is_some();
    if words == 0 && !after_pronoun {
        return false;
    }
    if s.ends_with("ing") {
        return if ING_NOUNS.contains(s) {
            let free = toks.get(i + 1).is_none_or(|n| {
                !n.word
                    || n.any(PREPOSITIONS)
                    || n.any(ARTICLES)
                    || n.any(&["up", "away", "down", "out", "back", "together", "and", "or"])
            });
            let who = i.checked_sub(1).is_some_and(|p| {
                HUMANS.contains(singular(&toks[p].text).as_str())
                    && s != "parking"
                    && toks.get(i + 1).is_none_or(|n| {
                        !n.word
                            || n.any(PREPOSITIONS)
                            || n.any(ARTICLES)
                            || n.any(&["up", "away", "down", "out", "back", "together"])
                    })
            });
            known && (object_follows || (after_plural && free) || (who && role == Role::Subject))
        } else {
            known || from_gerund(s).is_some()
        };
    }
    if !known {
        return false;
    }
    if after_pronoun {
        return true;
    }
    let goes_on = toks
        .get(i + 1)
        .is_some_and(|n| n.any(ARTICLES) || n.any(PREPOSITIONS) || n.any(&["to", "down", "up"]));
    if role != Role::Subject
        && !goes_on
        && matches!(
            s,
            "exits"
                | "stands"
                | "works"
                | "stops"
                | "lifts"
                | "drops"
                | "locks"
                | "turns"
                | "passes"
                | "parks"
                | "docks"
                | "walks"
                | "drives"
                | "rides"
                | "lands"
                | "boxes"
                | "rows"
                | "packs"
                | "stacks"
                | "sinks"
                | "scales"
                | "wheels"
                | "posts"
                | "covers"
                | "rests"
                | "nests"
                | "swings"
                | "marches"
                | "vaults"
                | "switches"
                | "hangs"
        )
    {
        return false;
    }
    // "the car parks are full"
    if s.ends_with('s')
        && toks
            .get(i + 1)
            .is_some_and(|n| n.any(&["is", "are", "was", "were", "has", "have"]))
    {
        return false;
    }
    let finite = s.ends_with('s')
        || s.ends_with("ed")
        || matches!(
            s,
            "left"
                | "came"
                | "went"
                | "gone"
                | "fell"
                | "ran"
                | "got"
                | "worn"
                | "has"
                | "have"
                | "held"
                | "taken"
        );
    if finite {
        return true;
    }
    // "people enter", but "fire exit"; "cars park" but "car park"
    after_plural || (object_follows && role == Role::Subject)
}

/// Whether the word at `i` must be a verb that is in no table: "a dog digs in …".
pub(crate) fn strange_verb(toks: &[Tok], i: usize, article: &str) -> bool {
    let t = &toks[i];
    let single = matches!(article, "a" | "an" | "pronoun");
    let pronoun = article == "pronoun";
    let ends = toks.get(i + 1).is_none_or(|n| {
        !n.word || n.any(ARTICLES) || n.any(PREPOSITIONS) || n.any(&["up", "down", "out", "away"])
    });
    single
        && ends
        && t.text.len() > 3
        && t.text.ends_with('s')
        && !["ss", "us", "is", "'s"].iter().any(|e| t.text.ends_with(e))
        && t.text.is_ascii()
        && !t.any(S_SINGULAR)
        && !t.any(STRUCTURE)
        && !t.any(CLOTHES)
        && !crate::noun::takes_no_article(&t.text)
        && (pronoun || !KNOWN.contains(singular(&t.text).as_str()))
}

/// The phrase at `i` and where it ends; `None` if none starts there.
pub(crate) fn phrase(
    toks: &[Tok],
    i: usize,
    role: Role,
) -> Result<Option<(Phrase, usize)>, Refusal> {
    let start = i + toks[i.min(toks.len())..]
        .iter()
        .take_while(|t| t.is_gap())
        .count();
    let mut j = start;
    let mut out = Phrase::default();
    let done = |mut out: Phrase, j: usize| {
        out.span = span_of(&toks[start..j]);
        Ok(Some((out, j)))
    };
    let pronouns: &[(&[&str], &str, bool)] = &[
        (
            &["someone", "somebody", "anyone", "anybody"],
            "person",
            false,
        ),
        (&["something", "anything"], "any object", false),
        (&["nobody"], "person", true),
        (&["nothing"], "any object", true),
        (&["none"], "any object", true),
        (&["everyone", "everybody"], "person", false),
        (&["everything"], "any object", false),
    ];
    if here!(toks, j, "no one").is_some() && !toks.get(j + 2).is_some_and(|t| t.any(KNOWN)) {
        out.noun = "person".into();
        (out.negative, out.pronoun) = (true, true);
        out.raw = "no one".into();
        return done(out, j + 2);
    }
    let not = here!(toks, j, "not")
        .filter(|_| {
            toks.get(j + 1)
                .is_some_and(|t| t.any(&["anyone", "anybody", "anything", "any"]))
        })
        .unwrap_or(0);
    j += not;
    out.negative = not > 0;
    if let Some(t) = toks.get(j)
        && let Some((_, noun, negative)) = pronouns.iter().find(|(words, _, _)| t.any(words))
    {
        out.noun = (*noun).into();
        out.negative |= negative;
        out.universal = t.any(&["everyone", "everybody", "everything"]);
        out.pronoun = true;
        out.raw = t.raw.clone();
        return done(out, j + 1);
    }
    if let Some(n) = here!(toks, j, "no|zero|0")
        .or(here!(toks, j, "not a single?"))
        .or(here!(toks, j, "not one|any"))
        .or(here!(toks, j, "no single|more"))
        && (role == Role::Subject || toks[j].is("no"))
    {
        // "no more than 5" is a comparison.
        if compare(toks, j)?.is_none_or(|c| c.bare) {
            out.negative = true;
            j += n + here!(toks, j + n, "single").unwrap_or(0);
        }
    }
    if role == Role::Subject && !out.negative {
        let the = here!(toks, j, "the|any|a")
            .filter(|_| !toks[j].is("a") || super::number::number(toks, j).is_some());
        let skip = the.filter(|_| !toks[j].is("a")).unwrap_or(0);
        if let Some(c) = compare(toks, j + skip)? {
            let of = here!(toks, j + skip + c.len, "of the|these|those|my|our?").unwrap_or(0);
            // "one", "a single": bare one is "at least one"
            j += skip
                + c.len
                + of
                + here!(toks, j + skip + c.len + of, "different|separate|individual").unwrap_or(0);
            out.compare = Some(c);
        }
    }
    if let Some(n) = here!(toks, j, "a|only single").or(here!(toks, j, "only|just a single?")) {
        out.article = "a".into();
        if toks[j].any(&["only", "just"]) && role == Role::Subject {
            out.compare = Some(Compare {
                comparator: crate::Comparator::Eq,
                threshold: crate::Threshold::One(1),
                len: n,
                bare: false,
            });
        }
        j += n;
    }
    while toks
        .get(j)
        .is_some_and(|t| t.any(ARTICLES) || t.any(UNIVERSAL))
    {
        out.universal |= toks[j].any(UNIVERSAL);
        if toks[j].any(ARTICLES) {
            out.article = toks[j].text.clone();
        }
        j += 1;
    }
    let mut words: Vec<usize> = Vec::new();
    while let Some(t) = toks.get(j) {
        let s = t.text.as_str();
        if !words.is_empty() && super::compare::is_crossing(toks, j) {
            break;
        }
        let next_noun = nounish(toks, j + 1) && !acts(toks, j + 1, 1, false, false, role);
        // "bay 3", "platform 2B", "gate two"
        let number = small_number(s).is_some() || (s.chars().any(|c| c.is_ascii_digit()) && t.word);
        let named = number && !words.is_empty() && role == Role::Subject && {
            let last = &toks[words[words.len() - 1]];
            !is_plural(&last.text)
                && !last.any(&["count", "number", "total", "person"])
                && toks.get(j + 1).is_none_or(|n| {
                    n.any(COPULAS)
                        || n.any(&["has", "have"])
                        || n.any(UNATTENDED)
                        || n.any(STATES)
                        || !n.word
                })
        };
        // "stop A"
        let letter = role != Role::Object
            && !words.is_empty()
            && t.raw.len() == 1
            && t.raw.chars().all(|c| c.is_ascii_uppercase())
            && t.any(ARTICLES)
            && !next_noun;
        if letter || named {
            words.push(j);
            j += 1;
            continue;
        }
        if number
            && !words.is_empty()
            && (role == Role::Place
                || (role == Role::Subject
                    && toks[words[words.len() - 1]].any(&[
                        "camera", "bay", "door", "gate", "line", "machine", "lane", "track",
                        "platform", "pump", "conveyor", "press", "forklift", "rack", "aisle",
                    ])))
        {
            // "in the lobby 3 people": a number before a plural is a count.
            if !(toks.get(j + 1).is_some_and(|n| {
                n.word
                    && is_plural(&n.text)
                    && !n.any(COPULAS)
                    && !n.any(STRUCTURE)
                    && verb(&n.text).is_none()
            }) && role == Role::Place)
            {
                words.push(j);
                j += 1;
                continue;
            }
        }
        if s == "of" && !words.is_empty() && !toks[words[words.len() - 1]].is("of") {
            let det = toks.get(j + 1).is_some_and(|t| t.any(ARTICLES));
            let after = j + 1 + usize::from(det);
            let carrier = toks[words[words.len() - 1]].any(&[
                "pile", "stack", "bottle", "cup", "box", "bag", "pallet", "roll", "bunch",
                "bucket", "pool", "puddle", "piece", "plume", "cloud", "can", "glass", "barrel",
                "tray", "bowl", "plate", "piles", "stacks", "bottles", "cups", "boxes", "bags",
                "pallets", "cloud", "flock", "herd", "pair", "crate", "crates", "sheet", "pack",
            ]);
            let part = toks
                .get(after + 1)
                .is_some_and(|n| small_number(&n.text).is_some())
                || det;
            let share = toks[words[words.len() - 1]].any(&[
                "half", "most", "part", "rest", "majority", "third", "quarter", "some", "none",
                "many", "pair",
            ]);
            if nounish(toks, after)
                && (role == Role::Place
                    || (part && !share && role == Role::Subject)
                    || carrier
                    || is_quantity_noun(&toks[words[words.len() - 1]].text))
            {
                words.push(j);
                if det {
                    words.push(j + 1);
                }
                j = after;
                continue;
            }
        }
        // "the lost and found desk" is one place
        let pair = role != Role::Object
            && s == "and"
            && !words.is_empty()
            && [
                ("lost", "found"),
                ("park", "ride"),
                ("kiss", "ride"),
                ("bed", "breakfast"),
                ("drop", "go"),
                ("pick", "mix"),
            ]
            .iter()
            .any(|(a, b)| {
                toks[words[words.len() - 1]].is(a) && toks.get(j + 1).is_some_and(|n| n.is(b))
            });
        if pair {
            words.push(j);
            words.push(j + 1);
            j += 2;
            continue;
        }
        // "the 24-hour kiosk"
        if role == Role::Place
            && words.is_empty()
            && number
            && toks.get(j + 1).is_some_and(|n| n.is("-"))
            && toks.get(j + 2).is_some_and(|n| n.word)
            && nounish(toks, j + 3)
        {
            words.extend([j, j + 1, j + 2]);
            j += 3;
            continue;
        }
        // "in zone 3 look for a puddle"
        if role == Role::Place
            && words
                .last()
                .is_some_and(|w| small_number(&toks[*w].text).is_some())
            && super::frames::starts(toks, j)
        {
            break;
        }
        if s == "&" && !words.is_empty() && nounish(toks, j + 1) && role != Role::Subject {
            words.push(j);
            j += 1;
            continue;
        }
        if !t.word || number || t.any(PREPOSITIONS) || t.any(COPULAS) || t.any(ARTICLES) {
            break;
        }
        if t.any(STRUCTURE) {
            // "back door", "second floor", "up ramp": structure words that
            // stand right before a noun of a place.
            let of = toks.get(j + 1).is_some_and(|n| n.is("of"));
            let place_word = role != Role::Object
                && (t.any(&["back", "lower", "higher"]) && next_noun
                    || role == Role::Place
                        && t.any(&["first", "second", "last", "next", "other", "alarm"])
                        && next_noun
                    || t.is("back") && of);
            // "trash can", "milk cans": no verb follows
            let can = t.is("can")
                && (!words.is_empty() || !out.article.is_empty())
                && toks.get(j + 1).is_none_or(|n| {
                    !n.any(&["be", "not", "never", "only", "have"])
                        && (verb(&n.text).is_none() || n.text.ends_with('s'))
                });
            let named_next = toks.get(j + 1).is_some_and(|n| {
                small_number(&n.text).is_some()
                    || n.raw.len() == 1 && n.raw.chars().all(|c| c.is_ascii_uppercase())
            });
            let lot = t.is("lot") && (!words.is_empty() || out.article == "the" || named_next)
                || t.is("alarm")
                    && role != Role::Place
                    && (!words.is_empty() || !out.article.is_empty())
                    && next_noun;
            if !place_word && !can && !lot {
                break;
            }
            words.push(j);
            j += 1;
            continue;
        }
        if !words.is_empty() && here!(toks, j, "close to|by").is_some() {
            break;
        }
        // "fridge wide open"
        if !words.is_empty()
            && t.any(&["wide", "half", "fully", "partly", "slightly", "completely"])
            && toks.get(j + 1).is_some_and(|n| n.any(STATES))
        {
            break;
        }
        let plural = words
            .last()
            .is_some_and(|w| is_plural(&toks[*w].text) && !toks[*w].any(S_SINGULAR));
        let of_it = words.last().is_some_and(|w| toks[*w].is("of"));
        let known_noun = s.ends_with('s') && KNOWN.contains(singular(s).as_str());
        // "4 bus stops": what is counted is a plural, so this is no verb yet.
        let counted = out
            .compare
            .is_some_and(|k| k.threshold != crate::Threshold::One(1))
            && s.ends_with('s')
            && words.last().is_some_and(|w| {
                !is_plural(&toks[*w].text)
                    && !crate::noun::is_mass(&toks[*w].text)
                    && !toks[*w].any(&["staff", "sheep", "cattle", "people"])
            });
        if !of_it && !known_noun && !counted && acts(toks, j, words.len(), plural, false, role) {
            break;
        }
        let somebody = words.len() == 1
            && HUMANS.contains(toks[words[0]].text.as_str())
            && !out.article.is_empty();
        let article = if somebody { "pronoun" } else { &out.article };
        if role == Role::Subject && !words.is_empty() && strange_verb(toks, j, article) {
            break;
        }
        // "the waiting line" is a queue
        if words.is_empty()
            && s == "waiting"
            && toks
                .get(j + 1)
                .is_some_and(|n| n.any(&["line", "queue", "lines", "queues"]))
        {
            j += 1;
            continue;
        }
        if words.is_empty() && role != Role::Place {
            let follows = next_noun
                || toks
                    .get(j + 1)
                    .is_some_and(|n| n.any(UNATTENDED) || n.any(COLOURS))
                || (here!(toks, j + 1, "and").is_some()
                    && t.any(COLOURS)
                    && toks.get(j + 2).is_some_and(|n| n.any(COLOURS)));
            if (t.any(COLOURS) || t.any(ATTRIBUTES)) && follows {
                // "dark blue", "black and white"
                let mut name = s.to_owned();
                let mut k = j + 1;
                if t.any(&["dark", "light", "bright"])
                    && toks.get(k).is_some_and(|n| n.any(COLOURS))
                {
                    name = format!("{name} {}", toks[k].text);
                    k += 1;
                } else if toks.get(k).is_some_and(|n| n.is("and")) {
                    name = format!("{name} and {}", toks[k + 1].text);
                    k += 2;
                }
                out.attributes.push(name);
                j = k;
                continue;
            }
            if t.any(UNATTENDED) && nounish(toks, j + 1) {
                out.unattended = true;
                j += 1;
                continue;
            }
            if here!(toks, j, "left behind").is_some() && nounish(toks, j + 2) {
                out.unattended = true;
                j += 2;
                continue;
            }
            let participle =
                s.len() > 5 && s.ends_with("ed") && s.is_ascii() && !ATTRIBUTES.contains(s);
            let gerund = s.ends_with("ing")
                && !ING_NOUNS.contains(s)
                && from_gerund(s).is_some()
                && (STATES.contains(s)
                    || toks.get(j + 1).is_some_and(|n| {
                        HUMANS.contains(singular(&n.text).as_str())
                            || n.any(&[
                                "dog", "dogs", "cat", "cats", "animal", "animals", "man", "car",
                                "cars", "vehicle", "vehicles",
                            ])
                    }))
                && !(s == "sleeping" && toks.get(j + 1).is_some_and(|n| n.any(&["bag", "bags"])));
            if (STATES.contains(s) || participle || gerund)
                && next_noun
                && out.state.is_none()
                && role == Role::Subject
                && !matches!(
                    s,
                    "restricted"
                        | "covered"
                        | "marked"
                        | "painted"
                        | "fenced"
                        | "gated"
                        | "running"
                )
            {
                out.state = Some(s.to_owned());
                j += 1;
                continue;
            }
        }
        if !words.is_empty()
            && role != Role::Place
            && (STATES.contains(s) || UNATTENDED.contains(s))
            && !next_noun
        {
            break;
        }
        // "person yard": no such thing, but somebody in a place.
        if words.len() == 1
            && role == Role::Subject
            && toks[words[0]].any(&[
                "person", "people", "persons", "cars", "dogs", "trucks", "vans", "vehicles",
            ])
            && t.word
            && (PLACES.contains(s) || (FIXTURES.contains(s) && !next_noun))
        {
            break;
        }
        if words.is_empty()
            && role == Role::Subject
            && !next_noun
            && out.article.is_empty()
            && (from_gerund(s).is_some() && s.ends_with("ing") && !ING_NOUNS.contains(s))
        {
            break;
        }
        words.push(j);
        j += 1;
    }
    let Some(&last) = words.last() else {
        return Ok(None);
    };
    finish(toks, &mut out, &words, last, role)?;
    done(out, j)
}

/// The phrase with its attributes and state: "red wooden box".
pub(super) fn full(p: &Phrase) -> String {
    let mut words = p.attributes.clone();
    words.extend(p.state.clone());
    words.push(p.noun.clone());
    words.join(" ")
}

pub(crate) fn is_quantity_noun(word: &str) -> bool {
    matches!(
        word,
        "number"
            | "count"
            | "amount"
            | "group"
            | "crowd"
            | "queue"
            | "line"
            | "row"
            | "total"
            | "queues"
            | "lines"
            | "signs"
            | "sign"
            | "pieces"
            | "groups"
    )
}

fn finish(
    toks: &[Tok],
    out: &mut Phrase,
    words: &[usize],
    last: usize,
    role: Role,
) -> Result<(), Refusal> {
    if words.len() > 6 {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    let text: Vec<&str> = words.iter().map(|w| toks[*w].text.as_str()).collect();
    let raw: Vec<&str> = words.iter().map(|w| toks[*w].raw.as_str()).collect();
    out.raw = raw.join(" ").replace(" - ", "-");
    // "person count"
    let text: Vec<&str> = match text.as_slice() {
        [front @ .., "count" | "number" | "total"]
            if role == Role::Subject && front.last().is_some_and(|w| *w != "of") =>
        {
            front.to_vec()
        }
        _ => text,
    };
    let mut noun = text.join(" ");
    let of = text.iter().position(|w| *w == "of");
    let head = of.unwrap_or(text.len()) - 1;
    let head_word = text[head];
    let many = |w: &str| is_plural(w) && !S_SINGULAR.contains(w);
    // "people dig": an unknown verb hides behind a plural.
    for (n, w) in text.iter().enumerate().take(head) {
        let fine = n + 1 == of.unwrap_or(usize::MAX) || small_number(text[n + 1]).is_some();
        let initials = raw[n].len() > 1 && raw[n].chars().all(char::is_uppercase);
        if role == Role::Subject
            && many(w)
            && !fine
            && !initials
            && !w.ends_with("'s")
            && !w.ends_with("s'")
        {
            return Err(place_cannot(&toks[words[n]..=last]));
        }
    }
    // "red leaves something": a colour is no thing
    if role == Role::Subject
        && text.len() == 1
        && COLOURS.contains(text[0])
        && !matches!(text[0], "light" | "orange")
    {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    // "hall people count": where, or which people?
    if role == Role::Subject
        && head > 0
        && matches!(text[head], "people" | "person" | "persons")
        && (PLACES.contains(text[0]) || FIXTURES.contains(text[0]))
    {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    // "the number of people doubles"
    if let Some(of) = of
        && role == Role::Subject
        && text[of + 1..text.len() - 1].iter().any(|w| many(w))
    {
        return Err(place_cannot(&toks[words[of]..=last]));
    }
    // "a dog digs": so it does behind "a".
    if matches!(out.article.as_str(), "a" | "an")
        && many(head_word)
        && !crate::noun::takes_no_article(head_word)
        && head > 0
        && role == Role::Subject
    {
        return Err(place_cannot(&toks[words[head]..=last]));
    }
    if role != Role::Place {
        if let Some(of) = of {
            let (front, back) = (
                text[..of].join(" "),
                text[of + 1..]
                    .iter()
                    .filter(|w| !ARTICLES.contains(w))
                    .copied()
                    .collect::<Vec<_>>()
                    .join(" "),
            );
            match head_word {
                "queue" | "line" | "queues" | "lines" | "row" => {
                    noun = format!("{} in queue", singular(&back))
                }
                "number" | "count" | "amount" | "group" | "crowd" | "total" | "signs" | "sign"
                | "pieces" | "groups" => noun = singular(&back),
                _ => noun = format!("{} of {back}", singular(&front)),
            }
        } else {
            noun = singular(&noun);
        }
    }
    out.noun = match noun.as_str() {
        "folk" | "individual" | "human" | "human being" => "person".to_owned(),
        _ => noun,
    };
    Ok(())
}
