//! `dyno models list`.

use crate::{context::Context, exit, say};
use dyno_reports::table::{Column, Table};

/// Arguments of `models list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only names that contain this
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only models that carry all of these tags
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
}

/// Lists; a manifest that cannot be read makes the exit code 5 after everything else is listed.
pub(super) fn run(args: &ListArgs, context: &Context) -> anyhow::Result<u8> {
    let scan = context.search_path.scan();
    let has_tags = |m: &dyno_registry::ListedModel| {
        let tags = m.manifest.get("tags").and_then(serde_json::Value::as_array);
        args.tag
            .iter()
            .all(|t| tags.is_some_and(|all| all.iter().any(|v| v.as_str() == Some(t))))
    };
    let mut models: Vec<_> = scan
        .models
        .iter()
        .filter(|m| {
            args.search
                .as_ref()
                .is_none_or(|s| m.name().contains(s.as_str()))
                && has_tags(m)
        })
        .collect();
    models.sort_by_key(|m| m.name());
    let columns = [
        "name",
        "framework",
        "purpose",
        "accuracy",
        "inference_time",
        "manifest",
    ];
    let mut table = Table::new(columns.map(Column::text));
    for m in models {
        table.push([
            m.name(),
            m.field("framework_type"),
            m.field("purpose"),
            m.field("accuracy"),
            m.field("inference_time"),
            m.location.manifest_path().display().to_string(),
        ]);
    }
    context.list(&table)?;
    if !context.quiet {
        for warning in &scan.warnings {
            say::warning(warning);
        }
    }
    for problem in &scan.problems {
        say::problem(problem);
    }
    if context.search_path.dirs.is_empty() {
        context
            .say("hint: the search path is empty: name folders in DYNO_MODELS_DIRS or dyno.toml");
    }
    Ok(if scan.problems.is_empty() {
        exit::OK
    } else {
        exit::FAILED
    })
}
