//! Tests of the decoders: hand-made outputs with known boxes, batches, and anything at all as input.

use super::DECODERS;
use dyno_core::{
    DType, DecodeError, Decoder, DecoderContext, DecoderSpec, Detection, Dimension, Geometry,
    IoSpec, LabelMap, Prediction, Tensor, TensorData, TensorInfo, TensorView, Thresholds, lookup,
};
use proptest::prelude::*;
use serde_json::{Value, json};

mod darknet;
mod refusals;
mod ssd_anchors;
mod ssd_priors;

const THRESHOLDS: Thresholds = Thresholds {
    score: 0.25,
    iou: Some(0.5),
    max: None,
};

fn info(name: &str, dtype: DType, shape: &[usize]) -> TensorInfo {
    let dimension = |n: &usize| {
        if *n == usize::MAX {
            Dimension::Unknown
        } else {
            Dimension::Fixed(*n)
        }
    };
    TensorInfo::new(name, dtype, shape.iter().map(dimension).collect())
}

/// `usize::MAX` stands for an unknown extent.
fn build(
    kind: &str,
    parameters: Value,
    size: [u32; 2],
    outputs: &[(&str, DType, &[usize])],
    classes: usize,
    t: Option<Thresholds>,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let spec = DecoderSpec {
        kind: kind.to_owned(),
        parameters,
        evaluate: None,
        deploy: None,
    };
    let io = IoSpec {
        inputs: Vec::new(),
        outputs: outputs.iter().map(|(n, d, s)| info(n, *d, s)).collect(),
    };
    let labels = LabelMap::from_names((0..classes).map(|i| i.to_string()));
    lookup("decoder", DECODERS, kind)
        .expect("in the table")
        .build(&DecoderContext {
            spec: &spec,
            thresholds: t,
            io: &io,
            network_size: size,
            labels: &labels,
        })
}

fn identity(size: [u32; 2]) -> Geometry {
    let [w, h] = size;
    Geometry {
        image_width: w,
        image_height: h,
        network_width: w,
        network_height: h,
        scale_x: 1.0,
        scale_y: 1.0,
        offset_x: 0.0,
        offset_y: 0.0,
    }
}

fn f32s(shape: &[usize], data: Vec<f32>) -> Tensor {
    Tensor::new(shape.to_vec(), TensorData::F32(data)).expect("the length fits")
}

fn decode(
    decoder: &mut dyn Decoder,
    outputs: &[Tensor],
    geometries: &[Geometry],
) -> Result<Vec<Prediction>, DecodeError> {
    let views: Vec<TensorView<'_>> = outputs.iter().map(Tensor::view).collect();
    let mut predictions = Vec::new();
    decoder.decode(&views, geometries, &mut predictions)?;
    Ok(predictions)
}

fn detections(predictions: &[Prediction]) -> Vec<Vec<(u32, f32, [f64; 4])>> {
    let one = |d: &Detection| {
        (
            d.label.0,
            d.score,
            [d.bbox.x1, d.bbox.y1, d.bbox.x2, d.bbox.y2],
        )
    };
    predictions
        .iter()
        .map(|p| {
            if let Prediction::Detections(d) = p {
                d.iter().map(one).collect()
            } else {
                panic!("detections were expected")
            }
        })
        .collect()
}

#[test]
fn classification_reads_any_shape_and_type() {
    let scores = [3u8, 200, 7, 200, 9, 1, 8];
    for shape in [vec![1, 7], vec![1, 7, 1, 1], vec![1, 1, 1, 7], vec![7]] {
        let mut d = build(
            "classification",
            Value::Null,
            [4, 4],
            &[("p", DType::U8, &shape)],
            7,
            None,
        )
        .expect("fits");
        let tensor = Tensor::new(shape, TensorData::U8(scores.to_vec())).expect("seven");
        let got = decode(d.as_mut(), &[tensor], &[identity([4, 4])]).expect("decodes");
        let Prediction::Ranking(r) = &got[0] else {
            panic!("a ranking was expected")
        };
        assert_eq!(
            r.classes.iter().map(|c| c.label.0).collect::<Vec<_>>(),
            [1, 3, 4, 6, 2]
        );
    }
}

#[test]
fn softmax_keeps_the_ranking_and_batches_stay_apart() {
    let mut d = build(
        "classification",
        json!({"softmax": true}),
        [4, 4],
        &[("p", DType::F32, &[2, 3])],
        0,
        None,
    )
    .expect("fits");
    let got = decode(
        d.as_mut(),
        &[f32s(&[2, 3], vec![0.0, 200.0, 201.0, 2f32.ln(), 0.0, 0.0])],
        &[identity([4, 4]); 2],
    )
    .expect("decodes");
    let ranks: Vec<Vec<(u32, f32)>> = got
        .iter()
        .map(|p| {
            if let Prediction::Ranking(r) = p {
                r.classes.iter().map(|c| (c.label.0, c.score)).collect()
            } else {
                Vec::new()
            }
        })
        .collect();
    assert_eq!(ranks[0].iter().map(|c| c.0).collect::<Vec<_>>(), [2, 1, 0]);
    assert!((ranks[0][0].1 - 0.731_058_6).abs() < 1e-6);
    assert_eq!(ranks[1], [(0, 0.5), (1, 0.25), (2, 0.25)]);
    assert!(
        build(
            "classification",
            json!({"softmax": true}),
            [4, 4],
            &[("p", DType::U8, &[2, 3])],
            0,
            None
        )
        .is_err(),
        "stored integers are no logits"
    );
}

#[test]
fn yolov8_takes_the_best_class_or_every_class() {
    // A 32x32 input has 16 + 4 + 1 cells; cell 3 holds one box with two classes.
    let mut data = vec![0.0f32; 6 * 21];
    for (row, v) in [16.0, 12.0, 8.0, 4.0, 0.5, 0.75].into_iter().enumerate() {
        data[row * 21 + 3] = v;
    }
    let shape: &[usize] = &[1, 6, 21];
    let outputs: &[(&str, DType, &[usize])] = &[("output0", DType::F32, shape)];
    let b = [12.0, 10.0, 20.0, 14.0];
    let mut best = build(
        "yolov8",
        Value::Null,
        [32, 32],
        outputs,
        2,
        Some(THRESHOLDS),
    )
    .expect("fits");
    let tensor = f32s(shape, data);
    assert_eq!(
        detections(
            &decode(
                best.as_mut(),
                std::slice::from_ref(&tensor),
                &[identity([32, 32])]
            )
            .expect("decodes")
        ),
        [vec![(1, 0.75, b)]]
    );
    let mut every = build(
        "yolov8",
        json!({"multi_label": true}),
        [32, 32],
        outputs,
        2,
        Some(THRESHOLDS),
    )
    .expect("fits");
    assert_eq!(
        detections(&decode(every.as_mut(), &[tensor], &[identity([32, 32])]).expect("decodes")),
        [vec![(1, 0.75, b), (0, 0.5, b)]]
    );
}

#[test]
fn ssd_rows_belong_to_their_image_and_filler_is_passed_over() {
    let rows = vec![
        0.0, 5.0, 0.5, 0.1, 0.2, 0.3, 0.4, 1.0, 2.0, 0.9, 0.0, 0.0, 0.5, 1.25, -1.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 0.0, 0.0, 1.5, 0.9, 0.0, 0.0, 1.0, 1.0,
    ];
    let mut d = build(
        "ssd",
        json!({"clip_to_image": true}),
        [10, 20],
        &[("out", DType::F32, &[1, 1, usize::MAX, 7])],
        0,
        None,
    )
    .expect("fits");
    let half = Geometry {
        image_width: 20,
        image_height: 40,
        scale_x: 0.5,
        scale_y: 0.5,
        ..identity([10, 20])
    };
    let got = detections(
        &decode(d.as_mut(), &[f32s(&[1, 1, 4, 7], rows)], &[half, half]).expect("decodes"),
    );
    assert_eq!((got[0].len(), got[0][0].0, got[0][0].1), (1, 5, 0.5));
    assert!(
        got[0][0]
            .2
            .iter()
            .zip([2.0, 8.0, 6.0, 16.0])
            .all(|(a, b)| (a - b).abs() < 1e-5),
        "{got:?}"
    );
    assert_eq!(
        got[1],
        [(2, 0.9, [0.0, 0.0, 10.0, 40.0])],
        "clipped at the image"
    );
}

#[test]
fn ssd_of_tensorflow_is_found_by_name_or_order() {
    let (boxes, classes, scores) = (
        vec![0.0, 0.5, 1.0, 0.75, 0.0, 0.0, 1.0, 1.0],
        vec![17.0, 1.0],
        vec![0.9, 0.8],
    );
    let tensors = [
        f32s(&[1, 2, 4], boxes),
        f32s(&[1, 2], classes),
        f32s(&[1, 2], scores),
        f32s(&[1], vec![1.0]),
    ];
    let expected = [vec![(17, 0.9, [4.0, 0.0, 6.0, 8.0])]];
    let lite: &[(&str, DType, &[usize])] = &[
        ("p", DType::F32, &[1, 2, 4]),
        ("p:1", DType::F32, &[1, 2]),
        ("p:2", DType::F32, &[1, 2]),
        ("p:3", DType::F32, &[1]),
    ];
    let mut d = build("ssd", Value::Null, [8, 8], lite, 0, None).expect("fits");
    assert_eq!(
        detections(&decode(d.as_mut(), &tensors, &[identity([8, 8])]).expect("decodes")),
        expected
    );
    let named: &[(&str, DType, &[usize])] = &[
        ("num_detections", DType::F32, &[1]),
        ("detection_scores", DType::F32, &[1, 2]),
        ("detection_boxes", DType::F32, &[1, 2, 4]),
        ("detection_classes", DType::F32, &[1, 2]),
    ];
    let mut d = build("ssd", Value::Null, [8, 8], named, 0, None).expect("fits");
    let [b, c, s, n] = tensors;
    assert_eq!(
        detections(&decode(d.as_mut(), &[n, s, b, c], &[identity([8, 8])]).expect("decodes")),
        expected
    );
}

#[test]
fn nanodet_finds_its_outputs_by_shape_too() {
    // One cell a stride at 8x8; the class output is told from the distances by its columns.
    let shuffled: &[(&str, DType, &[usize])] = &[
        ("a", DType::F32, &[1, 4, 32]),
        ("b", DType::F32, &[1, 1, 3]),
        ("c", DType::F32, &[1, 4, 3]),
        ("d", DType::F32, &[1, 1, 32]),
    ];
    let mut d = build(
        "nanodet",
        json!({"strides": [8, 16]}),
        [16, 16],
        shuffled,
        3,
        Some(THRESHOLDS),
    )
    .expect("fits");
    let mut classes = vec![0.0; 12];
    classes[4] = 0.75;
    // Equal bins: the expectation is 3.5, times the stride 28, so the clipped box is the whole
    // input.
    let tensors = [
        f32s(&[1, 4, 32], vec![0.0; 128]),
        f32s(&[1, 1, 3], vec![0.0; 3]),
        f32s(&[1, 4, 3], classes),
        f32s(&[1, 1, 32], vec![0.0; 32]),
    ];
    assert_eq!(
        detections(&decode(d.as_mut(), &tensors, &[identity([16, 16])]).expect("decodes")),
        [vec![(1, 0.75, [0.0, 0.0, 16.0, 16.0])]]
    );
    let ambiguous: &[(&str, DType, &[usize])] = &[
        ("a", DType::F32, &[1, 4, 32]),
        ("b", DType::F32, &[1, 4, 32]),
    ];
    assert!(
        build(
            "nanodet",
            json!({"strides": [8]}),
            [16, 16],
            ambiguous,
            32,
            Some(THRESHOLDS)
        )
        .is_err()
    );
}

#[test]
fn batch_items_are_decoded_like_single_ones() {
    let shape: &[usize] = &[2, 21, 7];
    let value = |i: usize| ((i * 2_654_435_761) % 1009) as f32 / 1009.0;
    let both: Vec<f32> = (0..2 * 21 * 7).map(value).collect();
    let mut d = build(
        "yolox",
        Value::Null,
        [32, 32],
        &[("out", DType::F32, shape)],
        2,
        Some(THRESHOLDS),
    )
    .expect("fits");
    let g = identity([32, 32]);
    let together = decode(d.as_mut(), &[f32s(shape, both.clone())], &[g, g]).expect("decodes");
    for (item, expected) in both.chunks(21 * 7).zip(&together) {
        assert_eq!(
            &decode(d.as_mut(), &[f32s(&[1, 21, 7], item.to_vec())], &[g]).expect("decodes")[0],
            expected
        );
    }
    assert!(detections(&together).iter().all(|d| !d.is_empty()));
}

fn anything() -> impl Strategy<Value = f32> {
    prop_oneof![6 => -3.0f32..3.0, 1 => any::<f32>(), 1 => Just(f32::NAN), 1 => Just(f32::INFINITY), 1 => Just(1e38f32)]
}

/// Kind, parameters, outputs with shape, for an input of 32x32.
fn models() -> Vec<(&'static str, Value, Vec<Vec<usize>>)> {
    vec![
        (
            "classification",
            json!({"softmax": true}),
            vec![vec![1, 12]],
        ),
        ("yolox", Value::Null, vec![vec![1, 21, 8]]),
        (
            "yolov8",
            json!({"multi_label": true, "clip_to_image": true}),
            vec![vec![1, 7, 21]],
        ),
        (
            "nanodet",
            json!({"class_agnostic": true}),
            vec![
                vec![1, 16, 3],
                vec![1, 4, 3],
                vec![1, 1, 3],
                vec![1, 16, 32],
                vec![1, 4, 32],
                vec![1, 1, 32],
            ],
        ),
        ("fastestdet", Value::Null, vec![vec![1, 8, 2, 2]]),
        (
            "yolo",
            json!({"classes": 2, "heads": [{"anchors": [[9, 9], [20, 30]]}, {"anchors": [[5, 5]], "new_coords": true}]}),
            vec![vec![1, 14, 4, 4], vec![1, 7, 8, 8]],
        ),
        (
            "region",
            json!({"classes": 3, "heads": [{"anchors": [[1.5, 2]], "softmax": true}]}),
            vec![vec![1, 8, 4, 4]],
        ),
        ("ssd", Value::Null, vec![vec![1, 1, 9, 7]]),
        (
            "ssd",
            Value::Null,
            vec![vec![1, 9, 4], vec![1, 9], vec![1, 9], vec![1]],
        ),
    ]
}

proptest! {
    #[test]
    fn any_output_is_decoded_to_finite_boxes(model in 0usize..9, values in prop::collection::vec(anything(), 700), scale in 0.0..2.0f64) {
        let (kind, parameters, shapes) = models().swap_remove(model);
        let outputs: Vec<(&str, DType, &[usize])> = shapes.iter().map(|s| ("out", DType::F32, s.as_slice())).collect();
        let mut decoder = build(kind, parameters, [32, 32], &outputs, 0, Some(THRESHOLDS)).expect("fits");
        let mut rest = values.iter().copied().cycle();
        let tensors: Vec<Tensor> = shapes.iter().map(|s| f32s(s, rest.by_ref().take(s.iter().product()).collect())).collect();
        let geometry = Geometry { scale_x: scale, ..identity([32, 32]) };
        for prediction in decode(decoder.as_mut(), &tensors, &[geometry]).expect("shapes fit") {
            match prediction {
                Prediction::Detections(all) => prop_assert!(all.iter().all(|d| d.bbox.is_finite() && d.score.is_finite() && d.score >= 0.25)),
                Prediction::Ranking(r) => prop_assert!(r.classes.iter().all(|c| !c.score.is_nan())),
            }
        }
    }
}
