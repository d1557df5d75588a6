//! What a picture does not show: sound, smell, heat, speed, what somebody
//! intends or feels, who somebody is, what was or will be, what is elsewhere.

use super::super::number::{duration, number, unit_millis};
use super::super::pattern::{Pattern, entry, here, table};
use super::super::token::{Tok, span_of};
use super::super::words::{ARTICLES, FIXTURES, PLACES, PREPOSITIONS, verb};
use super::people::PEOPLE;
use super::unseen::UNSEEN;
use crate::{Refusal, RefusalKind};

/// Nouns that make a name of the word before them: "the sound desk", "speed
/// bump", "hot tub".
#[rustfmt::skip]
const NAMED: &[(&[&str], &[&str])] = &[
    (
        &[],
        &[
            "desk", "room", "rooms", "studio", "booth", "stage", "store", "shop", "area", "zone",
            "hall", "storage", "cabinet", "chamber", "sensor", "museum", "school", "centre", "center",
            "office", "counter", "department", "wall", "corridor", "bay", "lab", "laboratory",
        ],
    ),
    (&["speed"], &["bump", "bumps", "hump", "humps", "camera", "boat", "boats", "sign", "gate", "ramp"]),
    (&["fast"], &["food", "lane", "charger", "chargers", "charging", "track"]),
    (&["hot"], &["tub", "tubs", "plate", "plates", "dog", "dogs", "water", "air", "rod", "works", "tap", "spring"]),
    (&["cold"], &["store", "stores", "frame", "box", "counter", "case", "water", "chain"]),
    (&["warm"], &["water", "up"]),
    (&["pressure"], &["washer", "washers", "cooker", "gauge", "vessel", "valve", "tank", "plate", "hose"]),
    (&["weight"], &["bench", "rack", "machine", "plate", "plates", "stack", "training"]),
    (&["music"], &["stand", "stands", "box", "hall", "festival"]),
    (&["voice"], &["box", "recorder"]),
    (&["loud"], &["speaker", "speakers", "hailer"]),
    (&["sound"], &["barrier", "system", "box", "bar", "equipment", "engineer"]),
    (&["quiet"], &["coach", "carriage", "car", "zone", "street", "lane", "corner", "area", "park"]),
    (&["carbon"], &["filter", "fibre", "fiber", "brush"]),
    (&["temperature"], &["probe", "display", "gauge"]),
    (&["bark"], &["chips", "mulch", "pile"]),
    (&["talking"], &["point", "clock"]),
    (&["owner's", "owners", "members", "member", "members'"], &["lounge", "car", "parking", "entrance", "bar", "club", "only", "gate", "enclosure", "stand"]),
    (&["resident", "residents", "residents'"], &["parking", "car", "bay", "permit", "lounge", "entrance", "gate"]),
    (&["vip"], &["lounge", "entrance", "gate", "box", "stand", "parking", "tent", "car", "rope", "seats", "row"]),
    (&["sick"], &["bay", "bed"]),
    (&["fever"], &["tree"]),
    (&["siren"], &["post", "box"]),
    (&["fake"], &["grass", "tree", "plant", "snow", "flowers"]),
    (&["meter", "meters"], &["box", "boxes", "cupboard", "reading"]),
    (&["wanted"], &["poster", "posters"]),
    (&["ticking"], &["clock"]),
    (&["whistling"], &["kettle"]),
    (&["roaring"], &["fire"]),
    (&["freezing"], &["chamber", "tunnel"]),
    (&["oxygen"], &["bottle", "bottles", "tank", "tanks", "cylinder", "cylinders", "mask", "masks"]),
    (&["plans"], &["chest", "drawer"]),
    (&["scent"], &["bottle"]),
    (&["singing"], &["bowl"]),
    (&["lost"], &["property", "and", "luggage"]),
];

fn named(toks: &[Tok], i: usize) -> bool {
    let Some(next) = toks.get(i + 1) else {
        return false;
    };
    // "the Happy Garden entrance"
    if i > 1
        && toks[i].starts_upper()
        && next.starts_upper()
        && toks[i].raw != toks[i].raw.to_uppercase()
    {
        return true;
    }
    // "the authorised personnel area"
    let area = toks.get(i + 2).is_some_and(|t| {
        t.any(&[
            "area", "zone", "room", "entrance", "section", "door", "gate", "corridor",
        ])
    });
    let them = [
        "personnel",
        "staff",
        "persons",
        "people",
        "vehicles",
        "visitors",
        "users",
    ];
    if area && toks[i].any(&["authorised", "authorized"]) && next.any(&them) {
        return true;
    }
    NAMED.iter().any(|(words, nouns)| {
        (toks[i].any(words) || (words.is_empty() && i > 0 && placed(toks, i))) && next.any(nouns)
    })
}

/// Behind a preposition or article: "at the sound desk".
fn placed(toks: &[Tok], i: usize) -> bool {
    toks[i - 1].any(ARTICLES) || toks[i - 1].any(PREPOSITIONS)
}

fn unseen(why: &str, offer: &str, toks: &[Tok]) -> Refusal {
    let raw: Vec<&str> = toks.iter().map(|t| t.raw.as_str()).collect();
    let why = why.trim_end_matches('.');
    Refusal::new(
        RefusalKind::NotObservable,
        format!("{why}: '{}'.", raw.join(" ")),
    )
    .offer(offer)
    .at(span_of(toks))
}

const INTENT: &str = "What somebody is about to do does not show in the picture";
const DO: &str = "Ask for what they do, for example 'someone climbs over the fence'.";
const WHO: &str = "Who somebody is, or may do, does not show in the picture";
const PLACED: &str = "Ask for a person in a place or at a time, for example 'a person enters the server room at night'.";
const ELSEWHERE: &str = "That is not in the picture";
const SEEN: &str = "Ask for what can be seen, for example 'the light is off'.";
const TIME: &str = "The camera can't look into the past or the future";
const NOW: &str = "Ask for what happens now, for example 'a truck enters the yard'.";
const SOUND: &str = "That is a sound, and the camera only sees";
const ENTERS: &str =
    "Ask for what can be seen when it happens, for example 'someone enters the room'.";

/// Patterns, and why they can't be seen.
#[rustfmt::skip]
const PATTERNS: &[(Pattern, (&str, &str))] = table![
    ("about to", INTENT, DO), ("trying to", INTENT, DO), ("tries to", INTENT, DO),
    ("try to", INTENT, DO), ("attempts|attempting|attempt to", INTENT, DO),
    ("ready to", INTENT, DO), ("likely to", INTENT, DO), ("preparing to", INTENT, DO),
    ("plans|planning|plan to", INTENT, DO), ("wants|want|wanting to", INTENT, DO),
    ("intends|intend to", INTENT, DO), ("hoping|hopes to", INTENT, DO),
    ("might|could be? steal|attack|fall|break|enter|dangerous|thief", INTENT, DO),
    ("up to no good", INTENT, DO), ("up to something", INTENT, DO), ("in love", INTENT, DO),
    ("in a bad|good|foul mood", INTENT, DO), ("on purpose", INTENT, DO), ("by mistake", INTENT, DO),
    ("acting|behaving|behaves|acts oddly|strangely|weirdly|suspiciously|funny", INTENT, DO),
    ("under the influence", INTENT, DO), ("on drugs", INTENT, DO), ("in pain", INTENT, DO),
    ("has|have|having not paid|permission", WHO, PLACED), ("has|have not paid", WHO, PLACED),
    ("not|never|without paid|paying|pay", WHO, PLACED), ("without permission|authorisation|authorization|clearance", WHO, PLACED),
    ("not|is|are|being allowed in|inside|to", WHO, PLACED),
    ("who is|are not? allowed|permitted|authorised|authorized", WHO, PLACED),
    ("i|we do not? know|recognise|recognize", WHO, PLACED), ("i know", WHO, PLACED),
    ("not one of us", WHO, PLACED), ("does|do not work|live|belong here", WHO, PLACED),
    ("does|do not belong", WHO, PLACED), ("works|lives here", WHO, PLACED),
    ("who|that should|must|may not be", WHO, PLACED), ("is|are|gets|looks lost", WHO, PLACED),
    ("lying about his|her|their|the", INTENT, DO), ("lying|lies|lied to", INTENT, DO),
    ("slacking|slacks|loafing off|about|around?", INTENT, DO), ("slack off", INTENT, DO), ("skiving", INTENT, DO),
    ("gas is|are? leaking|leaks|escaping|escapes", "A gas does not show in the picture", "Ask for what can be seen, for example smoke or fire."),
    ("is|are|smells|goes|turns|gone sour|rancid", "That does not show in the picture", SEEN),
    ("server|servers|website|network|router|app offline|online|unreachable", ELSEWHERE, SEEN),
    ("telling|tells|tell the truth", INTENT, DO), ("telling|tells|tell lies|a", INTENT, DO),
    ("heart stops|rate|attack|beats|problem", "What goes on inside a body does not show in the picture", SEEN),
    ("patient's|person's|his|her heart", "What goes on inside a body does not show in the picture", SEEN),
    ("without training|experience|insurance|qualification|qualifications|approval|consent|authority", WHO, PLACED),
    ("is|are|was|runs|running late|delayed|early", TIME, NOW),
    ("is|are too? fresh|stale|tasty|delicious|weak|strong|safe|unsafe|valid|invalid|legal|honest|true|false", "That does not show in the picture", SEEN),
    ("lost child|kid|person|dog|cat|tourist|phone|wallet|toddler|boy|girl", WHO, PLACED),
    ("missing child|person|boy|girl|cat|dog", WHO, PLACED),
    ("alarm|alarms|bell|doorbell|phone|telephone|siren|buzzer goes|going|go off", SOUND, ENTERS),
    ("alarm|alarms|bell|doorbell|phone|telephone|siren|buzzer is|are? sounds|rings|ringing|sounding|beeping", SOUND, ENTERS),
    ("wi-fi|wifi|internet|network|server|website|router|database|app|software|site|broadband|connection|vpn is|goes|gets|are down|offline|online|slow|up|disconnected|lost|unavailable|crashed|hacked", ELSEWHERE, SEEN),
    ("wi-fi|wifi|internet|broadband|bluetooth", ELSEWHERE, SEEN),
    ("server|website|network|router|database|app|software crashes|fails|reboots|drops", ELSEWHERE, SEEN),
    ("power is|goes|cut|cuts|outage|fails|failure", ELSEWHERE, SEEN),
    ("i|we get|receive|got|have a|an? new? email|e-mail|mail|call|sms|text|message|letter|tweet|phone", ELSEWHERE, SEEN),
    ("email|e-mail|sms|tweet arrives|comes|from", ELSEWHERE, SEEN),
    ("stock|share|bitcoin|oil|gas|electricity price|prices|market", ELSEWHERE, SEEN),
    ("my phone|laptop|computer battery", ELSEWHERE, SEEN), ("battery is|gets|level|below|runs low|empty|down|below|out", ELSEWHERE, SEEN),
    ("my|our bank|account|flight|bus|train|order|pizza is|balance|number", ELSEWHERE, SEEN),
    ("air quality|pollution", "A gas does not show in the picture", "Ask for what can be seen, for example smoke or fire."),
    ("gas leak|leaks|leaking", "A gas does not show in the picture", "Ask for what can be seen, for example smoke or fire."),
    ("leak|leaks|smell of gas", "A gas does not show in the picture", "Ask for what can be seen, for example smoke or fire."),
    ("gone off|bad|sour", "That does not show in the picture", SEEN),
    ("while|when the|this camera is|was off|away|broken|offline|blind", TIME, NOW),
    ("inside|in a|an|the closed|locked|sealed|shut suitcase|suitcases|bag|bags|box|boxes|parcel|parcels|package|packages|safe|drawer|envelope|container", ELSEWHERE, SEEN),
    ("happens|happening|is|are outside|beyond the? picture|frame|view|image", ELSEWHERE, SEEN),
    ("no|without|valid|expired a|an? valid|expired? driving|driver's? licence|license", WHO, PLACED),
    ("battery of", ELSEWHERE, SEEN),
    ("yesterday", TIME, NOW), ("last night|week|month|year|time|monday|tuesday|wednesday|thursday|friday|saturday|sunday", TIME, NOW),
    ("will be|happen|come|arrive|rain|snow|fall|break|fail|need|leave|enter", TIME, NOW), ("is|are expected|scheduled|due to|at|soon?", TIME, NOW),
    ("used to", TIME, NOW), ("for the first|second|third|fourth|last time", TIME, NOW),
    ("same person|car|man|vehicle|face|people|van|guy|one again|twice|returns|comes|as", "The camera does not know a thing again", NOW),
    ("a|the second|third|fourth time this|today|week", TIME, NOW),
    ("comes|returns|back again|back? tomorrow|later", TIME, NOW),
    ("how old|heavy|hot|cold|fast|loud", "That can't be measured in the picture", SEEN),
    ("too|very|so|really heavy|fast|slow|slowly|quickly|loud|hot|cold|warm|noisy", "That can't be measured in the picture", SEEN),
    ("somewhere|anywhere else", ELSEWHERE, SEEN), ("in another city|country|town|building", ELSEWHERE, SEEN),
    ("km|m|mi|miles|kilometres|kilometers|metres|meters / h|hr|hour|s|sec|second", "A speed can't be measured in the picture", SEEN),
    ("km|miles|kilometres|kilometers|metres|meters an|per|a hour|second|minute", "A speed can't be measured in the picture", SEEN),
    ("km", "A distance can't be measured in the picture", SEEN),
    ("a mile|kilometre|kilometer away", "A distance can't be measured in the picture", SEEN),
];

/// "going to the shop" is a way, "going to fall" a future.
fn future(toks: &[Tok], i: usize) -> Option<usize> {
    let n = here!(toks, i, "going to|gonna")?;
    let n = if toks[i].is("gonna") { 1 } else { n.max(2) };
    let deed = toks.get(i + n).is_some_and(|t| {
        (verb(&t.text).is_some()
            || t.any(&[
                "be", "rain", "snow", "explode", "die", "happen", "have", "hurt", "kill", "rob",
                "escape",
            ]))
            && !t.text.ends_with('s')
    });
    // "going to dock 4"
    let noun = toks
        .get(i + n)
        .is_some_and(|t| t.any(ARTICLES) || t.starts_upper() || t.any(FIXTURES) || t.any(PLACES))
        || number(toks, i + n + 1).is_some();
    (deed && !noun).then_some(n)
}

/// # Errors
/// `not_observable`, with the place of the word that shows it.
pub(crate) fn observable(toks: &[Tok]) -> Result<(), Refusal> {
    for (i, t) in toks.iter().enumerate() {
        let quiet =
            t.any(&["quiet", "silent"]) && i > 0 && toks[i - 1].any(&["be", "stay", "keep"]);
        let wish = t.any(&["want", "wants", "hear", "like", "likes", "known"])
            && i > 0
            && toks[i - 1].any(&["i", "we", "to", "also", "just", "let"]);
        if !quiet && !wish && !named(toks, i) {
            for (why, offer, words) in UNSEEN {
                if t.any(words) && !excused(toks, i) {
                    let more = (i + 1..toks.len()).filter(|j| toks[*j].any(words));
                    return Err(
                        more.fold(unseen(why, offer, &toks[i..=i]), |r, j| r.at(toks[j].span))
                    );
                }
            }
            if let Some((n, (why, offer))) = entry(toks, i, PATTERNS)
                && !excused(toks, i)
            {
                return Err(unseen(why, offer, &toks[i..i + n]));
            }
        }
        // "is the coffee fresh?"
        let question =
            toks[0].any(&["is", "are"]) && i > 1 && toks.get(i + 1).is_none_or(|n| !n.word);
        if question
            && t.any(&[
                "fresh",
                "stale",
                "tasty",
                "delicious",
                "safe",
                "valid",
                "legal",
                "honest",
                "true",
                "late",
                "weak",
                "ready",
            ])
        {
            return Err(unseen(
                "That does not show in the picture",
                SEEN,
                &toks[i..=i],
            ));
        }
        // "a non-employee"
        if t.text
            .strip_prefix("non-")
            .is_some_and(|w| PEOPLE.contains(w))
        {
            return Err(unseen(WHO, PLACED, &toks[i..=i]));
        }
        if let Some(n) = future(toks, i) {
            return Err(unseen(INTENT, DO, &toks[i..i + n]));
        }
        // "tell me five minutes before the truck arrives"
        if let Some((_, n)) = duration(toks, i).filter(|_| t.word)
            && here!(toks, i + n, "before|ahead|early|earlier|prior").is_some()
            && here!(toks, i + n, "before the? next|alerting|telling|you|closing|opening|sunset|sunrise|dark|midnight|noon").is_none()
            && !toks[..i].iter().any(|t| t.any(&["wait", "pause", "cool-down", "least", "quiet"]))
        {
            return Err(unseen(TIME, NOW, &toks[i..i + n + 1]));
        }
        // "18 °C", "-18°C"
        if t.is("°") || (t.is("%") && measured(toks, i)) {
            return Err(unseen(
                "That can't be measured in the picture",
                SEEN,
                &toks[i.saturating_sub(1)..=i],
            ));
        }
    }
    Ok(())
}

fn measured(toks: &[Tok], i: usize) -> bool {
    i > 0
        && number(toks, i - 1).is_some()
        && toks
            .iter()
            .any(|t| t.any(&["humidity", "battery", "charge", "moisture", "oxygen"]))
}

/// Words of the lists that say something else where they stand.
fn excused(toks: &[Tok], i: usize) -> bool {
    let t = &toks[i];
    let next = |list: &[&str]| toks.get(i + 1).is_some_and(|n| n.any(list));
    let prev = |list: &[&str]| i > 0 && toks[i - 1].any(list);
    match t.text.as_str() {
        "wanted" | "wants" | "want" => prev(&["i", "we"]),
        // "the 100 metre track"
        "metre" | "meter" => next(&[
            "rule", "stick", "track", "mark", "line", "box", "cupboard", "board", "pool",
        ]),
        "feet" => prev(&["on", "his", "her", "their", "bare"]) || next(&["up", "first"]),
        "dealer" => prev(&["car"]),
        // "sound the alarm": an order to alert
        "sound" => {
            next(&["the", "an", "a"])
                && toks[i..].iter().take(4).any(|t| t.any(&["alarm", "alert"]))
        }
        "speed" => here!(toks, i, "speed limit sign|signs|board").is_some(),
        "weigh" => next(&["bridge", "station", "house"]),
        "fast" => prev(&["as"]),
        "member" | "members" => next(&["of"]) || prev(&["staff", "crew", "team", "family"]),
        "known" => prev(&["well", "be"]) || next(&["as"]),
        // "nobody is allowed in the pit" is a duty; "who is not allowed" is about who.
        "not" | "is" | "are" | "being"
            if toks[i..]
                .iter()
                .take(3)
                .any(|t| t.any(&["allowed", "permitted", "authorised"])) =>
        {
            !toks[..i].iter().any(|t| t.any(&["who", "that"]))
                || !toks[..i].iter().any(|t| t.any(PEOPLE) || t.is("who"))
        }
        "will" => toks.get(i + 1).is_none(),
        // "within the last week"
        "last" => i > 1 && toks[i - 2].any(&["in", "within", "over", "during"]),
        s => unit_millis(s).is_some(),
    }
}
