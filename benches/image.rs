//! Speed of the image stage: decoding one JPEG of 640 x 480 (our own fixture), every kernel 640 x
//! 480 → 300 x 300, and letterboxing to 416.

use criterion::Criterion;
use dyno_core::Kernel;
use dyno_image::{Image, Limits, Orientation, Region, Resizer, decode, decode_into};
use std::hint::black_box;

const JPEG: &[u8] = include_bytes!("../harness/image/tests/fixtures/images/bench.jpg");

const KERNELS: [(&str, Kernel); 6] = [
    ("opencv-linear", Kernel::OpencvLinear),
    ("opencv-area", Kernel::OpencvArea),
    ("opencv-cubic", Kernel::OpencvCubic),
    ("pillow-bilinear", Kernel::PillowBilinear),
    ("pillow-bicubic", Kernel::PillowBicubic),
    ("nearest", Kernel::Nearest),
];

/// All benches of this file.
pub(crate) fn benches(c: &mut Criterion) {
    let limits = Limits::default();
    let source = decode(JPEG, Orientation::Ignore, &limits).expect("the fixture decodes");
    let (mut resizer, mut out) = (Resizer::new(), Image::default());

    let mut group = c.benchmark_group("image");
    group.bench_function("decode-jpeg-640x480", |b| {
        b.iter(|| {
            decode_into(black_box(JPEG), Orientation::Ignore, &limits, &mut out)
                .expect("the fixture decodes");
        });
    });
    for (name, kernel) in KERNELS {
        group.bench_function(format!("resize-300/{name}"), |b| {
            b.iter(|| {
                resizer
                    .resize(black_box(&source), 300, 300, kernel, &mut out)
                    .expect("valid sizes");
            });
        });
    }
    group.bench_function("letterbox-416/opencv-linear", |b| {
        b.iter(|| {
            out.reshape(416, 416).expect("small");
            out.fill([114; 3]);
            resizer
                .resize_into(
                    black_box(&source),
                    Kernel::OpencvLinear,
                    &mut out,
                    Region {
                        x: 0,
                        y: 0,
                        width: 416,
                        height: 312,
                    },
                )
                .expect("inside");
        });
    });
    group.bench_function("letterbox-416/opencv-warp-linear", |b| {
        b.iter(|| {
            resizer
                .warp_letterbox(
                    black_box(&source),
                    416,
                    416,
                    0.65,
                    0.0,
                    52.0,
                    [0; 3],
                    &mut out,
                )
                .expect("valid");
        });
    });
    group.finish();
}
