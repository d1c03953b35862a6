//! What happens to one field when a measurement is offered to it.

use crate::{
    RegistryError,
    fields::{self, difference, is_blank, number_of, same_value, value_of},
    write::{Action, WriteMode},
};
use dyno_core::{Measurement, Record};
use dyno_evidence::{EvidenceStore, RecordRef};
use serde_json::Value;
use std::collections::BTreeMap;

/// Change of a number, as a share, that a refreshed field says.
const NOTABLE_CHANGE: f64 = 0.2;

/// What the evidence of a model holds, read once: records that do not read are left out.
pub(crate) struct Known {
    records: BTreeMap<String, Record>,
    pub(crate) shown: BTreeMap<String, RecordRef>,
}

impl Known {
    /// # Errors
    /// When the folder or the index cannot be read.
    pub(crate) fn read(store: &EvidenceStore) -> Result<Self, RegistryError> {
        let records = store
            .list()?
            .into_iter()
            .filter_map(|s| s.record.ok())
            .map(|r| (r.id.clone(), r))
            .collect();
        Ok(Self {
            records,
            shown: store.shown()?,
        })
    }

    /// Only the records that fields show: what looking at a model needs, where a registry folder
    /// holds the evidence of many.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(crate) fn shown_only(store: &EvidenceStore) -> Result<Self, RegistryError> {
        let shown = store.shown()?;
        let records = shown
            .values()
            .filter_map(|reference| store.get(&reference.record).ok())
            .map(|r| (r.id.clone(), r))
            .collect();
        Ok(Self { records, shown })
    }

    /// The measurement that a reference names.
    pub(crate) fn at(&self, reference: &RecordRef) -> Option<(&Record, &Measurement)> {
        let record = self.records.get(&reference.record)?;
        Some((record, record.measurements.get(reference.measurement)?))
    }

    /// The measurement that `field`, whose value is `value`, shows: evidence and value agree.
    pub(crate) fn behind(&self, field: &str, value: Option<&Value>) -> Option<&Measurement> {
        let reference = self.shown.get(field)?;
        let (record, measurement) = self.at(reference)?;
        let expected = value_of(record, reference.measurement, field).ok()?;
        value
            .is_some_and(|v| same_value(v, &expected))
            .then_some(measurement)
    }

    /// Nobody measured: the value is blank, and no evidence shows it.
    pub(crate) fn is_empty(&self, field: &str, value: Option<&Value>) -> bool {
        is_blank(value) && self.behind(field, value).is_none()
    }

    /// Every valid accuracy in the evidence.
    pub(crate) fn accuracies(&self) -> impl Iterator<Item = &Measurement> {
        self.records
            .values()
            .flat_map(|r| &r.measurements)
            .filter(|m| m.accuracy().is_some() && m.validity.is_valid())
    }

    /// Some record of the series of `here` shows the value `old`.
    fn shows(&self, field: &str, old: &Value, here: &Measurement) -> bool {
        self.records.values().any(|record| {
            record.measurements.iter().enumerate().any(|(i, there)| {
                difference(there, here).is_none()
                    && value_of(record, i, field).is_ok_and(|v| same_value(old, &v))
            })
        })
    }
}

/// A measurement that is offered to a field.
pub(crate) struct Offer<'r> {
    pub(crate) field: &'static str,
    pub(crate) record: &'r Record,
    pub(crate) reference: RecordRef,
    pub(crate) measurement: &'r Measurement,
    pub(crate) value: Value,
}

/// What happens to a field whose value is `old`, and why; the other fields are not looked at.
pub(crate) fn decide(
    known: &Known,
    offer: &Offer<'_>,
    old: Option<&Value>,
    mode: WriteMode,
) -> (Action, String) {
    if known.is_empty(offer.field, old) {
        return (Action::Filled, "the field was empty".to_owned());
    }
    let shown = known.shown.get(offer.field);
    if shown == Some(&offer.reference) && old.is_some_and(|o| same_value(o, &offer.value)) {
        return (
            Action::Unchanged,
            "the field shows this measurement".to_owned(),
        );
    }
    // A write that was cut short leaves index and field at odds: a value that stands in a record of
    // this series is no stranger's.
    let strange = |why: &str| {
        if old.is_some_and(|o| known.shows(offer.field, o, offer.measurement)) {
            Ok(())
        } else {
            Err(why.to_owned())
        }
    };
    let earlier = known.behind(offer.field, old);
    let against = match (earlier, shown) {
        (Some(there), _) => match difference(there, offer.measurement) {
            Some(difference) => Err(format!("it shows another series: {difference}")),
            None => Ok(()),
        },
        (None, None) => strange("its value has no evidence"),
        (None, Some(reference)) => match known.at(reference) {
            None => strange("the evidence of its value is missing"),
            Some(_) => strange("its value is not what its evidence says"),
        },
    };
    match (against, mode) {
        (Ok(()), _) => (
            Action::Refreshed,
            match earlier.and_then(|there| moved(there, offer)) {
                Some(moved) => format!("same series; {moved}"),
                None => "same series".to_owned(),
            },
        ),
        (Err(why), WriteMode::Replace) => (Action::Replaced, why),
        (Err(why), WriteMode::Fill) => (Action::Left, format!("{why}; {}", remedy(offer))),
    }
}

/// The two ways to make a field show another series.
pub(crate) fn remedy(offer: &Offer<'_>) -> String {
    let id = offer.record.short_id();
    let n = offer.reference.measurement;
    format!("`--write=replace` or `dyno models promote {id}#{n}` replaces it")
}

/// How far a number moved, where that is more than its interval or a fifth of it.
fn moved(there: &Measurement, offer: &Offer<'_>) -> Option<String> {
    let (before, interval) = number_of(there, offer.field)?;
    let (now, _) = number_of(offer.measurement, offer.field)?;
    let share = (now - before).abs() / before.abs();
    let outside = interval.is_some_and(|i| now < i.low || now > i.high);
    // From zero every change is more than a share of it.
    let far = share > NOTABLE_CHANGE;
    if !outside && !far {
        return None;
    }
    let than = match interval.filter(|_| outside) {
        Some(i) => format!(
            "outside the interval {:.4}–{:.4} of the value before",
            i.low, i.high
        ),
        None => "more than a fifth".to_owned(),
    };
    let change = if before == 0.0 {
        String::new()
    } else {
        format!(" ({:+.1} %)", (now / before - 1.0) * 100.0)
    };
    let digits = if offer.field == fields::INFERENCE_TIME {
        6
    } else {
        4
    };
    Some(format!(
        "it moved from {before:.digits$} to {now:.digits$}{change}, {than}"
    ))
}
