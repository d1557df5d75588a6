//! What operators send, read strictly: wrong types and unknown fields are
//! refused with a sentence that can be sent back.

use std::ops::RangeInclusive;

use scene::{Polygon, QuestionKind, Watts};
use serde::{Deserialize, Serialize};
use spool::RuleRecord;

use crate::config::Snapshot;

/// The largest payload an operator may send, bytes. A sentence has at most
/// 1,000 characters, so this leaves room for any JSON round it.
pub const MAX_PAYLOAD_BYTES: usize = 16 * 1024;

/// Seconds between two looks that an operator may state for a rule.
const EVERY_SECONDS: RangeInclusive<f64> = 0.2..=86_400.0;

/// Limits above this are a slip of the keyboard: the most that PoE grants is
/// 71.3 W (802.3bt, class 8).
const MOST_WATTS: f64 = 100.0;

/// What `rules/<id>/set` asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleSet {
    /// Empty payload.
    Delete,
    /// Set, or set anew.
    Put(RuleWish),
}

/// `"v": 1`, the only version that the forms have had; may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "u64")]
struct One;

impl TryFrom<u64> for One {
    type Error = &'static str;
    fn try_from(v: u64) -> Result<Self, Self::Error> {
        if v == 1 { Ok(One) } else { Err("v must be 1") }
    }
}

/// A rule as an operator states it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleWish {
    /// Version of this form: 1, which may be left out.
    #[serde(default)]
    v: One,
    /// The sentence.
    pub text: String,
    /// Whether it watches; a rule that is not enabled keeps its place.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// 0 (slowed first) to 9 (slowed last).
    #[serde(default = "middle")]
    pub priority: u8,
    /// What picture its alerts carry; the camera's setting if absent.
    #[serde(default)]
    pub snapshot: Option<Snapshot>,
    /// It is looked at no more often than this, seconds; as often as it must
    /// if absent.
    #[serde(default)]
    pub every_seconds: Option<f64>,
}

fn yes() -> bool {
    true
}

fn middle() -> u8 {
    RuleRecord::PRIORITY
}

impl RuleWish {
    /// A sentence with everything else as usual.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            v: One,
            text: text.into(),
            enabled: true,
            priority: RuleRecord::PRIORITY,
            snapshot: None,
            every_seconds: None,
        }
    }
}

/// Where an answer goes and how it is told apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplyTo {
    /// The topic; the default answer topic if `None`.
    pub topic: Option<String>,
    /// MQTT 5 correlation data, sent back as it came.
    pub correlation: Option<Vec<u8>>,
    /// The `request_id` of the JSON form, sent back as it came.
    pub request_id: Option<String>,
}

/// A dry run of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckRequest {
    /// The sentence.
    pub text: String,
    /// Where to answer.
    pub reply: ReplyTo,
}

/// A question about the frame now.
#[derive(Clone, Debug, PartialEq)]
pub struct AskRequest {
    /// The question.
    pub question: String,
    /// The form of the answer; guessed from the question if `None`.
    pub kind: Option<QuestionKind>,
    /// A drawn zone to look at.
    pub zone: Option<scene::Id>,
    /// Where to answer.
    pub reply: ReplyTo,
}

fn text_of(payload: &[u8]) -> Result<&str, String> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(format!(
            "the payload has {} bytes; at most {MAX_PAYLOAD_BYTES} are taken",
            payload.len()
        ));
    }
    std::str::from_utf8(payload)
        .map(str::trim)
        .map_err(|error| format!("the payload is not UTF-8 text ({error})"))
}

fn json<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("the payload is not the JSON it should be: {error}"))
}

/// Reads the payload of `rules/<id>/set`.
pub fn rule_set(payload: &[u8]) -> Result<RuleSet, String> {
    let text = text_of(payload)?;
    if text.is_empty() {
        return Ok(RuleSet::Delete);
    }
    if !text.starts_with('{') {
        return Ok(RuleSet::Put(RuleWish::plain(text)));
    }
    let wish: RuleWish = json(text)?;
    if wish.priority > 9 {
        return Err(format!("priority = {}: choose 0 to 9", wish.priority));
    }
    if let Some(every) = wish.every_seconds
        && !EVERY_SECONDS.contains(&every)
    {
        let (least, most) = (EVERY_SECONDS.start(), EVERY_SECONDS.end());
        return Err(format!("every_seconds = {every}: choose {least} to {most}"));
    }
    Ok(RuleSet::Put(wish))
}

/// Reads the payload of `check`. `topic` and `correlation` are those of MQTT 5.
pub fn check(
    payload: &[u8],
    topic: Option<String>,
    correlation: Option<Vec<u8>>,
) -> Result<CheckRequest, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[serde(default)]
        v: One,
        text: String,
        reply_to: Option<String>,
        request_id: Option<String>,
    }
    let text = text_of(payload)?;
    let form = if text.starts_with('{') {
        json(text)?
    } else {
        Form {
            v: One,
            text: text.into(),
            reply_to: None,
            request_id: None,
        }
    };
    let One = form.v;
    Ok(CheckRequest {
        text: form.text,
        reply: reply(form.reply_to, form.request_id, topic, correlation)?,
    })
}

/// Reads the payload of `ask`.
pub fn ask(
    payload: &[u8],
    topic: Option<String>,
    correlation: Option<Vec<u8>>,
) -> Result<AskRequest, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[serde(default)]
        v: One,
        question: String,
        zone: Option<scene::Id>,
        kind: Option<QuestionKind>,
        reply_to: Option<String>,
        request_id: Option<String>,
    }
    let text = text_of(payload)?;
    let form = if text.starts_with('{') {
        json(text)?
    } else {
        Form {
            v: One,
            question: text.into(),
            zone: None,
            kind: None,
            reply_to: None,
            request_id: None,
        }
    };
    let One = form.v;
    let length = form.question.chars().count();
    if length == 0 || length > 1000 {
        return Err(format!(
            "the question has {length} characters; ask in 1 to 1000"
        ));
    }
    Ok(AskRequest {
        question: form.question,
        kind: form.kind,
        zone: form.zone,
        reply: reply(form.reply_to, form.request_id, topic, correlation)?,
    })
}

/// A topic that an answer may be published on: somebody's own, no wildcards.
fn reply(
    reply_to: Option<String>,
    request_id: Option<String>,
    topic: Option<String>,
    correlation: Option<Vec<u8>>,
) -> Result<ReplyTo, String> {
    let topic = reply_to.or(topic);
    if let Some(topic) = &topic
        && (topic.is_empty()
            || topic.len() > 256
            || topic.contains(['+', '#', '\0'])
            || topic.starts_with('$'))
    {
        return Err("reply_to must be a topic of 1 to 256 bytes without + or #".into());
    }
    if request_id.as_ref().is_some_and(|id| id.len() > 128) {
        return Err("request_id has more than 128 bytes".into());
    }
    Ok(ReplyTo {
        topic,
        correlation,
        request_id,
    })
}

/// What an operator lowered watts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Limit {
    /// The allotment is taken for no more than this.
    pub watts: Option<Watts>,
    /// Looks take no more than this on average.
    pub inference_watts: Option<Watts>,
}

/// Reads the payload of `power/limit/set`: `{"watts": 8}`, `8`, or
/// `{"inference_watts": 0.5}`; nothing or `null` lifts all limits.
pub fn limit(payload: &[u8]) -> Result<Limit, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[serde(default)]
        v: One,
        #[serde(default)]
        watts: Option<f64>,
        #[serde(default)]
        inference_watts: Option<f64>,
    }
    let text = text_of(payload)?;
    if text.is_empty() {
        return Ok(Limit::default());
    }
    let form = match text.starts_with('{') {
        // A form that names no watts is not one that lifts the limit.
        true if !text.contains("watts\"") => {
            return Err("the payload names no watts: say {\"watts\": 8}, or {\"watts\": null} to lift the limit".into());
        }
        true => json(text)?,
        false => Form {
            v: One,
            watts: json(text)?,
            inference_watts: None,
        },
    };
    let One = form.v;
    let sane = |watts: Option<f64>| match watts {
        Some(watts) if !(0.0..=MOST_WATTS).contains(&watts) => Err(format!(
            "a limit of {watts} W makes no sense: choose 0 to {MOST_WATTS} W, or null to lift it"
        )),
        watts => Ok(watts.map(Watts)),
    };
    Ok(Limit {
        watts: sane(form.watts)?,
        inference_watts: sane(form.inference_watts)?,
    })
}

/// What `zones/<name>/set` asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum ZoneSet {
    /// Empty payload.
    Delete,
    /// Draw, or draw anew.
    Put(Polygon),
}

/// Reads the payload of `zones/<name>/set`: `{"polygon":[[x,y],…]}`, with
/// `v` and `name` allowed so that what the camera publishes can be sent back.
pub fn zone_set(name: &scene::Id, payload: &[u8]) -> Result<ZoneSet, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[serde(default)]
        v: One,
        name: Option<scene::Id>,
        polygon: Polygon,
    }
    let text = text_of(payload)?;
    if text.is_empty() {
        return Ok(ZoneSet::Delete);
    }
    let form: Form = json(text)?;
    let One = form.v;
    if let Some(given) = form.name
        && given != *name
    {
        return Err(format!(
            "the payload is of zone '{given}', the topic of '{name}'"
        ));
    }
    Ok(ZoneSet::Put(form.polygon))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_a_sentence_or_json_or_gone() {
        assert_eq!(rule_set(b"").unwrap(), RuleSet::Delete);
        assert_eq!(rule_set(b"  \n").unwrap(), RuleSet::Delete);
        assert_eq!(
            rule_set(b"Is there a fire?").unwrap(),
            RuleSet::Put(RuleWish::plain("Is there a fire?"))
        );
        let RuleSet::Put(wish) =
            rule_set(br#"{"v":1,"text":"a dog","enabled":false,"priority":9,"snapshot":"none"}"#)
                .unwrap()
        else {
            panic!()
        };
        assert_eq!((wish.enabled, wish.priority), (false, 9));
        assert_eq!(wish.snapshot, Some(Snapshot::None));
    }

    #[test]
    fn wrong_rules_say_what_is_wrong() {
        for (payload, word) in [
            (&br#"{"text":5}"#[..], "string"),
            (br#"{"text":"x","colour":1}"#, "colour"),
            (br#"{"enabled":true}"#, "text"),
            (br#"{"v":2,"text":"x"}"#, "v must be 1"),
            (br#"{"text":"x","priority":12}"#, "priority"),
            (br#"{"text":"x","every_seconds":0.1}"#, "every_seconds"),
            (br#"{"text":"x","every_seconds":-5}"#, "every_seconds"),
            (br#"{"text":"x""#, "JSON"),
            (b"\xff\xfe", "UTF-8"),
            (&[b'a'; MAX_PAYLOAD_BYTES + 1], "bytes"),
        ] {
            let error = rule_set(payload).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn answers_go_where_they_were_asked_for() {
        let plain = check(b"a dog", Some("me/in".into()), Some(vec![7])).unwrap();
        assert_eq!(plain.reply.topic.as_deref(), Some("me/in"));
        assert_eq!(plain.reply.correlation, Some(vec![7]));
        let json = check(
            br#"{"text":"a dog","reply_to":"me/3","request_id":"q1"}"#,
            None,
            None,
        );
        let reply = json.unwrap().reply;
        assert_eq!(reply.topic.as_deref(), Some("me/3"));
        assert_eq!(reply.request_id.as_deref(), Some("q1"));
        for bad in ["a/#", "+/b", "", "$SYS/x"] {
            let payload = serde_json::json!({"text": "a dog", "reply_to": bad}).to_string();
            assert!(check(payload.as_bytes(), None, None).is_err());
        }
    }

    #[test]
    fn zones_are_polygons_in_the_picture() {
        let name = scene::Id::new("till").unwrap();
        let good = br#"{"v":1,"name":"till","polygon":[[0,0],[1,0],[1,1]]}"#;
        assert!(matches!(zone_set(&name, good), Ok(ZoneSet::Put(_))));
        assert_eq!(zone_set(&name, b"").unwrap(), ZoneSet::Delete);
        for (bad, word) in [
            (&br#"{"polygon":[[0,0],[2,0],[1,1]]}"#[..], "outside"),
            (br#"{"polygon":[[0,0],[1,1]]}"#, "3 to 64"),
            (br#"{"name":"door","polygon":[[0,0],[1,0],[1,1]]}"#, "door"),
            (br#"{"polygon":"all"}"#, "JSON"),
            (br#"{"v":2,"polygon":[[0,0],[1,0],[1,1]]}"#, "v must be 1"),
        ] {
            let error = zone_set(&name, bad).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_limit_is_a_number_of_watts_or_gone() {
        let watts = |text: &str| limit(text.as_bytes());
        for text in ["8", " 8.0\n", "{\"watts\": 8}", "{\"v\":1,\"watts\":8}"] {
            let limit = watts(text).unwrap();
            assert_eq!(limit.watts, Some(Watts(8.0)), "{text}");
            assert_eq!(limit.inference_watts, None);
        }
        for text in ["", " ", "null", "{\"watts\": null}"] {
            assert_eq!(watts(text).unwrap(), Limit::default(), "{text}");
        }
        assert_eq!(watts("0").unwrap().watts, Some(Watts(0.0)));
        let saving = watts("{\"inference_watts\": 0.5}").unwrap();
        assert_eq!(
            (saving.watts, saving.inference_watts),
            (None, Some(Watts(0.5)))
        );
        let kept = serde_json::to_string(&saving).unwrap();
        assert_eq!(watts(&kept).unwrap(), saving, "it reads what it writes");
        for (text, word) in [
            ("-1", "-1 W"),
            ("NaN", "JSON"),
            ("1e999", "JSON"),
            ("101", "100 W"),
            ("\"8\"", "JSON"),
            ("8 W", "JSON"),
            ("true", "JSON"),
            ("[8]", "JSON"),
            ("{}", "names no watts"),
            ("{\"watts\": \"8\"}", "JSON"),
            ("{\"watts\": -0.1}", "-0.1 W"),
            ("{\"watts\": 1e30}", "makes no sense"),
            ("{\"inference_watts\": -2}", "makes no sense"),
            ("{\"watts\": 8, \"volts\": 48}", "volts"),
            ("{\"v\": 2, \"watts\": 8}", "v must be 1"),
        ] {
            let error = watts(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        assert!(limit(b"\xff").unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn questions_are_bounded() {
        assert!(ask(b"", None, None).is_err());
        assert!(ask("x".repeat(1001).as_bytes(), None, None).is_err());
        let asked = ask(
            br#"{"question":"How many cars?","kind":"count","zone":"till"}"#,
            None,
            None,
        );
        assert_eq!(asked.unwrap().kind, Some(QuestionKind::Count));
    }
}
