//! Differences of outputs, value by value.

use super::agreement::{OutputDifference, Tolerance};
use dyno_core::TensorInfo;

/// Outputs of one engine on one sample.
pub(super) type Outputs = Vec<Vec<f32>>;

/// Which output of the second engine is which of the first: by name where both name all of them
/// alike, else by position where there are as many.
///
/// # Errors
/// In words, when neither fits.
pub(super) fn pair(a: &[TensorInfo], b: &[TensorInfo]) -> Result<Vec<usize>, String> {
    let by_name: Option<Vec<usize>> = a
        .iter()
        .map(|x| b.iter().position(|y| y.name == x.name))
        .collect();
    match by_name {
        Some(places) if a.len() == b.len() => Ok(places),
        _ if a.len() == b.len() => Ok((0..a.len()).collect()),
        _ => {
            let names = |infos: &[TensorInfo]| {
                let names: Vec<&str> = infos.iter().map(|i| i.name.as_str()).collect();
                names.join(", ")
            };
            Err(format!(
                "the first has {} ({}), the second {} ({})",
                outputs(a.len()),
                names(a),
                outputs(b.len()),
                names(b)
            ))
        }
    }
}

fn outputs(count: usize) -> String {
    match count {
        1 => "1 output".to_owned(),
        n => format!("{n} outputs"),
    }
}

/// Differences of one output, sample after sample.
#[derive(Debug)]
pub(super) struct Gathered {
    name: String,
    tolerance: Tolerance,
    max_abs: f64,
    max_rel: f64,
    of_tolerance: f64,
    worst: String,
    sum: f64,
    count: u64,
}

impl Gathered {
    pub(super) fn new(name: &str, tolerance: Tolerance) -> Self {
        Self {
            name: name.to_owned(),
            tolerance,
            max_abs: 0.0,
            max_rel: 0.0,
            of_tolerance: 0.0,
            worst: String::new(),
            sum: 0.0,
            count: 0,
        }
    }

    /// Adds one sample.
    ///
    /// # Errors
    /// In words, when the two have not as many values.
    pub(super) fn add(&mut self, id: &str, a: &[f32], b: &[f32]) -> Result<(), String> {
        if a.len() != b.len() {
            return Err(format!(
                "output `{}` has {} values on the first and {} on the second",
                self.name,
                a.len(),
                b.len()
            ));
        }
        let magnitude = a.iter().map(|v| f64::from(v.abs())).fold(0.0, f64::max);
        let (mut worst, mut sum) = (0.0f64, 0.0);
        for (x, y) in a.iter().zip(b) {
            let difference = (f64::from(*x) - f64::from(*y)).abs();
            worst = worst.max(difference);
            sum += difference;
        }
        self.sum += sum;
        self.count += a.len() as u64;
        self.max_abs = self.max_abs.max(worst);
        if magnitude > 0.0 {
            self.max_rel = self.max_rel.max(worst / magnitude);
        }
        let allowed = self.tolerance.abs + self.tolerance.rel * magnitude;
        let share = match (worst > 0.0, allowed > 0.0) {
            (false, _) => 0.0,
            (true, true) => worst / allowed,
            (true, false) => f64::MAX,
        };
        if share > self.of_tolerance || self.worst.is_empty() {
            self.of_tolerance = share;
            id.clone_into(&mut self.worst);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> OutputDifference {
        OutputDifference {
            output: self.name,
            max_abs: self.max_abs,
            mean_abs: if self.count == 0 {
                0.0
            } else {
                self.sum / self.count as f64
            },
            max_rel: self.max_rel,
            worst_sample: self.worst,
            of_tolerance: self.of_tolerance,
        }
    }
}

/// The one of `count` without which all others agree, where some disagree and there are at least
/// three.
pub(super) fn odd_one_out(count: usize, agree: &dyn Fn(usize, usize) -> bool) -> Option<usize> {
    let pairs = |without: Option<usize>| {
        (0..count)
            .flat_map(move |a| (a + 1..count).map(move |b| (a, b)))
            .filter(move |(a, b)| Some(*a) != without && Some(*b) != without)
    };
    if count < 3 || pairs(None).all(|(a, b)| agree(a, b)) {
        return None;
    }
    let mut candidates = (0..count).filter(|&one| pairs(Some(one)).all(|(a, b)| agree(a, b)));
    let first = candidates.next()?;
    candidates.next().is_none().then_some(first)
}
