//! Which engine runs a model, and when it is asked.

use super::toy::Place;
use crate::{EngineError, RunRequest};
use dyno_core::ImportSays;
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

/// What a Caffe model of these heads says of itself.
fn says(decoder: &str) -> ImportSays {
    serde_json::from_value(json!({
        "inputs": [{"name": "images", "preprocess": [
            {"resize": {"size": [96, 64], "mode": "stretch", "kernel": "opencv-linear"}}]}],
        "decoder": {"kind": decoder, "evaluate": {"score": 0.01, "iou": 0.5}},
        "outputs": ["boxes", "scores"],
    }))
    .expect("words of an importer")
}

#[test]
fn a_model_whose_files_say_all_needs_no_recipe() {
    let mut place = Place::new("neither");
    place.room.says = Some(says("grid"));
    place.write("m.prototxt", "net");
    let planned = place.plan(&place.bare("m.caffemodel")).expect("a plan");
    let model = &planned.plan.spec.model;
    assert_eq!(
        (model.recipe.as_ref(), model.decoder.kind.as_str()),
        (None, "grid")
    );
    assert_eq!(model.outputs, ["boxes", "scores"]);
    assert_eq!(model.inputs, says("grid").inputs.expect("inputs"));
    assert_eq!(place.asked(), 1);
    // Where they say too little, a recipe is asked for as ever.
    place.room.says = Some(ImportSays {
        inputs: None,
        ..says("grid")
    });
    let (words, _, code) = place.refused(&place.bare("m.caffemodel"));
    assert!(words.contains("recipe") && code == 2, "{words}");
}

#[test]
fn heads_go_into_the_graph_for_whoever_reads_them_as_the_framework_gives_them() {
    let mut place = Place::new("ring-like");
    place.room.says = Some(says("finished"));
    place.write("m.prototxt", "net");
    let request = RunRequest {
        recipe: Some("ring-like".to_owned()),
        import: [("epsilon".to_owned(), "1e-6".to_owned())].into(),
        ..place.bare("m.caffemodel")
    };
    let planned = place.plan(&request).expect("a plan");
    let spec = &planned.plan.spec;
    assert_eq!(spec.model.decoder.kind, "grid");
    assert!(
        spec.model.outputs.is_empty(),
        "those of the heads are not there"
    );
    let options = &spec.execution.import.as_ref().expect("an import").options;
    assert!(options.in_graph);
    assert_eq!(options.parameters["epsilon"], "1e-6");
    assert_eq!(place.asked(), 2, "without heads, and with them");
    let (words, _, code) = place.refused(&RunRequest {
        import: request.import.clone(),
        ..place.bare("m.onnx")
    });
    assert!(words.contains("--import") && code == 2, "{words}");
}

#[test]
fn a_model_that_describes_itself_is_looked_at_once() {
    let place = Place::new("ring-like");
    let planned = place.plan(&place.package(&own())).expect("a plan");
    assert_eq!(place.asked(), 1);
    assert_eq!(planned.answer.io.outputs[0].name, "ring-like");
    // Its description does not fit what the engine sees.
    let request = place.package(&own());
    place.write("models/me/mine/labels.txt", "ring\nbar\nbox\n");
    let (words, _, code) = place.refused(&request);
    assert!(words.contains("3 classes") && code == 2, "{words}");
    let mut own = own();
    own["inputs"][0]["name"] = "data".into();
    let (words, hint, code) = place.refused(&place.package(&own));
    assert!(
        words.contains("input `data`") && hint.contains("`images`") && code == 2,
        "{words} {hint}"
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
