//! What slots cost: time to open a model, memory, and whether every slot computes the same bits.
//!
//! ```text
//! cargo run --release -p dyno-backends --features tract,rten,onnxruntime --example slots -- \
//!     tract squeezenet1.1.onnx 8            # one model, eight slots
//!     tract squeezenet1.1.onnx 8 each       # a model of its own for each slot, to compare
//! ```
//!
//! One line: engine, slots, milliseconds to open and to make the slots, resident memory (MiB) when
//! open and after each slot ran three times side by side, and a hash of the outputs.
#![expect(clippy::print_stdout, reason = "an example prints what it found")]

use dyno_backends::BACKENDS;
use dyno_core::{
    FileRole, Framework, Model, ModelContent, ModelFile, ModelSource, NamedTensor, OpenConfig,
    Slot, Tensor, TensorSet, TensorSliceMut, lookup, sha256_hex,
};
use std::{error::Error, sync::Arc, thread, time::Instant};

/// Runs of each slot.
const RUNS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (engine, path, count, each) = match arguments.as_slice() {
        [engine, path, count] => (engine, path, count.parse::<usize>()?, false),
        [engine, path, count, mode] if mode == "each" => (engine, path, count.parse()?, true),
        _ => return Err("usage: slots ENGINE MODEL COUNT [each]".into()),
    };
    let backend = lookup("backend", BACKENDS, engine)?;
    let source = ModelSource {
        framework: Framework::Onnx,
        files: vec![ModelFile {
            role: FileRole::Model,
            content: ModelContent::Path(path.into()),
        }],
    };
    let config = OpenConfig {
        slots: if each { 1 } else { u32::try_from(count)? },
        ..OpenConfig::default()
    };
    let before = Instant::now();
    let models = (0..if each { count } else { 1 })
        .map(|_| backend.open(&source, &config))
        .collect::<Result<Vec<_>, _>>()?;
    let mut slots: Vec<(Arc<dyn Model>, Box<dyn Slot>)> = Vec::new();
    for number in 0..count {
        let model = models.get(number).or(models.first()).ok_or("no model")?;
        slots.push((Arc::clone(model), model.slot()?));
    }
    let opened = before.elapsed();
    let memory = resident_mib()?;
    let hashes = thread::scope(|scope| {
        let running: Vec<_> = slots
            .iter_mut()
            .map(|(model, slot)| scope.spawn(move || run(model.as_ref(), slot.as_mut())))
            .collect();
        running
            .into_iter()
            .map(|r| r.join().map_err(|_| "a slot panicked".to_owned())?)
            .collect::<Result<Vec<_>, String>>()
    })?;
    let first = hashes.first().ok_or("no slot")?;
    if hashes.iter().any(|h| h != first) {
        return Err("the slots computed different bits".into());
    }
    println!(
        "{engine} {count} {} {:.0} ms, {memory:.1} MiB open, {:.1} MiB after runs, {}",
        if each { "models" } else { "slots" },
        opened.as_secs_f64() * 1e3,
        resident_mib()?,
        first.get(..12).unwrap_or(first)
    );
    Ok(())
}

fn run(model: &dyn Model, slot: &mut dyn Slot) -> Result<String, String> {
    let inputs = TensorSet {
        tensors: model
            .io()
            .inputs
            .iter()
            .map(|info| {
                let shape = info.fixed_shape().ok_or("an open shape")?;
                let mut tensor = Tensor::zeros(shape, info.dtype).map_err(|e| e.to_string())?;
                fill(&mut tensor);
                Ok(NamedTensor {
                    name: info.name.clone(),
                    tensor,
                    quantization: None,
                })
            })
            .collect::<Result<_, String>>()?,
    };
    let mut bytes = Vec::new();
    for _ in 0..RUNS {
        slot.run(&inputs).map_err(|e| e.to_string())?;
        bytes.clear();
        for output in 0..model.io().outputs.len() {
            bytes.extend(slot.output(output).to_le_bytes());
        }
    }
    Ok(sha256_hex(&bytes))
}

/// A ramp, so that the model computes something.
fn fill(tensor: &mut Tensor) {
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
}

/// `VmRSS` of this process.
fn resident_mib() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kib: f64 = line
        .and_then(|l| l.split_whitespace().next())
        .ok_or("no VmRSS")?
        .parse()?;
    Ok(kib / 1024.0)
}
