//! Lists of files: one artifact of a record that names many others, because a record has 64 kB and
//! a run may have thousands of shards.
//!
//! A list is a JSON array of artifacts and ends in `.list.json`. It names files and no further
//! lists.

use crate::{EvidenceError, EvidenceStore, RunFolder, file::DataFolder};
use dyno_core::{Artifact, Record};
use std::fs;

/// Format of a list.
const FORMAT: &str = "list.json";
/// What the names of lists end in.
const ENDING: &str = ".list.json";
/// Largest list that is read: a hundred thousand files.
const MAX_BYTES: u64 = 16 << 20;

impl DataFolder {
    /// What a list names; nothing for an artifact that is none.
    fn listed(&self, artifact: &Artifact) -> Result<Vec<Artifact>, EvidenceError> {
        let Some(count) = artifact.lists else {
            return Ok(Vec::new());
        };
        let path = self.path(&artifact.sha256)?;
        let bad = |reason: String| EvidenceError::List {
            path: path.clone(),
            reason,
        };
        let size = fs::metadata(&path).map_err(EvidenceError::io("read", &path))?;
        if size.len() > MAX_BYTES {
            let size = size.len();
            return Err(bad(format!("it has {size} bytes, more than {MAX_BYTES}")));
        }
        let bytes = self.get(&artifact.sha256)?;
        let files: Vec<Artifact> =
            serde_json::from_slice(&bytes).map_err(|source| EvidenceError::Json {
                path: path.clone(),
                source,
            })?;
        if files.len() as u64 != count {
            let found = files.len();
            return Err(bad(format!(
                "it names {found} files where the record says {count}"
            )));
        }
        if files.iter().any(|f| f.lists.is_some()) {
            return Err(bad("it names a list".to_owned()));
        }
        Ok(files)
    }

    /// The artifacts of a record and what the lists among them name.
    pub(crate) fn behind(&self, record: &Record) -> Result<Vec<Artifact>, EvidenceError> {
        let mut files = Vec::with_capacity(record.artifacts.len());
        for artifact in &record.artifacts {
            files.push(artifact.clone());
            files.extend(self.listed(artifact)?);
        }
        Ok(files)
    }
}

/// Whether a file of bulk data is a list, by its name.
pub(crate) fn is_list(name: &str) -> bool {
    name.ends_with(ENDING)
}

impl RunFolder {
    /// Keeps a list of `files`, as [`put`](Self::put) keeps a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_list(&self, role: &str, files: &[Artifact]) -> Result<Artifact, EvidenceError> {
        let text = serde_json::to_vec_pretty(files).map_err(|source| EvidenceError::Json {
            path: self.path().to_owned(),
            source,
        })?;
        Ok(Artifact {
            lists: Some(files.len() as u64),
            ..self.put(role, FORMAT, &text)?
        })
    }

    /// All files behind a record of this run: its artifacts, and what the lists among them name.
    ///
    /// # Errors
    /// When a list is missing, was changed, or does not name what it should.
    pub fn files_behind(&self, record: &Record) -> Result<Vec<Artifact>, EvidenceError> {
        self.data().behind(record)
    }
}

impl EvidenceStore {
    /// As [`RunFolder::files_behind`], of a record that is kept here.
    ///
    /// # Errors
    /// As [`RunFolder::files_behind`].
    pub fn files_behind(&self, record: &Record) -> Result<Vec<Artifact>, EvidenceError> {
        self.data().behind(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GcMode, tests::record_with};

    const SHARDS: usize = 600;

    #[test]
    fn a_record_names_more_files_than_it_could_hold() {
        let dir = tempfile::tempdir().expect("a folder");
        let now = "2026-11-22T16:00:00Z".parse().expect("a time");
        let run = RunFolder::create(dir.path(), "m", &"0".repeat(64), now).expect("made");
        let shards: Vec<Artifact> = (0..SHARDS)
            .map(|i| run.put("shard", "json", i.to_string().as_bytes()))
            .collect::<Result<_, _>>()
            .expect("kept");
        let stray = run.put("shard", "json", b"of nobody").expect("kept");
        let list = run.put_list("shards", &shards).expect("kept");
        assert_eq!(list.lists, Some(SHARDS as u64));
        let record = record_with(vec![list.clone()]);
        run.write_record(&record).expect("written");
        let files = run.files_behind(&record).expect("a good list");
        assert_eq!((&files[0], &files[1..]), (&list, &shards[..]));

        // Everything is copied, and nothing of it is swept away.
        let store = EvidenceStore::for_folder(&dir.path().join("model"));
        store.put(&record).expect("kept");
        store.copy_artifacts(&record, &run).expect("copied");
        assert_eq!(store.files_behind(&record).expect("a good list"), files);
        assert_eq!(store.gc(GcMode::Remove).expect("swept"), []);
        let swept = run.gc(GcMode::Remove).expect("swept");
        let swept: Vec<_> = swept.iter().filter_map(|f| f.path.file_stem()).collect();
        assert_eq!(swept, [stray.sha256.as_str()]);
        for file in files {
            run.get(&file).expect("still there");
            store.get_data(&file.sha256).expect("still there");
        }

        // Faults: another count, a list of lists, no list, a list that was changed.
        let refused = |artifact: Artifact| {
            let error = run.files_behind(&record_with(vec![artifact]));
            error.expect_err("refused").to_string()
        };
        let short = Artifact {
            lists: Some(3),
            ..list.clone()
        };
        assert!(refused(short).contains("600 files where the record says 3"));
        let nested = run
            .put_list("shards", std::slice::from_ref(&list))
            .expect("kept");
        assert!(refused(nested).contains("names a list"));
        let text = run.put("shards", "list.json", b"{}").expect("kept");
        let no_list = Artifact {
            lists: Some(1),
            ..text
        };
        assert!(refused(no_list).contains("bad JSON"));
        let path = run.artifact_path(&list.sha256).expect("there");
        fs::write(&path, "[]").expect("written");
        assert!(refused(list).contains("was changed"));
    }
}
