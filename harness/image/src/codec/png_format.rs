//! PNG through `png`: every colour type and depth becomes 8-bit RGB as OpenCV's `IMREAD_COLOR`
//! makes it: 16 bits keep their high byte, alpha and transparent colours are dropped without
//! blending, palettes and 1, 2 and 4-bit greys are expanded. Of an animation, the still image.

use super::exif;
use super::{Format, Header, Limits};
use crate::error::ImageError;
use crate::image::{CHANNELS, Image};
use png::{BitDepth, ColorType, Decoder, Reader, Transformations};
use std::io::Cursor;

type PngReader<'a> = Reader<Cursor<&'a [u8]>>;

fn open<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(PngReader<'a>, Header), ImageError> {
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let info = decoder.read_header_info().map_err(ImageError::Png)?;
    let (width, height) = limits.check(u64::from(info.width), u64::from(info.height))?;
    let reader = decoder.read_info().map_err(ImageError::Png)?;
    // Only a chunk before the pixels is seen, which is where every writer puts it.
    let orientation = exif::orientation(reader.info().exif_metadata.as_deref(), None);
    Ok((
        reader,
        Header {
            format: Format::Png,
            width,
            height,
            orientation,
        },
    ))
}

pub(crate) fn header(bytes: &[u8], limits: &Limits) -> Result<Header, ImageError> {
    open(bytes, limits).map(|(_, header)| header)
}

/// Decodes into `image`; returns the orientation noted in the file.
pub(crate) fn decode_into(
    bytes: &[u8],
    limits: &Limits,
    image: &mut Image,
) -> Result<u8, ImageError> {
    let (mut reader, header) = open(bytes, limits)?;
    let Header {
        width,
        height,
        orientation,
        ..
    } = header;
    let samples = match reader.output_color_type() {
        (ColorType::Grayscale, BitDepth::Eight) => 1,
        (ColorType::GrayscaleAlpha, BitDepth::Eight) => 2,
        (ColorType::Rgb, BitDepth::Eight) => CHANNELS,
        (ColorType::Rgba, BitDepth::Eight) => 4,
        (color, depth) => {
            return Err(ImageError::Unsupported {
                format: "PNG",
                what: format!("pixels of {color:?} at {depth:?} bits"),
            });
        }
    };
    image.reshape(width, height)?;
    if samples == CHANNELS {
        reader
            .next_frame(image.data_mut())
            .map_err(ImageError::Png)?;
    } else if reader.info().interlaced {
        // The passes of Adam7 fill the whole frame again and again.
        let too_large = |_| ImageError::Memory { width, height };
        let len = image.data().len() / CHANNELS * samples;
        let mut raw = Vec::new();
        raw.try_reserve_exact(len).map_err(too_large)?;
        raw.resize(len, 0);
        reader.next_frame(&mut raw).map_err(ImageError::Png)?;
        to_rgb(&raw, samples, image.data_mut());
    } else {
        let row_bytes = width as usize * CHANNELS;
        for target in image.data_mut().chunks_exact_mut(row_bytes) {
            let row = reader.next_row().map_err(ImageError::Png)?;
            let row = row.ok_or(ImageError::Unsupported {
                format: "PNG",
                what: "fewer rows than its head says".to_owned(),
            })?;
            to_rgb(row.data(), samples, target);
        }
        reader.finish().map_err(ImageError::Png)?;
    }
    Ok(orientation)
}

/// Pixels of one, two or four samples as RGB: alpha is dropped.
fn to_rgb(source: &[u8], samples: usize, rgb: &mut [u8]) {
    for (pixel, source) in rgb
        .chunks_exact_mut(CHANNELS)
        .zip(source.chunks_exact(samples))
    {
        if samples == 4 {
            pixel.copy_from_slice(&source[..CHANNELS]);
        } else {
            pixel.fill(source[0]);
        }
    }
}

/// The image as an RGB PNG file.
///
/// # Errors
/// [`ImageError::NoPixels`], [`ImageError::Encode`].
pub fn encode_png(image: &Image) -> Result<Vec<u8>, ImageError> {
    if image.width() == 0 || image.height() == 0 {
        return Err(ImageError::NoPixels {
            what: "the image to encode",
            width: image.width(),
            height: image.height(),
        });
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, image.width(), image.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(ImageError::Encode)?;
    writer
        .write_image_data(image.data())
        .map_err(ImageError::Encode)?;
    writer.finish().map_err(ImageError::Encode)?;
    Ok(out)
}
