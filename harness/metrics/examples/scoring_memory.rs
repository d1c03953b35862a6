//! Memory and time of scoring detections: COCO's numbers, intervals and details of many images.
//!
//! ```text
//! cargo run --release -p dyno-metrics --example scoring_memory -- IMAGES DETECTIONS_AN_IMAGE
//! ```
//!
//! Images are made one at a time and forgotten, as a run reads them from its shards. Random boxes of
//! 80 classes with a fixed seed; a third of the detections lies on an object. Peak memory is Linux's
//! `VmHWM` of the whole process.

use dyno_core::{
    Annotation, Detection, ImageAnnotation, LabelId, LabelMap, MetricContext, MetricKind,
    ObjectAnnotation, Prediction, SampleIndex, Xywh, Xyxy,
};
use dyno_metrics::CocoAp;
use std::{error::Error, io::Write as _, time::Instant};

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

    fn bbox(&mut self) -> (LabelId, Xyxy) {
        let label = LabelId((self.unit().powi(3) * 80.0) as u32);
        let (w, h) = (10.0 + self.unit() * 200.0, 10.0 + self.unit() * 150.0);
        let (x1, y1) = (self.unit() * 400.0, self.unit() * 300.0);
        let (x2, y2) = (x1 + w, y1 + h);
        (label, Xyxy { x1, y1, x2, y2 })
    }
}

fn image(numbers: &mut Numbers, id: i64, count: u32) -> (Prediction, Annotation) {
    let (mut objects, mut detections) = (Vec::new(), Vec::new());
    for at in 0..count {
        let (label, bbox) = numbers.bbox();
        let mut found = bbox;
        if at % 6 == 0 {
            objects.push(ObjectAnnotation {
                id: i64::from(at),
                label,
                bbox: Xywh::from(bbox),
                area: bbox.area(),
                iscrowd: false,
                difficult: false,
                truncated: false,
            });
            found.x1 += numbers.unit() * 20.0;
        }
        detections.push(Detection {
            label,
            score: numbers.unit() as f32,
            bbox: found,
        });
    }
    let truth = ImageAnnotation {
        image_id: id,
        width: 640,
        height: 480,
        objects,
    };
    (
        Prediction::Detections(detections),
        Annotation::Objects(truth),
    )
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.unwrap_or("unknown").trim().to_owned()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let images: u32 = arguments.next().map_or(Ok(50_000), |t| t.parse())?;
    let count: u32 = arguments.next().map_or(Ok(60), |t| t.parse())?;
    let mut out = std::io::stdout().lock();
    let labels = LabelMap::from_names((0..80).map(|i| format!("class {i}")));
    let mut metric = CocoAp.build(&MetricContext {
        labels: &labels,
        parameters: &serde_json::Value::Null,
    })?;
    let mut numbers = Numbers(1);
    let mut update = 0.0;
    for at in 0..images {
        let (prediction, truth) = image(&mut numbers, i64::from(at), count);
        let started = Instant::now();
        metric.update(SampleIndex(at), &prediction, &truth)?;
        update += started.elapsed().as_secs_f64();
    }
    writeln!(out, "matched {images} images: {update:.2} s, {}", peak())?;
    let started = Instant::now();
    let scores = metric.finish(None)?;
    writeln!(
        out,
        "twelve numbers: {:.2} s, {}, AP {:?}",
        started.elapsed().as_secs_f64(),
        peak(),
        scores.first().and_then(|s| s.value)
    )?;
    let started = Instant::now();
    metric.finish_with_intervals(1000, 0)?;
    writeln!(
        out,
        "with intervals: {:.2} s, {}",
        started.elapsed().as_secs_f64(),
        peak()
    )?;
    let started = Instant::now();
    let details = metric.details(&|s| format!("{:012}.jpg", s.0))?;
    let bytes: usize = details.iter().map(|d| d.bytes.len()).sum();
    writeln!(
        out,
        "details: {:.2} s, {}, {bytes} bytes",
        started.elapsed().as_secs_f64(),
        peak()
    )?;
    Ok(())
}
