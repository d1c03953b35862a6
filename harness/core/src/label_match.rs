//! The classes of a model meet the classes of a dataset, by name.

use crate::labels::{
    LabelId, LabelMap, LabelScheme, coco91_to_coco80, imagenet1001_to_imagenet1000,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// COCO's names of VOC's classes, where the two spell one thing differently.
const COCO_TO_VOC: &[(&str, &str)] = &[
    ("airplane", "aeroplane"),
    ("couch", "sofa"),
    ("dining table", "diningtable"),
    ("motorcycle", "motorbike"),
    ("potted plant", "pottedplant"),
    ("tv", "tvmonitor"),
];

/// Which class of the dataset each class of the model is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelMatch {
    /// Per class of the model, the dataset's class.
    pub model_to_dataset: Vec<Option<LabelId>>,
    /// Names of the model's classes that the dataset does not have.
    pub unmatched_model: Vec<String>,
    /// Names of the dataset's classes that the model does not have.
    pub unmatched_dataset: Vec<String>,
    /// How the classes met: `name`, `coco-to-voc`, `number`.
    pub by: String,
}

impl LabelMatch {
    /// The dataset's class for a class of the model; [`LabelId::UNMATCHED`] when there is none.
    pub fn map(&self, id: LabelId) -> LabelId {
        self.model_to_dataset
            .get(id.index())
            .copied()
            .flatten()
            .unwrap_or(LabelId::UNMATCHED)
    }
}

/// Comparable form of a name: lower case, `_` and `-` are blanks, runs of blanks are one.
fn normal(name: &str) -> String {
    name.to_lowercase()
        .replace(['_', '-'], " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// ImageNet's label files start their lines with the synset id: `n01440764 tench, Tinca tinca`.
fn synset(name: &str) -> Option<&str> {
    let first = name.split_whitespace().next()?;
    let digits = first.strip_prefix('n')?;
    (digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(first)
}

fn keys(label: &crate::labels::Label) -> Vec<String> {
    let mut keys = vec![normal(&label.name)];
    keys.extend(label.synonyms.iter().map(|s| normal(s)));
    keys.extend(synset(&label.name).map(normal));
    keys
}

/// Lets the classes meet: well-known numberings by their named function, everything else by name
/// (without regard to case, `_`, `-` and blanks; synset ids; COCO's spelling of VOC's classes). Two
/// classes of the model may be one of the dataset.
pub fn match_labels(model: &LabelMap, dataset: &LabelMap) -> LabelMatch {
    use LabelScheme::{Coco80, Coco91, Imagenet1000, Imagenet1001};
    let by_number: Option<fn(LabelId) -> Option<LabelId>> = match (model.scheme, dataset.scheme) {
        (Some(a), Some(b)) if a == b && model.len() == dataset.len() => Some(Some),
        (Some(Imagenet1001), Some(Imagenet1000)) => Some(imagenet1001_to_imagenet1000),
        (Some(Coco91), Some(Coco80)) if dataset.len() == 80 => Some(coco91_to_coco80),
        _ => None,
    };
    let (model_to_dataset, by): (Vec<Option<LabelId>>, &str) = if let Some(f) = by_number {
        (
            (0..model.len() as u32).map(|i| f(LabelId(i))).collect(),
            "number",
        )
    } else {
        let mut names: BTreeMap<String, LabelId> = BTreeMap::new();
        for (i, label) in dataset.labels.iter().enumerate() {
            for key in keys(label) {
                names.entry(key).or_insert(LabelId(i as u32));
            }
        }
        let mut translated = false;
        let met = model.labels.iter().map(|label| {
            keys(label)
                .iter()
                .find_map(|k| names.get(k).copied())
                .or_else(|| {
                    let name = normal(&label.name);
                    // Both ways: darknet's label file of COCO has VOC's spelling.
                    let other = COCO_TO_VOC.iter().find_map(|(coco, voc)| match () {
                        () if *coco == name => Some(*voc),
                        () if *voc == name => Some(*coco),
                        () => None,
                    });
                    let id = other.and_then(|o| names.get(o).copied());
                    translated |= id.is_some();
                    id
                })
        });
        let met: Vec<_> = met.collect();
        (met, if translated { "coco-to-voc" } else { "name" })
    };
    let mut seen = vec![false; dataset.len()];
    for id in model_to_dataset.iter().flatten() {
        if let Some(s) = seen.get_mut(id.index()) {
            *s = true;
        }
    }
    let unmatched_model = model
        .labels
        .iter()
        .zip(&model_to_dataset)
        .filter(|(_, id)| id.is_none())
        .map(|(l, _)| l.name.clone())
        .collect();
    let unmatched_dataset = dataset
        .labels
        .iter()
        .zip(&seen)
        .filter(|(_, s)| !**s)
        .map(|(l, _)| l.name.clone())
        .collect();
    LabelMatch {
        model_to_dataset,
        unmatched_model,
        unmatched_dataset,
        by: by.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coco_meets_voc_through_the_named_map() {
        let (coco, voc) = (
            LabelMap::builtin("coco80").expect("builtin"),
            LabelMap::builtin("voc20").expect("builtin"),
        );
        let m = match_labels(&coco, &voc);
        assert!(m.unmatched_dataset.is_empty(), "{:?}", m.unmatched_dataset);
        assert_eq!(
            (m.unmatched_model.len(), m.by.as_str()),
            (60, "coco-to-voc")
        );
    }

    #[test]
    fn darknets_spelling_of_coco_meets_coco() {
        let model = LabelMap::from_names([
            "aeroplane",
            "motorbike",
            "sofa",
            "pottedplant",
            "diningtable",
            "tvmonitor",
        ]);
        let m = match_labels(&model, &LabelMap::builtin("coco80").expect("builtin"));
        assert!(m.unmatched_model.is_empty(), "{:?}", m.unmatched_model);
    }

    #[test]
    fn synset_lines_meet_synset_ids_and_background_meets_nothing() {
        let model = LabelMap::from_names([
            "background",
            "n01440764 tench, Tinca tinca",
            "Traffic_Light",
        ]);
        let dataset = LabelMap::from_names(["n01440764", "traffic light", "zebra"]);
        let m = match_labels(&model, &dataset);
        assert_eq!(
            m.model_to_dataset,
            [None, Some(LabelId(0)), Some(LabelId(1))]
        );
        assert_eq!(
            (m.unmatched_model, m.unmatched_dataset),
            (vec!["background".to_owned()], vec!["zebra".to_owned()])
        );
    }

    #[test]
    fn slim_numbering_meets_imagenet() {
        let m = match_labels(
            &LabelMap::builtin("imagenet1001").expect("builtin"),
            &LabelMap::builtin("imagenet1000").expect("builtin"),
        );
        assert_eq!(
            (m.map(LabelId(0)), m.map(LabelId(1))),
            (LabelId::UNMATCHED, LabelId(0))
        );
    }
}
