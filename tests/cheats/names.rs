//! A1: names are earned. A file format is not a data set, and no name of a published set stands
//! where nobody claimed it.

use super::kit::{CLASSIFIER, DETECTOR, annotations, json, manifest, record, shapes};
use crate::support::Place;
use serde_json::{Value, json};
use std::fs;

/// The sample set of a run.
#[track_caller]
fn set(place: &Place, line: &str) -> Value {
    record(&place.run(&format!("{line} --format json")).exits_not(2))["sample_sets"][0].clone()
}

/// The set is called this, and nobody vouches for it.
#[track_caller]
fn is_called(set: &Value, name: &str, source: &str) {
    let id = set["id"].as_str().expect("an id");
    assert!(id.starts_with(&format!("{name}-")), "`{id}` is not {name}");
    assert_eq!(set["name_source"], source, "{set:#}");
}

#[test]
fn generated_pictures_are_called_generated() {
    let place = shapes(6);
    is_called(&set(&place, DETECTOR), "synthetic-shapes-6", "custom");
    is_called(&set(&place, CLASSIFIER), "synthetic-shapes-6", "custom");
    place
        .run("datasets synthesize voc --layout voc --count 6 --seed 3")
        .succeeds();
    let voc = "run dyno/shapes-detector --dataset voc:voc --only accuracy";
    is_called(&set(&place, voc), "synthetic-shapes-6", "custom");
}

#[test]
fn a_folder_in_the_layout_of_a_set_is_not_that_set() {
    let place = shapes(6);
    for folder in ["pictures", "classes"] {
        // The card of whoever drew them.
        let card = place.join(folder).join("dataset.dyno.json");
        if card.exists() {
            fs::remove_file(card).expect("a card");
        }
    }
    is_called(&set(&place, DETECTOR), "custom-pictures-6", "custom");
    is_called(&set(&place, CLASSIFIER), "custom-classes-6", "custom");
    // Nor does the folder's own name make it one.
    fs::rename(place.join("pictures"), place.join("coco-val2017")).expect("a folder");
    is_called(
        &set(
            &place,
            "run dyno/shapes-detector --dataset coco:coco-val2017 --only accuracy",
        ),
        "custom-coco-val2017-6",
        "custom",
    );
}

#[test]
fn a_claimed_name_is_a_claim_and_its_few_pictures_are_a_subset() {
    let place = shapes(40);
    let claimed = format!("{DETECTOR},name=coco-val2017").replace(
        " --only accuracy,name=coco-val2017",
        ",name=coco-val2017 --only accuracy",
    );
    let set = set(&place, &claimed);
    is_called(&set, "coco-val2017-subset-40", "claimed");
    assert_eq!(set["of"], 5000, "{set:#}");
    place.run(&format!("{claimed} --write -q")).succeeds();
    let manifest = manifest(&place, "shapes-detector");
    let sentence = manifest["accuracy"].as_str().expect("a sentence");
    assert!(
        sentence.contains("coco-val2017-subset-40-")
            && sentence.contains("not comparable with the full set"),
        "{sentence}"
    );
    // The record says it to people, too.
    let report = place.run("report latest").succeeds().stdout;
    assert!(report.contains("subset"), "{report}");
}

#[test]
fn ours_cannot_be_claimed() {
    let place = shapes(2);
    for name in ["synthetic-shapes", "custom-pictures"] {
        place
            .run(&format!(
                "run dyno/shapes-detector --dataset coco:pictures,name={name} --only accuracy"
            ))
            .exits(2)
            .says(&[name, "cannot be the name"]);
    }
}

#[test]
fn a_card_that_nobody_sealed_verifies_nothing() {
    let place = shapes(6);
    let samples: serde_json::Map<String, Value> = json(&annotations(&place))["images"]
        .as_array()
        .expect("images")
        .iter()
        .map(|image| {
            let name = image["file_name"].as_str().expect("a name").to_owned();
            (name, json!("0".repeat(64)))
        })
        .collect();
    let card = json!({
        "schema": "dyno.dataset/1",
        "name": "coco-val2017",
        "seal": {
            "tool": "dyno 0.1.0",
            "archives": {"val2017.zip": "md5:442b8da7639aecaf257c1dceb8ba8c80"},
            "labels_sha256": "0".repeat(64),
            "samples": samples,
        },
    });
    fs::write(place.join("pictures/dataset.dyno.json"), card.to_string()).expect("writable");
    // The seal is not that of these pictures, and the archive is not val2017's annotations too.
    let done = place.run(&format!("{DETECTOR} --format json"));
    if done.code == Some(0) {
        is_called(
            &record(&done)["sample_sets"][0],
            "coco-val2017-subset-6",
            "claimed",
        );
    } else {
        done.exits(5).says(&["dataset.dyno.json", "sealed"]);
    }
}

#[test]
fn the_quickstart_says_that_its_pictures_are_generated() {
    let place = Place::new();
    place.run("quickstart here -q").exits_not(5);
    for model in ["shapes-detector", "shapes-classifier"] {
        let text = super::kit::text(
            &place
                .join("here/models/dyno")
                .join(model)
                .join("alwaysai.model.json"),
        );
        assert!(text.contains(" on synthetic-shapes-200-"), "{text}");
        for name in ["coco-val2017", "imagenet-val"] {
            assert!(!text.contains(name), "{text}");
        }
    }
}
