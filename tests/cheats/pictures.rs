//! A5 and A8: a picture is what its bytes are when they are decoded. A cache vouches for nothing,
//! and a picture of another size than its annotation's is a failed sample.

use super::kit::{
    DETECTOR, Jpeg, annotations, edit, manifest, measurement, pictures, record, shapes,
};
use crate::support::Place;
use serde_json::{Value, json};
use std::{
    fs::{self, File, FileTimes},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// A PNG whose size in bytes depends on its dimensions only: nothing is compressed.
fn stored(width: u32, height: u32, grey: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::NoCompression);
    let mut writer = encoder.write_header().expect("a header");
    let pixels = vec![grey; (3 * width * height) as usize];
    writer.write_image_data(&pixels).expect("pixels");
    writer.finish().expect("an end");
    file
}

/// The dimensions that the annotations give a picture.
fn annotated(place: &Place, picture: &Path) -> (u32, u32) {
    let name = picture
        .file_name()
        .and_then(|n| n.to_str())
        .expect("a name");
    let value = super::kit::json(&annotations(place));
    let images = value["images"].as_array().expect("images");
    let image = images
        .iter()
        .find(|i| i["file_name"] == name)
        .expect("an image");
    let number = |key: &str| image[key].as_u64().expect("a number") as u32;
    (number("width"), number("height"))
}

/// Gives a file a time of long ago: no cache can say that it was still being written.
fn date(file: &Path) {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let times = FileTimes::new().set_modified(then).set_accessed(then);
    let file = File::options().write(true).open(file).expect("writable");
    file.set_times(times).expect("settable");
}

/// Writes grey pictures of the annotated dimensions. With another grey the files are others, of
/// the same size and time.
fn fill(place: &Place, files: &[PathBuf], grey: u8) {
    for file in files {
        let (width, height) = annotated(place, file);
        fs::write(file, stored(width, height, grey)).expect("writable");
        date(file);
    }
}

/// A place with twenty pictures, and the first four, which are grey.
fn with_grey() -> (Place, Vec<PathBuf>) {
    let place = shapes(20);
    let grey = pictures(&place)[..1].to_vec();
    fill(&place, &grey, 90);
    (place, grey)
}

#[test]
fn pictures_that_were_replaced_unseen_are_not_those_of_the_plan() {
    let (place, grey) = with_grey();
    let line = format!("{DETECTOR} --format json");
    let first = record(&place.run(&format!("{line} --write")).succeeds());
    let before = manifest(&place, "shapes-detector");
    fill(&place, &grey, 200);
    let done = place.run(&format!("{line} --write"));
    if done.code == Some(0) {
        // A plan made anew from the files may notice it by itself.
        assert_ne!(
            record(&done)["sample_sets"][0]["id"],
            first["sample_sets"][0]["id"]
        );
    } else {
        let named = grey
            .iter()
            .filter_map(|p| p.file_name().and_then(|n| n.to_str()))
            .any(|name| done.stderr.contains(name));
        assert!(named, "no picture is named:\n{}", done.stderr);
        done.exits(5);
    }
    assert_eq!(
        manifest(&place, "shapes-detector"),
        before,
        "the field was refreshed"
    );
}

#[test]
fn a_run_is_not_continued_with_other_pictures() {
    let (place, grey) = with_grey();
    let line = format!("{DETECTOR} --shard-size 4 -q");
    place.run(&line).succeeds();
    // As if it had been killed before the shard of the grey pictures, the first, was done.
    let run = super::kit::runs(&place).pop().expect("a run");
    fs::remove_file(run.join("record.json")).expect("a record");
    let journal = run.join("shards.jsonl");
    let text = super::kit::text(&journal);
    let others: Vec<&str> = text
        .lines()
        .filter(|l| !l.contains("\"shard\":0,"))
        .collect();
    let others = others.join("\n") + "\n";
    assert_eq!(others.lines().count(), 4, "{text}");
    fs::write(&journal, others).expect("writable");
    fill(&place, &grey, 200);
    place.run(&format!("{line} --resume")).exits_not(0);
    // What there is of it is called partial.
    if run.join("record.json").exists() {
        let record = super::kit::json(&run.join("record.json"));
        let validity = &measurement(&record, "accuracy")["validity"];
        assert_eq!(
            validity["status"], "INVALID",
            "two sets of pictures made one record"
        );
    }
}

#[test]
fn the_check_reads_the_pictures() {
    let place = shapes(20);
    let grey = pictures(&place)[..1].to_vec();
    fill(&place, &grey, 90);
    place.run(&format!("{DETECTOR} --write -q")).succeeds();
    let check = "models check dyno/shapes-detector --dataset coco:pictures";
    place.run(check).succeeds();
    fill(&place, &grey, 200);
    let done = place.run(check).exits(1);
    assert!(done.stdout.contains("stale-dataset"), "{}", done.stdout);
}

#[test]
fn a_picture_of_another_size_than_its_annotation_fails() {
    let place = shapes(20);
    let picture = super::kit::first_picture(&place);
    let (width, height) = annotated(&place, &picture);
    fs::write(&picture, stored(width + 8, height, 90)).expect("writable");
    let name = picture
        .file_name()
        .and_then(|n| n.to_str())
        .expect("a name");
    place
        .run(DETECTOR)
        .exits(5)
        .says(&[name, "its annotation says", "1 of 20 samples failed"]);
}

/// The first three pictures of twenty as a camera that was turned would have stored them, with
/// its note; their annotations are of the upright ones.
fn turned() -> Place {
    let place = shapes(20);
    for picture in &pictures(&place)[..3] {
        let (width, height) = annotated(&place, picture);
        let [width, height] = [width, height].map(|n| u16::try_from(n).expect("small"));
        let stored = Jpeg {
            orientation: Some(6),
            ..Jpeg::new(height, width)
        };
        fs::write(picture, stored.bytes()).expect("writable");
    }
    place
}

#[test]
fn turned_pictures_fail_with_a_hint_and_fit_when_they_are_turned_back() {
    let place = turned();
    place
        .run(DETECTOR)
        .exits(5)
        .says(&["3 of 20 samples failed", "exif=apply"]);
    let done = place
        .run("run dyno/shapes-detector --dataset coco:pictures,exif=apply --only accuracy --format json")
        .succeeds();
    let record = record(&done);
    assert_eq!(measurement(&record, "accuracy")["failed"], 0);
}

#[test]
fn orientation_that_is_not_applied_is_counted_and_warned_about() {
    let place = turned();
    // The annotations are of the stored pictures: they fit, and nobody turned anything.
    edit(&annotations(&place), |v| {
        for image in v["images"]
            .as_array_mut()
            .expect("images")
            .iter_mut()
            .take(3)
        {
            let (width, height) = (image["width"].clone(), image["height"].clone());
            image["width"] = height;
            image["height"] = width;
        }
        v["annotations"]
            .as_array_mut()
            .expect("annotations")
            .retain(|a| a["image_id"].as_u64().is_some_and(|id| id > 3));
    });
    let record = record(&place.run(&format!("{DETECTOR} --format json")).succeeds());
    let warnings = record["warnings"].as_array().expect("warnings");
    let warning = warnings
        .iter()
        .find(|w| w["code"] == "orientation")
        .unwrap_or_else(|| panic!("nothing is said of the orientation: {warnings:#?}"));
    assert!(
        warning["detail"].as_str().is_some_and(|d| d.contains('3')),
        "{warning:#}"
    );
}

#[test]
fn how_pictures_are_turned_is_part_of_the_set() {
    let place = shapes(6);
    let id = |options: &str| -> Value {
        let line = format!(
            "run dyno/shapes-detector --dataset coco:pictures{options} --only accuracy --format json"
        );
        record(&place.run(&line).succeeds())["sample_sets"][0]["id"].clone()
    };
    assert_eq!(id(""), id(",exif=ignore"));
    assert_ne!(id(""), id(",exif=apply"));
    assert_ne!(id(""), json!(null));
}
