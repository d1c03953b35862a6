//! Rust source as words, string literals and marks, without comments.
//!
//! Just enough of the language to tell code from comments and tests from the rest; what it is given
//! has been compiled, so nothing here looks for errors.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Identifier, keyword or number.
    Word(String),
    /// Content of a string literal, as written.
    Text(String),
    /// Any other character. Lifetimes and character literals are left out.
    Mark(char),
}

impl Token {
    pub(super) fn is(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }

    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Text(_) | Self::Mark(_) => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Word(_) | Self::Mark(_) => None,
        }
    }
}

/// Whether `tokens` begins with `pattern`: words, and marks as words of one character.
pub(super) fn begins(tokens: &[Token], pattern: &[&str]) -> bool {
    pattern.len() <= tokens.len()
        && tokens.iter().zip(pattern).all(|(token, part)| match token {
            Token::Word(word) => word == part,
            Token::Mark(mark) => part.chars().eq([*mark]),
            Token::Text(_) => false,
        })
}

/// The tokens of a file.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    let word_char = |c: &char| c.is_alphanumeric() || *c == '_';
    let peek = |i: usize| chars.get(i).copied().unwrap_or('\0');
    while let Some(&c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
        } else if c == '/' && peek(at + 1) == '/' {
            at += chars[at..].iter().take_while(|c| **c != '\n').count();
        } else if c == '/' && peek(at + 1) == '*' {
            at = after_block_comment(&chars, at);
        } else if c == '"' {
            at = string(&chars, at, 0, &mut found);
        } else if c == '\'' {
            if peek(at + 1) == '\\' {
                // The character after the backslash may be a quote.
                let rest = chars[(at + 3).min(chars.len())..].iter();
                at += 4 + rest.take_while(|c| **c != '\'').count();
            } else if peek(at + 2) == '\'' {
                at += 3;
            } else {
                at += 1 + chars[at + 1..].iter().take_while(|c| word_char(c)).count();
            }
        } else if word_char(&c) {
            let length = chars[at..].iter().take_while(|c| word_char(c)).count();
            let word: String = chars[at..at + length].iter().collect();
            at += length;
            let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
            if matches!(word.as_str(), "r" | "br" | "cr") && peek(at + hashes) == '"' {
                at = raw_string(&chars, at + hashes, hashes, &mut found);
            } else if matches!(word.as_str(), "b" | "c") && peek(at) == '"' {
                at = string(&chars, at, 0, &mut found);
            } else if word == "r" && hashes == 1 {
                // A raw identifier: the identifier follows.
                at += 1;
            } else if word != "b" || peek(at) != '\'' {
                found.push(Token::Word(word));
            }
        } else {
            found.push(Token::Mark(c));
            at += 1;
        }
    }
    found
}

fn after_block_comment(chars: &[char], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (at, depth) = (at + 2, depth + 1),
            ('*', Some('/')) => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Takes the literal whose opening quote stands at `from`; returns where the source goes on.
fn string(chars: &[char], from: usize, hashes: usize, found: &mut Vec<Token>) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    let end = at.min(chars.len());
    found.push(Token::Text(chars[from + 1..end].iter().collect()));
    end + 1 + hashes
}

fn raw_string(chars: &[char], from: usize, hashes: usize, found: &mut Vec<Token>) -> usize {
    let closes = |at: &usize| {
        let after = &chars[at + 1..];
        chars[*at] == '"' && after.len() >= hashes && after[..hashes].iter().all(|c| *c == '#')
    };
    let end = (from + 1..chars.len()).find(closes).unwrap_or(chars.len());
    found.push(Token::Text(chars[from + 1..end].iter().collect()));
    end + 1 + hashes
}

/// Without items marked `#[test]` or `#[cfg(test)]`.
pub(super) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if begins(&tokens[at..], &["#", "["]) {
            let end = closing(tokens, at + 1);
            let attribute = &tokens[at + 2..end.min(tokens.len())];
            let has = |name: &str| attribute.iter().any(|t| t.word() == Some(name));
            let is_cfg = attribute.first().and_then(Token::word) == Some("cfg");
            if begins(attribute, &["test"]) || (is_cfg && has("test") && !has("not")) {
                at = after_item(tokens, end + 1);
                continue;
            }
        }
        kept.push(tokens[at].clone());
        at += 1;
    }
    kept
}

/// Index of the bracket that closes the one at `open`, or the length.
pub(super) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
            Token::Mark(_) | Token::Word(_) | Token::Text(_) => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// Where the source goes on after the item at `from`, which may have more attributes.
fn after_item(tokens: &[Token], from: usize) -> usize {
    let mut at = from;
    while at < tokens.len() {
        match &tokens[at] {
            Token::Mark(';') => return at + 1,
            Token::Mark('{') => return closing(tokens, at) + 1,
            Token::Mark('(' | '[') => at = closing(tokens, at) + 1,
            Token::Mark(_) | Token::Word(_) | Token::Text(_) => at += 1,
        }
    }
    at
}

#[test]
fn comments_go_and_literals_stay() {
    let source = r##"//! tract
        /* a /* nested */ "tract" */ fn f<'a>(x: &'a str) -> char { '"'; '\''; b'"' } // yolox
        const S: [&str; 4] = ["a \" b", r#"c " d"#, b"e", r"f"]; r#type = 1.5;"##;
    let found = tokens(source);
    let texts: Vec<&str> = found.iter().filter_map(Token::text).collect();
    assert_eq!(texts, ["a \\\" b", "c \" d", "e", "f"]);
    let words: Vec<&str> = found.iter().filter_map(Token::word).collect();
    let expected = "fn f x str char const S str 4 type 1 5";
    assert_eq!(words.join(" "), expected);
}

#[test]
fn items_of_tests_are_left_out() {
    let source = "use a::b; #[cfg(test)] use c::{d, e}; #[cfg(not(test))] fn f() {} \
        #[cfg(test)] #[path = \"x\"] mod g { const H: [u8; 2] = []; } #[cfg(all(test, unix))] \
        const I: [u8; 2] = [1; 2]; #[test] fn j() { k(); } fn l() {}";
    let kept = without_tests(&tokens(source));
    let words: Vec<&str> = kept.iter().filter_map(Token::word).collect();
    assert_eq!(words.join(" "), "use a b cfg not test fn f fn l");
}
