//! The codecs against hashes of OpenCV's and Pillow's pixels (`tests/fixtures/make_fixtures.py`),
//! and damaged files.

use super::{
    Format, Limits, Orientation, decode, decode_into, dimensions, encode_png, format, header,
};
use crate::{Image, ImageError};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Cases<T> {
    cases: Vec<T>,
}

#[derive(Deserialize)]
struct Case {
    file: String,
    size: [u32; 2],
    sha256: String,
    upright: Option<String>,
}

#[derive(Deserialize)]
struct Folder {
    folder: String,
    files: BTreeMap<String, String>,
}

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/images")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("fixture {name}: {e}"))
}

fn sha(image: &Image) -> String {
    crate::tests::sha256(image.data())
}

fn cases() -> Vec<Case> {
    let Cases { cases } = serde_json::from_str(include_str!("../../tests/fixtures/decode.json"))
        .expect("the fixture is valid");
    cases
}

#[test]
fn every_kind_of_file_gives_opencv_s_pixels() {
    let cases = cases();
    assert!(cases.len() > 50, "{} cases", cases.len());
    let mut wrong = Vec::new();
    let mut image = Image::default();
    for case in &cases {
        let bytes = fixture(&case.file);
        assert_eq!(
            <[u32; 2]>::from(dimensions(&bytes).unwrap_or_else(|e| panic!("{}: {e}", case.file))),
            case.size
        );
        decode_into(&bytes, Orientation::Ignore, &Limits::default(), &mut image)
            .unwrap_or_else(|e| panic!("{}: {e:?}", case.file));
        if ([image.width(), image.height()], sha(&image)) != (case.size, case.sha256.clone()) {
            wrong.push(case.file.clone());
        }
    }
    assert!(wrong.is_empty(), "other pixels: {}", wrong.join(", "));
}

#[test]
fn applied_orientation_equals_pillow_s() {
    let mut seen = Vec::new();
    for case in cases().iter().filter(|c| c.upright.is_some()) {
        let bytes = fixture(&case.file);
        let image = decode(&bytes, Orientation::Apply, &Limits::default())
            .unwrap_or_else(|e| panic!("{}: {e}", case.file));
        assert_eq!(Some(sha(&image)), case.upright, "{}", case.file);
        let noted = header(&bytes).expect("it decodes").orientation;
        let swapped = if noted > 4 {
            [case.size[1], case.size[0]]
        } else {
            case.size
        };
        assert_eq!([image.width(), image.height()], swapped, "{}", case.file);
        seen.push(noted);
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8, 6, 6]);
}

/// Folder of the assets; `None`, said aloud, where there is none.
fn assets() -> Option<PathBuf> {
    let root = std::env::var_os("DYNO_ASSETS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/assets"),
        PathBuf::from,
    );
    if root.is_dir() {
        return Some(root);
    }
    assert!(
        std::env::var_os("DYNO_REQUIRE_ASSETS").is_none_or(|v| v != "1"),
        "no assets, but they are required"
    );
    {
        // Not `eprintln`: the test runner would swallow it.
        std::io::Write::write_all(&mut std::io::stderr(), b"skipped: no assets\n")
            .expect("standard error");
    }
    None
}

#[test]
fn every_jpeg_of_the_assets_gives_opencv_s_pixels() {
    let Some(root) = assets() else { return };
    let Cases::<Folder> { cases } =
        serde_json::from_str(include_str!("../../tests/fixtures/assets.json"))
            .expect("the fixture is valid");
    let (mut wrong, mut count) = (Vec::new(), 0);
    let mut image = Image::default();
    for Folder { folder, files } in &cases {
        for (name, wanted) in files {
            let bytes = std::fs::read(root.join(folder).join(name))
                .unwrap_or_else(|e| panic!("{folder}/{name}: {e}"));
            let result = decode_into(&bytes, Orientation::Ignore, &Limits::default(), &mut image);
            count += 1;
            if result.is_err()
                || !sha(&image).starts_with(wanted.split(' ').next().expect("a hash"))
            {
                wrong.push(format!("{folder}/{name}: {result:?}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count > 700, "{count} files");
}

#[test]
fn what_cannot_be_read_is_a_clear_error() {
    let limits = Limits::default();
    let go = |bytes: &[u8]| decode(bytes, Orientation::Ignore, &limits);
    assert!(matches!(go(b""), Err(ImageError::Empty)));
    let unknown = go(b"GIF89a..").expect_err("not supported").to_string();
    assert!(
        unknown.contains("47 49 46") && unknown.contains("JPEG, PNG, WebP, BMP, TIFF"),
        "{unknown}"
    );
    assert_eq!(format(&fixture("grey.jpg")).expect("a JPEG"), Format::Jpeg);
    assert_eq!(format(&fixture("adam7.png")).expect("a PNG"), Format::Png);
    let small = Limits {
        max_pixels: 100,
        ..limits
    };
    let names = [
        "s420.jpg",
        "adam7.png",
        "61x45.webp",
        "61x45q50.webp",
        "pillow_P.bmp",
        "rgb_tiff_lzw.tif",
    ];
    for name in names {
        let bytes = fixture(name);
        assert!(
            matches!(
                decode(&bytes, Orientation::Ignore, &small),
                Err(ImageError::TooLarge {
                    max_pixels: 100,
                    ..
                })
            ),
            "{name}"
        );
        assert!(
            matches!(
                decode(
                    &bytes,
                    Orientation::Ignore,
                    &Limits {
                        max_side: 5,
                        ..limits
                    }
                ),
                Err(ImageError::TooLarge { max_side: 5, .. })
            ),
            "{name}"
        );
    }
    assert!(matches!(
        decode(
            &fixture("progressive.jpg"),
            Orientation::Ignore,
            &Limits {
                max_scans: 2,
                ..limits
            }
        ),
        Err(ImageError::Jpeg(_))
    ));
}

#[test]
fn files_whose_pixels_would_not_be_opencv_s_are_refused() {
    for (name, words) in [
        ("cmyk_s420.jpg", "four components"),
        ("ycck_s420.jpg", "four components"),
        ("animation.webp", "an animation"),
        ("16bit.bmp", "16 bits a pixel"),
        ("run_lengths.bmp", "compression 1"),
        ("alpha.tif", "RGBA(8)"),
        ("palette.tif", "TIFF with"),
        ("rgb16.tif", "RGB(16)"),
        ("orientation3.tif", "Orientation 3"),
        ("jpeg.tif", "TIFF with"),
    ] {
        let bytes = fixture(&format!("../refused/{name}"));
        let error = decode(&bytes, Orientation::Ignore, &Limits::default()).expect_err(name);
        assert!(
            matches!(error, ImageError::Unsupported { .. }) && error.to_string().contains(words),
            "{name}: {error}"
        );
        let error = header(&bytes).expect_err(name).to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
}

#[test]
fn a_panic_of_a_decoder_is_an_error() {
    let panics =
        || -> Result<(), ImageError> { std::panic::resume_unwind(Box::new("no such row")) };
    let error = super::guarded(Format::Png, panics).expect_err("it panicked");
    assert_eq!(error.to_string(), "the Png decoder panicked: no such row");
}

/// A PNG of 16,384 x 16,384 pixels of 16 bits in 2 MB: 268 million pixels, more than the limit.
#[test]
fn a_long_lossless_part_is_refused_before_its_tables_are_made() {
    let mut file = fixture("61x45.webp");
    let part = file.len() - 20;
    file.resize(20 + (1 << 16) + 2, 0);
    let (riff, chunk) = ((file.len() - 8) as u32, (file.len() - 20) as u32);
    file[4..8].copy_from_slice(&riff.to_le_bytes());
    file[16..20].copy_from_slice(&chunk.to_le_bytes());
    assert!(part < 1 << 16, "the fixture itself is read");
    let error = decode(&file, Orientation::Ignore, &Limits::default()).expect_err("too long");
    assert!(error.to_string().contains("a lossless part"), "{error}");
}

#[test]
fn a_small_file_of_huge_pixels_is_refused_by_its_head() {
    let mut head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    head.extend([0, 0, 0x40, 0, 0, 0, 0x40, 0, 16, 6, 0, 0, 0]);
    head.extend(crc32(&head[12..29]).to_be_bytes());
    let error = decode(&head, Orientation::Ignore, &Limits::default()).expect_err("too large");
    assert!(matches!(error, ImageError::TooLarge { .. }), "{error}");
}

/// PNG's checksum (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| {
            (c >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(c & 1))
        })
    })
}

#[test]
fn a_truncated_file_is_an_error_and_leaves_no_pixels() {
    let mut image = Image::default();
    for name in [
        "s420.jpg",
        "progressive.jpg",
        "grey.jpg",
        "cmyk.jpg",
        "restart.jpg",
        "adam7.png",
        "c3d4.png",
        "c6d16.png",
        "61x45q50.webp",
        "61x45.webp",
        "alpha.webp",
        "pillow_RGB.bmp",
        "4bit.bmp",
        "rgb_raw.tif",
        "grey_tiff_lzw.tif",
        "rgb_tiff_deflate.tif",
        "grey_packbits.tif",
    ] {
        let bytes = fixture(name);
        // The last bytes of a file hold end markers and checksums, whose loss costs no pixel.
        for length in (1..bytes.len() - 24).step_by(bytes.len() / 40 + 1) {
            let result = decode_into(
                &bytes[..length],
                Orientation::Apply,
                &Limits::default(),
                &mut image,
            );
            assert!(
                result.is_err(),
                "{name} cut to {length} of {} bytes",
                bytes.len()
            );
            assert!(image.data().is_empty() && image.width() == 0, "{name}");
        }
    }
}

#[test]
fn damaged_files_never_panic() {
    let names = [
        "s420.jpg",
        "s422.jpg",
        "progressive.jpg",
        "restart.jpg",
        "ycck.jpg",
        "orientation6.jpg",
        "c3d4t.png",
        "adam7.png",
        "c2d16.png",
        "orientation6.png",
        "17x33q50.webp",
        "alpha_lossless.webp",
        "17x33.webp",
        "8bit_few.bmp",
        "1bit_down.bmp",
        "rgb_tiff_lzw.tif",
        "predictor.tif",
        "black_and_white.tif",
    ];
    // A small limit of pixels: a damaged size must not make the test slow.
    let limits = Limits {
        max_pixels: 1 << 16,
        max_scans: 100,
        ..Limits::default()
    };
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut failed, mut decoded) = (0, 0);
    let mut image = Image::default();
    for name in names {
        let good = fixture(name);
        for _ in 0..80 {
            let mut bytes = good.clone();
            for _ in 0..=random(6) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes.truncate(at + 1),
                    1 => bytes.insert(at, random(256) as u8),
                    _ => bytes[at] = random(256) as u8,
                }
            }
            match decode_into(&bytes, Orientation::Apply, &limits, &mut image) {
                Ok(()) => decoded += 1,
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    failed += 1;
                }
            }
        }
    }
    assert!(
        failed > 100 && decoded > 20,
        "{failed} failed, {decoded} decoded: the damage is too weak or too strong to test anything"
    );
}

#[test]
fn png_round_trip() {
    let image = decode(
        &fixture("size17x33.jpg"),
        Orientation::Ignore,
        &Limits::default(),
    )
    .expect("a fixture");
    let bytes = encode_png(&image).expect("it has pixels");
    assert_eq!(
        decode(&bytes, Orientation::Apply, &Limits::default()).expect("our own file"),
        image
    );
    assert!(matches!(
        encode_png(&Image::default()),
        Err(ImageError::NoPixels { .. })
    ));
}
