//! What this machine is and has, for a person who asks why an engine does not run or why a number
//! is what it is: processor, memory, devices, container, virtual machine, load.
//!
//! Everything is read from files of Linux below a root, so that a recorded tree can stand in for a
//! machine. What no file tells is absent. Files of a system are bounded, and names in them are
//! shown as they are: whoever prints them must make them harmless.

mod cpu;
mod devices;
mod host;

pub use cpu::Processor;
pub use devices::{Accelerator, AcceleratorKind, Gpu};
pub use host::{Container, Host, Load};

use serde::Serialize;
use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

/// A machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detected {
    /// The processor.
    pub processor: Processor,
    /// GPUs, as drivers and the PCI bus tell.
    pub gpus: Vec<Gpu>,
    /// Chips that run networks.
    pub accelerators: Vec<Accelerator>,
    /// Board, system, memory, container.
    pub host: Host,
}

impl Detected {
    /// This machine.
    pub fn here() -> Self {
        Self::below(Path::new("/"))
    }

    /// The machine whose `/proc`, `/sys`, `/dev` and `/etc` lie below `root`.
    pub fn below(root: &Path) -> Self {
        let tree = Tree { root };
        Self {
            processor: cpu::read(&tree),
            gpus: devices::gpus(&tree),
            accelerators: devices::accelerators(&tree),
            host: host::read(&tree),
        }
    }
}

/// Longest file that is read.
const MOST_BYTES: u64 = 1 << 22;

/// The files of a machine.
struct Tree<'a> {
    root: &'a Path,
}

impl Tree<'_> {
    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn exists(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// Text without what surrounds it; `None` when it is empty or cannot be read.
    fn text(&self, path: &str) -> Option<String> {
        text_of(&self.path(path))
    }

    /// Entries of a folder whose names begin with `prefix`, by name.
    fn entries(&self, folder: &str, prefix: &str) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = std::fs::read_dir(self.path(folder))
            .map(|d| d.filter_map(|e| e.ok().map(|e| e.path())).collect())
            .unwrap_or_default();
        found.retain(|p| name_of(p).starts_with(prefix));
        found.sort();
        found
    }
}

fn text_of(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    (!text.is_empty()).then(|| text.to_owned())
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|n| n.to_str()).unwrap_or("")
}

#[cfg(test)]
mod tests;
