//! Asking an engine about a model, in this process or in a child.

use crate::{exit, interrupt, say, tables::TABLES};
use dyno_core::{Event, Question};
use dyno_planner::{Answer, EngineError, Engines};
use dyno_runner::{Overdue, RunError, WorkerCommand};

fn engine_error(error: &RunError) -> EngineError {
    EngineError::new(error.chain(), error.exit_code())
}

/// What becomes of a process whose engine does not return: it says so and ends, because nothing in
/// it can stop a native call.
pub(crate) fn overdue(overdue: &Overdue) {
    say::problem(overdue);
    say::line("hint: --engine-timeout gives it longer; --isolate keeps it out of this process");
    interrupt::end(exit::FAILED);
}

/// Opens engines in this process.
pub(crate) struct InProcess;

impl Engines for InProcess {
    fn ask(&self, question: &Question) -> Result<Answer, EngineError> {
        match dyno_runner::answer(question, &TABLES, &overdue) {
            Ok(Event::Answered {
                io,
                facts,
                import,
                says,
            }) => Ok(Answer {
                io,
                facts,
                import,
                says,
            }),
            Ok(_) => Err(EngineError::new(
                ["the engine gave no answer".to_owned()],
                exit::FAILED,
            )),
            Err(error) => Err(engine_error(&error)),
        }
    }
}

/// Opens engines in a child: what kills it is an error here.
pub(crate) struct InChild(pub(crate) WorkerCommand);

impl Engines for InChild {
    fn ask(&self, question: &Question) -> Result<Answer, EngineError> {
        dyno_runner::ask(question, &self.0)
            .map(|answer| Answer {
                io: answer.io,
                facts: answer.facts,
                import: answer.import,
                says: answer.says,
            })
            .map_err(|e| engine_error(&e))
    }
}
