//! Tables of details as CSV: RFC 4180, UTF-8, a header, an empty cell for an absent value.

use dyno_core::Detail;

/// A table in the making.
pub(crate) struct Table {
    name: &'static str,
    text: String,
}

/// One cell.
pub(crate) enum Cell<'a> {
    /// Text, quoted where it must be.
    Text(&'a str),
    /// A whole number.
    Count(u64),
    /// A number that comes back with the same bits.
    Number(f64),
    /// Nothing.
    Absent,
}

impl From<Option<f64>> for Cell<'_> {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Absent, Self::Number)
    }
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(name: &'static str, columns: &[&str]) -> Self {
        let mut table = Self {
            name,
            text: String::new(),
        };
        let header: Vec<Cell<'_>> = columns.iter().map(|c| Cell::Text(c)).collect();
        table.row(&header);
        table
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: &[Cell<'_>]) {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            match cell {
                Cell::Text(text) if text.contains([',', '"', '\n', '\r']) => {
                    self.text.push('"');
                    self.text.push_str(&text.replace('"', "\"\""));
                    self.text.push('"');
                }
                Cell::Text(text) => self.text.push_str(text),
                Cell::Count(n) => self.text.push_str(&n.to_string()),
                Cell::Number(v) => self.text.push_str(&v.to_string()),
                Cell::Absent => {}
            }
        }
        self.text.push('\n');
    }

    /// The table as a detail.
    pub(crate) fn finish(self) -> Detail {
        Detail {
            name: self.name.to_owned(),
            format: "csv",
            bytes: self.text.into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let mut table = Table::new("t", &["class", "AP"]);
        table.row(&[Cell::Text("a, \"b\""), Cell::Number(0.1 + 0.2)]);
        table.row(&[Cell::Text("plain"), Cell::Absent]);
        table.row(&[Cell::Text(""), Cell::Count(3)]);
        let detail = table.finish();
        assert_eq!(
            String::from_utf8(detail.bytes).expect("text"),
            "class,AP\n\"a, \"\"b\"\"\",0.30000000000000004\nplain,\n,3\n"
        );
    }
}

#[cfg(test)]
pub(crate) use read::cells;

#[cfg(test)]
mod read {
    use dyno_core::Detail;

    /// Cells of the detail called `name`, header first; for tables without quotes.
    pub(crate) fn cells(details: &[Detail], name: &str) -> Vec<Vec<String>> {
        let detail = details.iter().find(|d| d.name == name).expect(name);
        assert_eq!(detail.format, "csv", "{name}");
        let text = std::str::from_utf8(&detail.bytes).expect("text");
        text.lines()
            .map(|line| line.split(',').map(str::to_owned).collect())
            .collect()
    }
}
