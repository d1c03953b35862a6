//! Records by the names that people give them: a path, a prefix of the id, `latest`.

use crate::{
    EvidenceError,
    file::read_text,
    run_folder::{EARLIER, RunFolder, latest, list},
    store::EvidenceStore,
};
use dyno_core::{MAX_RECORD_BYTES, Record};
use std::path::Path;

/// The record called `reference`: `latest` (newest run below `run_root`), a record file, a run
/// folder, or a prefix (four digits or more) of an id that is unique among `run_root`, records of
/// earlier parts of its runs included, and `stores`.
/// Returns the run folder too where it came from one.
///
/// # Errors
/// When there is none, several fit, or the file is no record or was changed.
pub fn find_record(
    reference: &str,
    run_root: &Path,
    stores: &[EvidenceStore],
) -> Result<(Record, Option<RunFolder>), EvidenceError> {
    let missing = || EvidenceError::NotFound {
        what: "record",
        name: reference.to_owned(),
        folder: run_root.to_owned(),
    };
    if reference == "latest" {
        let folder = latest(run_root)?.ok_or_else(missing)?;
        return Ok((folder.record()?, Some(folder)));
    }
    let path = Path::new(reference);
    if path.is_dir() {
        let folder = RunFolder::open(path)?;
        return Ok((folder.record()?, Some(folder)));
    }
    if path.is_file() {
        let text = read_text(path, MAX_RECORD_BYTES as u64)?;
        let record = Record::parse(&text).map_err(|source| EvidenceError::Record {
            path: path.to_owned(),
            source,
        })?;
        let folder = path
            .parent()
            .filter(|_| is_of_a_run(path))
            .and_then(|p| RunFolder::open(p).ok());
        return Ok((record, folder));
    }
    let hexadecimal = reference.len() >= 4 && reference.bytes().all(|b| b.is_ascii_hexdigit());
    if !hexadecimal {
        return Err(missing());
    }
    let mut found: Vec<(Record, Option<RunFolder>)> = Vec::new();
    // A broken record of another run must not hide the one that is asked for.
    for folder in list(run_root)? {
        let last = folder.record().ok().into_iter();
        for record in last.chain(folder.earlier_records(reference)?) {
            if record.id.starts_with(reference) && found.iter().all(|(r, _)| r.id != record.id) {
                found.push((record, Some(folder.clone())));
            }
        }
    }
    for store in stores {
        for id in store.ids()?.iter().filter(|id| id.starts_with(reference)) {
            if found.iter().all(|(r, _)| &r.id != id) {
                found.push((store.get(id)?, None));
            }
        }
    }
    if found.len() > 1 {
        return Err(EvidenceError::Ambiguous {
            prefix: reference.to_owned(),
            ids: found.into_iter().map(|(r, _)| r.id).collect(),
        });
    }
    found.pop().ok_or_else(missing)
}

/// Whether a run folder calls its records so.
fn is_of_a_run(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str());
    name.is_some_and(|n| n == "record.json" || n.starts_with(EARLIER))
}
