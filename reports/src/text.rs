//! Numbers as people read them. Every `f64` and `u64` has a text: records may be forged.

/// Four significant digits with the unit that suits: `12.35 ms`.
pub fn time(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        // Where rounding would give four digits before the point, the next unit is taken.
        1_000..999_950 => format!("{} µs", four_digits(ns as f64 / 1e3)),
        999_950..999_950_000 => format!("{} ms", four_digits(ns as f64 / 1e6)),
        _ => format!("{} s", four_digits(ns as f64 / 1e9)),
    }
}

/// Four significant digits; an exponent only from 10¹⁵ and below 10⁻⁹.
pub fn four_digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // The exponent after rounding: 999.96 has four digits before the point.
    let rounded = format!("{value:.3e}");
    match rounded.split_once('e').map(|(_, e)| e.parse::<i32>()) {
        Some(Ok(exponent @ -9..15)) => {
            let decimals = usize::try_from(3 - exponent).unwrap_or(0);
            format!("{value:.decimals$}")
        }
        _ => rounded,
    }
}

/// A share with four decimals.
pub fn share(value: f64) -> String {
    if value.abs() < 1e6 {
        format!("{value:.4}")
    } else {
        four_digits(value)
    }
}

/// A share in per cent, with two decimals at most: `5 %`, `0.34 %`.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value.abs() < 1e6 {
        let text = format!("{value:.2}");
        format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
    } else {
        format!("{} %", four_digits(value))
    }
}

/// Bytes in binary units.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    format!("{} {unit}", four_digits(value))
}

/// `1 sample`, `2 samples`.
pub fn counted(n: u64, noun: &str) -> String {
    match n {
        1 => format!("1 {noun}"),
        _ => format!("{n} {}", plural(noun)),
    }
}

/// The plural of a regular noun.
pub(crate) fn plural(noun: &str) -> String {
    const SIBILANTS: [&str; 4] = ["ss", "sh", "ch", "x"];
    let vowel_before_y = ["ay", "ey", "oy", "uy"].iter().any(|e| noun.ends_with(e));
    match noun.strip_suffix('y') {
        Some(stem) if !vowel_before_y => format!("{stem}ies"),
        _ if SIBILANTS.iter().any(|e| noun.ends_with(e)) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_take_the_unit_that_suits() {
        for (ns, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.000 µs"),
            (999_949, "999.9 µs"),
            (999_950, "1.000 ms"),
            (12_345_678, "12.35 ms"),
            (1_500_000_000, "1.500 s"),
            (123_456_000_000_000, "123456 s"),
        ] {
            assert_eq!(time(ns), text);
        }
    }

    #[test]
    fn numbers_of_any_size_have_a_text() {
        for (value, text) in [
            (0.0, "0"),
            (83.25, "83.25"),
            (999.96, "1000"),
            (0.012_345, "0.01235"),
            (-2.0, "-2.000"),
            (1e300, "1.000e300"),
            (5e-324, "4.941e-324"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(four_digits(value), text, "{value}");
        }
        assert_eq!(share(0.5), "0.5000");
        assert_eq!(share(1e300), "1.000e300");
        assert_eq!(percent(0.05), "5 %");
        assert_eq!(percent(0.0034), "0.34 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(f64::MAX), "inf %");
    }

    #[test]
    fn bytes_and_counts() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.500 KiB");
        assert_eq!(bytes(u64::MAX), "16384 PiB");
        assert_eq!(counted(1, "query"), "1 query");
        assert_eq!(counted(2, "query"), "2 queries");
        assert_eq!(counted(0, "class"), "0 classes");
        assert_eq!(counted(3, "involuntary switch"), "3 involuntary switches");
        assert_eq!(counted(3, "day"), "3 days");
    }
}
