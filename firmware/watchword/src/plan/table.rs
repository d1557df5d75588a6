//! A plan for people, within 100 columns.

use std::fmt::Write;

use governor::Cause;
use scene::Watts;

use super::board::Ran;
use super::judge::{Fit, Plan, Planned, Year};

/// Columns that the answer fits.
const WIDTH: usize = 100;

/// The table.
pub fn table(plan: &Plan) -> String {
    let mut text = String::new();
    head(plan, &mut text);
    conditions(plan, &mut text);
    rules(plan, &mut text);
    year(plan, &mut text);
    misfits(plan, &mut text);
    text
}

// Writing to a String can't fail, so what `writeln` gives is not looked at.

fn head(plan: &Plan, to: &mut String) {
    let _ = writeln!(to, "{}: {}", plan.board, plan.title);
    let night = match plan.night {
        Some(_) => format!("night for {} h a day", plan.night_hours),
        None => "no night".into(),
    };
    let _ = writeln!(
        to,
        "granted {}, air at {:.0}, {night}",
        plan.allotment, plan.ambient
    );
    let source = if plan.calibrated {
        "measured"
    } else {
        "modelled"
    };
    paragraph(
        to,
        "",
        &format!("{}: costs are {source}, {}", plan.model, plan.costs),
    );
    let _ = writeln!(to);
}

fn conditions(plan: &Plan, to: &mut String) {
    let all = plan.conditions();
    let header: String = all.iter().map(|(name, _)| format!("{name:>24}")).collect();
    let _ = writeln!(to, "{:<24}{header}", "");
    let mut row = |what: &str, of: &dyn Fn(&Ran) -> String| {
        let cells: String = all
            .iter()
            .map(|(_, ran)| format!("{:>24}", of(ran)))
            .collect();
        let _ = writeln!(to, "{what:<24}{cells}");
    };
    row("board without looks", &|ran| {
        watts(ran.state.baseline.value)
    });
    row("left for looks", &|ran| match ran.heat_bounds() {
        true => format!("{} (heat)", watts(ran.state.share)),
        false => watts(ran.state.share),
    });
    row("looks take", &|ran| watts(ran.inference()));
    row("operating point", &|ran| ran.point());
    row("checks an hour", &|ran| {
        format!("{:.0}", ran.checks_per_hour())
    });
    row("most at once", &|ran| watts(ran.most));
    row("die at most", &|ran| format!("{:.0}", ran.hottest));
    row("limited by", &|ran| limited(ran).into());
    for (name, ran) in &all {
        if ran.most > plan.allotment.watts {
            let cut = format!(
                "the camera draws {} and is granted {}: the switch cuts it off, whatever looks do; it takes a \
                 larger class or fewer loads",
                watts(ran.most),
                watts(plan.allotment.watts),
            );
            paragraph(to, &format!("{name}: "), &cut);
        }
        if let Some(throttle) = &ran.state.throttle {
            paragraph(to, &format!("{name}: "), &throttle.reason);
        }
        if ran.given_up > 0 {
            let given_up = format!("{} looks an hour are given up under way", ran.given_up);
            paragraph(to, &format!("{name}: "), &given_up);
        }
    }
    let _ = writeln!(
        to,
        "looks get less from {:.0} of the die on and stop at {:.0}\n",
        plan.derate, plan.critical
    );
}

fn limited(ran: &Ran) -> &'static str {
    match ran.cause() {
        None => "nothing",
        Some(Cause::Heat) => "heat",
        Some(Cause::Peak) => "peak",
        Some(Cause::Energy) => "energy",
        Some(Cause::Busy) => "time",
        Some(_) => "other",
    }
}

fn rules(plan: &Plan, to: &mut String) {
    let fits = |rule: &&Planned| matches!(rule.fit, Fit::Fits { .. });
    let fitting: Vec<&Planned> = plan.rules.iter().filter(fits).collect();
    if fitting.is_empty() {
        return;
    }
    let _ = writeln!(
        to,
        "{:<8}{:>7}{:>8}{:>8}{:>9}{:>7}{:>8}{:>8}{:>7}  sentence",
        "rule", "wants", "by day", "night", "blind", "share", "J/check", "W", "kWh/y"
    );
    for rule in fitting {
        let Fit::Fits { wanted, .. } = rule.fit else {
            continue;
        };
        let (day, night) = plan.looks(&rule.id);
        let every = |looks: super::Looks, ran: &Ran| match looks.every(ran.seconds) {
            Some(every) => seconds(every.as_secs_f64()),
            None => "never".into(),
        };
        let dark = plan.night.as_ref().zip(night);
        let by_night = dark.map_or("-".into(), |(ran, looks)| every(looks, ran));
        let longest = night.map_or(day.longest, |night| night.longest.max(day.longest));
        let share = |looks: super::Looks, ran: &Ran| looks.blind.as_secs_f64() / ran.seconds;
        let part = dark.map_or(0.0, |_| plan.night_hours / 24.0);
        let blind = share(day, &plan.day) * (1.0 - part)
            + dark.map_or(0.0, |(ran, looks)| share(looks, ran)) * part;
        let total = plan.watts(&rule.id);
        let line = format!(
            "{:<8}{:>7}{:>8}{:>8}{:>9}{:>7}{:>8.3}{:>8.4}{:>7.2}  {}",
            rule.id.as_str(),
            seconds(wanted.as_secs_f64()),
            every(day, &plan.day),
            by_night,
            seconds(longest.as_secs_f64()),
            format!("{:.1}%", blind * 100.0),
            day.joules_per_check(),
            total.0,
            Year::kilowatt_hours(total),
            rule.text,
        );
        let _ = writeln!(to, "{}", cut(&line));
    }
    let _ = writeln!(to);
}

fn year(plan: &Plan, to: &mut String) {
    let one = |watts: Watts| {
        let megajoules = Year::joules(watts).0 / 1e6;
        let kwh = Year::kilowatt_hours(watts);
        format!("{:.3} W, {kwh:.2} kWh, {megajoules:.1} MJ", watts.0)
    };
    let _ = writeln!(to, "a camera and year (8,760 h)");
    let _ = writeln!(to, "  looks         {}", one(plan.year.inference));
    let _ = writeln!(to, "  whole camera  {}", one(plan.year.camera));
}

fn misfits(plan: &Plan, to: &mut String) {
    let total = plan.rules.len();
    let fit = |rule: &&Planned| matches!(rule.fit, Fit::Fits { .. });
    let fits = plan.rules.iter().filter(fit).count();
    let _ = match (fits, total) {
        (1, 1) => writeln!(to, "\nthe rule fits"),
        _ if fits == total => writeln!(to, "\nall {total} rules fit"),
        _ => writeln!(to, "\n{fits} of {total} rules fit; these do not:"),
    };
    // Rules that do not fit for the same reason are told of together.
    let mut groups: Vec<(String, Vec<&Planned>)> = Vec::new();
    for rule in &plan.rules {
        let Some(why) = misfit(plan, rule) else {
            continue;
        };
        match groups.iter_mut().find(|(of, _)| *of == why) {
            Some((_, rules)) => rules.push(rule),
            None => groups.push((why, vec![rule])),
        }
    }
    for (why, rules) in groups {
        for rule in rules {
            let _ = writeln!(to, "{}", cut(&format!("  {:<8} {}", rule.id, rule.text)));
        }
        paragraph(to, "    ", &why);
    }
}

/// Why a rule does not fit; `None` if it does.
fn misfit(plan: &Plan, rule: &Planned) -> Option<String> {
    let (night, over) = match &rule.fit {
        Fit::Fits { .. } => return None,
        Fit::Refused(refusal) => {
            let offer = refusal.offer.as_deref();
            let offer = offer.map_or(String::new(), |offer| format!("; try: {offer}"));
            return Some(format!("{} ({}){offer}", refusal.why, refusal.kind));
        }
        Fit::OverBudget { night, over, .. } => (*night, over),
    };
    let ran = plan.night.as_ref().filter(|_| night).unwrap_or(&plan.day);
    let when = if night { "at night" } else { "by day" };
    if ran.cause() == Some(Cause::Peak) {
        return Some(format!(
            "over budget {when}: a look adds {} while it runs, and the allotment has no room for that; it takes \
             a larger one, or fewer loads that switch on",
            watts(ran.state.watts_per_inference.value),
        ));
    }
    let hot = ran.heat_bounds();
    let left = match hot {
        true => ", so that it stays cool enough",
        false => "",
    };
    let remedy = match (over.feasible, hot) {
        // With a little room, as the camera offers it.
        (Some(every), _) => format!(
            "it would fit with \"every_seconds\": {:.0}, or with fewer other rules",
            (every.as_secs_f64() * 1.1).ceil()
        ),
        (None, true) => {
            "no interval fits: it takes cooler air, a case that sheds more heat, or fewer rules"
                .into()
        }
        (None, false) => "no interval fits: it takes a larger allotment or fewer rules".into(),
    };
    Some(format!(
        "over budget {when}: {} are left for looks{left}, and with it all rules at their floors need {}; {remedy}",
        watts(over.left),
        watts(over.needs),
    ))
}

fn watts(watts: Watts) -> String {
    format!("{watts:.2}")
}

fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 600.0 => format!("{s:.0} s"),
        s => format!("{:.0} min", s / 60.0),
    }
}

/// The line, ended with … where it is too long.
fn cut(line: &str) -> String {
    match line.chars().count() <= WIDTH {
        true => line.into(),
        false => line.chars().take(WIDTH - 1).chain(['…']).collect(),
    }
}

/// `text` after `name`, broken at spaces, further lines indented.
pub(crate) fn paragraph(to: &mut String, name: &str, text: &str) {
    let mut line = String::new();
    for word in format!("{name}{text}").split(' ') {
        let long = line.chars().count() + 1 + word.chars().count() > WIDTH;
        if long && !line.trim().is_empty() {
            let _ = writeln!(to, "{line}");
            line = "   ".into();
        }
        if !line.is_empty() || word.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(to, "{line}");
}
