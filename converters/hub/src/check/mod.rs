//! The rules of ONNX that a graph must keep, beside what inference finds: names, order, arities,
//! types. All breaches are told at once, each with its node.

mod arity;
mod names;
#[cfg(test)]
mod tests;

use crate::{HubError, graph::Graph};

/// Most inputs or outputs of an operator that takes any number.
const ANY: usize = usize::MAX;

impl Graph {
    /// Checks the graph: an operator set is declared, every name is given once, every input of a
    /// node exists before it, outputs exist, operators have the inputs and outputs that they need,
    /// and types and shapes do not contradict each other.
    ///
    /// # Errors
    /// Every breach, with node and rule.
    pub fn check(&self) -> Result<(), Vec<HubError>> {
        let mut problems = names::problems(self, &[]);
        problems.extend(arity::problems(self));
        // Inference looks values up by name: with names in disorder it would say nonsense.
        if problems.is_empty()
            && let Err(more) = self.clone().infer()
        {
            problems.extend(more);
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }
}
