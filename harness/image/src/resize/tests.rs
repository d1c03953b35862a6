//! The kernels against hashes of OpenCV's and Pillow's output (`tests/fixtures/make_fixtures.py`),
//! and what must be refused.

use super::{Resizer, opencv_extent};
use crate::{Image, ImageError, Region};
use dyno_core::Kernel;
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize, Debug)]
struct Case {
    kernel: Kernel,
    seed: u32,
    source: [u32; 2],
    target: [u32; 2],
    factor: Option<f64>,
    warp: Option<[f64; 3]>,
    border: Option<[u8; 3]>,
    sha256: String,
}

/// The generator of `make_fixtures.py`.
fn source(seed: u32, [width, height]: [u32; 2]) -> Image {
    let mut state = seed;
    let data = (0..width as usize * height as usize * 3).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if seed.is_multiple_of(2) {
            (state >> 24) as u8
        } else {
            (state >> 31) as u8 * 255
        }
    });
    Image::from_raw(width, height, data.collect()).expect("the length fits")
}

fn run(
    resizer: &mut Resizer,
    case: &Case,
    image: &Image,
    out: &mut Image,
) -> Result<(), ImageError> {
    let [width, height] = case.target;
    match (case.warp, case.factor) {
        (Some([scale, x, y]), _) => resizer.warp_letterbox(
            image,
            width,
            height,
            scale,
            x,
            y,
            case.border.expect("a warp has a border"),
            out,
        ),
        (_, Some(factor)) => {
            assert_eq!(
                case.target,
                case.source.map(|side| opencv_extent(side, factor)),
                "{case:?}"
            );
            resizer.resize_by_factor(image, width, height, factor, factor, case.kernel, out)
        }
        _ => resizer.resize(image, width, height, case.kernel, out),
    }
}

#[test]
fn every_byte_is_the_reference_library_s() {
    let Cases { cases } = serde_json::from_str(include_str!("../../tests/fixtures/resize.json"))
        .expect("the fixture is valid");
    assert!(cases.len() > 200, "{} cases", cases.len());
    // One resizer for all: leftovers of one case must not show in the next.
    let (mut resizer, mut out) = (Resizer::new(), Image::default());
    let mut wrong = Vec::new();
    for case in &cases {
        let image = source(case.seed, case.source);
        run(&mut resizer, case, &image, &mut out).unwrap_or_else(|e| panic!("{case:?}: {e}"));
        assert_eq!([out.width(), out.height()], case.target);
        let hash = crate::tests::sha256(out.data());
        if hash != case.sha256 {
            wrong.push(format!(
                "{:?} {:?} -> {:?} factor {:?} warp {:?}",
                case.kernel, case.source, case.target, case.factor, case.warp
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

const KERNELS: [Kernel; 6] = [
    Kernel::OpencvLinear,
    Kernel::OpencvArea,
    Kernel::OpencvCubic,
    Kernel::PillowBilinear,
    Kernel::PillowBicubic,
    Kernel::Nearest,
];

#[test]
fn a_region_resizes_like_its_copy() {
    let image = source(2, [50, 40]);
    let view = image
        .region(Region {
            x: 7,
            y: 5,
            width: 31,
            height: 22,
        })
        .expect("inside");
    let mut copy = Image::default();
    view.copy_to(&mut copy).expect("small");
    let mut resizer = Resizer::new();
    for kernel in KERNELS {
        for (width, height) in [(20, 15), (60, 10), (31, 22), (62, 44), (31, 9), (9, 22)] {
            let (mut from_view, mut from_copy, mut canvas) = (
                Image::default(),
                Image::default(),
                Image::new(70, 50).expect("small"),
            );
            resizer
                .resize(view, width, height, kernel, &mut from_view)
                .expect("valid");
            resizer
                .resize(&copy, width, height, kernel, &mut from_copy)
                .expect("valid");
            assert_eq!(from_view, from_copy, "{kernel:?} {width}x{height}");
            canvas.fill([9, 8, 7]);
            let region = Region {
                x: 3,
                y: 4,
                width,
                height,
            };
            resizer
                .resize_into(view, kernel, &mut canvas, region)
                .expect("inside");
            let mut part = Image::default();
            canvas
                .region(region)
                .expect("inside")
                .copy_to(&mut part)
                .expect("small");
            assert_eq!(part, from_view, "{kernel:?} {width}x{height} in a canvas");
            assert_eq!(
                (
                    canvas.pixel(2, 4),
                    canvas.pixel(3, 3),
                    canvas.pixel(3 + width, 4)
                ),
                (Some([9, 8, 7]), Some([9, 8, 7]), Some([9, 8, 7]))
            );
        }
    }
    let (mut a, mut b) = (Image::default(), Image::default());
    resizer
        .warp_letterbox(view, 40, 40, 1.3, 0.25, 5.5, [1, 2, 3], &mut a)
        .expect("valid");
    resizer
        .warp_letterbox(&copy, 40, 40, 1.3, 0.25, 5.5, [1, 2, 3], &mut b)
        .expect("valid");
    assert_eq!(a, b);
}

#[test]
fn a_single_colour_stays_for_every_kernel_and_size() {
    let mut resizer = Resizer::new();
    let mut out = Image::default();
    for (width, height) in [(1, 1), (1, 6), (6, 1), (2, 2), (13, 9)] {
        let mut image = Image::new(width, height).expect("small");
        image.fill([0, 255, 77]);
        for kernel in KERNELS {
            for (to_width, to_height) in [(1, 1), (1, 5), (5, 1), (3, 3), (26, 18), (40, 2)] {
                resizer
                    .resize(&image, to_width, to_height, kernel, &mut out)
                    .expect("valid");
                // INTER_LINEAR's intermediate cuts lose up to one level; the others keep a
                // constant.
                let near = |value: u8, wanted: u8| {
                    value.abs_diff(wanted)
                        <= u8::from(matches!(kernel, Kernel::OpencvLinear | Kernel::OpencvArea))
                };
                assert!(
                    out.data()
                        .chunks_exact(3)
                        .all(|p| near(p[0], 0) && near(p[1], 255) && near(p[2], 77)),
                    "{kernel:?} {width}x{height} -> {to_width}x{to_height}"
                );
            }
        }
    }
}

#[test]
fn impossible_requests_are_errors() {
    let image = source(2, [8, 8]);
    let (mut resizer, mut out) = (Resizer::new(), Image::default());
    assert!(matches!(
        resizer.resize(&image, 0, 5, Kernel::OpencvLinear, &mut out),
        Err(ImageError::NoPixels { .. })
    ));
    assert!(matches!(
        resizer.resize(&Image::default(), 5, 5, Kernel::OpencvLinear, &mut out),
        Err(ImageError::NoPixels { .. })
    ));
    assert!(matches!(
        resizer.resize(&image, 5, 5, Kernel::OpencvWarpLinear, &mut out),
        Err(ImageError::Kernel { .. })
    ));
    assert!(matches!(
        resizer.resize(&image, u32::MAX, u32::MAX, Kernel::Nearest, &mut out),
        Err(ImageError::Memory { .. })
    ));
    assert!(matches!(
        resizer.resize_by_factor(&image, 4, 4, f64::NAN, 0.5, Kernel::Nearest, &mut out),
        Err(ImageError::Factor { name: "fx", .. })
    ));
    assert!(matches!(
        resizer.resize_by_factor(&image, 4, 4, 0.5, 0.0, Kernel::Nearest, &mut out),
        Err(ImageError::Factor { name: "fy", .. })
    ));
    assert!(matches!(
        resizer.resize_by_factor(&image, 4, 4, 0.5, 0.5, Kernel::PillowBicubic, &mut out),
        Err(ImageError::Kernel { .. })
    ));
    for (scale, offset) in [
        (0.0, 0.0),
        (1e-200, 0.0),
        (f64::INFINITY, 0.0),
        (1.0, f64::NAN),
    ] {
        assert!(
            matches!(
                resizer.warp_letterbox(&image, 4, 4, scale, offset, 0.0, [0; 3], &mut out),
                Err(ImageError::Factor { .. })
            ),
            "{scale} {offset}"
        );
    }
    let region = Region {
        x: 5,
        y: 0,
        width: 4,
        height: 4,
    };
    assert!(matches!(
        resizer.resize_into(
            &image,
            Kernel::Nearest,
            &mut Image::new(8, 8).expect("small"),
            region
        ),
        Err(ImageError::Region { .. })
    ));
}

#[test]
fn extreme_factors_and_offsets_do_not_panic() {
    let image = source(2, [5, 4]);
    let (mut resizer, mut out) = (Resizer::new(), Image::default());
    for factor in [1e-300, 1e-9, 0.3, 7.0, 1e9, 1e300] {
        for kernel in [
            Kernel::OpencvLinear,
            Kernel::OpencvArea,
            Kernel::OpencvCubic,
            Kernel::Nearest,
        ] {
            resizer
                .resize_by_factor(&image, 3, 9, factor, factor, kernel, &mut out)
                .unwrap_or_else(|e| panic!("{kernel:?} {factor}: {e}"));
        }
    }
    for (scale, offset) in [(1e-9, 1e300), (1e9, -1e300), (1e100, 3.0), (0.5, 1e15)] {
        resizer
            .warp_letterbox(&image, 3, 9, scale, offset, -offset, [1; 3], &mut out)
            .expect("finite");
    }
    assert_eq!(
        (
            opencv_extent(45, f64::NAN),
            opencv_extent(45, -1.0),
            opencv_extent(45, 1e30),
            opencv_extent(5, 0.5)
        ),
        (0, 0, u32::MAX, 2)
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    /// Whatever the sizes, the result has the size asked for and depends on nothing but the
    /// arguments.
    #[test]
    fn a_used_resizer_equals_a_new_one(seed in 1u32..9, w in 1u32..40, h in 1u32..40, ow in 1u32..60, oh in 1u32..60, kernel in 0usize..6) {
        let image = source(seed, [w, h]);
        let (mut used, mut first, mut second) = (Resizer::new(), Image::default(), Image::default());
        used.resize(&source(2, [50, 50]), 70, 20, KERNELS[kernel], &mut first).expect("valid");
        used.resize(&image, ow, oh, KERNELS[kernel], &mut first).expect("valid");
        Resizer::new().resize(&image, ow, oh, KERNELS[kernel], &mut second).expect("valid");
        proptest::prop_assert_eq!((first.width(), first.height()), (ow, oh));
        proptest::prop_assert_eq!(first, second);
    }
}
