//! Pictures: JPEG, PNG, WebP, BMP and TIFF files through `dyno_image`.
//!
//! Whatever the bytes are: no panic leaves the decoder; memory stays below a bound that the limits
//! give; after an error there are no pixels; pixels do not depend on what the buffer held before;
//! and a picture that decodes has the size that its head says.

use crate::Target;
use dyno_image::{CHANNELS, Image, Limits, Orientation, decode_into, header};
use std::{fs, path::Path};

pub(crate) const TARGET: Target = Target {
    check,
    seeds,
    words: &[
        "\\xff\\xd8\\xff",
        "\\xff\\xc0",
        "\\xff\\xc2",
        "\\xff\\xc4",
        "\\xff\\xda",
        "\\xff\\xdb",
        "\\xff\\xdd",
        "\\xff\\xe1",
        "\\xff\\xee",
        "Exif\\x00\\x00",
        "Adobe",
        "IHDR",
        "PLTE",
        "tRNS",
        "eXIf",
        "acTL",
        "fcTL",
        "fdAT",
        "IDAT",
        "IEND",
        "RIFF",
        "WEBPVP8 ",
        "WEBPVP8L",
        "WEBPVP8X",
        "ALPH",
        "\\x9d\\x01\\x2a",
        "BM",
        "II*\\x00",
        "MM\\x00*",
    ],
};

const LIMITS: Limits = Limits {
    max_pixels: 1 << 16,
    max_side: 1 << 12,
    max_scans: 16,
};
/// Memory for a picture within [`LIMITS`] and a file of a few kilobytes; most of it for the code
/// tables of lossless WebP.
const MAX_BYTES: u64 = 32 << 20;
/// Largest seed: small ones are changed where it matters.
const MAX_SEED_BYTES: usize = 4 << 10;

fn check(bytes: &[u8]) -> bool {
    let (result, image) = decoded(bytes, Image::default());
    let used = Image::from_raw(7, 5, vec![0x5a; 7 * 5 * CHANNELS]).expect("the length fits");
    let (again, reused) = decoded(bytes, used);
    assert_eq!(result, again, "two decodings of the same bytes");
    assert_eq!(image, reused, "pixels depend on what the buffer held");
    let pixels = u64::from(image.width()) * u64::from(image.height());
    assert_eq!(image.data().len() as u64, pixels * CHANNELS as u64);
    let Ok(head) = header(bytes) else {
        assert!(result.is_err(), "pixels without a head");
        return false;
    };
    if result.is_err() {
        assert_eq!(pixels, 0, "pixels after an error");
    } else {
        assert!(pixels <= LIMITS.max_pixels && pixels > 0, "{pixels} pixels");
        let size = if head.orientation >= 5 {
            (head.height, head.width)
        } else {
            (head.width, head.height)
        };
        assert_eq!((image.width(), image.height()), size);
    }
    result.is_ok()
}

/// What decoding into `image` says, and the image after it.
fn decoded(bytes: &[u8], mut image: Image) -> (Result<(), String>, Image) {
    let mut result = Ok(());
    let memory = allocation_counter::measure(|| {
        result = decode_into(bytes, Orientation::Apply, &LIMITS, &mut image);
    });
    let max = memory.bytes_max;
    assert!(max <= MAX_BYTES, "{max} bytes of memory: {result:?}");
    (result.map_err(|e| e.to_string()), image)
}

/// The fixtures of the image crate.
fn seeds() -> Vec<Vec<u8>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../harness/image/tests/fixtures");
    let mut paths = Vec::new();
    for folder in ["images", "refused"] {
        let entries = fs::read_dir(fixtures.join(folder)).expect("the fixtures are committed");
        paths.extend(entries.map(|e| e.expect("an entry").path()));
    }
    paths.sort();
    let files = paths.iter().map(|p| fs::read(p).expect("a file"));
    files.filter(|f| f.len() <= MAX_SEED_BYTES).collect()
}
