//! A7: repeated pictures are counted once. Many links to one picture are no sample.

use super::kit::{CLASSIFIER, manifest, record, shapes};
use crate::support::Place;
use serde_json::Value;
use std::{fs, path::PathBuf};

/// A set of links to one picture, labelled as the classifier takes it.
fn one_picture_many_times(count: usize) -> Place {
    let place = shapes(count as u32);
    let folder = place.join("classes/val");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("pictures")
        .map(|e| e.expect("an entry").path())
        .collect();
    files.sort();
    for file in &files[1..] {
        fs::remove_file(file).expect("a picture");
        fs::hard_link(&files[0], file).expect("a link");
    }
    let labels = |label: u32| -> String {
        let line = |f: &PathBuf| format!("{} {label}", f.file_name().expect("a name").display());
        files.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
    };
    // One of the six classes is what the model says.
    for label in 0..6 {
        fs::write(place.join("classes/val.txt"), labels(label)).expect("writable");
        let done = place.run(&format!("{CLASSIFIER} --format json -q"));
        if super::kit::measurement(&record(&done), "accuracy")["scores"][0]["value"] == 1.0 {
            return place;
        }
    }
    panic!("the classifier takes the picture for nothing");
}

#[test]
fn two_hundred_links_to_one_picture_are_one_picture() {
    let place = one_picture_many_times(40);
    let record = record(&place.run(&format!("{CLASSIFIER} --format json")));
    let top1 = &super::kit::measurement(&record, "accuracy")["scores"][0];
    // Wilson's interval of one hit in one is 0.21 to 1; of forty in forty it would be 0.91 to 1.
    let sure = top1["interval"]["low"]
        .as_f64()
        .is_some_and(|low| low > 0.5);
    assert!(!sure, "one picture says nothing for sure: {top1:#}");
    assert_eq!(record["sample_sets"][0]["distinct"], 1, "{record:#}");
    let codes: Vec<&Value> = record["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .map(|w| &w["code"])
        .collect();
    assert!(codes.contains(&&"samples-repeated".into()), "{codes:?}");
}

#[test]
fn repeated_pictures_are_not_written() {
    let place = one_picture_many_times(40);
    let before = manifest(&place, "shapes-classifier");
    for mode in ["--write", "--write=replace"] {
        place
            .run(&format!("{CLASSIFIER} {mode}"))
            .exits_not(0)
            .says(&["repeat"]);
        assert_eq!(manifest(&place, "shapes-classifier"), before);
    }
}
