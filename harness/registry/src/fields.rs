//! The plain fields of a manifest and the measurements that they may show.
//!
//! `inference_time`: median of single-stream queries with batch 1, in seconds, four significant
//! digits. `mean_average_precision_top_1/5`: despite their name top-1 and top-5 accuracy, for
//! classification on a complete set only, because a bare number cannot say *subset*; four decimals.
//! `accuracy`: a sentence that names its sample set.

use dyno_core::{
    AccuracyResult, Interval, Measurement, MeasurementResult, PerformanceResult, Purpose, Record,
    SampleSetRecord, ScenarioName, Score, Timed,
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

/// Profiles whose latency may stand alone: shorter ones are for looking, not for showing.
const PROFILES: [&str; 3] = ["normal", "full", "mlperf"];
/// Repeated pictures that a set may have, as a share.
const MOST_REPEATS: f64 = 0.01;

/// Absent, null, empty text and 0 all mean that nobody measured, as long as no evidence shows them.
pub(crate) fn is_blank(value: Option<&Value>) -> bool {
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

fn share(value: f64) -> Value {
    Value::from((value * 1e4).round() / 1e4)
}

fn sentence(result: &AccuracyResult, set: &SampleSetRecord, score: &Score, value: f64) -> String {
    let interval = score.interval.as_ref().map_or_else(String::new, |i| {
        let decimals = if i.high - i.low < 0.01 { 4 } else { 3 };
        format!(
            " ({} % {:.decimals$}–{:.decimals$})",
            significant(i.level * 100.0, 4),
            i.low,
            i.high
        )
    });
    let subset = if set.full() {
        ""
    } else {
        " (subset, not comparable with the full set)"
    };
    let images = if result.n == 1 { "image" } else { "images" };
    format!(
        "{} {value:.4}{interval} on {}, {} {images}{subset}",
        score.metric, set.id, result.n
    )
}

/// The score that a field shows, and its value.
fn score<'r>(result: &'r AccuracyResult, field: &str) -> Result<(&'r Score, f64), String> {
    let score = match field {
        TOP_1 | TOP_5 => {
            let metric = if field == TOP_1 { "top-1" } else { "top-5" };
            let found = result.scores.iter().find(|s| s.metric == metric);
            found.ok_or_else(|| format!("the measurement has no `{metric}`"))?
        }
        _ => result
            .scores
            .first()
            .ok_or_else(|| "the measurement has no score".to_owned())?,
    };
    let value = score
        .value
        .ok_or_else(|| format!("`{}` has no value: nothing could be judged", score.metric))?;
    Ok((score, value))
}

/// What makes the samples of a measurement unfit for any field.
fn samples(failed: u64, set: &SampleSetRecord) -> Result<(), String> {
    if failed > 0 {
        return Err(format!(
            "{failed} samples failed, so it says nothing of `{}` as a whole",
            set.id
        ));
    }
    let repeats = set.count.saturating_sub(set.distinct);
    if f64::from(repeats) > MOST_REPEATS * f64::from(set.count) {
        return Err(format!(
            "{repeats} of the {} pictures of `{}` repeat others",
            set.count, set.id
        ));
    }
    Ok(())
}

fn of_accuracy(
    result: &AccuracyResult,
    set: &SampleSetRecord,
    field: &str,
) -> Result<Value, String> {
    samples(result.failed, set)?;
    let (score, value) = score(result, field)?;
    match field {
        TOP_1 | TOP_5 if !set.full() => Err(format!(
            "`{}` is a subset ({} of {}), which a bare number cannot say",
            set.id, set.count, set.of
        )),
        TOP_1 | TOP_5 => Ok(share(value)),
        _ => Ok(Value::from(sentence(result, set, score, value))),
    }
}

fn of_performance(
    result: &PerformanceResult,
    batch: u32,
    set: &SampleSetRecord,
) -> Result<Value, String> {
    let scenario = result.scenario.name;
    if scenario != ScenarioName::SingleStream
        || result.scenario.samples_per_query != 1
        || result.timed != Timed::Query
        || batch != 1
    {
        return Err(format!(
            "`{INFERENCE_TIME}` is single-stream, query, batch 1; this is {scenario}, {}, batch {batch}",
            result.timed
        ));
    }
    if !PROFILES.contains(&result.profile.as_str()) {
        return Err(format!(
            "measured with profile `{}`, a manifest shows {} or longer: --profile {}",
            result.profile, PROFILES[0], PROFILES[0]
        ));
    }
    samples(result.failed, set)?;
    let p50 = result
        .percentile(0.5)
        .ok_or("too few queries for a median")?;
    Ok(Value::from(significant(p50 as f64 / 1e9, 4)))
}

/// The measurement at `index`.
pub(crate) fn measurement(record: &Record, index: usize) -> Result<&Measurement, String> {
    record
        .measurements
        .get(index)
        .ok_or_else(|| format!("record {} has no measurement {index}", record.short_id()))
}

/// What `field` shows of this measurement.
///
/// # Errors
/// Why it cannot show it.
pub(crate) fn value_of(record: &Record, index: usize, field: &str) -> Result<Value, String> {
    let measurement = measurement(record, index)?;
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
    let set = || {
        record.sample_set(measurement).ok_or_else(|| {
            format!(
                "the record does not describe its sample set `{}`",
                measurement.sample_set().unwrap_or_default()
            )
        })
    };
    match (&measurement.result, field) {
        (MeasurementResult::Accuracy(result), ACCURACY | TOP_1 | TOP_5) => {
            of_accuracy(result, set()?, field)
        }
        (MeasurementResult::Performance(result), INFERENCE_TIME) => {
            of_performance(result, measurement.execution.batch, set()?)
        }
        (MeasurementResult::Accuracy(_), _) => Err("measurement of accuracy".to_owned()),
        (MeasurementResult::Performance(_), _) => Err("measurement of performance".to_owned()),
        (MeasurementResult::Unknown, _) => {
            Err("a kind of measurement that this version does not know".to_owned())
        }
    }
}

/// The number behind `field`, with how sure it is where that is known.
pub(crate) fn number_of<'r>(
    measurement: &'r Measurement,
    field: &str,
) -> Option<(f64, Option<&'r Interval>)> {
    match &measurement.result {
        MeasurementResult::Accuracy(result) => {
            let (score, value) = score(result, field).ok()?;
            Some((value, score.interval.as_ref()))
        }
        MeasurementResult::Performance(result) => {
            Some((result.percentile(0.5)? as f64 / 1e9, None))
        }
        MeasurementResult::Unknown => None,
    }
}

/// The measurement that `field` would show and its value: the first that fits, among all or at
/// `only`, of those whose subject is one of the model (`of_model`, by the subjects' positions).
///
/// # Errors
/// Why there is none; of several reasons the one of the measurement of the right kind.
pub(crate) fn choose(
    record: &Record,
    field: &str,
    only: Option<usize>,
    of_model: &dyn Fn(&Measurement) -> bool,
) -> Result<(usize, Value), String> {
    let right_kind = |m: &Measurement| match m.result {
        MeasurementResult::Accuracy(_) => field != INFERENCE_TIME,
        MeasurementResult::Performance(_) => field == INFERENCE_TIME,
        MeasurementResult::Unknown => false,
    };
    let mut reason = NOT_MEASURED.to_owned();
    for (i, measurement) in record.measurements.iter().enumerate() {
        if only.is_some_and(|o| o != i) || !right_kind(measurement) || !of_model(measurement) {
            continue;
        }
        match value_of(record, i, field) {
            Ok(value) => return Ok((i, value)),
            Err(e) => reason = e,
        }
    }
    Err(reason)
}

/// Why there is nothing for a field when no measurement is of its kind.
pub(crate) const NOT_MEASURED: &str = "not measured in this record";

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
pub(crate) fn difference(there: &Measurement, here: &Measurement) -> Option<String> {
    named(&there.series.differences(&here.series))
}

/// Parts of a series that the latency beside an accuracy must share with it.
const PAIRED: [&str; 4] = ["weights", "inputs", "shapes", "precision"];

/// What separates the accuracy and the latency that a manifest shows beside each other; `None`
/// where both are of the same model on the same inputs.
pub(crate) fn apart(accuracy: &Measurement, latency: &Measurement) -> Option<String> {
    named(&accuracy.series.differences_in(&latency.series, &PAIRED))
}

fn named(differences: &[dyno_core::SeriesDifference]) -> Option<String> {
    let parts: Vec<String> = differences.iter().map(ToString::to_string).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
