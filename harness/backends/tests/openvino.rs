//! What only OpenVINO does: files of its own, devices, arithmetic, streams, compiled models on disk,
//! and libraries that are none.

use crate::support::{engine, from_path, here, models, random_inputs, run, say, source};
use dyno_core::{
    Backend, BackendError, FileRole, Framework, ModelContent, ModelFile, ModelSource, OpenConfig,
    Precision, Provider,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

fn openvino() -> Option<&'static dyn Backend> {
    engine("openvino")
}

fn with(settings: &[(&str, &str)]) -> OpenConfig {
    OpenConfig {
        settings: settings
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
        ..OpenConfig::default()
    }
}

fn ir() -> ModelSource {
    let files = ["fixtures/ir_conv.xml", "fixtures/ir_conv.bin"].map(here);
    source(Framework::OpenVino, &files)
}

/// An IR whose files are in memory.
fn ir_of(text: Vec<u8>, weights: Vec<u8>) -> ModelSource {
    let file = |role, bytes| ModelFile {
        role,
        content: ModelContent::Bytes(Arc::new(bytes)),
    };
    ModelSource {
        framework: Framework::OpenVino,
        files: vec![file(FileRole::Model, text), file(FileRole::Config, weights)],
    }
}

fn refusal(backend: &dyn Backend, model: &ModelSource, config: &OpenConfig) -> String {
    match backend.open(model, config) {
        Ok(_) => panic!("it opened with {config:?}"),
        Err(e) => e.to_string(),
    }
}

/// An IR of an ONNX file computes what the file does, at batches that its text leaves open.
#[test]
fn an_ir_gives_the_numbers_of_the_model_that_it_was_made_of() {
    let Some(backend) = openvino() else { return };
    for batch in [1, 3] {
        let config = OpenConfig {
            batch,
            ..OpenConfig::default()
        };
        let mut found = Vec::new();
        for model in [ir(), from_path(&here("fixtures/conv_batch.onnx"))] {
            let model = backend.open(&model, &config).expect("a good model");
            assert_eq!(model.facts().shapes["x"], [batch as usize, 3, 6, 6]);
            assert_eq!(
                model.io().outputs[0].fixed_shape(),
                Some(vec![batch as usize, 4, 6, 6])
            );
            let inputs = random_inputs(model.as_ref(), 4);
            let mut slot = model.slot().expect("memory suffices");
            found.push(run(model.as_ref(), slot.as_mut(), &inputs));
        }
        assert_eq!(found[0], found[1], "batch {batch}");
    }
}

#[test]
fn damaged_irs_are_errors_and_never_the_end_of_the_process() {
    let Some(backend) = openvino() else { return };
    let text = fs::read(here("fixtures/ir_conv.xml")).expect("committed");
    let weights = fs::read(here("fixtures/ir_conv.bin")).expect("committed");
    let config = OpenConfig::default();
    let whole = backend.open(&ir_of(text.clone(), weights.clone()), &config);
    assert!(whole.is_ok());
    for cut in (0..text.len() - 8).step_by(text.len() / 40) {
        let opened = backend.open(&ir_of(text[..cut].to_vec(), weights.clone()), &config);
        assert!(opened.is_err(), "the text cut at {cut} opened");
    }
    for cut in (0..weights.len()).step_by(40) {
        let opened = backend.open(&ir_of(text.clone(), weights[..cut].to_vec()), &config);
        assert!(opened.is_err(), "the weights cut at {cut} opened");
    }
    for position in (0..text.len()).step_by(17) {
        let mut damaged = text.clone();
        damaged[position] ^= 0x15;
        // Any result will do, except the end of the process.
        drop(backend.open(&ir_of(damaged, weights.clone()), &config));
    }
    let text = String::from_utf8(text).expect("XML");
    for (from, to, expected) in [
        (
            "version=\"11\"",
            "version=\"7\"",
            "an IR of version 7, and OpenVINO reads 10 and 11",
        ),
        (
            "offset=\"0\"",
            "offset=\"99999999999\"",
            "cannot load the model",
        ),
        (
            "size=\"432\"",
            "size=\"99999999999\"",
            "cannot load the model",
        ),
        (
            "size=\"432\"",
            "size=\"18446744073709551615\"",
            "cannot load the model",
        ),
        ("type=\"Convolution\"", "type=\"Frobnicate\"", "Frobnicate"),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = text.replacen(from, to, 1).into_bytes();
        let error = refusal(backend, &ir_of(changed, weights.clone()), &config);
        assert!(error.contains(expected), "{from} → {to}: {error}");
    }
    let mut without = ir();
    without.files.truncate(1);
    let error = refusal(backend, &without, &config);
    assert!(error.contains("its `.bin`) were not given"), "{error}");
}

#[test]
fn files_of_tensorflow_that_are_none_are_errors() {
    let Some(backend) = openvino() else { return };
    let folder = std::env::temp_dir().join(format!("dyno-ov-tf-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let path = folder.join("graph.pb");
    for (bytes, expected) in [
        (&b"plain text"[..], "not a frozen graph of TensorFlow"),
        (&[], "no nodes"),
        (&[0x0A, 2, 0x0A, 0], "cannot load the model"),
    ] {
        fs::write(&path, bytes).expect("a file");
        let model = source(Framework::TensorFlow, std::slice::from_ref(&path));
        let error = refusal(backend, &model, &OpenConfig::default());
        assert!(error.contains(expected), "{error}");
    }
    fs::remove_dir_all(&folder).expect("the folder is ours");
}

#[test]
fn operators_that_it_lacks_are_all_named() {
    let Some(backend) = openvino() else { return };
    let model = from_path(&here("fixtures/lacking.onnx"));
    let error = refusal(backend, &model, &OpenConfig::default());
    assert!(error.contains("operators that OpenVINO lacks: "), "{error}");
    for name in ["Wobble", "acme.Frobnicate"] {
        assert!(error.contains(name), "{error}");
    }
}

/// Devices that choose by themselves are opened only under their own names, and say who ran.
#[test]
fn virtual_devices_say_who_ran() {
    let Some(backend) = openvino() else { return };
    let availability = backend.probe();
    let devices: Vec<String> = availability.usable_devices().map(str::to_owned).collect();
    assert!(devices.contains(&"cpu".to_owned()), "{devices:?}");
    for name in ["auto", "hetero", "multi", "batch"] {
        assert!(devices.iter().all(|d| !d.starts_with(name)), "{devices:?}");
    }
    let model = from_path(&here("fixtures/conv_relu.onnx"));
    let plain = backend
        .open(&model, &OpenConfig::default())
        .expect("the processor");
    assert_eq!(plain.facts().device, "cpu");
    let inputs = random_inputs(plain.as_ref(), 5);
    let mut slot = plain.slot().expect("memory suffices");
    let expected = run(plain.as_ref(), slot.as_mut(), &inputs);
    for device in ["auto:cpu", "hetero:cpu", "multi:cpu", "batch:cpu"] {
        let config = OpenConfig {
            device: device.to_owned(),
            ..OpenConfig::default()
        };
        let opened = backend.open(&model, &config).expect(device);
        let mut slot = opened.slot().expect("memory suffices");
        assert_eq!(
            run(opened.as_ref(), slot.as_mut(), &inputs),
            expected,
            "{device}"
        );
        let facts = opened.facts();
        assert_eq!(facts.device, device);
        assert_eq!(facts.precision, "f32", "{device}");
        let cpu = Provider {
            name: "CPU".to_owned(),
            nodes: None,
        };
        assert_eq!(facts.providers, [cpu], "{device}");
    }
    let there: Vec<&str> = ["npu", "gpu:7"]
        .into_iter()
        .filter(|d| !devices.contains(&(*d).to_owned()))
        .collect();
    for device in there {
        let config = OpenConfig {
            device: device.to_owned(),
            ..OpenConfig::default()
        };
        let error = refusal(backend, &model, &config);
        assert!(
            error.contains(&format!("device `{device}` (there is: ")),
            "{error}"
        );
    }
}

/// f32 by default, also where the library by itself would take bf16; another arithmetic when asked
/// for, and then the numbers differ, so that the default is known to have been f32.
#[test]
fn arithmetic_is_what_was_asked_for() {
    let Some(backend) = openvino() else { return };
    let precisions = backend.probe().precisions;
    let able = |name: &str| {
        let state = precisions.iter().find(|p| p.name == name).map(|p| &p.state);
        let devices = state.and_then(|s| s.yes()).map_or("", String::as_str);
        devices.split(", ").any(|d| d == "cpu")
    };
    assert!(able("f32"), "{precisions:?}");
    let model = from_path(&here("fixtures/conv_relu.onnx"));
    let outputs = |precision| {
        let config = OpenConfig {
            precision,
            ..OpenConfig::default()
        };
        let model = backend.open(&model, &config).map_err(|e| e.to_string())?;
        let mut slot = model.slot().expect("memory suffices");
        let inputs = random_inputs(model.as_ref(), 6);
        Ok::<_, String>((
            model.facts().precision,
            run(model.as_ref(), slot.as_mut(), &inputs),
        ))
    };
    let native = outputs(Precision::Native).expect("always there");
    assert_eq!(native.0, "f32");
    assert_eq!(outputs(Precision::F32), Ok(native.clone()));
    for (precision, name) in [(Precision::Bf16, "bf16"), (Precision::F16, "f16")] {
        let result = outputs(precision);
        if !able(name) {
            let error = result.expect_err("the device has it not");
            assert!(
                error.contains(&format!("precision `{name}` on device `cpu`")),
                "{error}"
            );
            say(&format!("skipped: no {name} on this processor"));
            continue;
        }
        let (told, values) = result.expect("the device has it");
        assert_eq!(told, name);
        let worst = values[0]
            .iter()
            .zip(&native.1[0])
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst > 0.0 && worst < 0.05, "{name} differs by {worst}");
    }
}

#[test]
fn settings_are_in_force_and_told() {
    let Some(backend) = openvino() else { return };
    let folder = std::env::temp_dir().join(format!("dyno-ov-cache-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let cache = folder.to_str().expect("UTF-8");
    let model = from_path(&here("fixtures/conv_relu.onnx"));
    let told = |config: &OpenConfig| {
        let model = backend.open(&model, config).expect("good settings");
        let mut slot = model.slot().expect("memory suffices");
        let inputs = random_inputs(model.as_ref(), 7);
        let outputs = run(model.as_ref(), slot.as_mut(), &inputs);
        (model.facts().settings, outputs)
    };
    let (plain, expected) = told(&OpenConfig::default());
    assert_eq!(
        (plain["hint"].as_str(), plain["streams"].as_str()),
        ("latency", "1")
    );
    let (other, outputs) = told(&with(&[("hint", "throughput"), ("pinning", "off")]));
    assert_eq!(
        (other["hint"].as_str(), other["pinning"].as_str()),
        ("throughput", "off")
    );
    assert_eq!(outputs, expected);
    for turn in ["made", "read"] {
        let (cached, outputs) = told(&with(&[("cache", cache)]));
        assert_eq!(cached["cache"], "on");
        assert_eq!(outputs, expected, "{turn}");
        let blobs = fs::read_dir(&folder).expect("ours").count();
        assert_eq!(blobs, 1, "one compiled model, {turn}");
    }
    fs::remove_dir_all(&folder).expect("the folder is ours");
    let many = OpenConfig {
        threads: 4096,
        ..OpenConfig::default()
    };
    let error = refusal(backend, &model, &many);
    assert!(error.contains("threads = 4096"), "{error}");
}

/// A batch that no machine has memory for ends as an error of opening or running.
#[test]
fn a_batch_beyond_memory_is_an_error() {
    let Some(backend) = openvino() else { return };
    let config = OpenConfig {
        batch: 1 << 30,
        ..OpenConfig::default()
    };
    let error = refusal(backend, &ir(), &config);
    assert!(error.contains("larger than"), "{error}");
}

const CHILD: &str = "DYNO_TEST_OPENVINO_CHILD";

/// Not a test of its own: says what the probe finds, in a process of its own, because a library
/// once opened stays.
#[test]
fn what_the_probe_says_in_a_child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let Some(backend) = dyno_backends::BACKENDS
        .iter()
        .find(|b| b.id() == "openvino")
    else {
        return;
    };
    let availability = backend.probe();
    let problem = availability.first_problem().map(|p| p.to_string());
    let opened = backend.open(
        &from_path(&here("fixtures/conv_relu.onnx")),
        &OpenConfig::default(),
    );
    let kind = match opened {
        Ok(_) => "opened",
        Err(BackendError::Unavailable { .. }) => "unavailable",
        Err(_) => "another error",
    };
    say(&format!("probe: {kind}: {problem:?}"));
}

fn child(library: &Path) -> String {
    let child = Command::new(std::env::current_exe().expect("this test"))
        .args([
            "--exact",
            "openvino::what_the_probe_says_in_a_child",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .env("DYNO_OPENVINO", library)
        .output()
        .expect("the test starts itself");
    let text = String::from_utf8_lossy(&child.stderr).into_owned();
    assert!(child.status.success(), "{}: {text}", library.display());
    let line = text.lines().find(|l| l.starts_with("probe: "));
    line.unwrap_or_else(|| panic!("no line of the probe: {text}"))
        .to_owned()
}

/// Not the library, cut, for another processor, without the functions, without its neighbours: each
/// is a reason, and none the end of the process.
#[cfg(all(target_os = "linux", target_endian = "little"))]
#[test]
fn libraries_that_cannot_be_used_are_explained() {
    let Some(_) = dyno_backends::BACKENDS
        .iter()
        .find(|b| b.id() == "openvino")
    else {
        return;
    };
    let folder = std::env::temp_dir().join(format!("dyno-ov-library-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let tried = |name: &str, bytes: &[u8], expected: &str| {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("a file");
        let said = child(&path);
        assert!(said.starts_with("probe: unavailable: "), "{said}");
        assert!(said.contains(expected), "{name}: {said}");
        assert!(said.contains("dyno backends install openvino"), "{said}");
    };
    tried("text.so", b"this is text", "not a library (no ELF file)");
    // A library that every process here has.
    let maps = fs::read_to_string("/proc/self/maps").expect("Linux");
    let libc = maps
        .lines()
        .filter_map(|l| l.split_whitespace().last())
        .find(|p| p.contains("libc.so") || p.contains("libgcc_s"))
        .expect("this program is linked dynamically");
    let whole = fs::read(libc).expect("it is in use");
    tried(
        "other.so",
        &whole,
        "it lacks the function `ov_get_openvino_version`",
    );
    tried("cut.so", &whole[..whole.len() / 2], "the file was cut");
    let mut foreign = whole.clone();
    foreign[18] ^= 0xFF;
    tried("foreign.so", &foreign, "a library for another processor");
    assert!(child(&folder.join("missing.so")).contains("No such file"));
    fs::remove_dir_all(&folder).expect("the folder is ours");

    // The library itself, beside neighbours that were cut.
    let Some(_) = openvino() else { return };
    let own: PathBuf = dyno_backends::find_openvino()
        .into_iter()
        .map(|f| f.path)
        .find(|p| p.is_file())
        .expect("it was opened");
    fs::create_dir_all(&folder).expect("a temporary folder");
    let bytes = fs::read(&own).expect("it was opened");
    let neighbour = folder.join("libopenvino.so.1");
    fs::write(&neighbour, &whole[..4096]).expect("a file");
    tried(
        "libopenvino_c.so.1",
        &bytes,
        "its neighbour `libopenvino.so.1`: the file was cut",
    );
    fs::remove_file(&neighbour).expect("ours");
    tried(
        "libopenvino_c.so.1",
        &bytes,
        "cannot open shared object file",
    );
    fs::remove_dir_all(&folder).expect("the folder is ours");
}

/// Real models that must not open, with the reason.
#[test]
fn irs_of_old_versions_are_refused_by_name() {
    let (Some(backend), Some(models)) = (openvino(), models()) else {
        return;
    };
    for (files, version) in [
        (
            [
                "squeezenet1.1-imagenet-fp16/squeezenet1.1.xml",
                "squeezenet1.1-imagenet-fp16/squeezenet1.1.bin",
            ],
            6,
        ),
        (
            [
                "tf-pose-mobilenetv2-0.5-coco/FP32/frozen-model.xml",
                "tf-pose-mobilenetv2-0.5-coco/FP32/frozen-model.bin",
            ],
            5,
        ),
    ] {
        let files = files.map(|f| models.join("dldt").join(f));
        let model = source(Framework::OpenVino, &files);
        let error = refusal(backend, &model, &OpenConfig::default());
        assert!(
            error.contains(&format!("an IR of version {version}")),
            "{error}"
        );
    }
}
