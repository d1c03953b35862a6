//! Expectations: how they read, and what a record says of them.

use super::fixture::{accuracy, classifier, detector, performance, record, score};
use crate::{ExpectError, Expectation, Verdict};
use dyno_core::{Record, Scenario, ValidityCode};

fn judge(expression: &str, record: &Record) -> Verdict {
    expression
        .parse::<Expectation>()
        .expect("an expectation")
        .evaluate(record)
        .expect("the record has it")
        .verdict
}

struct Case(&'static str, bool);

#[test]
fn verdicts() {
    let record = record(
        "m",
        vec![
            accuracy(vec![
                score("AP", Some(0.295)),
                score("top-1", Some(0.7)),
                score("AP_small", None),
                score("AP/person", Some(0.5)),
            ]),
            performance(Scenario::SingleStream, 500, vec![]),
            performance(Scenario::Offline, 700, vec![]),
        ],
    );
    let cases = [
        Case("AP>=0.295", true),
        Case("AP > 0.295", false),
        Case("AP>=29.5%", true),
        Case("top-1>=70%", true),
        Case("top-1>=0.71", false),
        Case("AP/person<0.6", true),
        Case("p90<=12.345678ms", true),
        Case("p90<12.345678ms", false),
        Case("p90<=12345678ns", true),
        Case("p50<20ms", true),
        Case("p50<11499us", false),
        Case("p50<=11.5e3 µs", true),
        Case("max<=0.041s", true),
        Case("p90-bound<=12.5ms", false),
        Case("offline:p99-bound<16ms", false),
        Case("throughput>=50", true),
        Case("throughput>=83.3/s", false),
        Case("single-stream:throughput>=83.25", true),
        Case("offline:p99<=15ms", true),
        Case("load<=320ms", true),
        Case("first<=1s", true),
        Case("memory-peak<=124MB", true),
        Case("memory-peak<=117MiB", false),
    ];
    for Case(expression, holds) in cases {
        assert_eq!(
            judge(expression, &record),
            if holds {
                Verdict::Passed
            } else {
                Verdict::Failed
            },
            "{expression}"
        );
    }
    let result = "p90<=12ms"
        .parse::<Expectation>()
        .expect("an expectation")
        .evaluate(&record)
        .expect("the record has it");
    assert_eq!(
        (
            result.actual,
            result.actual_text.as_str(),
            result.expression.as_str()
        ),
        (Some(12_345_678.0), "12.35 ms", "p90<=12ms")
    );
}

#[test]
fn what_is_refused_or_invalid_decides_nothing() {
    let undecided = |expression: &str, record: &Record| match judge(expression, record) {
        Verdict::Undecided { reason } => reason,
        verdict => panic!("{expression}: {verdict:?}"),
    };
    // 500 queries support no p99.
    assert_eq!(
        undecided("p99<=1s", &detector()),
        "`p99` is refused: it needs 662 queries and has 500"
    );
    assert_eq!(
        undecided("p99-bound<=1ns", &detector()),
        "`p99-bound` is refused: it needs 662 queries and has 500"
    );
    assert_eq!(
        undecided("AP_small>=0", &detector()),
        "`AP_small` has no value: nothing could be judged"
    );
    // The offline measurement is INVALID, whichever way the value lies.
    for expression in ["throughput>=50", "throughput>=5000"] {
        assert_eq!(
            undecided(expression, &detector()),
            "the measurement is INVALID: too-few-queries, unsteady"
        );
    }
}

#[test]
fn of_several_measurements_the_worst_counts() {
    let good = performance(Scenario::SingleStream, 500, vec![]);
    let invalid = performance(Scenario::SingleStream, 500, vec![ValidityCode::Unsteady]);
    let mixed = record("m", vec![good.clone(), invalid]);
    assert!(matches!(
        judge("p50<=12ms", &mixed),
        Verdict::Undecided { .. }
    ));
    assert_eq!(judge("p50<=11ms", &mixed), Verdict::Failed);
    // Without an offline measurement, throughput is that of what there is.
    assert_eq!(
        judge("throughput>=50", &record("m", vec![good])),
        Verdict::Passed
    );
}

#[test]
fn an_unknown_name_lists_what_the_record_has() {
    let error = "top-2>=0.5"
        .parse::<Expectation>()
        .expect("an expectation")
        .evaluate(&classifier())
        .expect_err("no such score");
    assert_eq!(
        error.to_string(),
        "unknown number of the record `top-2`, did you mean `top-1`? (there are: top-1, top-5)"
    );
    // No performance was measured.
    let error = "p90<=12ms"
        .parse::<Expectation>()
        .expect("an expectation")
        .evaluate(&classifier())
        .expect_err("no latencies");
    assert!(matches!(error, ExpectError::Unknown(_)));
    // A typo of a quantity is caught by its unit before anything runs.
    let error = "p95<=12ms"
        .parse::<Expectation>()
        .expect_err("no such latency");
    assert_eq!(
        error.to_string(),
        "`p95<=12ms`: the unit `ms` belongs to min, mean, p50, p90, p99, max, p90-bound, p99-bound, load, first; `p95` takes a number from 0 to 1, or %"
    );
}

#[test]
fn what_is_no_expectation_is_refused_at_once() {
    for text in [
        "",
        "AP",
        "AP=0.3",
        "AP==0.3",
        ">=0.3",
        "AP>=",
        "AP>=x",
        "AP>=-0.1",
        "AP>=nan",
        "AP>=inf",
        "AP>=1e999",
        "server:p90<=1ms",
        "offline:AP>=0.1",
        "AP>=0.1.2",
    ] {
        assert!(
            matches!(text.parse::<Expectation>(), Err(ExpectError::Syntax { .. })),
            "{text:?}"
        );
    }
    for text in [
        "p90<=12",
        "p90<=12%",
        "p90<=12MB",
        "AP>=0.3ms",
        "AP>=29.5",
        "throughput>=5ms",
        "memory-peak<=5",
        "AP>=0.3furlongs",
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
}
