//! Tests of suppression: known cases, order, and the properties of a greedy choice.

use super::*;
use proptest::prelude::*;

fn candidate(class: u32, score: f32, x1: f64, y1: f64, x2: f64, y2: f64) -> Candidate {
    Candidate {
        class,
        score,
        bbox: Xyxy { x1, y1, x2, y2 },
    }
}

fn run(candidates: &[Candidate], options: NmsOptions) -> Vec<u32> {
    Nms::new().run(candidates, &options).to_vec()
}

#[test]
fn classes_are_apart_unless_asked_otherwise() {
    let boxes = [
        candidate(0, 0.5, 0.0, 0.0, 10.0, 10.0),
        candidate(1, 0.9, 0.0, 0.0, 10.0, 10.0),
        candidate(0, 0.7, 1.0, 0.0, 11.0, 10.0),
    ];
    assert_eq!(
        run(
            &boxes,
            NmsOptions {
                iou: Some(0.5),
                ..Default::default()
            }
        ),
        [1, 2]
    );
    assert_eq!(
        run(
            &boxes,
            NmsOptions {
                iou: Some(0.5),
                class_agnostic: true,
                max: None
            }
        ),
        [1]
    );
    assert_eq!(
        run(
            &boxes,
            NmsOptions {
                iou: None,
                class_agnostic: false,
                max: Some(2)
            }
        ),
        [1, 2]
    );
}

#[test]
fn an_iou_equal_to_the_threshold_survives() {
    // Intersection 1, union 2: exactly one half.
    let boxes = [
        candidate(0, 0.9, 0.0, 0.0, 2.0, 1.0),
        candidate(0, 0.8, 0.0, 0.0, 1.0, 1.0),
    ];
    assert_eq!(
        run(
            &boxes,
            NmsOptions {
                iou: Some(0.5),
                ..Default::default()
            }
        ),
        [0, 1]
    );
    assert_eq!(
        run(
            &boxes,
            NmsOptions {
                iou: Some(0.499_999),
                ..Default::default()
            }
        ),
        [0]
    );
}

#[test]
fn equal_scores_keep_the_order_of_the_list_and_zeros_are_equal() {
    let boxes: Vec<_> = (0..5u8)
        .map(|i| {
            candidate(
                u32::from(4 - i),
                if i % 2 == 0 { 0.0 } else { -0.0 },
                f64::from(i) * 20.0,
                0.0,
                f64::from(i) * 20.0 + 5.0,
                5.0,
            )
        })
        .collect();
    assert_eq!(
        run(
            &boxes,
            NmsOptions {
                iou: Some(0.5),
                ..Default::default()
            }
        ),
        [0, 1, 2, 3, 4]
    );
    let negative = [
        candidate(0, -2.0, 0.0, 0.0, 1.0, 1.0),
        candidate(0, -1.0, 5.0, 0.0, 6.0, 1.0),
        candidate(0, 1.0, 9.0, 0.0, 10.0, 1.0),
    ];
    assert_eq!(run(&negative, NmsOptions::default()), [2, 1, 0]);
}

#[test]
fn what_is_not_a_number_is_dropped() {
    let boxes = [
        candidate(0, f32::NAN, 0.0, 0.0, 1.0, 1.0),
        candidate(0, 0.5, f64::INFINITY, 0.0, 1.0, 1.0),
        candidate(0, 0.4, 0.0, 0.0, 1.0, 1.0),
    ];
    assert_eq!(
        run(
            &boxes,
            NmsOptions {
                iou: Some(0.5),
                ..Default::default()
            }
        ),
        [2]
    );
}

fn boxes() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (
        0u32..3,
        0u8..20,
        0.0..50.0f64,
        0.0..50.0f64,
        -2.0..30.0f64,
        -2.0..30.0f64,
    );
    prop::collection::vec(
        one.prop_map(|(class, score, x, y, w, h)| {
            candidate(class, f32::from(score) / 20.0, x, y, x + w, y + h)
        }),
        0..60,
    )
}

proptest! {
    #[test]
    fn suppression_is_idempotent_and_leaves_no_overlap(boxes in boxes(), iou in 0.0..1.0f64, class_agnostic: bool, max in prop::option::of(0usize..20)) {
        let options = NmsOptions { iou: Some(iou), class_agnostic, max };
        let kept: Vec<Candidate> = run(&boxes, options).iter().map(|&i| boxes[i as usize]).collect();
        prop_assert_eq!(run(&kept, options), (0..kept.len() as u32).collect::<Vec<_>>());
        prop_assert!(kept.windows(2).all(|w| w[0].score >= w[1].score));
        prop_assert!(max.is_none_or(|m| kept.len() <= m));
        for (i, a) in kept.iter().enumerate() {
            for b in &kept[..i] {
                prop_assert!(!(class_agnostic || a.class == b.class) || a.bbox.iou(&b.bbox) <= iou);
            }
        }
    }

    #[test]
    fn the_greatest_number_only_cuts(boxes in boxes(), iou in 0.0..1.0f64, max in 0usize..20) {
        let all = run(&boxes, NmsOptions { iou: Some(iou), ..Default::default() });
        let cut = run(&boxes, NmsOptions { iou: Some(iou), class_agnostic: false, max: Some(max) });
        prop_assert_eq!(&cut[..], &all[..max.min(all.len())]);
    }
}
