//! Reading samples whose bytes are those of the plan.

use crate::{error::RunError, guard::of_sample, prepare::chain};
use dyno_core::{
    AnnotationKind, Dataset, ExifOrientation, InputData, Plan, Sample, SampleIndex, sha256_hex,
};

/// The samples of a plan, by their position in its set.
#[derive(Clone, Copy)]
pub(crate) struct Samples<'a> {
    dataset: &'a dyn Dataset,
    indices: &'a [SampleIndex],
    file_sha256: &'a [String],
    annotated_size: bool,
}

impl<'a> Samples<'a> {
    pub(crate) fn new(plan: &'a Plan, dataset: &'a dyn Dataset) -> Self {
        let set = &plan.bindings.sample_set;
        Self {
            dataset,
            indices: &set.samples,
            file_sha256: &set.file_sha256,
            annotated_size: dataset.facts().annotation == AnnotationKind::Objects,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.indices.len()
    }

    pub(crate) fn id(&self, position: usize) -> String {
        self.indices
            .get(position)
            .and_then(|i| self.dataset.entries().get(i.index()))
            .map_or_else(String::new, |e| e.id.clone())
    }

    /// Hash that the sample's place in the order of hashes follows from: that of its file, or of
    /// its id where it is none.
    pub(crate) fn order_sha256(&self, position: usize) -> String {
        match self.file_sha256.get(position) {
            Some(sha256) if !sha256.is_empty() => sha256.clone(),
            _ => sha256_hex(self.id(position).as_bytes()),
        }
    }

    /// The sample's data; the inner error, in words, is the sample's own.
    ///
    /// # Errors
    /// [`RunError::SampleChanged`] when the bytes of its file are not those of the plan.
    pub(crate) fn load(&self, position: usize) -> Result<Result<Sample, String>, RunError> {
        let Some(&index) = self.indices.get(position) else {
            return Err(RunError::Internal(format!(
                "the sample set has no position {position}"
            )));
        };
        let loaded = of_sample(|| self.dataset.load(index).map_err(|e| chain(&e)));
        let sample = match loaded.and_then(|inner| inner) {
            Ok(sample) => sample,
            Err(words) => return Ok(Err(words)),
        };
        let expected = self.file_sha256.get(position).map_or("", String::as_str);
        let bytes = sample.inputs.iter().find_map(|input| match &input.data {
            InputData::EncodedImage(bytes) => Some(bytes),
            InputData::Tensor(_) | InputData::Scalars(_) => None,
        });
        if let Some(bytes) = bytes.filter(|_| !expected.is_empty()) {
            let found = sha256_hex(bytes);
            if found != expected {
                return Err(RunError::SampleChanged {
                    id: self.id(position),
                    expected: expected.to_owned(),
                    found,
                });
            }
        }
        Ok(Ok(sample))
    }

    /// Whether the picture notes an orientation, and nobody turns it. A head that cannot be read
    /// notes none: decoding says what is wrong with it.
    pub(crate) fn ignores_orientation(&self, sample: &Sample) -> bool {
        self.dataset.facts().exif == ExifOrientation::Ignore
            && sample.inputs.iter().any(|input| match &input.data {
                InputData::EncodedImage(bytes) => {
                    let header = of_sample(|| dyno_image::header(bytes).map_err(|e| chain(&e)));
                    matches!(header, Ok(Ok(header)) if header.orientation != 1)
                }
                InputData::Tensor(_) | InputData::Scalars(_) => false,
            })
    }

    /// Compares the size of a decoded image, `[width, height]`, with what its annotation says.
    ///
    /// # Errors
    /// In words, when they differ or there is no annotation.
    pub(crate) fn check_size(&self, position: usize, decoded: [u32; 2]) -> Result<(), String> {
        let Some(&index) = self.indices.get(position).filter(|_| self.annotated_size) else {
            return Ok(());
        };
        let truth = of_sample(|| self.dataset.truth(index).map_err(|e| chain(&e)));
        let Some(annotated) = truth.and_then(|inner| inner)?.size() else {
            return Ok(());
        };
        if annotated == decoded {
            return Ok(());
        }
        let ignored = self.dataset.facts().exif == ExifOrientation::Ignore;
        let hint = if ignored && annotated == [decoded[1], decoded[0]] {
            "; turned by its EXIF orientation it would fit: `exif=apply` in the data set's request"
        } else {
            ""
        };
        Err(format!(
            "the picture has {} × {} pixels, its annotation says {} × {}{hint}",
            decoded[0], decoded[1], annotated[0], annotated[1]
        ))
    }
}
