//! Settings of ONNX Runtime, with the processor's provider: what they change, what stays the same.
//! Another library (that of the OpenVINO provider) needs a process of its own and is tried by the
//! program's tests.

use crate::support::{engines, from_path, here, random_inputs, run};
use dyno_core::{Backend, BackendError, ModelSource, OpenConfig, TensorSlice};
use std::fs;

fn onnxruntime() -> Option<&'static dyn Backend> {
    engines().into_iter().find(|b| b.id() == "onnxruntime")
}

fn with(settings: &[(&str, &str)]) -> OpenConfig {
    let pair = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
    OpenConfig {
        settings: settings.iter().map(pair).collect(),
        ..OpenConfig::default()
    }
}

fn model() -> ModelSource {
    from_path(&here("fixtures/conv_relu.onnx"))
}

#[test]
fn bound_outputs_are_the_same_values_in_the_same_memory() {
    let Some(backend) = onnxruntime() else { return };
    let plain = backend.open(&model(), &with(&[])).expect("a good model");
    let bound = backend
        .open(&model(), &with(&[("io_binding", "on")]))
        .expect("a good model");
    assert_eq!(
        bound.facts().settings.get("io_binding").map(String::as_str),
        Some("on")
    );
    assert!(!plain.facts().settings.contains_key("io_binding"));
    let (mut a, mut b) = (
        plain.slot().expect("memory suffices"),
        bound.slot().expect("memory suffices"),
    );
    let mut other = bound.slot().expect("memory suffices");
    let mut places = Vec::new();
    for seed in 0..4 {
        let inputs = random_inputs(plain.as_ref(), seed);
        let expected = run(plain.as_ref(), a.as_mut(), &inputs);
        assert_eq!(run(bound.as_ref(), b.as_mut(), &inputs), expected);
        let TensorSlice::F32(values) = b.output(0).data() else {
            panic!("an output of f32")
        };
        places.push(values.as_ptr());
        // Another slot's run leaves this slot's outputs alone.
        run(
            bound.as_ref(),
            other.as_mut(),
            &random_inputs(plain.as_ref(), 100),
        );
        assert_eq!(b.output(0).to_f32_vec(), expected[0]);
    }
    places.dedup();
    assert_eq!(
        places.len(),
        1,
        "each run has outputs of its own: {places:?}"
    );
}

#[test]
fn no_switch_changes_what_is_computed() {
    let Some(backend) = onnxruntime() else { return };
    let plain = backend.open(&model(), &with(&[])).expect("a good model");
    let inputs = random_inputs(plain.as_ref(), 3);
    let mut slot = plain.slot().expect("memory suffices");
    let expected = run(plain.as_ref(), slot.as_mut(), &inputs);
    for (key, value) in [
        ("arena", "off"),
        ("memory_pattern", "off"),
        ("spinning", "off"),
        ("optimization", "disable"),
        ("optimization", "basic"),
        ("optimization", "extended"),
        ("optimization", "all"),
    ] {
        let opened = backend
            .open(&model(), &with(&[(key, value)]))
            .unwrap_or_else(|e| panic!("{key}={value}: {e}"));
        let facts = opened.facts();
        assert_eq!(facts.settings.get(key).map(String::as_str), Some(value));
        let mut slot = opened.slot().expect("memory suffices");
        let found = run(opened.as_ref(), slot.as_mut(), &inputs);
        for (a, b) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((a - b).abs() <= 1e-5, "{key}={value}: {a} and {b}");
        }
    }
}

#[test]
fn a_profile_is_written_when_the_model_is_closed() {
    let Some(backend) = onnxruntime() else { return };
    let folder = std::env::temp_dir().join(format!("dyno-ort-profile-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let place = folder.join("nodes").display().to_string();
    let opened = backend
        .open(&model(), &with(&[("profile", &place)]))
        .expect("a good model");
    let settings = opened.facts().settings;
    assert_eq!(settings.get("profile").map(String::as_str), Some("on"));
    let mut slot = opened.slot().expect("memory suffices");
    run(
        opened.as_ref(),
        slot.as_mut(),
        &random_inputs(opened.as_ref(), 1),
    );
    drop(slot);
    drop(opened);
    let written = fs::read_dir(&folder)
        .expect("the folder")
        .map(|e| e.expect("an entry").path())
        .next()
        .expect("a profile");
    let text = fs::read_to_string(written).expect("text");
    assert!(text.contains("CPUExecutionProvider"), "{text}");
    fs::remove_dir_all(&folder).expect("the folder is ours");
}

#[test]
fn a_provider_that_the_library_lacks_is_named_with_what_has_it() {
    let Some(backend) = onnxruntime() else { return };
    let there = backend.probe();
    let state = |id: &str| {
        let mut providers = there.providers.iter();
        let found = providers.find(|p| p.name == id);
        found
            .unwrap_or_else(|| panic!("no row for {id}"))
            .state
            .clone()
    };
    assert!(state("cpu").yes().is_some());
    for (id, device, words) in [
        (
            "cuda",
            "gpu",
            "install it with `dyno backends install onnxruntime-gpu`",
        ),
        (
            "openvino",
            "cpu",
            "install it with `dyno backends install onnxruntime-openvino`",
        ),
        (
            "directml",
            "gpu",
            "it needs `onnxruntime-directml` on Windows",
        ),
    ] {
        if state(id).yes().is_some() {
            continue;
        }
        let config = OpenConfig {
            device: device.to_owned(),
            ..with(&[("provider", id), ("allow_partial", "on")])
        };
        match backend.open(&model(), &config) {
            Err(BackendError::Unavailable { reason, .. }) => {
                assert!(reason.contains("was built without it"), "{reason}");
                assert!(reason.contains(words), "{reason}");
            }
            Err(e) => panic!("{id}: {e}"),
            Ok(_) => panic!("{id} ran on a library without it"),
        }
    }
}
