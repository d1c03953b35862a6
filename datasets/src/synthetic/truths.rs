//! What is true of every picture of a set, in a few bytes each: a run opens its set more than once,
//! and fifty thousand annotations as they are handed out take some fifteen megabytes each time.
//!
//! Objects are numbered through the set, so the pictures are looked at once, all of them, when the
//! set is opened; drawing one again for every question would cost as much as loading it.

use super::scene::{SyntheticSpec, Task};
use dyno_core::{Annotation, ImageAnnotation, LabelId, ObjectAnnotation, Xywh};
use rayon::prelude::*;

/// Pictures that are looked at together.
const PIECE: u32 = 4096;

/// An object: whole pixels, and no picture has a side of more than 1024.
#[derive(Clone, Copy)]
pub(super) struct Object {
    label: u16,
    left: u16,
    top: u16,
    width: u16,
    height: u16,
}

/// A picture of a detection set.
pub(super) struct Picture {
    width: u16,
    height: u16,
    /// Objects of the pictures before it.
    first: u32,
}

/// What is true of every picture.
pub(super) enum Truths {
    /// Their classes.
    Classes(Vec<u16>),
    /// Their objects, all in one list.
    Objects {
        /// Where each begins; one more at the end.
        pictures: Vec<Picture>,
        /// Picture after picture.
        objects: Vec<Object>,
    },
}

impl Truths {
    /// Of all pictures of a set.
    pub(super) fn of(spec: &SyntheticSpec) -> Self {
        let (mut classes, mut pictures, mut objects) = (Vec::new(), Vec::new(), Vec::new());
        for start in (0..spec.count).step_by(PIECE as usize) {
            let end = spec.count.min(start.saturating_add(PIECE));
            let scenes = (start..end).into_par_iter();
            let found: Vec<Annotation> = scenes.map(|i| spec.scene(i).annotation).collect();
            for annotation in found {
                match annotation {
                    // Every scene shows something.
                    Annotation::None => {}
                    Annotation::Class(label) => classes.push(label.0 as u16),
                    Annotation::Objects(image) => {
                        pictures.push(Picture {
                            width: image.width as u16,
                            height: image.height as u16,
                            first: objects.len() as u32,
                        });
                        objects.extend(image.objects.iter().map(|o| Object {
                            label: o.label.0 as u16,
                            left: o.bbox.x as u16,
                            top: o.bbox.y as u16,
                            width: o.bbox.w as u16,
                            height: o.bbox.h as u16,
                        }));
                    }
                }
            }
        }
        match spec.task {
            Task::Classification => Self::Classes(classes),
            Task::Detection => Self::Objects { pictures, objects },
        }
    }

    /// What is true of picture `index`, objects numbered from 1 through the set; `None` when there
    /// is no such picture.
    pub(super) fn get(&self, index: usize) -> Option<Annotation> {
        match self {
            Self::Classes(classes) => {
                let label = classes.get(index)?;
                Some(Annotation::Class(LabelId(u32::from(*label))))
            }
            Self::Objects { pictures, objects } => {
                let picture = pictures.get(index)?;
                let first = picture.first as usize;
                let next = pictures.get(index + 1);
                let end = next.map_or(objects.len(), |p| p.first as usize);
                let own = objects.get(first..end)?.iter();
                Some(Annotation::Objects(ImageAnnotation {
                    // Files count images from 1.
                    image_id: index as i64 + 1,
                    width: picture.width.into(),
                    height: picture.height.into(),
                    objects: (picture.first + 1..).zip(own).map(object).collect(),
                }))
            }
        }
    }
}

fn object((id, o): (u32, &Object)) -> ObjectAnnotation {
    let bbox = Xywh {
        x: o.left.into(),
        y: o.top.into(),
        w: o.width.into(),
        h: o.height.into(),
    };
    ObjectAnnotation {
        id: id.into(),
        label: LabelId(o.label.into()),
        bbox,
        area: bbox.w * bbox.h,
        iscrowd: false,
        difficult: false,
        truncated: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_truths_are_those_of_the_scenes() {
        for task in [Task::Detection, Task::Classification] {
            // More than one piece.
            let spec = SyntheticSpec {
                task,
                count: PIECE + 3,
                seed: 3,
                size: 32,
            };
            let truths = Truths::of(&spec);
            let mut id = 0;
            for index in 0..spec.count {
                let mut drawn = spec.scene(index).annotation;
                if let Annotation::Objects(image) = &mut drawn {
                    for object in &mut image.objects {
                        id += 1;
                        object.id = id;
                    }
                }
                assert_eq!(truths.get(index as usize), Some(drawn), "{task:?} {index}");
            }
            assert_eq!(truths.get(spec.count as usize), None);
        }
    }

    #[test]
    fn the_largest_picture_fits() {
        let spec = SyntheticSpec {
            count: 2,
            size: 1024,
            ..SyntheticSpec::default()
        };
        let Some(Annotation::Objects(image)) = Truths::of(&spec).get(0) else {
            panic!("detection has objects")
        };
        assert_eq!(image.width.max(image.height), 1024);
    }
}
