//! What the tests share: rows that can run here, sources, inputs.

use dyno_backends::{ABSENT, BACKENDS};
use dyno_core::{
    Backend, DType, FileRole, Framework, Model, ModelContent, ModelFile, ModelSource, NamedTensor,
    OpenConfig, Slot, Tensor, TensorData, TensorSet, lookup,
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Engines whose library is opened at run time, and the variables that say they must be there.
const OPENED: &[(&str, &str)] = &[
    ("onnxruntime", "DYNO_REQUIRE_ONNXRUNTIME"),
    ("openvino", "DYNO_REQUIRE_OPENVINO"),
];

/// Engines, one after another. While it lives no other test has any: OpenCV has one number of
/// threads for the whole process, and refuses a second.
pub(crate) struct Engines {
    rows: std::vec::IntoIter<&'static dyn Backend>,
    _alone: MutexGuard<'static, ()>,
}

impl Iterator for Engines {
    type Item = &'static dyn Backend;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

/// No other test has engines while this lives.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that failed leaves no engine behind.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The engines that compute and can run here. An absent feature is said; a missing library too,
/// and where its variable is 1 it is a failure.
pub(crate) fn engines() -> Engines {
    let alone = alone();
    Engines {
        rows: rows().into_iter(),
        _alone: alone,
    }
}

fn rows() -> Vec<&'static dyn Backend> {
    for id in ABSENT {
        eprintln!("not compiled in: {id}");
    }
    BACKENDS
        .iter()
        .copied()
        .filter(|b| b.id() != "null" && usable(*b))
        .collect()
}

/// The engine `id`, if it was compiled in and can run here; for tests that are [`alone`], or open
/// no models of OpenCV.
pub(crate) fn engine(id: &str) -> Option<&'static dyn Backend> {
    rows().into_iter().find(|b| b.id() == id)
}

fn usable(backend: &dyn Backend) -> bool {
    let availability = backend.probe();
    let Some(problem) = availability.first_problem() else {
        return true;
    };
    let id = backend.id();
    let Some((_, variable)) = OPENED.iter().find(|(opened, _)| *opened == id) else {
        panic!("a built-in engine cannot run: {problem}");
    };
    assert!(
        std::env::var_os(variable).is_none_or(|v| v != "1"),
        "{id} is required: {problem}"
    );
    say(&format!("skipped: no {id} library"));
    false
}

/// One line that is seen also when a test passes: `eprintln` would be swallowed by the runner.
pub(crate) fn say(line: &str) {
    std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes())
        .expect("standard error");
}

/// The folder of models of the assets, which are not part of the repository.
pub(crate) fn models() -> Option<PathBuf> {
    let root = std::env::var_os("DYNO_ASSETS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/assets"),
        PathBuf::from,
    );
    let models = root.join("models");
    if models.is_dir() {
        return Some(models);
    }
    assert!(
        std::env::var_os("DYNO_REQUIRE_ASSETS").is_none_or(|v| v != "1"),
        "assets are required, `{}` is no folder",
        models.display()
    );
    say("skipped: no assets");
    None
}

pub(crate) fn null() -> &'static dyn Backend {
    lookup("backend", BACKENDS, "null").expect("null is always there")
}

pub(crate) fn here(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(relative)
}

/// The stored case `name` is on the engine's list of those that must pass.
pub(crate) fn passes(id: &str, name: &str) -> bool {
    let list = std::fs::read_to_string(here("expected").join(format!("{id}.txt")))
        .expect("every engine has a list");
    list.lines().any(|l| l == name)
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

/// A model of any framework: the model file and, where there is one, its second.
pub(crate) fn source(framework: Framework, files: &[PathBuf]) -> ModelSource {
    let roles = [FileRole::Model, FileRole::Config];
    ModelSource {
        framework,
        files: files
            .iter()
            .zip(roles)
            .map(|(path, role)| ModelFile {
                role,
                content: ModelContent::Path(path.clone()),
            })
            .collect(),
    }
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
