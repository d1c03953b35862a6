//! What the tests share: rows that can run here, sources, inputs, running one query.

use dyno_backends::{ABSENT, BACKENDS};
use dyno_core::{
    Backend, Completion, DType, FileRole, Framework, ModelContent, ModelFile, ModelSource,
    NamedTensor, QueryToken, Session, Tensor, TensorData, TensorSet, lookup,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
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
        "a built-in engine cannot run: {}",
        problem.detail
    );
    assert!(
        std::env::var_os("DYNO_REQUIRE_ONNXRUNTIME").is_none_or(|v| v != "1"),
        "ONNX Runtime is required: {}",
        problem.detail
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

pub(crate) fn from_bytes(bytes: Vec<u8>) -> ModelSource {
    onnx(ModelContent::Bytes(Arc::new(bytes)))
}

/// Runs one query in slot 0 and returns its completion.
pub(crate) fn run(session: &mut dyn Session, inputs: &Arc<TensorSet>) -> Completion {
    session
        .submit(0, inputs, QueryToken(7))
        .expect("the inputs fit");
    let mut done = Vec::new();
    for _ in 0..600 {
        session
            .wait(Duration::from_millis(100), &mut done)
            .expect("the engine lives");
        if let Some(completion) = done.pop() {
            assert_eq!((completion.slot, completion.token), (0, QueryToken(7)));
            return completion;
        }
    }
    panic!("no completion within a minute");
}

/// Pseudo-random inputs that fit `session`: bytes over their range, reals in [0, 1).
pub(crate) fn random_inputs(session: &dyn Session) -> Arc<TensorSet> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let tensors = session.io().inputs.iter().map(|info| {
        let shape = info
            .fixed_shape()
            .expect("open sessions have concrete inputs");
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
    Arc::new(TensorSet {
        tensors: tensors.collect(),
    })
}
