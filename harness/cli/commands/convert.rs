//! `dyno convert`: a model of another framework becomes a package that every ONNX engine runs.

use crate::{
    commands::{
        description::DescriptionArgs,
        verify::{self, Side},
    },
    context::Context,
    exit, interrupt,
    tables::TABLES,
    version,
};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use dyno_core::{
    DecoderOverlay, FileRole, Framework, ImportOptions, ImportSays, Imported, LabelMap,
    ModelContent, ModelSpec, Origin, Purpose,
};
use dyno_planner::{Only, RunRequest};
use dyno_registry::{
    ConfigureOptions, NewPackage, ResolveOptions, ResolvedModel, create_package, resolve,
};
use dyno_reports::{
    table::{Cell, Column, Listing, Table},
    text::bytes as size,
};
use dyno_runner::Tolerance;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What a model becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// ONNX
    Onnx,
}

/// Convert a model to another framework's format.
#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// The model: a registered name, a package folder, or a model file
    model: String,
    /// Format of the result
    #[arg(long, value_enum, default_value_t = Target::Onnx)]
    to: Target,
    /// Folder of the new package; must not exist, or be empty
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Put decoding heads (boxes, suppression) into the graph, instead of leaving them to dyno's
    /// decoders
    #[arg(long)]
    in_graph: bool,
    /// Compare the result with the source on an engine that reads the source itself (exit code 1
    /// when they differ)
    #[arg(long, requires = "dataset")]
    verify: bool,
    /// Data set of the comparison: KIND:PATH[#SPLIT]
    #[arg(short, long, value_name = "DATASET", requires = "verify")]
    dataset: Option<String>,
    /// Samples of the comparison
    #[arg(short = 'n', long, requires = "verify", value_parser = clap::value_parser!(u32).range(1..))]
    samples: Option<u32>,
    /// Engine that runs the source [default: the first that reads it itself]
    #[arg(long, value_name = "ENGINE", requires = "verify")]
    verify_with: Option<String>,
    /// Greatest difference relative to the largest magnitude of an output
    #[arg(long, default_value_t = Tolerance::default().rel, requires = "verify")]
    rel: f64,
    #[command(flatten)]
    description: DescriptionArgs,
}

/// Runs the verb.
///
/// # Errors
/// When the model cannot be imported, or the package cannot be written.
pub(crate) fn run(args: &ConvertArgs, context: &Context) -> anyhow::Result<u8> {
    interrupt::install();
    args.description.check()?;
    let Target::Onnx = args.to;
    no_run(&args.description)?;
    if let Some(recipe) = &args.description.recipe {
        TABLES.recipe(recipe)?;
    }
    let model = source(args, context)?;
    let Some(importer) = TABLES.importer(model.framework) else {
        return Err(exit::coded(
            exit::CANNOT_RUN,
            format!("no importer here reads {} models", model.framework),
            format!("there are importers of: {}", importers()),
        ));
    };
    // Before anything is written: a comparison that cannot happen is a mistake of the command.
    let with = args
        .verify
        .then(|| native(args, model.framework))
        .transpose()?;
    let own_kind = model.spec.decoder.as_ref().and_then(|d| d.kind.clone());
    let options = |in_graph| ImportOptions {
        in_graph,
        shapes: args
            .description
            .shape
            .iter()
            .map(|s| (s.0.clone(), s.1.clone()))
            .collect(),
        parameters: args.description.import.iter().cloned().collect(),
    };
    let import = |in_graph| {
        importer
            .import(&model.files, &options(in_graph))
            .with_context(|| format!("cannot convert `{}`", model.reference))
    };
    let mut imported = import(args.in_graph)?;
    let head = imported.says.decoder.as_ref().map(|d| &d.kind);
    if !args.in_graph && own_kind.is_some() && head.is_some() && head != own_kind.as_ref() {
        // The model's own description reads the outputs as its framework gives them.
        imported = import(true)?;
    }
    let package = package(args, &model, &imported)?;
    let written = create_package(&args.out, &package)?;
    report(&written, &imported.says, context)?;
    match with {
        Some(engine) => compare(args, engine, &model, &package, context),
        None => Ok(exit::OK),
    }
}

/// Refuses what only a run could use.
///
/// # Errors
/// With the flag.
pub(crate) fn no_run(description: &DescriptionArgs) -> anyhow::Result<()> {
    let given = [
        (description.score.is_some(), "--score"),
        (description.iou.is_some(), "--iou"),
        (!description.set.is_empty(), "--set"),
        (description.allow_partial, "--allow-partial"),
    ];
    match given.iter().find(|(given, _)| *given) {
        Some((_, flag)) => Err(exit::usage(
            format!("{flag} means nothing here: no engine runs"),
            "it belongs to `dyno run`",
        )),
        None => Ok(()),
    }
}

fn importers() -> String {
    let names: Vec<&str> = TABLES
        .importers
        .iter()
        .map(|i| i.framework().name())
        .collect();
    names.join(", ")
}

fn source(args: &ConvertArgs, context: &Context) -> anyhow::Result<ResolvedModel> {
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
    if model.framework == Framework::Onnx {
        return Err(exit::usage(
            format!("`{}` is ONNX already", model.reference),
            "",
        ));
    }
    Ok(model)
}

/// The engine that reads the source without an importer.
fn native(args: &ConvertArgs, framework: Framework) -> anyhow::Result<&'static str> {
    let reads = |name: &str| {
        TABLES
            .backend(name)
            .is_ok_and(|b| b.computes() && b.reads().contains(&framework))
    };
    if let Some(name) = &args.verify_with {
        let backend = TABLES.backend(name)?;
        if reads(name) {
            return Ok(backend.id());
        }
        return Err(exit::usage(
            format!("`{name}` does not read {framework} itself, so it is no independent witness"),
            "",
        ));
    }
    let usable = |name: &&'static str| crate::child::probe(name, &[]).usable();
    let mut all = TABLES
        .backends
        .iter()
        .map(|b| b.id())
        .filter(|id| reads(id));
    all.find(usable).ok_or_else(|| {
        exit::coded(
            exit::CANNOT_RUN,
            format!("no engine here reads {framework} itself, so nothing can bear witness"),
            "`dyno doctor` shows which engines there are and what they need",
        )
    })
}

/// The name of the model's file without extension.
fn stem(model: &ResolvedModel) -> String {
    let path = model.path(FileRole::Model);
    let stem = path.and_then(Path::file_stem).and_then(|s| s.to_str());
    stem.unwrap_or("model").to_owned()
}

fn package(
    args: &ConvertArgs,
    model: &ResolvedModel,
    imported: &Imported,
) -> anyhow::Result<NewPackage> {
    let Imported { onnx, says } = imported;
    let spec = &model.spec;
    let model_file = format!("{}.onnx", stem(model));
    let mut files = vec![(model_file.clone(), onnx.clone())];
    let mut carried = |role| -> anyhow::Result<Option<String>> {
        let Some(path) = model.path(role) else {
            return Ok(None);
        };
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let name = name.unwrap_or_else(|| format!("{role:?}").to_lowercase());
        let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        files.push((name.clone(), bytes));
        Ok(Some(name))
    };
    let own_labels = carried(FileRole::Labels)?;
    let colors_file = carried(FileRole::Colors)?;
    let named = args.description.labels.as_deref();
    let label_file = match named.filter(|name| LabelMap::builtin(name).is_none()) {
        Some(path) => {
            let bytes = fs::read(path).with_context(|| format!("cannot read `{path}`"))?;
            let name = Path::new(path).file_name().and_then(|n| n.to_str());
            let name = name.unwrap_or("labels.txt").to_owned();
            files.retain(|(other, _)| *other != name);
            files.push((name.clone(), bytes));
            Some(name)
        }
        None if named.is_some() => None,
        None => own_labels,
    };
    let labels = label_file
        .clone()
        .or_else(|| args.description.labels.clone())
        .or_else(|| spec.labels.clone());
    let recipe = args
        .description
        .recipe
        .clone()
        .or_else(|| spec.recipe.clone());
    let mut sources = Vec::new();
    for file in model.files.iter().filter(|f| f.role.is_weights()) {
        if let ModelContent::Path(path) = &file.content {
            sources.push(dyno_evidence::hash_file(path)?.0);
        }
    }
    // Of several files no single one is the source: graph and weights may lie in two.
    let derived_from = match sources.as_slice() {
        [one] => one.clone(),
        several => dyno_core::canonical_sha256(&several)?,
    };
    let purpose = spec.purpose.or(model.purpose).or(says.purpose);
    let has_steps = spec.inputs.iter().any(|i| !i.preprocess.is_empty());
    let inputs = match &says.inputs {
        Some(inputs) if !has_steps => inputs.clone(),
        _ => spec.inputs.clone(),
    };
    let decoder = match (&spec.decoder, &says.decoder) {
        (Some(own), Some(head)) if own.kind.as_ref().is_none_or(|kind| *kind == head.kind) => {
            Some(own.over(Some(head))?.into())
        }
        (Some(own), _) => Some(own.clone()),
        (None, Some(head)) => Some(DecoderOverlay::from(head.clone())),
        (None, None) => None,
    };
    let blob = &model.blob;
    Ok(NewPackage {
        manifest: ConfigureOptions {
            framework: Some(Framework::Onnx),
            // The vendor's schema has no word for a model that nobody describes.
            purpose: Some(purpose.unwrap_or(Purpose::Classification)),
            model_file: Some(model_file),
            label_file,
            colors_file,
            size: blob.size.map(|s| s.to_vec()),
            mean: blob.mean.map(|m| m.iter().map(|v| f64::from(*v)).collect()),
            scalefactor: blob.scalefactor.map(f64::from),
            swaprb: blob.swaprb,
            crop: blob.crop,
            recipe: recipe.clone(),
            ..ConfigureOptions::default()
        },
        spec: ModelSpec {
            framework: Some(Framework::Onnx),
            purpose,
            recipe,
            origin: Some(Origin {
                derived_from,
                relation: Some("converted".to_owned()),
                tool: Some(format!("dyno {}", version::text())),
            }),
            inputs,
            outputs: if says.outputs.is_empty() {
                spec.outputs.clone()
            } else {
                says.outputs.clone()
            },
            decoder,
            labels,
            colors_order: spec.colors_order.clone(),
            reference: spec.reference.clone(),
            ..ModelSpec::default()
        },
        files,
    })
}

/// What was written, and what the reader must know of it.
fn report(written: &[PathBuf], says: &ImportSays, context: &Context) -> anyhow::Result<()> {
    for note in &says.notes {
        context.say(note);
    }
    let mut table = Table::new([
        Column::text("file"),
        Column::number("size").key("size_bytes"),
        Column::text("sha256"),
    ]);
    for path in written {
        let (sha256, count) = dyno_evidence::hash_file(path)?;
        table.push([
            Cell::from(path.display().to_string()),
            Cell::new(size(count), count),
            Cell::from(sha256),
        ]);
    }
    context.list(&table)
}

/// Source and result on the same samples, through two engines.
fn compare(
    args: &ConvertArgs,
    engine: &str,
    model: &ResolvedModel,
    package: &NewPackage,
    context: &Context,
) -> anyhow::Result<u8> {
    // The source with the same description, so that both are fed and read alike.
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let folder = scratch.path().join(stem(model));
    let twin = twin(model, package)?;
    create_package(&folder, &twin)?;
    let request = |model: &Path| RunRequest {
        model: model.display().to_string(),
        dataset: args.dataset.clone(),
        samples: args.samples,
        only: Only::Accuracy,
        threads: Some(1),
        workers: Some(1),
        labels: args.description.labels.clone(),
        ..RunRequest::new("")
    };
    let sides = [
        Side {
            name: format!("source on {engine}"),
            request: RunRequest {
                backend: Some(engine.to_owned()),
                ..request(&absolute(&folder)?)
            },
        },
        Side {
            name: "result".to_owned(),
            request: request(&absolute(&args.out)?),
        },
    ];
    let tolerance = Tolerance {
        rel: args.rel,
        ..Tolerance::default()
    };
    let agreement = verify::agree(&sides, tolerance, context)?;
    // The list of files went to standard output; one document is enough for a machine.
    if context.listing()? == Listing::Human {
        verify::print(&agreement, context)?;
    } else {
        for line in verify::verdicts(&agreement) {
            crate::say::line(&line);
        }
    }
    Ok(verify::code(&agreement))
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot find `{}`", path.display()))
}

/// The source's own files under the description of the result.
fn twin(model: &ResolvedModel, package: &NewPackage) -> anyhow::Result<NewPackage> {
    let mut files = Vec::new();
    let mut manifest = ConfigureOptions {
        framework: Some(model.framework),
        ..package.manifest.clone()
    };
    for (role, place) in [
        (FileRole::Model, &mut manifest.model_file),
        (FileRole::Config, &mut manifest.config_file),
        (FileRole::Labels, &mut manifest.label_file),
        (FileRole::Colors, &mut manifest.colors_file),
    ] {
        let Some(path) = model.path(role) else {
            continue;
        };
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let name = name.ok_or_else(|| exit::usage("a file of the model has no name", ""))?;
        let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        files.push((name.clone(), bytes));
        *place = Some(name);
    }
    Ok(NewPackage {
        files,
        manifest,
        spec: ModelSpec {
            framework: Some(model.framework),
            origin: None,
            reference: Vec::new(),
            ..package.spec.clone()
        },
    })
}
