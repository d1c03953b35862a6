//! `dyno models check`.

use super::output::{changes, resolve_options, table};
use crate::context::Context;
use dyno_registry::{DatasetState, FindingStatus, check, locate, repair};

/// Arguments of `models check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Models; default: all of the search path
    model: Vec<String>,
    /// Put back fields that other tools dropped from a manifest
    #[arg(long)]
    repair: bool,
}

/// Exit code 1 when a field has no evidence or a stale one. Datasets are not opened here, so they stay *unchecked*.
pub(super) fn run(args: &CheckArgs, context: &Context) -> anyhow::Result<u8> {
    let options = resolve_options();
    let mut code = 0;
    let models = if args.model.is_empty() {
        let scan = context.search_path.scan();
        for problem in &scan.problems {
            let cause = std::error::Error::source(problem).map_or_else(String::new, |s| format!("\ncaused by: {s}"));
            context.say(&format!("error: {problem}{cause}"));
            code = 5;
        }
        scan.models
    } else {
        args.model.iter().map(|m| locate(m, &context.search_path, &options)).collect::<Result<Vec<_>, _>>()?
    };
    if args.repair {
        let mut done = Vec::new();
        for model in &models {
            done.extend(repair(model)?);
        }
        changes(context, &done)?;
        return Ok(code);
    }
    let mut rows = Vec::new();
    for model in &models {
        for finding in check(model, &options, &|_| DatasetState::NotAtHand)? {
            // A listing of a whole registry is not the place to say which files were never downloaded.
            if args.model.is_empty() && finding.code == "no-files" {
                continue;
            }
            let status = match finding.status {
                FindingStatus::Ok => "ok",
                FindingStatus::Unchecked => "unchecked",
                FindingStatus::Failed => "failed",
            };
            if finding.status == FindingStatus::Failed && code == 0 {
                code = 1;
            }
            rows.push(vec![model.name(), finding.field.unwrap_or("-").to_owned(), status.to_owned(), finding.code.to_owned(), finding.detail]);
        }
    }
    table(context, &["model", "field", "status", "code", "detail"], &rows)?;
    Ok(code)
}
