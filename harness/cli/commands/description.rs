//! Flags that say of a model what it does not say itself: of every verb that opens one.

use crate::{exit, values};
use clap::Args;
use dyno_core::{Framework, ThresholdOverlay};
use dyno_planner::RunRequest;
use std::path::PathBuf;

/// What the user says of a model.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DescriptionArgs {
    /// Known combination of preprocessing, decoder and thresholds, where the model does not say
    /// (`dyno recipes`)
    #[arg(long)]
    pub(crate) recipe: Option<String>,
    /// Least score of a detection, in place of the model's thresholds; recorded
    #[arg(long, value_name = "SHARE", value_parser = values::share)]
    pub(crate) score: Option<f64>,
    /// Greatest overlap of two detections, in place of the model's thresholds; recorded
    #[arg(long, value_name = "SHARE", value_parser = values::share)]
    pub(crate) iou: Option<f64>,
    /// Framework of a bare model file, where its extension does not say
    #[arg(long)]
    pub(crate) framework: Option<Framework>,
    /// Second file of a bare model (Caffe, Darknet, TensorFlow)
    #[arg(long = "config-file", alias = "config_file", value_name = "FILE")]
    pub(crate) config_file: Option<PathBuf>,
    /// Label file of a bare model, or a well-known list (coco80, voc20, imagenet1000, imagenet1001)
    #[arg(long)]
    pub(crate) labels: Option<String>,
    /// Shape of an input that the model leaves open: NAME=1x3x640x640
    #[arg(long, value_name = "NAME=SHAPE", value_parser = values::shape)]
    pub(crate) shape: Vec<values::Shape>,
    /// Setting that only the engine knows
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Let the processor run the nodes that an execution provider does not take; the nodes of each
    /// are recorded
    #[arg(long)]
    pub(crate) allow_partial: bool,
    /// What an importer is told of what the files leave open (`epsilon=1e-6` for Darknet); for
    /// engines that do not read the model's framework
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::pair)]
    pub(crate) import: Vec<(String, String)>,
}

impl DescriptionArgs {
    /// Refuses a name that is given twice.
    ///
    /// # Errors
    /// With the name.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        unique("--set", &self.set)?;
        unique("--import", &self.import)?;
        let shapes: Vec<(String, ())> = self.shape.iter().map(|s| (s.0.clone(), ())).collect();
        unique("--shape", &shapes)
    }

    /// The request with what the flags say.
    pub(crate) fn over(&self, request: RunRequest) -> RunRequest {
        RunRequest {
            recipe: self.recipe.clone(),
            framework: self.framework,
            config_file: self.config_file.clone(),
            labels: self.labels.clone(),
            thresholds: ThresholdOverlay {
                score: self.score,
                iou: self.iou,
                max: None,
            },
            shapes: self
                .shape
                .iter()
                .map(|s| (s.0.clone(), s.1.clone()))
                .collect(),
            settings: self
                .set
                .iter()
                .cloned()
                .chain(
                    self.allow_partial
                        .then(|| ("allow_partial".to_owned(), "on".to_owned())),
                )
                .collect(),
            import: self.import.iter().cloned().collect(),
            ..request
        }
    }
}

/// No name twice.
pub(crate) fn unique<T>(flag: &str, pairs: &[(String, T)]) -> anyhow::Result<()> {
    for (at, (name, _)) in pairs.iter().enumerate() {
        if pairs.iter().skip(at + 1).any(|(other, _)| other == name) {
            return Err(exit::usage(format!("{flag} names `{name}` twice"), ""));
        }
    }
    Ok(())
}
