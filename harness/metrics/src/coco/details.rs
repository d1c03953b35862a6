//! What stands behind COCO's numbers: tables per class and per image, curves, and the matches.
//!
//! * `per-class.csv` and `per-image.csv` ([`crate::objects`]): the score of an image is AP50 of it
//!   alone, the mean over its classes; found, missed and false are at an overlap of 0.50.
//! * `precision-recall.csv`: `class`, `recall`, `precision_50` (at an overlap of 0.50), `precision`
//!   (the mean over the ten overlaps).
//! * `matches.json`: the outcome per image that AP of any part of the set can be computed from
//!   ([`crate::matches`]).

use super::{
    accumulate::{Curves, RECALLS, numpy_mean},
    gather::ClassMatches,
    matching::{CAP, Outcome, THRESHOLDS},
    metric::{ID, State},
};
use crate::{
    matches::{ImageMatches, Matches, MatchesWriter},
    objects::{ImageRow, PerClass, PerImage},
    table::{Cell, Table},
};
use dyno_core::{Detail, MetricError, SampleIndex};

/// Scores that there are for every class.
pub(super) const CLASS_SCORES: [&str; 7] = [
    "AP",
    "AP50",
    "AP75",
    "AP_small",
    "AP_medium",
    "AP_large",
    "AR@100",
];

/// All details, in this order. None of an empty set.
pub(super) fn details(
    state: &State,
    sample_id: &dyn Fn(SampleIndex) -> String,
) -> Result<Vec<Detail>, MetricError> {
    let (places, outcomes) = state.by_image_id();
    if outcomes.is_empty() {
        return Ok(Vec::new());
    }
    let (per_class, curves, last_hits) = classes(state, &outcomes);
    let mut table = PerImage::new();
    let mut by_sample: Vec<_> = places.iter().zip(&outcomes).collect();
    by_sample.sort_by_key(|(place, _)| place.sample);
    let mut writer = MatchesWriter::new(&Matches {
        metric: ID,
        overlaps: &state.grids.overlaps,
        classes: state.categories.in_class_order().map(|(_, n)| n).collect(),
    })?;
    // Position among the categories to index among the dataset's classes.
    let mut class_of = vec![0u32; state.categories.len()];
    for (class, (position, _)) in (0u32..).zip(state.categories.in_class_order()) {
        if let Some(slot) = class_of.get_mut(position) {
            *slot = class;
        }
    }
    for (place, outcome) in by_sample {
        let id = sample_id(place.sample);
        image_row(state, &id, outcome, &mut table);
        writer.add(&image_matches(&id, outcome, &class_of, &last_hits))?;
    }
    Ok(vec![per_class, table.finish(), curves, writer.finish()])
}

/// Tables per class, and per class the least score of a hit.
fn classes(state: &State, outcomes: &[&Outcome]) -> (Detail, Detail, Vec<Option<f32>>) {
    let mut table = PerClass::new(&CLASS_SCORES);
    let mut curves_table = Table::new(
        "precision-recall",
        &["class", "recall", "precision_50", "precision"],
    );
    let mut last_hits = vec![None; state.categories.len()];
    let (mut class, mut curves) = (ClassMatches::default(), Curves::default());
    let mut fill = |class: &ClassMatches, position: usize, area: usize| {
        curves.clear();
        curves.add(position, class, |_| 1, area, CAP, &state.grids.recalls);
        let mean = |from, to| curves.of_class(position, from, to).and_then(numpy_mean);
        let means = [mean(0, THRESHOLDS), mean(0, 1), mean(5, 6)];
        let curve: Vec<f64> = curves
            .of_class(position, 0, THRESHOLDS)
            .unwrap_or_default()
            .to_vec();
        (means, curves.class_recall(position), curve)
    };
    for (position, name) in state.categories.in_class_order() {
        class.fill(outcomes, position);
        let ([ap, ap50, ap75], recall, curve) = fill(&class, position, 0);
        let mut of_area = |area| fill(&class, position, area).0[0];
        let areas = [of_area(1), of_area(2), of_area(3)];
        let scores = [ap, ap50, ap75].into_iter().chain(areas).chain([recall]);
        table.row(name, scores, class.objects(0), class.found.len());
        if !curve.is_empty() {
            for (at, recall) in state.grids.recalls.iter().enumerate() {
                let column: Vec<f64> = curve.iter().skip(at).step_by(RECALLS).copied().collect();
                curves_table.row(&[
                    Cell::Text(name),
                    Cell::Number(*recall),
                    Cell::from(column.first().copied()),
                    Cell::from(numpy_mean(&column)),
                ]);
            }
        }
    }
    for f in outcomes.iter().flat_map(|o| o.found.iter()) {
        if let Some(last) = last_hits.get_mut(f.class as usize)
            && f.flags[0].hit != 0
        {
            *last = Some(last.map_or(f.score, |l: f32| l.min(f.score)));
        }
    }
    (table.finish(), curves_table.finish(), last_hits)
}

fn image_row(state: &State, id: &str, outcome: &Outcome, table: &mut PerImage) {
    let one = [outcome];
    let (mut class, mut curves) = (ClassMatches::default(), Curves::default());
    for (position, _) in &outcome.truths {
        class.fill(&one, *position as usize);
        let position = *position as usize;
        curves.add(position, &class, |_| 1, 0, CAP, &state.grids.recalls);
    }
    let objects: u64 = outcome.truths.iter().map(|(_, n)| u64::from(n[0])).sum();
    let at_half = |ignored: bool, hit: bool| {
        outcome
            .found
            .iter()
            .map(|f| f.flags[0])
            .filter(|f| (f.ignored & 1 == 1) == ignored && (f.hit & 1 == 1) == hit)
            .count() as u64
    };
    table.row(&ImageRow {
        id,
        score: curves.mean_precision(0, 1),
        objects,
        detections: outcome.found.len(),
        found: at_half(false, true),
        wrong: at_half(false, false),
    });
}

fn image_matches<'a>(
    id: &'a str,
    outcome: &Outcome,
    class_of: &[u32],
    last_hits: &[Option<f32>],
) -> ImageMatches<'a> {
    let class = |position: u32| class_of.get(position as usize).copied().unwrap_or(0);
    ImageMatches {
        sample: id,
        image: outcome.image_id,
        objects: outcome
            .truths
            .iter()
            .filter(|(_, n)| n[0] > 0)
            .map(|(position, n)| (class(*position), n[0]))
            .collect(),
        detections: outcome
            .found
            .iter()
            .filter(|f| {
                let last = last_hits.get(f.class as usize).copied().flatten();
                last.is_some_and(|last| f.score >= last)
            })
            .map(|f| (class(f.class), f.score, f.flags[0].hit, f.flags[0].ignored))
            .collect(),
    }
}
