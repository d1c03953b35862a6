//! `dyno records`: what was measured and kept.

use crate::{commands::report::render, context::Context, exit, output::listing};
use clap::Subcommand;
use dyno_core::{MeasurementKind, Record};
use dyno_evidence::{EvidenceError, EvidenceStore, RunFolder, find_record, list};
use dyno_registry::Location;

/// Stored records.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordsCommand {
    /// List the records of run folders and of the evidence beside registered models
    List,
    /// Show one record; `--format json` gives it whole, as it is stored
    Show {
        /// Path, unique prefix of an id, or `latest`
        record: String,
    },
}

/// Evidence folders of everything on the search path.
fn stores(context: &Context) -> Vec<EvidenceStore> {
    let mut stores: Vec<EvidenceStore> = Vec::new();
    for model in context.search_path.scan().models {
        let store = match &model.location {
            Location::Package { folder } => EvidenceStore::for_folder(folder),
            // All entries of a registry folder share its evidence folder.
            Location::Entry { models_dir, .. } => EvidenceStore::for_folder(models_dir),
            Location::Bare { .. } => continue,
        };
        if !stores.iter().any(|s| s.folder() == store.folder()) {
            stores.push(store);
        }
    }
    stores
}

/// A record by path, prefix or `latest`, and its run folder when it came from one.
///
/// # Errors
/// When none or several fit, or the record was changed.
pub(crate) fn find(
    reference: &str,
    context: &Context,
) -> anyhow::Result<(Option<RunFolder>, Record)> {
    match find_record(
        reference,
        &context.settings.runs_dir.value,
        &stores(context),
    ) {
        Ok((record, folder)) => Ok((folder, record)),
        Err(error @ (EvidenceError::NotFound { .. } | EvidenceError::Ambiguous { .. })) => Err(
            exit::usage(error.to_string(), "`dyno records list` shows what there is"),
        ),
        Err(error) => Err(error.into()),
    }
}

/// One line about a measurement.
fn headline(record: &Record) -> (String, String) {
    let (mut accuracy, mut latency) = (String::new(), String::new());
    for measurement in &record.measurements {
        let mark = if measurement.validity.is_valid() {
            ""
        } else {
            " INVALID"
        };
        match &measurement.kind {
            MeasurementKind::Accuracy { scores, .. } => {
                if let Some((name, value)) =
                    scores.first().and_then(|s| s.value.map(|v| (&s.metric, v)))
                {
                    accuracy = format!("{name} {value:.4}{mark}");
                }
            }
            MeasurementKind::Performance { latency_ns, .. } if latency.is_empty() => {
                latency = latency_ns.p50.map_or_else(
                    || "refused".to_owned(),
                    |p| format!("p50 {:.3} ms{mark}", p as f64 / 1e6),
                );
            }
            MeasurementKind::Performance { .. } => {}
        }
    }
    (accuracy, latency)
}

/// Runs the verb.
///
/// # Errors
/// When a record cannot be read.
pub(crate) fn run(command: RecordsCommand, context: &Context) -> anyhow::Result<u8> {
    match command {
        RecordsCommand::List => {
            let mut records: Vec<(Record, &str)> = Vec::new();
            for folder in list(&context.settings.runs_dir.value)? {
                // One broken record must not hide the others.
                match folder.record() {
                    Ok(record) => records.push((record, "run")),
                    Err(error) if folder.is_finished() => eprintln!("warning: {error}"),
                    Err(_) => {}
                }
            }
            for store in stores(context) {
                for stored in store.list()? {
                    match stored.record {
                        Ok(record) => records.push((record, "evidence")),
                        Err(error) => eprintln!("warning: `{}`: {error}", stored.path.display()),
                    }
                }
            }
            records.sort_by(|a, b| (&a.0.created_utc, &a.0.id).cmp(&(&b.0.created_utc, &b.0.id)));
            // The same record stands in its run folder and in the model's evidence: once is enough,
            // and the evidence is the better place.
            records.dedup_by(|b, a| {
                a.0.id == b.0.id && {
                    a.1 = "evidence";
                    true
                }
            });
            let rows: Vec<Vec<String>> = records
                .iter()
                .map(|(record, place)| {
                    let (accuracy, latency) = headline(record);
                    let backend = record
                        .measurements
                        .first()
                        .map_or("", |m| m.execution.backend.as_str());
                    let cells = [
                        record.short_id(),
                        &record.created_utc,
                        &record.subject.reference,
                        backend,
                        &accuracy,
                        &latency,
                        place,
                    ];
                    cells.iter().map(|c| (*c).to_owned()).collect()
                })
                .collect();
            listing(
                context.format,
                &[
                    "record", "created", "model", "backend", "accuracy", "latency", "kept in",
                ],
                &rows,
            )
        }
        RecordsCommand::Show { record } => {
            let (_, record) = find(&record, context)?;
            render(std::slice::from_ref(&record), context, None)?;
            Ok(exit::OK)
        }
    }
}
