//! One table, four forms: what listings of the command line and reports for people both are made
//! of.
//!
//! A [`Cell`] has a text for people and a value for programs (`117.7 MiB` and `123456789`). The
//! human and the Markdown form show the text, JSON and CSV give the value. Texts are raw: each form
//! escapes what it gives a meaning to.
//!
//! ```
//! use dyno_reports::table::{Cell, Column, Listing, Table};
//! let mut table = Table::new([
//!     Column::text("name"),
//!     Column::number("size").key("size_bytes"),
//! ]);
//! table.push([Cell::from("yolox.onnx"), Cell::new("3.5 MiB", 3_700_000)]);
//! assert_eq!(table.render(Listing::Csv, None), "name,size_bytes\r\nyolox.onnx,3700000\r\n");
//! ```

mod build;
mod csv;
mod human;
mod json;
pub mod markdown;

pub use build::{Cell, Column, Listing, Table};
pub use csv::CsvWriter;
