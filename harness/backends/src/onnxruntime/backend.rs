//! Opening a model with ONNX Runtime.

use super::{ffi::RECORD_PROVIDERS, library, model::OrtModel};
use crate::opening::{Opening, Traits};
use dyno_core::{
    Availability, Backend, BackendError, Check, Framework, Model, ModelSource, OpenConfig,
};
use dyno_formats::onnx::GraphFacts;
use ort::session::{
    Session,
    builder::{GraphOptimizationLevel, SessionBuilder},
};
use std::{path::Path, sync::Arc};

pub(super) const ID: &str = "onnxruntime";

const SETTINGS: &[&str] = &["library", "spinning"];

/// ONNX Runtime on the processor: all graph optimisations, one session for all slots, operators one
/// after another, `threads` threads inside an operator: the slot's own and helpers from one pool of
/// `threads - 1`, which slots share. Settings:
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
        config: &OpenConfig,
    ) -> Result<Arc<dyn Model>, BackendError> {
        let mut opening = Opening::begin(
            Traits {
                id: ID,
                library: String::new(),
                settings: SETTINGS,
                lacks: &[],
            },
            model,
            config,
        )?;
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
        opening.facts.library = format!("onnxruntime {}", loaded.version);
        let settings = &mut opening.facts.settings;
        // A path would tell about the machine; facts are kept in records.
        settings.remove("library");
        let spin = if spinning { "on" } else { "off" };
        settings.insert("spinning".to_owned(), spin.to_owned());
        if config.threads > 1 {
            settings.insert("thread_pool".to_owned(), "one for all slots".to_owned());
        }
        // `ort` asserts that the library's description of an input is well-formed, which a damaged
        // file can break.
        let model = opening.compile(|o| {
            let mut builder = builder(
                &loaded.environment,
                config.threads,
                spinning,
                &o.graph,
                &o.shapes,
            )?;
            let session = builder
                .commit_from_memory(&o.bytes)
                .map_err(|e| e.to_string())?;
            OrtModel::new(
                session,
                std::mem::take(&mut o.io),
                std::mem::take(&mut o.facts),
            )
        })?;
        Ok(Arc::new(model))
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
    let mut builder = Session::builder(environment)
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
        .with_log_level(ort::logging::LogLevel::Fatal)
        .map_err(text)?
        .with_config_entry(RECORD_PROVIDERS, "1")
        .map_err(text)?
        .with_config_entry("mlas.enable_gemm_fastmath_arm64_bfloat16", "0")
        .map_err(text)?;
    for (symbol, n) in facts.symbols(shapes) {
        let n = i64::try_from(n).map_err(|e| e.to_string())?;
        builder = builder.with_dimension_override(symbol, n).map_err(text)?;
    }
    Ok(builder)
}
