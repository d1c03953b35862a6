//! What the tests share: rows that can run here, sources, inputs.

use dyno_backends::{ABSENT, BACKENDS};
use dyno_core::{
    Backend, DType, FileRole, Framework, Model, ModelContent, ModelFile, ModelSource, NamedTensor,
    OpenConfig, Slot, Tensor, TensorData, TensorSet, lookup,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The engines that compute and can run here. An absent feature is said; a missing library of ONNX
/// Runtime too, and with `DYNO_REQUIRE_ONNXRUNTIME=1` it is a failure.
pub(crate) fn engines() -> Vec<&'static dyn Backend> {
    for id in ABSENT {
        eprintln!("not compiled in: {id}");
    }
    BACKENDS
        .iter()
        .copied()
        .filter(|b| b.id() != "null" && usable(*b))
        .collect()
}

fn usable(backend: &dyn Backend) -> bool {
    let availability = backend.probe();
    let Some(problem) = availability.first_problem() else {
        return true;
    };
    assert_eq!(
        backend.id(),
        "onnxruntime",
        "a built-in engine cannot run: {problem}"
    );
    assert!(
        std::env::var_os("DYNO_REQUIRE_ONNXRUNTIME").is_none_or(|v| v != "1"),
        "ONNX Runtime is required: {problem}"
    );
    // Not `eprintln`: the test runner would swallow it.
    std::io::Write::write_all(&mut std::io::stderr(), b"skipped: no onnxruntime library\n")
        .expect("standard error");
    false
}

pub(crate) fn null() -> &'static dyn Backend {
    lookup("backend", BACKENDS, "null").expect("null is always there")
}

pub(crate) fn here(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(relative)
}

pub(crate) fn onnx(content: ModelContent) -> ModelSource {
    ModelSource {
        framework: Framework::Onnx,
        files: vec![ModelFile {
            role: FileRole::Model,
            content,
        }],
    }
}

pub(crate) fn from_path(path: &Path) -> ModelSource {
    onnx(ModelContent::Path(path.to_owned()))
}

/// A model and the files that it keeps weights in.
pub(crate) fn with_weights(path: &Path, weights: Vec<PathBuf>) -> ModelSource {
    let mut source = from_path(path);
    source.files.extend(weights.into_iter().map(|w| ModelFile {
        role: FileRole::Weights,
        content: ModelContent::Path(w),
    }));
    source
}

pub(crate) fn from_bytes(bytes: Vec<u8>) -> ModelSource {
    onnx(ModelContent::Bytes(Arc::new(bytes)))
}

/// Opens `model` with the default configuration.
pub(crate) fn open_default(backend: &dyn Backend, model: &ModelSource) -> Arc<dyn Model> {
    backend
        .open(model, &OpenConfig::default())
        .unwrap_or_else(|e| panic!("{}: {e}", backend.id()))
}

/// Every output as f32, after a run that must succeed.
pub(crate) fn run(model: &dyn Model, slot: &mut dyn Slot, inputs: &TensorSet) -> Vec<Vec<f32>> {
    slot.run(inputs).expect("the inputs fit");
    (0..model.io().outputs.len())
        .map(|i| slot.output(i).to_f32_vec())
        .collect()
}

/// Pseudo-random inputs that fit `model`: bytes over their range, reals in [0, 1).
pub(crate) fn random_inputs(model: &dyn Model, seed: u64) -> TensorSet {
    let mut state = 0x2545_F491_4F6C_DD1D_u64 ^ seed;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let tensors = model.io().inputs.iter().map(|info| {
        let shape = info
            .fixed_shape()
            .expect("open models have concrete inputs");
        let count = shape.iter().product();
        let data = match info.dtype {
            DType::F32 => TensorData::F32(
                (0..count)
                    .map(|_| (next() >> 40) as f32 / (1u64 << 24) as f32)
                    .collect(),
            ),
            DType::U8 => TensorData::U8((0..count).map(|_| (next() >> 56) as u8).collect()),
            other => panic!("no random {other}"),
        };
        NamedTensor {
            name: info.name.clone(),
            tensor: Tensor::new(shape, data).expect("as many values as the shape says"),
            quantization: None,
        }
    });
    TensorSet {
        tensors: tensors.collect(),
    }
}
