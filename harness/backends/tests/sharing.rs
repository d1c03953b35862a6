//! One model, many slots: the same bits in every slot, also while others run, and with memory that
//! the model hands out.

use crate::support::{engines, from_path, here, null, open_default, passes, random_inputs, run};
use dyno_core::{
    Model, OpenConfig, Provider, Tensor, TensorData, TensorSet, TensorSlice, TensorSliceMut,
};
use std::{sync::Barrier, thread};

const SLOTS: usize = 4;
const RUNS: u64 = 25;

#[test]
fn slots_that_run_side_by_side_give_the_bits_of_one() {
    for backend in engines() {
        for threads in [1, 2] {
            let config = OpenConfig {
                threads,
                slots: SLOTS as u32,
                ..OpenConfig::default()
            };
            for case in ["conv_relu", "default_strides", "qdq"] {
                if !passes(backend.id(), case) {
                    continue;
                }
                let file = &format!("{case}.onnx");
                let model = backend
                    .open(&from_path(&here("fixtures").join(file)), &config)
                    .expect("a good model");
                assert!(model.max_slots().is_none_or(|n| n >= SLOTS));
                let facts = model.facts();
                assert_eq!(facts.threads, threads);
                // Who shares threads with whom is told where there are any to share.
                assert_eq!(facts.settings.contains_key("thread_pool"), threads > 1);
                let mut alone = model.slot().expect("memory suffices");
                let expected: Vec<Vec<Vec<f32>>> = (0..RUNS)
                    .map(|seed| {
                        let inputs = random_inputs(model.as_ref(), seed);
                        run(model.as_ref(), alone.as_mut(), &inputs)
                    })
                    .collect();
                assert!(
                    expected.windows(2).any(|w| w[0] != w[1]),
                    "{}: {file} says the same of all inputs",
                    backend.id()
                );
                let together = Barrier::new(SLOTS);
                thread::scope(|scope| {
                    for number in 0..SLOTS {
                        let mut slot = model.slot().expect("memory suffices");
                        let (model, expected, together) = (&model, &expected, &together);
                        scope.spawn(move || {
                            together.wait();
                            // Each slot in another order, so that different inputs meet.
                            for turn in 0..RUNS {
                                let seed = (turn + number as u64 * 7) % RUNS;
                                let inputs = random_inputs(model.as_ref(), seed);
                                let found = run(model.as_ref(), slot.as_mut(), &inputs);
                                assert_eq!(found, expected[seed as usize], "{file} input {seed}");
                            }
                        });
                    }
                });
            }
        }
    }
}

/// Sharing a session among threads rests on this (`onnxruntime/ffi.rs`).
#[test]
fn onnxruntime_says_who_runs_the_nodes() {
    for backend in engines() {
        let model = open_default(backend, &from_path(&here("fixtures/two_inputs.onnx")));
        let expected = Provider {
            name: "CPUExecutionProvider".to_owned(),
            nodes: Some(2),
        };
        let expected: &[Provider] = match backend.id() {
            "onnxruntime" => &[expected],
            _ => &[],
        };
        assert_eq!(model.facts().providers, expected, "{}", backend.id());
    }
}

/// A slot keeps what it needs of its model.
#[test]
fn a_slot_outlives_the_handle_of_its_model() {
    for backend in engines().chain([null()]) {
        let source = from_path(&here("fixtures/conv_relu.onnx"));
        let model = open_default(backend, &source);
        let inputs = random_inputs(model.as_ref(), 1);
        let mut slot = model.slot().expect("memory suffices");
        let expected = run(model.as_ref(), slot.as_mut(), &inputs);
        drop(model);
        slot.run(&inputs).expect("the slot keeps the model alive");
        assert_eq!(slot.output(0).to_f32_vec(), expected[0], "{}", backend.id());
    }
}

#[test]
fn memory_of_the_model_feeds_it_like_any_other() {
    for backend in engines().chain([null()]) {
        let model = open_default(backend, &from_path(&here("fixtures/conv_relu.onnx")));
        let inputs = random_inputs(model.as_ref(), 2);
        let mut slot = model.slot().expect("memory suffices");
        let expected = run(model.as_ref(), slot.as_mut(), &inputs);
        let named = &inputs.tensors[0];
        let mut memory = model.allocate(0).expect("a concrete shape");
        assert_zeroed(&memory);
        match (memory.as_mut_slice(), named.tensor.view().data()) {
            (TensorSliceMut::F32(to), TensorSlice::F32(from)) => to.copy_from_slice(from),
            (to, from) => panic!("{}: {to:?} for {from:?}", backend.id()),
        }
        let tensor = Tensor::new(named.tensor.shape().to_vec(), memory).expect("of that shape");
        let set = TensorSet::single(&named.name, tensor);
        assert_eq!(
            run(model.as_ref(), slot.as_mut(), &set),
            expected,
            "{}",
            backend.id()
        );
        let error = Model::allocate(model.as_ref(), 1).expect_err("one input");
        assert_eq!(error.to_string(), "the model has no input 1");
    }
}

fn assert_zeroed(memory: &TensorData) {
    let TensorSlice::F32(values) = memory.as_slice() else {
        panic!("{memory:?} for an input of f32")
    };
    assert!(values.iter().all(|&v| v == 0.0), "not zeroed");
}
