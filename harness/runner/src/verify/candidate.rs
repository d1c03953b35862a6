//! One engine with its model, ready to run sample after sample.

use super::{agreement::Verified, compare::Outputs};
use crate::{
    bound,
    error::RunError,
    guard::{guarded, of_sample},
    open,
    outputs::{not_finite, views},
    prepare::{Preparer, chain, orientation},
    score::to_dataset,
    watchdog::Watchdog,
};
use dyno_core::{
    Annotation, Dataset, Decoder, DecoderContext, LabelMatch, Metric, MetricContext, MetricKind,
    Plan, Prediction, Sample, SampleIndex, Slot, Tables, TensorInfo, TensorSet, ThresholdSet,
    match_labels,
};

/// One engine with its model.
pub(super) struct Candidate<'a> {
    plan: &'a Plan,
    watchdog: &'a Watchdog,
    opened: open::OpenedModel,
    name: String,
    preparer: Preparer,
    set: TensorSet,
    slot: Box<dyn Slot>,
    decoder: Box<dyn Decoder>,
    labels: LabelMatch,
    metrics: Vec<(&'static dyn MetricKind, Box<dyn Metric>)>,
}

/// What it made of one sample.
pub(super) struct Answered {
    pub(super) outputs: Outputs,
    pub(super) prediction: Prediction,
}

impl<'a> Candidate<'a> {
    /// Opens the plan's model.
    ///
    /// # Errors
    /// As a run of the plan would fail at its beginning.
    pub(super) fn open(
        name: String,
        plan: &'a Plan,
        tables: &Tables,
        dataset: &dyn Dataset,
        watchdog: &'a Watchdog,
    ) -> Result<Self, RunError> {
        bound::check(plan)?;
        let how = open::Open {
            threads: plan.bindings.division.threads(),
            batch: 1,
            slots: 1,
        };
        let opened = open::opened(plan, tables, watchdog, how)?;
        let model = opened.model.as_ref();
        let preparer = Preparer::new(&plan.spec.model.inputs, model.io(), 1, orientation(dataset))?;
        let set = preparer.new_set(model)?;
        let slot = watchdog.call(|| "while it made a slot".to_owned(), || model.slot())??;
        let spec = &plan.spec.model.decoder;
        let decoder = tables.decoder(&spec.kind)?.build(&DecoderContext {
            spec,
            thresholds: open::thresholds(plan, ThresholdSet::Evaluate),
            io: model.io(),
            network_size: preparer.network_size(),
            labels: &plan.bindings.labels,
        })?;
        let facts = dataset.facts();
        let labels = match_labels(&plan.bindings.labels, &facts.labels)
            .map_err(|e| RunError::Plan(e.to_string()))?;
        let mut metrics = Vec::new();
        for named in plan.spec.accuracy.iter().flat_map(|a| &a.metrics) {
            let kind = tables.metric(&named.name)?;
            let metric = kind.build(&MetricContext {
                labels: &facts.labels,
                parameters: &named.parameters,
            })?;
            metrics.push((kind, metric));
        }
        Ok(Self {
            plan,
            watchdog,
            opened,
            name,
            preparer,
            set,
            slot,
            decoder,
            labels,
            metrics,
        })
    }

    pub(super) fn outputs(&self) -> &[TensorInfo] {
        &self.opened.model.io().outputs
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Runs one sample. The inner error is the sample's own.
    ///
    /// # Errors
    /// When the engine panics or is overdue, or the decoder refuses the outputs.
    pub(super) fn run(
        &mut self,
        sample: &Sample,
        id: &str,
    ) -> Result<Result<Answered, String>, RunError> {
        let prepared = of_sample(|| self.preparer.prepare(sample, 0, &mut self.set));
        let prepared = match prepared.and_then(|inner| inner) {
            Ok(prepared) => prepared,
            Err(words) => return Ok(Err(words)),
        };
        let doing = || format!("while {} ran `{id}`", self.name);
        let (slot, set) = (&mut self.slot, &self.set);
        let ran = self
            .watchdog
            .call(doing, || guarded(doing, || Ok(slot.run(set))))??;
        if let Err(error) = ran {
            return Ok(Err(chain(&error)));
        }
        let infos = &self.opened.model.io().outputs;
        let views = views(self.slot.as_ref(), infos.len());
        if let Some(Some(words)) = not_finite(&views, infos, 1, 1).pop() {
            return Ok(Err(words));
        }
        let mut predictions = Vec::new();
        self.decoder
            .decode(&views, &[prepared.geometry], &mut predictions)?;
        let prediction = predictions
            .pop()
            .ok_or_else(|| RunError::Internal("the decoder said nothing".to_owned()))?;
        Ok(Ok(Answered {
            outputs: views
                .iter()
                .map(dyno_core::TensorView::to_f32_vec)
                .collect(),
            prediction,
        }))
    }

    /// Lets the metrics judge.
    ///
    /// # Errors
    /// When a metric refuses.
    pub(super) fn judge(
        &mut self,
        index: SampleIndex,
        prediction: &Prediction,
        truth: &Annotation,
    ) -> Result<(), RunError> {
        let prediction = to_dataset(prediction, &self.labels);
        for (_, metric) in &mut self.metrics {
            metric.update(index, &prediction, truth)?;
        }
        Ok(())
    }

    pub(super) fn metrics(&self) -> &[(&'static dyn MetricKind, Box<dyn Metric>)] {
        &self.metrics
    }

    /// # Errors
    /// When a metric refuses, or the model's files changed meanwhile.
    pub(super) fn finish(&self) -> Result<Verified, RunError> {
        bound::check_files(self.plan)?;
        let mut scores = Vec::new();
        for (_, metric) in &self.metrics {
            scores.extend(metric.finish(None)?);
        }
        Ok(Verified {
            name: self.name.clone(),
            facts: self.opened.model.facts(),
            import: self.opened.import.clone(),
            scores,
        })
    }
}
