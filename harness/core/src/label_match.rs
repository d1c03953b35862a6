//! The classes of a model meet the classes of a dataset, by name.

use crate::labels::{
    Label, LabelId, LabelMap, LabelScheme, coco91_to_coco80, imagenet1001_to_imagenet1000,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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

/// A name that fits more than one class, none of them exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "class `{name}` of the {side} could be any of {} of the {}: call it exactly like the one it is",
    candidates.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", "),
    if *side == "model" { "dataset" } else { "model" }
)]
pub struct AmbiguousLabel {
    /// The name.
    pub name: String,
    /// Whose it is: `model` or `dataset`.
    pub side: &'static str,
    /// Classes of the other side that it fits.
    pub candidates: Vec<String>,
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
fn synset(name: &str) -> Option<(&str, &str)> {
    let (first, rest) = name.split_once(char::is_whitespace).unwrap_or((name, ""));
    let digits = first.strip_prefix('n')?;
    (digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit())).then_some((first, rest))
}

/// Names that mean the class: its own, its synonyms, its synset id.
fn names(label: &Label) -> Vec<String> {
    let mut names = vec![normal(&label.name)];
    names.extend(label.synonyms.iter().map(|s| normal(s)));
    names.extend(synset(&label.name).map(|(id, _)| normal(id)));
    names
}

/// Single words of a synset (`tench` of `tench, Tinca tinca`): a bird and a machine are called
/// `crane`, so they count where one class alone has them.
fn words(label: &Label) -> Vec<String> {
    let own = synset(&label.name).map(|(_, words)| words);
    own.into_iter()
        .chain(label.synonyms.iter().map(String::as_str))
        .flat_map(|list| list.split(','))
        .map(normal)
        .filter(|word| !word.is_empty())
        .collect()
}

/// The classes of one side by what they are called.
struct Index<'a> {
    exact: BTreeMap<&'a str, LabelId>,
    names: BTreeMap<String, BTreeSet<LabelId>>,
    words: BTreeMap<String, BTreeSet<LabelId>>,
}

impl<'a> Index<'a> {
    fn new(map: &'a LabelMap) -> Self {
        let mut index = Self {
            exact: BTreeMap::new(),
            names: BTreeMap::new(),
            words: BTreeMap::new(),
        };
        for (id, label) in (0..).map(LabelId).zip(&map.labels) {
            index.exact.entry(&label.name).or_insert(id);
            for name in names(label) {
                index.names.entry(name).or_default().insert(id);
            }
            for word in words(label) {
                index.words.entry(word).or_default().insert(id);
            }
        }
        index
    }

    /// The one class that has this word.
    fn by_word(&self, word: &str) -> Option<LabelId> {
        let ids = self.words.get(word)?;
        ids.first().filter(|_| ids.len() == 1).copied()
    }
}

/// The class of the dataset that a class of the model is. An exact name wins; two classes that one
/// name fits otherwise are an error.
fn meet(
    label: &Label,
    model: &Index<'_>,
    dataset: &Index<'_>,
    labels: (&LabelMap, &LabelMap),
) -> Result<Option<LabelId>, AmbiguousLabel> {
    if let Some(id) = dataset.exact.get(label.name.as_str()) {
        return Ok(Some(*id));
    }
    let own = names(label);
    let found = own
        .iter()
        .find_map(|name| Some((name, dataset.names.get(name)?)));
    if let Some((name, ids)) = found {
        let list = |ids: &BTreeSet<LabelId>, map: &LabelMap| {
            ids.iter().map(|id| map.name(*id).to_owned()).collect()
        };
        let Some(id) = ids.first().filter(|_| ids.len() == 1) else {
            return Err(AmbiguousLabel {
                name: label.name.clone(),
                side: "model",
                candidates: list(ids, labels.1),
            });
        };
        // Another class of the model has the same name but for case and separators.
        let twins = model.names.get(name).filter(|twins| twins.len() > 1);
        let exact = model.exact.contains_key(labels.1.name(*id));
        return match twins {
            Some(_) if exact => Ok(None),
            Some(twins) => Err(AmbiguousLabel {
                name: labels.1.name(*id).to_owned(),
                side: "dataset",
                candidates: list(twins, labels.0),
            }),
            None => Ok(Some(*id)),
        };
    }
    let by_word = own
        .iter()
        .find_map(|name| dataset.by_word(name))
        .or_else(|| {
            words(label)
                .iter()
                .filter(|word| model.by_word(word).is_some())
                .find_map(|word| {
                    let ids = dataset.names.get(word)?;
                    ids.first().filter(|_| ids.len() == 1).copied()
                })
        });
    Ok(by_word.or_else(|| {
        let name = normal(&label.name);
        // Both ways: darknet's label file of COCO has VOC's spelling.
        let other = COCO_TO_VOC.iter().find_map(|(coco, voc)| match () {
            () if *coco == name => Some(*voc),
            () if *voc == name => Some(*coco),
            () => None,
        })?;
        dataset.names.get(other)?.first().copied()
    }))
}

/// Lets the classes meet: well-known numberings by their named function, classes of a dataset that
/// has numbers alone by number, everything else by name (exactly, else without regard to case, `_`,
/// `-` and blanks; synset ids and words; COCO's spelling of VOC's classes). Two classes of the model
/// may be one of the dataset.
///
/// # Errors
/// A name that fits several classes, none of them exactly.
pub fn match_labels(model: &LabelMap, dataset: &LabelMap) -> Result<LabelMatch, AmbiguousLabel> {
    use LabelScheme::{Coco80, Coco91, Imagenet1000, Imagenet1001, Numbers};
    let by_number: Option<fn(LabelId) -> Option<LabelId>> = match (model.scheme, dataset.scheme) {
        (Some(Imagenet1001), Some(Imagenet1000 | Numbers)) => Some(imagenet1001_to_imagenet1000),
        (_, Some(Numbers)) => Some(Some),
        (Some(a), Some(b)) if a == b && model.len() == dataset.len() => Some(Some),
        (Some(Coco91), Some(Coco80)) if dataset.len() == 80 => Some(coco91_to_coco80),
        _ => None,
    };
    let (model_to_dataset, by): (Vec<Option<LabelId>>, &str) = if let Some(f) = by_number {
        let class = |i| f(LabelId(i)).filter(|id| id.index() < dataset.len());
        ((0..model.len() as u32).map(class).collect(), "number")
    } else {
        let (own, theirs) = (Index::new(model), Index::new(dataset));
        let met = model
            .labels
            .iter()
            .map(|label| meet(label, &own, &theirs, (model, dataset)))
            .collect::<Result<Vec<_>, _>>()?;
        let translated = model.labels.iter().zip(&met).any(|(label, id)| {
            let name = normal(&label.name);
            id.is_some_and(|id| {
                let other = normal(dataset.name(id));
                COCO_TO_VOC
                    .iter()
                    .any(|(c, v)| (*c, *v) == (&*name, &*other) || (*v, *c) == (&*name, &*other))
            })
        });
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
    Ok(LabelMatch {
        model_to_dataset,
        unmatched_model,
        unmatched_dataset,
        by: by.to_owned(),
    })
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
        let m = match_labels(&coco, &voc).expect("no twins");
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
        let m =
            match_labels(&model, &LabelMap::builtin("coco80").expect("builtin")).expect("no twins");
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
        let m = match_labels(&model, &dataset).expect("no twins");
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
        )
        .expect("no twins");
        assert_eq!(
            (m.map(LabelId(0)), m.map(LabelId(1))),
            (LabelId::UNMATCHED, LabelId(0))
        );
    }

    #[test]
    fn an_exact_name_wins_and_twins_are_an_error() {
        let match_of = |model: &[&str], dataset: &[&str]| {
            match_labels(
                &LabelMap::from_names(model.iter().copied()),
                &LabelMap::from_names(dataset.iter().copied()),
            )
            .map(|m| m.model_to_dataset)
        };
        let ids = |ids: &[i64]| -> Vec<Option<LabelId>> {
            ids.iter()
                .map(|id| u32::try_from(*id).ok().map(LabelId))
                .collect()
        };
        // The empty twin stands first and does not catch the class.
        assert_eq!(match_of(&["circle"], &["Circle", "circle"]), Ok(ids(&[1])));
        assert_eq!(
            match_of(&["circle", "Circle"], &["Circle", "circle"]),
            Ok(ids(&[1, 0]))
        );
        let e = match_of(&["CIRCLE"], &["Circle", "circle"]).expect_err("which?");
        assert_eq!(
            e.to_string(),
            "class `CIRCLE` of the model could be any of `Circle`, `circle` of the dataset: call it exactly like the one it is"
        );
        assert_eq!(
            match_of(&["Circle", "circle"], &["circle"]),
            Ok(ids(&[-1, 0]))
        );
        let e = match_of(&["Circle", "CIRCLE"], &["circle"]).expect_err("which?");
        assert_eq!((e.side, e.candidates.len()), ("dataset", 2));
    }

    #[test]
    fn imagenet_folders_meet_by_id_or_by_word() {
        let model = LabelMap::builtin("imagenet1000").expect("builtin");
        let folders = ["n01443537", "tench", "great_white_shark", "wyvern"];
        let m = match_labels(&model, &LabelMap::from_names(folders)).expect("no twins");
        let of = |class: usize| m.model_to_dataset[class];
        assert_eq!(
            [of(0), of(1), of(2)],
            [Some(LabelId(1)), Some(LabelId(0)), Some(LabelId(2))]
        );
        assert_eq!(m.unmatched_dataset, ["wyvern"]);
        let crane = match_labels(&model, &LabelMap::from_names(["crane"]));
        let e = crane.expect_err("a bird and a machine");
        assert_eq!(e.candidates, ["n02012849", "n03126707"]);
        let own = LabelMap::from_names(["goldfish", "Tinca tinca"]);
        let m = match_labels(&own, &model).expect("no twins");
        assert_eq!(m.model_to_dataset, [Some(LabelId(1)), Some(LabelId(0))]);
    }

    #[test]
    fn a_dataset_of_numbers_meets_by_number() {
        let numbers = LabelMap::numbers(3);
        let m = match_labels(&LabelMap::from_names(["a", "b", "c", "d"]), &numbers);
        assert_eq!(
            m.map(|m| (m.model_to_dataset, m.by)),
            Ok((
                vec![Some(LabelId(0)), Some(LabelId(1)), Some(LabelId(2)), None],
                "number".to_owned()
            ))
        );
        let slim = LabelMap::builtin("imagenet1001").expect("builtin");
        let m = match_labels(&slim, &numbers).expect("numbers");
        assert_eq!(
            (m.map(LabelId(1)), m.map(LabelId(0))),
            (LabelId(0), LabelId::UNMATCHED)
        );
    }
}
