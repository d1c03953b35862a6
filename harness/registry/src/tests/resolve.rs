//! References, search path, translation and contradictions.

use super::{DETECTOR, package};
use crate::{
    BlobFacts, Location, RegistryError, ResolveOptions, SearchPath, VersionOrder, latest_version,
    locate, resolve,
};
use dyno_core::{
    ChannelOrder, CropSize, FileRole, Framework, Kernel, Normalize, PreprocessStep, Purpose,
    ResizeMode, Rounding,
};
use std::{fs, path::Path};

const ETA: &str = r#"{"models": [
  {"base_name": "foo", "version": "1.9", "base_filename": "foo.onnx", "manager": {"type": "x.Unknown", "config": {}}},
  {"base_name": "foo", "version": "1.10", "base_filename": "foo.onnx", "manager": null},
  {"base_name": "foo", "version": "2.0rc1", "base_filename": "foo.onnx"},
  {"base_name": "net-1.1-x", "version": "1.1", "base_filename": "n.pth"},
  {"base_name": "escape", "base_filename": "../../etc/x.onnx"}
]}"#;

fn options() -> ResolveOptions {
    ResolveOptions::default()
}

fn world() -> (tempfile::TempDir, SearchPath) {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path();
    fs::write(root.join("manifest.json"), ETA).expect("written");
    fs::write(root.join("foo-v1.10.onnx"), b"weights").expect("written");
    package(root, "pub/det", DETECTOR);
    package(root, "other/det", &DETECTOR.replace("pub/det", "other/det"));
    package(root, "solo", &DETECTOR.replace("pub/det", "pub/solo"));
    let path = SearchPath::new([root.to_owned()]);
    (dir, path)
}

#[test]
fn names_versions_and_publishers_resolve() {
    let (dir, search) = world();
    let name = |reference: &str| locate(reference, &search, &options()).map(|m| m.name());
    for (reference, expected) in [
        ("foo", "foo@1.10"),
        ("foo@1.9", "foo@1.9"),
        ("foo@2.0rc1", "foo@2.0rc1"),
        ("net-1.1-x", "net-1.1-x@1.1"),
        ("net-1@1.1.1-x", "net-1.1-x@1.1"),
        ("pub/det", "pub/det@3"),
        ("pub/det@3", "pub/det@3"),
        ("@pub/det", "pub/det@3"),
        ("solo", "pub/solo@3"),
    ] {
        assert_eq!(name(reference).expect(reference), expected, "{reference}");
    }
    assert!(matches!(name("det"), Err(RegistryError::Ambiguous { .. })));
    assert!(matches!(
        name("pub/det@4"),
        Err(RegistryError::NotFound { .. })
    ));
    let by_manifest = format!("{}/manifest.json#foo", dir.path().display());
    assert_eq!(name(&by_manifest).expect("by manifest"), "foo@1.10");
    let Err(RegistryError::NotFound { nearest, known, .. }) = name("pub/dett") else {
        panic!("found a typo")
    };
    assert_eq!(nearest.as_deref(), Some("pub/det@3"));
    assert!(known.contains(&"foo@1.9".to_owned()) && known.contains(&"pub/solo@3".to_owned()));
    let loose = ResolveOptions {
        version_order: VersionOrder::Loose,
        ..options()
    };
    assert_eq!(
        locate("foo", &search, &loose).expect("found").name(),
        "foo@2.0rc1",
        "ETA takes pre-releases"
    );
}

#[test]
fn a_path_is_a_path_and_where_a_name_fits_too_both_are_named() {
    let (dir, search) = world();
    let folder = dir.path().join("pub/det");
    let by_folder = resolve(&folder.to_string_lossy(), &search, &options()).expect("a package");
    assert_eq!(
        (by_folder.reference.as_str(), by_folder.framework),
        ("pub/det@3", Framework::Onnx)
    );
    let by_file = resolve(
        &folder.join("alwaysai.model.json").to_string_lossy(),
        &search,
        &options(),
    )
    .expect("a manifest");
    assert_eq!(by_file.location, by_folder.location);
    let bare = resolve(
        &folder.join("m.onnx").to_string_lossy(),
        &search,
        &options(),
    )
    .expect("a bare file");
    assert!(
        matches!(bare.location, Location::Bare { .. })
            && bare.spec.inputs.is_empty()
            && !bare.writable
            && bare.evidence().is_none()
    );
    assert!(matches!(
        locate(&dir.path().to_string_lossy(), &search, &options()),
        Err(RegistryError::Ambiguous { .. })
    ));
    assert!(matches!(
        locate("./nothing", &search, &options()),
        Err(RegistryError::FileMissing { .. } | RegistryError::Invalid { .. })
    ));
    // A file of this crate's own folder, where tests run, whose name is also a model's.
    let other = tempfile::tempdir().expect("a folder");
    fs::write(
        other.path().join("manifest.json"),
        r#"{"models": [{"base_name": "fixtures/name.json", "version": null}]}"#,
    )
    .expect("written");
    let clash = locate(
        "fixtures/name.json",
        &SearchPath::new([other.path().to_owned()]),
        &options(),
    );
    assert!(
        matches!(&clash, Err(RegistryError::Ambiguous { candidates, .. }) if candidates.len() == 2),
        "{clash:?}"
    );
}

#[test]
fn one_bad_manifest_is_loud_and_the_others_list() {
    let (dir, search) = world();
    package(dir.path(), "broken", "{\"id\": 1,}");
    let scan = search.scan();
    assert_eq!((scan.models.len(), scan.problems.len()), (8, 1));
    assert!(scan.problems[0].to_string().contains("broken"));
    assert!(locate("pub/det", &search, &options()).is_ok());
}

#[test]
fn an_earlier_folder_hides_a_later_one_and_says_so() {
    let (_a, first) = world();
    let (_b, second) = world();
    let both = SearchPath::new(first.dirs.iter().chain(&second.dirs).cloned());
    let scan = both.scan();
    assert_eq!((scan.models.len(), scan.warnings.len()), (8, 8));
}

#[test]
fn files_outside_the_folder_are_refused_and_all_problems_come_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let search = SearchPath::default();
    let bad = DETECTOR.replace(
        "\"m.onnx\"",
        "\"../m.onnx\", \"label_file\": \"/etc/passwd\", \"colors_file\": \"none.txt\"",
    );
    let folder = package(dir.path(), "p", &bad);
    let Err(RegistryError::Invalid { problems, .. }) =
        resolve(&folder.to_string_lossy(), &search, &options())
    else {
        panic!("accepted")
    };
    assert_eq!(problems.len(), 3, "{problems:?}");
    #[cfg(unix)]
    {
        let folder = package(dir.path(), "q", &DETECTOR.replace("m.onnx", "link.onnx"));
        fs::write(dir.path().join("outside.onnx"), b"x").expect("written");
        std::os::unix::fs::symlink(dir.path().join("outside.onnx"), folder.join("link.onnx"))
            .expect("a link");
        assert!(matches!(
            resolve(&folder.to_string_lossy(), &search, &options()),
            Err(RegistryError::Invalid { .. })
        ));
    }
    let types = DETECTOR
        .replace("\"onnx\"", "\"onyx\"")
        .replace("[416, 416]", "[416]")
        .replace("\"crop\": false", "\"crop\": \"no\"");
    let folder = package(dir.path(), "r", &types);
    let Err(RegistryError::Invalid { problems, .. }) =
        resolve(&folder.to_string_lossy(), &search, &options())
    else {
        panic!("accepted")
    };
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(
        problems[1].starts_with("line 7, column 13: `size`"),
        "{problems:?}"
    );
    let (_dir, search) = world();
    assert!(matches!(
        resolve("escape", &search, &options()),
        Err(RegistryError::Invalid { .. })
    ));
    assert!(matches!(
        resolve("foo@1.9", &search, &options()),
        Err(RegistryError::FileMissing { .. })
    ));
    assert_eq!(
        resolve("foo", &search, &options())
            .expect("its file is there")
            .framework,
        Framework::Onnx
    );
}

#[test]
fn blob_keys_become_steps() {
    let resize = |mode| PreprocessStep::Resize {
        size: [227, 226],
        mode,
        kernel: Kernel::OpencvLinear,
        rounding: Rounding::Nearest,
    };
    let facts = BlobFacts {
        size: Some([227, 226]),
        mean: Some([104.0, 117.0, 123.0]),
        scalefactor: Some(1.0),
        swaprb: None,
        crop: Some(true),
    };
    let normalize = Normalize {
        divisor: None,
        mean: Some(vec![104.0, 117.0, 123.0]),
        std: None,
        scale: None,
    };
    let steps = vec![
        resize(ResizeMode::Cover),
        PreprocessStep::CenterCrop(CropSize::Size([227, 226])),
        PreprocessStep::Channels(ChannelOrder::Bgr),
        PreprocessStep::Normalize(normalize),
    ];
    assert_eq!(facts.steps(), Some(steps.clone()));
    assert!(facts.conflicts(&steps).is_empty());
    let plain = BlobFacts {
        mean: Some([0.0; 3]),
        swaprb: Some(true),
        crop: Some(false),
        ..facts
    };
    assert_eq!(
        plain.steps(),
        Some(vec![
            resize(ResizeMode::Stretch),
            PreprocessStep::Channels(ChannelOrder::Rgb)
        ])
    );
    assert_eq!(
        plain.conflicts(&steps).len(),
        3,
        "crop, channels and mean differ: {:?}",
        plain.conflicts(&steps)
    );
    assert_eq!(BlobFacts::default().steps(), None);
    // 1/255 in two spellings is one factor; a deviation per channel is what the manifest cannot
    // say.
    let factor = BlobFacts {
        size: Some([2, 2]),
        mean: Some([0.0; 3]),
        scalefactor: Some(0.003_921_6),
        swaprb: Some(true),
        crop: Some(false),
    };
    let divided = PreprocessStep::Normalize(Normalize {
        divisor: Some(255.0),
        ..Normalize::default()
    });
    assert!(factor.conflicts(&[divided]).is_empty());
    let deviations = PreprocessStep::Normalize(Normalize {
        divisor: Some(255.0),
        mean: Some(vec![0.485, 0.456, 0.406]),
        std: Some(vec![0.229, 0.224, 0.225]),
        scale: None,
    });
    assert!(
        plain
            .conflicts(&[
                PreprocessStep::Channels(ChannelOrder::Rgb),
                deviations.clone()
            ])
            .is_empty()
    );
    assert_eq!(factor.conflicts(&[deviations]).len(), 1);
}

fn with_dyno(own: &str) -> Result<crate::ResolvedModel, RegistryError> {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(
        dir.path(),
        "p",
        &DETECTOR.replace(
            "\"crop\": false",
            "\"crop\": false, \"architecture\": \"yolo_x\"",
        ),
    );
    fs::write(folder.join("dyno.json"), own).expect("written");
    resolve(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &ResolveOptions::default(),
    )
}

#[test]
fn dyno_json_adds_and_a_contradiction_names_both_values() {
    let letterbox = r#"{"schema": "dyno.model/1", "inputs": [{"name": "images", "preprocess": [{"letterbox": {"size": [416, 416], "anchor": "top-left"}}, {"channels": "bgr"}]}], "labels": "coco80"}"#;
    let model = with_dyno(letterbox).expect("no contradiction");
    assert_eq!(model.purpose, Some(Purpose::ObjectDetection));
    assert_eq!(
        model.spec.decoder.as_ref().and_then(|d| d.kind.as_deref()),
        Some("yolox")
    );
    assert_eq!(
        model.labels.as_ref().map(|(s, m)| (s.as_str(), m.len())),
        Some(("coco80", 80))
    );
    assert_eq!(model.spec.inputs.len(), 1);
    let Err(e @ RegistryError::Invalid { .. }) = with_dyno(
        &letterbox
            .replace("416, 416", "640, 640")
            .replace("bgr", "rgb"),
    ) else {
        panic!("accepted")
    };
    let text = e.to_string();
    assert!(
        text.contains("416x416") && text.contains("640x640") && text.contains("swaprb"),
        "{text}"
    );
    assert!(
        with_dyno(r#"{"framework": "caffe"}"#)
            .expect_err("differs")
            .to_string()
            .contains("`onnx`")
    );
    assert!(
        with_dyno(r#"{"decoder": {"kind": "nanodet"}}"#)
            .expect_err("differs")
            .to_string()
            .contains("yolox")
    );
    assert!(
        with_dyno(r#"{"recipee": "yolox"}"#).is_err(),
        "unknown keys of our own file are errors"
    );
    assert!(with_dyno(r#"{"schema": "dyno.model/9"}"#).is_err());
    let recipe = with_dyno(r#"{"recipe": "yolox"}"#).expect("fine");
    assert!(
        recipe.spec.inputs.is_empty() && !recipe.blob.is_silent(),
        "the recipe fills in, the caller compares"
    );
}

#[test]
fn the_second_file_is_found_and_set_right() {
    let dir = tempfile::tempdir().expect("a folder");
    for f in [
        "a.caffemodel",
        "a.prototxt",
        "b.xml",
        "b.bin",
        "c.weights",
        "c.cfg",
        "d.pb",
        "e.pb",
        "f.bin",
    ] {
        fs::write(
            dir.path().join(f),
            if f == "e.pb" {
                &b"\x08\x07"[..]
            } else {
                b"\x0a\x07"
            },
        )
        .expect("written");
    }
    let files = |name: &str| {
        let model = resolve(
            &dir.path().join(name).to_string_lossy(),
            &SearchPath::default(),
            &ResolveOptions::default(),
        )?;
        let file = |role| {
            model
                .path(role)
                .and_then(Path::file_name)
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        Ok::<_, RegistryError>((
            model.framework.name(),
            file(FileRole::Model),
            file(FileRole::Config),
        ))
    };
    for (name, framework, model, config) in [
        ("a.caffemodel", "caffe", "a.caffemodel", "a.prototxt"),
        ("a.prototxt", "caffe", "a.caffemodel", "a.prototxt"),
        ("b.bin", "openvino", "b.xml", "b.bin"),
        ("b.xml", "openvino", "b.xml", "b.bin"),
        ("c.cfg", "darknet", "c.weights", "c.cfg"),
        ("d.pb", "tensorflow", "d.pb", ""),
        ("e.pb", "onnx", "e.pb", ""),
    ] {
        assert_eq!(
            files(name).expect(name),
            (framework, model.to_owned(), config.to_owned()),
            "{name}"
        );
    }
    assert!(matches!(
        files("f.bin"),
        Err(RegistryError::NoFramework { .. })
    ));
}

#[test]
fn the_newest_version_is_no_prerelease_and_the_first_of_equals() {
    let v = |list: &[&'static str]| list.iter().map(|s| Some(*s)).collect::<Vec<_>>();
    assert_eq!(
        latest_version(&v(&["1.0", "2.0a1"]), VersionOrder::Standard),
        Some(0)
    );
    assert_eq!(
        latest_version(&v(&["1.0a1", "1.0b1"]), VersionOrder::Standard),
        Some(1)
    );
    assert_eq!(
        latest_version(&v(&["1.0", "1.00"]), VersionOrder::Standard),
        Some(0)
    );
    assert_eq!(latest_version(&[], VersionOrder::Standard), None);
}
