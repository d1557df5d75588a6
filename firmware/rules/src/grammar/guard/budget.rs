//! More looks than the camera can afford.

use super::super::number::{number, small_number, unit_millis};
use super::super::pattern::{Pattern, here, longest, patterns};
use super::super::token::{Tok, span_of};
use crate::{Refusal, RefusalKind, Seconds};

/// The shortest time between two looks.
const FLOOR: Seconds = Seconds::from_millis(200);

fn over(what: &str, toks: &[Tok]) -> Refusal {
    let raw: Vec<&str> = toks.iter().map(|t| t.raw.as_str()).collect();
    Refusal::new(
        RefusalKind::OverBudget,
        format!("'{}': {what}; at least {FLOOR} lie between two looks.", raw.join(" ")),
    )
    .offer("Leave it out: the camera looks as often as it must. Or say a hold of a second or more, for example 'a person is in the cell for 1 second'.")
    .at(span_of(toks))
}

/// # Errors
/// `over_budget`, with the place of what asks for it.
pub(crate) fn budget(toks: &[Tok]) -> Result<(), Refusal> {
    const FRAMES: &[Pattern] = patterns![
        "frame by frame",
        "frame - by - frame",
        "frame-by-frame",
        "each|every|all and? every? single? frame|frames|image|picture of?",
        "each and every frame|image",
        "single|one|1 video? frame",
        "all of? the? frames",
        "at full frame rate|framerate",
        "full frame rate|framerate",
        "every|each single? millisecond|microsecond|nanosecond|ms",
        "a|an|one|every|each|in|for|within millisecond|microsecond|nanosecond|ms",
    ];
    for (i, t) in toks.iter().enumerate() {
        if let Some(n) = longest(toks, i, FRAMES)
            // "a picture of", "one image": things.
            && (!t.is("all") || toks[i..i + n].iter().any(|t| t.any(&["frame", "frames"])))
            && here!(toks, i + n, "is|are|on|hanging|has").is_none()
        {
            return Err(over(
                "the camera does not look at every frame",
                &toks[i..i + n],
            ));
        }
        // "a tenth of a second", "1/10 s"
        let share = here!(
            toks,
            i,
            "a|one|every|each? tenth|hundredth|thousandth|eighth|sixteenth of a|one second"
        )
        .or(here!(
            toks,
            i,
            "two|three|four|five hundredths|thousandths of a second"
        ));
        let share = share.or_else(|| {
            let top = small_number(&t.text).filter(|_| here!(toks, i + 1, "/").is_some())?;
            let low = toks.get(i + 2).and_then(|t| small_number(&t.text))?;
            let n = 3 + here!(toks, i + 3, "of a").unwrap_or(0);
            let unit = toks.get(i + n).and_then(|t| unit_millis(&t.text))?;
            (low > 0.0 && top / low * unit < FLOOR.as_millis() as f64).then_some(n + 1)
        });
        if let Some(n) = share {
            return Err(over("that is too short", &toks[i..i + n]));
        }
        // "100Hz", "60fps"
        let letters = t
            .text
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let digits = &t.text[..t.text.len() - letters.len()];
        let rate = match letters {
            "fps" | "hz" => 1.0,
            "khz" => 1000.0,
            _ => 0.0,
        };
        if rate > 0.0 && digits.parse::<f64>().is_ok_and(|n| n * rate > 5.0) {
            return Err(over("that is too often", &toks[i..=i]));
        }
        // "5 kHz", "twenty looks every second"
        if let Some((n, len)) = number(toks, i)
            && n > 0.0
        {
            if here!(toks, i + len, "khz").is_some() {
                return Err(over("that is too often", &toks[i..i + len + 1]));
            }
            if let Some(m) = here!(
                toks,
                i + len,
                "frames? per|a|each|every|/? second|sec|s|minute|min"
            ) && toks[i + len..i + len + m]
                .iter()
                .any(|t| t.any(&["frames"]))
            {
                let unit = toks.get(i + len + m - 1).and_then(|t| unit_millis(&t.text));
                if unit.is_some_and(|u| u / n < FLOOR.as_millis() as f64) {
                    return Err(over("that is too often", &toks[i..i + len + m]));
                }
            }
        }
    }
    Ok(())
}
