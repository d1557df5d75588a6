//! The grammar's vocabulary: closed classes of words. Concepts are open; these
//! are what concepts are told apart from.

use super::pattern::{Pattern, patterns};
use crate::lexicon::{Lexicon, lexicon};

#[rustfmt::skip]
pub(crate) const PREPOSITIONS: &Lexicon = lexicon![
    "in", "at", "on", "by", "near", "inside", "within", "into", "onto", "through", "from",
    "behind", "beside", "under", "underneath", "around", "outside", "along", "over", "across",
    "past", "above", "below", "to", "off", "upon", "beneath", "between", "against", "alongside",
    "beyond", "among", "amongst", "opposite", "towards", "toward", "via", "throughout", "atop",
];
/// Prepositions of several words; each is kept whole in the place's words.
#[rustfmt::skip]
pub(crate) const LONG_PREPOSITIONS: &[Pattern] = patterns![
    "in front of", "next to", "close to", "on top of", "away from", "adjacent to", "up to",
    "inside of", "outside of", "out through",
    "in the vicinity of", "in the area of", "near to", "in through", "out at", "out via",
];
#[rustfmt::skip]
pub(crate) const ARTICLES: &Lexicon = lexicon![
    "a", "an", "the", "any", "some", "another", "my", "our", "your", "this", "that", "these",
    "those", "its", "their", "his", "her",
];
pub(crate) const UNIVERSAL: &[&str] = &["every", "each", "all", "both"];
#[rustfmt::skip]
pub(crate) const COPULAS: &Lexicon = lexicon![
    "is", "are", "was", "were", "be", "been", "being", "becomes", "become", "remains", "remain",
    "stays", "stay", "am", "staying", "remaining", "keeps", "keep",
];
/// Words of structure that no concept may hold: if one is left, it was not understood.
#[rustfmt::skip]
pub(crate) const STRUCTURE: &Lexicon = lexicon![
    "and", "or", "nor", "but", "not", "without", "with", "no", "if", "when", "whenever", "while",
    "unless", "until", "except", "because", "since", "then", "than", "that", "who", "which",
    "whose", "whom", "where", "why", "how", "what", "there", "it", "they", "them", "he", "she",
    "i", "me", "you", "we", "us", "must", "should", "shall", "may", "might", "can", "could",
    "would", "will", "do", "does", "did", "has", "have", "had", "only", "never", "ever", "more",
    "less", "fewer", "most", "least", "exactly", "every", "each", "all", "both", "either",
    "neither", "once", "twice", "for", "of", "as", "so", "too", "very", "first", "after", "before",
    "during", "per", "same", "other", "else", "also", "again", "allowed", "supposed", "forbidden",
    "permitted", "nobody", "none", "someone", "anyone", "somebody", "anybody", "something",
    "anything", "everyone", "everybody", "alert", "notify", "tell", "warn", "let", "know",
    "please", "alone", "wearing", "carrying", "holding", "about", "instead", "rather", "like",
    "such", "just", "still", "already", "yet", "now", "up", "down", "away", "back", "enough",
    "many", "much", "few", "several", "lot", "lots", "nothing", "everything", "within", "seconds",
    "minutes", "hours", "second", "minute", "hour", "always", "usually", "often", "sometimes",
    "remind", "reminds", "him", "himself", "herself", "themselves", "itself", "provided", "although", "though", "whether",
    "alarm", "alerts", "notification", "message", "send", "sends", "longer", "larger", "bigger",
    "greater", "higher", "lower", "equal", "equals", "equaling", "minimum", "maximum", "together",
    "simultaneously", "continuously", "cool-down", "severity", "otherwise", "hence", "therefore",
    "plus", "minus", "almost", "nearly", "roughly", "approximately", "last", "next", "detected",
    "seen", "spotted", "anywhere", "somewhere", "everywhere", "anymore", "here", "latest", "newest", "previous", "twice",
];
#[rustfmt::skip]
pub(crate) const COLOURS: &Lexicon = lexicon![
    "red", "blue", "green", "yellow", "white", "black", "grey", "gray", "orange", "brown", "pink",
    "purple", "silver", "gold", "beige", "navy", "maroon", "turquoise", "dark", "light", "bright",
];
/// Adjectives that narrow a thing without being a state of it.
#[rustfmt::skip]
pub(crate) const ATTRIBUTES: &Lexicon = lexicon![
    "large", "small", "big", "huge", "tiny", "tall", "short", "long", "heavy", "wooden", "plastic",
    "metal", "striped", "hooded", "masked", "uniformed", "armed", "barefoot", "shirtless",
    "covered", "articulated", "electric", "yellow-and-black", "high-vis", "hi-vis", "unmarked",
    "transparent", "round", "square", "colourful", "colorful", "reflective", "branded", "checked",
    "loaded", "unloaded",
];
/// Things that can be so: "a fallen box", "the door is open".
#[rustfmt::skip]
pub(crate) const STATES: &Lexicon = lexicon![
    "open", "opened", "closed", "shut", "empty", "full", "fallen", "parked", "stopped",
    "stationary", "still", "motionless", "broken", "damaged", "blocked", "overflowing", "leaking",
    "burning", "spilled", "spilt", "tilted", "tipped", "overturned", "knocked-over", "wet", "dry",
    "dirty", "clean", "flooded", "stuck", "jammed", "locked", "unlocked", "ajar", "cracked",
    "torn", "smashed", "lit", "unlit", "running", "idle", "moving", "occupied", "vacant",
    "obstructed", "stacked", "misaligned", "crooked", "scratched", "dented", "rusty", "collapsed",
    "toppled", "upright", "raised", "lowered", "folded", "unfolded", "missing", "double-parked",
    "derailed", "frozen", "icy", "snowy", "smoking", "steaming", "flickering", "flashing", "loose",
    "bent", "crushed", "inflated", "deflated", "unplugged", "upside-down", "half-empty",
    "half-full", "lying", "sitting", "standing", "sleeping", "asleep", "kneeling", "crouching",
    "leaning", "loitering", "waiting", "unconscious", "fallen-over", "unmade", "untidy", "messy",
    "cluttered", "dark", "visible", "covered", "uncovered", "boarded", "overgrown", "overloaded",
    "peeling", "mouldy", "moldy", "rotten", "ripe", "clear", "free", "tidy", "unobstructed",
    "vandalised", "vandalized", "unoccupied", "alight", "ablaze", "burnt", "bare", "flat", "lopsided",
    "dripping", "sagging", "hanging", "swinging", "spinning", "overfilled", "unsecured", "secured",
    "unsealed", "sealed", "shattered", "punctured", "faulty", "stalled", "capsized", "submerged",
    "sunken", "foggy", "misted", "discoloured", "discolored", "wilted", "dead", "wrapped",
    "unwrapped", "tangled", "detached", "exposed", "barricaded", "illuminated", "bursting",
    "unattached", "packed-up", "soaked", "slippery", "sticky", "muddy", "dusty", "injured", "hurt",
    "bleeding", "limping", "collapsing", "drooping", "boiling", "flattened", "broken-down",
    "broken-into", "out-of-order", "inactive", "active", "available", "unavailable", "moored", "docked", "anchored",
    "chained", "tied", "loaded", "unloaded", "plugged", "mounted", "buried", "trapped", "hidden", "engaged", "dim", "deserted", "unlatched",
];
/// Things left behind.
#[rustfmt::skip]
pub(crate) const UNATTENDED: &Lexicon = lexicon![
    "unattended", "abandoned", "stranded", "left-behind", "forgotten", "unsupervised",
    "unaccompanied", "unclaimed", "orphaned", "discarded", "lone", "ownerless", "unstaffed",
    "unmanned", "unguarded", "unwatched", "unminded", "dumped",
];
/// Places and fixtures that are watched over: "the desk is unattended" means
/// that nobody is there.
#[rustfmt::skip]
pub(crate) const FIXTURES: &Lexicon = lexicon![
    "door", "gate", "till", "counter", "desk", "reception", "machine", "room", "checkout", "stall",
    "oven", "stove", "station", "post", "entrance", "exit", "shop", "store", "bar", "kiosk",
    "booth", "barrier", "window", "hob", "cooker", "register", "press", "lathe", "crane",
    "conveyor", "line", "pool", "gatehouse", "lobby", "office", "ward", "bay", "dock", "forge",
    "furnace", "grill", "fryer", "barbecue", "fire", "checkpoint", "tollbooth", "bed", "console",
    "panel", "hatch", "shutter", "warehouse", "kitchen", "workshop", "lodge", "area", "table",
    "stand",
];
#[rustfmt::skip]
pub(crate) const CLOTHES: &Lexicon = lexicon![
    "hat", "hats", "helmet", "helmets", "vest", "vests", "jacket", "jackets", "mask", "masks",
    "gloves", "glove", "goggles", "glasses", "boots", "boot", "shoes", "uniform", "uniforms",
    "coat", "coats", "apron", "aprons", "hairnet", "hairnets", "hi-vis", "hi-viz", "ppe", "shirt",
    "shirts", "t-shirt", "hood", "hoodie", "cap", "caps", "overalls", "harness", "harnesses",
    "visor", "visors", "earmuffs", "ear", "badge", "badges", "lanyard", "lanyards", "suit",
    "trousers", "shorts", "scarf", "tie", "sweater", "jumper", "dress", "skirt", "headscarf",
    "balaclava", "headphones", "seatbelt", "seatbelts", "life-jacket", "lifejacket", "lifejackets",
    "life-jackets", "high-vis", "coverall", "coveralls", "respirator", "respirators", "hardhat",
    "hardhats", "bib", "armband", "protection", "gear", "equipment", "clothing", "earplugs",
    "backpack-harness", "face-mask", "facemask", "facemasks", "sunglasses", "safety-glasses",
    "wellingtons", "shield", "shields", "defenders", "footwear", "headgear", "headset", "tabard",
    "waistcoat", "gown", "raincoat", "anorak", "fleece", "covering", "coverings", "sandals",
    "trainers", "sneakers", "flip-flops", "slippers", "hairnets", "bandana", "poncho", "robe",
    "scrubs", "hi-vis-vest", "belt", "seat-belt", "knee-pads", "pads", "life-vest",
];
/// People by what they do.
#[rustfmt::skip]
pub(crate) const HUMANS: &Lexicon = lexicon![
    "person", "people", "worker", "guard", "nurse", "operator", "cashier", "porter", "steward", "attendant",
    "supervisor", "adult", "lifeguard", "driver", "teacher", "child", "kid", "baby", "toddler",
    "employee", "customer", "visitor", "guest", "patient", "doctor", "cook", "chef", "waiter",
    "waitress", "welder", "butcher", "baker", "rider", "cyclist", "pedestrian", "passenger",
    "student", "pupil", "player", "runner", "swimmer", "climber", "cleaner", "courier", "jockey",
    "receptionist", "officer", "firefighter", "technician", "engineer", "electrician", "plumber",
    "painter", "builder", "labourer", "laborer", "farmer", "shepherd", "vendor", "shopper",
    "someone", "somebody", "anyone", "nobody", "bystander", "spectator", "staff", "crew",
    "postman", "postwoman", "mechanic", "sailor", "skater", "skier", "skateboarder", "motorcyclist",
    "biker", "jogger", "walker", "hiker", "camper", "angler", "fisherman", "crossing-guard",
    "caretaker", "janitor", "usher", "manager", "clerk", "teller", "conductor", "pilot", "soldier",
    "policeman", "docker", "picker", "packer", "resident", "neighbour", "referee", "coach", "carer",
    "keeper", "watchman", "contractor", "operative", "bather", "paramedic", "loader", "handler",
];
/// Nouns that end like gerunds.
#[rustfmt::skip]
pub(crate) const ING_NOUNS: &Lexicon = lexicon![
    "building", "ceiling", "railing", "crossing", "parking", "loading", "swimming", "waiting",
    "landing", "opening", "clearing", "thing", "string", "ring", "wing", "king", "meeting",
    "dining", "living", "washing", "shopping", "boarding", "changing", "fitting", "training",
    "sorting", "packing", "packaging", "charging", "painting", "drawing", "morning", "evening",
    "warning", "awning", "scaffolding", "lighting", "wiring", "fencing", "decking", "paving",
    "flooring", "clothing", "bedding", "marking", "recycling", "filling", "vending", "unloading",
    "welding", "printing", "queuing", "something", "anything", "pudding", "dressing", "operating",
    "sitting-room", "nothing", "everything", "sewing", "milking", "grazing", "feeding", "turning", "holding", "picking",
    "shipping", "receiving", "rowing", "fishing", "sailing", "hunting", "ironing",
    "sleeping-bag", "racing", "wrapping", "weighing", "towing", "running-track", "assembling", "manufacturing", "bowling", "skating", "sling",
    "duckling", "sibling", "gosling", "starling", "herring", "spring", "swing", "mooring",
    "siding", "cutting", "machining", "staging", "processing", "testing", "cleaning",
];
/// Words whose last letter is an s without being a plural or a verb.
#[rustfmt::skip]
pub(crate) const S_SINGULAR: &Lexicon = lexicon![
    "glass", "grass", "bus", "gas", "glasses", "goggles", "gloves", "scissors", "stairs", "lens",
    "tennis", "news", "goods", "sports", "premises", "access", "press", "cross", "canvas",
    "mattress", "fortress", "dress", "process", "chess", "wilderness", "harness", "business",
    "campus", "customs", "arrivals", "departures", "sales", "operations", "works", "offices",
    "toilets", "series", "species", "lads", "ladies", "class", "mess", "compass", "pass", "bypass",
    "overpass", "underpass", "boss", "mass", "kiosks", "headquarters", "barracks", "crossroads",
    "gasworks", "means", "ass", "bass",
];
/// Things that a camera sees; a bare phrase without any other structure is a
/// rule only if its head is one of them.
#[rustfmt::skip]
pub(crate) const KNOWN: &Lexicon = lexicon![
    "person", "worker", "man", "child", "baby", "pedestrian", "cyclist", "driver", "customer",
    "visitor", "guest", "passenger", "employee", "guard", "nurse", "doctor", "patient", "student",
    "player", "runner", "swimmer", "toddler", "kid", "car", "truck", "lorry", "van", "bus",
    "bicycle", "bike", "motorbike", "motorcycle", "scooter", "vehicle", "train", "tram", "boat",
    "ship", "plane", "aircraft", "drone", "forklift", "tractor", "excavator", "crane", "ambulance",
    "taxi", "dog", "cat", "bird", "horse", "cow", "sheep", "goat", "pig", "fox", "bear", "deer",
    "rat", "mouse", "chicken", "animal", "wolf", "elephant", "pigeon", "seagull", "rabbit",
    "badger", "boar", "raccoon", "snake", "bag", "backpack", "suitcase", "luggage", "baggage",
    "handbag", "parcel", "package", "box", "crate", "pallet", "bottle", "cup", "can", "trolley",
    "cart", "container", "barrel", "bucket", "ladder", "pushchair", "pram", "wheelchair",
    "umbrella", "object", "item", "thing", "fire", "smoke", "flame", "water", "puddle", "spill",
    "leak", "flood", "snow", "ice", "steam", "rubbish", "litter", "trash", "debris", "graffiti",
    "obstacle", "obstruction", "rock", "tree", "branch", "door", "gate", "window", "shelf",
    "table", "chair", "bench", "desk", "bed", "screen", "light", "lamp", "machine", "conveyor",
    "barrier", "fence", "bin", "hatch", "shutter", "valve", "pump", "pipe", "tank", "rack", "cone",
    "sign", "helmet", "hat", "vest", "mask", "knife", "gun", "weapon", "phone", "laptop", "ball",
    "queue", "crowd", "seat", "plate", "tray", "bicyclist", "skateboard", "kite", "bowl", "book",
    "clock", "vase", "cyclists", "stroller", "wallet", "key", "extinguisher", "sprinkler", "label",
    "bay", "space", "spot",
];

/// A verb of motion or deed: (base form, canonical action).
#[rustfmt::skip]
pub(crate) const VERBS: &[(&str, &str)] = &[
    ("enter", "enter"), ("exit", "exit"), ("leave", "exit"), ("depart", "exit"),
    ("cross", "cross"), ("appear", "appear"), ("disappear", "disappear"), ("vanish", "disappear"),
    ("arrive", "enter"), ("approach", "approach"), ("trespass", "enter"), ("intrude", "enter"),
    ("fall", "fall"), ("climb", "climb"), ("run", "run"), ("jump", "jump"), ("fight", "fight"),
    ("smoke", "smoke"), ("dance", "dance"), ("swim", "swim"), ("crawl", "crawl"), ("slip", "slip"),
    ("trip", "trip"), ("collide", "collide"), ("crash", "crash"), ("reverse", "reverse"),
    ("stumble", "stumble"), ("collapse", "collapse"), ("vomit", "vomit"), ("hide", "hide"),
    ("wave", "wave"), ("swerve", "swerve"), ("skid", "skid"), ("faint", "faint"),
    ("drown", "drown"), ("overtake", "overtake"), ("dive", "dive"), ("sprint", "run"),
    ("go", "go"), ("move", "move"), ("walk", "walk"), ("drive", "drive"), ("come", "come"),
    ("step", "step"), ("pass", "pass"), ("travel", "travel"), ("head", "head"), ("turn", "turn"),
    ("ride", "ride"), ("cycle", "cycle"), ("fly", "fly"), ("get", "get"), ("wander", "wander"),
    ("stray", "stray"), ("sneak", "sneak"), ("eat", "eat"), ("drink", "drink"),
    ("tip over", "tip over"), ("stop", "stop"), ("park", "park"), ("show", "show"),
    ("roll", "roll"), ("drift", "drift"), ("back", "back"), ("pull", "pull"), ("burn", "burn"),
    ("leak", "leak"), ("overflow", "overflow"), ("drop", "drop"), ("topple", "topple"),
    ("tip", "tip"), ("spill", "spill"), ("kick", "kick"), ("hit", "hit"), ("punch", "punch"),
    ("push", "push"), ("throw", "throw"), ("touch", "touch"), ("lift", "lift"), ("open", "open"),
    ("close", "close"), ("use", "use"), ("play", "play"), ("take", "take"), ("pick", "pick"),
    ("put", "put"), ("block", "block"), ("break", "break"), ("remove", "remove"), ("dig", "dig"),
    ("bite", "bite"), ("chase", "chase"), ("attack", "attack"), ("feed", "feed"), ("ski", "ski"),
    ("skate", "skate"), ("spray", "spray"), ("cut", "cut"), ("jaywalk", "jaywalk"),
    ("sleep", "sleep"), ("lie", "lie"), ("sit", "sit"), ("stand", "stand"), ("loiter", "loiter"),
    ("wait", "wait"), ("queue", "queue"), ("linger", "linger"), ("stay", "stay"),
    ("remain", "remain"), ("kneel", "kneel"), ("crouch", "crouch"), ("lean", "lean"),
    ("gather", "gather"), ("meet", "meet"), ("work", "work"), ("wear", "wear"), ("carry", "carry"),
    ("hold", "hold"), ("start", "start"), ("begin", "begin"), ("exceed", "exceed"),
    ("reach", "reach"), ("contain", "contain"), ("has", "has"), ("show up", "appear"),
    ("turn up", "appear"), ("unload", "unload"), ("load", "load"), ("lack", "lack"),
    ("look", "look"), ("point", "point"), ("crowd", "crowd"), ("happen", "happen"),
    ("occur", "occur"), ("exist", "exist"), ("need", "need"), ("want", "want"), ("try", "try"),
    ("stare", "stare"), ("read", "read"), ("write", "write"), ("talk", "talk"), ("bring", "bring"),
    ("change", "change"), ("vary", "vary"), ("increase", "increase"), ("decrease", "decrease"),
    ("double", "double"), ("triple", "triple"), ("fluctuate", "fluctuate"), ("halve", "halve"),
    ("assemble", "assemble"), ("congregate", "congregate"), ("form", "form"), ("dwell", "dwell"),
    ("hang around", "hang around"), ("hang about", "hang about"), ("pull up", "enter"),
    ("turn over", "turn over"), ("obstruct", "obstruct"), ("occupy", "occupy"), ("weld", "weld"), ("paint", "paint"), ("grab", "grab"), ("knock", "knock"), ("bend", "bend"),
    ("wash", "wash"), ("clean", "clean"), ("cook", "cook"), ("dump", "dump"), ("unlock", "unlock"),
    ("lock", "lock"), ("reach into", "reach into"), ("unplug", "unplug"), ("plug", "plug"),
    ("squat", "squat"), ("flee", "flee"), ("escape", "escape"), ("graze", "graze"), ("nest", "nest"),
    ("perch", "perch"), ("land", "land"), ("hover", "hover"), ("dock", "dock"), ("moor", "moor"),
    ("queue", "queue"), ("sweep", "sweep"), ("mop", "mop"), ("wrestle", "wrestle"),
    ("hug", "hug"), ("swing", "swing"), ("hang", "hang"), ("vault", "vault"), ("scale", "scale"),
    ("hop", "hop"), ("leap", "leap"), ("skip", "skip"), ("juggle", "juggle"),
    ("pour", "pour"), ("drip", "drip"), ("spark", "spark"), ("explode", "explode"),
    ("squeeze", "squeeze"), ("spin", "spin"), ("tumble", "tumble"),
    ("smash", "smash"), ("slam", "slam"), ("tamper", "tamper"), ("fiddle", "fiddle"),
    ("litter", "litter"), ("urinate", "urinate"), ("spit", "spit"), ("pee", "pee"), ("poop", "poop"),
    ("rummage", "rummage"), ("loot", "loot"), ("deliver", "deliver"), ("collect", "collect"),
    ("unpack", "unpack"), ("pack", "pack"), ("wheel", "wheel"), ("tow", "tow"), ("stack", "stack"),
    ("sell", "sell"), ("photograph", "photograph"), ("skateboard", "skateboard"),
    ("jog", "jog"), ("stroll", "stroll"), ("limp", "limp"), ("emerge", "appear"),
    ("re-enter", "enter"), ("reappear", "appear"), ("speed", "speed"),
    ("scratch", "scratch"), ("chew", "chew"), ("gnaw", "gnaw"), ("scavenge", "scavenge"),
    ("peck", "peck"), ("sniff", "sniff"), ("wrap", "wrap"), ("cover", "cover"), ("shine", "shine"),
    ("vape", "vape"), ("cuddle", "cuddle"), ("nap", "nap"),
    ("doze", "doze"), ("rest", "rest"), ("slump", "slump"), ("sink", "sink"), ("float", "float"),
    ("paddle", "paddle"), ("sail", "sail"), ("brake", "brake"),
    ("accelerate", "accelerate"), ("buckle", "buckle"), ("kneel", "kneel"), ("beg", "beg"),
    ("steal", "steal"), ("shake", "shake"), ("rise", "rise"), ("flow", "flow"),
    ("accumulate", "accumulate"), ("pile", "pile"), ("build", "build"),
];
/// Verbs of going that mean nothing without where to.
#[rustfmt::skip]
pub(crate) const GOING: &Lexicon = lexicon![
    "go", "come", "walk", "drive", "step", "run", "get", "move", "pass", "ride", "cycle", "fly",
    "wander", "stray", "sneak", "climb", "jump", "crawl", "roll", "drift", "travel", "back",
    "pull", "head", "turn",
];
/// Verbs that place a thing: being there is what counts.
pub(crate) const BEING: &Lexicon = lexicon![
    "stay",
    "remain",
    "wait",
    "linger",
    "exist",
    "gather",
    "assemble",
    "congregate",
    "form",
    "dwell",
    "meet",
    "hang around",
    "hang about",
];
/// Verbs that are a posture or a state while they last.
pub(crate) const POSTURE_VERBS: &[(&str, &str)] = &[
    ("lie", "lying"),
    ("sit", "sitting"),
    ("stand", "standing"),
    ("sleep", "sleeping"),
    ("kneel", "kneeling"),
    ("crouch", "crouching"),
    ("lean", "leaning"),
    ("loiter", "loitering"),
];
/// Verbs of deed that need no object.
#[rustfmt::skip]
pub(crate) const DEEDS: &Lexicon = lexicon![
    "approach", "fall", "climb", "run", "jump", "fight", "smoke", "dance", "swim", "crawl", "slip",
    "trip", "collide", "crash", "reverse", "stumble", "collapse", "vomit", "hide", "wave",
    "swerve", "skid", "faint", "drown", "dive", "eat", "drink", "stop", "topple", "drift", "roll",
    "ski", "skate", "jaywalk", "overflow", "leak", "cycle", "drive", "ride", "walk", "fly", "move",
    "turn", "pass", "hop", "leap", "vault", "graze", "explode", "spark", "jog", "escape", "flee",
    "land", "wrestle", "tumble", "vape", "urinate", "spit", "litter", "skateboard", "spin",
];
/// Verbs that are said of somebody as an attribute: "carrying a ladder".
pub(crate) const HANDLING: &[&str] = &["wear", "carry", "hold", "push", "pull", "ride", "use"];

/// The base forms of [`VERBS`].
const BASES: &Lexicon = lexicon!(keys VERBS);

/// What a verb of [`VERBS`] is as a rule's action.
pub(crate) fn action(base: &str) -> Option<&'static str> {
    BASES.position(base).map(|i| VERBS[i].1)
}

/// The base form of an inflected verb of [`VERBS`].
pub(crate) fn verb(word: &str) -> Option<&'static str> {
    let find = |base: &str| BASES.position(base).map(|i| VERBS[i].0);
    #[rustfmt::skip]
    const IRREGULAR: &[(&str, &str)] = &[
        ("left", "leave"), ("came", "come"), ("went", "go"), ("gone", "go"), ("goes", "go"),
        ("fell", "fall"), ("ran", "run"), ("drove", "drive"), ("got", "get"), ("lying", "lie"),
        ("lies", "lie"), ("rode", "ride"), ("flew", "fly"), ("flies", "fly"), ("stood", "stand"),
        ("sat", "sit"), ("slept", "sleep"), ("fought", "fight"), ("swam", "swim"), ("entry", ""),
        ("worn", "wear"), ("wore", "wear"), ("held", "hold"), ("threw", "throw"), ("took", "take"),
        ("taken", "take"), ("broke", "break"), ("dying", ""), ("have", "has"), ("having", "has"),
        ("queueing", "queue"), ("queuing", "queue"), ("carries", "carry"), ("carrying", "carry"),
        ("tries", "try"), ("dug", "dig"), ("shook", "shake"), ("stole", "steal"), ("swung", "swing"),
        ("hung", "hang"), ("shut", "close"), ("shuts", "close"), ("shutting", "close"),
        ("threw", "throw"), ("spilt", "spill"), ("burnt", "burn"), ("leapt", "leap"),
        ("swept", "sweep"), ("drank", "drink"), ("ate", "eat"), ("fled", "flee"), ("crept", "sneak"),
        ("creeps", "sneak"), ("creeping", "sneak"), ("creep", "sneak"), ("grabs", "grab"),
        ("dies", ""), ("picked", "pick"), ("laying", "lie"), ("lays", "lie"),
    ];
    const FORMS: &Lexicon = lexicon!(keys IRREGULAR);
    if let Some(i) = FORMS.position(word) {
        return find(IRREGULAR[i].1);
    }
    if let Some(base) = find(word) {
        return Some(base);
    }
    for ending in ["s", "es", "ed", "d", "ing"] {
        let Some(stem) = word.strip_suffix(ending) else {
            continue;
        };
        if let Some(base) = find(stem) {
            return Some(base);
        }
        if ending == "ing" || ending == "ed" {
            if let Some(base) = find(&format!("{stem}e")) {
                return Some(base);
            }
            let b = stem.as_bytes();
            if b.len() > 2
                && b[b.len() - 1] == b[b.len() - 2]
                && let Some(base) = stem.get(..stem.len() - 1).and_then(find)
            {
                return Some(base);
            }
        }
    }
    None
}

/// "climbing" -> "climb" for verbs that are not in the table.
pub(crate) fn from_gerund(word: &str) -> Option<String> {
    if ING_NOUNS.contains(word) || !word.is_ascii() {
        return None;
    }
    if let Some(base) = verb(word).filter(|_| word.ends_with("ing")) {
        return Some(base.to_owned());
    }
    let stem = word.strip_suffix("ing").filter(|s| s.len() >= 3)?;
    let b = stem.as_bytes();
    let vowel = |c: u8| b"aeiouy".contains(&c);
    if !b.iter().any(|c| vowel(*c)) {
        return None;
    }
    let n = b.len();
    if b[n - 1] == b[n - 2] && !b"lsz".contains(&b[n - 1]) {
        return Some(stem[..n - 1].to_owned());
    }
    // "welding" -> weld, "dancing" -> dance
    let e = matches!(b[n - 1], b'c' | b'v' | b'g' | b'z' | b'u')
        || (b[n - 1] == b's' && vowel(b[n - 2]));
    Some(if e {
        format!("{stem}e")
    } else {
        stem.to_owned()
    })
}

/// Places that are always in view: there is nothing to watch for in them alone.
#[rustfmt::skip]
pub(crate) const PLACES: &Lexicon = lexicon![
    "yard", "hall", "corridor", "street", "road", "garden", "park", "platform", "roof", "terrace", "driveway",
    "hallway", "staircase", "lot", "site", "building", "house", "floor", "aisle", "lane", "ramp", "porch",
    "camera", "scene", "picture", "premises", "square", "lawn", "fence", "wall", "zone", "canteen", "school",
];
