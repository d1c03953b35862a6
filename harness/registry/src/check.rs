//! Do the fields of a manifest still tell the truth?

use crate::{
    RegistryError, ResolvedModel,
    fields::{fields, is_empty, same_value, sample_set, value_of},
    locate::ResolveOptions,
    resolve::resolve_listed,
    search::{ListedModel, Location},
    write::{Action, FieldChange, Target, same_weights},
};
use dyno_core::{
    CanonicalError, ModelPlan, ModelSpec, Purpose, Record, SampleSetRecord, canonical_sha256,
};
use dyno_evidence::RecordRef;
use serde_json::Value;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingStatus {
    /// Nothing speaks against it.
    Ok,
    /// Something that it needs is not at hand.
    Unchecked,
    /// It is wrong.
    Failed,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The field, or none for the model as a whole.
    pub field: Option<&'static str>,
    /// How it came out.
    pub status: FindingStatus,
    /// `ok`, `no-evidence`, `evidence-unreadable`, `differs`, `lost`, `stale-weights`,
    /// `stale-preprocessing`, `stale-labels`, `stale-dataset`, `no-files`, `no-dataset`,
    /// `unreadable`.
    pub code: &'static str,
    /// Details, for people.
    pub detail: String,
}

/// A dataset as it is now, seen from a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetState {
    /// The same samples and annotations.
    Same,
    /// Changed since.
    Changed,
    /// Not on this machine.
    NotAtHand,
}

/// Says what became of a sample set of a record.
pub type DatasetCheck<'a> = &'a dyn Fn(&Record, &SampleSetRecord) -> DatasetState;

fn finding(
    field: Option<&'static str>,
    status: FindingStatus,
    code: &'static str,
    detail: impl Into<String>,
) -> Finding {
    Finding {
        field,
        status,
        code,
        detail: detail.into(),
    }
}

/// Checks every field of a model that has a value or evidence. `dataset` says what became of a
/// sample set; a caller without datasets answers [`DatasetState::NotAtHand`]. It is given the
/// record too, whose plan says how many samples were asked for.
///
/// # Errors
/// When manifest or index cannot be read, or the model is a bare file.
pub fn check(
    listed: &ListedModel,
    options: &ResolveOptions,
    dataset: DatasetCheck<'_>,
) -> Result<Vec<Finding>, RegistryError> {
    let mut findings = Vec::new();
    let target = Target::open(&listed.location)?;
    let resolved = match resolve_listed(listed.clone(), options) {
        Ok(model) => Some(model),
        Err(RegistryError::FileMissing { path, hint }) => {
            findings.push(finding(
                None,
                FindingStatus::Unchecked,
                "no-files",
                format!("`{}` is missing: {hint}", path.display()),
            ));
            None
        }
        Err(e @ RegistryError::NoFramework { .. }) => {
            findings.push(finding(
                None,
                FindingStatus::Unchecked,
                "no-files",
                e.to_string(),
            ));
            None
        }
        Err(e) => {
            findings.push(finding(
                None,
                FindingStatus::Failed,
                "unreadable",
                e.to_string(),
            ));
            None
        }
    };
    let shown = target.store.shown()?;
    for field in fields_of(listed, resolved.as_ref()) {
        let value = target.value(field);
        match (shown.get(*field), is_empty(value.as_ref())) {
            (None, true) => {}
            (None, false) => {
                let text = value.map(|v| v.to_string()).unwrap_or_default();
                findings.push(finding(
                    Some(field),
                    FindingStatus::Failed,
                    "no-evidence",
                    format!("nothing stands behind {text}"),
                ));
            }
            (Some(reference), _) => findings.extend(field_findings(
                &target,
                resolved.as_ref(),
                field,
                value.as_ref(),
                reference,
                dataset,
            )),
        }
    }
    Ok(findings)
}

fn fields_of(listed: &ListedModel, resolved: Option<&ResolvedModel>) -> &'static [&'static str] {
    let named = || serde_json::from_value::<Purpose>(Value::from(listed.field("purpose"))).ok();
    fields(
        matches!(listed.location, Location::Package { .. }),
        resolved.and_then(|m| m.purpose).or_else(named),
    )
}

fn field_findings(
    target: &Target,
    model: Option<&ResolvedModel>,
    field: &'static str,
    value: Option<&Value>,
    reference: &RecordRef,
    dataset: DatasetCheck<'_>,
) -> Vec<Finding> {
    let failed = |code, detail: String| finding(Some(field), FindingStatus::Failed, code, detail);
    let record = match target.store.get(&reference.record) {
        Ok(record) => record,
        Err(e) => {
            let source =
                std::error::Error::source(&e).map_or_else(String::new, |s| format!(": {s}"));
            return vec![failed("evidence-unreadable", format!("{e}{source}"))];
        }
    };
    let expected = match value_of(&record, reference.measurement, field) {
        Ok(expected) => expected,
        Err(e) => return vec![failed("evidence-unreadable", e)],
    };
    let mut out = Vec::new();
    match value.filter(|v| !is_empty(Some(v))) {
        None => out.push(failed(
            "lost",
            format!("the field is empty, its evidence says {expected}: --repair puts it back"),
        )),
        Some(v) if !same_value(v, &expected) => out.push(failed(
            "differs",
            format!("the field says {v}, its evidence {expected}"),
        )),
        Some(_) => {}
    }
    if let Some(model) = model {
        match same_weights(model, &record) {
            Ok(Ok(())) => {}
            Ok(Err(detail)) => out.push(failed("stale-weights", detail)),
            Err(e) => out.push(failed("stale-weights", e.to_string())),
        }
        if let Some(detail) = description_changed(&model.spec, &record.plan.spec.model) {
            out.push(failed("stale-preprocessing", detail));
        }
        match labels_changed(model, &record.plan.spec.model) {
            Ok(None) => {}
            Ok(Some(detail)) => out.push(failed("stale-labels", detail)),
            Err(e) => out.push(failed("stale-labels", e.to_string())),
        }
    }
    let set = record
        .measurements
        .get(reference.measurement)
        .and_then(|m| sample_set(&record, m));
    if let Some(set) = set {
        match dataset(&record, set) {
            DatasetState::Same => {}
            DatasetState::Changed => out.push(failed(
                "stale-dataset",
                format!("`{}` is no longer what was measured on", set.id),
            )),
            DatasetState::NotAtHand => out.push(finding(
                Some(field),
                FindingStatus::Unchecked,
                "no-dataset",
                format!("`{}` is not at hand", set.id),
            )),
        }
    }
    if out.is_empty() {
        out.push(finding(
            Some(field),
            FindingStatus::Ok,
            "ok",
            format!("shows {reference}"),
        ));
    }
    out
}

/// What the model says about its inputs, outputs and decoder now, against the plan of the record.
/// Where it is silent, the plan must have been filled in by the recipe that it names now too; what
/// a recipe fills in is compared by the recipe's name only.
fn description_changed(now: &ModelSpec, was: &ModelPlan) -> Option<String> {
    if now.recipe != was.recipe {
        return Some(match &now.recipe {
            None => {
                let recipe = was.recipe.as_deref().unwrap_or_default();
                format!(
                    "measured with recipe `{recipe}`, which the model does not name: `dyno models configure --recipe {recipe}` names it"
                )
            }
            Some(recipe) => format!(
                "the recipe was {}, is `{recipe}`",
                was.recipe
                    .as_ref()
                    .map_or_else(|| "none".to_owned(), |r| format!("`{r}`"))
            ),
        });
    }
    // As a plan is made: the inputs are the model's own as soon as one of them says its
    // preprocessing.
    let speaks = now.inputs.iter().any(|i| !i.preprocess.is_empty());
    if (speaks || now.recipe.is_none()) && now.inputs != was.inputs {
        let pairs = (0..now.inputs.len().max(was.inputs.len()))
            .map(|i| (i, was.inputs.get(i), now.inputs.get(i)));
        let (i, before, after) = pairs.into_iter().find(|(_, a, b)| a != b)?;
        return Some(format!(
            "input {i} was {}, is {}",
            text(&before),
            text(&after)
        ));
    }
    if now.outputs != was.outputs {
        return Some(format!(
            "the outputs were {}, are {}",
            text(&was.outputs),
            text(&now.outputs)
        ));
    }
    match &now.decoder {
        Some(decoder) if *decoder != was.decoder => Some(format!(
            "the decoder was {}, is {}",
            text(&was.decoder),
            text(decoder)
        )),
        None if now.recipe.is_none() => Some(format!(
            "the decoder was {}, the model names none",
            text(&was.decoder)
        )),
        _ => None,
    }
}

/// The classes now against those of the record. A model that names none has those of its recipe.
fn labels_changed(
    model: &ResolvedModel,
    was: &ModelPlan,
) -> Result<Option<String>, CanonicalError> {
    let Some(plan) = &was.labels else {
        return Ok(None);
    };
    let Some((source, labels)) = &model.labels else {
        return Ok(model.spec.recipe.is_none().then(|| {
            format!(
                "measured with the labels of `{}`, the model names none",
                plan.source
            )
        }));
    };
    let changed = canonical_sha256(labels)? != plan.sha256;
    Ok(changed.then(|| {
        format!(
            "the {} labels of `{}` were others than the {} of `{source}` now",
            plan.count,
            plan.source,
            labels.len()
        )
    }))
}

fn text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Puts back fields that other tools dropped: those that are empty and have evidence that still
/// reads. (ETA's own tools rewrite `manifest.json` and lose every key that they do not know.)
///
/// # Errors
/// When manifest or index cannot be read or written.
pub fn repair(listed: &ListedModel) -> Result<Vec<FieldChange>, RegistryError> {
    let store = Target::open(&listed.location)?.store;
    let _guard = store.lock()?;
    let mut target = Target::open(&listed.location)?;
    let shown = store.shown()?;
    let mut changes = Vec::new();
    for field in fields_of(listed, None) {
        let Some(reference) = shown.get(*field) else {
            continue;
        };
        let old = target.value(field);
        if !is_empty(old.as_ref()) {
            continue;
        }
        let record = store.get(&reference.record)?;
        match value_of(&record, reference.measurement, field) {
            Ok(new) => {
                target.set(field, &new)?;
                changes.push(FieldChange {
                    field,
                    old,
                    new: Some(new),
                    action: Action::Filled,
                    reason: format!("its evidence is {reference}"),
                });
            }
            Err(reason) => changes.push(FieldChange {
                field,
                old,
                new: None,
                action: Action::Left,
                reason,
            }),
        }
    }
    if changes.iter().any(|c| c.action == Action::Filled) {
        target.save()?;
    }
    Ok(changes)
}
