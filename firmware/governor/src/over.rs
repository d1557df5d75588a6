//! Whether another rule can be afforded.

use std::time::Duration;

use scene::Watts;

/// A rule does not fit, even with all rules at their floors and at the
/// cheapest operating point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverBudget {
    /// How often it could be looked at; `None` if the other rules need all.
    pub feasible: Option<Duration>,
    /// What all rules would need on average at their floors.
    pub needs: Watts,
    /// What is left for inference on average.
    pub left: Watts,
}

/// The shortest interval, from `from` to a day, at which `duty` of it is
/// within `most`.
pub(crate) fn feasible(
    from: Duration,
    most: f64,
    duty: impl Fn(Duration) -> f64,
) -> Option<Duration> {
    let day = Duration::from_secs(86_400);
    if duty(day) > most {
        return None;
    }
    let (mut fast, mut slow) = (from.as_secs_f64().max(0.2), day.as_secs_f64());
    for _ in 0..40 {
        let middle = (fast * slow).sqrt();
        match duty(Duration::from_secs_f64(middle)) <= most {
            true => slow = middle,
            false => fast = middle,
        }
    }
    // A whole number of seconds reads better, and a little more never hurts.
    Some(Duration::from_secs_f64(slow.ceil()))
}
