//! What may be believed: codes of invalidity and warnings.
//!
//! A code is written by its name. One that this version does not know keeps its name.

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

/// An enum of known codes, each with its name, and a variant for those of other versions.
macro_rules! codes {
    ($(#[$about:meta])* $kind:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(from = "String", into = "String")]
        #[schemars(with = "String")]
        pub enum $kind {
            $($(#[$doc])* $variant,)*
            /// One that this version does not know, by its name.
            Other(String),
        }

        impl $kind {
            /// Every code that this version knows.
            pub const KNOWN: &[Self] = &[$(Self::$variant,)*];
        }

        impl From<String> for $kind {
            fn from(name: String) -> Self {
                match name.as_str() {
                    $($name => Self::$variant,)*
                    _ => Self::Other(name),
                }
            }
        }

        impl From<$kind> for String {
            fn from(code: $kind) -> Self {
                code.to_string()
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $name,)*
                    Self::Other(name) => name,
                })
            }
        }
    };
}

codes! {
    /// Why a measurement is invalid.
    ValidityCode {
        /// Fewer queries than the percentiles need.
        TooFewQueries = "too-few-queries",
        /// Shorter than the profile asks for.
        TooShort = "too-short",
        /// The windows of the run differ by more than noise.
        Unsteady = "unsteady",
        /// Others took the cores while time was taken.
        Disturbed = "disturbed",
        /// The model misses its reference accuracy, so its speed says nothing.
        AccuracyFailed = "accuracy-failed",
        /// The outputs are no better than chance.
        AccuracyChance = "accuracy-chance",
        /// Outputs of timed queries are not those of the accuracy run.
        OutputsDiffer = "outputs-differ",
        /// The run was interrupted.
        Partial = "partial",
        /// More samples failed than allowed.
        TooManyErrors = "too-many-errors",
        /// A query failed while timed.
        QueryFailed = "query-failed",
    }
}

impl ValidityCode {
    /// What the user can do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::TooFewQueries | Self::TooShort => {
                "run longer: --profile normal or --profile full"
            }
            Self::Unsteady => "close other programs, fix the clock frequency, or run longer",
            Self::Disturbed => "close other programs, or run on a machine that nobody shares",
            Self::AccuracyFailed => {
                "the outputs are wrong: check preprocessing, labels and decoder before looking at speed"
            }
            Self::AccuracyChance => {
                "the outputs are no better than guessing: check preprocessing, labels and decoder"
            }
            Self::OutputsDiffer => {
                "the engine gives other outputs when it is timed: its speed is not that of the model"
            }
            Self::Partial => "run again, or continue with --resume",
            Self::TooManyErrors => {
                "mend the samples that are named, or allow them with --max-errors N"
            }
            Self::QueryFailed => "see the error of the query",
            Self::Other(_) => "a newer version of dyno wrote this code and knows what to do",
        }
    }
}

/// The verdict on one measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
        self.status == ValidityStatus::Valid && self.codes.is_empty()
    }
}

codes! {
    /// Something that a reader must know and that invalidates nothing.
    WarningCode {
        /// The model names no reference accuracy on this sample set.
        AccuracyUnreferenced = "accuracy-unreferenced",
        /// The scores differ from the reference by more than its tolerance.
        AccuracyMissed = "accuracy-missed",
        /// The recipe was not named: it is the only one that fits.
        RecipeAssumed = "recipe-assumed",
        /// The decoder's thresholds name no IoU, so that overlapping boxes of one object all stay.
        NotSuppressed = "not-suppressed",
        /// Classes without a partner.
        LabelsUnmatched = "labels-unmatched",
        /// The score is of a subset and not comparable with the full set.
        Subset = "subset",
        /// Samples failed, within what was allowed.
        SamplesFailed = "samples-failed",
        /// Samples repeat others.
        SamplesRepeated = "samples-repeated",
        /// Part of the samples was measured in an earlier run that this one took up.
        Resumed = "resumed",
        /// Other programs were busy while time was taken.
        ForeignLoad = "foreign-load",
        /// The measurement was made more than once.
        Retried = "retried",
        /// Classes without ground truth were left out of a mean.
        ClassesWithoutTruth = "classes-without-truth",
        /// Pictures carry an orientation that was not applied.
        Orientation = "orientation",
        /// The engine does not do what was asked in a minor point.
        Engine = "engine",
    }
}

/// A warning with its details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Its kind.
    pub code: WarningCode,
    /// Its details, for people.
    pub detail: String,
}
