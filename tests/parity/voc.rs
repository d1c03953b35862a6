//! A COCO detector on the VOC sample through the named map of classes, compared with an independent
//! script.

use super::models::YOLOX;
use crate::support::{Place, assets, python, score};
use std::{path::Path, process::Command};

#[test]
fn yolox_nano_on_voc() {
    let Some(assets) = assets() else { return };
    let place = Place::new();
    YOLOX.register(&place, &assets);
    let dataset = format!(
        "voc:{}#trainval",
        assets.join("samples/voc/VOCdevkit/VOC2012").display()
    );
    let args = [
        "run",
        YOLOX.name,
        "--models-dir",
        "registry",
        "--dataset",
        &dataset,
        "--only",
        "accuracy",
        "--format",
        "json",
        "--export-predictions",
        "voc.json",
    ];
    let record = place.run_args(&args).succeeds().record();
    assert_eq!(
        record.sample_sets[0].unmatched_dataset,
        Vec::<String>::new(),
        "every class of VOC is one of COCO's"
    );
    let ap = score(&record, "VOC-AP");
    assert!(ap > 0.3 && ap < 0.9, "VOC-AP is {ap}");
    let Some(python) = python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/voc_ap.py");
    let root = assets.join("samples/voc/VOCdevkit/VOC2012");
    let output = Command::new(python)
        .arg(script)
        .arg(root)
        .arg("trainval")
        .arg(place.join("voc.json"))
        .output()
        .expect("python starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let expected: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for metric in ["VOC-AP", "VOC-AP-11"] {
        let (got, expected) = (
            score(&record, metric),
            expected[metric].as_f64().expect("a number"),
        );
        assert!(
            (got - expected).abs() < 1e-9,
            "{metric}: {got}, the script says {expected}"
        );
    }
}
