//! What several tests share: a camera that senses what a test says it senses.

use scene::Question;
use scene::ports::{Ability, Knowledge};

/// A detector of `classes`, and a model that tries everything or nothing.
pub struct World {
    pub classes: Vec<String>,
    pub model: bool,
}

impl Knowledge for World {
    fn name(&self) -> String {
        "test/1".into()
    }
    fn ability(&self, _: &Question) -> Ability {
        if self.model {
            Ability::Tries
        } else {
            Ability::Cannot("there is no model; install one".into())
        }
    }
    fn classes_for(&self, noun: &str) -> Vec<String> {
        self.classes
            .iter()
            .filter(|c| *c == noun)
            .cloned()
            .collect()
    }
    fn classes(&self) -> Vec<String> {
        self.classes.clone()
    }
}

/// An alert's phases go `new (update | stale)* end`.
#[derive(Default)]
pub struct Phases {
    open: bool,
}

impl Phases {
    /// Takes in the next phase.
    ///
    /// # Errors
    /// If it can't come now.
    pub fn next(&mut self, phase: scene::Phase) -> Result<(), String> {
        use scene::Phase::{End, New, Stale, Update};
        match (self.open, phase) {
            (false, New) => self.open = true,
            (true, Update | Stale) => {}
            (true, End) => self.open = false,
            (open, phase) => {
                let now = if open { "is" } else { "is not" };
                return Err(format!("{phase:?} comes while an alert {now} open"));
            }
        }
        Ok(())
    }
}
