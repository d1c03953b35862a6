//! What a run would do, in about ten lines, or the whole plan.

use super::{
    Options,
    prepare::{Prepared, predicts},
};
use crate::{context::Context, exit, output};
use dyno_core::{
    Division, NO_DECODER, PerformancePlan, Plan, PlanSpec, PredictionKind, Thresholds,
};
use dyno_planner::{Planned, WriteBack};
use dyno_registry::{ACCURACY, INFERENCE_TIME};
use dyno_reports::{
    terminal::{clean, clean_json},
    text::{bytes, counted, time},
};
use std::fmt::Write as _;

/// Prints what was planned.
///
/// # Errors
/// When the output cannot be written.
pub(super) fn show(
    prepared: &[Prepared],
    options: &Options,
    context: &Context,
) -> anyhow::Result<u8> {
    let text = if context.format == "json" {
        let plans: Vec<&Plan> = prepared.iter().map(|p| &p.planned.plan).collect();
        let text = match plans.as_slice() {
            [one] => serde_json::to_string_pretty(one)?,
            several => serde_json::to_string_pretty(several)?,
        };
        clean_json(&text).into_owned() + "\n"
    } else {
        let texts: Vec<String> = prepared
            .iter()
            .map(|p| lines(p, options, context))
            .collect();
        texts.join("\n")
    };
    output::write(text.as_bytes(), options.out.as_deref())?;
    Ok(exit::OK)
}

fn lines(prepared: &Prepared, options: &Options, context: &Context) -> String {
    let planned = &prepared.planned;
    let (spec, bindings) = (&planned.plan.spec, &planned.plan.bindings);
    let mut text = String::new();
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "{what:9} {}", clean(&value));
    };
    let model = &spec.model;
    let weights: u64 = model
        .files
        .iter()
        .filter(|f| f.role.is_weights())
        .map(|f| f.size_bytes)
        .sum();
    line(
        "model",
        format!(
            "{} ({}, {})",
            model.reference,
            model.framework,
            bytes(weights)
        ),
    );
    if let Some(recipe) = &model.recipe {
        let assumed = if model.recipe_assumed {
            ", assumed"
        } else {
            ""
        };
        line("recipe", format!("{recipe}{assumed}"));
    }
    line("outputs", outputs(planned));
    line("engine", engine(planned));
    let set = &bindings.sample_set;
    let of = if set.full() {
        String::new()
    } else {
        format!(" of {}", set.of)
    };
    line(
        "samples",
        format!(
            "{}: {}{of}",
            set.id,
            counted(u64::from(set.count), "sample")
        ),
    );
    line("accuracy", accuracy(spec, bindings.division));
    if spec.performance.is_empty() {
        line("latency", "is not measured".to_owned());
    }
    for performance in &spec.performance {
        line("latency", latency(performance));
    }
    line(
        "record",
        format!(
            "in a new folder of `{}`{}",
            context.settings.runs_dir.value.display(),
            if options.isolate {
                ", measured in a process of its own"
            } else {
                ""
            }
        ),
    );
    line("write", written(prepared));
    text
}

fn outputs(planned: &Planned) -> String {
    let decoder = &planned.plan.spec.model.decoder;
    if decoder.kind == NO_DECODER {
        return "no decoder: nobody reads them".to_owned();
    }
    let classes = planned
        .plan
        .spec
        .model
        .labels
        .as_ref()
        .map_or_else(String::new, |l| {
            format!(", {} of {}", counted(u64::from(l.count), "class"), l.source)
        });
    let thresholds = |t: Thresholds| {
        let iou = t
            .iou
            .map_or_else(|| "no iou".to_owned(), |v| format!("iou {v}"));
        format!("score {} {iou}", t.score)
    };
    let sets = match (predicts(planned), decoder.evaluate, decoder.deploy) {
        (Some(PredictionKind::Detections), Some(evaluate), Some(deploy)) => format!(
            ", {} for accuracy, {} for latency",
            thresholds(evaluate),
            thresholds(deploy)
        ),
        (Some(PredictionKind::Detections), Some(evaluate), None) => {
            format!(", {}", thresholds(evaluate))
        }
        _ => String::new(),
    };
    format!("read by {}{classes}{sets}", decoder.kind)
}

fn engine(planned: &Planned) -> String {
    let execution = &planned.plan.spec.execution;
    let mut parts = vec![
        execution.backend.clone(),
        execution.device.clone(),
        format!("{} arithmetic", execution.precision),
    ];
    let answer = &planned.answer;
    parts.push(format!(
        "{} in {}",
        answer.facts.library, answer.facts.precision
    ));
    for input in &answer.io.inputs {
        let shape: Vec<String> = input.shape.iter().map(ToString::to_string).collect();
        parts.push(format!(
            "{} {} {}",
            input.name,
            input.dtype,
            shape.join("x")
        ));
    }
    if let Some(import) = &execution.import {
        parts.push(format!("imported by {}", import.words()));
        let says = planned.answer.says.as_ref();
        parts.extend(says.iter().flat_map(|s| s.notes.iter().cloned()));
    }
    parts.join(", ")
}

fn accuracy(spec: &PlanSpec, division: Division) -> String {
    let Some(accuracy) = &spec.accuracy else {
        return "is not measured".to_owned();
    };
    let metrics: Vec<&str> = accuracy.metrics.iter().map(|m| m.name.as_str()).collect();
    let preparing = match division {
        Division::Fused { .. } => String::new(),
        Division::Staged { preparing, .. } => {
            format!(", {} that prepare", counted(u64::from(preparing), "thread"))
        }
    };
    format!(
        "{}, batch {}, {} of {}{preparing}, {} failed samples allowed",
        metrics.join(" and "),
        accuracy.batch,
        counted(u64::from(division.slots()), "slot"),
        counted(u64::from(division.threads()), "thread"),
        accuracy.max_errors
    )
}

fn latency(plan: &PerformancePlan) -> String {
    format!(
        "{}, timed {}, profile {}: {} and {} at least, {} at most; batch {}, {} of {}",
        plan.scenario,
        plan.timed,
        plan.profile,
        counted(plan.min_queries, "query"),
        time(plan.min_duration_ns),
        time(plan.max_duration_ns),
        plan.batch,
        counted(u64::from(plan.slots), "slot"),
        counted(u64::from(plan.threads), "thread"),
    )
}

/// What write-back would do, as far as anybody knows before the numbers are there.
fn written(prepared: &Prepared) -> String {
    let Some(write) = prepared.request.write else {
        return "nothing: --write fills the manifest".to_owned();
    };
    let model = &prepared.planned.model;
    let spec = &prepared.planned.plan.spec;
    let fields = [
        (ACCURACY, spec.accuracy.is_some()),
        (INFERENCE_TIME, !spec.performance.is_empty()),
    ];
    let mut parts = Vec::new();
    for (field, _) in fields.iter().filter(|(_, measured)| *measured) {
        let shown = model
            .manifest
            .get(field)
            .filter(|v| !v.is_null() && v.as_str() != Some("") && v.as_f64() != Some(0.0));
        parts.push(match (shown, write) {
            (None, _) => format!("fills {field}"),
            (Some(old), WriteBack::Replace) => format!("replaces {field} ({old})"),
            (Some(old), WriteBack::Fill) => {
                format!("refreshes {field} ({old}) if it is of the same series, else leaves it")
            }
        });
    }
    format!(
        "`{}`: {}, of VALID measurements only",
        model.location.manifest_path().display(),
        parts.join("; ")
    )
}
