//! Preprocessing from a decoded 640x480 image to the tensor, and suppression of realistic numbers
//! of boxes.

use criterion::{Criterion, Throughput};
use dyno_core::{DType, Dimension, IoSpec, TensorInfo, Xyxy, lookup};
use dyno_image::Image;
use dyno_vision::{Candidate, Nms, NmsOptions, Preprocessor, RECIPES};
use std::hint::black_box;

/// A deterministic stream in [0, 1): splitmix64.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
}

fn info(name: &str, shape: &[usize]) -> TensorInfo {
    let shape = shape.iter().map(|n| Dimension::Fixed(*n)).collect();
    TensorInfo::new(name, DType::F32, shape)
}

/// A photograph's size with pixels that no cache or branch can guess.
fn image() -> Image {
    let mut state = 1;
    let data = (0..640 * 480 * 3)
        .map(|_| (uniform(&mut state) * 256.0) as u8)
        .collect();
    Image::from_raw(640, 480, data).expect("the length fits")
}

/// Boxes in clusters around objects, as a detector gives them; `classes` classes, scores falling
/// steeply.
fn boxes(count: usize, classes: u32) -> Vec<Candidate> {
    let mut state = 2;
    let mut r = move || uniform(&mut state);
    let objects: Vec<[f64; 4]> = (0..count.div_ceil(20))
        .map(|_| {
            [
                r() * 600.0,
                r() * 600.0,
                20.0 + r() * 200.0,
                20.0 + r() * 200.0,
            ]
        })
        .collect();
    let one = |i: usize| {
        let [x, y, w, h] = objects[i % objects.len()];
        let (x1, y1) = (x + r() * 0.3 * w, y + r() * 0.3 * h);
        let bbox = Xyxy {
            x1,
            y1,
            x2: x1 + w * (0.8 + 0.4 * r()),
            y2: y1 + h * (0.8 + 0.4 * r()),
        };
        Candidate {
            class: (i % objects.len()) as u32 % classes,
            score: (0.001 + 0.999 * r().powi(4)) as f32,
            bbox,
        }
    };
    (0..count).map(one).collect()
}

fn preprocess(c: &mut Criterion) {
    let image = image();
    let models = [
        (
            "letterbox-416-yolox",
            "yolox",
            info("images", &[1, 3, 416, 416]),
            info("output", &[1, 3549, 85]),
        ),
        (
            "warp-256-crop-227-squeezenet",
            "caffe-bgr",
            info("data", &[1, 3, 227, 227]),
            info("prob", &[1, 1000, 1, 1]),
        ),
    ];
    let mut group = c.benchmark_group("preprocess");
    group.throughput(Throughput::Elements(1));
    for (name, recipe_name, input, output) in models {
        let io = IoSpec {
            inputs: vec![input],
            outputs: vec![output],
        };
        let resolved = lookup("recipe", RECIPES, recipe_name)
            .expect("a row of the table")
            .resolve(&io)
            .expect("the recipe fits the model");
        let mut preprocessor = Preprocessor::new(&resolved.inputs[0], &io.inputs[0], 1)
            .expect("the steps are possible");
        let mut tensor = preprocessor.new_tensor().expect("a small tensor");
        group.bench_function(name, |b| {
            b.iter(|| {
                preprocessor
                    .prepare(black_box(&image), &mut tensor, 0)
                    .expect("fits")
            });
        });
    }
    group.finish();
}

fn suppress(c: &mut Criterion) {
    let mut group = c.benchmark_group("nms");
    for (name, count, classes, max) in [
        ("8400-boxes-80-classes", 8400, 80, None),
        ("8400-boxes-1-class", 8400, 1, None),
        ("1000-boxes-80-classes-max-100", 1000, 80, Some(100)),
    ] {
        let candidates = boxes(count, classes);
        let mut nms = Nms::new();
        let options = NmsOptions {
            iou: Some(0.65),
            class_agnostic: false,
            max,
        };
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(name, |b| {
            b.iter(|| nms.run(black_box(&candidates), &options).len());
        });
    }
    group.finish();
}

/// Adds the benches of this file.
pub(crate) fn benches(c: &mut Criterion) {
    preprocess(c);
    suppress(c);
}
