//! Patterns of words: "a|an? couple of?" is one of some words, each followed
//! by the next; a question mark makes the *whole group* before it optional
//! ("a|an?" may be left out, whichever word was meant).
//!
//! A sentence is held against some two thousand patterns at each of its
//! words, and nearly none of them stands there. So each pattern knows from
//! compile time which words it can start with, as a set of marks (a Bloom
//! filter of one word of the machine), and most are dismissed by one `and`.

use super::token::Tok;

/// A pattern, and the marks of the words it can start with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    pub words: &'static str,
    starts: u64,
}

/// The mark of a word: one bit of 64, by its first letter, its last and its
/// length. Equal words have equal marks.
const fn mark(word: &[u8], from: usize, to: usize) -> u64 {
    if from >= to {
        return 0;
    }
    let sum = word[from] as usize + 5 * word[to - 1] as usize + 11 * (to - from);
    1 << (sum % 64)
}

impl Pattern {
    pub const fn new(words: &'static str) -> Self {
        let p = words.as_bytes();
        let mut starts = 0;
        let (mut from, mut end, mut part) = (0, 0, 0);
        while end < p.len() {
            while end < p.len() && p[end] != b'|' && p[end] != b' ' {
                end += 1;
            }
            let last = end == p.len() || p[end] == b' ';
            let optional = last && end > part + 1 && p[end - 1] == b'?';
            starts |= mark(p, from, if optional { end - 1 } else { end });
            if last && !optional {
                break;
            }
            end += 1;
            from = end;
            if last {
                part = end;
            }
        }
        Self { words, starts }
    }

    /// Whether the pattern stands at `i`, its first word not being ruled out:
    /// how many tokens it is. Walks the pattern once and allocates nothing.
    fn len_at(&self, toks: &[Tok], i: usize) -> Option<usize> {
        let p = self.words.as_bytes();
        let mut at = i;
        let mut part = 0;
        while part < p.len() {
            let word = toks.get(at).map(|t| t.text.as_bytes());
            let (mut start, mut end) = (part, part);
            let mut hit = false;
            let optional = loop {
                while end < p.len() && p[end] != b'|' && p[end] != b' ' {
                    end += 1;
                }
                let last = end == p.len() || p[end] == b' ';
                let optional = last && end > part + 1 && p[end - 1] == b'?';
                let stop = if optional { end - 1 } else { end };
                hit |= word.is_some_and(|w| w.len() == stop - start && w == &p[start..stop]);
                if last {
                    break optional;
                }
                end += 1;
                start = end;
            };
            if hit {
                at += 1;
            } else if !optional {
                return None;
            }
            part = end + 1;
        }
        (at > i).then_some(at - i)
    }
}

/// Whether `pattern` stands at `i`; how many tokens it is.
#[inline]
pub(crate) fn stands(toks: &[Tok], i: usize, pattern: &Pattern) -> Option<usize> {
    let word = toks.get(i)?.text.as_bytes();
    if pattern.starts & mark(word, 0, word.len()) == 0 {
        return None;
    }
    pattern.len_at(toks, i)
}

/// The longest of `patterns` that stands at `i`.
pub(crate) fn longest(toks: &[Tok], i: usize, patterns: &[Pattern]) -> Option<usize> {
    let word = toks.get(i)?.text.as_bytes();
    let mark = mark(word, 0, word.len());
    patterns
        .iter()
        .filter(|p| p.starts & mark != 0)
        .filter_map(|p| p.len_at(toks, i))
        .max()
}

/// The longest pattern of `table` that stands at `i`, and what it means; of
/// two as long, the later.
pub(crate) fn entry<'a, T>(
    toks: &[Tok],
    i: usize,
    table: &'a [(Pattern, T)],
) -> Option<(usize, &'a T)> {
    table
        .iter()
        .filter_map(|(p, value)| stands(toks, i, p).map(|n| (n, value)))
        .max_by_key(|(n, _)| *n)
}

/// [`stands`] with a pattern that is written where it is used.
macro_rules! here {
    ($toks:expr, $i:expr, $words:expr $(,)?) => {{
        const PATTERN: $crate::grammar::pattern::Pattern =
            $crate::grammar::pattern::Pattern::new($words);
        $crate::grammar::pattern::stands($toks, $i, &PATTERN)
    }};
}

/// [`longest`] with patterns that are written where they are used.
macro_rules! any_of {
    ($toks:expr, $i:expr, [$($words:expr),* $(,)?] $(,)?) => {
        $crate::grammar::pattern::longest($toks, $i, $crate::grammar::pattern::patterns![$($words),*])
    };
}

/// A list of patterns.
macro_rules! patterns {
    ($($words:expr),* $(,)?) => {{
        const LIST: &[$crate::grammar::pattern::Pattern] =
            &[$($crate::grammar::pattern::Pattern::new($words)),*];
        LIST
    }};
}

/// Patterns with what each of them means. In a constant only: there it is
/// made at compile time.
macro_rules! table {
    ($(($words:expr, $($meaning:expr),+ $(,)?)),* $(,)?) => {
        &[$(($crate::grammar::pattern::Pattern::new($words), ($($meaning),+))),*]
    };
}

pub(crate) use {any_of, here, patterns, table};

#[cfg(test)]
mod tests {
    use super::super::token::tokenise;
    use super::*;

    #[test]
    fn a_pattern_stands_where_its_words_do() {
        let toks = tokenise("half a couple of dogs");
        assert_eq!(here!(&toks, 0, "half|most of?"), Some(1));
        assert_eq!(here!(&toks, 1, "a couple of?"), Some(3));
        assert_eq!(here!(&toks, 2, "a|an? couple of?"), Some(2));
        assert_eq!(here!(&toks, 4, "a|an? couple"), None);
        assert_eq!(here!(&toks, 4, "a?"), None);
        assert_eq!(here!(&toks, 5, "dogs"), None);
        assert_eq!(any_of!(&toks, 1, ["a", "a couple", "a couple of"]), Some(3));
    }

    #[test]
    fn marks_rule_out_no_pattern_that_stands() {
        // Every way through the optional groups starts with a marked word.
        for (words, text) in [
            ("only|just? a|one? alert", "only a alert"),
            ("only|just? a|one? alert", "one alert"),
            ("only|just? a|one? alert", "alert"),
            (",? and", "and"),
            ("? x", "? x"),
        ] {
            let toks = tokenise(text);
            let pattern = Pattern::new(words);
            assert_eq!(stands(&toks, 0, &pattern), Some(toks.len()), "{words}");
        }
    }
}
