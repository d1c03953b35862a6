//! Image codecs and resize kernels, exact to the pixel.
//!
//! [`decode`] gives the pixels of `cv2.imdecode(…, IMREAD_COLOR)` in RGB order, [`Resizer`] the
//! pixels of `cv2.resize`, `cv2.warpPerspective` and `PIL.Image.resize`. Equal means every byte:
//! the tests compare hashes of the outputs of OpenCV 4.14 and Pillow 13. Everything runs in the
//! calling thread; parallelism is over samples.

mod codec;
mod error;
mod image;
mod resize;

pub use codec::{
    Format, Header, Limits, Orientation, decode, decode_into, dimensions, encode_png, format,
    header,
};
pub use error::ImageError;
pub use image::{CHANNELS, Image, Region, View};
pub use resize::{Resizer, opencv_extent};

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    /// In hexadecimal.
    pub(crate) fn sha256(bytes: &[u8]) -> String {
        let digits = b"0123456789abcdef";
        let hash = Sha256::digest(bytes);
        hash.iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|digit| char::from(digits[usize::from(digit)]))
            .collect()
    }
}
