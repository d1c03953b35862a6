//! Real ONNX files, read and written: engines give the same numbers for both.

use crate::support::{
    assets::assets,
    compare::close,
    engines::{engines, run, run_one},
    expected::{Outcome, check_suite},
    npy::{read_npy, tensor},
};
use dyno_core::{Dimension, Tensor};
use dyno_hub::graph::{ElementType, Graph};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// ONNX files below `folder`, by name.
pub(crate) fn onnx_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(onnx_files(&path));
        } else if path.extension().is_some_and(|e| e == "onnx") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Inputs in [0, 1) that fit a graph; open dimensions are 1.
pub(crate) fn inputs_for(graph: &Graph) -> Vec<(String, Tensor)> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    graph
        .inputs
        .iter()
        .map(|input| {
            let axes = input.shape.as_deref().unwrap_or_default().iter();
            let shape: Vec<usize> = axes
                .map(|d| match d {
                    Dimension::Fixed(n) => *n,
                    Dimension::Symbolic(_) | Dimension::Unknown => 1,
                })
                .collect();
            let count = shape.iter().product();
            let reals: Vec<f32> = (0..count)
                .map(|_| (next() >> 40) as f32 / (1u64 << 24) as f32)
                .collect();
            let value = match input.dtype {
                Some(ElementType::U8) => {
                    let bytes = reals.iter().map(|r| (r * 256.0) as u8).collect();
                    Tensor::new(shape, dyno_core::TensorData::U8(bytes)).expect("bytes")
                }
                _ => tensor(&shape, &reals),
            };
            (input.name.clone(), value)
        })
        .collect()
}

#[test]
fn real_files_are_the_same_after_reading_and_writing() {
    let mut files = Vec::new();
    for part in ["models/onnx", "conformance/opencv_extra_dnn/onnx/models"] {
        let Some(folder) = assets(part) else { return };
        files.extend(onnx_files(&folder));
    }
    assert!(files.len() > 20, "{} files", files.len());
    let engines = engines();
    let mut ran = 0;
    for path in files {
        let name = path.display();
        let bytes = fs::read(&path).expect("a file");
        let graph = Graph::from_onnx(bytes.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let written = graph.to_onnx().unwrap_or_else(|e| panic!("{name}: {e}"));
        let again = Graph::from_onnx(written.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(again, graph, "{name}");
        let inputs = inputs_for(&graph);
        let inputs: Vec<(&str, &Tensor)> = inputs.iter().map(|(n, t)| (n.as_str(), t)).collect();
        for &engine in &engines {
            let after = run(engine, &written, &inputs);
            // What an engine cannot do with the original it cannot do with what was written.
            let Ok(before) = run(engine, &bytes, &inputs) else {
                assert!(after.is_err(), "{name} on {}", engine.name());
                continue;
            };
            ran += 1;
            let after = after.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(before, after, "{name} on {}", engine.name());
        }
    }
    assert!(ran > 15 * engines.len(), "{ran} runs could be compared");
}

/// OpenCV's own test nets: what was read and written again gives the stored outputs.
#[test]
fn conformance_nets_give_their_stored_outputs() {
    let Some(folder) = assets("conformance/opencv_extra_dnn/onnx") else {
        return;
    };
    for engine in engines() {
        let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
        for path in onnx_files(&folder.join("models")) {
            let name = path.file_stem().and_then(|s| s.to_str()).expect("a name");
            let array = |kind: &str| read_npy(&folder.join(format!("data/{kind}_{name}.npy")));
            let outcome = || -> Outcome {
                let bytes = fs::read(&path).map_err(|e| e.to_string())?;
                let graph = Graph::from_onnx(bytes).map_err(|e| e.to_string())?;
                let written = graph.to_onnx().map_err(|e| e.to_string())?;
                let outputs = run_one(engine, &written, &array("input"))?;
                let first = outputs.first().ok_or("no output")?;
                close(&array("output"), first, 1e-4)
            };
            outcomes.insert(name.to_owned(), outcome());
        }
        check_suite(&format!("onnx-{}", engine.name()), &outcomes);
    }
}
