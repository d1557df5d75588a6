use std::time::Duration;

use scene::{Celsius, Joules, Watts};

/// What is known of the board and the model before anything is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The board's draw without inference, where nothing measures or models it.
    pub board: Watts,
    /// What inference adds to the board's draw while it runs, until learned.
    pub step: Watts,
    /// Energy of a look before any question is asked, until learned.
    pub look: Joules,
    /// What each question adds, until learned.
    pub question: Joules,
    /// Share of the allotment (0..1) that is never used, while board watts are
    /// measured.
    pub margin: f64,
    /// The same while they are only modelled: wider, since nobody checks.
    pub modelled_margin: f64,
    /// Average watts of inference at most, where less than what the allotment
    /// leaves is wanted (a case that can't shed more heat); `None`: all of it.
    pub cap: Option<Watts>,
    /// How much of the inference share can be saved up, in seconds of it.
    pub savings: Duration,
    /// No rule is looked at less often than this for want of watts, or than it
    /// wants if that is less often still.
    pub floor: Duration,
    /// No two looks closer than this.
    pub gap: Duration,
    /// Above this no look starts; looks start again `HYSTERESIS` below it.
    pub critical: Celsius,
}

impl Config {
    /// How far it must cool below `critical` before looks start again.
    pub const HYSTERESIS: Celsius = Celsius(5.0);
}

impl Default for Config {
    fn default() -> Self {
        Self {
            board: Watts(5.0),
            step: Watts(3.0),
            look: Joules(1.0),
            question: Joules(0.3),
            margin: 0.05,
            modelled_margin: 0.10,
            cap: None,
            savings: Duration::from_secs(30),
            floor: Duration::from_secs(60),
            gap: Duration::from_millis(200),
            critical: Celsius(95.0),
        }
    }
}
