//! What may be believed: codes of invalidity and warnings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A measurement may be used, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ValidityStatus {
    /// Nothing speaks against it.
    Valid,
    /// At least one code does.
    Invalid,
}

/// Why a measurement is invalid.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ValidityCode {
    /// Fewer queries than the percentiles need.
    TooFewQueries,
    /// Shorter than the profile asks for.
    TooShort,
    /// The windows of the run differ by more than noise.
    Unsteady,
    /// The model misses its reference accuracy, so its speed says nothing.
    AccuracyFailed,
    /// The outputs are no better than chance.
    AccuracyChance,
    /// The run was interrupted.
    Partial,
    /// More samples failed than allowed.
    TooManyErrors,
    /// A query failed while timed.
    QueryFailed,
}

impl ValidityCode {
    /// What the user can do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::TooFewQueries | Self::TooShort => {
                "run longer: --profile normal or --profile full"
            }
            Self::Unsteady => "close other programs, fix the clock frequency, or run longer",
            Self::AccuracyFailed => {
                "the outputs are wrong: check preprocessing, labels and decoder before looking at speed"
            }
            Self::AccuracyChance => {
                "the outputs are no better than guessing: check preprocessing, labels and decoder"
            }
            Self::Partial => "run again, or continue with --resume",
            Self::TooManyErrors => {
                "mend the samples that are named, or allow them with --max-errors N"
            }
            Self::QueryFailed => "see the error of the query",
        }
    }
}

impl fmt::Display for ValidityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooFewQueries => "too-few-queries",
            Self::TooShort => "too-short",
            Self::Unsteady => "unsteady",
            Self::AccuracyFailed => "accuracy-failed",
            Self::AccuracyChance => "accuracy-chance",
            Self::Partial => "partial",
            Self::TooManyErrors => "too-many-errors",
            Self::QueryFailed => "query-failed",
        })
    }
}

/// The verdict on one measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// The verdict.
    pub status: ValidityStatus,
    /// Its reasons, sorted; empty when valid.
    pub codes: Vec<ValidityCode>,
}

impl Validity {
    /// The verdict that follows from the codes.
    pub fn from_codes(mut codes: Vec<ValidityCode>) -> Self {
        codes.sort_unstable();
        codes.dedup();
        let status = if codes.is_empty() {
            ValidityStatus::Valid
        } else {
            ValidityStatus::Invalid
        };
        Self { status, codes }
    }

    /// Nothing speaks against the measurement.
    pub fn is_valid(&self) -> bool {
        self.status == ValidityStatus::Valid
    }
}

/// Something that a reader must know and that invalidates nothing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum WarningCode {
    /// The model names no reference accuracy on this sample set.
    AccuracyUnreferenced,
    /// The scores differ from the reference by more than its tolerance.
    AccuracyMissed,
    /// The recipe was not named: it is the only one that fits.
    RecipeAssumed,
    /// Classes without a partner.
    LabelsUnmatched,
    /// The score is of a subset and not comparable with the full set.
    Subset,
    /// Samples failed, within what was allowed.
    SamplesFailed,
    /// Part of the samples was measured in an earlier run that this one took up.
    Resumed,
    /// Other programs were busy when the run began.
    ForeignLoad,
    /// Classes without ground truth were left out of a mean.
    ClassesWithoutTruth,
    /// The engine does not do what was asked in a minor point.
    Engine,
}

impl fmt::Display for WarningCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccuracyUnreferenced => "accuracy-unreferenced",
            Self::AccuracyMissed => "accuracy-missed",
            Self::RecipeAssumed => "recipe-assumed",
            Self::LabelsUnmatched => "labels-unmatched",
            Self::Subset => "subset",
            Self::SamplesFailed => "samples-failed",
            Self::Resumed => "resumed",
            Self::ForeignLoad => "foreign-load",
            Self::ClassesWithoutTruth => "classes-without-truth",
            Self::Engine => "engine",
        })
    }
}

/// A warning with its details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// Its kind.
    pub code: WarningCode,
    /// Its details, for people.
    pub detail: String,
}
