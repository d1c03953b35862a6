//! The steps that move pixels: checked once, then carried out on each image.
//!
//! Convention: pixel coordinates are continuous, and each step is `x' = x · scale + offset` per
//! axis; [`Placement`] is the product. A letterbox at the top-left and a warp scale by the common
//! factor itself, a centred letterbox by the rounded extents, as the pipelines do that train such
//! models. Extents that would be 0 become 1.

use dyno_core::{
    Anchor, ChannelOrder, CropSize, Kernel, Normalize, PadValue, PreprocessStep, ResizeMode,
    Rounding,
};
use dyno_image::{Image, ImageError, Region, Resizer, View, opencv_extent};

/// Most pixels between two steps: an image of 20000x1 with its shorter side at 256 would have 1.3
/// thousand million.
const MAX_PIXELS: u64 = 1 << 26;

/// Sorted steps of one input.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chain {
    /// Steps that move pixels, in their order.
    pub(super) steps: Vec<Step>,
    /// Order of the tensor's channels.
    pub(super) channels: ChannelOrder,
    /// From pixels to numbers.
    pub(super) normalize: Option<Normalize>,
    /// Size after the last step, when the steps alone say it.
    pub(super) size: Option<[u32; 2]>,
}

/// A step that moves pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    Resize {
        size: [u32; 2],
        mode: ResizeMode,
        kernel: Kernel,
        rounding: Rounding,
    },
    Crop([u32; 2]),
    CropShare(f64),
    Letterbox {
        size: [u32; 2],
        anchor: Anchor,
        pad: [u8; 3],
        kernel: Kernel,
        rounding: Rounding,
    },
}

/// Where the original image lies in the current one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placement {
    pub(super) scale: [f64; 2],
    pub(super) offset: [f64; 2],
}

impl Placement {
    pub(super) const IDENTITY: Self = Self {
        scale: [1.0, 1.0],
        offset: [0.0, 0.0],
    };

    fn then(&mut self, scale: [f64; 2], offset: [f64; 2]) {
        for axis in 0..2 {
            self.scale[axis] *= scale[axis];
            self.offset[axis] = self.offset[axis] * scale[axis] + offset[axis];
        }
    }
}

/// Why an image could not be processed.
#[derive(Debug)]
pub(super) enum StepError {
    /// Its size does not fit.
    Size(String),
    /// Resampling.
    Image(ImageError),
}

impl From<ImageError> for StepError {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

impl Chain {
    /// Checks the steps.
    ///
    /// # Errors
    /// Says in words what is impossible whatever the image.
    pub(super) fn new(steps: &[PreprocessStep]) -> Result<Self, String> {
        let mut chain = Self {
            steps: Vec::new(),
            channels: ChannelOrder::Rgb,
            normalize: None,
            size: None,
        };
        let mut channels = None;
        for step in steps {
            if chain.normalize.is_some() && !matches!(step, PreprocessStep::Channels(_)) {
                return Err(
                    "`normalize` must be the last step: after it there are no pixels to resize"
                        .to_owned(),
                );
            }
            match step {
                PreprocessStep::Channels(order) => {
                    if channels.replace(*order).is_some() {
                        return Err("`channels` stands twice".to_owned());
                    }
                }
                PreprocessStep::Normalize(normalize) => chain.normalize = Some(normalize.clone()),
                PreprocessStep::Resize {
                    size,
                    mode,
                    kernel,
                    rounding,
                } => chain.resize(*size, *mode, *kernel, *rounding)?,
                PreprocessStep::CenterCrop(CropSize::Size(size)) => chain.crop(*size)?,
                PreprocessStep::CenterCrop(CropSize::Fraction(share)) => {
                    chain.crop_share(*share)?;
                }
                PreprocessStep::Letterbox {
                    size,
                    anchor,
                    pad,
                    kernel,
                    rounding,
                } => {
                    positive("letterbox", *size)?;
                    let pad = match *pad {
                        PadValue::Gray(v) => [v; 3],
                        PadValue::Rgb(rgb) => rgb,
                    };
                    chain.steps.push(Step::Letterbox {
                        size: *size,
                        anchor: *anchor,
                        pad,
                        kernel: *kernel,
                        rounding: *rounding,
                    });
                    chain.size = Some(*size);
                }
            }
        }
        chain.channels = channels.unwrap_or_default();
        Ok(chain)
    }

    fn resize(
        &mut self,
        size: [u32; 2],
        mode: ResizeMode,
        kernel: Kernel,
        rounding: Rounding,
    ) -> Result<(), String> {
        if kernel == Kernel::OpencvWarpLinear {
            return Err("`opencv-warp-linear` is a kernel of `letterbox` only".to_owned());
        }
        match mode {
            ResizeMode::Stretch | ResizeMode::Cover => positive("resize", size)?,
            ResizeMode::ShorterSide | ResizeMode::LongerSide if size[0] == 0 => {
                return Err("`resize` to a side of 0 pixels".to_owned());
            }
            ResizeMode::ShorterSide | ResizeMode::LongerSide => {}
        }
        if mode == ResizeMode::Cover
            && matches!(kernel, Kernel::PillowBilinear | Kernel::PillowBicubic)
        {
            return Err("`resize` with mode `cover` takes source coordinates by a factor, which Pillow's kernels cannot".to_owned());
        }
        self.steps.push(Step::Resize {
            size,
            mode,
            kernel,
            rounding,
        });
        self.size = (mode == ResizeMode::Stretch).then_some(size);
        Ok(())
    }

    fn crop(&mut self, size: [u32; 2]) -> Result<(), String> {
        positive("center-crop", size)?;
        if let Some([w, h]) = self.size
            && (size[0] > w || size[1] > h)
        {
            return Err(format!(
                "`center-crop` to {}x{} of an image of {w}x{h}",
                size[0], size[1]
            ));
        }
        self.steps.push(Step::Crop(size));
        self.size = Some(size);
        Ok(())
    }

    fn crop_share(&mut self, share: f64) -> Result<(), String> {
        if !(share > 0.0 && share <= 1.0) {
            return Err(format!(
                "`center-crop` to a fraction of {share}: it must be greater than 0 and at most 1"
            ));
        }
        self.steps.push(Step::CropShare(share));
        self.size = self.size.map(|size| size.map(|n| shared_extent(n, share)));
        Ok(())
    }
}

fn positive(what: &str, size: [u32; 2]) -> Result<(), String> {
    if size.contains(&0) {
        Err(format!(
            "`{what}` to {}x{} pixels; a recipe's [0, 0] must be resolved first",
            size[0], size[1]
        ))
    } else {
        Ok(())
    }
}

/// Half up, at least 1.
fn rounded(extent: f64, rounding: Rounding) -> u32 {
    let whole = match rounding {
        Rounding::Nearest => (extent + 0.5).floor(),
        Rounding::Floor => extent.floor(),
    };
    (whole as u32).max(1)
}

fn shared_extent(extent: u32, share: f64) -> u32 {
    rounded(f64::from(extent) * share, Rounding::Nearest).min(extent.max(1))
}

/// Extent of the free side when `from` becomes `to`. Rounded down it is the whole-number quotient,
/// else a product with the factor.
fn free_side(side: u32, from: u32, to: u32, rounding: Rounding) -> u32 {
    match rounding {
        Rounding::Floor => u32::try_from(u64::from(side) * u64::from(to) / u64::from(from.max(1)))
            .unwrap_or(u32::MAX)
            .max(1),
        Rounding::Nearest => rounded(
            f64::from(side) * (f64::from(to) / f64::from(from)),
            Rounding::Nearest,
        ),
    }
}

fn check_pixels([w, h]: [u32; 2]) -> Result<(), StepError> {
    if u64::from(w) * u64::from(h) > MAX_PIXELS {
        return Err(StepError::Size(format!(
            "a step would make it {w}x{h}, more than {MAX_PIXELS} pixels"
        )));
    }
    Ok(())
}

/// The middle of `region`.
fn centred(region: Region, size: [u32; 2]) -> Result<Region, StepError> {
    let [width, height] = size;
    if width > region.width || height > region.height {
        return Err(StepError::Size(format!(
            "`center-crop` to {width}x{height} of {}x{}",
            region.width, region.height
        )));
    }
    Ok(Region {
        x: region.x + (region.width - width) / 2,
        y: region.y + (region.height - height) / 2,
        width,
        height,
    })
}

/// Carries out a crop: only `region` changes. `None` for a step that makes new pixels.
pub(super) fn crop(
    step: Step,
    region: Region,
    placement: &mut Placement,
) -> Result<Option<Region>, StepError> {
    let size = match step {
        Step::Crop(size) => size,
        Step::CropShare(share) => [region.width, region.height].map(|n| shared_extent(n, share)),
        Step::Resize { .. } | Step::Letterbox { .. } => return Ok(None),
    };
    let new = centred(region, size)?;
    placement.then(
        [1.0, 1.0],
        [-f64::from(new.x - region.x), -f64::from(new.y - region.y)],
    );
    Ok(Some(new))
}

/// Carries out a step that makes new pixels.
pub(super) fn resample(
    step: Step,
    resizer: &mut Resizer,
    source: View<'_>,
    target: &mut Image,
    placement: &mut Placement,
) -> Result<(), StepError> {
    let [w, h] = [source.width(), source.height()];
    if w == 0 || h == 0 {
        return Err(StepError::Size("it has no pixels".to_owned()));
    }
    match step {
        Step::Resize {
            size,
            mode: ResizeMode::Cover,
            kernel,
            ..
        } => {
            let factor = f64::from((size[0] as f32 / w as f32).max(size[1] as f32 / h as f32));
            let new = [
                opencv_extent(w, factor).max(1),
                opencv_extent(h, factor).max(1),
            ];
            check_pixels(new)?;
            resizer.resize_by_factor(source, new[0], new[1], factor, factor, kernel, target)?;
            placement.then([factor, factor], [0.0, 0.0]);
        }
        Step::Resize {
            size,
            mode,
            kernel,
            rounding,
        } => {
            let side = size[0];
            let new = match (mode, w < h) {
                (ResizeMode::ShorterSide, true) | (ResizeMode::LongerSide, false) => {
                    [side, free_side(h, w, side, rounding)]
                }
                (ResizeMode::ShorterSide, false) | (ResizeMode::LongerSide, true) => {
                    [free_side(w, h, side, rounding), side]
                }
                (ResizeMode::Stretch | ResizeMode::Cover, _) => size,
            };
            check_pixels(new)?;
            resizer.resize(source, new[0], new[1], kernel, target)?;
            placement.then(
                [
                    f64::from(new[0]) / f64::from(w),
                    f64::from(new[1]) / f64::from(h),
                ],
                [0.0, 0.0],
            );
        }
        Step::Letterbox {
            size,
            anchor,
            pad,
            kernel,
            rounding,
        } => {
            check_pixels(size)?;
            let factor = (f64::from(size[1]) / f64::from(h)).min(f64::from(size[0]) / f64::from(w));
            if kernel == Kernel::OpencvWarpLinear {
                let middle = |side: u32, extent: u32| {
                    if anchor == Anchor::Center {
                        f64::from(side) / 2.0 - factor * f64::from(extent) / 2.0
                    } else {
                        0.0
                    }
                };
                let offset = [middle(size[0], w), middle(size[1], h)];
                resizer.warp_letterbox(
                    source, size[0], size[1], factor, offset[0], offset[1], pad, target,
                )?;
                placement.then([factor, factor], offset);
                return Ok(());
            }
            let width = rounded(f64::from(w) * factor, rounding).min(size[0]);
            let height = rounded(f64::from(h) * factor, rounding).min(size[1]);
            let (x, y, scale) = match anchor {
                Anchor::TopLeft => (0, 0, [factor, factor]),
                Anchor::Center => (
                    (size[0] - width) / 2,
                    (size[1] - height) / 2,
                    [
                        f64::from(width) / f64::from(w),
                        f64::from(height) / f64::from(h),
                    ],
                ),
            };
            target.reshape(size[0], size[1])?;
            target.fill(pad);
            resizer.resize_into(
                source,
                kernel,
                target,
                Region {
                    x,
                    y,
                    width,
                    height,
                },
            )?;
            placement.then(scale, [f64::from(x), f64::from(y)]);
        }
        Step::Crop(_) | Step::CropShare(_) => source.copy_to(target)?,
    }
    Ok(())
}
