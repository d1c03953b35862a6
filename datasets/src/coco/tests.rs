//! Tests of `coco`: every kind of bad file, and the layouts.

use crate::{open, parse_request, truth};
use dyno_core::{Annotation, AnnotationKind, Dataset, DatasetError, LabelScheme};
use serde_json::{Value, json};
use std::{fs, path::Path};

fn good() -> Value {
    json!({"images": [{"id": 7, "file_name": "b.jpg", "width": 20, "height": 10}, {"id": 3, "file_name": "a.jpg", "width": 20, "height": 10}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 5, "bbox": [1, 2.5, 3, 4], "area": 7.5, "iscrowd": 0, "segmentation": [[1, 2, 3, 4, 5, 6]]},
            {"id": 2, "image_id": 7, "category_id": 2, "bbox": [0, 0, 2, 3], "iscrowd": true, "segmentation": {"counts": [1, 2], "size": [10, 20]}}],
        "categories": [{"id": 5, "name": "dog"}, {"id": 2, "name": "cat"}]})
}

fn place(dir: &Path, json: &str) -> Result<Box<dyn Dataset>, DatasetError> {
    for folder in ["annotations", "val2017"] {
        fs::create_dir_all(dir.join(folder)).expect("creates");
    }
    for name in ["a.jpg", "b.jpg"] {
        fs::write(dir.join("val2017").join(name), name).expect("writes");
    }
    fs::write(dir.join("annotations/instances_val2017.json"), json).expect("writes");
    open(&parse_request(&format!("coco:{}", dir.display())).expect("reads"))
}

/// The error of the good file after a change.
fn fault(change: impl FnOnce(&mut Value)) -> DatasetError {
    let dir = tempfile::tempdir().expect("temporary folder");
    let mut value = good();
    change(&mut value);
    place(dir.path(), &value.to_string())
        .map(|_| ())
        .expect_err("must be refused")
}

fn inconsistent(change: impl FnOnce(&mut Value), what: &str, wanted: usize) {
    match fault(change) {
        DatasetError::Inconsistent {
            what: found,
            count,
            examples,
        } => {
            assert!(found.contains(what), "{found} for {what}");
            assert_eq!(count, wanted, "{what}: {examples:?}");
            assert!(!examples.is_empty());
        }
        other => panic!("{what}: {other}"),
    }
}

#[test]
fn a_good_file_reads() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let set = place(dir.path(), &good().to_string()).expect("opens");
    let names: Vec<_> = set
        .facts()
        .labels
        .labels
        .iter()
        .map(|l| (l.name.as_str(), l.external_id))
        .collect();
    assert_eq!(names, [("cat", Some(2)), ("dog", Some(5))]);
    assert_eq!(
        (
            set.facts().labels.scheme,
            set.facts().metrics[0].as_str(),
            set.facts().annotation
        ),
        (None, "coco-ap", AnnotationKind::Objects)
    );
    assert_eq!(
        set.entries()
            .iter()
            .map(|e| e.id.as_str())
            .collect::<Vec<_>>(),
        ["a.jpg", "b.jpg"],
        "in the order of the ids, not of the file"
    );
    let objects: Vec<_> = (0..2)
        .map(|i| match truth(set.as_ref(), i) {
            Annotation::Objects(image) => image,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        (objects[0].image_id, objects[0].objects.len()),
        (3, 0),
        "an image without annotations counts"
    );
    let [dog, cat] = objects[1].objects.as_slice() else {
        panic!("two objects")
    };
    assert_eq!(
        (dog.label.0, dog.area, dog.bbox.y, dog.iscrowd),
        (1, 7.5, 2.5, false)
    );
    assert_eq!(
        (cat.label.0, cat.area, cat.iscrowd),
        (0, 6.0, true),
        "without `area` it is that of the box"
    );
}

#[test]
fn the_80_categories_are_recognised() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let map = dyno_core::LabelMap::builtin("coco80").expect("builtin");
    let ids = (0..80).map(|i| {
        dyno_core::coco80_to_coco91(dyno_core::LabelId(i))
            .expect("in range")
            .0
    });
    let mut categories: Vec<Value> = ids
        .zip(&map.labels)
        .map(|(id, l)| json!({"id": id, "name": l.name}))
        .collect();
    let file = |c: &[Value]| {
        json!({"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [], "categories": c})
            .to_string()
    };
    assert_eq!(
        place(dir.path(), &file(&categories))
            .expect("opens")
            .facts()
            .labels
            .scheme,
        Some(LabelScheme::Coco80)
    );
    categories[4]["name"] = "aeroplane".into();
    assert_eq!(
        place(dir.path(), &file(&categories))
            .expect("opens")
            .facts()
            .labels
            .scheme,
        None
    );
}

#[test]
fn what_does_not_fit_together_is_counted() {
    inconsistent(
        |v| v["images"][1]["id"] = 7.into(),
        "image ids stand twice",
        1,
    );
    inconsistent(
        |v| v["images"][1]["file_name"] = "b.jpg".into(),
        "listed twice",
        1,
    );
    inconsistent(
        |v| v["annotations"][1]["id"] = 1.into(),
        "annotation ids stand twice",
        1,
    );
    inconsistent(
        |v| v["annotations"][0]["image_id"] = 8.into(),
        "unknown image",
        1,
    );
    inconsistent(
        |v| v["annotations"][0]["category_id"] = 1.into(),
        "unknown category",
        1,
    );
    inconsistent(
        |v| v["annotations"][0]["bbox"] = json!([1, 2, -3, 4]),
        "negative",
        1,
    );
    inconsistent(|v| v["annotations"][0]["area"] = json!(-1), "areas", 1);
    inconsistent(|v| v["annotations"][0]["iscrowd"] = json!(2), "iscrowd", 1);
    inconsistent(
        |v| v["categories"][1]["id"] = 5.into(),
        "category ids stand twice",
        2,
    );
    inconsistent(
        |v| v["categories"][1]["name"] = "dog".into(),
        "category names stand twice",
        1,
    );
    inconsistent(
        |v| v["images"][0]["file_name"] = "c.jpg".into(),
        "images are missing",
        1,
    );
    for bad in ["../other/b.jpg", "/b.jpg", "x/../../b.jpg", ""] {
        inconsistent(
            |v| v["images"][1]["file_name"] = bad.into(),
            "lie outside the folder",
            1,
        );
    }
    let many = |v: &mut Value| {
        for i in 0..50 {
            v["images"]
                .as_array_mut()
                .expect("list")
                .push(json!({"id": 100 + i, "file_name": format!("gone {i}.jpg")}));
        }
        v["annotations"][0]["category_id"] = 9.into();
    };
    inconsistent(many, "images are missing: 50", 51);
    inconsistent(many, "unknown category: 1", 51);
}

#[test]
fn malformed_json_is_located() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let at = |json: &str| match place(dir.path(), json).map(|_| ()) {
        Err(DatasetError::Malformed {
            line: Some(l),
            column: Some(c),
            reason,
            ..
        }) => (l, c, reason),
        other => panic!("{json}: {other:?}"),
    };
    assert_eq!(at("{\"images\": [],\n  \"annotations\": [}").0, 2);
    assert!(
        at("{\"images\": [], \"annotations\": []}")
            .2
            .contains("categories")
    );
    assert!(
        !at("{\"images\": [").2.contains(" at line "),
        "the position is said once"
    );
    let with_box = |b: &str| {
        format!(
            "{{\"images\": [], \"categories\": [],\n\"annotations\": [{{\"id\": 1, \"image_id\": 1, \"category_id\": 1, \"bbox\": {b}}}]}}"
        )
    };
    for bad in [
        "[NaN, 1, 1, 1]",
        "[1e999, 1, 1, 1]",
        "[1, 2, 3]",
        "[1, 2, 3, \"4\"]",
        "null",
        "[1, 2, 3, 4, 5]",
    ] {
        assert_eq!(at(&with_box(bad)).0, 2, "{bad}");
    }
    at(&"[".repeat(100_000));
    at("");
}

#[test]
fn places_that_do_not_exist_are_named() {
    let dir = tempfile::tempdir().expect("temporary folder");
    place(dir.path(), &good().to_string()).expect("opens");
    let root = dir.path().display();
    let at = |text: String| {
        open(&parse_request(&text).expect("reads"))
            .map(|_| ())
            .expect_err("must be refused")
            .to_string()
    };
    assert!(at(format!("coco:{root}#test")).contains("there are: `val2017`"));
    assert!(at(format!("coco:{root}#..")).contains("not the name of a split"));
    assert!(at(format!("coco:{root}/absent")).contains("does not exist"));
    assert!(at(format!("coco:{root}/annotations/instances_val2017.json")).contains("images=DIR"));
    assert!(
        at(format!(
            "coco:{root}/annotations/instances_val2017.json,images={root}/no"
        ))
        .contains("does not exist")
    );
    let own = format!("coco:{root}/annotations/instances_val2017.json,images={root}/val2017");
    let set = open(&parse_request(&own).expect("reads")).expect("opens");
    assert_eq!(set.entries().len(), 2);
    assert!(set.truth_files()[0].ends_with("instances_val2017.json"));
    fs::remove_dir_all(dir.path().join("val2017")).expect("removes");
    assert!(at(format!("coco:{root}")).contains("no images of split"));
}

#[test]
fn files_as_people_have_them_open() {
    let dir = tempfile::tempdir().expect("temporary folder");
    place(dir.path(), &good().to_string()).expect("opens");
    let json = dir.path().join("annotations/instances_val2017.json");
    let images = dir.path().join("val2017");
    let open_with = |name: &dyn Fn(&str) -> String, bom: &str| {
        let mut value = good();
        for image in value["images"].as_array_mut().expect("is a list") {
            let own = image["file_name"].as_str().expect("is a name").to_owned();
            image["file_name"] = name(&own).into();
        }
        fs::write(&json, format!("{bom}{value}")).expect("writes");
        let text = format!("coco:{},images={}", json.display(), images.display());
        open(&parse_request(&text).expect("reads")).map(|set| {
            let ids = set.entries().iter().map(|e| e.id.clone());
            ids.collect::<Vec<_>>()
        })
    };
    let expected = ["a.jpg", "b.jpg"];
    assert_eq!(
        open_with(&str::to_owned, "\u{feff}").expect("a mark"),
        expected
    );
    let upwards = |n: &str| format!("../val2017/{n}");
    assert_eq!(open_with(&upwards, "").expect("upwards"), expected);
    let absolute = |n: &str| images.join(n).display().to_string();
    assert_eq!(open_with(&absolute, "").expect("absolute"), expected);
    let elsewhere = |n: &str| format!("/elsewhere/{n}");
    let e = open_with(&elsewhere, "").expect_err("outside").to_string();
    assert!(e.contains("images=DIR") && e.contains("(2)"), "{e}");
}
