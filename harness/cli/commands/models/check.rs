//! `dyno models check`.

use super::output::{changes, resolve_options, table};
use crate::{commands::datasets::select, context::Context, tables::TABLES};
use dyno_core::{Dataset, Record, SampleSetRecord, lookup};
use dyno_registry::{DatasetState, FindingStatus, check, locate, repair};
use std::{cell::RefCell, collections::BTreeMap};

/// Arguments of `models check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Models; default: all of the search path
    model: Vec<String>,
    /// Compare with this data set what was measured on it; may be given several times
    #[arg(long, value_name = "KIND:PATH[#SPLIT]", conflicts_with = "repair")]
    dataset: Vec<String>,
    /// Put back fields that other tools dropped from a manifest
    #[arg(long)]
    repair: bool,
}

/// Id and hash of the sample set by position of the data set and number of samples.
type Taken = BTreeMap<(usize, Option<u32>), (String, String)>;

/// Data sets of the command line, and the sample sets that were taken from them: each is hashed
/// once for all fields.
struct AtHand<'c> {
    datasets: Vec<Box<dyn Dataset>>,
    /// By number of the data set and samples asked for: id and sha256.
    taken: RefCell<Taken>,
    /// The first failure to read one.
    failed: RefCell<Option<anyhow::Error>>,
    context: &'c Context,
}

impl<'c> AtHand<'c> {
    fn open(texts: &[String], context: &'c Context) -> anyhow::Result<Self> {
        let open = |text: &String| -> anyhow::Result<Box<dyn Dataset>> {
            let request = dyno_datasets::parse_request(text)?;
            Ok(lookup("dataset", TABLES.datasets, &request.kind)?.open(&request)?)
        };
        let datasets = texts.iter().map(open).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            datasets,
            taken: RefCell::default(),
            failed: RefCell::default(),
            context,
        })
    }

    /// A data set of another kind or split says nothing; of several of the same, one that fits is
    /// enough.
    fn state(&self, record: &Record, set: &SampleSetRecord) -> DatasetState {
        let samples = record.plan.spec.samples;
        let mut state = DatasetState::NotAtHand;
        for (i, dataset) in self.datasets.iter().enumerate() {
            // `kind-split-N-hash16`, with `_` for what an id cannot hold.
            let plain = |c: char| {
                if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') {
                    c
                } else {
                    '_'
                }
            };
            let kind_and_split = format!(
                "{}-{}",
                dataset.facts().kind,
                dataset.facts().split.chars().map(plain).collect::<String>()
            );
            if set.id.rsplitn(3, '-').nth(2) != Some(&kind_and_split) {
                continue;
            }
            match self.is_same(i, dataset.as_ref(), samples, set) {
                Ok(true) => return DatasetState::Same,
                Ok(false) => state = DatasetState::Changed,
                Err(e) => {
                    self.failed.borrow_mut().get_or_insert(e);
                }
            }
        }
        state
    }

    fn is_same(
        &self,
        index: usize,
        dataset: &dyn Dataset,
        samples: Option<u32>,
        set: &SampleSetRecord,
    ) -> anyhow::Result<bool> {
        if samples.is_some_and(|n| n as usize > dataset.entries().len()) {
            // It once had as many.
            return Ok(false);
        }
        let key = (index, samples);
        if !self.taken.borrow().contains_key(&key) {
            let now = select(dataset, samples, self.context)?;
            self.taken.borrow_mut().insert(key, (now.id, now.sha256));
        }
        Ok(self
            .taken
            .borrow()
            .get(&key)
            .is_some_and(|(id, sha256)| *id == set.id && *sha256 == set.sha256))
    }
}

/// Exit code 1 when a field has no evidence or a stale one. Data sets that are not named stay
/// *unchecked*.
pub(super) fn run(args: &CheckArgs, context: &Context) -> anyhow::Result<u8> {
    let options = resolve_options();
    let at_hand = AtHand::open(&args.dataset, context)?;
    let mut code = 0;
    let models = if args.model.is_empty() {
        let scan = context.search_path.scan();
        for problem in &scan.problems {
            let cause = std::error::Error::source(problem)
                .map_or_else(String::new, |s| format!("\ncaused by: {s}"));
            context.say(&format!("error: {problem}{cause}"));
            code = 5;
        }
        scan.models
    } else {
        args.model
            .iter()
            .map(|m| locate(m, &context.search_path, &options))
            .collect::<Result<Vec<_>, _>>()?
    };
    if args.repair {
        let mut done = Vec::new();
        for model in &models {
            done.extend(repair(model)?);
        }
        changes(context, &done)?;
        return Ok(code);
    }
    let mut rows = Vec::new();
    for model in &models {
        for finding in check(model, &options, &|record, set| at_hand.state(record, set))? {
            // A listing of a whole registry is not the place to say which files were never
            // downloaded.
            if args.model.is_empty() && finding.code == "no-files" {
                continue;
            }
            let status = match finding.status {
                FindingStatus::Ok => "ok",
                FindingStatus::Unchecked => "unchecked",
                FindingStatus::Failed => "failed",
            };
            if finding.status == FindingStatus::Failed && code == 0 {
                code = 1;
            }
            rows.push(vec![
                model.name(),
                finding.field.unwrap_or("-").to_owned(),
                status.to_owned(),
                finding.code.to_owned(),
                finding.detail,
            ]);
        }
    }
    table(
        context,
        &["model", "field", "status", "code", "detail"],
        &rows,
    )?;
    match at_hand.failed.into_inner() {
        Some(error) => {
            Err(error
                .context("a data set cannot be read, so what was measured on it stays unchecked"))
        }
        None => Ok(code),
    }
}
