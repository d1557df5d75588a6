//! What the board may draw, from all who say something of it. Pure: time is
//! an argument.

use std::borrow::Cow;
use std::time::Duration;

use scene::ports::Reading;
use scene::{Mono, Watts};

use crate::pins::Shown;
use crate::spec::Poe;

/// Until anything is known: 802.3af, which every switch gives.
pub const UNTIL_KNOWN: Watts = Watts(12.95);

/// What was told last counts for this long after it falls silent: longer than
/// the two minutes after which a neighbour of LLDP is forgotten, so that a
/// daemon that restarts changes nothing.
pub const KEPT: Duration = Duration::from_secs(300);

/// Who says what is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Lldp,
    Pins,
    Hat,
}

const ALL: [Who; 3] = [Who::Lldp, Who::Pins, Who::Hat];

impl Who {
    fn name(self) -> &'static str {
        match self {
            Who::Lldp => "lldp",
            Who::Pins => "pd pins",
            Who::Hat => "rpi-poe",
        }
    }
}

/// What is told at one moment; `None` is silence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Grants {
    /// The lowest allocation of LLDP's neighbours, and when it was heard.
    pub lldp: Option<(Watts, Mono)>,
    /// What the PD controller's pins show.
    pub pins: Option<Shown>,
    /// What the Raspberry Pi PoE HAT can give.
    pub hat: Option<Watts>,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    watts: Watts,
    at: Mono,
}

/// The lowest of what is told, never more than the board's class.
#[derive(Clone, Debug)]
pub struct Allotment {
    class: Watts,
    class_name: String,
    /// By [`ALL`].
    last: [Option<Said>; 3],
}

impl Allotment {
    /// Of a board; nothing is known yet.
    pub fn new(poe: &Poe) -> Self {
        Self {
            class: poe.allotment().unwrap_or(UNTIL_KNOWN),
            class_name: format!("class {}", poe.class),
            last: [None; 3],
        }
    }

    /// What it is at `now`, and a sentence for each who fell silent.
    ///
    /// The lowest of what is told counts, capped by the class: 12.95 W until
    /// anything is. Who speaks is believed at once, up and down. Who falls
    /// silent is believed for [`KEPT`] longer; from then on the others decide,
    /// and it goes on to be a cap: silence never raises the allotment.
    pub fn combine(&mut self, now: Mono, told: &Grants) -> (Reading<Watts>, Vec<String>) {
        let lldp = told.lldp.map(|(watts, at)| Said { watts, at });
        let pins = told.pins.and_then(|shown| match shown {
            Shown::Granted(watts) => Some(Said { watts, at: now }),
            // Of its watts nothing is known.
            Shown::Adapter => None,
        });
        let hat = told.hat.map(|watts| Said { watts, at: now });
        let mut problems = Vec::new();
        let mut known: Option<(Watts, Mono, Who)> = None;
        let mut cap: Option<(Watts, Mono, Who)> = None;
        for ((who, said), last) in ALL.into_iter().zip([lldp, pins, hat]).zip(&mut self.last) {
            *last = said.or(*last);
            let Some(Said { watts, at }) = *last else {
                continue;
            };
            let age = now.since(at);
            // LLDP speaks every ten seconds, so its last word is never of now.
            let silent = said.is_none() || age > KEPT;
            if silent {
                problems.push(format!(
                    "{} granted {watts:.2} {} s ago and is silent now",
                    who.name(),
                    age.as_secs()
                ));
            }
            let slot = if silent && age > KEPT {
                &mut cap
            } else {
                &mut known
            };
            if slot.is_none_or(|(lowest, ..)| watts.0 < lowest.0) {
                *slot = Some((watts, at, who));
            }
        }
        let (mut watts, mut by, mut at) = match known {
            Some((watts, at, who)) => (watts, Cow::Borrowed(who.name()), Some(at)),
            None => (UNTIL_KNOWN, Cow::Borrowed("nobody yet"), None),
        };
        if let Some((most, then, who)) = cap
            && most.0 < watts.0
        {
            (watts, by, at) = (most, who.name().into(), Some(then));
        }
        if self.class.0 < watts.0 || (at.is_none() && self.class.0 == watts.0) {
            (watts, by, at) = (self.class, self.class_name.clone().into(), None);
        }
        let reading = match at {
            Some(at) => Reading {
                age: now.since(at),
                ..Reading::measured(watts, by)
            },
            None => Reading::modelled(watts, by),
        };
        (reading, problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scene::Source;

    fn of_class(class: u8) -> Allotment {
        Allotment::new(&Poe {
            class,
            lldp: true,
            pins: None,
        })
    }

    fn at(seconds: f64) -> Mono {
        Mono::from_secs_f64(seconds)
    }

    fn lldp(watts: f64, seconds: f64) -> Grants {
        Grants {
            lldp: Some((Watts(watts), at(seconds))),
            ..Grants::default()
        }
    }

    const SILENCE: Grants = Grants {
        lldp: None,
        pins: None,
        hat: None,
    };

    fn watts(a: &mut Allotment, seconds: f64, told: &Grants) -> f64 {
        a.combine(at(seconds), told).0.value.0
    }

    #[test]
    fn until_something_is_known_it_is_12_95() {
        for (class, expected, by) in [
            (0, 12.95, "class 0"),
            (1, 3.84, "class 1"),
            (2, 6.49, "class 2"),
            (3, 12.95, "class 3"),
            (4, 12.95, "nobody yet"),
            (8, 12.95, "nobody yet"),
        ] {
            let (reading, problems) = of_class(class).combine(at(1.0), &SILENCE);
            assert_eq!(reading, Reading::modelled(Watts(expected), by));
            assert_eq!(problems, Vec::<String>::new());
        }
    }

    #[test]
    fn the_lowest_that_is_told_counts_and_the_class_caps() {
        let mut a = of_class(4);
        let mut told = lldp(25.0, 9.0);
        let (reading, _) = a.combine(at(10.0), &told);
        assert_eq!((reading.value, &*reading.by), (Watts(25.0), "lldp"));
        assert_eq!(reading.source, Source::Measured);
        assert_eq!(reading.age, Duration::from_secs(1));
        told.pins = Some(Shown::Granted(Watts(12.95)));
        let (reading, _) = a.combine(at(10.0), &told);
        assert_eq!((reading.value, &*reading.by), (Watts(12.95), "pd pins"));
        told.pins = Some(Shown::Granted(Watts(71.3)));
        told.hat = Some(Watts(12.5));
        let (reading, _) = a.combine(at(10.0), &told);
        assert_eq!((reading.value, &*reading.by), (Watts(12.5), "rpi-poe"));
        let (reading, _) = of_class(4).combine(at(10.0), &lldp(51.0, 9.0));
        assert_eq!((reading.value, &*reading.by), (Watts(25.5), "class 4"));
        assert_eq!(reading.source, Source::Modelled);
        // An adapter says nothing of watts.
        let told = Grants {
            pins: Some(Shown::Adapter),
            ..SILENCE
        };
        assert_eq!(watts(&mut of_class(4), 0.0, &told), 12.95);
    }

    #[test]
    fn renegotiation_shows_at_once() {
        let mut a = of_class(4);
        assert_eq!(watts(&mut a, 0.0, &lldp(25.5, 0.0)), 25.5);
        assert_eq!(watts(&mut a, 10.0, &lldp(13.4, 10.0)), 13.4);
        assert_eq!(watts(&mut a, 20.0, &lldp(6.0, 20.0)), 6.0);
        assert_eq!(watts(&mut a, 30.0, &lldp(25.5, 30.0)), 25.5);
    }

    #[test]
    fn silence_keeps_for_a_while_and_never_raises() {
        let mut a = of_class(4);
        assert_eq!(watts(&mut a, 0.0, &lldp(25.5, 0.0)), 25.5);
        let (reading, problems) = a.combine(at(299.0), &SILENCE);
        assert_eq!((reading.value, reading.age.as_secs()), (Watts(25.5), 299));
        assert_eq!(
            problems,
            ["lldp granted 25.50 W 299 s ago and is silent now"]
        );
        assert_eq!(watts(&mut a, 301.0, &SILENCE), 12.95);
        // The others are heard, and the silent one caps them.
        let pins = |w| Grants {
            pins: Some(Shown::Granted(Watts(w))),
            ..SILENCE
        };
        assert_eq!(watts(&mut a, 302.0, &pins(51.0)), 25.5);
        assert_eq!(watts(&mut a, 303.0, &pins(12.95)), 12.95);
        assert_eq!(watts(&mut a, 304.0, &lldp(20.0, 304.0)), 12.95, "pins kept");
        // Low, and silent for days: it stays low.
        let mut a = of_class(4);
        assert_eq!(watts(&mut a, 0.0, &lldp(6.49, 0.0)), 6.49);
        assert_eq!(watts(&mut a, 200_000.0, &SILENCE), 6.49);
        assert_eq!(watts(&mut a, 200_010.0, &lldp(25.5, 200_010.0)), 25.5);
        // An answer that is given again and again and grows old is silence.
        let mut a = of_class(4);
        assert_eq!(watts(&mut a, 0.0, &lldp(25.5, 0.0)), 25.5);
        assert_eq!(watts(&mut a, 301.0, &lldp(25.5, 0.0)), 12.95);
    }
}
