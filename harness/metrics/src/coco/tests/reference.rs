//! Real detections: the scores that pycocotools gave for them.

use super::{Image, labels, list, metric, number, xywh};
use dyno_core::{Detection, ImageAnnotation, LabelId, LabelMap, ObjectAnnotation, Xyxy};
use serde_json::Value;
use std::path::{Path, PathBuf};

pub(crate) fn assets() -> Option<PathBuf> {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/assets");
    let root = std::env::var_os("DYNO_ASSETS").map_or(default, PathBuf::from);
    if root.is_dir() {
        return Some(root);
    }
    assert!(
        std::env::var_os("DYNO_REQUIRE_ASSETS").is_none_or(|v| v != "1"),
        "no assets at {}",
        root.display()
    );
    // Not `eprintln`: the test runner would swallow it.
    std::io::Write::write_all(&mut std::io::stderr(), b"skipped: no assets\n")
        .expect("standard error");
    None
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("asset")).expect("JSON")
}

/// Truth and results files as images in the order of their ids.
fn from_files(truth: &Value, results: &[Value]) -> (LabelMap, Vec<Image>) {
    let classes: Vec<(i64, &str)> = list(&truth["categories"])
        .iter()
        .map(|c| {
            (
                c["id"].as_i64().expect("id"),
                c["name"].as_str().expect("name"),
            )
        })
        .collect();
    let label = |v: &Value| {
        LabelId(
            classes
                .iter()
                .position(|(id, _)| *id == v["category_id"].as_i64().expect("id"))
                .expect("category") as u32,
        )
    };
    let mut images: std::collections::BTreeMap<i64, Image> = list(&truth["images"])
        .iter()
        .map(|i| i["id"].as_i64().expect("id"))
        .map(|image_id| {
            (
                image_id,
                Image {
                    truth: ImageAnnotation {
                        image_id,
                        width: 0,
                        height: 0,
                        objects: vec![],
                    },
                    detections: vec![],
                },
            )
        })
        .collect();
    for a in list(&truth["annotations"]) {
        let Some(image) = images.get_mut(&a["image_id"].as_i64().expect("id")) else {
            continue;
        };
        image.truth.objects.push(ObjectAnnotation {
            id: a["id"].as_i64().expect("id"),
            label: label(a),
            bbox: xywh(&a["bbox"]),
            area: number(&a["area"]),
            iscrowd: a["iscrowd"] == 1,
            difficult: false,
            truncated: false,
        });
    }
    for d in results {
        let image = images
            .get_mut(&d["image_id"].as_i64().expect("id"))
            .expect("image");
        image.detections.push(Detection {
            label: label(d),
            score: number(&d["score"]) as f32,
            bbox: Xyxy::from(xywh(&d["bbox"])),
        });
    }
    (labels(&classes), images.into_values().collect())
}

#[test]
fn reference_detections_score_what_pycocotools_gave() {
    let Some(root) = assets() else { return };
    let reference = root.join("samples/coco_reference");
    let expected = read(&reference.join("expected.json"));
    let val2017 = read(&root.join("samples/coco/annotations/instances_val2017.json"));
    let oracle: Vec<Value> = list(&val2017["annotations"])
        .iter()
        .filter(|a| a["iscrowd"] != 1)
        .cloned()
        .map(|mut a| {
            a["score"] = 1.0.into();
            a
        })
        .collect();
    let cases = [
        (
            "bbox",
            val2017.clone(),
            read(&reference.join("dets_bbox.json")),
        ),
        ("oracle_gt_as_dets_bbox", val2017, Value::from(oracle)),
        (
            "val2014_100_bbox",
            read(&reference.join("val2014_100/instances_val2014_100.json")),
            read(&reference.join("val2014_100/instances_val2014_fakebbox100_results.json")),
        ),
    ];
    for (name, truth, results) in cases {
        let (classes, images) = from_files(&truth, list(&results));
        let m = metric(&classes, &images);
        let scores = m.finish(None).expect("finish");
        for (score, expected) in scores.iter().zip(list(&expected[name]["stats"])) {
            let got = score.value.expect("value");
            assert!(
                (got - number(expected)).abs() < 1e-12,
                "{name} {}: {got} against {expected}",
                score.metric
            );
        }
    }
}
