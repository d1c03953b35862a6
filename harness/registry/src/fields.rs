//! The plain fields of a manifest and the measurements that they may show.
//!
//! `inference_time`: median of single-stream queries with batch 1, in seconds, four significant
//! digits. `mean_average_precision_top_1/5`: despite their name top-1 and top-5 accuracy, for
//! classification only, four decimals. `accuracy`: a sentence.

use dyno_core::{
    Measurement, MeasurementKind, Purpose, Record, SampleSetRecord, Scenario, Score, Timed,
};
use serde_json::Value;

/// The sentence.
pub const ACCURACY: &str = "accuracy";
/// Seconds of a query.
pub const INFERENCE_TIME: &str = "inference_time";
/// Top-1 accuracy.
pub const TOP_1: &str = "mean_average_precision_top_1";
/// Top-5 accuracy.
pub const TOP_5: &str = "mean_average_precision_top_5";

/// Absent, null, empty text and 0 all mean that nobody measured.
pub(crate) fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(s)) => s.trim().is_empty(),
        Some(Value::Number(n)) => n.as_f64() == Some(0.0),
        Some(_) => false,
    }
}

/// The same value, whatever its spelling.
pub(crate) fn same_value(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
        _ => a == b,
    }
}

/// A number with this many significant digits.
fn significant(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.saturating_sub(1))
        .parse()
        .unwrap_or(value)
}

/// The sample set of a measurement, as the record describes it.
pub(crate) fn sample_set<'r>(
    record: &'r Record,
    measurement: &Measurement,
) -> Option<&'r SampleSetRecord> {
    let (MeasurementKind::Accuracy { sample_set, .. }
    | MeasurementKind::Performance { sample_set, .. }) = &measurement.kind;
    record.sample_sets.iter().find(|s| &s.id == sample_set)
}

fn sentence(
    record: &Record,
    measurement: &Measurement,
    score: &Score,
    value: f64,
) -> Result<String, String> {
    let MeasurementKind::Accuracy {
        sample_set: id,
        n,
        failed,
        ..
    } = &measurement.kind
    else {
        return Err("not an accuracy measurement".to_owned());
    };
    let set = sample_set(record, measurement)
        .ok_or_else(|| format!("the record does not describe its sample set `{id}`"))?;
    let interval = score.interval.as_ref().map_or_else(String::new, |i| {
        let decimals = if i.high - i.low < 0.01 { 4 } else { 3 };
        format!(
            " ({} % {:.decimals$}–{:.decimals$})",
            significant(i.level * 100.0, 4),
            i.low,
            i.high
        )
    });
    let subset = if set.full {
        ""
    } else {
        " (subset, not comparable with the full set)"
    };
    let total = n.saturating_add(*failed);
    let images = if total == 1 { "image" } else { "images" };
    let judged = if *failed == 0 {
        format!("{n} {images}")
    } else {
        format!("{n} of {total} {images} ({failed} failed)")
    };
    Ok(format!(
        "{} {value:.4}{interval} on {id}, {judged}{subset}",
        score.metric
    ))
}

fn share(value: f64) -> Value {
    Value::from((value * 1e4).round() / 1e4)
}

/// What `field` shows of this measurement.
///
/// # Errors
/// Why it cannot show it.
pub(crate) fn value_of(record: &Record, index: usize, field: &str) -> Result<Value, String> {
    let measurement = record
        .measurements
        .get(index)
        .ok_or_else(|| format!("record {} has no measurement {index}", record.short_id()))?;
    if !measurement.validity.is_valid() {
        let codes: Vec<String> = measurement
            .validity
            .codes
            .iter()
            .map(ToString::to_string)
            .collect();
        return Err(format!(
            "measurement {index} is INVALID: {}",
            codes.join(", ")
        ));
    }
    match (&measurement.kind, field) {
        (MeasurementKind::Accuracy { scores, .. }, ACCURACY) => {
            let score = scores.first().ok_or("the measurement has no score")?;
            let value = score.value.ok_or_else(|| {
                format!("`{}` has no value: nothing could be judged", score.metric)
            })?;
            sentence(record, measurement, score, value).map(Value::from)
        }
        (MeasurementKind::Accuracy { .. }, TOP_1 | TOP_5) => {
            let metric = if field == TOP_1 { "top-1" } else { "top-5" };
            measurement
                .score(metric)
                .and_then(|s| s.value)
                .map(share)
                .ok_or_else(|| format!("the measurement has no `{metric}`"))
        }
        (
            MeasurementKind::Performance {
                scenario,
                timed,
                latency_ns,
                ..
            },
            INFERENCE_TIME,
        ) => {
            if *scenario != Scenario::SingleStream
                || *timed != Timed::Query
                || measurement.execution.batch != 1
            {
                let batch = measurement.execution.batch;
                return Err(format!(
                    "`{INFERENCE_TIME}` is single-stream, query, batch 1; this is {scenario}, {timed}, batch {batch}"
                ));
            }
            let p50 = latency_ns.p50.ok_or("too few queries for a median")?;
            Ok(Value::from(significant(p50 as f64 / 1e9, 4)))
        }
        (MeasurementKind::Accuracy { .. }, _) => Err("measurement of accuracy".to_owned()),
        (MeasurementKind::Performance { .. }, _) => Err("measurement of performance".to_owned()),
    }
}

/// The measurement that `field` would show and its value: the first that fits, among all or at
/// `only`. An accuracy of which samples failed fits no field: it is not that of its sample set.
///
/// # Errors
/// Why there is none; of several reasons the one of the measurement of the right kind.
pub(crate) fn choose(
    record: &Record,
    field: &str,
    only: Option<usize>,
) -> Result<(usize, Value), String> {
    let right_kind = |m: &Measurement| {
        matches!(m.kind, MeasurementKind::Performance { .. }) == (field == INFERENCE_TIME)
    };
    let mut reason = "not measured in this record".to_owned();
    for (i, measurement) in record
        .measurements
        .iter()
        .enumerate()
        .filter(|(i, _)| only.is_none_or(|o| o == *i))
    {
        if !right_kind(measurement) {
            continue;
        }
        match value_of(record, i, field) {
            Ok(value) => match &measurement.kind {
                MeasurementKind::Accuracy { failed, .. } if *failed > 0 => {
                    let shown = value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned);
                    reason = format!(
                        "{failed} samples failed, so it is not the accuracy on the sample set: {shown}"
                    );
                }
                _ => return Ok((i, value)),
            },
            Err(e) => reason = e,
        }
    }
    Err(reason)
}

/// The fields of a model: an entry of ETA's has two, a package four if it classifies.
pub(crate) fn fields(is_package: bool, purpose: Option<Purpose>) -> &'static [&'static str] {
    if is_package && purpose == Some(Purpose::Classification) {
        &[ACCURACY, TOP_1, TOP_5, INFERENCE_TIME]
    } else {
        &[ACCURACY, INFERENCE_TIME]
    }
}

/// What separates two measurements of one model; `None` where they are of one series and
/// comparable.
///
/// Threads, batch, scenario, interval, settings and the machine itself separate performance only:
/// an accuracy run divides the machine as it likes and its scores do not depend on that. The board
/// alone does not tell one PC from another.
pub(crate) fn difference(a: (&Record, &Measurement), b: (&Record, &Measurement)) -> Option<String> {
    let facts = |(record, m): (&Record, &Measurement)| {
        let (MeasurementKind::Accuracy { sample_set, .. }
        | MeasurementKind::Performance { sample_set, .. }) = &m.kind;
        let mut facts = vec![
            ("board", record.machine.board.id.clone()),
            (
                "power mode",
                record.machine.power_mode.clone().unwrap_or_default(),
            ),
            ("backend", m.execution.backend.clone()),
            ("device", m.execution.device.clone()),
            ("precision", m.execution.precision.clone()),
            ("sample set", sample_set.clone()),
        ];
        match &m.kind {
            MeasurementKind::Accuracy { .. } => facts.push(("kind", "accuracy".to_owned())),
            MeasurementKind::Performance {
                scenario, timed, ..
            } => facts.extend([
                ("kind", "performance".to_owned()),
                ("threads", m.execution.threads.to_string()),
                ("batch", m.execution.batch.to_string()),
                ("scenario", scenario.to_string()),
                ("timed", timed.to_string()),
                ("processor", record.machine.cpu.clone()),
                ("cores", record.machine.cores.to_string()),
                ("provider", m.execution.provider.clone().unwrap_or_default()),
                (
                    "settings",
                    m.execution
                        .settings
                        .iter()
                        .map(|(k, v)| format!("{k}={v}"))
                        .collect::<Vec<_>>()
                        .join(" "),
                ),
            ]),
        }
        facts
    };
    let (a, b) = (facts(a), facts(b));
    let differing: Vec<String> = a
        .iter()
        .zip(&b)
        .filter(|(x, y)| x != y)
        .map(|(x, y)| format!("{} `{}` there, `{}` here", x.0, x.1, y.1))
        .collect();
    (!differing.is_empty()).then(|| differing.join(", "))
}
