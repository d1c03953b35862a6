//! GitHub Flavored Markdown (its specification 0.29, section 4.10 for tables), for pull requests
//! and job summaries.

use crate::{
    blocks::{Block, Table},
    text::plain,
    view::blocks,
};
use dyno_core::{Report, ReportError, Reporter};

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
    fn render(&self, report: &Report<'_>) -> Result<String, ReportError> {
        let mut out = String::new();
        for block in blocks(report.records) {
            if !out.is_empty() {
                out.push('\n');
            }
            match block {
                Block::Title(text) => out.extend(["## ", &escape(&text), "\n"]),
                Block::Section(text) => out.extend(["### ", &escape(&text), "\n"]),
                Block::Line(text) => out.extend([&escape(&text), "\n"]),
                Block::Notes(notes) => {
                    for note in notes {
                        out.extend(["- ", &escape(&note), "\n"]);
                    }
                }
                Block::Table(table) => draw(&table, &mut out),
            }
        }
        Ok(out)
    }
}

fn draw(table: &Table, out: &mut String) {
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        out.push('|');
        for cell in cells {
            out.push(' ');
            out.push_str(&cell);
            out.push_str(" |");
        }
        out.push('\n');
    };
    line(&mut table.header.iter().map(|c| escape(c)));
    line(&mut (0..table.header.len()).map(|i| {
        if i >= table.numbers_from {
            "---:".to_owned()
        } else {
            "---".to_owned()
        }
    }));
    for row in &table.rows {
        line(&mut row.iter().map(|c| escape(c)));
    }
}

/// Text without markup: characters that Markdown or HTML give a meaning to are escaped, names
/// mention nobody, addresses link nowhere.
pub(crate) fn escape(text: &str) -> String {
    let text = plain(text);
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A mention needs something that is no letter before it: `AR@100` is none.
            '@' if !before.is_alphanumeric() => out.push_str("&#64;"),
            // `https://` links by itself, `www.` too.
            '/' if before == ':' => out.push_str("&#47;"),
            '.' if before == 'w' || before == 'W' => out.push_str("&#46;"),
            // `#12` refers to an issue.
            '#' => out.push_str("&#35;"),
            // An underscore within a word is no markup in GitHub's dialect.
            '_' if before.is_alphanumeric() => out.push('_'),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
        before = c;
    }
    out
}
