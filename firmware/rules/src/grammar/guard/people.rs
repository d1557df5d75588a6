//! Words for people, and for what people are.

use crate::lexicon::{Lexicon, lexicon};

/// People without a trait.
#[rustfmt::skip]
pub(super) const PEOPLE: &Lexicon = lexicon![
    "person", "people", "persons", "someone", "somebody", "anyone", "anybody", "individual",
    "individuals", "worker", "workers", "customer", "customers", "visitor", "visitors", "guest",
    "guests", "driver", "drivers", "adult", "adults", "pedestrian", "pedestrians", "folk", "folks",
    "employee", "employees", "passenger", "passengers", "citizen", "citizens", "shopper", "shoppers",
    "cyclist", "cyclists", "student", "students", "patient", "patients", "couple", "couples",
    "family", "families", "tourist", "tourists", "nurse", "nurses", "doctor", "cashier", "staff",
    "colleague", "player", "players", "resident", "residents", "passer-by", "officer", "teacher",
    "neighbour", "kid", "kids", "child", "children", "baby", "security", "delivery-man", "beggar",
    "tenant", "client", "clients", "applicant", "owner", "teen", "parent", "parents", "fan", "fans",
];

/// People by sex or age.
#[rustfmt::skip]
pub(super) const SEXED: &Lexicon = lexicon![
    "woman", "women", "man", "men", "girl", "girls", "boy", "boys", "lady", "ladies", "guy", "guys",
    "male", "female", "males", "females", "gentleman", "gentlemen", "gents", "bloke", "blokes", "lad",
    "lads", "dude", "dudes", "chap", "chaps", "chick", "babe", "lass", "mister",
    "pensioner", "pensioners", "oap", "oaps", "senior", "seniors", "teenager", "teenagers", "teen",
    "teens", "youth", "youths", "adolescent", "adolescents", "grannies", "geezer", "spinster",
];

/// What people are; a thing may follow ("the Jewish museum").
#[rustfmt::skip]
pub(super) const TRAITS: &Lexicon = lexicon![
    "elderly", "asian", "african", "arab", "arabs", "hispanic", "hispanics", "latino", "latina",
    "latinos", "latinas", "latinx", "caucasian", "caucasians", "muslim", "muslims", "jew", "jews",
    "jewish", "christian", "christians", "hindu", "hindus", "sikh", "sikhs", "buddhist", "buddhists",
    "catholic", "catholics", "atheist", "atheists", "gay", "gays", "lesbian", "lesbians", "bisexual",
    "homosexual", "homosexuals", "heterosexual", "transgender", "trans", "transsexual", "queer",
    "lgbt", "non-binary", "disabled", "handicapped", "mentally", "schizophrenic", "pregnant", "immigrant", "immigrants", "migrant",
    "migrants", "foreigner", "foreigners", "refugee", "refugees", "gypsy", "gypsies", "roma",
    "romani", "indian", "chinese", "mexican", "ethnic", "aboriginal", "dark-skinned", "light-skinned",
    "black-skinned", "brown-skinned", "white-skinned", "african-american", "obese", "autistic",
    "demented", "schizophrenic", "epileptic", "diabetic", "deaf-mute", "dwarf", "midget", "underage",
    "middle-aged", "teenage", "islamic", "religious", "negro", "coloureds", "whites", "blacks",
];

/// Words that are about traits wherever they stand.
#[rustfmt::skip]
pub(super) const FEATURES: &Lexicon = lexicon![
    "hijab", "hijabs", "burqa", "burka", "niqab", "chador", "turban", "turbans", "kippah", "yarmulke",
    "headscarf", "headscarves", "ethnicity", "nationality", "nationalities", "gender", "sexuality",
    "religion", "skin-colour", "skin-color", "disability", "disabilities", "dementia", "pregnancy",
    "racial", "wheelchair-bound", "hiv", "syndrome", "autism",
];

/// Nationalities; they stand before things too ("a German shepherd").
#[rustfmt::skip]
pub(super) const NATIONS: &Lexicon = lexicon![
    "american", "americans", "british", "english", "irish", "scottish", "french", "german",
    "germans", "spanish", "italian", "italians", "portuguese", "polish", "russian", "russians",
    "ukrainian", "ukrainians", "turkish", "turk", "turks", "greek", "greeks", "dutch", "belgian",
    "swedish", "norwegian", "danish", "romanian", "romanians", "bulgarian", "bulgarians", "hungarian",
    "czech", "slovak", "serbian", "albanian", "albanians", "mexicans", "mexican", "brazilian",
    "brazilians", "colombian", "cuban", "puerto", "canadian", "japanese", "korean", "koreans",
    "vietnamese", "thai", "filipino", "filipinos", "indonesian", "pakistani", "pakistanis",
    "bangladeshi", "afghan", "afghans", "iranian", "iranians", "iraqi", "iraqis", "syrian", "syrians",
    "israeli", "israelis", "palestinian", "palestinians", "egyptian", "moroccan", "moroccans",
    "algerian", "nigerian", "nigerians", "somali", "somalis", "ethiopian", "kenyan", "ghanaian",
    "australian", "indians", "asians", "africans", "european", "europeans", "arabic", "native",
    "chinaman", "pole", "eskimo",
];

/// Relatives and others who are one particular person.
#[rustfmt::skip]
pub(super) const RELATIONS: &Lexicon = lexicon![
    "wife", "husband", "girlfriend", "boyfriend", "ex", "ex-wife", "ex-husband", "ex-girlfriend",
    "ex-boyfriend", "neighbour", "neighbor", "neighbours", "neighbors", "boss", "colleague",
    "coworker", "co-worker", "daughter", "daughters", "son", "sons", "sister", "brother", "mother",
    "father", "mum", "mom", "dad", "mummy", "mommy", "daddy", "friend", "roommate", "flatmate",
    "landlord", "tenant", "teacher", "partner", "spouse", "stepson", "stepdaughter", "cousin", "uncle",
    "aunt", "auntie", "grandma", "grandpa", "granny", "grandad", "grandmother", "grandfather",
    "mother-in-law", "father-in-law", "nephew", "niece", "grandson", "granddaughter", "fiancé",
    "fiancée", "lover", "crush", "housemate", "housekeeper", "nanny", "cleaner", "maid", "manager",
];

/// Nouns that make a place of what stands before them.
#[rustfmt::skip]
pub(super) const PLACE_NOUNS: &Lexicon = lexicon![
    "room", "rooms", "aisle", "department", "section", "toilet", "toilets", "restroom", "restrooms",
    "bathroom", "washroom", "ward", "hall", "house", "home", "office", "desk", "bay", "bays", "space",
    "spaces", "spot", "spots", "parking", "entrance", "exit", "door", "gate", "clothing", "shoes",
    "wear", "fashion", "store", "shop", "garden", "street", "road", "avenue", "square", "park",
    "bridge", "station", "quarter", "club", "school", "gym", "changing", "locker", "lockers",
    "restaurant", "takeaway", "kitchen", "counter", "stand", "stall", "bar", "pub", "church",
    "museum", "cemetery", "centre", "center", "clinic", "care", "wing", "corner", "cafe", "café",
    "yard", "shed", "garage", "drive", "driveway", "bedroom", "place", "flat", "apartment", "field",
    "farm", "barn", "loo", "showers", "shower", "seat", "seats", "area", "zone", "lane", "table",
    "bench", "workshop", "market", "hospital", "college", "terminal", "side", "window", "fence",
    "wall", "gardens", "hair", "salon", "barbershop", "bathrooms", "lounge", "ladder", "queue",
];

/// Given names that are no other English words in lower case.
#[rustfmt::skip]
pub(super) const GIVEN: &Lexicon = lexicon![
    "aaron", "abdul", "adam", "adrian", "agnes", "ahmed", "aisha", "alan", "albert", "alejandro",
    "alex", "alexander", "alexandra", "alfred", "ali", "alice", "alison", "amanda", "amelia", "amir",
    "amy", "ana", "anastasia", "andrea", "andreas", "andrew", "andy", "angela", "anita", "anna",
    "anne", "annie", "anthony", "antonio", "arthur", "ashley", "barbara", "becky", "ben", "benjamin",
    "bernard", "beth", "betty", "bob", "bobby", "boris", "brandon", "brenda", "brian", "bridget",
    "bruno", "carl", "carla", "carlos", "carmen", "carol", "caroline", "catherine", "cathy",
    "charles", "charlie", "charlotte", "chloe", "chris", "christian", "christina", "christine",
    "christopher", "claire", "clara", "claudia", "colin", "craig", "cynthia", "dan", "daniel",
    "danny", "daria", "dave", "david", "deborah", "dennis", "derek", "diana", "diego", "dimitri",
    "dmitri", "donald", "donna", "doris", "dorothy", "douglas", "eddie", "edith", "edward", "elena",
    "eleanor", "elizabeth", "ellen", "elsa", "emily", "emma", "eric", "erik", "esther", "ethan",
    "eva", "evelyn", "fatima", "felix", "fernando", "fiona", "florence", "francesca", "francis",
    "francisco", "fred", "freddie", "gabriel", "gareth", "gary", "geoff", "george", "gerald",
    "giovanni", "giulia", "gloria", "gordon", "graham", "greg", "hannah", "hans", "harold", "harry",
    "hassan", "heather", "heidi", "helen", "helga", "henry", "hiroshi", "howard", "hugo", "hussein",
    "ian", "ibrahim", "igor", "ingrid", "irene", "isaac", "isabel", "isabella", "ivan", "jacob",
    "jake", "james", "jamie", "jane", "janet", "jason", "javier", "jean", "jeff", "jennifer", "jenny",
    "jeremy", "jerry", "jesse", "jessica", "jim", "jimmy", "joan", "joanna", "joe", "joel", "johan",
    "john", "johnny", "jonathan", "jorge", "jose", "josé", "joseph", "joshua", "josh", "juan",
    "judith", "judy", "julia", "julian", "julie", "jurgen", "jürgen", "justin", "karen", "karim",
    "karl", "kate", "katherine", "kathleen", "kathy", "katie", "keith", "kelly", "ken", "kenneth",
    "kevin", "khalid", "kim", "klaus", "kyle", "larry", "laura", "lauren", "lawrence", "leila", "leo",
    "leon", "leonard", "leslie", "lewis", "liam", "linda", "lisa", "louis", "louise", "lucas", "lucy",
    "luigi", "luis", "luke", "lydia", "magda", "malcolm", "mandy", "manuel", "marcus", "margaret",
    "maria", "marie", "mario", "marta", "martha", "martin", "mary", "mateo", "matt", "matthew",
    "maureen", "mehmet", "mei", "melissa", "michael", "michelle", "miguel", "mike", "mohamed",
    "mohammed", "mohammad", "monica", "muhammad", "mustafa", "nadia", "nancy", "naomi", "natalie",
    "natasha", "nathan", "neil", "nicholas", "nick", "nicole", "nigel", "nina", "noah", "nora",
    "norman", "oleg", "olga", "oliver", "olivia", "omar", "oscar", "pablo", "pamela", "patricia",
    "patrick", "paul", "paula", "pauline", "pavel", "pedro", "peter", "philip", "phil", "phoebe",
    "pierre", "piotr", "priya", "rachel", "rahul", "raj", "ralph", "rebecca", "ricardo", "richard",
    "rita", "robert", "roberto", "roger", "ronald", "ron", "rosie", "ross", "ruth", "ryan", "sabrina",
    "sally", "salma", "samantha", "samuel", "sandra", "sanjay", "sara", "sarah", "scott", "sean",
    "sebastian", "sergei", "sharon", "sheila", "shirley", "simon", "sofia", "sonia", "sophia",
    "sophie", "stefan", "stephanie", "stephen", "steve", "steven", "stuart", "sue", "susan", "suzanne",
    "svetlana", "sylvia", "tanya", "tara", "ted", "teresa", "theresa", "thomas", "tim", "timothy",
    "tina", "todd", "tom", "tommy", "tony", "tracy", "trevor", "ursula", "valerie", "vanessa", "vera",
    "victor", "victoria", "vincent", "virginia", "vladimir", "walter", "wayne", "wendy", "william",
    "willy", "yasmin", "yuki", "yusuf", "yvonne", "zoe",
];
/// Given names that are other words too: only with a capital.
#[rustfmt::skip]
pub(super) const GIVEN_WORDS: &Lexicon = lexicon![
    "mark", "bill", "rob", "will", "rose", "frank", "jack", "art", "pat", "grace", "faith", "hope",
    "dawn", "april", "june", "max", "sam", "lily", "daisy", "ivy", "holly", "amber", "ruby", "pearl",
    "ray", "gene", "guy", "drew", "dean", "chase", "hunter", "penny", "sandy", "robin", "jasmine",
    "violet", "nick", "dick", "rich", "sky", "summer", "chuck", "pete", "joy", "crystal", "ginger",
    "olive", "hazel", "viola", "melody", "mick", "herb", "basil", "angel", "jesus", "ken",
];
