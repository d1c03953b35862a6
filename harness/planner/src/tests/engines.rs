//! Which engine runs a model, and when it is asked.

use super::toy::Place;
use crate::{EngineError, RunRequest};
use serde_json::json;

fn own() -> serde_json::Value {
    json!({"decoder": {"kind": "grid", "evaluate": {"score": 0.1, "iou": 0.5}},
        "inputs": [{"preprocess": [{"channels": "bgr"}]}]})
}

#[test]
fn an_engine_that_does_not_read_the_model_says_who_would() {
    let mut place = Place::new("ring-like");
    let request = RunRequest {
        backend: Some("chip".to_owned()),
        ..place.bare("m.onnx")
    };
    let (words, hint, code) = place.refused(&request);
    assert_eq!(words, "chip does not run onnx models (these do: fast)");
    assert_eq!((hint.as_str(), code), ("--backend fast", 3));
    let nobody = place.bare("m.blob");
    let (words, hint, code) = place.refused(&nobody);
    assert_eq!(words, "no engine of this build runs myriad models");
    assert!(hint.contains("backends list") && code == 3);
    // The configuration is as binding as a flag.
    place.backend = Some("chip");
    assert_eq!(place.refused(&place.bare("m.onnx")).2, 3);
    let (words, _, code) = place.refused(&RunRequest {
        backend: Some("fist".to_owned()),
        ..place.bare("m.onnx")
    });
    assert!(
        words.contains("did you mean `fast`") && code == 2,
        "{words}"
    );
    assert_eq!(place.asked(), 0, "none of this needs an engine");
}

#[test]
fn a_model_that_is_imported_has_its_import_in_the_plan() {
    let place = Place::new("ring-like");
    place.write("m.prototxt", "net");
    let request = place.bare("m.caffemodel");
    let planned = place.plan(&request).expect("a plan");
    let import = planned.plan.spec.execution.import.expect("an import");
    assert_eq!((import.id.as_str(), import.version), ("from-caffe", 7));
    assert_eq!(planned.plan.spec.execution.backend, "fast");
    assert_eq!(place.asked(), 1, "once is enough");
}

#[test]
fn an_engine_is_asked_only_when_the_plan_needs_it() {
    let mut place = Place::new("ring-like");
    let request = place.package(&own());
    let quiet = place.plan(&request).expect("a plan");
    assert_eq!((place.asked(), quiet.answer.is_none()), (0, true));
    place.always_ask = true;
    let asked = place.plan(&request).expect("a plan");
    assert_eq!((place.asked(), asked.answer.is_some()), (1, true));
    assert_eq!(
        quiet.plan, asked.plan,
        "a dry run shows the plan of the run"
    );
}

#[test]
fn an_engine_that_fails_is_told_with_its_causes_and_its_code() {
    for (code, hint) in [(3, "`dyno doctor` shows what this machine has"), (5, "")] {
        let mut place = Place::new("ring-like");
        let errors = ["cannot load".to_owned(), "no such library".to_owned()];
        place.room.fails = Some(EngineError::new(errors, code));
        let request = place.bare("m.onnx");
        assert_eq!(
            place.refused(&request),
            (
                "cannot load: no such library".to_owned(),
                hint.to_owned(),
                code
            )
        );
    }
}
