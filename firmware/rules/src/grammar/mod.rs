//! The grammar: a closed, documented set of structure words takes a sentence
//! apart; what is left is the visual concept. What can't be placed is refused
//! with its span, never guessed.
//!
//! In order: tokens; guards (language, orders, harm, what can't be seen); what
//! surrounds the condition is taken out wherever it stands (severity,
//! cool-down, schedule, window, hold); frames ("alert me when"); then clauses:
//! subjects, predicate, place, joined by AND or OR.

mod amount;
mod attribute;
mod clause;
mod clock;
mod compare;
mod cooldown;
mod dates;
mod days;
mod dedup;
mod deed;
mod duty;
mod frames;
mod guard;
mod hold;
mod hours;
mod leaf;
mod limits;
mod number;
mod pattern;
mod phrase;
mod place;
mod predicate;
mod presence;
mod quiet;
mod repeat;
mod severity;
mod state;
mod subject;
mod tidy;
mod token;
mod typo;
mod window;
mod words;

use crate::refusal;
use crate::{Comparator, Predicate, Refusal, RefusalKind, Rule, Seconds, Threshold};
use clause::{Clause, Parser};
use frames::{Framed, TURN};
use pattern::here;
use phrase::place_cannot;
use token::{Tok, span_of, tokenise};

/// The longest sentence that is read, in characters.
pub const MAX_CHARS: usize = 1000;

const EXAMPLE: &str =
    "Say what to watch for, for example 'Alert me when more than 3 people are at the till'.";

/// Whether the clause's subject leaves only a verb to follow.
pub(crate) fn clause_reading(c: &Clause) -> bool {
    c.verbal || c.subjects.iter().any(|s| s.pronoun)
}

/// Reads a sentence.
///
/// # Errors
/// A [`Refusal`] with its kind, the reason, what is missing, an offer and the
/// place in the sentence. Never panics, whatever the text.
pub fn read(text: &str) -> Result<Rule, Refusal> {
    let length = text.chars().count();
    parse(text, length).map_err(|mut refusal| {
        if refusal.spans.is_empty() {
            refusal.spans.push([0, length]);
        }
        mended(text, refusal)
    })
}

/// The refusal with the whole sentence as it would be understood, where the
/// words in the way can be put right.
fn mended(text: &str, mut refusal: Refusal) -> Refusal {
    let mut mended = text.to_owned();
    let mut edits = std::mem::take(&mut refusal.edits);
    // Several words may be in the way: five are enough.
    for _ in 0..5 {
        if edits.is_empty() {
            return refusal;
        }
        mended = refusal::edited(&mended, &edits);
        match parse(&mended, mended.chars().count()) {
            Ok(_) => {
                refusal.suggest(&mended);
                return refusal;
            }
            Err(next) => edits = next.edits,
        }
    }
    refusal
}

fn parse(text: &str, length: usize) -> Result<Rule, Refusal> {
    if length > MAX_CHARS {
        return Err(Refusal::new(
            RefusalKind::NotARule,
            format!("The text has {length} characters; a rule has at most {MAX_CHARS}."),
        )
        .offer("Say one thing to watch for in one sentence.")
        .at([MAX_CHARS, length]));
    }
    let mut toks = tokenise(text);
    if !toks.iter().any(|t| t.word) {
        return Err(
            Refusal::new(RefusalKind::NotARule, "There are no words in this.")
                .offer(EXAMPLE)
                .at([0, length]),
        );
    }
    let shouted = !toks.iter().any(|t| t.raw.chars().any(char::is_lowercase));
    if shouted {
        toks.iter_mut().for_each(|t| t.raw.clone_from(&t.text));
    }
    let mut bare = toks.clone();
    frames::courtesy(&mut bare);
    guard::words(&toks, &bare, shouted)?;
    let whole = span_of(&toks);
    let severity = limits::severity(&mut toks)?;
    let (cooldown, dedup) = limits::cooldown(&mut toks)?;
    let schedule = hours::extract(&mut toks)?;
    let before = gaps(&toks);
    let hold = limits::hold(&mut toks)?;
    let held_at = gaps(&toks).into_iter().find(|g| !before.contains(g));
    let window = limits::window(&mut toks)?;
    hold::fits(hold, window, schedule.as_ref()).map_err(|r| guard::placed(r, &bare, hold))?;
    tidy::marks(&mut toks);
    let camera = tidy::camera(&mut toks);
    let demanded = duty::wrapper(&mut toks);
    unless_first(&mut toks);
    let mut front = tidy::front_place(&mut toks)?;
    let times = repeat::times(&mut toks)?;
    repeat::common(&mut toks);
    let framed = frames::strip(&mut toks);
    if front.is_none() && framed.framed {
        front = tidy::front_place(&mut toks)?;
    }
    tidy::pairs(&mut toks);
    tidy::either_kind(&mut toks);
    let framed = Framed {
        framed: framed.framed || severity.is_some() || demanded,
        ..framed
    };
    let duty = duty::rewrite(&mut toks, demanded, framed.conditional)?;
    let framed = Framed {
        framed: framed.framed || duty.is_some(),
        ..framed
    };
    let mut rule = condition(
        &toks,
        framed,
        front.as_ref(),
        window.filter(|_| times.is_none()),
        hold,
    )?;
    if rule.all.is_some() || rule.any.is_some() {
        whole_hold(&toks, held_at)?;
    }
    rule.camera = camera;
    repeat::count(&mut rule, times, window)?;
    if let Some(turn) = duty {
        let camera = rule.camera.take();
        rule = duty::apply(turn, rule, whole)?;
        rule.camera = camera;
    }
    let copula = toks.iter().any(|t| t.any(words::COPULAS));
    let gone = |l: &Rule| copula && l.predicate == Some(Predicate::Absence);
    if !(framed.framed || rule.leaves().iter().all(|l| plain(l) || gone(l))) {
        return Err(Refusal::new(
            RefusalKind::NotARule,
            "This does not say what to watch for.",
        )
        .offer(EXAMPLE)
        .at(whole));
    }
    rule.severity = severity;
    rule.cooldown_seconds = cooldown;
    rule.dedup = dedup;
    rule.schedule = schedule;
    rule.for_seconds = hold;
    check(&rule, framed, whole)?;
    guard::contrary(&rule, &bare)?;
    Ok(rule)
}

/// Whether a sentence without any frame says clearly enough that it is a rule.
fn plain(leaf: &Rule) -> bool {
    let head = leaf.subject.as_deref().unwrap_or("");
    let known = head.split(' ').any(|w| words::KNOWN.contains(w)) || head == "any object";
    let deed = leaf
        .action
        .as_deref()
        .is_some_and(|a| words::verb(a.split(' ').next().unwrap_or(a)).is_some());
    let state = leaf
        .state
        .as_deref()
        .map(|s| s.trim_start_matches("not "))
        .is_some_and(|s| {
            words::STATES.contains(s)
                || s.contains(' ')
                || matches!(s, "on" | "off" | "up" | "down")
        });
    known || leaf.comparator.is_some() || leaf.zone.is_some() || deed || state
}

/// Where phrases were taken out.
fn gaps(toks: &[Tok]) -> Vec<[usize; 2]> {
    let gaps = toks.iter().filter(|t| t.is_gap());
    gaps.map(|t| t.span).collect()
}

/// A hold belongs to the whole of a compound rule: said of its first part
/// only, it would be another rule.
fn whole_hold(toks: &[Tok], held_at: Option<[usize; 2]>) -> Result<(), Refusal> {
    let Some(at) = toks
        .iter()
        .position(|t| t.is_gap() && Some(t.span) == held_at)
    else {
        return Ok(());
    };
    let first = toks[..at].iter().any(|t| t.word);
    let more = toks[at..]
        .iter()
        .any(|t| t.any(&["and", "or", "while", "whilst", "unless", "but"]));
    if !(first && more) {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalKind::Ambiguous,
        "It is not clear whether all of this must last so long, or only its first part.",
    )
    .missing("for_seconds")
    .offer("Say the time at the end if it is for all of it, or make a rule for each part.")
    .at(toks[at].span))
}

/// "Unless a guard is there, tell me …": puts the exception last.
fn unless_first(toks: &mut Vec<Tok>) {
    let lead = toks.iter().take_while(|t| t.is_gap()).count();
    let first = ["unless", "while", "whilst"];
    if !toks.get(lead).is_some_and(|t| t.any(&first)) {
        return;
    }
    let comma = (lead + 1..toks.len()).find(|i| toks[*i].is(",") && frames::starts(toks, *i + 1));
    let Some(comma) = comma else { return };
    let mut rest = toks.split_off(comma + 1);
    toks.pop();
    while rest.last().is_some_and(|t| !t.word) {
        rest.pop();
    }
    let tail: Vec<Tok> = toks.drain(lead..).collect();
    toks.extend(rest);
    toks.extend(tail);
}

/// The clauses and how they are joined.
fn condition(
    toks: &[Tok],
    framed: Framed,
    front: Option<&Clause>,
    window: Option<Seconds>,
    hold: Option<Seconds>,
) -> Result<Rule, Refusal> {
    let mut clauses: Vec<Clause> = Vec::new();
    let mut glue: Option<bool> = None;
    let mut i = 0;
    let mut context: Option<Clause> = None;
    // "… with nobody in the kitchen": a clause of its own, though it has no verb.
    let mut whole = false;
    let mut place: Option<Clause> = None;
    loop {
        while toks.get(i).is_some_and(|t| t.is_gap()) {
            i += 1;
        }
        if i >= toks.len() {
            break;
        }
        let inverted = here!(toks, i, "unless|except when|if|while?").is_some();
        if inverted {
            i += here!(toks, i, "unless|except when|if|while?").unwrap_or(0);
        }
        let parser = Parser {
            toks,
            before: clauses.last().cloned().or_else(|| context.clone()),
            asks: framed.question,
        };
        let (mut clause, end) = parser.clause(i)?;
        clause.inverted = inverted;
        clause.verbal |= std::mem::take(&mut whole);
        if end <= i && clause.subjects.is_empty() {
            return Err(place_cannot(&toks[i..i + 1]));
        }
        i = end;
        while toks.get(i).is_some_and(|t| t.is_gap()) {
            i += 1;
        }
        if toks.get(i).is_some_and(|t| t.is(TURN)) {
            // "count the people at the till and tell me if it is more than 3"
            if context.is_some() || !clauses.is_empty() {
                return Err(place_cannot(&toks[..i]));
            }
            place = Some(clause.clone());
            context = Some(clause);
            i += 1;
            continue;
        }
        clauses.push(clause);
        if i >= toks.len() {
            break;
        }
        let comma = usize::from(toks[i].is(","));
        let apart = here!(toks, i + comma, "while|whilst|unless")
            .or(here!(toks, i + comma, "except when|if|while"))
            .or(here!(toks, i + comma, "at the same time as"))
            .or(here!(toks, i + comma, "but").filter(|n| {
                toks.get(i + comma + n)
                    .is_some_and(|t| t.any(&["no", "nobody", "not", "there", "nothing"]))
            }))
            .or(here!(toks, i + comma, "with nobody|nothing|noone"))
            .or(here!(
                toks,
                i + comma,
                "with no one|people|person|staff|guard|worker|workers|adult|adults"
            ));
        let word = here!(toks, i + comma, "and|or|&").unwrap_or(0);
        if word == 0 && apart.is_none() {
            return Err(place_cannot(&toks[i..]));
        }
        let both = toks[i + comma].any(&["and", "&"]) || apart.is_some();
        if glue.is_some_and(|g| g != both) {
            return Err(
                Refusal::new(RefusalKind::Ambiguous, "Both 'and' and 'or' join these.")
                    .offer("Make two rules.")
                    .at(toks[i].span),
            );
        }
        glue = Some(both);
        if toks[i + comma].any(&["unless", "except"]) {
            i += comma;
            continue;
        }
        whole = apart.is_some();
        let word = match apart {
            Some(n) if !toks[i + comma].is("with") => n,
            Some(_) => 1,
            None => word,
        };
        // "enters and then leaves" has an order, which no rule can tell
        if toks
            .get(i + comma + word)
            .is_some_and(|t| t.any(&["then", "afterwards", "later"]))
        {
            return Err(Refusal::new(
                RefusalKind::Ambiguous,
                "A rule can't tell what comes first and what after.",
            )
            .offer("Make one rule for each.")
            .at(toks[i + comma + word].span));
        }
        i += comma
            + word
            + here!(toks, i + comma + word, "if|when|either|also|whether").unwrap_or(0);
        if i >= toks.len() {
            return Err(place_cannot(&toks[i - 1..]));
        }
    }
    if clauses.is_empty() {
        return match context {
            Some(c) => assemble(vec![c], None, framed, window, hold),
            None => Err(Refusal::new(
                RefusalKind::NotARule,
                "There is nothing to watch for in this.",
            )
            .offer(EXAMPLE)),
        };
    }
    if let Some(first) = place {
        merge(&first, &mut clauses, toks)?;
    }
    if let Some(front) = front {
        (clauses.iter_mut()).for_each(|c| tidy::put_there(front, c));
    }
    assemble(clauses, glue, framed, window, hold)
}

/// What stands before the turn holds for what follows: "count the people at
/// the till and tell me if it is …", "watch the dock and tell me if a truck …".
fn merge(first: &Clause, clauses: &mut [Clause], toks: &[Tok]) -> Result<(), Refusal> {
    let fail = || place_cannot(&toks[..1]);
    let c = &mut clauses[0];
    let same = c.subjects.first().map(|s| s.span) == first.subjects.first().map(|s| s.span);
    if same {
        if c.zones.is_empty() {
            (c.zones, c.place) = (first.zones.clone(), first.place.clone());
        } else if !first.zones.is_empty() {
            return Err(fail());
        }
        c.queue |= first.queue;
        if first.state.is_some() || first.action.is_some() || first.negative {
            return Err(fail());
        }
        for (s, f) in c.subjects.iter_mut().zip(&first.subjects) {
            if s.noun.is_empty() {
                s.noun.clone_from(&f.noun);
            }
        }
        return Ok(());
    }
    // A place to watch: "the loading dock".
    let [thing] = first.subjects.as_slice() else {
        return Err(fail());
    };
    let bare = first.state.is_none()
        && first.action.is_none()
        && !first.negative
        && !first.unattended
        && first.attributes.is_empty()
        && first.compare.is_none()
        && !first.queue
        && thing.compare.is_none()
        && !thing.negative
        && thing.attributes.is_empty()
        && thing.state.is_none();
    if !bare {
        return Err(fail());
    }
    if c.subjects.first().is_some_and(|s| s.noun == thing.noun) {
        // "watch the door and tell me if the door is open"
        if !first.zones.is_empty() && c.zones.is_empty() {
            (c.zones, c.place) = (first.zones.clone(), first.place.clone());
        }
        return Ok(());
    }
    let (zone, words) = if first.zones.is_empty() {
        (place::zone_name(&thing.raw), format!("the {}", thing.raw))
    } else {
        (
            format!("{} {}", thing.raw, first.place.join(" ")),
            format!("the {} {}", thing.raw, first.place.join(" ")),
        )
    };
    for c in clauses.iter_mut().filter(|c| c.zones.is_empty()) {
        c.zones = vec![zone.clone()];
        c.place = vec![if c.action.is_some() {
            words.clone()
        } else {
            format!("at {words}")
        }];
    }
    Ok(())
}

fn assemble(
    clauses: Vec<Clause>,
    glue: Option<bool>,
    framed: Framed,
    window: Option<Seconds>,
    hold: Option<Seconds>,
) -> Result<Rule, Refusal> {
    let mut clauses = clauses;
    // "enters or leaves the lab": the place is said once for both.
    for i in (1..clauses.len()).rev() {
        let (front, back) = clauses.split_at_mut(i);
        let (a, b) = (&mut front[i - 1], &back[0]);
        let same = a.subjects.first().map(|s| s.span) == b.subjects.first().map(|s| s.span);
        let does = |c: &Clause| c.action.is_some() || c.state.is_some();
        if same && does(a) && does(b) && a.zones.is_empty() {
            (a.zones, a.place) = (b.zones.clone(), b.place.clone());
        }
    }
    let mut parts: Vec<Rule> = Vec::new();
    let mut both = glue;
    let n = clauses.len();
    for c in &clauses {
        let rules = c.rules()?;
        if c.inverted {
            let [one] = rules.as_slice() else {
                return Err(Refusal::new(
                    RefusalKind::Ambiguous,
                    "It is not clear which of these the exception needs.",
                )
                .offer("Make one rule for each.")
                .at(c.span));
            };
            parts.push(duty::invert(one.clone(), c.span)?);
            continue;
        }
        if rules.len() > 1 {
            if both.is_some_and(|g| g != c.both) {
                return Err(Refusal::new(
                    RefusalKind::Ambiguous,
                    "Both 'and' and 'or' join these.",
                )
                .offer("Make two rules.")
                .at(c.span));
            }
            both = Some(c.both);
        }
        parts.extend(rules);
    }
    // "a truck at the dock or a van": the first one's place is not the second's.
    if n > 1 && parts.len() > 1 {
        let placed = |p: &Rule| p.zone.is_some();
        let fragment = clauses.iter().any(|c| !c.verbal && c.action.is_none());
        if fragment && parts.iter().any(placed) && !parts.iter().all(placed) {
            let span = clauses.last().map_or([0, 0], |c| c.span);
            return Err(Refusal::new(
                RefusalKind::Ambiguous,
                "It is not clear whether this is meant in the same place.",
            )
            .missing("zone")
            .offer("Name the place of each.")
            .at(span));
        }
    }
    // "a person at the till or counter is …": does the verb belong to both?
    for pair in clauses.windows(2) {
        let undecided = !pair[0].verbal && pair[0].action.is_none() && pair[1].verbal;
        if undecided {
            return Err(Refusal::new(
                RefusalKind::Ambiguous,
                "It is not clear how much of this belongs together.",
            )
            .offer("Say each part as a sentence of its own, with 'there is' or 'is'.")
            .at(pair[1].span));
        }
    }
    if let Some(window) = window {
        let mut counted: Vec<&mut Rule> = parts
            .iter_mut()
            .filter(|p| p.comparator.is_some())
            .collect();
        match counted.as_mut_slice() {
            [one] => one.window_seconds = Some(window),
            _ => {
                return Err(Refusal::new(RefusalKind::Ambiguous, format!("It is not said how many within {window}."))
                    .missing("threshold")
                    .offer(format!("Say a number, for example 'more than 10 people within {window}'; or say 'for {window}'.")));
            }
        }
    } else if let Some(p) = parts
        .iter()
        .find(|p| p.predicate == Some(Predicate::Event) && p.comparator.is_some() && arm_passage(p))
    {
        let things = p.subject.clone().unwrap_or_default();
        return Err(Refusal::new(
            RefusalKind::Ambiguous,
            format!(
                "It is not said within what time this many must {}.",
                p.action.as_deref().unwrap_or("pass")
            ),
        )
        .missing("window_seconds")
        .offer(format!(
            "Say it, for example '{} within 10 minutes'.",
            crate::noun::plural(&things)
        )));
    }
    // "two people are fighting": so many are at it, whatever the window.
    if window.is_none() {
        for p in &mut parts {
            if p.predicate == Some(Predicate::Event) && p.comparator.is_some() {
                p.predicate = Some(Predicate::Count);
            }
        }
    }
    if framed.counting
        && parts
            .iter()
            .all(|p| p.comparator.is_none() && p.predicate == Some(Predicate::Presence))
    {
        return Err(Refusal::new(
            RefusalKind::Ambiguous,
            "It is not said at which count to alert.",
        )
        .missing("threshold")
        .offer("Say a number, for example 'alert me if there are more than 10 people'."));
    }
    if hold.is_some()
        && parts
            .iter()
            .any(|p| p.predicate == Some(Predicate::Event) && arm_passage(p))
    {
        return Err(Refusal::new(
            RefusalKind::Ambiguous,
            "An event happens in an instant; it can't hold for a time.",
        )
        .missing("for_seconds")
        .offer("Ask for the thing being there for that long, or say 'within' to count events."));
    }
    if parts.len() == 1 {
        return Ok(parts.remove(0));
    }
    let Some(both) = both else {
        return Err(Refusal::new(
            RefusalKind::Ambiguous,
            "It is not clear how these go together.",
        )
        .offer("Make one rule for each."));
    };
    for (i, p) in parts.iter().enumerate() {
        if parts[..i].contains(p) {
            return Err(
                Refusal::new(RefusalKind::Contradictory, "The same thing is said twice.")
                    .offer("Leave one of them out."),
            );
        }
    }
    // One place for a list of subjects is every subject's place.
    let mut rule = Rule::default();
    if both {
        rule.all = Some(parts);
    } else {
        rule.any = Some(parts);
    }
    Ok(rule)
}

fn arm_passage(p: &Rule) -> bool {
    p.action.as_deref().is_some_and(crate::arm::is_passage)
}

/// What is understood but can't be meant.
fn check(rule: &Rule, framed: Framed, whole: [usize; 2]) -> Result<(), Refusal> {
    for leaf in rule.leaves() {
        let names = leaf
            .zone
            .iter()
            .flat_map(|z| z.names().iter().map(String::as_str));
        let time = names.chain(leaf.subject.as_deref()).find(|n| {
            let last = n.rsplit(' ').next().unwrap_or(n).to_lowercase();
            matches!(
                last.as_str(),
                "tonight"
                    | "today"
                    | "tomorrow"
                    | "yesterday"
                    | "night"
                    | "nights"
                    | "morning"
                    | "afternoon"
                    | "evening"
                    | "weekend"
                    | "weekends"
                    | "week"
                    | "month"
                    | "year"
                    | "summer"
                    | "winter"
                    | "spring-time"
                    | "autumn"
                    | "christmas"
                    | "easter"
                    | "hours"
                    | "lunchtime"
                    | "weekday"
                    | "weekdays"
                    | "midnight"
                    | "noon"
                    | "monday"
                    | "tuesday"
                    | "wednesday"
                    | "thursday"
                    | "friday"
                    | "saturday"
                    | "sunday"
            )
        });
        if let Some(time) = time {
            return Err(Refusal::new(
                RefusalKind::Ambiguous,
                format!("It is not clear which hours '{time}' means."),
            )
            .missing("schedule")
            .offer("Say the days or the hours, for example 'from 22:00 to 06:00' or 'on Sundays'.")
            .at(whole));
        }
        if leaf.predicate == Some(Predicate::Presence)
            && leaf.subject.as_deref() == Some("any object")
            && leaf.zone.is_none()
            && leaf.attributes.is_empty()
        {
            return Err(
                Refusal::new(RefusalKind::Ambiguous, "Something is always in view.")
                    .missing("subject")
                    .offer("Say what to watch for, or where.")
                    .at(whole),
            );
        }
        let always = match (leaf.comparator, leaf.threshold) {
            (Some(Comparator::Ge), Some(Threshold::One(0))) => true,
            (Some(Comparator::Between), Some(Threshold::Range([0, high]))) => high > 1_000,
            _ => false,
        };
        if always {
            return Err(
                Refusal::new(RefusalKind::Contradictory, "There are always at least 0.")
                    .offer("Say at least 1.")
                    .at(whole),
            );
        }
        let abstract_noun = leaf.subject.as_deref().is_some_and(|s| {
            let head = s.rsplit(' ').next().unwrap_or(s);
            matches!(
                head,
                "time"
                    | "date"
                    | "question"
                    | "answer"
                    | "opinion"
                    | "advice"
                    | "help"
                    | "price"
                    | "meaning"
                    | "history"
                    | "capital"
                    | "score"
                    | "idea"
                    | "reason"
                    | "truth"
                    | "love"
                    | "luck"
                    | "stock"
                    | "email"
                    | "video"
                    | "movie"
                    | "internet"
                    | "rule"
                    | "rules"
                    | "settings"
                    | "memory"
                    | "problem"
                    | "trouble"
                    | "situation"
                    | "event"
                    | "activity"
                    | "behaviour"
                    | "behavior"
                    | "stuff"
                    | "everything"
                    | "danger"
                    | "crime"
                    | "incident"
                    | "emergency"
                    | "accident"
                    | "anomaly"
                    | "issue"
                    | "threat"
                    | "nothing"
                    | "way"
                    | "case"
                    | "kind"
                    | "status"
                    | "report"
                    | "camera"
                    | "count"
                    | "number"
                    | "capacity"
                    | "alert"
            )
        });
        if abstract_noun && leaf.predicate != Some(Predicate::State) {
            return Err(Refusal::new(
                if framed.framed {
                    RefusalKind::NotObservable
                } else {
                    RefusalKind::NotARule
                },
                format!(
                    "'{}' is not a thing that a picture shows.",
                    leaf.subject.as_deref().unwrap_or("")
                ),
            )
            .offer("Name things that can be seen: people, vehicles, smoke, a door that is open.")
            .at(whole));
        }
    }
    Ok(())
}
