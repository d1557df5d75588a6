//! How often each rule is looked at, so that all together fit the share.

use std::time::Duration;

use crate::cost::Costs;

/// One rule's part in it.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    pub wanted: Duration,
    pub priority: u8,
    pub questions: usize,
    /// What it gets.
    pub interval: Duration,
}

/// Average watts of looks at these intervals. Rules that are due together
/// share a look's fixed part, so it is paid as often as the most frequent rule
/// is looked at.
fn watts(paces: &[&mut Pace], costs: &Costs) -> f64 {
    let per_second = |i: Duration| 1.0 / i.as_secs_f64().max(1e-3);
    let most = (paces.iter().map(|p| per_second(p.interval))).fold(0.0, f64::max);
    let questions = (paces.iter())
        .map(|p| p.questions as f64 * per_second(p.interval))
        .sum::<f64>();
    costs.fixed() * most + costs.each() * questions
}

/// Sets `interval` of all paces: as wanted if `share` watts allow it, else the
/// lowest priority is stretched first, up to the floor, then the next.
pub(crate) fn fit(paces: &mut [&mut Pace], costs: &Costs, share: f64, floor: Duration) {
    // A rule can't be looked at more often than a look takes.
    let least = Duration::from_secs_f64(costs.latency().clamp(0.0, 3_600.0));
    let base = |p: &Pace| p.wanted.max(least);
    for p in paces.iter_mut() {
        p.interval = base(p);
    }
    let mut priorities: Vec<u8> = paces.iter().map(|p| p.priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    for priority in priorities {
        if watts(paces, costs) <= share {
            return;
        }
        let stretch = |paces: &mut [&mut Pace], by: f64| {
            for p in paces.iter_mut().filter(|p| p.priority == priority) {
                p.interval = base(p).mul_f64(by).min(base(p).max(floor));
            }
        };
        // Bisection on the factor; 1 is too fast. Everything is at its floor
        // at the highest useful factor.
        let shortest = paces.iter().map(|p| base(p)).min().unwrap_or(floor);
        let (mut fast, mut slow) = (1.0, (floor.as_secs_f64() / shortest.as_secs_f64()).max(1.0));
        stretch(paces, slow);
        if watts(paces, costs) > share {
            continue;
        }
        for _ in 0..24 {
            let middle = f64::midpoint(fast, slow);
            stretch(paces, middle);
            match watts(paces, costs) <= share {
                true => slow = middle,
                false => fast = middle,
            }
        }
        stretch(paces, slow);
        return;
    }
}
