//! `ssd-priors` against the rows of OpenCV's own DetectionOutput layer
//! (`tests/fixtures/make_ssd_priors_cases.py`), and what it refuses.

use super::{build, decode, detections, f32s, identity};
use dyno_core::{DType, Prediction, Tensor, Thresholds};
use serde_json::{Value, json};

const CASES: &str = include_str!("../../../tests/fixtures/ssd_priors_cases.json");
const PRIORS: usize = 4 * 5 * 4 + 2 * 2 * 4;

/// As in the script: pseudo-random f32 in [0, 1) with 24 bits.
fn elements(count: usize, seed: u64) -> Vec<f32> {
    let one = |i: u64| {
        let mut u = (i * 2_654_435_761 + seed * 40503) & 0xFFFF_FFFF;
        u ^= u >> 15;
        u = (u * 2_246_822_519) & 0xFFFF_FFFF;
        u ^= u >> 13;
        (u >> 8) as f32 / 16_777_216.0
    };
    (0..count as u64).map(one).collect()
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a count")).expect("a small one")
}

/// Parameters of a case, as an importer writes them.
fn parameters(case: &Value, priors: &Value) -> Value {
    let mut own = case.as_object().expect("an object").clone();
    for key in ["max", "rows", "seed"] {
        own.remove(key);
    }
    own.insert("priors".to_owned(), priors.clone());
    Value::Object(own)
}

fn thresholds(all: &Value, case: &Value) -> Thresholds {
    Thresholds {
        score: all["score"].as_f64().expect("a number"),
        iou: all["iou"].as_f64(),
        max: case["max"].as_u64().and_then(|n| u32::try_from(n).ok()),
    }
}

/// Locations and confidences of a case, `batch` times.
fn outputs(case: &Value, batch: usize) -> [Tensor; 2] {
    let classes = count(&case["classes"]);
    let lists = if case["share_location"] == json!(true) {
        1
    } else {
        classes
    };
    let seed = case["seed"].as_u64().expect("a number");
    let mut locations = elements(PRIORS * 4 * lists, seed + 1);
    for v in &mut locations {
        *v = *v * 2.0 - 1.0;
    }
    let confidences = elements(PRIORS * classes, seed + 2);
    [
        f32s(&[batch, PRIORS * 4 * lists], locations.repeat(batch)),
        f32s(&[batch, PRIORS * classes, 1], confidences.repeat(batch)),
    ]
}

#[test]
fn detections_equal_those_of_opencv() {
    let all: Value = serde_json::from_str(CASES).expect("JSON");
    let size = [0, 1].map(|i| count(&all["network"][i]) as u32);
    let cases = all["cases"].as_array().expect("a list");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let tensors = outputs(case, 2);
        let shapes: Vec<(&str, DType, &[usize])> = tensors
            .iter()
            .map(|t| ("", DType::F32, t.shape()))
            .collect();
        let own = parameters(case, &all["priors"]);
        let given = Some(thresholds(&all, case));
        let mut decoder = build("ssd-priors", own, size, &shapes, 0, given).expect("it fits");
        let geometries = [identity(size), identity(size)];
        let predictions = decode(&mut *decoder, &tensors, &geometries).expect("two images");
        let rows = case["rows"].as_array().expect("a list");
        for found in detections(&predictions) {
            assert_eq!(found.len(), rows.len(), "{case}");
            for ((class, score, corners), row) in found.iter().zip(rows) {
                let at = |i: usize| row[i].as_f64().expect("a number");
                assert_eq!(*class, at(0) as u32, "{row}");
                assert!((f64::from(*score) - at(1)).abs() < 1e-6, "{row}");
                for (i, corner) in corners.iter().enumerate() {
                    let extent = f64::from(size[i % 2]);
                    assert!(
                        (corner - at(i + 2) * extent).abs() < 1e-4,
                        "{corners:?} {row}"
                    );
                }
            }
        }
    }
}

#[test]
fn wrong_outputs_and_parameters_are_refused() {
    let all: Value = serde_json::from_str(CASES).expect("JSON");
    let case = &all["cases"][0];
    let good = parameters(case, &all["priors"]);
    let given = Some(thresholds(&all, case));
    let shapes = |classes: usize| {
        let confidences = [1, PRIORS * classes];
        let made = build(
            "ssd-priors",
            good.clone(),
            [100, 80],
            &[
                ("a", DType::F32, &[1, PRIORS * 4]),
                ("b", DType::F32, &confidences),
            ],
            0,
            given,
        );
        made.map(|_| ())
    };
    assert!(shapes(3).is_ok());
    let error = shapes(4)
        .expect_err("another number of classes")
        .to_string();
    assert!(error.contains("confidences [N, 288]"), "{error}");
    let wrong = [
        ("classes", json!(0)),
        ("background", json!(3)),
        ("code", json!("centre")),
        ("priors", json!([])),
        ("eta", json!(0.5)),
    ];
    for (key, value) in wrong {
        let mut own = good.clone();
        own[key] = value;
        let two: [(&str, DType, &[usize]); 2] = [
            ("a", DType::F32, &[1, PRIORS * 4]),
            ("b", DType::F32, &[1, PRIORS * 3]),
        ];
        assert!(
            build("ssd-priors", own, [100, 80], &two, 0, given).is_err(),
            "{key}"
        );
    }
}

#[test]
fn numbers_that_are_none_are_no_detections() {
    let all: Value = serde_json::from_str(CASES).expect("JSON");
    let case = &all["cases"][0];
    let shapes: [(&str, DType, &[usize]); 2] = [
        ("a", DType::F32, &[1, usize::MAX]),
        ("b", DType::F32, &[1, usize::MAX]),
    ];
    let own = parameters(case, &all["priors"]);
    let given = Some(thresholds(&all, case));
    let mut decoder = build("ssd-priors", own, [100, 80], &shapes, 0, given).expect("it may fit");
    let [mut locations, confidences] = [PRIORS * 4, PRIORS * 3].map(|n| vec![f32::NAN; n]);
    let mut run = |locations: &[f32], confidences: &[f32]| {
        let tensors = [
            f32s(&[1, locations.len()], locations.to_vec()),
            f32s(&[1, confidences.len()], confidences.to_vec()),
        ];
        decode(&mut *decoder, &tensors, &[identity([100, 80])])
    };
    let none = [Prediction::Detections(Vec::new())];
    assert_eq!(run(&locations, &confidences).expect("no numbers"), none);
    assert_eq!(
        run(&locations, &vec![0.9; PRIORS * 3]).expect("no boxes"),
        none
    );
    locations.fill(1e30);
    assert_eq!(
        run(&locations, &vec![0.9; PRIORS * 3]).expect("no boxes"),
        none
    );
    assert!(
        run(&locations[4..], &confidences).is_err(),
        "a box is missing"
    );
}
