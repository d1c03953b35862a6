//! Opening a model with ONNX Runtime.

use super::{
    choice::{self, Choice},
    ffi::{RECORD_PROVIDERS, Shared},
    library::{self, Loaded},
    model::OrtModel,
    providers::{CPU, Class, PROVIDERS},
};
use crate::{
    opening::{Opening, Traits},
    precisions,
};
use dyno_core::{
    Absence, Availability, Backend, BackendError, Capability, Framework, Library, Model,
    ModelSource, OpenConfig, Presence, Reason, Remedy,
};
use dyno_formats::onnx::GraphFacts;
use ort::session::{Session, builder::SessionBuilder};
use std::{path::Path, sync::Arc};

pub(super) const ID: &str = "onnxruntime";

/// ONNX Runtime: one session for all slots, operators one after another, `threads` threads inside
/// an operator: the slot's own and helpers from one pool of `threads - 1`, which slots share.
/// Settings:
///
/// * `provider`: `cpu` (default) or an execution provider: `openvino`, `cuda`, `tensorrt`, … It
///   must take every node of the model, else opening is an error.
/// * `provider.OPTION`: an option of the provider in ONNX Runtime's own words.
/// * `allow_partial`: `on` lets the processor run the nodes that the provider does not take; the
///   nodes of each are in the facts.
/// * `optimization`: of the graph: `disable`, `basic`, `extended`, `layout` (default) or `all`.
/// * `io_binding`: `on` writes outputs into the same memory in every run.
/// * `arena`, `memory_pattern`: `off` asks the system for memory instead of keeping it.
/// * `profile`: where the library writes what each node took, when the model is closed.
/// * `library`: path of the library; must be the one that this process uses already, if it uses
///   one.
/// * `spinning`: `on` (default) or `off`: whether idle threads of a session spin between operators.
///
/// Arithmetic stays f32 where the model has f32, also on processors and GPUs that would be faster
/// with bfloat16 or TensorFloat-32.
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
        let built_for = format!("for ONNX Runtime 1.{} or newer", ort::MINOR_VERSION);
        match library::load(None, None) {
            Ok(loaded) => {
                let (devices, providers) = providers(&loaded);
                Availability {
                    library: Some(Presence::Yes(Library {
                        path: loaded.path.display().to_string(),
                        version: loaded.version,
                        source: loaded.source.to_owned(),
                    })),
                    devices,
                    precisions: precisions::of_files(&[]),
                    providers,
                    ..Availability::built_in(built_for)
                }
            }
            Err(absence) => Availability::without_library(built_for, absence),
        }
    }

    fn open(
        &self,
        model: &ModelSource,
        config: &OpenConfig,
    ) -> Result<Arc<dyn Model>, BackendError> {
        let choice = Choice::read(config)?;
        let shared = choice.shared(config);
        let mut opening = Opening::begin(
            Traits {
                id: ID,
                library: String::new(),
                settings: &[],
                lacks: &[],
            },
            model,
            &shared,
        )?;
        let runtime = choice.provider.and_then(|p| p.runtime);
        let loaded = library::load(choice.library.as_deref(), runtime).map_err(|absence| {
            BackendError::Unavailable {
                backend: ID,
                reason: absence.to_string(),
            }
        })?;
        choice.check_library(&format!("{} {}", loaded.path.display(), loaded.version))?;
        let facts = &mut opening.facts;
        facts.library = format!("onnxruntime {}", loaded.version);
        facts.device = choice.device();
        facts.precision = choice.precision(&facts.precision);
        facts.settings.extend(choice.in_force(config.threads));
        // `ort` asserts that the library's description of an input is well-formed, which a damaged
        // file can break.
        let session = opening.compile(|o| {
            let mut builder = builder(&loaded.environment, config, &choice, &o.graph, &o.shapes)?;
            builder
                .commit_from_memory(&o.bytes)
                .map_err(|e| e.to_string())
        })?;
        let session = opening.compile(|_| Shared::new(session))?;
        choice.check_ran(session.providers())?;
        let model = opening.compile(|o| {
            OrtModel::new(
                session,
                std::mem::take(&mut o.io),
                std::mem::take(&mut o.facts),
                &choice,
            )
        })?;
        Ok(Arc::new(model))
    }
}

/// Devices and providers of a library, each *no* with its reason.
fn providers(loaded: &Loaded) -> (Vec<Capability>, Vec<Capability>) {
    let library = loaded.path.file_name().map_or_else(
        || loaded.version.clone(),
        |name| name.to_string_lossy().into_owned(),
    );
    let mut devices = vec![Capability::there("cpu", CPU)];
    let mut found = vec![Capability::there("cpu", CPU)];
    for provider in PROVIDERS {
        found.push(match (provider.available)() {
            Ok(true) => {
                for class in provider.classes.iter().filter(|c| **c != Class::Cpu) {
                    if devices.iter().all(|d| d.name != class.word()) {
                        devices.push(device(*class, provider.id));
                    }
                }
                Capability::there(provider.id, provider.name)
            }
            Ok(false) => Capability::missing(provider.id, choice::missing(provider, &library)),
            Err(error) => {
                let says = error.to_string();
                Capability::missing(provider.id, Absence::lasting(Reason::Refused { says }))
            }
        });
    }
    (devices, found)
}

/// A device other than the processor, as far as its device files tell.
fn device(class: Class, provider: &str) -> Capability {
    let files = match class {
        Class::Cpu => &[][..],
        Class::Gpu => &["/dev/dri", "/dev/nvidiactl", "/dev/nvhost-gpu", "/dev/kfd"],
        Class::Npu => &["/dev/accel", "/dev/rknpu", "/dev/davinci0"],
    };
    if !cfg!(target_os = "linux") || files.iter().any(|f| Path::new(f).exists()) {
        return Capability::there(class.word(), format!("by `{provider}`"));
    }
    let device = format!(
        "{} (none of {})",
        class.word().to_uppercase(),
        files.join(", ")
    );
    let what = format!("a {} with its driver", class.word().to_uppercase());
    Capability::missing(
        class.word(),
        Absence {
            reason: Reason::NoDevice { device },
            remedy: Some(Remedy::Provide { what }),
        },
    )
}

fn builder(
    environment: &ort::environment::Environment,
    config: &OpenConfig,
    choice: &Choice,
    facts: &GraphFacts,
    shapes: &[Vec<usize>],
) -> Result<SessionBuilder, String> {
    // The builder comes back inside its own error, so that every step has the same type.
    let text = |e: ort::Error<SessionBuilder>| e.to_string();
    let asked = choice.asked(config);
    let mut chosen: Vec<_> = choice.provider.iter().map(|p| p.dispatch(&asked)).collect();
    // Last, as the library has it; this registration carries the arena.
    let cpu = ort::ep::CPU::default().with_arena_allocator(choice.arena);
    chosen.push(cpu.build().error_on_failure());
    let mut builder = Session::builder(environment)
        .map_err(|e| e.to_string())?
        .with_no_environment_execution_providers()
        .map_err(text)?
        .with_optimization_level(choice.optimization.level())
        .map_err(text)?
        .with_intra_threads(config.threads as usize)
        .map_err(text)?
        .with_inter_threads(1)
        .map_err(text)?
        .with_parallel_execution(false)
        .map_err(text)?
        .with_intra_op_spinning(choice.spinning)
        .map_err(text)?
        .with_memory_pattern(choice.memory_pattern)
        .map_err(text)?
        .with_log_level(ort::logging::LogLevel::Fatal)
        .map_err(text)?
        .with_config_entry(RECORD_PROVIDERS, "1")
        .map_err(text)?
        .with_config_entry("mlas.enable_gemm_fastmath_arm64_bfloat16", "0")
        .map_err(text)?
        .with_execution_providers(chosen)
        .map_err(text)?;
    if let Some(place) = &choice.profile {
        builder = builder.with_profiling(place).map_err(text)?;
    }
    for (symbol, n) in facts.symbols(shapes) {
        let n = i64::try_from(n).map_err(|e| e.to_string())?;
        builder = builder.with_dimension_override(symbol, n).map_err(text)?;
    }
    Ok(builder)
}
