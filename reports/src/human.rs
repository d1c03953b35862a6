//! For the terminal: lines and tables that fit its width, without colour.

use crate::{
    blocks::Block,
    table::Listing,
    terminal::{clean, wrap},
    view::blocks,
};
use dyno_core::{Artifacts, Records, ReportError, Reporter, Sink};

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
    fn render(
        &self,
        records: &Records<'_>,
        artifacts: &dyn Artifacts,
        sink: &mut dyn Sink,
    ) -> Result<(), ReportError> {
        let width = records.width;
        let mut out = String::new();
        for block in blocks(records, artifacts) {
            match block {
                Block::Title(text) => {
                    if !out.is_empty() {
                        out.push('\n');
                    }
                    line(&mut out, "", "  ", &text, width);
                }
                Block::Section(text) => {
                    out.push('\n');
                    line(&mut out, "", "  ", &text, width);
                }
                Block::Line(text) => line(&mut out, "  ", "    ", &text, width),
                Block::Notes(notes) => {
                    for note in notes {
                        line(&mut out, "  - ", "    ", &note, width);
                    }
                }
                Block::Table(table) => out.push_str(&table.render(Listing::Human, width)),
            }
        }
        sink.write(out.as_bytes())
    }
}

/// Appends one line, folded between words where it is wider than the terminal.
fn line(out: &mut String, first: &str, further: &str, text: &str, width: Option<u16>) {
    let text = clean(text);
    let lines = match width {
        Some(width) => wrap(&text, usize::from(width).saturating_sub(further.len())),
        None => vec![text.into_owned()],
    };
    for (index, text) in lines.iter().enumerate() {
        out.push_str(if index == 0 { first } else { further });
        out.push_str(text.trim_end());
        out.push('\n');
    }
}
