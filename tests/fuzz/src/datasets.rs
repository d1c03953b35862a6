//! Annotations of data sets: COCO's JSON, VOC's XML and lists, ImageNet's lists, and the card
//! beside them, through folders that are opened as a run opens them.
//!
//! What opens fits together: ids are distinct and in order, pictures stand in their folder, every
//! sample has a truth, of the kind that is announced, with finite boxes and classes that there are.
//! A text that is refused says why. Memory grows with the text and not with what it claims.

use crate::{Target, json, place::put};
use dyno_core::{Annotation, Dataset, DatasetRequest, SampleIndex};
use dyno_datasets::{open, parse_request};
use serde_json::Value;
use std::{cell::OnceCell, fs, path::Path, sync::LazyLock};
use tempfile::TempDir;

pub(crate) const COCO: Target = Target {
    check: coco,
    seeds: coco_seeds,
    words: &[
        "\\\"images\\\":[",
        "\\\"annotations\\\":[",
        "\\\"categories\\\":[",
        "\\\"bbox\\\":[0,0,1,1]",
        "\\\"iscrowd\\\":1",
        "\\\"file_name\\\":\\\"b/c.png\\\"",
        "../",
        "1e999",
        "\\xef\\xbb\\xbf",
    ],
};

pub(crate) const VOC: Target = Target {
    check: voc,
    seeds: voc_seeds,
    words: &[
        "<annotation>",
        "</annotation>",
        "<object>",
        "</object>",
        "<bndbox>",
        "<xmin>1</xmin>",
        "<name>cat</name>",
        "<difficult>1</difficult>",
        "<!-- -->",
        "<![CDATA[",
        "]]>",
        "<?xml version='1.0'?>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]>",
        "&b;",
        "&#x10FFFF;",
        " xmlns:a='b'",
        "a:",
        "inf",
        "NaN",
        "1e999",
        "\\xef\\xbb\\xbf",
    ],
};

pub(crate) const IMAGENET: Target = Target {
    check: imagenet,
    seeds: imagenet_seeds,
    words: &[
        "a.jpg 0\\x0a",
        "b/c.png 1\\x0a",
        "\\x00n00000001 tench, Tinca tinca\\x0a",
        "4294967295",
        "../",
        "\\x0d\\x0a",
        "\\xef\\xbb\\xbf",
        "\\xc2\\xa0",
    ],
};

/// Pictures that are there; what opens hands their content on without decoding it.
const PICTURES: [&str; 3] = ["a.jpg", "b.jpg", "b/c.png"];
/// Memory of opening: this, and [`BYTES_PER_BYTE`] for each byte of text.
const BASE_BYTES: u64 = 4 << 20;
const BYTES_PER_BYTE: u64 = 512;

thread_local! {
    /// A folder of each thread: targets run beside each other.
    static PLACE: OnceCell<TempDir> = const { OnceCell::new() };
}

/// Runs `check` in a folder of its own with `pictures` in it.
fn in_folder<T>(pictures: &str, check: impl FnOnce(&Path) -> T) -> T {
    PLACE.with(|place| {
        let place = place.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
        let root = place.path().join(pictures.replace('/', "-"));
        let folder = root.join(pictures);
        if !folder.is_dir() {
            fs::create_dir_all(folder.join("b")).expect("a folder");
            for name in PICTURES {
                fs::write(folder.join(name), name).expect("writable");
            }
        }
        check(&root)
    })
}

/// Files in one input, a zero between them.
fn parts<const N: usize>(bytes: &[u8]) -> [Option<&[u8]>; N] {
    let mut files = bytes.splitn(N, |b| *b == 0);
    [(); N].map(|()| files.next())
}

/// Whether the request opens; what it opens is looked at.
fn opens(kind: &str, root: &Path, pictures: &str, len: usize) -> bool {
    let request: DatasetRequest =
        parse_request(&format!("{kind}:{}", root.display())).expect("a request");
    let mut opened = None;
    let memory = allocation_counter::measure(|| opened = Some(open(&request)));
    let allowed = BASE_BYTES + BYTES_PER_BYTE * len as u64;
    let max = memory.bytes_max;
    assert!(
        max <= allowed,
        "{max} bytes of memory for {len} bytes of text"
    );
    match opened.expect("measured once") {
        Ok(dataset) => {
            holds(&*dataset, &root.join(pictures));
            true
        }
        Err(error) => {
            assert!(!error.to_string().trim().is_empty());
            false
        }
    }
}

fn holds(dataset: &dyn Dataset, folder: &Path) {
    let (facts, entries) = (dataset.facts(), dataset.entries());
    assert!(!entries.is_empty(), "a data set without samples");
    let name = &facts.name.name;
    assert!(!name.is_empty() && !name.contains(['/', '\n']), "{name:?}");
    for pair in entries.windows(2) {
        assert!(
            pair[0].id < pair[1].id,
            "{} before {}",
            pair[0].id,
            pair[1].id
        );
    }
    for (index, entry) in (0..).map(SampleIndex).zip(entries) {
        let path = entry.path.as_deref().expect("samples are files");
        let inside = path.strip_prefix(folder).expect("a picture in its folder");
        assert!(
            PICTURES.iter().any(|p| Path::new(p) == inside),
            "{inside:?}"
        );
        dataset.load(index).expect("a picture that is there");
        let truth = dataset.truth(index).expect("every sample has a truth");
        assert_eq!(truth.kind(), facts.annotation);
        match truth {
            Annotation::Class(label) => assert!(label.index() < facts.labels.len()),
            Annotation::Objects(image) => {
                for object in &image.objects {
                    assert!(object.label.index() < facts.labels.len());
                    let bbox = object.bbox;
                    let numbers = [bbox.x, bbox.y, bbox.w, bbox.h, object.area];
                    assert!(numbers.iter().all(|n| n.is_finite()), "{object:?}");
                    assert!(
                        bbox.w >= 0.0 && bbox.h >= 0.0 && object.area >= 0.0,
                        "{object:?}"
                    );
                }
            }
            Annotation::None => {}
        }
    }
    let beyond = SampleIndex(u32::try_from(entries.len()).expect("few samples"));
    assert!(dataset.load(beyond).is_err() && dataset.truth(beyond).is_err());
}

static TEMPLATES: LazyLock<[Value; 1]> = LazyLock::new(|| {
    [serde_json::json!({
        "info": {"description": "generated"},
        "images": [
            {"id": 1, "file_name": "a.jpg", "width": 640, "height": 480},
            {"id": 2, "file_name": "b/c.png", "width": 64, "height": 48, "license": 3},
        ],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0.5, 1, 10.25, 20], "area": 100.5, "iscrowd": 0,
             "segmentation": [[0, 1, 10, 1, 10, 21]], "keypoints": [1, 2, 2]},
            {"id": 2, "image_id": 2, "category_id": 3, "bbox": [0, 0, 64, 48], "iscrowd": true},
            {"id": 3, "image_id": 2, "category_id": 3, "bbox": [0, 0, 0, 0]},
        ],
        "categories": [
            {"id": 1, "name": "circle", "supercategory": "shape"},
            {"id": 3, "name": "square"},
        ],
    })]
});

fn coco_seeds() -> Vec<Vec<u8>> {
    json::seeds(&*TEMPLATES)
}

fn coco(bytes: &[u8]) -> bool {
    // What is no text is read as a file of others is.
    let text = json::text(bytes, &*TEMPLATES).map(String::into_bytes);
    let text = text.unwrap_or_else(|| bytes.to_vec());
    in_folder("images/val2017", |root| {
        put(
            &root.join("annotations/instances_val2017.json"),
            Some(&text),
        );
        opens("coco", root, "images/val2017", text.len())
    })
}

const XML: &str = "<annotation><folder>VOC2012</folder><filename>a.jpg</filename>\
    <size><width>500</width><height>375</height><depth>3</depth></size>\
    <object><name>cat</name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>\
    <bndbox><xmin>1</xmin><ymin>2.5</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>\
    <part><name>head</name><bndbox><xmin>2</xmin><ymin>2</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></part>\
    </object></annotation>";

fn voc_seeds() -> Vec<Vec<u8>> {
    let with = |rest: &str| [XML.as_bytes(), rest.as_bytes()].concat();
    vec![
        with(""),
        with("\0a  1\nb -1\n"),
        with("\0a\n\0cat\ndog\n"),
        format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- made by hand -->{XML}").into(),
        XML.replace("<name>cat", "<name><![CDATA[cat]]>").into(),
        XML.replace("<object>", "<a:object xmlns:a='b' a:c='&#65;'/><object>")
            .into(),
    ]
}

/// Input: XML, list of the split, classes.
fn voc(bytes: &[u8]) -> bool {
    let [xml, list, labels] = parts(bytes);
    in_folder("JPEGImages", |root| {
        put(&root.join("Annotations/a.xml"), xml);
        put(&root.join("Annotations/b.xml"), Some(b"<annotation/>"));
        put(&root.join("ImageSets/Main/val.txt"), list.or(Some(b"a\n")));
        put(&root.join("labels.txt"), labels);
        opens("voc", root, "JPEGImages", bytes.len())
    })
}

fn imagenet_seeds() -> Vec<Vec<u8>> {
    let list = "a.jpg 0\nb/c.png 1\n";
    let words = "n01440764 tench, Tinca tinca\nn01443537 goldfish\n";
    vec![
        format!("{list}\0{words}").into(),
        format!("{list}\0{words}\0n01440764\nn01443537\n").into(),
        format!("b.jpg\t1\r\n\0{words}").into(),
        format!("{list}\0{words}\0\0{{\"schema\": \"dyno.dataset/1\", \"name\": \"our-parts\"}}")
            .into(),
        list.into(),
    ]
}

/// Input: list of the split, classes with words, classes by id, card.
fn imagenet(bytes: &[u8]) -> bool {
    let [list, words, ids, card] = parts(bytes);
    let filled = |text: Option<&'_ [u8]>| text.is_some_and(|t| !t.is_empty());
    in_folder("val", |root| {
        put(&root.join("val.txt"), list);
        put(&root.join("synset_words.txt"), words);
        put(&root.join("synsets.txt"), ids.filter(|_| filled(ids)));
        put(&root.join("dataset.dyno.json"), card);
        opens("imagenet", root, "val", bytes.len())
    })
}
