use crate::{Refusal, RefusalKind, Rule};
pub const MAX_CHARS: usize = 1000;
/// Reads a sentence.
pub fn read(_text: &str) -> Result<Rule, Refusal> {
    Err(Refusal::new(
        RefusalKind::NotARule,
        "The grammar is not here yet.",
    ))
}
