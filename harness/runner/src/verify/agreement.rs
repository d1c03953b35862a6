//! What `verify` found: plain data that serializes.

use dyno_core::{ExecutionFacts, ImportFacts, SampleFailure, Score};
use serde::Serialize;

/// How far engines may lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tolerance {
    /// Greatest absolute difference of two values of an output.
    pub abs: f64,
    /// Greatest difference relative to the largest magnitude of that output on that sample; the
    /// two tolerances add up.
    pub rel: f64,
    /// Greatest difference of a score, where outputs cannot be compared value by value.
    pub score: f64,
    /// Most samples whose best class may differ.
    pub flips: u64,
}

impl Default for Tolerance {
    /// What `f32` engines keep on the models of this project's tests, with room.
    fn default() -> Self {
        Self {
            abs: 1e-5,
            rel: 1e-3,
            score: 0.002,
            flips: 0,
        }
    }
}

/// One engine with one model, as it was verified.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verified {
    /// Name in the lists that follow: the engine, and the model where there are several.
    pub name: String,
    /// What really ran.
    pub facts: ExecutionFacts,
    /// What was put between the model's files and the engine.
    pub import: Option<ImportFacts>,
    /// Its scores over the samples on which no engine failed.
    pub scores: Vec<Score>,
}

/// One output, as two engines give it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutputDifference {
    /// Its name in the first engine.
    pub output: String,
    /// Greatest absolute difference over all samples.
    pub max_abs: f64,
    /// Mean absolute difference over all samples.
    pub mean_abs: f64,
    /// Greatest difference relative to the largest magnitude of the output on its sample.
    pub max_rel: f64,
    /// Sample with the greatest share of the tolerance used up.
    pub worst_sample: String,
    /// Greatest share of the tolerance used up; within it up to 1.
    pub of_tolerance: f64,
}

/// A score of two engines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreDifference {
    /// Name of the metric.
    pub metric: String,
    /// The second's value less the first's.
    pub difference: f64,
    /// Ends of the 95 % interval of the difference, paired by sample; absent under 30 samples.
    pub interval: Option<[f64; 2]>,
}

/// What two engines make of the same samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairAgreement {
    /// The first.
    pub a: String,
    /// The second.
    pub b: String,
    /// Differences by output; empty where outputs cannot be compared value by value.
    pub outputs: Vec<OutputDifference>,
    /// Why outputs were not compared value by value.
    pub not_compared: Option<String>,
    /// Samples whose best class differs; absent for models that rank nothing.
    pub top_1_flips: Option<u64>,
    /// Differences of scores.
    pub scores: Vec<ScoreDifference>,
    /// Within the tolerance.
    pub agrees: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Id of the sample set.
    pub sample_set: String,
    /// Samples that every engine ran.
    pub samples: u64,
    /// Samples that failed on some engine.
    pub failures: Vec<SampleFailure>,
    /// The user ended it early.
    pub partial: bool,
    /// Engines in the order of the request.
    pub engines: Vec<Verified>,
    /// Every pair of them.
    pub pairs: Vec<PairAgreement>,
    /// The one engine without which all others agree; absent when all agree, when there are two, or
    /// when no single one explains the differences.
    pub odd_one_out: Option<String>,
    /// What was asked for.
    pub tolerance: Tolerance,
}

impl Agreement {
    /// All pairs agree, on at least one sample, and nothing failed.
    pub fn holds(&self) -> bool {
        self.samples > 0 && self.failures.is_empty() && self.pairs.iter().all(|p| p.agrees)
    }
}
