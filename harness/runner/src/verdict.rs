//! What a run's accuracy says about its speed.

use dyno_core::{
    Measurement, MeasurementResult, MetricKind, ModelPlan, Reference, Score, ValidityCode, Warning,
    WarningCode,
};

/// How the scores stand to what the model is known to reach.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Standing {
    /// A reference on this sample set was met.
    Met,
    /// It was missed: metric, value, reference.
    Missed(String),
    /// There is none on this sample set.
    Unreferenced,
    /// Accuracy was not measured, or not on all samples.
    NotMeasured,
    /// So many samples failed: scores leave them out, and what is left out may be what would have
    /// missed.
    SamplesFailed(usize),
}

fn misses(reference: &Reference, score: &Score) -> Option<String> {
    let Some(value) = score.value else {
        return Some(format!("{} could not be computed", reference.metric));
    };
    let tolerance = match (reference.abs, reference.rel) {
        (None, None) => 0.0,
        (abs, rel) => abs
            .unwrap_or(0.0)
            .max(rel.unwrap_or(0.0) * reference.value.abs()),
    };
    // A hair above the tolerance is rounding of the decimal numbers in the file.
    let difference = (value - reference.value).abs();
    (difference > tolerance + 1e-12).then(|| {
        format!(
            "{} is {value:.6}, the reference says {} ± {tolerance}",
            reference.metric, reference.value
        )
    })
}

/// What accuracy of the run there is to judge by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Judged {
    /// None, or not of all samples.
    No,
    /// Of all samples, so many of which failed.
    All {
        /// Samples without a prediction.
        failed: usize,
    },
}

/// Compares scores with the model's references on the same sample set.
pub(crate) fn standing(
    judged: Judged,
    model: &ModelPlan,
    sample_set: &str,
    scores: &[Score],
) -> Standing {
    match judged {
        Judged::No => Standing::NotMeasured,
        Judged::All { failed: 0 } => against_references(model, sample_set, scores),
        Judged::All { failed } => Standing::SamplesFailed(failed),
    }
}

fn against_references(model: &ModelPlan, sample_set: &str, scores: &[Score]) -> Standing {
    let mut found = false;
    let mut missed = Vec::new();
    for reference in model
        .references
        .iter()
        .filter(|r| r.sample_set == sample_set)
    {
        found = true;
        match scores.iter().find(|s| s.metric == reference.metric) {
            Some(score) => missed.extend(misses(reference, score)),
            None => missed.push(format!("{} was not measured", reference.metric)),
        }
    }
    match (found, missed.is_empty()) {
        (false, _) => Standing::Unreferenced,
        (true, true) => Standing::Met,
        (true, false) => Standing::Missed(missed.join("; ")),
    }
}

/// The outputs are no better than guessing among `classes` classes: a score that says something of
/// that, or the upper end of its interval, is not above its level.
pub(crate) fn at_chance(scores: &[(&'static dyn MetricKind, Vec<Score>)], classes: usize) -> bool {
    scores.iter().any(|(kind, scores)| {
        scores.iter().any(|score| {
            let best = score.interval.as_ref().map(|i| i.high).or(score.value);
            let level = kind.chance(score, classes);
            best.zip(level).is_some_and(|(best, level)| best <= level)
        })
    })
}

/// Stamps the measurements of one run.
pub(crate) fn apply(
    measurements: &mut [Measurement],
    standing: &Standing,
    chance: bool,
    warnings: &mut Vec<Warning>,
) {
    for measurement in measurements.iter_mut() {
        let speed = matches!(measurement.result, MeasurementResult::Performance(_));
        if chance {
            measurement.invalidate(ValidityCode::AccuracyChance);
        }
        if speed && matches!(standing, Standing::Missed(_)) {
            measurement.invalidate(ValidityCode::AccuracyFailed);
        }
    }
    let unreferenced = |detail| (WarningCode::AccuracyUnreferenced, detail);
    let (code, detail) = match standing {
        Standing::Met => return,
        Standing::Missed(detail) => (WarningCode::AccuracyMissed, detail.clone()),
        Standing::Unreferenced => unreferenced("the model names no reference accuracy on this sample set: `dyno models reference set` records one".to_owned()),
        Standing::NotMeasured => {
            unreferenced("accuracy was not measured in this run, or not on all samples, so nothing says that the outputs are right".to_owned())
        }
        Standing::SamplesFailed(failed) => {
            unreferenced(format!("{failed} samples failed and are in no score, so the scores were not compared with the model's reference accuracy"))
        }
    };
    warnings.push(Warning { code, detail });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(value: Option<f64>) -> Score {
        Score {
            metric: "AP".into(),
            value,
            n: 1,
            hits: None,
            interval: None,
            optimistic: None,
            pessimistic: None,
        }
    }

    #[test]
    fn tolerances_are_the_wider_of_absolute_and_relative() {
        let reference = |abs, rel| Reference {
            metric: "AP".into(),
            value: 0.5,
            sample_set: "s".into(),
            abs,
            rel,
            source: None,
        };
        for (r, value, met) in [
            (reference(None, None), 0.5, true),
            (reference(None, None), 0.500_1, false),
            (reference(Some(0.01), None), 0.49, true),
            (reference(Some(0.01), None), 0.488, false),
            (reference(Some(0.001), Some(0.1)), 0.46, true),
        ] {
            assert_eq!(
                misses(&r, &score(Some(value))).is_none(),
                met,
                "{r:?} {value}"
            );
        }
        assert!(misses(&reference(Some(1.0), None), &score(None)).is_some());
    }

    #[test]
    fn only_a_whole_run_without_failures_is_compared() {
        for (judged, standing_is, word) in [
            (Judged::No, Standing::NotMeasured, "was not measured"),
            (
                Judged::All { failed: 2 },
                Standing::SamplesFailed(2),
                "2 samples failed",
            ),
            (
                Judged::All { failed: 0 },
                Standing::Missed("AP is 0.400000, the reference says 0.5 ± 0".into()),
                "0.400000",
            ),
        ] {
            let found = standing(judged, &model(), "s", &[score(Some(0.4))]);
            assert_eq!(found, standing_is);
            let mut warnings = Vec::new();
            apply(&mut [], &found, false, &mut warnings);
            assert!(
                warnings.len() == 1 && warnings[0].detail.contains(word),
                "{warnings:?}"
            );
        }
        assert_eq!(
            standing(
                Judged::All { failed: 0 },
                &model(),
                "other",
                &[score(Some(0.4))]
            ),
            Standing::Unreferenced
        );
        assert_eq!(
            standing(
                Judged::All { failed: 0 },
                &model(),
                "s",
                &[score(Some(0.5))]
            ),
            Standing::Met
        );
    }

    fn model() -> ModelPlan {
        let text = r#"{"reference":"m","framework":"onnx","files":[],"purpose":"ObjectDetection","inputs":[],"outputs":[],
            "decoder":{"kind":"k"},"references":[{"metric":"AP","value":0.5,"sample_set":"s"}]}"#;
        serde_json::from_str(text).expect("a model")
    }
}
