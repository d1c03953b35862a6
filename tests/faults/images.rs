//! B2: a picture ends no run, and takes no more memory than there is.

use crate::cheats::kit::{
    CLASSIFIER, DETECTOR, Jpeg, Limits, annotations, edit, first_picture, limited, measurement,
    pictures, record, shapes,
};
use std::fs;

/// One and a half gigabytes of address space: the picture below decodes to 0.8 GB of bytes, and its
/// file holds 1.1 GB of samples.
const LIMITS: Limits = Limits {
    cpu_s: Some(60),
    memory_kib: Some(1_500_000),
    threads: None,
    unprivileged: false,
};

#[test]
fn a_subsampled_cmyk_picture_is_decoded_or_fails_alone() {
    let place = shapes(5);
    let file = first_picture(&place);
    let image = crate::cheats::kit::json(&annotations(&place))["images"][0].clone();
    let side = |key: &str| image[key].as_u64().and_then(|n| u16::try_from(n).ok());
    let (width, height) = (
        side("width").expect("small"),
        side("height").expect("small"),
    );
    fs::write(&file, Jpeg::subsampled_cmyk(width, height).bytes()).expect("writable");
    let done = place.run(&format!("{DETECTOR} --max-errors 1 --format json"));
    let record = record(&done);
    let done = done.exits(0);
    let accuracy = measurement(&record, "accuracy");
    let failed = accuracy["failed"].as_u64().expect("a count");
    assert!(failed <= 1, "{accuracy:#}");
    if failed == 1 {
        let name = file.file_name().and_then(|n| n.to_str()).expect("a name");
        done.says(&[name]);
    }
}

#[test]
fn a_picture_with_four_components_of_any_sampling_never_panics() {
    let place = shapes(8);
    let files = pictures(&place);
    let samplings: [&[(u8, u8)]; 8] = [
        &[(2, 2), (1, 1), (1, 1), (2, 2)],
        &[(1, 1), (2, 2), (1, 1), (1, 1)],
        &[(1, 1), (1, 1), (1, 1), (4, 4)],
        &[(3, 3), (1, 1), (1, 1), (1, 1)],
        &[(4, 1), (1, 4), (1, 1)],
        &[(1, 2), (1, 1), (1, 2)],
        &[(2, 2), (2, 2)],
        &[(4, 4)],
    ];
    for (file, sampling) in files.iter().zip(samplings) {
        let picture = Jpeg {
            sampling: sampling.to_vec(),
            ..Jpeg::new(61, 47)
        };
        fs::write(file, picture.bytes()).expect("writable");
    }
    edit(&annotations(&place), |v| {
        for image in v["images"].as_array_mut().expect("images") {
            image["width"] = 61.into();
            image["height"] = 47.into();
        }
        for object in v["annotations"].as_array_mut().expect("annotations") {
            object["bbox"] = serde_json::json!([3, 3, 20, 20]);
            object["area"] = 400.into();
        }
    });
    let done = limited(
        &place,
        LIMITS,
        &format!("{DETECTOR} --max-errors 8 --format json"),
    )
    .exits_not(2);
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    let n = measurement(&record(&done), "accuracy")["n"].clone();
    assert!(n.is_u64(), "{n}");
}

/// A PNG of 16,384 × 16,384 pixels of 16 bits, grey with transparency, all black: 1.1 GB of samples in
/// a file of a few megabytes.
pub(crate) fn vast() -> Vec<u8> {
    let side = 16_384;
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::GrayscaleAlpha);
    encoder.set_depth(png::BitDepth::Sixteen);
    encoder.set_compression(png::Compression::Fastest);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().expect("a header");
    let mut pixels = writer.stream_writer().expect("a stream");
    let row = vec![0; 4 * side as usize];
    for _ in 0..side {
        std::io::Write::write_all(&mut pixels, &row).expect("pixels");
    }
    pixels.finish().expect("an end");
    drop(writer);
    file
}

#[test]
fn a_vast_picture_fails_alone() {
    let place = shapes(6);
    let file = place.join("classes/val/000000.png");
    fs::write(&file, vast()).expect("writable");
    let done = limited(
        &place,
        LIMITS,
        &format!("{CLASSIFIER} --workers 1 --max-errors 1 --format json"),
    )
    .exits_not(2);
    let record = record(&done);
    let accuracy = measurement(&record, "accuracy");
    let failed = accuracy["failed"].as_u64().expect("a count");
    assert!(failed <= 1, "{accuracy:#}");
    let judged = accuracy["scores"][0]["n"].as_u64().expect("a count");
    assert!(judged >= 5, "the others were measured: {accuracy:#}");
}
