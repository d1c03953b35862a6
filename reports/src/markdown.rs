//! For pull requests and job summaries: GitHub Flavored Markdown.

use crate::{
    blocks::Block,
    table::{Listing, markdown::escape},
    view::blocks,
};
use dyno_core::{Artifacts, Records, ReportError, Reporter, Sink};

/// Markdown tables.
#[derive(Debug, Clone, Copy)]
pub struct Markdown;

impl Reporter for Markdown {
    fn id(&self) -> &'static str {
        "markdown"
    }
    fn about(&self) -> &'static str {
        "GitHub Markdown, for pull requests and job summaries"
    }
    fn render(
        &self,
        records: &Records<'_>,
        artifacts: &dyn Artifacts,
        sink: &mut dyn Sink,
    ) -> Result<(), ReportError> {
        let mut out = String::new();
        let mut lines: Vec<String> = Vec::new();
        // Lines are items of a list: as paragraphs they would run into each other.
        let flush = |lines: &mut Vec<String>, out: &mut String| {
            if !lines.is_empty() {
                out.push('\n');
            }
            for line in lines.drain(..) {
                out.extend(["- ", &line, "\n"]);
            }
        };
        for block in blocks(records, artifacts) {
            match block {
                Block::Line(text) => lines.push(escape(&text)),
                Block::Notes(notes) => {
                    lines.extend(notes.iter().map(|n| escape(n)));
                }
                Block::Title(text) => {
                    flush(&mut lines, &mut out);
                    let before = if out.is_empty() { "" } else { "\n" };
                    out.extend([before, "## ", &escape(&text), "\n"]);
                }
                Block::Section(text) => {
                    flush(&mut lines, &mut out);
                    out.extend(["\n### ", &escape(&text), "\n"]);
                }
                Block::Table(table) => {
                    flush(&mut lines, &mut out);
                    out.extend(["\n", &table.render(Listing::Markdown, None)]);
                }
            }
        }
        flush(&mut lines, &mut out);
        sink.write(out.trim_start_matches('\n').as_bytes())
    }
}
