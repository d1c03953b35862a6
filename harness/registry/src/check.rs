//! Do the fields of a manifest still tell the truth?

use crate::{
    RegistryError, ResolvedModel,
    fields::{fields, is_empty, same_value, sample_set, value_of},
    locate::ResolveOptions,
    resolve::resolve_listed,
    search::{ListedModel, Location},
    write::{Action, FieldChange, Target, same_weights},
};
use dyno_core::{Purpose, Record, SampleSetRecord};
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
    /// `ok`, `no-evidence`, `evidence-unreadable`, `differs`, `lost`, `stale-weights`, `stale-preprocessing`, `stale-dataset`,
    /// `no-files`, `no-dataset`, `unreadable`.
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

fn finding(field: Option<&'static str>, status: FindingStatus, code: &'static str, detail: impl Into<String>) -> Finding {
    Finding { field, status, code, detail: detail.into() }
}

/// Checks every field of a model that has a value or evidence. `dataset` says what became of a sample set; a caller without
/// datasets answers [`DatasetState::NotAtHand`].
///
/// # Errors
/// When manifest or index cannot be read, or the model is a bare file.
pub fn check(listed: &ListedModel, options: &ResolveOptions, dataset: &dyn Fn(&SampleSetRecord) -> DatasetState) -> Result<Vec<Finding>, RegistryError> {
    let mut findings = Vec::new();
    let target = Target::open(&listed.location)?;
    let resolved = match resolve_listed(listed.clone(), options) {
        Ok(model) => Some(model),
        Err(RegistryError::FileMissing { path, hint }) => {
            findings.push(finding(None, FindingStatus::Unchecked, "no-files", format!("`{}` is missing: {hint}", path.display())));
            None
        }
        Err(e @ RegistryError::NoFramework { .. }) => {
            findings.push(finding(None, FindingStatus::Unchecked, "no-files", e.to_string()));
            None
        }
        Err(e) => {
            findings.push(finding(None, FindingStatus::Failed, "unreadable", e.to_string()));
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
                findings.push(finding(Some(field), FindingStatus::Failed, "no-evidence", format!("nothing stands behind {text}")));
            }
            (Some(reference), _) => findings.extend(field_findings(&target, resolved.as_ref(), field, value.as_ref(), reference, dataset)),
        }
    }
    Ok(findings)
}

fn fields_of(listed: &ListedModel, resolved: Option<&ResolvedModel>) -> &'static [&'static str] {
    let named = || serde_json::from_value::<Purpose>(Value::from(listed.field("purpose"))).ok();
    fields(matches!(listed.location, Location::Package { .. }), resolved.and_then(|m| m.purpose).or_else(named))
}

fn field_findings(
    target: &Target,
    model: Option<&ResolvedModel>,
    field: &'static str,
    value: Option<&Value>,
    reference: &RecordRef,
    dataset: &dyn Fn(&SampleSetRecord) -> DatasetState,
) -> Vec<Finding> {
    let failed = |code, detail: String| finding(Some(field), FindingStatus::Failed, code, detail);
    let record = match target.store.get(&reference.record) {
        Ok(record) => record,
        Err(e) => {
            let source = std::error::Error::source(&e).map_or_else(String::new, |s| format!(": {s}"));
            return vec![failed("evidence-unreadable", format!("{e}{source}"))];
        }
    };
    let expected = match value_of(&record, reference.measurement, field) {
        Ok(expected) => expected,
        Err(e) => return vec![failed("evidence-unreadable", e)],
    };
    let mut out = Vec::new();
    match value.filter(|v| !is_empty(Some(v))) {
        None => out.push(failed("lost", format!("the field is empty, its evidence says {expected}: --repair puts it back"))),
        Some(v) if !same_value(v, &expected) => out.push(failed("differs", format!("the field says {v}, its evidence {expected}"))),
        Some(_) => {}
    }
    if let Some(model) = model {
        match same_weights(model, &record) {
            Ok(Ok(())) => {}
            Ok(Err(detail)) => out.push(failed("stale-weights", detail)),
            Err(e) => out.push(failed("stale-weights", e.to_string())),
        }
        if let Some(detail) = preprocessing_changed(model, &record) {
            out.push(failed("stale-preprocessing", detail));
        }
    }
    let set = record.measurements.get(reference.measurement).and_then(|m| sample_set(&record, m));
    if let Some(set) = set {
        match dataset(set) {
            DatasetState::Same => {}
            DatasetState::Changed => out.push(failed("stale-dataset", format!("`{}` is no longer what was measured on", set.id))),
            DatasetState::NotAtHand => out.push(finding(Some(field), FindingStatus::Unchecked, "no-dataset", format!("`{}` is not at hand", set.id))),
        }
    }
    if out.is_empty() {
        out.push(finding(Some(field), FindingStatus::Ok, "ok", format!("shows {reference}")));
    }
    out
}

/// What the model says about its inputs, outputs and decoder now, against the plan of the record. Where the model is silent the
/// plan was filled in by a recipe, and only the recipe's name is compared.
fn preprocessing_changed(model: &ResolvedModel, record: &Record) -> Option<String> {
    let plan = &record.plan.spec.model;
    for (i, input) in model.spec.inputs.iter().enumerate().filter(|(_, i)| !i.preprocess.is_empty()) {
        let measured =
            input.name.as_ref().map_or_else(|| plan.inputs.get(i), |n| plan.inputs.iter().find(|p| p.name.as_ref() == Some(n)).or_else(|| plan.inputs.get(i)));
        if measured.is_none_or(|m| m.preprocess != input.preprocess) {
            let was = measured.and_then(|m| serde_json::to_string(&m.preprocess).ok()).unwrap_or_default();
            let now = serde_json::to_string(&input.preprocess).unwrap_or_default();
            return Some(format!("preprocessing of input {i} was {was}, is {now}"));
        }
    }
    if let (Some(now), Some(was)) = (&model.spec.recipe, &plan.recipe)
        && now != was
    {
        return Some(format!("the recipe was `{was}`, is `{now}`"));
    }
    let decoder = model.spec.decoder.as_ref()?;
    let changed = decoder.kind != plan.decoder.kind
        || (!decoder.parameters.is_null() && decoder.parameters != plan.decoder.parameters)
        || (decoder.evaluate.is_some() && decoder.evaluate != plan.decoder.evaluate)
        || (decoder.deploy.is_some() && decoder.deploy != plan.decoder.deploy);
    changed.then(|| {
        format!("the decoder was {}, is {}", serde_json::to_string(&plan.decoder).unwrap_or_default(), serde_json::to_string(decoder).unwrap_or_default())
    })
}

/// Puts back fields that other tools dropped: those that are empty and have evidence that still reads. (ETA's own tools rewrite
/// `manifest.json` and lose every key that they do not know.)
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
        let Some(reference) = shown.get(*field) else { continue };
        let old = target.value(field);
        if !is_empty(old.as_ref()) {
            continue;
        }
        let record = store.get(&reference.record)?;
        match value_of(&record, reference.measurement, field) {
            Ok(new) => {
                target.set(field, &new)?;
                changes.push(FieldChange { field, old, new: Some(new), action: Action::Filled, reason: format!("its evidence is {reference}") });
            }
            Err(reason) => changes.push(FieldChange { field, old, new: None, action: Action::Left, reason }),
        }
    }
    if changes.iter().any(|c| c.action == Action::Filled) {
        target.save()?;
    }
    Ok(changes)
}
