//! Noun phrases: what is left for the visual concept when structure is out.

use super::acts::{acts, nounish, strange_verb};
use super::compare::{Compare, compare};
use super::head::{finish, is_quantity_noun};
use super::number::{duration, is_number_word, small_number};
use super::pattern::here;
use super::token::{Tok, gaps_at, span_of};
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

/// The phrase at `i` and where it ends; `None` if none starts there.
pub(crate) fn phrase(
    toks: &[Tok],
    i: usize,
    role: Role,
) -> Result<Option<(Phrase, usize)>, Refusal> {
    let gaps = gaps_at(toks, i);
    let mut reader = Reader {
        toks,
        role,
        j: i + gaps,
        out: Phrase::default(),
        words: Vec::new(),
    };
    let start = reader.j;
    if !reader.pronoun() {
        reader.amount()?;
        reader.articles();
        reader.noun_words();
        let Some(&last) = reader.words.last() else {
            return Ok(None);
        };
        finish(toks, &mut reader.out, &reader.words, last, role)?;
    }
    reader.out.span = span_of(&toks[start..reader.j]);
    Ok(Some((reader.out, reader.j)))
}

/// Pronouns, the noun they stand for, and whether they deny it.
const PRONOUNS: &[(&[&str], &str, bool)] = &[
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

/// A phrase while it is read.
struct Reader<'a> {
    toks: &'a [Tok],
    role: Role,
    /// The next word.
    j: usize,
    out: Phrase,
    /// The places of the noun's words.
    words: Vec<usize>,
}

impl Reader<'_> {
    /// "someone", "not anything", "no one": whole phrases. "Not" goes with
    /// what follows in any case.
    fn pronoun(&mut self) -> bool {
        let (toks, mut j) = (self.toks, self.j);
        if here!(toks, j, "no one").is_some() && !toks.get(j + 2).is_some_and(|t| t.any(KNOWN)) {
            self.out.noun = "person".into();
            (self.out.negative, self.out.pronoun) = (true, true);
            self.out.raw = "no one".into();
            self.j = j + 2;
            return true;
        }
        let not = here!(toks, j, "not")
            .filter(|_| {
                toks.get(j + 1)
                    .is_some_and(|t| t.any(&["anyone", "anybody", "anything", "any"]))
            })
            .unwrap_or(0);
        j += not;
        self.out.negative = not > 0;
        if let Some(t) = toks.get(j)
            && let Some((_, noun, negative)) = PRONOUNS.iter().find(|(words, _, _)| t.any(words))
        {
            self.out.noun = (*noun).into();
            self.out.negative |= negative;
            self.out.universal = t.any(&["everyone", "everybody", "everything"]);
            self.out.pronoun = true;
            self.out.raw = t.raw.clone();
            self.j = j + 1;
            return true;
        }
        self.j = j;
        false
    }

    /// "no", "more than 3", "two of the".
    fn amount(&mut self) -> Result<(), Refusal> {
        let (toks, role, mut j) = (self.toks, self.role, self.j);
        if let Some(n) = here!(toks, j, "no|zero|0")
            .or(here!(toks, j, "not a single?"))
            .or(here!(toks, j, "not one|any"))
            .or(here!(toks, j, "no single|more"))
            && (role == Role::Subject || toks[j].is("no"))
        {
            // "no more than 5" is a comparison.
            if compare(toks, j)?.is_none_or(|c| c.bare) {
                self.out.negative = true;
                j += n + here!(toks, j + n, "single").unwrap_or(0);
            }
        }
        if role == Role::Subject && !self.out.negative {
            let the = here!(toks, j, "the|any|a")
                .filter(|_| !toks[j].is("a") || super::number::number(toks, j).is_some());
            let skip = the.filter(|_| !toks[j].is("a")).unwrap_or(0);
            if let Some(c) = compare(toks, j + skip)? {
                let of = here!(toks, j + skip + c.len, "of the|these|those|my|our?").unwrap_or(0);
                // "one", "a single": bare one is "at least one"
                j += skip
                    + c.len
                    + of
                    + here!(toks, j + skip + c.len + of, "different|separate|individual")
                        .unwrap_or(0);
                self.out.compare = Some(c);
            }
        }
        self.j = j;
        Ok(())
    }

    /// "a single", "the", "every".
    fn articles(&mut self) {
        let (toks, role, mut j) = (self.toks, self.role, self.j);
        if let Some(n) = here!(toks, j, "a|only single").or(here!(toks, j, "only|just a single?")) {
            self.out.article = "a".into();
            if toks[j].any(&["only", "just"]) && role == Role::Subject {
                self.out.compare = Some(Compare {
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
            self.out.universal |= toks[j].any(UNIVERSAL);
            if toks[j].any(ARTICLES) {
                self.out.article = toks[j].text.clone();
            }
            j += 1;
        }
        self.j = j;
    }

    /// The words of the noun, as far as they go.
    fn noun_words(&mut self) {
        while self.j < self.toks.len() {
            let step = self
                .numbered()
                .or_else(|| self.of())
                .or_else(|| self.joined())
                .or_else(|| self.structure())
                .or_else(|| self.verb_follows())
                .or_else(|| self.adjective())
                .or_else(|| self.state())
                .or_else(|| self.ended());
            match step {
                Some(true) => {}
                Some(false) => break,
                None => {
                    self.words.push(self.j);
                    self.j += 1;
                }
            }
        }
    }

    // Each of the following looks at the next word: `Some(true)` if it has
    // taken it, `Some(false)` if the noun ends before it, `None` if it has
    // nothing to say about it.

    /// Whether a noun follows the next word.
    fn noun_next(&self) -> bool {
        nounish(self.toks, self.j + 1) && !acts(self.toks, self.j + 1, 1, false, false, self.role)
    }

    /// Whether the next word is a number, or has one in it: "3", "2B", "two",
    /// "hundred". Places may be named so: "Hundred Acre Wood".
    fn is_number(&self) -> bool {
        let t = &self.toks[self.j];
        small_number(&t.text).is_some()
            || (t.text.chars().any(|c| c.is_ascii_digit()) && t.word)
            || (is_number_word(&t.text) && self.role != Role::Place)
    }

    /// Whether the number that comes next may be a name's: "3", "2B", but no
    /// share ("0.5"), no amount ("hundred") and no time ("1h30").
    fn names(&self) -> bool {
        let t = &self.toks[self.j];
        self.is_number()
            && !is_number_word(&t.text)
            && small_number(&t.text).is_none_or(|n| self.role == Role::Place || n.fract() == 0.0)
            && duration(&self.toks[self.j..=self.j], 0).is_none()
    }

    /// "bay 3", "platform 2B", "gate two", "stop A".
    fn numbered(&mut self) -> Option<bool> {
        let (toks, j, role) = (self.toks, self.j, self.role);
        let t = &toks[j];
        if !self.words.is_empty() && super::compare::is_crossing(toks, j) {
            return Some(false);
        }
        let named = self.names() && !self.words.is_empty() && role == Role::Subject && {
            let last = &toks[self.words[self.words.len() - 1]];
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
            && !self.words.is_empty()
            && t.raw.len() == 1
            && t.raw.chars().all(|c| c.is_ascii_uppercase())
            && t.any(ARTICLES)
            && !self.noun_next();
        if letter || named {
            self.words.push(j);
            self.j += 1;
            return Some(true);
        }
        if self.names()
            && !self.words.is_empty()
            && (role == Role::Place
                || (role == Role::Subject
                    && toks[self.words[self.words.len() - 1]].any(&[
                        "camera", "bay", "door", "gate", "line", "machine", "lane", "track",
                        "platform", "pump", "conveyor", "press", "forklift", "rack", "aisle",
                    ])))
        {
            // "in the lobby 3 people": a self.is_number() before a plural is a count.
            if !(toks.get(j + 1).is_some_and(|n| {
                n.word
                    && is_plural(&n.text)
                    && !n.any(COPULAS)
                    && !n.any(STRUCTURE)
                    && verb(&n.text).is_none()
            }) && role == Role::Place)
            {
                self.words.push(j);
                self.j += 1;
                return Some(true);
            }
        }
        None
    }

    /// "stack of boxes", "door of the shop".
    fn of(&mut self) -> Option<bool> {
        let (toks, j, role) = (self.toks, self.j, self.role);
        let t = &toks[j];
        let s = t.text.as_str();
        if s == "of" && !self.words.is_empty() && !toks[self.words[self.words.len() - 1]].is("of") {
            let det = toks.get(j + 1).is_some_and(|t| t.any(ARTICLES));
            let after = j + 1 + usize::from(det);
            let carrier = toks[self.words[self.words.len() - 1]].any(&[
                "pile", "stack", "bottle", "cup", "box", "bag", "pallet", "roll", "bunch",
                "bucket", "pool", "puddle", "piece", "plume", "cloud", "can", "glass", "barrel",
                "tray", "bowl", "plate", "piles", "stacks", "bottles", "cups", "boxes", "bags",
                "pallets", "cloud", "flock", "herd", "pair", "crate", "crates", "sheet", "pack",
            ]);
            let part = toks
                .get(after + 1)
                .is_some_and(|n| small_number(&n.text).is_some())
                || det;
            let share = toks[self.words[self.words.len() - 1]].any(&[
                "half", "most", "part", "rest", "majority", "third", "quarter", "some", "none",
                "many", "pair",
            ]);
            if nounish(toks, after)
                && (role == Role::Place
                    || (part && !share && role == Role::Subject)
                    || carrier
                    || is_quantity_noun(&toks[self.words[self.words.len() - 1]].text))
            {
                self.words.push(j);
                if det {
                    self.words.push(j + 1);
                }
                self.j = after;
                return Some(true);
            }
        }
        None
    }

    /// "the lost and found desk", "the 24-hour kiosk".
    fn joined(&mut self) -> Option<bool> {
        let (toks, j, role) = (self.toks, self.j, self.role);
        let t = &toks[j];
        let s = t.text.as_str();
        // "the lost and found desk" is one place
        let pair = role != Role::Object
            && s == "and"
            && !self.words.is_empty()
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
                toks[self.words[self.words.len() - 1]].is(a)
                    && toks.get(j + 1).is_some_and(|n| n.is(b))
            });
        if pair {
            self.words.push(j);
            self.words.push(j + 1);
            self.j += 2;
            return Some(true);
        }
        // "the 24-hour kiosk"
        if role == Role::Place
            && self.words.is_empty()
            && self.is_number()
            && toks.get(j + 1).is_some_and(|n| n.is("-"))
            && toks.get(j + 2).is_some_and(|n| n.word)
            && nounish(toks, j + 3)
        {
            self.words.extend([j, j + 1, j + 2]);
            self.j += 3;
            return Some(true);
        }
        // "in zone 3 look for a puddle"
        if role == Role::Place
            && self
                .words
                .last()
                .is_some_and(|w| small_number(&toks[*w].text).is_some())
            && super::frames::starts(toks, j)
        {
            return Some(false);
        }
        if s == "&" && !self.words.is_empty() && nounish(toks, j + 1) && role != Role::Subject {
            self.words.push(j);
            self.j += 1;
            return Some(true);
        }
        None
    }

    /// "back door", "second floor", "trash can": structure words right before
    /// a noun of a place, or in the names of things.
    fn structure(&mut self) -> Option<bool> {
        let (toks, j, role) = (self.toks, self.j, self.role);
        let t = &toks[j];
        if !t.word || self.is_number() || t.any(PREPOSITIONS) || t.any(COPULAS) || t.any(ARTICLES) {
            return Some(false);
        }
        if t.any(STRUCTURE) {
            // "back door", "second floor", "up ramp": structure self.words that
            // stand right before a noun of a place.
            let of = toks.get(j + 1).is_some_and(|n| n.is("of"));
            let place_word = role != Role::Object
                && (t.any(&["back", "lower", "higher"]) && self.noun_next()
                    || role == Role::Place
                        && t.any(&["first", "second", "last", "next", "other", "alarm"])
                        && self.noun_next()
                    || t.is("back") && of);
            // "trash can", "milk cans": no verb follows
            let can = t.is("can")
                && (!self.words.is_empty() || !self.out.article.is_empty())
                && toks.get(j + 1).is_none_or(|n| {
                    !n.any(&["be", "not", "never", "only", "have"])
                        && (verb(&n.text).is_none() || n.text.ends_with('s'))
                });
            let named_next = toks.get(j + 1).is_some_and(|n| {
                small_number(&n.text).is_some()
                    || n.raw.len() == 1 && n.raw.chars().all(|c| c.is_ascii_uppercase())
            });
            let lot = t.is("lot")
                && (!self.words.is_empty() || self.out.article == "the" || named_next)
                || t.is("alarm")
                    && role != Role::Place
                    && (!self.words.is_empty() || !self.out.article.is_empty())
                    && self.noun_next();
            if !place_word && !can && !lot {
                return Some(false);
            }
            self.words.push(j);
            self.j += 1;
            return Some(true);
        }
        None
    }

    /// "a dog | digs", "people | enter": a verb is no part of the noun.
    fn verb_follows(&mut self) -> Option<bool> {
        let (toks, j, role) = (self.toks, self.j, self.role);
        let t = &toks[j];
        let s = t.text.as_str();
        if !self.words.is_empty() && here!(toks, j, "close to|by").is_some() {
            return Some(false);
        }
        // "fridge wide open"
        if !self.words.is_empty()
            && t.any(&["wide", "half", "fully", "partly", "slightly", "completely"])
            && toks.get(j + 1).is_some_and(|n| n.any(STATES))
        {
            return Some(false);
        }
        let plural = self
            .words
            .last()
            .is_some_and(|w| is_plural(&toks[*w].text) && !toks[*w].any(S_SINGULAR));
        let of_it = self.words.last().is_some_and(|w| toks[*w].is("of"));
        let known_noun = s.ends_with('s') && KNOWN.contains(singular(s).as_str());
        // "4 bus stops": what is counted is a plural, so this is no verb yet.
        let counted = self
            .out
            .compare
            .is_some_and(|k| k.threshold != crate::Threshold::One(1))
            && s.ends_with('s')
            && self.words.last().is_some_and(|w| {
                !is_plural(&toks[*w].text)
                    && !crate::noun::is_mass(&toks[*w].text)
                    && !toks[*w].any(&["staff", "sheep", "cattle", "people"])
            });
        if !of_it && !known_noun && !counted && acts(toks, j, self.words.len(), plural, false, role)
        {
            return Some(false);
        }
        let somebody = self.words.len() == 1
            && HUMANS.contains(toks[self.words[0]].text.as_str())
            && !self.out.article.is_empty();
        let article = if somebody {
            "pronoun"
        } else {
            &self.out.article
        };
        if role == Role::Subject && !self.words.is_empty() && strange_verb(toks, j, article) {
            return Some(false);
        }
        // "the waiting line" is a queue
        if self.words.is_empty()
            && s == "waiting"
            && toks
                .get(j + 1)
                .is_some_and(|n| n.any(&["line", "queue", "lines", "queues"]))
        {
            self.j += 1;
            return Some(true);
        }
        None
    }

    /// "dark blue", "black and white", "wooden".
    fn adjective(&mut self) -> Option<bool> {
        let (toks, j) = (self.toks, self.j);
        let t = &toks[j];
        let s = t.text.as_str();
        if !self.words.is_empty() || self.role == Role::Place {
            return None;
        }
        let follows = self.noun_next()
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
            if t.any(&["dark", "light", "bright"]) && toks.get(k).is_some_and(|n| n.any(COLOURS)) {
                name = format!("{name} {}", toks[k].text);
                k += 1;
            } else if toks.get(k).is_some_and(|n| n.is("and")) {
                name = format!("{name} and {}", toks[k + 1].text);
                k += 2;
            }
            self.out.attributes.push(name);
            self.j = k;
            return Some(true);
        }
        None
    }

    /// "unattended bag", "parked car".
    fn state(&mut self) -> Option<bool> {
        let (toks, j, role) = (self.toks, self.j, self.role);
        let t = &toks[j];
        let s = t.text.as_str();
        if !self.words.is_empty() || self.role == Role::Place {
            return None;
        }
        if t.any(UNATTENDED) && nounish(toks, j + 1) {
            self.out.unattended = true;
            self.j += 1;
            return Some(true);
        }
        if here!(toks, j, "left behind").is_some() && nounish(toks, j + 2) {
            self.out.unattended = true;
            self.j += 2;
            return Some(true);
        }
        let participle = s.len() > 5
            && s.ends_with("ed")
            && s.is_ascii()
            && !ATTRIBUTES.contains(s)
            && !is_number_word(s);
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
            && self.noun_next()
            && self.out.state.is_none()
            && role == Role::Subject
            && !matches!(
                s,
                "restricted" | "covered" | "marked" | "painted" | "fenced" | "gated" | "running"
            )
        {
            // "a missing bag" is none.
            if s == "missing" {
                self.out.negative ^= true;
            } else {
                self.out.state = Some(s.to_owned());
            }
            self.j += 1;
            return Some(true);
        }
        None
    }

    /// "person | yard", "door | open": what stands behind the noun.
    fn ended(&mut self) -> Option<bool> {
        let (toks, j, role) = (self.toks, self.j, self.role);
        let t = &toks[j];
        let s = t.text.as_str();
        if !self.words.is_empty()
            && role != Role::Place
            && (STATES.contains(s) || UNATTENDED.contains(s))
            && !self.noun_next()
        {
            return Some(false);
        }
        // "person yard": no such thing, but somebody in a place.
        if self.words.len() == 1
            && role == Role::Subject
            && toks[self.words[0]].any(&[
                "person", "people", "persons", "cars", "dogs", "trucks", "vans", "vehicles",
            ])
            && t.word
            && (PLACES.contains(s) || (FIXTURES.contains(s) && !self.noun_next()))
        {
            return Some(false);
        }
        if self.words.is_empty()
            && role == Role::Subject
            && !self.noun_next()
            && self.out.article.is_empty()
            && (from_gerund(s).is_some() && s.ends_with("ing") && !ING_NOUNS.contains(s))
        {
            return Some(false);
        }
        None
    }
}
