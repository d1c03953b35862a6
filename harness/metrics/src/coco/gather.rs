//! One class at a time, out of the outcomes of all images: the memory of a class, not of the set.

use super::matching::{AREAS, Flags, Outcome};

/// One class: its detections by falling score, equal scores by image and then as the model gave
/// them.
#[derive(Debug, Default)]
pub(super) struct ClassMatches {
    /// Per image that has objects of the class: its position, and how many of them count in each
    /// area range.
    pub(super) truths: Vec<(u32, [u32; AREAS])>,
    /// Per detection.
    pub(super) found: Vec<Placed>,
    order: Vec<(f32, Placed)>,
}

/// A detection with its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    /// Position of its image.
    pub(super) image: u32,
    /// How many of its image and class stand before it.
    pub(super) rank: u32,
    /// Per area range.
    pub(super) flags: [Flags; AREAS],
}

impl ClassMatches {
    /// Takes the class at `position` from `outcomes`, which stand in the order of their images.
    pub(super) fn fill(&mut self, outcomes: &[&Outcome], position: usize) {
        self.truths.clear();
        self.found.clear();
        self.order.clear();
        let class = position as u32;
        for (image, outcome) in (0u32..).zip(outcomes) {
            if let Ok(at) = outcome.truths.binary_search_by_key(&class, |(c, _)| *c)
                && let Some((_, counts)) = outcome.truths.get(at)
            {
                self.truths.push((image, *counts));
            }
            let first = outcome.found.partition_point(|f| f.class < class);
            let own = outcome.found.iter().skip(first);
            for (rank, f) in (0u32..).zip(own.take_while(|f| f.class == class)) {
                let placed = Placed {
                    image,
                    rank,
                    flags: f.flags,
                };
                self.order.push((f.score, placed));
            }
        }
        // Stable, as numpy's mergesort; scores are finite. Not `total_cmp`: zeros of both signs are
        // one score.
        self.order
            .sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap_or(std::cmp::Ordering::Equal));
        self.found.extend(self.order.iter().map(|(_, p)| *p));
    }

    /// Objects that count in an area range.
    pub(super) fn objects(&self, area: usize) -> u64 {
        self.truths
            .iter()
            .map(|(_, counts)| counts.get(area).map_or(0, |&n| u64::from(n)))
            .sum()
    }

    /// Leaves out the detections after the last hit in any object of any size: between hits
    /// precision falls, so they change no curve of the set or of a part of it.
    pub(super) fn cut(&mut self) {
        let last = self
            .found
            .iter()
            .rposition(|p| p.flags.first().is_some_and(|f| f.hit != 0));
        self.found.truncate(last.map_or(0, |at| at + 1));
    }
}
