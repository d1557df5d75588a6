//! Singular and plural of English nouns, as far as a camera's concepts need
//! them: a table of irregular ones and the regular endings.

use crate::lexicon::{Lexicon, lexicon};

/// (singular, plural) of nouns whose plural does not follow from spelling.
const IRREGULAR: &[(&str, &str)] = &[
    ("person", "people"),
    ("man", "men"),
    ("woman", "women"),
    ("child", "children"),
    ("foot", "feet"),
    ("tooth", "teeth"),
    ("goose", "geese"),
    ("mouse", "mice"),
    ("ox", "oxen"),
    ("shelf", "shelves"),
    ("bookshelf", "bookshelves"),
    ("knife", "knives"),
    ("wolf", "wolves"),
    ("calf", "calves"),
    ("half", "halves"),
    ("leaf", "leaves"),
    ("loaf", "loaves"),
    ("scarf", "scarves"),
    ("thief", "thieves"),
    ("lorry", "lorries"),
    ("bus", "buses"),
    ("gas", "gases"),
    ("potato", "potatoes"),
    ("tomato", "tomatoes"),
    ("staff member", "staff members"),
    ("passer-by", "passers-by"),
    ("axe", "axes"),
    ("shoe", "shoes"),
    ("horseshoe", "horseshoes"),
    ("canoe", "canoes"),
    ("tie", "ties"),
    ("cookie", "cookies"),
    ("movie", "movies"),
    ("zombie", "zombies"),
    ("lens", "lenses"),
    ("taxi", "taxis"),
    ("ski", "skis"),
    ("alibi", "alibis"),
    ("kiwi", "kiwis"),
    ("cactus", "cacti"),
    ("quiz", "quizzes"),
    ("cache", "caches"),
    ("valve", "valves"),
    ("glove", "gloves"),
    ("sleeve", "sleeves"),
    ("hive", "hives"),
    ("stove", "stoves"),
    ("drive", "drives"),
    ("olive", "olives"),
];

const SINGULARS: &Lexicon = lexicon!(keys IRREGULAR);

/// Nouns that are the same in both, or have no plural. They take no article
/// where they are of the mass kind.
const SAME: &[&str] = &[
    "sheep", "deer", "fish", "aircraft", "series", "cattle", "salmon",
];

/// Nouns of stuff, not things: "is there smoke", never "a smoke".
pub(crate) const MASS: &Lexicon = lexicon![
    "smoke",
    "water",
    "snow",
    "ice",
    "rubbish",
    "trash",
    "litter",
    "debris",
    "luggage",
    "baggage",
    "traffic",
    "fog",
    "oil",
    "steam",
    "rain",
    "mail",
    "furniture",
    "equipment",
    "blood",
    "graffiti",
    "food",
    "dust",
    "mud",
    "garbage",
    "waste",
    "machinery",
    "clothing",
    "foam",
    "liquid",
    "sand",
    "grass",
    "mist",
    "frost",
    "hail",
    "sewage",
    "fuel",
    "paint",
    "rust",
    "mould",
    "mold",
    "wildlife",
    "livestock",
    "cargo",
    "freight",
];

/// Things that come in pairs: no article, no singular.
const PAIRS: &Lexicon = lexicon![
    "glasses",
    "goggles",
    "gloves",
    "boots",
    "trousers",
    "shorts",
    "scissors",
    "shoes",
    "overalls",
    "earmuffs",
    "earplugs",
    "headphones",
    "jeans",
    "pyjamas",
    "sunglasses",
    "stairs",
    "coveralls",
    "clothes",
    "pliers",
    "tongs",
    "ppe",
    "hi-vis",
    "scrubs",
    "slippers",
    "sandals",
];

fn last_word(phrase: &str) -> (&str, &str) {
    match phrase.rfind(' ') {
        Some(i) => phrase.split_at(i + 1),
        None => ("", phrase),
    }
}

/// Whether the phrase's last word is a noun of stuff.
pub fn is_mass(phrase: &str) -> bool {
    MASS.contains(last_word(phrase).1)
}

/// Whether the phrase takes no article: stuff, and things in pairs.
pub fn takes_no_article(phrase: &str) -> bool {
    let last = last_word(phrase).1;
    MASS.contains(last) || PAIRS.contains(last)
}

/// The singular of a noun phrase: its last word's.
pub fn singular(phrase: &str) -> String {
    let (head, word) = last_word(phrase);
    format!("{head}{}", singular_word(word))
}

fn singular_word(word: &str) -> String {
    if PAIRS.contains(word) {
        return word.to_owned();
    }
    if let Some((s, _)) = IRREGULAR.iter().find(|(_, p)| *p == word) {
        return (*s).to_owned();
    }
    if SINGULARS.contains(word)
        || SAME.contains(&word)
        || MASS.contains(word)
        || PAIRS.contains(word)
    {
        return word.to_owned();
    }
    for (s, p) in IRREGULAR {
        // "firemen", "salespeople", "grandchildren"
        if matches!(*s, "man" | "person" | "child" | "shelf" | "knife")
            && let Some(stem) = word.strip_suffix(p)
        {
            return format!("{stem}{s}");
        }
    }
    let cut = |n: usize, add: &str| format!("{}{add}", &word[..word.len() - n]);
    if !word.is_ascii() || word.len() < 4 {
        return match word.strip_suffix('s') {
            Some(stem)
                if word.is_ascii()
                    && matches!(word.len(), 2 | 3)
                    && !matches!(word, "bus" | "gas" | "us" | "is" | "as") =>
            {
                stem.to_owned()
            }
            // "cafés"
            Some(stem) if !word.is_ascii() && word.chars().count() > 3 && !stem.ends_with('s') => {
                stem.to_owned()
            }
            _ => word.to_owned(),
        };
    }
    if word.ends_with("ies") && word.len() > 4 {
        cut(3, "y")
    } else if ["sses", "xes", "ches", "shes", "zzes"]
        .iter()
        .any(|e| word.ends_with(e))
    {
        cut(2, "")
    } else if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        word.to_owned()
    } else if word.ends_with('s') {
        cut(1, "")
    } else {
        word.to_owned()
    }
}

/// Whether the phrase's last word is a plural.
pub fn is_plural(phrase: &str) -> bool {
    let last = &*last_word(phrase).1.to_lowercase();
    PAIRS.contains(last) || singular_word(last) != last
}

/// The plural of a singular noun phrase: of what stands before "of".
pub fn plural(phrase: &str) -> String {
    // "pallets of sand"
    if let Some((front, of)) = phrase.split_once(" of ") {
        return format!("{} of {of}", plural(front));
    }
    let (head, word) = last_word(phrase);
    format!("{head}{}", plural_word(word))
}

fn plural_word(word: &str) -> String {
    // A letter is no noun.
    if word.chars().count() == 1 {
        return word.to_owned();
    }
    if let Some(i) = SINGULARS.position(word) {
        return IRREGULAR[i].1.to_owned();
    }
    if SAME.contains(&word) || MASS.contains(word) || PAIRS.contains(word) {
        return word.to_owned();
    }
    for (s, p) in IRREGULAR {
        if matches!(*s, "man" | "person" | "child" | "shelf")
            && let Some(stem) = word.strip_suffix(s)
        {
            return format!("{stem}{p}");
        }
    }
    let consonant_y = word.ends_with('y')
        && !["ay", "ey", "oy", "uy"].iter().any(|e| word.ends_with(e))
        && word.len() > 1;
    if consonant_y {
        format!("{}ies", &word[..word.len() - 1])
    } else if ["s", "x", "ch", "sh", "z"]
        .iter()
        .any(|e| word.ends_with(e))
    {
        format!("{word}es")
    } else {
        format!("{word}s")
    }
}

/// "a" or "an".
pub fn article(phrase: &str) -> &'static str {
    let word = phrase.split([' ', '-']).next().unwrap_or("").to_lowercase();
    let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u']);
    let sounds_other = ["uni", "use", "euro", "one", "ute"]
        .iter()
        .any(|p| word.starts_with(p))
        && !word.starts_with("unin")
        && !word.starts_with("unid");
    let silent_h = ["hour", "honest", "honour"]
        .iter()
        .any(|p| word.starts_with(p));
    if (vowel && !sounds_other) || silent_h {
        "an"
    } else {
        "a"
    }
}

/// The phrase with "a" or "an" before it, or as it is where it takes none.
pub fn with_article(phrase: &str) -> String {
    if takes_no_article(phrase) || is_plural(phrase) {
        phrase.to_owned()
    } else {
        format!("{} {phrase}", article(phrase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        for (s, p) in [
            ("person", "people"),
            ("box", "boxes"),
            ("shelf", "shelves"),
            ("bag", "bags"),
            ("lorry", "lorries"),
            ("bus", "buses"),
            ("hard hat", "hard hats"),
            ("key", "keys"),
            ("bench", "benches"),
            ("child", "children"),
            ("glass", "glasses"),
            ("case", "cases"),
            ("suitcase", "suitcases"),
            ("fireman", "firemen"),
            ("truck", "trucks"),
            ("vehicle", "vehicles"),
            ("knife", "knives"),
            ("cat", "cats"),
            ("van", "vans"),
            ("fox", "foxes"),
            ("bird", "birds"),
            ("sheep", "sheep"),
            ("bicycle", "bicycles"),
            ("horse", "horses"),
            ("tray", "trays"),
            ("trolley", "trolleys"),
            ("motorbike", "motorbikes"),
            ("valve", "valves"),
        ] {
            if s != "glass" {
                assert_eq!(singular(p), s);
            }
            assert_eq!(plural(s), p);
            assert_eq!(singular(s), s);
        }
    }

    #[test]
    fn articles() {
        for (w, a) in [
            ("unattended bag", "an"),
            ("uniform", "a"),
            ("empty shelf", "an"),
            ("hour", "an"),
            ("red car", "a"),
        ] {
            assert_eq!(article(w), a, "{w}");
        }
        assert_eq!(with_article("smoke"), "smoke");
        assert_eq!(with_article("safety glasses"), "safety glasses");
    }
}
