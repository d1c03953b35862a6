//! Data sets that are known by name: how many samples the whole of them has.

use std::collections::BTreeMap;

/// A data set with a name.
pub(crate) struct Known {
    /// Its name in sample-set ids.
    pub(crate) name: &'static str,
    /// Samples of the whole.
    pub(crate) size: u32,
    /// The publisher's archives that hold all of it, pictures and truth: name and checksum as it
    /// was published, `md5:…` or `sha1:…`. Empty where no archive holds the truth in a form that
    /// this crate reads: such a set is never verified.
    pub(crate) archives: &'static [(&'static str, &'static str)],
}

impl Known {
    /// The archives of a seal are those of this set.
    pub(crate) fn is_sealed_by(&self, archives: &BTreeMap<String, String>) -> bool {
        !self.archives.is_empty()
            && self
                .archives
                .iter()
                .all(|(name, checksum)| archives.get(*name).is_some_and(|c| c == checksum))
    }
}

/// Sizes: cocodataset.org (2017 Val images 5K/1GB), VOCdevkit's `ImageSets/Main/val.txt` of 2012
/// and `test.txt` of 2007, ILSVRC2012's validation list.
const KNOWN: &[Known] = &[
    Known {
        name: "coco-val2017",
        size: 5000,
        archives: &[],
    },
    Known {
        name: "voc2012-val",
        size: 5823,
        archives: &[],
    },
    Known {
        name: "voc2007-test",
        size: 4952,
        archives: &[],
    },
    Known {
        name: "ilsvrc2012-val",
        size: 50_000,
        archives: &[],
    },
];

/// The set of this name.
pub(crate) fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|k| k.name == name)
}
