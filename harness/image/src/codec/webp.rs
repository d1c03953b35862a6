//! WebP through `image-webp`: lossy and small lossless still pictures, whose pixels equal those of libwebp
//! (inside OpenCV) to the last bit. Alpha is dropped. Animations are refused.
//!
//! Container: RFC 9649, section 2. It is walked before the decoder sees it, because a picture may
//! announce another size than the file does, and memory is taken for it.

use super::{Format, Header, Limits, exif};
use crate::error::ImageError;
use crate::image::{CHANNELS, Image};
use image_webp::WebPDecoder;
use std::io::Cursor;

/// Bytes before the first chunk: `RIFF`, size, `WEBP`.
const HEAD: usize = 12;
/// Longest lossless part that is decoded. The decoder makes code tables of up to 3,000 times the
/// bytes that describe them (found by fuzzing), whatever the picture's size is.
const MAX_LOSSLESS_BYTES: usize = 1 << 16;
/// Longest EXIF or XMP block that is looked at.
const MAX_METADATA_BYTES: usize = 1 << 20;

fn damaged(what: &str) -> ImageError {
    ImageError::Damaged {
        format: "WebP",
        what: what.to_owned(),
    }
}

fn le<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Width and height that a chunk with pixels announces.
fn announced(kind: [u8; 4], data: &[u8]) -> Option<(u32, u32)> {
    match &kind {
        // A frame's tag of three bytes, a start code of three, then 14 bits a side.
        b"VP8 " => {
            let side = |at| Some(u32::from(u16::from_le_bytes(le(data, at)?)) & 0x3fff);
            Some((side(6)?, side(8)?))
        }
        // A signature, then 14 bits a side, less one.
        b"VP8L" => {
            let bits = u32::from_le_bytes(le(data, 1)?);
            Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
        }
        _ => None,
    }
}

/// Checks that the file is whole and that nothing in it is larger than the limits.
fn walk(bytes: &[u8], limits: &Limits) -> Result<(), ImageError> {
    let size = le(bytes, 4).map(u32::from_le_bytes);
    let size = size.ok_or_else(|| damaged("its head is cut off"))?;
    let end = 8_usize.saturating_add(size as usize);
    let body = bytes
        .get(HEAD..end)
        .ok_or_else(|| damaged("it is shorter or longer than its head says"))?;
    let mut rest = body;
    while !rest.is_empty() {
        let (kind, len) = le::<4>(rest, 0)
            .zip(le(rest, 4).map(u32::from_le_bytes))
            .ok_or_else(|| damaged("a chunk's head is cut off"))?;
        let len = len as usize;
        let data = rest.get(8..).and_then(|r| r.get(..len));
        let data = data.ok_or_else(|| damaged("a chunk is cut off"))?;
        if matches!(&kind, b"ANIM" | b"ANMF") {
            return Err(ImageError::Unsupported {
                format: "WebP",
                what: "an animation".to_owned(),
            });
        }
        // Alpha may be compressed as losslessly as a picture.
        if matches!(&kind, b"VP8L" | b"ALPH") && len > MAX_LOSSLESS_BYTES {
            return Err(ImageError::Unsupported {
                format: "WebP",
                what: format!("a lossless part of more than {MAX_LOSSLESS_BYTES} bytes"),
            });
        }
        if let Some((width, height)) = announced(kind, data) {
            limits.check(width.into(), height.into())?;
        }
        // Chunks begin at even places; the byte between may be missing at the end.
        let next = 8 + len + len % 2;
        rest = rest.get(next..).unwrap_or_default();
    }
    Ok(())
}

type Reader<'a> = WebPDecoder<Cursor<&'a [u8]>>;

fn open<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(Reader<'a>, Header), ImageError> {
    walk(bytes, limits)?;
    let mut reader = WebPDecoder::new(Cursor::new(bytes)).map_err(ImageError::WebP)?;
    let (width, height) = reader.dimensions();
    let (width, height) = limits.check(width.into(), height.into())?;
    reader.set_memory_limit(MAX_METADATA_BYTES);
    let exif_block = reader.exif_metadata().ok().flatten();
    let xmp = reader.xmp_metadata().ok().flatten();
    let header = Header {
        format: Format::WebP,
        width,
        height,
        orientation: exif::orientation(exif_block.as_deref(), xmp.as_deref()),
    };
    Ok((reader, header))
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
    let Header { width, height, .. } = header;
    image.reshape(width, height)?;
    if reader.has_alpha() {
        let len = image.data().len() / CHANNELS * 4;
        let mut raw = Vec::new();
        raw.try_reserve_exact(len)
            .map_err(|_| ImageError::Memory { width, height })?;
        raw.resize(len, 0);
        reader.read_image(&mut raw).map_err(ImageError::WebP)?;
        for (pixel, rgba) in image
            .data_mut()
            .chunks_exact_mut(CHANNELS)
            .zip(raw.chunks_exact(4))
        {
            pixel.copy_from_slice(&rgba[..CHANNELS]);
        }
    } else {
        reader
            .read_image(image.data_mut())
            .map_err(ImageError::WebP)?;
    }
    Ok(header.orientation)
}
