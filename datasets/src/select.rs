//! The samples of a run and their identity.
//!
//! The hash of a sample set is sha256 over lines of canonical JSON (RFC 8785), each ended by a line
//! feed: first the list of class names, then, in the order of the sample ids,
//! `{"annotation", "file", "id"}` with the file's sha256. Numbers that only the dataset's files
//! give to images and objects are left out, so that a copy of the same samples has the same hash.
//! Subsets take the samples whose sha256 over `id`, line feed, file hash comes first: a choice
//! without a seed, and a smaller subset is part of a larger one.

use crate::hash_cache::HashCache;
use dyno_core::{
    Annotation, Dataset, DatasetError, DatasetFacts, InputData, LabelMap, SampleEntry, SampleIndex,
    SampleSet, canonical_json, sha256_hex,
};
use rayon::prelude::*;
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    file: &'a str,
    annotation: Content<'a>,
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
            "annotations of `{}-{}` cannot be hashed: {e}",
            facts.kind, facts.split
        ))
    })
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
            InputData::Tensor(_) => {
                return Err(DatasetError::Usage(format!(
                    "sample `{}` is a tensor without a file, which has no hash",
                    entry.id
                )));
            }
        });
    }
    match parts.as_slice() {
        [one] => Ok(one.clone()),
        several => Ok(sha256_hex(several.join("\n").as_bytes())),
    }
}

/// The sample set of a run: the whole dataset, or `samples` of it. Hashes every file of the dataset
/// (in parallel, remembered by `cache`), because a subset is chosen by the hashes. The cache is
/// saved; one that cannot be saved costs time in the next run and nothing else.
///
/// # Errors
/// Files that cannot be read, all counted; 0 samples, or more than the dataset has.
pub fn select(
    dataset: &dyn Dataset,
    samples: Option<u32>,
    cache: &HashCache,
) -> Result<SampleSet, DatasetError> {
    let (entries, facts) = (dataset.entries(), dataset.facts());
    let wanted = samples.map_or(entries.len(), |n| n as usize);
    if wanted == 0 || wanted > entries.len() {
        return Err(DatasetError::Usage(format!(
            "{wanted} samples asked for, `{}-{}` has {}",
            facts.kind,
            facts.split,
            entries.len()
        )));
    }
    let numbered = entries
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
    let hashes = hashes.into_iter().collect::<Result<Vec<_>, _>>()?;
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
    let line = |i: usize| -> Result<Vec<u8>, DatasetError> {
        let (Some(entry), Some(file)) = (entries.get(i), hashes.get(i)) else {
            return Ok(Vec::new());
        };
        canonical(
            &Line {
                id: &entry.id,
                file,
                annotation: content(&entry.annotation, &facts.labels),
            },
            facts,
        )
    };
    let lines = chosen
        .par_iter()
        .map(|i| line(*i))
        .collect::<Result<Vec<_>, _>>()?;
    let names: Vec<&str> = facts
        .labels
        .labels
        .iter()
        .map(|l| l.name.as_str())
        .collect();
    let mut text = canonical(&names, facts)?;
    text.push(b'\n');
    for line in lines {
        text.extend_from_slice(&line);
        text.push(b'\n');
    }
    let sha256 = sha256_hex(&text);
    let id = format!(
        "{}-{}-{}-{}",
        facts.kind,
        id_part(&facts.split),
        chosen.len(),
        sha256.get(..16).unwrap_or_default()
    );
    let samples: Vec<SampleIndex> = chosen.iter().map(|i| SampleIndex(*i as u32)).collect();
    Ok(SampleSet {
        id,
        count: samples.len() as u32,
        sha256,
        full: samples.len() == entries.len(),
        samples,
    })
}

/// A split as a part of an id: letters, digits, `_`, `.` and `-`.
fn id_part(split: &str) -> String {
    split
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') {
                c
            } else {
                '_'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
