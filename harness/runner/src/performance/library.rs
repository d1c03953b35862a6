//! The samples that queries draw from, kept in memory: MLPerf's sample library.

use crate::{
    context::Context, error::RunError, guard::of_sample, prepare::Preparer, sample::Samples,
};
use dyno_core::{
    Geometry, Model, PerformancePlan, Sample, SampleFailure, TensorSet, Timed, sha256_hex,
};
use std::collections::BTreeSet;

/// What one query runs: a batch of samples.
pub(super) enum Content {
    /// Tensors, ready for the engine.
    Prepared {
        set: TensorSet,
        geometries: Vec<Geometry>,
    },
    /// Encoded images in memory.
    Encoded(Vec<Sample>),
}

/// One entry of the library.
pub(super) struct Entry {
    pub(super) content: Content,
    /// Positions in the sample set of its samples, in the order of the batch.
    pub(super) positions: Vec<usize>,
}

/// The library.
pub(super) struct Library {
    pub(super) entries: Vec<Entry>,
    /// Samples that are in it.
    pub(super) count: u32,
    /// sha256 over their ids, in their order, one a line.
    pub(super) sha256: String,
    /// Samples that could not be prepared.
    pub(super) failures: Vec<SampleFailure>,
}

/// Positions of the samples of a library of `size`, each with those of its copies: the first in the
/// order of hashes, so that they are no special part of the set, and those of a smaller library are
/// part of a larger one. Of copies the first is drawn.
fn chosen(samples: &Samples<'_>, size: u32) -> Vec<Vec<usize>> {
    let mut order: Vec<(String, usize)> = (0..samples.len())
        .map(|at| (samples.order_sha256(at), at))
        .collect();
    order.sort_unstable();
    order
        .chunk_by(|a, b| a.0 == b.0)
        .take(size.max(1) as usize)
        .map(|copies| copies.iter().map(|(_, at)| *at).collect())
        .collect()
}

/// Positions of all samples that timed queries of the plan draw from.
pub(crate) fn library_positions(context: &Context<'_>) -> BTreeSet<usize> {
    let sizes = context.plan.spec.performance.iter().map(|p| p.library_size);
    sizes.max().map_or_else(BTreeSet::new, |size| {
        let samples = Samples::new(context.plan, context.dataset);
        let first = |copies: Vec<usize>| copies.into_iter().next();
        chosen(&samples, size)
            .into_iter()
            .filter_map(first)
            .collect()
    })
}

/// Loads the library: prepared unless the whole way is timed. A sample that cannot be prepared is
/// a failed sample and not in it; whether it can is found out once, here, and not while time is
/// taken.
///
/// # Errors
/// When no sample can be prepared, the bytes of one are not those of the plan, or the engine gives
/// no memory.
pub(super) fn load(
    context: &Context<'_>,
    plan: &PerformancePlan,
    model: &dyn Model,
    new_preparer: &dyn Fn() -> Result<Preparer, RunError>,
) -> Result<Library, RunError> {
    let samples = Samples::new(context.plan, context.dataset);
    let mut preparer = new_preparer()?;
    let new_set = |preparer: &Preparer| {
        context.engine(
            || "while it gave memory for tensors".to_owned(),
            || preparer.new_set(model),
        )
    };
    let mut scratch = new_set(&preparer)?;
    let mut good: Vec<(usize, Sample)> = Vec::new();
    let mut failures = Vec::new();
    for copies in chosen(&samples, plan.library_size) {
        let Some(&position) = copies.first() else {
            continue;
        };
        let tried = samples.load(position)?.map(|sample| {
            let prepared = of_sample(|| preparer.prepare(&sample, 0, &mut scratch));
            (sample, prepared)
        });
        let error = match tried {
            Ok((sample, Ok(Ok(prepared)))) => {
                let size = prepared.image_size;
                match size.map_or(Ok(()), |size| samples.check_size(position, size)) {
                    Ok(()) => {
                        good.push((position, sample));
                        continue;
                    }
                    Err(words) => words,
                }
            }
            Ok((_, Ok(Err(words)))) | Err(words) => words,
            Ok((_, Err(panic))) => {
                preparer = new_preparer()?;
                panic
            }
        };
        // What cannot be read of one cannot be read of its copies: each is a failed sample.
        failures.extend(copies.into_iter().map(|at| SampleFailure {
            id: samples.id(at),
            error: error.clone(),
        }));
    }
    if good.is_empty() {
        let first = failures.first().map_or_else(String::new, |f| {
            format!(", the first: `{}`: {}", f.id, f.error)
        });
        return Err(RunError::Load(format!("no sample can be prepared{first}")));
    }
    let ids: Vec<String> = good.iter().map(|(at, _)| samples.id(*at)).collect();
    let count = good.len();
    let batch = plan.batch.max(1) as usize;
    let mut entries = Vec::with_capacity(count.div_ceil(batch));
    for start in (0..count).step_by(batch) {
        // The last batch is filled up from the beginning.
        let chosen = (0..batch).filter_map(|i| good.get((start + i) % count));
        let (positions, batch): (Vec<usize>, Vec<Sample>) = chosen.cloned().unzip();
        let content = if plan.timed == Timed::EndToEnd {
            Content::Encoded(batch)
        } else {
            let mut set = new_set(&preparer)?;
            let mut geometries = Vec::with_capacity(batch.len());
            for (item, sample) in batch.iter().enumerate() {
                let prepared = of_sample(|| preparer.prepare(sample, item, &mut set));
                let prepared = prepared.and_then(|inner| inner).map_err(RunError::Load)?;
                geometries.push(prepared.geometry);
            }
            Content::Prepared { set, geometries }
        };
        entries.push(Entry { content, positions });
    }
    Ok(Library {
        entries,
        count: count as u32,
        sha256: sha256_hex(ids.join("\n").as_bytes()),
        failures,
    })
}
