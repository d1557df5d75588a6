//! What surrounds the condition, and how often the camera can look.

use super::number::{duration, number, unit_millis};
use super::pattern::here;
use super::token::{Tok, span_of};
use crate::{Refusal, RefusalKind, Seconds};

pub(crate) use super::cooldown::cooldown;
pub(crate) use super::hold::hold;
pub(crate) use super::severity::severity;
pub(crate) use super::window::window;

/// The shortest time between two looks.
pub(crate) const FLOOR: Seconds = Seconds::from_millis(200);

/// Refuses looks that come faster than the camera can look.
pub(crate) fn looks(toks: &[Tok]) -> Result<(), Refusal> {
    let over = |span: [usize; 2], what: &str| {
        Err(Refusal::new(
            RefusalKind::OverBudget,
            format!("{what} is more than the camera can afford: at least {FLOOR} lie between two looks."),
        )
        .offer(format!("Leave it out and the camera looks as often as it must, or ask for one look every {FLOOR} or longer."))
        .at(span))
    };
    for i in 0..toks.len() {
        if let Some((n, len)) = number(toks, i) {
            let times =
                here!(toks, i + len, "times|x|frames|looks|checks|images|pictures").unwrap_or(0);
            let per = here!(toks, i + len + times, "a|per|each|every|/");
            let unit = toks
                .get(i + len + times + per.unwrap_or(0))
                .and_then(|t| unit_millis(&t.text));
            if times > 0
                && per.is_some()
                && n > 0.0
                && let Some(unit) = unit
                && unit / n < FLOOR.as_millis() as f64
            {
                return over(
                    span_of(&toks[i..i + len + times + 2]),
                    &format!("{n} looks in that time"),
                );
            }
            if toks
                .get(i + len)
                .is_some_and(|t| t.any(&["fps", "hz", "hertz"]))
                && n > 5.0
            {
                return over(
                    span_of(&toks[i..i + len + 1]),
                    &format!("{n} looks a second"),
                );
            }
        }
        // "100Hz", "30fps"
        let rate = ["hz", "fps"]
            .iter()
            .find_map(|u| toks[i].text.strip_suffix(u)?.parse::<f64>().ok());
        if let Some(n) = rate.filter(|n| *n > 5.0) {
            return over(toks[i].span, &format!("{n} looks a second"));
        }
        let frames = number(toks, i)
            .and_then(|(_, n)| here!(toks, i + n, "frames|frame").map(|m| n + m))
            .or(here!(toks, i, "a single? frame"))
            .filter(|_| i > 0 && toks[i - 1].is("for"));
        if let Some(len) = here!(toks, i, "frame by frame").or(frames) {
            return over(span_of(&toks[i..i + len]), "Looking at single frames");
        }
        if let Some(len) = here!(toks, i, "every|each single? frame|millisecond|ms").or(here!(
            toks,
            i,
            "all the? frames"
        )) {
            return over(span_of(&toks[i..i + len]), "Looking at every frame");
        }
        if let Some(len) = here!(toks, i, "every|each")
            && let Some((d, n)) = duration(toks, i + len)
            && d < FLOOR
        {
            return over(span_of(&toks[i..i + len + n]), &format!("A look every {d}"));
        }
    }
    Ok(())
}
