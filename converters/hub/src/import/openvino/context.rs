//! The translation of one layer: its inputs, its attributes, and the graph in the making.

use super::{Problem, attributes::Attributes, heads::Head};
use crate::graph::{Attribute, Builder, ElementType, Tensor};
use dyno_formats::openvino::{Element, Layer};

/// A tensor on its way from layer to layer.
#[derive(Debug, Clone)]
pub(super) struct Val {
    /// Name in the ONNX graph; `None` for a constant that no node has needed.
    pub(super) name: Option<String>,
    /// Element type in the ONNX graph.
    pub(super) dtype: ElementType,
    /// Axes as the file says them; -1 is open.
    pub(super) dims: Option<Vec<i64>>,
    /// Values, when they are known.
    pub(super) tensor: Option<Tensor>,
    /// Name that a constant gets.
    pub(super) wanted: String,
}

/// One layer under translation.
pub(super) struct Op<'a> {
    pub(super) builder: &'a mut Builder,
    pub(super) layer: &'a Layer,
    pub(super) attributes: Attributes<'a>,
    /// Inputs in the order of ports; `None` for a port without an edge.
    pub(super) inputs: &'a mut [Option<Val>],
    /// Output ports that another layer reads.
    pub(super) used: Vec<bool>,
    /// The file of constants.
    pub(super) weights: &'a bytes::Bytes,
    /// Decoding heads become part of the graph.
    pub(super) in_graph: bool,
    /// What is said to people.
    pub(super) notes: &'a mut Vec<String>,
    /// Set by a head that is cut.
    pub(super) head: Option<Head>,
}

/// What a layer becomes: names of its outputs.
pub(super) type Outputs = Result<Vec<String>, Problem>;

/// Element type of values in the ONNX graph. Half precision is computed in `f32`: weights are
/// widened exactly.
pub(super) fn widened(element: Element) -> Result<ElementType, Problem> {
    Ok(match element {
        Element::F32 | Element::F16 | Element::Bf16 => ElementType::F32,
        Element::F64 => ElementType::F64,
        Element::I64 => ElementType::I64,
        Element::I32 => ElementType::I32,
        Element::I16 => ElementType::I16,
        Element::I8 => ElementType::I8,
        Element::U64 => ElementType::U64,
        Element::U32 => ElementType::U32,
        Element::U16 => ElementType::U16,
        Element::U8 => ElementType::U8,
        Element::Boolean => ElementType::Bool,
        Element::U1 | Element::U4 | Element::I4 => {
            return Err(format!("elements of type `{element}`"));
        }
    })
}

impl Val {
    /// Axes, when all are known.
    pub(super) fn shape(&self, builder: &Builder) -> Option<Vec<usize>> {
        if let Some(tensor) = &self.tensor {
            return Some(tensor.dims().to_vec());
        }
        let said = self.dims.as_ref().and_then(|dims| {
            dims.iter()
                .map(|&d| usize::try_from(d).ok())
                .collect::<Option<Vec<usize>>>()
        });
        said.or_else(|| builder.shape(self.name.as_deref()?))
    }
}

impl Op<'_> {
    fn value(&self, at: usize) -> Result<&Val, Problem> {
        let value = self.inputs.get(at).and_then(Option::as_ref);
        value.ok_or_else(|| format!("input {at} is missing"))
    }

    /// Some layer reads output `port`.
    pub(super) fn is_used(&self, port: usize) -> bool {
        self.used.get(port).copied().unwrap_or(false)
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.inputs.get(at).is_some_and(Option::is_some)
    }

    /// Name of input `at`; a constant becomes an initializer.
    pub(super) fn x(&mut self, at: usize) -> Result<String, Problem> {
        let value = self.inputs.get_mut(at).and_then(Option::as_mut);
        let value = value.ok_or_else(|| format!("input {at} is missing"))?;
        if value.name.is_none() {
            let tensor = value
                .tensor
                .clone()
                .ok_or_else(|| format!("input {at} has neither name nor values"))?;
            value.name = Some(self.builder.constant(&value.wanted, tensor));
        }
        Ok(value.name.clone().unwrap_or_default())
    }

    pub(super) fn dtype(&self, at: usize) -> Result<ElementType, Problem> {
        Ok(self.value(at)?.dtype)
    }

    /// Values of input `at`, if it is constant.
    pub(super) fn tensor(&self, at: usize) -> Option<&Tensor> {
        self.inputs.get(at)?.as_ref()?.tensor.as_ref()
    }

    /// Axes of input `at`, -1 where one is open.
    pub(super) fn dims(&self, at: usize) -> Result<Vec<i64>, Problem> {
        let value = self.value(at)?;
        if let Some(shape) = value.shape(self.builder) {
            return Ok(shape.into_iter().map(|d| d as i64).collect());
        }
        value
            .dims
            .clone()
            .ok_or_else(|| format!("the shape of input {at} is not known"))
    }

    pub(super) fn rank(&self, at: usize) -> Result<usize, Problem> {
        Ok(self.dims(at)?.len())
    }

    /// Axes of input `at`, which must be known.
    pub(super) fn shape(&self, at: usize) -> Result<Vec<usize>, Problem> {
        self.value(at)?
            .shape(self.builder)
            .ok_or_else(|| format!("axes of input {at} are open, and must be known"))
    }

    /// Integers of input `at`, which must be constant.
    pub(super) fn integers(&self, at: usize) -> Result<Vec<i64>, Problem> {
        let tensor = self
            .tensor(at)
            .ok_or_else(|| format!("input {at} is not constant"))?;
        tensor.to_i64s().map_err(|e| format!("input {at}: {e}"))
    }

    /// Numbers of input `at`, which must be constant.
    pub(super) fn numbers(&self, at: usize) -> Result<Vec<f32>, Problem> {
        let tensor = self
            .tensor(at)
            .ok_or_else(|| format!("input {at} is not constant"))?;
        tensor.to_f32s().map_err(|e| format!("input {at}: {e}"))
    }

    /// The only number of input `at`.
    pub(super) fn only_number(&self, at: usize) -> Result<f32, Problem> {
        match self.numbers(at)?.as_slice() {
            [one] => Ok(*one),
            more => Err(format!("input {at} has {} values, not one", more.len())),
        }
    }

    /// An axis as a position from the front.
    pub(super) fn axis(axis: i64, rank: usize) -> Result<usize, Problem> {
        let at = if axis < 0 { axis + rank as i64 } else { axis };
        usize::try_from(at)
            .ok()
            .filter(|at| *at < rank.max(1))
            .ok_or_else(|| format!("axis {axis} of a tensor with {rank} axes"))
    }

    /// Adds an ONNX operation that bears the layer's name.
    pub(super) fn add<const N: usize>(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
    ) -> String {
        self.builder.add(op, &self.layer.name, inputs, attributes)
    }

    /// A list of integers as a constant.
    pub(super) fn list(&mut self, values: &[i64]) -> String {
        let name = format!("{}/list", self.layer.name);
        self.builder.constant(&name, Tensor::list(values))
    }

    /// A constant that bears the layer's name.
    pub(super) fn constant(&mut self, tensor: Tensor) -> String {
        let name = format!("{}/constant", self.layer.name);
        self.builder.constant(&name, tensor)
    }

    /// One number without axes, of element type `dtype`.
    pub(super) fn scalar(&mut self, dtype: ElementType, value: f64) -> Result<String, Problem> {
        let tensor = scalar(dtype, value)?;
        Ok(self.constant(tensor))
    }
}

/// One number without axes.
pub(super) fn scalar(dtype: ElementType, value: f64) -> Result<Tensor, Problem> {
    numbers(dtype, Vec::new(), &[value])
}

/// A tensor from numbers, rounded to `dtype`.
pub(super) fn numbers(
    dtype: ElementType,
    dims: Vec<usize>,
    values: &[f64],
) -> Result<Tensor, Problem> {
    let bytes: Vec<u8> = match dtype {
        ElementType::F32 => each(values, |v| (v as f32).to_le_bytes()),
        ElementType::F64 => each(values, f64::to_le_bytes),
        ElementType::I64 => each(values, |v| (v as i64).to_le_bytes()),
        ElementType::I32 => each(values, |v| (v as i32).to_le_bytes()),
        ElementType::I8 => each(values, |v| (v as i8).to_le_bytes()),
        ElementType::U8 => each(values, |v| (v as u8).to_le_bytes()),
        ElementType::Bool => each(values, |v| [u8::from(v != 0.0)]),
        ElementType::U16
        | ElementType::I16
        | ElementType::F16
        | ElementType::U32
        | ElementType::U64
        | ElementType::Bf16 => return Err(format!("constants of type {dtype}")),
    };
    Tensor::new(dtype, dims, bytes.into()).map_err(|e| e.to_string())
}

fn each<const N: usize>(values: &[f64], bytes: impl Fn(f64) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|v| bytes(*v)).collect()
}
