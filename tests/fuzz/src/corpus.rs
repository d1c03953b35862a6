//! Inputs in files: what campaigns found, and what they start from.

use crate::TARGETS;
use std::{fs, io, path::Path};

/// The committed inputs: a folder a target.
const CORPORA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");

/// Inputs of a target that campaigns found, with their names: what once was a fault, and what
/// reaches far.
///
/// # Errors
/// When the folder is there and cannot be read.
pub(crate) fn found(target: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let folder = Path::new(CORPORA).join(target);
    let names = names(&folder)?.into_iter();
    let inputs = names.map(|name| fs::read(folder.join(&name)).map(|input| (name, input)));
    inputs.collect()
}

/// Names of the folders with inputs; each is a target's.
///
/// # Errors
/// When they cannot be listed.
pub(crate) fn folders() -> io::Result<Vec<String>> {
    names(Path::new(CORPORA))
}

/// What a folder holds, sorted; nothing when it is not there.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Writes `FOLDER/TARGET/NAME`, seeds and found inputs, and the dictionary `FOLDER/TARGET.dict` of
/// every target: what a campaign starts from.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write_start(folder: &Path) -> io::Result<()> {
    for (name, target) in TARGETS {
        let place = folder.join(name);
        fs::create_dir_all(&place)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(place.join(format!("seed-{number}")), seed)?;
        }
        for (file, input) in found(name)? {
            fs::write(place.join(file), input)?;
        }
        let words = target.words.iter().map(|w| format!("\"{w}\"\n"));
        fs::write(place.with_extension("dict"), words.collect::<String>())?;
    }
    Ok(())
}
