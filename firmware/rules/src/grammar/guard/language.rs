//! Which language a sentence is in.

use super::super::token::{Tok, span_of};
use super::refuse;
use crate::lexicon::{Lexicon, lexicon};
use crate::{Refusal, RefusalKind};

/// Words that are frequent in rules of other languages and no English words.
#[rustfmt::skip]
const FOREIGN: &[(&str, &Lexicon)] = &[
    ("French", lexicon![
        "alerte-moi", "alertez", "alertez-moi", "avec", "aucune", "bâtiment", "chien", "chat",
        "cinq", "dans", "derrière", "devant", "dès", "deux", "enfant", "entre", "entrée", "est",
        "être", "feu", "fenêtre", "fumée", "il", "incendie", "jardin", "lorsque", "lorsqu", "maison",
        "moi", "moins", "ne", "ouverte", "ouvert", "personne", "personnes", "porte", "pour",
        "plusieurs", "pendant", "prévenez", "prévenez-moi", "préviens", "préviens-moi", "quand",
        "quelqu", "quelqu'un", "qui", "rue", "sont", "sous", "trois", "une", "vélo", "voiture",
        "voitures", "a-t-il", "y-a-t-il", "dehors", "cuisine", "dites-moi", "dis-moi", "heures",
    ]),
    ("German", lexicon![
        "alarmiere", "auf", "außerhalb", "bei", "benachrichtige", "bescheid", "bitte", "das", "drei",
        "dort", "ein", "eine", "einem", "einen", "einer", "feuer", "fenster", "fünf", "gibt",
        "haus", "hund", "ich", "im", "ist", "jemand", "kein", "keine", "keiner", "küche", "länger",
        "leer", "leute", "mehr", "meiner", "mensch", "menschen", "mich", "minuten", "mir", "nicht",
        "niemand", "oder", "offen", "person", "personen", "rauch", "schick", "sekunden", "sind",
        "sobald", "straße", "stunden", "tor", "tür", "türe", "uhr", "und", "unter", "vor", "wenn",
        "weniger", "werden", "wird", "zwei", "zwischen", "überwache", "auto", "autos", "fahrzeug",
        "melde", "meldung", "niemals", "steht", "kommt", "betritt", "verlässt", "halle",
    ]),
    ("Spanish", lexicon![
        "abierta", "abierto", "alguien", "alguno", "avisa", "avísame", "avisame", "aviso", "cocina",
        "coche", "coches", "cuando", "dentro", "dos", "durante", "entra", "entrada", "esta", "está",
        "están", "favor", "fuego", "gente", "haya", "hombre", "humo", "jardín", "mas", "más",
        "menos", "minutos", "muchas", "nadie", "niño", "notifícame", "para", "perro", "persona",
        "personas", "por", "puerta", "que", "segundos", "si", "sin", "sobre", "tres", "una", "unos",
        "ventana", "gato", "casa", "alguna", "avíseme", "aviseme", "incendio", "calle", "carro", "vacío",
    ]),
    ("Portuguese", lexicon![
        "aberta", "aberto", "alguém", "alguem", "avise", "avise-me", "carro", "carros", "cozinha",
        "está", "estão", "fogo", "fumaça", "há", "houver", "janela", "mais", "não", "ninguém",
        "pessoa", "pessoas", "porta", "portão", "quando", "uma", "um", "entrar", "rua", "dois",
        "três", "criança", "cachorro", "fila",
    ]),
    ("Italian", lexicon![
        "aperta", "aperto", "auto", "avvertimi", "avvisami", "bambino", "c'è", "cane", "cancello",
        "che", "cucina", "dalla", "davanti", "della", "delle", "dentro", "dimmi", "entra", "finestra",
        "fumo", "fuoco", "giardino", "gatto", "fuori", "gli", "macchina", "meno", "minuti", "nel", "nella", "nessuno", "persone",
        "piu", "più", "porta", "qualcuno", "quando", "se", "sono", "strada", "troppe", "incendio",
    ]),
    ("Dutch", lexicon![
        "aan", "auto", "bij", "brand", "de", "deur", "een", "er", "geef", "geen", "het", "hond",
        "huis", "iemand", "ik", "keuken", "kind", "langer", "meer", "mensen", "mij", "minuten",
        "naar", "niemand", "niet", "raam", "staat", "straat", "tuin", "voor", "waarschuw", "wanneer",
        "zodra", "zijn", "minder", "melding", "buiten", "binnen",
    ]),
    ("Swedish", lexicon![
        "bil", "bilar", "brand", "dörr", "dörren", "eller", "ett", "finns", "går", "hund", "ingen",
        "inte", "köket", "larma", "lagret", "meddela", "mig", "minuter", "människor", "någon", "när",
        "och", "om", "personer", "säg", "till", "varna", "är", "öppen", "öppet",
    ]),
    ("Danish or Norwegian", lexicon![
        "besked", "bil", "biler", "brann", "brand", "dør", "døren", "eller", "er", "giv", "gi",
        "hund", "hvis", "huset", "ikke", "ingen", "kjøkkenet", "køkkenet", "meg", "mig", "nogen",
        "noen", "når", "og", "personer", "varsle", "åben", "åpen", "beskjed",
    ]),
    ("Finnish", lexicon![
        "auto", "autoa", "autot", "avoinna", "enemmän", "hälytä", "henkilö", "ihmistä", "ilmoita",
        "ja", "joku", "jos", "kerro", "keittiössä", "koira", "kun", "kuin", "minulle", "on", "ovella",
        "ovi", "palaa", "pihalla", "tulipalo", "varoita",
    ]),
    ("Polish", lexicon![
        "alarmuj", "brama", "czy", "drzwi", "drzwiach", "gdy", "jeśli", "jest", "kiedy", "kto",
        "ktoś", "kuchni", "magazynu", "mnie", "nie", "niż", "ogień", "osoba", "osoby", "pies",
        "powiadom", "pożar", "przy", "samochód", "się", "trzy", "więcej", "wejdzie", "w",
    ]),
    ("Czech or Slovak", lexicon![
        "brána", "dveře", "dvere", "jsou", "je", "jestli", "když", "keď", "mě", "někdo", "niekto",
        "oheň", "osoba", "otevřená", "pokud", "pes", "požár", "upozorni", "více", "než", "ve",
    ]),
    ("Hungarian", lexicon![
        "ajtó", "ajtóban", "autó", "értesíts", "ha", "jelezz", "kapunál", "kutya", "mint", "nincs",
        "szólj", "több", "tűz", "van", "valaki", "ember",
    ]),
    ("Romanian", lexicon![
        "anunță-mă", "avertizează", "cineva", "dacă", "este", "foc", "mașină", "oameni", "persoane",
        "lume", "bucatarie", "bucătărie", "poarta", "sunt", "ușa", "ușă", "câine", "când",
    ]),
    ("Turkish", lexicon![
        "araba", "biri", "bir", "birisi", "eğer", "fazla", "haber", "kapı", "kapıda", "kişi",
        "köpek", "mutfakta", "uyar", "var", "varsa", "ver", "yangın", "yok",
    ]),
    ("Indonesian or Malay", lexicon![
        "ada", "api", "anjing", "apabila", "beri", "beritahu", "dapur", "dari", "di", "jika",
        "kalau", "lebih", "mobil", "orang", "pintu", "saya", "seseorang", "tahu", "ketika", "rumah",
    ]),
    ("Swahili", lexicon!["kama", "kuna", "mlangoni", "moto", "mtu", "niambie", "watu", "gari"]),
    ("Tagalog", lexicon!["abisuhan", "kapag", "kung", "mga", "may", "pinto", "sabihin", "sunog", "tao"]),
    ("Vietnamese", lexicon!["báo", "cho", "có", "cửa", "khi", "nếu", "người", "tôi", "cháy"]),
];

/// Small words that stand in names of streets and squares too, and words that
/// are English as well: they count, but not for much.
#[rustfmt::skip]
const WEAK: &Lexicon = lexicon![
    "de", "la", "le", "les", "el", "los", "las", "del", "der", "den", "dem", "des", "di", "du",
    "da", "von", "zu", "y", "en", "et", "un", "die", "plus", "rue", "brand", "hay", "auto", "autos",
    "person", "persona", "kind", "van", "till", "on", "om", "tor", "halle", "may", "var", "ver",
    "bil", "mint", "ha", "pinto", "porta", "entre", "porte", "chat", "dos", "tres", "para", "sin",
    "favor", "que", "est", "haus", "menos", "feu", "moto", "tao", "api", "tahu", "yok", "bir",
    "cane", "gibt", "fila", "foc", "carro", "w", "je", "ve", "er", "gi", "ja", "bei", "unter",
    "general", "se", "si", "mas", "mais", "ne", "il", "im", "ada", "kama", "cho", "khi", "kung",
    "gari", "dari", "pes", "ist", "ich", "ein", "um", "uma", "sono", "che", "entra", "esta", "qui",
    "pour", "sous", "fumo", "incendio", "avec", "gente", "calle", "aperto", "ovi", "ik", "naar",
    "ember", "personas", "mensch", "mobil", "strada", "maison", "och", "og", "ett", "tous", "gdy", "nie", "je", "das", "und", "gli", "nel",
];

/// Of [`WEAK`], English words: alone they show nothing.
#[rustfmt::skip]
const BOTH: &Lexicon = lexicon![
    "person", "on", "till", "van", "auto", "autos", "kind", "brand", "hay", "die", "plus", "chat",
    "may", "mint", "pinto", "favor", "persona", "personas", "general", "cane", "ember", "mobil", "rue",
    "tor", "ha", "sin", "general", "im", "entre", "moto", "y", "w",
];

/// Common English words that the other languages lack.
#[rustfmt::skip]
const ENGLISH: &Lexicon = lexicon![
    "the", "if", "when", "whenever", "is", "are", "at", "of", "for", "more", "than", "and", "or",
    "any", "someone", "somebody", "nobody", "anyone", "alert", "tell", "notify", "people",
    "there", "not", "with", "without", "by", "from", "has", "been", "near", "please", "know", "let",
    "every", "enters", "leaves", "open", "door", "gate", "must", "be", "it", "this", "to", "warn",
    "which", "who", "what", "left", "should", "would", "you", "your", "watch", "check", "camera",
    "minutes", "seconds", "hours", "fire", "car", "cars", "dog", "i", "while", "empty", "street",
];

/// English words that kept an accent.
#[rustfmt::skip]
const LOANS: &Lexicon = lexicon![
    "café", "cafés", "piñata", "crème", "brûlée", "fiancé", "fiancée", "façade", "façades", "décor",
    "jalapeño", "naïve", "entrée", "entrées", "sauté", "sautéed", "purée", "pâté", "soufflé",
    "smörgåsbord", "über", "cliché", "résumé", "protégé", "matinée", "château", "fête", "señor",
    "mañana", "açaí", "kärcher", "crêpe", "crêpes", "né", "née", "première", "crèche", "doppelgänger",
    "papier-mâché", "à", "étagère", "éclair", "éclairs", "pièce", "kümmel", "jägermeister", "gruyère",
    "ångström", "bébé", "chaise", "porte-cochère", "séance", "tête-à-tête", "déjà", "frappé", "rosé",
    "macramé", "appliqué", "consommé", "flambé", "habitué", "lamé", "passé", "risqué", "toupée",
    "melée", "mêlée", "soirée", "puree", "señora", "señorita", "jardinière", "portière",
];

fn latin(c: char) -> bool {
    !c.is_alphabetic()
        || c.is_ascii()
        || ('\u{aa}'..'\u{250}').contains(&c)
        || ('\u{1e00}'..'\u{1f00}').contains(&c)
}

/// Letters that no word borrowed into English keeps.
fn far_letter(c: char) -> bool {
    "ığşőűłąężźćńśřěůčšžđơưțșťďľĺŕāēīūģķļņ".contains(c) || ('\u{1e00}'..'\u{1f00}').contains(&c)
}

/// The script of a letter that is not Latin.
fn script(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{370}'..='\u{3ff}' => "Greek",
        '\u{400}'..='\u{52f}' => "Cyrillic script",
        '\u{590}'..='\u{5ff}' => "Hebrew",
        '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => "Arabic script",
        '\u{900}'..='\u{dff}' => "an Indic script",
        '\u{e00}'..='\u{e7f}' => "Thai",
        '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' => "Korean",
        '\u{3040}'..='\u{30ff}' => "Japanese",
        '\u{3400}'..='\u{9fff}' => "Chinese or Japanese",
        _ if !latin(c) => "another script",
        _ => return None,
    })
}

/// # Errors
/// `unsupported_language` if the sentence is not English, or a part is not.
pub(crate) fn language(toks: &[Tok]) -> Result<(), Refusal> {
    let words: Vec<&Tok> = toks.iter().filter(|t| t.word).collect();
    let other_script = |t: &Tok| {
        // "α lab": one Greek letter is a name.
        let single = t.text.chars().count() == 1;
        t.text
            .chars()
            .find_map(script)
            .filter(|s| !(single && *s == "Greek"))
    };
    let foreign: Vec<Tok> = words
        .iter()
        .filter(|t| other_script(t).is_some())
        .map(|t| (*t).clone())
        .collect();
    if let Some(first) = foreign.first() {
        return not_english(other_script(first).unwrap_or("another script"), &foreign);
    }
    let english = words.iter().filter(|t| t.any(ENGLISH)).count();
    let mut hits: Vec<Tok> = Vec::new();
    let (mut strong, mut weak) = (0, 0);
    for (n, t) in words.iter().enumerate() {
        let known = !t.any(ENGLISH) && of(&t.text).is_some();
        let far = t.text.chars().any(far_letter);
        let accent = t.text.chars().any(|c| c.is_alphabetic() && !c.is_ascii()) && !t.any(LOANS);
        if !(known || far || accent) {
            continue;
        }
        let name = n > 0 && t.starts_upper();
        if (known && !t.any(WEAK) || far) && !name {
            strong += 1;
        } else {
            weak += 1;
        }
        hits.push((*t).clone());
    }
    if hits.iter().all(|t| t.any(BOTH)) {
        return Ok(());
    }
    let foreign = 2 * strong + weak;
    let is = if strong > 0 {
        foreign > english
    } else {
        // Names alone: "Café de la Paix" in an English sentence.
        let other = words.len() - weak.min(words.len());
        (weak >= 2 && english == 0) || (weak >= 3 && weak > english && weak > other)
    };
    if !is {
        return Ok(());
    }
    not_english(of_all(&hits), &hits)
}

/// The languages in which `word` is listed.
fn of(word: &str) -> Option<&'static str> {
    let parts = || std::iter::once(word).chain(word.split('\''));
    FOREIGN
        .iter()
        .find(|(_, list)| parts().any(|p| list.contains(p)))
        .map(|(name, _)| *name)
        .or_else(|| WEAK.contains(word).then_some(""))
}

/// The language that most of `hits` are listed in.
fn of_all(hits: &[Tok]) -> &'static str {
    let count = |list: &Lexicon| {
        hits.iter()
            .filter(|t| t.text.split('\'').any(|p| list.contains(p)) || t.any(list))
            .count()
    };
    FOREIGN
        .iter()
        .rev()
        .max_by_key(|(_, list)| count(list))
        .filter(|(_, list)| count(list) > 0)
        .map_or("another language", |(name, _)| *name)
}

fn not_english(language: &str, hits: &[Tok]) -> Result<(), Refusal> {
    let shown: Vec<&str> = hits.iter().take(4).map(|t| t.raw.as_str()).collect();
    refuse(
        RefusalKind::UnsupportedLanguage,
        &format!(
            "Only English is understood; '{}' looks like {language}.",
            shown.join(" ")
        ),
        "Say it in English, for example 'Alert me when more than 3 cars are at the entrance'.",
        span_of(hits),
    )
}
