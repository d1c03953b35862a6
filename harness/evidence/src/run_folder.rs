//! The folder of one run: plan, shards as they finish, record at the end.
//!
//! ```text
//! <root>/<utc>-<model>-<id8>/plan.json  shards.jsonl  record.json  record-<id8>.json  data/<sha256>.<format>
//! ```
//!
//! `record-<id8>.json` is the record of an earlier part of a run that was resumed.
//!
//! `shards.jsonl` is a journal: one line a finished shard, appended after the shard's file lies on
//! disk under its hash. A process killed at any moment leaves at worst a file that no line names,
//! or a torn line, and both are ignored. A shard whose file no longer has its hash counts as not
//! done.

use crate::{
    EvidenceError,
    atomic::atomic_write,
    file::{DataFolder, FileLock, lock, open_file, read_text},
};
use dyno_core::{Artifact, MAX_RECORD_BYTES, Plan, Record};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Most bytes of a plan or a journal in a run folder; a plan of ImageNet's 50,000 samples
/// has 10 MB.
const MAX_TEXT_BYTES: u64 = 1 << 30;

/// How the names of records begin that were set aside.
pub(crate) const EARLIER: &str = "record-";

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
}

/// One line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JournalLine {
    shard: u32,
    artifact: Artifact,
}

impl RunFolder {
    /// Makes `<root>/<utc>-<model>-<id8>/`; `id8` are the first digits of the plan's hash. A second
    /// run in the same millisecond gets `-2` behind it.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn create(
        root: &Path,
        model: &str,
        plan_sha256: &str,
        now: jiff::Timestamp,
    ) -> Result<Self, EvidenceError> {
        fs::create_dir_all(root).map_err(EvidenceError::io("make", root))?;
        let model: String = model
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
                    c
                } else {
                    '-'
                }
            })
            .take(64)
            .collect();
        let id: String = plan_sha256
            .chars()
            .filter(char::is_ascii_hexdigit)
            .take(8)
            .collect();
        let name = format!("{}-{model}-{id}", now.strftime("%Y%m%dT%H%M%S.%3fZ"));
        let mut n = 1u32;
        loop {
            let path = root.join(if n == 1 {
                name.clone()
            } else {
                format!("{name}-{n}")
            });
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && n < 1000 => n += 1,
                Err(e) => return Err(EvidenceError::io("make", &path)(e)),
            }
        }
    }

    /// An existing run folder: one that holds a plan or a record.
    ///
    /// # Errors
    /// [`EvidenceError::NotFound`] when it holds neither.
    pub fn open(path: &Path) -> Result<Self, EvidenceError> {
        let folder = Self {
            path: path.to_owned(),
        };
        if folder.plan_path().is_file() || folder.record_path().is_file() {
            Ok(folder)
        } else {
            let name = path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned();
            Err(EvidenceError::NotFound {
                what: "run folder",
                name,
                folder: crate::file::parent(path),
            })
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn plan_path(&self) -> PathBuf {
        self.path.join("plan.json")
    }

    fn record_path(&self) -> PathBuf {
        self.path.join("record.json")
    }

    fn journal_path(&self) -> PathBuf {
        self.path.join("shards.jsonl")
    }

    pub(crate) fn data(&self) -> DataFolder {
        DataFolder(self.path.join("data"))
    }

    pub(crate) fn guard(&self) -> Result<FileLock, EvidenceError> {
        lock(&self.path.join(".lock"))
    }

    /// Writes `plan.json`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_plan(&self, plan: &Plan) -> Result<(), EvidenceError> {
        let path = self.plan_path();
        let text = serde_json::to_string_pretty(plan).map_err(|source| EvidenceError::Json {
            path: path.clone(),
            source,
        })?;
        atomic_write(&path, (text + "\n").as_bytes())
    }

    /// Reads `plan.json`.
    ///
    /// # Errors
    /// When it is missing, of another schema, or no plan.
    pub fn read_plan(&self) -> Result<Plan, EvidenceError> {
        let path = self.plan_path();
        Plan::parse(&read_text(&path, MAX_TEXT_BYTES)?)
            .map_err(|source| EvidenceError::Plan { path, source })
    }

    /// Keeps `bytes` as `data/<sha256>.<format>`; the same bytes again change nothing. `format` is
    /// letters, digits and dots.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, role: &str, format: &str, bytes: &[u8]) -> Result<Artifact, EvidenceError> {
        let sha256 = self.data().put(format, bytes)?;
        Ok(Artifact {
            role: role.to_owned(),
            format: format.to_owned(),
            sha256,
            bytes: bytes.len() as u64,
            lists: None,
        })
    }

    /// The bytes of an artifact, checked against its hash.
    ///
    /// # Errors
    /// [`EvidenceError::NotFound`], or [`EvidenceError::Changed`] when the content has another
    /// hash.
    pub fn get(&self, artifact: &Artifact) -> Result<Vec<u8>, EvidenceError> {
        self.get_sha256(&artifact.sha256)
    }

    /// The bytes of this hash, checked.
    ///
    /// # Errors
    /// As [`RunFolder::get`].
    pub fn get_sha256(&self, sha256: &str) -> Result<Vec<u8>, EvidenceError> {
        self.data().get(sha256)
    }

    /// Where the artifact of this hash lies; its content is not checked.
    ///
    /// # Errors
    /// [`EvidenceError::NotFound`].
    pub fn artifact_path(&self, sha256: &str) -> Result<PathBuf, EvidenceError> {
        self.data().path(sha256)
    }

    /// Enters a shard, whose artifact was [`put`](Self::put), as finished. The same shard again is
    /// harmless.
    ///
    /// # Errors
    /// [`EvidenceError::Conflict`] when the shard is there, intact, with other content;
    /// [`EvidenceError::NotFound`] when the artifact is not in the folder.
    pub fn add_shard(&self, number: u32, artifact: &Artifact) -> Result<(), EvidenceError> {
        self.enter_shard(number, artifact, false)
    }

    /// As [`add_shard`](Self::add_shard) for a shard that was measured anew: it takes the place of
    /// one with other content, which stays in the folder but is no longer the shard.
    ///
    /// # Errors
    /// [`EvidenceError::NotFound`] when the artifact is not in the folder.
    pub fn replace_shard(&self, number: u32, artifact: &Artifact) -> Result<(), EvidenceError> {
        self.enter_shard(number, artifact, true)
    }

    fn enter_shard(
        &self,
        number: u32,
        artifact: &Artifact,
        replace: bool,
    ) -> Result<(), EvidenceError> {
        self.artifact_path(&artifact.sha256)?;
        let _guard = self.guard()?;
        if let Some(existing) = self.journal()?.get(&number) {
            if existing.sha256 == artifact.sha256 {
                return Ok(());
            }
            if !replace && self.intact(existing) {
                return Err(EvidenceError::Conflict {
                    number,
                    existing: existing.sha256.clone(),
                    new: artifact.sha256.clone(),
                });
            }
        }
        let path = self.journal_path();
        let line = serde_json::to_string(&JournalLine {
            shard: number,
            artifact: artifact.clone(),
        })
        .map_err(|source| EvidenceError::Json {
            path: path.clone(),
            source,
        })?;
        let mut file = File::options()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(EvidenceError::io("open", &path))?;
        // A torn last line of a killed process must not swallow this one.
        let torn = ends_torn(&mut file).map_err(EvidenceError::io("read", &path))?;
        let line = if torn {
            format!("\n{line}\n")
        } else {
            format!("{line}\n")
        };
        file.write_all(line.as_bytes())
            .and_then(|()| file.sync_data())
            .map_err(EvidenceError::io("write", &path))
    }

    /// Finished shards by number, ascending; one whose file is missing or has another hash is left
    /// out.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn shards(&self) -> Result<Vec<(u32, Artifact)>, EvidenceError> {
        Ok(self
            .journal()?
            .into_iter()
            .filter(|(_, a)| self.intact(a))
            .collect())
    }

    fn intact(&self, artifact: &Artifact) -> bool {
        self.data().verify(artifact).is_ok_and(|intact| intact)
    }

    /// The journal's last word on every shard. Lines that are not whole are passed over: their
    /// shards are simply not done.
    pub(crate) fn journal(&self) -> Result<BTreeMap<u32, Artifact>, EvidenceError> {
        let path = self.journal_path();
        if !path.exists() {
            return Ok(BTreeMap::new());
        }
        let mut bytes = Vec::new();
        open_file(&path)?
            .take(MAX_TEXT_BYTES)
            .read_to_end(&mut bytes)
            .map_err(EvidenceError::io("read", &path))?;
        let lines = bytes
            .split(|b| *b == b'\n')
            .filter_map(|l| serde_json::from_slice::<JournalLine>(l).ok());
        Ok(lines.map(|l| (l.shard, l.artifact)).collect())
    }

    /// Writes `record.json`: the record's text, verbatim.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_record(&self, record: &Record) -> Result<(), EvidenceError> {
        atomic_write(&self.record_path(), record.text().as_bytes())
    }

    /// Reads `record.json` and checks its id.
    ///
    /// # Errors
    /// When it is missing, no record, or was changed.
    pub fn record(&self) -> Result<Record, EvidenceError> {
        read_record(self.record_path())
    }

    /// Moves `record.json` to `record-<id8>.json`: the record of an earlier part of the run, whose
    /// id somebody may have noted, stays when the run goes on. Nothing happens where there is no
    /// record that reads.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn set_record_aside(&self) -> Result<(), EvidenceError> {
        let Ok(record) = self.record() else {
            return Ok(());
        };
        let aside = format!("{EARLIER}{}.json", record.short_id());
        fs::rename(self.record_path(), self.path.join(aside))
            .map_err(EvidenceError::io("move", &self.record_path()))
    }

    /// Records that were [set aside](Self::set_record_aside) and whose ids begin with `prefix`, by
    /// id. A file that is no record is passed over.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn earlier_records(&self, prefix: &str) -> Result<Vec<Record>, EvidenceError> {
        let entries = fs::read_dir(&self.path).map_err(EvidenceError::io("list", &self.path))?;
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(EvidenceError::io("list", &self.path))?.path();
            let name = path.file_name().and_then(|n| n.to_str());
            let id8 = name.and_then(|n| n.strip_prefix(EARLIER)?.strip_suffix(".json"));
            // The name only spares reading; the id is the content's.
            if id8.is_some_and(|id8| id8.starts_with(prefix) || prefix.starts_with(id8)) {
                found.extend(read_record(path).ok().filter(|r| r.id.starts_with(prefix)));
            }
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// The run came to its record.
    pub fn is_finished(&self) -> bool {
        self.record_path().is_file()
    }
}

fn read_record(path: PathBuf) -> Result<Record, EvidenceError> {
    Record::parse(&read_text(&path, MAX_RECORD_BYTES as u64)?)
        .map_err(|source| EvidenceError::Record { path, source })
}

/// The file is not empty and does not end in a newline.
fn ends_torn(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0u8; 1];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// All run folders below `root`, oldest first (their names begin with the time). A missing root has
/// none.
///
/// # Errors
/// When the root cannot be read.
pub fn list(root: &Path) -> Result<Vec<RunFolder>, EvidenceError> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(EvidenceError::io("list", root)(e)),
    };
    let mut folders: Vec<RunFolder> = entries
        .filter_map(Result::ok)
        .filter_map(|e| RunFolder::open(&e.path()).ok())
        .collect();
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(folders)
}

/// The newest run folder below `root` that came to its record.
///
/// # Errors
/// When the root cannot be read.
pub fn latest(root: &Path) -> Result<Option<RunFolder>, EvidenceError> {
    Ok(list(root)?.into_iter().rev().find(RunFolder::is_finished))
}
