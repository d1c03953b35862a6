//! Do the fields of a manifest still tell the truth?

use crate::{
    RegistryError, ResolvedModel,
    decide::Known,
    described::{Compared, Describe, compare, labels_changed},
    fields::{ACCURACY, INFERENCE_TIME, apart, fields, is_blank, same_value, value_of},
    locate::ResolveOptions,
    resolve::{complete, resolve_named},
    search::{ListedModel, Location},
    target::{Target, confined},
    weights::Weights,
    write::{Action, FieldChange},
};
use dyno_core::{Measurement, Purpose, Record, Reference, SampleSetRecord};
use dyno_evidence::{DataState, EvidenceError, EvidenceStore, RecordRef};
use serde_json::Value;
use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeMap,
};

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
    /// `ok`, `no-evidence`, `evidence-unreadable`, `evidence-unfit`, `differs`, `lost`,
    /// `stale-weights`, `stale-preprocessing`, `stale-labels`, `stale-dataset`, `apart`,
    /// `data-missing`, `data-changed`, `no-data`, `no-description`, `no-files`, `no-dataset`,
    /// `reference-own`, `reference-unsourced`, `unreadable`.
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

/// Says what became of a sample set of a record, by the content of its files: size and time of a
/// file vouch for nothing.
pub type DatasetCheck<'a> = &'a dyn Fn(&Record, &SampleSetRecord) -> DatasetState;

/// What a check needs from above: data sets and engines.
#[derive(Clone, Copy)]
pub struct CheckContext<'a> {
    /// What became of a sample set; a caller without datasets answers [`DatasetState::NotAtHand`].
    pub dataset: DatasetCheck<'a>,
    /// The model as a run would take it; a caller without engines answers `Ok(None)`.
    pub describe: Describe<'a>,
}

impl Finding {
    fn new(
        field: Option<&'static str>,
        status: FindingStatus,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            field,
            status,
            code,
            detail: detail.into(),
        }
    }
}

/// Checks every field of a model that has a value or evidence, and its references.
///
/// # Errors
/// When manifest or index cannot be read, or the model is a bare file.
pub fn check(
    listed: &ListedModel,
    options: &ResolveOptions,
    context: &CheckContext<'_>,
) -> Result<Vec<Finding>, RegistryError> {
    let mut findings = Vec::new();
    let target = Target::open(&listed.location)?;
    let of_model = |status, code, detail: String| Finding::new(None, status, code, detail);
    let resolved = match resolve_named(listed.clone(), options) {
        Ok(model) => Some(model),
        Err(e) => {
            findings.push(match e {
                RegistryError::FileMissing { path, hint } => of_model(
                    FindingStatus::Unchecked,
                    "no-files",
                    format!("`{}` is missing: {hint}", path.display()),
                ),
                RegistryError::NoFramework { .. } => {
                    of_model(FindingStatus::Unchecked, "no-files", e.to_string())
                }
                e => of_model(FindingStatus::Failed, "unreadable", e.to_string()),
            });
            None
        }
    };
    let model = resolved.as_ref().map(|named| Subject {
        named,
        read: OnceCell::new(),
        compared: RefCell::default(),
    });
    let known = Known::shown_only(&target.store)?;
    let mut seen: Vec<&str> = Vec::new();
    for field in fields_of(listed, resolved.as_ref()) {
        let value = target.value(field);
        match (known.shown.get(*field), is_blank(value.as_ref())) {
            (None, true) => {}
            (None, false) => {
                let text = value.map(|v| v.to_string()).unwrap_or_default();
                findings.push(Finding::new(
                    Some(field),
                    FindingStatus::Failed,
                    "no-evidence",
                    format!("nothing stands behind {text}"),
                ));
            }
            (Some(reference), _) => {
                findings.extend(field_findings(
                    &target.store,
                    model.as_ref(),
                    field,
                    value.as_ref(),
                    reference,
                    context,
                ));
                if let Some((record, _)) = known.at(reference)
                    && !seen.contains(&record.id.as_str())
                {
                    seen.push(&record.id);
                    findings.extend(data_finding(&target.store, record));
                }
            }
        }
    }
    findings.extend(pair_finding(&target, &known));
    let references = || resolved.iter().flat_map(|m| &m.spec.reference);
    let known = if references().any(|r| r.source.is_none()) {
        // Its value may be that of any record.
        Known::read(&target.store)?
    } else {
        known
    };
    findings.extend(references().filter_map(|r| reference_finding(r, &known)));
    Ok(findings)
}

/// A model whose files are read when the first field needs them, once; and compared once with a
/// record, whatever fields show it.
struct Subject<'a> {
    named: &'a ResolvedModel,
    read: OnceCell<Result<(ResolvedModel, Weights), String>>,
    compared: RefCell<BTreeMap<String, Compared>>,
}

impl Subject<'_> {
    fn read(&self) -> Result<&(ResolvedModel, Weights), &str> {
        let read = self.read.get_or_init(|| {
            let mut model = self.named.clone();
            complete(&mut model).map_err(|e| e.to_string())?;
            let weights = Weights::of(&model).map_err(|e| e.to_string())?;
            Ok((model, weights))
        });
        read.as_ref().map_err(String::as_str)
    }

    fn compared(&self, model: &ResolvedModel, record: &Record, describe: Describe<'_>) -> Compared {
        let mut all = self.compared.borrow_mut();
        all.entry(record.id.clone())
            .or_insert_with(|| compare(model, record, describe))
            .clone()
    }
}

fn fields_of(listed: &ListedModel, resolved: Option<&ResolvedModel>) -> &'static [&'static str] {
    let named = || serde_json::from_value::<Purpose>(Value::from(listed.field("purpose"))).ok();
    fields(
        matches!(listed.location, Location::Package { .. }),
        resolved.and_then(|m| m.purpose).or_else(named),
    )
}

fn field_findings(
    store: &EvidenceStore,
    subject: Option<&Subject<'_>>,
    field: &'static str,
    value: Option<&Value>,
    reference: &RecordRef,
    context: &CheckContext<'_>,
) -> Vec<Finding> {
    let found = |status, code, detail: String| Finding::new(Some(field), status, code, detail);
    let failed = |code, detail| found(FindingStatus::Failed, code, detail);
    let record = match store.get(&reference.record) {
        Ok(record) => record,
        Err(e) => {
            let source =
                std::error::Error::source(&e).map_or_else(String::new, |s| format!(": {s}"));
            return vec![failed("evidence-unreadable", format!("{e}{source}"))];
        }
    };
    let expected = match value_of(&record, reference.measurement, field) {
        Ok(expected) => expected,
        Err(e) => return vec![failed("evidence-unfit", e)],
    };
    let mut out = Vec::new();
    match value {
        Some(v) if same_value(v, &expected) => {}
        Some(v) if !is_blank(Some(v)) => out.push(failed(
            "differs",
            format!("the field says {v}, its evidence {expected}"),
        )),
        _ => out.push(failed(
            "lost",
            format!("the field is empty, its evidence says {expected}: --repair puts it back"),
        )),
    }
    let measurement = record.measurements.get(reference.measurement);
    match subject.map(|s| (s, s.read())) {
        None => {}
        Some((_, Err(e))) => out.push(failed("stale-weights", e.to_owned())),
        Some((subject, Ok((model, weights)))) => {
            let stale = match measurement.and_then(|m| record.subject(m)) {
                None => Some("the record does not say which model it measured".to_owned()),
                Some(measured) => weights.difference(&measured.files),
            };
            out.extend(stale.map(|detail| failed("stale-weights", detail)));
            match subject.compared(model, &record, context.describe) {
                Compared::Same => {}
                Compared::Differs(detail) => out.push(failed("stale-preprocessing", detail)),
                Compared::Unchecked(detail) => {
                    out.push(found(FindingStatus::Unchecked, "no-description", detail));
                }
            }
            match labels_changed(model, &record.plan.spec.model) {
                Ok(None) => {}
                Ok(Some(detail)) => out.push(failed("stale-labels", detail)),
                Err(e) => out.push(failed("stale-labels", e.to_string())),
            }
        }
    }
    if let Some(set) = measurement.and_then(|m| record.sample_set(m)) {
        match (context.dataset)(&record, set) {
            DatasetState::Same => {}
            DatasetState::Changed => out.push(failed(
                "stale-dataset",
                format!("`{}` is no longer what was measured on", set.id),
            )),
            DatasetState::NotAtHand => out.push(found(
                FindingStatus::Unchecked,
                "no-dataset",
                format!("`{}` is not at hand", set.id),
            )),
        }
    }
    if out.is_empty() {
        out.push(found(FindingStatus::Ok, "ok", format!("shows {reference}")));
    }
    out
}

/// What became of the files behind a record, one finding for all that is wrong in the same way.
fn data_finding(store: &EvidenceStore, record: &Record) -> Vec<Finding> {
    let (mut missing, mut changed, mut not_kept) = (Vec::new(), Vec::new(), 0_usize);
    // A list that is not to be had is itself among what is missing or changed.
    let files = store.files_behind(record).unwrap_or_else(|error| {
        if let EvidenceError::List { .. } | EvidenceError::Json { .. } = error {
            changed.push(error.to_string());
        }
        record.artifacts.clone()
    });
    for artifact in &files {
        let name = format!("{}.{}", artifact.sha256, artifact.format);
        match store.data_state(artifact) {
            DataState::Intact => {}
            DataState::Changed => changed.push(name),
            DataState::Missing => missing.push(name),
            DataState::NotKept => not_kept += 1,
        }
    }
    let id = record.short_id();
    let listed = |code, what: &str, names: &[String]| {
        let first = names.first()?;
        let more = match names.len() {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        Some(Finding::new(
            None,
            FindingStatus::Failed,
            code,
            format!("{what} in `evidence/data`, which record {id} names: {first}{more}"),
        ))
    };
    let mut out: Vec<Finding> = listed("data-missing", "missing", &missing)
        .into_iter()
        .chain(listed("data-changed", "changed", &changed))
        .collect();
    if not_kept > 0 {
        out.push(Finding::new(
            None,
            FindingStatus::Unchecked,
            "no-data",
            format!("no `evidence/data` here: the {not_kept} files behind record {id} are not kept with this copy"),
        ));
    }
    out
}

/// Accuracy and latency stand beside each other only if they are of the same model and inputs.
fn pair_finding(target: &Target, known: &Known) -> Option<Finding> {
    let behind = |field| known.behind(field, target.value(field).as_ref());
    let difference = apart(behind(ACCURACY)?, behind(INFERENCE_TIME)?)?;
    Some(Finding::new(
        Some(INFERENCE_TIME),
        FindingStatus::Failed,
        "apart",
        format!("not of the model and input of the accuracy beside it: {difference}"),
    ))
}

/// Says of a reference whose word it is, where it is not a source of its own.
fn reference_finding(reference: &Reference, known: &Known) -> Option<Finding> {
    let name = format!(
        "reference {} {} on `{}`",
        reference.metric, reference.value, reference.sample_set
    );
    let is_own = |m: &Measurement| {
        m.sample_set() == Some(reference.sample_set.as_str())
            && m.score(&reference.metric)
                .and_then(|s| s.value)
                .is_some_and(|v| (v - reference.value).abs() < OWN_VALUE)
    };
    let (code, detail) = match &reference.source {
        Some(source) if source.starts_with("record ") => (
            "reference-own",
            format!("{name} is the model's own value of {source}: it finds changes, not errors"),
        ),
        Some(_) => return None,
        None if known.accuracies().any(is_own) => (
            "reference-own",
            format!(
                "{name} is the model's own last value, and names no source: it finds changes, not errors"
            ),
        ),
        None => ("reference-unsourced", format!("{name} names no source")),
    };
    Some(Finding::new(None, FindingStatus::Unchecked, code, detail))
}

/// A reference that is this near to a measured value was copied from it: manifests show four
/// decimals.
const OWN_VALUE: f64 = 5e-5;

/// Puts back fields that other tools dropped: those that are empty and have evidence that still
/// reads. (ETA's own tools rewrite `manifest.json` and lose every key that they do not know.)
///
/// # Errors
/// When manifest or index cannot be read or written.
pub fn repair(listed: &ListedModel) -> Result<Vec<FieldChange>, RegistryError> {
    let store = Target::open(&listed.location)?.store;
    let _guard = store.lock()?;
    confined(&listed.location)?;
    let mut target = Target::open(&listed.location)?;
    let shown = store.shown()?;
    let mut changes = Vec::new();
    for field in fields_of(listed, None) {
        let Some(reference) = shown.get(*field) else {
            continue;
        };
        let old = target.value(field);
        if !is_blank(old.as_ref()) {
            continue;
        }
        let record = store.get(&reference.record)?;
        match value_of(&record, reference.measurement, field) {
            // A measured zero is there.
            Ok(new) if old.as_ref().is_some_and(|o| same_value(o, &new)) => {}
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
