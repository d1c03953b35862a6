//! alwaysAI's words for preprocessing, which are OpenCV's `blobFromImage`, and dyno's steps.
//!
//! `out = (resized[c] − mean[c]) · scalefactor`, where `c` counts channels *after* the exchange of
//! red and blue: OpenCV works on B G R, so `swaprb = true` feeds R G B and `mean` is then in that
//! order (specification: OpenCV 4.14 `dnn/src/dnn_utils.cpp`). `crop` resizes until the image
//! covers `size` and cuts the middle out.

use dyno_core::{
    ChannelOrder, CropSize, DecoderSpec, Kernel, Normalize, PreprocessStep, Purpose, ResizeMode,
    Rounding,
};

/// Relative difference below which two factors are the same; manifests write 1/255 as 0.0039216.
const SAME: f64 = 1e-4;

/// The preprocessing keys of a manifest; an absent key is silent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BlobFacts {
    /// `[width, height]` in pixels.
    pub size: Option<[u32; 2]>,
    /// Subtracted from pixel values 0 to 255, one per channel of the tensor.
    pub mean: Option<[f32; 3]>,
    /// Multiplies after the subtraction.
    pub scalefactor: Option<f32>,
    /// The tensor's first channel is red.
    pub swaprb: Option<bool>,
    /// Keep the aspect ratio and cut the middle out.
    pub crop: Option<bool>,
}

impl BlobFacts {
    /// No key says anything.
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }

    /// The steps; `None` without a `size`. Absent keys have OpenCV's defaults: no mean, factor 1, B
    /// G R, no crop.
    pub fn steps(&self) -> Option<Vec<PreprocessStep>> {
        let size = self.size?;
        let crop = self.crop.unwrap_or(false);
        let mode = if crop {
            ResizeMode::Cover
        } else {
            ResizeMode::Stretch
        };
        let mut steps = vec![PreprocessStep::Resize {
            size,
            mode,
            kernel: Kernel::OpencvLinear,
            rounding: Rounding::Nearest,
        }];
        if crop {
            steps.push(PreprocessStep::CenterCrop(CropSize::Size(size)));
        }
        steps.push(PreprocessStep::Channels(if self.swaprb.unwrap_or(false) {
            ChannelOrder::Rgb
        } else {
            ChannelOrder::Bgr
        }));
        let mean = self
            .mean
            .filter(|m| m.iter().any(|v| *v != 0.0))
            .map(|m| m.to_vec());
        let scale = self.scalefactor.filter(|s| (s - 1.0).abs() > f32::EPSILON);
        if mean.is_some() || scale.is_some() {
            steps.push(PreprocessStep::Normalize(Normalize {
                divisor: None,
                mean,
                std: None,
                scale,
            }));
        }
        Some(steps)
    }

    /// Where these keys and `steps` both speak and differ, each with both values. Steps may say
    /// what the keys cannot: a letterbox, a gray image, a standard deviation per channel, another
    /// kernel.
    pub fn conflicts(&self, steps: &[PreprocessStep]) -> Vec<String> {
        let mut out = Vec::new();
        let theirs = final_size(steps);
        if let (Some(mine), Some(theirs)) = (self.size, theirs)
            && mine != theirs
        {
            out.push(format!(
                "`size` is {}x{} in the manifest and {}x{} in `preprocess`",
                mine[0], mine[1], theirs[0], theirs[1]
            ));
        }
        let crops = steps
            .iter()
            .any(|s| matches!(s, PreprocessStep::CenterCrop(_)));
        if let Some(crop) = self.crop
            && crop != crops
            && !steps.is_empty()
        {
            out.push(format!(
                "`crop` is {crop} in the manifest, and `preprocess` {} a center-crop",
                if crops { "has" } else { "has not" }
            ));
        }
        let order = steps
            .iter()
            .rev()
            .find_map(|s| {
                if let PreprocessStep::Channels(o) = s {
                    Some(*o)
                } else {
                    None
                }
            })
            .unwrap_or_default();
        if let Some(swaprb) = self.swaprb
            && order != ChannelOrder::Gray
            && swaprb != (order == ChannelOrder::Rgb)
        {
            let name = if order == ChannelOrder::Rgb {
                "rgb"
            } else {
                "bgr"
            };
            out.push(format!(
                "`swaprb` is {swaprb} in the manifest, and the channels of `preprocess` are {name}"
            ));
        }
        out.extend(self.normalize_conflict(steps));
        out
    }

    fn normalize_conflict(&self, steps: &[PreprocessStep]) -> Option<String> {
        if self.mean.is_none() && self.scalefactor.is_none() {
            return None;
        }
        let normalize = steps
            .iter()
            .find_map(|s| {
                if let PreprocessStep::Normalize(n) = s {
                    Some(n.clone())
                } else {
                    None
                }
            })
            .unwrap_or_default();
        let scalefactor = f64::from(self.scalefactor.unwrap_or(1.0));
        let mean = self.mean.unwrap_or_default();
        let identity = mean.iter().all(|m| *m == 0.0) && (scalefactor - 1.0).abs() < SAME;
        let at = |list: &Option<Vec<f32>>, c: usize, default: f64| {
            list.as_ref()
                .and_then(|l| l.get(c.min(l.len().saturating_sub(1))))
                .map_or(default, |v| f64::from(*v))
        };
        let factor = |c: usize| {
            f64::from(normalize.scale.unwrap_or(1.0))
                / at(&normalize.std, c, 1.0)
                / f64::from(normalize.divisor.unwrap_or(1.0))
        };
        let same = |a: f64, b: f64| (a - b).abs() <= SAME * a.abs().max(b.abs()).max(1e-12);
        let uniform = (1..3).all(|c| same(factor(0), factor(c)));
        // The manifest cannot say one factor per channel; its defaults then are no contradiction.
        if !uniform && identity {
            return None;
        }
        let equal = (0..3).all(|c| {
            let theirs = at(&normalize.mean, c, 0.0) * f64::from(normalize.divisor.unwrap_or(1.0));
            let mine = mean.get(c).map_or(0.0, |m| f64::from(*m));
            same(factor(c), scalefactor) && (theirs - mine).abs() <= SAME * 255.0
        });
        (!equal).then(|| {
            let theirs = serde_json::to_string(&normalize).unwrap_or_default();
            format!("`mean` {mean:?} with `scalefactor` {scalefactor} in the manifest differ from `normalize` {theirs} in `preprocess`")
        })
    }
}

/// The size that the last resizing step leaves, where it is fixed.
fn final_size(steps: &[PreprocessStep]) -> Option<[u32; 2]> {
    steps.iter().rev().find_map(|s| match s {
        PreprocessStep::Letterbox { size, .. }
        | PreprocessStep::CenterCrop(CropSize::Size(size))
        | PreprocessStep::Resize {
            size,
            mode: ResizeMode::Stretch,
            ..
        } => Some(*size),
        _ => None,
    })
}

/// Decoder for an `architecture` of alwaysAI's. A name without a decoder of its own is passed on,
/// so that looking it up says what exists.
pub(crate) fn architecture_decoder(architecture: &str) -> &str {
    match architecture {
        "yolo_x" => "yolox",
        "mobilenet_ssd" => "ssd",
        other => other,
    }
}

/// What purpose, architecture and softmax of a manifest say about reading the outputs.
pub(crate) fn decoder(
    purpose: Option<Purpose>,
    architecture: Option<&str>,
    softmax: Option<bool>,
) -> Option<DecoderSpec> {
    let bare = |kind: &str, parameters| {
        Some(DecoderSpec {
            kind: kind.to_owned(),
            parameters,
            evaluate: None,
            deploy: None,
        })
    };
    match (purpose, architecture) {
        (Some(Purpose::Classification), _) => {
            let parameters = if softmax == Some(true) {
                serde_json::json!({"softmax": true})
            } else {
                serde_json::Value::Null
            };
            bare("classification", parameters)
        }
        (_, Some(architecture)) => {
            bare(architecture_decoder(architecture), serde_json::Value::Null)
        }
        _ => None,
    }
}
