//! The supply: what it grants, and when it cuts.

use super::scenario::Poe;

/// A supply must deliver this many times what it granted for a short time
/// (802.3at table 33-18: 14.4 W of 12.95 W, 28.3 W of 25.5 W).
pub const PEAK: f64 = 1.11;
/// For how long more than that is borne (T_LIM, table 33-11: 50 to 75 ms), s.
const PEAK_SECONDS: f64 = 0.060;
/// Peaks may be this share of the time (5 %): so fast one is forgotten.
const PEAK_FORGETS: f64 = 1.0 / 19.0;
/// For how long more than the allotment is borne, s.
const OVER_SECONDS: f64 = 5.0;
/// A lower grant is enforced so long after it was made, s.
const GRACE: f64 = 10.0;

/// Watches over what a port draws.
#[derive(Clone, Debug)]
pub struct Pse {
    poe: Poe,
    /// How long it drew more than the peak, and than the allotment, s.
    peak: f64,
    over: f64,
}

impl Pse {
    /// A port that grants what the scenario says.
    pub fn new(poe: Poe) -> Self {
        Self {
            poe,
            peak: 0.0,
            over: 0.0,
        }
    }

    fn granted(&self, t: f64) -> f64 {
        (self.poe.grants.iter().rev())
            .find(|g| t >= g.at_hours * 3_600.0)
            .map_or(self.poe.watts, |g| g.watts)
    }

    /// What it holds the board to at `t`, W.
    pub fn enforced(&self, t: f64) -> f64 {
        self.granted(t).max(self.granted((t - GRACE).max(0.0)))
    }

    /// What the board takes for granted at `t`, having started at `booted`, W.
    pub fn read(&self, t: f64, booted: f64) -> (f64, &'static str) {
        let granted = self.granted((t - self.poe.delay_seconds).max(0.0));
        match t - booted < self.poe.told_after_seconds {
            true => (granted.min(self.poe.until_told_watts), "class"),
            false => (granted, "lldp"),
        }
    }

    /// How long from `t` it bears `watts`, s.
    pub fn bears(&self, t: f64, watts: f64) -> f64 {
        let granted = self.enforced(t);
        let peak = match watts > granted * PEAK {
            true => (PEAK_SECONDS - self.peak).max(0.0),
            false => f64::INFINITY,
        };
        let over = match watts > granted {
            true => (OVER_SECONDS - self.over).max(0.0),
            false => f64::INFINITY,
        };
        peak.min(over)
    }

    /// The port drew `watts` for `dt` seconds from `t`.
    pub fn pass(&mut self, t: f64, dt: f64, watts: f64) {
        let granted = self.enforced(t);
        self.peak = match watts > granted * PEAK {
            true => self.peak + dt,
            false => (self.peak - dt * PEAK_FORGETS).max(0.0),
        };
        self.over = match watts > granted {
            true => self.over + dt,
            false => (self.over - dt).max(0.0),
        };
    }

    /// It has cut.
    pub fn reset(&mut self) {
        (self.peak, self.over) = (0.0, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::Grant;
    use super::*;

    fn port() -> Pse {
        Pse::new(Poe {
            watts: 25.5,
            until_told_watts: 12.95,
            told_after_seconds: 30.0,
            delay_seconds: 1.0,
            grants: vec![Grant {
                at_hours: 1.0,
                watts: 12.95,
            }],
        })
    }

    #[test]
    fn it_cuts_after_60_ms_or_5_s() {
        let mut port = port();
        assert_eq!(port.bears(0.0, 25.4), f64::INFINITY);
        assert_eq!(port.bears(0.0, 27.0), 5.0);
        assert_eq!(port.bears(0.0, 28.4), 0.060);
        port.pass(0.0, 0.050, 28.4);
        assert!((port.bears(0.05, 28.4) - 0.010).abs() < 1e-9);
        port.pass(0.05, 1.0, 20.0);
        assert!(port.bears(1.05, 28.4) > 0.055, "5 % of the time");
        port.pass(1.05, 4.0, 26.0);
        assert!((port.bears(5.05, 26.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_lower_grant_is_read_soon_and_enforced_later() {
        let port = port();
        let at = |s: f64| 3_600.0 + s;
        assert_eq!(port.read(10.0, 0.0), (12.95, "class"));
        assert_eq!(port.read(40.0, 0.0), (25.5, "lldp"));
        assert_eq!(port.read(at(0.5), 0.0).0, 25.5);
        assert_eq!(port.read(at(1.5), 0.0).0, 12.95);
        assert_eq!(port.enforced(at(9.0)), 25.5);
        assert_eq!(port.enforced(at(10.5)), 12.95);
    }
}
