//! Tests of `inspect`: each finding from data that has it, and a clean set without any.

use super::*;
use crate::{open, parse_request};
use dyno_image::encode_png;
use serde_json::json;
use std::{fs, path::Path};

fn png(width: u32, height: u32, value: u8) -> Vec<u8> {
    let pixels = vec![value; (width * height * 3) as usize];
    encode_png(&Image::from_raw(width, height, pixels).expect("fits")).expect("encodes")
}

/// A COCO set of pictures of 60x40 with these boxes, one list a picture.
fn coco(root: &Path, boxes: &[&[[f64; 4]]]) {
    let (mut images, mut annotations) = (Vec::new(), Vec::new());
    fs::create_dir_all(root.join("images/val2017")).expect("creates");
    fs::create_dir_all(root.join("annotations")).expect("creates");
    for (id, boxes) in boxes.iter().enumerate() {
        let name = format!("{id}.png");
        fs::write(
            root.join("images/val2017").join(&name),
            png(60, 40, id as u8),
        )
        .expect("writes");
        images.push(json!({"id": id, "file_name": name, "width": 60, "height": 40}));
        for bbox in *boxes {
            let n = annotations.len() + 1;
            annotations.push(json!({"id": n, "image_id": id, "category_id": 1, "bbox": bbox, "area": 1.0, "iscrowd": 0}));
        }
    }
    let file = json!({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "thing"}]});
    fs::write(
        root.join("annotations/instances_val2017.json"),
        file.to_string(),
    )
    .expect("writes");
}

fn report(request: &str) -> Inspection {
    let set = open(&parse_request(request).expect("reads")).expect("opens");
    inspect(set.as_ref(), &HashCache::none(), &|_| ())
}

fn kinds(report: &Inspection) -> Vec<(FindingKind, u64)> {
    report.findings.iter().map(|f| (f.kind, f.count)).collect()
}

#[test]
fn a_sound_set_has_no_findings() {
    let clean = report("synthetic:count=20,size=48");
    assert_eq!(clean.findings, []);
    assert!(clean.is_clean() && clean.samples == 20);
    assert_eq!(clean.per_class.iter().sum::<u64>(), clean.objects);
}

#[test]
fn pictures_are_compared_with_their_annotations() {
    let dir = tempfile::tempdir().expect("temporary folder");
    coco(
        dir.path(),
        &[
            &[[1.0, 1.0, 10.0, 10.0]],
            &[[55.0, 1.0, 10.0, 10.0], [1.0, 1.0, 0.0, 5.0]],
            &[],
            &[],
            &[],
        ],
    );
    let images = dir.path().join("images/val2017");
    fs::write(images.join("2.png"), png(40, 60, 9)).expect("writes");
    fs::write(images.join("3.png"), b"\x89PNG\r\n\x1a\nnot").expect("writes");
    fs::copy(images.join("0.png"), images.join("4.png")).expect("copies");
    let report = report(&format!("coco:{}", dir.path().display()));
    assert_eq!(
        kinds(&report),
        [
            (FindingKind::Unreadable, 1),
            (FindingKind::SizeDiffers, 1),
            (FindingKind::RepeatedDifferently, 1),
            (FindingKind::BoxesOutside, 1),
            (FindingKind::BoxesEmpty, 1),
        ],
        "{report:?}"
    );
    assert!(!report.is_clean());
    let example = &report.findings[1].examples[0];
    assert_eq!(example, "`2.png`: 40x60, annotated 60x40");
}

#[test]
fn corners_in_the_place_of_extents_are_seen() {
    let dir = tempfile::tempdir().expect("temporary folder");
    // Corners of boxes in pictures of 60x40, the right end beyond the middle.
    let corners: Vec<[f64; 4]> = (0..12)
        .map(|i| {
            let x = f64::from(i) * 3.0;
            [x, 5.0, x + 20.0, 30.0]
        })
        .collect();
    coco(dir.path(), &[&corners]);
    let wrong = report(&format!("coco:{}", dir.path().display()));
    assert!(
        wrong.findings[0].kind == FindingKind::BoxesLikeCorners,
        "{wrong:?}"
    );
    let right: Vec<[f64; 4]> = corners
        .iter()
        .map(|[x, y, x2, y2]| [*x, *y, x2 - x, y2 - y])
        .collect();
    let other = tempfile::tempdir().expect("temporary folder");
    coco(other.path(), &[&right]);
    assert!(report(&format!("coco:{}", other.path().display())).is_clean());
}

#[test]
fn a_flat_folder_is_no_class() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let folder = dir.path().join("pictures");
    fs::create_dir_all(&folder).expect("creates");
    for i in 0..3 {
        fs::write(folder.join(format!("{i}.png")), png(8, 8, i)).expect("writes");
    }
    fs::write(folder.join("x.heic"), b"ftyp").expect("writes");
    fs::copy(folder.join("1.png"), folder.join("y.png")).expect("copies");
    let report = report(&format!("imagenet:{}", dir.path().display()));
    assert_eq!(
        kinds(&report),
        [
            (FindingKind::OneClass, 1),
            (FindingKind::Repeated, 1),
            (FindingKind::Skipped, 1)
        ]
    );
    assert_eq!(report.findings[0].examples, ["all 4 are `pictures`"]);
    assert_eq!(report.findings[2].examples, ["`pictures/x.heic`"]);
    let mut names: Vec<&str> = report.findings.iter().map(|f| f.kind.name()).collect();
    names.dedup();
    assert_eq!(names.len(), 3);
}
