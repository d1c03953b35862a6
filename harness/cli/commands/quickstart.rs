//! `dyno quickstart`: the main job on two small models and generated pictures.

use crate::{
    commands::run::{self, Options},
    config::Setting,
    context::Context,
    exit,
};
use anyhow::Context as _;
use clap::Args;
use dyno_datasets::synthetic::{Layout, SyntheticSpec, Task, write};
use dyno_planner::{RunRequest, WriteBack};
use dyno_registry::SearchPath;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Measure two small models on generated pictures: no network, no library.
#[derive(Debug, Args)]
pub(crate) struct QuickstartArgs {
    /// Folder to write models and pictures to; must be empty or not exist [default:
    /// dyno-quickstart, or the next free dyno-quickstart-N]
    folder: Option<PathBuf>,
    /// Engine [default: the first of `dyno backends list`]
    #[arg(short, long)]
    backend: Option<String>,
}

/// Pictures of each set.
const PICTURES: u32 = 200;
/// Seed of the pictures; the models were trained on pictures of other seeds.
const SEED: u64 = 20_261_122;

/// Files of a model that travels in the binary.
struct Package {
    name: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

macro_rules! package {
    ($name:literal, $model:literal) => {
        Package {
            name: $name,
            files: &[
                (
                    "alwaysai.model.json",
                    include_bytes!(concat!("../quickstart/", $name, "/alwaysai.model.json")),
                ),
                (
                    "dyno.json",
                    include_bytes!(concat!("../quickstart/", $name, "/dyno.json")),
                ),
                (
                    "labels.txt",
                    include_bytes!(concat!("../quickstart/", $name, "/labels.txt")),
                ),
                (
                    $model,
                    include_bytes!(concat!("../quickstart/", $name, "/", $model)),
                ),
            ],
        }
    };
}

const PACKAGES: &[Package] = &[
    package!("shapes-detector", "shapes-detector.onnx"),
    package!("shapes-classifier", "shapes-classifier.onnx"),
];

fn unpack(package: &Package, folder: &Path) -> anyhow::Result<PathBuf> {
    let target = folder.join("models").join("dyno").join(package.name);
    fs::create_dir_all(&target).with_context(|| format!("cannot create `{}`", target.display()))?;
    for (name, bytes) in package.files {
        let path = target.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(target)
}

/// The folder that was named, if it is empty; else the first free one. Nothing that is there is
/// touched.
fn free_folder(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let free =
        |folder: &Path| !folder.exists() || folder.read_dir().is_ok_and(|mut d| d.next().is_none());
    match named {
        Some(folder) if free(folder) => Ok(folder.to_owned()),
        Some(folder) => Err(exit::usage(
            format!("`{}` is not empty", folder.display()),
            "name another folder",
        )),
        None => (1..1000)
            .map(|n| {
                PathBuf::from(if n == 1 {
                    "dyno-quickstart".to_owned()
                } else {
                    format!("dyno-quickstart-{n}")
                })
            })
            .find(|f| free(f))
            .ok_or_else(|| exit::usage("no free folder", "")),
    }
}

/// Writes models and pictures, measures both models, and says what to try next.
///
/// # Errors
/// When the folder exists, or a run fails.
pub(crate) fn run(args: &QuickstartArgs, context: &Context) -> anyhow::Result<u8> {
    let folder = &free_folder(args.folder.as_deref())?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    let pictures = [
        ("pictures", Layout::Coco),
        ("pictures-by-class", Layout::Imagenet),
    ];
    for (name, layout) in pictures {
        let task = if layout == Layout::Imagenet {
            Task::Classification
        } else {
            Task::Detection
        };
        write(
            &folder.join(name),
            layout,
            &SyntheticSpec {
                task,
                count: PICTURES,
                seed: SEED,
                ..SyntheticSpec::default()
            },
        )?;
    }
    context.say(&format!(
        "two models and {} generated pictures are in `{}`",
        2 * PICTURES,
        folder.display()
    ));
    let mut settings = context.settings.clone();
    settings.models_dirs = Setting {
        value: vec![folder.join("models")],
        source: "quickstart".to_owned(),
    };
    settings.runs_dir = Setting {
        value: folder.join("dyno-runs"),
        source: "quickstart".to_owned(),
    };
    let search_path = SearchPath::new(settings.models_dirs.value.clone());
    let inner = Context {
        format: context.format.clone(),
        quiet: context.quiet,
        verbose: context.verbose,
        settings,
        search_path,
    };
    let mut code = exit::OK;
    let datasets = [
        format!("coco:{}", folder.join("pictures").display()),
        format!("imagenet:{}", folder.join("pictures-by-class").display()),
    ];
    for (package, dataset) in PACKAGES.iter().zip(&datasets) {
        let manifest = unpack(package, folder)?.join("alwaysai.model.json");
        let name = format!("dyno/{}", package.name);
        let request = RunRequest {
            dataset: Some(dataset.clone()),
            backend: args.backend.clone(),
            // A second thread gains nothing on models this small, and two on a shared machine are
            // not steady.
            threads: Some(1),
            write: Some(WriteBack::Fill),
            ..RunRequest::new(name)
        };
        code = exit::worst(code, run::execute(&[request], &Options::default(), &inner)?);
        context.say("");
        context.say(&format!("`{}` now says:", manifest.display()));
        let text = fs::read_to_string(&manifest)
            .with_context(|| format!("cannot read `{}`", manifest.display()))?;
        for field in text.lines().filter(|l| {
            ["accuracy", "inference_time", "mean_average"]
                .iter()
                .any(|k| l.trim_start().starts_with(&format!("\"{k}")))
        }) {
            context.say(field);
        }
        context.say("");
    }
    let f = folder.display();
    context.say("next:");
    for line in [
        format!(
            "dyno run dyno/shapes-detector --models-dir {f}/models --dataset coco:{f}/pictures --backend rten"
        ),
        format!(
            "dyno run dyno/shapes-detector --models-dir {f}/models --dataset coco:{f}/pictures --only accuracy --expect 'AP>=0.99'"
        ),
        format!("dyno models check dyno/shapes-detector --models-dir {f}/models"),
    ] {
        context.say(&format!("  {line}"));
    }
    Ok(code)
}
