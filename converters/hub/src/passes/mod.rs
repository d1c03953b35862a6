//! Passes: each makes a graph simpler without changing what its outputs are.
//!
//! Outputs keep their bits, except where batch normalizations are folded: there weights are
//! multiplied before instead of after a sum, which differs by rounding.

mod batchnorm;
mod bias;
mod dead;
mod duplicates;
mod edit;
mod fold;
mod identity;
mod layout;
#[cfg(test)]
mod tests;
mod transposes;

use crate::{HubError, graph::Graph};

/// A pass.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    /// Name, unique in the table.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Changes the graph; whether it did.
    pub run: fn(&mut Graph) -> bool,
}

/// The passes in the order in which they are run.
pub const PASSES: &[Pass] = &[
    Pass {
        name: "constants",
        about: "computes what follows from constants alone",
        run: fold::run,
    },
    Pass {
        name: "identity",
        about: "leaves out operations that change nothing",
        run: identity::run,
    },
    Pass {
        name: "transposes",
        about: "moves transposes through operations until they cancel",
        run: transposes::run,
    },
    Pass {
        name: "batchnorm",
        about: "folds batch normalizations into the weights before them",
        run: batchnorm::run,
    },
    Pass {
        name: "duplicates",
        about: "keeps equal weights once",
        run: duplicates::run,
    },
    Pass {
        name: "dead",
        about: "leaves out what no output needs",
        run: dead::run,
    },
];

/// How often all passes are run at most.
const ROUNDS: usize = 8;

impl Graph {
    /// Runs all passes until none changes anything, with shapes inferred in between.
    ///
    /// # Errors
    /// The first breach that [`Self::check`] finds; the graph is as it was.
    pub fn simplify(&mut self) -> Result<(), HubError> {
        self.check()
            .map_err(|mut problems| problems.swap_remove(0))?;
        for _ in 0..ROUNDS {
            self.infer()
                .map_err(|mut problems| problems.swap_remove(0))?;
            let mut changed = false;
            for pass in PASSES {
                changed |= (pass.run)(self);
            }
            if !changed {
                break;
            }
        }
        Ok(())
    }
}
