//! Closed lists of words that are looked up in one step. The table is made by
//! the compiler: nothing is built or locked when the program runs.

/// A closed list of words.
pub(crate) struct Lexicon {
    words: &'static [&'static str],
    /// An open-addressed hash table (linear probing, at most half full) of
    /// places in `words`, counted from 1; 0 is an empty slot.
    slots: &'static [u16],
}

/// FNV-1a, 32 bits: short, and good enough for a few hundred words.
const fn hash(word: &[u8]) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    let mut i = 0;
    while i < word.len() {
        hash = (hash ^ word[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    (hash ^ (hash >> 15)) as usize
}

impl Lexicon {
    pub const fn new(words: &'static [&'static str], slots: &'static [u16]) -> Self {
        Self { words, slots }
    }

    /// The slots that so many words need.
    pub const fn size(words: usize) -> usize {
        (2 * words + 1).next_power_of_two()
    }

    /// The table of `words`, for [`lexicon!`].
    pub const fn slots<const N: usize>(words: &[&str]) -> [u16; N] {
        let mut slots = [0; N];
        let mut i = 0;
        while i < words.len() {
            let mut at = hash(words[i].as_bytes()) % N;
            while slots[at] != 0 {
                at = (at + 1) % N;
            }
            slots[at] = i as u16 + 1;
            i += 1;
        }
        slots
    }

    /// Where `word` stands in the list; the first place, if it has several.
    pub fn position(&self, word: &str) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash(word.as_bytes()) & mask;
        loop {
            let i = usize::from(self.slots[at]).checked_sub(1)?;
            if self.words[i] == word {
                return Some(i);
            }
            at = (at + 1) & mask;
        }
    }

    pub fn contains(&self, word: &str) -> bool {
        self.position(word).is_some()
    }

    pub const fn words(&self) -> &'static [&'static str] {
        self.words
    }
}

/// The first words of the pairs of a table, for [`lexicon!`].
pub(crate) const fn keys<const N: usize>(
    table: &[(&'static str, &'static str)],
) -> [&'static str; N] {
    let mut keys = [""; N];
    let mut i = 0;
    while i < N {
        keys[i] = table[i].0;
        i += 1;
    }
    keys
}

/// Words that a word may be one of: a list of a few, or a [`Lexicon`].
pub(crate) trait Words {
    fn has(&self, word: &str) -> bool;
}

impl Words for Lexicon {
    fn has(&self, word: &str) -> bool {
        self.contains(word)
    }
}

impl<W: Words + ?Sized> Words for &W {
    fn has(&self, word: &str) -> bool {
        (**self).has(word)
    }
}

impl Words for [&str] {
    fn has(&self, word: &str) -> bool {
        self.contains(&word)
    }
}

impl<const N: usize> Words for [&str; N] {
    fn has(&self, word: &str) -> bool {
        self.contains(&word)
    }
}

/// A [`Lexicon`] of the words given, or of the first words of a table of pairs
/// (`lexicon!(keys TABLE)`).
macro_rules! lexicon {
    (keys $table:ident) => {{
        const WORDS: &[&str] = &$crate::lexicon::keys::<{ $table.len() }>($table);
        const SLOTS: &[u16] =
            &$crate::lexicon::Lexicon::slots::<{ $crate::lexicon::Lexicon::size(WORDS.len()) }>(
                WORDS,
            );
        &$crate::lexicon::Lexicon::new(WORDS, SLOTS)
    }};
    ($($word:expr),* $(,)?) => {{
        const WORDS: &[&str] = &[$($word),*];
        const SLOTS: &[u16] =
            &$crate::lexicon::Lexicon::slots::<{ $crate::lexicon::Lexicon::size(WORDS.len()) }>(
                WORDS,
            );
        &$crate::lexicon::Lexicon::new(WORDS, SLOTS)
    }};
}

pub(crate) use lexicon;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_found_and_nothing_else() {
        const LIST: &Lexicon = lexicon!["one", "two", "né", "one"];
        assert_eq!(LIST.position("one"), Some(0));
        assert_eq!(LIST.position("né"), Some(2));
        assert!(LIST.contains("two") && !LIST.contains("three") && !LIST.contains(""));
        const NONE: &Lexicon = lexicon![];
        assert!(!NONE.contains("one"));
        const PAIRS: &[(&str, &str)] = &[("a", "b"), ("c", "d")];
        const KEYS: &Lexicon = lexicon!(keys PAIRS);
        assert!(KEYS.contains("c") && !KEYS.contains("d"));
    }
}
