//! A compiled model of tract: one optimised graph and its order of evaluation, for all slots.

use super::{backend::ID, slot::TractSlot};
use crate::guard::guard;
use dyno_core::{BackendError, DType, Dimension, ExecutionFacts, IoSpec, Model, Slot};
use std::sync::Arc;
use tract_linalg::multithread::Executor;
use tract_onnx::prelude::*;

/// The compiled graph.
pub(super) type Plan = Arc<TypedRunnableModel>;

pub(super) struct TractModel {
    plan: Plan,
    io: Arc<IoSpec>,
    facts: ExecutionFacts,
}

impl TractModel {
    /// A model around `plan`; types and shapes of `io`'s outputs become those that tract computed.
    pub(super) fn new(plan: Plan, mut io: IoSpec, facts: ExecutionFacts) -> Result<Self, String> {
        for (index, output) in io.outputs.iter_mut().enumerate() {
            let fact = plan
                .model()
                .output_fact(index)
                .map_err(|e| format!("{e:#}"))?;
            output.dtype = dtype(fact.datum_type).ok_or_else(|| {
                format!("output `{}` has type {:?}", output.name, fact.datum_type)
            })?;
            output.shape = fact
                .shape
                .iter()
                .map(|d| {
                    d.to_i64()
                        .ok()
                        .and_then(|n| usize::try_from(n).ok())
                        .map_or_else(|| Dimension::Symbolic(d.to_string()), Dimension::Fixed)
                })
                .collect();
        }
        Ok(Self {
            plan,
            io: Arc::new(io),
            facts,
        })
    }
}

impl Model for TractModel {
    fn io(&self) -> &IoSpec {
        &self.io
    }

    fn facts(&self) -> ExecutionFacts {
        self.facts.clone()
    }

    fn slot(&self) -> Result<Box<dyn Slot>, BackendError> {
        let threads = self.facts.threads;
        // tract panics when the system allows no more threads.
        let executor = guard(|| {
            Ok(if threads > 1 {
                Executor::multithread(threads as usize)
            } else {
                Executor::SingleThread
            })
        })
        .map_err(|reason| BackendError::Unavailable {
            backend: ID,
            reason,
        })?;
        let slot = TractSlot::new(&self.plan, Arc::clone(&self.io), executor);
        Ok(Box::new(slot?))
    }
}

/// The type that stands in a view; quantized types are shown as what they store.
pub(super) fn dtype(datum: DatumType) -> Option<DType> {
    Some(match datum.unquantized() {
        DatumType::F32 => DType::F32,
        DatumType::F16 => DType::F16,
        DatumType::I8 => DType::I8,
        DatumType::U8 => DType::U8,
        DatumType::I32 => DType::I32,
        DatumType::I64 => DType::I64,
        DatumType::Bool => DType::Bool,
        _ => return None,
    })
}
