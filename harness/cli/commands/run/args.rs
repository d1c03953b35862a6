//! The command line of `dyno run`, and the requests that it makes.

use crate::{
    commands::{
        description::{DescriptionArgs, unique},
        run::Options,
        verdicts::{Judging, VerdictArgs},
    },
    values,
};
use clap::{Args, ValueEnum};
use dyno_core::{Precision, ScenarioName, Timed};
use dyno_planner::{DEFAULT_ENGINE_TIMEOUT_NS, Only, Profile, RunRequest, WriteBack};
use std::{path::PathBuf, time::Duration};

/// Which half of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Half {
    /// Accuracy and latency.
    #[default]
    Both,
    /// Accuracy alone.
    Accuracy,
    /// Latency alone.
    Latency,
}

/// How long latency is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Length {
    /// 64 queries and 1 s: a bound for p90, none for p99; not written into manifests
    Quick,
    /// 662 queries and 5 s: bounds for p90 and p99
    #[default]
    Normal,
    /// 2,010 queries and 60 s: ten queries behind the bound of p99
    Full,
}

/// What `--write` does to a field that another series fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Write {
    /// Fill empty fields, refresh those of the same series, leave others.
    Fill,
    /// Replace whatever stands there.
    Replace,
}

/// Measure accuracy and latency of models.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct RunArgs {
    /// Models: a registered name (`name`, `name@version`, `publisher/name`), a package folder, or a
    /// model file
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<String>,
    /// Data set: KIND:PATH[#SPLIT], for example coco:DIR, voc:DIR, imagenet:DIR,
    /// coco:ANNOTATIONS.json,images=DIR; with --only latency it may be left out, and random inputs
    /// are timed
    #[arg(short, long, value_name = "DATASET")]
    dataset: Option<String>,
    /// Input from a file in place of random numbers, without a data set; may be repeated
    #[arg(long, value_name = "NAME=FILE.npy", value_parser = values::file)]
    input: Vec<(String, PathBuf)>,
    /// Measure one half only
    #[arg(long, value_enum, default_value_t = Half::Both, hide_default_value = true)]
    only: Half,
    /// Engine, or several: a,b [default: the first of `dyno backends list` that reads the model]
    #[arg(short, long, value_delimiter = ',')]
    backend: Vec<String>,
    /// Device of the engine
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Arithmetic: native, f32, f16, bf16, int8
    #[arg(long, default_value = "native")]
    precision: Precision,
    /// Threads of one slot, or several values: 1,2 [default: 1 for accuracy and offline, all cores
    /// for single-stream]
    #[arg(short, long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    threads: Vec<u32>,
    /// Slots at once in accuracy and offline runs [default: cores ÷ threads]
    #[arg(short, long, value_parser = clap::value_parser!(u32).range(1..))]
    workers: Option<u32>,
    /// Threads that only prepare samples, for engines whose device is not the CPU; 0 lets every
    /// worker prepare its own
    #[arg(long, default_value_t = 0)]
    preparing: u32,
    /// Samples of one run of the engine, or several values: 1,4 [default: 1]
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    batch: Vec<u32>,
    /// How queries arrive: single-stream, offline; may be repeated
    #[arg(long)]
    scenario: Vec<ScenarioName>,
    /// What is timed: engine, query, end-to-end
    #[arg(long, default_value = "query")]
    timed: Timed,
    /// How long latency is measured
    #[arg(long, value_enum, default_value_t = Length::Normal)]
    profile: Length,
    /// Use this many samples: always the same ones, a smaller subset being part of a larger one
    #[arg(short = 'n', long, value_parser = clap::value_parser!(u32).range(1..))]
    samples: Option<u32>,
    /// Seed of sample order and bootstrap
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    model: DescriptionArgs,
    /// Longest time that one call of the engine may take, opening the model included [default:
    /// 5min]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    engine_timeout: Option<Duration>,
    /// Write the results into the model's manifest; `replace` also replaces values of another
    /// series
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "fill")]
    write: Option<Write>,
    #[command(flatten)]
    verdicts: VerdictArgs,
    /// Samples that may fail
    #[arg(long, default_value_t = 0)]
    max_errors: u32,
    /// Go on with the newest unfinished run of the same plan
    #[arg(long)]
    resume: bool,
    /// Measure in a process of its own: a crash of the engine is an error, not the end
    #[arg(long)]
    isolate: bool,
    /// Say what would be done, check all that a run checks, and do nothing; with --format json the
    /// whole plan
    #[arg(long)]
    dry_run: bool,
    /// Write what the model said of each sample: COCO results for detections, CSV for classes
    #[arg(long, value_name = "FILE")]
    export_predictions: Option<PathBuf>,
    /// Samples a shard
    #[arg(long, hide = true, default_value_t = RunRequest::default().shard_size, value_parser = clap::value_parser!(u32).range(1..))]
    shard_size: u32,
    /// Keep the host's name in the record, not its hash
    #[arg(long)]
    include_host: bool,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The values that were given, or the one that says nothing.
fn each<T: Clone>(values: &[T]) -> Vec<Option<T>> {
    if values.is_empty() {
        vec![None]
    } else {
        values.iter().cloned().map(Some).collect()
    }
}

impl RunArgs {
    /// One request for every model and every combination of values.
    ///
    /// # Errors
    /// When a name is given twice.
    pub(super) fn requests(&self) -> anyhow::Result<Vec<RunRequest>> {
        self.model.check()?;
        unique("--input", &self.input)?;
        let mut requests = Vec::new();
        for model in &self.models {
            for backend in each(&self.backend) {
                for threads in each(&self.threads) {
                    for batch in each(&self.batch) {
                        requests.push(self.request(model, backend.clone(), threads, batch));
                    }
                }
            }
        }
        Ok(requests)
    }

    fn request(
        &self,
        model: &str,
        backend: Option<String>,
        threads: Option<u32>,
        batch: Option<u32>,
    ) -> RunRequest {
        let defaults = RunRequest::new(model);
        let request = RunRequest {
            dataset: self.dataset.clone(),
            inputs: self.input.iter().cloned().collect(),
            only: match self.only {
                Half::Both => Only::Both,
                Half::Accuracy => Only::Accuracy,
                Half::Latency => Only::Latency,
            },
            backend,
            device: self.device.clone(),
            precision: self.precision,
            threads,
            workers: self.workers,
            preparing: self.preparing,
            batch: batch.unwrap_or(defaults.batch),
            scenarios: if self.scenario.is_empty() {
                defaults.scenarios
            } else {
                self.scenario.clone()
            },
            timed: self.timed,
            profile: match self.profile {
                Length::Quick => Profile::Quick,
                Length::Normal => Profile::Normal,
                Length::Full => Profile::Full,
            },
            samples: self.samples,
            seed: self.seed,
            max_errors: self.max_errors,
            shard_size: self.shard_size,
            engine_timeout_ns: self
                .engine_timeout
                .map_or(DEFAULT_ENGINE_TIMEOUT_NS, |t| t.as_nanos() as u64),
            write: self.write.map(|write| match write {
                Write::Fill => WriteBack::Fill,
                Write::Replace => WriteBack::Replace,
            }),
            ..defaults
        };
        self.model.over(request)
    }

    /// What is no part of a request: how the run is carried out and told.
    ///
    /// # Errors
    /// When an expectation or a form of verdicts means nothing.
    pub(super) fn options(&self) -> anyhow::Result<Options> {
        let combinations = [self.backend.len(), self.threads.len(), self.batch.len()];
        Ok(Options {
            side_by_side: combinations.iter().any(|n| *n > 1),
            resume: self.resume,
            isolate: self.isolate,
            dry_run: self.dry_run,
            include_host: self.include_host,
            export_predictions: self.export_predictions.clone(),
            out: self.out.clone(),
            judging: Judging::new(&self.verdicts)?,
        })
    }
}
