//! What ran, and how it was used.

use crate::text::counted;
use dyno_core::{Execution, Precision, ThresholdSet, Thresholds};

/// The engine alone.
pub(super) fn engine(e: &Execution) -> String {
    let providers: Vec<String> = e
        .providers
        .iter()
        .map(|p| match p.nodes {
            Some(nodes) => format!("{} ({})", p.name, counted(nodes, "node")),
            None => p.name.clone(),
        })
        .collect();
    let through = if providers.is_empty() {
        String::new()
    } else {
        format!(" through {}", providers.join(", "))
    };
    format!("{} on {}{through}, {}", e.library, e.device, e.precision)
}

/// The engine and how it was used.
pub(super) fn engine_in_use(e: &Execution) -> String {
    let mut text = format!(
        "{}, {}, {}, batch {}",
        engine(e),
        counted(e.threads.into(), "thread"),
        counted(e.slots.into(), "slot"),
        e.batch
    );
    if e.requested != Precision::Native {
        text.extend([format!(", asked for {}", e.requested)]);
    }
    if let Some(import) = &e.import {
        text.extend([format!(", imported by {}", import.words())]);
    }
    for (name, shape) in &e.shapes {
        let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
        text.extend([format!(", {name} {}", axes.join("x"))]);
    }
    for (key, value) in &e.settings {
        text.extend([format!(", {key}={value}")]);
    }
    text
}

/// Thresholds and which of the model's they are.
pub(super) fn thresholds(set: Option<ThresholdSet>, values: Option<&Thresholds>) -> Option<String> {
    let t = values?;
    let set = match set {
        Some(ThresholdSet::Evaluate) => " for evaluation",
        Some(ThresholdSet::Deploy) => " for deployment",
        None => "",
    };
    let iou = t.iou.map(|v| format!(", IoU {v}")).unwrap_or_default();
    let max = t
        .max
        .map(|v| format!(", at most {v} an image"))
        .unwrap_or_default();
    Some(format!("thresholds{set}: score {}{iou}{max}", t.score))
}
