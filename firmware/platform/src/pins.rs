//! What a PD controller shows on its pins.

use scene::Watts;

use crate::spec::{self, Controller};

/// Levels of the lines, as they are at the camera's inputs: `true` is high.
/// The controllers' outputs are open drain behind optocouplers, so what a
/// controller asserts is low.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// TPH.
    pub tph: Option<bool>,
    /// TPL.
    pub tpl: Option<bool>,
    /// BT: low where the switch is of type 3 or 4.
    pub bt: Option<bool>,
    /// T2P.
    pub t2p: Option<bool>,
}

/// What the pins say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shown {
    /// The switch grants this at the device.
    Granted(Watts),
    /// An auxiliary adapter feeds the camera; of its watts nothing is known.
    Adapter,
}

/// Reads the lines of a PD controller.
pub trait Lines: Send {
    /// The levels now, or why there are none.
    fn levels(&mut self) -> Result<Levels, String>;
}

/// What `levels` mean. An error is a sentence: these levels mean nothing.
///
/// TPS2372 and TPS2373 (data sheets of both): TPH and TPL tell how the switch
/// classified the device, BT whether it is of type 3 or 4; a TPS2373 shows an
/// adapter as TPH low, TPL and BT high. TPS23731: T2P is low where the switch
/// grants 25.5 W.
pub fn decode(controller: Controller, levels: Levels) -> Result<Shown, String> {
    let told = |level: Option<bool>, pin: &str| {
        level.ok_or_else(|| format!("the PD controller's pin {pin} can't be read"))
    };
    let watts = |w| Ok(Shown::Granted(Watts(w)));
    if controller == Controller::Tps23731 {
        return watts(if told(levels.t2p, "T2P")? {
            12.95
        } else {
            25.5
        });
    }
    let (high, low) = (told(levels.tph, "TPH")?, told(levels.tpl, "TPL")?);
    match (high, low, levels.bt) {
        (true, true, _) => watts(12.95),
        (true, false, _) => watts(25.5),
        // Without BT a TPS2373 can't tell; its board.toml is refused, and this
        // is for who calls without one.
        (false, true, None) if controller == Controller::Tps2373 => {
            Err("the PD controller's pin BT is needed to tell 51 W from an adapter".into())
        }
        (false, true, Some(true)) if controller == Controller::Tps2373 => Ok(Shown::Adapter),
        (false, true, None | Some(false)) => watts(51.0),
        (false, false, None | Some(false)) => watts(71.3),
        // More than 25.5 W from a switch that is of neither type 3 nor 4.
        (false, _, Some(true)) => Err(format!(
            "the PD controller's pins contradict each other: TPH low, TPL {}, BT high",
            if low { "high" } else { "low" }
        )),
    }
}

/// Lines of the GPIO character device, requested once and found anew when
/// they fail.
#[derive(Debug)]
pub(crate) struct Gpio {
    pins: spec::Pins,
    requests: Option<Vec<(String, gpiocdev::Request)>>,
    /// Readings until the next search after a failed one.
    wait: u32,
}

/// A search opens every chip of the board; every 20th reading is often enough.
const SEARCH_EVERY: u32 = 20;

impl Gpio {
    pub fn new(pins: spec::Pins) -> Self {
        Self {
            pins,
            requests: None,
            wait: 0,
        }
    }

    fn names(&self) -> Vec<&str> {
        let pins = &self.pins;
        let all = [&pins.tph, &pins.tpl, &pins.bt, &pins.t2p];
        all.into_iter().flatten().map(String::as_str).collect()
    }

    fn request(&self) -> Result<Vec<(String, gpiocdev::Request)>, String> {
        let names = self.names();
        let found = gpiocdev::find_named_lines(&names, true)
            .map_err(|e| format!("the PD controller's lines can't be looked for: {e}"))?;
        names
            .iter()
            .map(|name| {
                let line = found
                    .get(name)
                    .ok_or_else(|| format!("no GPIO line is called \"{name}\""))?;
                let request = gpiocdev::Request::builder()
                    .with_consumer("watchword")
                    .with_found_line(line)
                    .as_input()
                    .request()
                    .map_err(|e| format!("the GPIO line \"{name}\" can't be had: {e}"))?;
                Ok(((*name).to_string(), request))
            })
            .collect()
    }
}

impl Lines for Gpio {
    fn levels(&mut self) -> Result<Levels, String> {
        if self.requests.is_none() {
            if self.wait > 0 {
                self.wait -= 1;
                return Err("the PD controller's lines can't be read".into());
            }
            self.wait = SEARCH_EVERY;
            self.requests = Some(self.request()?);
            self.wait = 0;
        }
        let requests = self.requests.as_deref().unwrap_or_default();
        let read = |name: &Option<String>| -> Result<Option<bool>, String> {
            let Some(name) = name else {
                return Ok(None);
            };
            let Some((_, request)) = requests.iter().find(|(of, _)| of == name) else {
                return Ok(None);
            };
            let value = request
                .lone_value()
                .map_err(|e| format!("the GPIO line \"{name}\" can't be read: {e}"))?;
            Ok(Some(value == gpiocdev::line::Value::Active))
        };
        let pins = &self.pins;
        let all = (|| {
            Ok(Levels {
                tph: read(&pins.tph)?,
                tpl: read(&pins.tpl)?,
                bt: read(&pins.bt)?,
                t2p: read(&pins.t2p)?,
            })
        })();
        if all.is_err() {
            self.requests = None;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(text: &str) -> Levels {
        let level = |n: usize| match text.as_bytes().get(n) {
            Some(b'H') => Some(true),
            Some(b'L') => Some(false),
            _ => None,
        };
        Levels {
            tph: level(0),
            tpl: level(1),
            bt: level(2),
            t2p: None,
        }
    }

    #[test]
    fn every_row_of_the_table() {
        use Controller::{Tps2372, Tps2373};
        let granted = |w| Some(Shown::Granted(Watts(w)));
        for (text, plain, auxiliary) in [
            ("HHH", granted(12.95), granted(12.95)),
            ("HHL", granted(12.95), granted(12.95)),
            ("HH-", granted(12.95), granted(12.95)),
            ("HLH", granted(25.5), granted(25.5)),
            ("HLL", granted(25.5), granted(25.5)),
            ("HL-", granted(25.5), granted(25.5)),
            ("LHL", granted(51.0), granted(51.0)),
            ("LLL", granted(71.3), granted(71.3)),
            ("LL-", granted(71.3), granted(71.3)),
            ("LHH", None, Some(Shown::Adapter)),
            ("LH-", granted(51.0), None),
            ("LLH", None, None),
            ("-LL", None, None),
            ("L-L", None, None),
        ] {
            assert_eq!(decode(Tps2372, levels(text)).ok(), plain, "2372 {text}");
            assert_eq!(decode(Tps2373, levels(text)).ok(), auxiliary, "2373 {text}");
        }
        let t2p = |level| {
            let levels = Levels {
                t2p: level,
                ..Levels::default()
            };
            decode(Controller::Tps23731, levels).ok()
        };
        assert_eq!(t2p(Some(true)), granted(12.95));
        assert_eq!(t2p(Some(false)), granted(25.5));
        assert_eq!(t2p(None), None);
    }

    #[test]
    fn lines_that_are_not_there_are_named() {
        let mut gpio = Gpio::new(spec::Pins {
            controller: Controller::Tps23731,
            tph: None,
            tpl: None,
            bt: None,
            t2p: Some("watchword-no-such-line".into()),
        });
        let why = gpio.levels().unwrap_err();
        assert!(
            why.contains("watchword-no-such-line") || why.contains("looked for"),
            "{why}"
        );
        assert!(gpio.levels().is_err());
    }
}
