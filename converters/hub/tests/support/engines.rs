//! Independent engines that run ONNX bytes: ONNX Runtime, when its library is at hand
//! (`DYNO_ONNXRUNTIME`), and rten, which is pure Rust.

use super::assets::skipped;
use dyno_core::{DType, Tensor, TensorData, TensorSlice};
use ort::{
    environment::Environment,
    session::{Session, SessionInputValue, builder::GraphOptimizationLevel},
    value::{DynValue, TensorElementType, TensorRef},
};
use rten_tensor::{AsView as _, Layout as _};
use std::{path::PathBuf, sync::OnceLock};

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// The reference.
    OnnxRuntime,
    /// Pure Rust. Integers of 64 bits and booleans are integers of 32 bits in it.
    Rten,
}

impl Engine {
    /// Name for messages and lists.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OnnxRuntime => "onnxruntime",
            Self::Rten => "rten",
        }
    }
}

/// The engines that can run here. Without the library of ONNX Runtime that is said, and with
/// `DYNO_REQUIRE_ONNXRUNTIME=1` a failure.
pub(crate) fn engines() -> Vec<Engine> {
    match environment() {
        Ok(_) => vec![Engine::OnnxRuntime, Engine::Rten],
        Err(why) => {
            assert!(
                std::env::var_os("DYNO_REQUIRE_ONNXRUNTIME").is_none_or(|v| v != "1"),
                "ONNX Runtime is required: {why}"
            );
            skipped("no onnxruntime library");
            vec![Engine::Rten]
        }
    }
}

fn environment() -> &'static Result<Environment, String> {
    static LOADED: OnceLock<Result<Environment, String>> = OnceLock::new();
    LOADED.get_or_init(|| {
        let path = std::env::var_os("DYNO_ONNXRUNTIME")
            .map(PathBuf::from)
            .ok_or("`DYNO_ONNXRUNTIME` names no library")?;
        let environment = ort::init_from(&path)
            .map_err(|e| e.to_string())?
            .with_name("hub")
            .with_telemetry(false)
            .build()
            .map_err(|e| e.to_string())?;
        environment.set_log_level(ort::logging::LogLevel::Fatal);
        Ok(environment)
    })
}

/// Runs a file with inputs by name; returns all outputs in the file's order.
///
/// # Errors
/// The engine's words, when it does not take the file or the inputs.
pub(crate) fn run(
    engine: Engine,
    onnx: &[u8],
    inputs: &[(&str, &Tensor)],
) -> Result<Vec<(String, Tensor)>, String> {
    match engine {
        Engine::OnnxRuntime => run_onnxruntime(onnx, inputs),
        Engine::Rten => run_rten(onnx, inputs),
    }
}

/// Runs a file that has one input, whatever its name; returns the outputs' values.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_one(engine: Engine, onnx: &[u8], input: &Tensor) -> Result<Vec<Tensor>, String> {
    let outputs = run(engine, onnx, &[("", input)])?;
    Ok(outputs.into_iter().map(|(_, tensor)| tensor).collect())
}

/// The name of an input; the `at`th of the file for an empty one.
fn named<'a>(name: &'a str, at: usize, known: &'a [String]) -> Result<&'a str, String> {
    if name.is_empty() {
        known.get(at).map(String::as_str)
    } else {
        known.iter().map(String::as_str).find(|k| *k == name)
    }
    .ok_or_else(|| format!("there is no input {at} `{name}`; there are {known:?}"))
}

fn run_onnxruntime(
    onnx: &[u8],
    inputs: &[(&str, &Tensor)],
) -> Result<Vec<(String, Tensor)>, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let environment = environment().as_ref().map_err(Clone::clone)?;
    let mut session = Session::builder(environment)
        .map_err(|e| text(&e))?
        .with_optimization_level(GraphOptimizationLevel::Disable)
        .map_err(|e| text(&e))?
        .with_intra_threads(1)
        .map_err(|e| text(&e))?
        .commit_from_memory(onnx)
        .map_err(|e| text(&e))?;
    let known: Vec<String> = session
        .inputs()
        .iter()
        .map(|i| i.name().to_owned())
        .collect();
    let mut values = Vec::new();
    for (at, (name, tensor)) in inputs.iter().enumerate() {
        let value = input_of(tensor).map_err(|e| text(&e))?;
        values.push((named(name, at, &known)?.to_owned(), value));
    }
    let outputs = session.run(values).map_err(|e| text(&e))?;
    let mut found = Vec::new();
    for (name, value) in &outputs {
        let tensor = output_of(&value.view().into_dyn())
            .ok_or_else(|| format!("output `{name}` is no tensor that can be compared"))?;
        found.push((name.to_owned(), tensor));
    }
    Ok(found)
}

fn input_of(tensor: &Tensor) -> ort::Result<SessionInputValue<'_>> {
    let view = tensor.view();
    let shape = tensor.shape();
    Ok(match view.data() {
        TensorSlice::F32(v) => TensorRef::from_array_view((shape, v))?.into(),
        TensorSlice::F16(v) => TensorRef::from_array_view((shape, v))?.into(),
        TensorSlice::Bf16(v) => TensorRef::from_array_view((shape, v))?.into(),
        TensorSlice::I8(v) => TensorRef::from_array_view((shape, v))?.into(),
        TensorSlice::U8(v) => TensorRef::from_array_view((shape, v))?.into(),
        TensorSlice::I32(v) => TensorRef::from_array_view((shape, v))?.into(),
        TensorSlice::I64(v) => TensorRef::from_array_view((shape, v))?.into(),
        TensorSlice::Bool(v) => TensorRef::from_array_view((shape, v))?.into(),
    })
}

fn output_of(value: &DynValue) -> Option<Tensor> {
    use TensorElementType as E;
    let shape: Vec<usize> = value
        .dtype()
        .tensor_shape()?
        .iter()
        .map(|&d| usize::try_from(d).ok())
        .collect::<Option<_>>()?;
    macro_rules! values {
        ($kind:ident) => {
            TensorData::$kind(value.try_extract_tensor().ok()?.1.to_vec())
        };
    }
    let data = match value.dtype().tensor_type()? {
        E::Float32 => values!(F32),
        E::Float16 => values!(F16),
        E::Bfloat16 => values!(Bf16),
        E::Int8 => values!(I8),
        E::Uint8 => values!(U8),
        E::Int32 => values!(I32),
        E::Int64 => values!(I64),
        E::Bool => values!(Bool),
        _ => return None,
    };
    Tensor::new(shape, data).ok()
}

fn run_rten(onnx: &[u8], inputs: &[(&str, &Tensor)]) -> Result<Vec<(String, Tensor)>, String> {
    let model = rten::Model::load(onnx.to_vec()).map_err(|e| e.to_string())?;
    let names = |ids: &[rten::NodeId]| -> Vec<String> {
        ids.iter()
            .map(|&id| {
                let info = model.node_info(id);
                info.and_then(|i| i.name().map(str::to_owned))
                    .unwrap_or_default()
            })
            .collect()
    };
    let known = names(model.input_ids());
    let mut values = Vec::new();
    for (at, (name, tensor)) in inputs.iter().enumerate() {
        let name = named(name, at, &known)?;
        let id = model.node_id(name).map_err(|e| e.to_string())?;
        values.push((id, rten_value(tensor)?.into()));
    }
    let results = model
        .run(values, model.output_ids(), None)
        .map_err(|e| e.to_string())?;
    let mut found = Vec::new();
    for (name, value) in names(model.output_ids()).into_iter().zip(results) {
        let tensor = match value {
            rten::Value::FloatTensor(t) => (t.shape().to_vec(), TensorData::F32(t.to_vec())),
            rten::Value::Int32Tensor(t) => (t.shape().to_vec(), TensorData::I32(t.to_vec())),
            rten::Value::Int8Tensor(t) => (t.shape().to_vec(), TensorData::I8(t.to_vec())),
            rten::Value::UInt8Tensor(t) => (t.shape().to_vec(), TensorData::U8(t.to_vec())),
            _ => return Err(format!("output `{name}` is no tensor")),
        };
        let tensor = Tensor::new(tensor.0, tensor.1).map_err(|e| e.to_string())?;
        found.push((name, tensor));
    }
    Ok(found)
}

fn rten_value(tensor: &Tensor) -> Result<rten::Value, String> {
    fn whole<T>(shape: &[usize], values: Vec<T>) -> Result<rten::Value, String>
    where
        rten::Value: From<rten_tensor::Tensor<T>>,
    {
        rten::Value::from_shape(shape, values).map_err(|e| e.to_string())
    }
    let shape = tensor.shape();
    let view = tensor.view();
    match view.data() {
        TensorSlice::F32(v) => whole(shape, v.to_vec()),
        TensorSlice::I32(v) => whole(shape, v.to_vec()),
        TensorSlice::I8(v) => whole(shape, v.to_vec()),
        TensorSlice::U8(v) => whole(shape, v.to_vec()),
        TensorSlice::I64(v) => {
            let small: Result<Vec<i32>, _> = v.iter().map(|&x| i32::try_from(x)).collect();
            let small = small.map_err(|_| "rten holds no integers of 64 bits".to_owned())?;
            whole(shape, small)
        }
        TensorSlice::Bool(v) => whole(shape, v.iter().map(|&x| i32::from(x)).collect::<Vec<_>>()),
        TensorSlice::F16(_) | TensorSlice::Bf16(_) => Err(format!("rten has no {}", DType::F16)),
    }
}
