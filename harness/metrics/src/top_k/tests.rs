//! Tests of top-k: ties, ranks of unmatched classes, order of shards.

use super::*;
use dyno_core::{LabelMap, RankedClass};
use serde_json::json;

fn build(parameters: &serde_json::Value) -> Result<Box<dyn Metric>, MetricError> {
    TopK.build(&MetricContext {
        labels: &LabelMap::from_names((0..10).map(|i| i.to_string())),
        parameters,
    })
}

fn add(
    metric: &mut Box<dyn Metric>,
    sample: u32,
    scores: &[f32],
    truth: u32,
) -> Result<(), MetricError> {
    metric.update(
        SampleIndex(sample),
        &Prediction::Ranking(Ranking::from_scores(scores, 5)),
        &Annotation::Class(LabelId(truth)),
    )
}

#[test]
fn ties_go_to_the_lower_class_index() {
    struct Case {
        scores: &'static [f32],
        truth: u32,
        /// Hit of top-1, top-2: by index, at best, at worst.
        hits: [[u64; 3]; 2],
    }
    let cases = [
        Case {
            scores: &[0.9, 0.9, 0.1, 0.0],
            truth: 0,
            hits: [[1, 1, 0], [1, 1, 1]],
        },
        Case {
            scores: &[0.9, 0.9, 0.1, 0.0],
            truth: 1,
            hits: [[0, 1, 0], [1, 1, 1]],
        },
        Case {
            scores: &[0.9, 0.5, 0.5, 0.5],
            truth: 3,
            hits: [[0, 0, 0], [0, 1, 0]],
        },
        Case {
            scores: &[0.9, 0.5, 0.4, 0.3],
            truth: 1,
            hits: [[0, 0, 0], [1, 1, 1]],
        },
        Case {
            scores: &[0.9, 0.5, 0.4, 0.3],
            truth: 7,
            hits: [[0, 0, 0], [0, 0, 0]],
        },
    ];
    for (i, case) in cases.iter().enumerate() {
        let mut metric = build(&json!({"k": [2, 1]})).expect("parameters");
        add(&mut metric, 0, case.scores, case.truth).expect("fits");
        for (score, expected) in metric.finish(None).expect("finish").iter().zip(case.hits) {
            let got = [
                score.hits.expect("hits") as f64,
                score.optimistic.expect("value"),
                score.pessimistic.expect("value"),
            ];
            assert_eq!(
                got.map(f64::to_bits),
                expected.map(|h| (h as f64).to_bits()),
                "case {i} {}",
                score.metric
            );
        }
    }
}

#[test]
fn an_unmatched_class_takes_a_rank_and_is_never_right() {
    let mut metric = build(&json!(null)).expect("parameters");
    let class = |label, score| RankedClass { label, score };
    let ranking = Ranking {
        k: 5,
        classes: vec![
            class(LabelId::UNMATCHED, 0.9),
            class(LabelId(3), 0.8),
            class(LabelId::UNMATCHED, 0.1),
        ],
    };
    metric
        .update(
            SampleIndex(0),
            &Prediction::Ranking(ranking.clone()),
            &Annotation::Class(LabelId(3)),
        )
        .expect("fits");
    metric
        .update(
            SampleIndex(1),
            &Prediction::Ranking(ranking),
            &Annotation::Class(LabelId::UNMATCHED),
        )
        .expect("fits");
    let scores = metric.finish(None).expect("finish");
    assert_eq!(
        scores
            .iter()
            .map(|s| (s.metric.as_str(), s.hits, s.n))
            .collect::<Vec<_>>(),
        [("top-1", Some(0), 2), ("top-5", Some(1), 2)]
    );
}

#[test]
fn shards_in_any_order_give_the_same_scores() {
    let scores = |i: u32| {
        [
            (i % 3) as f32,
            (i % 5) as f32,
            1.5,
            (i % 7) as f32,
            0.0,
            2.5,
        ]
    };
    let mut whole = build(&json!(null)).expect("parameters");
    for i in 0..100 {
        add(&mut whole, i, &scores(i), i % 6).expect("fits");
    }
    let mut merged = build(&json!(null)).expect("parameters");
    for shard in [2u32, 0, 3, 1, 2] {
        let mut part = build(&json!(null)).expect("parameters");
        for i in (shard * 25..shard * 25 + 25).rev() {
            add(&mut part, i, &scores(i), i % 6).expect("fits");
        }
        merged.merge(part).expect("no conflict");
    }
    let (a, b) = (
        whole.finish_with_intervals(0, 0).expect("finish"),
        merged.finish_with_intervals(0, 0).expect("finish"),
    );
    assert_eq!(a, b);
    // Counted by hand in Python from the same formula.
    assert_eq!(
        a.iter().map(|s| (s.hits, s.n)).collect::<Vec<_>>(),
        [(Some(TOP1), 100), (Some(TOP5), 100)]
    );
    let interval = a[0].interval.clone().expect("wilson");
    assert!(
        interval.method == "wilson"
            && interval.low < a[0].value.expect("value")
            && a[0].value.expect("value") < interval.high
    );
    let doubled = whole
        .finish(Some(&|s: SampleIndex| u32::from(s.0 < 50) * 2))
        .expect("finish");
    assert_eq!(doubled[0].n, 100);
    assert_eq!(doubled[0].hits.map(|h| h % 2), Some(0));
}

const TOP1: u64 = 15;
const TOP5: u64 = 84;

#[test]
fn repetition_is_harmless_and_conflict_an_error() {
    let mut metric = build(&json!(null)).expect("parameters");
    add(&mut metric, 4, &[0.1, 0.2], 1).expect("fits");
    add(&mut metric, 4, &[0.1, 0.2], 1).expect("harmless");
    assert_eq!(metric.finish(None).expect("finish")[0].n, 1);
    assert!(matches!(
        add(&mut metric, 4, &[0.1, 0.3], 1),
        Err(MetricError::Conflict {
            sample: SampleIndex(4)
        })
    ));
    assert!(matches!(
        add(&mut metric, 4, &[0.1, 0.2], 0),
        Err(MetricError::Conflict { .. })
    ));
    assert!(matches!(
        metric.merge(build(&json!({"k": [3]})).expect("parameters")),
        Err(MetricError::Merge { .. })
    ));
}

#[test]
fn what_does_not_fit_is_refused() {
    for parameters in [
        json!({"k": []}),
        json!({"k": [0]}),
        json!({"k": 1}),
        json!({"n": [1]}),
        json!([1]),
    ] {
        assert!(
            matches!(build(&parameters), Err(MetricError::Parameters { .. })),
            "{parameters}"
        );
    }
    let mut metric = build(&json!(null)).expect("parameters");
    let short = Prediction::Ranking(Ranking::from_scores(&[0.1, 0.2], 1));
    assert!(matches!(
        metric.update(SampleIndex(0), &short, &Annotation::Class(LabelId(0))),
        Err(MetricError::Engine { .. })
    ));
    assert!(matches!(
        metric.update(
            SampleIndex(0),
            &Prediction::Detections(vec![]),
            &Annotation::Class(LabelId(0))
        ),
        Err(MetricError::Kind { .. })
    ));
    let scores = metric.finish_with_intervals(10, 0).expect("finish");
    assert_eq!(
        (scores[0].value, scores[0].n, scores[0].interval.clone()),
        (None, 0, None),
        "nothing was judged"
    );
}

#[test]
fn details_say_what_became_of_every_sample() {
    let mut metric = build(&json!(null)).expect("parameters");
    add(&mut metric, 0, &[0.9, 0.1, 0.0], 0).expect("fits");
    add(&mut metric, 1, &[0.5, 0.25, 0.0], 1).expect("fits");
    add(&mut metric, 2, &[0.5, 0.25, 0.0], 9).expect("fits");
    let details = metric.details(&|s| format!("s{}", s.0)).expect("details");
    let table = |name: &str| {
        let rows = crate::table::cells(&details, name);
        rows.iter().map(|r| r.join(",")).collect::<Vec<_>>()
    };
    assert_eq!(
        table("per-class")[..3],
        ["class,top-1,top-5,n", "0,1,1,1", "1,0,1,1"]
    );
    assert_eq!(table("per-class")[3], "2,,,0", "nothing of this class");
    assert_eq!(
        table("per-image"),
        [
            "sample,score,expected,predicted,confidence,top-1,top-5",
            "s0,1,0,0,0.8999999761581421,1,1",
            "s1,0.5,1,0,0.5,0,1",
            "s2,0,9,0,0.5,0,0"
        ]
    );
    assert_eq!(
        table("confusion"),
        ["expected,predicted,n", "0,0,1", "1,0,1", "9,0,1"]
    );
}

#[test]
fn guessing_is_told_from_a_poor_model_and_from_a_small_sample() {
    let chance = |hits: u64, n: u64, classes: usize| {
        let mut score = Score {
            metric: "top-1".to_owned(),
            value: Some(hits as f64 / n as f64),
            n,
            hits: Some(hits),
            interval: wilson_interval(hits, n),
            optimistic: None,
            pessimistic: None,
        };
        let high = score.interval.as_ref().expect("wilson").high;
        let guessing = TopK
            .chance(&score, classes)
            .is_some_and(|level| high <= level);
        score.metric = "top-5".to_owned();
        assert_eq!(TopK.chance(&score, classes), None);
        guessing
    };
    assert!(chance(0, 260, 1000) && chance(1000, 2000, 2));
    assert!(!chance(0, 2, 1000), "two samples accuse nobody");
    assert!(!chance(186, 260, 1000) && !chance(26, 260, 1000) && !chance(18, 20, 2));
}
