//! Models in a framework that the engine does not read.

use crate::{
    plans::{Machine, collect, run},
    toy::TABLES,
};
use dyno_core::{
    Event, FileRole, Framework, ImportFacts, ImportOptions, ModelContent, ModelFile, ModelSource,
    OpenConfig, QUESTION_SCHEMA, Question, sha256_hex,
};
use dyno_runner::{RunError, answer, open_model};
use std::{fs, path::Path};

fn darknet(folder: &Path, text: &str) -> ModelSource {
    let path = folder.join("m.cfg");
    fs::write(&path, text).expect("written");
    ModelSource {
        framework: Framework::Darknet,
        files: vec![ModelFile {
            role: FileRole::Model,
            content: ModelContent::Path(path),
        }],
    }
}

fn open(source: &ModelSource, cache: Option<&Path>) -> Result<Option<ImportFacts>, RunError> {
    let config = OpenConfig::default();
    open_model(&TABLES, "toy", source, &config, cache).map(|opened| opened.import)
}

#[test]
fn an_imported_model_lies_in_the_cache_under_its_hash() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = darknet(folder.path(), "[net] input=vector");
    let cache = folder.path().join("cache");
    let expected = ImportFacts {
        options: ImportOptions::default(),
        id: "toy-darknet".into(),
        version: 7,
        sha256: sha256_hex(crate::toy::model_text("vector").as_bytes()),
    };
    assert_eq!(
        open(&source, None).expect("in memory"),
        Some(expected.clone())
    );
    assert!(!cache.exists());
    let cached = |source| open(source, Some(&cache)).expect("through the cache");
    assert_eq!(cached(&source), Some(expected.clone()));
    let file = cache.join(format!("imports/{}.onnx", expected.sha256));
    let content = fs::read_to_string(&file).expect("there");
    assert_eq!(content, crate::toy::model_text("vector"));

    // A damaged file is not believed.
    fs::write(&file, "toy onnx\nclasses=9\n").expect("written");
    assert_eq!(cached(&source), Some(expected.clone()));
    assert_eq!(fs::read_to_string(&file).expect("there"), content);

    // A note that was changed is not believed, and it may not lead out of the folder.
    let note = fs::read_dir(cache.join("imports"))
        .expect("a folder")
        .filter_map(Result::ok)
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|e| e == "json"))
        .expect("a note");
    let text = fs::read_to_string(&note).expect("a note");
    assert!(text.contains("a toy"), "{text}");
    let other = sha256_hex(b"toy onnx\ninput=vector\n");
    for changed in [
        text.replace("a toy", "a lie"),
        text.replace(&expected.sha256, &other),
        text.replace(&expected.sha256, "../../m"),
    ] {
        fs::write(&note, changed).expect("written");
        assert_eq!(cached(&source), Some(expected.clone()));
        assert_eq!(fs::read_to_string(&note).expect("a note"), text);
    }
    // Nor one of another model in its place.
    let image = darknet(folder.path(), "[net] input=image");
    cached(&image).expect("an import");
    let notes = fs::read_dir(cache.join("imports")).expect("a folder");
    for path in notes.filter_map(Result::ok).map(|e| e.path()) {
        if path.extension().is_some_and(|e| e == "json") {
            fs::write(&path, &text).expect("written");
        }
    }
    let found = cached(&image).map(|i| i.sha256);
    assert_ne!(found, Some(expected.sha256), "another model's");

    // Other files are another import.
    let image = darknet(folder.path(), "[net] input=image");
    let sha256 = sha256_hex(crate::toy::model_text("image").as_bytes());
    assert_eq!(cached(&image).map(|i| i.sha256), Some(sha256));
}

#[test]
fn refusals_say_which_engines_would() {
    let folder = tempfile::tempdir().expect("a folder");
    let malformed = open(&darknet(folder.path(), "what"), None).expect_err("malformed");
    assert_eq!(malformed.exit_code(), 5);
    assert!(malformed.chain().join(": ").contains("[net] input="));
    let source = ModelSource {
        framework: Framework::Hailo,
        ..darknet(folder.path(), "hef")
    };
    let error = open(&source, None).expect_err("nobody translates it");
    assert_eq!(
        error.to_string(),
        "toy does not run hailo models (these do: toy-hailo)"
    );
    assert_eq!(error.exit_code(), 3);
    let source = ModelSource {
        framework: Framework::Caffe,
        ..source
    };
    let error = open(&source, None).expect_err("nobody reads it");
    assert!(
        error
            .to_string()
            .ends_with("and no engine of this build does")
    );
}

#[test]
fn plan_answer_and_record_say_what_was_imported() {
    let machine = Machine::new();
    fs::write(machine.model(), "[net] input=vector").expect("written");
    let cache = machine.0.path().join("cache");
    let mut plan = machine.plan();
    plan.spec.model.framework = Framework::Darknet;
    plan.bindings.cache_dir = Some(cache.clone());
    let question = Question {
        schema: QUESTION_SCHEMA.into(),
        backend: "toy".into(),
        source: dyno_runner::model_source(&plan),
        config: OpenConfig::default(),
        cache_dir: Some(cache),
        engine_timeout_ns: plan.bindings.engine_timeout_ns,
    };
    let Event::Answered {
        io,
        facts,
        import,
        says,
    } = answer(&question, &TABLES, &|_| ()).expect("an answer")
    else {
        panic!("another event");
    };
    assert_eq!((io.outputs.len(), facts.library.as_str()), (1, "toy 1"));
    assert!(import.is_some());
    let notes = |says: &dyno_core::ImportSays| says.notes.clone();
    assert_eq!(says.as_ref().map(notes), Some(vec!["a toy".to_owned()]));

    match run(&plan).result {
        Err(RunError::Changed { what, .. }) => assert!(what.contains("import")),
        other => panic!("a plan without the import: {other:?}"),
    }
    plan.spec.execution.import.clone_from(&import);
    let ran = run(&plan);
    ran.result.as_ref().expect("runs");
    let outcome = collect(&plan, &[&ran]).expect("a record");
    let measurement = &outcome.record.measurements[0];
    assert_eq!(measurement.execution.import, import);
    assert!(measurement.series.0["import"].is_object());
    assert!(measurement.validity.is_valid());
}
