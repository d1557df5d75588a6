//! A sentence as tokens with their place in it.

use crate::lexicon::{Lexicon, lexicon};

use crate::lexicon::Words;

/// A word, a number, a mark, or the gap that an extracted phrase left.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tok {
    /// Lower case.
    pub text: String,
    /// As it was written.
    pub raw: String,
    /// [start, end) in characters.
    pub span: [usize; 2],
    /// A word or number, not a mark or a gap.
    pub word: bool,
}

impl Tok {
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub fn is_gap(&self) -> bool {
        self.text == GAP
    }

    pub fn any<W: Words + ?Sized>(&self, words: &W) -> bool {
        words.has(&self.text)
    }

    pub fn starts_upper(&self) -> bool {
        self.raw.chars().next().is_some_and(char::is_uppercase)
    }
}

/// What stands where a phrase was taken out.
pub(crate) const GAP: &str = "\u{0}";

#[rustfmt::skip]
const DAYS: &[&str] = &[
    "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun", "monday", "tuesday",
    "wednesday", "thursday", "friday", "saturday", "sunday",
];

/// Contractions, and the words they stand for.
#[rustfmt::skip]
const CONTRACTIONS: &[(&str, &[&str])] = &[
    ("there's", &["there", "is"]), ("it's", &["it", "is"]), ("that's", &["that", "is"]),
    ("i'd", &["i", "would"]), ("i'm", &["i", "am"]), ("isn't", &["is", "not"]),
    ("aren't", &["are", "not"]), ("wasn't", &["was", "not"]), ("doesn't", &["does", "not"]),
    ("don't", &["do", "not"]), ("hasn't", &["has", "not"]), ("haven't", &["have", "not"]),
    ("someone's", &["someone", "is"]), ("somebody's", &["somebody", "is"]),
    ("anyone's", &["anyone", "is"]), ("anybody's", &["anybody", "is"]),
    ("something's", &["something", "is"]), ("everyone's", &["everyone", "is"]),
    ("one's", &["one", "is"]), ("no-one's", &["nobody", "is"]), ("nothing's", &["nothing", "is"]), ("nobody's", &["nobody", "is"]), ("who's", &["who", "is"]),
    ("they're", &["they", "are"]), ("he's", &["he", "is"]), ("she's", &["she", "is"]),
    ("what's", &["what", "is"]), ("can't", &["can", "not"]), ("cannot", &["can", "not"]),
    ("won't", &["will", "not"]), ("there're", &["there", "are"]), ("you're", &["you", "are"]),
    ("let's", &["let", "us"]), ("isnt", &["is", "not"]), ("arent", &["are", "not"]),
    ("dont", &["do", "not"]), ("theres", &["there", "is"]), ("noone", &["nobody"]),
    ("one's", &["one", "is"]), ("everyone's", &["everyone", "is"]),
    ("everybody's", &["everybody", "is"]), ("anybody's", &["anybody", "is"]),
    ("nothing's", &["nothing", "is"]), ("something's", &["something", "is"]),
    ("anything's", &["anything", "is"]), ("there'll", &["there", "will"]),
    ("there'd", &["there", "would"]), ("they've", &["they", "have"]), ("i've", &["i", "have"]),
    ("we've", &["we", "have"]), ("we're", &["we", "are"]), ("we'd", &["we", "would"]),
    ("i'll", &["i", "will"]), ("it'll", &["it", "will"]), ("shouldn't", &["should", "not"]),
    ("mustn't", &["must", "not"]), ("wouldn't", &["would", "not"]), ("couldn't", &["could", "not"]),
    ("weren't", &["were", "not"]), ("didn't", &["did", "not"]), ("hadn't", &["had", "not"]),
    ("needn't", &["need", "not"]), ("doesnt", &["does", "not"]), ("cant", &["can", "not"]),
    ("shouldnt", &["should", "not"]), ("mustnt", &["must", "not"]), ("hasnt", &["has", "not"]),
    ("no-one", &["nobody"]), ("cooldown", &["cool-down"]),
];

/// Words of times and numbers that a hyphen may join to the next word.
fn splits_at_hyphen(left: &str, right: &str) -> bool {
    let ends_in_digit = left.ends_with(|c: char| c.is_ascii_digit());
    let clock = left.starts_with(|c: char| c.is_ascii_digit())
        && (left.ends_with("am") || left.ends_with("pm"));
    let number_unit = super::number::small_number(left).is_some()
        && (super::number::unit_millis(right).is_some() || right == "metre" || right == "meter");
    ends_in_digit || clock || (DAYS.contains(&left) && DAYS.contains(&right)) || number_unit
}

/// Whether all parts of a hyphenated word speak of numbers and times, so that
/// it is no name: "half-hour", "two-and-a-half", but not "twenty-five".
fn splits_into_time(text: &str) -> bool {
    const GLUE: &Lexicon = lexicon!["a", "an", "and", "of", "half", "quarter", "past", "dozen"];
    super::number::small_number(text).is_none()
        && text.split('-').all(|p| {
            GLUE.contains(p)
                || super::number::small_number(p).is_some()
                || (p.len() > 2 && super::number::unit_millis(p).is_some())
        })
}

/// Splits `text` into tokens.
pub(crate) fn tokenise(text: &str) -> Vec<Tok> {
    let chars: Vec<char> = text
        .chars()
        .map(|c| {
            if matches!(c, '’' | '‘' | '´' | '`') {
                '\''
            } else {
                c
            }
        })
        .collect();
    let mut toks = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        // Control characters would pass for the grammar's own marks, and what
        // has no width is not seen by who reads the sentence.
        let unseen = c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}');
        if unseen
            || c.is_whitespace()
            || c == '\''
            || c == '"'
            || c == '“'
            || c == '”'
            || c == '\u{feff}'
        {
            i += 1;
        } else if c.is_alphanumeric() {
            let start = i;
            i = word_end(&chars, i);
            push_words(&mut toks, &chars[start..i], start);
            // "8 a.m." ends in a full stop that is no full stop.
            if toks.last().is_some_and(|t: &Tok| t.raw.ends_with(".m"))
                && chars.get(i) == Some(&'.')
            {
                i += 1;
            }
        } else {
            let start = i;
            i += 1;
            let mut mark = c.to_string();
            let pair = match (c, chars.get(i)) {
                ('>' | '<' | '!', Some('=')) => Some('='),
                ('=', Some(&next @ ('>' | '<'))) => Some(next),
                _ => None,
            };
            if let Some(next) = pair {
                mark.push(next);
                i += 1;
            }
            let mark = match mark.as_str() {
                "–" | "—" | "−" | "‐" | "‑" => "-",
                "≥" | "=>" => ">=",
                "≤" | "=<" => "<=",
                "≠" => "!=",
                other => other,
            };
            toks.push(Tok {
                text: mark.to_owned(),
                raw: mark.to_owned(),
                span: [start, i],
                word: false,
            });
        }
    }
    toks
}

fn word_end(chars: &[char], start: usize) -> usize {
    let mut i = start;
    while i < chars.len() {
        let next = chars.get(i + 1).copied().unwrap_or(' ');
        let prev = if i > start { chars[i - 1] } else { ' ' };
        let joins = match chars[i] {
            c if c.is_alphanumeric() => true,
            // "the nurses' station", unless it closes a quotation
            '\'' => {
                let opened = (0..i).any(|j| {
                    chars[j] == '\''
                        && (j == 0 || chars[j - 1].is_whitespace())
                        && chars.get(j + 1).is_some_and(|c| c.is_alphanumeric())
                });
                next.is_alphabetic()
                    || (matches!(prev, 's' | 'S')
                        && next.is_whitespace()
                        && !opened
                        && chars.get(i + 2).is_some_and(|c| c.is_alphabetic()))
            }
            '-' | '/' => {
                let left: String = chars[start..i].iter().collect::<String>().to_lowercase();
                let right: String = chars[i + 1..]
                    .iter()
                    .take_while(|c| c.is_alphanumeric())
                    .collect::<String>()
                    .to_lowercase();
                next.is_alphanumeric() && chars[i] == '-' && !splits_at_hyphen(&left, &right)
            }
            '.' | ':' => {
                (prev.is_ascii_digit() && next.is_ascii_digit())
                    // a.m., p.m.
                    || (chars[i] == '.'
                        && matches!(prev, 'a' | 'p' | 'A' | 'P')
                        && matches!(next, 'm' | 'M')
                        && !chars.get(i + 2).copied().unwrap_or(' ').is_alphanumeric())
            }
            ',' => {
                // 1,000
                let group = chars
                    .get(i + 1..i + 4)
                    .is_some_and(|g| g.iter().all(char::is_ascii_digit));
                prev.is_ascii_digit()
                    && group
                    && !chars.get(i + 4).is_some_and(char::is_ascii_digit)
            }
            _ => false,
        };
        if !joins {
            break;
        }
        i += 1;
    }
    i
}

fn push_words(toks: &mut Vec<Tok>, chars: &[char], start: usize) {
    let raw: String = chars.iter().collect();
    let text = raw.to_lowercase();
    let span = [start, start + chars.len()];
    // "half-an-hour", "two-and-a-half": words of time that hyphens join.
    if text.contains('-') && splits_into_time(&text) {
        let mut from = start;
        for part in raw.split('-') {
            let to = from + part.chars().count();
            toks.push(Tok {
                text: part.to_lowercase(),
                raw: part.to_owned(),
                span: [from, to],
                word: true,
            });
            from = to + 1;
        }
        return;
    }
    let text = match text.as_str() {
        t if t.ends_with("a.m") => format!("{}am", &t[..t.len() - 3]),
        t if t.ends_with("p.m") => format!("{}pm", &t[..t.len() - 3]),
        _ => text,
    };
    if let Some((_, words)) = CONTRACTIONS.iter().find(|(c, _)| *c == text) {
        for w in *words {
            toks.push(Tok {
                text: (*w).to_owned(),
                raw: (*w).to_owned(),
                span,
                word: true,
            });
        }
        return;
    }
    toks.push(Tok {
        text,
        raw,
        span,
        word: true,
    });
}

/// How many gaps stand at `i`.
pub(crate) fn gaps_at(toks: &[Tok], i: usize) -> usize {
    toks.iter().skip(i).take_while(|t| t.is_gap()).count()
}

/// The span from the first to the last of `toks`.
pub(crate) fn span_of(toks: &[Tok]) -> [usize; 2] {
    let real: Vec<&Tok> = toks.iter().filter(|t| !t.is_gap()).collect();
    match (real.first(), real.last()) {
        (Some(a), Some(b)) => [a.span[0], b.span[1].max(a.span[1])],
        _ => [0, 0],
    }
}

/// Takes `toks[from..to]` out and leaves a gap.
pub(crate) fn take(toks: &mut Vec<Tok>, from: usize, to: usize) {
    let span = span_of(&toks[from..to]);
    toks.splice(
        from..to,
        [Tok {
            text: GAP.into(),
            raw: String::new(),
            span,
            word: false,
        }],
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokenise(text).into_iter().map(|t| t.text).collect()
    }

    #[test]
    fn words_numbers_and_marks() {
        assert_eq!(
            words("There's 1,000 people: 22:00-06:00!"),
            [
                "there", "is", "1,000", "people", ":", "22:00", "-", "06:00", "!"
            ]
        );
        assert_eq!(
            words("a five-minute hold, 8 a.m. mon-fri"),
            [
                "a", "five", "-", "minute", "hold", ",", "8", "am", "mon", "-", "fri"
            ]
        );
        assert_eq!(words("hi-vis >= 3 ≤4"), ["hi-vis", ">=", "3", "<=", "4"]);
        assert_eq!(
            words("=> 3 half-an-hour"),
            [">=", "3", "half", "an", "hour"]
        );
        assert_eq!(words("the nurses' station"), ["the", "nurses'", "station"]);
        assert_eq!(words("'two cars' there"), ["two", "cars", "there"]);
        assert_eq!(words("gate twenty-five"), ["gate", "twenty-five"]);
        assert_eq!(tokenise("né a")[1].span, [3, 4]);
    }
}
