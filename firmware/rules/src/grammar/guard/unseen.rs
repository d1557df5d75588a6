//! Words for what a picture does not show.

use crate::lexicon::{Lexicon, lexicon};

/// Why, what to ask instead, and the words.
#[rustfmt::skip]
pub(crate) const UNSEEN: &[(&str, &str, &Lexicon)] = &[
    (
        "That is a sound, and the camera only sees.",
        "Ask for what can be seen when it happens, for example 'someone enters the room'.",
        lexicon![
            "cry", "cries", "crying", "cried", "scream", "screams", "screaming", "shout", "shouts",
            "shouting", "yell", "yells", "yelling", "noise", "noises", "noisy", "loud", "loudly",
            "bark", "barks", "barking", "hear", "hears", "heard", "sound", "sounds", "sounding",
            "music", "gunshot", "gunshots", "siren", "sirens", "honk", "honks", "honking", "beep",
            "beeps", "beeping", "whisper", "whispers", "whispering", "talking", "talks", "talk",
            "speaking", "speaks", "singing", "sings", "ringing", "rings", "meow", "meows", "meowing",
            "howls", "howling", "bang", "snoring", "snores", "laughs", "laughing", "laughter",
            "quiet", "silent", "silence", "coughs", "coughing", "sneezes", "sneezing", "voices",
            "voice", "decibel", "decibels", "db", "audio", "buzzing", "buzzes", "squeaks", "rattles",
            "applause", "clapping-sound", "rumbling", "creaking", "hissing", "knocking-sound",
            "screeching", "screech", "moaning", "groaning", "chirping", "quacking", "roars", "roaring",
            "whistles", "whistling", "sobbing", "sobs", "weeping", "noiseless", "soundless", "blaring",
            "argue", "argues", "arguing", "fart", "farts", "farting", "burp", "burps", "breathes", "breathing", "swears", "swearing", "cursing", "snore", "sneeze", "cough",
            "laugh", "sing", "whine", "whines", "growls", "growling", "ticking",
        ],
    ),
    (
        "That is a smell or a taste, and the camera only sees.",
        "Ask for what can be seen, for example smoke.",
        lexicon![
            "smell", "smells", "smelling", "odour", "odor", "odours", "stink", "stinks", "taste",
            "tastes", "scent", "stench", "smelly", "whiff", "stinking", "reeks", "reek", "aroma",
            "fragrance", "salty", "bitter", "flavour", "flavor", "odours", "odors", "tasty", "pong",
        ],
    ),
    (
        "A temperature, a weight or an invisible gas does not show in the picture.",
        "Ask for what can be seen, for example fire, smoke or steam.",
        lexicon![
            "temperature", "hot", "warm", "warmer", "cold", "colder", "hotter", "humid", "humidity",
            "degrees", "celsius", "fahrenheit", "radiation", "carbon", "monoxide", "weighs",
            "weight", "kg", "kilograms", "pressure", "voltage", "electricity", "wifi-signal",
            "fever", "overheats", "overheating", "overheated", "temperatures", "lukewarm", "freezing",
            "chilly", "weigh", "weighing", "kilos", "kilogram", "pounds", "lbs", "tonnes", "grams", "co2",
            "ppm", "oxygen", "methane", "radioactive", "voltages", "volts", "amps", "watts", "kwh",
            "magnetic", "draughty", "stuffy", "°c", "°f", "psi", "hpa", "moisture", "pulse", "heartbeat", "heartrate",
        ],
    ),
    (
        "A speed or a distance can't be measured in the picture.",
        "Ask for a thing being in a place, or entering it.",
        lexicon![
            "km/h", "kmh", "mph", "kph", "speeding", "speeds", "knots", "velocity", "acceleration", "quickly-moving", "m/s", "speed", "faster", "slower", "fast",
            "kilometres", "kilometers", "metre", "metres", "meter", "meters", "feet", "cm",
            "centimetres", "inches", "yards-away", "miles",
        ],
    ),
    (
        "What somebody intends, feels or thinks does not show in the picture.",
        "Ask for what they do, for example 'someone climbs over the fence'.",
        lexicon![
            "intends", "intend", "intending", "intention", "intentions", "plans", "planning", "wants", "want",
            "thinks", "thinking", "suspicious", "suspiciously", "angry", "sad", "happy", "nervous",
            "anxious", "bored", "unhappy", "upset", "drunk", "intoxicated", "lying-to", "aggressive",
            "aggressively", "dangerous", "hostile", "shoplift", "shoplifts", "shoplifting",
            "shoplifter", "shoplifters", "steal", "steals", "stealing", "stole", "theft", "thief",
            "thieves", "burglar", "burglars", "burglary", "robber", "robbers", "robbery", "criminal",
            "criminals", "terrorist", "terrorists", "suspect", "suspects", "cheating", "cheats",
            "lonely", "confused", "tired", "stressed", "frustrated", "satisfied", "depressed",
            "excited", "scared", "afraid", "worried",
            "illegal", "illegally", "mood", "emotion", "emotional",
            "feels", "feeling", "likes", "loves", "hates", "guilty", "trustworthy", "motive",
            "motives", "mad", "furious", "annoyed", "impatient", "jealous", "rude", "friendly",
            "unfriendly", "distressed", "hungry", "thirsty", "curious", "surprised", "embarrassed",
            "ashamed", "proud", "sleepy", "grumpy", "dissatisfied", "disappointed", "cheerful", "joyful",
            "miserable", "desperate", "anger", "fear", "sadness", "happiness", "frightened", "terrified",
            "tipsy", "stoned", "panicking", "panics", "panic", "hesitant", "lazy", "bully", "bullying", "bullied", "harassed",
            "harassing", "harassment", "flirting", "flirts", "lies-to", "lying-about", "pretending",
            "malicious", "evil", "innocent", "stolen", "looting", "pickpocket", "pickpockets",
            "kidnapper", "murderer", "dealer", "dealers", "vandalism", "sabotage", "believes", "hopes",
            "wishes", "decides", "regrets", "distracted", "inattentive", "overworked", "unwell",
            "starving", "allergic", "injured-inside", "sick", "ill", "contagious", "infected", "smuggling", "vandal", "vandals",
        ],
    ),
    (
        "Who somebody is does not show in the picture.",
        "Ask for a person in a place or at a time, or for what they wear.",
        lexicon![
            "intruder", "intruders", "stranger", "strangers", "unauthorised", "unauthorized",
            "authorised", "authorized", "trespasser", "trespassers", "unknown", "unfamiliar",
            "known", "vip", "owner", "owners", "resident", "residents", "unwanted", "uninvited",
            "legitimate", "unauthorised-person", "authorisation", "authorization", "outsider", "outsiders",
            "imposter", "impostor", "non-resident", "non-residents", "non-member", "non-members",
            "member", "members", "wanted", "fugitive", "fugitives", "banned", "ex-employee",
            "interloper", "prowler", "prowlers", "invader", "invaders", "spies", "undercover",
            "freeloader", "fare-dodger", "unidentified", "identified", "identity", "celebrity", "prostitute", "prostitutes", "hooker", "junkie", "junkies", "addict", "addicts",
            "hacker", "hackers",
            "celebrities", "famous", "counterfeit", "fake", "genuine", "expired", "poisoned",
            "poisonous", "toxic-smelling", "homemade", "contaminated",
        ],
    ),
];
