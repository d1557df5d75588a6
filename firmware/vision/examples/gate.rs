//! How the gate judges the labelled set of changes, against two plain
//! differences to the frame before.
//!
//! `cargo run --release -p vision --example gate [-- SEEDS]`
//!
//! The baselines open where the mean difference to the frame before passes a
//! threshold: of the whole picture, or of the block of 8 x 8 cells that differs
//! most. Each is given its threshold twice: the one at which it opens as often
//! for nothing as the gate does (how much does it miss?), and the highest at
//! which it misses no more than the gate (how often does it open for nothing?).

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
    let baselines = BASELINES.map(|(_, score)| Thresholds::of(&cases, score));
    println!(
        "| what | cases | missed | in its zone | delay | false/h | beside/h | saved | frame missed | frame false/h | block missed | block false/h |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let mut all = Row::default();
    for kind in Kind::ALL {
        let mut row = Row::default();
        for case in cases.iter().filter(|case| case.kind == kind) {
            row.add(case, &baselines);
            all.add(case, &baselines);
        }
        row.print(kind.name(), kind.label());
    }
    all.print("all", Label::Change);
    println!();
    println!("{seeds} seeds a kind, a look each {EVERY_S} s.");
    for ((name, _), by) in BASELINES.iter().zip(&baselines) {
        println!(
            "Baseline '{name}': above {:.2} levels it opens for nothing as seldom as the gate, above \
             {:.2} it misses as little.",
            by.as_seldom, by.as_keen
        );
    }
}

type Score = fn(&Look) -> f32;

const BASELINES: [(&str, Score); 2] = [("frame", |look| look.before), ("block", |look| look.block)];

/// Where a baseline opens.
struct Thresholds {
    score: Score,
    /// The lowest at which it opens for nothing as seldom as the gate.
    as_seldom: f32,
    /// The highest at which it misses as little as the gate.
    as_keen: f32,
}

impl Thresholds {
    fn of(cases: &[Case], score: Score) -> Self {
        let missed = |opens: &dyn Fn(&Look) -> bool| {
            let due = cases.iter().filter(|case| case.due.is_some());
            due.filter(|case| case.delay(&case.whole, opens).is_none())
                .count()
        };
        let false_opens = |opens: &dyn Fn(&Look) -> bool| {
            let quiet = cases.iter().flat_map(Case::quiet);
            quiet.filter(|look| opens(look)).count()
        };
        let (budget, allowed) = (false_opens(&|l| l.opened), missed(&|l| l.opened));
        let above = |threshold: f32| move |look: &Look| score(look) > threshold;
        let all = cases.iter().flat_map(|case| &case.whole.looks);
        let mut scores: Vec<f32> = all.map(score).collect();
        scores.sort_by(f32::total_cmp);
        let seldom = scores.partition_point(|t| false_opens(&above(*t)) > budget);
        let keen = scores.partition_point(|t| missed(&above(*t)) <= allowed);
        Self {
            score,
            as_seldom: scores.get(seldom).copied().unwrap_or(f32::MAX),
            as_keen: keen.checked_sub(1).map_or(0.0, |at| scores[at]),
        }
    }
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
    baseline_missed: [usize; 2],
    baseline_false: [usize; 2],
}

impl Row {
    fn add(&mut self, case: &Case, baselines: &[Thresholds; 2]) {
        self.cases += 1;
        if case.due.is_some() {
            self.due += 1;
            match case.delay(&case.whole, |look| look.opened) {
                Some(delay) => self.delays.push(delay),
                None => self.missed += 1,
            }
            for (by, missed) in baselines.iter().zip(&mut self.baseline_missed) {
                let found = case.delay(&case.whole, |look| (by.score)(look) > by.as_seldom);
                *missed += usize::from(found.is_none());
            }
            if let Some(zone) = &case.with {
                self.zones += 1;
                let found = case.delay(zone, |look| look.opened);
                self.zones_missed += usize::from(found.is_none());
            }
        }
        for look in case.quiet() {
            self.quiet += 1;
            self.false_opens += usize::from(look.opened);
            for (by, opens) in baselines.iter().zip(&mut self.baseline_false) {
                *opens += usize::from((by.score)(look) > by.as_keen);
            }
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
            "| {name}{moving} | {} | {} | {} | {} | {} | {} | {saved:.0} % | {} | {} | {} | {} |",
            self.cases,
            share(self.missed, self.due),
            share(self.zones_missed, self.zones),
            delay.map_or("–".to_owned(), |d| format!("{d:.0} s")),
            hourly(self.false_opens, self.quiet),
            hourly(self.beside_opens, self.beside),
            share(self.baseline_missed[0], self.due),
            hourly(self.baseline_false[0], self.quiet),
            share(self.baseline_missed[1], self.due),
            hourly(self.baseline_false[1], self.quiet),
        );
    }
}
