//! The frame around a condition: "alert me when …", "…, let me know".

use super::courtesy::manners;
use super::pattern::{Pattern, any_of, here, longest, patterns};
use super::token::Tok;
use super::words::{COPULAS, PREPOSITIONS, STRUCTURE};
use crate::lexicon::{Lexicon, lexicon};

/// What stands where a frame in the middle of a sentence was.
pub(crate) const TURN: &str = "\u{1}";

/// What the frames said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Framed {
    /// There was one: what follows is meant as something to watch for.
    pub framed: bool,
    /// "count the …"
    pub counting: bool,
    /// "is there …?"
    pub question: bool,
    /// It has an "if" or "when" of its own.
    pub conditional: bool,
}

#[rustfmt::skip]
const LINKS: &[Pattern] = patterns![
    "if", "when", "whenever", "once", "after", "as soon as", "every|each time", "any time", "anytime",
    "the moment", "the instant", "in case", "in the event that", "in the event of", "if ever",
    "that", "about", "of", "for", "on", "to", "if and when", "on every|each|any occasion",
    "each and every time", "where", "should", "in case of", "as and when", "upon", "if or when",
    "whether", "when or if", "if you see", "when you see", "whenever you see",
    "if you notice|detect|spot", "when|whenever you notice|detect|spot", "if|when the camera sees",
    "every|each time that", "any time that", "of any", "of every",
];

/// Words after which "should" is no duty.
const CONDITIONAL: &Lexicon = lexicon![
    "if", "when", "whenever", "once", "case", "event", "time", "moment", "instant", "should",
    "soon", "about", "of", "for",
];

fn gaps(toks: &[Tok], i: usize) -> usize {
    toks[i.min(toks.len())..]
        .iter()
        .take_while(|t| t.is_gap() || t.any(&[",", "straight", "quickly"]))
        .count()
}

fn link(toks: &[Tok], i: usize) -> Option<usize> {
    let skip = gaps(toks, i);
    let at = i + skip;
    // "alert at more than 10 people"
    if let Some(n) = here!(toks, at, "at|on|above|over|beyond")
        && super::compare::compare(
            toks,
            at + usize::from(toks[at].is("at") || toks[at].is("on")),
        )
        .is_ok_and(|k| k.is_some_and(|k| !k.bare))
    {
        return Some(skip + if toks[at].any(&["at", "on"]) { n } else { 0 });
    }
    // "alert me unless …": the clauses see to it.
    if toks.get(at).is_some_and(|t| t.is("unless")) {
        return Some(skip);
    }
    let colon = usize::from(toks.get(at).is_some_and(|t| t.any(&[":", "-"])));
    let mut len = longest(toks, at + colon, LINKS).map_or(colon, |n| n + colon);
    if len == 0 {
        return None;
    }
    // "of when", "that if"
    len += any_of!(
        toks,
        at + len,
        ["if", "when", "whenever", "every|each|any time"]
    )
    .unwrap_or(0);
    Some(skip + len)
}

fn ends(toks: &[Tok], i: usize) -> bool {
    toks[i.min(toks.len())..].iter().all(|t| {
        t.is_gap()
            || !t.word
            || t.any(&[
                "please", "thanks", "then", "too", "about", "it", "this", "so",
            ])
    })
}

/// A frame at `i`: how many tokens, and whether it counts. Messages ("tell me",
/// "send an alert") need a link, a colon or the sentence's end behind them.
fn frame(toks: &[Tok], i: usize) -> Option<(usize, bool)> {
    let (j, wish) = manner(toks, i);
    let message = told(toks, j, wish)
        .or_else(|| sent(toks, j))
        .or_else(|| wish.then(|| wanted(toks, j)).flatten());
    if let Some(k) = message {
        if let Some(n) = link(toks, k) {
            return Some((k + n - i, false));
        }
        if ends(toks, k) && k > j {
            return Some((toks.len() - i, false));
        }
        return None;
    }
    // Only manners: "please, people in the yard".
    watching(toks, i, j).or((wish && j > i).then_some((j - i, false)))
}

/// "please", "could you", "I would like you to": where it ends, and whether
/// it wishes.
fn manner(toks: &[Tok], i: usize) -> (usize, bool) {
    let mut j = i;
    let mut wish = false;
    loop {
        j += gaps(toks, j);
        if let Some(n) = any_of!(
            toks,
            j,
            [
                "please",
                "kindly",
                "hey camera?",
                "hi camera?",
                "hello camera?",
                "camera",
                "can|could|would|will you",
                "you should|must|need|can",
                "just",
                "only",
                "also",
                "now",
                "then",
                "so",
            ]
        ) {
            // "just two guards", "only 3 people": a count, no manner.
            if toks[j].any(&["just", "only"]) && super::number::number(toks, j + n).is_some() {
                break;
            }
            j += n;
        } else if let Some(n) = any_of!(
            toks,
            j,
            [
                "i want|need|wish",
                "i would like|love|want|prefer",
                "i am interested in",
                "we want|need",
                "we would like",
                "make sure you? to?",
                "be sure to",
                "remember to",
                "i should like",
                "i have to",
                "i must",
                "i expect",
            ]
        ) {
            wish = true;
            j += n;
            j += any_of!(toks, j, ["you to", "to", "for you to"]).unwrap_or(0);
        } else {
            break;
        }
    }
    (j, wish)
}

/// Whom a message goes to; how many tokens.
fn recipient(toks: &[Tok], i: usize) -> usize {
    let recipients = patterns![
        "me",
        "us",
        "security",
        "staff",
        "someone in charge",
        "the guard|guards|team|operator|operators|manager|supervisor|staff|owner|office|operations",
        "everyone on duty",
        "the control room",
        "the security team|guard|guards|staff",
        "my phone",
        "management",
    ];
    if let Some(n) = longest(toks, i, recipients) {
        return n;
    }
    // "the shift lead when", "our night porter if": somebody of the house
    let named = here!(toks, i, "the|our|my").map_or(0, |article| {
        (1..=3)
            .find(|n| {
                toks.get(i + article + n)
                    .is_some_and(|t| t.any(&["if", "when", "whenever", "once"]))
            })
            .map_or(0, |n| article + n)
    });
    let plain = toks[i.min(toks.len())..]
        .iter()
        .take(named)
        .skip(1)
        .all(|t| t.word && !t.any(STRUCTURE) && !t.any(PREPOSITIONS) && !t.any(COPULAS));
    if plain { named } else { 0 }
}

/// "tell me", "let us know", "be notified"; where it ends.
fn told(toks: &[Tok], j: usize, wish: bool) -> Option<usize> {
    if let Some(n) = any_of!(
        toks,
        j,
        [
            "alert|notify|warn|inform|message|text|email|e-mail|ping|page|contact|advise|signal",
            "tell",
            "let",
            "be told|alerted|notified|informed|warned|messaged",
            "know|hear",
            "know|hear right away",
            "alert",
            "alarm|warning|notification|alerts",
        ]
    ) {
        let mut k = j + n;
        let w = recipient(toks, k);
        k += w;
        let needs_who = toks[j].any(&["tell"]);
        let let_know = toks[j].is("let");
        if let_know {
            k += any_of!(toks, k, ["know", "hear"]).unwrap_or(0);
        }
        let valid = if let_know {
            w > 0 && k > j + n + w
        } else if needs_who {
            w > 0
        } else if toks[j].any(&["know", "hear", "be"]) {
            wish
        } else {
            true
        };
        if valid {
            return Some(k);
        }
    }
    None
}

/// "send me an alert", "raise the alarm"; where it ends.
fn sent(toks: &[Tok], j: usize) -> Option<usize> {
    if let Some(n) = any_of!(
        toks,
        j,
        [
            "send|give|raise|trigger|issue|generate|create|push|fire|sound|produce|make|emit|post|get|drop|shoot",
            "set off",
            "put out",
            "show",
            "want|have|need",
        ]
    ) {
        let mut k = j + n;
        k += recipient(toks, k);
        k += any_of!(toks, k, ["out", "off"]).unwrap_or(0);
        k += gaps(toks, k);
        k += any_of!(toks, k, ["a|an|the|any|some"]).unwrap_or(0);
        k += gaps(toks, k);
        if let Some(m) = any_of!(
            toks,
            k,
            [
                "text|message|email|push",
                "push|email|text|mobile? alert|alerts|alarm|alarms|notification|notifications|warning|warnings|message|messages|email|emails|text|flag",
            ]
        ) {
            k += m;
            k += any_of!(
                toks,
                k,
                [
                    "to me|us",
                    "to security|staff",
                    "to the guard|guards|team|operator|manager",
                    "to my phone",
                ]
            )
            .unwrap_or(0);
            return Some(k);
        }
    }
    None
}

/// "I want | an alert"; where it ends.
fn wanted(toks: &[Tok], j: usize) -> Option<usize> {
    any_of!(
        toks,
        j,
        [
            "a|an alert|notification|warning|alarm|message",
            "alerts|notifications|warnings",
        ]
    )
    .map(|n| j + n)
}

/// "watch for", "count the", "as soon as".
fn watching(toks: &[Tok], i: usize, j: usize) -> Option<(usize, bool)> {
    // Watching.
    if let Some(n) = any_of!(
        toks,
        j,
        [
            "watch out? for",
            "watch",
            "look out? for",
            "look at",
            "look",
            "keep an? eye out? for",
            "keep an? eye on",
            "keep a? watch for|on|over",
            "be on the lookout for",
            "monitor",
            "detect",
            "identify",
            "find",
            "spot",
            "flag up?",
            "report on?",
            "check for",
            "check",
            "observe",
            "recognise|recognize",
            "see",
            "highlight",
            "catch",
            "notice",
            "watch over",
            "listen",
            "search for",
            "scan for",
            "monitor for",
            "inspect for",
            "detection of",
            "flag if|when",
            "mark",
            "keep a? lookout for",
            "lookout for",
            "pay attention to",
            "supervise",
            "guard",
            "survey",
            "be aware of",
            "keep track of",
            "look whether",
        ]
    ) {
        let n = n + any_of!(
            toks,
            j + n,
            [
                "if",
                "when",
                "whenever",
                "whether",
                "every|each|any time",
                "for",
                "to see|check if|whether",
                "and see if",
                "out for",
                "that",
                "it when|if",
            ]
        )
        .unwrap_or(0);
        return Some((j + n - i, false));
    }
    if let Some(n) = any_of!(
        toks,
        j,
        [
            "count up?",
            "count how many",
            "keep count of",
            "keep a count of",
            "tally",
        ]
    ) {
        return Some((j + n - i, true));
    }
    if let Some(n) = any_of!(
        toks,
        j,
        [
            "if",
            "when",
            "whenever",
            "as soon as",
            "every|each time",
            "any time",
            "anytime",
            "in case",
            "in the event that",
            "in the event of",
            "once",
            "the moment",
            "should",
            "in case of",
            "if ever",
            "if there should be",
            "as long as",
            "the instant",
        ]
    ) {
        return Some((j + n - i, false));
    }
    None
}

/// Whether a frame starts at `i`: "…, tell me if".
pub(crate) fn starts(toks: &[Tok], i: usize) -> bool {
    frame(toks, i).is_some()
}

/// Takes the frames out. One in the middle leaves a [`TURN`].
pub(crate) fn strip(toks: &mut Vec<Tok>) -> Framed {
    let mut out = Framed::default();
    manners(toks, &mut out);
    // At the start, any number of them: "please tell me if …, when …".
    loop {
        while toks
            .first()
            .is_some_and(|t| t.is_gap() || (!t.word && !t.any(&[">", "<", ">=", "<=", "=", "!="])))
        {
            toks.remove(0);
        }
        match frame(toks, 0) {
            Some((n, counting)) if n > 0 => {
                out.conditional |= toks[..n].iter().any(|t| t.any(CONDITIONAL));
                let about = toks[..n]
                    .iter()
                    .rev()
                    .find(|t| t.word)
                    .is_some_and(|t| t.is("for"));
                let watched = !about
                    && toks[..n].iter().any(|t| {
                        t.any(&[
                            "watch",
                            "monitor",
                            "observe",
                            "check",
                            "survey",
                            "guard",
                            "supervise",
                            "eye",
                            "scan",
                            "inspect",
                            "search",
                        ])
                    });
                toks.drain(..n);
                // "watch the boiler room for a leaking pipe"
                if watched
                    && let Some(at) = toks.iter().position(|t| t.any(&["for", ":"]))
                    && at > 0
                    && toks.get(at + 1).is_some_and(|t| t.word)
                {
                    toks[at] = Tok {
                        text: TURN.into(),
                        raw: String::new(),
                        word: false,
                        ..toks[at].clone()
                    };
                }
                out.framed = true;
                out.counting |= counting;
            }
            _ => break,
        }
    }
    // "… send an alert" with nothing before it.
    let closing = [
        "send", "give", "let", "notify", "alert", "tell", "inform", "warn", "raise",
    ];
    let tail = (1..toks.len()).find(|i| {
        toks[*i].any(&closing) && frame(toks, *i).is_some_and(|(n, _)| i + n >= toks.len())
    });
    if let Some(at) = tail {
        let glue = toks[..at]
            .iter()
            .rev()
            .take_while(|t| {
                t.is_gap()
                    || t.any(&[
                        ",", "and", "then", ";", ".", "so", "please", "just", "?", "!",
                    ])
            })
            .count();
        toks.truncate(at - glue);
        out.framed = true;
    }
    turns(toks, &mut out);
    while toks.last().is_some_and(|t| {
        t.is_gap()
            || t.any(&[
                ".",
                "!",
                "?",
                ",",
                ";",
                "please",
                "thanks",
                "-",
                "then",
                "thank-you",
                "and",
                "but",
            ])
    }) {
        toks.pop();
    }
    // "if you see a white van"
    if let Some(n) = any_of!(toks, 0, ["you|we|i|they ever? see|notice|spot|detect|find"]) {
        toks.drain(..n);
    }
    // "do you see a ladder …?"
    let sees = patterns![
        "do|can|did|could you see|spot|detect|notice",
        "have you seen|spotted",
        "can|could i see",
    ];
    if let Some(n) = longest(toks, 0, sees) {
        toks.drain(..n);
        out.framed = true;
    }
    // A question: "is there …", "are there …", "is anyone …", "does a car …"
    if toks.first().is_some_and(|t| {
        t.any(&[
            "is", "are", "was", "were", "does", "do", "has", "have", "did",
        ])
    }) && toks.len() > 1
    {
        let be = toks.remove(0).any(&["is", "are", "was", "were"]);
        out.framed = true;
        out.question = be;
    }
    out
}

/// Frames in the middle: each leaves a [`TURN`], or is the sentence's end.
fn turns(toks: &mut Vec<Tok>, out: &mut Framed) {
    let mut i = 0;
    while i < toks.len() {
        let boundary = toks[i].is_gap()
            || toks[i].any(&[",", "and", "then", ";", ".", ":", "-", "&", "?", "!"]);
        if boundary {
            let mut at = i + 1;
            while toks
                .get(at)
                .is_some_and(|t| t.is_gap() || t.any(&["and", "then", ",", "&", "so"]))
            {
                at += 1;
            }
            // "…, when it is open": only a message may come in the middle.
            let starts_message = frame(toks, at).filter(|_| {
                let t = &toks[at];
                !t.any(&[
                    "if", "when", "whenever", "once", "as", "every", "each", "any", "should",
                    "the", "in", "count", "look", "mark", "guard", "see", "watch", "report",
                    "check", "catch", "find", "listen", "that",
                ]) || (t.any(&["if", "when", "whenever", "watch", "look"])
                    && i > 0
                    && (toks[i].any(&[".", ":", ";"]) || out.counting))
            });
            if let Some((n, counting)) = starts_message {
                let span = toks[i].span;
                out.framed = true;
                out.counting |= counting;
                let to = at + n;
                out.conditional |= toks[at..to].iter().any(|t| t.any(CONDITIONAL));
                let turn = Tok {
                    text: TURN.into(),
                    raw: String::new(),
                    span,
                    word: false,
                };
                let last = toks[to..].iter().all(|t| !t.word);
                if last {
                    toks.truncate(i);
                } else {
                    toks.splice(i..to, [turn]);
                }
            }
        }
        i += 1;
    }
}
