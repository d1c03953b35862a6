//! The eight orientations of EXIF, undone as Pillow's `ImageOps.exif_transpose` undoes them.

use crate::error::ImageError;
use crate::image::{CHANNELS, Image};

/// Turns `image`, noted to be in orientation `noted` (1 to 8), upright.
pub(crate) fn apply(image: &mut Image, noted: u8) -> Result<(), ImageError> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    if width == 0 || height == 0 {
        return Ok(());
    }
    let row_bytes = width * CHANNELS;
    match noted {
        2 => image
            .data_mut()
            .chunks_exact_mut(row_bytes)
            .for_each(reverse_pixels),
        3 => reverse_pixels(image.data_mut()),
        4 => {
            reverse_pixels(image.data_mut());
            image
                .data_mut()
                .chunks_exact_mut(row_bytes)
                .for_each(reverse_pixels);
        }
        5..=8 => {
            // Row x of the result is column x of the source, read from below in 6 and 7, and the
            // rows are in reverse in 7 and 8.
            let mut turned = Image::new(image.height(), image.width())?;
            let source = image.data();
            for (y, row) in turned
                .data_mut()
                .chunks_exact_mut(height * CHANNELS)
                .enumerate()
            {
                let column = if matches!(noted, 7 | 8) {
                    width - 1 - y
                } else {
                    y
                };
                for (x, pixel) in row.chunks_exact_mut(CHANNELS).enumerate() {
                    let line = if matches!(noted, 6 | 7) {
                        height - 1 - x
                    } else {
                        x
                    };
                    let at = (line * width + column) * CHANNELS;
                    pixel.copy_from_slice(&source[at..at + CHANNELS]);
                }
            }
            *image = turned;
        }
        _ => {}
    }
    Ok(())
}

/// The last pixel first.
fn reverse_pixels(row: &mut [u8]) {
    row.reverse();
    // Reversing bytes turned RGB into BGR.
    for pixel in row.chunks_exact_mut(CHANNELS) {
        pixel.swap(0, 2);
    }
}
