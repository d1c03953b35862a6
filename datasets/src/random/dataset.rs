//! The row `random`: samples are tensors of the model's own shapes.
//!
//! Floating-point numbers are uniform in [0, 1), `u8` and `i8` take every value, `i32`, `i64` and
//! `bool` are 0 or 1, because a whole number is often an index and every table has two rows.

use super::npy;
use crate::request::{Options, number};
use dyno_core::{
    Annotation, AnnotationKind, DType, Dataset, DatasetError, DatasetFacts, DatasetKind,
    DatasetName, DatasetRequest, ExifOrientation, InputData, LabelMap, NameSource, Sample,
    SampleEntry, SampleIndex, SampleInput, Tensor, TensorData, TensorInfo,
};
use half::{bf16, f16};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Most samples.
const MAX_COUNT: u32 = 1 << 20;
/// Most elements of one input: 1 GB of floating-point numbers.
const MAX_ELEMENTS: usize = 1 << 28;

/// One input of the samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Name in the model file.
    name: String,
    /// Element type.
    dtype: DType,
    /// Shape of one sample, without the batch.
    shape: Vec<usize>,
    /// A `.npy` file with one sample or several, in place of random numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

/// A request for `count` samples for these inputs of an open model, whose first dimension is the
/// batch.
///
/// # Errors
/// [`DatasetError::Usage`] when an input has no concrete shape, or `files` names one that does not
/// exist.
pub fn request(
    inputs: &[TensorInfo],
    files: &BTreeMap<String, PathBuf>,
    count: u32,
    seed: u64,
) -> Result<DatasetRequest, DatasetError> {
    let names: Vec<&str> = inputs.iter().map(|i| i.name.as_str()).collect();
    if let Some(name) = files.keys().find(|name| !names.contains(&name.as_str())) {
        return Err(DatasetError::Usage(format!(
            "the model has no input `{name}` (there are: {})",
            names.join(", ")
        )));
    }
    let mut described = Vec::with_capacity(inputs.len());
    for info in inputs {
        let shape = info.fixed_shape().ok_or_else(|| {
            DatasetError::Usage(format!(
                "the model leaves the shape of input `{}` open: give it with --shape {}=…",
                info.name, info.name
            ))
        })?;
        let file = files
            .get(&info.name)
            .map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()));
        described.push(Input {
            name: info.name.clone(),
            dtype: info.dtype,
            shape: shape.get(1..).unwrap_or_default().to_vec(),
            file,
        });
    }
    let text = serde_json::to_string(&described).map_err(|e| DatasetError::Usage(e.to_string()))?;
    let options = [
        ("inputs", text),
        ("count", count.to_string()),
        ("seed", seed.to_string()),
    ];
    Ok(DatasetRequest {
        kind: Random.id().to_owned(),
        path: PathBuf::new(),
        split: None,
        options: options.map(|(k, v)| (k.to_owned(), v)).into(),
    })
}

/// The row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Random;

impl DatasetKind for Random {
    fn id(&self) -> &'static str {
        "random"
    }

    fn about(&self) -> &'static str {
        "random: seeded random tensors; what --only latency takes without --dataset"
    }

    fn needs_path(&self) -> bool {
        false
    }

    fn open(&self, request: &DatasetRequest) -> Result<Box<dyn Dataset>, DatasetError> {
        let usage = |why: String| DatasetError::Usage(why);
        let options = Options::new(request, &["inputs", "count", "seed"])?;
        if request.split.is_some() || !request.path.as_os_str().is_empty() {
            return Err(usage(
                "random inputs have neither path nor split".to_owned(),
            ));
        }
        let text = options.get("inputs").ok_or_else(|| {
            usage("random inputs need a model: leave --dataset out, with --only latency".to_owned())
        })?;
        let inputs: Vec<Input> = serde_json::from_str(text)
            .map_err(|e| usage(format!("option `inputs` of random inputs: {e}")))?;
        let count = number::<u32>(&options, "count")?.unwrap_or(1);
        if count == 0 || count > MAX_COUNT {
            return Err(usage(format!(
                "count={count} is not between 1 and {MAX_COUNT}"
            )));
        }
        let mut sources = Vec::with_capacity(inputs.len());
        for input in inputs {
            let elements = input
                .shape
                .iter()
                .try_fold(1_usize, |n, d| n.checked_mul(*d));
            let Some(elements) = elements.filter(|n| (1..=MAX_ELEMENTS).contains(n)) else {
                return Err(usage(format!(
                    "input `{}` of shape {:?} has no elements, or too many",
                    input.name, input.shape
                )));
            };
            let content = input
                .file
                .as_deref()
                .map(|file| content(file, &input, elements))
                .transpose()?;
            sources.push((input, elements, content));
        }
        let entries = (0..count).map(|n| SampleEntry {
            id: format!("random-{n:07}"),
            path: None,
            truth: None,
        });
        Ok(Box::new(Tensors {
            facts: DatasetFacts {
                kind: self.id().to_owned(),
                name: DatasetName {
                    name: if sources.iter().all(|(i, ..)| i.file.is_none()) {
                        "random-inputs"
                    } else {
                        "custom-inputs"
                    }
                    .to_owned(),
                    source: NameSource::Custom,
                    of: None,
                },
                exif: ExifOrientation::Ignore,
                annotation: AnnotationKind::None,
                labels: LabelMap::default(),
                metrics: Vec::new(),
            },
            entries: entries.collect(),
            sources,
            seed: number(&options, "seed")?.unwrap_or(0),
        }))
    }
}

/// The samples of a file: a whole number of them.
fn content(file: &Path, input: &Input, elements: usize) -> Result<TensorData, DatasetError> {
    let array = npy::read(file, MAX_ELEMENTS)?;
    let found = array.data.as_slice();
    if found.dtype() != input.dtype || found.len() % elements != 0 || found.is_empty() {
        return Err(DatasetError::Malformed {
            path: file.to_owned(),
            line: None,
            column: None,
            reason: format!(
                "input `{}` takes {} {:?}, the file holds {} {:?}",
                input.name,
                input.dtype,
                input.shape,
                found.dtype(),
                array.shape
            ),
        });
    }
    Ok(array.data)
}

struct Tensors {
    facts: DatasetFacts,
    entries: Vec<SampleEntry>,
    /// Each input with its elements a sample, and the content of its file.
    sources: Vec<(Input, usize, Option<TensorData>)>,
    seed: u64,
}

impl Tensors {
    fn check(&self, index: SampleIndex) -> Result<(), DatasetError> {
        let there = self.entries.len();
        (index.index() < there).then_some(()).ok_or_else(|| {
            DatasetError::Usage(format!("there is no sample {}, only {there}", index.0))
        })
    }
}

impl Dataset for Tensors {
    fn facts(&self) -> &DatasetFacts {
        &self.facts
    }

    fn entries(&self) -> &[SampleEntry] {
        &self.entries
    }

    fn load(&self, index: SampleIndex) -> Result<Sample, DatasetError> {
        self.check(index)?;
        let mut inputs = Vec::with_capacity(self.sources.len());
        for (number, (input, elements, content)) in self.sources.iter().enumerate() {
            let data = match content {
                Some(content) => npy::part(content, index.index(), *elements),
                None => random(input.dtype, *elements, self.seed, number as u64, index),
            };
            let tensor = Tensor::new(input.shape.clone(), data)
                .map_err(|e| DatasetError::Usage(e.to_string()))?;
            inputs.push(SampleInput {
                name: Some(input.name.clone()),
                data: InputData::Tensor(tensor),
            });
        }
        Ok(Sample { inputs })
    }

    fn truth(&self, index: SampleIndex) -> Result<Annotation, DatasetError> {
        self.check(index)?;
        Ok(Annotation::None)
    }
}

/// `count` numbers. The ChaCha8 key is the seed and the number of the input, the stream the
/// sample's: the same on every machine, and any sample can be drawn without those before it.
fn random(dtype: DType, count: usize, seed: u64, input: u64, sample: SampleIndex) -> TensorData {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&input.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(u64::from(sample.0));
    let mut bits = move || rng.next_u32();
    // 24 bits: every value is exact in f32.
    let mut share = {
        let mut bits = bits.clone();
        move || (bits() >> 8) as f32 / 16_777_216.0
    };
    match dtype {
        DType::F32 => TensorData::F32((0..count).map(|_| share()).collect()),
        DType::F16 => TensorData::F16((0..count).map(|_| f16::from_f32(share())).collect()),
        DType::Bf16 => TensorData::Bf16((0..count).map(|_| bf16::from_f32(share())).collect()),
        DType::I8 => TensorData::I8((0..count).map(|_| bits() as i8).collect()),
        DType::U8 => TensorData::U8((0..count).map(|_| bits() as u8).collect()),
        DType::I32 => TensorData::I32((0..count).map(|_| (bits() & 1) as i32).collect()),
        DType::I64 => TensorData::I64((0..count).map(|_| i64::from(bits() & 1)).collect()),
        DType::Bool => TensorData::Bool((0..count).map(|_| bits() & 1 == 1).collect()),
    }
}
