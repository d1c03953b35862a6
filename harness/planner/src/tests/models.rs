//! Recipes, decoders, thresholds and classes.

use super::toy::Place;
use crate::{Only, RunRequest};
use dyno_core::{ThresholdOverlay, WarningCode};
use serde_json::json;

#[test]
fn the_only_recipe_that_fits_is_taken_and_said() {
    let place = Place::new("ring-like");
    let planned = place.plan(&place.bare("m.onnx")).expect("a plan");
    let model = &planned.plan.spec.model;
    assert_eq!(
        (model.recipe.as_deref(), model.recipe_assumed),
        (Some("ring-like"), true)
    );
    assert_eq!(
        planned.warnings.first().map(|w| &w.code),
        Some(&WarningCode::RecipeAssumed)
    );
    let named = RunRequest {
        recipe: Some("ring-like".to_owned()),
        ..place.bare("m.onnx")
    };
    let planned = place.plan(&named).expect("a plan");
    assert!(!planned.plan.spec.model.recipe_assumed && planned.warnings.is_empty());
}

#[test]
fn no_recipe_and_several_are_answered_with_what_would_fit() {
    for (output, part, hint) in [
        ("either", "several recipes would fit", "ring-like, bar-like"),
        (
            "list-like",
            "no recipe fits the outputs of `m.onnx`: list-like [1x10x2]",
            "list-like",
        ),
        (
            "strange",
            "no recipe fits the outputs of `m.onnx`: strange [1x10x2]",
            "dyno recipes",
        ),
    ] {
        let place = Place::new(output);
        let (words, said, code) = place.refused(&place.bare("m.onnx"));
        assert!(
            words.contains(part) && said.contains(hint) && code == 2,
            "{words}; {said}"
        );
    }
    let place = Place::new("ring-like");
    let wrong = RunRequest {
        recipe: Some("list-like".to_owned()),
        ..place.bare("m.onnx")
    };
    let (words, _, code) = place.refused(&wrong);
    assert!(
        words.contains("recipe `list-like` does not fit `m.onnx`") && code == 2,
        "{words}"
    );
}

#[test]
fn a_recipe_that_adds_nothing_and_one_that_contradicts_are_refused() {
    let place = Place::new("ring-like");
    let complete = json!({"decoder": {"kind": "grid", "evaluate": {"score": 0.1, "iou": 0.5}},
        "inputs": [{"preprocess": [{"channels": "bgr"}]}]});
    let request = RunRequest {
        recipe: Some("bar-like".to_owned()),
        ..place.package(&complete)
    };
    assert!(place.refused(&request).0.contains("nothing to add"));
    let names = json!({"recipe": "ring-like"});
    let request = RunRequest {
        recipe: Some("bar-like".to_owned()),
        ..place.package(&names)
    };
    assert!(
        place
            .refused(&request)
            .0
            .contains("--recipe says `bar-like`")
    );
}

#[test]
fn thresholds_lie_over_the_recipes_decoder_and_keep_its_suppression() {
    let place = Place::new("ring-like");
    // The model asks for another score and says nothing of a decoder.
    let own = json!({"recipe": "ring-like", "decoder": {"evaluate": {"score": 0.01}}});
    let planned = place.plan(&place.package(&own)).expect("a plan");
    let evaluate = planned
        .plan
        .spec
        .model
        .decoder
        .evaluate
        .expect("thresholds");
    assert_eq!(
        (evaluate.score, evaluate.iou, evaluate.max),
        (0.01, Some(0.65), Some(300))
    );
    assert!(planned.warnings.is_empty());
    // The request is above both, and in the plan.
    let request = RunRequest {
        thresholds: ThresholdOverlay {
            score: Some(0.3),
            iou: None,
            max: None,
        },
        ..place.package(&own)
    };
    let decoder = place
        .plan(&request)
        .expect("a plan")
        .plan
        .spec
        .model
        .decoder;
    assert_eq!(
        decoder.evaluate.map(|t| (t.score, t.iou)),
        Some((0.3, Some(0.65)))
    );
    assert_eq!(
        decoder.deploy.map(|t| (t.score, t.iou)),
        Some((0.3, Some(0.45)))
    );
    for score in [-0.1, 1.5, f64::NAN] {
        let mut wrong = request.clone();
        wrong.thresholds.score = Some(score);
        assert!(place.refused(&wrong).0.contains("not between 0 and 1"));
    }
}

#[test]
fn a_decoder_that_suppresses_nothing_is_named() {
    let place = Place::new("ring-like");
    let with = |kind: &str| {
        let own = json!({"decoder": {"kind": kind, "evaluate": {"score": 0.1}},
            "inputs": [{"preprocess": [{"channels": "bgr"}]}]});
        place.plan(&place.package(&own)).expect("a plan").warnings
    };
    let warnings = with("grid");
    assert_eq!(
        warnings.first().map(|w| &w.code),
        Some(&WarningCode::NotSuppressed)
    );
    assert!(
        warnings
            .first()
            .is_some_and(|w| w.detail.contains("decoder `grid` gets no IoU in evaluate"))
    );
    assert!(
        with("finished").is_empty(),
        "this model suppresses by itself"
    );
}

#[test]
fn classes_are_checked_before_the_run() {
    let place = Place::new("ring-like");
    let labels = |names: &str| RunRequest {
        labels: Some(place.write("l.txt", names)),
        ..place.bare("m.onnx")
    };
    let (words, hint, code) = place.refused(&labels("cat\ndog\n"));
    assert_eq!(
        words,
        "`m.onnx` and `custom-shapes` share no class: the model has cat, dog, the data set ring, bar"
    );
    assert!(hint.contains("--labels") && code == 2);
    let (words, _, code) = place.refused(&labels("ring\nbar\nbox\n"));
    assert!(
        words.contains("the 3 classes of `l.txt`") && words.contains("gives 2") && code == 2,
        "{words}"
    );
    let (words, _, code) = place.refused(&labels("\n"));
    assert!(words.contains("is empty") && code == 2, "{words}");
    let nameless = RunRequest {
        labels: None,
        ..place.bare("m.onnx")
    };
    assert!(
        place
            .refused(&nameless)
            .0
            .contains("does not name its classes")
    );
    // Nobody is judged: nobody needs names.
    place
        .plan(&RunRequest {
            only: Only::Latency,
            ..nameless
        })
        .expect("a plan");
}

#[test]
fn what_cannot_be_judged_is_said_in_the_words_of_both_sides() {
    let place = Place::new("ring-like");
    let on = |dataset: &str| RunRequest {
        dataset: Some(dataset.to_owned()),
        ..place.bare("m.onnx")
    };
    let (words, hint, code) = place.refused(&on("shapes:#classes"));
    assert_eq!(
        words,
        "no metric of `custom-shapes` can judge `m.onnx`: the model gives boxes, the data set knows a class a picture"
    );
    assert!(hint.contains("--only latency") && code == 2);
    let (words, _, code) = place.refused(&on("shapes:#plain"));
    assert!(words.contains("has no annotations") && code == 2);
    let timed = RunRequest {
        only: Only::Latency,
        ..on("shapes:#plain")
    };
    place.plan(&timed).expect("pixels are enough");
}
