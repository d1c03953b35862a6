//! `dyno datasets`.

use crate::{
    args::Format,
    context::Context,
    exit,
    output::{self, listing},
    tables::TABLES,
};
use clap::{Subcommand, ValueEnum};
use dyno_core::{Annotation, Dataset, SampleSet, lookup};
use dyno_datasets::synthetic::{self, SyntheticSpec, Task};
use std::path::PathBuf;

/// Data sets.
#[derive(Debug, Subcommand)]
pub(crate) enum DatasetsCommand {
    /// List the kinds of data sets and how each is named on the command line
    List,
    /// Read the annotations as a run would, check that they fit together, and say what is in the
    /// data set
    Check {
        /// KIND:PATH[#SPLIT]
        dataset: String,
        /// Use this many samples
        #[arg(short = 'n', long)]
        samples: Option<u32>,
    },
    /// Write the generated data set of shapes to a folder
    Synthesize {
        /// Folder; must not exist or be empty
        folder: PathBuf,
        /// Layout of the files
        #[arg(long, value_enum, default_value_t = Layout::Coco)]
        layout: Layout,
        /// Pictures
        #[arg(long, default_value_t = 100)]
        count: u32,
        /// Seed of the generator
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
}

/// Layout of a written data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layout {
    /// `annotations/instances_val2017.json` and `images/val2017`.
    Coco,
    /// `Annotations`, `ImageSets`, `JPEGImages`.
    Voc,
    /// `val.txt` and `val`.
    Imagenet,
}

/// The samples of a run; the hashes of their files are kept for the next one.
///
/// # Errors
/// When files are missing.
pub(crate) fn select(
    dataset: &dyn Dataset,
    samples: Option<u32>,
    context: &Context,
) -> anyhow::Result<SampleSet> {
    let cache = context.hash_cache();
    let set = dyno_datasets::select(dataset, samples, &cache)?;
    // A cache that cannot be kept costs time, nothing else.
    if let Err(error) = cache.save()
        && context.verbose
    {
        context.say(&format!("the hash cache was not saved: {error}"));
    }
    Ok(set)
}

/// Runs the verb.
///
/// # Errors
/// When a data set is inconsistent or cannot be read.
pub(crate) fn run(command: DatasetsCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        DatasetsCommand::List => {
            let rows: Vec<Vec<String>> = TABLES
                .datasets
                .iter()
                .map(|d| vec![d.id().to_owned(), d.about().to_owned()])
                .collect();
            listing(context.format, &["kind", "about"], &rows)
        }
        DatasetsCommand::Check { dataset, samples } => {
            let request = dyno_datasets::parse_request(&dataset)?;
            let dataset = lookup("dataset", TABLES.datasets, &request.kind)?.open(&request)?;
            let set = select(dataset.as_ref(), samples, context)?;
            let (mut objects, mut empty) = (0usize, 0usize);
            for entry in dataset.entries() {
                if let Annotation::Objects(image) = &entry.annotation {
                    objects += image.objects.len();
                    empty += usize::from(image.objects.is_empty());
                }
            }
            let row = |key: &str, value: String| vec![key.to_owned(), value];
            let mut rows = vec![
                row("sample set", set.id),
                row("sha256", set.sha256),
                row("samples", set.count.to_string()),
                row(
                    "samples in the data set",
                    dataset.entries().len().to_string(),
                ),
                row("classes", dataset.facts().labels.len().to_string()),
                row("metrics", dataset.facts().metrics.join(" ")),
            ];
            if objects > 0 {
                rows.push(row("objects", objects.to_string()));
                rows.push(row("images without objects", empty.to_string()));
            }
            if context.format == Format::Human {
                output::write(&output::columns(&["what", "value"], &rows), None)?;
                return Ok(exit::OK);
            }
            listing(context.format, &["what", "value"], &rows)
        }
        DatasetsCommand::Synthesize {
            folder,
            layout,
            count,
            seed,
        } => {
            let layout = match layout {
                Layout::Coco => synthetic::Layout::Coco,
                Layout::Voc => synthetic::Layout::Voc,
                Layout::Imagenet => synthetic::Layout::Imagenet,
            };
            let task = if layout == synthetic::Layout::Imagenet {
                Task::Classification
            } else {
                Task::Detection
            };
            synthetic::write(
                &folder,
                layout,
                &SyntheticSpec {
                    task,
                    count,
                    seed,
                    ..SyntheticSpec::default()
                },
            )?;
            context.say(&format!("wrote {count} pictures to `{}`", folder.display()));
            Ok(exit::OK)
        }
    }
}
