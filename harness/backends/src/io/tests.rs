//! Tables of declared and asked shapes.

use super::*;

fn info(name: &str, dims: &[&str]) -> TensorInfo {
    let dim = |d: &&str| match d.parse() {
        Ok(n) => Dimension::Fixed(n),
        Err(_) if *d == "?" => Dimension::Unknown,
        Err(_) => Dimension::Symbolic((*d).to_owned()),
    };
    TensorInfo::new(name, DType::F32, dims.iter().map(dim).collect())
}

fn resolve(
    declared: &[TensorInfo],
    batch: u32,
    shapes: &[(&str, &[usize])],
) -> Result<Vec<Vec<usize>>, String> {
    let shapes = shapes
        .iter()
        .map(|(n, s)| ((*n).to_owned(), s.to_vec()))
        .collect();
    resolve_shapes(
        "test",
        declared,
        &OpenConfig {
            batch,
            shapes,
            ..OpenConfig::default()
        },
    )
    .map_err(|e| e.to_string())
}

#[test]
fn open_dimensions_become_numbers() {
    assert_eq!(
        resolve(&[info("x", &["N", "3", "8", "8"])], 4, &[]),
        Ok(vec![vec![4, 3, 8, 8]])
    );
    assert_eq!(
        resolve(&[info("x", &["?", "3", "8", "8"])], 1, &[]),
        Ok(vec![vec![1, 3, 8, 8]])
    );
    assert_eq!(
        resolve(
            &[info("x", &["N", "3", "H", "W"])],
            2,
            &[("x", &[2, 3, 5, 7])]
        ),
        Ok(vec![vec![2, 3, 5, 7]])
    );
    // A symbol that one input settles is settled for the other, and the batch for all.
    let two = [info("a", &["N", "H"]), info("b", &["N", "3", "H", "?"])];
    assert_eq!(
        resolve(&two, 2, &[("b", &[2, 3, 9, 1])]),
        Ok(vec![vec![2, 9], vec![2, 3, 9, 1]])
    );
    // A first dimension that is no batch.
    assert_eq!(
        resolve(&[info("sizes", &["10"])], 1, &[]),
        Ok(vec![vec![10]])
    );
    assert_eq!(resolve(&[info("scalar", &[])], 8, &[]), Ok(vec![vec![]]));
}

#[test]
fn contradictions_name_input_dimension_and_flag() {
    let cases = [
        (
            resolve(&[info("x", &["N", "3", "H", "?"])], 2, &[]),
            "test does not support input `x` with open dimension 2 (`H`): settle it with `--shape x=2x3xHx?`, numbers in place of the names",
        ),
        (
            resolve(&[info("x", &["1", "3", "8", "8"])], 2, &[]),
            "test does not support batch 2: the first dimension of input `x` is 1 in shape 1x3x8x8",
        ),
        (
            resolve(&[info("x", &["4", "3", "8", "8"])], 1, &[]),
            "test does not support batch 1: the first dimension of input `x` is 4 in shape 4x3x8x8",
        ),
        (
            resolve(&[info("x", &["N", "3"])], 1, &[("x", &[1, 4])]),
            "test does not support shape 1x4 for input `x`: the model fixes dimension 1 at 3",
        ),
        (
            resolve(&[info("x", &["N", "3"])], 1, &[("x", &[1, 3, 3])]),
            "test does not support shape 1x3x3 for input `x`: the model has Nx3",
        ),
        (
            resolve(&[info("x", &["1", "H", "H"])], 1, &[("x", &[1, 4, 5])]),
            "test does not support dimension `H` as 4 (input `x`) and as 5 (input `x`)",
        ),
        (
            resolve(&[info("x", &["1", "H"])], 1, &[("x", &[1, 0])]),
            "test does not support shape 1x0 for input `x`: no dimension may be 0",
        ),
        (
            resolve(&[info("x", &["1"])], 1, &[("y", &[1])]),
            "test does not support a shape for input `y`: the model has no such input (there are: x)",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, Err(expected.to_owned()));
    }
    assert!(
        resolve(&[info("x", &["1", "H"])], 1, &[("x", &[1, usize::MAX])])
            .expect_err("too large")
            .contains("larger than")
    );
}
