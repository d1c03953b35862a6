//! GitHub Flavored Markdown (its specification 0.29): the one writer that escapes.

use super::Table;
use crate::terminal::clean;

/// Text without markup: characters that Markdown or HTML give a meaning to are escaped, names
/// mention nobody, addresses link nowhere.
pub fn escape(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A mention needs something that is no letter before it: `AR@100` is none.
            '@' if !before.is_alphanumeric() => out.push_str("&#64;"),
            // `https://` links by itself, `www.` too.
            '/' if before == ':' => out.push_str("&#47;"),
            '.' if before == 'w' || before == 'W' => out.push_str("&#46;"),
            // `#12` refers to an issue, and a first `#` makes a heading.
            '#' => out.push_str("&#35;"),
            // A first `-`, `+` or `1.` makes a list; before a digit it is a sign.
            '-' | '+' if out.is_empty() => {
                out.push('\\');
                out.push(c);
            }
            // An underscore within a word is no markup in GitHub's dialect.
            '_' if before.is_alphanumeric() => out.push('_'),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
        before = c;
    }
    out
}

/// A table of GitHub's dialect (section 4.10).
pub(crate) fn table(table: &Table) -> String {
    let mut out = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        out.push('|');
        for cell in cells {
            out.extend([" ", cell.as_str(), " |"]);
        }
        out.push('\n');
    };
    line(&mut table.columns.iter().map(|c| escape(&c.title)));
    line(
        &mut table
            .columns
            .iter()
            .map(|c| if c.number { "---:" } else { "---" }.to_owned()),
    );
    for row in &table.rows {
        line(&mut row.iter().map(|c| escape(&c.text)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        for (text, expected) in [
            ("AP_small AR@100", "AP_small AR@100"),
            ("@team", "&#64;team"),
            ("a|b\\", "a\\|b\\\\"),
            ("<b>&", "&lt;b&gt;&amp;"),
            ("_x_ *y* [z](q) `c`", "\\_x_ \\*y\\* \\[z\\](q) \\`c\\`"),
            ("see #1", "see &#35;1"),
            ("https://x", "https:&#47;/x"),
            ("- item", "\\- item"),
            ("a\nb", "a\\\\u{a}b"),
        ] {
            assert_eq!(escape(text), expected);
        }
    }
}
