//! `dyno datasets`.

use crate::{context::Context, exit, tables::TABLES};
use clap::{Subcommand, ValueEnum};
use dyno_core::{Annotation, SampleIndex};
use dyno_datasets::synthetic::{self, SyntheticSpec, Task};
use dyno_reports::table::{Cell, Column, Table};
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

/// Runs the verb.
///
/// # Errors
/// When a data set is inconsistent or cannot be read.
pub(crate) fn run(command: DatasetsCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        DatasetsCommand::List => {
            let mut table = Table::new(["kind", "about"].map(Column::text));
            for kind in TABLES.datasets {
                table.push([kind.id(), kind.about()]);
            }
            context.list(&table)?;
        }
        DatasetsCommand::Check { dataset, samples } => check(&dataset, samples, context)?,
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
        }
    }
    Ok(exit::OK)
}

/// Says what is in a data set.
fn check(text: &str, samples: Option<u32>, context: &Context) -> anyhow::Result<()> {
    let request = dyno_datasets::parse_request(text)?;
    let dataset = TABLES.dataset(&request.kind)?.open(&request)?;
    let cache = context.hash_cache();
    let set = dyno_datasets::select(&request, dataset.as_ref(), samples, &cache)?;
    let (mut objects, mut empty) = (0usize, 0usize);
    let there = dataset.entries().len();
    for index in (0..there as u32).map(SampleIndex) {
        if let Annotation::Objects(image) = dataset.truth(index)? {
            objects += image.objects.len();
            empty += usize::from(image.objects.is_empty());
        }
    }
    let facts = dataset.facts();
    let mut table = Table::new(["what", "value"].map(Column::text));
    table.push([Cell::from("sample set"), Cell::from(set.id)]);
    table.push([Cell::from("sha256"), Cell::from(set.sha256)]);
    table.push([Cell::from("samples"), Cell::from(set.count)]);
    table.push([Cell::from("different samples"), Cell::from(set.distinct)]);
    table.push([Cell::from("samples in the data set"), Cell::from(there)]);
    table.push([Cell::from("classes"), Cell::from(facts.labels.len())]);
    table.push([Cell::from("metrics"), Cell::from(facts.metrics.join(" "))]);
    if objects > 0 {
        table.push([Cell::from("objects"), Cell::from(objects)]);
        table.push([Cell::from("images without objects"), Cell::from(empty)]);
    }
    context.list(&table)
}
