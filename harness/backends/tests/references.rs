//! Real models that are not ONNX files, and those that OpenCV reads: every engine that reads a file
//! gives what an independent reference has computed (`fixtures/make_assets.py`). The models are not
//! part of the repository.

use crate::support::{alone, engine, here, models, source};
use dyno_core::{DType, Framework, Model, NamedTensor, OpenConfig, Tensor, TensorData, TensorSet};
use serde::Deserialize;
use std::fs;

#[derive(Deserialize)]
struct Stored {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    framework: Framework,
    files: Vec<String>,
    engines: Vec<String>,
    reference: String,
    shape: Vec<usize>,
    dtype: DType,
    low: f64,
    high: f64,
    tolerance: f64,
    outputs: Vec<Kept>,
}

#[derive(Deserialize)]
struct Kept {
    /// Numbers of a detection, which may stand in any order; 0 where the order counts.
    row: usize,
    name: String,
    shape: Vec<usize>,
    largest: f64,
    at: Vec<usize>,
    values: Vec<f64>,
}

/// Value number i, as the script makes it.
fn value(row: &Row, i: usize) -> f64 {
    let unit = (i as u64 * 2_654_435_761 % 1000) as f64 / 999.0;
    row.low + (row.high - row.low) * unit
}

fn input(row: &Row, model: &dyn Model) -> TensorSet {
    let count = row.shape.iter().product();
    let data = match row.dtype {
        DType::U8 => TensorData::U8(
            (0..count)
                .map(|i| value(row, i).round_ties_even() as u8)
                .collect(),
        ),
        _ => TensorData::F32((0..count).map(|i| value(row, i) as f32).collect()),
    };
    TensorSet {
        tensors: vec![NamedTensor {
            name: model.io().inputs[0].name.clone(),
            tensor: Tensor::new(row.shape.clone(), data).expect("as many values as the shape says"),
            quantization: None,
        }],
    }
}

fn check(row: &Row, id: &str, model: &dyn Model) -> Result<f64, String> {
    let mut slot = model.slot().map_err(|e| e.to_string())?;
    slot.run(&input(row, model)).map_err(|e| e.to_string())?;
    if model.io().outputs.len() != row.outputs.len() {
        return Err(format!("{} outputs", model.io().outputs.len()));
    }
    let mut worst: f64 = 0.0;
    for (number, kept) in row.outputs.iter().enumerate() {
        // A reference that is the same library names them alike.
        let index = model
            .io()
            .outputs
            .iter()
            .position(|o| o.name == kept.name)
            .unwrap_or(number);
        let view = slot.output(index);
        if view.shape() != kept.shape {
            return Err(format!(
                "output `{}` has shape {:?}, {} has {:?}",
                kept.name,
                view.shape(),
                row.reference,
                kept.shape
            ));
        }
        let found = view.to_f32_vec();
        if kept.row > 0 {
            worst = worst.max(unordered(kept, &found));
            continue;
        }
        for (&at, &want) in kept.at.iter().zip(&kept.values) {
            let off = (f64::from(found[at]) - want).abs() / kept.largest;
            worst = if off.is_nan() {
                f64::INFINITY
            } else {
                worst.max(off)
            };
        }
    }
    if worst > row.tolerance {
        return Err(format!(
            "{id} is off by {worst:e} of the largest value of {}",
            row.reference
        ));
    }
    Ok(worst)
}

/// The largest distance of a detection of the reference to the nearest one that was found, as a
/// share of the largest value.
fn unordered(kept: &Kept, found: &[f32]) -> f64 {
    let far = |want: &[f64], found: &[f32]| {
        want.iter()
            .zip(found)
            .map(|(a, &b)| (a - f64::from(b)).abs())
            .fold(0.0, f64::max)
    };
    kept.values
        .chunks(kept.row)
        .map(|want| {
            found
                .chunks(kept.row)
                .map(|found| far(want, found))
                .fold(f64::INFINITY, f64::min)
        })
        .fold(0.0, f64::max)
        / kept.largest
}

#[test]
fn engines_give_what_references_computed() {
    let _alone = alone();
    let Some(models) = models() else { return };
    let text = fs::read_to_string(here("fixtures/assets.json")).expect("committed");
    let stored: Stored = serde_json::from_str(&text).expect("made by the script");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for row in &stored.rows {
        let files: Vec<_> = row.files.iter().map(|f| models.join(f)).collect();
        for id in &row.engines {
            let Some(backend) = engine(id) else { continue };
            assert!(backend.reads().contains(&row.framework), "{id}");
            let opened = backend.open(&source(row.framework, &files), &OpenConfig::default());
            let opened = match opened {
                // Some files leave the size of their input open.
                Err(e) if e.to_string().contains("--shape") => {
                    let name = e.to_string();
                    let name = name.split('`').nth(1).unwrap_or("").to_owned();
                    let config = OpenConfig {
                        shapes: [(name, row.shape.clone())].into(),
                        ..OpenConfig::default()
                    };
                    backend.open(&source(row.framework, &files), &config)
                }
                other => other,
            };
            seen += 1;
            let name = &row.files[0];
            match opened
                .map_err(|e| e.to_string())
                .and_then(|m| check(row, id, m.as_ref()))
            {
                Ok(off) => eprintln!("{name}: {id} is off {} by {off:e}", row.reference),
                Err(e) => wrong.push(format!("{name} against {}: {id}: {e}", row.reference)),
            }
        }
    }
    eprintln!("{seen} of {} rows were tried", stored.rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
