//! Imports a model and says how long that took and how much memory it needed:
//! `cargo run --release -p dyno-hub --example import -- FRAMEWORK FILE… [-o OUT.onnx]`.
//!
//! The first file is the model, the second, if there is one, its configuration or weights
//! (`FileRole::Config`). With `-p NAME=VALUE` a parameter of the importer is set, with `--in-graph`
//! decoding heads become part of the graph.
#![expect(
    clippy::print_stdout,
    reason = "a program whose results are for the terminal"
)]

use dyno_core::{FileRole, Framework, ImportOptions, ModelContent, ModelFile};
use dyno_hub::{IMPORTERS, graph::Graph};
use std::{env, error::Error, fs, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = ImportOptions::default();
    let (mut files, mut out, mut framework) = (Vec::new(), None, None);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-o" => out = arguments.next(),
            "--in-graph" => options.in_graph = true,
            "-p" => {
                let pair = arguments.next().unwrap_or_default();
                let (name, value) = pair.split_once('=').ok_or("-p needs NAME=VALUE")?;
                options.parameters.insert(name.to_owned(), value.to_owned());
            }
            "-s" => {
                let pair = arguments.next().unwrap_or_default();
                let (name, shape) = pair.split_once('=').ok_or("-s needs NAME=D,D,…")?;
                let shape: Result<Vec<usize>, _> = shape.split(',').map(str::parse).collect();
                options.shapes.insert(name.to_owned(), shape?);
            }
            _ if framework.is_none() => framework = Some(argument.parse::<Framework>()?),
            _ => files.push(argument),
        }
    }
    let framework = framework.ok_or("usage: import FRAMEWORK FILE… [-o OUT.onnx]")?;
    let importer = IMPORTERS
        .iter()
        .find(|i| i.framework() == framework)
        .ok_or_else(|| format!("no importer reads {framework}"))?;
    let mut bytes = 0;
    let mut roles = [FileRole::Model, FileRole::Config].into_iter();
    let files = files
        .into_iter()
        .map(|path| {
            bytes += fs::metadata(&path)?.len();
            Ok(ModelFile {
                role: roles.next().ok_or("two files at most")?,
                content: ModelContent::Path(path.into()),
            })
        })
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let before = peak_bytes();
    let began = Instant::now();
    let imported = importer.import(&files, &options)?;
    let seconds = began.elapsed().as_secs_f64();
    let peak = peak_bytes();
    println!(
        "{seconds:.3} s, {bytes} bytes in, {} bytes out",
        imported.onnx.len()
    );
    match (before, peak) {
        (Some(before), Some(peak)) => println!(
            "peak memory {peak} bytes, {before} before the import: {:.2} × the model",
            (peak - before) as f64 / bytes as f64
        ),
        _ => println!("peak memory: not known on this system"),
    }
    for note in &imported.says.notes {
        println!("note: {note}");
    }
    if let Some(decoder) = &imported.says.decoder {
        println!("decoder: {}", decoder.kind);
    }
    if let Some(out) = out {
        fs::write(&out, &imported.onnx)?;
    }
    let graph = Graph::from_onnx(imported.onnx)?;
    println!("{} nodes", graph.nodes.len());
    for value in graph.inputs.iter().chain(&graph.outputs) {
        println!("{value:?}");
    }
    Ok(())
}

/// Most memory that this process ever had (`VmHWM` of Linux).
fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}
