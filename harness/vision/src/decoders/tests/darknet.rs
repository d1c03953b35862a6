//! Darknet's heads against detections that `tests/fixtures/make_darknet_cases.py` decoded from the
//! formulas and checked against OpenCV's own layers; and what the two decoders refuse.

use super::{THRESHOLDS, build, decode, detections, f32s, identity};
use dyno_core::{DType, Tensor, Thresholds};
use serde_json::{Value, json};

const CASES: &str = include_str!("../../../tests/fixtures/darknet_cases.json");

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

/// The head's raw output, and its parameters for the decoder.
fn head(head: &Value, classes: usize, seed: u64) -> (Tensor, Value) {
    let anchors = head["anchors"].as_array().expect("a list").len();
    let (rows, columns) = (count(&head["grid"][0]), count(&head["grid"][1]));
    let shape = [1, anchors * (5 + classes), rows, columns];
    let mut raw = elements(shape.iter().product(), seed);
    if head["new_coords"] != json!(true) {
        for v in &mut raw {
            *v = *v * 6.0 - 3.0;
        }
    }
    let mut parameters = head.clone();
    let map = parameters.as_object_mut().expect("an object");
    map.remove("grid");
    (f32s(&shape, raw), parameters)
}

#[test]
fn detections_equal_the_formulas_and_opencv() {
    let cases: Value = serde_json::from_str(CASES).expect("JSON");
    let cases = cases["cases"].as_array().expect("a list");
    assert_eq!(cases.len(), 3);
    for case in cases {
        let kind = case["kind"].as_str().expect("a name");
        let classes = count(&case["classes"]);
        let size = [0, 1].map(|i| count(&case["network"][i]) as u32);
        let heads: Vec<(Tensor, Value)> = case["heads"]
            .as_array()
            .expect("a list")
            .iter()
            .zip(case["seed"].as_u64().expect("a number")..)
            .map(|(h, seed)| head(h, classes, seed))
            .collect();
        let parameters: Vec<&Value> = heads.iter().map(|h| &h.1).collect();
        let tensors: Vec<Tensor> = heads.iter().map(|h| h.0.clone()).collect();
        let outputs: Vec<(&str, DType, &[usize])> = tensors
            .iter()
            .map(|t| {
                (
                    "out",
                    DType::F32,
                    t.view().shape().to_vec().leak() as &[usize],
                )
            })
            .collect();
        let thresholds = Thresholds {
            score: case["threshold"].as_f64().expect("a number"),
            iou: case["iou"].as_f64(),
            max: None,
        };
        let parameters = json!({"classes": classes, "heads": parameters});
        let mut decoder =
            build(kind, parameters, size, &outputs, classes, Some(thresholds)).expect("fits");
        let found =
            detections(&decode(decoder.as_mut(), &tensors, &[identity(size)]).expect("decodes"));
        let expected = case["detections"].as_array().expect("a list");
        assert_eq!(found[0].len(), expected.len(), "{kind}");
        for ((label, score, bbox), expected) in found[0].iter().zip(expected) {
            let number = |i: usize| expected[i].as_f64().expect("a number");
            assert_eq!(*label as usize, count(&expected[5]), "{kind}");
            assert!((f64::from(*score) - number(4)).abs() < 1e-6, "{kind}");
            for (i, a) in bbox.iter().enumerate() {
                let near = 1e-5 * number(i).abs().max(10.0);
                assert!((a - number(i)).abs() < near, "{kind}: {a} not {expected}");
            }
        }
    }
}

#[test]
fn heads_are_found_by_name() {
    let one = |output: &str| json!({"output": output, "anchors": [[10, 10]]});
    let parameters = json!({"classes": 1, "heads": [one("b"), one("a")]});
    let outputs: &[(&str, DType, &[usize])] = &[
        ("a", DType::F32, &[1, 6, 2, 2]),
        ("b", DType::F32, &[1, 6, 1, 1]),
    ];
    let mut decoder =
        build("yolo", parameters, [32, 32], outputs, 1, Some(THRESHOLDS)).expect("fits");
    // Objectness and class of the only cell of `b`: its box lies about the middle.
    let tensors = [
        f32s(&[1, 6, 2, 2], vec![-9.0; 24]),
        f32s(&[1, 6, 1, 1], vec![0.0, 0.0, 0.0, 0.0, 9.0, 9.0]),
    ];
    let found = detections(&decode(decoder.as_mut(), &tensors, &[identity([32, 32])]).expect("ok"));
    assert_eq!(found[0].len(), 1);
    let near = |(a, b): (&f64, f64)| (a - b).abs() < 1e-9;
    let expected = [11.0, 11.0, 21.0, 21.0];
    assert!(found[0][0].2.iter().zip(expected).all(near), "{found:?}");
}

#[test]
fn parameters_and_outputs_that_do_not_fit_are_refused() {
    let outputs: &[(&str, DType, &[usize])] = &[("a", DType::F32, &[1, 6, 2, 2])];
    let anchors = json!([[10, 10]]);
    for (kind, head, classes, words) in [
        ("yolo", json!({"anchors": []}), 1, "anchors"),
        ("yolo", json!({"anchors": [[0, 1]]}), 1, "anchors"),
        (
            "yolo",
            json!({"anchors": anchors, "softmax": true}),
            1,
            "softmax",
        ),
        ("yolo", json!({"anchors": anchors}), 2, "7, rows"),
        ("yolo", json!({"anchors": anchors}), 0, "`classes` is 0"),
        ("yolo", json!({"anchors": anchors, "output": "x"}), 1, "`x`"),
        ("region", json!({"anchors": anchors}), 1, "softmax"),
    ] {
        let parameters = json!({"classes": classes, "heads": [head]});
        let e = build(kind, parameters, [32, 32], outputs, 0, Some(THRESHOLDS));
        let e = e.map(|_| ()).expect_err("refused").to_string();
        assert!(e.contains(words), "{e}");
    }
    let none = json!({"classes": 1, "heads": []});
    assert!(build("yolo", none, [32, 32], outputs, 0, Some(THRESHOLDS)).is_err());
    let mut decoder = build(
        "yolo",
        json!({"classes": 1, "heads": [{"anchors": anchors}]}),
        [32, 32],
        outputs,
        0,
        Some(THRESHOLDS),
    )
    .expect("fits");
    let short = f32s(&[1, 5, 2, 2], vec![0.0; 20]);
    assert!(decode(decoder.as_mut(), &[short], &[identity([32, 32])]).is_err());
}
