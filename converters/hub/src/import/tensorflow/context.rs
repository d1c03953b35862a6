//! The translation in progress: values by node, and the ONNX graph in the making.
//!
//! Layout: TensorFlow's images have the axes N, H, W, C, ONNX's operators on images N, C, H, W. A
//! value is kept in the order in which it was made; [`Context::nchw`] and [`Context::plain`] ask for
//! one order and put a `Transpose` in only where the value has the other.

use super::{
    fold,
    net::Net,
    rewrite::Holes,
    value::{Live, TO_NCHW, TO_NHWC, Val},
};
use crate::graph::{Attribute, Builder, ElementType, Node, Tensor, Value};
use dyno_formats::tensorflow::{Attribute as Given, Node as Source};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What an operator gives, or why it cannot be expressed.
pub(super) type Out = Result<Vec<Val>, String>;

/// Bytes that computed constants may take beyond the file's own: anchors and shapes are small, and a
/// small file cannot ask for much.
pub(super) const ROOM_BYTES: usize = 256 << 20;

/// A row of the table of operators: the name, and its translation.
pub(super) type Row = (&'static str, fn(&mut Context<'_>, &Op<'_>) -> Out);

/// The translation in progress.
pub(super) struct Context<'a> {
    pub(super) net: &'a Net,
    pub(super) builder: Builder,
    /// Nodes whose work another node has done: they hand on their first input.
    pub(super) absorbed: HashSet<usize>,
    /// Convolutions with holes that the file writes otherwise, by the node that ends them.
    pub(super) holes: HashMap<usize, Holes>,
    /// Bytes that constants which are computed here may still take.
    pub(super) room: usize,
    /// For people.
    pub(super) notes: BTreeSet<String>,
    /// Values in the other order of axes, by name.
    turned: HashMap<String, String>,
}

/// A node with its inputs.
pub(super) struct Op<'a> {
    pub(super) index: usize,
    pub(super) node: &'a Source,
    pub(super) inputs: Vec<Val>,
}

impl Op<'_> {
    pub(super) fn name(&self) -> &str {
        &self.node.name
    }

    /// Input `at`.
    pub(super) fn input(&self, at: usize) -> Result<&Val, String> {
        self.inputs
            .get(at)
            .ok_or_else(|| format!("it has {} inputs", self.inputs.len()))
    }

    /// Input `at`, which must be a constant.
    pub(super) fn constant(&self, at: usize) -> Result<&Tensor, String> {
        self.input(at)?
            .tensor()
            .ok_or_else(|| format!("input {at} is no constant"))
    }

    /// Input `at`, which must be constant integers.
    pub(super) fn ints(&self, at: usize) -> Result<Vec<i64>, String> {
        self.constant(at)?.to_i64s().map_err(|e| e.to_string())
    }

    /// Input `at`, which must be one constant integer.
    pub(super) fn one(&self, at: usize) -> Result<i64, String> {
        match self.ints(at)?.as_slice() {
            [one] => Ok(*one),
            many => Err(format!("input {at} has {} values, not one", many.len())),
        }
    }

    /// The integer attribute `name`, or `default`.
    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        match self.node.attribute(name) {
            Some(Given::Int(v)) => v,
            _ => default,
        }
    }

    /// The number attribute `name`, or `default`.
    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        match self.node.attribute(name) {
            Some(Given::Float(v)) => v,
            _ => default,
        }
    }

    /// The truth attribute `name`, or `default`.
    pub(super) fn bool(&self, name: &str, default: bool) -> bool {
        match self.node.attribute(name) {
            Some(Given::Bool(v)) => v,
            _ => default,
        }
    }

    /// The text attribute `name`, or `default`.
    pub(super) fn text<'s>(&'s self, name: &str, default: &'s str) -> &'s str {
        match self.node.attribute(name) {
            Some(Given::Text(v)) if !v.is_empty() => std::str::from_utf8(v).unwrap_or("?"),
            _ => default,
        }
    }

    /// The list attribute `name`; empty when absent.
    pub(super) fn list(&self, name: &str) -> Vec<i64> {
        match self.node.attribute(name) {
            Some(Given::Ints(v)) => v.to_vec(),
            _ => Vec::new(),
        }
    }

    /// The axis `axis`, counted from the end when negative, of a shape of `rank`.
    pub(super) fn axis(axis: i64, rank: usize) -> Result<usize, String> {
        let signed = i64::try_from(rank).map_err(|e| e.to_string())?;
        let at = if axis < 0 { axis + signed } else { axis };
        usize::try_from(at)
            .ok()
            .filter(|a| *a < rank)
            .ok_or_else(|| format!("axis {axis} of {rank}"))
    }
}

/// Numbers as ONNX takes them.
pub(super) fn signed(values: &[usize]) -> Vec<i64> {
    values
        .iter()
        .map(|v| i64::try_from(*v).unwrap_or(i64::MAX))
        .collect()
}

impl<'a> Context<'a> {
    pub(super) fn new(net: &'a Net, name: &str) -> Self {
        Self {
            net,
            builder: Builder::new(name),
            absorbed: HashSet::new(),
            holes: HashMap::new(),
            room: ROOM_BYTES,
            notes: BTreeSet::new(),
            turned: HashMap::new(),
        }
    }

    /// A value that runs, under the name that the builder gave it.
    pub(super) fn live(
        &mut self,
        name: String,
        dtype: ElementType,
        dims: Vec<usize>,
        nchw: bool,
    ) -> Live {
        let live = Live {
            name,
            dtype,
            dims,
            nchw,
        };
        let stated = Value::new(live.name.clone(), dtype, &live.physical());
        self.builder.state(stated);
        live
    }

    /// Adds a node with one output, of TensorFlow's shape `dims`.
    pub(super) fn add<const N: usize>(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
        out: (ElementType, Vec<usize>, bool),
    ) -> Live {
        let mut names = self.add_many(op, name, inputs, attributes, 1);
        let name = names.pop().unwrap_or_default();
        self.live(name, out.0, out.1, out.2)
    }

    /// Adds a node with several outputs; returns their names. The node is called like the first of
    /// them, because engines want every node to have a name of its own.
    pub(super) fn add_many<const N: usize>(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
        outputs: usize,
    ) -> Vec<String> {
        let names: Vec<String> = (0..outputs).map(|_| self.builder.unique(name)).collect();
        self.builder.push(Node {
            name: names.first().cloned().unwrap_or_default(),
            op: op.to_owned(),
            domain: String::new(),
            inputs: inputs.iter().map(|i| (*i).to_owned()).collect(),
            outputs: names.clone(),
            attributes: attributes
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        });
        names
    }

    /// The name of a list of integers as a constant.
    pub(super) fn list(&mut self, name: &str, values: &[i64]) -> String {
        self.builder.constant(name, Tensor::list(values))
    }

    /// The name of a constant.
    pub(super) fn weights(&mut self, name: &str, tensor: &Tensor) -> String {
        self.builder.constant(name, tensor.clone())
    }

    /// The name of a value with TensorFlow's order of axes.
    pub(super) fn plain(&mut self, value: &Val, name: &str) -> Result<String, String> {
        match value {
            Val::Const(tensor) => Ok(self.weights(&format!("{name}/constant"), tensor)),
            Val::Live(live) if live.nchw => Ok(self.turn(live).name),
            Val::Live(live) => Ok(live.name.clone()),
            Val::Dead | Val::Lost => Err("an input that does not exist".to_owned()),
        }
    }

    /// The name of a value of four axes with the axes N, C, H, W.
    pub(super) fn nchw(&mut self, value: &Val, name: &str) -> Result<String, String> {
        if value.dims().len() != 4 {
            return Err(format!("an image of shape {:?}", value.dims()));
        }
        match value {
            Val::Const(tensor) => {
                let turned = fold::transpose(tensor, &TO_NCHW)?;
                Ok(self.weights(&format!("{name}/constant"), &turned))
            }
            Val::Live(live) if live.nchw => Ok(live.name.clone()),
            Val::Live(live) => Ok(self.turn(live).name),
            Val::Dead | Val::Lost => Err("an input that does not exist".to_owned()),
        }
    }

    /// The value in the other order of axes. Where that moves no element it is a `Reshape`.
    pub(super) fn turn(&mut self, live: &Live) -> Live {
        let turned = Live {
            nchw: !live.nchw,
            ..live.clone()
        };
        if let Some(name) = self.turned.get(&live.name) {
            return Live {
                name: name.clone(),
                ..turned
            };
        }
        let &[_, height, width, channels] = live.dims.as_slice() else {
            return live.clone();
        };
        let (perm, suffix) = if live.nchw {
            (TO_NHWC, "nhwc")
        } else {
            (TO_NCHW, "nchw")
        };
        let name = format!("{}/{suffix}", live.name);
        let out = (live.dtype, live.dims.clone(), !live.nchw);
        let made = if channels == 1 || height.saturating_mul(width) == 1 {
            let shape = signed(&turned.physical());
            let shape = self.list(&format!("{name}/shape"), &shape);
            self.add("Reshape", &name, &[&live.name, &shape], [], out)
        } else {
            let attributes = [("perm", signed(&perm).into())];
            self.add("Transpose", &name, &[&live.name], attributes, out)
        };
        self.turned.insert(live.name.clone(), made.name.clone());
        self.turned.insert(made.name.clone(), live.name.clone());
        made
    }

    /// The value in another shape, in TensorFlow's order of elements.
    pub(super) fn reshape(
        &mut self,
        value: &Val,
        dims: Vec<usize>,
        name: &str,
    ) -> Result<Val, String> {
        match value {
            Val::Const(tensor) => tensor
                .reshaped(dims)
                .map(Val::Const)
                .map_err(|e| e.to_string()),
            Val::Live(live) => {
                if live.dims.iter().product::<usize>() != dims.iter().product::<usize>() {
                    return Err(format!("shape {:?} does not become {dims:?}", live.dims));
                }
                if live.dims == dims {
                    return Ok(value.clone());
                }
                // An order of axes that moves no element needs no transposition.
                let source = match live.dims.as_slice() {
                    &[_, h, w, c] if live.nchw && (c == 1 || h * w == 1) => live.name.clone(),
                    _ => self.plain(value, name)?,
                };
                let shape = self.list(&format!("{name}/shape"), &signed(&dims));
                let out = (live.dtype, dims, false);
                Ok(Val::Live(self.add(
                    "Reshape",
                    name,
                    &[&source, &shape],
                    [],
                    out,
                )))
            }
            Val::Dead | Val::Lost => Err("an input that does not exist".to_owned()),
        }
    }
}
