//! One engine, one slot, the caller's thread: no hop between threads stands in the latency. For
//! single-stream and accuracy.

use crate::io::check_inputs;
use dyno_core::{
    BackendError, Completion, Engine, ExecutionFacts, IoSpec, QueryToken, Session, TensorSet,
    TensorView,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

struct Inline {
    engine: Box<dyn Engine>,
    done: Option<Completion>,
}

/// A blocking session of one slot: `submit` returns when the query is done, `wait` hands its
/// completion over.
pub fn inline(engine: Box<dyn Engine>) -> Box<dyn Session> {
    Box::new(Inline { engine, done: None })
}

impl Session for Inline {
    fn io(&self) -> &IoSpec {
        self.engine.io()
    }

    fn slots(&self) -> usize {
        1
    }

    fn blocking(&self) -> bool {
        true
    }

    fn submit(
        &mut self,
        slot: usize,
        inputs: &Arc<TensorSet>,
        token: QueryToken,
    ) -> Result<(), BackendError> {
        if slot != 0 {
            return Err(BackendError::Usage(format!(
                "there is no slot {slot}: the session has 1"
            )));
        }
        if self.done.is_some() {
            return Err(BackendError::Usage(
                "slot 0 is not free: its completion was not fetched".to_owned(),
            ));
        }
        check_inputs(self.engine.io(), inputs)?;
        let result = self.engine.run(inputs);
        self.done = Some(Completion {
            slot,
            token,
            at: Instant::now(),
            result,
        });
        Ok(())
    }

    fn wait(
        &mut self,
        _timeout: Duration,
        completions: &mut Vec<Completion>,
    ) -> Result<(), BackendError> {
        // Everything ended inside `submit`: when nothing is there, waiting would bring nothing.
        completions.extend(self.done.take());
        Ok(())
    }

    fn output(&self, _slot: usize, index: usize) -> TensorView<'_> {
        self.engine.output(index)
    }

    fn facts(&self) -> ExecutionFacts {
        self.engine.facts()
    }
}
