//! Opening a model with tract.

use super::{fence::fence_softmax, model::TractModel};
use crate::{
    opening::{Opening, Traits},
    precisions,
};
use dyno_core::{
    Availability, Backend, BackendError, DType, Framework, Model, ModelSource, OpenConfig,
};
use dyno_formats::onnx::GraphFacts;
use std::sync::Arc;
use tract_onnx::{
    prelude::{Framework as _, *},
    tract_core::{internal::RunOptions, plan::SimplePlan},
};

pub(super) const ID: &str = "tract";

/// Types that it cannot hold.
const LACKS: &[DType] = &[DType::Bf16];

/// tract: optimises the graph for the concrete shapes. It knows no settings. Slots share the
/// optimised graph and its weights; with more than one thread, each has a pool of its own. Only
/// matrix products use more than one thread, so that two threads bring less than twice the speed.
/// Its sigmoid is an approximation: where others give 0 it gives 4.5e-7.
#[derive(Debug, Clone, Copy)]
pub struct Tract;

impl Backend for Tract {
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
        let plan = opening.compile(|o| {
            let graph = compile(&o.bytes, &o.graph, &o.shapes, &o.chosen)?;
            // Without an executor in the plan, so that each slot runs it with threads of its own.
            let options = RunOptions::default();
            SimplePlan::new_with_options(graph, &options).map_err(|e| format!("{e:#}"))
        })?;
        if config.threads > 1 {
            let pool = ("thread_pool".to_owned(), "one a slot".to_owned());
            opening.facts.settings.extend([pool]);
        }
        let model = opening.compile(|o| {
            TractModel::new(
                plan,
                std::mem::take(&mut o.io),
                std::mem::take(&mut o.facts),
            )
        })?;
        Ok(Arc::new(model))
    }
}

/// Name and version; the version is that of the manifest's requirement, because the crate does not
/// tell its own.
fn library() -> String {
    format!("tract-onnx {}", tract_version())
}

/// tract writes its version nowhere that a program can read; Cargo.lock pins this one, and a test
/// compares the two.
pub(super) const fn tract_version() -> &'static str {
    "0.23.9"
}

fn compile(
    bytes: &[u8],
    facts: &GraphFacts,
    shapes: &[Vec<usize>],
    chosen: &[usize],
) -> Result<TypedModel, String> {
    // Shapes inside the file often say `1` where the batch is open, and contradict concrete inputs:
    // they are computed anew.
    let onnx = tract_onnx::onnx()
        .with_ignore_value_info(true)
        .with_ignore_output_shapes(true);
    let text = |e: TractError| format!("{e:#}");
    let mut model = onnx
        .model_for_read(&mut std::io::Cursor::new(bytes))
        .map_err(text)?;
    let sources = model.inputs.clone();
    if sources.len() != facts.inputs.len() {
        return Err(format!(
            "the engine sees {} inputs, the file declares {}",
            sources.len(),
            facts.inputs.len()
        ));
    }
    for (index, (info, shape)) in facts.inputs.iter().zip(shapes).enumerate() {
        let name = &model.node(sources[index].node).name;
        if *name != info.name {
            return Err(format!(
                "the engine's input {index} is `{name}`, the file's `{}`",
                info.name
            ));
        }
        let fact = InferenceFact::dt_shape(datum(info.dtype), TVec::from_slice(shape));
        model.set_input_fact(index, fact).map_err(text)?;
    }
    let outlets = model.outputs.clone();
    let wanted: Vec<OutletId> = chosen
        .iter()
        .filter_map(|&i| outlets.get(i).copied())
        .collect();
    if wanted.len() != chosen.len() {
        return Err(format!(
            "the engine sees {} outputs, the file declares {}",
            outlets.len(),
            facts.outputs.len()
        ));
    }
    model.select_output_outlets(&wanted).map_err(text)?;
    let mut model = model.into_typed().map_err(text)?;
    if facts.precision == "int8" {
        fence_softmax(&mut model).map_err(text)?;
    }
    model.into_optimized().map_err(text)
}

fn datum(dtype: DType) -> DatumType {
    match dtype {
        DType::F32 => f32::datum_type(),
        DType::F16 => half::f16::datum_type(),
        // tract has no bfloat16: such inputs were refused.
        DType::Bf16 => DatumType::F32,
        DType::I8 => i8::datum_type(),
        DType::U8 => u8::datum_type(),
        DType::I32 => i32::datum_type(),
        DType::I64 => i64::datum_type(),
        DType::Bool => bool::datum_type(),
    }
}
