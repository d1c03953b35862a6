//! Several records in one table.

use super::{
    accuracy,
    execution::engine,
    record::{Names, boards, kind, scenario, subject, timed, validity},
};
use crate::{
    blocks::Block,
    table::{Cell, Column, Table},
    text::{four_digits, time},
};
use dyno_core::{MeasurementResult, Record};
use std::collections::BTreeSet;

pub(super) fn table(records: &[Record], out: &mut Vec<Block>) {
    let mut table = Table::new([
        Column::text("record"),
        Column::text("model"),
        Column::text("engine"),
        Column::text("board"),
        Column::text("measured"),
        Column::text("score"),
        Column::number("p50"),
        Column::number("p90"),
        Column::number("samples/s"),
        Column::text("validity"),
    ]);
    let mut sets = BTreeSet::new();
    for record in records {
        let names = Names::of(record);
        for (index, m) in record.measurements.iter().enumerate() {
            let what = kind(&names, index, m);
            let rest: [Cell; 5] = match &m.result {
                MeasurementResult::Accuracy(a) => {
                    sets.insert(a.sample_set.as_str());
                    [
                        format!("{what} on {}", a.sample_set).into(),
                        accuracy::in_short(a),
                        Cell::empty(),
                        Cell::empty(),
                        Cell::empty(),
                    ]
                }
                MeasurementResult::Performance(p) => {
                    let percentile = |of: f64| {
                        p.percentile(of)
                            .map_or_else(|| "refused".to_owned(), time)
                            .into()
                    };
                    let name = scenario(&names, index, p.scenario.name);
                    [
                        format!("{name}, {}", timed(&names, index, p.timed)).into(),
                        Cell::empty(),
                        percentile(0.5),
                        percentile(0.9),
                        four_digits(p.throughput_per_s).into(),
                    ]
                }
                MeasurementResult::Unknown => [
                    what.into(),
                    Cell::empty(),
                    Cell::empty(),
                    Cell::empty(),
                    Cell::empty(),
                ],
            };
            let head: [Cell; 4] = [
                format!("{}#{index}", record.short_id()).into(),
                subject(record, m).into(),
                engine(&m.execution).into(),
                boards(record, m).into(),
            ];
            table.push(head.into_iter().chain(rest).chain([validity(m).into()]));
        }
    }
    out.push(Block::Title(format!("{} records", records.len())));
    out.push(Block::Table(table));
    if sets.len() > 1 {
        out.push(Block::Line(format!(
            "{} different sample sets: scores of different sets are not comparable",
            sets.len()
        )));
    }
}
