//! The topics of the contract (docs/mqtt/README.md), as text and back.

use scene::{Id, IdError};

/// The most bytes that a topic from outside may have; MQTT itself allows
/// 65,535.
pub const MAX_TOPIC_BYTES: usize = 512;

/// All topics of one camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    root: String,
}

/// What kind of thing an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdOf {
    /// A rule.
    Rule,
    /// A zone.
    Zone,
}

/// What an operator's topic asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// Set, or with an empty payload delete, a rule.
    RuleSet(Id),
    /// Set, or with an empty payload delete, a zone.
    ZoneSet(Id),
    /// Lower the allotment, or lift that.
    LimitSet,
    /// What a sentence would mean.
    Check,
    /// A question about the frame now.
    Ask,
    /// A rule or zone whose name is not an id. Say so on `echo`, not retained,
    /// so that a wrong name leaves nothing behind.
    BadId {
        /// What it was to name.
        of: IdOf,
        /// What is wrong with it.
        error: IdError,
        /// The topic of the echo had it been an id.
        echo: String,
    },
}

impl Topics {
    /// Those of `camera`.
    pub fn new(camera: &Id) -> Self {
        Self {
            root: format!("watchword/{camera}"),
        }
    }

    /// `watchword/<camera>`.
    pub fn root(&self) -> &str {
        &self.root
    }

    fn under(&self, rest: &str) -> String {
        format!("{}/{rest}", self.root)
    }

    /// `online`, `offline`, `stopped`; retained, and the will.
    pub fn status(&self) -> String {
        self.under("status")
    }
    /// What this camera is; retained.
    pub fn info(&self) -> String {
        self.under("info")
    }
    /// The echo of a rule; retained.
    pub fn rule(&self, rule: &Id) -> String {
        self.under(&format!("rules/{rule}"))
    }
    /// `ON` or `OFF`; retained.
    pub fn rule_active(&self, rule: &Id) -> String {
        self.under(&format!("rules/{rule}/active"))
    }
    /// The last count; retained.
    pub fn rule_value(&self, rule: &Id) -> String {
        self.under(&format!("rules/{rule}/value"))
    }
    /// The last evaluations; retained.
    pub fn rule_why(&self, rule: &Id) -> String {
        self.under(&format!("rules/{rule}/why"))
    }
    /// Everything retained that a rule leaves behind, to clear when it is
    /// deleted.
    pub fn rule_retained(&self, rule: &Id) -> [String; 5] {
        [
            self.rule(rule),
            self.rule_active(rule),
            self.rule_value(rule),
            self.rule_why(rule),
            self.alert_image(rule),
        ]
    }
    /// Alerts; not retained.
    pub fn alerts(&self) -> String {
        self.under("alerts")
    }
    /// Whether there is a picture, and why not; retained.
    pub fn source(&self) -> String {
        self.under("source")
    }
    /// A rule's last picture; retained.
    pub fn alert_image(&self, rule: &Id) -> String {
        self.under(&format!("alerts/{rule}/image"))
    }
    /// The echo of a zone; retained.
    pub fn zone(&self, zone: &Id) -> String {
        self.under(&format!("zones/{zone}"))
    }
    /// Watts, temperatures, drops; retained.
    pub fn power(&self) -> String {
        self.under("power")
    }
    /// Answers to checks that name no place for it.
    pub fn check_answer(&self) -> String {
        self.under("check/answer")
    }
    /// Answers to questions that name no place for it.
    pub fn ask_answer(&self) -> String {
        self.under("ask/answer")
    }

    /// What the camera subscribes to.
    pub fn subscriptions(&self) -> Vec<String> {
        [
            "rules/+/set",
            "zones/+/set",
            "power/limit/set",
            "check",
            "ask",
        ]
        .map(|filter| self.under(filter))
        .into()
    }

    /// What a message on `topic` asks for; `None` if it is not one of
    /// [`Self::subscriptions`].
    pub fn parse(&self, topic: &str) -> Option<Inbound> {
        let rest = topic.strip_prefix(self.root.as_str())?.strip_prefix('/')?;
        let levels: Vec<&str> = rest.split('/').collect();
        match levels[..] {
            ["power", "limit", "set"] => Some(Inbound::LimitSet),
            ["check"] => Some(Inbound::Check),
            ["ask"] => Some(Inbound::Ask),
            ["rules", id, "set"] => Some(self.with_id(IdOf::Rule, id)),
            ["zones", id, "set"] => Some(self.with_id(IdOf::Zone, id)),
            _ => None,
        }
    }

    fn with_id(&self, of: IdOf, text: &str) -> Inbound {
        match (Id::new(text), of) {
            (Ok(id), IdOf::Rule) => Inbound::RuleSet(id),
            (Ok(id), IdOf::Zone) => Inbound::ZoneSet(id),
            (Err(error), of) => {
                let kind = match of {
                    IdOf::Rule => "rules",
                    IdOf::Zone => "zones",
                };
                Inbound::BadId {
                    of,
                    error,
                    echo: self.under(&format!("{kind}/{text}")),
                }
            }
        }
    }

    /// Checks where a stranger wants an answer: a topic that can be published
    /// to and that the camera itself does not use, so that an answer is never
    /// taken for an order nor for a retained state.
    pub fn answer_to(&self, wanted: &str) -> Result<String, BadAnswerTopic> {
        let bad = |why| BadAnswerTopic {
            given: wanted.chars().take(120).collect(),
            why,
        };
        publishable(wanted).map_err(bad)?;
        if wanted.len() > MAX_TOPIC_BYTES {
            return Err(bad("it is longer than 512 bytes"));
        }
        if belongs_to_a_camera(wanted) {
            return Err(bad("cameras or Home Assistant act on it"));
        }
        Ok(wanted.into())
    }
}

/// Whether cameras act on a topic or keep their state there. Cameras of one
/// broker must not be made to order each other about, nor to pass off an
/// answer as their state.
fn belongs_to_a_camera(topic: &str) -> bool {
    let mut levels = topic.split('/');
    match levels.next() {
        Some("homeassistant") => true,
        Some("watchword") => match (levels.next(), levels.next(), levels.next()) {
            (Some(_camera), Some("check" | "ask"), Some(_)) => false,
            (Some(_camera), Some(what), _) => [
                "status", "info", "source", "rules", "zones", "alerts", "check", "ask", "power",
                "update", "model",
            ]
            .contains(&what),
            _ => true,
        },
        _ => false,
    }
}

/// Why no answer goes to a topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("answers can't go to '{given}': {why}; name a topic of your own, 'replies/dashboard' say")]
pub struct BadAnswerTopic {
    /// The topic, cut to 120 characters.
    pub given: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Whether MQTT lets a client publish to `topic` (MQTT 5, section 4.7).
pub(super) fn publishable(topic: &str) -> Result<(), &'static str> {
    if topic.is_empty() {
        Err("it is empty")
    } else if topic.len() > usize::from(u16::MAX) {
        Err("it is longer than 65,535 bytes")
    } else if topic.contains(['+', '#']) {
        Err("it holds a wildcard")
    } else if topic.contains('\0') {
        Err("it holds a null character")
    } else if topic.starts_with('$') {
        Err("topics that begin with '$' belong to the broker")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics() -> Topics {
        Topics::new(&Id::new("gate-3").unwrap())
    }

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    #[test]
    fn topics_are_those_of_the_contract() {
        let t = topics();
        let queue = id("queue");
        assert_eq!(t.status(), "watchword/gate-3/status");
        assert_eq!(t.info(), "watchword/gate-3/info");
        assert_eq!(t.source(), "watchword/gate-3/source");
        assert_eq!(t.alerts(), "watchword/gate-3/alerts");
        assert_eq!(t.zone(&queue), "watchword/gate-3/zones/queue");
        assert_eq!(
            t.rule_retained(&queue),
            [
                "watchword/gate-3/rules/queue",
                "watchword/gate-3/rules/queue/active",
                "watchword/gate-3/rules/queue/value",
                "watchword/gate-3/rules/queue/why",
                "watchword/gate-3/alerts/queue/image",
            ]
        );
    }

    #[test]
    fn orders_are_told_apart() {
        let t = topics();
        let parse = |rest: &str| t.parse(&format!("watchword/gate-3/{rest}"));
        assert_eq!(
            parse("rules/queue/set"),
            Some(Inbound::RuleSet(id("queue")))
        );
        assert_eq!(parse("zones/door/set"), Some(Inbound::ZoneSet(id("door"))));
        assert_eq!(parse("power/limit/set"), Some(Inbound::LimitSet));
        assert_eq!(parse("check"), Some(Inbound::Check));
        assert_eq!(parse("ask"), Some(Inbound::Ask));
        for other in [
            "rules/queue",
            "rules/set",
            "rules/a/b/set",
            "asks",
            "",
            "alerts",
            "power",
            "power/limit",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
        assert_eq!(t.parse("watchword/gate-30/ask"), None);
        assert_eq!(t.parse("watchword/gate-3"), None);
        assert_eq!(t.parse("other/gate-3/ask"), None);
    }

    #[test]
    fn a_bad_id_is_answerable() {
        for bad in ["Gate 3", "", "é", &"x".repeat(41)] {
            match topics().parse(&format!("watchword/gate-3/rules/{bad}/set")) {
                Some(Inbound::BadId { of, error, echo }) => {
                    assert_eq!(of, IdOf::Rule);
                    assert!(error.to_string().contains(bad), "{error}");
                    assert_eq!(echo, format!("watchword/gate-3/rules/{bad}"));
                }
                other => panic!("{bad}: {other:?}"),
            }
        }
    }

    #[test]
    fn every_subscription_is_understood() {
        let t = topics();
        for filter in t.subscriptions() {
            let topic = filter.replace('+', "some-id");
            assert!(t.parse(&topic).is_some(), "{topic}");
        }
    }

    #[test]
    fn answers_go_nowhere_dangerous() {
        let t = topics();
        for good in [
            "replies/1",
            "watchword/gate-3/check/answer",
            "watchword/gate-3/replies/7",
            "a b",
        ] {
            assert_eq!(t.answer_to(good).unwrap(), good);
        }
        let long = "x".repeat(513);
        for bad in [
            "",
            "a/+",
            "#",
            "a\0",
            "$SYS/x",
            "watchword/gate-3/rules/x/set",
            "watchword/other/ask",
            "watchword/gate-3/status",
            "watchword/gate-3/source",
            "watchword/gate-3",
            "homeassistant/device/x/config",
            &long,
        ] {
            assert!(t.answer_to(bad).is_err(), "{bad}");
        }
    }
}
