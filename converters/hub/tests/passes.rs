//! Passes do not change outputs: random graphs and real models, run before and after.

use crate::{
    onnx_files::{inputs_for, onnx_files},
    support::{
        assets::assets,
        compare::difference,
        engines::{Engine, engines, run},
    },
};
use dyno_core::Tensor as Values;
use dyno_hub::graph::{Attribute, Builder, ElementType, Graph, Tensor};
use proptest::prelude::*;
use std::fs;

/// Whether outputs may differ by rounding: sums in another order, weights multiplied beforehand.
fn rounds_differently(graph: &Graph) -> bool {
    graph.nodes.iter().any(|n| {
        matches!(
            n.op.as_str(),
            "BatchNormalization" | "ReduceMean" | "ReduceSum" | "Softmax"
        )
    })
}

/// Runs both and compares; an error outside when the engine cannot run the first.
fn same(
    engine: Engine,
    before: &Graph,
    after: &Graph,
    inputs: &[(&str, &Values)],
    tolerance: f32,
) -> Result<Result<(), String>, String> {
    let text = |e: dyno_hub::HubError| e.to_string();
    let bytes = |g: &Graph| g.to_onnx().map_err(text);
    let first = run(engine, &bytes(before)?, inputs)?;
    let compare = || {
        let second = run(engine, &bytes(after)?, inputs)?;
        if first.len() != second.len() {
            return Err("other outputs".to_owned());
        }
        for ((name, a), (other, b)) in first.iter().zip(&second) {
            let found = difference(a, b)?;
            if name != other || a.shape() != b.shape() || found.relative > tolerance {
                return Err(format!("{name}, {other}: {found:?}"));
            }
        }
        Ok(())
    };
    Ok(compare())
}

/// One step of a random graph.
#[derive(Debug, Clone)]
struct Step {
    kind: u8,
    /// Which value it works on.
    from: u8,
    /// Axes, orders, sizes.
    choice: u8,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (any::<u8>(), any::<u8>(), any::<u8>());
    let step = step.prop_map(|(kind, from, choice)| Step { kind, from, choice });
    prop::collection::vec(step, 1..14)
}

const ORDERS: [[i64; 4]; 5] = [
    [0, 2, 3, 1],
    [0, 3, 1, 2],
    [0, 1, 3, 2],
    [0, 2, 1, 3],
    [0, 1, 2, 3],
];

fn numbers(count: usize, seed: u8) -> Vec<f32> {
    (0..count)
        .map(|i| ((i * 37 + usize::from(seed) * 11) % 29) as f32 / 16.0 - 0.75)
        .collect()
}

/// A graph of layers that importers make, on `[1, 2, 3, 4]`.
fn graph(steps: &[Step]) -> Graph {
    let mut b = Builder::new("random");
    let mut values = vec![b.input("x", ElementType::F32, &[1, 2, 3, 4])];
    for Step { kind, from, choice } in steps {
        let x = values[usize::from(*from) % values.len()].clone();
        let shape = b.shape(&x).expect("all shapes are known");
        let channels = shape[1];
        let per_channel = |b: &mut Builder, lift: f32| {
            let values: Vec<f32> = numbers(channels, *choice)
                .iter()
                .map(|v| v + lift)
                .collect();
            b.constant(
                "c",
                Tensor::f32(vec![channels], &values).expect("one a channel"),
            )
        };
        let axis = i64::from(choice % 4);
        let y = match kind % 14 {
            0 => b.add("Relu", "relu", &[&x], []),
            1 => b.add("Identity", "same", &[&x], []),
            2..=5 => {
                let order = ORDERS[usize::from(*choice) % ORDERS.len()];
                b.add("Transpose", "t", &[&x], [("perm", order.to_vec().into())])
            }
            6 => {
                let last = shape[3];
                let c = Tensor::f32(vec![last], &numbers(last, *choice)).expect("the last axis");
                let c = b.constant("c", c);
                b.add("Add", "sum", &[&x, &c], [])
            }
            7 => {
                let mut pads = vec![0; 8];
                pads[usize::from(choice % 4)] = 1;
                pads[4 + usize::from(choice / 4 % 4)] = 2;
                let pads = b.constant("pads", Tensor::list(&pads));
                b.add("Pad", "padded", &[&x, &pads], [])
            }
            8 => {
                let axes = ("axes", Attribute::Ints(vec![axis]));
                b.add("ReduceMean", "mean", &[&x], [axes])
            }
            9 => b.add("Concat", "all", &[&x, &x], [("axis", axis.into())]),
            10 => {
                let out = usize::from(choice % 3) + 1;
                let w = numbers(out * channels, *choice);
                let w = Tensor::f32(vec![out, channels, 1, 1], &w).expect("weights");
                let w = b.constant("w", w);
                let size = ("kernel_shape", vec![1i64, 1].into());
                let y = b.add("Conv", "conv", &[&x, &w], [size]);
                if choice % 2 == 0 {
                    values.push(y.clone());
                }
                y
            }
            11 => {
                let names = [0.2, 0.0, 0.1, 1.0].map(|lift| per_channel(&mut b, lift));
                let [s, t, m, v] = &names;
                b.add("BatchNormalization", "norm", &[&x, s, t, m, v], [])
            }
            12 => {
                let size = b.add("Shape", "size", &[&x], []);
                b.add("Reshape", "again", &[&x, &size], [])
            }
            _ => b.add("Softmax", "soft", &[&x], [("axis", axis.into())]),
        };
        // What grows without end is no use.
        if b.shape(&y)
            .is_some_and(|s| s.iter().product::<usize>() < 4000)
        {
            values.push(y);
        }
    }
    let mut outputs: Vec<String> = values.iter().skip(1).rev().take(2).cloned().collect();
    outputs.dedup();
    for name in &outputs {
        b.output(name);
    }
    b.finish().expect("no contradiction")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_graphs_keep_their_outputs(steps in steps()) {
        let before = graph(&steps);
        prop_assume!(!before.outputs.is_empty());
        let mut after = before.clone();
        after.simplify().expect("no contradiction");
        after.check().expect("a graph");
        prop_assert_eq!(&after.outputs, &before.outputs);
        let values = numbers(24, 5);
        let x = crate::support::npy::tensor(&[1, 2, 3, 4], &values);
        for engine in engines() {
            // rten joins operations in its own way, and so may round differently.
            let exact = engine == Engine::OnnxRuntime && !rounds_differently(&before);
            let tolerance = if exact { 0.0 } else { 1e-5 };
            let outcome = same(engine, &before, &after, &[("x", &x)], tolerance);
            let outcome = outcome.expect("both engines run these");
            prop_assert_eq!(outcome, Ok(()), "{:?}", engine);
        }
    }
}

#[test]
fn real_models_keep_their_outputs() {
    let Some(folder) = assets("models/onnx") else {
        return;
    };
    let mut fewer = 0;
    for path in onnx_files(&folder) {
        let name = path.display();
        let before = Graph::from_onnx(fs::read(&path).expect("a file")).expect("a model");
        let mut after = before.clone();
        after.simplify().unwrap_or_else(|e| panic!("{name}: {e}"));
        after.check().unwrap_or_else(|e| panic!("{name}: {e:?}"));
        fewer += usize::from(after.nodes.len() < before.nodes.len());
        let inputs = inputs_for(&before);
        let inputs: Vec<(&str, &Values)> = inputs.iter().map(|(n, t)| (n.as_str(), t)).collect();
        for engine in engines() {
            let exact = engine == Engine::OnnxRuntime && !rounds_differently(&before);
            let tolerance = if exact { 0.0 } else { 1e-4 };
            if let Ok(outcome) = same(engine, &before, &after, &inputs, tolerance) {
                outcome.unwrap_or_else(|e| panic!("{name} on {}: {e}", engine.name()));
            }
        }
    }
    assert!(fewer >= 3, "{fewer} models have fewer nodes");
}
