//! Class ids and their names.
//!
//! A class id ([`LabelId`]) means something only together with its [`LabelMap`]. Shifts between
//! numberings (COCO's 80 classes and their ids up to 90, ImageNet with and without a background
//! class) are functions with names, never a hidden `+ 1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Index of a class in a [`LabelMap`], counted from 0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct LabelId(pub u32);

impl LabelId {
    /// A class of the model that the dataset does not have: it takes a rank, and is never right.
    pub const UNMATCHED: Self = Self(u32::MAX);

    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a list of classes comes from, when it is one of the well-known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LabelScheme {
    /// COCO's 80 detection classes, in the order of their category ids.
    Coco80,
    /// COCO's category ids 1 to 90 as a dense list of 91 with background at 0 (TensorFlow's
    /// detectors).
    Coco91,
    /// VOC's 20 classes in alphabetical order.
    Voc20,
    /// ILSVRC2012's 1000 synsets in the order of their ids.
    Imagenet1000,
    /// The same after a background class at 0 (TF-slim).
    Imagenet1001,
    /// Classes of which a dataset gives numbers only, counted from 0 (Caffe's `val.txt`): class `i`
    /// is the model's class `i`.
    Numbers,
}

/// One class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Its name as the label file or dataset spells it.
    pub name: String,
    /// Other names that mean the same class (ImageNet's synset id beside its words).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub synonyms: Vec<String>,
    /// Id of the class in the dataset's own files, where it has one (COCO's `category_id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<i64>,
}

/// The classes of a model or dataset, in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelMap {
    /// The well-known list that this is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<LabelScheme>,
    /// The classes.
    pub labels: Vec<Label>,
}

impl LabelMap {
    /// Classes with these names.
    pub fn from_names<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        let labels = names
            .into_iter()
            .map(|n| Label {
                name: n.into(),
                synonyms: Vec::new(),
                external_id: None,
            })
            .collect();
        Self {
            scheme: None,
            labels,
        }
    }

    /// A well-known list by its name: `coco80`, `coco91`, `voc20`, `imagenet1000`, `imagenet1001`.
    /// ImageNet's classes are called by their synset id (`n01440764`); the words (`tench, Tinca
    /// tinca`) are the one synonym.
    pub fn builtin(name: &str) -> Option<Self> {
        let (scheme, mut map) = match name {
            "coco80" => (
                LabelScheme::Coco80,
                Self::from_names(include_str!("label_lists/coco80.txt").lines()),
            ),
            "coco91" => (LabelScheme::Coco91, Self::coco91()),
            "voc20" => (
                LabelScheme::Voc20,
                Self::from_names(include_str!("label_lists/voc20.txt").lines()),
            ),
            "imagenet1000" => (LabelScheme::Imagenet1000, Self::imagenet1000()),
            "imagenet1001" => {
                let mut map = Self::from_names(["background"]);
                map.labels.extend(Self::imagenet1000().labels);
                (LabelScheme::Imagenet1001, map)
            }
            _ => return None,
        };
        map.scheme = Some(scheme);
        Some(map)
    }

    /// Names of the well-known lists.
    pub const BUILTIN: &'static [&'static str] =
        &["coco80", "coco91", "voc20", "imagenet1000", "imagenet1001"];

    /// `count` classes without names: class `i` is the model's class `i`.
    pub fn numbers(count: u32) -> Self {
        Self {
            scheme: Some(LabelScheme::Numbers),
            ..Self::from_names((0..count).map(|i| format!("class {i}")))
        }
    }

    fn imagenet1000() -> Self {
        let lines = include_str!("label_lists/imagenet1000.txt").lines();
        let labels = lines.map(|line| {
            let (id, words) = line.split_once(' ').unwrap_or((line, ""));
            Label {
                name: id.to_owned(),
                synonyms: vec![words.to_owned()],
                external_id: None,
            }
        });
        Self {
            scheme: None,
            labels: labels.collect(),
        }
    }

    fn coco91() -> Self {
        let names: Vec<&str> = include_str!("label_lists/coco80.txt").lines().collect();
        Self::from_names((0..91).map(|i| {
            coco91_to_coco80(LabelId(i))
                .and_then(|id| names.get(id.index()))
                .map_or_else(|| format!("unused {i}"), |n| (*n).to_owned())
        }))
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Name of a class; `?` for an id that does not exist.
    pub fn name(&self, id: LabelId) -> &str {
        self.labels.get(id.index()).map_or("?", |l| l.name.as_str())
    }
}

/// The ids among 1 to 90 that COCO's detection annotations never use.
const COCO_UNUSED: [u32; 10] = [12, 26, 29, 30, 45, 66, 68, 69, 71, 83];

/// COCO's category id (1 to 90) of one of the 80 dense classes; `None` beyond the list.
pub fn coco80_to_coco91(id: LabelId) -> Option<LabelId> {
    (1..=90)
        .filter(|i| !COCO_UNUSED.contains(i))
        .nth(id.index())
        .map(LabelId)
}

/// The dense class (0 to 79) of a COCO category id; `None` for an unused id.
pub fn coco91_to_coco80(id: LabelId) -> Option<LabelId> {
    if !(1..=90).contains(&id.0) || COCO_UNUSED.contains(&id.0) {
        return None;
    }
    Some(LabelId(
        id.0 - 1 - COCO_UNUSED.iter().filter(|u| **u < id.0).count() as u32,
    ))
}

/// ImageNet's class under TF-slim's numbering, where 0 is the background.
pub fn imagenet1000_to_imagenet1001(id: LabelId) -> Option<LabelId> {
    (id.0 < 1000).then_some(LabelId(id.0 + 1))
}

/// The class without a background class; `None` for the background.
pub fn imagenet1001_to_imagenet1000(id: LabelId) -> Option<LabelId> {
    (1..=1000).contains(&id.0).then(|| LabelId(id.0 - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numberings_are_inverse_to_each_other() {
        for i in 0..80 {
            assert_eq!(
                coco80_to_coco91(LabelId(i)).and_then(coco91_to_coco80),
                Some(LabelId(i))
            );
        }
        assert_eq!(coco80_to_coco91(LabelId(79)), Some(LabelId(90)));
        assert_eq!(coco80_to_coco91(LabelId(80)), None);
        assert_eq!(coco91_to_coco80(LabelId(0)), None);
        for i in 0..1000 {
            assert_eq!(
                imagenet1000_to_imagenet1001(LabelId(i)).and_then(imagenet1001_to_imagenet1000),
                Some(LabelId(i))
            );
        }
        assert_eq!(imagenet1001_to_imagenet1000(LabelId(0)), None);
    }

    #[test]
    fn builtin_lists_have_their_sizes() {
        for (name, count) in [
            ("coco80", 80),
            ("coco91", 91),
            ("voc20", 20),
            ("imagenet1000", 1000),
            ("imagenet1001", 1001),
        ] {
            assert_eq!(
                LabelMap::builtin(name).map(|m| m.len()),
                Some(count),
                "{name}"
            );
        }
        let imagenet = LabelMap::builtin("imagenet1000").expect("builtin");
        let tench = imagenet.labels.first().expect("a class");
        assert_eq!(
            (tench.name.as_str(), tench.synonyms.join("; ").as_str()),
            ("n01440764", "tench, Tinca tinca")
        );
        assert!(imagenet.labels.iter().all(|l| l.name.len() == 9));
        assert!(imagenet.labels.is_sorted_by_key(|l| l.name.clone()));
        let slim = LabelMap::builtin("imagenet1001").expect("builtin");
        assert_eq!(slim.name(LabelId(1)), "n01440764");
        assert_eq!(
            LabelMap::builtin("coco91")
                .expect("builtin")
                .name(LabelId(90)),
            "toothbrush"
        );
    }
}
