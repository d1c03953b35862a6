//! Requests to plans, over toy rows.

mod engines;
mod models;
mod toy;

use crate::{Only, Profile, RunRequest, WriteBack};
use dyno_core::{Division, ScenarioName, Timed};
use serde_json::json;
use toy::Place;

#[test]
fn a_request_is_data_with_documented_defaults() {
    let read: RunRequest =
        serde_json::from_value(json!({"model": "m", "dataset": "shapes:x"})).expect("a request");
    assert_eq!(
        read,
        RunRequest {
            dataset: Some("shapes:x".to_owned()),
            ..RunRequest::new("m")
        }
    );
    let text = serde_json::to_string(&read).expect("JSON");
    assert_eq!(
        serde_json::from_str::<RunRequest>(&text).expect("a request"),
        read
    );
    let error = serde_json::from_value::<RunRequest>(json!({"model": "m", "datset": "x"}))
        .expect_err("an unknown key");
    assert!(error.to_string().contains("datset"), "{error}");
    let schema = serde_json::to_value(schemars::schema_for!(RunRequest)).expect("JSON");
    let properties = schema["properties"].as_object().expect("properties");
    for (key, property) in properties {
        let described = property["description"]
            .as_str()
            .is_some_and(|d| !d.is_empty());
        assert!(described, "`{key}` is not described");
    }
    assert_eq!(properties.len(), 28, "every field is one of the schema");
}

#[test]
fn the_plan_has_what_was_asked_for() {
    let place = Place::new("ring-like");
    let request = RunRequest {
        recipe: Some("ring-like".to_owned()),
        scenarios: vec![ScenarioName::SingleStream, ScenarioName::Offline],
        timed: Timed::Engine,
        profile: Profile::Full,
        samples: Some(12),
        seed: 3,
        max_errors: 2,
        batch: 4,
        ..place.bare("m.onnx")
    };
    let planned = place.plan(&request).expect("a plan");
    let spec = &planned.plan.spec;
    assert_eq!(spec.execution.backend, "fast", "the first that computes");
    assert_eq!(
        (
            spec.samples,
            spec.sample_set.starts_with("custom-shapes-12-")
        ),
        (Some(12), true)
    );
    let accuracy = spec.accuracy.as_ref().expect("accuracy");
    let metrics: Vec<&str> = accuracy.metrics.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(metrics, ["boxes-right"], "the one that can judge boxes");
    assert_eq!(
        (accuracy.batch, accuracy.seed, accuracy.max_errors),
        (4, 3, 2)
    );
    let [single, offline] = spec.performance.as_slice() else {
        panic!("two measurements")
    };
    assert_eq!(
        (single.threads, single.slots, single.profile.as_str()),
        (8, 1, "full")
    );
    assert_eq!(
        (offline.threads, offline.slots, offline.library_size),
        (1, 8, 12)
    );
    assert_eq!(
        planned.plan.bindings.division,
        Division::Fused {
            workers: 8,
            threads: 1
        }
    );
    assert!(planned.plan.bindings.dataset.path.is_absolute());
}

#[test]
fn how_cores_are_divided_is_no_part_of_what_is_measured() {
    let place = Place::new("ring-like");
    let request = RunRequest {
        recipe: Some("ring-like".to_owned()),
        only: Only::Accuracy,
        ..place.bare("m.onnx")
    };
    let sha256 = |request: &RunRequest| {
        let plan = place.plan(request).expect("a plan").plan;
        (plan.spec.sha256().expect("finite"), plan.bindings.division)
    };
    let (one, fused) = sha256(&request);
    for other in [
        RunRequest {
            workers: Some(3),
            ..request.clone()
        },
        RunRequest {
            threads: Some(2),
            ..request.clone()
        },
        RunRequest {
            preparing: 2,
            ..request.clone()
        },
        RunRequest {
            engine_timeout_ns: 1,
            ..request.clone()
        },
    ] {
        let (sha256, division) = sha256(&other);
        assert_eq!(sha256, one);
        assert!(division != fused || other.engine_timeout_ns == 1);
    }
    assert_ne!(
        sha256(&RunRequest {
            batch: 2,
            ..request.clone()
        })
        .0,
        one
    );
}

#[test]
fn without_a_data_set_a_model_is_timed_and_nobody_reads_it() {
    let place = Place::new("anything");
    let request = RunRequest {
        only: Only::Latency,
        seed: 5,
        ..RunRequest::new(place.write("m.onnx", "weights"))
    };
    let planned = place.plan(&request).expect("a plan");
    let (spec, bindings) = (&planned.plan.spec, &planned.plan.bindings);
    assert_eq!(spec.model.decoder.kind, dyno_core::NO_DECODER);
    assert!(spec.accuracy.is_none() && spec.model.purpose.is_none());
    assert!(
        spec.model.inputs.is_empty(),
        "tensors are taken as they are"
    );
    let option = |key: &str| bindings.dataset.options.get(key).map(String::as_str);
    assert_eq!(
        (option("inputs"), option("count"), option("seed")),
        (Some("1"), Some("16"), Some("5"))
    );
    for (wrong, part) in [
        (
            RunRequest {
                only: Only::Both,
                ..request.clone()
            },
            "accuracy needs a data set",
        ),
        (
            RunRequest {
                write: Some(WriteBack::Fill),
                ..request.clone()
            },
            "--write means nothing",
        ),
        (
            RunRequest {
                recipe: Some("ring-like".to_owned()),
                ..request.clone()
            },
            "--recipe means nothing",
        ),
        (
            RunRequest {
                inputs: [("images".to_owned(), "a.npy".into())].into(),
                ..place.bare("n.onnx")
            },
            "--input does not go with a data set",
        ),
    ] {
        let (words, hint, code) = place.refused(&wrong);
        assert!(
            words.contains(part) && !hint.is_empty() && code == 2,
            "{words}"
        );
    }
}

#[test]
fn what_a_manifest_may_not_show_is_refused_before_the_run() {
    let own = json!({"decoder": {"kind": "grid", "evaluate": {"score": 0.1, "iou": 0.5}},
        "inputs": [{"preprocess": [{"channels": "bgr"}]}]});
    let place = Place::new("ring-like");
    let request = RunRequest {
        write: Some(WriteBack::Fill),
        ..place.package(&own)
    };
    place.plan(&request).expect("nothing stands against it");
    let mut thresholds = request.clone();
    thresholds.thresholds.score = Some(0.3);
    for (wrong, part) in [
        (
            RunRequest {
                backend: Some("idle".to_owned()),
                ..request.clone()
            },
            "`idle` measures nothing",
        ),
        (
            RunRequest {
                labels: Some(place.write("l.txt", "ring\nbar\n")),
                ..request.clone()
            },
            "--labels",
        ),
        (thresholds, "--score and --iou"),
        (
            RunRequest {
                profile: Profile::Quick,
                ..request.clone()
            },
            "profile normal or longer",
        ),
        (
            RunRequest {
                write: Some(WriteBack::Fill),
                ..place.bare("m.onnx")
            },
            "this one was assumed",
        ),
    ] {
        let (words, hint, code) = place.refused(&wrong);
        assert!(
            words.contains(part) && !hint.is_empty() && code == 2,
            "{words}"
        );
    }
    let quick_accuracy = RunRequest {
        profile: Profile::Quick,
        only: Only::Accuracy,
        ..request
    };
    place.plan(&quick_accuracy).expect("no latency, no profile");
}
