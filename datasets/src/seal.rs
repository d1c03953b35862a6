//! Sealing a set: proof that the files on disk are those of the publisher's archives.
//!
//! The archives are hashed as a whole and compared with the published checksums, every picture and
//! every file of truth with the archives' members. What is sealed are the lines of the sample set's
//! hash, so a card vouches for pictures and truth at once, wherever the files lie.

use crate::{
    card::{self, Card, Seal},
    hash_cache::HashCache,
    known::{KNOWN, Known},
    select::{file_hashes, label_line, line},
};
use dyno_core::{Dataset, DatasetError, DatasetRequest, sha256_hex};
use md5::Md5;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs::File,
    io::{self, BufReader, Read, Write as _},
    path::{Path, PathBuf},
};

/// A sealed set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its name.
    pub name: String,
    /// The card that was written.
    pub card: PathBuf,
    /// How many samples it vouches for.
    pub samples: u32,
}

/// Hashes of the members of archives, by the last part of their names.
type Members = BTreeMap<String, BTreeSet<String>>;

/// Writes the card of the dataset of `request` (`name=coco-val2017`, the whole set), after comparing
/// it with `archives`, the publisher's files as they were downloaded. `tool` is who seals.
///
/// # Errors
/// A name whose archives are not known, an archive that is missing or has another checksum, another
/// number of samples than the set has, or files that are not the archives'; all counted.
pub fn seal(
    request: &DatasetRequest,
    dataset: &dyn Dataset,
    archives: &[PathBuf],
    tool: &str,
    cache: &HashCache,
) -> Result<Sealed, DatasetError> {
    seal_among(KNOWN, request, dataset, archives, tool, cache)
}

/// [`seal`] among these known sets.
pub(crate) fn seal_among(
    known: &[Known],
    request: &DatasetRequest,
    dataset: &dyn Dataset,
    archives: &[PathBuf],
    tool: &str,
    cache: &HashCache,
) -> Result<Sealed, DatasetError> {
    let name = &dataset.facts().name.name;
    let usage = |why: String| Err(DatasetError::Usage(why));
    let Some(set) = known
        .iter()
        .find(|k| k.name == name && !k.archives.is_empty())
    else {
        let sealable: Vec<&str> = known
            .iter()
            .filter(|k| !k.archives.is_empty())
            .map(|k| k.name)
            .collect();
        return usage(format!(
            "`{name}` cannot be sealed, no published checksum of its archives is known; give one of these with `name=`: {}",
            sealable.join(", ")
        ));
    };
    let entries = dataset.entries();
    if entries.len() != set.size as usize {
        return usage(format!(
            "`{name}` has {} samples, here are {}: the whole set is sealed or nothing",
            set.size,
            entries.len()
        ));
    }
    let mut members = Members::new();
    let mut sealed = BTreeMap::new();
    for (file_name, published) in set.archives {
        let path = archives
            .iter()
            .find(|p| p.file_name().is_some_and(|n| n == *file_name));
        let Some(path) = path else {
            let all: Vec<&str> = set.archives.iter().map(|(n, _)| *n).collect();
            return usage(format!(
                "`{name}` is sealed with the archives {}: `{file_name}` is missing",
                all.join(", ")
            ));
        };
        let found = format!("md5:{}", archive_md5(path)?);
        if found != *published {
            return usage(format!(
                "`{}` is not the archive that was published: its checksum is {found}, the published one {published}",
                path.display()
            ));
        }
        read_members(path, &mut members)?;
        sealed.insert((*file_name).to_owned(), found);
    }
    let hashes = file_hashes(dataset, cache)?;
    let truth = dataset
        .truth_files()
        .par_iter()
        .map(|path| Ok((path.as_path(), cache.sha256(path)?)))
        .collect::<Result<Vec<_>, DatasetError>>()?;
    let pictures = entries.iter().zip(&hashes).filter_map(|(e, h)| {
        let path = e.path.as_deref()?;
        Some((path, h.clone()))
    });
    let foreign: Vec<String> = pictures
        .chain(truth)
        .filter(|(path, hash)| {
            let name = path.file_name().map(|n| n.to_string_lossy());
            let same = name.and_then(|n| members.get(n.as_ref()));
            !same.is_some_and(|hashes| hashes.contains(hash))
        })
        .map(|(path, _)| format!("`{}`", path.display()))
        .collect();
    if !foreign.is_empty() {
        return Err(DatasetError::Inconsistent {
            what: "files are not those of the archives".to_owned(),
            count: foreign.len(),
            examples: foreign.into_iter().take(3).collect(),
        });
    }
    let samples = (0..entries.len())
        .into_par_iter()
        .zip(entries.par_iter().zip(&hashes))
        .map(|(i, (entry, hash))| {
            Ok((
                entry.id.clone(),
                sha256_hex(&line(dataset, i, hash, cache)?),
            ))
        })
        .collect::<Result<BTreeMap<_, _>, DatasetError>>()?;
    let card = Card {
        schema: card::SCHEMA.to_owned(),
        name: name.clone(),
        seal: Some(Seal {
            tool: tool.to_owned(),
            archives: sealed,
            labels_sha256: sha256_hex(&label_line(dataset.facts())?),
            samples,
        }),
    };
    let place = card::place(&request.path);
    write(&place, &card)?;
    Ok(Sealed {
        name: name.clone(),
        card: place,
        samples: set.size,
    })
}

/// Temporary file, fsync, rename.
fn write(place: &Path, card: &Card) -> Result<(), DatasetError> {
    let error = |source| DatasetError::Io {
        path: place.to_owned(),
        source,
    };
    let folder = place
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(error)?;
    serde_json::to_writer_pretty(io::BufWriter::new(&mut temporary), card)
        .map_err(|e| error(e.into()))?;
    temporary.write_all(b"\n").map_err(error)?;
    temporary.as_file().sync_all().map_err(error)?;
    temporary.persist(place).map_err(|e| error(e.error))?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Feeds everything that `reader` gives to `take`.
fn each_block(mut reader: impl Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0u8; 1 << 16];
    loop {
        let n = reader.read(&mut buffer)?;
        match buffer.get(..n) {
            Some(block) if n > 0 => take(block),
            _ => return Ok(()),
        }
    }
}

fn archive_md5(path: &Path) -> Result<String, DatasetError> {
    let error = |source| DatasetError::Io {
        path: path.to_owned(),
        source,
    };
    let mut hasher = Md5::new();
    let file = File::open(path).map_err(error)?;
    each_block(file, |block| hasher.update(block)).map_err(error)?;
    Ok(hex(&hasher.finalize()))
}

/// Adds the hashes of the files of an archive (`.zip` or `.tar`). Nothing is unpacked.
fn read_members(path: &Path, members: &mut Members) -> Result<(), DatasetError> {
    let error = |source: io::Error| DatasetError::Io {
        path: path.to_owned(),
        source,
    };
    let mut add = |name: &Path, reader: &mut dyn Read| -> Result<(), DatasetError> {
        let mut hasher = Sha256::new();
        each_block(reader, |block| hasher.update(block)).map_err(error)?;
        if let Some(name) = name.file_name().and_then(|n| n.to_str()) {
            members
                .entry(name.to_owned())
                .or_default()
                .insert(hex(&hasher.finalize()));
        }
        Ok(())
    };
    let file = BufReader::new(File::open(path).map_err(error)?);
    if path.extension().is_some_and(|e| e == "zip") {
        let mut archive = zip::ZipArchive::new(file).map_err(|e| error(e.into()))?;
        for at in 0..archive.len() {
            let mut member = archive.by_index(at).map_err(|e| error(e.into()))?;
            if member.is_file() {
                let name = member.name().map_err(|e| error(e.into()))?.into_owned();
                let name = PathBuf::from(name);
                add(&name, &mut member)?;
            }
        }
        return Ok(());
    }
    let mut archive = tar::Archive::new(file);
    for member in archive.entries().map_err(error)? {
        let mut member = member.map_err(error)?;
        if member.header().entry_type().is_file() {
            let name = member.path().map_err(error)?.into_owned();
            add(&name, &mut member)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
