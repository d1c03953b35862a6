//! Preprocessing as data: what happens to an image between decoding and the model's input tensor.
//!
//! Steps apply in their order to a `u8` image in RGB order; `channels` picks the order of the
//! tensor's channels and `normalize` is the last step and turns `u8` into `f32`. A model without
//! `normalize` gets the pixel values themselves. Layout and dtype of the tensor stand at the input
//! ([`crate::InputSpec`]), not among the steps: said twice they could differ.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Resampling kernel. Each names the library whose bytes it reproduces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// OpenCV `INTER_LINEAR`: half-pixel centres, no antialiasing, 11-bit fixed point.
    #[default]
    OpencvLinear,
    /// OpenCV `INTER_AREA`.
    OpencvArea,
    /// OpenCV `INTER_CUBIC`, a = −0.75.
    OpencvCubic,
    /// Pillow `BILINEAR`: antialiased.
    PillowBilinear,
    /// Pillow `BICUBIC`: antialiased, a = −0.5.
    PillowBicubic,
    /// Nearest neighbour, OpenCV's `INTER_NEAREST`.
    Nearest,
    /// OpenCV `warpPerspective` with `INTER_LINEAR` and a constant border: only in `letterbox`,
    /// whose offset may then be a fraction of a pixel.
    OpencvWarpLinear,
}

/// What `resize` does with the aspect ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResizeMode {
    /// Exactly to `size`.
    #[default]
    Stretch,
    /// The shorter side becomes `size[0]`.
    ShorterSide,
    /// The longer side becomes `size[0]`.
    LongerSide,
    /// The smallest image of the same aspect ratio that covers `size` (OpenCV's blob crop: factor
    /// in f32, source coordinates by the factor).
    Cover,
}

/// How a computed extent becomes a whole number of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// Half up.
    #[default]
    Nearest,
    /// Down.
    Floor,
}

/// Where a letterboxed image stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    /// In the middle.
    #[default]
    Center,
    /// At the origin.
    TopLeft,
}

/// Value of padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PadValue {
    /// The same in every channel.
    Gray(u8),
    /// One per channel, R G B.
    Rgb([u8; 3]),
}

/// What a centre crop keeps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CropSize {
    /// `[width, height]` in pixels.
    Size([u32; 2]),
    /// This share of each side (TF-slim's 0.875), rounded half up.
    Fraction(f64),
}

/// Order of the channels in the tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    /// Red first.
    #[default]
    Rgb,
    /// Blue first.
    Bgr,
    /// One channel of luma.
    Gray,
}

/// `out = ((pixel / divisor) − mean) / std · scale`, in f32 and in this order; an absent part is
/// skipped, not multiplied by 1. Lists hold one value per channel *in the tensor's channel order*.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Normalize {
    /// Divides first (255 for models that count from 0 to 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divisor: Option<f32>,
    /// Subtracted second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<Vec<f32>>,
    /// Divides third.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std: Option<Vec<f32>>,
    /// Multiplies last (alwaysAI's `scalefactor`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f32>,
}

fn floor() -> Rounding {
    Rounding::Floor
}

fn pad_gray() -> PadValue {
    PadValue::Gray(114)
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PreprocessStep {
    /// Changes the size.
    Resize {
        /// `[width, height]` in pixels; a side mode uses the first number.
        size: [u32; 2],
        /// What happens to the aspect ratio.
        #[serde(default)]
        mode: ResizeMode,
        /// Resampling.
        #[serde(default)]
        kernel: Kernel,
        /// How the free side is rounded.
        #[serde(default)]
        rounding: Rounding,
    },
    /// Keeps the middle.
    CenterCrop(CropSize),
    /// Resizes with the aspect ratio kept and fills the rest.
    Letterbox {
        /// `[width, height]` in pixels.
        size: [u32; 2],
        /// Where the image stands.
        #[serde(default)]
        anchor: Anchor,
        /// The filling.
        #[serde(default = "pad_gray")]
        pad: PadValue,
        /// Resampling.
        #[serde(default)]
        kernel: Kernel,
        /// How the resized extent is rounded.
        #[serde(default = "floor")]
        rounding: Rounding,
    },
    /// Order of the tensor's channels.
    Channels(ChannelOrder),
    /// From pixel values to the model's numbers.
    Normalize(Normalize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_the_design_reads() {
        let json = r#"[{"letterbox": {"size": [416, 416], "anchor": "top-left", "pad": 114, "kernel": "opencv-linear"}}, {"channels": "bgr"},
            {"center-crop": {"fraction": 0.875}}, {"normalize": {"mean": [104, 117, 123]}}]"#;
        let steps: Vec<PreprocessStep> = serde_json::from_str(json).expect("valid steps");
        assert_eq!(steps.len(), 4);
        assert_eq!(steps[1], PreprocessStep::Channels(ChannelOrder::Bgr));
        assert_eq!(
            steps[2],
            PreprocessStep::CenterCrop(CropSize::Fraction(0.875))
        );
        assert!(
            serde_json::from_str::<Vec<PreprocessStep>>(r#"[{"letterbox": {"sice": [1, 1]}}]"#)
                .is_err()
        );
    }
}
