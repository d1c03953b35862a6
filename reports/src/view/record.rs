//! One record: what was measured, where, by which program, and whether it may be believed.

use super::{accuracy, execution::engine_in_use, performance};
use crate::{blocks::Block, text::counted};
use dyno_core::{
    Artifacts, Machine, Measurement, MeasurementResult, NO_DECODER, NameSource, Record,
    ScenarioName, Subject, Timed,
};
use serde_json::Value;

/// Names that this version's types do not know, out of the record's text.
pub(crate) struct Names(Value);

impl Names {
    pub(crate) fn of(record: &Record) -> Self {
        // The text was read once already; what cannot be read again has no names.
        Self(serde_json::from_str(record.text()).unwrap_or_default())
    }

    fn get(&self, pointer: &str) -> String {
        let name = self.0.pointer(pointer).and_then(Value::as_str);
        name.unwrap_or("unknown").to_owned()
    }
}

/// The kind of measurement `index`.
pub(crate) fn kind(names: &Names, index: usize, m: &Measurement) -> String {
    match m.result {
        MeasurementResult::Accuracy(_) => "accuracy".to_owned(),
        MeasurementResult::Performance(_) => "performance".to_owned(),
        MeasurementResult::Unknown => names.get(&format!("/measurements/{index}/kind")),
    }
}

/// The scenario of measurement `index`.
pub(crate) fn scenario(names: &Names, index: usize, name: ScenarioName) -> String {
    match name {
        ScenarioName::Unknown => names.get(&format!("/measurements/{index}/scenario/name")),
        known => known.to_string(),
    }
}

/// What measurement `index` timed.
pub(crate) fn timed(names: &Names, index: usize, timed: Timed) -> String {
    match timed {
        Timed::Unknown => names.get(&format!("/measurements/{index}/timed")),
        known => known.to_string(),
    }
}

/// Who says what the sample set is called.
pub(super) fn name_source(names: &Names, record: &Record, id: &str) -> Option<String> {
    let index = record.sample_sets.iter().position(|s| s.id == id)?;
    match record.sample_sets.get(index)?.name_source {
        NameSource::Verified => Some("name verified by its files".to_owned()),
        NameSource::Claimed => Some("name claimed, not verified".to_owned()),
        NameSource::Custom => None,
        NameSource::Unknown => Some(format!(
            "name {}",
            names.get(&format!("/sample_sets/{index}/name_source"))
        )),
    }
}

/// The verdict with its codes.
pub(crate) fn validity(m: &Measurement) -> String {
    if m.validity.is_valid() {
        return "VALID".to_owned();
    }
    let codes: Vec<String> = m.validity.codes.iter().map(ToString::to_string).collect();
    if codes.is_empty() {
        "INVALID (no code)".to_owned()
    } else {
        format!("INVALID ({})", codes.join(", "))
    }
}

/// Name of a measurement's subject.
pub(super) fn subject(record: &Record, m: &Measurement) -> String {
    record.subject(m).map_or_else(
        || format!("subject {}, which the record does not describe", m.subject),
        |s| s.reference.clone(),
    )
}

/// Names of the boards of a measurement.
pub(super) fn boards(record: &Record, m: &Measurement) -> String {
    let boards: Vec<&str> = record
        .machines_of(m)
        .map(|machine| machine.board.id.as_str())
        .collect();
    if boards.is_empty() {
        "unknown".to_owned()
    } else {
        boards.join(", ")
    }
}

pub(super) fn blocks(record: &Record, artifacts: &dyn Artifacts, out: &mut Vec<Block>) {
    let names = Names::of(record);
    let titles: Vec<String> = record
        .subjects
        .iter()
        .map(|s| format!("{} ({})", s.reference, s.framework))
        .collect();
    out.push(Block::Title(if titles.is_empty() {
        "a record without a subject".to_owned()
    } else {
        titles.join(", ")
    }));
    for s in &record.subjects {
        let name = (record.subjects.len() > 1).then_some(s.reference.as_str());
        out.extend(lineage(s, name).map(Block::Line));
    }
    for (index, machine) in record.machines.iter().enumerate() {
        let number = if record.machines.len() > 1 {
            format!(" {}", index + 1)
        } else {
            String::new()
        };
        out.push(Block::Line(format!("machine{number}: {}", place(machine))));
    }
    if record.machines.is_empty() {
        out.push(Block::Line("machine: not described".to_owned()));
    }
    out.push(Block::Line(format!(
        "record: {}, {}, {} {}",
        record.short_id(),
        record.created_utc,
        record.tool.name,
        record.tool.version
    )));
    let decoder = &record.plan.spec.model.decoder.kind;
    if decoder.is_empty() || decoder == NO_DECODER {
        out.push(Block::Line(
            "no decoder: outputs are not read, so only time can be measured".to_owned(),
        ));
    } else {
        out.push(Block::Line(format!("decoder: {decoder}")));
    }
    for (index, m) in record.measurements.iter().enumerate() {
        measurement(record, &names, index, m, artifacts, out);
    }
    if !record.warnings.is_empty() {
        out.push(Block::Section("warnings".to_owned()));
        let warnings = record.warnings.iter();
        out.push(Block::Notes(
            warnings
                .map(|w| format!("{}: {}", w.code, w.detail))
                .collect(),
        ));
    }
}

fn lineage(s: &Subject, name: Option<&str>) -> Option<String> {
    let steps: Vec<String> = s
        .lineage
        .iter()
        .map(|step| {
            let relation = step.relation.as_deref().unwrap_or("made");
            let tool = step.tool.as_ref().map(|t| format!(" by {t}"));
            let sources: Vec<String> = step.sources.iter().map(|s| short(s)).collect();
            let tool = tool.unwrap_or_default();
            format!("{relation}{tool} from {}", sources.join(", "))
        })
        .collect();
    let of = name.map(|n| format!(" of {n}")).unwrap_or_default();
    (!steps.is_empty()).then(|| format!("lineage{of}: {}", steps.join(", ")))
}

fn place(machine: &Machine) -> String {
    let mut text = format!(
        "{}, {}, {}",
        machine.board.id,
        machine.cpu,
        counted(machine.cores.into(), "core")
    );
    if let Some(mode) = &machine.power_mode {
        text.extend([", power mode ", mode]);
    }
    if let Some(governor) = &machine.governor {
        text.extend([", governor ", governor]);
    }
    if machine.virtualized == Some(true) {
        text.push_str(", virtual machine");
    }
    text
}

/// The first twelve digits of a hash.
pub(super) fn short(sha256: &str) -> String {
    sha256.chars().take(12).collect()
}

fn measurement(
    record: &Record,
    names: &Names,
    index: usize,
    m: &Measurement,
    artifacts: &dyn Artifacts,
    out: &mut Vec<Block>,
) {
    let mut what = kind(names, index, m);
    if let Some(p) = m.performance() {
        let scenario = scenario(names, index, p.scenario.name);
        what = format!("{what}, {scenario}, timed {}", timed(names, index, p.timed));
    }
    if record.subjects.len() != 1 || record.subject(m).is_none() {
        what = format!("{what} of {}", subject(record, m));
    }
    let engine = engine_in_use(&m.execution);
    out.push(Block::Section(format!("{what}: {engine}")));
    if record.machines.len() != 1 || m.machines != [0] {
        let numbers = m.machines.iter().map(|i| {
            let number = u64::from(*i) + 1;
            match record.machines.get(*i as usize) {
                Some(machine) => format!("{number} ({})", machine.board.id),
                None => format!("{number}, which the record does not describe"),
            }
        });
        let numbers: Vec<String> = numbers.collect();
        out.push(Block::Line(if numbers.is_empty() {
            "on an unknown machine".to_owned()
        } else {
            format!("on machine {}", numbers.join(", "))
        }));
    }
    match &m.result {
        MeasurementResult::Accuracy(a) => accuracy::blocks(record, names, m, a, artifacts, out),
        MeasurementResult::Performance(p) => performance::blocks(names, index, m, p, out),
        MeasurementResult::Unknown => out.push(Block::Line(
            "a kind of measurement that this version does not know: its numbers stand in the record (--format json)"
                .to_owned(),
        )),
    }
    if let Some(line) = performance::sensors(m) {
        out.push(Block::Line(line));
    }
    out.push(Block::Line(format!("series: {}", short(&m.series_sha256))));
    out.push(Block::Line(validity(m)));
    if !m.validity.codes.is_empty() {
        let codes = m.validity.codes.iter();
        let mut advice: Vec<String> = codes.map(|c| format!("{c}: {}", c.advice())).collect();
        advice.dedup();
        out.push(Block::Notes(advice));
    }
}
