//! Numbers go into the plain fields of a manifest, and their evidence beside it.
//!
//! Order of a write, under the folder's lock: record and artifacts, index, manifest. A process
//! killed in between leaves evidence that no field shows, or a field that `check` reports and the
//! next write refreshes; never a number without evidence.

use crate::{
    RegistryError, ResolvedModel,
    decide::{Known, Offer, decide, remedy},
    fields::{ACCURACY, INFERENCE_TIME, NOT_MEASURED, apart, choose, fields, same_value},
    search::Location,
    target::{Target, check_writable, confined},
    weights::Weights,
};
use dyno_core::{Measurement, Record};
use dyno_evidence::{RecordRef, RunFolder};
use serde_json::Value;
use std::fmt;

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
    /// The record has a value for it that must not stand there.
    Refused,
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
            Self::Refused => "refused",
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

/// Writes what a record says into the fields of its model, and the record with its artifacts into
/// the evidence.
///
/// Only VALID measurements are written, latencies only of profile `normal` or longer, and a latency
/// only beside an accuracy of the same weights, inputs, shapes and precision. `artifacts` is the run
/// folder that holds the files which the record names; without it they are not copied.
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

/// One field on its way to a [`FieldChange`].
struct Outcome<'r> {
    field: &'static str,
    old: Option<Value>,
    offer: Option<Offer<'r>>,
    action: Action,
    reason: String,
}

impl<'r> Outcome<'r> {
    fn changes(&self) -> bool {
        matches!(
            self.action,
            Action::Filled | Action::Refreshed | Action::Replaced
        )
    }

    fn refuse(&mut self, reason: String) {
        self.action = Action::Refused;
        self.reason = reason;
    }

    /// The measurement that the field shows when this is done.
    fn shows<'k: 'r>(&self, known: &'k Known) -> Option<&'r Measurement> {
        match &self.offer {
            Some(offer) if self.changes() => Some(offer.measurement),
            _ => known.behind(self.field, self.old.as_ref()),
        }
    }
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
    let weights = Weights::of(model)?;
    let against: Vec<Option<String>> = record
        .subjects
        .iter()
        .map(|s| weights.difference(&s.files))
        .collect();
    if against.iter().all(Option::is_some) {
        let first = against.into_iter().flatten().next();
        return Err(refused(
            first.unwrap_or_else(|| "the record names no model".to_owned()),
        ));
    }
    let of_model = |m: &Measurement| against.get(m.subject as usize).is_some_and(Option::is_none);
    let purpose = model.purpose.or(record.plan.spec.model.purpose);
    let names = fields(matches!(model.location, Location::Package { .. }), purpose);
    let chosen: Vec<_> = names
        .iter()
        .map(|f| (*f, choose(record, f, only, &of_model)))
        .collect();
    if let (Some(n), true) = (only, chosen.iter().all(|(_, c)| c.is_err())) {
        let reasons = chosen.iter().filter_map(|(_, c)| c.as_ref().err());
        let first = reasons.map(String::as_str).find(|r| *r != NOT_MEASURED);
        return Err(refused(format!(
            "measurement {n} fits no field: {}",
            first.unwrap_or("the record has no such measurement")
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
    confined(&model.location)?;
    let mut target = Target::open(&model.location)?;
    let known = Known::read(&store)?;
    store.put(record)?;
    if let Some(folder) = artifacts {
        store.copy_artifacts(record, folder)?;
    }
    let mut outcomes: Vec<Outcome<'_>> = chosen
        .into_iter()
        .map(|(field, choice)| outcome(&known, &target, record, field, choice, mode))
        .collect();
    pair(&mut outcomes, &known, record, &of_model);
    let mut references: Vec<(&str, Option<&RecordRef>)> = Vec::new();
    for outcome in &outcomes {
        let Some(offer) = outcome.offer.as_ref().filter(|_| outcome.changes()) else {
            continue;
        };
        if outcome
            .old
            .as_ref()
            .is_none_or(|o| !same_value(o, &offer.value))
        {
            target.set(outcome.field, &offer.value)?;
        }
        references.push((outcome.field, Some(&offer.reference)));
    }
    if !references.is_empty() {
        store.show_with(&guard, &references, &target.path, target.text().as_bytes())?;
    }
    Ok(outcomes
        .into_iter()
        .map(|o| FieldChange {
            field: o.field,
            old: o.old,
            new: o.offer.map(|offer| offer.value),
            action: o.action,
            reason: o.reason,
        })
        .collect())
}

fn outcome<'r>(
    known: &Known,
    target: &Target,
    record: &'r Record,
    field: &'static str,
    choice: Result<(usize, Value), String>,
    mode: WriteMode,
) -> Outcome<'r> {
    let old = target.value(field);
    let offered = choice.and_then(|(index, value)| {
        Ok(Offer {
            field,
            record,
            reference: RecordRef {
                record: record.id.clone(),
                measurement: index,
            },
            measurement: crate::fields::measurement(record, index)?,
            value,
        })
    });
    match offered {
        Err(reason) => Outcome {
            field,
            old,
            offer: None,
            action: Action::NotMeasured,
            reason,
        },
        Ok(offer) => {
            let (action, reason) = decide(known, &offer, old.as_ref(), mode);
            Outcome {
                field,
                old,
                offer: Some(offer),
                action,
                reason,
            }
        }
    }
}

/// Refuses what would put a latency beside the accuracy of another model or input.
fn pair<'r, 'k: 'r>(
    outcomes: &mut [Outcome<'r>],
    known: &'k Known,
    record: &'r Record,
    of_model: &dyn Fn(&Measurement) -> bool,
) {
    let find = |outcomes: &[Outcome<'r>], field| {
        let outcome = outcomes.iter().find(|o| o.field == field);
        outcome.and_then(|o| o.shows(known))
    };
    let beside = find(outcomes, ACCURACY);
    if let Some(latency) = outcomes.iter_mut().find(|o| o.field == INFERENCE_TIME)
        && latency.changes()
        && let Some(offer) = &latency.offer
    {
        let here = offer.measurement;
        let measured = || {
            let own = record.measurements.iter().filter(|m| of_model(m));
            own.filter(|m| m.accuracy().is_some() && m.validity.is_valid())
                .chain(known.accuracies())
                .any(|a| apart(a, here).is_none())
        };
        let against = match beside {
            Some(accuracy) => apart(accuracy, here).map(|d| {
                format!("the accuracy beside it is of another model or input: {d}")
            }),
            None if measured() => None,
            None => Some(
                "no valid accuracy of the same weights, inputs, shapes and precision stands in the evidence: measure accuracy too"
                    .to_owned(),
            ),
        };
        if let Some(reason) = against {
            latency.refuse(reason);
        }
    }
    let Some(latency) = find(outcomes, INFERENCE_TIME) else {
        return;
    };
    for accuracy in outcomes.iter_mut().filter(|o| o.field != INFERENCE_TIME) {
        let Some(offer) = accuracy.offer.as_ref().filter(|_| accuracy.changes()) else {
            continue;
        };
        if let Some(difference) = apart(offer.measurement, latency) {
            let reason = format!(
                "`{INFERENCE_TIME}` beside it is of another model or input: {difference}; measure both in one run, then {}",
                remedy(offer)
            );
            accuracy.refuse(reason);
        }
    }
}
