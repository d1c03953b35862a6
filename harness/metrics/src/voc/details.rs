//! What stands behind VOC's numbers: tables per class and per image, curves, and the matches.
//!
//! * `per-class.csv` and `per-image.csv` ([`crate::objects`]): objects count that are not
//!   difficult, detections that hit or miss; the score of an image is VOC-AP of it alone, the mean
//!   over its classes.
//! * `precision-recall.csv`: `class`, `recall`, `precision`: a row per hit, before the envelope.
//! * `matches.json`: the outcome per image ([`crate::matches`]).

use super::{
    curve::average_precision,
    matching::{ClassMatches, Outcome},
    metric::{ID, State},
};
use crate::{
    matches::{ImageMatches, Matches, MatchesWriter},
    objects::{ImageRow, PerClass, PerImage},
    table::{Cell, Table},
};
use dyno_core::{Detail, MetricError, SampleIndex};

/// Scores that there are for every class.
pub(super) const CLASS_SCORES: [&str; 2] = ["VOC-AP", "VOC-AP-11"];

/// All details, in this order. None of an empty set.
pub(super) fn details(
    state: &State,
    sample_id: &dyn Fn(SampleIndex) -> String,
) -> Result<Vec<Detail>, MetricError> {
    let outcomes = state.outcomes();
    if outcomes.is_empty() {
        return Ok(Vec::new());
    }
    let mut per_class = PerClass::new(&CLASS_SCORES);
    let mut curves = Table::new("precision-recall", &["class", "recall", "precision"]);
    let mut last_hits = Vec::with_capacity(state.names.len());
    let (mut class, mut points) = (ClassMatches::default(), Vec::new());
    for (label, name) in (0u32..).zip(&state.names) {
        class.fill(&outcomes, label);
        let ap = average_precision(&class, |_| 1, &mut points);
        let objects = class.objects();
        let scores = [ap.map(|ap| ap.all_points), ap.map(|ap| ap.eleven_points)];
        per_class.row(name, scores, objects, class.judged.len());
        let mut hits = 0u64;
        for (seen, (.., hit)) in (1u64..).zip(&class.judged) {
            hits += u64::from(*hit);
            if *hit && objects > 0 {
                curves.row(&[
                    Cell::Text(name),
                    Cell::Number(hits as f64 / objects as f64),
                    Cell::Number(hits as f64 / seen as f64),
                ]);
            }
        }
        class.cut();
        last_hits.push(class.judged.last().map(|(score, ..)| *score));
    }
    let mut per_image = PerImage::new();
    let mut writer = MatchesWriter::new(&Matches {
        metric: ID,
        overlaps: &[state.iou],
        classes: state.names.iter().map(String::as_str).collect(),
    })?;
    for (sample, matched) in state.samples.iter() {
        let (id, outcome) = (sample_id(sample), &matched.outcome);
        image_row(&id, outcome, &mut class, &mut per_image);
        let kept = outcome.judged.iter().filter(|j| {
            let last = last_hits.get(j.class as usize).copied().flatten();
            last.is_some_and(|last| j.score >= last)
        });
        writer.add(&ImageMatches {
            sample: &id,
            image: i64::from(sample.0),
            objects: outcome.truths.to_vec(),
            detections: kept
                .map(|j| (j.class, j.score, u16::from(j.hit), 0))
                .collect(),
        })?;
    }
    Ok(vec![
        per_class.finish(),
        per_image.finish(),
        curves.finish(),
        writer.finish(),
    ])
}

fn image_row(id: &str, outcome: &Outcome, class: &mut ClassMatches, table: &mut PerImage) {
    let mut points = Vec::new();
    let one = [outcome];
    let own: Vec<f64> = outcome
        .truths
        .iter()
        .filter_map(|(label, _)| {
            class.fill(&one, *label);
            average_precision(class, |_| 1, &mut points).map(|ap| ap.all_points)
        })
        .collect();
    let objects: u64 = outcome.truths.iter().map(|&(_, n)| u64::from(n)).sum();
    let found = outcome.judged.iter().filter(|j| j.hit).count() as u64;
    table.row(&ImageRow {
        id,
        score: dyno_stats::mean(&own),
        objects,
        detections: outcome.judged.len(),
        found,
        wrong: outcome.judged.len() as u64 - found,
    });
}
