//! A3: bare numbers come from complete sets only, because a number cannot say *subset*.

use super::kit::{CLASSIFIER, manifest, shapes};
use crate::support::Place;

/// Top-1 and top-5 in the manifest.
fn bare(place: &Place) -> [serde_json::Value; 2] {
    let manifest = manifest(place, "shapes-classifier");
    ["1", "5"].map(|k| manifest[format!("mean_average_precision_top_{k}")].clone())
}

#[test]
fn a_subset_fills_no_bare_number() {
    let place = shapes(40);
    for samples in [20, 30] {
        let done = place
            .run(&format!("{CLASSIFIER} --write -n {samples}"))
            .succeeds();
        assert_eq!(
            bare(&place),
            [serde_json::Value::Null, serde_json::Value::Null]
        );
        // The sentence can say it, and does.
        let manifest = manifest(&place, "shapes-classifier");
        let sentence = manifest["accuracy"].as_str().expect("a sentence");
        assert!(sentence.contains("subset"), "{sentence}");
        done.says(&["mean_average_precision_top_1", "subset"]);
    }
}

#[test]
fn a_subset_replaces_no_bare_number_of_the_whole() {
    let place = shapes(40);
    place.run(&format!("{CLASSIFIER} --write -q")).succeeds();
    let whole = bare(&place);
    assert!(whole[0].as_f64().is_some_and(|v| v > 0.3), "{whole:?}");
    for mode in ["--write", "--write=replace"] {
        place
            .run(&format!("{CLASSIFIER} {mode} -n 20 -q"))
            .exits_not(5);
        assert_eq!(bare(&place), whole, "{mode}");
    }
}

#[test]
fn a_claimed_set_of_which_pictures_are_missing_is_no_complete_one() {
    let place = shapes(40);
    place
        .run("run dyno/shapes-classifier --dataset imagenet:classes,name=ilsvrc2012-val --only accuracy --write -q")
        .succeeds();
    assert_eq!(
        bare(&place),
        [serde_json::Value::Null, serde_json::Value::Null]
    );
}
