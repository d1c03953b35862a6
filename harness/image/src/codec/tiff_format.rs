//! TIFF through `tiff`: grey of 1, 8 and 16 bits (of which the high byte is kept) and RGB of 8,
//! not compressed, by PackBits, LZW or Deflate, in strips. Of several pages the first.
//!
//! Everything else is refused: readers differ in what they make of alpha, of an orientation, of
//! 16-bit colours (OpenCV rounds), of palettes, floats, other colour spaces and of JPEG inside.

use super::{Format, Header, Limits, exif};
use crate::error::ImageError;
use crate::image::{CHANNELS, Image};
use std::io::Cursor;
use tiff::{
    ColorType, TiffError,
    decoder::{ChunkType, Decoder, DecodingResult},
    tags::Tag,
};

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

/// Largest value of a tag: the places of the strips of the largest picture.
const MAX_TAG_BYTES: usize = 1 << 20;
/// Black is zero, and RGB.
const PHOTOMETRIC: [u64; 2] = [1, 2];
/// None, LZW, Deflate by its two numbers, PackBits.
const COMPRESSION: [u64; 5] = [1, 5, 8, 32_946, 32_773];

/// A kind of file that the decoder does not know is not a bad file.
fn refused(error: TiffError) -> ImageError {
    match error {
        TiffError::UnsupportedError(what) => ImageError::Unsupported {
            format: "TIFF",
            what: what.to_string(),
        },
        other => ImageError::Tiff(other),
    }
}

fn open<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<(Reader<'a>, ColorType, Header), ImageError> {
    walk(bytes)?;
    let mut reader = Decoder::new(Cursor::new(bytes)).map_err(refused)?;
    let (width, height) = reader.dimensions().map_err(refused)?;
    let (width, height) = limits.check(width.into(), height.into())?;
    let unsupported = |what: String| {
        Err(ImageError::Unsupported {
            format: "TIFF",
            what,
        })
    };
    let color = reader.colortype().map_err(refused)?;
    if !matches!(color, ColorType::Gray(1 | 8 | 16) | ColorType::RGB(8)) {
        return unsupported(format!("pixels of {color:?}"));
    }
    if reader.get_chunk_type() != ChunkType::Strip {
        return unsupported("tiles".to_owned());
    }
    let mut tag = |tag: Tag, default: u64| {
        let found = reader.find_tag_unsigned::<u64>(tag);
        found.map(|value| value.unwrap_or(default)).map_err(refused)
    };
    for (what, number, known) in [
        (Tag::PhotometricInterpretation, 1, &PHOTOMETRIC[..]),
        (Tag::Compression, 1, &COMPRESSION[..]),
        (Tag::PlanarConfiguration, 1, &[1][..]),
        (Tag::Orientation, 1, &[1][..]),
        (Tag::FillOrder, 1, &[1][..]),
    ] {
        let value = tag(what, number)?;
        if !known.contains(&value) {
            return unsupported(format!("{what:?} {value}"));
        }
    }
    // The decoder takes memory for the whole picture, and never for more than a strip beside it.
    let most = width as usize * height as usize * CHANNELS;
    let mut bounds = tiff::decoder::Limits::default();
    bounds.decoding_buffer_size = most;
    bounds.intermediate_buffer_size = most.saturating_add(bytes.len());
    bounds.ifd_value_size = MAX_TAG_BYTES;
    let header = Header {
        format: Format::Tiff,
        width,
        height,
        orientation: exif::UPRIGHT,
    };
    Ok((reader.with_limits(bounds), color, header))
}

/// Checks that what the first directory announces lies in the file, before the decoder takes memory
/// for it (TIFF 6.0, section 2).
fn walk(bytes: &[u8]) -> Result<(), ImageError> {
    let damaged = |what: &str| ImageError::Damaged {
        format: "TIFF",
        what: what.to_owned(),
    };
    let little = bytes.starts_with(b"II");
    let u16_at = |at: usize| -> Option<u16> {
        let raw: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little {
            u16::from_le_bytes(raw)
        } else {
            u16::from_be_bytes(raw)
        })
    };
    let u32_at = |at: usize| -> Option<usize> {
        let raw: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if little {
            u32::from_le_bytes(raw)
        } else {
            u32::from_be_bytes(raw)
        } as usize)
    };
    if u16_at(2) != Some(42) {
        return Err(ImageError::Unsupported {
            format: "TIFF",
            what: "another version than 6.0".to_owned(),
        });
    }
    let cut = || damaged("its directory is cut off");
    let first = u32_at(4).ok_or_else(cut)?;
    let entries = usize::from(u16_at(first).ok_or_else(cut)?);
    for entry in 0..entries {
        let at = first.saturating_add(2).saturating_add(12 * entry);
        let kind = at.checked_add(2).and_then(u16_at).ok_or_else(cut)?;
        let count = at.checked_add(4).and_then(u32_at).ok_or_else(cut)?;
        let place = at.checked_add(8).and_then(u32_at).ok_or_else(cut)?;
        let each = match kind {
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16..=18 => 8,
            _ => 1,
        };
        let len = count.saturating_mul(each);
        if len > 4 && place.saturating_add(len) > bytes.len() {
            return Err(damaged("a value lies outside of it"));
        }
    }
    Ok(())
}

pub(crate) fn header(bytes: &[u8], limits: &Limits) -> Result<Header, ImageError> {
    open(bytes, limits).map(|(_, _, header)| header)
}

/// Decodes into `image`; returns the orientation, which is upright.
pub(crate) fn decode_into(
    bytes: &[u8],
    limits: &Limits,
    image: &mut Image,
) -> Result<u8, ImageError> {
    let (mut reader, color, Header { width, height, .. }) = open(bytes, limits)?;
    image.reshape(width, height)?;
    let decoded = reader.read_image().map_err(refused)?;
    let short = || ImageError::Damaged {
        format: "TIFF",
        what: "it has other pixels than its head says".to_owned(),
    };
    let len = image.data().len();
    let pixels = image.data_mut().chunks_exact_mut(CHANNELS);
    match (color, decoded) {
        (ColorType::RGB(8), DecodingResult::U8(rgb)) if rgb.len() == len => {
            image.data_mut().copy_from_slice(&rgb);
        }
        (ColorType::Gray(8), DecodingResult::U8(grey)) if grey.len() == len / CHANNELS => {
            pixels.zip(grey).for_each(|(p, grey)| p.fill(grey));
        }
        (ColorType::Gray(16), DecodingResult::U16(grey)) if grey.len() == len / CHANNELS => {
            pixels
                .zip(grey)
                .for_each(|(p, grey)| p.fill((grey >> 8) as u8));
        }
        (ColorType::Gray(1), DecodingResult::U8(bits)) => {
            let row_bytes = (width as usize).div_ceil(8);
            if bits.len() != row_bytes * height as usize {
                return Err(short());
            }
            let rows = image
                .data_mut()
                .chunks_exact_mut(width as usize * CHANNELS)
                .zip(bits.chunks_exact(row_bytes));
            for (target, row) in rows {
                for (x, pixel) in target.chunks_exact_mut(CHANNELS).enumerate() {
                    let byte = row.get(x / 8).copied().unwrap_or(0);
                    pixel.fill(if byte << (x % 8) & 0x80 == 0 { 0 } else { 255 });
                }
            }
        }
        _ => return Err(short()),
    }
    Ok(exif::UPRIGHT)
}
