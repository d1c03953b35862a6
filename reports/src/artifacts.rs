//! The files behind a record, looked for where it may have left them: run folders and the evidence
//! of models.

use dyno_core::{Artifacts, Record, ReportError};
use dyno_evidence::{EvidenceError, EvidenceStore, RunFolder};

/// Largest file that a report reads. A table of ImageNet's 50,000 images has 5 MB.
const MAX_BYTES: u64 = 64 << 20;

/// Files in run folders, then in evidence stores, in the order in which they were given.
#[derive(Debug, Clone, Default)]
pub struct StoredArtifacts {
    folders: Vec<RunFolder>,
    stores: Vec<EvidenceStore>,
}

impl StoredArtifacts {
    /// Looks in these places.
    pub fn new(folders: Vec<RunFolder>, stores: Vec<EvidenceStore>) -> Self {
        Self { folders, stores }
    }

    fn read(&self, sha256: &str) -> Result<Option<Vec<u8>>, EvidenceError> {
        let folders = self.folders.iter().map(|f| f.get_sha256(sha256));
        let stores = self.stores.iter().map(|s| s.get_data(sha256));
        for read in folders.chain(stores) {
            match read {
                Err(EvidenceError::NotFound { .. }) => {}
                found => return found.map(Some),
            }
        }
        Ok(None)
    }
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.extend([": ", &cause.to_string()]);
        next = cause.source();
    }
    text
}

impl Artifacts for StoredArtifacts {
    /// The record must list the file with a size that a report reads.
    fn get(&self, record: &Record, sha256: &str) -> Result<Option<Vec<u8>>, ReportError> {
        let error = |reason: String| ReportError {
            reporter: "artifacts",
            reason,
        };
        let listed = record.artifacts.iter().find(|a| a.sha256 == sha256);
        let Some(artifact) = listed else {
            return Err(error("the record does not list the file".to_owned()));
        };
        if artifact.bytes > MAX_BYTES {
            let bytes = artifact.bytes;
            return Err(error(format!(
                "the file has {bytes} bytes, more than {MAX_BYTES}"
            )));
        }
        self.read(sha256).map_err(|e| error(chain(&e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::{CLASSES, IMAGES, detector, forged};
    use dyno_core::sha256_hex;

    #[test]
    fn files_are_found_checked_and_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let record = detector();
        let sha256 = sha256_hex(CLASSES.as_bytes());
        std::fs::write(folder.path().join("record.json"), record.text()).expect("written");
        let run = RunFolder::open(folder.path()).expect("it holds a record");
        let store = EvidenceStore::for_folder(&folder.path().join("model"));
        let both = StoredArtifacts::new(vec![run], vec![store.clone()]);
        assert_eq!(both.get(&record, &sha256).expect("no error"), None);
        store
            .put_data("per-class", "csv", CLASSES.as_bytes())
            .expect("kept");
        let found = both.get(&record, &sha256).expect("no error");
        assert_eq!(found.as_deref(), Some(CLASSES.as_bytes()));

        let unlisted = both.get(&record, &sha256_hex(IMAGES.as_bytes()));
        let reason = unlisted.expect_err("not listed").reason;
        assert_eq!(reason, "the record does not list the file");
        let large = forged(&record, |v| {
            v["artifacts"][0]["bytes"] = (MAX_BYTES + 1).into();
        });
        let reason = both.get(&large, &sha256).expect_err("too large").reason;
        assert!(reason.contains("more than"), "{reason}");
        // A planted fault: the file is another one.
        let data = store.folder().join("data").join(format!("{sha256}.csv"));
        std::fs::write(&data, CLASSES.replace("0.5", "0.9")).expect("written");
        let reason = both.get(&record, &sha256).expect_err("changed").reason;
        assert!(reason.contains(&sha256), "{reason}");
    }
}
