//! Opening a model with rten.

use super::{defaults::written_out, model::RtenModel};
use crate::{
    opening::{Opening, Traits},
    precisions,
};
use dyno_core::{
    Availability, Backend, BackendError, DType, Framework, Model, ModelSource, OpenConfig,
};
use std::sync::Arc;

pub(super) const ID: &str = "rten";

/// Types that it cannot hold.
const LACKS: &[DType] = &[DType::F16, DType::Bf16];

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
            precisions: precisions::of_files(LACKS),
            ..Availability::built_in(library())
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
                library: library(),
                settings: &[],
                lacks: LACKS,
            },
            model,
            config,
        )?;
        if config.threads > 1 {
            let pool = ("thread_pool".to_owned(), "one a slot".to_owned());
            opening.facts.settings.extend([pool]);
        }
        let model = opening.compile(|o| {
            let bytes = std::mem::take(&mut o.bytes).into_owned();
            let loaded = rten::Model::load(written_out(bytes)?).map_err(|e| e.to_string())?;
            RtenModel::new(
                loaded,
                std::mem::take(&mut o.io),
                std::mem::take(&mut o.facts),
            )
        })?;
        Ok(Arc::new(model))
    }
}

fn library() -> String {
    format!("rten {}", rten_version())
}

/// rten tells its version nowhere that a program can read; Cargo.lock pins this one, and a test
/// compares the two.
pub(super) const fn rten_version() -> &'static str {
    "0.27.0"
}
