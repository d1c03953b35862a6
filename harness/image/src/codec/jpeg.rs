//! JPEG through `libjpeg-turbo-rs`, whose pixels equal those of libjpeg-turbo (the decoder inside
//! OpenCV and Pillow).
//!
//! CMYK and YCCK are the one kind where the two libraries differ from each other (by one level, in
//! how they divide by 255); here it is OpenCV's formula: with c and k as stored (Adobe's inverted
//! values), `k - ((255 - c) * k >> 8)`.

use super::exif;
use super::{Format, Header, Limits};
use crate::error::ImageError;
use crate::image::{CHANNELS, Image};
use libjpeg_turbo_rs::{ColorSpace, ComponentInfo, DecodeLimits, Decoder, PixelFormat};

/// Opens the file and checks its size.
fn open<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(Decoder<'a>, u32, u32), ImageError> {
    let side = limits.max_side as usize;
    let library = DecodeLimits {
        max_width: side,
        max_height: side,
        max_pixels: limits.max_pixels,
        max_scans: limits.max_scans as usize,
        max_memory: None,
    };
    let decoder = Decoder::new_with_limits(bytes, library).map_err(ImageError::Jpeg)?;
    let frame = decoder.header();
    let (width, height) = limits.check(frame.width() as u64, frame.height() as u64)?;
    // The library upsamples three components only, and panics on four.
    if frame.components.len() == 4
        && frame
            .components
            .windows(2)
            .any(|c| sampling(c[0]) != sampling(c[1]))
    {
        return Err(ImageError::Unsupported {
            format: "JPEG",
            what: "four components (CMYK) of different sampling".to_owned(),
        });
    }
    if frame.precision != 8 {
        return Err(ImageError::Unsupported {
            format: "JPEG",
            what: format!("{} bits a sample", frame.precision),
        });
    }
    Ok((decoder, width, height))
}

/// Horizontal and vertical sampling factor.
fn sampling(component: ComponentInfo) -> (u8, u8) {
    (component.horizontal_sampling, component.vertical_sampling)
}

fn orientation(decoder: &Decoder<'_>) -> u8 {
    exif::orientation(decoder.exif_data(), decoder.xmp_data())
}

pub(crate) fn header(bytes: &[u8], limits: &Limits) -> Result<Header, ImageError> {
    let (decoder, width, height) = open(bytes, limits)?;
    Ok(Header {
        format: Format::Jpeg,
        width,
        height,
        orientation: orientation(&decoder),
    })
}

/// Decodes into `image`; returns the orientation noted in the file.
pub(crate) fn decode_into(
    bytes: &[u8],
    limits: &Limits,
    image: &mut Image,
) -> Result<u8, ImageError> {
    let (mut decoder, width, height) = open(bytes, limits)?;
    if matches!(
        decoder.jpeg_color_space(),
        ColorSpace::Cmyk | ColorSpace::Ycck
    ) {
        decoder.set_output_format(PixelFormat::Cmyk);
        let decoded = decoder.decode_image().map_err(ImageError::Jpeg)?;
        image.reshape(width, height)?;
        if decoded.data.len() / 4 * CHANNELS != image.data().len() {
            return Err(ImageError::BufferSize {
                width,
                height,
                len: decoded.data.len(),
            });
        }
        cmyk_to_rgb(&decoded.data, image.data_mut());
    } else {
        image.reshape(width, height)?;
        decoder.set_output_format(PixelFormat::Rgb);
        let info = decoder
            .decode_image_into(image.data_mut())
            .map_err(ImageError::Jpeg)?;
        if info.bytes_written != image.data().len() {
            return Err(ImageError::BufferSize {
                width,
                height,
                len: info.bytes_written,
            });
        }
    }
    Ok(orientation(&decoder))
}

fn cmyk_to_rgb(cmyk: &[u8], rgb: &mut [u8]) {
    for (ink, pixel) in cmyk.chunks_exact(4).zip(rgb.chunks_exact_mut(CHANNELS)) {
        let key = u32::from(ink[3]);
        for (out, ink) in pixel.iter_mut().zip(ink) {
            *out = (key - (((255 - u32::from(*ink)) * key) >> 8)) as u8;
        }
    }
}
