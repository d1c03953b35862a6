//! `dyno decoders`.

use crate::{context::Context, exit, tables::TABLES};
use dyno_reports::table::{Column, Table};

/// Lists the decoder table.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(context: &Context) -> anyhow::Result<u8> {
    let mut table = Table::new(["decoder", "about"].map(Column::text));
    for decoder in TABLES.decoders {
        table.push([decoder.id(), decoder.about()]);
    }
    context.list(&table)?;
    Ok(exit::OK)
}
