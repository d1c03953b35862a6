//! What it got wrong: scores per class and the worst samples, where their files are at hand.

use crate::{
    blocks::Block,
    details::{Absent, Content, DetailTable, PER_CLASS, PER_IMAGE, number, tables},
    table::{Cell, Column, Table},
    text::{counted, share},
};
use dyno_core::{Artifacts, Measurement, Record, Score};

/// Classes that are shown; of more, those with the least scores.
const MAX_CLASSES: usize = 20;
/// Samples that are shown.
const MAX_SAMPLES: usize = 10;
/// Columns that are shown.
const MAX_COLUMNS: usize = 10;
/// Characters of one field that are shown.
const MAX_FIELD: usize = 120;

pub(super) fn blocks(
    record: &Record,
    m: &Measurement,
    artifacts: &dyn Artifacts,
    out: &mut Vec<Block>,
) {
    let whole = m.accuracy().map_or(&[][..], |a| &a.scores);
    for kind in [PER_CLASS, PER_IMAGE] {
        for DetailTable { name, content } in tables(record, m, artifacts, kind) {
            match content {
                Ok(content) if kind == PER_CLASS => classes(&content, whole, out),
                Ok(content) => samples(&content, out),
                Err(absent @ Absent::NotAtHand) => out.push(Block::Line(format!(
                    "table {name}: {} (the record travelled without it)",
                    absent.reason()
                ))),
                Err(broken) => {
                    let reason = broken.reason();
                    out.push(Block::Line(format!("table {name}: {reason}")));
                }
            }
        }
    }
}

fn shortened(field: &str) -> String {
    match field.char_indices().nth(MAX_FIELD) {
        Some((end, _)) => format!("{}…", field.get(..end).unwrap_or_default()),
        None => field.to_owned(),
    }
}

/// A field as it is shown: a number with decimals has four of them.
fn shown(field: &String) -> String {
    match number(Some(field)) {
        Some(value) if field.contains('.') => share(value),
        _ => shortened(field),
    }
}

/// Rows by rising number of a column, those without one last.
fn by_rising(content: &Content, column: usize) -> Vec<(Option<f64>, &Vec<String>)> {
    let mut rows: Vec<(Option<f64>, &Vec<String>)> = content
        .rows
        .iter()
        .map(|r| (number(r.get(column)), r))
        .collect();
    rows.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) => a.total_cmp(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    rows
}

/// One row a class, the least score of the first column first.
fn classes(content: &Content, whole: &[Score], out: &mut Vec<Block>) {
    let columns = content.header.iter().take(MAX_COLUMNS).enumerate();
    let mut table = Table::new(columns.map(|(i, name)| {
        let name = shortened(name);
        if i == 0 {
            Column::text(&name)
        } else {
            Column::number(&name)
        }
    }));
    let scores: Vec<usize> = content
        .scores(whole)
        .filter_map(|s| content.column(s))
        .collect();
    for (_, row) in by_rising(content, 1).into_iter().take(MAX_CLASSES) {
        let cells = row.iter().take(MAX_COLUMNS).enumerate();
        table.push(cells.map(|(i, field)| match number(Some(field)) {
            Some(value) if scores.contains(&i) => Cell::from(share(value)),
            None if i > 0 && field.is_empty() => Cell::from("none"),
            _ if i > 0 => Cell::from(shown(field)),
            _ => Cell::from(shortened(field)),
        }));
    }
    out.push(Block::Table(table));
    if let Some(further) = content
        .rows
        .len()
        .checked_sub(MAX_CLASSES)
        .filter(|f| *f > 0)
    {
        let further = counted(further as u64, "further class");
        out.push(Block::Line(format!(
            "{further} with higher scores or none: --format csv"
        )));
    }
}

/// The samples that went worst.
fn samples(content: &Content, out: &mut Vec<Block>) {
    let Some(score) = content.column("score") else {
        out.push(Block::Line(
            "the table of samples has no column `score`".to_owned(),
        ));
        return;
    };
    let worst: Vec<(f64, &Vec<String>)> = by_rising(content, score)
        .into_iter()
        .filter_map(|(value, row)| Some((value.filter(|v| *v < 1.0)?, row)))
        .take(MAX_SAMPLES)
        .collect();
    let columns = content.header.iter().take(MAX_COLUMNS).enumerate();
    let mut table = Table::new(columns.map(|(i, name)| {
        let is_number = |row: &Vec<String>| row.get(i).is_some_and(|f| number(Some(f)).is_some());
        match i {
            0 => Column::text("worst sample"),
            _ if worst.iter().all(|(_, row)| is_number(row)) => Column::number(&shortened(name)),
            _ => Column::text(&shortened(name)),
        }
    }));
    for (value, row) in worst {
        let cells = row.iter().take(MAX_COLUMNS).enumerate();
        table.push(cells.map(|(i, field)| match i {
            0 => shortened(field),
            _ if i == score => share(value),
            _ => shown(field),
        }));
    }
    if table.is_empty() {
        out.push(Block::Line("no sample went wrong".to_owned()));
    } else {
        out.push(Block::Table(table));
    }
}
