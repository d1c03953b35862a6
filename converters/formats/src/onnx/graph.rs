//! What an ONNX file declares, read once and in the same way for every engine: inputs (without the
//! weights that old files list among them), outputs, and the arithmetic.

use super::{
    walk::{ExternalTensor, check},
    wire::{Fields, Span},
};
use crate::FormatError;
use dyno_core::{DType, Dimension, IoSpec, TensorInfo};
use std::collections::{BTreeMap, BTreeSet};

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

/// `TensorProto.DataType`: number, name, and the type here, if there is one.
const ELEMENT_TYPES: &[(u64, &str, Option<DType>)] = &[
    (1, "float", Some(DType::F32)),
    (2, "uint8", Some(DType::U8)),
    (3, "int8", Some(DType::I8)),
    (4, "uint16", None),
    (5, "int16", None),
    (6, "int32", Some(DType::I32)),
    (7, "int64", Some(DType::I64)),
    (8, "string", None),
    (9, "bool", Some(DType::Bool)),
    (10, "float16", Some(DType::F16)),
    (11, "double", None),
    (12, "uint32", None),
    (13, "uint64", None),
    (14, "complex64", None),
    (15, "complex128", None),
    (16, "bfloat16", Some(DType::Bf16)),
];

const FLOAT16: u64 = 10;
const DOUBLE: u64 = 11;
const BFLOAT16: u64 = 16;

/// An output as the file declares it; files may leave out everything but the name.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredOutput {
    /// Its name.
    pub name: String,
    /// Its type, where the file says one that tensors here can hold.
    pub dtype: Option<DType>,
    /// Its shape; empty where the file says none.
    pub shape: Vec<Dimension>,
}

/// Facts of a model file.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphFacts {
    /// Inputs that a query must supply, in the file's order.
    pub inputs: Vec<TensorInfo>,
    /// Outputs, in the file's order.
    pub outputs: Vec<DeclaredOutput>,
    /// `int8` for quantized arithmetic, else the type of the floating-point weights.
    pub precision: &'static str,
    /// Tensors whose values lie in other files.
    pub external: Vec<ExternalTensor>,
}

/// A value's name, element type and shape, as far as the file says them.
#[derive(Default)]
struct Declared<'a> {
    name: &'a str,
    tensor: bool,
    code: Option<u64>,
    shape: Option<Vec<Dimension>>,
}

/// What is read of the graph before it is judged.
#[derive(Default)]
struct Graph<'a> {
    inputs: Vec<Declared<'a>>,
    outputs: Vec<Declared<'a>>,
    weights: BTreeSet<&'a str>,
    weight_types: BTreeSet<u64>,
    quantized: bool,
    /// The file has nodes of the standard's own operators.
    standard: bool,
}

impl GraphFacts {
    /// Reads the bytes of an ONNX file, after [`check`].
    ///
    /// # Errors
    /// [`FormatError::Onnx`] when it is no ONNX file, or was cut off; [`FormatError::Graph`] when
    /// the graph has no inputs or outputs, or an input has a type that tensors here cannot hold.
    pub fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        let external = check(bytes)?;
        let end = Span {
            bytes: &[],
            offset: bytes.len(),
        };
        let (mut graph, mut ir_version, mut operators) = (None, 0, BTreeSet::new());
        for field in Fields::new(Span::file(bytes)) {
            let field = field?;
            match field.number {
                1 => ir_version = field.number_value()?,
                7 => graph = Some(read_graph(field.span()?)?),
                8 => {
                    operators.insert(domain(field.span()?)?);
                }
                _ => {}
            }
        }
        let graph = graph.ok_or_else(|| end.error("the file ends without a graph"))?;
        if ir_version == 0 {
            return Err(Span::file(bytes).error("the file does not say its version of ONNX"));
        }
        // Operator sets came with version 3. They stand behind the graph: where one is missing, the
        // file was cut.
        if ir_version >= 3 && (operators.is_empty() || graph.standard && !operators.contains("")) {
            return Err(end.error("the file ends without the operator set that its nodes are of"));
        }
        Self::judge(graph, external)
    }

    fn judge(graph: Graph<'_>, external: Vec<ExternalTensor>) -> Result<Self, FormatError> {
        let declared = graph.inputs.iter();
        let inputs = declared
            .filter(|v| !graph.weights.contains(v.name))
            .map(input)
            .collect::<Result<Vec<_>, _>>()?;
        if inputs.is_empty() || graph.outputs.is_empty() {
            return Err(FormatError::Graph(format!(
                "the graph has {} inputs and {} outputs",
                inputs.len(),
                graph.outputs.len()
            )));
        }
        let holds = |code: u64| {
            graph.weight_types.contains(&code) || graph.inputs.iter().any(|v| v.code == Some(code))
        };
        let precision = match (holds(FLOAT16), holds(BFLOAT16), holds(DOUBLE)) {
            _ if graph.quantized => "int8",
            (true, _, _) => "f16",
            (_, true, _) => "bf16",
            (_, _, true) => "f64",
            _ => "f32",
        };
        Ok(Self {
            inputs,
            outputs: graph.outputs.into_iter().map(output).collect(),
            precision,
            external,
        })
    }

    /// Numbers of the symbolic dimensions, given the inputs' settled shapes.
    pub fn symbols<'a>(&'a self, shapes: &[Vec<usize>]) -> BTreeMap<&'a str, usize> {
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

    /// The model's inputs and chosen outputs (by position); a dimension of an output that the file
    /// does not settle stays open.
    ///
    /// # Errors
    /// [`FormatError::Graph`] when a chosen output is no tensor of a type that is known here.
    pub fn io(&self, shapes: &[Vec<usize>], chosen: &[usize]) -> Result<IoSpec, FormatError> {
        let symbols = self.symbols(shapes);
        let inputs = self.inputs.iter().zip(shapes).map(|(info, shape)| {
            let shape = shape.iter().map(|&n| Dimension::Fixed(n)).collect();
            TensorInfo::new(&info.name, info.dtype, shape)
        });
        let outputs = chosen.iter().filter_map(|&i| self.outputs.get(i)).map(|o| {
            let dtype = o.dtype.ok_or_else(|| {
                FormatError::Graph(format!(
                    "output `{}` is not a tensor of a supported type",
                    o.name
                ))
            })?;
            let settle = |d: &Dimension| match d {
                Dimension::Symbolic(s) => symbols
                    .get(s.as_str())
                    .map_or_else(|| d.clone(), |&n| Dimension::Fixed(n)),
                _ => d.clone(),
            };
            let shape = o.shape.iter().map(settle).collect();
            Ok(TensorInfo::new(&o.name, dtype, shape))
        });
        Ok(IoSpec {
            inputs: inputs.collect(),
            outputs: outputs.collect::<Result<_, FormatError>>()?,
        })
    }

    /// Names of the outputs, in the file's order.
    pub fn output_names(&self) -> Vec<String> {
        self.outputs.iter().map(|o| o.name.clone()).collect()
    }
}

fn read_graph(span: Span<'_>) -> Result<Graph<'_>, FormatError> {
    let mut graph = Graph::default();
    for field in Fields::new(span) {
        let field = field?;
        match field.number {
            1 => {
                let (operator, domain) = node(field.span()?)?;
                graph.quantized |= QUANTIZED.contains(&operator);
                graph.standard |= domain.is_empty();
            }
            5 => {
                let (name, code) = weight(field.span()?)?;
                graph.weights.insert(name);
                graph.weight_types.insert(code);
            }
            11 => graph.inputs.push(value(field.span()?)?),
            12 => graph.outputs.push(value(field.span()?)?),
            15 => {
                for part in Fields::new(field.span()?) {
                    let part = part?;
                    if part.number == 1 {
                        let (name, code) = weight(part.span()?)?;
                        graph.weights.insert(name);
                        graph.weight_types.insert(code);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(graph)
}

/// Text of field `number`, or empty.
fn text(message: Span<'_>, number: u32) -> Result<&str, FormatError> {
    for field in Fields::new(message) {
        let field = field?;
        if field.number == number {
            return field.span()?.text();
        }
    }
    Ok("")
}

/// A domain of operators; the standard's own is empty.
fn standard(domain: &str) -> &str {
    if domain == "ai.onnx" { "" } else { domain }
}

fn domain(operator_set: Span<'_>) -> Result<&str, FormatError> {
    Ok(standard(text(operator_set, 1)?))
}

/// Operator and domain of a node.
fn node(span: Span<'_>) -> Result<(&str, &str), FormatError> {
    Ok((text(span, 4)?, standard(text(span, 7)?)))
}

/// Name and element type of an initializer.
fn weight(tensor: Span<'_>) -> Result<(&str, u64), FormatError> {
    let mut code = 0;
    for field in Fields::new(tensor) {
        let field = field?;
        if field.number == 2 {
            code = field.number_value()?;
        }
    }
    Ok((text(tensor, 8)?, code))
}

fn value(info: Span<'_>) -> Result<Declared<'_>, FormatError> {
    let mut declared = Declared::default();
    for field in Fields::new(info) {
        let field = field?;
        match field.number {
            1 => declared.name = field.span()?.text()?,
            2 => {
                for kind in Fields::new(field.span()?) {
                    let kind = kind?;
                    if kind.number == 1 {
                        declared.tensor = true;
                        tensor_type(kind.span()?, &mut declared)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(declared)
}

fn tensor_type<'a>(span: Span<'a>, declared: &mut Declared<'a>) -> Result<(), FormatError> {
    for field in Fields::new(span) {
        let field = field?;
        match field.number {
            1 => declared.code = Some(field.number_value()?),
            2 => {
                let dims = Fields::new(field.span()?);
                declared.shape = Some(
                    dims.filter(|d| d.as_ref().map_or(true, |d| d.number == 1))
                        .map(|d| dimension(d?.span()?))
                        .collect::<Result<_, _>>()?,
                );
            }
            _ => {}
        }
    }
    Ok(())
}

fn dimension(span: Span<'_>) -> Result<Dimension, FormatError> {
    let (mut number, mut symbol) = (None, "");
    for field in Fields::new(span) {
        let field = field?;
        match field.number {
            1 => number = Some(field.number_value()?),
            2 => symbol = field.span()?.text()?,
            _ => {}
        }
    }
    Ok(match (number.map(i64::try_from), symbol) {
        (Some(Ok(n)), _) if n > 0 => {
            usize::try_from(n).map_or(Dimension::Unknown, Dimension::Fixed)
        }
        // 0 and negative numbers are what old exporters write for an open dimension.
        (Some(_), _) | (None, "" | "?") => Dimension::Unknown,
        (None, symbol) => Dimension::Symbolic(symbol.to_owned()),
    })
}

fn element(code: u64) -> Option<DType> {
    ELEMENT_TYPES
        .iter()
        .find(|(c, _, _)| *c == code)
        .and_then(|(_, _, dtype)| *dtype)
}

fn input(value: &Declared<'_>) -> Result<TensorInfo, FormatError> {
    let name = value.name;
    let refuse = |what: String| FormatError::Graph(what);
    if name.is_empty() {
        return Err(refuse("an input has no name".to_owned()));
    }
    if !value.tensor {
        return Err(refuse(format!("input `{name}` is not a tensor")));
    }
    let code = value.code.unwrap_or(0);
    let dtype = element(code).ok_or_else(|| {
        let known = ELEMENT_TYPES.iter().find(|(c, _, _)| *c == code);
        refuse(format!(
            "input `{name}` has element type {} (there are: f32, f16, bf16, i8, u8, i32, i64, bool)",
            known.map_or("unknown", |(_, n, _)| *n)
        ))
    })?;
    let shape = value
        .shape
        .clone()
        .ok_or_else(|| refuse(format!("input `{name}` declares no rank")))?;
    Ok(TensorInfo::new(name, dtype, shape))
}

fn output(value: Declared<'_>) -> DeclaredOutput {
    DeclaredOutput {
        name: value.name.to_owned(),
        dtype: value.code.and_then(element),
        shape: value.shape.unwrap_or_default(),
    }
}
