//! Words for what a picture does not show.

/// Why, what to ask instead, and the words.
#[rustfmt::skip]
pub(crate) const UNSEEN: &[(&str, &str, &[&str])] = &[
    (
        "That is a sound, and the camera only sees.",
        "Ask for what can be seen when it happens, for example 'someone enters the room'.",
        &[
            "cry", "cries", "crying", "cried", "scream", "screams", "screaming", "shout", "shouts",
            "shouting", "yell", "yells", "yelling", "noise", "noises", "noisy", "loud", "loudly",
            "bark", "barks", "barking", "hear", "hears", "heard", "sound", "sounds", "sounding",
            "music", "gunshot", "gunshots", "siren", "sirens", "honk", "honks", "honking", "beep",
            "beeps", "beeping", "whisper", "whispers", "whispering", "talking", "talks", "talk",
            "speaking", "speaks", "singing", "sings", "ringing", "rings", "meow", "meows", "meowing",
            "howls", "howling", "bang", "snoring", "snores", "laughs", "laughing", "laughter",
            "quiet", "silent", "silence", "coughs", "coughing", "sneezes", "sneezing", "voices",
            "voice", "decibel", "decibels", "db", "audio", "buzzing", "buzzes", "squeaks", "rattles",
            "explosion-sound",
        ],
    ),
    (
        "That is a smell or a taste, and the camera only sees.",
        "Ask for what can be seen, for example smoke.",
        &[
            "smell", "smells", "smelling", "odour", "odor", "odours", "stink", "stinks", "taste",
            "tastes", "scent", "stench", "smelly",
        ],
    ),
    (
        "A temperature, a weight or an invisible gas does not show in the picture.",
        "Ask for what can be seen, for example fire, smoke or steam.",
        &[
            "temperature", "hot", "warm", "warmer", "cold", "colder", "hotter", "humid", "humidity",
            "degrees", "celsius", "fahrenheit", "radiation", "carbon", "monoxide", "weighs",
            "weight", "kg", "kilograms", "pressure", "voltage", "electricity", "wifi-signal",
            "fever", "overheats", "overheating",
        ],
    ),
    (
        "A speed or a distance can't be measured in the picture.",
        "Ask for a thing being in a place, or entering it.",
        &[
            "km/h", "kmh", "mph", "kph", "speeding", "speeds", "speed", "faster", "slower", "fast",
            "kilometres", "kilometers", "metre", "metres", "meter", "meters", "feet", "cm",
            "centimetres", "inches", "yards-away", "miles",
        ],
    ),
    (
        "What somebody intends, feels or thinks does not show in the picture.",
        "Ask for what they do, for example 'someone climbs over the fence'.",
        &[
            "intends", "intend", "intending", "intention", "plans", "planning", "wants", "want",
            "thinks", "thinking", "suspicious", "suspiciously", "angry", "sad", "happy", "nervous",
            "anxious", "bored", "unhappy", "upset", "drunk", "intoxicated", "lying-to", "aggressive",
            "aggressively", "dangerous", "hostile", "shoplift", "shoplifts", "shoplifting",
            "shoplifter", "shoplifters", "steal", "steals", "stealing", "stole", "theft", "thief",
            "thieves", "burglar", "burglars", "burglary", "robber", "robbers", "robbery", "criminal",
            "criminals", "terrorist", "terrorists", "suspect", "suspects", "cheating", "cheats",
            "lonely", "confused", "tired", "stressed", "frustrated", "satisfied", "depressed",
            "excited", "scared", "afraid", "worried", "strange", "weird", "odd", "unusual",
            "abnormal", "unexpected", "illegal", "illegally", "mood", "emotion", "emotional",
            "feels", "feeling", "likes", "loves", "hates", "guilty", "trustworthy", "motive",
            "motives", "sick", "ill", "contagious", "infected", "smuggling", "vandal", "vandals",
        ],
    ),
    (
        "Who somebody is does not show in the picture.",
        "Ask for a person in a place or at a time, or for what they wear.",
        &[
            "intruder", "intruders", "stranger", "strangers", "unauthorised", "unauthorized",
            "authorised", "authorized", "trespasser", "trespassers", "unknown", "unfamiliar",
            "known", "vip", "owner", "owners", "resident", "residents", "unwanted", "uninvited",
            "legitimate",
        ],
    ),
];
