//! `dyno decoders`.

use crate::{context::Context, output::listing};

/// Lists the decoder table.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(context: &Context) -> anyhow::Result<u8> {
    let rows: Vec<Vec<String>> = dyno_vision::DECODERS
        .iter()
        .map(|d| vec![d.id().to_owned(), d.about().to_owned()])
        .collect();
    listing(context.format, &["decoder", "about"], &rows)
}
