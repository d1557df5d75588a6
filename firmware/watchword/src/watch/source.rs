//! What the camera tells of its source: whether there is a picture, and if
//! not, why.

use scene::Moment;
use scene::ports::SourceState;

use super::Watch;
use super::event::Effect;

/// What the contract calls a state.
fn name(state: &SourceState) -> &'static str {
    match state {
        SourceState::Live => "live",
        SourceState::Retrying { .. } => "retrying",
        SourceState::Ended => "ended",
    }
}

impl Watch {
    /// Takes in the source's state and publishes it if it is another one.
    pub(super) fn source_is(&mut self, state: SourceState, now: Moment, effects: &mut Vec<Effect>) {
        // A source that is tried again and again has been gone since it went.
        if name(&state) != name(&self.source) || self.source_since.is_none() {
            self.source_since = now.wall;
        }
        if state != self.source {
            self.source = state;
            effects.push(self.source_state());
        }
    }

    /// The retained state of the source.
    pub(super) fn source_state(&self) -> Effect {
        let (why, retry_in) = match &self.source {
            SourceState::Retrying { why, retry_in } => (Some(why), Some(retry_in)),
            SourceState::Live | SourceState::Ended => (None, None),
        };
        let form = serde_json::json!({
            "v": 1,
            "state": name(&self.source),
            "why": why,
            "retry_in_ms": retry_in.map(|time| time.as_millis() as u64),
            "since": self.source_since,
        });
        Effect::State {
            topic: self.topics.source(),
            payload: form.to_string().into(),
        }
    }
}
