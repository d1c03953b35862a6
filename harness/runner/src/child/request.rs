//! What a worker process is asked.

use crate::error::RunError;
use dyno_core::{PLAN_SCHEMA, Plan, QUESTION_SCHEMA, Question};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    io::{BufRead, Read},
    thread::Builder,
};

/// Greatest document that is read; a plan of ImageNet's 50,000 samples has 10 MB.
const DOCUMENT_BYTES: u64 = 256 << 20;

/// The line that says that whoever sent the document stays.
pub(super) const ATTENDED: &str = "attended";

/// What a worker process is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// To measure.
    Plan(Box<Plan>),
    /// What a model is like.
    Question(Box<Question>),
}

/// Reads one document, and nothing after it. It may stand on one line or on many.
///
/// # Errors
/// [`RunError::Plan`] when there is neither a plan nor a question.
pub fn read_request(input: &mut dyn BufRead) -> Result<Request, RunError> {
    fn document<T: DeserializeOwned>(value: Value, what: &str) -> Result<Box<T>, RunError> {
        serde_json::from_value(value)
            .map(Box::new)
            .map_err(|e| RunError::Plan(format!("standard input is no {what}: {e}")))
    }
    let mut reader = serde_json::Deserializer::from_reader(input.take(DOCUMENT_BYTES));
    let value = Value::deserialize(&mut reader)
        .map_err(|e| RunError::Plan(format!("standard input is no JSON document: {e}")))?;
    match value.get("schema").and_then(Value::as_str) {
        Some(PLAN_SCHEMA) => match Plan::from_value(value) {
            Ok(plan) => Ok(Request::Plan(Box::new(plan))),
            Err(e) => Err(RunError::Plan(format!("standard input: {e}"))),
        },
        Some(QUESTION_SCHEMA) => Ok(Request::Question(document(value, "question")?)),
        Some(other) => Err(RunError::Plan(format!(
            "schema `{other}` of the document on standard input is neither `{PLAN_SCHEMA}` nor `{QUESTION_SCHEMA}`"
        ))),
        None => Err(RunError::Plan(
            "the document on standard input names no schema".to_owned(),
        )),
    }
}

/// Waits in a thread of its own for the end of `input`, if whoever sent the document stays; then
/// calls `gone`.
///
/// # Errors
/// When the thread cannot be made.
pub(super) fn attend(
    mut input: impl BufRead + Send + 'static,
    gone: impl FnOnce() + Send + 'static,
) -> Result<(), RunError> {
    let wait = move || {
        // The rest of the document's line, then the word.
        for _ in 0..2 {
            let mut line = Vec::new();
            let read = (&mut input).take(64).read_until(b'\n', &mut line);
            if read.is_err() || line.is_empty() {
                return;
            }
            if line.trim_ascii() == ATTENDED.as_bytes() {
                let mut nothing = [0u8; 64];
                while input.read(&mut nothing).is_ok_and(|n| n > 0) {}
                gone();
                return;
            }
        }
    };
    Builder::new()
        .name("attendant".to_owned())
        .spawn(wait)
        .map(|_| ())
        .map_err(|source| RunError::Threads {
            made: 0,
            wanted: 1,
            source,
        })
}
