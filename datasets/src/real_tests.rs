//! The readers on samples of the real datasets: counts, ids, classes and sizes taken from the files
//! by other means.

use crate::{HashCache, open, parse_request, select, truth};
use dyno_core::{Annotation, Dataset, InputData, LabelScheme, SampleIndex};
use std::{collections::BTreeSet, path::PathBuf};

/// Objects and the sum of their boxes' areas in COCO's sample, by Python's `json`.
const COCO: (usize, f64) = (987, 19_445_401.225_3);
/// Objects, difficult and truncated ones, and the sum of their areas in VOC's sample, by Python's
/// `xml.etree`.
const VOC: ((usize, usize, usize), f64) = ((846, 106, 448), 27_909_677.0);

/// The folder of samples, unless it is not there.
fn samples() -> Option<PathBuf> {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/assets");
    let folder = std::env::var_os("DYNO_ASSETS")
        .map_or(default, PathBuf::from)
        .join("samples");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("DYNO_REQUIRE_ASSETS").is_none_or(|v| v != "1"),
        "no assets, and DYNO_REQUIRE_ASSETS=1"
    );
    // Not `eprintln`: the test runner would swallow it.
    std::io::Write::write_all(&mut std::io::stderr(), b"skipped: no assets\n")
        .expect("standard error");
    None
}

fn set(text: &str) -> Box<dyn Dataset> {
    open(&parse_request(text).expect("reads")).expect(text)
}

/// Objects, crowds, difficult and truncated ones, and the sum of all boxes' areas.
fn objects(set: &dyn Dataset) -> (usize, usize, usize, usize, f64) {
    let mut sum = (0, 0, 0, 0, 0.0);
    for at in 0..set.entries().len() {
        let Annotation::Objects(image) = truth(set, at) else {
            panic!("no objects")
        };
        for o in &image.objects {
            sum = (
                sum.0 + 1,
                sum.1 + usize::from(o.iscrowd),
                sum.2 + usize::from(o.difficult),
                sum.3 + usize::from(o.truncated),
                sum.4 + o.bbox.w * o.bbox.h,
            );
        }
    }
    sum
}

/// Subsets nest, ids differ, and sizes in annotations are those of the files.
fn nesting(text: &str, prefix: &str) {
    let (request, set) = (parse_request(text).expect("reads"), set(text));
    let set = set.as_ref();
    let cache = HashCache::none();
    let mut before = BTreeSet::new();
    let full = set.entries().len() as u32;
    for n in [8, 64, full] {
        let s = select(&request, set, Some(n), &cache).expect("selects");
        let subset = if n < full { "subset-" } else { "" };
        assert!(
            s.id.starts_with(&format!("{prefix}-{subset}{n}-")),
            "{}",
            s.id
        );
        assert_eq!((s.full(), s.count), (n == full, n));
        let now: BTreeSet<_> = s.samples.iter().copied().collect();
        assert!(before.is_subset(&now) && now.len() == n as usize);
        before = now;
    }
    for i in [0, full - 1] {
        let sample = set.load(SampleIndex(i)).expect("loads");
        let InputData::EncodedImage(bytes) = &sample.inputs[0].data else {
            panic!("not an image")
        };
        let (width, height) = dyno_image::dimensions(bytes).expect("has a header");
        if let Annotation::Objects(image) = truth(set, i as usize) {
            assert_eq!((image.width, image.height), (width, height));
        }
    }
}

#[test]
fn coco_val2017() {
    let Some(samples) = samples() else { return };
    let text = format!("coco:{}", samples.join("coco").display());
    let set = set(&text);
    assert_eq!(
        (
            set.entries().len(),
            set.facts().labels.len(),
            set.facts().labels.scheme
        ),
        (128, 80, Some(LabelScheme::Coco80))
    );
    let (n, crowd, _, _, area) = objects(set.as_ref());
    assert_eq!((n, crowd), (COCO.0, 10));
    assert!((area - COCO.1).abs() < 1e-3, "{area}");
    nesting(&text, "custom-coco");
    let train = self::set(&format!(
        "coco:{}#train2017",
        samples.join("coco").display()
    ));
    assert_eq!(train.entries().len(), 64);
}

#[test]
fn voc_2012() {
    let Some(samples) = samples() else { return };
    let path = samples.join("voc");
    for (split, images) in [("#train", 50), ("", 219), ("#trainval", 269)] {
        assert_eq!(
            set(&format!("voc:{}{split}", path.display()))
                .entries()
                .len(),
            images
        );
    }
    let text = format!("voc:{}#trainval", path.display());
    let set = set(&text);
    let (n, _, difficult, truncated, area) = objects(set.as_ref());
    assert_eq!((n, difficult, truncated), VOC.0);
    assert!((area - VOC.1).abs() < 1e-3, "{area}");
    nesting(&text, "custom-voc-trainval");
}

#[test]
fn imagenet_val() {
    let Some(samples) = samples() else { return };
    let text = format!("imagenet:{}", samples.join("imagenet").display());
    let set = set(&text);
    assert_eq!(
        (
            set.entries().len(),
            set.facts().labels.len(),
            set.facts().labels.scheme
        ),
        (260, 1000, Some(LabelScheme::Imagenet1000))
    );
    let class = |id: &str| {
        set.entries()
            .iter()
            .position(|e| e.id == id)
            .map(|at| truth(set.as_ref(), at))
    };
    assert_eq!(
        class("ILSVRC2012_val_00000666.JPEG"),
        Some(Annotation::Class(dyno_core::LabelId(878)))
    );
    nesting(&text, "custom-imagenet");
}

#[test]
fn a_plain_folder() {
    let Some(samples) = samples() else { return };
    let text = format!("folder:{}", samples.join("coco/images").display());
    assert_eq!(set(&text).entries().len(), 128 + 64);
    nesting(&text, "custom-images");
}

#[test]
fn the_samples_are_sound() {
    let Some(samples) = samples() else { return };
    for (kind, folder) in [("coco", "coco"), ("voc", "voc"), ("imagenet", "imagenet")] {
        let set = set(&format!("{kind}:{}", samples.join(folder).display()));
        let report = crate::inspect(set.as_ref(), &HashCache::none(), &|_| ());
        assert!(report.is_clean(), "{kind}: {:?}", report.findings);
    }
}
