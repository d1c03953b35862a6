//! Tests of preprocessing that need no assets: geometry, arithmetic, refusals, extreme images.

use super::Preprocessor;
use crate::error::VisionError;
use dyno_core::{DType, Dimension, InputSpec, PreprocessStep, Tensor, TensorData, TensorInfo};
use dyno_image::Image;
use proptest::prelude::*;

fn spec(layout: &str, steps: &str) -> InputSpec {
    serde_json::from_str(&format!(
        r#"{{"layout": "{layout}", "preprocess": {steps}}}"#
    ))
    .expect("steps of the test")
}

fn info(dtype: DType, shape: &[usize]) -> TensorInfo {
    TensorInfo::new(
        "in",
        dtype,
        shape.iter().map(|n| Dimension::Fixed(*n)).collect(),
    )
}

fn ramp(width: u32, height: u32) -> Image {
    Image::from_raw(
        width,
        height,
        (0..width * height * 3)
            .map(|i| (i * 7 % 256) as u8)
            .collect(),
    )
    .expect("the length fits")
}

fn f32s(tensor: &Tensor) -> &[f32] {
    tensor.view().as_f32().expect("an f32 tensor")
}

fn refused(steps: &str, dtype: DType, shape: &[usize], words: &str) {
    let layout = if shape[1] <= 3 { "nchw" } else { "nhwc" };
    let error = Preprocessor::new(&spec(layout, steps), &info(dtype, shape), 1)
        .expect_err(words)
        .to_string();
    assert!(error.contains(words) && error.contains("`in`"), "{error}");
}

#[test]
fn impossible_steps_are_refused_when_the_model_is_opened() {
    let small = &[1, 3, 4, 4];
    let resize = r#"{"resize": {"size": [4, 4]}}"#;
    refused(
        r#"[{"normalize": {}}, {"resize": {"size": [4, 4]}}]"#,
        DType::F32,
        small,
        "last step",
    );
    refused(
        r#"[{"channels": "rgb"}, {"channels": "bgr"}]"#,
        DType::F32,
        small,
        "twice",
    );
    refused(
        r#"[{"resize": {"size": [4, 5]}}]"#,
        DType::F32,
        small,
        "4x5",
    );
    refused(
        r#"[{"resize": {"size": [0, 0]}}]"#,
        DType::F32,
        small,
        "0x0",
    );
    refused(
        r#"[{"resize": {"size": [2, 2]}}, {"center-crop": {"size": [4, 4]}}]"#,
        DType::F32,
        small,
        "center-crop",
    );
    refused(
        r#"[{"center-crop": {"fraction": 1.5}}]"#,
        DType::F32,
        small,
        "fraction",
    );
    refused(
        r#"[{"resize": {"size": [4, 4], "kernel": "opencv-warp-linear"}}]"#,
        DType::F32,
        small,
        "letterbox",
    );
    refused(
        r#"[{"resize": {"size": [4, 4], "mode": "cover", "kernel": "pillow-bilinear"}}]"#,
        DType::F32,
        small,
        "Pillow",
    );
    refused(
        &format!(r#"[{resize}, {{"normalize": {{"mean": [1, 2]}}}}]"#),
        DType::F32,
        small,
        "2 values",
    );
    refused(
        &format!(r#"[{resize}, {{"normalize": {{"std": [1, 0, 1]}}}}]"#),
        DType::F32,
        small,
        "zero",
    );
    refused(
        &format!(r#"[{resize}, {{"normalize": {{"divisor": 255}}}}]"#),
        DType::U8,
        small,
        "u8",
    );
    refused(&format!("[{resize}]"), DType::I64, small, "i64");
    refused(
        &format!("[{resize}]"),
        DType::F32,
        &[1, 4, 4, 1],
        "channels",
    );
    refused(&format!("[{resize}]"), DType::F32, &[2, 3, 4, 4], "batch");
    refused(&format!("[{resize}]"), DType::F32, &[1, 3, 4], "4 axes");
    refused(
        &format!("[{resize}]"),
        DType::F32,
        &[1, 3, 4, 0],
        "0 pixels",
    );
}

#[test]
fn arithmetic_has_the_documented_order() {
    let steps = r#"[{"channels": "bgr"}, {"normalize": {"divisor": 3, "mean": [0.1, 0.2, 0.3], "std": [0.7, 0.8, 0.9], "scale": 1.1}}]"#;
    let mut p = Preprocessor::new(&spec("nchw", steps), &info(DType::F32, &[2, 3, 2, 2]), 2)
        .expect("possible");
    let (image, mut tensor) = (ramp(2, 2), p.new_tensor().expect("small"));
    p.prepare(&image, &mut tensor, 1).expect("fits");
    let (mean, std) = ([0.1f32, 0.2, 0.3], [0.7f32, 0.8, 0.9]);
    let expected: Vec<f32> = (0..3)
        .flat_map(|c| (0..4).map(move |p| (c, p)))
        .map(|(c, p)| (f32::from(image.data()[p * 3 + 2 - c]) / 3.0 - mean[c]) / std[c] * 1.1)
        .collect();
    assert_eq!(&f32s(&tensor)[12..], expected);
    assert!(
        f32s(&tensor)[..12].iter().all(|v| v.abs() < f32::EPSILON),
        "the other item is untouched"
    );
    assert!(matches!(
        p.prepare(&image, &mut tensor, 2),
        Err(VisionError::Tensor { item: 2, .. })
    ));
    let mut other = Tensor::zeros(vec![2, 3, 2, 2], DType::U8).expect("small");
    assert!(matches!(
        p.prepare(&image, &mut other, 0),
        Err(VisionError::Tensor { .. })
    ));
    assert!(matches!(
        p.prepare(&ramp(3, 2), &mut tensor, 0),
        Err(VisionError::ImageSize { width: 3, .. })
    ));
}

#[test]
fn layouts_and_channels() {
    let image = ramp(3, 2);
    let mut bgr = Preprocessor::new(
        &spec("nhwc", r#"[{"channels": "bgr"}]"#),
        &info(DType::U8, &[1, 2, 3, 3]),
        1,
    )
    .expect("possible");
    let mut tensor = bgr.new_tensor().expect("small");
    bgr.prepare(&image, &mut tensor, 0).expect("fits");
    let swapped: Vec<u8> = image
        .data()
        .chunks(3)
        .flat_map(|p| [p[2], p[1], p[0]])
        .collect();
    assert_eq!(tensor.data(), &TensorData::U8(swapped));
    // OpenCV 4.14: cvtColor of these RGB pixels gives 50, 150, 255.
    let pixels = Image::from_raw(3, 1, vec![10, 60, 100, 200, 150, 15, 255, 255, 255])
        .expect("three pixels");
    let mut gray = Preprocessor::new(
        &spec("nchw", r#"[{"channels": "gray"}]"#),
        &info(DType::F32, &[1, 1, 1, 3]),
        1,
    )
    .expect("possible");
    let mut tensor = gray.new_tensor().expect("small");
    gray.prepare(&pixels, &mut tensor, 0).expect("fits");
    assert_eq!(f32s(&tensor), [50.0, 150.0, 255.0]);
}

#[test]
fn letterboxes_stand_where_they_should() {
    let at = |anchor: &str, kernel: &str, rounding: &str| {
        let steps = format!(
            r#"[{{"letterbox": {{"size": [64, 64], "anchor": "{anchor}", "pad": 7, "kernel": "{kernel}", "rounding": "{rounding}"}}}}]"#
        );
        let mut p = Preprocessor::new(&spec("nchw", &steps), &info(DType::F32, &[1, 3, 64, 64]), 1)
            .expect("possible");
        let mut tensor = p.new_tensor().expect("small");
        let white = Image::from_raw(100, 51, vec![255; 100 * 51 * 3]).expect("the length fits");
        let g = p.prepare(&white, &mut tensor, 0).expect("fits");
        let rows: Vec<u32> = f32s(&tensor)[..64 * 64]
            .chunks(64)
            .zip(0..)
            .filter(|(r, _)| r.iter().any(|v| *v > 7.5))
            .map(|(_, y)| y)
            .collect();
        (g, (rows[0], rows[rows.len() - 1] + 1))
    };
    // 51 * 0.64 = 32.64.
    let (g, rows) = at("top-left", "opencv-linear", "floor");
    assert_eq!(
        (g.scale_x, g.scale_y, g.offset_x, g.offset_y, rows),
        (0.64, 0.64, 0.0, 0.0, (0, 32))
    );
    let (g, rows) = at("center", "opencv-linear", "nearest");
    assert_eq!(
        (g.scale_x, g.scale_y, g.offset_x, g.offset_y, rows),
        (0.64, 33.0 / 51.0, 0.0, 15.0, (15, 48))
    );
    // A warp counts from pixel centres: row 15 would be source row -1.06, row 48 is source row 50.5
    // and blends with the border.
    let (g, rows) = at("center", "opencv-warp-linear", "floor");
    assert_eq!(
        (g.scale_x, g.scale_y, g.offset_x, g.offset_y, rows),
        (0.64, 0.64, 0.0, 32.0 - 0.64 * 51.0 / 2.0, (16, 49))
    );
}

#[test]
fn crops_and_side_modes_compose() {
    let steps = r#"[{"resize": {"size": [8, 8], "mode": "shorter-side", "rounding": "floor"}}, {"center-crop": {"size": [6, 6]}}]"#;
    let mut p = Preprocessor::new(&spec("nchw", steps), &info(DType::F32, &[1, 3, 6, 6]), 1)
        .expect("possible");
    let mut tensor = p.new_tensor().expect("small");
    let g = p.prepare(&ramp(33, 16), &mut tensor, 0).expect("fits");
    // 33 * 8 / 16 = 16.5, down to 16.
    assert_eq!(
        (g.scale_x, g.scale_y, g.offset_x, g.offset_y),
        (16.0 / 33.0, 0.5, -5.0, -1.0)
    );
    let huge = p
        .prepare(&Image::new(20_000_000, 1).expect("60 MB"), &mut tensor, 0)
        .expect_err("too large in between");
    assert!(
        matches!(
            huge,
            VisionError::ImageSize {
                width: 20_000_000,
                ..
            }
        ),
        "{huge}"
    );
}

const EVERY: [&str; 8] = [
    r#"{"letterbox": {"size": [16, 12], "anchor": "top-left"}}"#,
    r#"{"letterbox": {"size": [16, 12], "anchor": "center", "rounding": "nearest"}}"#,
    r#"{"letterbox": {"size": [16, 12], "kernel": "opencv-warp-linear"}}"#,
    r#"{"resize": {"size": [16, 12]}}"#,
    r#"{"resize": {"size": [16, 12], "mode": "cover"}}, {"center-crop": {"size": [16, 12]}}"#,
    r#"{"resize": {"size": [16, 12], "mode": "shorter-side"}}, {"center-crop": {"size": [16, 12]}}"#,
    r#"{"center-crop": {"fraction": 0.875}}, {"resize": {"size": [16, 12], "kernel": "pillow-bilinear"}}"#,
    r#"{"resize": {"size": [20, 20], "mode": "longer-side"}}, {"resize": {"size": [16, 12], "kernel": "opencv-area"}}"#,
];

#[test]
fn extreme_images_never_panic() {
    for steps in EVERY {
        let mut p = Preprocessor::new(
            &spec("nchw", &format!("[{steps}]")),
            &info(DType::F32, &[1, 3, 12, 16]),
            1,
        )
        .expect("possible");
        let mut tensor = p.new_tensor().expect("small");
        for (w, h) in [(1, 1), (20_000, 1), (1, 20_000), (2, 3), (16, 12)] {
            match p.prepare(&ramp(w, h), &mut tensor, 0) {
                Ok(g) => assert!(
                    g.scale_x > 0.0 && g.scale_y > 0.0 && g.offset_x.is_finite(),
                    "{steps} {w}x{h}"
                ),
                Err(e) => assert!(
                    matches!(e, VisionError::ImageSize { .. }),
                    "{steps} {w}x{h}: {e}"
                ),
            }
        }
        assert!(
            matches!(
                p.prepare(&Image::default(), &mut tensor, 0),
                Err(VisionError::ImageSize { .. })
            ),
            "{steps}"
        );
    }
}

proptest! {
    #[test]
    fn the_image_lies_inside_its_letterbox_and_the_way_back_is_the_identity(w in 1u32..200, h in 1u32..200, at in 0usize..3, u in 0.0..1.0f64, v in 0.0..1.0f64) {
        let mut p = Preprocessor::new(&spec("nchw", &format!("[{}]", EVERY[at])), &info(DType::F32, &[1, 3, 12, 16]), 1).expect("possible");
        let mut tensor = p.new_tensor().expect("small");
        let g = p.prepare(&ramp(w, h), &mut tensor, 0).expect("letterboxes take any image");
        let (x, y) = (u * f64::from(w), v * f64::from(h));
        let (nx, ny) = (x * g.scale_x + g.offset_x, y * g.scale_y + g.offset_y);
        prop_assert!((-1e-9..=16.0 + 1e-9).contains(&nx) && (-1e-9..=12.0 + 1e-9).contains(&ny));
        prop_assert!(((nx - g.offset_x) / g.scale_x - x).abs() < 1e-9 && ((ny - g.offset_y) / g.scale_y - y).abs() < 1e-9);
    }

    #[test]
    fn any_steps_are_carried_out_or_refused(steps in prop::collection::vec(0usize..8, 0..3), w in 1u32..40, h in 1u32..40) {
        let all: Vec<&str> = steps.iter().map(|i| EVERY[*i]).collect();
        let spec = spec("nchw", &format!("[{}]", all.join(",")));
        prop_assert!(spec.preprocess.iter().all(|s| !matches!(s, PreprocessStep::Normalize(_))));
        if let Ok(mut p) = Preprocessor::new(&spec, &info(DType::F32, &[1, 3, 12, 16]), 1) {
            let mut tensor = p.new_tensor().expect("small");
            let _ = p.prepare(&ramp(w, h), &mut tensor, 0);
        }
    }
}
