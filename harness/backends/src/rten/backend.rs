//! Opening a model with rten.

use super::{defaults::written_out, engine::RtenEngine};
use crate::{
    config::{assemble, check_cpu, select_outputs},
    graph::{self, check_precision, model_bytes},
    guard::guard,
    io::resolve_shapes,
};
use dyno_core::{
    Availability, Backend, BackendError, Check, DType, ExecutionFacts, Framework, ModelSource,
    Session, SessionConfig,
};
use rten::{Model, NodeId, ThreadPool};
use std::sync::Arc;

pub(super) const ID: &str = "rten";

/// rten: knows no settings. Every slot has a thread pool of its own with exactly the threads asked
/// for: a shared pool does not scale, and the default one counts physical cores and listens to the
/// environment. 64-bit integers and booleans are 32-bit integers inside; they are converted at the
/// edges, and a value that does not fit is an error.
#[derive(Debug, Clone, Copy)]
pub struct Rten;

impl Backend for Rten {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "built in, pure Rust, no native library"
    }

    fn reads(&self) -> &'static [Framework] {
        &[Framework::Onnx]
    }

    fn probe(&self) -> Availability {
        Availability {
            checks: vec![Check {
                what: "compiled in".to_owned(),
                ok: true,
                detail: library(),
            }],
            devices: vec!["cpu".to_owned()],
        }
    }

    fn open(
        &self,
        model: &ModelSource,
        config: &SessionConfig,
    ) -> Result<Box<dyn Session>, BackendError> {
        check_cpu(ID, config, &[])?;
        let bytes = model_bytes(ID, model)?;
        let facts = graph::read(ID, &bytes)?;
        check_precision(ID, config, &facts)?;
        let shapes = resolve_shapes(ID, &facts.inputs, config)?;
        let chosen = select_outputs(ID, config, &facts.output_names())?;
        let load = |reason: String| BackendError::Load {
            backend: ID,
            reason,
        };
        if let Some(info) = facts
            .inputs
            .iter()
            .find(|i| matches!(i.dtype, DType::F16 | DType::Bf16))
        {
            return Err(BackendError::Unsupported {
                backend: ID,
                what: format!("input `{}` of type {}", info.name, info.dtype),
            });
        }
        let io = facts.io(&shapes, &chosen).map_err(load)?;
        let model =
            guard(|| Model::load(written_out(bytes.into_owned())?).map_err(|e| e.to_string()))
                .map_err(load)?;
        let ids = |names: Vec<&str>| -> Result<Vec<NodeId>, BackendError> {
            names
                .into_iter()
                .map(|n| {
                    model
                        .find_node(n)
                        .ok_or_else(|| load(format!("the engine knows no tensor `{n}`")))
                })
                .collect()
        };
        let inputs = ids(io.inputs.iter().map(|i| i.name.as_str()).collect())?;
        let outputs = ids(io.outputs.iter().map(|o| o.name.as_str()).collect())?;
        let execution = ExecutionFacts {
            backend: ID.to_owned(),
            library: library(),
            device: "cpu".to_owned(),
            provider: None,
            precision: facts.precision.to_owned(),
            threads: config.threads,
            batch: config.batch,
            settings: config.settings.clone(),
        };
        let model = Arc::new(model);
        assemble(config, || {
            let engine = RtenEngine::new(
                Arc::clone(&model),
                pool(config.threads)?,
                inputs.clone(),
                outputs.clone(),
                io.clone(),
                execution.clone(),
            );
            Ok(Box::new(engine))
        })
    }
}

/// A pool of exactly `threads` threads. rten keeps a failure to itself and then runs in the
/// caller's thread, which the name shows.
fn pool(threads: u32) -> Result<Arc<ThreadPool>, BackendError> {
    let pool = ThreadPool::with_num_threads(threads as usize);
    let inside = pool.run(|| {
        std::thread::current()
            .name()
            .is_some_and(|n| n.starts_with("rten-"))
    });
    if inside {
        return Ok(Arc::new(pool));
    }
    Err(BackendError::Unavailable {
        backend: ID,
        reason: format!(
            "a pool of {threads} threads cannot be created: the system allows no more threads"
        ),
    })
}

fn library() -> String {
    format!("rten {}", rten_version())
}

/// rten tells its version nowhere that a program can read; Cargo.lock pins this one, and a test
/// compares the two.
pub(super) const fn rten_version() -> &'static str {
    "0.27.0"
}
