//! Tables of one axis (which source positions a destination position reads, with which weights),
//! kept between images.

use std::sync::Arc;

/// Tables kept for each kernel: data sets have few distinct image sizes at a time.
const KEPT: usize = 16;

/// One axis of one resampling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    /// Source pixels.
    pub(crate) source: u32,
    /// Destination pixels.
    pub(crate) target: u32,
    /// Source pixels for each destination pixel.
    pub(crate) scale: f64,
    /// Destination pixels for each source pixel: what OpenCV derives `scale` from.
    pub(crate) inverse: f64,
}

impl Axis {
    /// OpenCV's axis between two extents.
    pub(crate) fn between(source: u32, target: u32) -> Self {
        Self::by_factor(source, target, f64::from(target) / f64::from(source))
    }

    /// OpenCV's axis by a factor.
    pub(crate) fn by_factor(source: u32, target: u32, inverse: f64) -> Self {
        Self {
            source,
            target,
            scale: 1.0 / inverse,
            inverse,
        }
    }

    /// The scale when it is a whole number to the precision of f64.
    pub(crate) fn whole_scale(&self) -> Option<u32> {
        let whole = self.scale.round_ties_even();
        ((self.scale - whole).abs() < f64::EPSILON && whole >= 1.0 && whole <= f64::from(u32::MAX))
            .then_some(whole as u32)
    }
}

/// The latest tables of one kind.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    entries: Vec<(Axis, Arc<T>)>,
    next: usize,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            next: 0,
        }
    }
}

impl<T> Cache<T> {
    /// The table of `axis`, made by `build` unless it is at hand.
    pub(crate) fn get(&mut self, axis: Axis, build: impl FnOnce(Axis) -> T) -> Arc<T> {
        if let Some((_, table)) = self.entries.iter().find(|(key, _)| *key == axis) {
            return Arc::clone(table);
        }
        let table = Arc::new(build(axis));
        let entry = (axis, Arc::clone(&table));
        if self.entries.len() < KEPT {
            self.entries.push(entry);
        } else {
            self.entries[self.next] = entry;
            self.next = (self.next + 1) % KEPT;
        }
        table
    }
}

/// `index` limited to the positions of an axis of `len` pixels (at least one).
pub(crate) fn clamp(index: i64, len: u32) -> u32 {
    index.clamp(0, i64::from(len) - 1) as u32
}

/// Makes sure that two row buffers hold the filtered source rows `wanted`, filling as few as
/// possible. `tags` say what they hold. Returns the indices of the buffers.
pub(crate) fn two_rows<T>(
    rows: &mut [Vec<T>; 2],
    tags: &mut [Option<u32>; 2],
    wanted: [u32; 2],
    mut fill: impl FnMut(u32, &mut Vec<T>),
) -> [usize; 2] {
    if tags[0] != Some(wanted[0]) && tags[1] == Some(wanted[0]) {
        rows.swap(0, 1);
        tags.swap(0, 1);
    }
    let mut used = [0; 2];
    for slot in 0..2 {
        if slot == 1 && wanted[1] == wanted[0] {
            break;
        }
        if tags[slot] != Some(wanted[slot]) {
            fill(wanted[slot], &mut rows[slot]);
            tags[slot] = Some(wanted[slot]);
        }
        used[slot] = slot;
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_built_once_and_memory_is_bounded() {
        let mut cache = Cache::default();
        let mut built = 0;
        for round in 0..3 {
            for source in 1..=10 {
                let table = cache.get(Axis::between(source, 7), |axis| {
                    built += 1;
                    axis.source
                });
                assert_eq!(*table, source, "round {round}");
            }
        }
        assert_eq!(built, 10);
        for source in 1..1000 {
            cache.get(Axis::between(source, 3), |axis| axis.source);
        }
        assert_eq!(cache.entries.len(), KEPT);
    }

    #[test]
    fn rows_are_filled_once() {
        let mut rows = [Vec::new(), Vec::new()];
        let mut tags = [None, None];
        let mut filled = Vec::new();
        for wanted in [[0, 0], [0, 1], [0, 1], [1, 2], [4, 5], [5, 5]] {
            let used = two_rows(
                &mut rows,
                &mut tags,
                wanted,
                |row, buffer: &mut Vec<u32>| {
                    filled.push(row);
                    *buffer = vec![row];
                },
            );
            assert_eq!([rows[used[0]][0], rows[used[1]][0]], wanted);
        }
        assert_eq!(filled, [0, 1, 2, 4, 5]);
    }
}
