//! Lists of pictures with their classes: `FILE CLASS` lines (Caffe's `val.txt`), or CSV with or
//! without a header.
//!
//! A class is a number, counted from 0, or a name. Where every class of a list is a number and no
//! file beside it names the classes, they are numbers and nothing else: class `i` is the model's
//! class `i`.

use crate::{
    check::{OUTSIDE, Problems, below},
    files::{
        LIST_LIMIT, Picture, is_image, is_other_image, malformed, read_bounded, read_text,
        without_bom,
    },
};
use dyno_core::{Annotation, DatasetError, LabelId, LabelMap};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Most classes of a list of numbers.
const MAX_CLASSES: u32 = 1 << 20;
/// Headers of the columns of files and of classes, in lower case.
const FILES: [&str; 9] = [
    "file",
    "filename",
    "file_name",
    "filepath",
    "image",
    "image_id",
    "imageid",
    "name",
    "path",
];
const CLASSES: [&str; 8] = [
    "class", "class_id", "classid", "category", "label", "label_id", "target", "y",
];

/// One line of a list.
struct Row {
    line: usize,
    file: String,
    class: String,
}

/// The pictures of the list `file`, below `folder`, with the classes that they name.
pub(super) fn read(
    file: &Path,
    folder: &Path,
    listed: Option<LabelMap>,
    problems: &mut Problems,
) -> Result<(LabelMap, Vec<Picture>), DatasetError> {
    let is_csv = file
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let rows = if is_csv {
        csv_rows(file)?
    } else {
        lines(file)?
    };
    let numbers: Option<Vec<u32>> = rows.iter().map(|r| r.class.parse().ok()).collect();
    let (labels, ids) = match (numbers, listed) {
        (Some(numbers), Some(labels)) => {
            let classes = labels.len();
            for (row, class) in rows.iter().zip(&numbers) {
                if *class as usize >= classes {
                    problems.add("images have an unknown class", || {
                        format!("line {}: {class} of {classes}", row.line)
                    });
                }
            }
            (labels, numbers)
        }
        (Some(numbers), None) => {
            let count = numbers.iter().max().map_or(0, |m| m.saturating_add(1));
            if count > MAX_CLASSES {
                return Err(malformed(
                    file,
                    None,
                    None,
                    format!("class {}: more than {MAX_CLASSES} classes", count - 1),
                ));
            }
            (LabelMap::numbers(count), numbers)
        }
        (None, listed) => names(&rows, listed, problems),
    };
    let base = file.parent().unwrap_or(Path::new(""));
    let mut pictures = Vec::with_capacity(rows.len());
    for (row, class) in rows.iter().zip(ids) {
        let Some(id) = below(folder, base, &row.file) else {
            problems.add(OUTSIDE, || format!("`{}`", row.file));
            continue;
        };
        pictures.push(Picture {
            path: folder.join(&id),
            id,
            truth: Annotation::Class(LabelId(class)),
        });
    }
    Ok((labels, pictures))
}

/// Classes by name: those of the list beside, or the names that occur, sorted.
fn names(rows: &[Row], listed: Option<LabelMap>, problems: &mut Problems) -> (LabelMap, Vec<u32>) {
    let labels = listed.unwrap_or_else(|| {
        let distinct: BTreeSet<&str> = rows.iter().map(|r| r.class.as_str()).collect();
        super::with_scheme(LabelMap::from_names(distinct))
    });
    let by_name = by_name(&labels);
    let ids = rows
        .iter()
        .map(|row| {
            by_name.get(row.class.as_str()).map_or_else(
                || {
                    problems.add("images have an unknown class", || {
                        format!("line {}: `{}`", row.line, row.class)
                    });
                    u32::MAX
                },
                |id| id.0,
            )
        })
        .collect();
    (labels, ids)
}

/// Classes by name, or by a synonym that no class before has.
pub(super) fn by_name(labels: &LabelMap) -> BTreeMap<&str, LabelId> {
    let mut classes: BTreeMap<&str, LabelId> = BTreeMap::new();
    let numbered = || (0..).map(LabelId).zip(&labels.labels);
    for (id, label) in numbered() {
        classes.entry(&label.name).or_insert(id);
    }
    for (id, label) in numbered() {
        for synonym in &label.synonyms {
            classes.entry(synonym).or_insert(id);
        }
    }
    classes
}

/// Lines `FILE CLASS`; a file name may hold blanks.
fn lines(file: &Path) -> Result<Vec<Row>, DatasetError> {
    let text = read_text(file, LIST_LIMIT)?;
    let mut rows = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let Some((name, class)) = line.rsplit_once(char::is_whitespace) else {
            return Err(malformed(
                file,
                Some(number),
                None,
                format!(
                    "`{}` is not `FILE CLASS`",
                    line.chars().take(80).collect::<String>()
                ),
            ));
        };
        rows.push(Row {
            line: number,
            file: name.trim_end().to_owned(),
            class: class.to_owned(),
        });
    }
    Ok(rows)
}

/// Rows of a CSV file: two columns, or those that the header calls file and class.
fn csv_rows(file: &Path) -> Result<Vec<Row>, DatasetError> {
    let bytes = read_bounded(file, LIST_LIMIT)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(without_bom(&bytes));
    let mut columns = None;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| {
            let line = e.position().map(|p| p.line() as usize);
            malformed(file, line, None, e.to_string())
        })?;
        let line = record.position().map_or(0, |p| p.line() as usize);
        let cells: Vec<&str> = record.iter().collect();
        if cells.iter().all(|c| c.is_empty()) {
            continue;
        }
        let (file_column, class_column) = match columns {
            Some(columns) => columns,
            None if cells.iter().any(|c| is_image(c) || is_other_image(c)) => {
                if cells.len() != 2 {
                    return Err(malformed(
                        file,
                        Some(line),
                        None,
                        format!(
                            "{} columns without a header: write one with `file` and `class`",
                            cells.len()
                        ),
                    ));
                }
                *columns.insert(if is_image(cells[0]) { (0, 1) } else { (1, 0) })
            }
            None => {
                let column = |names: &[&str]| {
                    cells
                        .iter()
                        .position(|c| names.contains(&c.to_ascii_lowercase().as_str()))
                };
                let (Some(files), Some(classes)) = (column(&FILES), column(&CLASSES)) else {
                    return Err(malformed(
                        file,
                        Some(line),
                        None,
                        format!(
                            "the header `{}` has no column of files ({}) or of classes ({})",
                            cells.join(",").chars().take(80).collect::<String>(),
                            FILES.join(", "),
                            CLASSES.join(", ")
                        ),
                    ));
                };
                columns = Some((files, classes));
                continue;
            }
        };
        let cell = |at: usize| cells.get(at).filter(|c| !c.is_empty());
        let (Some(name), Some(class)) = (cell(file_column), cell(class_column)) else {
            return Err(malformed(file, Some(line), None, "no file or no class"));
        };
        rows.push(Row {
            line,
            file: (*name).to_owned(),
            class: (*class).to_owned(),
        });
    }
    Ok(rows)
}
