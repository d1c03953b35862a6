//! Stored cases (`fixtures/make_models.py`, `fixtures/make_external.py`) on every engine. `expected/<engine>.txt` lists the
//! cases that must pass; a case that is not listed must fail, so that a gain is noticed too.

use crate::support::{engines, from_bytes, from_path, here, with_weights};
use dyno_core::{Backend, Model, NamedTensor, OpenConfig, Slot, Tensor, TensorData, TensorSet};
use dyno_formats::onnx::external_files;
use serde::Deserialize;
use std::{collections::BTreeMap, fs};

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    tolerance: f64,
    batch: u32,
    shapes: BTreeMap<String, Vec<usize>>,
    select: Vec<String>,
    inputs: Vec<Stored>,
    outputs: Vec<Stored>,
}

#[derive(Deserialize)]
struct Stored {
    name: String,
    dtype: String,
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Stored {
    fn tensor(&self) -> NamedTensor {
        let data = match self.dtype.as_str() {
            "f32" => TensorData::F32(self.values.iter().map(|&v| v as f32).collect()),
            "u8" => TensorData::U8(self.values.iter().map(|&v| v as u8).collect()),
            "i64" => TensorData::I64(self.values.iter().map(|&v| v as i64).collect()),
            other => panic!("no case has {other}"),
        };
        NamedTensor {
            name: self.name.clone(),
            tensor: Tensor::new(self.shape.clone(), data).expect("stored tensors are whole"),
            quantization: None,
        }
    }
}

fn cases() -> Vec<Case> {
    let files = ["cases.json", "external.json"].map(|file| {
        let path = here("fixtures").join(file);
        let text = fs::read_to_string(path).expect("the cases are committed");
        let cases: Cases = serde_json::from_str(&text).expect("made by the script");
        assert!(!cases.cases.is_empty());
        cases.cases
    });
    files.into_iter().flatten().collect()
}

/// What went wrong, if anything did.
fn check(
    backend: &dyn Backend,
    case: &Case,
    threads: u32,
    slots: u32,
    in_memory: bool,
) -> Result<(), String> {
    let path = here("fixtures").join(&case.file);
    let weights = external_files(&path).map_err(|e| e.to_string())?;
    let source = if in_memory && weights.is_empty() {
        from_bytes(fs::read(&path).map_err(|e| e.to_string())?)
    } else {
        with_weights(&path, weights)
    };
    let config = OpenConfig {
        threads,
        slots,
        batch: case.batch,
        shapes: case.shapes.clone(),
        outputs: case.select.clone(),
        ..OpenConfig::default()
    };
    let model = backend.open(&source, &config).map_err(|e| e.to_string())?;
    let names: Vec<&str> = model.io().inputs.iter().map(|i| i.name.as_str()).collect();
    let wanted: Vec<&str> = case.inputs.iter().map(|i| i.name.as_str()).collect();
    if names != wanted {
        return Err(format!("inputs {names:?}, expected {wanted:?}"));
    }
    for _ in 0..slots {
        let mut slot = model.slot().map_err(|e| e.to_string())?;
        // Twice: buffers are reused between runs.
        for _ in 0..2 {
            check_run(model.as_ref(), slot.as_mut(), case)?;
        }
    }
    let facts = model.facts();
    if (facts.backend.as_str(), facts.threads, facts.batch) != (backend.id(), threads, case.batch)
        || facts.precision.is_empty()
    {
        return Err(format!("facts {facts:?}"));
    }
    for stored in &case.inputs {
        if facts.shapes.get(&stored.name) != Some(&stored.shape) {
            return Err(format!("shapes {:?}", facts.shapes));
        }
    }
    Ok(())
}

fn check_run(model: &dyn Model, slot: &mut dyn Slot, case: &Case) -> Result<(), String> {
    let inputs = TensorSet {
        tensors: case.inputs.iter().map(Stored::tensor).collect(),
    };
    slot.run(&inputs).map_err(|e| e.to_string())?;
    if model.io().outputs.len() != case.outputs.len() {
        return Err(format!("{} outputs", model.io().outputs.len()));
    }
    for (index, want) in case.outputs.iter().enumerate() {
        let (info, view) = (&model.io().outputs[index], slot.output(index));
        let dtypes = (info.dtype.to_string(), view.dtype().to_string());
        if info.name != want.name
            || dtypes != (want.dtype.clone(), want.dtype.clone())
            || view.shape() != want.shape
        {
            return Err(format!(
                "output {index} is `{}` {dtypes:?} {:?}",
                info.name,
                view.shape()
            ));
        }
        if info.fixed_shape().is_some_and(|s| s != want.shape) {
            return Err(format!(
                "output `{}` was announced as {:?}",
                info.name, info.shape
            ));
        }
        let worst = view
            .to_f32_vec()
            .iter()
            .zip(&want.values)
            .map(|(&a, &b)| (f64::from(a) - b).abs())
            .fold(0.0, f64::max);
        if worst.is_nan() || worst > case.tolerance {
            return Err(format!("output `{}` is off by {worst}", info.name));
        }
    }
    Ok(())
}

#[test]
fn every_engine_passes_the_cases_of_its_list() {
    for backend in engines() {
        let list = fs::read_to_string(here("expected").join(format!("{}.txt", backend.id())))
            .expect("every engine has a list");
        let expected: Vec<&str> = list.lines().filter(|l| !l.is_empty()).collect();
        let cases = cases();
        for name in &expected {
            assert!(
                cases.iter().any(|c| c.name == *name),
                "{}: no case is called {name}",
                backend.id()
            );
        }
        let mut wrong = Vec::new();
        for case in &cases {
            for (threads, slots, in_memory) in
                [(1, 1, false), (2, 1, true), (1, 2, false), (2, 2, true)]
            {
                let result = check(backend, case, threads, slots, in_memory);
                if result.is_ok() != expected.contains(&case.name.as_str()) {
                    wrong.push(format!(
                        "{} {} threads={threads} slots={slots}: {result:?}",
                        backend.id(),
                        case.name
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn precision_is_told_and_cannot_be_changed() {
    use dyno_core::Precision;
    for backend in engines() {
        let open = |file: &str, precision| {
            let config = OpenConfig {
                precision,
                ..OpenConfig::default()
            };
            backend
                .open(&from_path(&here("fixtures").join(file)), &config)
                .map(|m| m.facts().precision)
                .map_err(|e| e.to_string())
        };
        assert_eq!(
            open("conv_relu.onnx", Precision::F32),
            Ok("f32".to_owned()),
            "{}",
            backend.id()
        );
        match open("qdq.onnx", Precision::Native) {
            Ok(precision) => assert_eq!(precision, "int8", "{}", backend.id()),
            // OpenCV 4.6 opens no such file (`expected/opencv.txt`).
            Err(e) => assert_eq!(backend.id(), "opencv", "{e}"),
        }
        for (file, precision) in [
            ("qdq.onnx", Precision::F32),
            ("conv_relu.onnx", Precision::F16),
            ("conv_relu.onnx", Precision::Int8),
        ] {
            if backend.id() == "openvino" && precision == Precision::F16 {
                // It computes in what it is asked for, where the device can (`openvino.rs`).
                continue;
            }
            let error = open(file, precision).expect_err("not this model's arithmetic");
            assert!(
                error.contains("does not support precision"),
                "{}: {error}",
                backend.id()
            );
        }
    }
}
