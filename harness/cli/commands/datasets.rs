//! `dyno datasets`.

use crate::{context::Context, exit, tables::TABLES};
use clap::{Subcommand, ValueEnum};
use dyno_datasets::synthetic::{self, SyntheticSpec, Task};
use dyno_reports::table::{Cell, Column, Table};
use std::path::PathBuf;

/// Data sets.
#[derive(Debug, Subcommand)]
pub(crate) enum DatasetsCommand {
    /// List the kinds of data sets and how each is named on the command line
    List,
    /// Open every picture, compare it with its annotations, and say what is in the data set and
    /// what is wrong with it (exit code 1 when a run on it would fail or say something wrong)
    Check {
        /// KIND:PATH[#SPLIT]
        dataset: String,
        /// Use this many samples
        #[arg(short = 'n', long)]
        samples: Option<u32>,
    },
    /// Compare the files of a known data set with the publisher's archives, and write
    /// `dataset.dyno.json` beside them: from then on its name is verified, not claimed
    Seal {
        /// KIND:PATH[#SPLIT],name=NAME: the whole set under its name (coco-val2017, voc2012-val,
        /// voc2007-test)
        dataset: String,
        /// The archives as they were downloaded
        #[arg(required = true)]
        archives: Vec<PathBuf>,
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
        DatasetsCommand::Check { dataset, samples } => return check(&dataset, samples, context),
        DatasetsCommand::Seal { dataset, archives } => seal(&dataset, &archives, context)?,
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

/// Compares a data set with its archives and writes the card.
fn seal(text: &str, archives: &[PathBuf], context: &Context) -> anyhow::Result<()> {
    let request = dyno_datasets::parse_request(text)?;
    let dataset = TABLES.dataset(&request.kind)?.open(&request)?;
    let cache = context.hash_cache();
    let tool = concat!("dyno ", env!("CARGO_PKG_VERSION"));
    let sealed = dyno_datasets::seal(&request, dataset.as_ref(), archives, tool, &cache)?;
    context.say(&format!(
        "sealed {} samples of {} in `{}`",
        sealed.samples,
        sealed.name,
        sealed.card.display()
    ));
    Ok(())
}

/// Says what is in a data set, and what is wrong with it.
fn check(text: &str, samples: Option<u32>, context: &Context) -> anyhow::Result<u8> {
    let request = dyno_datasets::parse_request(text)?;
    let dataset = TABLES.dataset(&request.kind)?.open(&request)?;
    let cache = context.hash_cache();
    let set = dyno_datasets::select(&request, dataset.as_ref(), samples, &cache)?;
    let report = dyno_datasets::inspect(dataset.as_ref(), &cache, &|_| ());
    let facts = dataset.facts();
    let mut table = Table::new(["what", "value"].map(Column::text));
    let mut row = |what: &str, value: Cell| table.push([Cell::from(what), value]);
    row("sample set", Cell::from(set.id));
    row("sha256", Cell::from(set.sha256));
    row("samples", Cell::from(set.count));
    row("different samples", Cell::from(set.distinct));
    row(
        "samples in the data set",
        Cell::from(dataset.entries().len()),
    );
    row("classes", Cell::from(facts.labels.len()));
    let used = report.per_class.iter().filter(|n| **n > 0).count();
    row("classes that occur", Cell::from(used));
    row("metrics", Cell::from(facts.metrics.join(" ")));
    if report.objects > 0 {
        row("objects", Cell::from(report.objects));
    }
    for finding in &report.findings {
        let examples = finding.examples.join("; ");
        let more = finding.count > finding.examples.len() as u64;
        row(
            finding.kind.name(),
            Cell::from(format!(
                "{}: {} ({examples}{})",
                finding.count,
                finding.kind.about(),
                if more { "; …" } else { "" }
            )),
        );
    }
    context.list(&table)?;
    Ok(if report.is_clean() {
        exit::OK
    } else {
        exit::VERDICT
    })
}
