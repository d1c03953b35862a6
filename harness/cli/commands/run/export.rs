//! What the model said of each sample, as a file for other tools.

use crate::{output, tables::TABLES};
use dyno_core::{Annotation, Detection, LabelMap, Plan, Prediction, Ranking};
use dyno_reports::table::CsvWriter;
use dyno_runner::RunOutcome;
use serde_json::Value;
use std::path::Path;

/// Writes COCO results for detections, with the dataset's category ids, and for rankings a CSV with
/// one line a class: `sample, rank, class, score`.
///
/// # Errors
/// When shards cannot be read or the file cannot be written.
pub(super) fn write(plan: &Plan, outcome: &RunOutcome, path: &Path) -> anyhow::Result<()> {
    let request = &plan.bindings.dataset;
    let dataset = TABLES.dataset(&request.kind)?.open(request)?;
    let classes = &dataset.facts().labels;
    let mut images: Vec<(i64, Vec<Detection>)> = Vec::new();
    let mut ranks = CsvWriter::new(["sample", "rank", "class", "score"]);
    let mut ranked = false;
    if let Some(predictions) = &outcome.predictions {
        predictions.for_each_shard(|shard| {
            for result in &shard.results {
                match &result.prediction {
                    Some(Prediction::Detections(_)) => {
                        let image_id = match dataset.truth(result.index)? {
                            Annotation::Objects(image) => image.image_id,
                            Annotation::Class(_) | Annotation::None => i64::from(result.index.0),
                        };
                        let said = result
                            .prediction
                            .as_ref()
                            .map(|p| dyno_runner::to_dataset(p, &outcome.labels));
                        if let Some(Prediction::Detections(detections)) = said {
                            images.push((image_id, detections));
                        }
                    }
                    Some(Prediction::Ranking(ranking)) => {
                        ranked = true;
                        rows(&mut ranks, &result.id, ranking, &plan.bindings.labels);
                    }
                    None => {}
                }
            }
            Ok(())
        })?;
    }
    if ranked {
        return output::write_file(path, ranks.finish().as_bytes());
    }
    let mut bytes = Vec::new();
    let images = images.iter().map(|(id, d)| (*id, d.as_slice()));
    dyno_metrics::export_coco(&mut bytes, images, classes)?;
    output::write_file(path, &bytes)
}

/// One line a class, the model's own classes, best first.
fn rows(csv: &mut CsvWriter, sample: &str, ranking: &Ranking, labels: &LabelMap) {
    for (rank, class) in ranking.classes.iter().enumerate() {
        let name = labels.name(class.label);
        let name = if name.is_empty() {
            class.label.0.to_string()
        } else {
            name.to_owned()
        };
        csv.row(&[
            Value::from(sample),
            Value::from(rank + 1),
            Value::from(name),
            Value::from(class.score),
        ]);
    }
}
