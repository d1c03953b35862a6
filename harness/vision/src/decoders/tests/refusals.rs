//! Outputs, parameters and thresholds that a decoder refuses.

use super::{THRESHOLDS, build, decode, f32s, identity};
use dyno_core::{DType, DecodeError, Decoder, Thresholds};
use serde_json::{Value, json};

#[test]
fn outputs_that_do_not_fit_are_named() {
    let says = |e: Result<Box<dyn Decoder>, DecodeError>, words: &[&str]| {
        let e = e.map(|_| ()).expect_err("must be refused").to_string();
        assert!(words.iter().all(|w| e.contains(w)), "{e}");
    };
    let out = |shape: &'static [usize]| [("out", DType::F32, shape)];
    let t = Some(THRESHOLDS);
    says(
        build(
            "yolox",
            Value::Null,
            [416, 416],
            &out(&[1, 3550, 85]),
            80,
            t,
        ),
        &["3549", "`out` f32[1, 3550, 85]"],
    );
    says(
        build(
            "yolox",
            Value::Null,
            [416, 416],
            &out(&[1, 3549, 85]),
            20,
            t,
        ),
        &["20 classes", "not 80"],
    );
    says(
        build(
            "yolox",
            Value::Null,
            [416, 416],
            &out(&[1, 3549, 85]),
            80,
            None,
        ),
        &["thresholds"],
    );
    says(
        build(
            "yolox",
            Value::Null,
            [416, 416],
            &out(&[1, 3549, 85]),
            80,
            Some(Thresholds {
                score: 1.5,
                ..THRESHOLDS
            }),
        ),
        &["`score`", "1.5"],
    );
    says(
        build(
            "yolox",
            json!({"stride": [8]}),
            [416, 416],
            &out(&[1, 3549, 85]),
            80,
            t,
        ),
        &["stride"],
    );
    says(
        build(
            "yolox",
            json!({"strides": [0]}),
            [416, 416],
            &out(&[1, 3549, 85]),
            80,
            t,
        ),
        &["strides"],
    );
    says(
        build(
            "yolox",
            json!({"strides": [1]}),
            [u32::MAX, u32::MAX],
            &out(&[1, 3549, 85]),
            80,
            t,
        ),
        &["grid"],
    );
    says(
        build(
            "yolov8",
            Value::Null,
            [640, 640],
            &out(&[1, 8400, 84]),
            80,
            t,
        ),
        &["[1, 8400, 84]"],
    );
    says(
        build(
            "fastestdet",
            Value::Null,
            [352, 352],
            &out(&[1, 85, 21, 22]),
            80,
            t,
        ),
        &["352x352"],
    );
    says(
        build(
            "nanodet",
            Value::Null,
            [320, 320],
            &out(&[1, 2100, 112]),
            80,
            t,
        ),
        &["[N, 1600, 32]"],
    );
    says(
        build("ssd", Value::Null, [300, 300], &out(&[1, 100, 7]), 0, t),
        &["[1, 100, 7]"],
    );
    says(
        build(
            "classification",
            Value::Null,
            [4, 4],
            &out(&[1, 10]),
            9,
            None,
        ),
        &["9 classes", "not 10"],
    );
    says(
        build(
            "classification",
            json!([1]),
            [4, 4],
            &out(&[1, 10]),
            10,
            None,
        ),
        &["object"],
    );
    let mut d = build(
        "yolox",
        Value::Null,
        [32, 32],
        &[("out", DType::F32, &[usize::MAX, 21, usize::MAX])],
        0,
        t,
    )
    .expect("may fit");
    let g = identity([32, 32]);
    assert!(
        decode(d.as_mut(), &[f32s(&[1, 21, 5], vec![0.0; 105])], &[g]).is_err(),
        "no class"
    );
    assert!(
        decode(d.as_mut(), &[f32s(&[1, 21, 6], vec![0.0; 126])], &[g, g]).is_err(),
        "one item for two images"
    );
    assert!(decode(d.as_mut(), &[], &[g]).is_err());
    assert!(
        decode(d.as_mut(), &[f32s(&[2, 21, 6], vec![0.0; 252])], &[g]).is_ok(),
        "a padded batch"
    );
}
