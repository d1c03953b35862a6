//! Which version is the newest.
//!
//! The standard order is PEP 440's, made total: a version that is none by PEP 440 stands below all
//! that are, and among its like by ETA's loose order. `latest` passes over pre-releases unless
//! there is nothing else. The loose order is Python's `distutils.LooseVersion`, which ETA uses,
//! made total: where a number meets a word, which Python answers with a `TypeError`, the number is
//! less.

use std::cmp::Ordering;

/// Order of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionOrder {
    /// PEP 440 with fallbacks; pre-releases are no `latest`.
    #[default]
    Standard,
    /// ETA's.
    Loose,
}

/// A number of any length.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Digits(String);

impl Digits {
    fn new(text: &str) -> Self {
        Self(text.trim_start_matches('0').to_owned())
    }
    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialOrd for Digits {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Digits {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

/// A component of a loose version; numbers are less than words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(Digits),
    Word(String),
}

/// Components by `LooseVersion`'s rule: runs of digits, runs of `a`–`z`, and what lies between,
/// without dots.
fn loose(version: &str) -> Vec<Part> {
    fn class(c: char) -> u8 {
        match c {
            '0'..='9' => 0,
            'a'..='z' => 1,
            '.' => 2,
            _ => 3,
        }
    }
    let mut parts: Vec<(u8, String)> = Vec::new();
    let mut after_dot = true;
    for c in version.chars() {
        let class = class(c);
        match parts.last_mut() {
            Some((last, text)) if *last == class && !after_dot && class != 2 => text.push(c),
            _ if class != 2 => parts.push((class, c.to_string())),
            _ => {}
        }
        after_dot = class == 2;
    }
    parts
        .into_iter()
        .map(|(class, text)| {
            if class == 0 {
                Part::Number(Digits::new(&text))
            } else {
                Part::Word(text)
            }
        })
        .collect()
}

/// Sort key of PEP 440, as `packaging.version` builds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Pep {
    epoch: Digits,
    /// Without zeros at the end.
    release: Vec<Digits>,
    pre: Pre,
    post: Option<Digits>,
    dev: Dev,
    local: Vec<Local>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Pre {
    /// A development version of the release itself comes before its first alpha.
    BeforeAll,
    Phase(u8, Digits),
    Final,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Dev {
    Number(Digits),
    None,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Local {
    Word(String),
    Number(Digits),
}

/// What is left of a version while it is taken apart.
struct Rest<'v>(&'v str);

impl<'v> Rest<'v> {
    fn digits(&mut self) -> Option<&'v str> {
        let end = self
            .0
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        (!digits.is_empty()).then(|| {
            self.0 = rest;
            digits
        })
    }

    fn take(&mut self, c: char) -> bool {
        self.0.strip_prefix(c).is_some_and(|rest| {
            self.0 = rest;
            true
        })
    }

    /// `[-_.]? word [-_.]? digits?`, with the words in the order in which they are tried.
    fn suffix(&mut self, words: &[(&str, u8)]) -> Option<(u8, Digits)> {
        let body = self.0.strip_prefix(['-', '_', '.']).unwrap_or(self.0);
        let (after, phase) = words
            .iter()
            .find_map(|(word, phase)| body.strip_prefix(word).map(|rest| (rest, *phase)))?;
        let mut numbered = Rest(after.strip_prefix(['-', '_', '.']).unwrap_or(after));
        if let Some(digits) = numbered.digits() {
            self.0 = numbered.0;
            Some((phase, Digits::new(digits)))
        } else {
            self.0 = after;
            Some((phase, Digits::new("")))
        }
    }
}

fn pep440(version: &str) -> Option<Pep> {
    let lower = version.trim().to_ascii_lowercase();
    let mut rest = Rest(lower.strip_prefix('v').unwrap_or(&lower));
    let mut first = rest.digits()?;
    let mut epoch = Digits::new("");
    if rest.take('!') {
        epoch = Digits::new(first);
        first = rest.digits()?;
    }
    let mut release = vec![Digits::new(first)];
    while let Some(after) = rest.0.strip_prefix('.') {
        let mut next = Rest(after);
        let Some(digits) = next.digits() else { break };
        release.push(Digits::new(digits));
        rest = next;
    }
    while release.last().is_some_and(Digits::is_zero) {
        release.pop();
    }
    let pre = rest.suffix(&[
        ("alpha", 0),
        ("a", 0),
        ("beta", 1),
        ("b", 1),
        ("preview", 2),
        ("pre", 2),
        ("c", 2),
        ("rc", 2),
    ]);
    let mut post = None;
    if let Some(after) = rest.0.strip_prefix('-') {
        let mut numbered = Rest(after);
        if let Some(digits) = numbered.digits() {
            post = Some(Digits::new(digits));
            rest = numbered;
        }
    }
    if post.is_none() {
        post = rest
            .suffix(&[("post", 0), ("rev", 0), ("r", 0)])
            .map(|(_, n)| n);
    }
    let dev = rest.suffix(&[("dev", 0)]).map(|(_, n)| n);
    let mut local = Vec::new();
    if rest.take('+') {
        for part in rest.0.split(['-', '_', '.']) {
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return None;
            }
            local.push(if part.bytes().all(|b| b.is_ascii_digit()) {
                Local::Number(Digits::new(part))
            } else {
                Local::Word(part.to_owned())
            });
        }
        rest.0 = "";
    }
    if !rest.0.is_empty() {
        return None;
    }
    let pre = match (pre, &post, &dev) {
        (Some((phase, n)), _, _) => Pre::Phase(phase, n),
        (None, None, Some(_)) => Pre::BeforeAll,
        (None, _, _) => Pre::Final,
    };
    Some(Pep {
        epoch,
        release,
        pre,
        post,
        dev: dev.map_or(Dev::None, Dev::Number),
        local,
    })
}

/// Compares two versions; a missing one counts as `0.0.0`. Total, never an error.
pub fn compare_versions(a: Option<&str>, b: Option<&str>, order: VersionOrder) -> Ordering {
    let (a, b) = (a.unwrap_or("0.0.0"), b.unwrap_or("0.0.0"));
    match order {
        VersionOrder::Loose => loose(a).cmp(&loose(b)),
        VersionOrder::Standard => match (pep440(a), pep440(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
            (None, None) => loose(a).cmp(&loose(b)),
        },
    }
}

/// An alpha, beta, candidate or development version by PEP 440.
pub fn is_prerelease(version: &str) -> bool {
    pep440(version).is_some_and(|v| v.pre != Pre::Final || v.dev != Dev::None)
}

/// Index of the newest; of equals the first. In the standard order a pre-release only when there is
/// nothing else.
pub fn latest_version(versions: &[Option<&str>], order: VersionOrder) -> Option<usize> {
    let newest = |keep: &dyn Fn(Option<&str>) -> bool| {
        let mut best: Option<usize> = None;
        for (i, v) in versions.iter().enumerate().filter(|(_, v)| keep(**v)) {
            let better = best.is_none_or(|b| {
                compare_versions(*v, versions.get(b).copied().flatten(), order) == Ordering::Greater
            });
            if better {
                best = Some(i);
            }
        }
        best
    };
    let released = if order == VersionOrder::Standard {
        newest(&|v| !v.is_some_and(is_prerelease))
    } else {
        None
    };
    released.or_else(|| newest(&|_| true))
}
