//! Tests of `imagenet`: every kind of bad file, and the layouts.

use crate::{open, parse_request, truth};
use dyno_core::{Annotation, AnnotationKind, Dataset, DatasetError, LabelScheme};
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

/// Ids with the numbers of their classes.
fn classes(set: &dyn Dataset) -> Vec<(String, u32)> {
    let class = |at| match truth(set, at) {
        Annotation::Class(label) => label.0,
        other => panic!("{other:?}"),
    };
    let numbered = set.entries().iter().enumerate();
    numbered.map(|(at, e)| (e.id.clone(), class(at))).collect()
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
    let entries = classes(set.as_ref());
    assert_eq!(
        entries,
        [("a.JPEG".to_owned(), 0), ("b c.JPEG".to_owned(), 1)]
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
            set.facts().annotation,
            set.facts().metrics[0].as_str(),
            set.facts().labels.scheme
        ),
        (AnnotationKind::Class, "top-k", None)
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
    for (path, split) in [
        (dir.path().to_owned(), ""),
        (dir.path().to_owned(), "#train"),
        (dir.path().join("train"), ""),
    ] {
        let set = at(&path, split).expect("opens");
        let entries = classes(set.as_ref());
        assert_eq!(
            entries,
            [("n1/y.png".to_owned(), 0), ("n2/x.JPEG".to_owned(), 1)]
        );
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
        classes(at(dir.path(), "").expect("opens").as_ref())[0].1,
        1,
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
    inconsistent("../a.JPEG 0\n", "lie outside the folder", 1);
    inconsistent("b c.JPEG 1\na.JPEG x\n", "unknown class", 2);
    inconsistent("a.JPEG -1\n", "unknown class", 1);
    inconsistent("a.JPEG 99999999999\n", "unknown class", 1);
    assert!(matches!(
        fault("a.JPEG\n"),
        DatasetError::Malformed { line: Some(1), .. }
    ));
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
}

#[test]
fn lists_without_names_are_numbers() {
    let dir = tempfile::tempdir().expect("temporary folder");
    place(dir.path(), "a.JPEG 0\n").expect("opens");
    fs::remove_file(dir.path().join("synset_words.txt")).expect("removes");
    fs::write(dir.path().join("val.txt"), "\u{feff}b c.JPEG 7\na.JPEG 0\n").expect("writes");
    let set = at(dir.path(), "").expect("opens");
    assert_eq!(
        classes(set.as_ref()),
        [("a.JPEG".to_owned(), 0), ("b c.JPEG".to_owned(), 7)]
    );
    let labels = &set.facts().labels;
    assert_eq!(
        (labels.scheme, labels.len()),
        (Some(LabelScheme::Numbers), 8)
    );
    fs::write(dir.path().join("val.txt"), "a.JPEG 4000000000\n").expect("writes");
    assert!(at(dir.path(), "").is_err(), "no such number of classes");
    // The list alone, the images where the request says.
    let list = dir.path().join("deep/list.txt");
    fs::create_dir_all(dir.path().join("deep")).expect("creates");
    fs::write(&list, "../val/a.JPEG cat\nb c.JPEG dog\n").expect("writes");
    let images = dir.path().join("val");
    let set = at(&list, &format!(",images={}", images.display())).expect("opens");
    assert_eq!(
        classes(set.as_ref()),
        [("a.JPEG".to_owned(), 0), ("b c.JPEG".to_owned(), 1)]
    );
    assert_eq!(set.facts().labels.labels[1].name, "dog");
    assert!(set.truth_files().contains(&list));
}

#[test]
fn csv_reads_with_and_without_a_header() {
    let dir = tempfile::tempdir().expect("temporary folder");
    place(dir.path(), "a.JPEG 0\n").expect("opens");
    for file in ["val.txt", "synset_words.txt"] {
        fs::remove_file(dir.path().join(file)).expect("removes");
    }
    let with = |text: &str| {
        fs::write(dir.path().join("val.csv"), text).expect("writes");
        at(dir.path(), "").map(|set| classes(set.as_ref()))
    };
    let expected = [("a.JPEG".to_owned(), 1), ("b c.JPEG".to_owned(), 0)];
    for text in [
        "a.JPEG,1\nb c.JPEG,0\n",
        "1,a.JPEG\n0,b c.JPEG\n",
        "\u{feff}Label,size,FileName\r\n1,9,a.JPEG\r\n0,9,b c.JPEG\r\n",
        "image,label\na.JPEG,\"zebra\"\n\n\"b c.JPEG\", ape\n",
    ] {
        assert_eq!(with(text).expect(text), expected, "{text}");
    }
    for (text, part) in [
        ("a.JPEG,1,2\n", "3 columns without a header"),
        ("what,ever\na.JPEG,1\n", "no column of files"),
        ("file,class\na.JPEG\n", "line 2"),
    ] {
        let e = with(text).expect_err(text).to_string();
        assert!(e.contains(part), "{e}");
    }
}
