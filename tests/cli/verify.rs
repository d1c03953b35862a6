//! `dyno verify`: engines agree, or the difference is named and is exit code 1.

use crate::support::Place;

const VERIFY: &str = "verify dyno/shapes-detector --dataset coco:pictures --backends tract,rten";

#[test]
fn engines_that_compute_the_same_agree() {
    let place = Place::new();
    place.with_shapes(6);
    let done = place.run(&format!("{VERIFY} --format json")).succeeds();
    let found: serde_json::Value = serde_json::from_str(&done.stdout).expect("one document");
    assert_eq!(found["samples"], 6);
    let pair = &found["pairs"][0];
    assert_eq!(
        (pair["a"].as_str(), pair["b"].as_str()),
        (Some("tract"), Some("rten"))
    );
    assert_eq!(pair["agrees"], true);
    assert!(
        pair["outputs"][0]["max_abs"]
            .as_f64()
            .is_some_and(|d| d < 1e-3),
        "{pair}"
    );
    let value = &found["engines"][0]["scores"][0]["value"];
    assert!(
        value.as_f64().is_some_and(|v| v > 0.2),
        "{value}: it did detect"
    );
}

#[test]
fn a_difference_is_exit_code_1() {
    let place = Place::new();
    place.with_shapes(4);
    // No two engines add in the same order.
    let done = place.run(&format!("{VERIFY} --abs 0 --rel 0")).exits(1);
    assert!(
        done.stdout.contains("tract / rten: DIFFER"),
        "{}",
        done.stdout
    );
    place
        .run(&format!("{VERIFY} --rel=-1"))
        .exits(2)
        .says(&["--rel -1 is no tolerance"]);
    place
        .run("verify dyno/shapes-detector --dataset coco:pictures --backends rten,rten")
        .exits(2)
        .says(&["`rten` is named twice"]);
}

#[test]
fn a_sample_that_fails_on_an_engine_is_no_agreement() {
    let place = Place::new();
    place.with_shapes(4);
    let pictures = std::fs::read_dir(place.join("pictures/images/val2017")).expect("pictures");
    let first = pictures
        .filter_map(Result::ok)
        .find(|e| e.path().is_file())
        .expect("one");
    std::fs::write(first.path(), b"no picture").expect("written");
    place.run(VERIFY).exits(5).says(&["sample failed"]);
}
