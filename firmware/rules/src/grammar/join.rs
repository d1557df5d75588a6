//! Clauses joined: how "and", "or", "but" and "unless" hold them together, and
//! the rule that they make.

use super::breach;
use super::clause::{Clause, Parser};
use super::frames::{Framed, TURN};
use super::pattern::here;
use super::phrase::place_cannot;
use super::place::zone_name;
use super::token::{Tok, gaps_at};
use super::words::PREPOSITIONS;
use super::{EXAMPLE, tidy};
use crate::{Predicate, Refusal, RefusalKind, Rule, Seconds};

/// The clauses and how they are joined.
pub(super) fn condition(
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
        i = past_gaps(toks, i);
        if i >= toks.len() {
            break;
        }
        let exception = here!(toks, i, "unless|except when|if|while?");
        let inverted = exception.is_some();
        i += exception.unwrap_or(0);
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
        i = past_gaps(toks, i);
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
        let apart = clause_of_its_own(toks, i + comma);
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
        no_order(toks, i + comma + word)?;
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

fn past_gaps(toks: &[Tok], i: usize) -> usize {
    i + gaps_at(toks, i)
}

/// "… while the gate is open", "… with nobody in the kitchen": what starts a
/// clause of its own at `i`, joined by "and" in effect.
fn clause_of_its_own(toks: &[Tok], i: usize) -> Option<usize> {
    here!(toks, i, "while|whilst|unless")
        .or(here!(toks, i, "except when|if|while"))
        .or(here!(toks, i, "at the same time as"))
        .or(here!(toks, i, "but").filter(|n| {
            toks.get(i + n)
                .is_some_and(|t| t.any(&["no", "nobody", "not", "there", "nothing"]))
        }))
        .or(here!(toks, i, "with nobody|nothing|noone"))
        .or(here!(
            toks,
            i,
            "with no one|people|person|staff|guard|worker|workers|adult|adults"
        ))
}

/// "enters and then leaves" has an order, which no rule can tell.
fn no_order(toks: &[Tok], i: usize) -> Result<(), Refusal> {
    if toks
        .get(i)
        .is_some_and(|t| t.any(&["then", "afterwards", "later"]))
    {
        return Err(Refusal::new(
            RefusalKind::Ambiguous,
            "A rule can't tell what comes first and what after.",
        )
        .offer("Make one rule for each.")
        .at(toks[i].span));
    }
    Ok(())
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
        (zone_name(&thing.raw), format!("the {}", thing.raw))
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

/// The clauses as one rule.
fn assemble(
    mut clauses: Vec<Clause>,
    glue: Option<bool>,
    framed: Framed,
    window: Option<Seconds>,
    hold: Option<Seconds>,
) -> Result<Rule, Refusal> {
    share_place(&mut clauses);
    let (mut parts, both) = parts(&clauses, glue)?;
    undecided(&clauses, &parts)?;
    count_events(&mut parts, window)?;
    fits(&parts, framed, hold)?;
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

/// "enters or leaves the lab": the place is said once for both.
fn share_place(clauses: &mut [Clause]) {
    for i in (1..clauses.len()).rev() {
        let (front, back) = clauses.split_at_mut(i);
        let (a, b) = (&mut front[i - 1], &back[0]);
        let same = a.subjects.first().map(|s| s.span) == b.subjects.first().map(|s| s.span);
        let does = |c: &Clause| c.action.is_some() || c.state.is_some();
        if same && does(a) && does(b) && a.zones.is_empty() {
            (a.zones, a.place) = (b.zones.clone(), b.place.clone());
            // "is wet and enters the yard": wet in the yard
            let takes_bare = a.action.as_deref().is_some_and(|a| {
                matches!(
                    a,
                    "enter"
                        | "exit"
                        | "cross"
                        | "appear"
                        | "disappear"
                        | "approach"
                        | "pass"
                        | "climb"
                        | "jump"
                        | "vault"
                        | "scale"
                        | "hop"
                        | "leap"
                        | "block"
                        | "obstruct"
                        | "occupy"
                )
            });
            if let Some(place) = a.place.first_mut().filter(|_| !takes_bare) {
                let first = place.split(' ').next().unwrap_or("");
                if !PREPOSITIONS.contains(first) && !matches!(first, "next" | "close") {
                    *place = format!("in {place}");
                }
            }
        }
    }
}

/// The rules of all clauses, and whether all of them must hold.
fn parts(clauses: &[Clause], glue: Option<bool>) -> Result<(Vec<Rule>, Option<bool>), Refusal> {
    let mut parts: Vec<Rule> = Vec::new();
    let mut both = glue;
    for c in clauses {
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
            parts.push(breach::invert(one.clone(), c.span)?);
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
    Ok((parts, both))
}

/// Refuses what leaves open how much of it goes together.
fn undecided(clauses: &[Clause], parts: &[Rule]) -> Result<(), Refusal> {
    // "a truck at the dock or a van": the first one's place is not the second's.
    if clauses.len() > 1 && parts.len() > 1 {
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
    Ok(())
}

/// Sets the window of what is counted in it; events are counted in a window,
/// or are what so many do at the same time.
fn count_events(parts: &mut [Rule], window: Option<Seconds>) -> Result<(), Refusal> {
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
        for p in parts {
            if p.predicate == Some(Predicate::Event) && p.comparator.is_some() {
                p.predicate = Some(Predicate::Count);
            }
        }
    }
    Ok(())
}

/// Refuses a count without its number, and an event that shall last.
fn fits(parts: &[Rule], framed: Framed, hold: Option<Seconds>) -> Result<(), Refusal> {
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
    Ok(())
}

fn arm_passage(p: &Rule) -> bool {
    p.action.as_deref().is_some_and(crate::arm::is_passage)
}
