//! What is asked of an engine's raw outputs: whether they are numbers, and their hash.

use dyno_core::{Slot, TensorInfo, TensorSlice, TensorView};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The outputs of the last run.
pub(crate) fn views(slot: &dyn Slot, count: usize) -> Vec<TensorView<'_>> {
    (0..count).map(|i| slot.output(i)).collect()
}

/// Whether items of a batch can be told apart in this output.
fn is_batched(view: &TensorView<'_>, batch: usize) -> bool {
    batch > 1 && view.shape().first() == Some(&batch)
}

/// For each of the first `items` samples of a batch, what is not finite in its outputs, in words.
pub(crate) fn not_finite(
    views: &[TensorView<'_>],
    infos: &[TensorInfo],
    batch: usize,
    items: usize,
) -> Vec<Option<String>> {
    let mut found = vec![None; items];
    for (at, view) in views.iter().enumerate() {
        if view.data().all_finite() {
            continue;
        }
        for (item, place) in found.iter_mut().enumerate() {
            let fine = is_batched(view, batch)
                && view
                    .batch_item(item)
                    .is_some_and(|(_, data)| data.all_finite());
            if !fine && place.is_none() {
                let name = infos.get(at).map_or("?", |i| i.name.as_str());
                *place = Some(format!(
                    "output `{name}` holds values that are no finite numbers (NaN or infinity)"
                ));
            }
        }
    }
    found
}

/// sha256 over the outputs of one sample of a batch, as little-endian bytes in the order of
/// outputs. `None` where an output of a batch does not say which part belongs to which sample.
pub(crate) fn sha256(views: &[TensorView<'_>], item: usize, batch: usize) -> Option<String> {
    let mut hasher = Sha256::new();
    for view in views {
        if is_batched(view, batch) {
            update(&mut hasher, view.batch_item(item)?.1);
        } else if batch == 1 {
            update(&mut hasher, view.data());
        } else {
            return None;
        }
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
    }
    Some(hex)
}

/// Hashes elements block by block: an output may be large, and a copy of it is not needed.
fn update(hasher: &mut Sha256, data: TensorSlice<'_>) {
    fn blocks<T: Copy, const N: usize>(
        hasher: &mut Sha256,
        values: &[T],
        bytes: impl Fn(T) -> [u8; N],
    ) {
        const BLOCK: usize = 512;
        let mut block = [[0u8; N]; BLOCK];
        for chunk in values.chunks(BLOCK) {
            for (place, value) in block.iter_mut().zip(chunk) {
                *place = bytes(*value);
            }
            hasher.update(
                block
                    .as_flattened()
                    .get(..chunk.len() * N)
                    .unwrap_or_default(),
            );
        }
    }
    match data {
        TensorSlice::F32(v) => blocks(hasher, v, f32::to_le_bytes),
        TensorSlice::F16(v) => blocks(hasher, v, |x| x.to_bits().to_le_bytes()),
        TensorSlice::Bf16(v) => blocks(hasher, v, |x| x.to_bits().to_le_bytes()),
        TensorSlice::I8(v) => blocks(hasher, v, i8::to_le_bytes),
        TensorSlice::U8(v) => hasher.update(v),
        TensorSlice::I32(v) => blocks(hasher, v, i32::to_le_bytes),
        TensorSlice::I64(v) => blocks(hasher, v, i64::to_le_bytes),
        TensorSlice::Bool(v) => blocks(hasher, v, |x| [u8::from(x)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dyno_core::{DType, sha256_hex};

    #[test]
    fn only_the_sample_whose_numbers_are_none_fails() {
        let infos = [
            TensorInfo::new("a", DType::F32, Vec::new()),
            TensorInfo::new("b", DType::F32, Vec::new()),
        ];
        let good = [0.5_f32; 6];
        let mut bad = good;
        bad[4] = f32::NAN;
        let shape = [3, 2];
        let views = |data| {
            [
                TensorView::new(&shape, TensorSlice::F32(&good)).expect("six values"),
                TensorView::new(&shape, TensorSlice::F32(data)).expect("six values"),
            ]
        };
        assert_eq!(not_finite(&views(&good), &infos, 3, 3), [None, None, None]);
        let found = not_finite(&views(&bad), &infos, 3, 3);
        assert!(found[0].is_none() && found[1].is_none());
        assert!(found[2].as_deref().is_some_and(|w| w.contains("`b`")));
        // A batch that is not full: its rest is nobody's.
        assert_eq!(not_finite(&views(&bad), &infos, 3, 2), [None, None]);
        // Where items cannot be told apart, all of them fail.
        assert!(
            not_finite(&views(&bad), &infos, 2, 2)
                .iter()
                .all(Option::is_some)
        );
        assert!(not_finite(&views(&bad), &infos, 1, 1)[0].is_some());
    }

    #[test]
    fn a_sample_has_the_same_hash_alone_and_in_a_batch() {
        let values: Vec<f32> = (0..2000).map(|n| n as f32 / 7.0).collect();
        let both = [2, 1000];
        let batch = [TensorView::new(&both, TensorSlice::F32(&values)).expect("fits")];
        let one = [1, 1000];
        let alone = [TensorView::new(&one, TensorSlice::F32(&values[1000..])).expect("fits")];
        assert_eq!(sha256(&batch, 1, 2), sha256(&alone, 0, 1));
        assert_eq!(
            sha256(&alone, 0, 1),
            Some(sha256_hex(&alone[0].to_le_bytes()))
        );
        let flags = [3];
        let bools =
            [TensorView::new(&flags, TensorSlice::Bool(&[true, false, true])).expect("fits")];
        assert_eq!(sha256(&bools, 0, 1), Some(sha256_hex(&[1, 0, 1])));
        assert_eq!(sha256(&bools, 0, 2), None, "three values of two samples");
    }
}
