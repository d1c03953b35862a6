//! Records as they are: their own text, so that what this version does not know is there too.

use crate::terminal::clean_json;
use dyno_core::{Artifacts, Records, ReportError, Reporter, Sink};

/// One record as itself; several as an array.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl Reporter for Json {
    fn id(&self) -> &'static str {
        "json"
    }
    fn about(&self) -> &'static str {
        "the record itself, complete (several: an array)"
    }
    /// The text is the record's own. Characters that act on a terminal are written as `\u…`, which
    /// changes no value and no id.
    fn render(
        &self,
        records: &Records<'_>,
        _: &dyn Artifacts,
        sink: &mut dyn Sink,
    ) -> Result<(), ReportError> {
        let text = |r: &dyno_core::Record| clean_json(r.text()).trim().to_owned();
        let text = match records.records {
            [] => "[]".to_owned(),
            [one] => text(one),
            many => {
                let texts: Vec<String> = many.iter().map(text).collect();
                format!("[\n{}\n]", texts.join(",\n"))
            }
        };
        sink.write(text.as_bytes())?;
        sink.write(b"\n")
    }
}
