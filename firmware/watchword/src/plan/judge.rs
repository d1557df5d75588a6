//! Which rules fit, and what they come to in a year.

use std::time::Duration;

use governor::{Cause, Config, OverBudget, Wish};
use jiff::tz::TimeZone;
use platform::BoardSpec;
use rules::{Armed, Refusal, Site};
use scene::ports::Knowledge;
use scene::{Celsius, Id, Joules, Watts, Zone};
use serde_json::{Value as Json, json};

use super::board::{Air, Camera, Looks, Ran, Watched};
use super::input::Allotment;
use crate::watch::inbox::RuleWish;

/// What is to be planned.
pub struct Asked<'a> {
    /// The board.
    pub spec: &'a BoardSpec,
    /// What the daemon gives its governor on that board.
    pub config: Config,
    /// Where its costs come from, in a sentence.
    pub costs: String,
    /// Whether they were measured on such a board.
    pub calibrated: bool,
    /// What the switch grants.
    pub allotment: Allotment,
    /// Of the air.
    pub ambient: Celsius,
    /// Hours a day with all on that can switch on by itself, 0 to 24.
    pub night_hours: f64,
    /// The rules.
    pub rules: Vec<(Id, RuleWish)>,
    /// The zones that are drawn.
    pub zones: &'a [Zone],
    /// The model.
    pub knowledge: &'a dyn Knowledge,
}

/// One rule, judged.
#[derive(Clone, Debug)]
pub struct Planned {
    /// `rule-1` and so on, in the order of the file.
    pub id: Id,
    /// The sentence.
    pub text: String,
    /// More slows later.
    pub priority: u8,
    /// How.
    pub fit: Fit,
}

/// Whether a rule can be watched for.
#[derive(Clone, Debug)]
pub enum Fit {
    /// This camera can't watch for it, whatever it is granted.
    Refused(Refusal),
    /// Its looks can't be paid for, even at its floor.
    OverBudget {
        /// Whether it is the night that has too little left.
        night: bool,
        /// How much is missing.
        over: OverBudget,
        /// What it wants.
        wanted: Duration,
        /// Questions of it.
        questions: usize,
    },
    /// It is watched for.
    Fits {
        /// How often it wants to be looked at while nothing happens.
        wanted: Duration,
        /// Questions of it.
        questions: usize,
    },
}

/// A year of 8,760 hours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Year {
    /// Looks, on average over day and night.
    pub inference: Watts,
    /// The whole camera.
    pub camera: Watts,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Folder of `board/`.
    pub board: String,
    /// For people.
    pub title: String,
    /// What the switch grants.
    pub allotment: Allotment,
    /// Of the air.
    pub ambient: Celsius,
    /// Hours a day.
    pub night_hours: f64,
    /// `id/version/variant`.
    pub model: String,
    /// Where costs come from.
    pub costs: String,
    /// Whether they were measured on such a board.
    pub calibrated: bool,
    /// The die must not get there.
    pub critical: Celsius,
    /// Looks get less from here on.
    pub derate: Celsius,
    /// In the order of the file.
    pub rules: Vec<Planned>,
    /// With all off that can switch on by itself.
    pub day: Ran,
    /// With all on; `None` if nothing does, or there is no night.
    pub night: Option<Ran>,
    /// By day in the hottest air that the board is made for; `None` if that is
    /// what was asked for.
    pub hot: Option<(Celsius, Ran)>,
    /// What it comes to.
    pub year: Year,
}

/// Averages differ by less than this for other reasons, watts.
const HAIR: f64 = 0.05;

/// Hours of a year: 365 days.
const HOURS: f64 = 8_760.0;

impl Year {
    /// kWh of so many watts.
    pub fn kilowatt_hours(watts: Watts) -> f64 {
        watts.0 * HOURS / 1e3
    }

    /// Energy of so many watts.
    pub fn joules(watts: Watts) -> Joules {
        Joules(watts.0 * HOURS * 3_600.0)
    }
}

impl Ran {
    /// What looks take on average.
    pub fn inference(&self) -> Watts {
        Watts(self.joules.0 / self.seconds.max(1e-3))
    }

    /// Looks of all rules, an hour.
    pub fn checks_per_hour(&self) -> f64 {
        let looks: u64 = self.rules.values().map(|rule| rule.looks).sum();
        looks as f64 * 3_600.0 / self.seconds.max(1e-3)
    }

    /// Whether it is heat that bounds what is left for looks, and not the
    /// allotment.
    pub fn heat_bounds(&self) -> bool {
        let state = &self.state;
        let usable = state.allotment.value - state.margin - state.baseline.value;
        state.share.0 + HAIR < usable.0
    }

    /// What keeps looks from being made at will, if anything does.
    pub fn cause(&self) -> Option<Cause> {
        self.state.throttle.as_ref().map(|throttle| throttle.cause)
    }

    /// The operating point of most looks; the one that it would look at if
    /// there were none.
    pub fn point(&self) -> String {
        let most = self.points.iter().max_by_key(|(_, looks)| **looks);
        most.map_or(&self.state.point, |(point, _)| point)
            .to_string()
    }
}

/// Judges `asked`.
pub fn plan(asked: Asked<'_>) -> Plan {
    let spec = asked.spec;
    let switched: f64 = spec.power.switched.values().sum();
    let air = |celsius, night| Air { celsius, night };
    let camera = |air: &Air| Camera::new(spec, asked.config.clone(), &asked.allotment, air);
    let has_night = switched > 0.0 && asked.night_hours > 0.0;
    let has_day = asked.night_hours < 24.0 || switched <= 0.0;
    let most = Celsius(spec.thermal.ambient_most_celsius);
    let mut day = camera(&air(asked.ambient, false));
    let mut night = has_night.then(|| camera(&air(asked.ambient, true)));
    let mut hot = (most > asked.ambient).then(|| camera(&air(most, false)));
    let site = Site {
        zones: asked.zones,
        time_zone: TimeZone::UTC,
        position: None,
    };
    let mut rules = Vec::new();
    for (id, wish) in asked.rules {
        let armed =
            ::rules::read(&wish.text).and_then(|rule| ::rules::arm(&rule, &site, asked.knowledge));
        let fit = match armed {
            Err(refusal) => Fit::Refused(refusal),
            Ok(armed) => {
                let rule = watched(&id, &armed, &wish);
                let (wanted, questions) = (rule.wish.wanted, rule.wish.questions);
                let by_day = day.fits(&rule).err().filter(|_| has_day);
                let by_night = night.as_ref().and_then(|night| night.fits(&rule).err());
                let over = match (by_night, by_day) {
                    (Some(over), _) => Some((true, over)),
                    (None, by_day) => by_day.map(|over| (false, over)),
                };
                match over {
                    Some((night, over)) => Fit::OverBudget {
                        night,
                        over,
                        wanted,
                        questions,
                    },
                    None => {
                        let others = [night.as_mut(), hot.as_mut()];
                        for camera in others.into_iter().flatten() {
                            camera.watch(rule.clone());
                        }
                        day.watch(rule);
                        Fit::Fits { wanted, questions }
                    }
                }
            }
        };
        rules.push(Planned {
            id,
            text: wish.text,
            priority: wish.priority,
            fit,
        });
    }
    let (day, night) = (day.run(), night.map(Camera::run));
    let hot = hot.map(|camera| (most, camera.run()));
    let share = match &night {
        Some(_) => asked.night_hours / 24.0,
        None => 0.0,
    };
    let dark = night.as_ref().unwrap_or(&day);
    let inference = day.inference().0 * (1.0 - share) + dark.inference().0 * share;
    let without = spec.power.idle_watts + switched * share;
    Plan {
        board: spec.board.name.clone(),
        title: spec.board.title.clone(),
        allotment: asked.allotment,
        ambient: asked.ambient,
        night_hours: asked.night_hours,
        model: asked.knowledge.name(),
        costs: asked.costs,
        calibrated: asked.calibrated,
        critical: spec.thermal.critical(),
        derate: spec.thermal.derate(),
        rules,
        day,
        night,
        hot,
        year: Year {
            inference: Watts(inference),
            camera: Watts(without + inference),
        },
    }
}

/// As the watch loop asks for it while nothing happens.
fn watched(id: &Id, armed: &Armed, wish: &RuleWish) -> Watched {
    let stated = wish.every_seconds.map(Duration::from_secs_f64);
    let wanted = armed.wanted_interval();
    Watched {
        id: id.clone(),
        wish: Wish {
            wanted: stated.map_or(wanted, |stated| stated.max(wanted)),
            priority: wish.priority,
            questions: armed.questions().len(),
            need: None,
        },
        questions: armed.questions().to_vec(),
    }
}

impl Plan {
    /// Whether all rules fit.
    pub fn all_fit(&self) -> bool {
        (self.rules.iter()).all(|rule| matches!(rule.fit, Fit::Fits { .. }))
    }

    /// What was counted, by name.
    pub(super) fn conditions(&self) -> Vec<(String, &Ran)> {
        let day = [("by day".to_owned(), &self.day)];
        let night = self.night.iter().map(|ran| ("at night".to_owned(), ran));
        let hot = self.hot.iter();
        let hot = hot.map(|(celsius, ran)| (format!("at {celsius:.0}"), ran));
        day.into_iter().chain(night).chain(hot).collect()
    }

    /// The looks of one rule by day and at night.
    pub(super) fn looks(&self, rule: &Id) -> (Looks, Option<Looks>) {
        let of = |ran: &Ran| ran.rules.get(rule).copied().unwrap_or_default();
        (of(&self.day), self.night.as_ref().map(of))
    }

    /// What a rule takes on average over day and night.
    pub(super) fn watts(&self, rule: &Id) -> Watts {
        let (day, night) = self.looks(rule);
        let share = night.map_or(0.0, |_| self.night_hours / 24.0);
        let watts = |looks: Looks, ran: &Ran| looks.joules / ran.seconds.max(1e-3);
        let by_night = self.night.as_ref().zip(night);
        let dark = by_night.map_or(0.0, |(ran, looks)| watts(looks, ran));
        Watts(watts(day, &self.day) * (1.0 - share) + dark * share)
    }

    /// For scripts: docs/guides/power.md lists the keys.
    pub fn to_json(&self) -> Json {
        let conditions = self.conditions().into_iter().map(|(name, ran)| {
            json!({
                "when": name,
                "board_watts": round(ran.state.baseline.value.0),
                "bounded_by_heat": ran.heat_bounds(),
                "left_for_looks_watts": round(ran.state.share.0),
                "inference_watts": round(ran.inference().0),
                "most_watts": round(ran.most.0),
                "point": ran.point(),
                "points": ran.points.iter().map(|(p, n)| json!({"point": p, "looks": n})).collect::<Vec<_>>(),
                "checks_per_hour": round(ran.checks_per_hour()),
                "die_celsius": round(ran.hottest.0),
                "given_up_per_hour": ran.given_up,
                "throttle": ran.state.throttle,
            })
        });
        let rules = self.rules.iter().map(|rule| self.rule_json(rule));
        let year = |watts: Watts| {
            json!({
                "watts": round(watts.0),
                "joules": Year::joules(watts).0.round(),
                "kwh": round(Year::kilowatt_hours(watts)),
            })
        };
        json!({
            "v": 1,
            "board": self.board,
            "allotment": {"watts": self.allotment.watts, "by": self.allotment.by},
            "ambient_celsius": self.ambient,
            "night_hours": self.night_hours,
            "model": self.model,
            "costs": {"source": if self.calibrated { "measured" } else { "modelled" }, "from": self.costs},
            "limits_celsius": {"derate": self.derate, "critical": self.critical},
            "rules": rules.collect::<Vec<_>>(),
            "conditions": conditions.collect::<Vec<_>>(),
            "year": {"inference": year(self.year.inference), "camera": year(self.year.camera)},
            "fits": self.all_fit(),
        })
    }

    fn rule_json(&self, rule: &Planned) -> Json {
        let mut form = json!({"rule": rule.id, "text": rule.text, "priority": rule.priority});
        let more = match &rule.fit {
            Fit::Refused(refusal) => json!({"fits": false, "error": refusal}),
            Fit::OverBudget {
                night,
                over,
                wanted,
                questions,
            } => json!({
                "fits": false,
                "wanted_seconds": wanted.as_secs_f64(),
                "questions": questions,
                "error": {
                    "kind": "over_budget",
                    "when": if *night { "at night" } else { "by day" },
                    "needs_watts": round(over.needs.0),
                    "left_watts": round(over.left.0),
                    "feasible_seconds": over.feasible.map(|every| every.as_secs_f64()),
                },
            }),
            Fit::Fits { wanted, questions } => {
                let (day, night) = self.looks(&rule.id);
                let watts = self.watts(&rule.id);
                let one = |looks: Looks, ran: &Ran| {
                    json!({
                        "every_seconds": looks.every(ran.seconds).map(|every| round(every.as_secs_f64())),
                        "blind_seconds": round(looks.longest.as_secs_f64()),
                        "blind_share": round(looks.blind.as_secs_f64() / ran.seconds.max(1e-3)),
                        "joules_per_check": round(looks.joules_per_check()),
                        "slowed": ran.slowed.get(&rule.id),
                    })
                };
                json!({
                    "fits": true,
                    "wanted_seconds": wanted.as_secs_f64(),
                    "questions": questions,
                    "day": one(day, &self.day),
                    "night": self.night.as_ref().zip(night).map(|(ran, looks)| one(looks, ran)),
                    "watts": round(watts.0),
                    "joules_per_year": Year::joules(watts).0.round(),
                    "kwh_per_year": round(Year::kilowatt_hours(watts)),
                })
            }
        };
        if let (Json::Object(form), Json::Object(more)) = (&mut form, more) {
            form.extend(more);
        }
        form
    }
}

impl Looks {
    /// From look to look on average; `None` without any.
    pub(super) fn every(&self, seconds: f64) -> Option<Duration> {
        (self.looks > 0).then(|| Duration::from_secs_f64(seconds / self.looks as f64))
    }

    /// Its share of a look that it has with others.
    pub(super) fn joules_per_check(&self) -> f64 {
        match self.looks {
            0 => 0.0,
            looks => self.joules / looks as f64,
        }
    }
}

/// No more digits than anybody reads.
fn round(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}
