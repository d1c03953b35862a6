//! What it got wrong: scores per class and the worst samples, where their files are at hand.

use crate::{
    blocks::Block,
    details::{Absent, Content, DetailTable, PER_CLASS, PER_IMAGE, number, tables},
    table::{Cell, Column, Table},
    text::{counted, share},
};
use dyno_core::{Artifacts, Measurement, Record};

/// Classes that are shown; of more, those with the least scores.
const MAX_CLASSES: usize = 20;
/// Samples that are shown.
const MAX_SAMPLES: usize = 10;
/// Columns of a table of samples that are shown.
const MAX_COLUMNS: usize = 6;
/// Characters of one field that are shown.
const MAX_FIELD: usize = 120;

pub(super) fn blocks(
    record: &Record,
    m: &Measurement,
    artifacts: &dyn Artifacts,
    out: &mut Vec<Block>,
) {
    for (name, show) in [
        (PER_CLASS, classes as fn(&Content, &mut Vec<Block>)),
        (PER_IMAGE, samples),
    ] {
        for DetailTable { name, content } in tables(record, m, artifacts, name) {
            match content {
                Ok(content) => show(&content, out),
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
fn classes(content: &Content, out: &mut Vec<Block>) {
    let columns = content.header.iter().take(MAX_COLUMNS).enumerate();
    let mut table = Table::new(columns.map(|(i, name)| {
        let name = shortened(name);
        if i == 0 {
            Column::text(&name)
        } else {
            Column::number(&name)
        }
    }));
    let n = content.column("n");
    for (_, row) in by_rising(content, 1).into_iter().take(MAX_CLASSES) {
        let cells = row.iter().take(MAX_COLUMNS).enumerate();
        table.push(cells.map(|(i, field)| match number(Some(field)) {
            Some(value) if i > 0 && Some(i) != n => Cell::from(share(value)),
            None if i > 0 && field.is_empty() => Cell::from("none"),
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
    let columns = content.header.iter().take(MAX_COLUMNS).enumerate();
    let mut table = Table::new(columns.map(|(i, name)| {
        let name = if i == 0 {
            "worst sample"
        } else {
            name.as_str()
        };
        let name = shortened(name);
        if i == score {
            Column::number(&name)
        } else {
            Column::text(&name)
        }
    }));
    for (value, row) in by_rising(content, score).into_iter().take(MAX_SAMPLES) {
        if value.is_some_and(|v| v < 1.0) {
            let cells = row.iter().take(MAX_COLUMNS).enumerate();
            table.push(cells.map(|(i, field)| match value {
                Some(value) if i == score => share(value),
                _ => shortened(field),
            }));
        }
    }
    if table.is_empty() {
        out.push(Block::Line("no sample went wrong".to_owned()));
    } else {
        out.push(Block::Table(table));
    }
}
