//! Arming: what each part of a rule needs is found among what the camera can
//! sense, and what is missing is named.

mod heading;

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use scene::ports::{Ability, Knowledge};
use scene::{Heading, Id, Moment, Polygon, Question, Severity, Zone};

use crate::ask::{concept, gerund, question};
use crate::hours::{Hours, Position};
use crate::life::{self, Life, Snapshot};
use crate::{Defaults, Predicate, Refusal, RefusalKind, Rule, TimeOfDay};

/// The interval from look to look of a rule about a condition, while nothing
/// is happening.
pub const IDLE_INTERVAL: Duration = Duration::from_secs(5);
/// The interval of a rule that a detector alone decides: cheap enough to be quick.
pub const DETECT_INTERVAL: Duration = Duration::from_secs(1);
/// The interval of a rule that follows things: tracks break if they are looked
/// at less often.
pub const TRACK_INTERVAL: Duration = Duration::from_millis(500);
/// The interval while a first sign of a change waits for its confirmation.
pub const CONFIRM_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest interval that any rule may ask for.
pub const FLOOR_INTERVAL: Duration = Duration::from_millis(200);

/// Where the camera is and what is drawn in its picture.
#[derive(Clone, Debug)]
pub struct Site<'a> {
    /// The zones that are drawn.
    pub zones: &'a [Zone],
    /// The zone of the wall clock that schedules are meant in.
    pub time_zone: TimeZone,
    /// For sunrise and sunset; `None` takes 06:00 and 18:00 and says so.
    pub position: Option<Position>,
}

impl<'a> Site<'a> {
    /// A site in UTC of which nothing else is known.
    pub fn new(zones: &'a [Zone]) -> Self {
        Self {
            zones,
            time_zone: TimeZone::UTC,
            position: None,
        }
    }
}

/// How the leaves of a rule combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Combine {
    All,
    Any,
}

/// What a track must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Enter,
    Exit,
    Cross,
    Approach,
    Retreat,
    Appear,
    Disappear,
    Go(Heading),
    Turn(Heading),
}

/// The means by which a leaf is judged. Empty classes stand for every class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Means {
    Ask(Question),
    Detect {
        classes: Vec<String>,
    },
    Still {
        classes: Vec<String>,
    },
    Unattended {
        classes: Vec<String>,
    },
    Passage {
        classes: Vec<String>,
        deed: Deed,
        /// Only a passage that goes this way counts.
        way: Option<Heading>,
        gate: Option<Question>,
    },
}

/// A leaf with its means.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub rule: Rule,
    pub means: Means,
    /// Drawn zones that it is confined to; empty is the whole frame.
    pub areas: Vec<(Id, Polygon)>,
}

/// All that a life needs to know of its rule.
#[derive(Debug)]
pub(crate) struct Plan {
    pub rule: Rule,
    pub leaves: Vec<Leaf>,
    pub combine: Combine,
    pub hours: Option<Hours>,
    pub questions: Vec<Question>,
    pub notes: Vec<String>,
    pub interval: Duration,
}

/// A rule that can fire on this camera.
#[derive(Clone, Debug)]
pub struct Armed(pub(crate) Arc<Plan>);

impl Armed {
    /// The rule.
    pub fn rule(&self) -> &Rule {
        &self.0.rule
    }
    /// What the model must be asked; no question twice.
    pub fn questions(&self) -> &[Question] {
        &self.0.questions
    }
    /// Weaker readings and other things a person should know.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }
    /// The rule in one plain sentence, with all defaults.
    pub fn says(&self) -> String {
        self.0.rule.says()
    }
    /// What is applied where the sentence is silent.
    pub fn defaults(&self) -> Defaults {
        self.0.rule.defaults()
    }
    /// The severity, stated or default.
    pub fn severity(&self) -> Severity {
        self.0.rule.severity()
    }
    /// Whether each look must bring detections.
    pub fn needs_detections(&self) -> bool {
        self.0
            .leaves
            .iter()
            .any(|l| !matches!(l.means, Means::Ask(_)))
    }
    /// Whether detections must be followed as tracks.
    pub fn needs_tracks(&self) -> bool {
        (self.0.leaves.iter()).any(|l| !matches!(l.means, Means::Ask(_) | Means::Detect { .. }))
    }
    /// Whether it waits while the camera has no wall time.
    pub fn needs_clock(&self) -> bool {
        self.0.hours.is_some()
    }
    /// The interval from look to look while nothing is happening; a running
    /// [`Life`] may want shorter ones.
    pub fn wanted_interval(&self) -> Duration {
        self.0.interval
    }
    /// The life of this rule, from its start.
    pub fn life(&self) -> Life {
        Life::new(self.0.clone())
    }
    /// The life of this rule, going on from `snapshot` at `now`.
    pub fn resume(&self, snapshot: &Snapshot, now: Moment) -> Life {
        Life::resume(self.0.clone(), snapshot, now)
    }
}

/// Whether `action` is one that tracks tell.
pub(crate) fn is_passage(action: &str) -> bool {
    matches!(action, "enter" | "exit" | "cross" | "appear" | "disappear")
}

/// A zone narrower than this, in heights of the picture, is a line: things are
/// wider than it, so being on it is not crossing it.
const LINE: f32 = 0.06;

/// States that are told by a track that does not move.
const STILL: &[&str] = &[
    "parked",
    "still",
    "stationary",
    "stopped",
    "motionless",
    "not moving",
    "stuck",
];

fn cannot(why: String, offer: &str) -> Refusal {
    Refusal::new(RefusalKind::NotObservable, why).offer(offer)
}

struct Arming<'a> {
    site: &'a Site<'a>,
    senses: &'a dyn Knowledge,
    notes: Vec<String>,
}

impl Arming<'_> {
    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The drawn zones of a leaf's place; notes the ones that are not drawn.
    fn areas(&mut self, leaf: &Rule) -> Vec<(Id, Polygon)> {
        let mut areas = Vec::new();
        let mut absent = Vec::new();
        for name in leaf.zone.iter().flat_map(|z| z.names()) {
            // Words that were said in part of the zone's name still find it:
            // "gate area" and "the gate zone" are "gate".
            let slug = Id::slug(name);
            let short = name.strip_suffix(" area").and_then(Id::slug);
            let drawn = (self.site.zones.iter())
                .find(|z| Some(&z.name) == slug.as_ref() || Some(&z.name) == short.as_ref());
            match drawn {
                Some(z) => areas.push((z.name.clone(), z.polygon.clone())),
                None => absent.push(name.clone()),
            }
        }
        let outside = leaf.place.as_deref().is_some_and(|p| {
            [
                "outside",
                "behind",
                "beyond",
                "in front of",
                "above",
                "below",
            ]
            .iter()
            .any(|w| p.starts_with(w))
        });
        if outside && !areas.is_empty() {
            let place = leaf.place.clone().unwrap_or_default();
            self.note(format!(
                "'{place}' is not the inside of the drawn zone: the whole frame is looked at"
            ));
            return Vec::new();
        }
        for name in &absent {
            self.note(if areas.is_empty() {
                format!("no zone '{name}' is drawn: the whole frame is looked at")
            } else {
                format!("no zone '{name}' is drawn: only the drawn ones are looked at")
            });
        }
        areas
    }

    fn has_detector(&self) -> bool {
        !self.senses.classes().is_empty()
    }

    /// The classes for a noun; `Some(vec![])` is every class.
    fn classes(&self, noun: &str) -> Option<Vec<String>> {
        if matches!(noun, "object" | "any object") && self.has_detector() {
            return Some(Vec::new());
        }
        let mut classes = self.senses.classes_for(noun);
        if classes.is_empty() {
            // "delivery van": its last word is what it is, but then the first
            // ones are a qualifier that a detector can't tell.
            return None;
        }
        classes.dedup();
        Some(classes)
    }

    /// Whether a detector knows the noun as a thing that persons leave; persons
    /// themselves are never alone in that sense.
    fn can_be_left(&self, noun: &str) -> bool {
        let persons = self.senses.classes_for("person");
        self.classes(noun)
            .is_some_and(|own| !own.iter().any(|c| persons.contains(c)))
    }

    fn needs_classes(&self, noun: &str, what: &str) -> Result<Vec<String>, Refusal> {
        self.classes(noun).ok_or_else(|| {
            let why = if self.has_detector() {
                format!(
                    "{what} needs a detector that knows '{noun}', and the one installed doesn't."
                )
            } else {
                format!("{what} needs a detector that knows '{noun}', and none is installed.")
            };
            cannot(
                why,
                "Install a detector package with that class, or ask whether one is there instead.",
            )
        })
    }

    /// A question that the model can at least try, or why not.
    fn ask(&self, leaf: &Rule, areas: &[(Id, Polygon)]) -> Result<Question, String> {
        let crop = match areas {
            [(id, _)] => Some(id.clone()),
            _ => None,
        };
        let q = question(leaf, crop);
        match self.senses.ability(&q) {
            Ability::Cannot(why) => Err(why),
            Ability::Knows | Ability::Tries => Ok(q),
        }
    }

    fn no_means(&self, leaf: &Rule, why: String) -> Refusal {
        let about = concept(leaf);
        let words = match about.qualifiers.as_slice() {
            [] => about.noun.clone(),
            q => format!("{} {}", about.noun, q.join(", ")),
        };
        cannot(
            format!("Nothing here can tell '{words}': {why}"),
            "Install a model that knows it, or name a thing that this camera's model or detector knows.",
        )
    }

    fn leaf(&mut self, rule: &Rule) -> Result<Leaf, Refusal> {
        let areas = self.areas(rule);
        let about = concept(rule);
        let means = match rule.predicate {
            Some(Predicate::Event) => self.event(rule, &about.noun, &areas)?,
            // "20 people within 10 minutes": as many that come, one by one.
            Some(Predicate::Count) if rule.window_seconds.is_some() => {
                let action = if rule.zone.is_some() {
                    "enter"
                } else {
                    "appear"
                };
                let coming = Rule {
                    action: rule.action.clone().or(Some(action.into())),
                    ..rule.clone()
                };
                self.event(&coming, &about.noun, &areas)?
            }
            Some(Predicate::State)
                if rule.state.as_deref().is_some_and(|s| STILL.contains(&s))
                    && rule.attributes.is_empty()
                    && self.classes(&about.noun).is_some() =>
            {
                Means::Still {
                    classes: self.needs_classes(&about.noun, "standing still")?,
                }
            }
            _ if rule.is_unattended()
                && rule.attributes.is_empty()
                && self.can_be_left(&about.noun) =>
            {
                if self.senses.classes_for("person").is_empty() {
                    self.note(format!(
                        "no detector here knows 'person': a {} counts as unattended as soon as it is still",
                        about.noun
                    ));
                }
                Means::Unattended {
                    classes: self.needs_classes(&about.noun, "left behind")?,
                }
            }
            _ if about.qualifiers.is_empty() => match self.classes(&about.noun) {
                Some(classes) => Means::Detect { classes },
                None => Means::Ask(
                    self.ask(rule, &areas)
                        .map_err(|why| self.no_means(rule, why))?,
                ),
            },
            _ => match self.ask(rule, &areas) {
                Ok(q) => Means::Ask(q),
                Err(why) => {
                    let only_queue = about.qualifiers == ["in queue"];
                    match self.classes(&about.noun) {
                        Some(classes) if only_queue => {
                            self.note(format!(
                                "counts every {} in view: nothing here tells a queue",
                                about.noun
                            ));
                            Means::Detect { classes }
                        }
                        _ => return Err(self.no_means(rule, why)),
                    }
                }
            },
        };
        Ok(Leaf {
            rule: rule.clone(),
            means,
            areas,
        })
    }

    fn event(
        &mut self,
        rule: &Rule,
        noun: &str,
        areas: &[(Id, Polygon)],
    ) -> Result<Means, Refusal> {
        let action = rule.action.as_deref().unwrap_or("appear");
        let moving = self.moving(rule, action, noun, areas)?;
        if !is_passage(action) && moving.is_none() {
            if rule.window_seconds.is_some() {
                return Err(cannot(
                    format!(
                        "'{action}' can't be counted: only entering, leaving, appearing, disappearing and going somewhere can."
                    ),
                    "Ask for an alert each time instead, or count people entering a zone.",
                ));
            }
            return Ok(Means::Ask(
                self.ask(rule, areas)
                    .map_err(|why| self.no_means(rule, why))?,
            ));
        }
        let classes = self.needs_classes(noun, &format!("'{action}'"))?;
        let drawn = !areas.is_empty();
        let lines = (areas.iter()).all(|(_, polygon)| polygon.narrowest(1.0) < LINE);
        let mut way = match &rule.direction {
            Some(direction) if moving.is_none() => Some(heading::heading(direction)?),
            _ => None,
        };
        if let Some(way) = way {
            self.note(heading::meaning(way).into());
        }
        let deed = match action {
            _ if moving.is_some() => moving.unwrap_or(Deed::Appear),
            "enter" if drawn => Deed::Enter,
            "exit" if drawn => Deed::Exit,
            "cross" if drawn && lines => {
                self.note("crossing is told on the other side of the drawn zone".into());
                Deed::Cross
            }
            "cross" if drawn => {
                self.note("crossing is told by entering the drawn zone".into());
                Deed::Enter
            }
            "cross" => {
                let name = rule
                    .zone
                    .as_ref()
                    .map_or("line".into(), |z| z.names().join(", "));
                return Err(cannot(
                    format!("Crossing '{name}' can't be told: no such zone is drawn."),
                    &format!("Draw a zone named '{name}' where it is, then set the rule again."),
                ));
            }
            "enter" | "appear" if way.is_some() => {
                // Where a thing turns up it has not gone anywhere yet.
                self.note(format!("a {noun} counts once it is seen to go that way"));
                way.take().map_or(Deed::Appear, Deed::Go)
            }
            "enter" => {
                self.note(format!("a {noun} that comes into view counts as entering"));
                Deed::Appear
            }
            "exit" => {
                self.note(format!("a {noun} that goes out of view counts as leaving"));
                Deed::Disappear
            }
            "appear" => Deed::Appear,
            _ => Deed::Disappear,
        };
        let narrowed =
            !rule.attributes.is_empty() || noun != rule.subject.as_deref().unwrap_or(noun);
        // The passage itself is told by tracks; whether it is a *red* car is
        // asked of the model, about the same place: of the whole frame where
        // the thing is outside the zone.
        let looked_at = match deed {
            Deed::Approach | Deed::Retreat => &[],
            _ => areas,
        };
        let looks_like = Rule {
            predicate: Some(Predicate::Presence),
            action: None,
            direction: None,
            comparator: None,
            threshold: None,
            place: None,
            ..rule.clone()
        };
        let mut gate = None;
        if moving.is_some() && heading::says_how(action) {
            let how = gerund(action);
            let mut so = looks_like.clone();
            so.attributes.push(how.clone());
            gate = self.ask(&so, looked_at).ok();
            if gate.is_none() {
                self.note(format!(
                    "nothing here tells {how} from any other way to go: every {noun} that goes there counts"
                ));
            }
        }
        if gate.is_none() && narrowed && noun != "object" {
            gate = Some(
                self.ask(&looks_like, looked_at)
                    .map_err(|why| self.no_means(&looks_like, why))?,
            );
        }
        Ok(Means::Passage {
            classes,
            deed,
            way,
            gate,
        })
    }
}

/// Finds the means for every part of `rule` among what `senses` offers.
///
/// # Errors
/// A [`Refusal`] of kind `not_observable` that names what is missing and the
/// remedy, if a part can't be judged by anything here; `ambiguous` for
/// combinations of events that have no clear order.
pub fn arm(rule: &Rule, site: &Site<'_>, senses: &dyn Knowledge) -> Result<Armed, Refusal> {
    let mut arming = Arming {
        site,
        senses,
        notes: Vec::new(),
    };
    let combine = if rule.all.is_some() {
        Combine::All
    } else {
        Combine::Any
    };
    let mut leaves = Vec::new();
    for leaf in rule.leaves() {
        leaves.push(arming.leaf(leaf)?);
    }
    let events = |l: &&Leaf| matches!(l.means, Means::Passage { .. });
    if combine == Combine::All && leaves.iter().filter(events).count() > 1 {
        return Err(Refusal::new(
            RefusalKind::Ambiguous,
            "Two events joined by 'and' never happen in the same instant.",
        )
        .missing("window_seconds")
        .offer("Make two rules, or ask for one event while the other is a state."));
    }
    if leaves.iter().any(|l| events(&l)) && rule.for_seconds.is_some_and(|s| s.as_millis() > 0) {
        return Err(Refusal::new(
            RefusalKind::Contradictory,
            "An event happens in an instant; it can't hold for a time.",
        )
        .offer("Ask for the thing being there for that long, or say 'within' to count events."));
    }
    let hours = rule.schedule.as_ref().map(|s| {
        let by_sun = [s.start, s.end]
            .iter()
            .any(|t| matches!(t, Some(TimeOfDay::Sunrise | TimeOfDay::Sunset)));
        if by_sun && site.position.is_none() {
            arming.note(
                "the camera's position is not set: sunrise is taken as 06:00, sunset as 18:00"
                    .into(),
            );
        }
        Hours::new(s.clone(), site.time_zone.clone(), site.position)
    });
    for note in life::notes(rule, &leaves) {
        arming.note(note);
    }
    let mut questions: Vec<Question> = Vec::new();
    for leaf in &leaves {
        let q = match &leaf.means {
            Means::Ask(q) => Some(q),
            Means::Passage { gate, .. } => gate.as_ref(),
            _ => None,
        };
        if let Some(q) = q
            && !questions.contains(q)
        {
            questions.push(q.clone());
        }
    }
    let tracked = leaves
        .iter()
        .any(|l| !matches!(l.means, Means::Ask(_) | Means::Detect { .. }));
    let asks = !questions.is_empty();
    Ok(Armed(Arc::new(Plan {
        rule: rule.clone(),
        leaves,
        combine,
        hours,
        questions,
        notes: arming.notes,
        interval: if tracked {
            TRACK_INTERVAL
        } else if asks {
            IDLE_INTERVAL
        } else {
            DETECT_INTERVAL
        },
    })))
}
