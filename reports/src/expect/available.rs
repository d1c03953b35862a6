//! The names that expectations may use, known before a run or read from a record.

use super::{
    quantity::{self, Quantity, same_percentile},
    syntax::{ExpectError, Expectation},
};
use crate::details::{PER_CLASS, tables};
use dyno_core::{
    Artifacts, LabelMap, Metric, MetricError, Record, ScenarioName, UnknownName, nearest,
};

/// Names of which a message lists no more than these.
const LISTED: usize = 40;

/// Names of scores.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreNames {
    /// Of the whole set: `AP`, `AP50`.
    pub scores: Vec<String>,
    /// Those that there are for every class too.
    pub per_class: Vec<String>,
    /// Names of the classes.
    pub classes: Vec<String>,
}

impl ScoreNames {
    /// What metrics will say, asked before they have seen a sample.
    ///
    /// # Errors
    /// When a metric cannot be asked that early.
    pub fn of_metrics<'m>(
        metrics: impl IntoIterator<Item = &'m dyn Metric>,
        classes: &LabelMap,
    ) -> Result<Self, MetricError> {
        let mut names = Self {
            classes: classes.labels.iter().map(|l| l.name.clone()).collect(),
            ..Self::default()
        };
        for metric in metrics {
            let scores = metric.finish(None)?;
            names.scores.extend(scores.into_iter().map(|s| s.metric));
            names.per_class.extend(metric.class_scores());
        }
        Ok(names)
    }
}

/// What a run will measure, or a record holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Available {
    /// Scores; absent when accuracy is not measured.
    pub scores: Option<ScoreNames>,
    /// Scenarios of the performance measurements; none when performance is not measured.
    pub scenarios: Vec<ScenarioName>,
    /// Percentiles of latency: 0.5, 0.9.
    pub percentiles: Vec<f64>,
}

impl Available {
    /// What `record` holds, its tables at hand included.
    pub fn of_record(record: &Record, artifacts: &dyn Artifacts) -> Self {
        let mut available = Self::default();
        for m in &record.measurements {
            if let Some(a) = m.accuracy() {
                let names = available.scores.get_or_insert_default();
                names
                    .scores
                    .extend(a.scores.iter().map(|s| s.metric.clone()));
                for table in tables(record, m, artifacts, PER_CLASS) {
                    let Ok(content) = table.content else { continue };
                    let scores = content.scores(&a.scores).map(str::to_owned);
                    names.per_class.extend(scores);
                    let classes = content.rows.iter().filter_map(|r| r.first());
                    names.classes.extend(classes.cloned());
                }
            }
            if let Some(p) = m.performance() {
                available.scenarios.push(p.scenario.name);
                for x in &p.percentiles {
                    let known = &mut available.percentiles;
                    if !known.iter().any(|k| same_percentile(*k, x.p)) {
                        known.push(x.p);
                    }
                }
            }
        }
        available
    }

    /// Names of the whole, for a message.
    fn known(&self) -> Vec<String> {
        let mut known = Vec::new();
        if let Some(names) = &self.scores {
            known.extend(names.scores.iter().cloned());
            known.extend(names.per_class.iter().map(|m| format!("{m}/CLASS")));
        }
        if !self.scenarios.is_empty() {
            known.extend(quantity::names(&self.percentiles));
        }
        known
    }
}

impl Expectation {
    /// Whether there will be such a number, asked before anything is measured.
    ///
    /// # Errors
    /// [`ExpectError::Unknown`] with what there is and what was probably meant;
    /// [`ExpectError::Unmeasured`] when that half of the run, or that scenario, is not measured.
    pub fn check(&self, available: &Available) -> Result<(), ExpectError> {
        let unmeasured = |reason: String| ExpectError::Unmeasured {
            expression: self.expression.clone(),
            reason,
        };
        let names = available.scores.as_ref();
        match &self.quantity {
            Quantity::Score(metric) => match names {
                Some(names) if names.scores.contains(metric) => Ok(()),
                Some(_) => Err(self.unknown("score", metric, &available.known())),
                // A typo of `p90` looks like a score.
                None if nearest(metric, available.known().iter().map(String::as_str)).is_some() => {
                    Err(self.unknown("number", metric, &available.known()))
                }
                None => Err(unmeasured(format!(
                    "`{metric}` is a score, and accuracy is not measured"
                ))),
            },
            Quantity::ClassScore(metric, class) => match names {
                // A metric may itself be called `a/b`.
                Some(names) if names.scores.contains(&self.name) => Ok(()),
                Some(names) if !names.per_class.contains(metric) => {
                    Err(self.unknown("score per class", metric, &names.per_class))
                }
                Some(names) if !names.classes.contains(class) => {
                    Err(self.unknown("class", class, &names.classes))
                }
                Some(_) => Ok(()),
                None => Err(unmeasured(format!(
                    "`{}` is a score, and accuracy is not measured",
                    self.name
                ))),
            },
            performance => {
                if available.scenarios.is_empty() {
                    let name = &self.name;
                    return Err(unmeasured(format!(
                        "`{name}` is of performance, which is not measured"
                    )));
                }
                if let Some(scenario) = self.scenario
                    && !available.scenarios.contains(&scenario)
                {
                    let there: Vec<String> = available
                        .scenarios
                        .iter()
                        .map(ToString::to_string)
                        .collect();
                    return Err(unmeasured(format!(
                        "the scenario `{scenario}` is not measured, only {}",
                        there.join(", ")
                    )));
                }
                match performance.percentile() {
                    Some(p) if !available.percentiles.iter().any(|x| same_percentile(*x, p)) => {
                        let known = quantity::names(&available.percentiles);
                        Err(self.unknown("percentile", &self.name, &known))
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    fn unknown(&self, what: &'static str, name: &str, known: &[String]) -> ExpectError {
        let mut listed: Vec<String> = known.iter().take(LISTED).cloned().collect();
        if listed.len() < known.len() {
            listed.push("…".to_owned());
        }
        ExpectError::Unknown {
            expression: self.expression.clone(),
            source: UnknownName {
                what,
                name: name.to_owned(),
                known: listed,
                nearest: nearest(name, known.iter().map(String::as_str)),
            },
        }
    }
}
