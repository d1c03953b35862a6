//! Opening a model with ONNX Runtime.

use super::{engine::OrtEngine, library};
use crate::{
    config::{assemble, check_cpu, select_outputs},
    graph::{self, GraphFacts, check_precision, model_bytes},
    guard::guard,
    io::resolve_shapes,
};
use dyno_core::{
    Availability, Backend, BackendError, Check, ExecutionFacts, Framework, IoSpec, ModelSource,
    Session, SessionConfig,
};
use ort::session::{
    Session as OrtSession,
    builder::{GraphOptimizationLevel, SessionBuilder},
};
use std::path::Path;

pub(super) const ID: &str = "onnxruntime";

const SETTINGS: &[&str] = &["library", "spinning"];

/// ONNX Runtime on the processor: all graph optimisations, one session a slot, operators one after
/// another, `threads` threads inside an operator. Settings:
///
/// * `library`: path of the library; must be the one that this process uses already, if it uses
///   one.
/// * `spinning`: `on` (default) or `off`: whether idle threads of a session spin between operators.
///
/// Arithmetic stays f32 where the model has f32, also on processors that would be faster with
/// bfloat16.
#[derive(Debug, Clone, Copy)]
pub struct OnnxRuntime;

impl Backend for OnnxRuntime {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "ONNX Runtime, opened at run time"
    }

    fn reads(&self) -> &'static [Framework] {
        &[Framework::Onnx]
    }

    fn probe(&self) -> Availability {
        let check = |what: &str, ok: bool, detail: String| Check {
            what: what.to_owned(),
            ok,
            detail,
        };
        let compiled = check(
            "compiled in",
            true,
            format!("for ONNX Runtime 1.{} or newer", ort::MINOR_VERSION),
        );
        match library::load(None) {
            Ok(loaded) => Availability {
                checks: vec![
                    compiled,
                    check(
                        "library",
                        true,
                        format!("{} {}", loaded.path.display(), loaded.version),
                    ),
                    check("device cpu", true, "CPUExecutionProvider".to_owned()),
                ],
                devices: vec!["cpu".to_owned()],
            },
            Err(reason) => Availability {
                checks: vec![compiled, check("library", false, reason)],
                devices: Vec::new(),
            },
        }
    }

    fn open(
        &self,
        model: &ModelSource,
        config: &SessionConfig,
    ) -> Result<Box<dyn Session>, BackendError> {
        check_cpu(ID, config, SETTINGS)?;
        let spinning = match config.settings.get("spinning").map_or("on", String::as_str) {
            "on" => true,
            "off" => false,
            other => {
                return Err(BackendError::Unsupported {
                    backend: ID,
                    what: format!("spinning `{other}` (there are: on, off)"),
                });
            }
        };
        let library = config.settings.get("library").map(Path::new);
        let loaded = library::load(library).map_err(|reason| BackendError::Unavailable {
            backend: ID,
            reason,
        })?;
        let bytes = model_bytes(ID, model)?;
        let facts = graph::read(ID, &bytes)?;
        check_precision(ID, config, &facts)?;
        let shapes = resolve_shapes(ID, &facts.inputs, config)?;
        let chosen = select_outputs(ID, config, &facts.output_names())?;
        let load = |reason: String| BackendError::Load {
            backend: ID,
            reason,
        };
        let io = facts.io(&shapes, &chosen).map_err(load)?;
        let mut settings = config.settings.clone();
        // A path would tell about the machine; facts are kept in records.
        settings.remove("library");
        settings.insert(
            "spinning".to_owned(),
            if spinning { "on" } else { "off" }.to_owned(),
        );
        let execution = ExecutionFacts {
            backend: ID.to_owned(),
            library: format!("onnxruntime {}", loaded.version),
            device: "cpu".to_owned(),
            provider: Some("CPUExecutionProvider".to_owned()),
            precision: facts.precision.to_owned(),
            threads: config.threads,
            batch: config.batch,
            settings,
        };
        assemble(config, || {
            // `ort` asserts that the library's description of an input is well-formed, which a
            // damaged file can break.
            let session = guard(|| {
                let mut builder = builder(
                    &loaded.environment,
                    config.threads,
                    spinning,
                    &facts,
                    &shapes,
                )?;
                builder
                    .commit_from_memory(&bytes)
                    .map_err(|e| e.to_string())
            })
            .map_err(load)?;
            check_inputs_match(&session, &io).map_err(load)?;
            Ok(Box::new(
                OrtEngine::new(session, io.clone(), execution.clone()).map_err(load)?,
            ))
        })
    }
}

fn builder(
    environment: &ort::environment::Environment,
    threads: u32,
    spinning: bool,
    facts: &GraphFacts,
    shapes: &[Vec<usize>],
) -> Result<SessionBuilder, String> {
    // The builder comes back inside its own error, so that every step has the same type.
    let text = |e: ort::Error<SessionBuilder>| e.to_string();
    let mut builder = OrtSession::builder(environment)
        .map_err(|e| e.to_string())?
        .with_no_environment_execution_providers()
        .map_err(text)?
        .with_optimization_level(GraphOptimizationLevel::Level3)
        .map_err(text)?
        .with_intra_threads(threads as usize)
        .map_err(text)?
        .with_inter_threads(1)
        .map_err(text)?
        .with_parallel_execution(false)
        .map_err(text)?
        .with_intra_op_spinning(spinning)
        .map_err(text)?
        .with_log_level(ort::logging::LogLevel::Error)
        .map_err(text)?
        .with_config_entry("mlas.enable_gemm_fastmath_arm64_bfloat16", "0")
        .map_err(text)?;
    for (symbol, n) in facts.symbols(shapes) {
        let n = i64::try_from(n).map_err(|e| e.to_string())?;
        builder = builder.with_dimension_override(symbol, n).map_err(text)?;
    }
    Ok(builder)
}

/// Inputs are handed over by position: both readers of the file must see the same ones.
fn check_inputs_match(session: &OrtSession, io: &IoSpec) -> Result<(), String> {
    let theirs: Vec<&str> = session
        .inputs()
        .iter()
        .map(ort::value::Outlet::name)
        .collect();
    let ours: Vec<&str> = io.inputs.iter().map(|i| i.name.as_str()).collect();
    if theirs == ours {
        Ok(())
    } else {
        Err(format!(
            "the engine sees the inputs {theirs:?}, the file declares {ours:?}"
        ))
    }
}
