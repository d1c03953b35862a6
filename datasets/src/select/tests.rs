//! Tests of `select`.

use crate::{
    HashCache, open, parse_request, select,
    synthetic::{Layout, SyntheticSpec, write},
};
use dyno_core::{Dataset, DatasetError, DatasetRequest, NameSource, SampleIndex};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn written(dir: &Path) -> PathBuf {
    let folder = dir.join("set");
    write(
        &folder,
        Layout::Coco,
        &SyntheticSpec {
            count: 30,
            size: 32,
            ..SyntheticSpec::default()
        },
    )
    .expect("writes");
    folder
}

fn request(folder: &Path) -> DatasetRequest {
    parse_request(&format!("coco:{}", folder.display())).expect("reads")
}

fn coco(folder: &Path) -> Box<dyn Dataset> {
    open(&request(folder)).expect("opens")
}

fn hash(folder: &Path) -> String {
    select(
        &request(folder),
        coco(folder).as_ref(),
        None,
        &HashCache::none(),
    )
    .expect("selects")
    .sha256
}

#[test]
fn smaller_subsets_are_parts_of_larger_ones() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let folder = written(dir.path());
    let (request, set) = (request(&folder), coco(&folder));
    let mut before = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for n in 1..=30 {
        let s = select(&request, set.as_ref(), Some(n), &HashCache::none()).expect("selects");
        assert_eq!(
            (s.count, s.samples.len(), s.full()),
            (n, n as usize, n == 30)
        );
        assert!(s.samples.is_sorted());
        let subset = if n < 30 { "subset-" } else { "" };
        assert_eq!(
            s.id,
            format!("synthetic-shapes-{subset}{n}-{}", &s.sha256[..16])
        );
        assert_eq!((s.of, s.distinct, s.file_sha256.len()), (30, n, n as usize));
        assert_eq!(s.name_source, NameSource::Custom);
        let now: BTreeSet<_> = s.samples.into_iter().collect();
        assert!(before.is_subset(&now));
        before = now;
        ids.insert(s.id);
    }
    assert_eq!(ids.len(), 30);
    let five: Vec<_> = select(&request, set.as_ref(), Some(5), &HashCache::none())
        .expect("selects")
        .samples
        .iter()
        .map(|s| s.0)
        .collect();
    assert_ne!(
        five,
        [0, 1, 2, 3, 4],
        "the choice is not the order of the names"
    );
    for n in [0, 31] {
        assert!(matches!(
            select(&request, set.as_ref(), Some(n), &HashCache::none()),
            Err(DatasetError::Usage(_))
        ));
    }
}

#[test]
fn the_hash_is_of_content_and_of_nothing_else() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let folder = written(dir.path());
    let first = hash(&folder);
    // Another place and other numbers of images and objects: the same samples.
    let moved = dir.path().join("moved");
    fs::rename(&folder, &moved).expect("renames");
    assert_eq!(hash(&moved), first);
    let json = moved.join("annotations/instances_val2017.json");
    let text = fs::read_to_string(&json).expect("reads");
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    for (list, keys) in [
        ("images", &["id"][..]),
        ("annotations", &["id", "image_id"]),
    ] {
        for item in value[list].as_array_mut().expect("is a list") {
            for key in keys {
                item[*key] = (item[*key].as_i64().expect("is a number") + 1000).into();
            }
        }
    }
    fs::write(&json, value.to_string()).expect("writes");
    assert_eq!(hash(&moved), first);
    // A box, a class name and a pixel: other samples.
    let mut changed = value.clone();
    changed["annotations"][3]["bbox"][2] = 1.5.into();
    fs::write(&json, changed.to_string()).expect("writes");
    assert_ne!(hash(&moved), first);
    changed = value.clone();
    changed["categories"][5]["name"] = "trigon".into();
    fs::write(&json, changed.to_string()).expect("writes");
    assert_ne!(hash(&moved), first);
    fs::write(&json, value.to_string()).expect("writes");
    assert_eq!(hash(&moved), first);
    fs::write(moved.join("images/val2017/000004.png"), b"other").expect("writes");
    assert_ne!(hash(&moved), first);
}

#[test]
fn files_that_vanish_are_counted() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let folder = written(dir.path());
    let set = coco(&folder);
    for i in 0..5 {
        fs::remove_file(folder.join(format!("images/val2017/00000{i}.png"))).expect("removes");
    }
    match select(&request(&folder), set.as_ref(), None, &HashCache::none()) {
        Err(DatasetError::Inconsistent {
            count, examples, ..
        }) => assert_eq!((count, examples.len()), (5, 3)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_remembered_hash_gives_the_same_set() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let folder = written(dir.path());
    let (request, set) = (request(&folder), coco(&folder));
    let cache = dir.path().join("cache.json");
    let first = select(&request, set.as_ref(), Some(9), &HashCache::open(&cache)).expect("selects");
    assert_eq!(
        select(&request, set.as_ref(), Some(9), &HashCache::open(&cache)).expect("selects"),
        first
    );
    // A place that cannot be written does not fail the run.
    let blocked = set.entries()[0]
        .path
        .clone()
        .expect("is a file")
        .join("cache.json");
    assert_eq!(
        select(&request, set.as_ref(), Some(9), &HashCache::open(blocked)).expect("selects"),
        first
    );
}

#[test]
fn a_name_is_claimed_and_its_size_is_known() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let folder = written(dir.path());
    let selected = |rest: &str| {
        let request = parse_request(&format!("coco:{}{rest}", folder.display())).expect("reads");
        let set = open(&request).expect("opens");
        select(&request, set.as_ref(), None, &HashCache::none()).expect("selects")
    };
    let claimed = selected(",name=coco-val2017");
    assert!(
        claimed.id.starts_with("coco-val2017-subset-30-"),
        "{}",
        claimed.id
    );
    assert_eq!(
        (claimed.name_source, claimed.of, claimed.full()),
        (NameSource::Claimed, 5000, false)
    );
    fs::remove_file(folder.join("dataset.dyno.json")).expect("the card of generated pictures");
    let own = selected("");
    assert!(own.id.starts_with("custom-set-30-"), "{}", own.id);
    assert_eq!((own.of, own.full()), (30, true));
    assert_eq!(own.sha256, claimed.sha256, "a name is no content");
    assert_ne!(selected(",exif=apply").sha256, own.sha256, "other pixels");
}

#[test]
fn repeated_pictures_are_counted_and_named() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let folder = written(dir.path());
    let pictures = folder.join("images/val2017");
    for copy in [4, 9, 17] {
        let path = pictures.join(format!("{copy:06}.png"));
        fs::copy(pictures.join("000002.png"), path).expect("copies");
    }
    let set = coco(&folder);
    let s = select(&request(&folder), set.as_ref(), None, &HashCache::none()).expect("selects");
    assert_eq!((s.count, s.distinct), (30, 27));
    let repeats: Vec<u32> = s.repeats().into_iter().map(|SampleIndex(i)| i).collect();
    assert_eq!(repeats, [4, 9, 17], "the first is none");
}
