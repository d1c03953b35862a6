//! `dyno models list`.

use super::output::table;
use crate::context::Context;

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
    let rows: Vec<Vec<String>> = models
        .iter()
        .map(|m| {
            let place = m.location.manifest_path().display().to_string();
            vec![
                m.name(),
                m.field("framework_type"),
                m.field("purpose"),
                m.field("accuracy"),
                m.field("inference_time"),
                place,
            ]
        })
        .collect();
    table(
        context,
        &[
            "name",
            "framework",
            "purpose",
            "accuracy",
            "inference_time",
            "manifest",
        ],
        &rows,
    )?;
    for warning in &scan.warnings {
        context.say(&format!("warning: {warning}"));
    }
    for problem in &scan.problems {
        let cause = std::error::Error::source(problem)
            .map_or_else(String::new, |s| format!("\ncaused by: {s}"));
        context.say(&format!("error: {problem}{cause}"));
    }
    if context.search_path.dirs.is_empty() {
        context
            .say("hint: the search path is empty: name folders in DYNO_MODELS_DIRS or dyno.toml");
    }
    Ok(if scan.problems.is_empty() { 0 } else { 5 })
}
