//! What is named without saying what is needed: amounts without a number,
//! "something unusual", "they" with nobody before it, a sentence that breaks off.

use super::super::compare::compare;
use super::super::number::{number, unit_millis};
use super::super::pattern::{Pattern, here, longest, patterns};
use super::super::token::{Tok, span_of};
use crate::lexicon::{Lexicon, lexicon};
use crate::{Refusal, RefusalKind};

#[rustfmt::skip]
const WORDS: &Lexicon = lexicon![
    "crowded", "overcrowded", "busy", "packed", "crowd", "crowds", "congested", "congestion",
    "overfull", "several", "numerous", "countless", "bustling", "rammed", "swamped", "heaving",
    "jam-packed", "multiple", "teeming",
];
const PATTERNS: &[Pattern] = patterns![
    "too many|much|few|little",
    "a lot of?",
    "lots of?",
    "many",
    "few",
    "a few",
    "plenty of",
    "very? long queue|line|queues|lines",
    "gets|is|becomes|grows too|very long|full|big",
    "gets|becomes|grows|getting long",
    "a large|big|huge|small number of",
    "large|big groups|group|crowds|numbers of?",
    "loads|tons|masses|heaps|dozens|hundreds|scores of",
    "a handful of",
    "a bunch of",
    "most of",
    "some number of",
    "enough",
    "how many|much",
    "hardly|barely|scarcely any|anyone|anybody|anything|a?",
    "next to nobody",
    "some more|fewer",
    "more|fewer|less than usual|normal|before|expected|allowed|last",
    "more|fewer|less people|cars|visitors|customers|guests|vehicles|trucks|vans|dogs|children|workers than usual|normal|before|expected|allowed|last",
    "more or less",
    "a certain number of",
    "a number of",
    "an unusual number of",
];
const ODD: &Lexicon = lexicon![
    "unusual",
    "odd",
    "weird",
    "strange",
    "abnormal",
    "unexpected",
    "wrong",
    "bad",
    "interesting",
    "important",
    "funny",
    "dodgy",
    "off",
    "amiss",
    "untoward",
    "peculiar",
    "noteworthy",
    "relevant",
];

fn missing(field: &str, why: String, offer: &str, toks: &[Tok]) -> Refusal {
    Refusal::new(RefusalKind::Ambiguous, why)
        .missing(field)
        .offer(offer)
        .at(span_of(toks))
}

fn said(toks: &[Tok]) -> String {
    let raw: Vec<&str> = toks.iter().map(|t| t.raw.as_str()).collect();
    raw.join(" ")
}

/// What something must be is not said: "anything unusual".
///
/// # Errors
/// `ambiguous`.
pub(crate) fn odd(toks: &[Tok]) -> Result<(), Refusal> {
    const OFFER: &str = "Say what to watch for, for example 'a person lies on the floor'.";
    for (i, t) in toks.iter().enumerate() {
        let thing = t.any(&[
            "something",
            "anything",
            "things",
            "thing",
            "nothing",
            "event",
            "events",
            "activity",
            "behaviour",
            "behavior",
            "stuff",
            "someone",
            "anyone",
        ]);
        let n = thing.then(|| here!(toks, i + 1, "looks|is|seems|goes|appears").unwrap_or(0));
        if let Some(n) = n
            && toks.get(i + 1 + n).is_some_and(|w| w.any(ODD))
        {
            return Err(missing(
                "subject",
                format!("It is not said what '{}' would be.", toks[i + 1 + n].raw),
                OFFER,
                &toks[i + 1 + n..i + 2 + n],
            ));
        }
        let ordinary = here!(toks, i, "out of the ordinary")
            .or(here!(toks, i, "something|anything|things changes|changed|change|happens|happened"))
            .or(here!(toks, i, "the|a wrong").filter(|n| {
                !toks.get(i + n).is_some_and(|t| t.any(&["way", "direction", "side", "end"]))
            }))
            .or(here!(toks, i, "any|a problem|problems|trouble|issue|issues|anomaly|anomalies|incident|incidents|danger"))
            .or((t.any(ODD) && !t.any(&["off", "bad"])
                && toks.get(i + 1).is_some_and(|w| w.any(&["activity", "activities", "behaviour", "behavior", "events", "event", "happens", "things", "movement", "movements"]))).then_some(2));
        if let Some(n) = ordinary {
            return Err(missing(
                "subject",
                format!("It is not said what '{}' would be.", said(&toks[i..i + n])),
                OFFER,
                &toks[i..i + n],
            ));
        }
    }
    Ok(())
}

/// "a strange bag": what is strange about it does not show.
///
/// # Errors
/// `not_observable`.
pub(crate) fn strange(toks: &[Tok]) -> Result<(), Refusal> {
    for (i, t) in toks.iter().enumerate() {
        if t.any(&[
            "strange",
            "weird",
            "odd",
            "unusual",
            "abnormal",
            "unexpected",
            "peculiar",
        ]) && here!(toks, i + 1, "number|numbers|one").is_none()
        {
            return Err(Refusal::new(
                RefusalKind::NotObservable,
                format!("What is '{}' does not show in the picture.", t.raw),
            )
            .offer("Ask for what it does or looks like, for example 'a person lies on the floor'.")
            .at(t.span));
        }
    }
    Ok(())
}

/// # Errors
/// `ambiguous`, with what is missing and the place of the word.
pub(crate) fn vague(toks: &[Tok]) -> Result<(), Refusal> {
    breaks_off(toks)?;
    nobody_named(toks)?;
    for (i, t) in toks.iter().enumerate() {
        let n = if t.any(WORDS) {
            Some(1)
        } else {
            longest(toks, i, PATTERNS)
        };
        // "crowd of more than 5 people", "how many people … more than 5"
        let counted = (t.any(&["crowd", "how"]) || here!(toks, i, "a number of").is_some())
            && (i + 1..toks.len())
                .any(|j| compare(toks, j).is_ok_and(|c| c.is_some_and(|c| !c.bare)));
        let time = n.is_some_and(|n| {
            toks.get(i + n)
                .is_some_and(|t| unit_millis(&t.text).is_some())
        });
        // "packed lunch", "the crowd barrier", "a busy lizzie"
        let thing = toks.get(i + 1).is_some_and(|n| {
            t.is("packed")
                && n.any(&[
                    "lunch", "lunches", "pallet", "pallets", "box", "boxes", "crate",
                ])
                || t.is("crowd") && n.any(&["barrier", "barriers", "control"])
                || t.is("busy") && n.is("lizzie")
        });
        if let Some(n) = n.filter(|_| !counted && !time && !thing) {
            return Err(missing(
                "threshold",
                format!("It is not said how many '{}' is.", said(&toks[i..i + n])),
                "Say a number, for example 'more than 10 people'.",
                &toks[i..i + n],
            ));
        }
        // "more than people", "fewer than N cars"
        if let Some(n) = here!(toks, i, "more|fewer|less than")
            && compare(toks, i).is_ok_and(|c| c.is_none())
            && toks.get(i + n).is_some_and(|t| {
                t.word
                    && t.text.chars().all(char::is_alphabetic)
                    && !t.any(&[
                        "once", "twice", "half", "a", "an", "one", "quarter", "every", "just",
                        "the",
                    ])
            })
        {
            return Err(missing(
                "threshold",
                format!(
                    "It is not said how many '{}' is.",
                    said(&toks[i..i + n + 1])
                ),
                "Say a number, for example 'more than 10 people'.",
                &toks[i..i + n + 1],
            ));
        }
    }
    Ok(())
}

/// "alert me when", "a person at the door or"
fn breaks_off(toks: &[Tok]) -> Result<(), Refusal> {
    let Some(last) = toks.iter().rposition(|t| t.word) else {
        return Ok(());
    };
    let before = |list: &[&str]| last > 0 && toks[last - 1].any(list);
    let cut = match toks[last].text.as_str() {
        "if" | "when" | "whenever" | "or" | "and" | "than" | "the" | "a" | "an" | "with"
        | "without" | "at" | "of" | "from" | "between" | "every" | "for" | "more" => {
            !(toks[last].is("more") && (before(&["or", "and", "any", "no"]) || last == 0))
                && !(toks[last].is("for") && number(toks, last + 1).is_some())
                && !(toks[last].is("a")
                    && before(&[
                        "bay", "gate", "zone", "camera", "dock", "platform", "block", "building",
                        "hall", "lane", "terminal",
                    ]))
                && !(toks[last].starts_upper() && last > 0)
        }
        _ => false,
    };
    if cut && last > 0 {
        return Err(missing(
            "subject",
            format!("The sentence breaks off after '{}'.", toks[last].raw),
            "Say it to the end, for example 'alert me when a person is at the door'.",
            &toks[last..=last],
        ));
    }
    Ok(())
}

/// "alert me when it is open": nothing is named before "it".
fn nobody_named(toks: &[Tok]) -> Result<(), Refusal> {
    const FRAME: &Lexicon = lexicon![
        "alert", "tell", "notify", "warn", "let", "know", "me", "us", "if", "when", "whenever",
        "please", "message", "ping", "inform", "send", "an", "alarm", "as", "soon", "once",
    ];
    let at = toks.iter().position(|t| t.word && !t.any(FRAME));
    let Some(i) =
        at.filter(|i| *i > 0 && toks[i - 1].any(&["if", "when", "whenever", "soon", "once", "as"]))
    else {
        return Ok(());
    };
    let thing = here!(toks, i, "it is|gets|becomes").is_some_and(|n| {
        toks.get(i + n).is_some_and(|t| {
            t.any(&[
                "open",
                "opened",
                "closed",
                "shut",
                "empty",
                "full",
                "parked",
                "blocked",
                "broken",
                "missing",
                "gone",
                "locked",
                "unlocked",
                "moving",
                "there",
                "here",
                "back",
                "unattended",
                "ready",
                "done",
                "stopped",
                "finished",
                "over",
            ])
        })
    });
    let one = toks[i].any(&["they", "he", "she", "them"]);
    let other = here!(
        toks,
        i,
        "it leaves|enters|arrives|comes|stops|moves|opens|closes"
    )
    .is_some();
    if thing || one || other {
        return Err(missing(
            "subject",
            format!("It is not said what '{}' is.", toks[i].raw),
            "Name it, for example 'alert me when the gate is open'.",
            &toks[i..(i + 2).min(toks.len())],
        ));
    }
    Ok(())
}
