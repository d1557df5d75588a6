//! Which operating point looks run at.

use std::time::Duration;

use scene::Mono;

/// A change at once costs one of these; they come back slowly, so that a
/// balance on the edge does not make looks flap.
const CHANGES: f64 = 3.0;
const CHANGES_PER_HOUR: f64 = 7.0;
/// A wish to change must last this long.
const SETTLED: Duration = Duration::from_secs(15);
/// A better point must leave this much of what it may use.
const SPARE: f64 = 0.85;

/// A point as it stands now. The list is in order of accuracy, best first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// It fits whatever switches on.
    pub fits: bool,
    /// It fits now.
    pub fits_now: bool,
    pub accuracy: f64,
    /// Share of what looks may use that the rules want at this point; over 1
    /// they are slowed.
    pub need: f64,
}

/// Chooses, and does not change its mind too often.
#[derive(Clone, Debug)]
pub(crate) struct Chooser {
    changes: f64,
    last: Option<Mono>,
    wish: Option<(usize, Mono)>,
}

impl Default for Chooser {
    fn default() -> Self {
        Self {
            changes: CHANGES,
            last: None,
            wish: None,
        }
    }
}

impl Chooser {
    /// What was granted has changed: what was wished before is no reason to
    /// wait.
    pub fn hurry(&mut self) {
        self.changes = CHANGES;
    }

    /// The point to run at; `current` while none fits.
    pub fn choose(&mut self, now: Mono, current: usize, all: &[Candidate]) -> usize {
        let dt = self.last.map_or(0.0, |last| now.since(last).as_secs_f64());
        self.last = Some(now);
        self.changes = (self.changes + dt * CHANGES_PER_HOUR / 3_600.0).min(CHANGES);
        let wish = wish(current, all);
        if wish == current {
            self.wish = None;
            return current;
        }
        let here = all[current];
        let forced = !here.fits_now && !here.fits;
        let since = match self.wish {
            Some((at, since)) if at == wish => since,
            _ => now,
        };
        self.wish = Some((wish, since));
        if forced || (now.since(since) >= SETTLED && self.changes >= 1.0) {
            self.changes = (self.changes - 1.0).max(-1.0);
            self.wish = None;
            return wish;
        }
        current
    }
}

/// The point that would be best: of those that fit whatever switches on, the
/// most accurate that lets rules have what they want, else of those that fit
/// now; else, of these, the one that slows rules least.
fn wish(current: usize, all: &[Candidate]) -> usize {
    let here = &all[current];
    let spare = |i: usize| match i.cmp(&current) {
        std::cmp::Ordering::Less => SPARE,
        _ => 1.0,
    };
    for fits in [|c: &Candidate| c.fits, |c: &Candidate| c.fits_now] {
        let satisfies = |(i, c): &(usize, &Candidate)| fits(c) && c.need <= spare(*i);
        if let Some((index, best)) = all.iter().enumerate().find(satisfies) {
            // Equally good ones change places only for a reason.
            let as_good = fits(here) && here.accuracy >= best.accuracy && here.need <= 1.0;
            let cheaper = best.need < SPARE * here.need;
            return if as_good && !cheaper { current } else { index };
        }
    }
    let fitting = all.iter().enumerate().filter(|(_, c)| c.fits_now);
    // What is left where it is needs less.
    let need = |(i, c): &(usize, &Candidate)| match *i == current {
        true => c.need * SPARE,
        false => c.need,
    };
    let least = fitting.min_by(|a, b| need(a).total_cmp(&need(b)));
    least.map_or(current, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(needs: [f64; 3]) -> Vec<Candidate> {
        let point = |(accuracy, need)| Candidate {
            fits: true,
            fits_now: true,
            accuracy,
            need,
        };
        [0.9, 0.8, 0.7].into_iter().zip(needs).map(point).collect()
    }

    #[test]
    fn the_best_that_rules_can_have() {
        assert_eq!(wish(0, &points([0.5, 0.3, 0.1])), 0);
        assert_eq!(wish(0, &points([1.5, 0.9, 0.3])), 1);
        assert_eq!(
            wish(1, &points([0.9, 0.6, 0.3])),
            1,
            "hardly more than here"
        );
        assert_eq!(wish(1, &points([0.8, 0.6, 0.3])), 0);
        let all = points([1.9, 1.5, 1.2]);
        assert_eq!(wish(0, &all), 2, "worse answers before slower rules");
        assert_eq!(wish(0, &points([9.0, 6.0, 4.0])), 2);
        let mut tight = points([0.5, 0.3, 0.1]);
        tight[0].fits = false;
        assert_eq!(wish(0, &tight), 1);
        for point in &mut tight {
            point.fits = false;
        }
        tight[2].fits_now = false;
        assert_eq!(wish(2, &tight), 0);
    }

    #[test]
    fn it_does_not_flap() {
        let mut chooser = Chooser::default();
        let (mut current, mut changes) = (0, 0);
        for second in 0..7_200u64 {
            // The balance swings every 40 s.
            let needs = match second / 40 % 2 {
                0 => [1.5, 0.9, 0.3],
                _ => [0.5, 0.3, 0.1],
            };
            let next = chooser.choose(Mono::from_millis(second * 1_000), current, &points(needs));
            changes += u32::from(next != current);
            current = next;
        }
        assert!((4..=20).contains(&changes), "{changes} in two hours");
    }
}
