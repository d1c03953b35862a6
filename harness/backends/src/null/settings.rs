//! The script of the null engine.

use dyno_core::{DType, Dimension, TensorInfo};
use std::{collections::BTreeMap, str::FromStr};

/// What the outputs hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fill {
    /// One value.
    Constant(f64),
    /// These, repeated.
    Values(Vec<f64>),
    /// Pseudo-random numbers in [0, 1).
    Pattern(u64),
    /// The same, with the inputs' bytes mixed in.
    Input(u64),
}

/// A parsed script.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) inputs: Vec<TensorInfo>,
    pub(super) outputs: Vec<TensorInfo>,
    pub(super) fill: Fill,
    /// Nanoseconds, taken in turns; never empty.
    pub(super) delays_ns: Vec<u64>,
    pub(super) spin: bool,
    pub(super) fail_every: Option<u64>,
    pub(super) nan_every: Option<u64>,
    pub(super) crash_at: Option<u64>,
    pub(super) hang_at: Option<u64>,
    pub(super) hang_ns: u64,
    /// Something in the script depends on the number of a query.
    pub(super) counts: bool,
}

impl Settings {
    /// Reads the settings; the error says which value is wrong and what would be right.
    pub(super) fn parse(map: &BTreeMap<String, String>) -> Result<Self, String> {
        let get = |key: &str, default: &'static str| {
            map.get(key).map_or(default, String::as_str).to_owned()
        };
        let spin = match get("wait", "sleep").as_str() {
            "sleep" => false,
            "spin" => true,
            other => return Err(format!("wait `{other}` (there are: sleep, spin)")),
        };
        let count = |key: &str| map.get(key).map(|n| number(key, n)).transpose();
        let every = |key: &str| count(key).map(|n| n.filter(|n: &u64| *n > 0));
        let mut settings = Self {
            inputs: tensors("inputs", &get("inputs", "input:f32:?x3x224x224"))?,
            outputs: tensors("outputs", &get("outputs", "output:f32:?x1000"))?,
            fill: fill(&get("fill", "constant:0"))?,
            delays_ns: get("delay_ns", "0")
                .split(',')
                .map(|n| number("delay_ns", n))
                .collect::<Result<_, _>>()?,
            spin,
            fail_every: every("fail_every")?,
            nan_every: every("nan_every")?,
            crash_at: count("crash_at")?,
            hang_at: count("hang_at")?,
            hang_ns: count("hang_ns")?.unwrap_or(60_000_000_000),
            counts: false,
        };
        settings.counts = settings.delays_ns.len() > 1
            || [settings.fail_every, settings.nan_every]
                .iter()
                .any(Option::is_some)
            || [settings.crash_at, settings.hang_at]
                .iter()
                .any(Option::is_some);
        Ok(settings)
    }
}

fn number<T: FromStr>(key: &str, text: &str) -> Result<T, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("{key} `{text}`: not a number"))
}

fn tensors(key: &str, text: &str) -> Result<Vec<TensorInfo>, String> {
    text.split(';')
        .map(|t| {
            tensor(t.trim()).ok_or_else(|| format!("{key} `{t}` (as in `image:f32:1x3x224x224`)"))
        })
        .collect()
}

fn tensor(text: &str) -> Option<TensorInfo> {
    // From the right: names of ONNX tensors may hold colons.
    let mut parts = text.rsplitn(3, ':');
    let (shape, dtype, name) = (parts.next()?, parts.next()?, parts.next()?);
    let dtype = [
        DType::F32,
        DType::F16,
        DType::Bf16,
        DType::I8,
        DType::U8,
        DType::I32,
        DType::I64,
        DType::Bool,
    ]
    .into_iter()
    .find(|d| d.to_string() == dtype)?;
    let shape = shape
        .split('x')
        .map(|d| match d.parse::<usize>() {
            Ok(n) => Some(Dimension::Fixed(n)).filter(|_| n > 0),
            Err(_) if d == "?" => Some(Dimension::Unknown),
            Err(_) if d.chars().next().is_some_and(char::is_alphabetic) => {
                Some(Dimension::Symbolic(d.to_owned()))
            }
            Err(_) => None,
        })
        .collect::<Option<Vec<_>>>()?;
    (!name.is_empty()).then(|| TensorInfo::new(name, dtype, shape))
}

fn fill(text: &str) -> Result<Fill, String> {
    match text.split_once(':') {
        Some(("constant", v)) => Ok(Fill::Constant(number("fill", v)?)),
        Some(("values", v)) => Ok(Fill::Values(
            v.split(',')
                .map(|n| number("fill", n))
                .collect::<Result<_, _>>()?,
        )),
        Some(("pattern", v)) => Ok(Fill::Pattern(number("fill", v)?)),
        Some(("input", v)) => Ok(Fill::Input(number("fill", v)?)),
        _ => Err(format!(
            "fill `{text}` (there are: constant:NUMBER, values:A,B,…, pattern:SEED, input:SEED)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::parse(
            &pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn scripts_are_read_and_mistakes_are_named() {
        let s = parse(&[
            ("inputs", "a:0:u8:Nx2;b:f32:4"),
            ("fill", "values:1,2.5"),
            ("delay_ns", "5,6"),
            ("crash_at", "0"),
            ("nan_every", "3"),
            ("hang_at", "9"),
        ])
        .expect("a good script");
        assert_eq!(
            (
                s.inputs[0].name.as_str(),
                s.inputs[0].dtype,
                s.inputs[0].shape[0].clone()
            ),
            ("a:0", DType::U8, Dimension::Symbolic("N".to_owned()))
        );
        assert_eq!(
            (s.fill, s.delays_ns, s.crash_at, s.nan_every),
            (Fill::Values(vec![1.0, 2.5]), vec![5, 6], Some(0), Some(3))
        );
        assert_eq!(
            (s.hang_at, s.hang_ns, s.counts),
            (Some(9), 60_000_000_000, true)
        );
        assert!(!parse(&[("delay_ns", "7")]).expect("a good script").counts);
        assert_eq!(
            parse(&[("delay_ns", "1,x")]),
            Err("delay_ns `x`: not a number".to_owned())
        );
        assert_eq!(
            parse(&[("wait", "yield")]),
            Err("wait `yield` (there are: sleep, spin)".to_owned())
        );
        for bad in ["a:f33:1", "a:f32:0", "a:f32:", ":f32:1", "f32:1"] {
            assert!(parse(&[("outputs", bad)]).is_err(), "{bad}");
        }
    }
}
