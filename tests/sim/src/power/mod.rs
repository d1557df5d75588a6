//! Days of a camera's power in seconds: a simulated board on a simulated
//! supply, its sensors, and the governor in closed loop with it. The same days
//! are run with other policies on the same board, to compare.

mod baseline;
mod chance;
mod check;
mod governed;
mod ledger;
mod plant;
mod plot;
mod policy;
mod pse;
pub mod random;
mod report;
mod run;
mod scenario;
mod sensor;
mod thermal;
mod watch;
mod world;

use std::time::Instant;

pub use baseline::{Fixed, OnOff};
pub use governed::{Governed, config};
pub use ledger::{Ledger, Sample};
pub use plant::{Loads, Plant};
pub use plot::{PlotError, plot};
pub use policy::{Choice, Done, Kept, Never, Policy, Task, Why};
pub use report::{Baselines, JouleError, Measures, Report};
pub use run::{run, tasks};
pub use scenario::{Scenario, ScenarioError};
pub use thermal::{Network, Thermal};
pub use watch::{Unsafe, Watch};

const DAY: f64 = 86_400.0;

/// A scenario that was run.
pub struct Outcome {
    /// What it comes to.
    pub report: Report,
    /// What the governor's run measured; with minutes if they were asked for.
    pub governor: Ledger,
}

/// Runs `days` of a scenario with the governor, and with all that it is
/// compared with. With `series`, minutes are kept for [`plot`].
pub fn simulate(name: &str, scenario: &Scenario, days: f64, series: bool) -> Outcome {
    let (tasks, seconds) = (tasks(scenario), days * DAY);
    let go = |policy: &mut dyn Policy, series| run(scenario, policy, seconds, series);
    let began = Instant::now();
    let governor = go(&mut Governed::new(scenario, &tasks), series);
    let took = began.elapsed().as_secs_f64();
    let none = go(&mut Never, false);
    let fixed = go(&mut Fixed::new(scenario, &tasks), false);
    let on_off = go(&mut OnOff::new(scenario, &tasks), false);
    let runs = report::Runs {
        governor: &governor,
        none: &none,
        fixed: &fixed,
        on_off: &on_off,
    };
    let report = Report::new(name, scenario, &runs, took / days);
    Outcome { report, governor }
}
