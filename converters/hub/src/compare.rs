//! Which value of two models differs first: what `--verify` tells when a conversion is wrong.

use crate::{
    HubError,
    graph::{Graph, Value},
};

impl Graph {
    /// The graph with further outputs: values in between, by name, behind its own outputs. Names
    /// that are outputs already stand once.
    ///
    /// # Errors
    /// [`HubError::Graph`] for a name that no node of the graph makes.
    pub fn with_outputs(&self, names: &[&str]) -> Result<Self, HubError> {
        let mut graph = self.clone();
        for name in names {
            let made = graph
                .nodes
                .iter()
                .any(|n| n.outputs.iter().any(|o| o == name));
            if !made {
                return Err(HubError::Graph {
                    place: format!("value `{name}`"),
                    problem: "no node of the graph makes it".to_owned(),
                });
            }
            if graph.outputs.iter().all(|o| o.name != *name) {
                let value = graph.values.remove(*name);
                graph
                    .outputs
                    .push(value.unwrap_or_else(|| Value::unknown(*name)));
            }
        }
        Ok(graph)
    }

    /// Names of the values that nodes make, in the order in which they run.
    pub fn made(&self) -> Vec<&str> {
        let outputs = self.nodes.iter().flat_map(|n| &n.outputs);
        outputs
            .map(String::as_str)
            .filter(|o| !o.is_empty())
            .collect()
    }
}

/// The first of `names` whose value differs. `differs` runs both models for some of the names, in
/// their order, and says of each whether it differs; it is asked for at most `at_once` names a
/// time, so that the values of a large model need not be held all at once, and for none behind the
/// first that differs but those of its batch.
///
/// Every name before the result was compared: a difference that heals and comes again is not
/// overlooked, as it would be by halving.
///
/// # Errors
/// What `differs` returns.
pub fn first_difference<'n, E>(
    names: &[&'n str],
    at_once: usize,
    mut differs: impl FnMut(&[&'n str]) -> Result<Vec<bool>, E>,
) -> Result<Option<&'n str>, E> {
    for batch in names.chunks(at_once.max(1)) {
        let found = differs(batch)?;
        let different = batch.iter().zip(found).find(|(_, differs)| *differs);
        if let Some((name, _)) = different {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Builder, ElementType};

    fn chain() -> Graph {
        let mut b = Builder::new("chain");
        let mut name = b.input("x", ElementType::F32, &[2]);
        for op in ["Relu", "Exp", "Neg", "Abs", "Sqrt"] {
            name = b.add(op, op, &[&name], []);
        }
        b.output(&name);
        b.finish().expect("no contradiction")
    }

    #[test]
    fn values_in_between_become_outputs() {
        let graph = chain();
        let more = graph.with_outputs(&["Exp", "Sqrt"]).expect("both are made");
        let names: Vec<&str> = more.outputs.iter().map(|o| o.name.as_str()).collect();
        assert_eq!(names, ["Sqrt", "Exp"]);
        assert!(
            more.outputs
                .iter()
                .all(|o| o.dtype == Some(ElementType::F32))
        );
        assert!(graph.with_outputs(&["x"]).is_err(), "an input is not made");
    }

    #[test]
    fn the_first_difference_is_found_also_when_it_heals() {
        let graph = chain();
        let names = graph.made();
        let mut asked = Vec::new();
        let found = first_difference(&names, 2, |batch| {
            asked.extend(batch.iter().map(|n| (*n).to_owned()));
            Ok::<_, ()>(batch.iter().map(|n| *n == "Neg" || *n == "Sqrt").collect())
        });
        assert_eq!(found, Ok(Some("Neg")));
        assert_eq!(asked, ["Relu", "Exp", "Neg", "Abs"]);
        let none = first_difference(&names, 9, |b| Ok::<_, ()>(vec![false; b.len()]));
        assert_eq!(none, Ok(None));
    }
}
