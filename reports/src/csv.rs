//! One row per number, for spreadsheets and data frames: a stable header, raw values in base units.

use crate::{
    details::{PER_CLASS, number, tables},
    percentile,
    table::CsvWriter,
    view::{Names, kind, scenario, timed},
};
use dyno_core::{
    Artifacts, LatencyNs, Measurement, MeasurementResult, Percentile, PerformanceResult, Record,
    Records, ReportError, Reporter, Score, Sink,
};
use dyno_stats::CONFIDENCE;
use serde_json::Value;

/// The columns. New ones are added at the end only.
const HEADER: [&str; 34] = [
    "record",
    "created_utc",
    "model",
    "framework",
    "boards",
    "processors",
    "cores",
    "measurement",
    "kind",
    "validity",
    "codes",
    "backend",
    "library",
    "device",
    "providers",
    "precision",
    "threads",
    "slots",
    "batch",
    "sample_set",
    "scenario",
    "timed",
    "trial",
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
    "series_sha256",
];

/// Comma-separated values.
#[derive(Debug, Clone, Copy)]
pub struct Csv;

/// The columns from `trial` on.
#[derive(Default)]
struct Number {
    /// Number of the attempt, counted from 1; absent for the measurement's own numbers.
    trial: Option<usize>,
    metric: String,
    value: Value,
    unit: &'static str,
    n: Option<u64>,
    hits: Option<u64>,
    low: Option<f64>,
    high: Value,
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
    fn render(
        &self,
        records: &Records<'_>,
        artifacts: &dyn Artifacts,
        sink: &mut dyn Sink,
    ) -> Result<(), ReportError> {
        let mut out = CsvWriter::new(HEADER);
        for record in records.records {
            let names = Names::of(record);
            for (index, m) in record.measurements.iter().enumerate() {
                let head = head(record, &names, index, m);
                for number in numbers(record, m, artifacts) {
                    let cells = cells(number);
                    let series = [Value::from(m.series_sha256.as_str())];
                    out.row(head.iter().chain(&cells).chain(&series));
                }
            }
        }
        sink.write(out.finish().as_bytes())
    }
}

/// The columns up to `timed`, which all numbers of a measurement share.
fn head(record: &Record, names: &Names, index: usize, m: &Measurement) -> [Value; 22] {
    let e = &m.execution;
    let subject = record.subject(m);
    let machines = || record.machines_of(m);
    let joined = |texts: Vec<&str>| Value::from(texts.join("; "));
    let (of_scenario, of_timed) = match m.performance() {
        Some(p) => (
            scenario(names, index, p.scenario.name).into(),
            timed(names, index, p.timed).into(),
        ),
        None => (Value::Null, Value::Null),
    };
    let cores = machines().map(|machine| machine.cores);
    let valid = m.validity.is_valid();
    let codes: Vec<String> = m.validity.codes.iter().map(ToString::to_string).collect();
    [
        record.id.as_str().into(),
        record.created_utc.as_str().into(),
        subject.map(|s| s.reference.as_str()).into(),
        subject.map(|s| s.framework.name()).into(),
        joined(
            machines()
                .map(|machine| machine.board.id.as_str())
                .collect(),
        ),
        joined(machines().map(|machine| machine.cpu.as_str()).collect()),
        cores.map(u64::from).reduce(u64::saturating_add).into(),
        index.into(),
        kind(names, index, m).into(),
        if valid { "VALID" } else { "INVALID" }.into(),
        codes.join(" ").into(),
        e.backend.as_str().into(),
        e.library.as_str().into(),
        e.device.as_str().into(),
        joined(e.providers.iter().map(|p| p.name.as_str()).collect()),
        e.precision.as_str().into(),
        e.threads.into(),
        e.slots.into(),
        e.batch.into(),
        m.sample_set().into(),
        of_scenario,
        of_timed,
    ]
}

fn cells(n: Number) -> [Value; 11] {
    [
        n.trial.into(),
        n.metric.into(),
        n.value,
        n.unit.into(),
        n.n.into(),
        n.hits.into(),
        n.low.into(),
        n.high,
        n.level.into(),
        n.optimistic.into(),
        n.pessimistic.into(),
    ]
}

fn numbers(record: &Record, m: &Measurement, artifacts: &dyn Artifacts) -> Vec<Number> {
    match &m.result {
        MeasurementResult::Accuracy(a) => {
            let mut rows: Vec<Number> = a.scores.iter().map(score).collect();
            rows.extend(per_class(record, m, artifacts));
            rows.push(counted("samples_failed", Some(a.n), a.failed));
            rows
        }
        MeasurementResult::Performance(p) => performance(p),
        // One row without a number: the measurement is there.
        MeasurementResult::Unknown => vec![Number::default()],
    }
}

fn score(s: &Score) -> Number {
    let interval = s.interval.as_ref();
    Number {
        metric: s.metric.clone(),
        value: s.value.into(),
        unit: "share",
        n: Some(s.n),
        hits: s.hits,
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high).into(),
        level: interval.map(|i| i.level),
        optimistic: s.optimistic,
        pessimistic: s.pessimistic,
        ..Number::default()
    }
}

/// `AP/person` and the like, where the table is at hand.
fn per_class(record: &Record, m: &Measurement, artifacts: &dyn Artifacts) -> Vec<Number> {
    let mut rows = Vec::new();
    let whole = m.accuracy().map_or(&[][..], |a| &a.scores);
    for table in tables(record, m, artifacts, PER_CLASS) {
        let Ok(content) = table.content else { continue };
        let n = content.column("n");
        for row in &content.rows {
            let class = row.first().map_or("", String::as_str);
            for metric in content.scores(whole) {
                let column = content.column(metric);
                rows.push(Number {
                    metric: format!("{metric}/{class}"),
                    value: column.and_then(|c| number(row.get(c))).into(),
                    unit: "share",
                    n: n.and_then(|n| row.get(n)?.parse().ok()),
                    ..Number::default()
                });
            }
        }
    }
    rows
}

fn counted(metric: &str, n: Option<u64>, value: u64) -> Number {
    Number {
        metric: metric.to_owned(),
        value: value.into(),
        unit: "count",
        n,
        ..Number::default()
    }
}

/// Least, mean, percentiles, greatest. A refused percentile keeps its row: empty is not forgotten.
fn latencies(latency: LatencyNs, percentiles: &[Percentile]) -> Vec<Number> {
    let ns = |metric: String, value: Option<u64>| Number {
        metric: format!("latency_{metric}"),
        value: value.into(),
        unit: "ns",
        ..Number::default()
    };
    let mut rows = vec![
        ns("min".to_owned(), Some(latency.min)),
        ns("mean".to_owned(), Some(latency.mean)),
    ];
    rows.extend(percentiles.iter().map(|p| Number {
        high: p.bound_ns.into(),
        level: p.bound_ns.map(|_| CONFIDENCE),
        ..ns(percentile::name(p.p), p.ns)
    }));
    rows.push(ns("max".to_owned(), Some(latency.max)));
    rows
}

fn performance(p: &PerformanceResult) -> Vec<Number> {
    let number = |metric: &str, value: Value, unit| Number {
        metric: metric.to_owned(),
        value,
        unit,
        ..Number::default()
    };
    let mut rows = latencies(p.latency_ns, &p.percentiles);
    rows.extend([
        number("throughput", p.throughput_per_s.into(), "per_s"),
        number("duration", p.duration_ns.into(), "ns"),
    ]);
    for stage in &p.stages {
        let name = stage.name.replace('-', "_");
        rows.push(number(
            &format!("stage_{name}_p50"),
            stage.p50_ns.into(),
            "ns",
        ));
        rows.push(number(
            &format!("stage_{name}_mean"),
            stage.mean_ns.into(),
            "ns",
        ));
    }
    rows.push(number("load", p.load_ns.into(), "ns"));
    rows.push(number("first_query", p.first_ns.into(), "ns"));
    let disturbance = p.disturbance.unwrap_or_default();
    let optional = [
        ("memory_peak", p.memory_bytes.peak.map(Value::from), "bytes"),
        (
            "memory_steady",
            p.memory_bytes.steady.map(Value::from),
            "bytes",
        ),
        ("energy", p.energy_j.map(Value::from), "joule"),
        ("window_spread", p.window_spread.map(Value::from), "ratio"),
        (
            "autocorrelation",
            p.autocorrelation.map(Value::from),
            "ratio",
        ),
        ("effective_n", p.effective_n.map(Value::from), "count"),
        (
            "run_delay",
            disturbance.run_delay_share.map(Value::from),
            "share",
        ),
        ("steal", disturbance.steal_share.map(Value::from), "share"),
        (
            "foreign_cpu",
            disturbance.foreign_cpu_share.map(Value::from),
            "share",
        ),
        (
            "outputs_compared",
            p.outputs_compared.map(Value::from),
            "count",
        ),
    ];
    rows.extend(
        optional
            .into_iter()
            .filter_map(|(metric, value, unit)| Some(number(metric, value?, unit))),
    );
    rows.push(counted("outliers", None, p.outliers));
    rows.push(counted("samples_failed", None, p.failed));
    for row in &mut rows {
        row.n = Some(p.n);
    }
    if p.trials.len() > 1 {
        for (index, t) in p.trials.iter().enumerate() {
            let mut of_trial = latencies(t.latency_ns, &t.percentiles);
            of_trial.push(number("throughput", t.throughput_per_s.into(), "per_s"));
            let run_delay = t.disturbance.and_then(|d| d.run_delay_share);
            of_trial.extend(run_delay.map(|s| number("run_delay", s.into(), "share")));
            rows.extend(of_trial.into_iter().map(|row| Number {
                trial: Some(index + 1),
                n: Some(t.n),
                ..row
            }));
        }
    }
    rows
}
