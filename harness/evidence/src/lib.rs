//! Records, run folders and the evidence index on disk.
