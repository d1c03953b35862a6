//! Tests of `imagenet`: every kind of bad file, and the layouts.

use crate::{open, parse_request};
use dyno_core::{Annotation, Dataset, DatasetError, LabelId};
use std::{fs, path::Path};

const WORDS: &str = "n00000001 crane\nn00000002 crane, wading bird\n";

fn place(root: &Path, list: &str) -> Result<Box<dyn Dataset>, DatasetError> {
    fs::create_dir_all(root.join("val")).expect("creates");
    for name in ["a.JPEG", "b c.JPEG"] {
        fs::write(root.join("val").join(name), name).expect("writes");
    }
    fs::write(root.join("val.txt"), list).expect("writes");
    fs::write(root.join("synset_words.txt"), WORDS).expect("writes");
    at(root, "")
}

fn at(root: &Path, split: &str) -> Result<Box<dyn Dataset>, DatasetError> {
    open(&parse_request(&format!("imagenet:{}{split}", root.display())).expect("reads"))
}

fn fault(list: &str) -> DatasetError {
    let dir = tempfile::tempdir().expect("temporary folder");
    place(dir.path(), list)
        .map(|_| ())
        .expect_err("must be refused")
}

#[test]
fn a_list_reads_and_words_stay_whole() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let set = place(dir.path(), "b c.JPEG 1\r\na.JPEG\t0\n").expect("opens");
    let entries: Vec<_> = set
        .entries()
        .iter()
        .map(|e| (e.id.as_str(), e.annotation.clone()))
        .collect();
    assert_eq!(
        entries,
        [
            ("a.JPEG", Annotation::Class(LabelId(0))),
            ("b c.JPEG", Annotation::Class(LabelId(1)))
        ]
    );
    let labels: Vec<_> = set
        .facts()
        .labels
        .labels
        .iter()
        .map(|l| (l.name.as_str(), l.synonyms.clone()))
        .collect();
    assert_eq!(
        labels,
        [
            ("n00000001", vec!["crane".to_owned()]),
            ("n00000002", vec!["crane, wading bird".to_owned()])
        ]
    );
    assert_eq!(
        (
            set.facts().split.as_str(),
            set.facts().metrics[0].as_str(),
            set.facts().labels.scheme
        ),
        ("val", "top-k", None)
    );
}

#[test]
fn folders_are_classes() {
    let dir = tempfile::tempdir().expect("temporary folder");
    for (class, name) in [("n2", "x.JPEG"), ("n1", "y.png"), ("n1", "z.txt")] {
        for below in ["train", "val"] {
            let folder = dir.path().join(below).join(class);
            fs::create_dir_all(&folder).expect("creates");
            fs::write(folder.join(name), name).expect("writes");
        }
    }
    for (path, split, name) in [
        (dir.path().to_owned(), "", "val"),
        (dir.path().to_owned(), "#train", "train"),
        (dir.path().join("train"), "", "all"),
    ] {
        let set = at(&path, split).expect("opens");
        let entries: Vec<_> = set
            .entries()
            .iter()
            .map(|e| (e.id.as_str(), e.annotation.clone()))
            .collect();
        assert_eq!(
            entries,
            [
                ("n1/y.png", Annotation::Class(LabelId(0))),
                ("n2/x.JPEG", Annotation::Class(LabelId(1)))
            ]
        );
        assert_eq!(set.facts().split, name);
    }
    assert!(at(dir.path(), "#test").is_err());
    fs::write(dir.path().join("synsets.txt"), "n0\nn2\n").expect("writes");
    assert!(
        matches!(
            at(dir.path(), "").map(|_| ()),
            Err(DatasetError::Inconsistent { count: 1, .. })
        ),
        "n1 is in no list"
    );
    fs::write(dir.path().join("synsets.txt"), "n2\nn1\n").expect("writes");
    assert_eq!(
        at(dir.path(), "").expect("opens").entries()[0].annotation,
        Annotation::Class(LabelId(1)),
        "the list gives the numbers"
    );
}

#[test]
fn bad_lists_are_refused() {
    let inconsistent = |list: &str, part: &str, wanted: usize| match fault(list) {
        DatasetError::Inconsistent { what, count, .. } => {
            assert!(what.contains(part) && count == wanted, "{what} {count}");
        }
        other => panic!("{part}: {other}"),
    };
    inconsistent("a.JPEG 0\na.JPEG 1\n", "listed twice", 1);
    inconsistent("a.JPEG 2\n", "unknown class", 1);
    inconsistent("a.JPEG 0\nx 0\ny 0\n", "images are missing", 2);
    inconsistent("../val/a.JPEG 0\n", "leave the folder", 1);
    for bad in [
        "a.JPEG\n",
        "b c.JPEG 1\na.JPEG x\n",
        "a.JPEG -1\n",
        "a.JPEG 99999999999\n",
    ] {
        assert!(
            matches!(fault(bad), DatasetError::Malformed { line: Some(_), .. }),
            "{bad}"
        );
    }
    assert!(matches!(fault(""), DatasetError::Usage(_)));
    let dir = tempfile::tempdir().expect("temporary folder");
    place(dir.path(), "a.JPEG 0\n").expect("opens");
    fs::write(dir.path().join("val.txt"), b"a.JPEG 0\n\xff 0\n").expect("writes");
    assert!(
        matches!(
            at(dir.path(), "").map(|_| ()),
            Err(DatasetError::Malformed { line: Some(2), .. })
        ),
        "not UTF-8"
    );
}

#[test]
fn bad_class_files_are_refused() {
    let dir = tempfile::tempdir().expect("temporary folder");
    place(dir.path(), "a.JPEG 0\n").expect("opens");
    let with = |words: &str, ids: &str| {
        fs::write(dir.path().join("synset_words.txt"), words).expect("writes");
        fs::write(dir.path().join("synsets.txt"), ids).expect("writes");
        at(dir.path(), "").map(|_| ())
    };
    with(WORDS, "n00000001\nn00000002\n").expect("they agree");
    assert!(
        with(WORDS, "n00000002\nn00000001\n").is_err(),
        "another order"
    );
    assert!(with(WORDS, "n00000001\n").is_err(), "fewer");
    assert!(with("n1 a\nn1 b\n", "n1\nn2\n").is_err(), "an id twice");
    assert!(
        with("n1 a\n\nn2 b\n", "n1\nn2\n").is_err(),
        "a class without a name"
    );
    fs::remove_file(dir.path().join("synset_words.txt")).expect("removes");
    fs::remove_file(dir.path().join("synsets.txt")).expect("removes");
    assert!(
        matches!(at(dir.path(), "").map(|_| ()), Err(DatasetError::Usage(_))),
        "numbers without names"
    );
}
