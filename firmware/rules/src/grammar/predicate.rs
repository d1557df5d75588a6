//! What is said of a subject: how many, in what state, wearing what, where.

use super::clause::{Clause, Parser, ambiguous, full, preposition, skip};
use super::compare::compare;
use super::frames::TURN;
use super::pattern::{Pattern, entry, here, longest, patterns, table};
use super::phrase::{Role, phrase, place_cannot};
use super::token::Tok;
use super::words::*;
use crate::lexicon::{Lexicon, lexicon};
use crate::{Comparator, Refusal};

/// What may go on a list of attributes.
const ATTRIBUTE_VERBS: &Lexicon = lexicon![
    "wearing", "carrying", "holding", "with", "without", "pushing", "pulling", "riding", "using",
];

impl Parser<'_> {
    /// Everything behind the subject.
    pub(super) fn rest(&self, mut i: usize, c: &mut Clause) -> Result<usize, Refusal> {
        let toks = self.toks;
        let mut not = false;
        // "is the stove on?" has its copula in front.
        let mut copula = self.asks && self.before.is_none();
        let mut relative = false;
        loop {
            i = skip(toks, i);
            let Some(t) = toks.get(i) else { break };
            let counts = t.is(":") && compare(toks, i + 1)?.is_some_and(|k| !k.bare);
            if t.is(TURN) || t.any(&[".", ";", ":"]) && !counts {
                break;
            }
            if t.is(",") {
                // A comma goes on if what follows can only belong here.
                let next = skip(toks, i + 1);
                let on = preposition(toks, next).is_some()
                    || self.at(
                        next,
                        &[
                            "without", "wearing", "with", "carrying", "not", "who", "that", "which",
                        ],
                    )
                    || next >= toks.len();
                if on && c.zones.is_empty() || next >= toks.len() {
                    i += 1;
                    continue;
                }
                break;
            }
            if t.any(&["that", "who", "which"]) {
                relative = true;
                i += 1;
                continue;
            }
            // "a dog that is not on a leash" is a dog, though not on a leash.
            if relative && not && preposition(toks, i).is_some() {
                return Err(ambiguous(
                    "'Not' before a place can be read in two ways here.",
                    "Say what is there instead, for example 'a dog without a lead', or 'there is no dog on the lawn'.",
                    super::token::span_of(&toks[i.saturating_sub(1)..(i + 3).min(toks.len())]),
                ));
            }
            // "everyone has left the building": nobody is left there.
            if t.any(&["has", "have"])
                && self.at(i + 1, &["left", "gone", "exited"])
                && c.subjects.iter().any(|s| s.universal)
            {
                return Err(ambiguous(
                    "The camera can't tell that all of them have gone.",
                    "Ask for nobody being there, for example 'nobody is in the building'.",
                    t.span,
                ));
            }
            if t.any(&["has", "have", "had"])
                && (self.at(i + 1, &["been", "not"])
                    || toks.get(i + 1).is_some_and(|n| {
                        n.any(STATES)
                            || (verb(&n.text).is_some()
                                && (n.text.ends_with("ed")
                                    || n.any(&[
                                        "left", "come", "gone", "fallen", "got", "stood", "sat",
                                        "lain", "hung", "taken", "driven",
                                    ])))
                    }))
            {
                c.verbal = true;
                i += 1;
                continue;
            }
            if t.any(&["do", "does", "did"]) && self.at(i + 1, &["not"]) {
                i += 1;
                continue;
            }
            // "wearing a coat and not carrying a bag"
            if t.any(&["and"])
                && (!c.attributes.is_empty() || c.verbal && !c.zones.is_empty())
                && c.action.is_none()
                && c.state.is_none()
                && !c.negative
                && !c.unattended
                && (self.at(i + 1, ATTRIBUTE_VERBS)
                    || (self.at(i + 1, &["not"]) && self.at(i + 2, ATTRIBUTE_VERBS)))
            {
                i += 1;
                continue;
            }
            // "in a coat but without an apron"
            if t.is("but") && self.at(i + 1, &["without", "not", "with", "no"]) {
                i += 1;
                continue;
            }
            if t.any(&["not"]) || here!(toks, i, "no longer").is_some() {
                not = true;
                i += if t.is("not") { 1 } else { 2 };
                continue;
            }
            let getting = t.any(&["get", "gets", "got", "getting"])
                && toks.get(i + 1).is_some_and(|n| {
                    n.any(STATES) || n.any(&["longer", "larger", "bigger", "blocked", "left"])
                })
                || t.any(&["stands", "stand", "stood", "standing", "sits", "sat"])
                    && toks.get(i + 1).is_some_and(|n| {
                        n.any(&[
                            "open", "empty", "idle", "ajar", "unlocked", "full", "unused",
                        ])
                    })
                || t.any(&["turns", "turn", "turned", "turning", "goes", "go", "went"])
                    && toks
                        .get(i + 1)
                        .is_some_and(|n| n.any(STATES) || n.any(COLOURS))
                    && toks
                        .get(i + 2)
                        .is_none_or(|n| !n.word || n.any(PREPOSITIONS) || n.any(STRUCTURE));
            if t.any(COPULAS) || getting {
                copula = true;
                c.verbal = true;
                i += 1;
                continue;
            }
            // "in line at the till: more than 6"
            if t.any(&[":", "-"])
                && c.compare.is_none()
                && c.subjects.iter().all(|s| s.compare.is_none())
                && compare(toks, i + 1)?.is_some_and(|k| !k.bare && i + 1 + k.len >= toks.len())
            {
                i += 1;
                continue;
            }
            if t.any(&["very", "really", "quite", "extremely", "rather", "pretty"])
                && toks.get(i + 1).is_some_and(|n| n.any(STATES))
            {
                i += 1;
                continue;
            }
            if let Some(n) = self.predicate(i, c, copula, &mut not)? {
                i = n;
                continue;
            }
            // "person yard", "cars ... parking lot": a place without a preposition.
            if !c.verbal
                && !copula
                && c.zones.is_empty()
                && c.action.is_none()
                && let Some((p, end)) = phrase(toks, i, Role::Place)?
                && p.article.is_empty()
                && toks[end..].iter().all(Tok::is_gap)
                && (p.raw.rsplit(' ').next().map(str::to_lowercase))
                    .is_some_and(|h| PLACES.contains(h.as_str()) || FIXTURES.contains(h.as_str()))
            {
                c.zones = vec![super::clause::zone_name(&p.raw)];
                c.place = vec![format!("in the {}", p.raw)];
                i = end;
                continue;
            }
            break;
        }
        if not {
            return Err(place_cannot(
                &toks[i.saturating_sub(1).min(toks.len() - 1)..i.min(toks.len())],
            ));
        }
        Ok(i)
    }

    /// One predicate at `i`; where it ends.
    fn predicate(
        &self,
        i: usize,
        c: &mut Clause,
        copula: bool,
        not: &mut bool,
    ) -> Result<Option<usize>, Refusal> {
        let toks = self.toks;
        let t = &toks[i];
        let no = |not: &mut bool| std::mem::take(not);
        // how many
        let about_people = c.subjects.first().is_some_and(|s| s.compare.is_none());
        if about_people
            && c.compare.is_none()
            && (c.verbal || !copula)
            && let Some(k) = compare(toks, i)?.filter(|k| !k.bare || copula)
        {
            let mut k = k;
            if no(not) {
                // "does not exceed 3" is at most 3
                use Comparator::{Between, Eq, Ge, Gt, Le, Lt, Ne};
                let opposite = match k.comparator {
                    _ if k.bare => Ne,
                    Gt => Le,
                    Le => Gt,
                    Ge => Lt,
                    Lt => Ge,
                    Eq => Ne,
                    Ne => Eq,
                    Between => return Err(place_cannot(&toks[i..i + k.len])),
                };
                (k.comparator, k.bare) = (opposite, false);
            } else if k.bare {
                // "the number of cars is 3": that many, no more.
                (k.comparator, k.bare) = (Comparator::Eq, false);
            }
            c.compare = Some(k);
            c.verbal = true;
            let mut end = i + k.len;
            if let Some(n) = here!(toks, end, "in number|total|all|length").or(here!(
                toks,
                end,
                "long|strong|deep|full"
            )) {
                end += n;
            } else if let Some((p, e)) = phrase(toks, end, Role::Subject)? {
                // "longer than 10 people"
                let same = c.subjects.iter().any(|s| {
                    s.noun == p.noun
                        || s.noun.starts_with(&format!("{} in", p.noun))
                        || matches!(s.noun.as_str(), "queue" | "line")
                });
                if !same || p.compare.is_some() {
                    return Err(place_cannot(&toks[end..e]));
                }
                for s in &mut c.subjects {
                    if matches!(s.noun.as_str(), "queue" | "line") {
                        s.noun = format!("{} in queue", p.noun);
                    }
                }
                end = e;
            }
            for s in &mut c.subjects {
                match s.noun.as_str() {
                    "queue" | "line" => s.noun = "person in queue".into(),
                    "crowd" | "group" | "gathering" | "occupancy" | "headcount" | "attendance" => {
                        s.noun = "person".into();
                    }
                    _ => {}
                }
            }
            return Ok(Some(end));
        }
        // "the lobby has more than 10 people"
        if t.any(&["has", "have", "contains", "contain", "holds", "hold"])
            && let [place] = c.subjects.as_slice()
            && place.compare.is_none()
            && let Some(k) = compare(toks, i + 1)?
            && let Some((mut what, mut end)) = phrase(toks, i + 1, Role::Subject)?
            && what.compare.is_some()
            && !place.universal
            && !HUMANS.contains(place.noun.as_str())
        {
            if let Some(n) = here!(toks, end, "in|inside|on it|them").or(here!(toks, end, "inside"))
            {
                end += n;
            }
            if no(not) {
                return Err(place_cannot(&toks[i..i + k.len]));
            }
            if matches!(place.noun.as_str(), "queue" | "line") {
                what.noun = format!("{} in queue", what.noun);
                c.subjects = vec![what];
                c.verbal = true;
                return Ok(Some(end));
            }
            if !c.zones.is_empty() {
                return Err(place_cannot(&toks[i..end]));
            }
            let raw = place.raw.clone();
            c.zones = vec![super::clause::zone_name(&raw)];
            c.place = vec![format!("in the {raw}")];
            what.article.clear();
            c.subjects = vec![what];
            c.verbal = true;
            return Ok(Some(end));
        }
        // "no trolleys left", "there is nobody left"
        if t.is("left") && (c.negative || c.subjects.iter().any(|s| s.negative)) && !c.unattended {
            let n = here!(toks, i, "left over?").unwrap_or(1);
            return Ok(Some(i + n));
        }
        // "the gate is without a guard": nobody is there.
        if t.any(&["without"])
            && c.verbal
            && let [place] = c.subjects.as_slice()
            && !place.negative
            && c.zones.is_empty()
            && let Some((who, end)) = phrase(toks, i + 1, Role::Object)?
            && (who.pronoun || HUMANS.contains(who.noun.rsplit(' ').next().unwrap_or("")))
            && !place
                .noun
                .rsplit(' ')
                .next()
                .is_some_and(|h| HUMANS.contains(h))
        {
            let raw = place.raw.clone();
            c.zones = vec![super::clause::zone_name(&raw)];
            c.place = vec![format!("at the {raw}")];
            c.subjects = vec![crate::grammar::phrase::Phrase {
                article: "a".into(),
                negative: !no(not),
                ..who
            }];
            return Ok(Some(end));
        }
        // "the desk is staffed": somebody is there.
        if t.any(&["staffed", "manned", "attended", "supervised"])
            && copula
            && let [place] = c.subjects.as_slice()
            && c.zones.is_empty()
        {
            let raw = place.raw.clone();
            c.zones = vec![super::clause::zone_name(&raw)];
            c.place = vec![format!("at the {raw}")];
            c.subjects = vec![crate::grammar::phrase::Phrase {
                noun: "person".into(),
                raw: "person".into(),
                article: "a".into(),
                negative: no(not),
                span: place.span,
                ..Default::default()
            }];
            return Ok(Some(i + 1));
        }
        // left behind
        let unattended = patterns![
            "left|standing|lying|sitting all? alone|behind|unattended|unwatched|abandoned",
            "all? alone",
            "left without its|an|their|the? owner",
            "without its|an|their|the owner",
            "left|standing? with nobody near|around|nearby|by it?",
            "left|standing? with nobody|no-one near|around|nearby|by it?",
            "left all? by itself|themselves",
            "by itself|themselves",
            "on its own",
            "on their own",
            "left",
            "left standing|lying|sitting|there",
        ];
        let person = c
            .subjects
            .iter()
            .any(|s| s.noun == "person" || s.noun == "worker");
        let n = longest(toks, i, unattended);
        let is_left = t.is("left") && !person;
        let then_state = t.is("left")
            && toks.get(i + 1).is_some_and(|x| {
                let wide = x.any(&["wide", "fully", "half", "slightly"])
                    && toks.get(i + 2).is_some_and(|y| y.any(STATES));
                wide || x.any(STATES) && !x.any(&["standing", "lying", "sitting", "running"])
            });
        if let Some(n) = n.filter(|n| {
            (!t.is("left") || is_left)
                && !(then_state && *n == 1)
                && !(t.is("left")
                    && *n == 1
                    && !copula
                    && toks.get(i + 1).is_some_and(|x| x.any(ARTICLES)))
        }) {
            if *not || person {
                return Err(place_cannot(&toks[i..i + n]));
            }
            c.unattended = true;
            c.verbal = true;
            return Ok(Some(i + n));
        }
        if then_state {
            c.verbal = true;
            return Ok(Some(i + 1));
        }
        if t.any(UNATTENDED) {
            c.watched |= t.any(&[
                "unmanned",
                "unstaffed",
                "unguarded",
                "unwatched",
                "unminded",
            ]);
            if no(not) {
                return Err(ambiguous(
                    "The camera can't tell who looks after a thing.",
                    "Ask for a person being there.",
                    t.span,
                ));
            }
            c.unattended = true;
            c.verbal = true;
            return Ok(Some(i + 1));
        }
        // gone, there
        if let Some(n) = here!(toks, i, "missing|gone|absent")
            .or(here!(toks, i, "out of sight|view"))
            .filter(|_| {
                (copula || i + 1 >= toks.len() || preposition(toks, i + 1).is_some())
                    && phrase(toks, i + 1, Role::Object).is_ok_and(|p| p.is_none())
            })
        {
            c.negative ^= !no(not);
            c.verbal = true;
            return Ok(Some(i + n));
        }
        if (copula || t.any(&["detected", "seen", "spotted"]))
            && let Some(n) = here!(
                toks,
                i,
                "there|present|visible|detected|seen|found|around|spotted"
            )
            .or(here!(toks, i, "to be seen"))
            .or(here!(toks, i, "in sight|view"))
        {
            c.negative ^= no(not);
            // "a customer is at the counter and nobody is there"
            if t.is("there")
                && c.zones.is_empty()
                && let Some(before) = self.before.as_ref()
            {
                (c.zones, c.place) = (before.zones.clone(), before.place.clone());
            }
            return Ok(Some(i + n));
        }
        if t.any(&["visible", "present"]) && i + 1 >= toks.len() {
            return Ok(Some(i + 1));
        }
        // what it wears, carries, has
        if let Some(end) = self.attribute(i, c, not)? {
            return Ok(Some(end));
        }
        // states
        // "the barrier is up"
        let thing = !c
            .subjects
            .iter()
            .any(|s| HUMANS.contains(s.noun.as_str()) || s.compare.is_some());
        if copula
            && thing
            && t.any(&["up", "down"])
            && toks
                .get(i + 1)
                .is_none_or(|n| !n.word || n.any(&["and", "or", "while"]))
        {
            let text = t.text.clone();
            self.set_state(
                c,
                if no(not) { format!("not {text}") } else { text },
                &toks[i..i + 1],
            )?;
            return Ok(Some(i + 1));
        }
        let phrases = patterns![
            "on fire",
            "out of order|stock|service|place|position|line",
            "upside down",
            "wide open",
            "half open|empty|full|closed",
            "in use",
            "in flames",
            "knocked|tipped|fallen|pushed over|down",
            "switched|turned? on",
            "switched|turned? off",
            "face down",
            "on the ground",
            "on the floor",
        ];
        if let Some(n) = longest(toks, i, phrases).filter(|_| here!(toks, i, "on the").is_none()) {
            let n2 = n;
            // "on" and "off" alone are states only after a copula
            let alone = n == 1;
            if !alone
                || (copula
                    && toks.get(i + 1).is_none_or(|x| {
                        !x.word
                            || x.any(&["and", "or", "with", "while"])
                            || (x.any(&["in", "at", "near", "inside", "outside", "behind"])
                                && toks.get(i + 2).is_some_and(|y| y.word))
                    }))
            {
                let text = toks[i..i + n2]
                    .iter()
                    .map(|t| t.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" ");
                let text = match text.as_str() {
                    "knocked down" | "knocked over" | "pushed over" | "tipped over" => {
                        "knocked over".to_owned()
                    }
                    "fallen over" | "fallen down" => "fallen".to_owned(),
                    "wide open" => "open".to_owned(),
                    "in flames" => "on fire".to_owned(),
                    "switched on" | "turned on" => "on".to_owned(),
                    "switched off" | "turned off" => "off".to_owned(),
                    _ => text,
                };
                self.set_state(
                    c,
                    if no(not) { format!("not {text}") } else { text },
                    &toks[i..i + n2],
                )?;
                return Ok(Some(i + n2));
            }
        }
        if t.any(&["wide", "fully", "completely", "partly", "slightly"])
            && toks.get(i + 1).is_some_and(|n| n.any(STATES))
        {
            return Ok(Some(i + 1));
        }
        // "the signal is red"
        if copula
            && t.any(COLOURS)
            && toks
                .get(i + 1)
                .is_none_or(|n| !n.word || n.any(&["and", "or", "while"]) || n.any(PREPOSITIONS))
        {
            let colour = t.text.clone();
            self.set_state(
                c,
                if no(not) {
                    format!("not {colour}")
                } else {
                    colour
                },
                &toks[i..i + 1],
            )?;
            return Ok(Some(i + 1));
        }
        let s = t.text.as_str();
        let participle = copula
            && s.len() > 4
            && s.ends_with("ed")
            && t.word
            && !t.any(STRUCTURE)
            && verb(s).is_none();
        let person_posture = POSTURE_VERBS
            .iter()
            .find(|(b, _)| verb(s) == Some(b))
            .map(|(_, g)| *g);
        let done = !copula
            && verb(s).is_some()
            && toks.get(i + 1).is_some_and(|n| n.any(ARTICLES))
            && c.subjects.len() == 1;
        if (STATES.contains(s) || participle)
            && !done
            && person_posture.is_none()
            && !(s == "running" || s == "moving" || s == "waiting" || s == "smoking")
            || (matches!(s, "running" | "moving" | "smoking")
                && copula
                && !person
                && toks
                    .get(i + 1)
                    .is_none_or(|n| !n.word || n.any(&["and", "or"])))
        {
            let state = match s {
                "opened" => "open",
                other => other,
            };
            let down = here!(toks, i + 1, "over|down|up")
                .filter(|_| {
                    matches!(
                        s,
                        "fallen"
                            | "toppled"
                            | "tipped"
                            | "collapsed"
                            | "overturned"
                            | "blocked"
                            | "stacked"
                    )
                })
                .unwrap_or(0);
            self.set_state(
                c,
                if no(not) {
                    format!("not {state}")
                } else {
                    state.to_owned()
                },
                &toks[i..i + 1],
            )?;
            // "blocked by boxes": what blocks it is no place.
            if self.at(i + 1 + down, &["by"])
                && matches!(
                    s,
                    "blocked"
                        | "obstructed"
                        | "covered"
                        | "surrounded"
                        | "damaged"
                        | "occupied"
                        | "hit"
                        | "crushed"
                        | "broken"
                        | "smashed"
                        | "opened"
                        | "shut"
                        | "trapped"
                        | "hidden"
                        | "jammed"
                        | "knocked-over"
                        | "bent"
                        | "overgrown"
                )
            {
                return Err(ambiguous(
                    format!("A rule can't say by what something is {s}."),
                    "Leave it out, or ask for the thing that is in the way.",
                    toks[i + 1 + down].span,
                ));
            }
            return Ok(Some(i + 1 + down));
        }
        if c.action.is_some()
            && c.direction.is_none()
            && let Some((n, way)) = super::deed::way(toks, i)
        {
            c.direction = Some(way.to_owned());
            return Ok(Some(i + n));
        }
        // "is close to the gate" closes nothing.
        if here!(toks, i, "close to|by").is_some() {
            return match self.place(i, c)? {
                Some(end) => {
                    c.negative ^= no(not);
                    Ok(Some(end))
                }
                None => Ok(None),
            };
        }
        if let Some(end) = super::deed::deed(self, i, c, copula, not)? {
            c.verbal = true;
            return Ok(Some(end));
        }
        if c.action.is_some() && here!(toks, i, "together|alone").is_some() {
            return Err(place_cannot(&toks[i..i + 1]));
        }
        // "the guard is not at the desk"
        if let Some(end) = self.place(i, c)? {
            c.negative ^= no(not);
            return Ok(Some(end));
        }
        Ok(None)
    }

    pub(super) fn set_state(
        &self,
        c: &mut Clause,
        state: String,
        at: &[Tok],
    ) -> Result<(), Refusal> {
        if c.state.is_some() {
            return Err(place_cannot(at));
        }
        c.state = Some(state);
        c.verbal = true;
        Ok(())
    }

    /// "without a hard hat", "not wearing gloves", "carrying a box".
    fn attribute(
        &self,
        i: usize,
        c: &mut Clause,
        not: &mut bool,
    ) -> Result<Option<usize>, Refusal> {
        let toks = self.toks;
        const KINDS: &[(Pattern, (&str, bool))] = table![
            ("without wearing", "wearing", true),
            ("without", "with", true),
            ("with no", "with", true),
            ("has|have|having no", "with", true),
            ("lacking|lacks|lack", "with", true),
            ("missing", "with", true),
            ("wearing|wears|wear no", "wearing", true),
            ("wearing|wears|wear", "wearing", false),
            ("dressed in", "wearing", false),
            ("carrying|carries|carry", "carrying", false),
            ("holding|holds|hold", "holding", false),
            ("pushing", "pushing", false),
            ("riding|rides", "riding", false),
            ("pulling", "pulling", false),
            ("using", "using", false),
            ("with", "with", false),
            ("has|have|having", "with", false),
            ("no", "wearing", true),
        ];
        // "a helmet but no vest"
        if self.at(i, &["no"]) && !c.attributes.iter().any(|a| a.starts_with("wearing ")) {
            return Ok(None);
        }
        // "rides the wrong way" rides no thing
        if toks[i].text.starts_with("rid") && super::deed::any_way(toks, i + 1) {
            return Ok(None);
        }
        let Some((n, &(verb, lacks))) = entry(toks, i, KINDS) else {
            return Ok(None);
        };
        let mut end = i + n;
        let mut things = Vec::new();
        let mut glue = None;
        // "open with nobody in the kitchen" is two conditions
        if verb == "with"
            && c.verbal
            && phrase(toks, end, Role::Object)?.is_some_and(|(p, _)| p.pronoun && p.negative)
        {
            return Ok(None);
        }
        while let Some((p, e)) = phrase(toks, end, Role::Object)? {
            if p.pronoun || (p.negative && !things.is_empty()) || p.universal {
                return Err(place_cannot(&toks[end..e]));
            }
            let last = p.noun.rsplit(' ').next().unwrap_or("").to_owned();
            things.push((full(&p), CLOTHES.contains(last.as_str()), p.negative));
            end = e;
            let comma = usize::from(self.at(end, &[","]));
            let word = here!(toks, end + comma, "and|or").unwrap_or(0);
            let next = end + comma + word;
            let either = word > 0 && self.at(end + comma, &["or"]) && !c.verbal;
            // "a vest and a white helmet walks in": one more garment, no new clause
            let garment = things.iter().all(|t: &(String, bool, bool)| t.1)
                && phrase(toks, next, Role::Object)?.is_some_and(|(p, _)| {
                    (p.noun.rsplit(' ').next()).is_some_and(|w| CLOTHES.contains(w))
                });
            if comma + word == 0
                || (!either && !garment && self.new_clause(next))
                || preposition(toks, next).is_some()
            {
                break;
            }
            if word > 0 {
                glue = Some((toks[end + comma].text.clone(), toks[end + comma].span));
            }
            end = next;
        }
        if things.is_empty() {
            return Ok(None);
        }
        // "has a dog with him"
        if let Some(n) = here!(toks, end, "with|on|near|beside him|her|them|it") {
            end += n;
        }
        // "leaves without paying"
        if verb == "with"
            && lacks
            && toks[i + n..end].iter().any(|t| {
                t.text.ends_with("ing")
                    && !ING_NOUNS.contains(t.text.as_str())
                    && super::words::from_gerund(&t.text).is_some()
                    && !t.any(STATES)
            })
        {
            return Err(ambiguous(
                "That something is not done meanwhile does not show in a picture.",
                "Ask for what is worn, carried or there.",
                super::token::span_of(&toks[i..end]),
            ));
        }
        if let Some((_, span)) = glue.filter(|(g, _)| g == "or") {
            return Err(ambiguous(
                "It is not clear whether one of these is enough.",
                "Make one rule for each.",
                span,
            ));
        }
        // "without a helmet and a worker …": the second is no garment.
        if things.iter().any(|t| t.1) && !things.iter().all(|t| t.1) {
            return Err(place_cannot(&toks[i..end]));
        }
        let not = std::mem::take(not);
        // "with its door open": the door is open, not what has it
        let open = toks.get(end).filter(|t| {
            verb == "with" && !c.verbal && things.len() == 1 && t.any(STATES) && !t.any(UNATTENDED)
        });
        if let Some(state) = open {
            things[0].0 = format!("{} {}", state.text, things[0].0);
            end += 1;
        }
        for (thing, wearable, negative) in things {
            let lacks = lacks ^ not ^ negative;
            let on_body = verb == "wearing" || (wearable && verb == "with");
            c.attributes.push(match (on_body, lacks) {
                (true, true) => format!("not wearing {thing}"),
                (true, false) => format!("wearing {thing}"),
                (false, true) if verb == "with" => format!("without {thing}"),
                (false, true) => format!("not {verb} {thing}"),
                (false, false) => format!("{verb} {thing}"),
            });
        }
        Ok(Some(end))
    }

    /// A bare phrase as the place of a deed: "enters the driveway".
    pub(super) fn bare_place(&self, i: usize, c: &mut Clause) -> Result<Option<usize>, Refusal> {
        self.add_place(i, 0, c)
    }
}
