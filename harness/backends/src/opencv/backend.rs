//! Opening a model with OpenCV.

use super::{
    model::{Loaded, OpenCvModel},
    net::{Declared, LACKS, READS, layer_shape, plain},
    threads::Threads,
};
use crate::{
    config::{check_cpu, select_outputs},
    io::{fixed, resolve_shapes},
    precisions,
};
use dyno_core::{
    Availability, Backend, BackendError, DType, Dimension, ExecutionFacts, Framework, IoSpec,
    Model, ModelSource, OpenConfig, Precision, TensorInfo,
};
use opencv::{
    core::{self, LogLevel},
    dnn::{MatShape, Net},
    prelude::*,
};
use std::{collections::BTreeMap, sync::Arc};

pub(super) const ID: &str = "opencv";

/// OpenCV's module `dnn`, with its own backend, on the processor: the library that this program was
/// linked with. Knows no settings. Computes in f32 only, and images are NCHW also in graphs of
/// TensorFlow.
///
/// The number of threads is the process's: a model cannot be opened with another one while some are
/// open. A net cannot be shared, so every slot has its own, weights included.
#[derive(Debug, Clone, Copy)]
pub struct OpenCv;

impl Backend for OpenCv {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "the module dnn of OpenCV, linked"
    }

    fn reads(&self) -> &'static [Framework] {
        READS
    }

    fn probe(&self) -> Availability {
        let mut detail = library();
        if let Some(lacks) = LACKS {
            detail = format!("{detail}; {lacks}");
        }
        Availability {
            precisions: precisions::of_files(&[DType::F16, DType::Bf16]),
            ..Availability::built_in(detail)
        }
    }

    fn open(
        &self,
        model: &ModelSource,
        config: &OpenConfig,
    ) -> Result<Arc<dyn Model>, BackendError> {
        check_cpu(ID, config, &[])?;
        let refuse = |what: String| BackendError::Unsupported { backend: ID, what };
        let load = |reason: String| BackendError::Load {
            backend: ID,
            reason,
        };
        // Errors come back as values; what it writes to stderr besides is not ours to escape.
        core::set_log_level(LogLevel::LOG_LEVEL_SILENT).map_err(|e| load(plain(&e)))?;
        let declared = Declared::read(model).map_err(load)?;
        if !matches!(config.precision, Precision::Native)
            && (config.precision != Precision::F32 || declared.precision != "f32")
        {
            return Err(refuse(format!(
                "precision `{}` for a model in {} (there is: native)",
                config.precision, declared.precision
            )));
        }
        let shapes = resolve_shapes(ID, &declared.inputs, config)?;
        if let Some(info) = declared
            .inputs
            .iter()
            .find(|i| !matches!(i.dtype, DType::F32 | DType::U8) || i.shape.len() < 2)
        {
            return Err(refuse(format!(
                "input `{}` of type {} with {} dimensions (there are: f32, u8, with at least 2)",
                info.name,
                info.dtype,
                info.shape.len()
            )));
        }
        let net = declared.files.net().map_err(load)?;
        let names: Vec<String> = match &declared.onnx {
            Some(facts) => facts.output_names(),
            None => net
                .get_unconnected_out_layers_names()
                .map_err(|e| load(plain(&e)))?
                .into_iter()
                .collect(),
        };
        let chosen = select_outputs(ID, config, &names)?;
        let io = io(&declared, &net, &shapes, &names, &chosen).map_err(load)?;
        let threads = Threads::hold(config.threads).map_err(refuse)?;
        let mut settings = BTreeMap::from([
            ("backend".to_owned(), "opencv".to_owned()),
            ("target".to_owned(), "cpu".to_owned()),
        ]);
        if config.threads > 1 {
            settings.insert("thread_pool".to_owned(), "one for the process".to_owned());
        }
        let facts = ExecutionFacts {
            backend: ID.to_owned(),
            library: library(),
            device: "cpu".to_owned(),
            providers: Vec::new(),
            precision: declared.precision.to_owned(),
            threads: config.threads,
            batch: config.batch,
            shapes: declared
                .inputs
                .iter()
                .map(|i| i.name.clone())
                .zip(shapes)
                .collect(),
            settings,
        };
        let input_names = match declared.inputs.as_slice() {
            [_] => vec![String::new()],
            several => several.iter().map(|i| i.name.clone()).collect(),
        };
        let loaded = Loaded {
            files: declared.files,
            input_names,
            output_names: chosen
                .iter()
                .filter_map(|&i| names.get(i).cloned())
                .collect(),
            io,
            _threads: threads,
        };
        Ok(Arc::new(OpenCvModel::new(loaded, facts, net)))
    }
}

fn library() -> String {
    core::get_version_string().map_or_else(|e| plain(&e), |v| format!("opencv {v}"))
}

/// Inputs and chosen outputs, and whether the net has such layers.
fn io(
    declared: &Declared,
    net: &Net,
    shapes: &[Vec<usize>],
    names: &[String],
    chosen: &[usize],
) -> Result<IoSpec, String> {
    let ids = chosen
        .iter()
        .map(|&index| {
            let name = names.get(index).ok_or("no such output")?;
            match net.get_layer_id(name).map_err(|e| plain(&e))? {
                id if id >= 0 => Ok((id, name)),
                _ => Err(format!("OpenCV has no layer for output `{name}`")),
            }
        })
        .collect::<Result<Vec<_>, String>>()?;
    if let Some(facts) = &declared.onnx {
        let io = facts.io(shapes, chosen).map_err(|e| e.to_string())?;
        return match io.outputs.iter().find(|o| o.dtype != DType::F32) {
            None => Ok(io),
            Some(other) => Err(format!(
                "output `{}` of type {}: OpenCV computes in f32 only",
                other.name, other.dtype
            )),
        };
    }
    let given = shapes
        .iter()
        .map(|shape| shape.iter().map(|&d| i32::try_from(d)).collect())
        .collect::<Result<Vec<MatShape>, _>>()
        .map_err(|e| e.to_string())?;
    let mut outputs = Vec::with_capacity(ids.len());
    for (id, name) in ids {
        let found = layer_shape(net, &given, id)?;
        let layer = net.get_layer(id).map_err(|e| plain(&e))?;
        // As many rows as objects were found.
        let detections = layer.typ() == "DetectionOutput";
        let shape = found
            .into_iter()
            .enumerate()
            .map(|(axis, n)| match axis {
                2 if detections => Dimension::Unknown,
                _ => Dimension::Fixed(n),
            })
            .collect();
        outputs.push(TensorInfo::new(name, DType::F32, shape));
    }
    Ok(IoSpec {
        inputs: declared
            .inputs
            .iter()
            .zip(shapes)
            .map(|(info, shape)| fixed(&info.name, info.dtype, shape))
            .collect(),
        outputs,
    })
}
