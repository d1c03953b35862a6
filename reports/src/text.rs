//! Numbers and names as people read them.

/// `text` on one line and harmless on a terminal: control characters, and those that change the
/// direction of writing, become `\u{…}`.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Unicode 16, "Bidirectional Character Types": the explicit marks, embeddings, overrides
        // and isolates; then the line and paragraph separators.
        let hidden = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
        if c.is_control() || hidden {
            out.extend(c.escape_unicode())
        } else {
            out.push(c)
        }
    }
    out
}

/// Four significant digits with the unit that suits: `12.35 ms`.
pub(crate) fn time(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        // Where rounding would give four digits before the point, the next unit is taken.
        1_000..999_950 => format!("{} µs", four_digits(ns as f64 / 1e3)),
        999_950..999_950_000 => format!("{} ms", four_digits(ns as f64 / 1e6)),
        _ => format!("{} s", four_digits(ns as f64 / 1e9)),
    }
}

/// Four significant digits, never an exponent.
pub(crate) fn four_digits(value: f64) -> String {
    let before = if value.abs() >= 1.0 {
        value.abs().log10().floor() as usize + 1
    } else {
        1
    };
    format!("{value:.*}", 4_usize.saturating_sub(before))
}

/// A share with four decimals.
pub(crate) fn share(value: f64) -> String {
    format!("{value:.4}")
}

/// Bytes in binary units.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", four_digits(value), UNITS[unit])
}

/// `1 sample`, `2 samples`.
pub(crate) fn counted(n: u64, noun: &str) -> String {
    // `query` is the one noun here whose plural is not an `s` more.
    match (n, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "query") => format!("{n} queries"),
        _ => format!("{n} {noun}s"),
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
    fn bytes_and_names() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.500 KiB");
        assert_eq!(bytes(u64::MAX), "16384 PiB");
        assert_eq!(
            plain("a\u{1b}[31m\nb\u{202e}c é"),
            "a\\u{1b}[31m\\u{a}b\\u{202e}c é"
        );
        assert_eq!(counted(1, "query"), "1 query");
        assert_eq!(counted(2, "query"), "2 queries");
    }
}
