//! How the golden sentences are read, by category:
//!
//! ```sh
//! cargo run -p rules --example coverage                     # the table
//! cargo run -p rules --example coverage -- --misses [NAME]  # and what is not right
//! ```

#[path = "../tests/golden/mod.rs"]
mod golden;

use std::collections::BTreeMap;

use golden::{Verdict, cases, judge};

#[derive(Default)]
struct Row {
    cases: usize,
    right: usize,
    other: usize,
    refused: usize,
    misread: usize,
}

impl Row {
    fn add(&mut self, verdict: Verdict) {
        self.cases += 1;
        *match verdict {
            Verdict::Right => &mut self.right,
            Verdict::OtherRefusal => &mut self.other,
            Verdict::Refused => &mut self.refused,
            Verdict::Misread => &mut self.misread,
        } += 1;
    }

    fn print(&self, name: &str) {
        println!(
            "{name:24} {:6} {:6} {:6.1} {:8} {:14} {:8}",
            self.cases,
            self.right,
            100.0 * self.right as f64 / self.cases.max(1) as f64,
            self.refused,
            self.other,
            self.misread
        );
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let misses = args.iter().any(|a| a == "--misses");
    let only = args.iter().find(|a| !a.starts_with("--"));
    let (mut rows, mut parts) = (
        BTreeMap::<String, Row>::new(),
        BTreeMap::<String, Row>::new(),
    );
    let mut all = Row::default();
    for case in cases() {
        if only.is_some_and(|o| *o != case.category) {
            continue;
        }
        let (verdict, words) = judge(&case.value);
        let known = if case.known_miss { " (known)" } else { "" };
        if misses && verdict != Verdict::Right {
            let (category, part, text) = (&case.category, &case.part, &case.text);
            println!("{verdict:?}{known} [{category}/{part}] {text}\n{words}");
        }
        rows.entry(case.category).or_default().add(verdict);
        parts.entry(case.part).or_default().add(verdict);
        all.add(verdict);
    }
    println!(
        "{:24} {:>6} {:>6} {:>6} {:>8} {:>14} {:>8}",
        "category", "cases", "right", "%", "refused", "other refusal", "misread"
    );
    rows.iter().for_each(|(name, row)| row.print(name));
    println!();
    parts.iter().for_each(|(name, row)| row.print(name));
    all.print("all");
}
