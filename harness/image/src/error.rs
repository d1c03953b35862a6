//! What can go wrong with an image; every message names the values needed to act.

use dyno_core::Kernel;

/// Error of decoding, encoding or resampling.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// No bytes at all.
    #[error("the image file is empty")]
    Empty,
    /// The first bytes belong to no format this crate reads.
    #[error(
        "unknown image format (first bytes {first_bytes}); supported: JPEG, PNG, WebP, BMP, TIFF"
    )]
    UnknownFormat {
        /// Up to eight first bytes in hexadecimal.
        first_bytes: String,
    },
    /// The JPEG decoder refused the file.
    #[error("bad JPEG")]
    Jpeg(#[source] libjpeg_turbo_rs::JpegError),
    /// The PNG decoder refused the file.
    #[error("bad PNG")]
    Png(#[source] png::DecodingError),
    /// The WebP decoder refused the file.
    #[error("bad WebP")]
    WebP(#[source] image_webp::DecodingError),
    /// The TIFF decoder refused the file.
    #[error("bad TIFF")]
    Tiff(#[source] tiff::TiffError),
    /// The file is not what its head says.
    #[error("bad {format}: {what}")]
    Damaged {
        /// The format.
        format: &'static str,
        /// What is wrong.
        what: String,
    },
    /// The file is in a known format but its pixels are of a kind this crate does not read.
    #[error("{format} with {what} is not supported")]
    Unsupported {
        /// The format.
        format: &'static str,
        /// What is not supported.
        what: String,
    },
    /// The decoder panicked: a fault of it that this file brings out.
    #[error("the {format:?} decoder panicked: {words}")]
    Panicked {
        /// The format.
        format: crate::Format,
        /// The words of the panic.
        words: String,
    },
    /// The header announces more than [`crate::Limits`] allow.
    #[error(
        "image of {width}x{height} pixels exceeds the limit of {max_pixels} pixels and {max_side} a side"
    )]
    TooLarge {
        /// Width in the header.
        width: u64,
        /// Height in the header.
        height: u64,
        /// The limit of pixels.
        max_pixels: u64,
        /// The limit of each side.
        max_side: u32,
    },
    /// No memory for the pixels.
    #[error("no memory for an image of {width}x{height} pixels")]
    Memory {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// A side is zero.
    #[error("{what} has no pixels ({width}x{height})")]
    NoPixels {
        /// Which image.
        what: &'static str,
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
    /// A buffer of another length than its size says.
    #[error("{width}x{height} pixels of 3 bytes do not fit a buffer of {len} bytes")]
    BufferSize {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes in the buffer.
        len: usize,
    },
    /// A region that is not inside its image.
    #[error(
        "region {width}x{height} at ({x}, {y}) is not inside the image of {image_width}x{image_height}"
    )]
    Region {
        /// Left side.
        x: u32,
        /// Upper side.
        y: u32,
        /// Width.
        width: u32,
        /// Height.
        height: u32,
        /// Width of the image.
        image_width: u32,
        /// Height of the image.
        image_height: u32,
    },
    /// A scale, factor or offset that cannot be used.
    #[error("`{name}` = {value} is not usable: it must be finite{}", if *positive { " and positive" } else { "" })]
    Factor {
        /// Which number.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Whether it had to be positive too.
        positive: bool,
    },
    /// A kernel that does not do this operation.
    #[error("kernel {kernel:?} cannot {what}")]
    Kernel {
        /// The kernel.
        kernel: Kernel,
        /// The operation.
        what: &'static str,
    },
    /// The PNG encoder failed.
    #[error("cannot encode a PNG")]
    Encode(#[source] png::EncodingError),
}
