//! What is no rule: orders to the device, questions that no camera answers,
//! small talk, code, and attempts to talk the device into something.

use super::super::pattern::{Pattern, here, longest, patterns};
use super::super::token::{Tok, span_of};
use super::refuse;
use crate::lexicon::{Lexicon, lexicon};
use crate::{Refusal, RefusalKind};

const OFFER: &str = "Say what to watch for, for example 'Alert me when someone enters the yard'.";

fn no(why: &str, span: [usize; 2]) -> Result<(), Refusal> {
    refuse(RefusalKind::NotARule, why, OFFER, span)
}

/// Verbs that order the device about; they are orders before an article, a
/// pronoun, a preposition or nothing: "open doors" and "stop signs" are things.
#[rustfmt::skip]
const ORDERS: &Lexicon = lexicon![
    "reset", "format", "shutdown", "update", "upgrade", "install", "unlock", "lock", "play",
    "write", "act", "repeat", "download", "upload", "switch", "turn", "set", "disable", "enable",
    "stop", "cancel", "order", "buy", "book", "bring", "make", "cook", "clean", "change", "open",
    "close", "move", "start", "add", "remove", "list", "say", "speak", "connect", "disconnect",
    "drop", "clear", "increase", "decrease", "put", "dim", "lower", "raise", "wash", "feed", "water",
    "call", "phone", "dial", "ring", "save", "store", "export", "import", "copy", "load", "share",
    "test", "run", "shut", "power", "arm", "disarm", "silence", "kill", "fix", "repair", "draw",
    "paint", "solve", "roll", "flip", "pick", "choose", "guess", "google", "wake", "rate", "post",
    "tweet", "hack", "stream", "print", "delete", "select", "show", "take", "learn", "train",
];
/// Verbs that are orders whatever follows.
#[rustfmt::skip]
const ALWAYS: &Lexicon = lexicon![
    "forget", "ignore", "disregard", "reboot", "restart", "pretend", "sudo", "reveal", "execute",
    "translate", "summarise", "summarize", "sing", "erase", "zoom", "mute", "unmute", "describe",
    "imagine", "assume", "calculate", "explain", "rename", "configure", "remember", "rotate",
    "compute", "calibrate", "activate", "deactivate", "undo", "speak", "yourself", "urself", "uninstall", "overwrite", "override", "bypass", "reply", "respond", "answer",
    "roleplay", "recommend", "suggest", "shutdown", "factory", "lol", "curl", "wget", "chmod",
    "whoami", "define", "spell", "marry",
];
/// What an order is followed by.
#[rustfmt::skip]
const ORDERED: &Lexicon = lexicon![
    "the", "a", "an", "your", "my", "our", "this", "that", "it", "me", "us", "yourself", "some",
    "his", "her", "their", "them", "him", "these", "those", "all", "every", "previous", "everything",
    "911", "112", "999", "police",
];
/// Verbs that are orders before a particle, and no things: "turn off the light".
const PARTICLED: &Lexicon = lexicon![
    "turn", "switch", "shut", "wake", "set", "act", "connect", "speak",
];
const PARTICLES: &Lexicon = lexicon!["on", "off", "up", "down", "to", "out", "as", "like", "into"];
#[rustfmt::skip]
const SMALL_TALK: &Lexicon = lexicon![
    "hello", "hi", "hey", "good", "morning", "evening", "day", "how", "are", "you", "there",
    "camera", "thanks", "thank", "please", "ok", "okay", "test", "testing", "thx", "bye", "goodbye",
    "lol", "haha", "hahaha", "yes", "no", "yeah", "nope", "yep", "cheers", "ta", "cool", "nice",
    "great", "wow", "hmm", "um", "uh", "well", "so", "the", "a", "an", "very", "much", "for", "all",
    "your", "help", "afternoon", "night", "welcome", "sorry", "pardon", "yo", "sup", "what's", "up",
    "awesome", "perfect", "fine", "sure", "whatever", "who", "cares", "later", "see", "ya", "pls",
    "plz", "my", "friend", "mate", "dear", "sir", "madam", "omg", "wtf", "rofl", "brb", "huh", "why",
    "now", "just", "and", "too", "one", "two", "three", "job", "done", "got", "it", "i", "understand",
    "never", "mind", "nothing", "doing", "that", "was", "going", "stop", "work", "works", "working", "is", "this", "thing", "on",
    "hola", "bonjour", "ciao", "x", "xx", "xxx",
];
/// Of [`SMALL_TALK`], those that make it so.
#[rustfmt::skip]
const GREETINGS: &Lexicon = lexicon![
    "nothing", "hello", "hi", "hey", "good", "thanks", "thank", "test", "testing", "thx", "bye", "goodbye",
    "lol", "haha", "hahaha", "cheers", "ta", "cool", "wow", "hmm", "yo", "sup", "awesome", "perfect",
    "sorry", "pls", "plz", "omg", "wtf", "rofl", "brb", "huh", "help", "yes", "yeah", "nope", "yep",
    "please", "ok", "okay", "hola", "bonjour", "ciao", "mind", "cares", "um", "uh", "welcome", "great",
    "nice", "whatever", "understand", "no", "the", "a", "how", "why", "you", "camera",
];
#[rustfmt::skip]
const RUDE: &Lexicon = lexicon![
    "fuck", "fucking", "fucked", "fucker", "shit", "shitty", "bullshit", "arse", "arsehole",
    "asshole", "bastard", "bitch", "crap", "damn", "dickhead", "wanker", "twat", "moron", "idiot",
    "stupid", "useless", "sucks", "suck", "stfu", "piss", "bollocks", "dumb", "dumbass", "cunt",
];

/// # Errors
/// `not_a_rule`, with the place of the word that shows it.
pub(crate) fn not_a_rule(toks: &[Tok]) -> Result<(), Refusal> {
    code(toks)?;
    device(toks)?;
    if !toks
        .iter()
        .any(|t| t.word && t.text.chars().any(char::is_alphabetic))
    {
        return no("There are only numbers in this.", span_of(toks));
    }
    let words = || toks.iter().filter(|t| t.word);
    if words().all(|t| t.any(SMALL_TALK)) && words().any(|t| t.any(GREETINGS)) {
        return no("There is nothing to watch for in this.", span_of(toks));
    }
    let start = (0..toks.len()).find(|i| {
        toks[*i].word
            && !toks[*i].any(&[
                "please", "hey", "hi", "hello", "ok", "okay", "camera", "dear", "now", "just",
                "and", "so", "well", "yo", "also", "then", "kindly", "quickly",
            ])
    });
    let Some(s) = start else {
        return no("There is nothing to watch for in this.", span_of(toks));
    };
    let polite = here!(toks, s, "can|could|would|will you please?")
        .or(here!(toks, s, "i want|need you to"))
        .or(here!(toks, s, "i would like you to"))
        .or(here!(toks, s, "are you able to"))
        .or(here!(toks, s, "do me a favour|favor and?"))
        .unwrap_or(0);
    let s = s + polite;
    let Some(first) = toks.get(s) else {
        return no("There is nothing to watch for in this.", span_of(toks));
    };
    question(toks, s)?;
    statement(toks, s)?;
    let alone = toks
        .get(s + 1)
        .is_none_or(|t| !t.word || t.any(&["please", "now"]));
    let next = toks.get(s + 1);
    let followed =
        next.is_some_and(|t| t.any(ORDERED) || (first.any(PARTICLED) && t.any(PARTICLES)));
    // "watch out", "keep an eye on", "give me an alert", "call me when",
    // "show me when", "take note if", "find the", "get me an alert": frames.
    let watches = patterns![
        "keep a|an|track|count|watch|lookout|me",
        "give|get|send|make|raise|post|show|call|phone|ring|set|run|put|bring|save me|us|an|a|the|off|out|sure|up alert|alarm|alerts|notification|warning|message|text|when|if|whenever|every|know|posted|that|it|you|an|a",
        "raise|sound|ring|trigger|set|put the|an|a|off|out? alarm|alert|flag|warning|alarm|an|a|the",
        "get|give|send|raise|make|post an|a|me|us|sure alert|notification|warning|message|text|a|an|that|to|you|it|when|if",
        "find|search for|me|a|an|any|all|the|out",
        "take|make a? note",
        "make|keep|show me|us aware|know|informed|posted|when|if|whenever|every",
        "call|phone|ring me|us|security when|if|whenever|in|as|once|every|the",
        "be on|aware|sure|told|alerted|notified|informed|warned|quiet|silent",
        "go to red|high",
        "help me? spot|find|watch|count|keep|catch|notice|to|us",
        "leave at least",
        "search for",
        "find",
        "list any|anyone|everyone",
        "open|close up? is|are",
    ];
    let alerts = toks[s..].iter().skip(1).take(5).any(|t| {
        t.any(&[
            "alert",
            "alerts",
            "alarm",
            "alarms",
            "notification",
            "notifications",
            "warning",
            "flag",
            "message",
            "text",
        ])
    });
    let sends = first.any(&[
        "raise", "ring", "set", "post", "make", "show", "call", "drop", "put", "start",
    ]);
    let framed = longest(toks, s, watches).is_some() || (sends && alerts);
    let order = first.any(ALWAYS)
        || (first.any(ORDERS) && !framed && (followed || alone))
        || (first.any(&["pan", "tilt"])
            && (alone
                || next.is_some_and(|t| t.any(&["left", "right", "up", "down", "to", "the"]))));
    let thing = first.any(ORDERS)
        && alone
        && first.any(&[
            "water", "paint", "ring", "phone", "post", "test", "stream", "train", "book", "store",
            "roll", "order", "list", "lock", "print", "drop", "play", "lower",
        ]);
    if order && !thing && !closing_frame(toks, s) {
        let to = s
            + 1
            + usize::from(followed && next.is_some_and(|t| t.any(&["off", "on", "up", "out"])));
        return no(
            "This is an order to the device; it only watches and alerts.",
            span_of(&toks[s..to.min(toks.len())]),
        );
    }
    if first.any(&["show"])
        && here!(toks, s, "show me? what|who|where|how|everything|all").is_some()
    {
        return no("This is a question that no rule answers.", first.span);
    }
    entertainment(toks, s)
}

/// "drop the alarm", "… send an alert": the frame sees to it.
fn closing_frame(toks: &[Tok], s: usize) -> bool {
    here!(
        toks,
        s,
        "drop|shoot|get|give|leave me|us a|an? line|alert|message|text|note|word|notification"
    )
    .is_some()
}

/// Markup, queries, shell, addresses.
fn code(toks: &[Tok]) -> Result<(), Refusal> {
    for (i, t) in toks.iter().enumerate() {
        let next = toks.get(i + 1);
        let touches = |n: &Tok| n.span[0] == t.span[1];
        let tag = t.is("<")
            && next.is_some_and(|n| {
                touches(n)
                    && (n.is("/") || (n.word && n.text.starts_with(|c: char| c.is_alphabetic())))
            })
            && toks[i..].iter().any(|t| t.is(">"));
        let query = here!(toks, i, "drop table|database").is_some()
            || here!(toks, i, "delete from").is_some()
            || here!(toks, i, "insert into").is_some()
            || (t.is("select") && toks[i..].iter().take(6).any(|t| t.is("from")));
        // "print(1)", but not "person(s)"
        let call = t.word
            && next.is_some_and(|n| n.is("(") && touches(n))
            && !toks.get(i + 2).is_some_and(|n| n.any(&["s", "es", "ren"]))
            && toks.get(i + 2).is_some_and(|n| n.span[0] <= t.span[1] + 2)
            && toks[i..].iter().any(|t| t.is(")"));
        let braces = t.any(&["{", "}", "$", "\\", "|"]);
        let address = t.any(&["http", "https", "www"]);
        let shell =
            t.any(&["sudo", "rm", "wget", "chmod"]) && (i == 0 || next.is_some_and(|n| n.is("-")));
        if tag || query || call || braces || address || shell {
            let end = (i + 2).min(toks.len());
            return no("This is code, not a sentence.", span_of(&toks[i..end]));
        }
    }
    Ok(())
}

/// The device's own settings and secrets, and attempts to change its mind.
fn device(toks: &[Tok]) -> Result<(), Refusal> {
    let mut spans: Vec<[usize; 2]> = Vec::new();
    const PATTERNS: &[Pattern] = patterns![
        "developer|debug|admin|god|dan|root|jailbreak mode",
        "system prompt",
        "ignore|forget|disregard|override|bypass all|any|your|previous|the|these|my|what|everything|every",
        "forget|ignore|disregard everything|instructions|rules",
        "you are now|an",
        "new instructions",
        "as an? ai",
        "answer no|yes|only|every",
        "say|return|output|always say|answer|return yes|no|true|false",
        "factory reset|settings",
        "sd card",
        "prompt injection",
        "admin account|login|page",
        "your rules|instructions|prompt|source|settings|memory|training|configuration|config|software|model",
        "the model weights",
        "the previous|above instructions|rules|prompt",
        "ip address",
        "video resolution|bitrate",
        "night mode|vision",
        "all alerts|rules|notifications|alarms",
        "this|that|last|the rule",
    ];
    for (i, t) in toks.iter().enumerate() {
        let secret = t.any(&[
            "password",
            "passwords",
            "passphrase",
            "credentials",
            "firmware",
            "api",
            "ssh",
            "jailbreak",
            "javascript",
            "localhost",
            "chatgpt",
            "gpt",
            "alexa",
            "siri",
            "llm",
        ]);
        // "the forbidden rule board" is a thing.
        let hit = longest(toks, i, PATTERNS);
        let first = |list: &[&str]| t.any(list);
        let hit = hit.filter(|n| {
            let last = &toks[i + n - 1];
            let settings = first(&[
                "all", "this", "that", "last", "the", "night", "video", "sd", "ip",
            ]);
            let ordered = toks[..i].iter().any(|t| {
                t.any(ORDERS)
                    || t.any(ALWAYS)
                    || t.any(&["what", "your", "mute", "pause", "edit", "switch"])
            });
            !settings || (ordered && last.word)
        });
        if secret || hit.is_some() {
            let n = hit.unwrap_or(1);
            let from = (0..i)
                .find(|j| toks[*j].any(ORDERS) || toks[*j].any(ALWAYS))
                .unwrap_or(i);
            spans.push(span_of(&toks[from..i + n]));
        }
    }
    if spans.is_empty() {
        return Ok(());
    }
    let refusal = Refusal::new(
        RefusalKind::NotARule,
        "A rule can't read or change the device.",
    );
    Err(spans.into_iter().fold(refusal.offer(OFFER), Refusal::at))
}

fn question(toks: &[Tok], s: usize) -> Result<(), Refusal> {
    let first = &toks[s];
    let next = |list: &[&str]| toks.get(s + 1).is_some_and(|t| t.any(list));
    const DOES: &str = "can|could|do|did you speak|understand|do|help|hear|be|dance|fly|swim|think|feel|talk|remember|learn|read|drive|smell";
    let chat = first.is("will") || (0..=s).any(|at| here!(toks, at, DOES).is_some());
    let asks =
        chat || first.any(&[
            "what", "who", "why", "where", "which", "whose", "whom", "whats", "wheres", "whos",
        ]) || (first.is("how") && !next(&["many", "much"]))
            || (first.is("when")
                && next(&["will", "did", "does", "do", "was", "were", "can", "should"]))
            || (first.any(&[
                "is", "are", "does", "do", "did", "was", "can", "could", "should", "would", "will",
                "have",
            ]) && next(&["you", "i", "we", "your", "it's"])
                && here!(toks, s, "do|can|could|did you see|notice|spot|detect|count").is_none()
                && here!(toks, s, "would|should|could i? like").is_none()
                && here!(toks, s, "can|could|may i|we get|have|be|receive").is_none());
    if asks {
        let to = (s + 2).min(toks.len());
        return no(
            "This is a question that no rule answers.",
            span_of(&toks[s..to]),
        );
    }
    // "tell me who is at the door"
    let told = here!(toks, s, "tell|let|show|inform me|us know?").unwrap_or(0);
    if told > 0
        && let Some(t) = toks.get(s + told)
        && (t.any(&["who", "what", "why", "where", "which", "whose", "yourself"])
            || here!(
                toks,
                s + told,
                "how to|do|does|is|are|long|far|old|the|big|it|your"
            )
            .is_some()
            || here!(
                toks,
                s + told,
                "about you|yourself|your|the weather|history|world"
            )
            .is_some()
            || here!(toks, s + told, "your|my").is_some()
                && here!(
                    toks,
                    s + told + 1,
                    "name|age|opinion|secrets|horoscope|model|favourite|favorite"
                )
                .is_some()
            || here!(
                toks,
                s + told,
                "the time|date|score|news|truth|answer|price"
            )
            .is_some())
    {
        return no("This is a question that no rule answers.", t.span);
    }
    Ok(())
}

/// "I love you", "you are useless", "my name is …".
fn statement(toks: &[Tok], s: usize) -> Result<(), Refusal> {
    let first = &toks[s];
    let next = toks.get(s + 1);
    let mine = first.is("i")
        && next.is_some_and(|t| {
            t.any(&[
                "love", "hate", "feel", "think", "miss", "hope", "forgot", "lost", "bought", "was",
                "can", "like", "cannot", "did", "do", "will", "just", "know", "believe", "wonder",
                "guess", "am",
            ])
        })
        && here!(toks, s + 1, "am interested|worried|looking|concerned|after").is_none()
        && here!(toks, s + 1, "just want|need|would").is_none()
        && here!(toks, s + 1, "do not want").is_none();
    let yours = here!(
        toks,
        s,
        "you|u are|were|look|make|have|did|do|will|sound|seem|suck|r"
    )
    .is_some()
        || (first.any(&["your", "ur"]) && toks[s..].iter().any(|t| t.any(&["is", "are", "sucks"])));
    let named = here!(toks, s, "my name is")
        .or(here!(toks, s, "about you|yourself"))
        .or(here!(toks, s, "go to sleep|bed|hell"))
        .or(here!(toks, s, "remind me to"))
        .or(here!(toks, s, "this|the app|software|product is|sucks"))
        .or(here!(toks, s, "it|this is not? working|broken"))
        .or(here!(toks, s, "record|take|capture|save|film a|the|some video|videos|clip|footage|snapshot|photo|picture|image|screenshot"))
        .or(here!(toks, s, "leave me|us alone"))
        .or(here!(toks, s, "shut up"))
        .or(here!(toks, s, "go away"))
        .or(here!(toks, s, "get lost"))
        .or(here!(toks, s, "i|we need|want help|advice|money|support"))
        .or(here!(toks, s, "help me|us").filter(|_| toks.len() <= s + 3))
        .is_some();
    if mine || yours || named {
        let to = (s + 3).min(toks.len());
        return no("This says nothing to watch for.", span_of(&toks[s..to]));
    }
    if let Some(t) = toks.iter().find(|t| t.any(RUDE)) {
        // Whoever swears may still mean a rule: then the words are in the way.
        return refuse(
            RefusalKind::NotARule,
            &format!("'{}' names nothing to watch for.", t.raw),
            "Say it plainly, for example 'Alert me when someone enters the yard'.",
            t.span,
        );
    }
    Ok(())
}

/// "tell me a joke", "what is the weather like"
fn entertainment(toks: &[Tok], s: usize) -> Result<(), Refusal> {
    for (i, t) in toks.iter().enumerate() {
        let told = toks[..i].iter().any(|t| {
            t.any(&[
                "tell", "sing", "write", "read", "give", "show", "say", "is", "like", "want",
                "need", "some",
            ])
        });
        let ends = toks.get(i + 1).is_none_or(|n| {
            !n.word
                || n.any(&[
                    "about", "for", "like", "today", "tomorrow", "please", "now", "is",
                ])
        });
        let placed = i >= 1 && toks[i - 1].any(&["in", "at", "on", "by", "near"])
            || i >= 2 && toks[i - 2].any(&["in", "at", "on", "by", "near"]);
        if t.any(&[
            "joke",
            "jokes",
            "story",
            "poem",
            "recipe",
            "song",
            "weather",
            "forecast",
            "news",
            "homework",
            "essay",
            "horoscope",
            "lyrics",
            "riddle",
        ]) && i <= s + 6
            && told
            && ends
            && !placed
        {
            return no("A camera can't tell you that.", t.span);
        }
    }
    Ok(())
}
