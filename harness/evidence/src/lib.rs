//! Records, run folders and the evidence index on disk.
//!
//! Every write is atomic (temporary file in the same folder, fsync, rename, fsync of the folder)
//! and every change of a shared file happens under a lock. Files of bulk data are named by the hash
//! of their content, and that hash is checked on reading: it finds accidents, not a forger.

mod atomic;
mod error;
mod file;
mod find;
mod gc;
mod lists;
mod run_folder;
mod store;

#[cfg(test)]
mod tests;

pub use atomic::{atomic_write, write_together};
pub use error::EvidenceError;
pub use file::{FileLock, LOCK_WAIT, hash_file, lock, lock_within, open_file};
pub use find::find_record;
pub use gc::{GcMode, Unreferenced};
pub use run_folder::{RunFolder, latest, list};
pub use store::{DataState, EvidenceStore, RecordRef, StoredRecord};
