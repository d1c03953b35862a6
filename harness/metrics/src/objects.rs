//! Tables that all metrics of detections have: values per class, outcomes per image.
//!
//! * `per-class.csv`: `class`, the scores of the class, `n` (objects that count), `detections` (of
//!   the class, as far as they are judged).
//! * `per-image.csv`: `sample`, `score` (of this image alone; empty when no object counts),
//!   `objects`, `detections`, then `found`, `missed` and `false`.

use crate::table::{Cell, Table};
use dyno_core::Detail;

/// The table `per-class` in the making.
pub(crate) struct PerClass(Table);

impl PerClass {
    /// With a column for each of these scores.
    pub(crate) fn new(scores: &[&str]) -> Self {
        let columns = [&["class"], scores, &["n", "detections"]].concat();
        Self(Table::new("per-class", &columns))
    }

    /// Adds a class.
    pub(crate) fn row(
        &mut self,
        class: &str,
        scores: impl IntoIterator<Item = Option<f64>>,
        objects: u64,
        detections: usize,
    ) {
        let mut row = vec![Cell::Text(class)];
        row.extend(scores.into_iter().map(Cell::from));
        row.extend([Cell::Count(objects), Cell::Count(detections as u64)]);
        self.0.row(&row);
    }

    /// The table as a detail.
    pub(crate) fn finish(self) -> Detail {
        self.0.finish()
    }
}

/// What became of one image.
pub(crate) struct ImageRow<'a> {
    /// Id of the sample.
    pub(crate) id: &'a str,
    /// The score of this image alone.
    pub(crate) score: Option<f64>,
    /// Objects that count.
    pub(crate) objects: u64,
    /// Detections that are judged.
    pub(crate) detections: usize,
    /// Objects that were found.
    pub(crate) found: u64,
    /// Detections of nothing.
    pub(crate) wrong: u64,
}

/// The table `per-image` in the making.
pub(crate) struct PerImage(Table);

impl PerImage {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let columns = [
            "sample",
            "score",
            "objects",
            "detections",
            "found",
            "missed",
            "false",
        ];
        Self(Table::new("per-image", &columns))
    }

    /// Adds an image.
    pub(crate) fn row(&mut self, image: &ImageRow<'_>) {
        self.0.row(&[
            Cell::Text(image.id),
            Cell::from(image.score),
            Cell::Count(image.objects),
            Cell::Count(image.detections as u64),
            Cell::Count(image.found),
            Cell::Count(image.objects.saturating_sub(image.found)),
            Cell::Count(image.wrong),
        ]);
    }

    /// The table as a detail.
    pub(crate) fn finish(self) -> Detail {
        self.0.finish()
    }
}
