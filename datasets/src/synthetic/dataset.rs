//! The synthetic set in memory.

use super::{
    scene::{SyntheticSpec, Task},
    truths::Truths,
};
use crate::{
    files::no_sample,
    name::generated,
    request::{Options, number},
};
use dyno_core::{
    Annotation, AnnotationKind, Dataset, DatasetError, DatasetFacts, DatasetKind, DatasetRequest,
    ExifOrientation, InputData, Sample, SampleEntry, SampleIndex, SampleInput,
};

/// Row of the table.
pub struct Synthetic;

struct Set {
    spec: SyntheticSpec,
    facts: DatasetFacts,
    entries: Vec<SampleEntry>,
    truths: Truths,
}

impl DatasetKind for Synthetic {
    fn id(&self) -> &'static str {
        "synthetic"
    }

    fn about(&self) -> &'static str {
        "drawn shapes with exact ground truth, no path; options `task=detection|classification`, `count=N` (256), `seed=N` (1), `size=PIXELS` (160)"
    }

    fn needs_path(&self) -> bool {
        false
    }

    fn open(&self, request: &DatasetRequest) -> Result<Box<dyn Dataset>, DatasetError> {
        if !request.path.as_os_str().is_empty() {
            return Err(DatasetError::Usage(format!(
                "a synthetic dataset has no path, got `{}`",
                request.path.display()
            )));
        }
        if let Some(split) = &request.split {
            return Err(DatasetError::Usage(format!(
                "a synthetic dataset has no splits, got `{split}`; another `seed` gives other pictures"
            )));
        }
        let options = Options::new(request, &["count", "seed", "size", "task"])?;
        for key in ["name", "exif"] {
            if options.get(key).is_some() {
                return Err(DatasetError::Usage(format!(
                    "`{key}` means nothing for generated pictures"
                )));
            }
        }
        let default = SyntheticSpec::default();
        let task = match options.get("task") {
            None | Some("detection") => Task::Detection,
            Some("classification") => Task::Classification,
            Some(other) => {
                return Err(DatasetError::Usage(format!(
                    "unknown `task` `{other}` (there are: detection, classification)"
                )));
            }
        };
        let spec = SyntheticSpec {
            task,
            count: number(&options, "count")?.unwrap_or(default.count),
            seed: number(&options, "seed")?.unwrap_or(default.seed),
            size: number(&options, "size")?.unwrap_or(default.size),
        };
        spec.check()?;
        Ok(Box::new(Set {
            facts: facts(&spec),
            entries: (0..spec.count)
                .map(|i| SampleEntry {
                    id: SyntheticSpec::file_name(i),
                    path: None,
                    truth: None,
                })
                .collect(),
            truths: Truths::of(&spec),
            spec,
        }))
    }
}

fn facts(spec: &SyntheticSpec) -> DatasetFacts {
    let (annotation, metric) = match spec.task {
        Task::Detection => (AnnotationKind::Objects, "coco-ap"),
        Task::Classification => (AnnotationKind::Class, "top-k"),
    };
    DatasetFacts {
        kind: "synthetic".to_owned(),
        name: generated(),
        exif: ExifOrientation::Ignore,
        annotation,
        labels: spec.labels(),
        metrics: vec![metric.to_owned()],
    }
}

impl Dataset for Set {
    fn facts(&self) -> &DatasetFacts {
        &self.facts
    }

    fn entries(&self) -> &[SampleEntry] {
        &self.entries
    }

    fn load(&self, index: SampleIndex) -> Result<Sample, DatasetError> {
        if index.0 >= self.spec.count {
            return Err(no_sample(index, self.entries.len()));
        }
        let data = InputData::EncodedImage(self.spec.scene(index.0).png()?);
        Ok(Sample {
            inputs: vec![SampleInput { name: None, data }],
        })
    }

    fn truth(&self, index: SampleIndex) -> Result<Annotation, DatasetError> {
        self.truths
            .get(index.index())
            .ok_or_else(|| no_sample(index, self.entries.len()))
    }
}
