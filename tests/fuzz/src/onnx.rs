//! ONNX files: the walk that comes before every engine, what a file declares, and weights that lie
//! in other files.
//!
//! Whatever the bytes are: memory grows with the file and not with what it claims; what is accepted
//! has inputs and outputs and says the same twice; with its weights put in, it is a file that is
//! accepted again, declares the same, and needs no other file.

use crate::{Target, place::put};
use dyno_core::{FileRole, Framework, ModelContent, ModelFile, ModelSource};
use dyno_formats::{
    FormatError,
    onnx::{GraphFacts, OnnxFile, external_files},
};
use std::{
    cell::OnceCell,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

pub(crate) const TARGET: Target = Target {
    check,
    seeds,
    words: &[
        "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x01",
        "\\xf4\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x01",
        "location",
        "offset",
        "length",
        "external.onnx.data",
        "external_weights/k.bin",
        "../outside",
        "Constant",
        "QLinearConv",
    ],
};

/// Memory of reading: this, and [`BYTES_PER_BYTE`] for each byte of the file.
const BASE_BYTES: u64 = 1 << 20;
const BYTES_PER_BYTE: u64 = 512;
/// Files with weights that the seeds name.
const WEIGHTS: [&str; 3] = [
    "external.onnx.data",
    "external_weights/k.bin",
    "external_weights/v.bin",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../harness/backends/tests/fixtures")
}

/// The small models that engines are tested with.
fn seeds() -> Vec<Vec<u8>> {
    let entries = fs::read_dir(fixtures()).expect("the fixtures are committed");
    let paths = entries.map(|e| e.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|p| p.extension().is_some_and(|e| e == "onnx"))
        .collect();
    paths.sort();
    let mut seeds: Vec<Vec<u8>> = paths.iter().map(|p| fs::read(p).expect("a file")).collect();
    // An endless number, and more nesting than a stack holds.
    seeds.push(vec![0xff; 11]);
    seeds.push([0x3a, 0x7e].repeat(63));
    seeds
}

thread_local! {
    static PLACE: OnceCell<TempDir> = const { OnceCell::new() };
}

fn check(bytes: &[u8]) -> bool {
    let mut read = None;
    let memory = allocation_counter::measure(|| read = Some(GraphFacts::read(bytes)));
    let (max, allowed) = (
        memory.bytes_max,
        BASE_BYTES + BYTES_PER_BYTE * bytes.len() as u64,
    );
    assert!(
        max <= allowed,
        "{max} bytes of memory for a file of {}",
        bytes.len()
    );
    let facts = match read.expect("measured once") {
        Ok(facts) => facts,
        Err(error) => {
            if let FormatError::Onnx { offset, .. } = &error {
                assert!(*offset <= bytes.len(), "{error}");
            }
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    assert!(!facts.inputs.is_empty() && !facts.outputs.is_empty());
    let in_memory = source(ModelContent::Bytes(Arc::new(bytes.to_vec())), Vec::new());
    if facts.external.is_empty() {
        let file = OnnxFile::read(&in_memory).expect("a complete file");
        assert_eq!((&*file.bytes, &file.facts), (bytes, &facts));
    } else {
        assert!(
            OnnxFile::read(&in_memory).is_err(),
            "weights out of nowhere"
        );
        PLACE.with(|place| {
            let place = place.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
            with_weights(place.path(), bytes, &facts);
        });
    }
    true
}

/// The same bytes in a folder with weights.
fn with_weights(folder: &Path, bytes: &[u8], facts: &GraphFacts) {
    let weights = WEIGHTS.map(|name| {
        let path = folder.join(name);
        if !path.exists() {
            fs::create_dir_all(path.parent().expect("inside a folder")).expect("a folder");
            fs::copy(fixtures().join(name), &path).expect("the fixtures are committed");
        }
        path
    });
    let model = folder.join("model.onnx");
    put(&model, Some(bytes));
    let listed = external_files(&model);
    let source = source(ModelContent::Path(model), weights.to_vec());
    let Ok(file) = OnnxFile::read(&source) else {
        return;
    };
    assert_eq!(&file.facts, facts);
    for path in listed.expect("what loads can be listed") {
        let real = fs::canonicalize(&path).expect("it was read");
        let known = weights
            .iter()
            .any(|w| fs::canonicalize(w).is_ok_and(|w| w == real));
        assert!(known, "{}", path.display());
    }
    let whole = GraphFacts::read(&file.bytes).expect("with its weights in it, it is still a model");
    assert_eq!(whole.external, []);
    assert_eq!(
        (whole.inputs, whole.outputs),
        (facts.inputs.clone(), facts.outputs.clone())
    );
    assert_eq!(whole.precision, facts.precision);
}

fn source(model: ModelContent, weights: Vec<PathBuf>) -> ModelSource {
    let weights = weights.into_iter().map(|path| ModelFile {
        role: FileRole::Weights,
        content: ModelContent::Path(path),
    });
    let model = ModelFile {
        role: FileRole::Model,
        content: model,
    };
    ModelSource {
        framework: Framework::Onnx,
        files: std::iter::once(model).chain(weights).collect(),
    }
}
