//! Parts of shards on disk: what a run that is killed has measured of the shards in hand is lost
//! for five seconds at most.
//!
//! `partial-<number>.json` in the run folder is a [`Shard`] that is not complete, replaced
//! atomically. It is no evidence: it is taken up by the run that goes on, and gone when its shard
//! is finished.

use crate::error::RunError;
use dyno_core::Shard;
use dyno_evidence::atomic_write;
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Time between two checkpoints.
const INTERVAL: Duration = Duration::from_secs(5);

/// The parts of shards in one run folder.
pub(super) struct Checkpoint<'a> {
    folder: &'a Path,
    interval: Duration,
    last: Instant,
}

impl<'a> Checkpoint<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            interval: INTERVAL,
            last: Instant::now(),
        }
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("partial-{number}.json"))
    }

    /// It is time for the next one.
    pub(super) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.interval
    }

    /// All open shards were written.
    pub(super) fn saved(&mut self) {
        self.last = Instant::now();
    }

    pub(super) fn write(&self, shard: &Shard) -> Result<(), RunError> {
        let bytes = serde_json::to_vec(shard).map_err(dyno_core::CanonicalError::from)?;
        Ok(atomic_write(&self.path(shard.number), &bytes)?)
    }

    /// What there is of a shard. A file that cannot be read is like none: its samples are measured
    /// anew.
    pub(super) fn read(&self, number: u32) -> Option<Shard> {
        serde_json::from_slice(&fs::read(self.path(number)).ok()?).ok()
    }

    /// The shard is finished. A part that cannot be removed is passed over by the next run.
    pub(super) fn forget(&self, number: u32) {
        let _ = fs::remove_file(self.path(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyno_core::ShardOrigin;

    #[test]
    fn a_part_comes_back_and_a_torn_one_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut checkpoint = Checkpoint::new(folder.path());
        assert!(!checkpoint.is_due());
        checkpoint.interval = Duration::ZERO;
        assert!(checkpoint.is_due());
        let shard = Shard {
            plan_sha256: "p".into(),
            number: 3,
            origin: ShardOrigin {
                library: "l".into(),
                providers: Vec::new(),
                precision: "f32".into(),
                import: None,
                tool_commit: "c".into(),
                cpu: "x".into(),
            },
            results: Vec::new(),
        };
        assert_eq!(checkpoint.read(3), None);
        checkpoint.write(&shard).expect("written");
        assert_eq!(checkpoint.read(3), Some(shard));
        let path = folder.path().join("partial-3.json");
        let text = fs::read_to_string(&path).expect("there");
        fs::write(&path, &text[..text.len() - 5]).expect("torn");
        assert_eq!(checkpoint.read(3), None);
        checkpoint.forget(3);
        assert!(!path.exists());
    }
}
