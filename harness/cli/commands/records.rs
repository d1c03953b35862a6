//! `dyno records`: what was measured and kept.

use crate::{commands::report::render, context::Context, exit, say};
use clap::Subcommand;
use dyno_core::Record;
use dyno_evidence::{EvidenceError, EvidenceStore, GcMode, RunFolder, find_record, list};
use dyno_registry::Location;
use dyno_reports::{
    StoredArtifacts,
    table::{Cell, Column, Table},
    text::{share, time},
};

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
    /// Remove data that no record names, beside records and in finished runs
    Gc {
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
    },
}

/// Evidence folders of everything on the search path.
pub(crate) fn stores(context: &Context) -> Vec<EvidenceStore> {
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

/// The first score and the first median of a record.
fn headline(record: &Record) -> (Cell, Cell) {
    let (mut accuracy, mut latency) = (Cell::empty(), Cell::empty());
    let (mut scored, mut timed) = (false, false);
    for measurement in &record.measurements {
        let mark = if measurement.validity.is_valid() {
            ""
        } else {
            " INVALID"
        };
        if let Some(result) = measurement.accuracy().filter(|_| !scored) {
            let first = result.scores.first();
            if let Some((name, value)) = first.and_then(|s| s.value.map(|v| (&s.metric, v))) {
                accuracy = Cell::new(format!("{name} {}{mark}", share(value)), value);
                scored = true;
            }
        }
        if let Some(result) = measurement.performance().filter(|_| !timed) {
            let median = result.percentiles.iter().find(|p| (p.p - 0.5).abs() < 1e-9);
            latency = median.and_then(|p| p.ns).map_or_else(
                || Cell::from("refused"),
                |ns| Cell::new(format!("p50 {}{mark}", time(ns)), ns),
            );
            timed = true;
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
            context.list(&listing(context)?)?;
        }
        RecordsCommand::Show { record } => {
            let (folder, record) = find(&record, context)?;
            let artifacts = StoredArtifacts::new(folder.into_iter().collect(), stores(context));
            render(std::slice::from_ref(&record), &artifacts, context, None)?;
        }
        RecordsCommand::Gc { dry_run } => return gc(dry_run, context),
    }
    Ok(exit::OK)
}

/// Lists the files that nothing names, removed or to be. A folder that cannot be looked at does not
/// keep the others from it.
fn gc(dry_run: bool, context: &Context) -> anyhow::Result<u8> {
    let mode = if dry_run {
        GcMode::Find
    } else {
        GcMode::Remove
    };
    let runs = list(&context.settings.runs_dir.value)?;
    let found = runs
        .iter()
        .map(|run| run.gc(mode))
        .chain(stores(context).iter().map(|store| store.gc(mode)))
        .collect::<Vec<_>>();
    let title = if dry_run { "unreferenced" } else { "removed" };
    let mut table = Table::new([Column::text(title), Column::number("bytes")]);
    let mut code = exit::OK;
    for folder in found {
        match folder {
            Ok(files) => {
                for file in files {
                    let path = file.path.display().to_string();
                    table.push([Cell::from(path), Cell::from(file.bytes)]);
                }
            }
            Err(error) => {
                say::problem(&error);
                code = exit::FAILED;
            }
        }
    }
    context.list(&table)?;
    Ok(code)
}

fn listing(context: &Context) -> anyhow::Result<Table> {
    let mut records: Vec<(Record, &str)> = Vec::new();
    for folder in list(&context.settings.runs_dir.value)? {
        // One broken record must not hide the others.
        match folder.record() {
            Ok(record) => records.push((record, "run")),
            Err(error) if folder.is_finished() => say::warning(&error.to_string()),
            Err(_) => {}
        }
        let earlier = folder.earlier_records("")?.into_iter();
        records.extend(earlier.map(|record| (record, "run, before it was resumed")));
    }
    for store in stores(context) {
        for stored in store.list()? {
            match stored.record {
                Ok(record) => records.push((record, "evidence")),
                Err(error) => say::warning(&format!("`{}`: {error}", stored.path.display())),
            }
        }
    }
    records.sort_by(|a, b| (&a.0.created_utc, &a.0.id).cmp(&(&b.0.created_utc, &b.0.id)));
    // The same record stands in its run folder and in the model's evidence: once is enough, and the
    // evidence is the better place.
    records.dedup_by(|b, a| {
        a.0.id == b.0.id && {
            a.1 = "evidence";
            true
        }
    });
    let mut table = Table::new([
        Column::text("record"),
        Column::text("created"),
        Column::text("model"),
        Column::text("engine"),
        Column::text("accuracy"),
        Column::text("latency").key("p50_ns"),
        Column::text("kept in"),
    ]);
    for (record, place) in &records {
        let (accuracy, latency) = headline(record);
        let subjects: Vec<&str> = record
            .subjects
            .iter()
            .map(|s| s.reference.as_str())
            .collect();
        let first = record.measurements.first();
        table.push([
            Cell::from(record.short_id()),
            Cell::from(record.created_utc.as_str()),
            Cell::from(subjects.join(", ")),
            Cell::from(first.map(|m| m.execution.backend.as_str())),
            accuracy,
            latency,
            Cell::from(*place),
        ]);
    }
    Ok(table)
}
