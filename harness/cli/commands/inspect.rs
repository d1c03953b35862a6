//! `dyno inspect`: what a model file is made of and what it costs, without an engine.

use crate::{
    commands::description::DescriptionArgs,
    context::Context,
    exit, output,
    tables::{TABLES, terminal_width},
};
use anyhow::Context as _;
use clap::Args;
use dyno_core::{FileRole, Framework, ImportOptions, ImportSays, ModelContent, ModelSource};
use dyno_formats::onnx::OnnxFile;
use dyno_hub::{
    graph::Graph,
    inspect::{Port, Summary},
};
use dyno_registry::{ResolveOptions, ResolvedModel, resolve};
use dyno_reports::{
    table::{Cell, Column, Listing, Table},
    terminal::clean,
    text::bytes as size,
};
use serde::Serialize;
use std::fmt::Write as _;

/// Show what a model is made of: inputs, outputs, operators, parameters, arithmetic, memory.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The model: a registered name, a package folder, or a model file
    model: String,
    /// Show decoding heads as part of the graph
    #[arg(long)]
    in_graph: bool,
    #[command(flatten)]
    description: DescriptionArgs,
}

/// A file of the model.
#[derive(Debug, Serialize)]
struct File {
    role: FileRole,
    name: String,
    size_bytes: u64,
    sha256: String,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Inspection {
    reference: String,
    framework: Framework,
    files: Vec<File>,
    /// Importer and version, where the graph is a translation.
    translated_by: Option<String>,
    graph: Summary,
    says: Option<ImportSays>,
}

/// Runs the verb.
///
/// # Errors
/// When the model is not there, or its files cannot be read.
pub(crate) fn run(args: &InspectArgs, context: &Context) -> anyhow::Result<u8> {
    args.description.check()?;
    super::convert::no_run(&args.description)?;
    let listing = context.listing()?;
    let mut model = resolve(
        &args.model,
        &context.search_path,
        &ResolveOptions {
            framework: args.description.framework,
            home: std::env::home_dir(),
            ..ResolveOptions::default()
        },
    )?;
    if let Some(path) = &args.description.config_file {
        model.files.retain(|f| f.role != FileRole::Config);
        model.files.push(dyno_core::ModelFile {
            role: FileRole::Config,
            content: ModelContent::Path(path.clone()),
        });
    }
    let inspection = inspect(args, &model)?;
    let text = match listing {
        Listing::Json => {
            let mut text = serde_json::to_string_pretty(&inspection)?;
            text.push('\n');
            text
        }
        Listing::Human => {
            let table = operators(&inspection.graph).render(listing, terminal_width());
            format!("{}\n{table}", head(&inspection))
        }
        _ => operators(&inspection.graph).render(listing, terminal_width()),
    };
    output::write(text.as_bytes(), None)?;
    Ok(exit::OK)
}

fn inspect(args: &InspectArgs, model: &ResolvedModel) -> anyhow::Result<Inspection> {
    let cannot = || format!("cannot inspect `{}`", model.reference);
    let (onnx, says, translated_by) = match TABLES.importer(model.framework) {
        _ if model.framework == Framework::Onnx => {
            let source = ModelSource {
                framework: model.framework,
                files: model.files.clone(),
            };
            let file = OnnxFile::read(&source).with_context(cannot)?;
            (file.bytes.into_owned(), None, None)
        }
        Some(importer) => {
            let options = ImportOptions {
                in_graph: args.in_graph,
                shapes: args
                    .description
                    .shape
                    .iter()
                    .map(|s| (s.0.clone(), s.1.clone()))
                    .collect(),
                parameters: args.description.import.iter().cloned().collect(),
            };
            let imported = importer
                .import(&model.files, &options)
                .with_context(cannot)?;
            let by = format!("{} version {}", importer.id(), importer.version());
            (imported.onnx, Some(imported.says), Some(by))
        }
        None => {
            return Err(exit::coded(
                exit::CANNOT_RUN,
                format!("nothing here reads what is in {} files", model.framework),
                "dyno reads ONNX, and the frameworks that `dyno convert` takes",
            ));
        }
    };
    let graph = Graph::from_onnx(onnx).with_context(cannot)?;
    let mut files = Vec::new();
    for file in &model.files {
        let ModelContent::Path(path) = &file.content else {
            continue;
        };
        let (sha256, size_bytes) = dyno_evidence::hash_file(path)?;
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        files.push(File {
            role: file.role,
            name: name.unwrap_or_default(),
            size_bytes,
            sha256,
        });
    }
    Ok(Inspection {
        reference: model.reference.clone(),
        framework: model.framework,
        files,
        translated_by,
        graph: graph.summary().with_context(cannot)?,
        says,
    })
}

fn ports(ports: &[Port]) -> String {
    let texts: Vec<String> = ports
        .iter()
        .map(|p| {
            let shape = p.shape.as_ref().map_or("?".to_owned(), |s| s.join("x"));
            let dtype = p.dtype.as_deref().unwrap_or("?");
            format!("{} {dtype} {shape}", p.name)
        })
        .collect();
    texts.join(", ")
}

/// A count with its thousands or millions: `1.24 M`.
fn large(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{:.1} k", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} M", count as f64 / 1e6),
        _ => format!("{:.2} G", count as f64 / 1e9),
    }
}

fn head(inspection: &Inspection) -> String {
    let graph = &inspection.graph;
    let mut text = String::new();
    let mut line = |what: &str, value: &str| {
        let _ = writeln!(text, "{what:11} {}", clean(value));
    };
    line("model", &inspection.reference);
    line("framework", inspection.framework.name());
    for file in &inspection.files {
        let role = format!("{:?}", file.role).to_lowercase();
        let value = format!(
            "{}, {}, sha256 {}",
            file.name,
            size(file.size_bytes),
            file.sha256
        );
        line(&role, &value);
    }
    let open = "open dimensions leave it unknown (--shape says them)";
    if let Some(by) = &inspection.translated_by {
        line("graph", &format!("as ONNX, translated by {by}"));
    }
    line(
        "operators",
        &format!("{} nodes, operator set {}", graph.nodes, graph.opset),
    );
    line("inputs", &ports(&graph.inputs));
    line("outputs", &ports(&graph.outputs));
    line(
        "parameters",
        &format!(
            "{} ({})",
            large(graph.parameters),
            size(graph.parameters_bytes)
        ),
    );
    let arithmetic = graph.macs_per_sample.zip(graph.flops_per_sample);
    line(
        "arithmetic",
        &arithmetic.map_or(open.to_owned(), |(macs, flops)| {
            format!(
                "{} multiply-adds, {} FLOPs a sample",
                large(macs),
                large(flops)
            )
        }),
    );
    let memory = graph.activations_peak_bytes;
    line(
        "activations",
        &memory.map_or(open.to_owned(), |b| {
            format!("{} at once, for one sample", size(b))
        }),
    );
    if let Some(says) = &inspection.says {
        if let Some(purpose) = says.purpose {
            line("purpose", &format!("{purpose:?}"));
        }
        if let Some(classes) = says.classes {
            line("classes", &classes.to_string());
        }
        if let Some(decoder) = &says.decoder {
            line("decoder", &decoder.kind);
        }
        for note in &says.notes {
            line("note", note);
        }
    }
    text
}

fn operators(graph: &Summary) -> Table {
    let mut table = Table::new([Column::text("operator"), Column::number("nodes")]);
    for (operator, count) in &graph.operators {
        table.push([Cell::from(operator.as_str()), Cell::from(*count as u64)]);
    }
    table
}
