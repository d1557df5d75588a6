//! What is refused before its structure is looked at: other languages, orders
//! to the device, what a camera can't see, what would harm people.

use super::token::{Tok, here, span_of};
use crate::{Refusal, RefusalKind};

/// Function words that are frequent in other languages and not English words.
#[rustfmt::skip]
const FOREIGN: &[&str] = &[
    "le", "les", "des", "une", "du", "dans", "il", "elle", "est", "sont", "quand", "lorsque",
    "moi", "préviens", "alerte", "plus", "personne", "personnes", "devant", "avec", "sur", "pour",
    "sans", "y", "voiture", "voitures", "der", "das", "den", "dem", "ein", "eine", "einen", "wenn",
    "ist", "sind", "mich", "mir", "und", "oder", "mehr", "als", "nicht", "kein", "keine", "bitte",
    "sobald", "im", "auf", "auto", "autos", "vor", "zwei", "drei", "personen", "leute", "melde",
    "sag", "tür", "el", "los", "las", "una", "cuando", "si", "hay", "más", "mas", "que", "en",
    "avísame", "avisame", "por", "favor", "puerta", "coche", "coches", "personas", "quando", "uma",
    "um", "há", "mais", "pessoas", "porta", "carro", "carros", "está", "esta", "entra", "alguien",
    "alguém", "avise", "gli", "della", "nel", "nella", "avvisami", "più", "piu", "di", "persone",
    "c'è", "qualcuno", "se", "sono", "alla", "del", "macchina", "het", "een", "als", "waarschuw",
    "mij", "meer", "dan", "mensen", "niet", "zijn", "bij", "deur", "wanneer", "och", "när", "det",
    "är", "mig", "om", "någon", "ett", "jest", "kiedy", "gdy", "czy", "ktoś", "się", "więcej",
    "niż", "powiadom", "når", "hvis", "noen", "og",
];

/// Common English words: one of them for each foreign one and it is English.
#[rustfmt::skip]
const ENGLISH: &[&str] = &[
    "the", "a", "an", "if", "when", "whenever", "is", "are", "me", "in", "on", "at", "of", "for",
    "more", "than", "and", "or", "any", "someone", "alert", "tell", "notify", "people", "person",
    "there", "no", "not", "with", "without", "to",
];

fn refuse(kind: RefusalKind, why: &str, offer: &str, span: [usize; 2]) -> Result<(), Refusal> {
    Err(Refusal::new(kind, why).offer(offer).at(span))
}

pub(crate) fn language(toks: &[Tok]) -> Result<(), Refusal> {
    let words: Vec<&Tok> = toks.iter().filter(|t| t.word).collect();
    let letters = |f: fn(char) -> bool| {
        words
            .iter()
            .flat_map(|t| t.text.chars())
            .filter(|c| c.is_alphabetic() && f(*c))
            .count()
    };
    let (all, latin) = (
        letters(|_| true),
        letters(|c| c.is_ascii() || ('\u{c0}'..'\u{250}').contains(&c)),
    );
    let foreign = words
        .iter()
        .filter(|t| {
            t.text.split('\'').any(|p| FOREIGN.contains(&p)) || FOREIGN.contains(&t.text.as_str())
        })
        .count();
    let english = words.iter().filter(|t| t.any(ENGLISH)).count();
    let accents = words
        .iter()
        .filter(|t| t.text.chars().any(|c| c.is_alphabetic() && !c.is_ascii()))
        .count();
    if (all > 0 && latin * 10 < all * 7)
        || (foreign >= 2 && foreign > english)
        || (accents >= 2 && foreign + accents > english)
    {
        return refuse(
            RefusalKind::UnsupportedLanguage,
            "Only English is understood.",
            "Say it in English, for example 'Alert me when more than 3 cars are at the entrance'.",
            span_of(toks),
        );
    }
    Ok(())
}

/// Orders to the device, questions that no camera answers, small talk.
pub(crate) fn not_a_rule(toks: &[Tok]) -> Result<(), Refusal> {
    const OFFER: &str =
        "Say what to watch for, for example 'Alert me when someone enters the yard'.";
    let no = |why: &str, span| refuse(RefusalKind::NotARule, why, OFFER, span);
    let start = (0..toks.len()).find(|i| {
        toks[*i].word
            && !toks[*i].any(&[
                "please", "hey", "hi", "hello", "ok", "okay", "camera", "dear", "now", "just",
                "and", "so", "well",
            ])
    });
    let Some(s) = start else {
        return no("There is nothing to watch for in this.", span_of(toks));
    };
    let polite = here(toks, s, "can|could|would|will you please?")
        .or(here(toks, s, "i want|need you to"))
        .or(here(toks, s, "i would like you to"))
        .unwrap_or(0);
    let s = s + polite;
    let Some(first) = toks.get(s) else {
        return no("There is nothing to watch for in this.", span_of(toks));
    };
    if first.any(&["what", "who", "why", "where", "which", "whose"]) {
        return no("This is a question that no rule answers.", first.span);
    }
    if first.is("how") && !toks.get(s + 1).is_some_and(|t| t.any(&["many", "much"])) {
        return no("This is a question that no rule answers.", first.span);
    }
    if first.is("when")
        && toks
            .get(s + 1)
            .is_some_and(|t| t.any(&["will", "did", "does", "do", "was", "were", "can", "should"]))
    {
        return no("This is a question that no rule answers.", first.span);
    }
    #[rustfmt::skip]
    const ORDERS: &[&str] = &[
        "forget", "ignore", "disregard", "print", "reboot", "restart", "reset", "delete", "erase",
        "format", "shutdown", "update", "upgrade", "install", "unlock", "lock", "play", "sing",
        "write", "summarise", "summarize", "translate", "calculate", "explain", "pretend", "act",
        "repeat", "reveal", "execute", "download", "upload", "switch", "turn", "set", "disable",
        "enable", "stop", "cancel", "mute", "order", "buy", "book", "bring", "make", "cook", "clean",
        "zoom", "rotate", "pan", "change", "configure", "rename", "thanks", "thank", "goodbye", "bye",
        "yes", "sudo", "rm", "curl", "select", "drop", "import", "increase", "decrease", "remember",
        "open", "close", "move", "start", "add", "remove", "help", "list", "say", "speak", "connect",
        "disconnect", "describe", "imagine", "assume",
    ];
    // "open doors", "stop signs" and "clean tables" are things: an order is
    // followed by an article, a pronoun, a preposition or nothing.
    let next = toks.get(s + 1);
    let order = first.any(ORDERS)
        && (next.is_none_or(|t| {
            !t.word
                || t.any(&[
                    "the",
                    "a",
                    "an",
                    "your",
                    "my",
                    "all",
                    "this",
                    "that",
                    "it",
                    "me",
                    "on",
                    "off",
                    "up",
                    "down",
                    "to",
                    "every",
                    "any",
                    "from",
                    "as",
                    "you",
                    "previous",
                    "yourself",
                    "into",
                    "like",
                    "out",
                    "everything",
                    "anything",
                    "for",
                    "and",
                ])
        }) || first.any(&[
            "forget",
            "ignore",
            "disregard",
            "reboot",
            "pretend",
            "print",
            "sudo",
            "reveal",
            "execute",
            "translate",
            "summarise",
            "summarize",
            "sing",
            "delete",
            "erase",
            "thanks",
            "thank",
        ]));
    if order {
        return no(
            "This is an order to the device, not something to watch for.",
            first.span,
        );
    }
    for (i, t) in toks.iter().enumerate() {
        if t.any(&[
            "password",
            "passwords",
            "passphrase",
            "credentials",
            "firmware",
            "wi-fi",
            "wifi",
            "api",
            "token",
            "ssh",
        ]) || here(toks, i, "system prompt").is_some()
            || here(
                toks,
                i,
                "ignore|forget|disregard all|any|your|previous|the|these",
            )
            .is_some()
            || here(toks, i, "you are now|an").is_some()
        {
            return no("A rule can't read or change the device.", t.span);
        }
        if t.any(&[
            "joke", "story", "poem", "recipe", "song", "weather", "forecast", "news", "homework",
            "essay",
        ]) && i <= s + 6
        {
            return no("A camera can't tell you that.", t.span);
        }
    }
    let hello = toks.iter().filter(|t| t.word).all(|t| {
        t.any(&[
            "hello", "hi", "hey", "good", "morning", "evening", "day", "how", "are", "you",
            "there", "camera", "thanks", "thank", "please", "ok", "okay", "test", "testing",
        ])
    });
    if hello {
        return no("There is nothing to watch for in this.", span_of(toks));
    }
    Ok(())
}

pub(crate) fn harm(toks: &[Tok], shouted: bool) -> Result<(), Refusal> {
    #[rustfmt::skip]
    const TRAITS: &[&str] = &[
        "woman", "women", "man", "men", "girl", "girls", "boy", "boys", "lady", "ladies", "guy",
        "guys", "male", "female", "males", "females", "elderly", "pensioner", "pensioners", "teenager",
        "teenagers", "teen", "teens", "youths", "youth", "adolescents", "asian", "african", "arab",
        "arabs", "hispanic", "latino", "latina", "latinos", "caucasian", "muslim", "muslims", "jew",
        "jews", "jewish", "christian", "christians", "hindu", "hindus", "sikh", "sikhs", "gay", "gays",
        "lesbian", "transgender", "trans", "queer", "homosexual", "disabled", "handicapped",
        "pregnant", "immigrant", "immigrants", "migrant", "migrants", "foreigner", "foreigners",
        "refugee", "refugees", "gypsy", "gypsies", "roma", "indian", "chinese", "mexican", "ethnic",
        "ethnicity", "race", "racial", "religious", "religion", "nationality", "gender", "sexuality",
        "hijab", "burqa", "niqab", "turban", "kippah", "yarmulke", "headscarf", "dark-skinned",
        "light-skinned", "black-skinned", "obese", "autistic",
    ];
    #[rustfmt::skip]
    const PRIVATE: &[&str] = &[
        "naked", "nude", "undressing", "undressed", "undresses", "topless", "sexual", "sex", "sexy",
        "breasts", "breast", "genitals", "underwear", "bikini", "bikinis", "lingerie", "masturbating",
        "intimate", "upskirt", "kissing", "cleavage", "buttocks", "breastfeeding",
    ];
    #[rustfmt::skip]
    const RELATIONS: &[&str] = &[
        "wife", "husband", "girlfriend", "boyfriend", "ex", "ex-wife", "ex-husband", "ex-girlfriend",
        "ex-boyfriend", "neighbour", "neighbor", "neighbours", "neighbors", "boss", "colleague",
        "coworker", "co-worker", "daughter", "son", "sister", "brother", "mother", "father", "mum",
        "mom", "dad", "friend", "roommate", "flatmate", "landlord", "tenant", "teacher", "partner",
        "spouse", "stepson", "stepdaughter", "cousin", "uncle", "aunt",
    ];
    const TRAIT_OFFER: &str = "Say 'person' instead; the camera does not tell people apart by sex, age, origin, belief or health.";
    const NAME_OFFER: &str =
        "Say 'person' instead; the camera does not follow or recognise one person.";
    for (i, t) in toks.iter().enumerate() {
        let prev = i.checked_sub(1).map(|p| &toks[p]);
        if t.any(TRAITS)
            && !(t.is("race")
                && toks
                    .get(i + 1)
                    .is_some_and(|t| t.any(&["track", "car", "cars"])))
        {
            return refuse(
                RefusalKind::Unsafe,
                "Rules do not pick out people by what they are.",
                TRAIT_OFFER,
                t.span,
            );
        }
        let old = t.any(&[
            "old",
            "young",
            "black",
            "white",
            "brown",
            "fat",
            "blind",
            "deaf",
            "ugly",
            "attractive",
            "pretty",
            "beautiful",
            "homeless",
            "poor",
            "foreign",
            "older",
            "younger",
            "middle-aged",
        ]) && toks.get(i + 1).is_some_and(|n| {
            n.any(&[
                "person",
                "people",
                "persons",
                "worker",
                "workers",
                "customer",
                "customers",
                "visitor",
                "visitors",
                "kid",
                "kids",
                "guest",
                "guests",
                "driver",
                "drivers",
                "child",
                "children",
                "adult",
                "adults",
                "individual",
                "individuals",
                "pedestrian",
                "pedestrians",
                "folk",
                "employee",
                "employees",
            ])
        });
        if old {
            return refuse(
                RefusalKind::Unsafe,
                "Rules do not pick out people by what they are.",
                TRAIT_OFFER,
                t.span,
            );
        }
        if t.any(PRIVATE) {
            return refuse(
                RefusalKind::Unsafe,
                "Rules do not watch what is private.",
                "Name what is to be protected, for example 'someone enters the changing room corridor'.",
                t.span,
            );
        }
        if t.any(RELATIONS)
            && (prev.is_some_and(|p| p.any(&["my", "our", "his", "her", "their", "your"]))
                || prev.is_none())
        {
            return refuse(
                RefusalKind::Unsafe,
                "Rules do not follow one particular person.",
                NAME_OFFER,
                t.span,
            );
        }
        if t.any(&["stalk", "spy", "stalking", "spying"])
            || here(toks, i, "recognise|recognize|identify the? face|faces").is_some()
            || t.any(&["facial-recognition"])
            || here(toks, i, "facial recognition").is_some()
            || here(toks, i, "person|someone|man|people named|called").is_some()
        {
            return refuse(
                RefusalKind::Unsafe,
                "Rules do not follow or recognise one particular person.",
                NAME_OFFER,
                t.span,
            );
        }
        if t.any(&["follow", "track", "trail", "shadow", "tail"])
            && (i == 0 || prev.is_some_and(|p| p.any(&["please", ",", "you", "to", "and"])))
        {
            let who = toks.get(i + 1).is_some_and(|n| {
                n.any(&[
                    "him", "her", "them", "that", "this", "the", "my", "a", "every", "everyone",
                    "anyone", "someone", "people", "each",
                ]) || n.starts_upper()
            });
            if who {
                return refuse(
                    RefusalKind::Unsafe,
                    "Rules do not follow persons; they tell what happens in a place.",
                    "Say what should raise an alert, for example 'a person enters the yard'.",
                    t.span,
                );
            }
        }
        if !shouted && t.word && i > 0 && is_name(toks, i) {
            return refuse(
                RefusalKind::Unsafe,
                &format!(
                    "'{}' looks like the name of one person; rules do not follow one.",
                    t.raw
                ),
                NAME_OFFER,
                t.span,
            );
        }
    }
    Ok(())
}

/// Given names that stand without a family name; far from all, but the usual ones.
#[rustfmt::skip]
const GIVEN: &[&str] = &[
    "john", "james", "mary", "peter", "paul", "anna", "tom", "thomas", "david", "michael", "sarah",
    "susan", "robert", "lisa", "karen", "linda", "george", "alice", "bob", "charlie", "emma",
    "jack", "kate", "laura", "maria", "martin", "nick", "oliver", "rachel", "sam", "simon",
    "steve", "steven", "dave", "mike", "jane", "joe", "dan", "daniel", "alex", "ben", "chris",
    "helen", "julia", "kevin", "lucy", "max", "sophie", "tim", "harry", "william", "jim",
    "jennifer", "jessica", "elizabeth", "patricia", "barbara", "richard", "joseph", "mohammed",
    "ahmed", "ali", "fatima", "juan", "carlos", "hans",
];

fn is_name(toks: &[Tok], i: usize) -> bool {
    let t = &toks[i];
    let capital = |t: &Tok| {
        t.word
            && t.starts_upper()
            && t.raw
                .chars()
                .skip(1)
                .all(|c| c.is_lowercase() || c == '\'' || c == '-')
            && t.raw.chars().count() > 1
            && t.raw
                .chars()
                .all(|c| c.is_alphabetic() || c == '\'' || c == '-')
    };
    if !capital(t)
        || t.any(&[
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
            "mondays",
            "tuesdays",
            "wednesdays",
            "thursdays",
            "fridays",
            "saturdays",
            "sundays",
        ])
    {
        return false;
    }
    if GIVEN.contains(&t.text.trim_end_matches("'s")) && !matches!(t.text.as_str(), "max" | "sam") {
        return true;
    }
    // "Mr Jones", "Tom Smith enters"
    let prev = &toks[i - 1];
    if prev.any(&["mr", "mrs", "ms", "miss", "dr", "professor"]) {
        return true;
    }
    let verb_after = |j: usize| {
        toks.get(j).is_some_and(|n| {
            n.any(&[
                "is", "enters", "leaves", "comes", "goes", "arrives", "walks", "exits", "stays",
                "stands", "appears",
            ])
        })
    };
    let place =
        prev.any(super::words::PREPOSITIONS) || prev.any(super::words::ARTICLES) || capital(prev);
    let pair = toks.get(i + 1).is_some_and(&capital);
    !place
        && ((pair && verb_after(i + 2)) || verb_after(i + 1))
        && !t.any(super::words::KNOWN)
        && prev.any(&["if", "when", "whenever", "once"])
}

/// Sound, smell, touch, thought: what a picture does not show.
pub(crate) fn observable(toks: &[Tok]) -> Result<(), Refusal> {
    for (i, t) in toks.iter().enumerate() {
        for (why, offer, words) in super::unseen::UNSEEN {
            // "the sound desk", "the music room": names of places.
            let in_place = i > 0
                && (toks[i - 1].any(&["the", "at", "in"]))
                && toks.get(i + 1).is_some_and(|n| {
                    n.any(&[
                        "desk", "room", "studio", "booth", "stage", "store", "shop", "area",
                        "zone", "hall", "dogs", "dog", "tub", "storage", "cabinet", "chamber",
                        "sensor",
                    ])
                });
            if t.any(words)
                && !in_place
                && !(t.any(&["quiet", "silent"])
                    && i > 0
                    && toks[i - 1].any(&["be", "stay", "keep"]))
                && !(t.is("want") && i > 0 && toks[i - 1].is("i"))
            {
                return refuse(RefusalKind::NotObservable, why, offer, t.span);
            }
        }
        let intent = [
            "about to",
            "going to",
            "trying to",
            "tries to",
            "try to",
            "attempts|attempting to",
            "ready to",
            "likely to",
            "might|may|could|will be? going|about?",
            "preparing to",
            "plans|planning to",
        ];
        if let Some(len) = intent
            .iter()
            .find_map(|p| here(toks, i, p))
            .filter(|_| !t.any(&["might", "may", "could", "will"]))
        {
            return refuse(
                RefusalKind::NotObservable,
                "What somebody is about to do does not show in the picture.",
                "Ask for what they do, for example 'someone climbs over the fence'.",
                span_of(&toks[i..i + len]),
            );
        }
        if here(toks, i, "gas leak|leaks").is_some()
            || here(toks, i, "leak|leaks|smell of gas").is_some()
        {
            return refuse(
                RefusalKind::NotObservable,
                "Gas does not show in the picture.",
                "Ask for what can be seen, for example smoke or fire.",
                t.span,
            );
        }
        if here(toks, i, "power is|goes|cut").is_some() || t.any(&["internet"]) {
            return refuse(
                RefusalKind::NotObservable,
                "That does not show in the picture.",
                "Ask for what can be seen, for example 'the light is off'.",
                t.span,
            );
        }
    }
    Ok(())
}
