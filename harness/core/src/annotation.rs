//! What is true of a sample, as its dataset says.

use crate::{boxes::Xywh, labels::LabelId};
use serde::{Deserialize, Serialize};

/// One object of an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectAnnotation {
    /// Id in the dataset's files, unique in the dataset; a running number where the files have
    /// none.
    pub id: i64,
    /// Its class, in the dataset's label map.
    pub label: LabelId,
    /// Where it is, in pixels of the stored image.
    pub bbox: Xywh,
    /// Area in square pixels: of the mask where the dataset has one (COCO), else of the box.
    pub area: f64,
    /// COCO: a region of many objects; matches any number of detections and counts for none.
    #[serde(default)]
    pub iscrowd: bool,
    /// VOC: hard to recognise; neither a hit nor a miss.
    #[serde(default)]
    pub difficult: bool,
    /// VOC: reaches beyond the image or is covered.
    #[serde(default)]
    pub truncated: bool,
}

/// An image with its objects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageAnnotation {
    /// Id of the image in the dataset's files; a running number where they have none.
    pub image_id: i64,
    /// Width in pixels as the annotation says; 0 when it does not.
    pub width: u32,
    /// Height in pixels as the annotation says; 0 when it does not.
    pub height: u32,
    /// The objects.
    pub objects: Vec<ObjectAnnotation>,
}

/// What is true of a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Annotation {
    /// Nothing is known: a plain folder of images.
    None,
    /// The sample's class.
    Class(LabelId),
    /// The sample's objects; also for an image without any.
    Objects(ImageAnnotation),
}

/// What kind of thing is known of the samples of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnnotationKind {
    /// Nothing: [`Annotation::None`].
    None,
    /// A class a sample: [`Annotation::Class`].
    Class,
    /// Objects with boxes: [`Annotation::Objects`].
    Objects,
}

impl Annotation {
    /// Its kind.
    pub fn kind(&self) -> AnnotationKind {
        match self {
            Self::None => AnnotationKind::None,
            Self::Class(_) => AnnotationKind::Class,
            Self::Objects(_) => AnnotationKind::Objects,
        }
    }

    /// Width and height in pixels of the picture it was made on; `None` where it does not say. A
    /// picture that decodes to another size is not the one that was annotated.
    pub fn size(&self) -> Option<[u32; 2]> {
        match self {
            Self::Objects(image) if image.width > 0 && image.height > 0 => {
                Some([image.width, image.height])
            }
            Self::None | Self::Class(_) | Self::Objects(_) => None,
        }
    }
}
