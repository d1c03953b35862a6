//! An open script of `null`.

use super::{
    backend::ID,
    settings::Settings,
    slot::{NullSlot, Script},
};
use crate::{config::select_outputs, io};
use dyno_core::{
    BackendError, Dimension, ExecutionFacts, IoSpec, Model, OpenConfig, Slot, Tensor, TensorInfo,
};
use std::sync::{Arc, atomic::AtomicU64};

pub(super) struct NullModel {
    script: Arc<Script>,
    facts: ExecutionFacts,
}

impl NullModel {
    pub(super) fn new(settings: Settings, config: &OpenConfig) -> Result<Self, BackendError> {
        let shapes = io::resolve_shapes(ID, &settings.inputs, config)?;
        let inputs: Vec<TensorInfo> = settings
            .inputs
            .iter()
            .zip(&shapes)
            .map(|(info, shape)| io::fixed(&info.name, info.dtype, shape))
            .collect();
        let names: Vec<String> = settings.outputs.iter().map(|o| o.name.clone()).collect();
        let outputs = select_outputs(ID, config, &names)?
            .into_iter()
            .filter_map(|index| settings.outputs.get(index))
            .map(|info| output(info, config.batch as usize))
            .collect::<Result<_, _>>()?;
        let facts = ExecutionFacts {
            backend: ID.to_owned(),
            library: format!("null {}", env!("CARGO_PKG_VERSION")),
            device: "cpu".to_owned(),
            providers: Vec::new(),
            precision: "none".to_owned(),
            threads: config.threads,
            batch: config.batch,
            shapes: inputs.iter().map(|i| i.name.clone()).zip(shapes).collect(),
            settings: config.settings.clone(),
        };
        Ok(Self {
            script: Arc::new(Script {
                io: IoSpec { inputs, outputs },
                settings,
                count: AtomicU64::new(0),
            }),
            facts,
        })
    }
}

/// A declared output with the batch in place of an open first dimension.
fn output(info: &TensorInfo, batch: usize) -> Result<TensorInfo, BackendError> {
    let shape = info
        .shape
        .iter()
        .enumerate()
        .map(|(axis, d)| match d {
            Dimension::Fixed(n) => Ok(*n),
            _ if axis == 0 => Ok(batch),
            open => Err(BackendError::Unsupported {
                backend: ID,
                what: format!(
                    "output `{}` with open dimension {axis} (`{open}`)",
                    info.name
                ),
            }),
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(io::fixed(&info.name, info.dtype, &shape))
}

impl Model for NullModel {
    fn io(&self) -> &IoSpec {
        &self.script.io
    }

    fn facts(&self) -> ExecutionFacts {
        self.facts.clone()
    }

    fn slot(&self) -> Result<Box<dyn Slot>, BackendError> {
        let outputs = self
            .script
            .io
            .outputs
            .iter()
            .map(|o| Tensor::zeros(o.fixed_shape().unwrap_or_default(), o.dtype))
            .collect::<Result<_, _>>()?;
        Ok(Box::new(NullSlot::new(Arc::clone(&self.script), outputs)))
    }
}
