//! COCO evaluation at the size of val2017: 5,000 images, about 36,000 objects, about 227,000
//! detections, 80 classes.
//!
//! The input is random (fixed seed) with COCO's proportions: a few classes have most objects, most
//! detections are false and of low score.

use criterion::Criterion;
use dyno_core::{
    Annotation, Detection, ImageAnnotation, LabelId, LabelMap, Metric, MetricContext, MetricKind,
    ObjectAnnotation, Prediction, SampleIndex, Xywh, Xyxy,
};
use dyno_metrics::CocoAp;
use std::{hint::black_box, time::Duration};

/// Numbers of a linear congruence (Knuth's MMIX constants), high bits.
struct Numbers(u64);

impl Numbers {
    fn unit(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: f64) -> u32 {
        (self.unit() * n) as u32
    }

    /// A few classes are common: cubed, so that a fifth of all objects is of class 0.
    fn class(&mut self) -> LabelId {
        let u = self.unit();
        LabelId((u * u * u * 80.0) as u32)
    }

    fn corner_box(&mut self) -> Xyxy {
        let (w, h) = (
            8.0 + self.unit().powi(2) * 300.0,
            8.0 + self.unit().powi(2) * 250.0,
        );
        let (x1, y1) = (self.unit() * (640.0 - w), self.unit() * (480.0 - h));
        Xyxy {
            x1,
            y1,
            x2: x1 + w,
            y2: y1 + h,
        }
    }

    fn near(&mut self, b: Xyxy) -> Xyxy {
        let (w, h) = ((b.x2 - b.x1) * 0.15, (b.y2 - b.y1) * 0.15);
        let mut shift = |v: f64, by: f64| v + (self.unit() - 0.5) * by;
        Xyxy {
            x1: shift(b.x1, w),
            y1: shift(b.y1, h),
            x2: shift(b.x2, w),
            y2: shift(b.y2, h),
        }
    }
}

fn images(count: i64) -> Vec<(Prediction, Annotation)> {
    let mut numbers = Numbers(20_240_501);
    (0..count)
        .map(|image_id| {
            let (mut objects, mut detections) = (Vec::new(), Vec::new());
            for id in 0..numbers.below(15.5) {
                let (label, bbox) = (numbers.class(), numbers.corner_box());
                let area = bbox.area() * 0.7;
                let iscrowd = numbers.unit() < 0.012;
                objects.push(ObjectAnnotation {
                    id: i64::from(id),
                    label,
                    bbox: Xywh::from(bbox),
                    area,
                    iscrowd,
                    difficult: false,
                    truncated: false,
                });
                if numbers.unit() < 0.7 {
                    detections.push(Detection {
                        label,
                        score: numbers.unit() as f32,
                        bbox: numbers.near(bbox),
                    });
                }
            }
            for _ in 0..numbers.below(81.0) {
                detections.push(Detection {
                    label: numbers.class(),
                    score: numbers.unit().powi(3) as f32,
                    bbox: numbers.corner_box(),
                });
            }
            detections.sort_by(|a, b| b.score.total_cmp(&a.score));
            (
                Prediction::Detections(detections),
                Annotation::Objects(ImageAnnotation {
                    image_id,
                    width: 640,
                    height: 480,
                    objects,
                }),
            )
        })
        .collect()
}

fn filled(images: &[(Prediction, Annotation)]) -> Box<dyn Metric> {
    let labels = LabelMap::from_names((0..80).map(|i| format!("class {i}")));
    let mut metric = CocoAp
        .build(&MetricContext {
            labels: &labels,
            parameters: &serde_json::Value::Null,
        })
        .expect("no parameters");
    for (i, (prediction, annotation)) in (0u32..).zip(images) {
        metric
            .update(SampleIndex(i), prediction, annotation)
            .expect("one kind, no conflict");
    }
    metric
}

/// The benches of metrics.
pub(crate) fn benches(c: &mut Criterion) {
    let val2017 = filled(&images(5000));
    let small = filled(&images(128));
    let mut group = c.benchmark_group("coco-ap");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    group.bench_function("val2017", |b| {
        b.iter(|| black_box(val2017.finish(None).expect("finish")));
    });
    group.bench_function("128 images, 1000 resamples", |b| {
        b.iter(|| black_box(small.finish_with_intervals(1000, 0).expect("finish")));
    });
    group.finish();
}
