//! One picture of a run.

use std::path::Path;

use plotters::prelude::*;
use thiserror::Error;

use super::ledger::{Ledger, SAMPLE, Sample};
use super::scenario::Scenario;

/// Why there is no picture.
#[derive(Debug, Error)]
#[error("{path}: {why}")]
pub struct PlotError {
    path: String,
    why: String,
}

/// Points across at most.
const WIDE: usize = 1_000;

/// Draws watts, temperatures, looks and blind time of a run that kept its
/// minutes into `path`, as SVG.
pub fn plot(path: &Path, scenario: &Scenario, ledger: &Ledger) -> Result<(), PlotError> {
    let mut text = String::new();
    let failed = |why: String| PlotError {
        path: path.display().to_string(),
        why,
    };
    draw(&mut text, scenario, &ledger.series).map_err(|e| failed(e.to_string()))?;
    std::fs::write(path, text).map_err(|e| failed(e.to_string()))
}

/// Neighbours put together, so that a week is no more points than a picture
/// has: means of watts, the worst of the rest.
fn thin(all: &[Sample]) -> Vec<(f64, Sample)> {
    let by = all.len().div_ceil(WIDE).max(1);
    let hours = SAMPLE / 3_600.0;
    (all.chunks(by).enumerate())
        .map(|(i, chunk)| {
            let n = chunk.len() as f64;
            let mut s = chunk[chunk.len() / 2];
            let mean = |of: fn(&Sample) -> f64| chunk.iter().map(of).sum::<f64>() / n;
            s.loads.base = mean(|s| s.loads.base);
            s.loads.infrared = mean(|s| s.loads.infrared);
            s.loads.heater = mean(|s| s.loads.heater);
            s.loads.encoder = mean(|s| s.loads.encoder);
            s.loads.boot = mean(|s| s.loads.boot);
            s.loads.look = mean(|s| s.loads.look);
            s.die = chunk.iter().map(|s| s.die).fold(f64::MIN, f64::max);
            s.blind = chunk.iter().map(|s| s.blind).fold(0.0, f64::max);
            s.looks = chunk.iter().map(|s| s.looks).sum();
            (i as f64 * by as f64 * hours, s)
        })
        .collect()
}

fn draw(
    text: &mut String,
    scenario: &Scenario,
    series: &[Sample],
) -> Result<(), Box<dyn std::error::Error>> {
    let samples = thin(series);
    let hours = samples.last().map_or(1.0, |(t, _)| t.max(0.1));
    let most = |of: &dyn Fn(&Sample) -> f64| {
        let all = samples.iter().map(|(_, s)| of(s));
        all.fold(f64::MIN, f64::max)
    };
    let root = SVGBackend::with_string(text, (1_200, 1_000)).into_drawing_area();
    root.fill(&WHITE)?;
    let root = root.titled(&scenario.title, ("sans-serif", 18))?;
    let panels = root.split_evenly((4, 1));
    let panel = |i: usize, caption: &str, low: f64, high: f64| {
        let mut chart = ChartBuilder::on(&panels[i])
            .caption(caption, ("sans-serif", 14))
            .margin(6)
            .x_label_area_size(24)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..hours, low..high)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_labels(15)
            .x_label_formatter(&|h| format!("{h:.0} h"))
            .draw()?;
        Ok::<_, Box<dyn std::error::Error>>(chart)
    };

    let top = most(&|s| s.allotment.max(s.loads.total())).max(1.0) * 1.1;
    let mut chart = panel(0, "watts, stacked; what is granted", 0.0, top)?;
    type Part = (&'static str, RGBColor, fn(&Sample) -> f64);
    // From the top down, each drawn over the one before.
    let parts: [Part; 5] = [
        ("inference", RGBColor(214, 39, 40), |s| s.loads.total()),
        ("encoder and boot", RGBColor(148, 103, 189), |s| {
            s.loads.rest()
        }),
        ("heater", RGBColor(255, 127, 14), |s| {
            s.loads.base + s.loads.infrared + s.loads.heater
        }),
        ("infrared", RGBColor(188, 189, 34), |s| {
            s.loads.base + s.loads.infrared
        }),
        ("board", RGBColor(31, 119, 180), |s| s.loads.base),
    ];
    for (label, colour, of) in parts {
        chart
            .draw_series(AreaSeries::new(
                samples.iter().map(|(t, s)| (*t, of(s))),
                0.0,
                colour.filled(),
            ))?
            .label(label)
            .legend(move |(x, y)| Rectangle::new([(x, y - 4), (x + 12, y + 4)], colour.filled()));
    }
    chart
        .draw_series(LineSeries::new(
            samples.iter().map(|(t, s)| (*t, s.allotment)),
            BLACK.stroke_width(2),
        ))?
        .label("granted")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 12, y)], BLACK));
    legend(&mut chart)?;

    let critical = scenario.board.critical_celsius;
    let low = -most(&|s| -s.air) - 5.0;
    let mut chart = panel(1, "°C", low, critical + 5.0)?;
    type Line = (&'static str, RGBColor, fn(&Sample) -> f64);
    let lines: [Line; 2] = [
        ("die, hottest", RGBColor(214, 39, 40), |s| s.die),
        ("air", RGBColor(31, 119, 180), |s| s.air),
    ];
    for (label, colour, of) in lines {
        chart
            .draw_series(LineSeries::new(
                samples.iter().map(|(t, s)| (*t, of(s))),
                colour,
            ))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 12, y)], colour));
    }
    chart.draw_series(LineSeries::new([(0.0, critical), (hours, critical)], BLACK))?;
    legend(&mut chart)?;

    let span = samples.get(1).map_or(SAMPLE / 3_600.0, |(t, _)| *t);
    let rate = move |s: &Sample| f64::from(s.looks) / span;
    let top = most(&rate).max(1.0);
    let points = (scenario.points.len() - 1).max(1) as f64;
    let mut chart = panel(2, "looks an hour; operating point", 0.0, top * 1.1)?;
    chart
        .draw_series(LineSeries::new(
            samples.iter().map(|(t, s)| (*t, rate(s))),
            RGBColor(44, 160, 44),
        ))?
        .label("looks")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 12, y)], RGBColor(44, 160, 44)));
    chart
        .draw_series(LineSeries::new(
            samples
                .iter()
                .map(|(t, s)| (*t, top * (1.0 - s.point as f64 / points))),
            RGBColor(127, 127, 127),
        ))?
        .label("point (first of the list on top)")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 12, y)], RGBColor(127, 127, 127)));
    legend(&mut chart)?;

    let top = most(&|s| s.blind).max(1.0) * 1.1;
    let mut chart = panel(
        3,
        "s since the rule that waits longest was looked at",
        0.0,
        top,
    )?;
    chart.draw_series(LineSeries::new(
        samples.iter().map(|(t, s)| (*t, s.blind)),
        RGBColor(140, 86, 75),
    ))?;
    root.present()?;
    drop(root);
    Ok(())
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

fn legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>) -> Result<(), Box<dyn std::error::Error>> {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", 11))
        .draw()
        .map_err(|e| e.to_string())?;
    Ok(())
}
