//! `dyno verify`: the same inputs on several engines, and how far what they say lies apart.

use crate::{
    commands::{
        description::DescriptionArgs,
        run::{Options, plan_one},
    },
    context::Context,
    engines, exit, interrupt, output,
    progress::Progress,
    say,
    tables::{TABLES, terminal_width},
};
use clap::Args;
use dyno_core::{Plan, Precision};
use dyno_planner::{Only, RunRequest};
use dyno_reports::{
    table::{Cell, Column, Listing, Table},
    terminal::clean,
};
use dyno_runner::{Agreement, PairAgreement, Tolerance};
use std::fmt::Write as _;

/// Compare what several engines make of the same inputs.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The model: a registered name, a package folder, or a model file
    model: String,
    /// A second model to compare with, by the same engine or by others: every model runs on every
    /// engine that reads it
    #[arg(long, value_name = "MODEL")]
    against: Option<String>,
    /// Engines: a,b,… [default: every engine that can run the model here]
    #[arg(short, long, alias = "backend", value_delimiter = ',')]
    backends: Vec<String>,
    /// Data set: KIND:PATH[#SPLIT]
    #[arg(short, long, value_name = "DATASET")]
    dataset: String,
    /// Use this many samples: always the same ones
    #[arg(short = 'n', long, value_parser = clap::value_parser!(u32).range(1..))]
    samples: Option<u32>,
    /// Device of the engines
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Arithmetic: native, f32, f16, bf16, int8
    #[arg(long, default_value = "native")]
    precision: Precision,
    /// Threads of each engine
    #[arg(short, long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    threads: u32,
    /// Greatest absolute difference of two values of an output
    #[arg(long, default_value_t = Tolerance::default().abs)]
    abs: f64,
    /// Greatest difference relative to the largest magnitude of the output; added to --abs
    #[arg(long, default_value_t = Tolerance::default().rel)]
    rel: f64,
    /// Greatest difference of a score, where outputs cannot be compared value by value
    #[arg(long, value_name = "DIFFERENCE", default_value_t = Tolerance::default().score)]
    score_difference: f64,
    /// Most samples whose best class may differ
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    flips: u64,
    #[command(flatten)]
    description: DescriptionArgs,
}

/// One engine with one model.
pub(crate) struct Side {
    /// How it is called in the answer.
    pub(crate) name: String,
    /// Its request.
    pub(crate) request: RunRequest,
}

/// Runs the verb.
///
/// # Errors
/// When a plan cannot be made, or an engine fails.
pub(crate) fn run(args: &VerifyArgs, context: &Context) -> anyhow::Result<u8> {
    interrupt::install();
    args.description.check()?;
    let tolerance = tolerance(args)?;
    let sides = sides(args, context)?;
    let agreement = agree(&sides, tolerance, context)?;
    print(&agreement, context)?;
    Ok(code(&agreement))
}

fn tolerance(args: &VerifyArgs) -> anyhow::Result<Tolerance> {
    let parts = [
        ("--abs", args.abs),
        ("--rel", args.rel),
        ("--score-difference", args.score_difference),
    ];
    match parts.iter().find(|(_, v)| !v.is_finite() || *v < 0.0) {
        Some((flag, value)) => Err(exit::usage(
            format!("{flag} {value} is no tolerance"),
            "a number that is not negative",
        )),
        None => Ok(Tolerance {
            abs: args.abs,
            rel: args.rel,
            score: args.score_difference,
            flips: args.flips,
        }),
    }
}

/// What is compared: every model on every engine that is named, or that runs it here.
fn sides(args: &VerifyArgs, context: &Context) -> anyhow::Result<Vec<Side>> {
    let models: Vec<&String> = std::iter::once(&args.model).chain(&args.against).collect();
    let mut sides = Vec::new();
    for model in &models {
        let request = args.description.over(RunRequest {
            dataset: Some(args.dataset.clone()),
            only: Only::Accuracy,
            samples: args.samples,
            device: args.device.clone(),
            precision: args.precision,
            threads: Some(args.threads),
            workers: Some(1),
            ..RunRequest::new(model.as_str())
        });
        let backends = if args.backends.is_empty() {
            usable(&request, context)?
        } else {
            args.backends.clone()
        };
        for backend in backends {
            let name = if models.len() > 1 {
                format!("{model} on {backend}")
            } else {
                backend.clone()
            };
            sides.push(Side {
                name,
                request: RunRequest {
                    backend: Some(backend),
                    ..request.clone()
                },
            });
        }
    }
    let twice = |s: &&Side| sides.iter().filter(|o| o.name == s.name).count() > 1;
    if let Some(side) = sides.iter().find(twice) {
        return Err(exit::usage(
            format!("`{}` is named twice", side.name),
            "an engine agrees with itself",
        ));
    }
    if sides.len() < 2 {
        let only = sides.first().map_or("no engine", |s| s.name.as_str());
        return Err(exit::coded(
            exit::CANNOT_RUN,
            format!("there is nothing to compare with: only {only} can run this here"),
            "`dyno backends list` shows the engines, `dyno doctor` what they need",
        ));
    }
    Ok(sides)
}

/// Engines that compute, are usable here and run the model's framework.
fn usable(request: &RunRequest, context: &Context) -> anyhow::Result<Vec<String>> {
    let model = dyno_registry::resolve(
        &request.model,
        &context.search_path,
        &dyno_registry::ResolveOptions {
            framework: request.framework,
            home: std::env::home_dir(),
            ..dyno_registry::ResolveOptions::default()
        },
    )?;
    let engines = TABLES.backends_for(model.framework);
    Ok(engines
        .iter()
        .filter(|b| crate::child::probe(b.id(), &[]).usable())
        .map(|b| b.id().to_owned())
        .collect())
}

/// Plans every side and runs them side by side.
///
/// # Errors
/// When a plan cannot be made, or an engine fails.
pub(crate) fn agree(
    sides: &[Side],
    tolerance: Tolerance,
    context: &Context,
) -> anyhow::Result<Agreement> {
    let mut plans: Vec<Plan> = Vec::new();
    for side in sides {
        let planned = plan_one(&side.request, &Options::default(), context)?;
        plans.push(planned.plan);
    }
    let names: Vec<String> = sides.iter().map(|s| s.name.clone()).collect();
    let progress = Progress::new(context.quiet);
    Ok(dyno_runner::verify(
        &plans,
        &names,
        &TABLES,
        tolerance,
        &|event| progress.on(&event),
        interrupt::install(),
        &engines::overdue,
    )?)
}

/// The exit code that an agreement deserves.
pub(crate) fn code(agreement: &Agreement) -> u8 {
    if agreement.partial {
        exit::INTERRUPTED
    } else if !agreement.failures.is_empty() {
        exit::FAILED
    } else if agreement.holds() {
        exit::OK
    } else {
        exit::VERDICT
    }
}

/// Prints what was found.
///
/// # Errors
/// When there is no such form, or standard output cannot be written.
pub(crate) fn print(agreement: &Agreement, context: &Context) -> anyhow::Result<()> {
    for failure in &agreement.failures {
        say::line(&format!(
            "sample failed: `{}`: {}",
            failure.id, failure.error
        ));
    }
    match context.listing()? {
        Listing::Json => {
            let mut text = serde_json::to_string_pretty(agreement)?;
            text.push('\n');
            output::write(text.as_bytes(), None)
        }
        listing => {
            let table = outputs(agreement);
            let mut text = String::new();
            if listing == Listing::Human {
                text = head(agreement);
            }
            text.push_str(&table.render(listing, terminal_width()));
            if listing == Listing::Human {
                text.push_str(&tail(agreement));
            }
            output::write(text.as_bytes(), None)
        }
    }
}

fn head(agreement: &Agreement) -> String {
    let mut text = format!(
        "{} samples of {}\n",
        agreement.samples,
        clean(&agreement.sample_set)
    );
    for engine in &agreement.engines {
        let import = engine
            .import
            .as_ref()
            .map(|i| format!(", imported by {}", i.words()))
            .unwrap_or_default();
        let scores: Vec<String> = engine
            .scores
            .iter()
            .filter(|s| !s.metric.contains('/'))
            .take(2)
            .filter_map(|s| Some(format!("{} {:.4}", s.metric, s.value?)))
            .collect();
        let _ = writeln!(
            text,
            "{}: {}, {} on {}{}: {}",
            clean(&engine.name),
            clean(&engine.facts.library),
            clean(&engine.facts.precision),
            clean(&engine.facts.device),
            clean(&import),
            scores.join(", ")
        );
    }
    text.push('\n');
    text
}

fn outputs(agreement: &Agreement) -> Table {
    let mut table = Table::new([
        Column::text("engines").key("pair"),
        Column::text("output"),
        Column::number("max difference").key("max_abs"),
        Column::number("mean").key("mean_abs"),
        Column::number("relative").key("max_rel"),
        Column::number("of tolerance").key("of_tolerance"),
        Column::text("worst sample").key("worst_sample"),
    ]);
    for pair in &agreement.pairs {
        let name = format!("{} / {}", pair.a, pair.b);
        for output in &pair.outputs {
            let number = |v: f64| Cell::new(format!("{v:.3e}"), v);
            table.push([
                Cell::from(name.as_str()),
                Cell::from(output.output.as_str()),
                number(output.max_abs),
                number(output.mean_abs),
                number(output.max_rel),
                Cell::new(
                    format!("{:.0} %", 100.0 * output.of_tolerance),
                    output.of_tolerance,
                ),
                Cell::from(output.worst_sample.as_str()),
            ]);
        }
        if let Some(words) = &pair.not_compared {
            table.push([
                Cell::from(name.as_str()),
                Cell::from(format!("not compared: {words}")),
                Cell::empty(),
                Cell::empty(),
                Cell::empty(),
                Cell::empty(),
                Cell::empty(),
            ]);
        }
    }
    table
}

fn tail(agreement: &Agreement) -> String {
    let mut text = String::from("\n");
    for line in verdicts(agreement) {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// What was found, a line a pair.
pub(crate) fn verdicts(agreement: &Agreement) -> Vec<String> {
    let mut lines: Vec<String> = agreement.pairs.iter().map(verdict).collect();
    if let Some(odd) = &agreement.odd_one_out {
        lines.push(format!(
            "the odd one out is {}: all others agree",
            clean(odd)
        ));
    }
    lines
}

/// One pair in a line.
fn verdict(pair: &PairAgreement) -> String {
    let mut parts = Vec::new();
    if let Some(flips) = pair.top_1_flips {
        parts.push(format!("{flips} top-1 flips"));
    }
    for score in pair.scores.iter().take(2) {
        let interval = score
            .interval
            .map(|[low, high]| format!(" (95 % {low:+.4} to {high:+.4})"))
            .unwrap_or_default();
        parts.push(format!(
            "{} {:+.4}{interval}",
            score.metric, score.difference
        ));
    }
    format!(
        "{} / {}: {}, {}",
        clean(&pair.a),
        clean(&pair.b),
        if pair.agrees { "agree" } else { "DIFFER" },
        parts.join(", ")
    )
}
