//! How often the interval of AP holds what it claims: the mean AP of sets of N such images.
//!
//! ```text
//! cargo run --release -p dyno-metrics --example interval_coverage -- TRIALS [ANNOTATIONS.json DETECTIONS.json]…
//! ```
//!
//! A population is drawn from `TRIALS` times: N images, independently. Each draw gives an AP with
//! its interval, from the library as a run has it. The mean of all those APs is E[AP of N images];
//! printed is the share of intervals that hold it, beside its bias against the whole population.
//! Populations: a simulation whose classes are as unequal as those of real sets (the k-th has 1/k of
//! the objects of the first), and, for each pair of files (COCO annotations and COCO results, as
//! `--export-predictions` writes them), the images of the file, each as likely as the other.
//! Results: `docs/accuracy.md`.

use dyno_core::{
    Annotation, Detection, ImageAnnotation, LabelId, LabelMap, Metric, MetricContext, MetricKind,
    ObjectAnnotation, Prediction, SampleIndex, Xywh, Xyxy,
};
use dyno_metrics::{CocoAp, VocAp};
use serde_json::Value;
use std::{collections::BTreeMap, error::Error, io::Write as _};

/// Halves an interval is made of; a run has 1,000.
const HALVES: u32 = 300;

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

    fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }
}

type Picture = (Prediction, ImageAnnotation);

/// A population to draw pictures from.
trait Population {
    fn name(&self) -> String;
    fn labels(&self) -> LabelMap;
    fn draw(&self, numbers: &mut Numbers) -> Picture;
}

/// Classes by 1/k; a detector that finds an object with a chance that depends on the class, places
/// it with noise, and finds things that are not there.
struct LongTail {
    classes: usize,
}

impl LongTail {
    fn class(&self, numbers: &mut Numbers) -> usize {
        let total: f64 = (1..=self.classes).map(|k| 1.0 / k as f64).sum();
        let mut left = numbers.unit() * total;
        for k in 0..self.classes {
            left -= 1.0 / (k + 1) as f64;
            if left < 0.0 {
                return k;
            }
        }
        self.classes - 1
    }
}

impl Population for LongTail {
    fn name(&self) -> String {
        format!("long tail, {} classes", self.classes)
    }

    fn labels(&self) -> LabelMap {
        LabelMap::from_names((0..self.classes).map(|k| format!("class {k}")))
    }

    fn draw(&self, numbers: &mut Numbers) -> Picture {
        let (mut objects, mut detections) = (Vec::new(), Vec::new());
        // A picture is about a few things: further objects are often of the class before.
        let mut class = self.class(numbers);
        let count = 1 + (numbers.unit().powi(2) * 12.0) as usize;
        for at in 0..count {
            if numbers.unit() < 0.4 {
                class = self.class(numbers);
            }
            let side = 20.0 + numbers.unit() * 60.0;
            let (x, y) = (100.0 * (at % 6) as f64, 100.0 * (at / 6) as f64);
            objects.push(ObjectAnnotation {
                id: at as i64 + 1,
                label: LabelId(class as u32),
                bbox: Xywh {
                    x,
                    y,
                    w: side,
                    h: side,
                },
                area: side * side,
                iscrowd: false,
                difficult: false,
                truncated: false,
            });
            let skill = 0.3 + 0.6 * ((class * 7919 % 101) as f64 / 101.0);
            if numbers.unit() < skill {
                let by = side * 0.35 * numbers.unit().powi(2);
                detections.push(Detection {
                    label: LabelId(class as u32),
                    score: (0.2 + 0.8 * numbers.unit() * (0.5 + skill / 2.0)) as f32,
                    bbox: Xyxy {
                        x1: x + by,
                        y1: y + by / 2.0,
                        x2: x + side + by,
                        y2: y + side,
                    },
                });
            }
        }
        for _ in 0..numbers.below(8) {
            let (x, y) = (numbers.unit() * 600.0, numbers.unit() * 400.0);
            detections.push(Detection {
                label: LabelId(self.class(numbers) as u32),
                score: (numbers.unit().powi(2) * 0.8) as f32,
                bbox: Xyxy {
                    x1: x,
                    y1: y,
                    x2: x + 40.0,
                    y2: y + 40.0,
                },
            });
        }
        let truth = ImageAnnotation {
            image_id: 0,
            width: 640,
            height: 480,
            objects,
        };
        (Prediction::Detections(detections), truth)
    }
}

/// The pictures of a file.
struct Files {
    name: String,
    labels: LabelMap,
    pictures: Vec<Picture>,
}

impl Population for Files {
    fn name(&self) -> String {
        format!("{}, {} images", self.name, self.pictures.len())
    }

    fn labels(&self) -> LabelMap {
        self.labels.clone()
    }

    fn draw(&self, numbers: &mut Numbers) -> Picture {
        self.pictures[numbers.below(self.pictures.len())].clone()
    }
}

fn list<'a>(value: &'a Value, what: &str) -> Result<&'a [Value], Box<dyn Error>> {
    Ok(value
        .as_array()
        .ok_or_else(|| format!("`{what}` is no list"))?)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn corners(value: &Value) -> Xywh {
    Xywh {
        x: number(&value[0]),
        y: number(&value[1]),
        w: number(&value[2]),
        h: number(&value[3]),
    }
}

impl Files {
    fn read(truth: &str, results: &str) -> Result<Self, Box<dyn Error>> {
        let name = results.rsplit('/').next().unwrap_or(results).to_owned();
        let truth: Value = serde_json::from_slice(&std::fs::read(truth)?)?;
        let results: Value = serde_json::from_slice(&std::fs::read(results)?)?;
        let mut ids: Vec<(i64, String)> = list(&truth["categories"], "categories")?
            .iter()
            .filter_map(|c| Some((c["id"].as_i64()?, c["name"].as_str()?.to_owned())))
            .collect();
        ids.sort();
        let label = |v: &Value| {
            let id = v["category_id"].as_i64().unwrap_or(-1);
            LabelId(
                ids.iter()
                    .position(|(i, _)| *i == id)
                    .map_or(u32::MAX, |i| i as u32),
            )
        };
        let mut pictures: BTreeMap<i64, (Vec<Detection>, Vec<ObjectAnnotation>)> =
            list(&truth["images"], "images")?
                .iter()
                .filter_map(|i| Some((i["id"].as_i64()?, Default::default())))
                .collect();
        for a in list(&truth["annotations"], "annotations")? {
            if let Some((_, objects)) = pictures.get_mut(&a["image_id"].as_i64().unwrap_or(-1)) {
                objects.push(ObjectAnnotation {
                    id: a["id"].as_i64().unwrap_or(0),
                    label: label(a),
                    bbox: corners(&a["bbox"]),
                    area: number(&a["area"]),
                    iscrowd: a["iscrowd"] == 1,
                    difficult: false,
                    truncated: false,
                });
            }
        }
        for d in list(&results, "detections")? {
            if let Some((found, _)) = pictures.get_mut(&d["image_id"].as_i64().unwrap_or(-1)) {
                found.push(Detection {
                    label: label(d),
                    score: number(&d["score"]) as f32,
                    bbox: Xyxy::from(corners(&d["bbox"])),
                });
            }
        }
        Ok(Self {
            name,
            labels: LabelMap::from_names(ids.into_iter().map(|(_, n)| n)),
            pictures: pictures
                .into_values()
                .map(|(found, objects)| {
                    let truth = ImageAnnotation {
                        image_id: 0,
                        width: 0,
                        height: 0,
                        objects,
                    };
                    (Prediction::Detections(found), truth)
                })
                .collect(),
        })
    }
}

fn metric(
    kind: &dyn MetricKind,
    population: &dyn Population,
    images: usize,
    numbers: &mut Numbers,
) -> Result<Box<dyn Metric>, Box<dyn Error>> {
    let mut metric = kind.build(&MetricContext {
        labels: &population.labels(),
        parameters: &Value::Null,
    })?;
    for at in 0..images as u32 {
        let (prediction, mut truth) = population.draw(numbers);
        truth.image_id = i64::from(at);
        metric.update(SampleIndex(at), &prediction, &Annotation::Objects(truth))?;
    }
    Ok(metric)
}

/// One row of the table a score: coverage of E[score of N images].
fn study(
    population: &dyn Population,
    kind: &dyn MetricKind,
    names: &[&str],
    images: usize,
    trials: u32,
    out: &mut impl std::io::Write,
) -> Result<(), Box<dyn Error>> {
    let mut numbers = Numbers(20_261_124 + images as u64);
    let mut seen: Vec<Vec<(f64, f64, f64)>> = vec![Vec::new(); names.len()];
    for trial in 0..trials {
        let metric = metric(kind, population, images, &mut numbers)?;
        let scores = metric.finish_with_intervals(HALVES, u64::from(trial))?;
        for (name, seen) in names.iter().zip(&mut seen) {
            let score = scores.iter().find(|s| s.metric == *name);
            if let Some((value, i)) = score.and_then(|s| s.value.zip(s.interval.as_ref())) {
                seen.push((value, i.low, i.high));
            }
        }
    }
    let whole = metric(kind, population, 20_000, &mut numbers)?.finish(None)?;
    for (name, seen) in names.iter().zip(&seen) {
        let n = seen.len() as f64;
        let mean = seen.iter().map(|s| s.0).sum::<f64>() / n;
        let inside = |what: f64| {
            100.0 * seen.iter().filter(|s| s.1 <= what && what <= s.2).count() as f64 / n
        };
        let above = 100.0 * seen.iter().filter(|s| s.1 > mean).count() as f64 / n;
        let below = 100.0 * seen.iter().filter(|s| s.2 < mean).count() as f64 / n;
        let width = seen.iter().map(|s| s.2 - s.1).sum::<f64>() / n;
        let population_value = whole
            .iter()
            .find(|s| s.metric == *name)
            .and_then(|s| s.value)
            .unwrap_or(f64::NAN);
        writeln!(
            out,
            "| {} | {name} | {images} | {mean:.4} | {:+.4} | {width:.4} | {:.1} % | {above:.1} % | {below:.1} % | {:.1} % |",
            population.name(),
            mean - population_value,
            inside(mean),
            inside(population_value),
        )?;
        out.flush()?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let trials: u32 = arguments.next().map_or(Ok(400), |t| t.parse())?;
    let files: Vec<String> = arguments.collect();
    let mut populations: Vec<Box<dyn Population>> = vec![
        Box::new(LongTail { classes: 6 }),
        Box::new(LongTail { classes: 20 }),
        Box::new(LongTail { classes: 80 }),
    ];
    for pair in files.chunks_exact(2) {
        populations.push(Box::new(Files::read(&pair[0], &pair[1])?));
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "| population | score | N | E[score of N] | against the whole | mean width | holds E | entirely above | entirely below | holds the whole's |\n|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for population in &populations {
        for images in [30, 64, 128, 500] {
            let population = population.as_ref();
            study(
                population,
                &CocoAp,
                &["AP", "AP50"],
                images,
                trials,
                &mut out,
            )?;
            study(population, &VocAp, &["VOC-AP"], images, trials, &mut out)?;
        }
    }
    Ok(())
}
