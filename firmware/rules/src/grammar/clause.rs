//! A clause: what is watched, and what must be true of it.

use super::compare::{Compare, afterthought, compare};
use super::pattern::{here, longest};
use super::phrase::{Phrase, Role, acts, phrase, place_cannot};
use super::token::{Tok, span_of};
use super::words::*;
use crate::lexicon::{Lexicon, Words, lexicon};
use crate::noun::is_plural;
use crate::{Comparator, Place, Predicate, Refusal, RefusalKind, Rule};

/// One clause as it is put together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clause {
    pub subjects: Vec<Phrase>,
    /// The subjects are joined by "and" (`true`) or "or".
    pub both: bool,
    pub attributes: Vec<String>,
    pub state: Option<String>,
    pub action: Option<String>,
    pub direction: Option<String>,
    pub zones: Vec<String>,
    pub place: Vec<String>,
    pub compare: Option<Compare>,
    pub unattended: bool,
    /// Nobody is there, whatever it is: "the chair is unmanned".
    pub watched: bool,
    pub queue: bool,
    pub negative: bool,
    /// A copula or a verb was there: it is a sentence, not a fragment.
    pub verbal: bool,
    /// After "unless": its opposite is meant.
    pub inverted: bool,
    pub span: [usize; 2],
}

const ADVERBS: &Lexicon = lexicon![
    "currently",
    "now",
    "still",
    "already",
    "again",
    "actually",
    "really",
    "simply",
    "also",
    "ever",
    "suddenly",
    "continuously",
    "constantly",
    "here",
    "simultaneously",
    "anymore",
    "anywhere",
    "somewhere",
    "visibly",
    "just",
    "then",
    "someplace",
];

pub(super) fn ambiguous(why: impl Into<String>, offer: &str, span: [usize; 2]) -> Refusal {
    Refusal::new(RefusalKind::Ambiguous, why)
        .offer(offer)
        .at(span)
}

pub(super) fn preposition(toks: &[Tok], i: usize) -> Option<usize> {
    longest(toks, i, LONG_PREPOSITIONS)
        .or_else(|| toks.get(i).filter(|t| t.any(PREPOSITIONS)).map(|_| 1))
}

pub(super) fn skip(toks: &[Tok], mut i: usize) -> usize {
    loop {
        // "just two guards" is exactly two
        let exactly = toks.get(i).is_some_and(|t| t.is("just"))
            && super::number::number(toks, i + 1).is_some();
        if exactly {
            return i;
        }
        if toks.get(i).is_some_and(|t| t.is_gap() || t.any(ADVERBS)) {
            i += 1;
        } else if let Some(n) =
            here!(toks, i, "at a|one|any|once time").or(here!(toks, i, "at any one time"))
        {
            i += n;
        } else if let Some(n) = here!(toks, i, "at the same time")
            .filter(|n| !toks.get(i + n).is_some_and(|t| t.is("as")))
        {
            i += n;
        } else if let Some(n) = here!(toks, i, "any more|longer") {
            // "is not there any more"; "any more than" compares
            if toks.get(i + n).is_some_and(|t| t.is("than"))
                || toks
                    .get(i + n)
                    .is_some_and(|t| t.word && !t.any(PREPOSITIONS))
            {
                return i;
            }
            i += n;
        } else {
            return i;
        }
    }
}

pub(crate) struct Parser<'a> {
    pub toks: &'a [Tok],
    /// The clause before, for pronouns and what is left unsaid.
    pub before: Option<Clause>,
    /// The sentence asks "is …?".
    pub asks: bool,
}

impl Parser<'_> {
    pub(super) fn at<W: Words + ?Sized>(&self, i: usize, words: &W) -> bool {
        self.toks.get(i).is_some_and(|t| t.any(words))
    }

    /// The clause at `i` and where it ends.
    pub fn clause(&self, start: usize) -> Result<(Clause, usize), Refusal> {
        let toks = self.toks;
        let mut c = Clause::default();
        let mut i = skip(toks, start);
        // "there is", "there are not"
        if self.at(i, &["there"]) {
            i = skip(toks, i + 1);
            let have = usize::from(self.at(i, &["has", "have"]));
            if self.at(i + have, COPULAS) || self.at(i + have, &["appears", "appear"]) {
                i += have + 1;
                c.verbal = true;
                if self.at(i, &["to"]) && self.at(i + 1, &["be"]) {
                    i += 2;
                }
            }
            i = skip(toks, i);
        }
        // "it starts to smoke"
        if self.at(i, &["it"]) {
            let n = here!(toks, i + 1, "is? starts|begins|starting|beginning to?")
                .or(here!(toks, i + 1, "is"))
                .unwrap_or(0);
            let stuff = toks.get(i + 1 + n).and_then(|t| match t.text.as_str() {
                "smoke" | "smokes" | "smoking" => Some("smoke"),
                "burn" | "burns" | "burning" => Some("fire"),
                "snow" | "snows" | "snowing" => Some("snow"),
                "rain" | "rains" | "raining" => Some("rain"),
                "flood" | "floods" | "flooding" => Some("water"),
                _ => None,
            });
            if let Some(stuff) = stuff {
                c.subjects.push(Phrase {
                    noun: stuff.into(),
                    raw: stuff.into(),
                    span: toks[i + 1 + n].span,
                    ..Phrase::default()
                });
                c.verbal = true;
                i = self.rest(i + 2 + n, &mut c)?;
                c.span = span_of(&toks[start..i]);
                return Ok((c, i));
            }
        }
        let pronoun = self.at(i, &["it", "they", "them", "one"])
            && (self.at(i + 1, COPULAS)
                || self.at(
                    i + 1,
                    &[
                        "has", "have", "exceeds", "exceed", "reaches", "drops", "falls",
                    ],
                )
                || self.at(i + 1, BEING));
        let implied = self.before.is_some()
            && !pronoun
            && (self.at(i, COPULAS)
                || self.at(i, &["not", "without"])
                || self.at(i, UNATTENDED)
                || (compare(toks, i)?.is_some_and(|k| {
                    !k.bare && phrase(toks, i + k.len, Role::Subject).is_ok_and(|p| p.is_none())
                }))
                || (toks.get(i).is_some_and(|t| t.any(STATES))
                    && phrase(toks, i, Role::Subject)?.is_none_or(|(_, end)| end == i + 1))
                || (preposition(toks, i).is_some() && compare(toks, i)?.is_none())
                || (toks.get(i).is_some_and(|t| t.text.ends_with("ing"))
                    && acts(toks, i, 0, false, true, Role::Subject)
                    && self
                        .before
                        .as_ref()
                        .is_some_and(|b| b.action.is_some() || b.state.is_some())
                    && phrase(toks, i, Role::Subject)?.is_none())
                || (toks.get(i).is_some_and(|t| {
                    verb(&t.text).is_some()
                        && !t.text.ends_with("ing")
                        && (t.text.ends_with('s')
                            || self.before.as_ref().is_some_and(|b| {
                                b.subjects.first().is_some_and(|s| is_plural(&s.raw))
                            }))
                }) && phrase(toks, i, Role::Subject)?
                    .is_none_or(|(p, end)| end == i + 1 && p.article.is_empty())));
        if pronoun || implied {
            let Some(before) = &self.before else {
                return Err(place_cannot(&toks[i..i + 1]));
            };
            c.subjects = before.subjects.clone();
            c.both = before.both;
            c.queue = before.queue;
            c.attributes = before.attributes.clone();
            for s in &mut c.subjects {
                s.compare = None;
            }
            i += usize::from(pronoun);
        } else {
            i = self.subjects(i, &mut c)?;
        }
        let i = self.rest(i, &mut c)?;
        c.span = span_of(&toks[start.min(i)..i]);
        Ok((c, i))
    }

    pub(super) fn subjects(&self, mut i: usize, c: &mut Clause) -> Result<usize, Refusal> {
        let toks = self.toks;
        i = skip(toks, i);
        // "loitering near the machine": of a person
        if let Some(t) = toks.get(i)
            && t.text.ends_with("ing")
            && acts(toks, i, 0, false, true, Role::Subject)
            && !ING_NOUNS.contains(t.text.as_str())
            && phrase(toks, i, Role::Subject)?.is_none()
        {
            c.subjects.push(Phrase {
                noun: "person".into(),
                raw: "person".into(),
                pronoun: true,
                span: t.span,
                ..Phrase::default()
            });
            return Ok(i);
        }
        let Some((first, mut end)) = phrase(toks, i, Role::Subject)? else {
            let word = &toks[i.min(toks.len().saturating_sub(1))..(i + 1).min(toks.len())];
            return Err(if word.is_empty() {
                Refusal::new(
                    RefusalKind::NotARule,
                    "There is nothing to watch for in this.",
                )
                .offer(
                    "Say what to watch for, for example 'Alert me when someone enters the yard'.",
                )
            } else {
                place_cannot(word)
            });
        };
        let mut first = first;
        if let Some(k) = first.compare.as_mut().filter(|k| k.bare)
            && let Some((comparator, n)) = afterthought(toks, end)
        {
            (k.comparator, k.bare) = (comparator, false);
            end += n;
        }
        // "at least nine crates but no more than twelve crates"
        if let Some(own) = first.compare.filter(|k| !k.bare)
            && let Some(glue) = here!(toks, end, ",? but|and")
            && let Some(second) = compare(toks, end + glue)?.filter(|k| !k.bare)
        {
            let to = end + glue + second.len;
            let again = phrase(toks, end + glue, Role::Subject)?
                .filter(|(p, _)| p.noun == first.noun && p.compare.is_some())
                .map(|(_, e)| e);
            if let Some(e) = again {
                first.compare = Some(super::compare::within_both(
                    own,
                    second,
                    own.len,
                    &toks[i..e],
                )?);
                end = e.max(to);
            }
        }
        let negative = first.negative;
        c.subjects.push(first);
        let mut joined: Option<bool> = None;
        loop {
            let comma = usize::from(self.at(end, &[","]));
            let word = here!(toks, end + comma, "or|and|and/or|&").unwrap_or(0);
            if comma + word == 0 {
                break;
            }
            let glue = (word > 0).then(|| self.at(end + comma, &["and", "&"]));
            let at = end + comma + word;
            if self.at(at, &["there", "it", "they"]) {
                break;
            }
            let Ok(Some((next, next_end))) = phrase(toks, at, Role::Subject) else {
                break;
            };
            // "two vans and a truck": each with its own number or article
            let each_own = glue.is_some()
                && c.subjects
                    .iter()
                    .all(|s| s.compare.is_some() || !s.article.is_empty())
                && c.subjects.iter().all(|s| !s.negative && !s.pronoun)
                && (next.compare.is_some() || !next.article.is_empty())
                && !next.negative;
            // A phrase with its own number or its own "no" starts its own clause,
            // and so does one after a comma that no list goes on from.
            let list_goes_on = word > 0
                || here!(toks, next_end, "or|and").is_some()
                || (here!(toks, next_end, ",").is_some() && toks.get(next_end + 1).is_some());
            if (next.compare.is_some() && !each_own)
                || (next.negative && !negative)
                || !list_goes_on
            {
                break;
            }
            // "a fire or smoke": elliptic states ("open or closed") are none.
            if toks[at..next_end]
                .iter()
                .all(|t| t.any(STATES) || t.any(UNATTENDED))
            {
                break;
            }
            if let Some(g) = glue {
                if joined.is_some_and(|j| j != g) {
                    return Err(ambiguous(
                        "Both 'and' and 'or' join these.",
                        "Make two rules.",
                        span_of(&toks[i..next_end]),
                    ));
                }
                joined = Some(g);
            }
            c.subjects.push(next);
            end = next_end;
        }
        if c.subjects.len() > 1 {
            let Some(g) = joined else {
                return Err(place_cannot(&toks[i..end]));
            };
            c.both = g;
            // "no guard or porter" means neither.
            if negative {
                c.both = true;
                c.subjects.iter_mut().for_each(|s| s.negative = true);
            }
        }
        Ok(end)
    }

    /// Whether a new clause, not a continuation, starts after the "and" at `i`.
    pub(super) fn new_clause(&self, i: usize) -> bool {
        let toks = self.toks;
        if self.at(
            i,
            &[
                "there",
                "it",
                "they",
                "nobody",
                "someone",
                "somebody",
                "anyone",
                "anybody",
                "no",
                "nothing",
                "something",
                "anything",
                "not",
            ],
        ) || self.at(i, COPULAS)
        {
            return true;
        }
        match phrase(toks, i, Role::Subject) {
            Ok(Some((p, end))) => {
                p.compare.is_some()
                    || p.unattended
                    || p.state.is_some()
                    || self.at(end, COPULAS)
                    || self.at(end, &["has", "have", "that", "who", "which"])
                    || toks.get(end).is_some_and(|t| {
                        t.word
                            && (t.any(STATES)
                                || acts(toks, end, 1, is_plural(&p.raw), p.pronoun, Role::Subject))
                    })
                    || (matches!(p.article.as_str(), "a" | "an")
                        && preposition(toks, end).is_some())
            }
            _ => true,
        }
    }

    pub(super) fn add_place(
        &self,
        from: usize,
        prep: usize,
        c: &mut Clause,
    ) -> Result<Option<usize>, Refusal> {
        let toks = self.toks;
        let at = from + prep;
        if self.at(at, &["it", "them"]) {
            // "near it": near what the clause before is about
            let Some(thing) = self.before.as_ref().and_then(|b| b.subjects.first()) else {
                return Err(place_cannot(&toks[at..at + 1]));
            };
            c.zones.push(zone_name(&thing.raw));
            c.place
                .push(format!("{} the {}", words_of(&toks[from..at]), thing.raw));
            return Ok(Some(at + 1));
        }
        let Some((first, mut end)) = phrase(toks, at, Role::Place)? else {
            return Ok(None);
        };
        if first.pronoun || first.negative || (first.universal && !self.at(at, &["all", "both"])) {
            return Err(place_cannot(&toks[at..end]));
        }
        let mut names = vec![first];
        let mut words = words_of(&toks[from..end]);
        if let Some((numbered, to)) = numbers(toks, &names[0], end) {
            words.push_str(if self.at(end, &[","]) { "" } else { " " });
            words.push_str(&words_of(&toks[end..to]));
            names = numbered;
            end = to;
        }
        loop {
            let comma = usize::from(self.at(end, &[","]));
            let word = here!(toks, end + comma, "or|and|&").unwrap_or(0);
            if comma + word == 0 {
                break;
            }
            let and = word > 0 && self.at(end + comma, &["and", "&"]);
            let next = end + comma + word;
            let again = preposition(toks, next)
                .filter(|_| {
                    words_of(&toks[next..next + 1])
                        .eq_ignore_ascii_case(&words_of(&toks[from..from + 1]))
                })
                .unwrap_or(0);
            if self.new_clause(next + again) {
                break;
            }
            let Some((p, next_end)) = phrase(toks, next + again, Role::Place)? else {
                break;
            };
            let goes_on = word > 0
                || here!(toks, next_end, "or|and").is_some()
                || here!(toks, next_end, ", or|and").is_some()
                || (self.at(next_end, &[","]) && !p.article.is_empty());
            if !goes_on {
                break;
            }
            // "between the door and the desk" is one place
            if and && toks[from].is("between") && names.len() == 1 {
                names[0].raw = format!("{} and {}", names[0].raw, words_of(&toks[next..next_end]));
            } else {
                names.push(p);
            }
            words.push_str(if comma > 0 { "," } else { "" });
            words.push(' ');
            words.push_str(&words_of(&toks[end + comma..next_end]));
            end = next_end;
        }
        for p in &names {
            c.zones.push(zone_name(&p.raw));
        }
        c.place.push(words.trim().to_owned());
        Ok(Some(end))
    }

    /// A place, which may itself have one: "at the till in the shop".
    pub(super) fn place(&self, i: usize, c: &mut Clause) -> Result<Option<usize>, Refusal> {
        let toks = self.toks;
        let Some(prep) = preposition(toks, i) else {
            return Ok(None);
        };
        // queues: "in a queue", "in line"
        if here!(toks, i, "in a|the? queue|line").is_some() {
            let n = here!(toks, i, "in a|the? queue|line").unwrap_or(0);
            c.queue = true;
            return Ok(Some(i + n));
        }
        // "off leash", "from Spain": no places, unless something moves there.
        let still = c.action.is_none() && c.state.is_none() && !c.negative;
        if still
            && toks[i].any(&[
                "off", "from", "to", "into", "onto", "through", "via", "towards",
            ])
        {
            return Err(place_cannot(&toks[i..(i + 2).min(toks.len())]));
        }
        // clothes: "in a red jacket"
        if toks[i].is("in")
            && let Some((p, end)) = phrase(toks, i + 1, Role::Object)?
            && p.noun
                .rsplit(' ')
                .next()
                .is_some_and(|w| CLOTHES.contains(w))
        {
            c.attributes.push(format!("wearing {}", full(&p)));
            return Ok(Some(end));
        }
        if here!(toks, i, "in|into view|sight").is_some()
            || here!(toks, i, "in the picture|frame|image|view|scene").is_some()
            || here!(toks, i, "on camera|screen").is_some()
        {
            let n = here!(toks, i, "in|into view|sight")
                .or(here!(toks, i, "in the picture|frame|image|view|scene"))
                .or(here!(toks, i, "on camera|screen"))
                .unwrap_or(0);
            return Ok(Some(i + n));
        }
        let had = c.zones.len();
        let moving = [
            "to", "into", "onto", "from", "towards", "toward", "through", "off",
        ];
        if had > 0 && toks[i].any(&moving) {
            return Err(place_cannot(&toks[i..i + 2.min(toks.len() - i)]));
        }
        let before = c.place.len();
        let Some(end) = self.add_place(i, prep, c)? else {
            return Ok(None);
        };
        // "gone from the pier": there is none at the pier.
        if c.negative
            && c.action.is_none()
            && toks[i].is("from")
            && let Some(p) = c.place.get_mut(before)
            && let Some(rest) = p.strip_prefix("from ")
        {
            *p = format!("at {rest}");
        }
        if had > 0 {
            // A second place narrows the first: one place in the user's words.
            if had > 1 || c.zones.len() > had + 1 {
                return Err(ambiguous(
                    "These places can't be told apart.",
                    "Name one place, or a list of places.",
                    span_of(&toks[i..end]),
                ));
            }
            let outer = words_of(&toks[i..end]);
            c.zones.truncate(had);
            let narrowed = format!("{} {outer}", c.zones[0]);
            c.zones[0] = zone_name(&narrowed);
        }
        Ok(Some(end))
    }
}

/// "aisle 5, 6 or 7", "platforms 1 and 2", "gates 3 to 5": each with its name.
fn numbers(toks: &[Tok], first: &Phrase, end: usize) -> Option<(Vec<Phrase>, usize)> {
    let is_number = |t: &Tok| {
        t.word
            && (t.text.chars().all(|c| c.is_ascii_digit())
                || (t.raw.len() == 1 && t.raw.chars().all(|c| c.is_ascii_uppercase())))
    };
    let (front, number) = first.raw.rsplit_once(' ')?;
    let digit = |s: &str| s.chars().all(|c| c.is_ascii_digit());
    if !(digit(number) || number.len() == 1 && number.chars().all(|c| c.is_ascii_uppercase())) {
        return None;
    }
    let mut list = vec![number.to_owned()];
    let mut at = end;
    loop {
        let range = here!(toks, at, "to|-|through").unwrap_or(0);
        if range > 0
            && list.len() == 1
            && let Some(t) = toks.get(at + 1).filter(|t| digit(&t.text))
            && let (Ok(a), Ok(b)) = (number.parse::<u32>(), t.text.parse::<u32>())
            && a < b
            && b - a <= 20
            && is_plural(front)
        {
            list.extend((a + 1..=b).map(|n| n.to_string()));
            at += 2;
            break;
        }
        let comma = usize::from(toks.get(at).is_some_and(|t| t.is(",")));
        let word = here!(toks, at + comma, "or|and|&").unwrap_or(0);
        let next = at + comma + word;
        let stops = toks.get(next + 1).is_none_or(|n| {
            !n.word
                || n.any(PREPOSITIONS)
                || n.any(&["or", "and"])
                || n.any(COPULAS)
                || n.any(STRUCTURE)
        });
        match toks.get(next) {
            Some(t) if comma + word > 0 && is_number(t) && stops => {
                list.push(t.raw.clone());
                at = next + 1;
            }
            _ => break,
        }
    }
    if list.len() < 2 {
        return None;
    }
    let one = if is_plural(front) {
        crate::noun::singular(front)
    } else {
        front.to_owned()
    };
    let names = list
        .into_iter()
        .map(|n| Phrase {
            raw: format!("{one} {n}"),
            ..first.clone()
        })
        .collect();
    Some((names, at))
}

pub(super) fn full(p: &Phrase) -> String {
    let mut words = p.attributes.clone();
    words.extend(p.state.clone());
    words.push(p.noun.clone());
    words.join(" ")
}

pub(crate) fn words_of(toks: &[Tok]) -> String {
    let mut out = String::new();
    for t in toks.iter().filter(|t| !t.raw.is_empty()) {
        if !out.is_empty() && !t.is(",") {
            out.push(' ');
        }
        let letter = t.raw.len() == 1 && !out.is_empty() && t.raw.chars().all(char::is_uppercase);
        out.push_str(
            if t.word && !letter && (t.any(PREPOSITIONS) || t.any(ARTICLES)) {
                &t.text
            } else {
                &t.raw
            },
        );
    }
    out
}

/// The zone's name: the user's words without a trailing "zone".
pub(crate) fn zone_name(raw: &str) -> String {
    match raw.rsplit_once(' ') {
        Some((front, last)) if last.eq_ignore_ascii_case("zone") => front.to_owned(),
        _ => raw.to_owned(),
    }
}

impl Clause {
    /// The clause as rules, one a subject.
    pub fn rules(&self) -> Result<Vec<Rule>, Refusal> {
        let counted = self.subjects.iter().any(|s| s.compare.is_some()) || self.compare.is_some();
        let own = self.compare.is_none()
            && (self.subjects.iter()).all(|s| s.compare.is_some() || !s.article.is_empty());
        if self.subjects.len() > 1 && counted && !own {
            return Err(ambiguous(
                "It is not clear whether these are counted together or each for itself.",
                "Make one rule for each thing.",
                self.span,
            ));
        }
        self.subjects.iter().map(|s| self.rule(s)).collect()
    }

    fn rule(&self, s: &Phrase) -> Result<Rule, Refusal> {
        let mut rule = Rule::default();
        let mut place = self.place.join(" ");
        let mut zones = self.zones.clone();
        let mut subject = s.noun.clone();
        let unattended = self.unattended || s.unattended;
        let negative = self.negative || s.negative;
        let head = subject.rsplit(' ').next().unwrap_or("").to_owned();
        // "till 4": the number is no head.
        let head = match subject.rsplit_once(' ') {
            Some((front, last)) if last.chars().any(|c| c.is_ascii_digit()) => {
                front.rsplit(' ').next().unwrap_or("").to_owned()
            }
            _ => head,
        };
        let place_like = FIXTURES.contains(head.as_str()) || PLACES.contains(head.as_str());
        let watched = unattended && !s.unattended && (place_like || self.watched);
        if unattended && self.action.is_some() {
            return Err(place_cannot_span(self.span));
        }
        if unattended
            && matches!(
                subject.as_str(),
                "person" | "worker" | "child" | "baby" | "dog"
            )
            && negative
        {
            return Err(place_cannot_span(self.span));
        }
        rule.attributes = s.attributes.clone();
        rule.attributes.extend(self.attributes.iter().cloned());
        rule.state = match (&s.state, &self.state) {
            (Some(a), None) | (None, Some(a)) => Some(a.clone()),
            (Some(_), Some(_)) => return Err(place_cannot_span(self.span)),
            (None, None) => None,
        };
        if watched {
            if negative || rule.state.is_some() || self.action.is_some() {
                return Err(place_cannot_span(self.span));
            }
            // Nobody looks after the desk: nobody is there.
            if zones.is_empty() {
                zones = vec![zone_name(&s.raw)];
                place = format!("at the {}", s.raw);
            } else {
                zones[0] = format!("{} {}", s.raw, place);
                place = format!("at the {} {place}", s.raw);
            }
            subject = "person".into();
            rule.attributes.clear();
        } else if unattended {
            let thing = if subject == "any object" {
                "object"
            } else {
                &subject
            };
            subject = format!("unattended {thing}");
        }
        if self.queue && !subject.ends_with(" in queue") {
            subject = format!("{subject} in queue");
        }
        rule.subject = Some(subject);
        rule.zone = match zones.len() {
            0 => None,
            1 => Some(Place::One(zones[0].clone())),
            _ => Some(Place::Many(zones)),
        };
        rule.place = (!place.is_empty()).then_some(place);
        let compare = s.compare.or(self.compare);
        let numbered = rule.subject.as_deref().is_some_and(|s| {
            s.rsplit(' ')
                .next()
                .is_some_and(|w| w.chars().all(|c| c.is_ascii_digit()))
        });
        if let Some(k) = compare {
            // "twenty door 3"
            if numbered && k.threshold != crate::Threshold::One(1) {
                return Err(place_cannot_span(self.span));
            }
            rule.comparator = Some(k.comparator);
            rule.threshold = Some(k.threshold);
        }
        // "movement in the hall": something moves.
        if matches!(
            s.noun.as_str(),
            "movement" | "motion" | "any movement" | "any motion"
        ) && compare.is_none()
            && self.action.is_none()
            && !negative
            && rule.state.is_none()
        {
            rule.subject = Some("any object".into());
            rule.action = Some("move".into());
            rule.predicate = Some(Predicate::Event);
            return Ok(rule);
        }
        rule.action = self.action.clone();
        rule.direction = self.direction.clone();
        if s.universal && self.action.is_none() && self.verbal {
            return Err(ambiguous(
                "'Every' and 'all' can't be checked of things that may be out of view.",
                "Ask for the ones that are not so, for example 'a person not wearing a helmet'.",
                s.span,
            ));
        }
        let clash = || {
            ambiguous(
                "This 'not' can be read in two ways.",
                "Say 'there is no …', or name the state.",
                self.span,
            )
        };
        // "no hard hat in zone A": on whom?
        if negative && !self.verbal && CLOTHES.contains(head.as_str()) {
            return Err(ambiguous(
                format!("It is not said who wears no {}.", s.noun),
                "Say 'a person without a helmet', or 'there is no helmet on the rack'.",
                self.span,
            ));
        }
        rule.predicate = Some(if rule.action.is_some() {
            if negative || rule.state.is_some() {
                return Err(clash());
            }
            Predicate::Event
        } else if negative || watched {
            if compare.is_some() || rule.state.is_some() || (unattended && !watched) {
                return Err(clash());
            }
            Predicate::Absence
        } else if let Some(k) = compare {
            if k.bare && k.threshold == crate::Threshold::One(1) {
                // "one person" is a person
                rule.comparator = Some(Comparator::Ge);
            }
            Predicate::Count
        } else if rule.state.is_some() {
            Predicate::State
        } else {
            let bare = rule.zone.is_none() && rule.attributes.is_empty() && !unattended;
            if bare
                && s.article == "the"
                && (PLACES.contains(head.as_str())
                    || FIXTURES.contains(head.as_str()) && head != "fire")
            {
                return Err(ambiguous(
                    format!("It is not said what to watch for at '{}'.", s.raw),
                    "Say what, for example 'a person at the entrance'.",
                    s.span,
                )
                .missing("subject"));
            }
            Predicate::Presence
        });
        Ok(rule)
    }
}

fn place_cannot_span(span: [usize; 2]) -> Refusal {
    ambiguous(
        "It is not clear how these words go together.",
        "Say one thing at a time: what to watch for, where, how many, for how long.",
        span,
    )
}
