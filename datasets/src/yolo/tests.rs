//! Tests of `yolo`: the layouts of exports, and every kind of bad file.

use crate::{HashCache, open, parse_request, select};
use dyno_core::{Annotation, Dataset, DatasetError, ImageAnnotation, SampleIndex};
use dyno_image::{Image, encode_png};
use std::{fs, path::Path};

const YAML: &str = "path: .\ntrain: images/train\nval: images/val\nnc: 2\nnames: [cat, dog]\n";

fn png(width: u32, height: u32) -> Vec<u8> {
    let pixels = vec![7; (width * height * 3) as usize];
    encode_png(&Image::from_raw(width, height, pixels).expect("fits")).expect("encodes")
}

fn place(root: &Path, yaml: &str, labels: &[(&str, &str)]) {
    for folder in ["images/val", "labels/val"] {
        fs::create_dir_all(root.join(folder)).expect("creates");
    }
    fs::write(root.join("data.yaml"), yaml).expect("writes");
    for (at, name) in ["a", "b", "c"].into_iter().enumerate() {
        let file = root.join(format!("images/val/{name}.png"));
        fs::write(file, png(40 + at as u32, 20)).expect("writes");
    }
    for (name, text) in labels {
        fs::write(root.join(format!("labels/val/{name}.txt")), text).expect("writes");
    }
}

fn at(root: &Path, rest: &str) -> Result<Box<dyn Dataset>, DatasetError> {
    open(&parse_request(&format!("yolo:{}{rest}", root.display())).expect("reads"))
}

fn objects(set: &dyn Dataset, index: u32) -> ImageAnnotation {
    match set.truth(SampleIndex(index)).expect("is there") {
        Annotation::Objects(image) => image,
        other => panic!("{other:?}"),
    }
}

#[test]
fn shares_become_pixels() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let labels = [
        ("a", "0 0.5 0.5 0.5 1\n1 0.25 0.25 0.1 0.1\n"),
        ("c", "1 0.1 0.2 0.5 0.2 0.5 0.8\n"),
    ];
    place(dir.path(), YAML, &labels);
    let set = at(dir.path(), "").expect("opens");
    let ids: Vec<&str> = set.entries().iter().map(|e| e.id.as_str()).collect();
    assert_eq!(
        ids,
        ["images/val/a.png", "images/val/b.png", "images/val/c.png"]
    );
    let first = objects(set.as_ref(), 0);
    assert_eq!(
        (first.width, first.height, first.objects.len()),
        (40, 20, 2)
    );
    let b = first.objects[0].bbox;
    let exact = [b.x, b.y, b.w, b.h].map(f64::to_bits);
    assert_eq!(exact, [10.0, 0.0, 20.0, 20.0].map(f64::to_bits));
    assert!(objects(set.as_ref(), 1).objects.is_empty(), "no text file");
    let polygon = &objects(set.as_ref(), 2).objects[0];
    assert_eq!(
        (polygon.id, polygon.label.0),
        (3, 1),
        "ids run through the set"
    );
    let b = polygon.bbox;
    let expected = [4.2, 4.0, 16.8, 12.0];
    let near = |(a, b): (f64, f64)| (a - b).abs() < 1e-9;
    assert!(
        [b.x, b.y, b.w, b.h].into_iter().zip(expected).all(near),
        "{b:?}"
    );
    // A changed label is another sample set.
    let request = parse_request(&format!("yolo:{}", dir.path().display())).expect("reads");
    let hash = |set: &dyn Dataset| {
        select(&request, set, None, &HashCache::none())
            .expect("selects")
            .sha256
    };
    let before = hash(set.as_ref());
    fs::write(dir.path().join("labels/val/b.txt"), "0 0.5 0.5 0.1 0.1").expect("writes");
    assert_ne!(hash(at(dir.path(), "").expect("opens").as_ref()), before);
}

#[test]
fn exports_of_all_kinds_open() {
    for yaml in [
        YAML,
        "train: ../train/images\nval: ../images/val\nnames: {0: cat, 1: dog}\n",
        "path: /gone/elsewhere\nval: [images/val]\nnames:\n  1: dog\n  0: cat\n",
        "val: list.txt\nnames: [cat, dog]\ndownload: |\n  some script\n",
    ] {
        let dir = tempfile::tempdir().expect("temporary folder");
        place(dir.path(), yaml, &[]);
        let list = "./images/val/a.png\nimages/val/b.png\n\nimages/val/c.png\n";
        fs::write(dir.path().join("list.txt"), list).expect("writes");
        let set = at(dir.path(), "").unwrap_or_else(|e| panic!("{yaml}: {e}"));
        assert_eq!(
            (set.entries().len(), set.facts().labels.len()),
            (3, 2),
            "{yaml}"
        );
        assert_eq!(set.facts().labels.labels[1].name, "dog");
    }
    let dir = tempfile::tempdir().expect("temporary folder");
    let data = dir.path().join("data");
    place(&data, YAML, &[]);
    let elsewhere = dir.path().join("elsewhere.yaml");
    fs::write(&elsewhere, YAML).expect("writes");
    let e = at(&elsewhere, "").map(|_| ()).expect_err("no images there");
    assert!(e.to_string().contains("root=DIR"), "{e}");
    at(&elsewhere, &format!(",root={}", data.display())).expect("opens");
}

#[test]
fn what_is_wrong_is_said() {
    let fault = |yaml: &str, label: &str| {
        let dir = tempfile::tempdir().expect("temporary folder");
        place(dir.path(), yaml, &[("a", label)]);
        at(dir.path(), "")
            .map(|_| ())
            .expect_err("must be refused")
            .to_string()
    };
    for (label, part) in [
        ("2 0.5 0.5 0.1 0.1", "not a class from 0 to 1"),
        ("0 0.5 0.5 0.1", "3 numbers"),
        ("0 0.5 0.5 0.1 nan", "not numbers"),
        ("0 0.5 0.5 -0.1 0.1", "negative extent"),
    ] {
        let e = fault(YAML, label);
        assert!(e.contains(part) && e.contains("line 1"), "{e}");
    }
    for (yaml, part) in [
        ("val: images/val\n", "`names`"),
        ("val: images/val\nnames: {0: a, 2: b}\n", "0, 1, 2"),
        ("val: images/val\nnames: [a]\nnc: 2\n", "`nc` is 2"),
        ("train: images/val\nnames: [a, b]\n", "there are: train"),
        ("val: /etc\nnames: [a, b]\n", "root=DIR"),
        ("val: [\nnames", "data.yaml"),
        ("a: &a [x]\n: {", "data.yaml"),
    ] {
        let e = fault(yaml, "");
        assert!(e.contains(part), "{yaml}: {e}");
    }
    let bomb: String = (1..40).fold("a0: &a0 [x, x]\n".to_owned(), |text, i| {
        format!("{text}a{i}: &a{i} [*a{}, *a{}]\n", i - 1, i - 1)
    });
    let e = fault(&bomb, "");
    assert!(e.contains("data.yaml"), "{e}");
}
