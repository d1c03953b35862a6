//! Numbers go into the plain fields of a manifest, and their evidence beside it.
//!
//! Order of a write, under the folder's lock: record and artifacts, index, manifest. A process
//! killed in between leaves evidence that no field shows, or a field that `check` reports and the
//! next write refreshes; never a number without evidence.

use crate::{
    RegistryError, ResolvedModel,
    eta::EtaManifest,
    fields::{choose, difference, fields, is_empty, same_value, value_of},
    files::read_document,
    json_edit::{Document, Json, Path as JsonPath},
    search::Location,
};
use dyno_core::{FileRole, Record};
use dyno_evidence::{EvidenceStore, FileLock, RecordRef, RunFolder, atomic_write, hash_file};
use serde_json::Value;
use std::{collections::BTreeMap, fmt, fs};

/// What a write may overwrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// Empty fields, and those that show an older measurement of the same series.
    Fill,
    /// Every field for which the record has a valid measurement.
    Replace,
}

/// What happened to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It was empty.
    Filled,
    /// It showed an older measurement of the same series.
    Refreshed,
    /// It showed something else, and replacing was asked for.
    Replaced,
    /// It shows this already.
    Unchanged,
    /// It shows something else and stays.
    Left,
    /// The record has nothing for it.
    NotMeasured,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Filled => "filled",
            Self::Refreshed => "refreshed",
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
            Self::Left => "left",
            Self::NotMeasured => "not measured",
        })
    }
}

/// One field of a manifest after a write.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// Name of the field.
    pub field: &'static str,
    /// Its value before; absent where the key was.
    pub old: Option<Value>,
    /// The value that the record has for it.
    pub new: Option<Value>,
    /// What happened.
    pub action: Action,
    /// Why.
    pub reason: String,
}

/// A manifest open for editing, at the object that has the fields.
pub(crate) struct Target {
    pub(crate) store: EvidenceStore,
    pub(crate) path: std::path::PathBuf,
    document: Document,
    index: Option<usize>,
}

impl Target {
    pub(crate) fn open(location: &Location) -> Result<Self, RegistryError> {
        let path = location.manifest_path();
        let Some(store) = crate::resolve::evidence_of(location) else {
            return Err(RegistryError::NotWritable {
                path,
                reason: "a bare model file has no manifest: make one with `dyno models configure`"
                    .to_owned(),
            });
        };
        match location {
            Location::Entry {
                models_dir,
                name,
                version,
            } => {
                let manifest = EtaManifest::read(models_dir)?;
                let index = manifest.entry(name, version.as_deref()).map(|e| e.index);
                if index.is_none() {
                    return Err(RegistryError::invalid(
                        &path,
                        format!("the entry `{name}` is gone"),
                    ));
                }
                Ok(Self {
                    store,
                    path,
                    document: manifest.document,
                    index,
                })
            }
            _ => Ok(Self {
                store,
                document: read_document(&path)?,
                path,
                index: None,
            }),
        }
    }

    fn object(&self) -> Vec<JsonPath<'static>> {
        self.index.map_or_else(Vec::new, |i| {
            vec![JsonPath::Key("models"), JsonPath::Index(i)]
        })
    }

    pub(crate) fn value(&self, field: &'static str) -> Option<Value> {
        let mut path = self.object();
        path.push(JsonPath::Key(field));
        self.document
            .get(&path)
            .and_then(|n| self.document.value(n).ok())
    }

    pub(crate) fn set(&mut self, field: &str, value: &Value) -> Result<(), RegistryError> {
        let object = self.object();
        self.document
            .set(&object, field, &Json::from_value(value.clone()))
            .map_err(RegistryError::json(&self.path))
    }

    pub(crate) fn save(&self) -> Result<(), RegistryError> {
        Ok(atomic_write(&self.path, self.document.text().as_bytes())?)
    }
}

/// The model can take numbers: it has a manifest, and manifest and folder can be written. To be
/// asked before a run.
///
/// # Errors
/// [`RegistryError::NotWritable`] with the reason.
pub fn check_writable(model: &ResolvedModel) -> Result<(), RegistryError> {
    let target = Target::open(&model.location)?;
    let reason = |reason: String| RegistryError::NotWritable {
        path: target.path.clone(),
        reason,
    };
    let meta = fs::metadata(&target.path).map_err(RegistryError::io("read", &target.path))?;
    if meta.permissions().readonly() {
        return Err(reason("the manifest is read-only".to_owned()));
    }
    if target.store.folder().exists() {
        return target.store.lock().map(drop).map_err(|e| {
            reason(format!(
                "{e}: {}",
                std::error::Error::source(&e).map_or_else(String::new, ToString::to_string)
            ))
        });
    }
    // Nothing of a question stays behind: the evidence is made by the first write.
    let probe = target.path.with_file_name(format!(
        ".dyno-probe-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    let made = fs::File::create_new(&probe).and_then(|_| fs::remove_file(&probe));
    made.map_err(|e| reason(format!("its folder cannot be written: {e}")))
}

/// The weights of the record are those of the model, file by file.
pub(crate) fn same_weights(
    model: &ResolvedModel,
    record: &Record,
) -> Result<Result<(), String>, RegistryError> {
    let mut checked = 0;
    for role in [FileRole::Model, FileRole::Config] {
        let Some(recorded) = record.subject.files.iter().find(|f| f.role == role) else {
            continue;
        };
        let Some(path) = model.path(role) else {
            return Ok(Err(format!(
                "the record names a {role:?} file, the model has none"
            )));
        };
        let (sha256, _) = hash_file(path)?;
        if sha256 != recorded.sha256 {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            return Ok(Err(format!(
                "`{name}` is not the file that was measured: it is {}…, measured was {}…",
                short(&sha256),
                short(&recorded.sha256)
            )));
        }
        checked += 1;
    }
    Ok(if checked > 0 {
        Ok(())
    } else {
        Err("the record names no model file".to_owned())
    })
}

fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// Writes what a record says into the fields of its model, and the record with its artifacts into
/// the evidence.
///
/// Only VALID measurements are written. `artifacts` is the run folder that holds the files which
/// the record names; without it they are not copied.
///
/// # Errors
/// [`RegistryError::NotWritable`]; [`RegistryError::Refused`] for an assumed recipe, for other
/// weights than the model's, and for a measurement that no field can show; errors of reading and
/// writing.
pub fn write_back(
    model: &ResolvedModel,
    record: &Record,
    mode: WriteMode,
    artifacts: Option<&RunFolder>,
) -> Result<Vec<FieldChange>, RegistryError> {
    apply(model, record, None, mode, artifacts)
}

/// Makes the fields show a record, or its measurement `only`, whatever they showed before.
///
/// # Errors
/// As [`write_back`].
pub fn promote(
    model: &ResolvedModel,
    record: &Record,
    only: Option<usize>,
    artifacts: Option<&RunFolder>,
) -> Result<Vec<FieldChange>, RegistryError> {
    apply(model, record, only, WriteMode::Replace, artifacts)
}

fn apply(
    model: &ResolvedModel,
    record: &Record,
    only: Option<usize>,
    mode: WriteMode,
    artifacts: Option<&RunFolder>,
) -> Result<Vec<FieldChange>, RegistryError> {
    let refused = |reason: String| RegistryError::Refused {
        reference: model.reference.clone(),
        reason,
    };
    check_writable(model)?;
    if record.plan.spec.model.recipe_assumed {
        return Err(refused(
            "its recipe was assumed, not named: name it with --recipe and measure again".to_owned(),
        ));
    }
    same_weights(model, record)?.map_err(refused)?;
    let purpose = model.purpose.or(record.plan.spec.model.purpose);
    let names = fields(matches!(model.location, Location::Package { .. }), purpose);
    let chosen: Vec<_> = names
        .iter()
        .map(|f| (*f, choose(record, f, only)))
        .collect();
    if let (Some(n), true) = (only, chosen.iter().all(|(_, c)| c.is_err())) {
        let mut reasons: Vec<&str> = chosen
            .iter()
            .filter_map(|(_, c)| c.as_ref().err())
            .map(String::as_str)
            .filter(|r| *r != "not measured in this record")
            .collect();
        reasons.dedup();
        return Err(refused(format!(
            "measurement {n} fits no field: {}",
            if reasons.is_empty() {
                "the record has no such measurement"
            } else {
                reasons.first().copied().unwrap_or_default()
            }
        )));
    }
    let unlocked = Target::open(&model.location)?;
    if chosen.iter().all(|(_, c)| c.is_err()) {
        let change = |(field, choice): (&'static str, Result<_, String>)| {
            choice.err().map(|reason| FieldChange {
                field,
                old: unlocked.value(field),
                new: None,
                action: Action::NotMeasured,
                reason,
            })
        };
        return Ok(chosen.into_iter().filter_map(change).collect());
    }
    let store = unlocked.store;
    let guard = store.lock()?;
    // Read again: another process may have written while this one waited for the lock.
    let mut target = Target::open(&model.location)?;
    store.put(record)?;
    if let Some(folder) = artifacts {
        store.copy_artifacts(record, folder)?;
    }
    let shown = store.shown()?;
    let mut changes = Vec::new();
    let mut references: Vec<(&str, RecordRef)> = Vec::new();
    for (field, choice) in chosen {
        let old = target.value(field);
        let (index, new) = match choice {
            Err(reason) => {
                changes.push(FieldChange {
                    field,
                    old,
                    new: None,
                    action: Action::NotMeasured,
                    reason,
                });
                continue;
            }
            Ok(choice) => choice,
        };
        let reference = RecordRef {
            record: record.id.clone(),
            measurement: index,
        };
        let (action, reason) = decide(
            &store,
            record,
            &reference,
            field,
            old.as_ref(),
            &new,
            shown.get(field),
            mode,
        );
        if action != Action::Left {
            if old.as_ref().is_none_or(|o| !same_value(o, &new)) {
                target.set(field, &new)?;
            }
            references.push((field, reference));
        }
        changes.push(FieldChange {
            field,
            old,
            new: Some(new),
            action,
            reason,
        });
    }
    if !references.is_empty() {
        commit(&store, &guard, &references, &shown, || target.save())?;
    }
    Ok(changes)
}

/// Index, then manifest; when the manifest cannot be saved the index says again what it said
/// before.
pub(crate) fn commit(
    store: &EvidenceStore,
    guard: &FileLock,
    references: &[(&str, RecordRef)],
    before: &BTreeMap<String, RecordRef>,
    save: impl FnOnce() -> Result<(), RegistryError>,
) -> Result<(), RegistryError> {
    let now: Vec<(&str, Option<&RecordRef>)> =
        references.iter().map(|(f, r)| (*f, Some(r))).collect();
    store.set_shown_locked(guard, &now)?;
    save().or_else(|e| {
        let old: Vec<(&str, Option<&RecordRef>)> = references
            .iter()
            .map(|(f, _)| (*f, before.get(*f)))
            .collect();
        store.set_shown_locked(guard, &old)?;
        Err(e)
    })
}

#[expect(
    clippy::too_many_arguments,
    reason = "one decision over one field, called once"
)]
fn decide(
    store: &EvidenceStore,
    record: &Record,
    reference: &RecordRef,
    field: &str,
    old: Option<&Value>,
    new: &Value,
    shown: Option<&RecordRef>,
    mode: WriteMode,
) -> (Action, String) {
    if is_empty(old) {
        return (Action::Filled, "the field was empty".to_owned());
    }
    if shown == Some(reference) && old.is_some_and(|o| same_value(o, new)) {
        return (
            Action::Unchanged,
            "the field shows this measurement".to_owned(),
        );
    }
    let earlier = shown.and_then(|s| store.get(&s.record).ok().map(|r| (r, s.measurement)));
    // A write that was cut short leaves index and field at odds: a value that stands in a record of
    // this series is no stranger's.
    let strange = |why: &str| {
        if stored(store, record, reference, field, old) {
            Ok(())
        } else {
            Err(why.to_owned())
        }
    };
    let against = match &earlier {
        None if shown.is_some() => strange("the evidence of its value is missing"),
        None => strange("its value has no evidence"),
        Some((earlier, index)) => match (
            earlier.measurements.get(*index),
            record.measurements.get(reference.measurement),
        ) {
            (Some(there), Some(here)) => {
                let untouched = value_of(earlier, *index, field)
                    .is_ok_and(|v| old.is_some_and(|o| same_value(o, &v)));
                match difference((earlier, there), (record, here)) {
                    _ if !untouched => strange("its value is not what its evidence says"),
                    Some(difference) => Err(format!("it shows another series: {difference}")),
                    None => Ok(()),
                }
            }
            _ => strange("the evidence of its value has no such measurement"),
        },
    };
    match (against, mode) {
        (Ok(()), _) => (Action::Refreshed, "same series".to_owned()),
        (Err(why), WriteMode::Replace) => (Action::Replaced, why),
        (Err(why), WriteMode::Fill) => {
            let id = record.short_id();
            let n = reference.measurement;
            (
                Action::Left,
                format!("{why}; `--write=replace` or `dyno models promote {id}#{n}` replaces it"),
            )
        }
    }
}

/// Some record of the evidence, of the same files and the same series as the measurement
/// `reference` of `record`, shows the value `old`.
fn stored(
    store: &EvidenceStore,
    record: &Record,
    reference: &RecordRef,
    field: &str,
    old: Option<&Value>,
) -> bool {
    let (Some(old), Some(here)) = (old, record.measurements.get(reference.measurement)) else {
        return false;
    };
    let Ok(all) = store.list() else { return false };
    let same_files = all
        .into_iter()
        .filter_map(|s| s.record.ok())
        .filter(|r| r.subject.files == record.subject.files);
    let shows = |r: &Record| {
        r.measurements.iter().enumerate().any(|(i, there)| {
            value_of(r, i, field).is_ok_and(|v| same_value(old, &v))
                && difference((r, there), (record, here)).is_none()
        })
    };
    same_files.into_iter().any(|r| shows(&r))
}
