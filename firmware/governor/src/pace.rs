//! How often each rule is looked at, so that all together fit.

use std::time::Duration;

use crate::config::Wish;

/// One rule's part in it.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    pub wish: Wish,
    /// What it gets.
    pub interval: Duration,
}

/// Seconds that looks take at an operating point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub fixed: f64,
    pub each: f64,
}

impl Wish {
    /// The longest that a rule may go without a look, when all goes well.
    pub(crate) fn floor(&self, floor: Duration) -> Duration {
        let needed = self.need.map_or(floor, |need| need.min(floor));
        self.wanted.max(needed)
    }
}

/// Share of the time (0..) that looks at these intervals take. Rules that are
/// due together share a look's fixed part, so it is paid as often as the most
/// frequent rule is looked at.
fn duty_of(parts: impl Iterator<Item = (Duration, usize)>, times: Times) -> f64 {
    let (mut most, mut questions) = (0.0f64, 0.0);
    for (interval, asked) in parts {
        let per_second = 1.0 / interval.as_secs_f64().max(1e-3);
        most = most.max(per_second);
        questions += per_second * asked as f64;
    }
    times.fixed * most + times.each * questions
}

/// The same for all rules at what they want.
pub(crate) fn duty_wanted<'p>(paces: impl Iterator<Item = &'p Pace>, times: Times) -> f64 {
    duty_of(paces.map(|p| (p.wish.wanted, p.wish.questions)), times)
}

/// The same at their floors, with one more.
pub(crate) fn duty_floors<'p>(
    paces: impl Iterator<Item = &'p Pace>,
    more: Option<(Duration, usize)>,
    times: Times,
    floor: Duration,
) -> f64 {
    let all = paces.map(|p| (p.wish.floor(floor), p.wish.questions));
    duty_of(all.chain(more), times)
}

/// Sets `interval` of all paces: as wanted if looks may take `duty` of the
/// time, else the lowest priority is stretched first, up to its floor, then
/// the next.
pub(crate) fn fit(paces: &mut [&mut Pace], times: Times, duty: f64, floor: Duration) {
    let now = |paces: &[&mut Pace]| {
        let parts = paces.iter().map(|p| (p.interval, p.wish.questions));
        duty_of(parts, times)
    };
    // A rule can't be looked at more often than a look takes.
    let least = Duration::from_secs_f64((times.fixed + times.each).clamp(0.0, 3_600.0));
    let base = |p: &Pace| p.wish.wanted.max(least);
    for p in paces.iter_mut() {
        p.interval = base(p);
    }
    if now(paces) <= duty {
        return;
    }
    let mut priorities: Vec<u8> = paces.iter().map(|p| p.wish.priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    for priority in priorities {
        if now(paces) <= duty {
            return;
        }
        let stretch = |paces: &mut [&mut Pace], by: f64| {
            for p in paces.iter_mut().filter(|p| p.wish.priority == priority) {
                let base = base(p);
                p.interval = base.mul_f64(by).min(base.max(p.wish.floor(floor)));
            }
        };
        // Bisection on the factor; 1 is too fast. Everything is at its floor
        // at the highest useful factor.
        let shortest = paces.iter().map(|p| base(p)).min().unwrap_or(floor);
        let highest = floor.as_secs_f64() / shortest.as_secs_f64().max(1e-3);
        let (mut fast, mut slow) = (1.0, highest.max(1.0));
        stretch(paces, slow);
        if now(paces) > duty {
            continue;
        }
        for _ in 0..20 {
            let middle = f64::midpoint(fast, slow);
            stretch(paces, middle);
            match now(paces) <= duty {
                true => slow = middle,
                false => fast = middle,
            }
        }
        stretch(paces, slow);
        return;
    }
}
