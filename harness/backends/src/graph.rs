//! What an ONNX file declares, read once and in the same way for every engine: inputs (without the
//! weights that old files list among them), outputs, and the arithmetic. The format: `onnx.proto`
//! of the ONNX project.

use crate::{external::weights_elsewhere, io::fixed};
use dyno_core::{
    BackendError, DType, Dimension, FileRole, IoSpec, ModelContent, ModelSource, OpenConfig,
    Precision, TensorInfo,
};
use rten_onnx::onnx::{DataType, GraphProto, ModelProto, TensorShapeProto, ValueInfoProto};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// Operators that compute with integers that stand for real numbers.
const QUANTIZED: &[&str] = &[
    "ConvInteger",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "MatMulInteger",
    "QLinearAdd",
    "QLinearConv",
    "QLinearMatMul",
    "QuantizeLinear",
];

/// An output as the file declares it; files may leave out everything but the name.
#[derive(Debug, Clone)]
pub(crate) struct DeclaredOutput {
    pub(crate) name: String,
    pub(crate) dtype: Option<DType>,
    pub(crate) shape: Vec<Dimension>,
}

/// Facts of a model file.
#[derive(Debug, Clone)]
pub(crate) struct GraphFacts {
    /// Inputs that a query must supply, in the file's order.
    pub(crate) inputs: Vec<TensorInfo>,
    /// Outputs, in the file's order.
    pub(crate) outputs: Vec<DeclaredOutput>,
    /// `int8` for quantized arithmetic, else the type of the floating-point weights.
    pub(crate) precision: &'static str,
}

/// Reads `bytes`.
///
/// # Errors
/// [`BackendError::Load`] when it is no ONNX file, or an input has a type that tensors here cannot
/// hold; [`BackendError::Unsupported`] when weights lie in other files.
pub(crate) fn read(backend: &'static str, bytes: &[u8]) -> Result<GraphFacts, BackendError> {
    let load = |reason: String| BackendError::Load { backend, reason };
    if let Some(file) = weights_elsewhere(bytes).map_err(load)? {
        let what = format!(
            "weights outside the .onnx file (`{file}`): they would escape the hashes of the record; put them into the file"
        );
        return Err(BackendError::Unsupported { backend, what });
    }
    let model = ModelProto::parse_buf(bytes)
        .map_err(|e| load(format!("not an ONNX file, or a truncated one: {e}")))?;
    let graph = model
        .graph
        .ok_or_else(|| load("the ONNX file holds no graph".to_owned()))?;
    let weights: BTreeSet<&str> = graph
        .initializer
        .iter()
        .filter_map(|t| t.name.as_deref())
        .collect();
    let inputs = graph
        .input
        .iter()
        .filter(|v| !v.name.as_deref().is_some_and(|n| weights.contains(n)))
        .map(|v| input(v).map_err(load))
        .collect::<Result<Vec<_>, _>>()?;
    let outputs: Vec<_> = graph.output.iter().map(output).collect();
    if inputs.is_empty() || outputs.is_empty() {
        return Err(load(format!(
            "the graph has {} inputs and {} outputs",
            inputs.len(),
            outputs.len()
        )));
    }
    Ok(GraphFacts {
        inputs,
        outputs,
        precision: precision(&graph),
    })
}

/// Refuses a precision that is not the file's own. What remains is the file's arithmetic,
/// unchanged.
pub(crate) fn check_precision(
    backend: &'static str,
    config: &OpenConfig,
    facts: &GraphFacts,
) -> Result<(), BackendError> {
    match config.precision {
        Precision::Native => Ok(()),
        Precision::F32 if facts.precision == "f32" => Ok(()),
        other => Err(BackendError::Unsupported {
            backend,
            what: format!(
                "precision `{other}` for a model in {} (there is: native)",
                facts.precision
            ),
        }),
    }
}

/// The bytes of the model file. Engines get these, never the path: what was checked is what runs.
pub(crate) fn model_bytes<'a>(
    backend: &'static str,
    model: &'a ModelSource,
) -> Result<Cow<'a, [u8]>, BackendError> {
    let load = |reason: String| BackendError::Load { backend, reason };
    let file = model
        .file(FileRole::Model)
        .ok_or_else(|| load("no file of role `model` was given".to_owned()))?;
    match &file.content {
        ModelContent::Bytes(bytes) => Ok(Cow::Borrowed(bytes.as_slice())),
        ModelContent::Path(path) => std::fs::read(path)
            .map(Cow::Owned)
            .map_err(|e| load(format!("`{}`: {e}", path.display()))),
    }
}

fn input(value: &ValueInfoProto) -> Result<TensorInfo, String> {
    let name = value
        .name
        .clone()
        .filter(|n| !n.is_empty())
        .ok_or("an input has no name")?;
    let tensor = value
        .r#type
        .as_ref()
        .and_then(|t| t.tensor_type.as_ref())
        .ok_or_else(|| format!("input `{name}` is not a tensor"))?;
    let dtype = tensor.elem_type.and_then(dtype).ok_or_else(|| {
        let code = tensor.elem_type.and_then(|t| t.name().map(str::to_ascii_lowercase)).unwrap_or_else(|| "unknown".to_owned());
        format!("input `{name}` has element type {code} (there are: f32, f16, bf16, i8, u8, i32, i64, bool)")
    })?;
    let shape = tensor
        .shape
        .as_ref()
        .ok_or_else(|| format!("input `{name}` declares no rank"))?;
    Ok(TensorInfo::new(name, dtype, dimensions(shape)))
}

fn output(value: &ValueInfoProto) -> DeclaredOutput {
    let tensor = value.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    DeclaredOutput {
        name: value.name.clone().unwrap_or_default(),
        dtype: tensor.and_then(|t| t.elem_type).and_then(dtype),
        shape: tensor
            .and_then(|t| t.shape.as_ref())
            .map(dimensions)
            .unwrap_or_default(),
    }
}

fn dimensions(shape: &TensorShapeProto) -> Vec<Dimension> {
    let dim = |value: Option<i64>, symbol: Option<&str>| match (value.map(usize::try_from), symbol)
    {
        (Some(Ok(n)), _) if n > 0 => Dimension::Fixed(n),
        // 0 and negative numbers are what old exporters write for an open dimension.
        (Some(_), _) | (None, None | Some("" | "?")) => Dimension::Unknown,
        (None, Some(symbol)) => Dimension::Symbolic(symbol.to_owned()),
    };
    shape
        .dim
        .iter()
        .map(|d| dim(d.dim_value, d.dim_param.as_deref()))
        .collect()
}

impl GraphFacts {
    /// Numbers of the symbolic dimensions, given the inputs' settled shapes.
    pub(crate) fn symbols<'a>(&'a self, shapes: &[Vec<usize>]) -> BTreeMap<&'a str, usize> {
        let dims = self
            .inputs
            .iter()
            .zip(shapes)
            .flat_map(|(info, shape)| info.shape.iter().zip(shape));
        dims.filter_map(|(d, &n)| {
            if let Dimension::Symbolic(s) = d {
                Some((s.as_str(), n))
            } else {
                None
            }
        })
        .collect()
    }

    /// The model's inputs and chosen outputs; a dimension of an output that the file does not
    /// settle stays open.
    pub(crate) fn io(&self, shapes: &[Vec<usize>], chosen: &[usize]) -> Result<IoSpec, String> {
        let symbols = self.symbols(shapes);
        let inputs = self
            .inputs
            .iter()
            .zip(shapes)
            .map(|(info, shape)| fixed(&info.name, info.dtype, shape))
            .collect();
        let outputs = chosen
            .iter()
            .filter_map(|&i| self.outputs.get(i))
            .map(|o| {
                let dtype = o.dtype.ok_or_else(|| {
                    format!("output `{}` is not a tensor of a supported type", o.name)
                })?;
                let settle = |d: &Dimension| match d {
                    Dimension::Symbolic(s) => symbols
                        .get(s.as_str())
                        .map_or_else(|| d.clone(), |&n| Dimension::Fixed(n)),
                    _ => d.clone(),
                };
                let shape = o.shape.iter().map(settle).collect();
                Ok(TensorInfo::new(&o.name, dtype, shape))
            })
            .collect::<Result<_, String>>()?;
        Ok(IoSpec { inputs, outputs })
    }

    /// Names of the outputs, in the file's order.
    pub(crate) fn output_names(&self) -> Vec<String> {
        self.outputs.iter().map(|o| o.name.clone()).collect()
    }
}

fn element_type(value: &ValueInfoProto) -> Option<DataType> {
    value.r#type.as_ref()?.tensor_type.as_ref()?.elem_type
}

fn dtype(code: DataType) -> Option<DType> {
    Some(match code {
        DataType::FLOAT => DType::F32,
        DataType::FLOAT16 => DType::F16,
        DataType::BFLOAT16 => DType::Bf16,
        DataType::INT8 => DType::I8,
        DataType::UINT8 => DType::U8,
        DataType::INT32 => DType::I32,
        DataType::INT64 => DType::I64,
        DataType::BOOL => DType::Bool,
        _ => return None,
    })
}

fn precision(graph: &GraphProto) -> &'static str {
    if graph.node.iter().any(|n| {
        n.op_type
            .as_deref()
            .is_some_and(|op| QUANTIZED.contains(&op))
    }) {
        return "int8";
    }
    let holds = |t| {
        graph.initializer.iter().any(|w| w.data_type == Some(t))
            || graph.input.iter().any(|v| element_type(v) == Some(t))
    };
    match (
        holds(DataType::FLOAT16),
        holds(DataType::BFLOAT16),
        holds(DataType::DOUBLE),
    ) {
        (true, _, _) => "f16",
        (_, true, _) => "bf16",
        (_, _, true) => "f64",
        _ => "f32",
    }
}
