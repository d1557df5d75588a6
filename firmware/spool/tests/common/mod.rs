use scene::{Alert, AlertId, Evidence, Id, Joules, Phase, Quantity, Severity};

pub fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

/// An alert that can be told from every other one by `n`.
pub fn alert(n: u64) -> Alert {
    Alert {
        v: Alert::VERSION,
        id: AlertId::new(7, n),
        rule: id("queue"),
        phase: Phase::New,
        severity: Severity::Warning,
        since: None,
        says: format!("alert {n}"),
        evidence: Evidence {
            answer: n.to_string(),
            confidence: 0.5,
            frame_time: None,
            answer_age_seconds: None,
            model: "scout/1".into(),
            point: None,
            image_sha256: None,
        },
        joules: Quantity::modelled(Joules(1.5)),
        latency_ms: n,
    }
}
