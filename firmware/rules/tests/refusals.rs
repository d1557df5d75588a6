//! Every refusal names its place and offers something; what an offer quotes is
//! understood.

#[allow(dead_code, reason = "other tests use the rest of it")]
mod golden;

use rules::{Refusal, RefusalKind, read};

fn refused(text: &str) -> Refusal {
    match read(text) {
        Err(refusal) => refusal,
        Ok(rule) => panic!("'{text}' was understood: {}", rule.says()),
    }
}

/// The words that the first span covers.
fn covered(text: &str) -> String {
    let [from, to] = refused(text).spans[0];
    text.chars().skip(from).take(to - from).collect()
}

fn texts() -> Vec<String> {
    golden::cases().into_iter().map(|c| c.text).collect()
}

#[test]
fn spans_count_characters_of_the_text_as_typed() {
    for (text, words) in [
        ("🚚🚚 a lorry at the café untill noon", "untill"),
        ("🔥 tell me if the crème brûlée is emtpy", "emtpy"),
        ("tell me, s’il… sorry, if a woman enters", "woman"),
        ("…\u{a0}Let me know if John enters the café", "John"),
        ("Tell me if 有人 is at the gate", "有人"),
        ("👩‍🚒 is the room too noisy?", "too noisy"),
        ("“the café is packed”", "packed"),
        ("e\u{301}clair shop: look at every frame", "every frame"),
    ] {
        assert_eq!(covered(text), words, "{text}");
    }
}

#[test]
fn spans_lie_within_the_text() {
    for text in texts() {
        let length = text.chars().count();
        let Err(refusal) = read(&text) else { continue };
        assert!(!refusal.spans.is_empty(), "{text}");
        for [a, b] in &refusal.spans {
            assert!(a <= b && *b <= length, "{text}: {:?}", refusal.spans);
        }
    }
}

/// The whole sentences that an offer quotes; phrases like 'from 08:00 to 18:00'
/// are to be put into one.
fn quoted(offer: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (mark, other) in [('"', '"'), ('\'', '\'')] {
        let mut rest = offer;
        while let Some(from) = rest.find(mark) {
            let tail = &rest[from + mark.len_utf8()..];
            // A quote ends before a mark or the end, not inside a word.
            let end = tail.char_indices().find(|(i, c)| {
                *c == other
                    && tail[i + 1..]
                        .chars()
                        .next()
                        .is_none_or(|n| !n.is_alphanumeric())
            });
            let Some((end, _)) = end else { break };
            out.push(tail[..end].to_owned());
            rest = &tail[end + 1..];
        }
        if offer.contains('"') {
            break;
        }
    }
    let verbs = [
        " is ", " are ", " enters ", " lies ", " climbs ", " falls ", "lert me ",
    ];
    out.retain(|s| verbs.iter().any(|v| s.contains(v)));
    out
}

#[test]
fn what_an_offer_quotes_is_understood() {
    let mut wrong = Vec::new();
    let mut n = 0;
    for text in texts() {
        let Err(refusal) = read(&text) else { continue };
        let offer = refusal.offer.unwrap_or_default();
        assert!(!offer.is_empty(), "{text}: nothing is offered");
        for sentence in quoted(&offer) {
            n += 1;
            if let Err(again) = read(&sentence) {
                wrong.push(format!("{text}\n  offers '{sentence}'\n  refused: {again}"));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(n > 100, "{n}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_slip_is_offered_as_a_whole_sentence() {
    for (text, offered) in [
        (
            "tell me if a car is in the yard for 5 minuts",
            "tell me if a car is in the yard for 5 minutes",
        ),
        (
            "mor than 4 peple in the loby",
            "more than 4 people in the lobby",
        ),
        ("a woman enters the shop", "a person enters the shop"),
        (
            "an elderly person is at the door",
            "a person is at the door",
        ),
        (
            "tell me when John enters the yard",
            "tell me when a person enters the yard",
        ),
        (
            "nobody at the till for 10minuts",
            "nobody at the till for 10 minutes",
        ),
    ] {
        let offer = refused(text).offer.unwrap_or_default();
        assert!(offer.contains(offered), "{text}: {offer}");
        assert!(read(offered).is_ok(), "{offered}");
    }
}

/// Slips are reported where the word stands, whatever it stands among.
#[test]
fn a_slip_never_becomes_a_place() {
    for text in [
        "tell me if a car is in the yrad for 5 minuts",
        "a dog in the garden betwen 9pm and 6am",
        "someone at the till untill 18:00",
        "a van in the bay on tusday",
        "more then 5 people at the bar",
        "a person near the press wihtout a helmet",
    ] {
        assert_eq!(refused(text).kind, RefusalKind::Ambiguous, "{text}");
    }
}
