//! Tests of the synthetic set.

use super::{Layout, SHAPES, SyntheticSpec, Task, write};
use crate::{HashCache, open, parse_request, select, truth};
use dyno_core::{Annotation, Dataset, InputData, SampleIndex, sha256_hex};
use dyno_image::{Limits, Orientation, decode};

fn set(text: &str) -> Box<dyn Dataset> {
    open(&parse_request(text).expect("reads")).expect(text)
}

fn png(set: &dyn Dataset, index: u32) -> Vec<u8> {
    let mut sample = set.load(SampleIndex(index)).expect("loads");
    match sample.inputs.pop().map(|i| i.data) {
        Some(InputData::EncodedImage(bytes)) => bytes,
        other => panic!("not an image: {other:?}"),
    }
}

/// Pixels and boxes of the first pictures, hashed: any change of the generator shows here and must
/// be meant, because it changes the identity of every synthetic sample set. The pixels are hashed
/// after decoding, so that another PNG encoder does not matter.
#[test]
fn the_pixels_are_fixed() {
    for (task, expected) in [
        (
            "detection",
            "b55bc6659077eb62c1ac48ed866a6cc0e0e484e8c50c98eb90eeb2178bc36788",
        ),
        (
            "classification",
            "f34484e515dc555b834665a7e88f09cb15d513cf32e4e5e915586b6f2bfd1582",
        ),
    ] {
        let set = set(&format!("synthetic:count=8,seed=42,task={task}"));
        let mut all = Vec::new();
        for i in 0..set.entries().len() as u32 {
            let image = decode(
                &png(set.as_ref(), i),
                Orientation::Ignore,
                &Limits::default(),
            )
            .expect("decodes");
            all.extend_from_slice(&image.width().to_le_bytes());
            all.extend_from_slice(image.data());
            all.extend_from_slice(
                &dyno_core::canonical_json(&truth(set.as_ref(), i as usize)).expect("has JSON"),
            );
        }
        assert_eq!(sha256_hex(&all), expected, "{task}");
    }
}

#[test]
fn boxes_are_inside_and_classes_are_all_met() {
    let set = set("synthetic:count=200,seed=5,size=96");
    let mut classes = [0; SHAPES.len()];
    let (mut id, mut most) = (0, 0);
    for at in 0..set.entries().len() {
        let Annotation::Objects(image) = truth(set.as_ref(), at) else {
            panic!("detection has objects")
        };
        assert_eq!(image.width.max(image.height), 96);
        most = most.max(image.objects.len());
        for o in &image.objects {
            id += 1;
            assert_eq!(o.id, id);
            assert!(o.bbox.x >= 0.0 && o.bbox.y >= 0.0 && o.bbox.w >= 1.0 && o.bbox.h >= 1.0);
            assert!(
                o.bbox.x + o.bbox.w <= f64::from(image.width)
                    && o.bbox.y + o.bbox.h <= f64::from(image.height)
            );
            classes[o.label.index()] += 1;
        }
    }
    assert!(classes.iter().all(|c| *c > 20), "{classes:?}");
    assert!(most >= 4, "{most}");
}

#[test]
fn the_three_layouts_read_back_with_the_same_content() {
    let dir = tempfile::tempdir().expect("temporary folder");
    for (layout, kind, task) in [
        (Layout::Coco, "coco", Task::Detection),
        (Layout::Voc, "voc", Task::Detection),
        (Layout::Imagenet, "imagenet", Task::Classification),
    ] {
        let folder = dir.path().join(kind);
        write(
            &folder,
            layout,
            &SyntheticSpec {
                task,
                count: 20,
                seed: 9,
                size: 80,
            },
        )
        .expect("writes");
        let written = set(&format!("{kind}:{}", folder.display()));
        let memory = set(&format!(
            "synthetic:count=20,seed=9,size=80,task={}",
            task.name()
        ));
        for (i, (a, b)) in (0..).zip(written.entries().iter().zip(memory.entries())) {
            assert_eq!(a.id, b.id, "{kind}");
            let of = |set: &dyn Dataset| truth(set, i as usize);
            assert_eq!(of(written.as_ref()), of(memory.as_ref()), "{kind}");
            assert_eq!(png(written.as_ref(), i), png(memory.as_ref(), i));
        }
        let selected = |text: &str, set: &dyn Dataset| {
            let request = parse_request(text).expect("reads");
            select(&request, set, Some(7), &HashCache::none()).expect("selects")
        };
        let a = selected(&format!("{kind}:{}", folder.display()), written.as_ref());
        let b = selected("synthetic:", memory.as_ref());
        assert_eq!((a.sha256, a.samples), (b.sha256, b.samples), "{kind}");
        assert_eq!(a.id, b.id, "drawn pictures, as files or not");
        assert!(a.id.starts_with("synthetic-shapes-subset-7-"), "{}", a.id);
    }
}

#[test]
fn a_layout_refuses_a_task_that_it_cannot_hold() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let spec = SyntheticSpec {
        task: Task::Classification,
        ..SyntheticSpec::default()
    };
    assert!(write(dir.path(), Layout::Coco, &spec).is_err());
    assert!(write(dir.path(), Layout::Imagenet, &SyntheticSpec::default()).is_err());
    assert!(
        write(
            dir.path(),
            Layout::Coco,
            &SyntheticSpec {
                count: 0,
                ..SyntheticSpec::default()
            }
        )
        .is_err()
    );
    assert_eq!(
        std::fs::read_dir(dir.path()).expect("reads").count(),
        0,
        "nothing is written before the check"
    );
}

#[test]
fn a_longer_set_begins_with_the_shorter() {
    let (short, long) = (
        set("synthetic:count=3,seed=4"),
        set("synthetic:count=9,seed=4"),
    );
    assert_eq!(short.entries(), &long.entries()[..3]);
    assert_eq!(png(short.as_ref(), 2), png(long.as_ref(), 2));
    assert_ne!(
        png(short.as_ref(), 2),
        png(set("synthetic:count=3,seed=5").as_ref(), 2)
    );
    assert!(short.load(SampleIndex(3)).is_err());
}
