//! The outcome of matching, kept for sums over weighted images.

use hotcoco::COCOeval;

/// Overlaps at which detections are matched: 0.50, 0.55, … 0.95.
pub(super) const THRESHOLDS: usize = 10;

/// One class: its detections by falling score, equal scores by image and then as the model gave
/// them.
#[derive(Debug, Default)]
pub(super) struct ClassMatches {
    /// Per image that has objects of the class: its position, and how many of them count in each
    /// area range.
    pub(super) truths: Vec<(u32, Vec<u32>)>,
    /// Per detection: position of its image.
    pub(super) image: Vec<u32>,
    /// Per detection: how many of its image and class stand before it.
    pub(super) rank: Vec<u32>,
    /// Per area range and detection: the flags.
    pub(super) flags: Vec<Vec<Flags>>,
}

/// One bit a threshold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// Matched to an object that counts.
    pub(super) hit: u16,
    /// Neither hit nor miss: matched to a crowd or to an object outside the area range, or
    /// unmatched and itself outside.
    pub(super) ignored: u16,
}

/// Reads the matches of every class; `evaluate` has run. Classes by position, images by position.
pub(super) fn collect(eval: &COCOeval, classes: usize) -> Vec<ClassMatches> {
    let areas = eval.params.area_ranges.len();
    let mut all: Vec<(ClassMatches, Vec<f64>)> = (0..classes)
        .map(|_| {
            (
                ClassMatches {
                    flags: vec![Vec::new(); areas],
                    ..ClassMatches::default()
                },
                Vec::new(),
            )
        })
        .collect();
    // Pairs come by rising image, each with one record an area range, all with the same detections.
    for pair in eval.eval_imgs().chunks(areas.max(1)) {
        let Some(first) = pair.iter().flatten().next() else {
            continue;
        };
        let image = (first.image_id - 1) as u32;
        let Some((class, scores)) = all.get_mut((first.category_id - 1) as usize) else {
            continue;
        };
        let counts: Vec<u32> = pair
            .iter()
            .map(|r| r.as_ref().map_or(0, |r| r.num_gt_in_denominator() as u32))
            .collect();
        if counts.iter().any(|&n| n > 0) {
            class.truths.push((image, counts));
        }
        scores.extend_from_slice(&first.dt_scores);
        for rank in 0..first.dt_scores.len() {
            class.image.push(image);
            class.rank.push(rank as u32);
        }
        for (flags, record) in class.flags.iter_mut().zip(pair) {
            for d in 0..first.dt_scores.len() {
                let mut bits = Flags::default();
                for t in 0..THRESHOLDS {
                    if let Some(record) = record {
                        let ignored = record.dt_ignore.row(t).get(d).copied().unwrap_or(false);
                        let matched = record.dt_matched.row(t).get(d).copied().unwrap_or(false);
                        bits.ignored |= u16::from(ignored) << t;
                        bits.hit |= u16::from(matched && !ignored) << t;
                    }
                }
                flags.push(bits);
            }
        }
    }
    all.into_iter()
        .map(|(class, scores)| class.sorted(&scores))
        .collect()
}

impl ClassMatches {
    fn sorted(self, scores: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        // Stable, as numpy's mergesort; scores are finite. Not `total_cmp`: zeros of both signs are
        // one score.
        order.sort_by(|&a, &b| {
            scores[b]
                .partial_cmp(&scores[a])
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        Self {
            truths: self.truths,
            image: order.iter().map(|&i| self.image[i]).collect(),
            rank: order.iter().map(|&i| self.rank[i]).collect(),
            flags: self
                .flags
                .iter()
                .map(|f| order.iter().map(|&i| f[i]).collect())
                .collect(),
        }
    }
}
