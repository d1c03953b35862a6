//! Standard error: what people are told, one line at a time, harmless to their terminal.
//!
//! Names come from manifests, models and files of strangers: an escape sequence in one would act on
//! the terminal, a line break would forge a line of its own. Nothing else in this program writes to
//! standard error.

use dyno_reports::terminal::clean;

/// One line.
pub(crate) fn line(text: &str) {
    eprintln!("{}", clean(text));
}

/// Something that a reader must know and that stops nothing.
pub(crate) fn warning(text: &str) {
    line(&format!("warning: {text}"));
}

/// An error or problem with its causes, outermost first, without repeating what the line above
/// ends with: transparent wrappers have their source's words.
pub(crate) fn problem(error: &(dyn std::error::Error + 'static)) {
    let mut previous = error.to_string();
    line(&format!("error: {previous}"));
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !previous.ends_with(&text) {
            line(&format!("caused by: {text}"));
        }
        previous = text;
        source = cause.source();
    }
}

/// Text that a writer of `dyno-reports` has made harmless already and whose lines are meant: what a
/// CI runner reads.
pub(crate) fn verbatim(text: &str) {
    eprint!("{text}");
}
