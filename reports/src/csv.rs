//! One row per number, for spreadsheets and data frames: RFC 4180, a stable header, raw values in
//! base units.
//!
//! Text that a spreadsheet would take for a formula is preceded by an apostrophe (OWASP, "CSV
//! Injection").

use crate::{text::plain, view::stage_rows};
use dyno_core::{Measurement, MeasurementKind, Record, Report, ReportError, Reporter};
use dyno_stats::CONFIDENCE;

/// The columns. New ones are added at the end only.
const HEADER: [&str; 32] = [
    "record",
    "created_utc",
    "model",
    "framework",
    "board",
    "cpu",
    "cores",
    "measurement",
    "kind",
    "validity",
    "codes",
    "backend",
    "library",
    "device",
    "provider",
    "precision",
    "threads",
    "sessions",
    "batch",
    "sample_set",
    "scenario",
    "timed",
    "metric",
    "value",
    "unit",
    "n",
    "hits",
    "low",
    "high",
    "level",
    "optimistic",
    "pessimistic",
];

/// Comma-separated values.
#[derive(Debug, Clone, Copy)]
pub struct Csv;

/// The columns from `metric` on.
#[derive(Default)]
struct Number {
    metric: String,
    value: Option<String>,
    unit: &'static str,
    n: Option<u64>,
    hits: Option<u64>,
    low: Option<f64>,
    high: Option<String>,
    level: Option<f64>,
    optimistic: Option<f64>,
    pessimistic: Option<f64>,
}

impl Reporter for Csv {
    fn id(&self) -> &'static str {
        "csv"
    }
    fn about(&self) -> &'static str {
        "one row per number, raw values (RFC 4180)"
    }
    fn render(&self, report: &Report<'_>) -> Result<String, ReportError> {
        let mut out = HEADER.join(",") + "\r\n";
        for record in report.records {
            for (i, m) in record.measurements.iter().enumerate() {
                let head = head(record, i, m);
                for number in numbers(m) {
                    let mut line = head.clone();
                    for cell in cells(&number) {
                        line.push(',');
                        line.push_str(&cell);
                    }
                    out.push_str(&line);
                    out.push_str("\r\n");
                }
            }
        }
        Ok(out)
    }
}

/// The columns up to `timed`, which all numbers of a measurement share.
fn head(record: &Record, index: usize, m: &Measurement) -> String {
    let e = &m.execution;
    let (kind, sample_set, scenario, timed) = match &m.kind {
        MeasurementKind::Accuracy { sample_set, .. } => {
            ("accuracy", sample_set, String::new(), String::new())
        }
        MeasurementKind::Performance {
            sample_set,
            scenario,
            timed,
            ..
        } => (
            "performance",
            sample_set,
            scenario.to_string(),
            timed.to_string(),
        ),
    };
    let validity = if m.validity.is_valid() {
        "VALID"
    } else {
        "INVALID"
    };
    let codes = m
        .validity
        .codes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ");
    [
        text(&record.id),
        text(&record.created_utc),
        text(&record.subject.reference),
        text(record.subject.framework.name()),
        text(&record.machine.board.id),
        text(&record.machine.cpu),
        record.machine.cores.to_string(),
        index.to_string(),
        kind.to_owned(),
        validity.to_owned(),
        codes,
        text(&e.backend),
        text(&e.library),
        text(&e.device),
        text(e.provider.as_deref().unwrap_or_default()),
        text(&e.precision),
        e.threads.to_string(),
        e.sessions.to_string(),
        e.batch.to_string(),
        text(sample_set),
        scenario,
        timed,
    ]
    .join(",")
}

fn cells(n: &Number) -> [String; 10] {
    let float = |v: Option<f64>| v.map(|v| v.to_string()).unwrap_or_default();
    let count = |v: Option<u64>| v.map(|v| v.to_string()).unwrap_or_default();
    [
        text(&n.metric),
        n.value.clone().unwrap_or_default(),
        n.unit.to_owned(),
        count(n.n),
        count(n.hits),
        float(n.low),
        n.high.clone().unwrap_or_default(),
        float(n.level),
        float(n.optimistic),
        float(n.pessimistic),
    ]
}

fn numbers(m: &Measurement) -> Vec<Number> {
    match &m.kind {
        MeasurementKind::Accuracy { scores, .. } => scores
            .iter()
            .map(|s| Number {
                metric: s.metric.clone(),
                value: s.value.map(|v| v.to_string()),
                unit: "share",
                n: Some(s.n),
                hits: s.hits,
                low: s.interval.as_ref().map(|i| i.low),
                high: s.interval.as_ref().map(|i| i.high.to_string()),
                level: s.interval.as_ref().map(|i| i.level),
                optimistic: s.optimistic,
                pessimistic: s.pessimistic,
            })
            .collect(),
        MeasurementKind::Performance {
            n,
            latency_ns,
            bound_ns,
            throughput_per_s,
            duration_ns,
            stages_ns,
            load_ns,
            first_ns,
            memory_bytes,
            window_spread,
            outliers,
            ..
        } => {
            let number = |metric: &str, value: Option<String>, unit| Number {
                metric: metric.to_owned(),
                value,
                unit,
                n: Some(*n),
                ..Number::default()
            };
            let ns = |metric: &str, value: u64| number(metric, Some(value.to_string()), "ns");
            // A refused percentile keeps its row: empty is not the same as forgotten.
            let percentile = |metric: &str, value: Option<u64>, bound: Option<u64>| Number {
                high: bound.map(|b| b.to_string()),
                level: bound.map(|_| CONFIDENCE),
                ..number(metric, value.map(|v| v.to_string()), "ns")
            };
            let mut rows = vec![
                ns("latency_min", latency_ns.min),
                ns("latency_mean", latency_ns.mean),
                percentile("latency_p50", latency_ns.p50, None),
                percentile("latency_p90", latency_ns.p90, bound_ns.p90),
                percentile("latency_p99", latency_ns.p99, bound_ns.p99),
                ns("latency_max", latency_ns.max),
                number("throughput", Some(throughput_per_s.to_string()), "per_s"),
                ns("duration", *duration_ns),
            ];
            rows.extend(
                stage_rows(stages_ns)
                    .iter()
                    .filter_map(|(name, value)| value.map(|v| ns(&format!("stage_{name}"), v))),
            );
            rows.push(ns("load", *load_ns));
            rows.push(ns("first_query", *first_ns));
            rows.extend(
                memory_bytes
                    .peak
                    .map(|b| number("memory_peak", Some(b.to_string()), "bytes")),
            );
            rows.extend(
                window_spread.map(|s| number("window_spread", Some(s.to_string()), "ratio")),
            );
            rows.push(number("outliers", Some(outliers.to_string()), "count"));
            rows
        }
    }
}

/// A cell of text: on one line, no formula, quoted where it must be.
pub(crate) fn text(cell: &str) -> String {
    // The signs that spreadsheets take for the beginning of a formula, and their full-width forms.
    let formula = cell.trim_start().starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    let cell = plain(cell);
    let cell = if formula { format!("'{cell}") } else { cell };
    if cell.contains([',', '"', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}
