//! Tests of the details: tables agree with the scores, and the matches suffice for any part.

use super::super::{accumulate, matching};
use super::{details, fixture, list, metric, number as json_number};
use crate::table::cells;
use dyno_core::SampleIndex;
use serde_json::Value;

#[test]
fn details_say_what_stands_behind_the_scores() {
    let (_, classes, cases) = fixture();
    let images = &cases[1];
    let m = metric(&classes, images);
    let details = details(m.as_ref());
    let names: Vec<(&str, &str)> = details
        .iter()
        .map(|d| (d.name.as_str(), d.format))
        .collect();
    assert_eq!(
        names,
        [
            ("per-class", "csv"),
            ("per-image", "csv"),
            ("precision-recall", "csv"),
            ("matches", "json")
        ]
    );
    let number = |text: &str| text.parse::<f64>().expect("number");
    let scores = m.finish(None).expect("finish");
    // The means over classes are the scores.
    let per_class = cells(&details, "per-class");
    let named = m.class_scores();
    assert_eq!(per_class[0][1..=named.len()], named);
    for (column, name) in per_class[0].iter().enumerate().skip(1).take(7) {
        let of_classes: Vec<f64> = per_class[1..]
            .iter()
            .filter(|row| !row[column].is_empty())
            .map(|row| number(&row[column]))
            .collect();
        let score = scores.iter().find(|s| s.metric == *name).expect(name);
        let mean = dyno_stats::mean(&of_classes).expect(name);
        assert!((mean - score.value.expect(name)).abs() < 1e-12, "{name}");
    }
    // The curves are the averages, too.
    let curves = cells(&details, "precision-recall");
    let classes_with_curves = (curves.len() - 1) / accumulate::RECALLS;
    let mean = curves[1..].iter().map(|row| number(&row[3])).sum::<f64>()
        / (classes_with_curves * accumulate::RECALLS) as f64;
    assert!((mean - scores[0].value.expect("AP")).abs() < 1e-12);
    // An image's own score is AP50 of that image alone.
    let per_image = cells(&details, "per-image");
    assert_eq!(per_image.len(), images.len() + 1);
    for (at, (row, image)) in per_image[1..].iter().zip(images).enumerate() {
        assert_eq!(row[0], format!("s{at}"));
        let own = metric(&classes, std::slice::from_ref(image))
            .finish(None)
            .expect("finish")[1]
            .value;
        assert_eq!(row[1].parse().ok(), own, "image {at}");
        let counts: Vec<u64> = row[2..].iter().map(|c| c.parse().expect("count")).collect();
        assert_eq!(
            counts[0],
            counts[2] + counts[3],
            "objects are found or missed"
        );
        assert!(counts[2] + counts[4] <= counts[1]);
    }
}

/// AP of a part of the images, from `matches.json` alone.
fn ap_from_matches(matches: &Value, weight: impl Fn(usize) -> u64) -> f64 {
    let mut images: Vec<(usize, &Value)> = list(&matches["images"]).iter().enumerate().collect();
    images.sort_by_key(|(_, i)| i["image"].as_i64().expect("id"));
    let mut precisions = Vec::new();
    for class in 0..list(&matches["classes"]).len() as u64 {
        let mut objects = 0;
        let mut found: Vec<(f64, u64, u64, u64)> = Vec::new();
        for (at, image) in &images {
            let w = weight(*at);
            for o in list(&image["objects"]).iter().filter(|o| o[0] == class) {
                objects += w * o[1].as_u64().expect("count");
            }
            for d in list(&image["detections"]).iter().filter(|d| d[0] == class) {
                let flags = |v: &Value| v.as_u64().expect("flags");
                found.push((json_number(&d[1]), w, flags(&d[2]), flags(&d[3])));
            }
        }
        if objects == 0 {
            continue;
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        for t in 0..list(&matches["overlaps"]).len() {
            let (mut hits, mut seen, mut points) = (0, 0, Vec::new());
            for (_, w, hit, ignored) in &found {
                seen += w * (1 - (ignored >> t & 1));
                hits += w * (hit >> t & 1);
                points.push((
                    hits as f64 / objects as f64,
                    hits as f64 / seen.max(1) as f64,
                ));
            }
            for recall in &matching::Grids::new().recalls {
                let best = points.iter().filter(|p| p.0 >= *recall);
                precisions.push(best.map(|p| p.1).fold(0.0, f64::max));
            }
        }
    }
    dyno_stats::mean(&precisions).expect("objects")
}

#[test]
fn matches_are_enough_for_any_part_of_the_set() {
    let (_, classes, cases) = fixture();
    for images in &cases {
        let m = metric(&classes, images);
        let details = details(m.as_ref());
        let matches: Value = serde_json::from_slice(&details[3].bytes).expect("JSON");
        assert_eq!(matches["schema"], "dyno.matches/1");
        for part in [1usize, 2, 3] {
            let weight = |at: usize| u64::from(at.is_multiple_of(part));
            let scores = m
                .finish(Some(&|s: SampleIndex| weight(s.index()) as u32))
                .expect("part");
            let from_file = ap_from_matches(&matches, weight);
            assert!(
                (from_file - scores[0].value.expect("AP")).abs() < 1e-9,
                "{part}"
            );
        }
    }
}
