//! New JSON in the style of the text around it.

/// A value to be written, with its keys in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// A value without parts.
    Value(serde_json::Value),
    /// Members in order.
    Object(Vec<(String, Json)>),
    /// Elements.
    Array(Vec<Json>),
}

impl Json {
    /// From a value; its keys come in the order that `serde_json` keeps.
    pub fn from_value(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Object(map) => Self::Object(
                map.into_iter()
                    .map(|(k, v)| (k, Self::from_value(v)))
                    .collect(),
            ),
            serde_json::Value::Array(items) => {
                Self::Array(items.into_iter().map(Self::from_value).collect())
            }
            other => Self::Value(other),
        }
    }

    /// Anything that serde can turn into a value.
    pub fn of(value: impl Into<serde_json::Value>) -> Self {
        Self::from_value(value.into())
    }
}

/// How a text is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Style {
    /// One level of indentation; `None` for a text on one line.
    pub(super) indent: Option<String>,
    /// `\n` or `\r\n`.
    pub(super) newline: &'static str,
    /// Between key and value: `: ` or `:`.
    pub(super) colon: String,
    /// Between values on one line: `, ` or `,`.
    pub(super) comma: String,
}

impl Style {
    /// Two blanks a level, as alwaysAI's tools write.
    pub(super) fn pretty() -> Self {
        Self {
            indent: Some("  ".into()),
            newline: "\n",
            colon: ": ".into(),
            comma: ", ".into(),
        }
    }
}

/// The text of `value`, whose first line stands at indentation `base`.
pub(super) fn print(value: &Json, style: &Style, base: &str) -> String {
    let mut out = String::new();
    write(&mut out, value, style, base);
    out
}

fn scalar(out: &mut String, value: &serde_json::Value) {
    out.push_str(&value.to_string());
}

fn key(out: &mut String, key: &str, style: &Style) {
    scalar(out, &serde_json::Value::String(key.to_owned()));
    out.push_str(&style.colon);
}

fn write(out: &mut String, value: &Json, style: &Style, base: &str) {
    let (open, close, count) = match value {
        Json::Value(v) => return scalar(out, v),
        Json::Object(members) => ('{', '}', members.len()),
        Json::Array(items) => ('[', ']', items.len()),
    };
    out.push(open);
    // A list of numbers or short words (a size, a mean) stays on one line.
    let flat =
        matches!(value, Json::Array(items) if items.iter().all(|i| matches!(i, Json::Value(_))));
    let inner = style
        .indent
        .as_ref()
        .filter(|_| !flat && count > 0)
        .map(|i| format!("{base}{i}"));
    for i in 0..count {
        if i > 0 {
            out.push_str(if inner.is_some() { "," } else { &style.comma });
        }
        if let Some(inner) = &inner {
            out.push_str(style.newline);
            out.push_str(inner);
        }
        let base = inner.as_deref().unwrap_or(base);
        match value {
            Json::Object(members) => {
                if let Some((k, v)) = members.get(i) {
                    key(out, k, style);
                    write(out, v, style, base);
                }
            }
            Json::Array(items) => {
                if let Some(v) = items.get(i) {
                    write(out, v, style, base);
                }
            }
            Json::Value(_) => {}
        }
    }
    if inner.is_some() {
        out.push_str(style.newline);
        out.push_str(base);
    }
    out.push(close);
}
