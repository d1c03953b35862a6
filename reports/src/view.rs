//! From records to blocks: what people are shown, in which order, whatever the format.
//!
//! The human and the Markdown report show the scores of whole sample sets; scores per class
//! (`AP/person`) are left to JSON and CSV, and a line says so. A number that the record refuses is
//! named as refused, with the count that would do.

use crate::{
    blocks::{Block, Table},
    text::{bytes, counted, four_digits, share, time},
};
use dyno_core::{
    BoundNs, Execution, LatencyNs, Measurement, MeasurementKind, Record, SampleSetRecord, Score,
    StageNs, Thresholds, WarningCode,
};
use dyno_stats::minimum_count;
use std::collections::BTreeSet;

/// Scores that a table for people shows at most.
const MAX_SCORES: usize = 12;

/// The report of all records; a side-by-side table first when there are several.
pub(crate) fn blocks(records: &[Record]) -> Vec<Block> {
    let mut out = Vec::new();
    if records.is_empty() {
        out.push(Block::Line("no records".to_owned()));
    }
    if records.len() > 1 {
        side_by_side(records, &mut out);
    }
    for record in records {
        one(record, &mut out);
    }
    out
}

/// The scores that stand in tables for people: of the whole set, the first [`MAX_SCORES`].
fn shown(scores: &[Score]) -> Vec<&Score> {
    scores
        .iter()
        .filter(|s| !s.metric.contains('/'))
        .take(MAX_SCORES)
        .collect()
}

/// The value with its interval.
fn score_text(score: &Score) -> String {
    let Some(value) = score.value else {
        return "none".to_owned();
    };
    match &score.interval {
        Some(i) => format!("{} [{}, {}]", share(value), share(i.low), share(i.high)),
        None => share(value),
    }
}

fn validity(m: &Measurement) -> String {
    if m.validity.is_valid() {
        return "VALID".to_owned();
    }
    format!(
        "INVALID ({})",
        m.validity
            .codes
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    )
}

fn side_by_side(records: &[Record], out: &mut Vec<Block>) {
    let mut table = Table::new(
        &[
            "record",
            "model",
            "engine",
            "board",
            "measured",
            "score",
            "p50",
            "p90",
            "samples/s",
            "validity",
        ],
        6,
    );
    let mut sets = BTreeSet::new();
    for record in records {
        for m in &record.measurements {
            let head = [
                record.short_id().to_owned(),
                record.subject.reference.clone(),
                engine(&m.execution),
                record.machine.board.id.clone(),
            ];
            let rest = match &m.kind {
                MeasurementKind::Accuracy {
                    sample_set, scores, ..
                } => {
                    sets.insert(sample_set.as_str());
                    let score = scores.first().map_or_else(
                        || "none".to_owned(),
                        |s| format!("{} {}", s.metric, score_text(s)),
                    );
                    [
                        format!("accuracy on {sample_set}"),
                        score,
                        String::new(),
                        String::new(),
                        String::new(),
                    ]
                }
                MeasurementKind::Performance {
                    scenario,
                    timed,
                    latency_ns,
                    throughput_per_s,
                    ..
                } => {
                    let of = |value: Option<u64>| value.map_or_else(|| "refused".to_owned(), time);
                    [
                        format!("{scenario}, {timed}"),
                        String::new(),
                        of(latency_ns.p50),
                        of(latency_ns.p90),
                        four_digits(*throughput_per_s),
                    ]
                }
            };
            table
                .rows
                .push(head.into_iter().chain(rest).chain([validity(m)]).collect());
        }
    }
    out.push(Block::Title(format!("{} records", records.len())));
    out.push(Block::Table(table));
    if sets.len() > 1 {
        out.push(Block::Line(format!(
            "{} different sample sets: scores of different sets are not comparable",
            sets.len()
        )));
    }
}

fn engine(e: &Execution) -> String {
    let provider = e
        .provider
        .as_ref()
        .map(|p| format!(" through {p}"))
        .unwrap_or_default();
    format!("{} on {}{provider}, {}", e.library, e.device, e.precision)
}

/// Engine and how it was used.
fn execution(e: &Execution) -> String {
    let mut text = format!(
        "{}, {}, {}, batch {}",
        engine(e),
        counted(e.threads.into(), "thread"),
        counted(e.sessions.into(), "session"),
        e.batch
    );
    for (key, value) in &e.settings {
        text.extend([", ", key, "=", value]);
    }
    text
}

fn one(record: &Record, out: &mut Vec<Block>) {
    let machine = &record.machine;
    out.push(Block::Title(format!(
        "{} ({})",
        record.subject.reference, record.subject.framework
    )));
    let mode = machine
        .power_mode
        .as_ref()
        .map(|m| format!(", power mode {m}"))
        .unwrap_or_default();
    let governor = machine
        .governor
        .as_ref()
        .map(|g| format!(", governor {g}"))
        .unwrap_or_default();
    let host = if machine.virtualized == Some(true) {
        ", virtual machine"
    } else {
        ""
    };
    out.push(Block::Line(format!(
        "machine: {}, {}, {}{mode}{governor}{host}",
        machine.board.id,
        machine.cpu,
        counted(machine.cores.into(), "core")
    )));
    out.push(Block::Line(format!(
        "record: {}, {}, {} {}",
        record.short_id(),
        record.created_utc,
        record.tool.name,
        record.tool.version
    )));
    for m in &record.measurements {
        match &m.kind {
            MeasurementKind::Accuracy { .. } => accuracy(record, m, out),
            MeasurementKind::Performance { .. } => performance(m, out),
        }
        out.push(Block::Line(validity(m)));
        if !m.validity.codes.is_empty() {
            let advice: BTreeSet<_> = m
                .validity
                .codes
                .iter()
                .map(|c| (c.to_string(), c.advice()))
                .collect();
            out.push(Block::Notes(
                advice
                    .into_iter()
                    .map(|(code, advice)| format!("{code}: {advice}"))
                    .collect(),
            ));
        }
    }
    if !record.warnings.is_empty() {
        out.push(Block::Section("warnings".to_owned()));
        out.push(Block::Notes(
            record
                .warnings
                .iter()
                .map(|w| format!("{}: {}", w.code, w.detail))
                .collect(),
        ));
    }
}

fn thresholds_text(t: &Thresholds) -> String {
    let iou = t.iou.map(|v| format!(", IoU {v}")).unwrap_or_default();
    let max = t
        .max
        .map(|v| format!(", at most {v} an image"))
        .unwrap_or_default();
    format!("score {}{iou}{max}", t.score)
}

fn accuracy(record: &Record, m: &Measurement, out: &mut Vec<Block>) {
    let MeasurementKind::Accuracy {
        sample_set,
        scores,
        thresholds,
        n,
        failed,
        wall_ns,
        engine_ns,
        host_ns,
        ..
    } = &m.kind
    else {
        return;
    };
    out.push(Block::Section(format!(
        "accuracy: {}",
        execution(&m.execution)
    )));
    let set = record.sample_sets.iter().find(|s| s.id == *sample_set);
    let subset = set.map_or_else(
        || {
            record
                .warnings
                .iter()
                .any(|w| w.code == WarningCode::Subset)
        },
        |s| !s.full,
    );
    let note = if subset {
        " (subset, not comparable with the full set)"
    } else {
        ""
    };
    let failures = if *failed > 0 {
        format!(", {failed} failed")
    } else {
        String::new()
    };
    out.push(Block::Line(format!(
        "on {sample_set}, {}{failures}{note}",
        counted(*n, "sample")
    )));

    let shown = shown(scores);
    let level = shown
        .iter()
        .find_map(|s| s.interval.as_ref())
        .map_or(0.95, |i| i.level);
    let ties = |s: &&Score| matches!((s.optimistic, s.pessimistic), (Some(o), Some(p)) if o.to_bits() != p.to_bits());
    let with_ties = shown.iter().any(ties);
    let mut table = Table::new(
        &[
            "metric",
            "value",
            &format!(
                "{} % interval",
                four_digits(level * 100.0)
                    .trim_end_matches('0')
                    .trim_end_matches('.')
            ),
            "n",
        ],
        1,
    );
    if with_ties {
        table
            .header
            .extend(["pessimistic".to_owned(), "optimistic".to_owned()]);
    }
    for s in &shown {
        let interval = s.interval.as_ref().map_or_else(
            || "none".to_owned(),
            |i| {
                // A level that is not the one of the heading is said.
                let level = if i.level.to_bits() == level.to_bits() {
                    String::new()
                } else {
                    format!(" at {}", i.level)
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
            let of = |v: Option<f64>| {
                if ties(s) {
                    v.map(share).unwrap_or_default()
                } else {
                    String::new()
                }
            };
            row.extend([of(s.pessimistic), of(s.optimistic)]);
        }
        table.rows.push(row);
    }
    out.push(Block::Table(table));
    if scores.len() > shown.len() {
        out.push(Block::Line(format!(
            "{} with --format json or csv",
            counted((scores.len() - shown.len()) as u64, "further score")
        )));
    }
    if let Some(set) = set {
        unmatched(set, out);
    }
    if let Some(t) = thresholds {
        out.push(Block::Line(format!("thresholds: {}", thresholds_text(t))));
    }
    out.push(Block::Line(format!(
        "took {}: engine {} over all sessions, host {} over all threads",
        time(*wall_ns),
        time(*engine_ns),
        time(*host_ns)
    )));
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
            out.push(Block::Line(format!(
                "classes of the {whose}: {}",
                names.join(", ")
            )));
        }
    }
}

fn performance(m: &Measurement, out: &mut Vec<Block>) {
    let MeasurementKind::Performance {
        scenario,
        timed,
        thresholds,
        sample_set,
        n,
        estimator,
        latency_ns,
        bound_ns,
        throughput_per_s,
        duration_ns,
        slots,
        stages_ns,
        load_ns,
        first_ns,
        memory_bytes,
        window_spread,
        outliers,
        trials,
        ..
    } = &m.kind
    else {
        return;
    };
    out.push(Block::Section(format!(
        "performance, {scenario}, timed {timed}: {}",
        execution(&m.execution)
    )));
    out.push(Block::Line(format!(
        "{} in {} on {sample_set}, {}",
        counted(*n, "query"),
        time(*duration_ns),
        counted((*slots).into(), "slot")
    )));
    let mut table = Table::new(&["min", "mean", "p50", "p90", "p99", "max", "samples/s"], 0);
    table
        .rows
        .push(latency_row(latency_ns, *bound_ns, *n, *throughput_per_s));
    out.push(Block::Table(table));
    let bound = if bound_ns.p90.is_some() || bound_ns.p99.is_some() {
        "; in brackets the upper bound at 99 % confidence"
    } else {
        ""
    };
    out.push(Block::Line(format!("percentiles: {estimator}{bound}")));
    out.push(Block::Line(format!(
        "median of stages: {}",
        stages(stages_ns)
    )));
    let memory = memory_bytes
        .peak
        .map(|b| format!(", peak memory {}", bytes(b)))
        .unwrap_or_default();
    out.push(Block::Line(format!(
        "model opened in {}, first query {}{memory}",
        time(*load_ns),
        time(*first_ns)
    )));
    let tried = if *trials > 1 {
        format!(", after {trials} trials")
    } else {
        String::new()
    };
    let spread = window_spread.map_or_else(|| "not judged".to_owned(), |s| format!("{s:.3}"));
    out.push(Block::Line(format!(
        "spread between windows: {spread}, outliers: {outliers} (kept){tried}"
    )));
    if let Some(t) = thresholds {
        out.push(Block::Line(format!("thresholds: {}", thresholds_text(t))));
    }
}

/// A percentile with its bound, or why there is none.
fn percentile(value: Option<u64>, bound: Option<u64>, p: f64, n: u64) -> String {
    match (value, bound) {
        (Some(value), Some(bound)) => format!("{} [{}]", time(value), time(bound)),
        (Some(value), None) => time(value),
        (None, _) => match minimum_count(p) {
            Some(needed) if needed > n => format!("refused: needs {}", counted(needed, "query")),
            _ => "refused".to_owned(),
        },
    }
}

fn latency_row(latency: &LatencyNs, bound: BoundNs, n: u64, throughput: f64) -> Vec<String> {
    vec![
        time(latency.min),
        time(latency.mean),
        percentile(latency.p50, None, 0.5, n),
        percentile(latency.p90, bound.p90, 0.9, n),
        percentile(latency.p99, bound.p99, 0.99, n),
        time(latency.max),
        four_digits(throughput),
    ]
}

/// Every stage of the record with its name, in the order of the pipeline.
pub(crate) fn stage_rows(s: &StageNs) -> [(&'static str, Option<u64>); 6] {
    [
        ("decode_image", s.decode_image),
        ("preprocess", s.preprocess),
        ("host_to_device", Some(s.host_to_device)),
        ("engine", Some(s.engine)),
        ("device_to_host", Some(s.device_to_host)),
        ("decode_outputs", s.decode_outputs),
    ]
}

fn stages(s: &StageNs) -> String {
    // Copies that take no time at all do not exist on this device.
    let exists =
        |(name, ns): &(&str, Option<u64>)| ns.is_some_and(|ns| ns > 0 || *name == "engine");
    stage_rows(s)
        .iter()
        .filter(|row| exists(row))
        .map(|(name, ns)| format!("{} {}", name.replace('_', " "), time(ns.unwrap_or(0))))
        .collect::<Vec<_>>()
        .join(", ")
}
