//! Several combinations of values in one table, fastest first, with the accuracy beside it.

use crate::{context::Context, output, tables};
use dyno_core::{Measurement, Record};
use dyno_reports::{
    table::{Cell, Column, Table},
    text::{four_digits, share, time},
};
use std::{cmp::Ordering, path::Path};

/// Prints the table.
///
/// # Errors
/// When it cannot be written.
pub(super) fn print(
    records: &[Record],
    out: Option<&Path>,
    context: &Context,
) -> anyhow::Result<()> {
    let mut table = Table::new([
        Column::text("model"),
        Column::text("engine"),
        Column::number("threads"),
        Column::number("batch"),
        Column::text("scenario"),
        Column::number("p50").key("p50_ns"),
        Column::number("p90").key("p90_ns"),
        Column::number("samples/s").key("samples_per_s"),
        Column::text("score").key("metric"),
        Column::number("value").key("score"),
        Column::text("validity"),
        Column::text("record"),
    ]);
    let mut rows: Vec<(Option<f64>, Vec<Cell>)> = Vec::new();
    for record in records {
        let timed = record
            .measurements
            .iter()
            .filter(|m| m.performance().is_some());
        let timed: Vec<&Measurement> = timed.collect();
        if timed.is_empty() {
            rows.extend(record.measurements.first().map(|m| row(record, m)));
        }
        rows.extend(timed.into_iter().map(|m| row(record, m)));
    }
    // Most samples a second first; those that were not timed last, in the order of the command.
    rows.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) => b.total_cmp(a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    for (_, cells) in rows {
        table.push(cells);
    }
    let width = out.is_none().then(tables::terminal_width).flatten();
    output::write(table.render(context.listing()?, width).as_bytes(), out)
}

fn row(record: &Record, measurement: &Measurement) -> (Option<f64>, Vec<Cell>) {
    let performance = measurement.performance();
    let percentile = |p: f64| {
        let found = performance?
            .percentiles
            .iter()
            .find(|x| (x.p - p).abs() < 1e-9)?;
        found.ns.map(|ns| Cell::new(time(ns), ns))
    };
    let speed = performance.map(|p| p.throughput_per_s);
    let score = record
        .measurements
        .iter()
        .find_map(|m| m.accuracy()?.scores.first());
    let validity = if measurement.validity.is_valid() {
        "VALID".to_owned()
    } else {
        let codes: Vec<String> = measurement
            .validity
            .codes
            .iter()
            .map(ToString::to_string)
            .collect();
        format!("INVALID {}", codes.join(" "))
    };
    let execution = &measurement.execution;
    let subject = record.subject(measurement).map(|s| s.reference.as_str());
    let cells = vec![
        Cell::from(subject),
        Cell::from(execution.backend.as_str()),
        Cell::from(execution.threads),
        Cell::from(execution.batch),
        Cell::from(performance.map(|p| p.scenario.name.to_string())),
        percentile(0.5).unwrap_or_else(Cell::empty),
        percentile(0.9).unwrap_or_else(Cell::empty),
        speed.map_or_else(Cell::empty, |s| Cell::new(four_digits(s), s)),
        Cell::from(score.map(|s| s.metric.as_str())),
        score
            .and_then(|s| s.value)
            .map_or_else(Cell::empty, |v| Cell::new(share(v), v)),
        Cell::from(validity),
        Cell::from(record.short_id()),
    ];
    (speed, cells)
}
