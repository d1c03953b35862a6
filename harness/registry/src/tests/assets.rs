//! The real manifests and the golden tables of the original libraries.

use super::{files_below, registry_assets};
use crate::{
    AlwaysAiManifest, EtaManifest, FilenameMode, VersionOrder, compare_versions, eta_name,
    filename, full_name, json_edit::Document, read_labels, split_version,
};
use std::{cmp::Ordering, fs};

#[test]
fn every_eta_and_fiftyone_manifest_reads_losslessly() {
    let Some(assets) = registry_assets() else {
        return;
    };
    let counts = [
        ("eta/manifest.json", 36),
        ("eta/manifest-2018-early.json", 1),
        ("eta/manifest-0571c182-versioned.json", 3),
        ("fiftyone/manifest-tf.json", 50),
        ("fiftyone/manifest-torch.json", 283),
        ("fiftyone/manifest-hosted.json", 3),
        ("fiftyone/brain-manifest.json", 1),
    ];
    for (file, count) in counts {
        let manifest = EtaManifest::read_file(&assets.join(file)).expect(file);
        assert_eq!(manifest.entries.len(), count, "{file}");
        assert_eq!(
            manifest.document.text().as_bytes(),
            fs::read(assets.join(file)).expect("read"),
            "{file}"
        );
        for entry in &manifest.entries {
            let name = entry.name();
            assert_eq!(
                split_version(&name),
                (entry.base_name.as_str(), entry.version.as_deref()),
                "{name}"
            );
        }
        let legacy = file.contains("2018") || file.contains("0571c182") || file.contains("brain");
        assert_eq!(
            !manifest.warnings.is_empty(),
            legacy,
            "{file}: date_created is noticed"
        );
    }
}

#[test]
fn the_seven_alwaysai_manifests_and_all_app_files_read() {
    let Some(assets) = registry_assets() else {
        return;
    };
    let manifests = files_below(&assets.join("alwaysai/model_json"));
    assert_eq!(manifests.len(), 7);
    for file in &manifests {
        let manifest = AlwaysAiManifest::read_file(file).expect("legacy files are accepted");
        assert!(
            manifest.id.is_some_and(|id| id.starts_with("alwaysai/"))
                && manifest.blob.steps().is_some()
                && manifest.version.is_some(),
            "{}",
            file.display()
        );
    }
    let apps = files_below(&assets.join("alwaysai/app_json"));
    assert_eq!(apps.len(), 8);
    for file in apps {
        let document = Document::parse(fs::read_to_string(&file).expect("read")).expect("JSON");
        assert!(
            document
                .get(&[crate::json_edit::Path::Key("models")])
                .is_some(),
            "{}",
            file.display()
        );
    }
}

#[test]
fn label_files_lose_blanks_and_keep_their_lines() {
    let Some(assets) = registry_assets() else {
        return;
    };
    let cityscapes =
        read_labels(&assets.join("alwaysai/labels/fcn_resnet18_cityscapes_classes.txt"))
            .expect("labels");
    assert_eq!(
        (cityscapes.len(), cityscapes.name(dyno_core::LabelId(0))),
        (21, "void")
    );
    for file in files_below(&assets.join("alwaysai/labels")) {
        let labels = read_labels(&file).expect("labels");
        assert!(
            labels.labels.iter().all(|l| l.name == l.name.trim()),
            "{}",
            file.display()
        );
    }
}

#[test]
fn versions_compare_as_the_original_libraries_do() {
    let Some(assets) = registry_assets() else {
        return;
    };
    let golden: serde_json::Value = serde_json::from_str(
        &fs::read_to_string(assets.join("golden/version_compare.json")).expect("read"),
    )
    .expect("JSON");
    let sign = |o: Ordering| match o {
        Ordering::Less => "<",
        Ordering::Equal => "=",
        Ordering::Greater => ">",
    };
    let rows = golden["rows"].as_array().expect("rows");
    let (mut loose, mut pep) = (0, 0);
    for row in rows {
        let (a, b) = (row["a"].as_str().expect("a"), row["b"].as_str().expect("b"));
        let got = |order| sign(compare_versions(Some(a), Some(b), order));
        if let Some(expected) = row["loose"]
            .as_str()
            .filter(|s| ["<", "=", ">"].contains(s))
        {
            assert_eq!(got(VersionOrder::Loose), expected, "loose {a} {b}");
            loose += 1;
        }
        if let Some(expected) = row["pep440"]
            .as_str()
            .filter(|s| ["<", "=", ">"].contains(s))
        {
            assert_eq!(got(VersionOrder::Standard), expected, "pep440 {a} {b}");
            pep += 1;
        }
    }
    assert!(
        loose > 300 && pep > 200,
        "only {loose} and {pep} rows were compared"
    );
    // Total: antisymmetric and transitive over everything in the table.
    let all: Vec<&str> = golden["parsed"]
        .as_object()
        .expect("versions")
        .keys()
        .map(String::as_str)
        .collect();
    for order in [VersionOrder::Standard, VersionOrder::Loose] {
        let c = |a: &str, b: &str| compare_versions(Some(a), Some(b), order);
        for a in &all {
            for b in &all {
                assert_eq!(c(a, b), c(b, a).reverse(), "{a} {b}");
                for d in &all {
                    assert!(
                        !(c(a, b).is_le() && c(b, d).is_le() && c(a, d).is_gt()),
                        "{a} {b} {d}"
                    );
                }
            }
        }
    }
}

#[test]
fn names_and_file_names_are_those_of_eta_in_its_mode() {
    let Some(assets) = registry_assets() else {
        return;
    };
    let golden: serde_json::Value = serde_json::from_str(
        &fs::read_to_string(assets.join("golden/eta_name_filename.json")).expect("read"),
    )
    .expect("JSON");
    for row in golden.as_array().expect("rows") {
        let text = |key: &str| row[key].as_str();
        let base = text("base_name").expect("base_name");
        assert_eq!(
            Some(eta_name(base, text("version")).as_str()),
            text("eta_name"),
            "{row}"
        );
        let file = text("base_filename")
            .map(|f| filename(f, text("version"), text("subdir"), FilenameMode::Eta));
        assert_eq!(file.as_deref(), text("eta_filename"), "{row}");
        let full = full_name(base, text("version"));
        if !base.contains('@') {
            assert_eq!(
                split_version(&full),
                (base, text("version").filter(|v| !v.is_empty())),
                "{row}"
            );
        }
    }
    assert_eq!(
        filename("x.tar.gz", Some("2"), None, FilenameMode::Fixed),
        "x-v2.tar.gz"
    );
}
