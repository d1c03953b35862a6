//! What can be wrong with a layer.

use crate::HubError;

/// What is wrong with a layer, without its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// It cannot be expressed.
    Unsupported(String),
    /// It contradicts itself or its weights.
    Malformed(String),
}

impl Problem {
    pub(super) fn malformed(text: impl Into<String>) -> Self {
        Self::Malformed(text.into())
    }

    pub(super) fn unsupported(text: impl Into<String>) -> Self {
        Self::Unsupported(text.into())
    }

    /// The problem with its place in front.
    pub(super) fn at(self, place: &str) -> Self {
        match self {
            Self::Unsupported(text) => Self::Unsupported(format!("{place}: {text}")),
            Self::Malformed(text) => Self::Malformed(format!("{place}: {text}")),
        }
    }
}

impl From<HubError> for Problem {
    fn from(error: HubError) -> Self {
        Self::Malformed(error.to_string())
    }
}
