//! All attempts at a measurement: which one the numbers are of, and what was wrong with the others.

use crate::{
    blocks::Block,
    table::{Column, Table},
    text::{four_digits, percent, time},
};
use dyno_core::{PerformanceResult, Trial, ValidityCode};

pub(super) fn blocks(p: &PerformanceResult, out: &mut Vec<Block>) {
    if p.trials.len() < 2 && p.trial == 0 {
        return;
    }
    out.push(Block::Line(which(p)));
    if !p.trials.is_empty() {
        out.push(Block::Table(table(&p.trials)));
    }
}

/// `trial 2 of 2, the first was disturbed: run-delay 5 %`.
fn which(p: &PerformanceResult) -> String {
    let (number, of) = (u64::from(p.trial) + 1, p.trials.len());
    if p.trials.get(p.trial as usize).is_none() {
        return format!("trial {number} of {of}: the record does not hold this trial");
    }
    let mut text = format!("trial {number} of {of}");
    let others = p.trials.iter().enumerate();
    for (index, trial) in others.filter(|(i, t)| *i != p.trial as usize && !t.codes.is_empty()) {
        text.extend([format!(", the {} was {}", ordinal(index), against(trial))]);
    }
    text
}

fn ordinal(index: usize) -> String {
    const WORDS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
    WORDS
        .get(index)
        .map_or_else(|| format!("{}th", index + 1), |w| (*w).to_owned())
}

/// What speaks against a trial, with the number behind it.
fn against(trial: &Trial) -> String {
    let codes = trial.codes.iter().map(|code| {
        let run_delay = trial.disturbance.and_then(|d| d.run_delay_share);
        match (code, run_delay, trial.window_spread) {
            (ValidityCode::Disturbed, Some(share), _) => {
                format!("{code}: run-delay {}", percent(share))
            }
            (ValidityCode::Unsteady, _, Some(spread)) => {
                format!("{code}: windows {} apart", percent(spread - 1.0))
            }
            _ => code.to_string(),
        }
    });
    codes.collect::<Vec<_>>().join(" and ")
}

fn table(trials: &[Trial]) -> Table {
    let mut table = Table::new([
        Column::number("trial"),
        Column::number("queries"),
        Column::number("took"),
        Column::number("mean"),
        Column::number("p50"),
        Column::number("p90"),
        Column::number("samples/s"),
        Column::number("run-delay"),
        Column::text("against it"),
    ]);
    for (index, t) in trials.iter().enumerate() {
        let percentile = |p: f64| {
            let found = t.percentiles.iter().find(|x| (x.p - p).abs() < 1e-9);
            found
                .and_then(|x| x.ns)
                .map_or_else(|| "refused".to_owned(), time)
        };
        let run_delay = t.disturbance.and_then(|d| d.run_delay_share);
        let codes: Vec<String> = t.codes.iter().map(ToString::to_string).collect();
        table.push([
            (index + 1).to_string(),
            t.n.to_string(),
            time(t.duration_ns),
            time(t.latency_ns.mean),
            percentile(0.5),
            percentile(0.9),
            four_digits(t.throughput_per_s),
            run_delay.map_or_else(|| "unknown".to_owned(), percent),
            if codes.is_empty() {
                "nothing".to_owned()
            } else {
                codes.join(", ")
            },
        ]);
    }
    table
}
