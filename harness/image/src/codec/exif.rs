//! The orientation tag of EXIF (TIFF tag 0x0112 of the first directory; EXIF 2.32, section 4.6.4)
//! or, when EXIF has none, of XMP (`tiff:Orientation`): the two places where Pillow's
//! `exif_transpose` looks.

const ORIENTATION: u16 = 0x0112;

/// The upright orientation.
pub(crate) const UPRIGHT: u8 = 1;

/// Orientation noted in a TIFF block and an XMP packet: 1 to 8, 1 when there is none that makes
/// sense.
pub(crate) fn orientation(tiff: Option<&[u8]>, xmp: Option<&[u8]>) -> u8 {
    let noted = tiff.and_then(from_tiff).or_else(|| xmp.and_then(from_xmp));
    noted
        .and_then(|n| u8::try_from(n).ok())
        .filter(|n| (1..=8).contains(n))
        .unwrap_or(UPRIGHT)
}

/// Value of the tag in the first directory, whatever it is.
fn from_tiff(tiff: &[u8]) -> Option<u32> {
    let tiff = tiff.strip_prefix(b"Exif\0\0").unwrap_or(tiff);
    let big = match tiff.get(..4)? {
        b"II*\0" => false,
        b"MM\0*" => true,
        _ => return None,
    };
    let u16_at = |at: usize| -> Option<u16> {
        let bytes: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    };
    let u32_at = |at: usize| -> Option<u32> {
        let bytes: [u8; 4] = tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    };
    let directory = usize::try_from(u32_at(4)?).ok()?;
    for index in 0..usize::from(u16_at(directory)?) {
        let entry = directory.checked_add(2 + index * 12)?;
        if u16_at(entry)? == ORIENTATION {
            let value = entry.checked_add(8)?;
            return match u16_at(entry.checked_add(2)?)? {
                1 => tiff.get(value).map(|b| u32::from(*b)),
                3 => u16_at(value).map(u32::from),
                4 => u32_at(value),
                _ => None,
            };
        }
    }
    None
}

/// The digit of `tiff:Orientation="6"` or `<tiff:Orientation>6`.
fn from_xmp(xmp: &[u8]) -> Option<u32> {
    const NAME: &[u8] = b"tiff:Orientation";
    let mut rest = xmp;
    while let Some(at) = rest.windows(NAME.len()).position(|w| w == NAME) {
        rest = &rest[at + NAME.len()..];
        let value = rest
            .strip_prefix(b"=\"")
            .or_else(|| rest.strip_prefix(b">"));
        if let Some(digit) = value.and_then(|v| v.first()).filter(|d| d.is_ascii_digit()) {
            return Some(u32::from(digit - b'0'));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiff(big: bool, kind: u16, value: u32) -> Vec<u8> {
        let u16b = |v: u16| {
            if big {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        };
        let u32b = |v: u32| {
            if big {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        };
        let mut out = if big {
            b"MM\0*".to_vec()
        } else {
            b"II*\0".to_vec()
        };
        out.extend(u32b(8));
        out.extend(u16b(2));
        for (tag, kind, value) in [(0x0100, 4, 7), (ORIENTATION, kind, value)] {
            out.extend(u16b(tag));
            out.extend(u16b(kind));
            out.extend(u32b(1));
            if kind == 3 {
                out.extend(u16b(value as u16));
                out.extend([0, 0]);
            } else {
                out.extend(u32b(value));
            }
        }
        out
    }

    #[test]
    fn both_byte_orders_and_integer_types() {
        for big in [false, true] {
            assert_eq!(orientation(Some(&tiff(big, 3, 6)), None), 6);
            assert_eq!(orientation(Some(&tiff(big, 4, 8)), None), 8);
            assert_eq!(orientation(Some(&tiff(big, 3, 9)), None), UPRIGHT);
            assert_eq!(orientation(Some(&tiff(big, 2, 6)), None), UPRIGHT);
        }
    }

    #[test]
    fn xmp_only_when_exif_is_silent() {
        let xmp = b"<rdf tiff:OrientationX=\"3\" tiff:Orientation=\"8\"/>";
        assert_eq!(orientation(None, Some(xmp)), 8);
        assert_eq!(orientation(Some(&tiff(true, 3, 3)), Some(xmp)), 3);
        assert_eq!(
            orientation(None, Some(b"<tiff:Orientation>5</tiff:Orientation>")),
            5
        );
        assert_eq!(orientation(None, Some(b"tiff:Orientation")), UPRIGHT);
    }

    #[test]
    fn damaged_blocks_are_upright_and_do_not_panic() {
        let good = tiff(false, 3, 6);
        for length in 0..good.len() - 4 {
            assert_eq!(
                orientation(Some(&good[..length]), None),
                UPRIGHT,
                "{length} bytes"
            );
        }
        let mut far = good;
        far[4..8].fill(0xff);
        assert_eq!(orientation(Some(&far), None), UPRIGHT);
    }
}
