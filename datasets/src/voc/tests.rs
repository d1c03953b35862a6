//! Tests of `voc`: every kind of bad file, and the layouts.

use crate::{open, parse_request, truth};
use dyno_core::{Annotation, Dataset, DatasetError, LabelScheme};
use std::{fs, path::Path};

const GOOD: &str = "<annotation><filename>elsewhere.jpg</filename>
<size><width>100</width><height>50</height></size>
<object><name>dog</name><difficult>1</difficult><truncated>0</truncated>
<bndbox><xmax>11</xmax><xmin>1</xmin><ymin>2</ymin><ymax>5.5</ymax></bndbox>
<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part></object>
</annotation>";

fn place(root: &Path, list: &str, xml: &str) -> Result<Box<dyn Dataset>, DatasetError> {
    for folder in ["Annotations", "ImageSets/Main", "JPEGImages"] {
        fs::create_dir_all(root.join(folder)).expect("creates");
    }
    for id in ["a", "b"] {
        fs::write(root.join(format!("Annotations/{id}.xml")), GOOD).expect("writes");
        fs::write(root.join(format!("JPEGImages/{id}.jpg")), id).expect("writes");
    }
    fs::write(root.join("Annotations/b.xml"), xml).expect("writes");
    fs::write(root.join("ImageSets/Main/val.txt"), list).expect("writes");
    open(&parse_request(&format!("voc:{}", root.display())).expect("reads"))
}

fn fault(list: &str, xml: &str) -> DatasetError {
    let dir = tempfile::tempdir().expect("temporary folder");
    place(dir.path(), list, xml)
        .map(|_| ())
        .expect_err("must be refused")
}

#[test]
fn corners_become_half_open_boxes() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let set = place(dir.path(), "b  1\na -1\n", GOOD).expect("opens");
    assert_eq!(
        (
            set.facts().labels.scheme,
            set.facts().metrics[0].as_str(),
            set.truth_files().len()
        ),
        (Some(LabelScheme::Voc20), "voc-ap", 3)
    );
    let entries: Vec<_> = set.entries().iter().collect();
    assert_eq!(
        (entries[0].id.as_str(), entries[1].id.as_str()),
        ("a.jpg", "b.jpg")
    );
    let Annotation::Objects(image) = truth(set.as_ref(), 1) else {
        panic!("no objects")
    };
    assert_eq!(
        (
            image.image_id,
            image.width,
            image.height,
            image.objects.len()
        ),
        (2, 100, 50, 1),
        "a part is no object"
    );
    let dog = &image.objects[0];
    assert_eq!(
        (dog.bbox.x, dog.bbox.y, dog.bbox.w, dog.bbox.h),
        (0.0, 1.0, 11.0, 4.5)
    );
    assert_eq!(
        (dog.id, dog.area, dog.difficult, dog.truncated, dog.label.0),
        (2, 49.5, true, false, 11)
    );
}

#[test]
fn roots_are_found_and_splits_are_never_guessed() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let open_at = |path: &Path, split: &str| {
        open(&parse_request(&format!("voc:{}{split}", path.display())).expect("reads"))
    };
    assert!(open_at(dir.path(), "").is_err());
    place(&dir.path().join("VOCdevkit/VOC2007"), "a\n", GOOD).expect("opens");
    assert_eq!(open_at(dir.path(), "").expect("opens").entries().len(), 1);
    place(&dir.path().join("VOCdevkit/VOC2012"), "a\nb\n", GOOD).expect("opens");
    for below in ["", "VOCdevkit", "VOCdevkit/VOC2012"] {
        assert_eq!(
            open_at(&dir.path().join(below), "#val")
                .expect("opens")
                .entries()
                .len(),
            2,
            "{below}"
        );
    }
    let e = open_at(dir.path(), "#test")
        .map(|_| ())
        .expect_err("no such split")
        .to_string();
    assert!(e.contains("there are: `val`"), "{e}");
    assert!(open_at(dir.path(), "#..").is_err());
}

#[test]
fn malformed_xml_is_located() {
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>\n<annotation>&b;</annotation>";
    for (xml, line) in [
        ("<annotation>\n<object></annotation>", 2),
        (bomb, 1),
        ("", 1),
        ("<other/>", 1),
        (
            "<annotation>\n\n<object><name>dog</name></object></annotation>",
            3,
        ),
        ("<annotation>\n<object><bndbox/></object></annotation>", 2),
        (&GOOD.replace("<xmin>1</xmin><ymin>2", "<ymin>2"), 4),
        (&GOOD.replace("<ymax>5.5", "<ymax>five"), 4),
        (&GOOD.replace("<difficult>1", "<difficult>maybe"), 3),
        (&GOOD.replace("<width>100", "<width>-1"), 2),
    ] {
        match fault("b\n", xml) {
            DatasetError::Malformed {
                line: Some(l),
                column: Some(_),
                ..
            } => assert_eq!(l, line, "{xml}"),
            other => panic!("{xml}: {other}"),
        }
    }
    let large = format!("<annotation>{}</annotation>", " ".repeat(5 << 20));
    assert!(
        matches!(fault("b\n", &large), DatasetError::Malformed { .. }),
        "too many bytes"
    );
    let objects = "<object><name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>";
    let many = format!("<annotation>{}</annotation>", objects.repeat(30_000));
    let dir = tempfile::tempdir().expect("temporary folder");
    place(dir.path(), "b\n", &many).expect("many objects are many objects");
    assert!(matches!(
        fault("b 1 1\n", GOOD),
        DatasetError::Malformed { line: Some(1), .. }
    ));
}

#[test]
fn what_does_not_fit_together_is_counted() {
    let inconsistent = |list: &str, xml: &str, part: &str, wanted: usize| match fault(list, xml) {
        DatasetError::Inconsistent { what, count, .. } => {
            assert!(what.contains(part) && count == wanted, "{what} {count}");
        }
        other => panic!("{part}: {other}"),
    };
    inconsistent("a\nb\n", &GOOD.replace("dog", "wyvern"), "unknown class", 1);
    inconsistent(
        "a\nb\n",
        &GOOD.replace("<xmax>11", "<xmax>0"),
        "inverted",
        1,
    );
    inconsistent(
        "a\nb\n",
        &GOOD.replace("<xmax>11", "<xmax>inf"),
        "inverted or infinite",
        1,
    );
    inconsistent(
        "a\nb\n",
        &GOOD.replace("<xmax>11", "<xmax>NaN"),
        "inverted or infinite",
        1,
    );
    inconsistent("a\nb\na\n", GOOD, "listed twice", 1);
    inconsistent("a\nx\ny\nz\nw\n", GOOD, "annotation files are missing", 4);
    inconsistent("a\n../a\n", GOOD, "leave the folder", 1);
    let dir = tempfile::tempdir().expect("temporary folder");
    place(dir.path(), "a\nb\n", GOOD).expect("opens");
    fs::remove_file(dir.path().join("JPEGImages/b.jpg")).expect("removes");
    let again = open(&parse_request(&format!("voc:{}", dir.path().display())).expect("reads"));
    assert!(
        matches!(again.map(|_| ()), Err(DatasetError::Inconsistent { what, count: 1, .. }) if what == "images are missing")
    );
    assert!(
        matches!(fault("", GOOD), DatasetError::Usage(_)),
        "an empty list"
    );
}

#[test]
fn own_classes_stand_in_a_list() {
    let dir = tempfile::tempdir().expect("temporary folder");
    fs::write(dir.path().join("labels.txt"), "wyvern\ndog\n").expect("writes");
    let set = place(dir.path(), "b\n", GOOD).expect("opens");
    let Annotation::Objects(image) = truth(set.as_ref(), 0) else {
        panic!("no objects")
    };
    assert_eq!(
        (
            image.objects[0].label.0,
            set.facts().labels.scheme,
            set.facts().labels.len()
        ),
        (1, None, 2)
    );
    fs::write(dir.path().join("labels.txt"), "dog\ndog\n").expect("writes");
    assert!(place(dir.path(), "b\n", GOOD).is_err(), "a class twice");
}
