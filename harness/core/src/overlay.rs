//! What a model, or a user, says of a decoder: laid over the recipe's words, silent where they are
//! to stay.

use crate::model::{DecoderSpec, Thresholds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Thresholds as far as somebody names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThresholdOverlay {
    /// See [`Thresholds::score`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// See [`Thresholds::iou`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iou: Option<f64>,
    /// See [`Thresholds::max`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// A decoder as far as somebody describes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecoderOverlay {
    /// Row of the decoder table; absent for the recipe's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Parameters of the row; null for those of the recipe, where it has the same row.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub parameters: serde_json::Value,
    /// Thresholds of accuracy runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluate: Option<ThresholdOverlay>,
    /// Thresholds of timed runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy: Option<ThresholdOverlay>,
}

/// Why an overlay gives no decoder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// Neither it nor what lies below names a row.
    #[error("nothing names the kind of decoder")]
    NoKind,
    /// Thresholds without the one that there must be.
    #[error("`{set}` names no `score`")]
    NoScore {
        /// `evaluate` or `deploy`.
        set: &'static str,
    },
}

impl ThresholdOverlay {
    /// It says nothing.
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }

    /// `base` with what this names in its place; `None` where neither names a score.
    pub fn over(self, base: Option<Thresholds>) -> Option<Thresholds> {
        Some(Thresholds {
            score: self.score.or(base.map(|b| b.score))?,
            iou: self.iou.or(base.and_then(|b| b.iou)),
            max: self.max.or(base.and_then(|b| b.max)),
        })
    }
}

impl From<Thresholds> for ThresholdOverlay {
    fn from(t: Thresholds) -> Self {
        Self {
            score: Some(t.score),
            iou: t.iou,
            max: t.max,
        }
    }
}

impl From<DecoderSpec> for DecoderOverlay {
    fn from(decoder: DecoderSpec) -> Self {
        Self {
            kind: Some(decoder.kind),
            parameters: decoder.parameters,
            evaluate: decoder.evaluate.map(Into::into),
            deploy: decoder.deploy.map(Into::into),
        }
    }
}

impl DecoderOverlay {
    /// The decoder that this and the words below it make. Where this names another row than
    /// `base`, nothing of `base` is left: its parameters and thresholds are of another decoder.
    ///
    /// # Errors
    /// When nothing names a row, or thresholds have no score.
    pub fn over(&self, base: Option<&DecoderSpec>) -> Result<DecoderSpec, OverlayError> {
        let base = base.filter(|b| self.kind.as_ref().is_none_or(|kind| *kind == b.kind));
        let kind = self.kind.as_ref().or(base.map(|b| &b.kind));
        let lay = |set, overlay: Option<ThresholdOverlay>, below: Option<Thresholds>| match overlay
        {
            None => Ok(below),
            Some(overlay) if overlay.is_silent() => Ok(below),
            Some(overlay) => overlay
                .over(below)
                .map(Some)
                .ok_or(OverlayError::NoScore { set }),
        };
        Ok(DecoderSpec {
            kind: kind.ok_or(OverlayError::NoKind)?.clone(),
            parameters: if self.parameters.is_null() {
                base.map_or(serde_json::Value::Null, |b| b.parameters.clone())
            } else {
                self.parameters.clone()
            },
            evaluate: lay("evaluate", self.evaluate, base.and_then(|b| b.evaluate))?,
            deploy: lay("deploy", self.deploy, base.and_then(|b| b.deploy))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn recipe() -> DecoderSpec {
        serde_json::from_value(json!({
            "kind": "a", "parameters": {"p": 1},
            "evaluate": {"score": 0.001, "iou": 0.65, "max": 300},
            "deploy": {"score": 0.25, "iou": 0.45},
        }))
        .expect("a decoder")
    }

    fn overlay(value: serde_json::Value) -> DecoderOverlay {
        serde_json::from_value(value).expect("an overlay")
    }

    #[test]
    fn what_is_not_named_stays_the_recipes() {
        for said in [json!({}), json!({"kind": "a"}), json!({"evaluate": {}})] {
            assert_eq!(overlay(said).over(Some(&recipe())), Ok(recipe()));
        }
        let laid = overlay(json!({"evaluate": {"score": 0.01}}))
            .over(Some(&recipe()))
            .expect("a decoder");
        let evaluate = laid.evaluate.expect("thresholds");
        assert_eq!(
            (evaluate.score, evaluate.iou, evaluate.max),
            (0.01, Some(0.65), Some(300)),
            "suppression is the recipe's"
        );
        assert_eq!((laid.kind.as_str(), laid.deploy), ("a", recipe().deploy));
    }

    #[test]
    fn another_row_takes_nothing_of_the_recipe() {
        let laid = overlay(json!({"kind": "b", "evaluate": {"score": 0.1}}))
            .over(Some(&recipe()))
            .expect("a decoder");
        assert!(laid.parameters.is_null() && laid.deploy.is_none());
        assert_eq!(laid.evaluate.map(|t| (t.score, t.iou)), Some((0.1, None)));
    }

    #[test]
    fn what_is_missing_is_an_error() {
        assert_eq!(
            overlay(json!({"evaluate": {"score": 0.1}})).over(None),
            Err(OverlayError::NoKind)
        );
        assert_eq!(
            overlay(json!({"kind": "b", "deploy": {"iou": 0.5}})).over(Some(&recipe())),
            Err(OverlayError::NoScore { set: "deploy" })
        );
    }

    #[test]
    fn a_whole_decoder_is_an_overlay_of_itself() {
        assert_eq!(DecoderOverlay::from(recipe()).over(None), Ok(recipe()));
    }
}
