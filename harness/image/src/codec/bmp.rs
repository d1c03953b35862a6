//! BMP: pixels that are not compressed, of 1, 4 or 8 bits with a palette and of 24 or 32 bits, rows
//! upwards or downwards, with the head of OS/2 or of Windows. Alpha is dropped.
//!
//! Layout: <https://learn.microsoft.com/windows/win32/gdi/bitmap-storage>. Run lengths and 16 bits
//! are refused: programs differ in the pixels that runs leave out and in how five bits become
//! eight.

use super::{Format, Header, Limits, exif};
use crate::error::ImageError;
use crate::image::{CHANNELS, Image};

/// Bytes of the file's own head.
const FILE_HEAD: usize = 14;
/// Bytes of the head of OS/2, whose sizes have 16 bits.
const CORE_HEAD: u32 = 12;
/// Bytes of the head of Windows, at least.
const INFO_HEAD: u32 = 40;
/// Masks of red, green and blue that mean the order of bytes that all files have.
const MASKS: [u32; 3] = [0x00ff_0000, 0x0000_ff00, 0x0000_00ff];

/// What stands before the pixels.
struct Head {
    width: u32,
    height: u32,
    /// The first row of the file is the upper one.
    downwards: bool,
    bits: usize,
    /// Red, green and blue.
    palette: Vec<[u8; 3]>,
    /// Where the pixels begin.
    pixels: usize,
}

fn unsupported(what: String) -> ImageError {
    ImageError::Unsupported {
        format: "BMP",
        what,
    }
}

fn damaged(what: &str) -> ImageError {
    ImageError::Damaged {
        format: "BMP",
        what: what.to_owned(),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn head(bytes: &[u8], limits: &Limits) -> Result<Head, ImageError> {
    let short = || damaged("its head is cut off");
    let word = |at| u16_at(bytes, at).ok_or_else(short);
    let long = |at| u32_at(bytes, at).ok_or_else(short);
    let pixels = long(10)? as usize;
    let size = long(FILE_HEAD)?;
    let is_core = size == CORE_HEAD;
    if !is_core && !(INFO_HEAD..=256).contains(&size) {
        return Err(unsupported(format!("a head of {size} bytes")));
    }
    let (width, height, planes, bits) = if is_core {
        let side = |at| word(at).map(i32::from);
        (side(18)?, side(20)?, word(22)?, word(24)?)
    } else {
        let side = |at| long(at).map(u32::cast_signed);
        (side(18)?, side(22)?, word(26)?, word(28)?)
    };
    let compression = if is_core { 0 } else { long(30)? };
    let downwards = height < 0;
    if width < 0 || planes != 1 {
        return Err(damaged("its head makes no sense"));
    }
    let (width, height) = limits.check(
        u64::from(width.unsigned_abs()),
        u64::from(height.unsigned_abs()),
    )?;
    match (compression, bits) {
        (0, 1 | 4 | 8 | 24 | 32) => {}
        // Masks follow the head of 40 bytes, and are part of longer ones: the same place.
        (3, 32) if MASKS == [long(54)?, long(58)?, long(62)?] => {}
        _ => {
            return Err(unsupported(format!(
                "{bits} bits a pixel, compression {compression}"
            )));
        }
    }
    let palette = if bits <= 8 {
        let most = 1 << bits;
        let used = if is_core { 0 } else { long(46)? };
        let count = if used == 0 { most } else { used };
        if count > most {
            return Err(damaged("its palette is too long"));
        }
        let entry = if is_core { 3 } else { 4 };
        let start = FILE_HEAD.saturating_add(size as usize);
        let end = start.saturating_add(count as usize * entry);
        let entries = bytes.get(start..end).ok_or_else(short)?;
        entries
            .chunks_exact(entry)
            .map(|e| [e[2], e[1], e[0]])
            .collect()
    } else {
        Vec::new()
    };
    Ok(Head {
        width,
        height,
        downwards,
        bits: bits.into(),
        palette,
        pixels,
    })
}

pub(crate) fn header(bytes: &[u8], limits: &Limits) -> Result<Header, ImageError> {
    let head = head(bytes, limits)?;
    Ok(Header {
        format: Format::Bmp,
        width: head.width,
        height: head.height,
        orientation: exif::UPRIGHT,
    })
}

/// Decodes into `image`; returns the orientation, which is upright.
pub(crate) fn decode_into(
    bytes: &[u8],
    limits: &Limits,
    image: &mut Image,
) -> Result<u8, ImageError> {
    let head = head(bytes, limits)?;
    // Rows are filled up to four bytes. The size is bounded by the limits, so nothing overflows.
    let row_bytes = (head.width as usize * head.bits).div_ceil(32) * 4;
    let len = row_bytes * head.height as usize;
    let pixels = bytes.get(head.pixels..).and_then(|p| p.get(..len));
    let pixels = pixels.ok_or_else(|| damaged("it ends before its pixels do"))?;
    image.reshape(head.width, head.height)?;
    let targets = image
        .data_mut()
        .chunks_exact_mut(head.width as usize * CHANNELS);
    if head.downwards {
        rows(&head, targets, pixels.chunks_exact(row_bytes))?;
    } else {
        rows(&head, targets, pixels.chunks_exact(row_bytes).rev())?;
    }
    Ok(exif::UPRIGHT)
}

fn rows<'a>(
    head: &Head,
    targets: impl Iterator<Item = &'a mut [u8]>,
    sources: impl Iterator<Item = &'a [u8]>,
) -> Result<(), ImageError> {
    for (target, source) in targets.zip(sources) {
        let pixels = target.chunks_exact_mut(CHANNELS);
        match head.bits / 8 {
            bytes @ (3 | 4) => {
                for (pixel, bgr) in pixels.zip(source.chunks_exact(bytes)) {
                    pixel.copy_from_slice(&[bgr[2], bgr[1], bgr[0]]);
                }
            }
            _ => {
                for (x, pixel) in pixels.enumerate() {
                    // The left pixel of a byte has its upper bits.
                    let bit = x * head.bits;
                    let byte = source.get(bit / 8).copied().unwrap_or(0);
                    let index = (byte << (bit % 8)) >> (8 - head.bits);
                    let color = head.palette.get(usize::from(index));
                    let color = color.ok_or_else(|| {
                        damaged("a pixel has a color that its palette does not have")
                    })?;
                    pixel.copy_from_slice(color);
                }
            }
        }
    }
    Ok(())
}
