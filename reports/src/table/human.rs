//! A table for the terminal: aligned, without colour, folded to its width.
//!
//! Where the columns do not fit side by side, cells are wrapped between words; where that is not
//! enough, the table is folded by columns: it comes in parts below each other, each opened by the
//! first column. A word is never broken, so that names and hashes can be copied; one that is wider
//! than the terminal stands out.

use super::Table;
use crate::terminal::{clean, display_width, wrap};
use comfy_table::{CellAlignment, LineStyle, presets::UTF8_HORIZONTAL_ONLY};

/// Blanks around a cell.
const PADDING: usize = 2;
/// Blanks between two columns, beside those.
const BETWEEN: usize = 1;
/// A column is wrapped to fewer columns of the terminal only where its words are short.
const LEAST_WRAPPED: usize = 20;
/// Characters of a cell that are shown at most.
const MAX_CELL: usize = 4096;

/// A cell as it is shown.
fn shown(text: &str) -> String {
    let cleaned = clean(text);
    match cleaned.char_indices().nth(MAX_CELL) {
        Some((end, _)) => format!("{}…", cleaned.get(..end).unwrap_or_default()),
        None => cleaned.into_owned(),
    }
}

/// A column: its cells, the title first, and how wide it is.
struct Drawn {
    cells: Vec<String>,
    number: bool,
    natural: usize,
    /// What it can be wrapped to.
    least: usize,
}

impl Drawn {
    fn new(table: &Table, index: usize) -> Option<Self> {
        let column = table.columns.get(index)?;
        let below = table.rows.iter().map(|r| r.get(index));
        let cells: Vec<String> = std::iter::once(shown(&column.title))
            .chain(below.map(|c| c.map(|c| shown(&c.text)).unwrap_or_default()))
            .collect();
        let natural = cells.iter().map(|c| display_width(c)).max().unwrap_or(0);
        let word = |cell: &String| cell.split(' ').map(display_width).max().unwrap_or(0);
        let longest_word = cells.iter().map(word).max().unwrap_or(0);
        Some(Self {
            number: column.number,
            natural,
            least: natural.min(longest_word.max(LEAST_WRAPPED)),
            cells,
        })
    }
}

/// Widths of the columns that fit `width`, if they do: natural ones, else the widest are wrapped.
fn fit(columns: &[&Drawn], width: usize) -> Option<Vec<usize>> {
    let blanks = columns.len() * (PADDING + BETWEEN) - BETWEEN;
    let room = width.checked_sub(blanks)?;
    let mut widths: Vec<usize> = columns.iter().map(|c| c.natural).collect();
    loop {
        let sum: usize = widths.iter().sum();
        let over = sum.saturating_sub(room);
        if over == 0 {
            return Some(widths);
        }
        let widest = widths
            .iter_mut()
            .zip(columns)
            .filter(|(w, c)| **w > c.least)
            .max_by_key(|(w, _)| **w)?;
        let slack = *widest.0 - widest.1.least;
        *widest.0 -= slack.min(over);
    }
}

/// The table as text that ends in a newline.
pub(crate) fn draw(table: &Table, width: Option<u16>) -> String {
    let columns: Vec<Drawn> = (0..table.columns.len())
        .filter_map(|i| Drawn::new(table, i))
        .collect();
    let Some((first, rest)) = columns.split_first() else {
        return "\n".to_owned();
    };
    let Some(width) = width.map(usize::from) else {
        let all: Vec<&Drawn> = columns.iter().collect();
        let natural: Vec<usize> = columns.iter().map(|c| c.natural).collect();
        return part(&all, &natural);
    };
    let mut out = String::new();
    let mut rest = rest.iter().peekable();
    loop {
        let mut columns = vec![first];
        let mut widths = fit(&columns, width).unwrap_or_else(|| vec![first.least]);
        while let Some(next) = rest.peek() {
            let with: Vec<&Drawn> = columns.iter().copied().chain([*next]).collect();
            match fit(&with, width) {
                Some(fitting) => widths = fitting,
                // A column that fits nowhere gets a part of its own, beside the first.
                None if columns.len() == 1 => widths.push(next.least),
                None => break,
            }
            columns = with;
            rest.next();
        }
        out.push_str(&part(&columns, &widths));
        if rest.peek().is_none() {
            return out;
        }
    }
}

/// Columns side by side, each wrapped to its width.
fn part(columns: &[&Drawn], widths: &[usize]) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(UTF8_HORIZONTAL_ONLY);
    // Rows need no lines between them.
    drawn.style_mut().row_separator = LineStyle::none();
    let count = columns.first().map_or(0, |c| c.cells.len());
    for row in 0..count {
        let cells = columns.iter().zip(widths).map(|(column, width)| {
            let cell = column.cells.get(row).map_or("", String::as_str);
            wrap(cell, *width).join("\n")
        });
        let cells: Vec<String> = cells.collect();
        if row == 0 {
            drawn.set_header(cells);
        } else {
            drawn.add_row(cells);
        }
    }
    for (drawn, column) in drawn.column_iter_mut().zip(columns) {
        if column.number {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
    drawn.trim_fmt() + "\n"
}
