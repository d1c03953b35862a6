//! A fence in front of `Softmax`, against an optimisation of tract 0.23 that changes results.
//!
//! tract replaces what stands between a `DequantizeLinear` and the next `QuantizeLinear` by a table
//! of 256 bytes, when every operator between them works element by element (`tract-core`,
//! `ops/quant.rs`). It concludes that from the mapping of axes alone, and `Softmax` maps every axis
//! to itself though it looks at all elements of one: a quantized MobileNet then answers 255 for
//! every class. The fence hands its input on without a copy, and maps no axis, which ends the
//! search.

use tract_onnx::{
    prelude::*,
    tract_core,
    tract_core::{
        internal::{EvalContext, EvalOp, Op, StaticName, TypedModelPatch, TypedOp},
        ops::nn::Softmax,
    },
};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Fence;

impl Op for Fence {
    fn name(&self) -> StaticName {
        "Fence".into()
    }

    tract_core::op_as_typed_op!();
}

impl EvalOp for Fence {
    tract_core::op_out_of_plan!();

    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        Ok(inputs)
    }
}

impl TypedOp for Fence {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(inputs.iter().map(|fact| fact.without_value()).collect())
    }

    tract_core::as_op!();
}

/// Puts a fence before every `Softmax` of `model`.
pub(super) fn fence_softmax(model: &mut TypedModel) -> TractResult<()> {
    let nodes: Vec<usize> = model
        .nodes()
        .iter()
        .filter(|n| n.op_is::<Softmax>())
        .map(|n| n.id)
        .collect();
    for id in nodes {
        let mut patch = TypedModelPatch::default();
        let node = model.node(id);
        let Some(&source) = node.inputs.first() else {
            continue;
        };
        let tap = patch.tap_model(model, source)?;
        let fence = patch.wire_node(format!("{}.fence", node.name), Fence, &[tap])?;
        let output = patch.wire_node(&node.name, node.op.clone(), &fence)?;
        patch.shunt_outside(model, OutletId::new(id, 0), output[0])?;
        patch.apply(model)?;
    }
    Ok(())
}
