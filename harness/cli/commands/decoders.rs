//! `dyno decoders`.

use crate::{args::Format, context::Context, exit, output};

/// Lists the decoder table.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(context: &Context) -> anyhow::Result<u8> {
    let rows: Vec<Vec<String>> = dyno_vision::DECODERS.iter().map(|d| vec![d.id().to_owned(), d.about().to_owned()]).collect();
    listing(context.format, &["decoder", "about"], &rows)
}

/// Prints a small listing in any form.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn listing(format: Format, head: &[&str], rows: &[Vec<String>]) -> anyhow::Result<u8> {
    let text = match format {
        Format::Human => output::columns(head, rows),
        Format::Json => {
            let objects: Vec<serde_json::Map<String, serde_json::Value>> =
                rows.iter().map(|row| head.iter().zip(row).map(|(h, c)| (h.replace(' ', "_"), c.clone().into())).collect()).collect();
            serde_json::to_string_pretty(&objects)? + "\n"
        }
        Format::Csv => {
            let quote = |c: &str| if c.contains([',', '"', '\n', '\r']) { format!("\"{}\"", c.replace('"', "\"\"")) } else { c.to_owned() };
            let line = |cells: Vec<String>| cells.join(",") + "\n";
            line(head.iter().map(|h| quote(h)).collect()) + &rows.iter().map(|r| line(r.iter().map(|c| quote(c)).collect())).collect::<String>()
        }
        Format::Markdown => {
            let cell = |c: &str| c.replace('|', "\\|").replace(['\n', '\r'], " ");
            let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
            let mut text = line(head.iter().map(|h| cell(h)).collect()) + &line(head.iter().map(|_| "---".to_owned()).collect());
            for row in rows {
                text += &line(row.iter().map(|c| cell(c)).collect());
            }
            text
        }
    };
    output::write(&text, None)?;
    Ok(exit::OK)
}
