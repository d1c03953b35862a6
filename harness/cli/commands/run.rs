//! `dyno run`: accuracy and latency of models, their records, and the manifests.

use crate::{
    commands::report::render,
    context::Context,
    exit, interrupt,
    plan::{self, Planned, Profile},
    progress::Progress,
    tables::TABLES,
    version,
};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use dyno_core::{Annotation, Event, Plan, Precision, Prediction, Purpose, Record, Scenario, Timed};
use dyno_evidence::RunFolder;
use dyno_registry::{Action, FieldChange, ResolvedModel, WriteMode};
use dyno_reports::{Expectation, Verdict};
use dyno_runner::{Collector, RunError, RunOutcome, WorkerCommand};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, atomic::Ordering},
};

/// Which half of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Only {
    /// Accuracy and latency.
    #[default]
    Both,
    /// Accuracy alone.
    Accuracy,
    /// Latency alone.
    Latency,
}

impl Only {
    pub(crate) fn accuracy(self) -> bool {
        self != Self::Latency
    }
    pub(crate) fn latency(self) -> bool {
        self != Self::Accuracy
    }
}

/// What `--write` does to a field that another series fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Write {
    /// Fill empty fields, refresh those of the same series, leave others.
    Fill,
    /// Replace whatever stands there.
    Replace,
}

/// What CI makes of a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Undecided {
    /// Exit code 0.
    Pass,
    /// Exit code 1.
    Fail,
}

/// Measure accuracy and latency of models.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct RunArgs {
    /// Models: a registered name (`name`, `name@version`, `publisher/name`), a package folder, or a
    /// model file
    #[arg(required = true, value_name = "MODEL")]
    pub(crate) models: Vec<String>,
    /// Data set: KIND:PATH[#SPLIT], for example coco:DIR, voc:DIR, imagenet:DIR,
    /// coco:ANNOTATIONS.json,images=DIR
    #[arg(short, long, value_name = "DATASET")]
    pub(crate) dataset: String,
    /// Measure one half only
    #[arg(long, value_enum, default_value_t = Only::Both, hide_default_value = true)]
    pub(crate) only: Only,
    /// Engine [default: the first of `dyno backends list`]
    #[arg(short, long)]
    pub(crate) backend: Option<String>,
    /// Device of the engine
    #[arg(long, default_value = "cpu")]
    pub(crate) device: String,
    /// Arithmetic: native, f32, f16, bf16, int8
    #[arg(long, default_value = "native")]
    pub(crate) precision: Precision,
    /// Threads of one session [default: 1 for accuracy and offline, all cores for single-stream]
    #[arg(short, long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) threads: Option<u32>,
    /// Sessions at once in accuracy and offline runs [default: cores ÷ threads]
    #[arg(short, long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) workers: Option<u32>,
    /// Threads that only prepare samples, for engines whose device is not the CPU; 0 lets every
    /// worker prepare its own
    #[arg(long, default_value_t = 0)]
    pub(crate) preparing: u32,
    /// Samples of one run of the engine
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: Option<u32>,
    /// How queries arrive: single-stream, offline; may be repeated
    #[arg(long)]
    pub(crate) scenario: Vec<Scenario>,
    /// What is timed: engine, query, end-to-end
    #[arg(long, default_value = "query")]
    pub(crate) timed: Timed,
    /// How long latency is measured
    #[arg(long, value_enum, default_value_t = Profile::Normal)]
    pub(crate) profile: Profile,
    /// Use this many samples: always the same ones, a smaller subset being part of a larger one
    #[arg(short = 'n', long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) samples: Option<u32>,
    /// Seed of sample order and bootstrap
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Known combination of preprocessing, decoder and thresholds, where the model does not say
    /// (`dyno recipes`)
    #[arg(long)]
    pub(crate) recipe: Option<String>,
    /// Framework of a bare model file, where its extension does not say
    #[arg(long)]
    pub(crate) framework: Option<String>,
    /// Second file of a bare model (Caffe, Darknet, TensorFlow)
    #[arg(long = "config-file", alias = "config_file", value_name = "FILE")]
    pub(crate) config_file: Option<PathBuf>,
    /// Label file of a bare model, or a well-known list (coco80, voc20, imagenet1000, imagenet1001)
    #[arg(long)]
    pub(crate) labels: Option<String>,
    /// Shape of an input that the model leaves open: NAME=1x3x640x640
    #[arg(long, value_name = "NAME=SHAPE")]
    pub(crate) shape: Vec<String>,
    /// Setting that only the engine knows
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Write the results into the model's manifest; `replace` also replaces values of another
    /// series
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "fill")]
    pub(crate) write: Option<Write>,
    /// Fail (exit code 1) unless this holds: 'AP>=0.295', 'p90<=12ms'; may be repeated
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) expect: Vec<String>,
    /// Exit code when something is undecided or INVALID: pass (0) or fail (1) [default: 4]
    #[arg(long, value_enum)]
    pub(crate) undecided: Option<Undecided>,
    /// Samples that may fail
    #[arg(long, default_value_t = 0)]
    pub(crate) max_errors: u32,
    /// Go on with the newest unfinished run of the same plan
    #[arg(long)]
    pub(crate) resume: bool,
    /// Measure in a process of its own: a crash of the engine is an error, not the end
    #[arg(long)]
    pub(crate) isolate: bool,
    /// Print the plan and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write detections as COCO results
    #[arg(long, value_name = "FILE")]
    pub(crate) export_predictions: Option<PathBuf>,
    /// Samples a shard
    #[arg(long, hide = true)]
    pub(crate) shard_size: Option<u32>,
    /// Keep the host's name in the record, not its hash
    #[arg(long)]
    pub(crate) include_host: bool,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// The worst of several exit codes: an interrupt, then failures, then doubts.
pub(crate) fn worst(a: u8, b: u8) -> u8 {
    let rank = |c: u8| match c {
        exit::OK => 0,
        exit::UNDECIDED => 1,
        exit::VERDICT => 2,
        exit::CANNOT_RUN => 3,
        exit::USAGE => 4,
        exit::FAILED => 5,
        _ => 6,
    };
    if rank(b) > rank(a) { b } else { a }
}

/// Runs the verb.
///
/// # Errors
/// When a plan cannot be made, or the only model fails. With several models each failure is told
/// and the next one runs.
pub(crate) fn run(args: &RunArgs, context: &Context) -> anyhow::Result<u8> {
    let expectations = check(args)?;
    // All plans before the first run: a mistake in the last name should not cost the measurements
    // before it.
    let planned = args
        .models
        .iter()
        .map(|reference| plan_one(reference, args, context))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if args.dry_run {
        let plans: Vec<&Plan> = planned.iter().map(|p| &p.plan).collect();
        let text = if let [one] = plans.as_slice() {
            serde_json::to_string_pretty(one)?
        } else {
            serde_json::to_string_pretty(&plans)?
        };
        crate::output::write(&(text + "\n"), args.out.as_deref())?;
        return Ok(exit::OK);
    }
    let mut records = Vec::new();
    let mut code = exit::OK;
    for Planned { plan, model } in planned {
        let (record, result) = one(plan, &model, args, &expectations, context);
        records.extend(record);
        code = worst(code, result.unwrap_or_else(|error| exit::report(&error)));
        if interrupt::install().load(Ordering::Relaxed) {
            break;
        }
    }
    if !records.is_empty() {
        render(&records, context, args.out.as_deref())?;
    }
    Ok(match (code, args.undecided) {
        (exit::UNDECIDED, Some(Undecided::Pass)) => exit::OK,
        (exit::UNDECIDED, Some(Undecided::Fail)) => exit::VERDICT,
        _ => code,
    })
}

/// What can be known to be wrong before anything is read.
fn check(args: &RunArgs) -> anyhow::Result<Vec<Expectation>> {
    for path in [&args.out, &args.export_predictions].into_iter().flatten() {
        let parent = path
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if !parent.is_dir() {
            return Err(exit::usage(
                format!(
                    "the folder `{}` of `{}` does not exist",
                    parent.display(),
                    path.display()
                ),
                "",
            ));
        }
    }
    if args.export_predictions.is_some() && (args.models.len() > 1 || !args.only.accuracy()) {
        return Err(exit::usage(
            "--export-predictions is for one model and needs its accuracy run",
            "",
        ));
    }
    if args.write.is_some() && args.labels.is_some() {
        return Err(exit::usage(
            "--write does not go with --labels: the manifest would show numbers that it does not explain",
            "set `labels` in the model's dyno.json (`dyno models configure`)",
        ));
    }
    args.expect
        .iter()
        .map(|text| {
            text.parse::<Expectation>()
                .map_err(|e| exit::usage(e.to_string(), ""))
        })
        .collect()
}

fn plan_one(reference: &str, args: &RunArgs, context: &Context) -> anyhow::Result<Planned> {
    let planned = plan::build(reference, args, context)?;
    let model = &planned.plan.spec.model;
    if args.write.is_some() {
        if planned.plan.spec.execution.backend == "null" {
            return Err(exit::usage(
                "--write needs an engine that computes: `null` measures nothing of the model",
                "choose another with --backend",
            ));
        }
        if model.recipe_assumed {
            let hint = format!("--recipe {}", model.recipe.as_deref().unwrap_or("NAME"));
            return Err(exit::usage(
                "--write needs a recipe that somebody named: this one was assumed",
                hint,
            ));
        }
        if args.dry_run {
            return Ok(planned);
        }
        dyno_registry::check_writable(&planned.model)?;
    }
    if args.export_predictions.is_some() && model.purpose != Purpose::ObjectDetection {
        return Err(exit::usage(
            format!(
                "--export-predictions writes detections, and `{reference}` is for {:?}",
                model.purpose
            ),
            "",
        ));
    }
    Ok(planned)
}

/// Runs one plan. What was measured comes back even when something fails after it.
fn one(
    mut plan: Plan,
    model: &ResolvedModel,
    args: &RunArgs,
    expectations: &[Expectation],
    context: &Context,
) -> (Option<Record>, anyhow::Result<u8>) {
    let prepared = run_folder(&plan, args, context).and_then(|folder| {
        folder.path().clone_into(&mut plan.bindings.run_folder);
        folder.write_plan(&plan)?;
        Ok(folder)
    });
    let folder = match prepared {
        Ok(folder) => folder,
        Err(error) => return (None, Err(error)),
    };
    let (outcome, failure) = measure(&plan, args, context);
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return (None, Err(failure.unwrap_or(error))),
    };
    let kept = folder
        .write_record(&outcome.record)
        .map_err(anyhow::Error::from);
    if let Some(failure) = failure {
        context.say(&format!(
            "what was measured before is record {} in `{}`",
            outcome.record.short_id(),
            folder.path().display()
        ));
        return (Some(outcome.record), Err(failure));
    }
    let exported = args
        .export_predictions
        .as_ref()
        .map_or(Ok(()), |path| export(&plan, &outcome, path));
    let code = kept
        .and(exported)
        .and_then(|()| conclude(model, &outcome, &folder, args, expectations, context));
    (Some(outcome.record), code)
}

/// A new run folder, or with `--resume` the newest unfinished one of the same plan.
fn run_folder(plan: &Plan, args: &RunArgs, context: &Context) -> anyhow::Result<RunFolder> {
    let root = &context.settings.runs_dir.value;
    let sha256 = plan.spec.sha256()?;
    if args.resume {
        let unfinished = dyno_evidence::list(root)?.into_iter().rev().find(|folder| {
            let same = folder
                .read_plan()
                .ok()
                .and_then(|p| p.spec.sha256().ok())
                .is_some_and(|s| s == sha256);
            // A partial record, or one without the latency half, is not the end of its run.
            let wanted = usize::from(plan.spec.accuracy.is_some()) + plan.spec.performance.len();
            let partial = |r: &Record| {
                r.measurements
                    .iter()
                    .any(|m| m.validity.codes.contains(&dyno_core::ValidityCode::Partial))
            };
            let complete = folder
                .record()
                .is_ok_and(|r| r.measurements.len() == wanted && !partial(&r));
            same && !complete
        });
        return unfinished.ok_or_else(|| {
            exit::usage(
                format!("no unfinished run of this plan in `{}`", root.display()),
                "run without --resume to begin one",
            )
        });
    }
    let root =
        std::path::absolute(root).with_context(|| format!("cannot use `{}`", root.display()))?;
    std::fs::create_dir_all(&root)
        .with_context(|| format!("cannot create `{}`", root.display()))?;
    Ok(RunFolder::create(
        &root,
        &plan.spec.model.reference,
        &sha256,
        jiff::Timestamp::now(),
    )?)
}

/// Measures. Beside the outcome, why the worker failed, if it did: then the outcome holds what it
/// had done before, if anything.
fn measure(
    plan: &Plan,
    args: &RunArgs,
    context: &Context,
) -> (anyhow::Result<RunOutcome>, Option<anyhow::Error>) {
    let machine = dyno_machine::describe(args.include_host);
    let created = jiff::Timestamp::now()
        .round(jiff::Unit::Second)
        .unwrap_or_default()
        .to_string();
    let progress = Progress::new(context.quiet);
    let collector = Mutex::new(Collector::default());
    let sink = |event: Event| {
        progress.on(&event);
        collector
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .on(&event);
    };
    let stop = interrupt::install();
    let worked = if args.isolate {
        match std::env::current_exe() {
            Ok(program) => dyno_runner::isolate(
                plan,
                &WorkerCommand {
                    program,
                    arguments: vec!["worker".into()],
                },
                &sink,
            ),
            Err(error) => Err(RunError::Child(error)),
        }
    } else {
        dyno_runner::worker(plan, &TABLES, &sink, stop)
    };
    drop(progress);
    let reference = &plan.spec.model.reference;
    let shards = RunFolder::open(&plan.bindings.run_folder)
        .and_then(|f| f.shards())
        .map_or(0, |s| s.len());
    let failure = worked.err().map(|error| {
        let kept = if shards > 0 {
            format!(
                "; {shards} finished shards are kept in `{}`, --resume goes on from there",
                plan.bindings.run_folder.display()
            )
        } else {
            String::new()
        };
        anyhow::Error::new(error).context(format!("the run of `{reference}` failed{kept}"))
    });
    let collector = collector
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    if failure.is_some() && !collector.has_measured() {
        return (Err(anyhow::anyhow!("nothing was measured")), failure);
    }
    (
        collector
            .finish(plan, &TABLES, version::tool(), machine, created)
            .map_err(anyhow::Error::from),
        failure,
    )
}

/// Writes back, checks expectations, and says the exit code.
fn conclude(
    model: &ResolvedModel,
    outcome: &RunOutcome,
    folder: &RunFolder,
    args: &RunArgs,
    expectations: &[Expectation],
    context: &Context,
) -> anyhow::Result<u8> {
    let record = &outcome.record;
    context.say(&format!(
        "record {} in `{}`",
        record.short_id(),
        folder.path().display()
    ));
    let mut code = exit::OK;
    if record.measurements.iter().any(|m| !m.validity.is_valid()) {
        code = worst(code, exit::UNDECIDED);
    }
    if let Some(missed) = &outcome.missed_reference {
        eprintln!("reference missed: {missed}");
        code = worst(code, exit::VERDICT);
    }
    for expectation in expectations {
        let result = match expectation.evaluate(record) {
            Ok(result) => result,
            Err(error) => {
                eprintln!("error: {error}");
                code = worst(code, exit::USAGE);
                continue;
            }
        };
        let (word, reason, one) = match &result.verdict {
            Verdict::Passed => ("expectation met", "", exit::OK),
            Verdict::Failed => ("expectation FAILED", "", exit::VERDICT),
            Verdict::Undecided { reason } => {
                ("expectation undecided", reason.as_str(), exit::UNDECIDED)
            }
        };
        if one != exit::OK || !context.quiet {
            let separator = if reason.is_empty() { "" } else { ": " };
            eprintln!(
                "{word}: {} (measured {}){separator}{reason}",
                result.expression, result.actual_text
            );
        }
        code = worst(code, one);
    }
    if outcome.too_many_failures {
        eprintln!(
            "{} of {} samples failed, {} are allowed (--max-errors)",
            outcome.failures.len(),
            outcome.predictions.results.len(),
            args.max_errors
        );
        code = worst(code, exit::FAILED);
    }
    if outcome.partial {
        code = worst(code, exit::INTERRUPTED);
    }
    if let Some(write) = args.write {
        if outcome.partial || outcome.too_many_failures || outcome.missed_reference.is_some() {
            eprintln!("nothing was written to the manifest");
        } else {
            let mode = if write == Write::Replace {
                WriteMode::Replace
            } else {
                WriteMode::Fill
            };
            for change in dyno_registry::write_back(model, record, mode, Some(folder))? {
                context.say(&tell(&change));
            }
        }
    }
    Ok(code)
}

/// What happened to a field, in one line.
fn tell(change: &FieldChange) -> String {
    let value = |v: &Option<serde_json::Value>| {
        v.as_ref()
            .map_or_else(|| "nothing".to_owned(), ToString::to_string)
    };
    match change.action {
        Action::Filled | Action::Refreshed | Action::Replaced => {
            format!(
                "{} {}: {} -> {}",
                change.action,
                change.field,
                value(&change.old),
                value(&change.new)
            )
        }
        Action::Unchanged | Action::Left | Action::NotMeasured => {
            format!("{} {}: {}", change.action, change.field, change.reason)
        }
    }
}

fn export(plan: &Plan, outcome: &RunOutcome, path: &Path) -> anyhow::Result<()> {
    let dataset = TABLES
        .dataset(&plan.bindings.dataset.kind)?
        .open(&plan.bindings.dataset)?;
    let mut images = Vec::new();
    for result in &outcome.predictions.results {
        let annotation = dataset
            .entries()
            .get(result.index.index())
            .map(|e| &e.annotation);
        match (
            annotation,
            result
                .prediction
                .as_ref()
                .map(|p| dyno_runner::to_dataset(p, &outcome.labels)),
        ) {
            (Some(Annotation::Objects(image)), Some(Prediction::Detections(detections))) => {
                images.push((image.image_id, detections))
            }
            (_, None) => {}
            _ => {
                return Err(exit::usage(
                    "--export-predictions writes detections, and this model classifies",
                    "",
                ));
            }
        }
    }
    let mut bytes = Vec::new();
    dyno_metrics::export_coco(
        &mut bytes,
        images.iter().map(|(id, d)| (*id, d.as_slice())),
        &dataset.facts().labels,
    )?;
    crate::output::write(&String::from_utf8(bytes)?, Some(path))
}
