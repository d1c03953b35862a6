//! The targets as tests, and the tests of this crate's own means.

use crate::{TARGETS, Target, corpus, damage::damaged};
use std::{env, fs, path::Path};

/// Random inputs of a target. They are short and rarely valid: most is found by campaigns.
pub(crate) const RANDOM_INPUTS: usize = 200;
/// Damaged copies of a target's seeds, all seeds together.
const DAMAGED_INPUTS: usize = 400;
/// Largest file of a corpus.
const MAX_INPUT_BYTES: usize = 10_000;
/// All files of the corpora.
const MAX_CORPORA_BYTES: usize = 400_000;

/// The property of a target holds for its seeds, for damaged copies of them, and for its corpus.
pub(crate) fn holds_for_seeds_and_corpus(name: &str, target: &Target) {
    let seeds = (target.seeds)();
    let first = seeds.first().expect("every target has seeds");
    assert!((target.check)(first), "seed 0 is not accepted");
    for seed in &seeds {
        (target.check)(seed);
    }
    let rounds = DAMAGED_INPUTS.div_ceil(seeds.len());
    damaged(&seeds, rounds, |bytes| {
        (target.check)(bytes);
    });
    for (file, input) in corpus::found(name).expect("a readable corpus") {
        let len = input.len();
        assert!(len <= MAX_INPUT_BYTES, "{file} has {len} bytes");
        (target.check)(&input);
    }
}

#[test]
fn every_corpus_has_a_target_and_is_small() {
    let mut total = 0;
    for name in corpus::folders().expect("a readable folder") {
        assert!(TARGETS.iter().any(|(n, _)| *n == name), "{name}");
        let inputs = corpus::found(&name).expect("a readable corpus");
        total += inputs.iter().map(|(_, input)| input.len()).sum::<usize>();
    }
    assert!(total <= MAX_CORPORA_BYTES, "{total} bytes");
}

#[test]
fn damage_differs_from_its_seed_and_is_the_same_every_time() {
    let seeds = [b"a valid input".to_vec(), Vec::new()];
    let run = || {
        let mut seen = Vec::new();
        damaged(&seeds, 50, |bytes| seen.push(bytes.to_vec()));
        seen
    };
    let seen = run();
    assert_eq!(seen.len(), 100);
    let changed = seen.iter().take(50).filter(|s| !seeds.contains(s));
    let count = changed.count();
    assert!(count > 40, "{count} of 50 differ from every seed");
    assert_eq!(run(), seen);
}

/// `campaign` names a folder in `DYNO_FUZZ_START` and wants it filled.
#[test]
fn a_campaign_starts_from_files() {
    let temporary = tempfile::tempdir().expect("a folder");
    let named = env::var_os("DYNO_FUZZ_START");
    let folder = named.as_ref().map_or(temporary.path(), Path::new);
    corpus::write_start(folder).expect("a writable folder");
    for (name, target) in TARGETS {
        let first = fs::read(folder.join(name).join("seed-0")).expect("a seed");
        assert_eq!(first, (target.seeds)()[0], "{name}");
    }
}
