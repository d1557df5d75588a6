//! How the gate judges the labelled set of changes, against the plain
//! difference to the frame before.
//!
//! `cargo run --release -p vision --example gate [-- SEEDS]`
//!
//! The baseline opens where the mean difference to the frame before passes a
//! threshold. It is given the threshold twice: the one at which it opens as
//! often for nothing as the gate does (how much does it miss?), and the
//! highest at which it misses no more than the gate (how often does it open
//! for nothing?).

#[path = "../tests/common/changes.rs"]
mod changes;

use changes::{Case, Look, watch_all};
use render::changes::{Kind, Label};

/// Seconds from look to look in the set.
const EVERY_S: f32 = 1.0;

fn main() {
    let seeds = std::env::args().nth(1).map_or(Ok(10), |n| n.parse());
    let Ok(seeds) = seeds else {
        eprintln!("give the number of seeds a kind, e.g. 10");
        std::process::exit(2);
    };
    let cases = watch_all(&Kind::ALL, 0..seeds, |sequence| 0..sequence.frames);
    let missed = |opens: &dyn Fn(&Look) -> bool| {
        let due = cases.iter().filter(|case| case.due.is_some());
        due.filter(|case| case.delay(&case.whole, opens).is_none())
            .count()
    };
    let false_opens = |opens: &dyn Fn(&Look) -> bool| {
        cases
            .iter()
            .flat_map(Case::quiet)
            .filter(|look| opens(look))
            .count()
    };
    let gate = |look: &Look| look.opened;
    // Every threshold that makes a difference, lowest first.
    let mut thresholds: Vec<f32> = (cases.iter())
        .flat_map(|case| case.whole.looks.iter().map(|look| look.before))
        .collect();
    thresholds.sort_by(f32::total_cmp);
    let above = |threshold: f32| move |look: &Look| look.before > threshold;
    // The lowest at which it opens for nothing as seldom as the gate.
    let budget = false_opens(&gate);
    let as_seldom = thresholds.partition_point(|t| false_opens(&above(*t)) > budget);
    let as_seldom = thresholds.get(as_seldom).copied().unwrap_or(f32::MAX);
    // The highest at which it misses as little as the gate.
    let allowed = missed(&gate);
    let as_keen = thresholds.partition_point(|t| missed(&above(*t)) <= allowed);
    let as_keen = as_keen.checked_sub(1).map_or(0.0, |at| thresholds[at]);

    println!(
        "| what | cases | missed | in its zone | delay | false/h | beside/h | saved | baseline missed | baseline false/h |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let mut all = Row::default();
    for kind in Kind::ALL {
        let mut row = Row::default();
        for case in cases.iter().filter(|case| case.kind == kind) {
            row.add(case, as_seldom, as_keen);
            all.add(case, as_seldom, as_keen);
        }
        row.print(kind.name(), kind.label());
    }
    all.print("all", Label::Change);
    println!();
    println!(
        "{seeds} seeds a kind, a look each {EVERY_S} s. The baseline's thresholds: {as_seldom:.2} levels \
         opens for nothing as seldom as the gate, {as_keen:.2} misses as little."
    );
}

#[derive(Default)]
struct Row {
    cases: usize,
    due: usize,
    missed: usize,
    zones: usize,
    zones_missed: usize,
    delays: Vec<f32>,
    quiet: usize,
    false_opens: usize,
    beside: usize,
    beside_opens: usize,
    looks: usize,
    asked: usize,
    baseline_missed: usize,
    baseline_false: usize,
}

impl Row {
    fn add(&mut self, case: &Case, as_seldom: f32, as_keen: f32) {
        self.cases += 1;
        if case.due.is_some() {
            self.due += 1;
            match case.delay(&case.whole, |look| look.opened) {
                Some(delay) => self.delays.push(delay),
                None => self.missed += 1,
            }
            let baseline = case.delay(&case.whole, |look| look.before > as_seldom);
            self.baseline_missed += usize::from(baseline.is_none());
            if let Some(zone) = &case.with {
                self.zones += 1;
                let found = case.delay(zone, |look| look.opened);
                self.zones_missed += usize::from(found.is_none());
            }
        }
        for look in case.quiet() {
            self.quiet += 1;
            self.false_opens += usize::from(look.opened);
            self.baseline_false += usize::from(look.before > as_keen);
        }
        if let Some(zone) = &case.without {
            self.beside += zone.looks.len();
            self.beside_opens += zone.looks.iter().filter(|look| look.opened).count();
        }
        self.looks += case.whole.looks.len();
        self.asked += case.whole.looks.iter().filter(|look| look.asked).count();
    }

    fn print(mut self, name: &str, label: Label) {
        let share = |part: usize, of: usize| match of {
            0 => "–".to_owned(),
            _ => format!("{part} of {of}"),
        };
        let hourly = |opens: usize, looks: usize| match looks {
            0 => "–".to_owned(),
            _ => format!("{:.0}", opens as f32 / (looks as f32 * EVERY_S / 3600.0)),
        };
        self.delays.sort_by(f32::total_cmp);
        let delay = self.delays.get(self.delays.len() / 2);
        let saved = 100.0 * (1.0 - self.asked as f32 / self.looks.max(1) as f32);
        let moving = if label == Label::Elsewhere {
            " (moves)"
        } else {
            ""
        };
        println!(
            "| {name}{moving} | {} | {} | {} | {} | {} | {} | {saved:.0} % | {} | {} |",
            self.cases,
            share(self.missed, self.due),
            share(self.zones_missed, self.zones),
            delay.map_or("–".to_owned(), |d| format!("{d:.0} s")),
            hourly(self.false_opens, self.quiet),
            hourly(self.beside_opens, self.beside),
            share(self.baseline_missed, self.due),
            hourly(self.baseline_false, self.quiet),
        );
    }
}
