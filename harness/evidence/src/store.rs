//! The evidence behind the fields of a manifest.
//!
//! ```text
//! <folder>/evidence/<record-id>.json        one immutable record, at most 64 kB
//! <folder>/evidence/data/<sha256>.<format>  what the record's artifacts name
//! <folder>/evidence/index.json              which measurement each plain field shows
//! ```
//!
//! `<folder>` is a model package, or a registry folder with many entries. The index of a package is
//! `{"shown": {"accuracy": "<record>#0"}}`; in a registry folder the same object stands below the
//! entry's name: `{"entries": {"name@version": {"shown": {"accuracy": "<record>#0"}}}}` (`name`
//! alone for an entry without a version).

use crate::{
    EvidenceError,
    atomic::{atomic_write, sweep, write_together},
    file::{DataFolder, FileLock, check_sha256, lock, parent, read_text, stays_in},
    run_folder::RunFolder,
};
use dyno_core::{Artifact, MAX_RECORD_BYTES, Record};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Most bytes of an index.
const MAX_INDEX_BYTES: u64 = 64 << 20;

/// One measurement of one record, written `<record-id>#<n>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RecordRef {
    /// Id of the record; a prefix of it where people write it.
    pub record: String,
    /// Index in its `measurements`.
    pub measurement: usize,
}

impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.record, self.measurement)
    }
}

impl FromStr for RecordRef {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let (record, n) = s
            .rsplit_once('#')
            .ok_or_else(|| format!("not of the form `<record>#<n>`: `{s}`"))?;
        let measurement = n
            .parse()
            .map_err(|_| format!("not the number of a measurement: `{n}`"))?;
        Ok(Self {
            record: record.to_owned(),
            measurement,
        })
    }
}

impl From<RecordRef> for String {
    fn from(r: RecordRef) -> Self {
        r.to_string()
    }
}

impl TryFrom<String> for RecordRef {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    #[serde(default)]
    shown: BTreeMap<String, RecordRef>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    shown: BTreeMap<String, RecordRef>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    entries: BTreeMap<String, Shown>,
}

/// What became of a file of bulk data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataState {
    /// It is there, and its content has its hash.
    Intact,
    /// It is there with other content.
    Changed,
    /// It is not there, others are or were.
    Missing,
    /// The evidence has no folder of data at all: it is not published with a package.
    NotKept,
}

/// A file of [`EvidenceStore::list`].
#[derive(Debug)]
pub struct StoredRecord {
    /// The file.
    pub path: PathBuf,
    /// Its record, or why it is none.
    pub record: Result<Record, EvidenceError>,
}

/// The evidence of one model.
#[derive(Debug, Clone)]
pub struct EvidenceStore {
    folder: PathBuf,
    entry: Option<String>,
}

impl EvidenceStore {
    /// Evidence of the model package `model_folder`. Nothing is made before the first write.
    pub fn for_folder(model_folder: &Path) -> Self {
        Self {
            folder: model_folder.join("evidence"),
            entry: None,
        }
    }

    /// Evidence of one entry (`name@version`, or `name`) of the registry folder `models_dir`.
    pub fn for_entry(models_dir: &Path, entry: &str) -> Self {
        Self {
            folder: models_dir.join("evidence"),
            entry: Some(entry.to_owned()),
        }
    }

    /// The evidence folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn index_path(&self) -> PathBuf {
        self.folder.join("index.json")
    }

    pub(crate) fn data(&self) -> DataFolder {
        DataFolder(self.folder.join("data"))
    }

    /// Takes the lock under which everything in the model's folder is written: manifests, evidence
    /// and index. What killed writers left there is swept.
    ///
    /// # Errors
    /// When another process holds it, the folder cannot be written, or a link in it leads out.
    pub fn lock(&self) -> Result<FileLock, EvidenceError> {
        self.confined()?;
        fs::create_dir_all(&self.folder).map_err(EvidenceError::io("make", &self.folder))?;
        let guard = lock(&self.folder.join(".lock"))?;
        for folder in [&parent(&self.folder), &self.folder, &self.data().0] {
            sweep(folder);
        }
        Ok(guard)
    }

    /// Nothing that is written leads out of the model's folder.
    fn confined(&self) -> Result<(), EvidenceError> {
        let root = parent(&self.folder);
        for path in [
            self.folder.clone(),
            self.data().0,
            self.index_path(),
            self.folder.join(".lock"),
        ] {
            stays_in(&root, &path)?;
        }
        Ok(())
    }

    /// Adds a record, its text verbatim. The same record again changes nothing.
    ///
    /// # Errors
    /// [`EvidenceError::Record`] when id and content disagree, here or in a file that is already
    /// there.
    pub fn put(&self, record: &Record) -> Result<PathBuf, EvidenceError> {
        check_sha256(&record.id)?;
        let path = self.folder.join(format!("{}.json", record.id));
        // Of the text and not of the struct: the text is what is written.
        let sealed = Record::parse(record.text()).map_err(|source| EvidenceError::Record {
            path: path.clone(),
            source,
        })?;
        if sealed.id != record.id {
            return Err(EvidenceError::Changed {
                path,
                expected: record.id.clone(),
                actual: sealed.id,
            });
        }
        self.confined()?;
        stays_in(&parent(&self.folder), &path)?;
        if path.exists() {
            read_record(&path)?;
            return Ok(path);
        }
        fs::create_dir_all(&self.folder).map_err(EvidenceError::io("make", &self.folder))?;
        atomic_write(&path, record.text().as_bytes())?;
        Ok(path)
    }

    /// Keeps bulk data under its hash.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_data(
        &self,
        role: &str,
        format: &str,
        bytes: &[u8],
    ) -> Result<Artifact, EvidenceError> {
        self.confined()?;
        let sha256 = self.data().put(format, bytes)?;
        Ok(Artifact {
            role: role.to_owned(),
            format: format.to_owned(),
            sha256,
            bytes: bytes.len() as u64,
            lists: None,
        })
    }

    /// Bulk data of this hash, checked.
    ///
    /// # Errors
    /// When it is missing or was changed.
    pub fn get_data(&self, sha256: &str) -> Result<Vec<u8>, EvidenceError> {
        self.data().get(sha256)
    }

    /// What became of a file that a record names.
    pub fn data_state(&self, artifact: &Artifact) -> DataState {
        if !self.data().0.is_dir() {
            return DataState::NotKept;
        }
        match self.data().verify(artifact) {
            Ok(true) => DataState::Intact,
            Ok(false) => DataState::Changed,
            Err(_) => DataState::Missing,
        }
    }

    /// Copies the files behind a record out of its run folder, each checked against its hash:
    /// its artifacts, and what the lists among them name.
    ///
    /// # Errors
    /// When one is missing, was changed, or cannot be written.
    pub fn copy_artifacts(&self, record: &Record, from: &RunFolder) -> Result<(), EvidenceError> {
        self.confined()?;
        for artifact in from.files_behind(record)? {
            self.data().put(&artifact.format, &from.get(&artifact)?)?;
        }
        Ok(())
    }

    /// The record whose id begins with `prefix` (four digits or more).
    ///
    /// # Errors
    /// When none or several fit, or the file was changed.
    pub fn get(&self, prefix: &str) -> Result<Record, EvidenceError> {
        let mut fitting = self.ids()?;
        fitting.retain(|id| id.starts_with(prefix));
        match fitting.as_slice() {
            [id] if prefix.len() >= 4 => read_record(&self.folder.join(format!("{id}.json"))),
            [] | [_] => Err(EvidenceError::NotFound {
                what: "record",
                name: prefix.to_owned(),
                folder: self.folder.clone(),
            }),
            _ => Err(EvidenceError::Ambiguous {
                prefix: prefix.to_owned(),
                ids: fitting,
            }),
        }
    }

    /// Ids of all records in the folder, sorted; of a registry folder, those of all entries.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn ids(&self) -> Result<Vec<String>, EvidenceError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(EvidenceError::io("list", &self.folder)(e)),
        };
        let names = entries
            .filter_map(Result::ok)
            .filter_map(|e| e.file_name().into_string().ok());
        let mut ids: Vec<String> = names
            .filter_map(|n| n.strip_suffix(".json").map(str::to_owned))
            .filter(|id| check_sha256(id).is_ok())
            .collect();
        ids.sort();
        Ok(ids)
    }

    /// All records of the folder, by id; one that was changed comes as its error.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Vec<StoredRecord>, EvidenceError> {
        let paths = self
            .ids()?
            .into_iter()
            .map(|id| self.folder.join(format!("{id}.json")));
        Ok(paths
            .map(|path| StoredRecord {
                record: read_record(&path),
                path,
            })
            .collect())
    }

    /// Which measurement each field of the model shows.
    ///
    /// # Errors
    /// When the index is no index.
    pub fn shown(&self) -> Result<BTreeMap<String, RecordRef>, EvidenceError> {
        let mut index = self.read_index()?;
        Ok(match &self.entry {
            None => index.shown,
            Some(entry) => index.entries.remove(entry).unwrap_or_default().shown,
        })
    }

    /// Says which measurement a field shows; `None` forgets it. Takes the lock itself.
    ///
    /// # Errors
    /// When the index cannot be read, locked or written.
    pub fn set_shown(
        &self,
        field: &str,
        reference: Option<&RecordRef>,
    ) -> Result<(), EvidenceError> {
        let guard = self.lock()?;
        self.set_shown_locked(&guard, &[(field, reference)])
    }

    /// Several fields at once, by the holder of the lock.
    ///
    /// # Errors
    /// When the index cannot be read or written.
    pub fn set_shown_locked(
        &self,
        _guard: &FileLock,
        fields: &[(&str, Option<&RecordRef>)],
    ) -> Result<(), EvidenceError> {
        self.confined()?;
        atomic_write(&self.index_path(), self.index_with(fields)?.as_bytes())
    }

    /// Several fields and the manifest that has them, by the holder of the lock: the index first,
    /// and either both or neither.
    ///
    /// # Errors
    /// When the index cannot be read, or one of the two not be written.
    pub fn show_with(
        &self,
        _guard: &FileLock,
        fields: &[(&str, Option<&RecordRef>)],
        manifest: &Path,
        text: &[u8],
    ) -> Result<(), EvidenceError> {
        self.confined()?;
        let index = self.index_with(fields)?;
        write_together(&[(&self.index_path(), index.as_bytes()), (manifest, text)])
    }

    /// The text of the index after a change.
    fn index_with(&self, fields: &[(&str, Option<&RecordRef>)]) -> Result<String, EvidenceError> {
        let mut index = self.read_index()?;
        let shown = match &self.entry {
            None => &mut index.shown,
            Some(entry) => &mut index.entries.entry(entry.clone()).or_default().shown,
        };
        for (field, reference) in fields {
            match reference {
                Some(r) => shown.insert((*field).to_owned(), (*r).clone()),
                None => shown.remove(*field),
            };
        }
        index.entries.retain(|_, e| !e.shown.is_empty());
        let text = serde_json::to_string_pretty(&index).map_err(|source| EvidenceError::Json {
            path: self.index_path(),
            source,
        })?;
        Ok(text + "\n")
    }

    fn read_index(&self) -> Result<Index, EvidenceError> {
        let path = self.index_path();
        if !path.exists() {
            return Ok(Index::default());
        }
        serde_json::from_str(&read_text(&path, MAX_INDEX_BYTES)?)
            .map_err(|source| EvidenceError::Json { path, source })
    }
}

/// A record in a file whose name is its id.
fn read_record(path: &Path) -> Result<Record, EvidenceError> {
    let record = Record::parse(&read_text(path, MAX_RECORD_BYTES as u64)?).map_err(|source| {
        EvidenceError::Record {
            path: path.to_owned(),
            source,
        }
    })?;
    let expected = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    if record.id == expected {
        Ok(record)
    } else {
        Err(EvidenceError::Changed {
            path: path.to_owned(),
            expected,
            actual: record.id,
        })
    }
}
