//! An engine that panics inside its thread must not hang the session.

use super::threaded;
use dyno_core::{
    BackendError, DType, Dimension, Engine, EngineStages, ExecutionFacts, IoSpec, QueryToken,
    Tensor, TensorInfo, TensorSet, TensorView,
};
use std::{sync::Arc, time::Duration};

struct Panics(IoSpec);

impl Engine for Panics {
    fn io(&self) -> &IoSpec {
        &self.0
    }
    fn run(&mut self, _: &TensorSet) -> Result<EngineStages, BackendError> {
        std::panic::resume_unwind(Box::new("broken"))
    }
    fn output(&self, _: usize) -> TensorView<'_> {
        unreachable!("it never ran")
    }
    fn facts(&self) -> ExecutionFacts {
        ExecutionFacts {
            threads: 1,
            ..ExecutionFacts::default()
        }
    }
}

fn engine() -> Box<dyn Engine> {
    let input = TensorInfo {
        name: "x".to_owned(),
        dtype: DType::U8,
        shape: vec![Dimension::Fixed(1)],
    };
    Box::new(Panics(IoSpec {
        inputs: vec![input],
        outputs: Vec::new(),
    }))
}

#[test]
fn a_panicking_engine_is_an_error_of_wait() {
    for engines in [vec![engine()], vec![engine(), engine()]] {
        let mut session = threaded(engines).expect("threads can be started");
        let inputs = Arc::new(TensorSet::single(
            "x",
            Tensor::zeros(vec![1], DType::U8).expect("small"),
        ));
        session.submit(0, &inputs, QueryToken(0)).expect("free");
        let mut done = Vec::new();
        let error = session
            .wait(Duration::from_secs(30), &mut done)
            .expect_err("the thread is gone")
            .to_string();
        assert!(error.contains("panicked"), "{error}");
        assert!(done.is_empty());
    }
}

#[test]
fn a_session_needs_an_engine() {
    assert!(threaded(Vec::new()).is_err());
}
