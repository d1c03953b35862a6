//! Parity with pycocotools, weights, order of shards.

use super::*;
use crate::table::cells;
use dyno_core::{
    Annotation, Detail, Detection, ImageAnnotation, Label, LabelId, LabelMap, Metric,
    MetricContext, MetricError, MetricKind, ObjectAnnotation, Prediction,
};
use dyno_core::{SampleIndex, Score, Xywh, Xyxy};
use serde_json::Value;

mod details;
mod reference;
pub(crate) use reference::assets;

struct Image {
    truth: ImageAnnotation,
    detections: Vec<Detection>,
}

fn labels(ids: &[(i64, &str)]) -> LabelMap {
    LabelMap {
        scheme: None,
        labels: ids
            .iter()
            .map(|(id, name)| Label {
                name: (*name).to_owned(),
                synonyms: vec![],
                external_id: Some(*id),
            })
            .collect(),
    }
}

fn build(labels: &LabelMap) -> Box<dyn Metric> {
    CocoAp
        .build(&MetricContext {
            labels,
            parameters: &Value::Null,
        })
        .expect("no parameters")
}

fn add(metric: &mut Box<dyn Metric>, sample: usize, image: &Image) -> Result<(), MetricError> {
    metric.update(
        SampleIndex(sample as u32),
        &Prediction::Detections(image.detections.clone()),
        &Annotation::Objects(image.truth.clone()),
    )
}

fn metric(labels: &LabelMap, images: &[Image]) -> Box<dyn Metric> {
    let mut m = build(labels);
    for (i, image) in images.iter().enumerate() {
        add(&mut m, i, image).expect("fits");
    }
    m
}

fn details(metric: &dyn Metric) -> Vec<Detail> {
    metric
        .details(&|sample: SampleIndex| format!("s{}", sample.0))
        .expect("details")
}

fn bits(scores: &[Score]) -> Vec<(&str, Option<u64>)> {
    scores
        .iter()
        .map(|s| (s.metric.as_str(), s.value.map(f64::to_bits)))
        .collect()
}

fn number(v: &Value) -> f64 {
    v.as_f64().expect("number")
}

fn xywh(v: &Value) -> Xywh {
    Xywh {
        x: number(&v[0]),
        y: number(&v[1]),
        w: number(&v[2]),
        h: number(&v[3]),
    }
}

fn list(v: &Value) -> &[Value] {
    v.as_array().expect("list")
}

fn fixture() -> (Value, LabelMap, Vec<Vec<Image>>) {
    let f: Value = serde_json::from_str(include_str!("../../fixtures/coco.json")).expect("fixture");
    let classes = labels(&[(7, "c7"), (3, "c3"), (90, "c90"), (1, "c1")]);
    let cases = list(&f["cases"])
        .iter()
        .map(|case| list(&case["images"]).iter().map(image_of).collect())
        .collect();
    (f, classes, cases)
}

fn image_of(image: &Value) -> Image {
    let label = |v: &Value| LabelId(v.as_u64().expect("class") as u32);
    let objects = list(&image["objects"]).iter().map(|o| ObjectAnnotation {
        id: o[0].as_i64().expect("id"),
        label: label(&o[1]),
        bbox: xywh(&o[2]),
        area: number(&o[3]),
        iscrowd: o[4] == 1,
        difficult: false,
        truncated: false,
    });
    let truth = ImageAnnotation {
        image_id: image["id"].as_i64().expect("id"),
        width: 640,
        height: 480,
        objects: objects.collect(),
    };
    let detections = list(&image["detections"]).iter();
    let detections = detections.map(|d| Detection {
        label: label(&d[0]),
        score: number(&d[2]) as f32,
        bbox: Xyxy::from(xywh(&d[1])),
    });
    Image {
        truth,
        detections: detections.collect(),
    }
}

#[test]
fn synthetic_cases_equal_pycocotools_bit_for_bit() {
    let (fixture, classes, cases) = fixture();
    assert_eq!(cases.len(), 4);
    for (case, images) in list(&fixture["cases"]).iter().zip(&cases) {
        let expected = |v: &Value| (number(v) >= 0.0).then(|| number(v).to_bits());
        let m = metric(&classes, images);
        let scores = m.finish(None).expect("finish");
        assert_eq!(
            scores
                .iter()
                .map(|s| s.value.map(f64::to_bits))
                .collect::<Vec<_>>(),
            list(&case["stats"])
                .iter()
                .map(expected)
                .collect::<Vec<_>>()
        );
        let by_class: Vec<Option<u64>> = cells(&details(m.as_ref()), "per-class")[1..]
            .iter()
            .map(|row| row[1].parse::<f64>().ok().map(f64::to_bits))
            .collect();
        assert_eq!(
            by_class,
            list(&case["by_class"])
                .iter()
                .map(expected)
                .collect::<Vec<_>>()
        );
        assert!(scores[0].value.expect("AP") > 0.1 && scores.iter().all(|s| s.n == 14));
    }
    assert_eq!(
        list(&fixture["cases"])[0]["by_class"][3],
        -1.0,
        "one class has no object in the first case"
    );
}

#[test]
fn threshold_grids_are_numpys_linspace() {
    let (fixture, ..) = fixture();
    let grids = matching::Grids::new();
    let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let expected = |name: &str| bits(&list(&fixture[name]).iter().map(number).collect::<Vec<_>>());
    assert_eq!(bits(&grids.overlaps), expected("overlaps"));
    assert_eq!(bits(&grids.recalls), expected("recalls"));
    assert_eq!(
        (grids.overlaps.len(), grids.recalls.len()),
        (matching::THRESHOLDS, accumulate::RECALLS)
    );
    let params = hotcoco::Params::new(hotcoco::IouType::Bbox);
    assert_eq!(params.max_dets, [1, 10, matching::CAP as usize]);
    let areas: Vec<&str> = params
        .area_ranges
        .iter()
        .map(|r| r.label.as_str())
        .collect();
    assert_eq!(areas, ["all", "small", "medium", "large"]);
}

#[test]
fn an_image_of_weight_w_counts_as_w_copies() {
    let (_, classes, mut cases) = fixture();
    for images in &mut cases {
        // Equal scores within an image and class interleave in copies and not in weights: make
        // scores distinct within an image.
        for image in images.iter_mut() {
            for (i, d) in image.detections.iter_mut().enumerate() {
                d.score += i as f32 / 65536.0;
            }
        }
        let weights: Vec<u32> = (0..images.len() as u32)
            .map(|i| [2, 0, 1, 3][i as usize % 4])
            .collect();
        let mut copies = Vec::new();
        for (image, &w) in images.iter().zip(&weights) {
            for copy in 0..w {
                let mut truth = image.truth.clone();
                // Copies stand together, in the order of image ids.
                truth.image_id = truth.image_id * 10 + i64::from(copy);
                copies.push(Image {
                    truth,
                    detections: image.detections.clone(),
                });
            }
        }
        let weighted = metric(&classes, images)
            .finish(Some(&|s: SampleIndex| weights[s.index()]))
            .expect("weighted");
        let copied = metric(&classes, &copies).finish(None).expect("copied");
        assert_eq!(bits(&weighted), bits(&copied));
        assert_eq!(weighted[0].n, u64::from(weights.iter().sum::<u32>()));
    }
}

#[test]
fn shards_in_any_order_and_twice_give_the_same_bits() {
    let (_, classes, cases) = fixture();
    let images = &cases[1];
    let whole = metric(&classes, images)
        .finish_with_intervals(50, 3)
        .expect("finish");
    let mut merged = build(&classes);
    for shard in [2usize, 0, 1, 2, 0] {
        let mut part = build(&classes);
        for i in (0..images.len()).rev().filter(|i| i % 3 == shard) {
            add(&mut part, i, &images[i]).expect("fits");
            add(&mut part, i, &images[i]).expect("harmless");
        }
        merged.merge(part).expect("no conflict");
    }
    assert_eq!(merged.finish_with_intervals(50, 3).expect("finish"), whole);
    assert_eq!(
        details(merged.as_ref()),
        details(metric(&classes, images).as_ref())
    );
    let mut other = build(&classes);
    add(&mut other, 0, &images[1]).expect("fits");
    assert!(matches!(
        merged.merge(other),
        Err(MetricError::Conflict {
            sample: SampleIndex(0)
        })
    ));
    assert!(matches!(
        merged.merge(build(&labels(&[(1, "x")]))),
        Err(MetricError::Merge { .. })
    ));
}

#[test]
fn intervals_are_the_scatter_of_halves() {
    let (_, classes, cases) = fixture();
    // 42 images: three cases, and ids that keep them apart.
    let mut images: Vec<Image> = cases.into_iter().take(3).flatten().collect();
    for (id, image) in (1i64..).zip(images.iter_mut().rev()) {
        image.truth.image_id = id;
    }
    let m = metric(&classes, &images);
    let scores = m.finish_with_intervals(40, 11).expect("finish");
    assert_eq!(bits(&scores), bits(&m.finish(None).expect("finish")));
    for (at, name) in ["AP", "AP50", "AP75"].into_iter().enumerate() {
        // The slow way: the whole evaluation for each half.
        let mut values = Vec::new();
        for half in 0..40 {
            let mut chosen = Vec::new();
            dyno_stats::random_half(11, half, images.len(), &mut chosen);
            let weight = |s: SampleIndex| u32::from(chosen[s.index()]);
            values.extend(m.finish(Some(&weight)).expect("half")[at].value);
        }
        let sd = dyno_stats::sample_variance(&values).expect("many").sqrt();
        let value = scores[at].value.expect(name);
        let interval = scores[at].interval.clone().expect(name);
        assert!(
            (interval.high - value - 1.959_963_984_540_054 * sd).abs() < 1e-12,
            "{name}"
        );
        assert!(
            (value - interval.low - 1.959_963_984_540_054 * sd).abs() < 1e-12,
            "{name}"
        );
    }
    assert!(scores[3..].iter().all(|s| s.interval.is_none()));
    let none = m.finish_with_intervals(0, 11).expect("finish");
    assert!(none[0].interval.is_none());
    let few = metric(&classes, &images[..29]);
    let few = few.finish_with_intervals(40, 11).expect("finish");
    assert!(few[0].value.is_some() && few[0].interval.is_none());
}

#[test]
fn nothing_to_judge_has_no_value() {
    let classes = labels(&[(1, "a"), (2, "b")]);
    let scores = build(&classes)
        .finish_with_intervals(10, 0)
        .expect("finish");
    assert_eq!(scores.len(), 12);
    assert_eq!(details(build(&classes).as_ref()), []);
    assert!(scores.iter().all(|s| s.value.is_none() && s.n == 0));
    let empty = |image_id| Image {
        truth: ImageAnnotation {
            image_id,
            width: 1,
            height: 1,
            objects: vec![],
        },
        detections: vec![],
    };
    let m = metric(&classes, &[empty(1), empty(2)]);
    assert!(
        m.finish_with_intervals(10, 0)
            .expect("finish")
            .iter()
            .all(|s| s.value.is_none() && s.n == 2 && s.interval.is_none())
    );
    let weighted = m.finish(Some(&|_| 0)).expect("weighted");
    assert!(weighted.iter().all(|s| s.value.is_none() && s.n == 0));
}

#[test]
fn what_does_not_fit_is_refused() {
    let (_, classes, cases) = fixture();
    let mut m = build(&classes);
    let mut image = Image {
        truth: cases[0][0].truth.clone(),
        detections: cases[0][0].detections.clone(),
    };
    image.detections[0].score = f32::NAN;
    assert!(matches!(
        add(&mut m, 0, &image),
        Err(MetricError::Engine { .. })
    ));
    image.detections.clear();
    image.truth.objects[0].label = LabelId(4);
    assert!(matches!(
        add(&mut m, 0, &image),
        Err(MetricError::Engine { .. })
    ));
    image.truth.objects.clear();
    image.detections.push(Detection {
        label: LabelId::UNMATCHED,
        score: 0.5,
        bbox: Xyxy {
            x1: 0.0,
            y1: 0.0,
            x2: 1.0,
            y2: 1.0,
        },
    });
    add(&mut m, 0, &image).expect("a class that the dataset lacks is left out");
    let twins = labels(&[(1, "a"), (1, "b")]);
    assert!(matches!(
        CocoAp.build(&MetricContext {
            labels: &twins,
            parameters: &Value::Null
        }),
        Err(MetricError::Parameters { .. })
    ));
    let unknown = serde_json::json!({"iou": 0.5});
    assert!(matches!(
        CocoAp.build(&MetricContext {
            labels: &classes,
            parameters: &unknown
        }),
        Err(MetricError::Parameters { .. })
    ));
}

#[test]
fn export_comes_back_with_the_same_bits() {
    let (_, classes, cases) = fixture();
    let mut detections = cases[0][0].detections.clone();
    detections[0] = Detection {
        label: LabelId(2),
        score: 0.1,
        bbox: Xyxy {
            x1: 0.1,
            y1: 1.0 / 3.0,
            x2: 200.7,
            y2: 99.9,
        },
    };
    detections[1].label = LabelId::UNMATCHED;
    let mut out = Vec::new();
    export_coco(&mut out, [(42, &detections[..]), (43, &[][..])], &classes).expect("finite");
    let rows: Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!(list(&rows).len(), detections.len() - 1);
    assert_eq!(
        (&rows[0]["image_id"], &rows[0]["category_id"]),
        (&Value::from(42), &Value::from(90))
    );
    let b = Xywh::from(detections[0].bbox);
    let back = xywh(&rows[0]["bbox"]);
    assert_eq!(
        [back.x, back.y, back.w, back.h].map(f64::to_bits),
        [b.x, b.y, b.w, b.h].map(f64::to_bits)
    );
    assert_eq!(
        number(&rows[0]["score"]).to_bits(),
        f64::from(0.1f32).to_bits()
    );
    let mut none = Vec::new();
    export_coco(&mut none, [], &classes).expect("empty");
    assert_eq!(
        serde_json::from_slice::<Value>(&none).expect("JSON"),
        serde_json::json!([])
    );
    detections[0].bbox.x1 = f64::INFINITY;
    assert!(matches!(
        export_coco(Vec::new(), [(42, &detections[..])], &classes),
        Err(ExportError::NotFinite {
            image_id: 42,
            index: 0
        })
    ));
}
