//! The head of an OpenVINO IR: which version its text is of, and whether it is quantized. The whole
//! text is walked before the library sees it, because the library tries one reader after another on
//! what it does not know, and they write to stderr.
//!
//! The format: *OpenVINO IR format*, operation sets 1 and later (`docs.openvino.ai`).

use quick_xml::{Reader, XmlVersion, events::Event};

/// Versions that OpenVINO of today reads.
const VERSIONS: &[&str] = &["10", "11"];

/// Most elements inside each other: bodies of loops hold graphs of their own.
const MAX_DEPTH: usize = 100;

/// What a text says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IrFacts {
    /// It has `FakeQuantize` operations: convolutions are computed in 8 bits.
    pub(super) quantized: bool,
}

/// Reads the text of an IR.
///
/// # Errors
/// When it is no IR, one of another version, was cut, or is nested too deep.
pub(super) fn read(text: &[u8]) -> Result<IrFacts, String> {
    let mut reader = Reader::from_reader(text);
    reader.config_mut().check_end_names = true;
    let mut facts = IrFacts { quantized: false };
    let (mut depth, mut seen) = (0usize, false);
    loop {
        let place = reader.buffer_position();
        let event = reader
            .read_event()
            .map_err(|e| format!("not an OpenVINO IR: at byte {place}: {e}"))?;
        let (element, opens) = match &event {
            Event::Start(element) => (element, true),
            Event::Empty(element) => (element, false),
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Event::DocType(_) => return Err("a document type in an OpenVINO IR".to_owned()),
            Event::Eof if depth > 0 => {
                return Err(format!(
                    "the text of the IR was cut: it ends at byte {place} inside {depth} elements"
                ));
            }
            Event::Eof if !seen => return Err("not an OpenVINO IR: no element `net`".to_owned()),
            Event::Eof => return Ok(facts),
            _ => continue,
        };
        let attribute = |name: &str| -> Result<Option<String>, String> {
            let bad = |e: &dyn std::fmt::Display| format!("at byte {place}: {e}");
            let found = element.try_get_attribute(name).map_err(|e| bad(&e))?;
            found
                .map(|a| {
                    a.decoded_and_normalized_value(XmlVersion::Implicit1_0, reader.decoder())
                        .map(std::borrow::Cow::into_owned)
                        .map_err(|e| bad(&e))
                })
                .transpose()
        };
        if !seen {
            if element.name().as_ref() != b"net" {
                return Err("not an OpenVINO IR: the first element is not `net`".to_owned());
            }
            version(attribute("version")?.as_deref())?;
            seen = true;
        } else if element.name().as_ref() == b"layer" {
            facts.quantized |= attribute("type")?.as_deref() == Some("FakeQuantize");
        }
        if opens {
            depth += 1;
            if depth > MAX_DEPTH {
                return Err(format!("nested deeper than {MAX_DEPTH} at byte {place}"));
            }
        }
    }
}

fn version(found: Option<&str>) -> Result<(), String> {
    match found {
        Some(v) if VERSIONS.contains(&v) => Ok(()),
        Some(v) => Err(format!(
            "an IR of version {v}, and OpenVINO reads {} (older ones up to 2023)",
            VERSIONS.join(" and ")
        )),
        None => Err("not an OpenVINO IR: no version".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_what_they_are() {
        let layer = |kind: &str| {
            format!(
                r#"<?xml version="1.0"?><net name="n" version="11"><layers><layer id="0" type="{kind}"><data a="1"/></layer></layers></net>"#
            )
        };
        let quantized = |text: &str| read(text.as_bytes()).map(|f| f.quantized);
        assert_eq!(quantized(&layer("Convolution")), Ok(false));
        assert_eq!(quantized(&layer("FakeQuantize")), Ok(true));
        for (text, expected) in [
            (
                r#"<net name="n" version="6"></net>"#,
                "an IR of version 6, and OpenVINO reads 10 and 11",
            ),
            (r#"<net name="n"></net>"#, "no version"),
            ("<html></html>", "the first element is not `net`"),
            ("", "no element `net`"),
            ("plain text", "no element `net`"),
            (r#"<net version="11"><layers>"#, "was cut"),
            (
                r#"<net version="11"></layers>"#,
                "not an OpenVINO IR: at byte",
            ),
            (r#"<!DOCTYPE net><net version="11"></net>"#, "document type"),
        ] {
            let error = quantized(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
        let deep = format!(r#"<net version="11">{}"#, "<body>".repeat(101));
        assert!(
            quantized(&deep)
                .expect_err("deep")
                .contains("nested deeper")
        );
    }
}
