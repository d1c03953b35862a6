//! A constant per channel that is added behind a convolution becomes its bias, as engines expect it.
//! Not one of [`super::PASSES`]: the sum may be taken in another order. Importers whose formats have
//! no bias call it.

use super::edit::{Names, pinned, uses};
use crate::graph::{ElementType, Graph, Tensor};
use std::collections::{BTreeMap, BTreeSet};

impl Graph {
    /// Makes biases of what is added behind convolutions without one.
    pub fn fold_biases(&mut self) {
        let uses = uses(self);
        let pinned = pinned(self);
        let mut names = Names::of(self);
        let producers: BTreeMap<String, usize> = self
            .nodes
            .iter()
            .enumerate()
            .filter_map(|(at, n)| Some((n.outputs.first()?.clone(), at)))
            .collect();
        let mut gone = BTreeSet::new();
        for at in 0..self.nodes.len() {
            let Some((before, output, constant, bias)) = self.bias_behind(at, &producers) else {
                continue;
            };
            let between = self.nodes[before].outputs[0].clone();
            if uses.get(&between) != Some(&1) || pinned.contains(&between) {
                continue;
            }
            if uses.get(&constant) == Some(&1) {
                self.initializers.remove(&constant);
            }
            let name = names.unique(&format!("{output}_bias"));
            self.initializers.insert(name.clone(), bias);
            self.values.remove(&between);
            let node = &mut self.nodes[before];
            node.inputs.truncate(2);
            node.inputs.push(name);
            node.outputs[0] = output;
            gone.insert(at);
        }
        let mut at = 0..;
        self.nodes
            .retain(|_| !gone.contains(&at.next().unwrap_or(0)));
    }

    /// The convolution whose output node `at` adds a constant per channel to, the names of sum
    /// and constant, and the constant as a list.
    fn bias_behind(
        &self,
        at: usize,
        producers: &BTreeMap<String, usize>,
    ) -> Option<(usize, String, String, Tensor)> {
        let sum = self.nodes.get(at)?;
        if sum.op != "Add" || !sum.domain.is_empty() {
            return None;
        }
        let [a, b] = sum.inputs.as_slice() else {
            return None;
        };
        let (value, name, constant) = match (self.initializers.get(a), self.initializers.get(b)) {
            (None, Some(constant)) => (a, b, constant),
            (Some(constant), None) => (b, a, constant),
            _ => return None,
        };
        let before = *producers.get(value)?;
        let conv = self.nodes.get(before)?;
        let bare = conv.inputs.get(2).is_none_or(String::is_empty);
        if conv.op != "Conv" || !conv.domain.is_empty() || !bare {
            return None;
        }
        let weights = self.initializers.get(conv.inputs.get(1)?)?;
        let spatial = weights.dims().len().checked_sub(2)?;
        let channels = *weights.dims().first()?;
        let axis = constant.dims().len().checked_sub(spatial + 1)?;
        let fits = constant.dims().len() <= spatial + 2
            && constant.dims().get(axis) == Some(&channels)
            && constant.len() == channels
            && constant.dtype() == ElementType::F32
            && weights.dtype() == ElementType::F32;
        let bias = constant.reshaped(vec![channels]).ok().filter(|_| fits)?;
        Some((before, sum.outputs.first()?.clone(), name.clone(), bias))
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::{Builder, ElementType, Graph, Tensor};

    fn graph(bias: &[usize], twice: bool) -> Graph {
        let mut b = Builder::new("net");
        let x = b.input("x", ElementType::F32, &[1, 2, 4, 4]);
        let w = Tensor::f32(vec![3, 2, 1, 1], &[1.0; 6]).expect("six");
        let w = b.constant("w", w);
        let conv = b.add("Conv", "conv", &[&x, &w], []);
        let count = bias.iter().product();
        let values = vec![0.5; count];
        let c = b.constant("c", Tensor::f32(bias.to_vec(), &values).expect("as many"));
        let sum = b.add("Add", "sum", &[&c, &conv], []);
        b.output(&sum);
        if twice {
            b.output(&conv);
        }
        b.finish().expect("a graph")
    }

    #[test]
    fn a_constant_per_channel_is_a_bias_and_nothing_else_is() {
        for bias in [[1, 3, 1, 1].as_slice(), &[3, 1, 1]] {
            let mut graph = graph(bias, false);
            graph.fold_biases();
            graph.check().expect("sound");
            assert_eq!(graph.nodes.len(), 1, "{bias:?}");
            let node = &graph.nodes[0];
            assert_eq!(node.outputs, ["sum"]);
            assert_eq!(graph.initializers[&node.inputs[2]].dims(), [3]);
        }
        for (bias, twice) in [
            ([1, 3, 1, 1].as_slice(), true),
            (&[1, 1, 4, 4], false),
            (&[1, 3, 4, 4], false),
            (&[1], false),
        ] {
            let mut graph = graph(bias, twice);
            let before = graph.clone();
            graph.fold_biases();
            assert_eq!(graph, before, "{bias:?}");
        }
    }
}
