//! From the bytes of a file to pixels: the format is recognised by content, never by a name.
//!
//! Pixels are those of OpenCV 4.14's `imdecode(…, IMREAD_COLOR)` (with
//! `IMREAD_IGNORE_ORIENTATION`), as RGB.

mod bmp;
mod exif;
mod jpeg;
mod orientation;
mod png_format;
mod tiff_format;
mod webp;

#[cfg(test)]
mod tests;

use crate::error::ImageError;
use crate::image::Image;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use png_format::encode_png;

/// What happens to the orientation that a camera notes in EXIF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Orientation {
    /// Stored pixels as they are: what annotations of datasets refer to.
    #[default]
    Ignore,
    /// Turned upright, as Pillow's `ImageOps.exif_transpose` does.
    Apply,
}

/// What a header may announce before anything is allocated for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of the image.
    pub max_pixels: u64,
    /// Pixels of each side.
    pub max_side: u32,
    /// Scans of a progressive JPEG (each is a pass over the image).
    pub max_scans: u32,
}

impl Default for Limits {
    /// 67 million pixels (2²⁶, 201 MB of RGB), 65,500 a side (libjpeg's own limit), 1,000 scans.
    fn default() -> Self {
        Self {
            max_pixels: 1 << 26,
            max_side: 65_500,
            max_scans: 1000,
        }
    }
}

impl Limits {
    fn check(&self, width: u64, height: u64) -> Result<(u32, u32), ImageError> {
        let too_large = || ImageError::TooLarge {
            width,
            height,
            max_pixels: self.max_pixels,
            max_side: self.max_side,
        };
        let side = |n: u64| {
            u32::try_from(n)
                .ok()
                .filter(|n| *n <= self.max_side)
                .ok_or_else(too_large)
        };
        let (w, h) = (side(width)?, side(height)?);
        if w == 0 || h == 0 {
            return Err(ImageError::NoPixels {
                what: "the image file",
                width: w,
                height: h,
            });
        }
        if u64::from(w) * u64::from(h) > self.max_pixels {
            return Err(too_large());
        }
        Ok((w, h))
    }
}

/// File formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG: baseline, progressive, grey, CMYK, YCCK.
    Jpeg,
    /// PNG: every colour type and depth.
    Png,
    /// WebP: lossy and lossless, no animations.
    WebP,
    /// BMP: what is not compressed.
    Bmp,
    /// TIFF: grey and RGB.
    Tiff,
}

/// What stands in the head of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Its format.
    pub format: Format,
    /// Width of the stored pixels (before any orientation).
    pub width: u32,
    /// Height of the stored pixels.
    pub height: u32,
    /// EXIF orientation, 1 (upright) to 8; 1 when absent or invalid.
    pub orientation: u8,
}

/// The format of a file, from its first bytes.
///
/// # Errors
/// [`ImageError::Empty`], [`ImageError::UnknownFormat`].
pub fn format(bytes: &[u8]) -> Result<Format, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return Ok(Format::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Format::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(Format::WebP);
    }
    if bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*") {
        return Ok(Format::Tiff);
    }
    if bytes.starts_with(b"BM") {
        return Ok(Format::Bmp);
    }
    let first_bytes: Vec<String> = bytes.iter().take(8).map(|b| format!("{b:02x}")).collect();
    Err(ImageError::UnknownFormat {
        first_bytes: first_bytes.join(" "),
    })
}

/// Reads the head of a file without decoding pixels; sizes are within the default [`Limits`].
///
/// # Errors
/// As [`decode`], as far as the head shows it.
pub fn header(bytes: &[u8]) -> Result<Header, ImageError> {
    let format = format(bytes)?;
    guarded(format, || match format {
        Format::Jpeg => jpeg::header(bytes, &Limits::default()),
        Format::Png => png_format::header(bytes, &Limits::default()),
        Format::WebP => webp::header(bytes, &Limits::default()),
        Format::Bmp => bmp::header(bytes, &Limits::default()),
        Format::Tiff => tiff_format::header(bytes, &Limits::default()),
    })
}

/// Runs a decoder on untrusted bytes; its panic becomes an error. What it left half done is
/// overwritten: the caller empties the image after an error.
fn guarded<T>(
    format: Format,
    decoder: impl FnOnce() -> Result<T, ImageError>,
) -> Result<T, ImageError> {
    catch_unwind(AssertUnwindSafe(decoder)).unwrap_or_else(|payload| {
        let words = payload
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned());
        Err(ImageError::Panicked {
            format,
            words: words.unwrap_or_else(|| "without words".to_owned()),
        })
    })
}

/// Width and height of the stored pixels, without decoding them.
///
/// # Errors
/// As [`header`].
pub fn dimensions(bytes: &[u8]) -> Result<(u32, u32), ImageError> {
    header(bytes).map(|h| (h.width, h.height))
}

/// Decodes a file.
///
/// # Errors
/// Empty, unknown, damaged and truncated files, and sizes beyond `limits`. A file that other
/// programs would show in part is an error too: a measurement must not be made on half an image.
pub fn decode(
    bytes: &[u8],
    orientation: Orientation,
    limits: &Limits,
) -> Result<Image, ImageError> {
    let mut image = Image::default();
    decode_into(bytes, orientation, limits, &mut image)?;
    Ok(image)
}

/// Decodes a file into `image`, whose buffer is reused. After an error `image` has no pixels. A
/// panic of a decoder is an error.
///
/// # Errors
/// As [`decode`].
pub fn decode_into(
    bytes: &[u8],
    orientation: Orientation,
    limits: &Limits,
    image: &mut Image,
) -> Result<(), ImageError> {
    let result = format(bytes).and_then(|format| {
        guarded(format, || match format {
            Format::Jpeg => jpeg::decode_into(bytes, limits, image),
            Format::Png => png_format::decode_into(bytes, limits, image),
            Format::WebP => webp::decode_into(bytes, limits, image),
            Format::Bmp => bmp::decode_into(bytes, limits, image),
            Format::Tiff => tiff_format::decode_into(bytes, limits, image),
        })
    });
    match result {
        Ok(noted) if orientation == Orientation::Apply => orientation::apply(image, noted),
        Ok(_) => Ok(()),
        Err(error) => {
            image.reshape(0, 0)?;
            Err(error)
        }
    }
}
