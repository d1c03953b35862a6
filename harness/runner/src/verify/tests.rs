//! Differences are found where they are, and the one engine that differs is named.

use super::{
    agreement::Tolerance,
    compare::{Gathered, odd_one_out, pair},
};
use dyno_core::{DType, Dimension, TensorInfo};

fn infos(names: &[&str]) -> Vec<TensorInfo> {
    let one = |n: &&str| TensorInfo::new(*n, DType::F32, vec![Dimension::Fixed(1)]);
    names.iter().map(one).collect()
}

#[test]
fn outputs_meet_by_name_else_by_position() {
    assert_eq!(
        pair(&infos(&["a", "b"]), &infos(&["b", "a"])),
        Ok(vec![1, 0])
    );
    assert_eq!(
        pair(&infos(&["a", "b"]), &infos(&["x", "y"])),
        Ok(vec![0, 1])
    );
    let words = pair(&infos(&["a"]), &infos(&["a", "b"])).expect_err("one too many");
    assert!(
        words.contains("1 output (a)") && words.contains("2 outputs (a, b)"),
        "{words}"
    );
}

#[test]
fn a_difference_uses_up_its_tolerance() {
    let tolerance = Tolerance {
        abs: 0.1,
        rel: 0.01,
        score: 0.0,
        flips: 0,
    };
    let mut gathered = Gathered::new("y", tolerance);
    gathered
        .add("one", &[0.0, 10.0], &[0.0, 10.1])
        .expect("as many values");
    gathered
        .add("two", &[0.0, 1.0], &[0.0, 1.0])
        .expect("as many values");
    assert!(gathered.add("three", &[0.0], &[0.0, 1.0]).is_err());
    let found = gathered.finish();
    assert_eq!(found.worst_sample, "one");
    assert!((found.of_tolerance - 0.5).abs() < 1e-5, "{found:?}");
    assert!((found.max_abs - 0.1).abs() < 1e-5 && (found.mean_abs - 0.025).abs() < 1e-5);
    assert!((found.max_rel - 0.01).abs() < 1e-6);
    let mut strict = Gathered::new(
        "y",
        Tolerance {
            abs: 0.0,
            rel: 0.0,
            score: 0.0,
            flips: 0,
        },
    );
    strict.add("one", &[0.0], &[1e-30]).expect("as many values");
    assert!(strict.finish().of_tolerance > 1.0, "nothing is allowed");
}

#[test]
fn the_odd_one_out_explains_every_difference() {
    let differs =
        |odd: &'static [usize]| move |a: usize, b: usize| !odd.contains(&a) && !odd.contains(&b);
    assert_eq!(odd_one_out(4, &differs(&[2])), Some(2));
    assert_eq!(odd_one_out(4, &differs(&[])), None);
    assert_eq!(odd_one_out(4, &differs(&[1, 2])), None, "two are odd");
    assert_eq!(
        odd_one_out(2, &differs(&[1])),
        None,
        "of two, either may be wrong"
    );
    assert_eq!(odd_one_out(3, &|a, b| (a, b) == (0, 1)), Some(2));
}
