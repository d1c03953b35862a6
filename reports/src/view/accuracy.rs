//! Scores on a sample set, with their intervals and what stands behind them.

use super::{
    details, execution,
    record::{Names, name_source},
};
use crate::{
    blocks::Block,
    table::{Cell, Column, Table},
    text::{counted, percent, share, time},
};
use dyno_core::{AccuracyResult, Artifacts, Measurement, Record, SampleSetRecord, Score};

/// Scores that a table for people shows at most.
const MAX_SCORES: usize = 40;
/// Names of classes that a record keeps at most; as many mean that there may be more.
const NAMES_KEPT: usize = 20;

pub(super) fn blocks(
    record: &Record,
    names: &Names,
    m: &Measurement,
    a: &AccuracyResult,
    artifacts: &dyn Artifacts,
    out: &mut Vec<Block>,
) {
    let set = record.sample_set(m);
    let mut line = format!("on {}, {}", a.sample_set, counted(a.n, "sample"));
    if let Some(set) = set {
        line.push_str(&whole(set));
    }
    if a.failed > 0 {
        let failed = counted(a.failed, "sample");
        line.extend([format!(", {failed} failed and count in no score")]);
    }
    if let Some(source) = name_source(names, record, &a.sample_set) {
        line.extend([format!(", {source}")]);
    }
    out.push(Block::Line(line));
    out.push(Block::Table(scores(&a.scores)));
    out.extend(methods(&a.scores).map(Block::Line));
    if let Some(further) = a.scores.len().checked_sub(MAX_SCORES).filter(|f| *f > 0) {
        let further = counted(further as u64, "further score");
        out.push(Block::Line(format!("{further} with --format json or csv")));
    }
    details::blocks(record, m, artifacts, out);
    if let Some(set) = set {
        unmatched(set, out);
    }
    out.extend(execution::thresholds(m.threshold_set, m.thresholds.as_ref()).map(Block::Line));
    out.push(Block::Line(format!(
        "took {}: engine {} over all slots, host {} over all threads",
        time(a.wall_ns),
        time(a.engine_ns),
        time(a.host_ns)
    )));
}

/// How the intervals were made, which says what they are for; each method once.
fn methods(scores: &[Score]) -> Option<String> {
    let mut methods: Vec<&str> = scores
        .iter()
        .filter_map(|s| s.interval.as_ref())
        .map(|i| i.method.as_str())
        .collect();
    methods.sort_unstable();
    methods.dedup();
    (!methods.is_empty()).then(|| format!("intervals: {}", methods.join("; ")))
}

/// What part of the whole the set is.
fn whole(set: &SampleSetRecord) -> String {
    let mut text = String::new();
    if !set.full() {
        text.extend([format!(
            " of {} (subset, not comparable with the full set)",
            set.of
        )]);
    }
    if set.distinct < set.count {
        text.extend([format!(", only {} of them distinct", set.distinct)]);
    }
    text
}

fn scores(scores: &[Score]) -> Table {
    let shown: Vec<&Score> = scores.iter().take(MAX_SCORES).collect();
    let level = shown
        .iter()
        .find_map(|s| s.interval.as_ref())
        .map_or(0.95, |i| i.level);
    let ties = |s: &Score| matches!((s.optimistic, s.pessimistic), (Some(o), Some(p)) if o.to_bits() != p.to_bits());
    let with_ties = shown.iter().any(|s| ties(s));
    let mut columns = vec![
        Column::text("metric"),
        Column::number("value"),
        Column::number(&format!("{} interval", percent(level))),
        Column::number("n"),
    ];
    if with_ties {
        columns.extend([Column::number("pessimistic"), Column::number("optimistic")]);
    }
    let mut table = Table::new(columns);
    for s in shown {
        let interval = s.interval.as_ref().map_or_else(
            || "none".to_owned(),
            |i| {
                // A level that is not the one of the heading is said.
                let level = if i.level.to_bits() == level.to_bits() {
                    String::new()
                } else {
                    format!(" at {}", percent(i.level))
                };
                format!("{} to {}{level}", share(i.low), share(i.high))
            },
        );
        let mut row = vec![
            s.metric.clone(),
            s.value.map_or_else(|| "none".to_owned(), share),
            interval,
            s.n.to_string(),
        ];
        if with_ties {
            let of = |v: Option<f64>| v.filter(|_| ties(s)).map(share).unwrap_or_default();
            row.extend([of(s.pessimistic), of(s.optimistic)]);
        }
        table.push(row);
    }
    table
}

/// One cell of the side-by-side table.
pub(super) fn in_short(a: &AccuracyResult) -> Cell {
    let Some(s) = a.scores.first() else {
        return Cell::from("none");
    };
    let value = s.value.map_or_else(|| "none".to_owned(), share);
    let interval = s
        .interval
        .as_ref()
        .map(|i| format!(" [{}, {}]", share(i.low), share(i.high)))
        .unwrap_or_default();
    Cell::from(format!("{} {value}{interval}", s.metric))
}

fn unmatched(set: &SampleSetRecord, out: &mut Vec<Block>) {
    for (names, whose) in [
        (&set.unmatched_model, "model that the dataset does not have"),
        (
            &set.unmatched_dataset,
            "dataset that the model does not have",
        ),
    ] {
        if !names.is_empty() {
            let more = if names.len() >= NAMES_KEPT {
                ", …"
            } else {
                ""
            };
            let names = names.join(", ");
            out.push(Block::Line(format!(
                "classes of the {whose}: {names}{more}"
            )));
        }
    }
}
