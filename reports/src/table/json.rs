//! A table as JSON: an array of objects, keys in the order of the columns.

use super::Table;
use crate::terminal::clean_json;
use serde::{Serialize, Serializer, ser::SerializeMap};

/// A row that keeps the order of the columns, whatever map type `serde_json` was built with.
struct Object<'a>(&'a Table, usize);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cells = self.0.rows.get(self.1).into_iter().flatten();
        let mut map = serializer.serialize_map(Some(self.0.columns.len()))?;
        for (column, cell) in self.0.columns.iter().zip(cells) {
            map.serialize_entry(&column.key, &cell.value)?;
        }
        map.end()
    }
}

pub(super) fn array(table: &Table) -> String {
    let rows: Vec<Object<'_>> = (0..table.rows.len()).map(|i| Object(table, i)).collect();
    let text = serde_json::to_string_pretty(&rows).expect("strings and JSON values have a form");
    clean_json(&text).into_owned() + "\n"
}
