//! [`Resizer`]: one entrance to all kernels, with tables and buffers that stay.

use super::axis::{Axis, Cache};
use super::{area, cubic, linear, nearest, pillow, warp};
use crate::error::ImageError;
use crate::image::{Image, Region, Target, View};
use dyno_core::Kernel;

/// Resamples images. Keeps coefficient tables of the latest sizes and its row buffers, so one
/// `Resizer` for each thread, reused, does not allocate once it has seen the sizes. Every function
/// gives `dst` its new size and reuses its buffer.
#[derive(Debug, Default)]
pub struct Resizer {
    bilinear: Cache<linear::Taps>,
    area_up: Cache<linear::Taps>,
    shares: Cache<area::Shares>,
    cubic: Cache<cubic::Taps>,
    nearest: Cache<Vec<u32>>,
    pillow_bilinear: Cache<pillow::Weights>,
    pillow_bicubic: Cache<pillow::Weights>,
    linear_scratch: linear::Scratch,
    area_scratch: area::Scratch,
    cubic_scratch: cubic::Scratch,
    pillow_scratch: pillow::Scratch,
    warp_scratch: warp::Scratch,
}

/// The extent that OpenCV gives a side of `len` pixels resized by `factor`: the product rounded
/// half to even; 0 when it is not a usable number.
pub fn opencv_extent(len: u32, factor: f64) -> u32 {
    // A float too large saturates, NaN and negative become 0; the caller's size check speaks about
    // all of them.
    (f64::from(len) * factor).round_ties_even() as u32
}

fn has_pixels(what: &'static str, width: u32, height: u32) -> Result<(), ImageError> {
    if width == 0 || height == 0 {
        Err(ImageError::NoPixels {
            what,
            width,
            height,
        })
    } else {
        Ok(())
    }
}

fn usable(name: &'static str, value: f64, positive: bool) -> Result<(), ImageError> {
    if value.is_finite() && (!positive || value > 0.0) {
        Ok(())
    } else {
        Err(ImageError::Factor {
            name,
            value,
            positive,
        })
    }
}

impl Resizer {
    /// A resizer without tables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Resizes `src` (an `&Image` or a [`View`] of a part) to `width` x `height` pixels, aspect
    /// ratio ignored.
    ///
    /// # Errors
    /// [`ImageError::NoPixels`] for a side of zero, [`ImageError::Memory`], [`ImageError::Kernel`]
    /// for `opencv-warp-linear`, which is [`Self::warp_letterbox`].
    pub fn resize<'a>(
        &mut self,
        src: impl Into<View<'a>>,
        width: u32,
        height: u32,
        kernel: Kernel,
        dst: &mut Image,
    ) -> Result<(), ImageError> {
        has_pixels("the target", width, height)?;
        dst.reshape(width, height)?;
        self.resize_into(
            src,
            kernel,
            dst,
            Region {
                x: 0,
                y: 0,
                width,
                height,
            },
        )
    }

    /// Resizes `src` to the rectangle `region` of `dst` and leaves the rest of `dst` alone:
    /// letterboxing without a copy.
    ///
    /// # Errors
    /// As [`Self::resize`], and [`ImageError::Region`].
    pub fn resize_into<'a>(
        &mut self,
        src: impl Into<View<'a>>,
        kernel: Kernel,
        dst: &mut Image,
        region: Region,
    ) -> Result<(), ImageError> {
        let src = src.into();
        has_pixels("the source", src.width(), src.height())?;
        has_pixels("the target", region.width, region.height)?;
        let (x, y) = (
            Axis::between(src.width(), region.width),
            Axis::between(src.height(), region.height),
        );
        self.run(src, x, y, kernel, &mut dst.target(region)?)
    }

    /// Resizes `src` to `width` x `height` pixels with source coordinates taken from the factors
    /// `fx` and `fy` (destination / source), not from the ratio of the extents:
    /// `cv2.resize(src, None, fx=fx, fy=fy)`, whose extents are [`opencv_extent`] of the sides.
    /// Pillow's kernels know no such factor.
    ///
    /// # Errors
    /// As [`Self::resize`], and [`ImageError::Factor`].
    #[expect(
        clippy::too_many_arguments,
        reason = "the parameters of cv2.resize, and callers have them as separate values"
    )]
    pub fn resize_by_factor<'a>(
        &mut self,
        src: impl Into<View<'a>>,
        width: u32,
        height: u32,
        fx: f64,
        fy: f64,
        kernel: Kernel,
        dst: &mut Image,
    ) -> Result<(), ImageError> {
        let src = src.into();
        usable("fx", fx, true)?;
        usable("fy", fy, true)?;
        if matches!(kernel, Kernel::PillowBilinear | Kernel::PillowBicubic) {
            return Err(ImageError::Kernel {
                kernel,
                what: "resize by a factor: Pillow knows extents only",
            });
        }
        has_pixels("the source", src.width(), src.height())?;
        has_pixels("the target", width, height)?;
        dst.reshape(width, height)?;
        let (x, y) = (
            Axis::by_factor(src.width(), width, fx),
            Axis::by_factor(src.height(), height, fy),
        );
        self.run(
            src,
            x,
            y,
            kernel,
            &mut dst.target(Region {
                x: 0,
                y: 0,
                width,
                height,
            })?,
        )
    }

    /// `cv2.warpPerspective(src, [[scale, 0, offset_x], [0, scale, offset_y], [0, 0, 1]], (width,
    /// height), INTER_LINEAR, BORDER_CONSTANT,
    /// border)`: a source pixel (x, y) lands at (x · scale + offset_x, y · scale + offset_y).
    ///
    /// # Errors
    /// [`ImageError::NoPixels`], [`ImageError::Memory`], [`ImageError::Factor`].
    #[expect(
        clippy::too_many_arguments,
        reason = "a matrix and a size, which callers have as separate values"
    )]
    pub fn warp_letterbox<'a>(
        &mut self,
        src: impl Into<View<'a>>,
        width: u32,
        height: u32,
        scale: f64,
        offset_x: f64,
        offset_y: f64,
        border: [u8; 3],
        dst: &mut Image,
    ) -> Result<(), ImageError> {
        let src = src.into();
        usable("scale", scale, true)?;
        usable("1/scale²", 1.0 / (scale * scale), true)?;
        usable("offset_x", offset_x, false)?;
        usable("offset_y", offset_y, false)?;
        has_pixels("the source", src.width(), src.height())?;
        has_pixels("the target", width, height)?;
        dst.reshape(width, height)?;
        let matrix = warp::Matrix {
            scale,
            x: offset_x,
            y: offset_y,
        };
        warp::letterbox(
            src,
            matrix,
            border,
            &mut self.warp_scratch,
            &mut dst.target(Region {
                x: 0,
                y: 0,
                width,
                height,
            })?,
        );
        Ok(())
    }

    fn run(
        &mut self,
        src: View<'_>,
        x: Axis,
        y: Axis,
        kernel: Kernel,
        target: &mut Target<'_>,
    ) -> Result<(), ImageError> {
        if kernel == Kernel::OpencvWarpLinear {
            return Err(ImageError::Kernel {
                kernel,
                what: "resize: it is a letterbox (`warp_letterbox`)",
            });
        }
        if (x.source, y.source) == (x.target, y.target) {
            // Every library here copies, whatever the kernel.
            for row in 0..target.height {
                target.row(row).copy_from_slice(src.row(row));
            }
            return Ok(());
        }
        let whole = x.whole_scale().zip(y.whole_scale()).map(|(x, y)| [x, y]);
        match kernel {
            // OpenCV takes a linear halving of both sides for an area mean.
            Kernel::OpencvLinear if whole == Some([2, 2]) => {
                area::resize_whole(src, [2, 2], &mut self.area_scratch, target);
            }
            Kernel::OpencvLinear => {
                let (x, y) = (
                    self.bilinear.get(x, linear::bilinear),
                    self.bilinear.get(y, linear::bilinear),
                );
                linear::resize(src, &x, &y, &mut self.linear_scratch, target);
            }
            Kernel::OpencvArea if x.scale >= 1.0 && y.scale >= 1.0 => {
                if let Some(ratio) = whole {
                    area::resize_whole(src, ratio, &mut self.area_scratch, target);
                } else {
                    let (x, y) = (
                        self.shares.get(x, area::shares),
                        self.shares.get(y, area::shares),
                    );
                    area::resize(src, &x, &y, &mut self.area_scratch, target);
                }
            }
            Kernel::OpencvArea => {
                let (x, y) = (
                    self.area_up.get(x, linear::area_up),
                    self.area_up.get(y, linear::area_up),
                );
                linear::resize(src, &x, &y, &mut self.linear_scratch, target);
            }
            Kernel::OpencvCubic => {
                let (x, y) = (
                    self.cubic.get(x, cubic::taps),
                    self.cubic.get(y, cubic::taps),
                );
                cubic::resize(src, &x, &y, &mut self.cubic_scratch, target);
            }
            Kernel::Nearest => {
                let (x, y) = (
                    self.nearest.get(x, nearest::positions),
                    self.nearest.get(y, nearest::positions),
                );
                nearest::resize(src, &x, &y, target);
            }
            Kernel::PillowBilinear => {
                let weights = |axis| pillow::weights(axis, pillow::BILINEAR);
                let (x, y) = (
                    self.pillow_bilinear.get(x, weights),
                    self.pillow_bilinear.get(y, weights),
                );
                pillow::resize(src, &x, &y, &mut self.pillow_scratch, target);
            }
            Kernel::PillowBicubic => {
                let weights = |axis| pillow::weights(axis, pillow::BICUBIC);
                let (x, y) = (
                    self.pillow_bicubic.get(x, weights),
                    self.pillow_bicubic.get(y, weights),
                );
                pillow::resize(src, &x, &y, &mut self.pillow_scratch, target);
            }
            // Refused above.
            Kernel::OpencvWarpLinear => {}
        }
        Ok(())
    }
}
