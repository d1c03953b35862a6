//! Darknet's models on ONNX Runtime and rten give what OpenCV and both forks of Darknet
//! compute (`reference/darknet.py`), and OpenCV's own test nets their stored outputs.

use crate::support::{
    assets::assets,
    compare::close,
    engines::{Engine, engines, run},
    expected::{Outcome, check_suite},
    npy::{read_npy, tensor},
};
use dyno_core::{
    FileRole, ImportError, ImportOptions, Imported, Importer, ModelContent, ModelFile, Tensor,
};
use dyno_hub::import::Darknet;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

const TOLERANCE: f32 = 1e-4;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

fn reference() -> Value {
    let bytes = fs::read(folder().join("darknet.json")).expect("a fixture");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// As in the script: pseudo-random f32 in [0, 1) with 24 bits.
fn elements(count: usize, seed: u64) -> impl Iterator<Item = f32> {
    let one = move |i: u64| {
        let mut u = (i * 2_654_435_761 + seed * 40503) & 0xFFFF_FFFF;
        u ^= u >> 15;
        u = (u * 2_246_822_519) & 0xFFFF_FFFF;
        u ^= u >> 13;
        (u >> 8) as f32 / 16_777_216.0
    };
    (0..count as u64).map(one)
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a count")).expect("a small one")
}

fn shape(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(count)
        .collect()
}

/// The file of weights that the script made.
fn weights(parts: &Value, seed: u64) -> Vec<u8> {
    let parts = parts.as_array().expect("parts");
    let total = parts.iter().map(|p| count(&p[0])).sum();
    let mut raw = elements(total, seed);
    let mut bytes: Vec<u8> = [0i32, 2, 5, 0, 0]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    for part in parts {
        let (factor, shift) = (number(&part[1]) as f32, number(&part[2]) as f32);
        for value in raw.by_ref().take(count(&part[0])) {
            bytes.extend_from_slice(&(value * factor + shift).to_le_bytes());
        }
    }
    bytes
}

/// Where the cfg of a net is, and its weights.
fn files(name: &str, net: &Value) -> Option<[ModelFile; 2]> {
    let own = folder().join(format!("darknet/{name}.cfg"));
    let (cfg, weights) = if net["weights"].is_null() {
        let models = fs::read_dir(assets("models/darknet")?).expect("a folder");
        let of = |e: fs::DirEntry| e.path().join(format!("{name}.cfg"));
        let cfg = models
            .map(|e| of(e.expect("an entry")))
            .find(|p| p.is_file());
        let cfg = cfg.unwrap_or_else(|| panic!("no model {name}"));
        let weights = ModelContent::Path(cfg.with_extension("weights"));
        (cfg, weights)
    } else {
        let cfg = if own.is_file() {
            own
        } else {
            assets("conformance/opencv_extra_dnn")?.join(format!("{name}.cfg"))
        };
        let seed = net["seed"].as_u64().expect("a seed");
        let bytes = weights(&net["weights"], seed);
        (cfg, ModelContent::Bytes(Arc::new(bytes)))
    };
    Some([
        ModelFile {
            role: FileRole::Model,
            content: weights,
        },
        ModelFile {
            role: FileRole::Config,
            content: ModelContent::Path(cfg),
        },
    ])
}

fn import(files: &[ModelFile], epsilon: &str, in_graph: bool) -> Result<Imported, ImportError> {
    let parameters = [("epsilon".to_owned(), epsilon.to_owned())].into();
    let options = ImportOptions {
        in_graph,
        parameters,
        ..ImportOptions::default()
    };
    Darknet.import(files, &options)
}

/// A tensor is what the script summed up.
fn agrees(summary: &Value, got: &Tensor, tolerance: f32) -> Outcome {
    let got = got.view().to_f32_vec();
    let step = count(&summary["step"]);
    let expected = summary["values"].as_array().expect("a list");
    let expected: Vec<f32> = expected.iter().map(|v| number(v) as f32).collect();
    let some: Vec<f32> = got.iter().step_by(step).copied().collect();
    if expected.len() != some.len() {
        return Err(format!(
            "{} numbers, expected {}",
            some.len(),
            expected.len()
        ));
    }
    let n = expected.len();
    close(&tensor(&[n], &expected), &tensor(&[n], &some), tolerance)?;
    let distance: f64 = got.iter().map(|v| f64::from(v.abs())).sum::<f64>() / got.len() as f64;
    let wanted = number(&summary["mean_distance"]);
    if (distance - wanted).abs() <= f64::from(tolerance) * wanted {
        Ok(())
    } else {
        Err(format!(
            "mean distance from 0 is {distance}, expected {wanted}"
        ))
    }
}

fn outputs(engine: Engine, onnx: &[u8], input: &Tensor) -> Result<Vec<Tensor>, String> {
    let all = run(engine, onnx, &[("data", input)])?;
    Ok(all.into_iter().map(|(_, tensor)| tensor).collect())
}

/// One net on one engine, against everything that the fixture has of it.
fn check(engine: Engine, files: &[ModelFile], net: &Value) -> Outcome {
    let dims = shape(&net["input"]);
    let seed = net["seed"].as_u64().expect("a seed");
    let values: Vec<f32> = elements(dims.iter().product(), 1000 + seed).collect();
    let input = tensor(&dims, &values);
    let mut compared = 0;
    for (reference, epsilon) in [
        ("opencv", "1e-6"),
        ("darknet", "1e-5"),
        ("pjreddie", "pjreddie"),
    ] {
        let imported = import(files, epsilon, false).map_err(|e| e.to_string())?;
        let found = outputs(engine, &imported.onnx, &input)?;
        let expected = net["outputs"].as_array().expect("a list");
        if found.len() != expected.len() || imported.says.outputs.len() != expected.len() {
            return Err(format!(
                "{} outputs, expected {}",
                found.len(),
                expected.len()
            ));
        }
        for (got, expected) in found.iter().zip(expected) {
            if got.shape() != shape(&expected["shape"]) {
                return Err(format!(
                    "shape {:?}, expected {}",
                    got.shape(),
                    expected["shape"]
                ));
            }
            if expected[reference].is_null() {
                continue;
            }
            let outcome = agrees(&expected[reference], got, TOLERANCE);
            outcome.map_err(|e| format!("{reference}, layer {}: {e}", expected["layer"]))?;
            compared += 1;
        }
    }
    if compared == 0 {
        return Err("nothing was compared".to_owned());
    }
    if !net["boxes"].is_null() {
        let imported = import(files, "1e-6", true).map_err(|e| e.to_string())?;
        let found = outputs(engine, &imported.onnx, &input)?;
        let [boxes] = found.as_slice() else {
            return Err("one output of boxes was expected".to_owned());
        };
        agrees(&net["boxes"], boxes, TOLERANCE).map_err(|e| format!("boxes: {e}"))?;
    }
    Ok(())
}

#[test]
fn nets_give_what_opencv_and_darknet_compute() {
    let reference = reference();
    let nets = reference["nets"].as_object().expect("nets");
    assert_eq!(nets.len(), 19);
    for engine in engines() {
        let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
        for (name, net) in nets {
            let Some(files) = files(name, net) else {
                return;
            };
            outcomes.insert(name.clone(), check(engine, &files, net));
        }
        check_suite(&format!("darknet-{}", engine.name()), &outcomes);
    }
}

/// A planted fault: with another epsilon the same comparison fails.
#[test]
fn the_comparison_tells_epsilons_apart() {
    let reference = reference();
    let net = &reference["nets"]["yolo-fastest-1.1"];
    let Some(files) = files("yolo-fastest-1.1", net) else {
        return;
    };
    let dims = shape(&net["input"]);
    let seed = net["seed"].as_u64().expect("a seed");
    let values: Vec<f32> = elements(dims.iter().product(), 1000 + seed).collect();
    let imported = import(&files, "1e-5", false).expect("a model");
    let found = outputs(Engine::Rten, &imported.onnx, &tensor(&dims, &values)).expect("runs");
    let against = |which: &str| agrees(&net["outputs"][0][which], &found[0], TOLERANCE);
    assert_eq!(against("darknet"), Ok(()));
    assert!(against("opencv").is_err());
    assert!(against("pjreddie").is_err());
}

/// Nets without weights whose inputs and outputs OpenCV stores.
#[test]
fn conformance_nets_give_their_stored_outputs() {
    let Some(folder) = assets("conformance/opencv_extra_dnn/darknet") else {
        return;
    };
    for name in ["reorg", "shortcut"] {
        let array = |kind: &str| read_npy(&folder.join(format!("{name}_{kind}.npy")));
        let files = [
            ModelFile {
                role: FileRole::Config,
                content: ModelContent::Path(folder.join(format!("{name}.cfg"))),
            },
            ModelFile {
                role: FileRole::Model,
                content: ModelContent::Bytes(Arc::new(vec![0; 16])),
            },
        ];
        let imported = import(&files, "1e-6", false).expect("a model");
        for engine in engines() {
            let found = outputs(engine, &imported.onnx, &array("in"))
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(close(&array("out"), &found[0], 0.0), Ok(()), "{name}");
        }
    }
}
