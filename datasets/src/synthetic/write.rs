//! The synthetic set as files, in the layout of a real dataset.

use super::{
    draw::SHAPES,
    scene::{SyntheticSpec, Task},
    truths::Truths,
};
use crate::{card, name::GENERATED};
use dyno_core::{Annotation, DatasetError};
use rayon::prelude::*;
use serde_json::json;
use std::{fmt::Write as _, fs, path::Path};

/// Layout of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `annotations/instances_val2017.json` and `images/val2017/`.
    Coco,
    /// `VOC2012/` with `Annotations`, `ImageSets/Main/val.txt`, `JPEGImages` and `labels.txt`.
    Voc,
    /// `val/`, `val.txt` and `synsets.txt`.
    Imagenet,
}

fn io<T>(path: &Path, result: std::io::Result<T>) -> Result<T, DatasetError> {
    result.map_err(|source| DatasetError::Io {
        path: path.to_owned(),
        source,
    })
}

fn put(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), DatasetError> {
    if let Some(parent) = path.parent() {
        io(parent, fs::create_dir_all(parent))?;
    }
    io(path, fs::write(path, bytes))
}

/// Writes a synthetic set below `folder`: the same pictures, ids and annotations as the set in
/// memory. Files that are there are replaced.
///
/// # Errors
/// A specification out of range, a layout that does not hold the task (`Coco` and `Voc` hold
/// detection, `Imagenet` classification), or a file that cannot be written.
pub fn write(folder: &Path, layout: Layout, spec: &SyntheticSpec) -> Result<(), DatasetError> {
    spec.check()?;
    let task = if layout == Layout::Imagenet {
        Task::Classification
    } else {
        Task::Detection
    };
    if spec.task != task {
        return Err(DatasetError::Usage(
            format!(
                "the layout `{layout:?}` holds {}, not {}",
                task.name(),
                spec.task.name()
            )
            .to_lowercase(),
        ));
    }
    let truths = Truths::of(spec);
    let entries: Vec<(String, Annotation)> = (0..spec.count)
        .filter_map(|i| Some((SyntheticSpec::file_name(i), truths.get(i as usize)?)))
        .collect();
    let images = match layout {
        Layout::Coco => {
            put(
                &folder.join("annotations").join("instances_val2017.json"),
                coco(&entries),
            )?;
            folder.join("images").join("val2017")
        }
        Layout::Voc => voc(&folder.join("VOC2012"), &entries)?,
        Layout::Imagenet => {
            let mut lines = String::new();
            for (id, truth) in &entries {
                if let Annotation::Class(label) = truth {
                    let _ = writeln!(lines, "{id} {}", label.0);
                }
            }
            put(&folder.join("val.txt"), lines)?;
            put(
                &folder.join("synsets.txt"),
                SHAPES.map(|s| format!("{s}\n")).concat(),
            )?;
            folder.join("val")
        }
    };
    let card = json!({"schema": card::SCHEMA, "name": GENERATED});
    put(&folder.join(card::FILE), format!("{card}\n"))?;
    io(&images, fs::create_dir_all(&images))?;
    (0..spec.count).into_par_iter().try_for_each(|i| {
        let path = images.join(SyntheticSpec::file_name(i));
        io(&path, fs::write(&path, spec.scene(i).png()?))
    })
}

fn coco(entries: &[(String, Annotation)]) -> Vec<u8> {
    let (mut images, mut annotations) = (Vec::new(), Vec::new());
    for (id, truth) in entries {
        let Annotation::Objects(image) = truth else {
            continue;
        };
        images.push(json!({"id": image.image_id, "file_name": id, "width": image.width, "height": image.height}));
        annotations.extend(image.objects.iter().map(|o| {
            json!({"id": o.id, "image_id": image.image_id, "category_id": o.label.0 + 1, "bbox": [o.bbox.x, o.bbox.y, o.bbox.w, o.bbox.h],
                   "area": o.area, "iscrowd": 0, "segmentation": []})
        }));
    }
    let categories: Vec<_> = (1..)
        .zip(SHAPES)
        .map(|(id, name)| json!({"id": id, "name": name, "supercategory": "shape"}))
        .collect();
    json!({"info": {"description": "drawn by dyno"}, "images": images, "annotations": annotations, "categories": categories}).to_string().into_bytes()
}

fn voc(root: &Path, entries: &[(String, Annotation)]) -> Result<std::path::PathBuf, DatasetError> {
    let mut split = String::new();
    for (id, truth) in entries {
        let Annotation::Objects(image) = truth else {
            continue;
        };
        let stem = id.trim_end_matches(".png");
        let mut xml = format!(
            "<annotation>\n\t<folder>VOC2012</folder>\n\t<filename>{}</filename>\n\t<size><width>{}</width><height>{}</height><depth>3</depth></size>\n",
            id, image.width, image.height
        );
        for o in &image.objects {
            let name = SHAPES.get(o.label.index()).copied().unwrap_or_default();
            // VOC counts pixels from 1 and includes both corners.
            let _ = writeln!(
                xml,
                "\t<object>\n\t\t<name>{name}</name>\n\t\t<truncated>0</truncated>\n\t\t<difficult>0</difficult>\n\t\t<bndbox><xmin>{}</xmin><ymin>{}</ymin>\
                 <xmax>{}</xmax><ymax>{}</ymax></bndbox>\n\t</object>",
                o.bbox.x + 1.0,
                o.bbox.y + 1.0,
                o.bbox.x + o.bbox.w,
                o.bbox.y + o.bbox.h
            );
        }
        xml.push_str("</annotation>\n");
        put(&root.join("Annotations").join(format!("{stem}.xml")), xml)?;
        let _ = writeln!(split, "{stem}");
    }
    put(&root.join("ImageSets").join("Main").join("val.txt"), split)?;
    put(
        &root.join("labels.txt"),
        SHAPES.map(|s| format!("{s}\n")).concat(),
    )?;
    Ok(root.join("JPEGImages"))
}
