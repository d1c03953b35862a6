//! Parity with the development kit's rules, hand-counted cases, weights, order of shards.

use super::*;
use crate::coco::assets;
use dyno_core::{
    Annotation, Detection, ImageAnnotation, LabelId, LabelMap, Metric, MetricContext, MetricError,
    MetricKind, ObjectAnnotation, Prediction,
};
use dyno_core::{SampleIndex, Score, Xywh, Xyxy};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An object as text: `class x1 y1 x2 y2`, with `d` in front when difficult.
fn objects(text: &[&str]) -> Annotation {
    let objects = text.iter().map(|t| {
        let (difficult, rest) = t
            .strip_prefix("d ")
            .map_or((false, *t), |rest| (true, rest));
        let v: Vec<f64> = rest
            .split(' ')
            .map(|n| n.parse().expect("number"))
            .collect();
        object(
            v[0] as u32,
            Xyxy {
                x1: v[1],
                y1: v[2],
                x2: v[3],
                y2: v[4],
            },
            difficult,
        )
    });
    Annotation::Objects(ImageAnnotation {
        image_id: 0,
        width: 0,
        height: 0,
        objects: objects.collect(),
    })
}

fn object(class: u32, bbox: Xyxy, difficult: bool) -> ObjectAnnotation {
    ObjectAnnotation {
        id: 0,
        label: LabelId(class),
        bbox: Xywh::from(bbox),
        area: bbox.area(),
        iscrowd: false,
        difficult,
        truncated: false,
    }
}

/// A detection as text: `class score x1 y1 x2 y2`.
fn found(text: &[&str]) -> Prediction {
    let detections = text.iter().map(|t| {
        let v: Vec<f64> = t.split(' ').map(|n| n.parse().expect("number")).collect();
        Detection {
            label: LabelId(v[0] as u32),
            score: v[1] as f32,
            bbox: Xyxy {
                x1: v[2],
                y1: v[3],
                x2: v[4],
                y2: v[5],
            },
        }
    });
    Prediction::Detections(detections.collect())
}

fn build(names: &[&str], parameters: &Value) -> Result<Box<dyn Metric>, MetricError> {
    VocAp.build(&MetricContext {
        labels: &LabelMap::from_names(names.iter().copied()),
        parameters,
    })
}

fn value(scores: &[Score], name: &str) -> Option<f64> {
    scores.iter().find(|s| s.metric == name).expect(name).value
}

/// Numbers of each class, from the table.
fn per_class(metric: &dyn Metric) -> BTreeMap<String, Vec<Option<f64>>> {
    let details = metric.details(&|s| s.0.to_string()).expect("details");
    crate::table::cells(&details, "per-class")[1..]
        .iter()
        .map(|row| {
            let numbers = row[1..].iter().map(|v| v.parse().ok());
            (row[0].clone(), numbers.collect())
        })
        .collect()
}

#[test]
fn rules_of_the_development_kit() {
    struct Case {
        what: &'static str,
        truth: &'static [&'static str],
        found: &'static [&'static str],
        all: Option<f64>,
        eleven: Option<f64>,
    }
    let cases = [
        Case {
            what: "overlap of exactly the threshold is a hit",
            truth: &["0 0 0 10 10"],
            found: &["0 0.9 0 0 10 20"],
            all: Some(1.0),
            eleven: Some(1.0),
        },
        Case {
            what: "below it is a miss",
            truth: &["0 0 0 10 10"],
            found: &["0 0.9 0 0 10 21"],
            all: Some(0.0),
            eleven: Some(0.0),
        },
        // Precision at recall 1/2 is 1, at recall 1 it is 2/3.
        Case {
            what: "the second detection of an object is a miss",
            truth: &["0 0 0 10 10", "0 50 50 60 60"],
            found: &["0 0.9 0 0 10 10", "0 0.8 0 0 10 10", "0 0.7 50 50 60 60"],
            all: Some(0.5 + 0.5 * 2.0 / 3.0),
            eleven: Some((6.0 + 5.0 * 2.0 / 3.0) / 11.0),
        },
        Case {
            what: "a difficult object is neither hit nor miss, however often",
            truth: &["0 0 0 10 10", "d 0 50 50 60 60"],
            found: &["0 0.9 50 50 60 60", "0 0.8 50 50 60 60", "0 0.7 0 0 10 10"],
            all: Some(1.0),
            eleven: Some(1.0),
        },
        // Of the two objects the difficult one is overlapped more, though the other would do.
        Case {
            what: "the greatest overlap decides, difficult or not",
            truth: &["0 0 0 10 10", "d 0 0 0 10 12"],
            found: &["0 0.9 0 0 10 12"],
            all: Some(0.0),
            eleven: Some(0.0),
        },
        Case {
            what: "difficult objects alone judge nothing",
            truth: &["d 0 0 0 10 10"],
            found: &["0 0.9 0 0 10 10"],
            all: None,
            eleven: None,
        },
        Case {
            what: "no detections",
            truth: &["0 0 0 10 10"],
            found: &[],
            all: Some(0.0),
            eleven: Some(0.0),
        },
        Case {
            what: "another class does not match",
            truth: &["0 0 0 10 10"],
            found: &["1 0.9 0 0 10 10"],
            all: Some(0.0),
            eleven: Some(0.0),
        },
    ];
    for case in cases {
        let mut m = build(&["a", "b"], &Value::Null).expect("parameters");
        m.update(SampleIndex(0), &found(case.found), &objects(case.truth))
            .expect("fits");
        let scores = m.finish(None).expect("finish");
        assert_eq!(m.class_scores(), ["VOC-AP", "VOC-AP-11"]);
        let table = per_class(m.as_ref());
        let of_class = |column: usize| table["a"][column];
        for (name, got, expected) in [
            ("VOC-AP", value(&scores, "VOC-AP"), case.all),
            ("VOC-AP-11", value(&scores, "VOC-AP-11"), case.eleven),
            ("VOC-AP/a", of_class(0), case.all),
            ("VOC-AP-11/a", of_class(1), case.eleven),
        ] {
            assert!(
                got == expected
                    || got
                        .zip(expected)
                        .is_some_and(|(g, e)| (g - e).abs() < 1e-15),
                "{}, {name}: {got:?} against {expected:?}",
                case.what
            );
        }
        assert_eq!(
            table["b"][0], None,
            "no object of the class: left out of the mean"
        );
    }
}

/// 30 images of two classes with scores that tie, from a linear congruence.
fn many() -> Vec<(Prediction, Annotation)> {
    let mut state = 12345u32;
    let mut next = |n: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % n
    };
    (0..30)
        .map(|_| {
            let mut truth = Vec::new();
            let mut detections = Vec::new();
            for _ in 0..next(4) {
                let (class, x, y) = (next(2), next(200), next(200));
                truth.push(format!(
                    "{}{class} {x} {y} {} {}",
                    if next(5) == 0 { "d " } else { "" },
                    x + 40,
                    y + 40
                ));
                for _ in 0..next(3) {
                    let (dx, dy) = (next(9), next(9));
                    detections.push(format!(
                        "{class} 0.{} {} {} {} {}",
                        1 + next(9),
                        x + dx,
                        y + dy,
                        x + dx + 40,
                        y + dy + 40
                    ));
                }
            }
            let texts = |v: &[String]| -> Vec<String> { v.to_vec() };
            let (t, d) = (texts(&truth), texts(&detections));
            (
                found(&d.iter().map(String::as_str).collect::<Vec<_>>()),
                objects(&t.iter().map(String::as_str).collect::<Vec<_>>()),
            )
        })
        .collect()
}

#[test]
fn shards_weights_and_intervals() {
    let images = many();
    let mut whole = build(&["a", "b"], &Value::Null).expect("parameters");
    for (i, (p, a)) in images.iter().enumerate() {
        whole.update(SampleIndex(i as u32), p, a).expect("fits");
    }
    let scores = whole.finish_with_intervals(200, 5).expect("finish");
    let ap = scores[0].value.expect("AP");
    assert!(ap > 0.2 && ap < 0.95, "{ap}");
    let interval = scores[0].interval.clone().expect("interval");
    assert!(
        interval.low < ap
            && ap < interval.high
            && scores[1].interval.is_some()
            && scores.len() == 2
    );

    let mut merged = build(&["a", "b"], &json!({"iou": 0.5})).expect("parameters");
    for shard in [1, 2, 0, 1] {
        let mut part = build(&["a", "b"], &Value::Null).expect("parameters");
        for i in (0..30).rev().filter(|i| i % 3 == shard) {
            part.update(SampleIndex(i as u32), &images[i].0, &images[i].1)
                .expect("fits");
        }
        merged.merge(part).expect("no conflict");
    }
    assert_eq!(
        merged.finish_with_intervals(200, 5).expect("finish"),
        scores
    );
    assert!(matches!(
        merged.update(SampleIndex(0), &images[1].0, &images[1].1),
        Err(MetricError::Conflict { .. })
    ));
    assert!(matches!(
        merged.merge(build(&["a", "b"], &json!({"iou": 0.6})).expect("parameters")),
        Err(MetricError::Merge { .. })
    ));

    // Weights 0 and 1 are the subset.
    let mut subset = build(&["a", "b"], &Value::Null).expect("parameters");
    for i in (0..30).step_by(2) {
        subset
            .update(SampleIndex(i as u32), &images[i].0, &images[i].1)
            .expect("fits");
    }
    let weighted = whole
        .finish(Some(&|s: SampleIndex| u32::from(s.0.is_multiple_of(2))))
        .expect("weighted");
    assert_eq!(weighted, subset.finish(None).expect("subset"));
    assert_ne!(weighted[0].value, scores[0].value);
    // All weights doubled change no value: the curve has the same shape.
    for (double, one) in whole
        .finish(Some(&|_| 2))
        .expect("weighted")
        .iter()
        .zip(&scores)
    {
        assert!(
            double
                .value
                .zip(one.value)
                .is_some_and(|(d, o)| (d - o).abs() < 1e-15),
            "{}",
            one.metric
        );
    }
}

#[test]
fn a_handful_of_images_accuses_nobody() {
    let score = |metric: &str, n| Score {
        metric: metric.to_owned(),
        value: Some(0.0),
        n,
        hits: None,
        interval: None,
        optimistic: None,
        pessimistic: None,
    };
    assert_eq!(VocAp.chance(&score("VOC-AP", 100), 20), Some(0.005));
    assert_eq!(VocAp.chance(&score("VOC-AP", 9), 20), None);
    assert_eq!(VocAp.chance(&score("VOC-AP-11", 100), 20), None);
}

#[test]
fn parameters_that_do_not_fit_are_refused() {
    for parameters in [
        json!({"iou": 0.0}),
        json!({"iou": 1.5}),
        json!({"threshold": 0.5}),
        json!({"iou": "x"}),
    ] {
        assert!(
            matches!(
                build(&["a"], &parameters),
                Err(MetricError::Parameters { .. })
            ),
            "{parameters}"
        );
    }
    let mut m = build(&["a"], &Value::Null).expect("parameters");
    assert!(matches!(
        m.update(SampleIndex(0), &found(&[]), &Annotation::None),
        Err(MetricError::Kind { .. })
    ));
}

#[test]
fn the_hundred_reviewed_images_score_what_the_kit_gives() {
    let Some(root) = assets() else { return };
    let voc = root.join("samples/voc_reference");
    let text = |path: std::path::PathBuf| std::fs::read_to_string(&path).expect("asset");
    let names: Vec<String> = text(voc.join("voc.names"))
        .lines()
        .map(str::to_owned)
        .collect();
    let expected: Value =
        serde_json::from_str(&text(voc.join("voc_reference_aps.json"))).expect("JSON");
    let mut ids: Vec<String> = std::fs::read_dir(voc.join("dets_review100"))
        .expect("folder")
        .map(|e| {
            e.expect("entry")
                .path()
                .file_stem()
                .expect("name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    // Two images have objects and no detections file; they count.
    ids.extend(["2007_000676".to_owned(), "2007_001377".to_owned()]);
    ids.sort();
    assert_eq!(ids.len(), 100);
    let mut m = build(
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
        &Value::Null,
    )
    .expect("parameters");
    let mut counts: BTreeMap<u32, [u64; 2]> = BTreeMap::new();
    for (i, id) in ids.iter().enumerate() {
        let file = voc.join(format!("dets_review100/{id}.txt"));
        let lines = if file.exists() {
            text(file)
        } else {
            String::new()
        };
        let mut detections = Vec::new();
        for line in lines.lines() {
            let v: Vec<f64> = line
                .split_whitespace()
                .map(|n| n.parse().expect("number"))
                .collect();
            counts.entry(v[0] as u32).or_default()[1] += 1;
            detections.push(Detection {
                label: LabelId(v[0] as u32),
                score: v[1] as f32,
                bbox: Xyxy {
                    x1: v[2] - 1.0,
                    y1: v[3] - 1.0,
                    x2: v[4],
                    y2: v[5],
                },
            });
        }
        let xml = text(root.join(format!(
            "samples/voc/VOCdevkit/VOC2012/Annotations/{id}.xml"
        )));
        let options = roxmltree::ParsingOptions {
            allow_dtd: true,
            ..Default::default()
        };
        let document = roxmltree::Document::parse_with_options(&xml, options).expect("XML");
        let mut truth = Vec::new();
        for node in document
            .root_element()
            .children()
            .filter(|n| n.has_tag_name("object"))
        {
            let child = |n: roxmltree::Node<'_, '_>, name: &str| {
                n.children()
                    .find(|c| c.has_tag_name(name))
                    .and_then(|c| c.text().map(|t| t.trim().to_owned()))
            };
            let class = child(node, "name")
                .and_then(|name| names.iter().position(|n| *n == name))
                .expect("class") as u32;
            let corners = node
                .children()
                .find(|c| c.has_tag_name("bndbox"))
                .expect("box");
            let [x1, y1, x2, y2] = ["xmin", "ymin", "xmax", "ymax"].map(|n| {
                child(corners, n)
                    .expect("corner")
                    .parse::<f64>()
                    .expect("number")
            });
            let difficult = child(node, "difficult").is_some_and(|d| d == "1");
            counts.entry(class).or_default()[0] += u64::from(!difficult);
            truth.push(object(
                class,
                Xyxy {
                    x1: x1 - 1.0,
                    y1: y1 - 1.0,
                    x2,
                    y2,
                },
                difficult,
            ));
        }
        let truth = ImageAnnotation {
            image_id: i as i64,
            width: 0,
            height: 0,
            objects: truth,
        };
        m.update(
            SampleIndex(i as u32),
            &Prediction::Detections(detections),
            &Annotation::Objects(truth),
        )
        .expect("fits");
    }
    let table = per_class(m.as_ref());
    let reference = expected["review100"].as_object().expect("classes");
    assert_eq!(reference.len(), 20);
    let mut wrong = Vec::new();
    for (name, row) in reference {
        let class = names.iter().position(|n| n == name).expect("class") as u32;
        let (all, eleven) = (
            table[name.as_str()][0].expect("value"),
            table[name.as_str()][1].expect("value"),
        );
        let counted = counts.get(&class).copied().unwrap_or_default();
        let digits = |v: f64| (v * 1e6).round() / 1e6;
        if (digits(eleven) - row[0].as_f64().expect("AP")).abs() > 1e-9
            || (digits(all) - row[1].as_f64().expect("AP")).abs() > 1e-9
            || [&row[2], &row[3]] != [&Value::from(counted[0]), &Value::from(counted[1])]
        {
            wrong.push(format!("{name}: {eleven} {all} {counted:?} against {row}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
