//! Convolutions, and the arithmetic of windows that pools share.

use super::{
    call::{Call, Known},
    dimensions::shown,
};
use crate::graph::ElementType;
use dyno_core::Dimension;

/// How windows lie on the spatial axes.
pub(super) struct Window {
    /// Size of the window along each axis, where known.
    pub(super) kernel: Vec<Option<i64>>,
    strides: Vec<i64>,
    dilations: Vec<i64>,
    pads: Vec<i64>,
    auto_pad: AutoPad,
    ceil: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum AutoPad {
    NotSet,
    Same,
    Valid,
}

impl Window {
    /// The attributes of a node whose window has `kernel`.
    ///
    /// # Errors
    /// Lists of the wrong length, strides and dilations below 1, an unknown `auto_pad`.
    pub(super) fn of(c: &Call<'_>, kernel: Vec<Option<i64>>) -> Result<Self, String> {
        let axes = kernel.len();
        let list = |name: &str, length: usize, default: i64, least: i64| {
            let Some(found) = c.node.ints(name).filter(|l| !l.is_empty()) else {
                return Ok(vec![default; length]);
            };
            if found.len() != length || found.iter().any(|&n| n < least) {
                return Err(format!(
                    "`{name}` is {found:?}, for {axes} spatial axes it takes {length} numbers \
                     from {least} on"
                ));
            }
            Ok(found.to_vec())
        };
        let auto_pad = match c.node.text("auto_pad") {
            None | Some("" | "NOTSET") => AutoPad::NotSet,
            Some("SAME_UPPER" | "SAME_LOWER") => AutoPad::Same,
            Some("VALID") => AutoPad::Valid,
            Some(other) => return Err(format!("there is no `auto_pad` {other}")),
        };
        Ok(Self {
            strides: list("strides", axes, 1, 1)?,
            dilations: list("dilations", axes, 1, 1)?,
            // Negative pads cut; some exporters use them.
            pads: list("pads", 2 * axes, 0, i64::MIN)?,
            auto_pad,
            ceil: c.int("ceil_mode", 0) != 0,
            kernel,
        })
    }

    fn stride(&self, axis: usize) -> i128 {
        self.strides.get(axis).map_or(1, |&s| i128::from(s))
    }

    /// Size of the window with its holes.
    fn extent(&self, axis: usize) -> Option<i128> {
        let kernel = i128::from((*self.kernel.get(axis)?)?);
        let dilation = self.dilations.get(axis).map_or(1, |&d| i128::from(d));
        Some((kernel - 1) * dilation + 1)
    }

    /// Padding before the axis, and on both sides.
    fn padding(&self, axis: usize) -> (i128, i128) {
        let at = |at: usize| self.pads.get(at).map_or(0, |&p| i128::from(p));
        let before = at(axis);
        (before, before + at(axis + self.kernel.len()))
    }

    /// Number of windows along `axis` of size `size`.
    ///
    /// # Errors
    /// When not one window fits.
    pub(super) fn count(&self, axis: usize, size: &Dimension) -> Result<Dimension, String> {
        let stride = self.stride(axis);
        let Some(extent) = self.extent(axis) else {
            return Ok(Dimension::Unknown);
        };
        let (before, both) = self.padding(axis);
        let Dimension::Fixed(size) = size else {
            // Windows of one element, one beside the other, are as many as there are elements.
            let all = stride == 1
                && (self.auto_pad == AutoPad::Same
                    || self.auto_pad == AutoPad::NotSet && both == extent - 1
                    || self.auto_pad == AutoPad::Valid && extent == 1);
            return Ok(if all {
                size.clone()
            } else {
                Dimension::Unknown
            });
        };
        let size = i128::try_from(*size).unwrap_or(i128::MAX / 4);
        let count = match self.auto_pad {
            AutoPad::Same => (size + stride - 1) / stride,
            AutoPad::Valid => Self::fitting(size, extent, stride, false)?,
            AutoPad::NotSet => {
                let count = Self::fitting(size + both, extent, stride, self.ceil)?;
                // A window that would begin in the padding behind is left out.
                if self.ceil && (count - 1) * stride >= size + before {
                    count - 1
                } else {
                    count
                }
            }
        };
        fixed(count)
    }

    fn fitting(size: i128, extent: i128, stride: i128, ceil: bool) -> Result<i128, String> {
        let steps = size - extent;
        if steps < 0 {
            return Err(format!(
                "a window of {extent} does not fit {size} elements with padding"
            ));
        }
        Ok(if ceil {
            (steps + stride - 1) / stride + 1
        } else {
            steps / stride + 1
        })
    }

    /// Size of the axis on which `count` windows lie: the inverse of [`Self::count`].
    pub(super) fn spread(
        &self,
        axis: usize,
        count: &Dimension,
        more: i64,
    ) -> Result<Dimension, String> {
        let (Dimension::Fixed(count), Some(extent)) = (count, self.extent(axis)) else {
            return Ok(Dimension::Unknown);
        };
        let count = i128::try_from(*count).unwrap_or(i128::MAX / 4);
        let stride = self.stride(axis);
        let more = i128::from(more);
        fixed(match self.auto_pad {
            AutoPad::Same => count * stride,
            AutoPad::Valid => (count - 1) * stride + extent + more,
            AutoPad::NotSet => (count - 1) * stride + extent + more - self.padding(axis).1,
        })
    }
}

fn fixed(size: i128) -> Result<Dimension, String> {
    usize::try_from(size)
        .map(Dimension::Fixed)
        .map_err(|_| format!("a spatial axis would have {size} elements"))
}

/// Sizes of the window: the attribute, else the spatial axes of the weights.
fn kernel(
    c: &Call<'_>,
    weights: Option<&[Dimension]>,
    axes: usize,
) -> Result<Vec<Option<i64>>, String> {
    let of_weights: Vec<Option<i64>> = match weights {
        Some(w) => w
            .iter()
            .skip(2)
            .map(|d| match d {
                Dimension::Fixed(n) => i64::try_from(*n).ok(),
                Dimension::Symbolic(_) | Dimension::Unknown => None,
            })
            .collect(),
        None => vec![None; axes],
    };
    let Some(stated) = c.node.ints("kernel_shape").filter(|k| !k.is_empty()) else {
        return Ok(of_weights);
    };
    let fits = stated.len() == axes
        && of_weights
            .iter()
            .zip(stated)
            .all(|(w, s)| w.is_none_or(|w| w == *s));
    if fits {
        Ok(stated.iter().map(|&s| Some(s)).collect())
    } else {
        Err(format!(
            "`kernel_shape` is {stated:?}, and the weights have the shape {}",
            weights.map(shown).unwrap_or_default()
        ))
    }
}

/// The shape of a convolution of input `x` with weights `w`.
fn conv_shape(c: &Call<'_>, x: usize, w: usize) -> Result<Option<Vec<Dimension>>, String> {
    let Some(input) = c.shape(x) else {
        return Ok(None);
    };
    let weights = c.shape(w);
    let [batch, channels, spatial @ ..] = input else {
        return Err(format!("an input of shape {}", shown(input)));
    };
    if let Some(weights) = weights {
        if weights.len() != input.len() {
            let (input, weights) = (shown(input), shown(weights));
            return Err(format!("weights {weights} for an input {input}"));
        }
        let group = usize::try_from(c.int("group", 1)).unwrap_or(0);
        let (Some(Dimension::Fixed(out)), Some(Dimension::Fixed(each))) =
            (weights.first(), weights.get(1))
        else {
            return Ok(None);
        };
        if group == 0 || !out.is_multiple_of(group) {
            return Err(format!("{out} filters in {group} groups"));
        }
        if let Dimension::Fixed(channels) = channels
            && each.checked_mul(group) != Some(*channels)
        {
            return Err(format!(
                "the input has {channels} channels, and the weights take {each} in each of {group} \
                 groups"
            ));
        }
    }
    let window = Window::of(c, kernel(c, weights, spatial.len())?)?;
    let filters = weights.and_then(|w| w.first().cloned());
    let mut shape = vec![batch.clone(), filters.unwrap_or(Dimension::Unknown)];
    for (axis, size) in spatial.iter().enumerate() {
        shape.push(window.count(axis, size)?);
    }
    Ok(Some(shape))
}

/// `Conv`.
pub(super) fn conv(c: &Call<'_>) -> Result<Vec<Known>, String> {
    Ok(vec![Known::new(c.dtype(0), conv_shape(c, 0, 1)?)])
}

/// `ConvInteger`.
pub(super) fn conv_integer(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let shape = conv_shape(c, 0, 1)?;
    Ok(vec![Known::new(Some(ElementType::I32), shape)])
}

/// `QLinearConv`: values, scale and zero point of input, weights and output.
pub(super) fn qlinear_conv(c: &Call<'_>) -> Result<Vec<Known>, String> {
    Ok(vec![Known::new(c.dtype(7), conv_shape(c, 0, 3)?)])
}

/// `ConvTranspose`: weights are `[in, out / group, …]`.
pub(super) fn conv_transpose(c: &Call<'_>) -> Result<Vec<Known>, String> {
    let dtype = c.dtype(0);
    let Some(input) = c.shape(0) else {
        return Ok(vec![Known::new(dtype, None)]);
    };
    let weights = c.shape(1);
    let [batch, channels, spatial @ ..] = input else {
        return Err(format!("an input of shape {}", shown(input)));
    };
    let mut filters = Dimension::Unknown;
    if let Some(weights) = weights {
        if weights.len() != input.len() {
            let (input, weights) = (shown(input), shown(weights));
            return Err(format!("weights {weights} for an input {input}"));
        }
        if let (Dimension::Fixed(channels), Some(Dimension::Fixed(taken))) =
            (channels, weights.first())
            && channels != taken
        {
            return Err(format!(
                "the input has {channels} channels, and the weights take {taken}"
            ));
        }
        if let (Some(Dimension::Fixed(each)), Ok(group)) =
            (weights.get(1), usize::try_from(c.int("group", 1)))
        {
            let out = each.checked_mul(group);
            filters = out.map_or(Dimension::Unknown, Dimension::Fixed);
        }
    }
    let window = Window::of(c, kernel(c, weights, spatial.len())?)?;
    let stated = c.node.ints("output_shape").filter(|s| !s.is_empty());
    // Some files state the whole shape, some the spatial axes alone.
    let stated = stated.map(|s| &s[s.len().saturating_sub(spatial.len())..]);
    let more = c.node.ints("output_padding").unwrap_or_default();
    let mut shape = vec![batch.clone(), filters];
    for (axis, count) in spatial.iter().enumerate() {
        shape.push(match stated.and_then(|s| s.get(axis)) {
            Some(&size) => fixed(i128::from(size))?,
            None => window.spread(axis, count, more.get(axis).copied().unwrap_or(0))?,
        });
    }
    Ok(vec![Known::new(dtype, Some(shape))])
}
