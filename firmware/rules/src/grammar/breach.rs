//! What breaks a duty: the rule that watches for the opposite of what was
//! demanded, for more than was allowed, for who lacks what everyone must wear.

use super::duty::{Turn, refuse};
use crate::{Comparator, Predicate, Refusal, Rule, Threshold};

/// The opposite of what `rule` says, if one rule can say it.
pub(crate) fn invert(rule: Rule, span: [usize; 2]) -> Result<Rule, Refusal> {
    let cannot = |what: &str| {
        refuse(
            what,
            "Say what you want to be alerted about, for example 'alert me when nobody is at the desk'.",
            span,
        )
    };
    if let Some(parts) = rule.all {
        let any = parts
            .into_iter()
            .map(|p| invert(p, span))
            .collect::<Result<_, _>>()?;
        return Ok(Rule {
            any: Some(any),
            ..Rule::default()
        });
    }
    if let Some(parts) = rule.any {
        let all = parts
            .into_iter()
            .map(|p| invert(p, span))
            .collect::<Result<_, _>>()?;
        return Ok(Rule {
            all: Some(all),
            ..Rule::default()
        });
    }
    let mut rule = rule;
    match rule.predicate {
        Some(Predicate::Presence) => rule.predicate = Some(Predicate::Absence),
        Some(Predicate::Absence) => rule.predicate = Some(Predicate::Presence),
        Some(Predicate::State) => {
            let state = rule.state.unwrap_or_default();
            rule.state = Some(match state.strip_prefix("not ") {
                Some(plain) => plain.to_owned(),
                None => format!("not {state}"),
            });
        }
        Some(Predicate::Count) => return invert_count(rule),
        _ => {
            return Err(cannot(
                "That something does not happen can't be watched for without a time.",
            ));
        }
    }
    Ok(rule)
}

fn invert_count(mut rule: Rule) -> Result<Rule, Refusal> {
    use Comparator::{Between, Eq, Ge, Gt, Le, Lt, Ne};
    // Fewer than one is none.
    if matches!(
        (rule.comparator, rule.threshold),
        (Some(Ge), Some(Threshold::One(1))) | (Some(Gt), Some(Threshold::One(0)))
    ) {
        (rule.comparator, rule.threshold) = (None, None);
        rule.predicate = Some(Predicate::Absence);
        return Ok(rule);
    }
    if let (Some(Between), Some(Threshold::Range([low, high]))) = (rule.comparator, rule.threshold)
    {
        let part = |comparator, n| Rule {
            comparator: Some(comparator),
            threshold: Some(Threshold::One(n)),
            ..rule.clone()
        };
        return Ok(Rule {
            any: Some(vec![part(Lt, low), part(Gt, high)]),
            ..Rule::default()
        });
    }
    rule.comparator = rule.comparator.map(|c| match c {
        Gt => Le,
        Le => Gt,
        Ge => Lt,
        Lt => Ge,
        Eq | Between => Ne,
        Ne => Eq,
    });
    Ok(rule)
}

/// The rule that watches for a breach of the duty whose condition is `rule`.
pub(crate) fn apply(turn: Turn, rule: Rule, span: [usize; 2]) -> Result<Rule, Refusal> {
    match turn {
        Turn::Forbidden => Ok(rule),
        Turn::Demanded => invert(rule, span),
        Turn::Allowed => allowed(rule, span),
        Turn::Worn => worn(rule, span),
    }
}

/// Only a limit can be broken by more than it.
fn allowed(mut rule: Rule, span: [usize; 2]) -> Result<Rule, Refusal> {
    use Comparator::{Between, Eq, Ge, Le, Lt};
    match (rule.comparator, rule.threshold) {
        // "4 people are allowed", "only 4 are allowed"
        (Some(Ge | Eq | Le), Some(n)) => {
            rule.comparator = Some(Comparator::Gt);
            rule.threshold = Some(n);
            Ok(rule)
        }
        (Some(Lt | Between), _) => invert_count(rule),
        _ => Err(refuse(
            "What is allowed breaks nothing.",
            "Say what is not allowed, for example 'no dogs are allowed on the lawn'.",
            span,
        )),
    }
}

/// Who must wear two things breaks the duty by lacking either.
fn worn(rule: Rule, span: [usize; 2]) -> Result<Rule, Refusal> {
    let flips = |a: &String| {
        ["wearing ", "carrying ", "holding ", "using ", "with "]
            .iter()
            .any(|v| a.starts_with(v))
    };
    let flip = |a: &str| match a.strip_prefix("with ") {
        Some(thing) => format!("without {thing}"),
        None => format!("not {a}"),
    };
    let (demanded, kept): (Vec<String>, Vec<String>) =
        rule.attributes.iter().cloned().partition(flips);
    let single = rule.all.is_none() && rule.any.is_none();
    let event_or_presence = matches!(rule.predicate, Some(Predicate::Presence | Predicate::Event));
    if demanded.is_empty() || !single || !event_or_presence {
        return Err(refuse(
            "The camera can't list all that is something else.",
            "Name what must not be there, for example 'no people are allowed in aisle 3'.",
            span,
        ));
    }
    let mut parts: Vec<Rule> = demanded
        .iter()
        .map(|a| {
            let mut attributes = kept.clone();
            attributes.push(flip(a));
            Rule {
                attributes,
                ..rule.clone()
            }
        })
        .collect();
    if parts.len() == 1 {
        return Ok(parts.remove(0));
    }
    Ok(Rule {
        any: Some(parts),
        ..Rule::default()
    })
}
