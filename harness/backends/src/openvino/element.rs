//! Element types in OpenVINO's numbers (`ov_element_type_e`, as since 2025.1).

use dyno_core::DType;
use std::ffi::c_int;

/// Bytes: what weights are handed over as.
pub(super) const U8: c_int = 16;

/// Types that tensors here can hold.
pub(super) const HELD: &[(DType, c_int)] = &[
    (DType::Bool, 1),
    (DType::Bf16, 2),
    (DType::F16, 3),
    (DType::F32, 4),
    (DType::I8, 7),
    (DType::I32, 9),
    (DType::I64, 10),
    (DType::U8, U8),
];

/// Names of the others, for refusals.
const OTHERS: &[(c_int, &str)] = &[
    (0, "dynamic"),
    (5, "f64"),
    (6, "i4"),
    (8, "i16"),
    (11, "u1"),
    (14, "u4"),
    (17, "u16"),
    (18, "u32"),
    (19, "u64"),
    (23, "string"),
];

/// The type of a number, or its name where tensors here cannot hold it.
pub(super) fn dtype(code: c_int) -> Result<DType, String> {
    HELD.iter()
        .find(|(_, c)| *c == code)
        .map(|(d, _)| *d)
        .ok_or_else(|| {
            OTHERS
                .iter()
                .find(|(c, _)| *c == code)
                .map_or_else(|| format!("number {code}"), |(_, n)| (*n).to_owned())
        })
}

/// The number of a type.
pub(super) fn code(dtype: DType) -> c_int {
    match dtype {
        DType::Bool => 1,
        DType::Bf16 => 2,
        DType::F16 => 3,
        DType::F32 => 4,
        DType::I8 => 7,
        DType::I32 => 9,
        DType::I64 => 10,
        DType::U8 => U8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_both_ways() {
        for &(held, number) in HELD {
            assert_eq!(code(held), number);
            assert_eq!(dtype(number), Ok(held));
        }
        assert_eq!(dtype(18), Err("u32".to_owned()));
        assert_eq!(dtype(99), Err("number 99".to_owned()));
    }
}
