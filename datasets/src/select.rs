//! The samples of a run and their identity.
//!
//! The hash of a sample set is sha256 over lines of canonical JSON (RFC 8785), each ended by a line
//! feed: first the list of class names, then `"exif=apply"` if pictures are turned, then, in the
//! order of the sample ids, `{"annotation", "file", "id"}` with the file's sha256, and `"truth"`
//! with that of the file that holds what is true of the sample alone. Numbers that only the
//! dataset's files give to images and objects are left out, so that a copy of the same samples has
//! the same hash. Subsets take the samples whose sha256 over `id`, line feed, file hash comes
//! first: a choice without a seed, and a smaller subset is part of a larger one.

use crate::{
    card,
    hash_cache::HashCache,
    known::{KNOWN, Known},
};
use dyno_core::{
    Annotation, Dataset, DatasetError, DatasetFacts, DatasetName, DatasetRequest, ExifOrientation,
    InputData, LabelMap, NameSource, SampleEntry, SampleIndex, SampleSet, TensorView,
    canonical_json, sha256_hex,
};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    file: &'a str,
    annotation: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truth: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Content<'a> {
    None,
    Class(&'a str),
    Objects {
        width: u32,
        height: u32,
        objects: Vec<Object<'a>>,
    },
}

#[derive(Serialize)]
struct Object<'a> {
    label: &'a str,
    bbox: [f64; 4],
    area: f64,
    iscrowd: bool,
    difficult: bool,
    truncated: bool,
}

fn content<'a>(annotation: &Annotation, labels: &'a LabelMap) -> Content<'a> {
    match annotation {
        Annotation::None => Content::None,
        Annotation::Class(label) => Content::Class(labels.name(*label)),
        Annotation::Objects(image) => {
            let objects = image.objects.iter().map(|o| Object {
                label: labels.name(o.label),
                bbox: [o.bbox.x, o.bbox.y, o.bbox.w, o.bbox.h],
                area: o.area,
                iscrowd: o.iscrowd,
                difficult: o.difficult,
                truncated: o.truncated,
            });
            Content::Objects {
                width: image.width,
                height: image.height,
                objects: objects.collect(),
            }
        }
    }
}

fn canonical<T: Serialize>(value: &T, facts: &DatasetFacts) -> Result<Vec<u8>, DatasetError> {
    canonical_json(value).map_err(|e| {
        DatasetError::Usage(format!(
            "annotations of `{}` cannot be hashed: {e}",
            facts.name.name
        ))
    })
}

/// sha256 over name, type, shape and elements.
fn tensor_hash(name: Option<&str>, tensor: &TensorView<'_>) -> String {
    let header = format!(
        "{} {}{:?}\n",
        name.unwrap_or_default(),
        tensor.dtype(),
        tensor.shape()
    );
    sha256_hex(&[header.into_bytes(), tensor.to_le_bytes()].concat())
}

/// sha256 of the encoded data of a sample: of the file, or of the bytes that a dataset without
/// files makes.
fn file_hash(
    dataset: &dyn Dataset,
    index: SampleIndex,
    entry: &SampleEntry,
    cache: &HashCache,
) -> Result<String, DatasetError> {
    if let Some(path) = &entry.path {
        return cache.sha256(path);
    }
    let sample = dataset.load(index)?;
    let mut parts = Vec::new();
    for input in &sample.inputs {
        parts.push(match &input.data {
            InputData::EncodedImage(bytes) => sha256_hex(bytes),
            InputData::Scalars(values) => sha256_hex(&canonical(values, dataset.facts())?),
            InputData::Tensor(tensor) => tensor_hash(input.name.as_deref(), &tensor.view()),
        });
    }
    match parts.as_slice() {
        [one] => Ok(one.clone()),
        several => Ok(sha256_hex(several.join("\n").as_bytes())),
    }
}

/// sha256 of every sample's data, in the dataset's order. The cache is saved; one that cannot be
/// saved costs time in the next run and nothing else.
pub(crate) fn file_hashes(
    dataset: &dyn Dataset,
    cache: &HashCache,
) -> Result<Vec<String>, DatasetError> {
    let numbered = dataset
        .entries()
        .par_iter()
        .enumerate()
        .map(|(i, entry)| (SampleIndex(i as u32), entry));
    let hashes: Vec<Result<String, DatasetError>> = numbered
        .map(|(i, entry)| file_hash(dataset, i, entry, cache))
        .collect();
    // A cache is an aid; its file may be on a medium that cannot be written.
    let _ = cache.save();
    let failed: Vec<String> = hashes
        .iter()
        .filter_map(|h| h.as_ref().err())
        .map(ToString::to_string)
        .collect();
    if failed.len() > 1 {
        let (count, examples) = (failed.len(), failed.into_iter().take(3).collect());
        return Err(DatasetError::Inconsistent {
            what: "samples cannot be read".to_owned(),
            count,
            examples,
        });
    }
    hashes.into_iter().collect()
}

/// The line of a sample in the hash of a set, without the line feed.
pub(crate) fn line(
    dataset: &dyn Dataset,
    index: usize,
    file: &str,
    cache: &HashCache,
) -> Result<Vec<u8>, DatasetError> {
    let Some(entry) = dataset.entries().get(index) else {
        return Ok(Vec::new());
    };
    let facts = dataset.facts();
    let truth = dataset.truth(SampleIndex(index as u32))?;
    let line = Line {
        id: &entry.id,
        file,
        annotation: content(&truth, &facts.labels),
        truth: entry
            .truth
            .as_deref()
            .map(|path| cache.sha256(path))
            .transpose()?,
    };
    canonical(&line, facts)
}

/// The line of the class names.
pub(crate) fn label_line(facts: &DatasetFacts) -> Result<Vec<u8>, DatasetError> {
    let names: Vec<&str> = facts
        .labels
        .labels
        .iter()
        .map(|l| l.name.as_str())
        .collect();
    canonical(&names, facts)
}

/// The name as the files earn it: verified where a sealed card of that set stands beside the data
/// and has the hash of every line.
fn earned(
    known: &[Known],
    request: &DatasetRequest,
    facts: &DatasetFacts,
    labels: &[u8],
    lines: &[(&str, &[u8])],
) -> Result<DatasetName, DatasetError> {
    let name = facts.name.clone();
    let sealed = card::beside(&request.path)?
        .filter(|card| card.name == name.name && name.source == NameSource::Claimed)
        .and_then(|card| card.seal);
    let Some(seal) = sealed else {
        return Ok(name);
    };
    let place = card::place(&request.path);
    let refuse = |count, examples| {
        Err(DatasetError::Inconsistent {
            what: format!(
                "samples are not those that the card `{}` was sealed with (seal it again, or take it away)",
                place.display()
            ),
            count,
            examples,
        })
    };
    if sha256_hex(labels) != seal.labels_sha256 {
        return refuse(1, vec!["the list of classes".to_owned()]);
    }
    let changed: Vec<String> = lines
        .par_iter()
        .filter(|(id, line)| seal.samples.get(*id) != Some(&sha256_hex(line)))
        .map(|(id, _)| format!("`{id}`"))
        .collect();
    if !changed.is_empty() {
        return refuse(changed.len(), changed.into_iter().take(3).collect());
    }
    let published = known
        .iter()
        .any(|k| k.name == name.name && k.is_sealed_by(&seal.archives));
    Ok(DatasetName {
        source: if published {
            NameSource::Verified
        } else {
            NameSource::Claimed
        },
        ..name
    })
}

/// The sample set of a run: the whole dataset of the request, or `samples` of it. Hashes every file
/// of the dataset (in parallel, remembered by `cache`), because a subset is chosen by the hashes.
///
/// # Errors
/// Files that cannot be read, all counted; 0 samples, or more than the dataset has; more samples
/// than a set of that name can have; a sealed card beside other data.
pub fn select(
    request: &DatasetRequest,
    dataset: &dyn Dataset,
    samples: Option<u32>,
    cache: &HashCache,
) -> Result<SampleSet, DatasetError> {
    select_among(KNOWN, request, dataset, samples, cache)
}

/// [`select`] among these known sets.
pub(crate) fn select_among(
    known: &[Known],
    request: &DatasetRequest,
    dataset: &dyn Dataset,
    samples: Option<u32>,
    cache: &HashCache,
) -> Result<SampleSet, DatasetError> {
    let (entries, facts) = (dataset.entries(), dataset.facts());
    let wanted = samples.map_or(entries.len(), |n| n as usize);
    if wanted == 0 || wanted > entries.len() {
        return Err(DatasetError::Usage(format!(
            "{wanted} samples asked for, `{}` has {}",
            facts.name.name,
            entries.len()
        )));
    }
    if let Some(of) = facts.name.of.filter(|of| entries.len() > *of as usize) {
        return Err(DatasetError::Usage(format!(
            "`{}` has {of} samples, here are {}: it cannot be that set",
            facts.name.name,
            entries.len()
        )));
    }
    let hashes = file_hashes(dataset, cache)?;
    let mut chosen: Vec<usize> = (0..entries.len()).collect();
    if wanted < entries.len() {
        let ranks: Vec<String> = entries
            .par_iter()
            .zip(&hashes)
            .map(|(e, h)| sha256_hex(format!("{}\n{h}", e.id).as_bytes()))
            .collect();
        chosen.sort_by(|a, b| ranks.get(*a).cmp(&ranks.get(*b)));
        chosen.truncate(wanted);
        chosen.sort_unstable();
    }
    let hash = |i: usize| hashes.get(i).map_or("", String::as_str);
    let lines = chosen
        .par_iter()
        .map(|&i| line(dataset, i, hash(i), cache))
        .collect::<Result<Vec<_>, _>>()?;
    let labels = label_line(facts)?;
    let ids = chosen
        .iter()
        .map(|&i| entries.get(i).map_or("", |e| e.id.as_str()));
    let of_samples: Vec<(&str, &[u8])> = ids.zip(lines.iter().map(Vec::as_slice)).collect();
    let name = earned(known, request, facts, &labels, &of_samples)?;
    let exif: &[u8] = match facts.exif {
        ExifOrientation::Ignore => b"",
        ExifOrientation::Apply => b"\"exif=apply\"\n",
    };
    let mut text = [labels.as_slice(), b"\n", exif].concat();
    for line in &lines {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let sha256 = sha256_hex(&text);
    let count = chosen.len() as u32;
    let of = name.of.unwrap_or(entries.len() as u32);
    let id = format!(
        "{}-{}{count}-{}",
        name.name,
        if count < of { "subset-" } else { "" },
        sha256.get(..16).unwrap_or_default()
    );
    let distinct: BTreeSet<&str> = chosen.iter().map(|&i| hash(i)).collect();
    Ok(SampleSet {
        id,
        name: name.name,
        name_source: name.source,
        count,
        of,
        distinct: distinct.len() as u32,
        sha256,
        file_sha256: chosen
            .iter()
            .map(|&i| {
                let is_file = entries.get(i).is_some_and(|e| e.path.is_some());
                (if is_file { hash(i) } else { "" }).to_owned()
            })
            .collect(),
        samples: chosen.iter().map(|&i| SampleIndex(i as u32)).collect(),
    })
}

#[cfg(test)]
mod tests;
