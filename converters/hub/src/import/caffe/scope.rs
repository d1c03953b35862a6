//! What a layer's function works with: its bottoms, its weights, and the graph that it adds to.

use super::{
    assemble::Assembly,
    blob::{Blob, Source, volume},
    net::Layer,
    problem::Problem,
};
use crate::graph::{Attribute, ElementType, Tensor, Value};
use bytes::Bytes;
use dyno_formats::caffe::{self, BlobElement};
use half::f16;
use std::sync::Arc;

/// How a layer is lowered, once its parameters are read.
pub(super) type Lowering = Box<dyn FnOnce(&mut Scope<'_>) -> Result<(), Problem>>;

/// One layer in the making.
pub(super) struct Scope<'a> {
    pub(super) net: &'a mut Assembly,
    pub(super) layer: &'a Layer,
    /// Position of the layer in the net.
    pub(super) index: usize,
    pub(super) bottoms: Vec<Blob>,
}

impl Scope<'_> {
    /// The layer has `bottoms` bottoms and `tops` tops.
    pub(super) fn arity(&self, bottoms: usize, tops: usize) -> Result<(), Problem> {
        let found = (self.bottoms.len(), self.layer.tops.len());
        if found == (bottoms, tops) {
            return Ok(());
        }
        Err(Problem::unsupported(format!(
            "{} bottoms and {} tops, not {bottoms} and {tops}",
            found.0, found.1
        )))
    }

    /// The only bottom of a layer with one top.
    pub(super) fn single(&mut self) -> Result<(String, Vec<usize>), Problem> {
        self.arity(1, 1)?;
        self.bottom(0)
    }

    /// A bottom as a value of the graph, and its shape.
    pub(super) fn bottom(&mut self, at: usize) -> Result<(String, Vec<usize>), Problem> {
        let blob = self.bottoms.get(at).cloned();
        let blob = blob.ok_or_else(|| Problem::malformed(format!("bottom {at} is missing")))?;
        let value = match &blob.source {
            Source::Value(name) => name.clone(),
            Source::Constant(values) => {
                let tensor = Tensor::f32(blob.dims.clone(), values)?;
                let name = self
                    .layer
                    .bottoms
                    .get(at)
                    .map_or("constant", String::as_str);
                self.net.builder.constant(name, tensor)
            }
        };
        Ok((value, blob.dims))
    }

    fn add<const N: usize>(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
        dims: &[usize],
    ) -> Result<String, Problem> {
        volume(dims)?;
        let name = self.net.builder.add(op, name, inputs, attributes);
        self.state(&name, ElementType::F32, dims)?;
        Ok(name)
    }

    /// Holds what the layer says of a value against what ONNX infers.
    fn state(&mut self, name: &str, dtype: ElementType, dims: &[usize]) -> Result<(), Problem> {
        if let Some(inferred) = self.net.builder.shape(name).filter(|s| s != dims) {
            return Err(Problem::malformed(format!(
                "Caffe's shape is {dims:?}, ONNX's {inferred:?}"
            )));
        }
        self.net.builder.state(Value::new(name, dtype, dims));
        Ok(())
    }

    /// A value of its own, called after the layer.
    pub(super) fn node<const N: usize>(
        &mut self,
        op: &str,
        suffix: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
        dims: &[usize],
    ) -> Result<String, Problem> {
        let name = format!("{}.{suffix}", self.layer.name);
        self.add(op, &name, inputs, attributes, dims)
    }

    /// As [`Self::node`], of integers.
    pub(super) fn integers<const N: usize>(
        &mut self,
        op: &str,
        suffix: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
        dims: &[usize],
    ) -> Result<String, Problem> {
        let name = format!("{}.{suffix}", self.layer.name);
        let name = self.net.builder.add(op, &name, inputs, attributes);
        self.state(&name, ElementType::I64, dims)?;
        Ok(name)
    }

    /// The node that gives top `top`.
    pub(super) fn give<const N: usize>(
        &mut self,
        top: usize,
        op: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
        dims: Vec<usize>,
    ) -> Result<(), Problem> {
        let name = self.top_value(top)?;
        let name = self.add(op, &name, inputs, attributes, &dims)?;
        self.set(top, Blob::value(name, dims))
    }

    /// Nodes that give all tops, of the same operator.
    pub(super) fn give_all<const N: usize>(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
        shapes: Vec<Vec<usize>>,
    ) -> Result<(), Problem> {
        let outputs = (0..shapes.len())
            .map(|top| {
                let wanted = self.top_value(top)?;
                Ok(self.net.builder.unique(&wanted))
            })
            .collect::<Result<Vec<_>, Problem>>()?;
        self.net.builder.push(crate::graph::Node {
            name: outputs.first().cloned().unwrap_or_default(),
            op: op.to_owned(),
            inputs: inputs.iter().map(|i| (*i).to_owned()).collect(),
            outputs: outputs.clone(),
            attributes: attributes
                .map(|(n, v)| (n.to_owned(), v))
                .into_iter()
                .collect(),
            ..crate::graph::Node::default()
        });
        for (top, (name, dims)) in outputs.into_iter().zip(shapes).enumerate() {
            volume(&dims)?;
            self.state(&name, ElementType::F32, &dims)?;
            self.set(top, Blob::value(name, dims))?;
        }
        Ok(())
    }

    /// A node whose outputs have shapes that are not known here.
    pub(super) fn free<const N: usize>(
        &mut self,
        op: &str,
        suffix: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
        outputs: usize,
    ) -> Vec<String> {
        let name = format!("{}.{suffix}", self.layer.name);
        self.net
            .builder
            .add_many(op, &name, inputs, attributes, outputs)
    }

    /// As [`Self::free`], with one output.
    pub(super) fn one<const N: usize>(
        &mut self,
        op: &str,
        suffix: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
    ) -> String {
        let name = format!("{}.{suffix}", self.layer.name);
        self.net.builder.add(op, &name, inputs, attributes)
    }

    /// The graph ends here: with this value of a shape that only a run knows, or before the layer.
    pub(super) fn end(&mut self, output: Option<Value>) -> Result<(), Problem> {
        self.net.end(&self.top_name(0)?, output);
        Ok(())
    }

    fn top_name(&self, top: usize) -> Result<String, Problem> {
        let name = self.layer.tops.get(top).cloned();
        name.ok_or_else(|| Problem::malformed(format!("top {top} is missing")))
    }

    fn top_value(&self, top: usize) -> Result<String, Problem> {
        Ok(self
            .net
            .value_name(&self.top_name(top)?, &self.layer.name, self.index))
    }

    /// Top `top` is this blob.
    pub(super) fn set(&mut self, top: usize, blob: Blob) -> Result<(), Problem> {
        volume(&blob.dims)?;
        let name = self.top_name(top)?;
        self.net.define(&name, Some(blob));
        Ok(())
    }

    /// A constant of the layer.
    pub(super) fn constant(&mut self, suffix: &str, tensor: Tensor) -> String {
        let name = format!("{}.{suffix}", self.layer.name);
        self.net.builder.constant(&name, tensor)
    }

    /// One number.
    pub(super) fn scalar(&mut self, suffix: &str, value: f32) -> String {
        self.constant(suffix, Tensor::scalar(value))
    }

    /// Integers, as axes and shapes are given to operators.
    pub(super) fn list(&mut self, suffix: &str, values: &[i64]) -> String {
        self.constant(suffix, Tensor::list(values))
    }

    /// The layer's blobs in the `.caffemodel`; there must be `count`.
    pub(super) fn blobs(&self, count: usize) -> Result<Arc<Vec<caffe::Blob>>, Problem> {
        let Some(blobs) = self.net.weights(&self.layer.name) else {
            return Err(Problem::malformed(if self.net.has_weights() {
                "the weights have no layer of this name with blobs"
            } else {
                "it needs weights, and no `.caffemodel` was given"
            }));
        };
        if blobs.len() == count {
            return Ok(blobs);
        }
        Err(Problem::malformed(format!(
            "it takes {count} blobs of weights, and there are {}",
            blobs.len()
        )))
    }
}

/// A shape without its axes of 1: old files pad shapes with those.
fn essential(dims: &[usize]) -> Vec<usize> {
    dims.iter().copied().filter(|&d| d != 1).collect()
}

/// A blob of weights in the shape that its layer needs.
pub(super) fn tensor(blob: &caffe::Blob, dims: &[usize]) -> Result<Tensor, Problem> {
    let size = blob.element.size_bytes();
    let needed = volume(dims)?;
    if essential(&blob.dims) != essential(dims) {
        return Err(Problem::malformed(format!(
            "weights of shape {dims:?} need {needed} values ({} bytes); the file has shape {:?} with {} values ({} bytes)",
            needed.saturating_mul(size),
            blob.dims,
            blob.len(),
            blob.bytes.len()
        )));
    }
    let bytes: Bytes = match blob.element {
        BlobElement::F32 => blob.bytes.clone(),
        BlobElement::F16 => {
            let (values, _) = blob.bytes.as_chunks::<2>();
            let values = values.iter().map(|b| f16::from_le_bytes(*b).to_f32());
            values.flat_map(f32::to_le_bytes).collect()
        }
        BlobElement::F64 => {
            let (values, _) = blob.bytes.as_chunks::<8>();
            let values = values.iter().map(|b| f64::from_le_bytes(*b) as f32);
            values.flat_map(f32::to_le_bytes).collect()
        }
    };
    Ok(Tensor::new(ElementType::F32, dims.to_vec(), bytes)?)
}

/// A blob of weights as numbers.
pub(super) fn numbers(blob: &caffe::Blob, dims: &[usize]) -> Result<Vec<f32>, Problem> {
    Ok(tensor(blob, dims)?.to_f32s()?)
}
