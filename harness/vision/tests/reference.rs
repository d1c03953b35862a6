//! Against the Python reference pipeline and OpenCV: input tensors bit for bit, blobs, and
//! detections from the same outputs. Fixtures and the scripts that made them are in `fixtures/`;
//! images come from the sample assets.

mod common;

use common::{assets, fixture, json};
use dyno_core::{
    ChannelOrder, CropSize, DType, DecoderContext, DecoderSpec, Dimension, Geometry, InputSpec,
    IoSpec, Kernel, LabelMap, Layout, Normalize, Prediction, PreprocessStep, ResizeMode, Rounding,
    Tensor, TensorData, TensorInfo, TensorView, Thresholds, lookup, sha256_hex,
};
use dyno_image::{Image, Limits, Orientation, decode};
use dyno_vision::{DECODERS, Preprocessor, RECIPES};
use serde_json::Value;

fn tensor(name: &str, dtype: DType, shape: &[usize]) -> TensorInfo {
    TensorInfo::new(
        name,
        dtype,
        shape.iter().map(|n| Dimension::Fixed(*n)).collect(),
    )
}

/// Input and outputs of the sample models, and the recipe that is theirs.
fn model(name: &str) -> (&'static str, IoSpec) {
    let io = |input: TensorInfo, outputs: Vec<TensorInfo>| IoSpec {
        inputs: vec![input],
        outputs,
    };
    let f = |n: &str, s: &[usize]| tensor(n, DType::F32, s);
    match name {
        "yolox_nano" => (
            "yolox",
            io(
                f("images", &[1, 3, 416, 416]),
                vec![f("output", &[1, 3549, 85])],
            ),
        ),
        "fastestdet" => (
            "fastestdet",
            io(
                f("input.1", &[1, 3, 352, 352]),
                vec![f("758", &[1, 85, 22, 22])],
            ),
        ),
        "nanodet_m" => {
            let level = |kind: &str, s: usize, c: usize| {
                f(
                    &format!("{kind}_pred_stride_{s}"),
                    &[1, (320 / s) * (320 / s), c],
                )
            };
            let outputs = [("cls", 80), ("dis", 32)]
                .iter()
                .flat_map(|(k, c)| [8, 16, 32].map(|s| level(k, s, *c)))
                .collect();
            ("nanodet", io(f("input.1", &[1, 3, 320, 320]), outputs))
        }
        "squeezenet1.1" => (
            "caffe-bgr",
            io(
                f("data", &[1, 3, 227, 227]),
                vec![f("prob", &[1, 1000, 1, 1])],
            ),
        ),
        "mobilenet_v2_qdq" => (
            "tf-slim",
            io(
                tensor("input", DType::U8, &[1, 224, 224, 3]),
                vec![tensor("out", DType::U8, &[1, 1001])],
            ),
        ),
        other => panic!("unknown model {other}"),
    }
}

fn digest(tensor: &Tensor) -> String {
    sha256_hex(&tensor.view().to_le_bytes())
        .chars()
        .take(16)
        .collect()
}

#[test]
fn tensors_equal_the_python_pipeline_bit_for_bit() {
    let Some(assets) = assets() else { return };
    let expected = fixture("tensor_hashes.json");
    let models = expected["models"].as_object().expect("an object");
    assert_eq!(models.len(), 5);
    for (name, rows) in models {
        let (row, io) = model(name);
        let resolved = lookup("recipe", RECIPES, row)
            .expect("exists")
            .resolve(&io)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut preprocessor = Preprocessor::new(&resolved.inputs[0], &io.inputs[0], 1)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut tensor = preprocessor.new_tensor().expect("small");
        let folder = assets.join(rows["images"].as_str().expect("a folder"));
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .expect("readable")
            .map(|e| e.expect("readable").path())
            .collect();
        files.sort();
        let hashes: Vec<&str> = rows["hashes"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(files.len(), hashes.len(), "{name}");
        let mut wrong = Vec::new();
        for (file, hash) in files.iter().zip(hashes) {
            let bytes = std::fs::read(file).expect("readable");
            let image = decode(&bytes, Orientation::Ignore, &Limits::default())
                .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            preprocessor
                .prepare(&image, &mut tensor, 0)
                .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            if digest(&tensor) != hash {
                wrong.push(
                    file.file_name()
                        .map(|n| n.to_string_lossy().into_owned())
                        .unwrap_or_default(),
                );
            }
        }
        assert!(
            wrong.is_empty(),
            "{name}: {} of {} tensors differ: {wrong:?}",
            wrong.len(),
            files.len()
        );
    }
}

fn numbers<const N: usize>(v: &Value) -> [f64; N] {
    let all: Vec<f64> = v
        .as_array()
        .expect("a list")
        .iter()
        .map(|v| v.as_f64().expect("a number"))
        .collect();
    all.try_into().expect("the right length")
}

/// alwaysAI's preprocessing parameters, which are `cv2.dnn.blobFromImage`'s, as steps. `mean`
/// counts channels after the swap.
fn blob_steps(
    size: [u32; 2],
    crop: bool,
    swaprb: bool,
    mean: [f64; 3],
    scalefactor: f64,
) -> Vec<PreprocessStep> {
    let mode = if crop {
        ResizeMode::Cover
    } else {
        ResizeMode::Stretch
    };
    let mut steps = vec![PreprocessStep::Resize {
        size,
        mode,
        kernel: Kernel::OpencvLinear,
        rounding: Rounding::Nearest,
    }];
    if crop {
        steps.push(PreprocessStep::CenterCrop(CropSize::Size(size)));
    }
    steps.push(PreprocessStep::Channels(if swaprb {
        ChannelOrder::Rgb
    } else {
        ChannelOrder::Bgr
    }));
    let mean = mean.map(|v| v as f32).to_vec();
    steps.push(PreprocessStep::Normalize(Normalize {
        divisor: None,
        mean: Some(mean),
        std: None,
        scale: Some(scalefactor as f32),
    }));
    steps
}

#[test]
fn blobs_equal_opencv() {
    let Some(assets) = assets() else { return };
    let golden = json(&assets.join("registry/golden/blob_from_image.json"));
    let cases = golden["cases"].as_array().expect("a list");
    assert!(!cases.is_empty());
    for (number, case) in cases.iter().enumerate() {
        let rows = case["image_hwc_bgr"].as_array().expect("rows");
        let pixels: Vec<[f64; 3]> = rows
            .iter()
            .flat_map(|r| r.as_array().expect("pixels").iter().map(numbers::<3>))
            .collect();
        let (h, w) = (rows.len() as u32, (pixels.len() / rows.len()) as u32);
        let image = Image::from_raw(
            w,
            h,
            pixels
                .iter()
                .flat_map(|p| [p[2] as u8, p[1] as u8, p[0] as u8])
                .collect(),
        )
        .expect("the length fits");
        let size = numbers::<2>(&case["size_wh"]).map(|v| v as u32);
        let flag = |name: &str| case[name].as_bool().expect("a flag");
        let steps = blob_steps(
            size,
            flag("crop"),
            flag("swaprb"),
            numbers(&case["mean"]),
            case["scalefactor"].as_f64().expect("a number"),
        );
        let spec = InputSpec {
            name: None,
            dtype: None,
            layout: Layout::Nchw,
            shape: None,
            preprocess: steps,
        };
        let mut p = Preprocessor::new(
            &spec,
            &tensor(
                "blob",
                DType::F32,
                &[1, 3, size[1] as usize, size[0] as usize],
            ),
            1,
        )
        .expect("possible");
        let mut blob = p.new_tensor().expect("small");
        p.prepare(&image, &mut blob, 0)
            .unwrap_or_else(|e| panic!("case {number}: {e}"));
        let expected: Vec<f64> = case["blob"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|v| v.as_f64().expect("a number"))
            .collect();
        let found = blob.view().as_f32().expect("f32");
        assert_eq!(found.len(), expected.len(), "case {number}");
        // The file has six decimals (OpenCV 4.14 itself differs from it by up to 4.8e-7), a grey
        // level is at least 0.0039.
        let worst = found
            .iter()
            .zip(&expected)
            .map(|(a, b)| (f64::from(*a) - b).abs())
            .fold(0.0, f64::max);
        assert!(
            worst < 1e-6,
            "case {number}: {w}x{h} to {size:?}: off by {worst}"
        );
    }
}

/// As in `make_decoder_cases.py`: pseudo-random f32 in [0, 1) with 24 bits.
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

fn ranged(count: usize, seed: u64, factor: f32, shift: f32) -> Vec<f32> {
    elements(count, seed)
        .into_iter()
        .map(|v| v * factor + shift)
        .collect()
}

/// The synthetic outputs of a case, as names, shapes and values.
fn outputs(kind: &str, size: usize, classes: usize) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let cells = [8, 16, 32].map(|s| (size / s) * (size / s));
    match kind {
        "yolox" => {
            let n: usize = cells.iter().sum();
            let mut o = elements(n * (5 + classes), 1);
            for (row, r) in o
                .chunks_mut(5 + classes)
                .zip(ranged(n * 4, 2, 3.0, -0.5).chunks(4))
            {
                row[..4].copy_from_slice(r);
            }
            vec![("output".into(), vec![1, n, 5 + classes], o)]
        }
        "nanodet" => {
            let level = |k: usize| [8, 16, 32][k];
            let cls = (0..3).map(|k| {
                (
                    format!("cls_pred_stride_{}", level(k)),
                    vec![1, cells[k], classes],
                    elements(cells[k] * classes, 3 + k as u64),
                )
            });
            let dis = (0..3).map(|k| {
                (
                    format!("dis_pred_stride_{}", level(k)),
                    vec![1, cells[k], 32],
                    ranged(cells[k] * 32, 6 + k as u64, 6.0, -3.0),
                )
            });
            // Not in the order in which the reference lists them: names decide.
            dis.chain(cls).collect()
        }
        "fastestdet" => {
            let n = (size / 16) * (size / 16);
            let mut o = elements((5 + classes) * n, 9);
            o[n..5 * n].copy_from_slice(&ranged(4 * n, 10, 4.0, -2.0));
            vec![("out".into(), vec![1, 5 + classes, size / 16, size / 16], o)]
        }
        other => panic!("unknown kind {other}"),
    }
}

#[test]
fn detections_equal_the_python_pipeline() {
    let fixture = fixture("decoder_cases.json");
    let cases = fixture["cases"].as_array().expect("a list");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let kind = case["kind"].as_str().expect("a name");
        let (size, classes) = (
            case["size"].as_u64().expect("a number") as u32,
            case["classes"].as_u64().expect("a number") as usize,
        );
        let outputs = outputs(kind, size as usize, classes);
        let io = IoSpec {
            inputs: Vec::new(),
            outputs: outputs
                .iter()
                .map(|(n, s, _)| tensor(n, DType::F32, s))
                .collect(),
        };
        let spec = DecoderSpec {
            kind: kind.into(),
            parameters: serde_json::json!({"clip_to_image": case["clip"]}),
            evaluate: None,
            deploy: None,
        };
        let max = case["max"].as_u64().map(|m| m as u32);
        let thresholds = Thresholds {
            score: case["score"].as_f64().expect("a number"),
            iou: case["iou"].as_f64(),
            max,
        };
        let labels = LabelMap::from_names((0..classes).map(|i| i.to_string()));
        let context = DecoderContext {
            spec: &spec,
            thresholds: Some(thresholds),
            io: &io,
            network_size: [size, size],
            labels: &labels,
        };
        let mut decoder = lookup("decoder", DECODERS, kind)
            .expect("exists")
            .build(&context)
            .unwrap_or_else(|e| panic!("{kind}: {e}"));
        let [scale_x, scale_y, offset_x, offset_y] = numbers::<4>(&case["place"]);
        let [width, height] = numbers::<2>(&case["image"]).map(|v| v as u32);
        let geometry = Geometry {
            image_width: width,
            image_height: height,
            network_width: size,
            network_height: size,
            scale_x,
            scale_y,
            offset_x,
            offset_y,
        };
        let tensors: Vec<Tensor> = outputs
            .into_iter()
            .map(|(_, s, v)| Tensor::new(s, TensorData::F32(v)).expect("the length fits"))
            .collect();
        let views: Vec<TensorView<'_>> = tensors.iter().map(Tensor::view).collect();
        let mut predictions = Vec::new();
        decoder
            .decode(&views, &[geometry], &mut predictions)
            .unwrap_or_else(|e| panic!("{kind}: {e}"));
        let [Prediction::Detections(found)] = predictions.as_slice() else {
            panic!("{kind}: one list of detections was expected")
        };
        let expected: Vec<[f64; 6]> = case["detections"]
            .as_array()
            .expect("a list")
            .iter()
            .map(numbers)
            .collect();
        assert_eq!(found.len(), expected.len(), "{kind}");
        for (d, [x1, y1, x2, y2, score, class]) in found.iter().zip(expected) {
            assert!(
                (f64::from(d.label.0) - class).abs() < 0.5,
                "{kind}: class {} where {class} was expected",
                d.label.0
            );
            let tolerance = if kind == "fastestdet" {
                1e-6 * score
            } else {
                0.0
            };
            assert!(
                (f64::from(d.score) - score).abs() <= tolerance,
                "{kind}: score {} where {score} was expected",
                d.score
            );
            for (a, b) in [
                (d.bbox.x1, x1),
                (d.bbox.y1, y1),
                (d.bbox.x2, x2),
                (d.bbox.y2, y2),
            ] {
                // Corners are differences of numbers of the size of the image.
                assert!(
                    (a - b).abs() <= 1e-6 * f64::from(width.max(height)),
                    "{kind}: {a} where {b} was expected"
                );
            }
        }
    }
}
