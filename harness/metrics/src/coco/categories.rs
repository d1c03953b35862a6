//! The dataset's classes in the order of their ids in COCO files.
//!
//! A class without an id of its own (`external_id`) has its index plus one. pycocotools sums over
//! categories by rising id, so the order is part of the last bits of a score.

use dyno_core::{LabelId, LabelMap};

/// Classes by rising category id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Categories {
    /// (class index, name), by rising category id.
    by_id: Vec<(usize, String)>,
    /// Position in `by_id` of each class.
    position: Vec<usize>,
}

/// The id of a class in COCO files.
pub(crate) fn category_id(labels: &LabelMap, label: LabelId) -> Option<i64> {
    labels
        .labels
        .get(label.index())
        .map(|l| l.external_id.unwrap_or_else(|| i64::from(label.0) + 1))
}

impl Categories {
    /// # Errors
    /// The category id that two classes share.
    pub(crate) fn new(labels: &LabelMap) -> Result<Self, i64> {
        let mut ids: Vec<(i64, usize)> = (0..labels.len())
            .filter_map(|i| Some((category_id(labels, LabelId(i as u32))?, i)))
            .collect();
        ids.sort_unstable();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(pair[0].0);
        }
        let mut position = vec![0; ids.len()];
        for (at, &(_, class)) in ids.iter().enumerate() {
            position[class] = at;
        }
        Ok(Self {
            by_id: ids
                .into_iter()
                .map(|(_, i)| (i, labels.name(LabelId(i as u32)).to_owned()))
                .collect(),
            position,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Position of a class in the order of ids.
    pub(crate) fn position(&self, label: LabelId) -> Option<usize> {
        self.position.get(label.index()).copied()
    }

    /// (position, name) of every class, in the dataset's own order.
    pub(crate) fn in_class_order(&self) -> impl Iterator<Item = (usize, &str)> {
        self.position
            .iter()
            .filter_map(|&at| Some((at, self.by_id.get(at)?.1.as_str())))
    }
}
