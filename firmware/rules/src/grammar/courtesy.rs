//! Courtesies and manners of telling: "Any chance you could tell me if …",
//! "…, thanks in advance".

use super::frames::Framed;
use super::pattern::{Pattern, longest, patterns};
use super::token::Tok;
use crate::lexicon::{Lexicon, lexicon};

/// Words that only say that, how and whom to tell. A run of them that ends in a
/// link ("I'd appreciate it if you told me when") is a frame.
#[rustfmt::skip]
const MANNERS: &Lexicon = lexicon![
    "i", "we", "you", "me", "us", "my", "our", "it", "would", "could", "can", "will", "should", "do",
    "please", "pls", "plz", "kindly", "just", "so", "basically", "what", "is", "are", "am", "be",
    "that", "a", "an", "the", "if", "when", "to", "of", "and", "then", "love", "like", "want",
    "wants", "wanna", "need", "needs", "wish", "appreciate", "grateful", "great", "nice", "good",
    "kind", "mind", "as", "any", "chance", "possible", "helpful", "useful", "most", "very", "really",
    "glad", "happy", "make", "sure", "have", "get", "got", "gets", "getting", "give", "gimme",
    "send", "sends", "sending", "drop", "shoot", "keep", "let", "letting", "lemme", "know",
    "posted", "informed", "notified", "alerted", "told", "tell", "telling", "warned", "warning",
    "warn", "pinged", "ping", "buzz", "shout", "heads-up", "headsup", "heads", "up", "line", "note",
    "message", "messages", "text", "email", "e-mail", "mail", "alert", "alerts", "alerting", "alarm",
    "notification", "notifications", "notify", "notifying", "inform", "informing", "hear",
    "call", "signal", "word", "push", "sms", "phone", "boss", "manager", "team", "security", "staff",
    "guards", "guard", "hey", "hi", "hello", "yo", "ok", "okay", "dear", "camera", "cam", "system",
    "watchword", "thanks", "thank", "thx", "ta", "cheers", "advance", "in", "about", "this", "there",
    "right", "away", "now", "everyone", "operator", "control", "room", "reminder", "remind",
    "was", "were", "how", "for", "interested", "hoping", "hope", "expect", "always", "only",
    "page", "raise", "trigger", "by", "on", "also", "one", "some", "too", "out", "wondering",
    "whether", "want", "id", "im", "someone", "somebody", "flag", "report", "with", "kindly",
    "prefer", "must", "aware", "show", "ask", "asking", "asked", "everybody", "supervisor", "owner", "manager's",
    "favour", "favor", "quick", "little", "short", "straight", "quickly", "soon",
];
/// Words that say that somebody is told.
#[rustfmt::skip]
pub(crate) const TELLING: &Lexicon = lexicon![
    "tell", "told", "telling", "alert", "alerts", "alerted", "alerting", "notify", "notified",
    "notifying", "notification", "notifications", "know", "inform", "informed", "informing",
    "warn", "warned", "warning", "ping", "pinged", "message", "messages", "text", "email", "e-mail",
    "shout", "buzz", "heads-up", "headsup", "heads", "posted", "hear", "line", "signal", "alarm",
    "note", "call", "aware", "show", "trigger", "remind", "reminder", "page", "push", "sms", "flag",
];
/// What a frame ends in.
const ENDS: &[Pattern] = patterns![
    "if",
    "when",
    "whenever",
    "once",
    "as soon as",
    "every|each time",
    "any time",
    "anytime",
    "the moment",
    "the instant",
    "in case",
    "should",
    "in the event that",
    "as long as",
    "while",
    "the minute",
    "the second",
];

/// Whether the words before `i` can only be manners.
fn mannerly(toks: &[Tok]) -> bool {
    toks.iter().all(|t| !t.word || t.any(MANNERS)) && toks.iter().any(|t| t.any(TELLING))
}

/// Takes a frame of any wording from the start, and one from the end.
pub(super) fn manners(toks: &mut Vec<Tok>, out: &mut Framed) {
    const FILLERS: &Lexicon = lexicon![
        "so",
        "basically",
        "well",
        "um",
        "uh",
        "like",
        "actually",
        "literally",
    ];
    while toks.len() > 1 && toks[0].any(FILLERS) && toks[1].word {
        toks.remove(0);
    }
    // "…, thank you"
    let closers = patterns![
        "thank you very? much?",
        "many thanks",
        "thanks a lot",
        "thanks in advance",
    ];
    for at in (1..toks.len()).rev().take(6) {
        if longest(toks, at, closers).is_some_and(|n| toks[at + n..].iter().all(|t| !t.word)) {
            toks.truncate(at);
            while toks
                .last()
                .is_some_and(|t| t.any(&[",", ".", "!", "-", ";"]))
            {
                toks.pop();
            }
            break;
        }
    }
    // The front: up to the last link that has only manners before it.
    let run = toks
        .iter()
        .take_while(|t| {
            !t.word
                || t.any(MANNERS)
                || t.any(&[
                    "whenever", "soon", "every", "each", "time", "anytime", "moment", "instant",
                    "case", "event", "long", "while", "minute", "second", "as",
                ])
        })
        .count();
    let mut cut = None;
    for i in 0..run {
        // "Alert me if …" with a plain verb of telling first is read below;
        // here the link itself must not open a clause that manners could fill.
        if let Some(n) = longest(toks, i, ENDS)
            && i > 0
            && mannerly(&toks[..i])
            && i + n <= toks.len()
        {
            let condition = toks.get(i + n..).unwrap_or_default();
            if condition.iter().any(|t| t.word && !t.any(MANNERS)) {
                cut = Some((i, n));
            }
        }
    }
    if let Some((i, n)) = cut
        && i + n < toks.len()
    {
        // "tell me if you are …": what is left must not start in the middle.
        toks.drain(..i + n);
        out.framed = true;
        out.conditional = true;
    }
    // The end: "…, I want to be told about it".
    #[rustfmt::skip]
    const STARTERS: &Lexicon = lexicon![
        "tell", "let", "alert", "notify", "inform", "warn", "ping", "message", "text", "email",
        "please", "pls", "i", "we", "send", "give", "gimme", "raise", "could", "can", "would", "just", "keep",
        "drop", "shoot", "page", "call", "remind", "flag", "you", "and", "then", "so",
    ];
    let mut from = toks.len();
    while from > 0 && (!toks[from - 1].word || toks[from - 1].any(MANNERS)) {
        from -= 1;
    }
    while from < toks.len() && !(toks[from].any(STARTERS) && toks[from].word) {
        from += 1;
    }
    // A sentence of manners only is left for others to refuse.
    let rest = &toks[from.min(toks.len())..];
    let telling = rest.iter().position(|t| t.any(TELLING));
    let no_link = !(0..rest.len()).any(|i| longest(rest, i, ENDS).is_some() && i > 0);
    if from > 0 && telling.is_some_and(|t| t <= 7) && no_link && toks[..from].iter().any(|t| t.word)
    {
        toks.truncate(from);
        while toks.last().is_some_and(|t| {
            !t.is_gap()
                && (!t.word || t.any(&["and", "then", "so", "please", "just"]))
                && !t.any(&["?"])
        }) {
            toks.pop();
        }
        out.framed = true;
    }
    // "thx", "thanks in advance"
    while toks
        .last()
        .is_some_and(|t| t.any(&["thx", "ta", "cheers", "thanks", "pls", "plz"]))
    {
        toks.pop();
    }
}

/// Takes only courtesies and who is to be told: "Any chance you could tell me if".
pub(crate) fn courtesy(toks: &mut Vec<Tok>) {
    let mut kept = toks.clone();
    manners(&mut kept, &mut Framed::default());
    // Orders hide behind no frame: an empty rest is left as it was.
    if kept.iter().any(|t| t.word) {
        *toks = kept;
    }
}
