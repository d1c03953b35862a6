//! `ssd-anchors` against TensorFlow's own operators: `tests/fixtures/ssd_anchors.json` is written by
//! `make_ssd_anchors.py`.

use super::*;

fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().expect("a number") as f32],
    }
}

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/ssd_anchors.json")).expect("JSON")
}

fn thresholds(all: &Value) -> Thresholds {
    Thresholds {
        score: all["score"].as_f64().expect("a number"),
        iou: all["iou"].as_f64(),
        max: all["total"].as_u64().and_then(|n| u32::try_from(n).ok()),
    }
}

fn given(all: &Value, case: &Value) -> Value {
    json!({
        "anchors": all["anchors"],
        "scales": all["scales"],
        "scores": case["scores"],
        "background": case["background"],
        "first_class": case["first_class"],
        "clip_to_image": true,
    })
}

#[test]
fn tensorflow_finds_the_same() {
    let all = fixture();
    let encodings = numbers(&all["encodings"]);
    let n = encodings.len() / 4;
    for case in all["cases"].as_array().expect("cases") {
        let logits = numbers(&case["logits"]);
        let classes = logits.len() / n;
        let shapes: [(&str, DType, &[usize]); 2] = [
            ("box_encodings", DType::F32, &[usize::MAX, n, 4]),
            ("class_predictions", DType::F32, &[usize::MAX, n, classes]),
        ];
        let mut decoder = build(
            "ssd-anchors",
            given(&all, case),
            [200, 100],
            &shapes,
            0,
            Some(thresholds(&all)),
        )
        .expect("fits");
        // Two pictures: what is in the batch does not mix.
        let twice = |v: &[f32]| [v, v].concat();
        let outputs = [
            f32s(&[2, n, 4], twice(&encodings)),
            f32s(&[2, n, classes], twice(&logits)),
        ];
        let geometries = [identity([200, 100]); 2];
        let found = detections(&decode(decoder.as_mut(), &outputs, &geometries).expect("decodes"));
        let expected = case["detections"].as_array().expect("rows");
        assert!(
            expected.len() > 3,
            "a case without detections shows nothing"
        );
        for found in found {
            assert_eq!(found.len(), expected.len());
            for ((class, score, bbox), row) in found.iter().zip(expected) {
                let row = numbers(row);
                let (head, corners) = row.split_at(2);
                assert_eq!((*class as f32).to_bits(), head[0].to_bits());
                assert!((score - head[1]).abs() < 1e-5, "{score} {head:?}");
                for ((found, share), side) in
                    bbox.iter().zip(corners).zip([200.0, 100.0, 200.0, 100.0])
                {
                    let share = f64::from(*share);
                    assert!((found / side - share).abs() < 1e-5, "{bbox:?} {corners:?}");
                }
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let all = fixture();
    let case = &all["cases"][0];
    let build_with = |parameters: Value, boxes: &[usize], classes: &[usize]| {
        let shapes = [("b", DType::F32, boxes), ("c", DType::F32, classes)];
        build(
            "ssd-anchors",
            parameters,
            [9, 9],
            &shapes,
            0,
            Some(THRESHOLDS),
        )
        .is_ok()
    };
    let fine = given(&all, case);
    assert!(build_with(fine.clone(), &[1, 24, 4], &[1, 24, 4]));
    assert!(
        !build_with(fine.clone(), &[1, 25, 4], &[1, 25, 4]),
        "anchors"
    );
    assert!(
        !build_with(fine.clone(), &[1, 24, 5], &[1, 24, 4]),
        "corners"
    );
    for (key, value) in [
        ("anchors", json!([])),
        ("scales", json!([0.0, 10.0, 5.0, 5.0])),
        ("scores", json!("none")),
        ("surprise", json!(1)),
    ] {
        let mut wrong = fine.clone();
        wrong[key] = value;
        assert!(!build_with(wrong, &[1, 24, 4], &[1, 24, 4]), "{key}");
    }
    let mut decoder = build(
        "ssd-anchors",
        fine,
        [9, 9],
        &[
            ("b", DType::F32, &[1, 24, 4]),
            ("c", DType::F32, &[1, 24, usize::MAX]),
        ],
        0,
        Some(THRESHOLDS),
    )
    .expect("fits");
    let only_background = [
        f32s(&[1, 24, 4], vec![0.0; 96]),
        f32s(&[1, 24, 1], vec![0.0; 24]),
    ];
    assert!(decode(decoder.as_mut(), &only_background, &[identity([9, 9])]).is_err());
}
