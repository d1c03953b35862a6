//! Writes a synthetic set to a folder:
//! `write_synthetic FOLDER coco|voc|imagenet COUNT SEED [SIZE]`.

use dyno_datasets::synthetic::{Layout, SyntheticSpec, Task, write};
use std::{error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(folder), Some(layout), Some(count), Some(seed)) = (
        arguments.first(),
        arguments.get(1),
        arguments.get(2),
        arguments.get(3),
    ) else {
        return Err("usage: write_synthetic FOLDER coco|voc|imagenet COUNT SEED [SIZE]".into());
    };
    let (layout, task) = match layout.as_str() {
        "coco" => (Layout::Coco, Task::Detection),
        "voc" => (Layout::Voc, Task::Detection),
        "imagenet" => (Layout::Imagenet, Task::Classification),
        other => {
            return Err(
                format!("unknown layout `{other}` (there are: coco, voc, imagenet)").into(),
            );
        }
    };
    let size = arguments
        .get(4)
        .map_or(Ok(SyntheticSpec::default().size), |s| s.parse())?;
    write(
        Path::new(folder),
        layout,
        &SyntheticSpec {
            task,
            count: count.parse()?,
            seed: seed.parse()?,
            size,
        },
    )?;
    Ok(())
}
