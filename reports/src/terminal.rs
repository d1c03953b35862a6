//! What may reach a terminal, a log or a reader's eye: text on one line, without hidden power.
//!
//! Names come from manifests, models and files of strangers. An escape sequence in one would recolour
//! the terminal, a newline would forge a line of its own (`error: …`), a bidirectional override
//! would reorder what is read ("Trojan Source", CVE-2021-42574), and a line that opens with `::` or
//! holds `##[` is a command to GitHub's runner (actions/runner, `ActionCommand.cs`). Everything that
//! people read goes through [`clean`].

use std::{borrow::Cow, fmt::Write as _};

/// The character acts on what displays it instead of being displayed: control characters, marks and
/// overrides of writing direction, invisible characters other than joiners (which scripts and emoji
/// need), tags, and what XML forbids.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` on one line and harmless: characters that act become `\u{…}`, and so does the first sign
/// of what a CI runner takes for a command.
///
/// For text that is put together of several lines on purpose, clean its parts and join them.
pub fn clean(text: &str) -> Cow<'_, str> {
    let command = |text: &str| text.contains("::") || text.contains("##[");
    if !text.chars().any(acts) && !command(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        // `std::vector` is a name; a command has nothing but blanks before it on its line.
        let begins_command =
            (before.is_whitespace() && rest.starts_with("::")) || rest.starts_with("##[");
        if acts(c) || begins_command {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
        before = if acts(c) { ' ' } else { c };
    }
    Cow::Owned(out)
}

/// A JSON text with characters that act written as `\u…`: the same values, harmless on a terminal.
/// Line breaks and tabs between values stay.
pub fn clean_json(json: &str) -> Cow<'_, str> {
    let raw = |c: char| acts(c) && !matches!(c, '\n' | '\r' | '\t');
    // Between values there is no `#`.
    if !json.chars().any(raw) && !json.contains("##[") {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for (at, c) in json.char_indices() {
        let rest = json.get(at..).unwrap_or_default();
        if raw(c) || rest.starts_with("##[") {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect("writing to a String cannot fail");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Columns that cleaned text takes on a terminal.
pub fn display_width(text: &str) -> usize {
    textwrap::core::display_width(text)
}

/// Units that stay in one line with their number.
const UNITS: [&str; 14] = [
    "ns", "µs", "ms", "s", "%", "GHz", "°C", "B", "KiB", "MiB", "GiB", "TiB", "PiB", "J",
];

/// `text` with a blank that does not break between a number and its unit.
fn with_units_held(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(' ') {
        let bare = word.trim_end_matches([' ', ',', ';', ':', ')', ']']);
        if UNITS.contains(&bare) && out.trim_end().ends_with(|c: char| c.is_ascii_digit()) {
            out.pop();
            out.push('\u{a0}');
        }
        out.push_str(word);
    }
    out
}

/// Cleaned text in lines of at most `width` columns, broken at blanks only, and not between a number
/// and its unit: a word that is longer stands in a line of its own, whole.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width.max(1))
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
    textwrap::wrap(&with_units_held(text), options)
        .into_iter()
        .map(|line| line.replace('\u{a0}', " "))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_passes() {
        for (text, expected) in [
            ("plain é 日本 👩‍🚀", "plain é 日本 👩‍🚀"),
            ("a\u{1b}[31m\nb\u{202e}c", "a\\u{1b}[31m\\u{a}b\\u{202e}c"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            (
                "x\u{feff}\u{200b}\u{e0041}",
                "x\\u{feff}\\u{200b}\\u{e0041}",
            ),
            ("::error::x", "\\u{3a}:error::x"),
            (" ::error::x", " \\u{3a}:error::x"),
            ("a\n::error::x", "a\\u{a}\\u{3a}:error::x"),
            ("std::vector", "std::vector"),
            ("a ##[error]", "a \\u{23}#[error]"),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn cleaned_json_holds_the_same_values() {
        let value = serde_json::json!({"a\u{9b}": "\u{202e}\u{e0041}\u{1b}\n\u{7f} é ##[x]"});
        let text = serde_json::to_string_pretty(&value).expect("JSON");
        let cleaned = clean_json(&text);
        assert!(!cleaned.chars().any(|c| acts(c) && c != '\n'), "{cleaned}");
        assert!(!cleaned.contains("##["), "{cleaned}");
        let back: serde_json::Value = serde_json::from_str(&cleaned).expect("JSON");
        assert_eq!(back, value);
    }

    #[test]
    fn lines_break_at_blanks_only() {
        assert_eq!(
            wrap("one single-stream 0123456789abcdef end", 8),
            ["one", "single-stream", "0123456789abcdef", "end"]
        );
        assert_eq!(wrap("日本 語", 4), ["日本", "語"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(
            wrap("took 9.8 ms, or 10 samples", 7),
            ["took", "9.8 ms,", "or 10", "samples"]
        );
    }
}
