//! Expectations: how they read, what they are checked against before a run, and what a record says
//! of them.

use super::fixture::{
    Files, accuracy, classifier, detail, detector, disturbed, latencies, performance, record,
    score, scores, trial,
};
use crate::{Available, ExpectError, Expectation, Judgement, ScoreNames, Verdict};
use dyno_core::{
    Artifacts, LabelMap, Measurement, NoArtifacts, Record, ReportError, ScenarioName, ValidityCode,
};

fn parse(expression: &str) -> Expectation {
    expression.parse().expect("an expectation")
}

fn judgement(expression: &str, record: &Record) -> Judgement {
    parse(expression)
        .evaluate(record, &Files::all())
        .expect("the record has it")
}

fn single_stream(n: u64) -> Measurement {
    performance(
        latencies(ScenarioName::SingleStream, n, vec![trial(n, 0.0, vec![])]),
        vec![],
    )
}

fn offline(n: u64) -> Measurement {
    performance(
        latencies(ScenarioName::Offline, n, vec![trial(n, 0.0, vec![])]),
        vec![],
    )
}

/// The message with its cause.
fn message(error: &ExpectError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn verdicts() {
    let mut result = scores(vec![
        score("AP", Some(0.295)),
        score("AP50", Some(0.5)),
        score("top-1", Some(0.7)),
        score("AP_small", None),
    ]);
    result.details = vec![detail("coco-per-class", super::fixture::CLASSES)];
    let record = record(
        "m",
        vec![accuracy(result), single_stream(500), offline(1500)],
    );
    for (expression, holds) in [
        ("AP>=0.295", true),
        ("AP > 0.295", false),
        ("AP>=29.5%", true),
        ("top-1>=70%", true),
        ("top-1>=0.71", false),
        ("AP/person<0.6", true),
        ("AP50/person>=0.76", false),
        ("AP/=cmd|' /C calc'!A0>=0.125", true),
        ("p90<=12.345678ms", true),
        ("p90<12.345678ms", false),
        ("p90<=12345678ns", true),
        ("p50<20ms", true),
        ("p50<11499us", false),
        ("p50<=11.5e3 µs", true),
        ("max<=0.041s", true),
        ("p90-bound<=12.5ms", false),
        ("offline:p99-bound<=16ms", true),
        ("samples/s>=50", true),
        ("samples/s>=100", false),
        ("throughput>=83.3/s", false),
        ("single-stream:throughput>=83.25 samples/s", true),
        ("offline:p99<=15ms", true),
        ("load<=320ms", true),
        ("first<=1s", true),
        ("memory-peak<=124MB", true),
        ("memory-peak<=117MiB", false),
    ] {
        let wanted = if holds {
            Verdict::Passed
        } else {
            Verdict::Failed
        };
        let found = judgement(expression, &record);
        assert_eq!(found.verdict, wanted, "{expression}");
        assert_eq!(found.reason.is_some(), !holds, "{expression}");
    }
    let result = judgement("p90<=12ms", &record);
    let measured = result.measured.expect("a value");
    assert_eq!(
        (measured.value, measured.unit, measured.text.as_str()),
        (12_345_678.0, "ns", "12.35 ms")
    );
    assert_eq!(result.expression, "p90<=12ms");
    assert_eq!(
        result.reason.as_deref(),
        Some("measured 12.35 ms, which is not <= 12ms")
    );
}

#[test]
fn what_is_refused_invalid_or_of_survivors_decides_nothing() {
    let undecided = |expression: &str, record: &Record| {
        let j = judgement(expression, record);
        assert_eq!(j.verdict, Verdict::Undecided, "{expression}");
        j.reason.expect("a reason")
    };
    // 500 queries support no p99, and the 333 independent ones no bound.
    assert_eq!(
        undecided("p99<=1s", &detector()),
        "`p99`: refused: needs 662 queries"
    );
    assert_eq!(
        undecided("offline:p99-bound<=1s", &record("m", vec![offline(700)])),
        "`p99-bound`: refused: needs 662 independent, has 466"
    );
    assert_eq!(
        undecided("AP_small>=0", &detector()),
        "`AP_small`: nothing could be judged"
    );
    assert_eq!(
        undecided("AP/toaster>=0", &detector()),
        "`AP/toaster`: nothing of this class could be judged"
    );
    assert_eq!(
        undecided("AP_small/person>=0", &detector()),
        "`AP_small/person`: there is no `AP_small` per class"
    );
    // INVALID, whichever way the value lies.
    for expression in ["samples/s>=50", "samples/s>=5000"] {
        assert_eq!(
            undecided(expression, &detector()),
            "the measurement is INVALID: too-few-queries, unsteady"
        );
    }
    // Scores of the samples that survived, whichever way the value lies.
    for expression in ["top-1>=0.5", "top-1>=0.99"] {
        assert_eq!(
            undecided(expression, &classifier()),
            "2 samples failed: a number of the others says nothing of the set"
        );
    }
    let mut survivors = latencies(ScenarioName::SingleStream, 500, vec![]);
    survivors.failed = 1;
    assert_eq!(
        undecided(
            "p50<=1s",
            &record("m", vec![performance(survivors, vec![])])
        ),
        "1 sample failed: a number of the others says nothing of the set"
    );
    let mut unsaid = latencies(ScenarioName::SingleStream, 500, vec![]);
    unsaid.memory_bytes.peak = None;
    assert_eq!(
        undecided(
            "memory-peak<=1GB",
            &record("m", vec![performance(unsaid, vec![])])
        ),
        "`memory-peak`: the system did not say how much memory was used"
    );
}

#[test]
fn a_class_is_undecided_where_its_table_is_missing_or_broken() {
    struct Broken;
    impl Artifacts for Broken {
        fn get(&self, _: &Record, _: &str) -> Result<Option<Vec<u8>>, ReportError> {
            Err(ReportError {
                reporter: "artifacts",
                reason: "the file was changed".into(),
            })
        }
    }
    let reason = |artifacts: &dyn Artifacts| {
        let judged = parse("AP/person>=0.1")
            .evaluate(&detector(), artifacts)
            .expect("it may be in there");
        assert_eq!(judged.verdict, Verdict::Undecided);
        judged.reason.expect("a reason")
    };
    assert_eq!(
        reason(&NoArtifacts),
        "`AP/person`: table per-class: the file is not at hand"
    );
    assert_eq!(
        reason(&Broken),
        "`AP/person`: table per-class: the file was changed"
    );
}

#[test]
fn of_several_measurements_the_worst_counts() {
    let unsteady = performance(
        latencies(ScenarioName::SingleStream, 500, vec![]),
        vec![ValidityCode::Unsteady],
    );
    let mixed = record("m", vec![single_stream(500), unsteady]);
    assert_eq!(judgement("p50<=12ms", &mixed).verdict, Verdict::Undecided);
    assert_eq!(judgement("p50<=11ms", &mixed).verdict, Verdict::Failed);
    assert_eq!(
        judgement("p50<=12ms", &disturbed()).verdict,
        Verdict::Undecided
    );
    // Without an offline measurement, throughput is that of what there is.
    assert_eq!(
        judgement("throughput>=50", &record("m", vec![single_stream(500)])).verdict,
        Verdict::Passed
    );
}

#[test]
fn names_are_checked_before_anything_is_measured() {
    let available = Available {
        scores: Some(ScoreNames {
            scores: vec!["AP".into(), "AP50".into(), "AR@100".into()],
            per_class: vec!["AP".into()],
            classes: vec!["person".into(), "traffic light".into(), "a/b".into()],
        }),
        scenarios: vec![ScenarioName::SingleStream],
        percentiles: vec![0.5, 0.9, 0.999],
    };
    for expression in [
        "AP>=0.3",
        "AR@100>=0.3",
        "AP/person>=0.3",
        "AP/traffic light>=0.3",
        "AP/a/b>=0.3",
        "p90<=12ms",
        "p99.9<=1s",
        "p50-bound<=12ms",
        "samples/s>=100",
        "single-stream:mean<=1s",
        "memory-peak<=1GB",
    ] {
        assert_eq!(parse(expression).check(&available), Ok(()), "{expression}");
    }
    for (expression, expected) in [
        (
            "mAP>=0.3",
            "`mAP>=0.3`: unknown score `mAP`, did you mean `AP`? (there are: AP, AP50, AR@100, AP/CLASS, ",
        ),
        (
            "AP/Person>=0.3",
            "unknown class `Person`, did you mean `person`? (there are: person, traffic light, a/b)",
        ),
        (
            "AP50/person>=0.3",
            "unknown score per class `AP50` (there are: AP)",
        ),
        ("p95<=12ms", "unknown percentile `p95`, did you mean `p90`?"),
        ("p99<=12ms", "unknown percentile `p99`"),
        (
            "offline:mean<=1s",
            "the scenario `offline` is not measured, only single-stream",
        ),
    ] {
        let error = parse(expression).check(&available).expect_err(expression);
        assert!(message(&error).contains(expected), "{}", message(&error));
    }
    let timed_only = Available {
        scores: None,
        ..available.clone()
    };
    let error = parse("AP>=0.3")
        .check(&timed_only)
        .expect_err("no accuracy");
    assert_eq!(
        message(&error),
        "`AP>=0.3`: `AP` is a score, and accuracy is not measured"
    );
    let scored_only = Available {
        scenarios: vec![],
        ..available
    };
    let error = parse("p90<=1s")
        .check(&scored_only)
        .expect_err("no latency");
    assert_eq!(
        message(&error),
        "`p90<=1s`: `p90` is of performance, which is not measured"
    );
}

#[test]
fn a_thousand_classes_are_not_listed() {
    let classes = (0..1000).map(|i| format!("class number {i}"));
    let available = Available {
        scores: Some(ScoreNames {
            scores: vec!["AP".into()],
            per_class: vec!["AP".into()],
            classes: classes.collect(),
        }),
        ..Available::default()
    };
    let error = parse("AP/class numbr 999>=0.3")
        .check(&available)
        .expect_err("a typo");
    let text = message(&error);
    assert!(text.contains("did you mean `class number 999`?"), "{text}");
    assert!(text.ends_with(", …)") && text.len() < 1200, "{text}");
}

#[test]
fn a_record_without_the_number_lists_what_it_has() {
    let error = |expression: &str, record: &Record| {
        let error = parse(expression)
            .evaluate(record, &Files::all())
            .expect_err("no such number");
        message(&error)
    };
    assert_eq!(
        error("top-2>=0.5", &classifier()),
        "`top-2>=0.5`: unknown score `top-2`, did you mean `top-1`? (there are: top-1, top-5)"
    );
    assert_eq!(
        error("p90<=12ms", &classifier()),
        "`p90<=12ms`: `p90` is of performance, which is not measured"
    );
    assert!(
        error("AP/cat>=0.5", &detector()).contains("unknown class `cat` (there are: person, dog, "),
        "{}",
        error("AP/cat>=0.5", &detector())
    );
    assert!(error("p99.9<=1s", &detector()).contains("unknown percentile `p99.9`"));
    let error = error("offline:p50<=1s", &record("m", vec![single_stream(500)]));
    assert!(
        error.contains("the scenario `offline` is not measured"),
        "{error}"
    );
}

#[test]
fn metrics_are_asked_for_their_names() {
    use dyno_core::{Annotation, Detail, Metric, MetricError, Prediction, SampleIndex, Score};
    struct Fixed;
    impl Metric for Fixed {
        fn update(
            &mut self,
            _: SampleIndex,
            _: &Prediction,
            _: &Annotation,
        ) -> Result<(), MetricError> {
            Ok(())
        }
        fn merge(&mut self, _: Box<dyn Metric>) -> Result<(), MetricError> {
            Ok(())
        }
        fn finish(
            &self,
            _: Option<&dyn Fn(SampleIndex) -> u32>,
        ) -> Result<Vec<Score>, MetricError> {
            Ok(vec![score("AP", None), score("AP50", None)])
        }
        fn finish_with_intervals(&self, _: u32, _: u64) -> Result<Vec<Score>, MetricError> {
            self.finish(None)
        }
        fn class_scores(&self) -> Vec<String> {
            vec!["AP".into()]
        }
        fn details(&self, _: &dyn Fn(SampleIndex) -> String) -> Result<Vec<Detail>, MetricError> {
            Ok(Vec::new())
        }
    }
    let metrics = [&Fixed as &dyn Metric];
    let names = ScoreNames::of_metrics(metrics, &LabelMap::from_names(["person"]));
    let names = names.expect("it can be asked");
    assert_eq!(names.scores, ["AP", "AP50"]);
    assert_eq!(names.per_class, ["AP"]);
    assert_eq!(names.classes, ["person"]);
}

#[test]
fn what_is_no_expectation_is_refused_at_once() {
    for text in [
        "",
        "AP",
        "AP=0.3",
        "AP==0.3",
        "AP=>0.3",
        "AP<>0.3",
        ">=0.3",
        "AP>=",
        "AP>=x",
        "AP>=-0.1",
        "AP>=nan",
        "AP>=inf",
        "AP>=1e999",
        "sever:p90<=1ms",
        "offline:AP>=0.1",
        "AP>=0.1.2",
    ] {
        assert!(
            matches!(text.parse::<Expectation>(), Err(ExpectError::Syntax { .. })),
            "{text:?}: {:?}",
            text.parse::<Expectation>()
        );
    }
    for text in [
        "p90<=12",
        "p90<=12%",
        "p90<=12MB",
        "AP>=0.3ms",
        "AP>=29.5",
        "samples/s>=5ms",
        "memory-peak<=5",
        "AP>=0.3furlongs",
        "p0<=12ms",
        "p100<=12ms",
    ] {
        assert!(
            matches!(text.parse::<Expectation>(), Err(ExpectError::Unit { .. })),
            "{text:?}"
        );
    }
    let error = "p90<=12".parse::<Expectation>().expect_err("no unit");
    assert_eq!(
        error.to_string(),
        "`p90<=12`: the unit is missing; `p90` takes ns, us, µs, ms, s"
    );
    // A class may be called anything.
    for text in ["AP/a:b>=0.3", "AP/a<b>=0.3", "AP/x=y<0.3"] {
        assert!(text.parse::<Expectation>().is_ok(), "{text}");
    }
}
