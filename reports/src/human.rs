//! For the terminal: tables that fit its width, without colour.

use crate::{
    blocks::{Block, Table},
    text::plain,
    view::blocks,
};
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, presets::UTF8_HORIZONTAL_ONLY};
use dyno_core::{Report, ReportError, Reporter};

/// Tables for people.
#[derive(Debug, Clone, Copy)]
pub struct Human;

impl Reporter for Human {
    fn id(&self) -> &'static str {
        "human"
    }
    fn about(&self) -> &'static str {
        "tables for people"
    }
    fn render(&self, report: &Report<'_>) -> Result<String, ReportError> {
        let mut out = String::new();
        for block in blocks(report.records) {
            match block {
                Block::Title(text) => {
                    if !out.is_empty() {
                        out.push('\n');
                    }
                    out.push_str(&plain(&text));
                    out.push('\n');
                }
                Block::Section(text) => out.extend(["\n", &plain(&text), "\n"]),
                Block::Line(text) => out.extend(["  ", &plain(&text), "\n"]),
                Block::Notes(notes) => {
                    for note in notes {
                        out.extend(["  - ", &plain(&note), "\n"]);
                    }
                }
                Block::Table(table) => out.push_str(&draw(&table, report.width)),
            }
        }
        Ok(out)
    }
}

fn draw(table: &Table, width: Option<u16>) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(UTF8_HORIZONTAL_ONLY);
    // Rows need no lines between them.
    drawn.style_mut().row_separator = LineStyle::none();
    if let Some(width) = width {
        drawn.set_content_arrangement(ContentArrangement::Dynamic);
        drawn.set_width(width.max(20));
    }
    drawn.set_header(table.header.iter().map(|c| plain(c)).collect::<Vec<_>>());
    for row in &table.rows {
        drawn.add_row(row.iter().map(|c| plain(c)).collect::<Vec<_>>());
    }
    for column in drawn.column_iter_mut().skip(table.numbers_from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    drawn.trim_fmt() + "\n"
}
