//! How fast the engines of this build are on the same models, in turns.
//!
//! ```text
//! cargo run --release --example engines -p dyno -p dyno-backends -- THREADS ROUNDS MODEL.onnx …
//! ```
//!
//! In each round every engine runs the model for a tenth of a second or once, whatever is longer.
//! A row of Markdown a model: for each engine the median over the rounds of the fastest run of a
//! round, and the largest difference of outputs from the first engine's. Inputs are a ramp.
#![expect(clippy::print_stdout, reason = "an example prints what it found")]

use dyno_backends::BACKENDS;
use dyno_core::{
    Backend, FileRole, Framework, Model, ModelContent, ModelFile, ModelSource, NamedTensor,
    OpenConfig, Slot, Tensor, TensorSet, TensorSliceMut,
};
use std::{
    error::Error,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// Time of an engine in one round.
const SLICE: Duration = Duration::from_millis(100);

struct Engine {
    model: Arc<dyn Model>,
    slot: Box<dyn Slot>,
    fastest_ns: Vec<u128>,
    outputs: Vec<f32>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [threads, rounds, models @ ..] = arguments.as_slice() else {
        return Err("usage: engines THREADS ROUNDS MODEL.onnx …".into());
    };
    let (threads, rounds) = (threads.parse()?, rounds.parse::<usize>()?);
    let engines: Vec<&dyn Backend> = BACKENDS
        .iter()
        .copied()
        .filter(|b| b.computes() && b.reads().contains(&Framework::Onnx) && b.probe().usable())
        .collect();
    let ids: Vec<&str> = engines.iter().map(|b| b.id()).collect();
    println!(
        "| model, {threads} threads | {} | differences |",
        ids.join(" ms | ")
    );
    println!("|---{}|---|", "|---".repeat(ids.len()));
    for path in models {
        println!("{}", row(Path::new(path), &engines, threads, rounds));
    }
    Ok(())
}

fn row(path: &Path, engines: &[&dyn Backend], threads: u32, rounds: usize) -> String {
    let mut opened: Vec<Result<Engine, String>> =
        engines.iter().map(|b| open(*b, path, threads)).collect();
    for _ in 0..rounds {
        for engine in opened.iter_mut().filter_map(|e| e.as_mut().ok()) {
            if let Err(error) = round(engine) {
                println!("{}: {error}", path.display());
            }
        }
    }
    let reference = opened.iter().find_map(|e| e.as_ref().ok());
    let reference = reference.map_or_else(Vec::new, |e| e.outputs.clone());
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut cells = vec![name];
    let mut differences = Vec::new();
    for engine in &mut opened {
        match engine {
            Ok(engine) => {
                engine.fastest_ns.sort_unstable();
                let median = engine.fastest_ns.get(engine.fastest_ns.len() / 2);
                cells.push(format!(
                    "{:.2}",
                    median.map_or(f64::NAN, |ns| *ns as f64 / 1e6)
                ));
                let pairs = engine.outputs.iter().zip(&reference);
                let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                differences.push(format!("{most:.1e}"));
            }
            Err(reason) => cells.push(format!(
                "no: {}",
                reason.chars().take(60).collect::<String>()
            )),
        }
    }
    format!("| {} | {} |", cells.join(" | "), differences.join(", "))
}

fn open(backend: &dyn Backend, path: &Path, threads: u32) -> Result<Engine, String> {
    let source = ModelSource {
        framework: Framework::Onnx,
        files: vec![ModelFile {
            role: FileRole::Model,
            content: ModelContent::Path(path.to_owned()),
        }],
    };
    let config = OpenConfig {
        threads,
        ..OpenConfig::default()
    };
    let model = backend.open(&source, &config).map_err(|e| e.to_string())?;
    let mut slot = model.slot().map_err(|e| e.to_string())?;
    let inputs = inputs(model.as_ref())?;
    slot.run(&inputs).map_err(|e| e.to_string())?;
    let outputs = (0..model.io().outputs.len())
        .flat_map(|i| slot.output(i).to_f32_vec())
        .collect();
    Ok(Engine {
        model,
        slot,
        fastest_ns: Vec::new(),
        outputs,
    })
}

fn round(engine: &mut Engine) -> Result<(), String> {
    let inputs = inputs(engine.model.as_ref())?;
    let begun = Instant::now();
    let mut fastest = u128::MAX;
    while fastest == u128::MAX || begun.elapsed() < SLICE {
        let before = Instant::now();
        engine.slot.run(&inputs).map_err(|e| e.to_string())?;
        fastest = fastest.min(before.elapsed().as_nanos());
    }
    engine.fastest_ns.push(fastest);
    Ok(())
}

fn inputs(model: &dyn Model) -> Result<TensorSet, String> {
    let tensors = model.io().inputs.iter().map(|info| {
        let shape = info.fixed_shape().ok_or("an open shape")?;
        let mut tensor = Tensor::zeros(shape, info.dtype).map_err(|e| e.to_string())?;
        match tensor.data_mut().as_mut_slice() {
            TensorSliceMut::F32(values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    *value = (index % 255) as f32 / 255.0;
                }
            }
            TensorSliceMut::U8(values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    *value = (index % 255) as u8;
                }
            }
            _ => {}
        }
        Ok(NamedTensor {
            name: info.name.clone(),
            tensor,
            quantization: None,
        })
    });
    Ok(TensorSet {
        tensors: tensors.collect::<Result<_, String>>()?,
    })
}
