//! `dyno cache`: the hashes of files that were read before.

use crate::{context::Context, exit};
use anyhow::Context as _;
use clap::Subcommand;
use dyno_reports::table::{Cell, Column, Table};

/// Cached hashes.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// List cache files and their sizes
    List,
    /// Delete them; the next run reads its files again
    Clear,
}

/// The files that dyno writes into its cache folder. Nothing else in it is touched.
const FILES: &[&str] = &["hashes.json"];

/// Runs the verb.
///
/// # Errors
/// When a file cannot be looked at or deleted.
pub(crate) fn run(command: &CacheCommand, context: &Context) -> anyhow::Result<u8> {
    let dir = &context.settings.cache_dir.value;
    let mut table = Table::new([Column::text("file"), Column::number("bytes")]);
    let imports = std::fs::read_dir(dir.join("imports"));
    let imports = imports.into_iter().flatten().filter_map(Result::ok);
    let own = |path: &std::path::PathBuf| {
        let extension = path.extension().and_then(|e| e.to_str());
        matches!(extension, Some("json" | "onnx"))
    };
    let imports: Vec<_> = imports.map(|e| e.path()).filter(own).collect();
    for path in FILES.iter().map(|f| dir.join(f)).chain(imports) {
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        if matches!(command, CacheCommand::Clear) {
            std::fs::remove_file(&path)
                .with_context(|| format!("cannot delete `{}`", path.display()))?;
            context.say(&format!("deleted `{}`", path.display()));
        } else {
            table.push([
                Cell::from(path.display().to_string()),
                Cell::from(metadata.len()),
            ]);
        }
    }
    if matches!(command, CacheCommand::List) {
        context.list(&table)?;
    }
    Ok(exit::OK)
}
