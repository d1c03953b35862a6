//! Races, links, pipes and half-written files.

use super::{DETECTOR, files_below, package, record};
use crate::{
    ConfigureOptions, RegisterOptions, RegistryError, ResolveOptions, ResolvedModel, SearchPath,
    WriteMode, configure, locate, reference_set, register, repair, resolve, write_back,
};
use dyno_core::{Reference, ThresholdOverlay};
use std::{fs, path::Path, sync::Barrier, thread};

fn model(folder: &Path) -> ResolvedModel {
    resolve(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &ResolveOptions::default(),
    )
    .expect("resolves")
}

fn reference(metric: &str) -> Reference {
    Reference {
        metric: metric.into(),
        value: 0.5,
        sample_set: "s".into(),
        abs: Some(0.1),
        rel: None,
        source: None,
    }
}

/// Runs all at once.
fn race(jobs: &[&(dyn Fn() + Sync)]) {
    let start = Barrier::new(jobs.len());
    thread::scope(|scope| {
        for job in jobs {
            scope.spawn(|| {
                start.wait();
                job();
            });
        }
    });
}

#[test]
fn writers_that_race_lose_nothing() {
    for round in 0..12 {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = package(dir.path(), "p", DETECTOR);
        let model = model(&folder);
        let measured = record(b"weights", |_| {});
        let configured = |options: ConfigureOptions| {
            configure(&folder, &options).expect("configured");
        };
        race(&[
            &|| {
                write_back(&model, &measured, WriteMode::Fill, None).expect("written");
            },
            &|| {
                configured(ConfigureOptions {
                    scalefactor: Some(0.5),
                    ..ConfigureOptions::default()
                });
            },
            &|| {
                configured(ConfigureOptions {
                    decoder: Some("yolox".into()),
                    evaluate: ThresholdOverlay {
                        score: Some(0.01),
                        ..ThresholdOverlay::default()
                    },
                    ..ConfigureOptions::default()
                });
            },
            &|| drop(reference_set(&model.location, &reference("AP")).expect("set")),
            &|| drop(reference_set(&model.location, &reference("AP50")).expect("set")),
        ]);
        let now = self::model(&folder);
        let text = now.manifest.to_string();
        assert!(text.contains("AP 0.2996"), "round {round}: {text}");
        assert!(
            text.contains("\"scalefactor\":0.5"),
            "round {round}: {text}"
        );
        assert_eq!(now.spec.reference.len(), 2, "round {round}");
        let decoder = now.spec.decoder.expect("a decoder");
        assert_eq!(decoder.evaluate.and_then(|t| t.score), Some(0.01));
        let left = files_below(&folder);
        assert!(
            left.iter().all(|p| !p.to_string_lossy().ends_with(".tmp")),
            "{left:?}"
        );
    }
}

#[test]
fn entries_that_are_registered_at_once_are_all_there() {
    let dir = tempfile::tempdir().expect("a folder");
    let names = ["a", "b", "c", "d"];
    for name in names {
        fs::write(dir.path().join(format!("{name}.onnx")), name).expect("written");
    }
    let jobs = names.map(|name| {
        let folder = dir.path().to_owned();
        move || {
            let options = RegisterOptions {
                name: name.into(),
                file: format!("{name}.onnx"),
                ..RegisterOptions::default()
            };
            register(&folder, &options, jiff::Timestamp::UNIX_EPOCH).expect("registered");
        }
    });
    let jobs: Vec<&(dyn Fn() + Sync)> = jobs.iter().map(|j| j as &(dyn Fn() + Sync)).collect();
    race(&jobs);
    let manifest = crate::EtaManifest::read(dir.path()).expect("reads");
    assert_eq!(manifest.entries.len(), names.len());
}

#[test]
fn a_refused_configuration_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let before = files_below(&folder);
    let wrong = ConfigureOptions {
        label_file: Some("none.txt".into()),
        recipe: Some("r".into()),
        ..ConfigureOptions::default()
    };
    assert!(configure(&folder, &wrong).is_err());
    assert_eq!(files_below(&folder), before);
}

#[cfg(unix)]
#[test]
fn manifests_that_are_links_out_of_their_folder_are_not_written() {
    use std::os::unix::fs::symlink;
    let away = tempfile::tempdir().expect("a folder");
    let not_writable = |r: Result<(), RegistryError>| {
        matches!(&r, Err(RegistryError::NotWritable { .. }))
            || matches!(
                &r,
                Err(RegistryError::Evidence(
                    dyno_evidence::EvidenceError::LeadsOut { .. }
                ))
            )
    };
    for link in ["alwaysai.model.json", "dyno.json", "evidence"] {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = package(dir.path(), "p", DETECTOR);
        let target = away.path().join(link);
        match link {
            "evidence" => fs::create_dir(&target).expect("made"),
            "dyno.json" => fs::write(&target, r#"{"schema": "dyno.model/1"}"#).expect("written"),
            _ => fs::rename(folder.join(link), &target).expect("moved"),
        }
        symlink(&target, folder.join(link)).expect("a link");
        let before = fs::read(&target).ok();
        let model = model(&folder);
        let measured = record(b"weights", |_| {});
        let options = ConfigureOptions {
            scalefactor: Some(0.5),
            recipe: Some("r".into()),
            ..ConfigureOptions::default()
        };
        let listed = locate(
            &folder.to_string_lossy(),
            &SearchPath::default(),
            &ResolveOptions::default(),
        )
        .expect("found");
        let writes = [
            (
                "write",
                write_back(&model, &measured, WriteMode::Fill, None).map(drop),
            ),
            ("configure", configure(&folder, &options).map(drop)),
            (
                "reference",
                reference_set(&model.location, &reference("AP")).map(drop),
            ),
            ("repair", repair(&listed).map(drop)),
        ];
        for (what, result) in writes {
            let is_other_file = matches!(
                (link, what),
                ("dyno.json", "write" | "repair") | ("alwaysai.model.json", "reference")
            );
            assert_eq!(not_writable(result), !is_other_file, "{link}: {what}");
        }
        assert_eq!(fs::read(&target).ok(), before, "{link}");
    }
    assert_eq!(files_below(&away.path().join("evidence")).len(), 0);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for() {
    let pipe = |path: &Path| {
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.expect("mkfifo").success());
    };
    for name in ["dyno.json", "alwaysai.model.json", "l.txt"] {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = package(dir.path(), "p", DETECTOR);
        if name == "l.txt" {
            let own = r#"{"schema": "dyno.model/1", "labels": "l.txt"}"#;
            fs::write(folder.join("dyno.json"), own).expect("written");
        }
        drop(fs::remove_file(folder.join(name)));
        pipe(&folder.join(name));
        let found = resolve(
            &folder.to_string_lossy(),
            &SearchPath::default(),
            &ResolveOptions::default(),
        );
        assert!(found.is_err(), "{name}");
        let options = ConfigureOptions {
            recipe: Some("r".into()),
            scalefactor: Some(1.0),
            ..ConfigureOptions::default()
        };
        // The label file is not looked into when nothing of it changes.
        let configured = configure(&folder, &options);
        assert_eq!(configured.is_err(), name != "l.txt", "{name}");
    }
}

#[test]
fn a_byte_order_mark_and_everything_else_stays() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", &format!("\u{feff}{DETECTOR}"));
    let options = ConfigureOptions {
        scalefactor: Some(0.5),
        ..ConfigureOptions::default()
    };
    configure(&folder, &options).expect("configured");
    let text = fs::read_to_string(folder.join("alwaysai.model.json")).expect("read");
    let expected = DETECTOR.replace("\"scalefactor\": 1,", "\"scalefactor\": 0.5,");
    assert_eq!(text, format!("\u{feff}{expected}"));
}

#[test]
fn a_misspelt_key_of_dyno_json_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = package(dir.path(), "p", DETECTOR);
    let own = r#"{"schema": "dyno.model/1", "inputs": [{"preproces": [{"channels": "bgr"}]}]}"#;
    fs::write(folder.join("dyno.json"), own).expect("written");
    let found = resolve(
        &folder.to_string_lossy(),
        &SearchPath::default(),
        &ResolveOptions::default(),
    );
    let error = found.expect_err("refused").to_string();
    assert!(
        error.contains("unknown key `inputs.0.preproces`"),
        "{error}"
    );
}
