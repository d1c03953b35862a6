//! One annotation file of VOC, read as a stream: time and memory are those of its length, whatever
//! its elements, attributes and name spaces are. Document types, and with them entities, are
//! refused. A comment between the digits of a number is no part of it.

use crate::files::{guarded, malformed, read_text};
use dyno_core::DatasetError;
use quick_xml::{Reader, events::Event};
use std::path::Path;

/// Largest annotation of one image.
const LIMIT: u64 = 4 << 20;
/// Deepest nesting: VOC's own has five levels.
const DEPTH: usize = 32;
/// Most objects of an image.
const OBJECTS: usize = 100_000;

/// One annotation file as it is written: class names, VOC's corners as they are.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) objects: Vec<Object>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Object {
    pub(super) name: String,
    /// xmin, ymin, xmax, ymax.
    pub(super) corners: [f64; 4],
    pub(super) difficult: bool,
    pub(super) truncated: bool,
}

/// An object in the making.
struct Draft {
    /// Byte at which its element begins.
    start: usize,
    name: Option<String>,
    corners: [Option<f64>; 4],
    /// Byte at which its box begins.
    bndbox: Option<usize>,
    difficult: bool,
    truncated: bool,
}

const CORNERS: [&str; 4] = ["xmin", "ymin", "xmax", "ymax"];

/// What went wrong, and at which byte.
struct Fault(usize, String);

/// Reads the annotation file `path`.
pub(super) fn read(path: &Path) -> Result<Picture, DatasetError> {
    let text = read_text(path, LIMIT)?;
    guarded(path, || {
        parse(&text).map_err(|Fault(at, reason)| {
            let before = text.get(..at).unwrap_or(&text);
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            malformed(path, Some(line), Some(column), reason)
        })
    })
}

fn parse(text: &str) -> Result<Picture, Fault> {
    let mut reader = Reader::from_str(text);
    let mut picture = Picture::default();
    let mut seen_root = false;
    // Names of the open elements, and the text of the innermost.
    let mut open: Vec<String> = Vec::new();
    let mut content = String::new();
    let mut start = 0;
    let mut draft: Option<Draft> = None;
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        let event = reader.read_event().map_err(|e| {
            let at = usize::try_from(reader.error_position()).unwrap_or(at);
            Fault(at, e.to_string())
        })?;
        let (name, closes) = match &event {
            Event::Start(e) => (Some(e.name()), false),
            Event::Empty(e) => (Some(e.name()), true),
            _ => (None, false),
        };
        if let Some(name) = name {
            let name = String::from_utf8_lossy(name.as_ref()).into_owned();
            if open.is_empty() && (seen_root || name != "annotation") {
                return Err(Fault(at, format!("the root is `{name}`, not `annotation`")));
            }
            if open.len() >= DEPTH {
                return Err(Fault(
                    at,
                    format!("elements are nested more than {DEPTH} deep"),
                ));
            }
            seen_root = true;
            if open.len() == 1 && name == "object" {
                if picture.objects.len() >= OBJECTS {
                    return Err(Fault(at, format!("more than {OBJECTS} objects")));
                }
                draft = Some(Draft {
                    start: at,
                    name: None,
                    corners: [None; 4],
                    bndbox: None,
                    difficult: false,
                    truncated: false,
                });
            }
            if let Some(draft) = draft
                .as_mut()
                .filter(|_| open.len() == 2 && name == "bndbox")
            {
                draft.bndbox = Some(at);
            }
            open.push(name);
            content.clear();
            start = at;
        }
        match event {
            Event::End(_) => {
                close(&open, &content, start, &mut picture, &mut draft)?;
                open.pop();
                content.clear();
            }
            _ if closes => {
                close(&open, "", start, &mut picture, &mut draft)?;
                open.pop();
            }
            Event::Text(t) => content.push_str(&t.decode().map_err(|e| Fault(at, e.to_string()))?),
            Event::CData(t) => content.push_str(&t.decode().map_err(|e| Fault(at, e.to_string()))?),
            Event::GeneralRef(r) => {
                let name = r.decode().map_err(|e| Fault(at, e.to_string()))?;
                let character = r.resolve_char_ref().map_err(|e| Fault(at, e.to_string()))?;
                let standard = quick_xml::escape::resolve_xml_entity(&name);
                match (character, standard) {
                    (Some(c), _) => content.push(c),
                    (None, Some(text)) => content.push_str(text),
                    (None, None) => return Err(Fault(at, format!("unknown entity `&{name};`"))),
                }
            }
            Event::DocType(_) => return Err(Fault(at, "a document type is refused".to_owned())),
            Event::Eof if open.is_empty() && seen_root => return Ok(picture),
            Event::Eof => {
                let what = open.last().map_or_else(
                    || "no `annotation`".to_owned(),
                    |n| format!("`{n}` is not closed"),
                );
                return Err(Fault(at, what));
            }
            Event::Start(_)
            | Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_) => {}
        }
    }
}

/// Takes what the innermost element says, as it is closed.
fn close(
    open: &[String],
    content: &str,
    start: usize,
    picture: &mut Picture,
    draft: &mut Option<Draft>,
) -> Result<(), Fault> {
    let path: Vec<&str> = open.iter().map(String::as_str).collect();
    let content = content.trim();
    let whole = |name: &str| {
        content.parse().map_err(|_| {
            Fault(
                start,
                format!("`{name}` is `{content}`, not a whole number"),
            )
        })
    };
    let flag = |name: &str| match content {
        "" | "0" => Ok(false),
        "1" => Ok(true),
        other => Err(Fault(
            start,
            format!("`{name}` is `{other}`, neither 0 nor 1"),
        )),
    };
    // Parts of a person are nested objects with boxes of their own; only the paths below count.
    match (path.as_slice(), draft.as_mut()) {
        ([_, "size", "width"], _) => picture.width = whole("width")?,
        ([_, "size", "height"], _) => picture.height = whole("height")?,
        ([_, "object", "name"], Some(draft)) if !content.is_empty() => {
            draft.name = Some(content.to_owned());
        }
        ([_, "object", "difficult"], Some(draft)) => draft.difficult = flag("difficult")?,
        ([_, "object", "truncated"], Some(draft)) => draft.truncated = flag("truncated")?,
        ([_, "object", "bndbox", corner], Some(draft)) => {
            let at = CORNERS.iter().position(|name| name == corner);
            if let Some(slot) = at.and_then(|at| draft.corners.get_mut(at)) {
                let number = content.parse().map_err(|_| {
                    Fault(start, format!("`{corner}` is `{content}`, not a number"))
                })?;
                *slot = Some(number);
            }
        }
        ([_, "object"], Some(_)) => {
            if let Some(draft) = draft.take() {
                picture.objects.push(finish(draft)?);
            }
        }
        _ => {}
    }
    Ok(())
}

fn finish(draft: Draft) -> Result<Object, Fault> {
    let name = draft
        .name
        .ok_or_else(|| Fault(draft.start, "an object without `name`".to_owned()))?;
    let bndbox = draft
        .bndbox
        .ok_or_else(|| Fault(draft.start, format!("an object `{name}` without `bndbox`")))?;
    let mut corners = [0.0; 4];
    for ((corner, value), key) in corners.iter_mut().zip(draft.corners).zip(CORNERS) {
        *corner = value.ok_or_else(|| Fault(bndbox, format!("a box without `{key}`")))?;
    }
    Ok(Object {
        name,
        corners,
        difficult: draft.difficult,
        truncated: draft.truncated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(xmin: &str, name: &str) -> String {
        format!(
            "<annotation xmlns=\"urn:x\"><object><name>{name}</name><bndbox><xmin>{xmin}</xmin>\
             <ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object></annotation>"
        )
    }

    #[test]
    fn numbers_and_names_are_whole() {
        let read = |xmin: &str, name: &str| {
            let picture = parse(&object(xmin, name)).map_err(|Fault(_, why)| why)?;
            let first = &picture.objects[0];
            Ok::<_, String>((first.corners[0], first.name.clone()))
        };
        assert_eq!(
            read("1<!-- a comment -->2", "a &amp; b").expect("reads"),
            (12.0, "a & b".to_owned())
        );
        assert_eq!(
            read("<![CDATA[7]]>", "&#100;og").expect("reads"),
            (7.0, "dog".to_owned())
        );
        assert!(read("1", "&evil;").is_err());
        assert!(read("1<b>2</b>", "dog").is_err(), "an element is no digit");
    }

    #[test]
    fn what_is_long_takes_no_longer_than_its_length() {
        // Elements that each bind a name space, and attributes on one element: a reader that
        // compares each with each would take minutes for these.
        let bound = "<a xmlns:n=\"u\" xmlns:m=\"v\">".repeat(20);
        let many: Vec<String> = (0..60_000).map(|i| format!("a{i}=\"{i}\"")).collect();
        let many = many.join(" ");
        let siblings = "<b xmlns:x=\"u\" xmlns:y=\"v\"/>".repeat(100_000);
        let closed = "</a>".repeat(20);
        let text = format!("<annotation {many}>{bound}{closed}{siblings}</annotation>");
        assert_eq!(
            parse(&text).map_err(|Fault(_, why)| why),
            Ok(Picture::default())
        );
        let deep = format!("<annotation>{}", "<a>".repeat(1000));
        assert!(parse(&deep).is_err());
    }
}
