//! What a reader of the record must know.

use crate::{open, score::Scored};
use dyno_core::{
    DecoderKind, LabelMatch, NO_DECODER, Plan, SampleFailure, Tables, ThresholdSet, Warning,
    WarningCode,
};

/// Names that are shown of a list.
const SHOWN: usize = 5;

fn warning(code: WarningCode, detail: String) -> Warning {
    Warning { code, detail }
}

/// The first names of a list.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// What the plan itself says.
pub(super) fn of_plan(plan: &Plan, tables: &Tables, labels: &LabelMatch) -> Vec<Warning> {
    let mut found = Vec::new();
    let model = &plan.spec.model;
    if model.recipe_assumed {
        let recipe = model.recipe.as_deref().unwrap_or("?");
        found.push(warning(
            WarningCode::RecipeAssumed,
            format!("`{recipe}` is the only recipe that fits the outputs; nobody named it"),
        ));
    }
    // Without a score nobody is compared with anybody.
    if plan.spec.accuracy.is_none() {
        return found;
    }
    if !plan.bindings.sample_set.full() {
        found.push(warning(
            WarningCode::Subset,
            "the samples are a subset: the scores are not comparable with those of the full set"
                .to_owned(),
        ));
    }
    let decoder = &model.decoder;
    let keeps_all = open::thresholds(plan, ThresholdSet::Evaluate).is_some_and(|t| t.iou.is_none());
    let suppresses = decoder.kind != NO_DECODER
        && tables
            .decoder(&decoder.kind)
            .is_ok_and(DecoderKind::suppresses);
    if keeps_all && suppresses {
        found.push(warning(
            WarningCode::NotSuppressed,
            format!(
                "the thresholds of `{}` name no IoU: overlapping boxes of one object all stay",
                decoder.kind
            ),
        ));
    }
    for (names, whose) in [
        (
            &labels.unmatched_dataset,
            "the dataset are none of the model's",
        ),
        (
            &labels.unmatched_model,
            "the model are none of the dataset's",
        ),
    ] {
        if !names.is_empty() {
            let detail = format!("{} classes of {whose}: {}", names.len(), some(names));
            found.push(warning(WarningCode::LabelsUnmatched, detail));
        }
    }
    found
}

/// Samples that failed, in any half of the run, out of `count`; where more failed than allowed, the
/// measurements say so themselves.
pub(super) fn of_failures(failures: &[SampleFailure], count: usize) -> Option<Warning> {
    let first = failures.first()?;
    let detail = format!(
        "{} of {count} samples failed, the first: `{}`",
        failures.len(),
        first.id
    );
    Some(warning(WarningCode::SamplesFailed, detail))
}

/// What the scores leave out. `per_class` are the tables of single classes, by metric.
pub(super) fn of_scores(scored: &Scored, per_class: &[(String, Vec<u8>)]) -> Vec<Warning> {
    let mut found = Vec::new();
    if scored.repeated > 0 {
        let detail = format!(
            "{} of {} samples repeat the picture of another and are in no score",
            scored.repeated, scored.results
        );
        found.push(warning(WarningCode::SamplesRepeated, detail));
    }
    let mut names: Vec<String> = Vec::new();
    // A share of samples is no mean over classes.
    let is_mean = |column: &str| {
        let mut scores = scored.scores.iter().flat_map(|(_, s)| s);
        scores.any(|s| s.metric == column && s.hits.is_none())
    };
    for (_, table) in per_class {
        for name in classes_without_value(table, &is_mean) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if !names.is_empty() {
        let detail = format!(
            "{} classes have no object in these samples and were left out of the means: {}",
            names.len(),
            some(&names)
        );
        found.push(warning(WarningCode::ClassesWithoutTruth, detail));
    }
    found
}

/// Names of classes whose first score that is a mean over classes is absent, in a table as
/// [`dyno_core::Detail`] describes it.
fn classes_without_value(table: &[u8], is_mean: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(table);
    let score = reader.headers().ok().and_then(|header| {
        let mut columns = header.iter().enumerate().skip(1);
        columns.find(|(_, name)| is_mean(name)).map(|(at, _)| at)
    });
    let Some(score) = score else {
        return Vec::new();
    };
    reader
        .records()
        .filter_map(Result::ok)
        .filter(|row| row.get(score) == Some(""))
        .filter_map(|row| row.get(0).map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_without_a_value_are_named() {
        let table = b"class,n,AP,AP50\ncat,0,,\n\"a, b\",0,,\ndog,3,0,\n";
        let is_mean = |column: &str| column.starts_with("AP");
        let found = |table: &[u8]| classes_without_value(table, &is_mean);
        assert_eq!(found(table), ["cat", "a, b"]);
        assert!(found(b"").is_empty());
        assert!(found(b"class\ncat\n").is_empty());
        assert!(
            found(b"class,top-1\ncat,\n").is_empty(),
            "a share of samples"
        );
    }

    #[test]
    fn long_lists_end() {
        let names: Vec<String> = (0..7).map(|n| n.to_string()).collect();
        assert_eq!(some(&names), "0, 1, 2, 3, 4, …");
        assert_eq!(some(&names[..2]), "0, 1");
    }
}
