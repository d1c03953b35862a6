//! `dyno models check`.

use super::output::{changes, resolve_options};
use crate::{child, context::Context, engines::InChild, exit, samples::Taker, say, tables::TABLES};
use dyno_core::{Dataset, DatasetRequest, Record, SampleSetRecord};
use dyno_datasets::HashCache;
use dyno_planner::{Environment, PlanError, RunRequest, describe_model};
use dyno_registry::{
    CheckContext, DatasetState, Description, FindingStatus, ResolvedModel, check, locate, repair,
};
use dyno_reports::table::{Cell, Column, Table};
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
struct AtHand {
    datasets: Vec<(DatasetRequest, Box<dyn Dataset>)>,
    /// By number of the data set and samples asked for: id and sha256.
    taken: RefCell<Taken>,
    /// The first failure to read one.
    failed: RefCell<Option<anyhow::Error>>,
}

impl AtHand {
    fn open(texts: &[String]) -> anyhow::Result<Self> {
        let mut datasets = Vec::new();
        for text in texts {
            let request = dyno_datasets::parse_request(text)?;
            let dataset = TABLES.dataset(&request.kind)?.open(&request)?;
            datasets.push((request, dataset));
        }
        Ok(Self {
            datasets,
            taken: RefCell::default(),
            failed: RefCell::default(),
        })
    }

    /// A data set of another name says nothing; of several of the same, one that fits is enough.
    fn state(&self, record: &Record, set: &SampleSetRecord) -> DatasetState {
        let samples = record.plan.spec.samples;
        let mut state = DatasetState::NotAtHand;
        for index in 0..self.datasets.len() {
            match self.is_same(index, samples, set) {
                Ok(None) => {}
                Ok(Some(true)) => return DatasetState::Same,
                Ok(Some(false)) => state = DatasetState::Changed,
                Err(e) => {
                    self.failed.borrow_mut().get_or_insert(e);
                }
            }
        }
        state
    }

    /// Whether data set `index` is the one of `set`; `None` when it has another name.
    fn is_same(
        &self,
        index: usize,
        samples: Option<u32>,
        set: &SampleSetRecord,
    ) -> anyhow::Result<Option<bool>> {
        let Some((request, dataset)) = self.datasets.get(index) else {
            return Ok(None);
        };
        if dataset.facts().name.name != set.name {
            return Ok(None);
        }
        if samples.is_some_and(|n| n as usize > dataset.entries().len()) {
            // It once had as many.
            return Ok(Some(false));
        }
        let key = (index, samples);
        if !self.taken.borrow().contains_key(&key) {
            // Files are read: size and time of one vouch for nothing.
            let cache = HashCache::none();
            let now = dyno_datasets::select(request, dataset.as_ref(), samples, &cache)?;
            self.taken.borrow_mut().insert(key, (now.id, now.sha256));
        }
        let taken = self.taken.borrow();
        let same = taken.get(&key);
        Ok(Some(same.is_some_and(|(id, sha256)| {
            *id == set.id && *sha256 == set.sha256
        })))
    }
}

/// The model as a run of the record's engine would take it; `None` when that engine is not here.
fn describe(
    model: &ResolvedModel,
    record: &Record,
    context: &Context,
) -> Result<Option<Description>, String> {
    let execution = &record.plan.spec.execution;
    let request = RunRequest {
        backend: Some(execution.backend.clone()),
        device: execution.device.clone(),
        precision: execution.precision,
        shapes: execution.shapes.clone(),
        settings: execution.settings.clone(),
        ..RunRequest::new(&model.reference)
    };
    // A child: looking at a model must not end the check of all of them.
    let engines = InChild(child::worker(false).map_err(|e| e.to_string())?);
    let cache = HashCache::none();
    let environment = Environment {
        tables: &TABLES,
        search_path: &context.search_path,
        home: None,
        cores: dyno_machine::cores(),
        cache_dir: Some(&context.settings.cache_dir.value),
        backend: None,
        engines: &engines,
        samples: &Taker(&cache),
    };
    match describe_model(model, &request, &environment) {
        Ok(description) => Ok(Some(description)),
        Err(error) if error.exit_code() == exit::CANNOT_RUN => Ok(None),
        Err(PlanError::Name(_)) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Exit code 1 when a field has no evidence or a stale one. Data sets that are not named stay
/// *unchecked*.
pub(super) fn run(args: &CheckArgs, context: &Context) -> anyhow::Result<u8> {
    let options = resolve_options();
    let at_hand = AtHand::open(&args.dataset)?;
    let mut code = exit::OK;
    let models = if args.model.is_empty() {
        let scan = context.search_path.scan();
        for problem in &scan.problems {
            say::problem(problem);
            code = exit::FAILED;
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
    let checking = CheckContext {
        dataset: &|record, set| at_hand.state(record, set),
        describe: &|model, record| describe(model, record, context),
    };
    let columns = ["model", "field", "status", "code", "detail"];
    let mut table = Table::new(columns.map(Column::text));
    for model in &models {
        for finding in check(model, &options, &checking)? {
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
            if finding.status == FindingStatus::Failed {
                code = exit::worst(code, exit::VERDICT);
            }
            table.push([
                Cell::from(model.name()),
                Cell::from(finding.field),
                Cell::from(status),
                Cell::from(finding.code),
                Cell::from(finding.detail),
            ]);
        }
    }
    context.list(&table)?;
    match at_hand.failed.into_inner() {
        Some(error) => {
            Err(error
                .context("a data set cannot be read, so what was measured on it stays unchecked"))
        }
        None => Ok(code),
    }
}
