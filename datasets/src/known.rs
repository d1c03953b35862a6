//! Data sets that are known by name: how many samples the whole of them has.

use std::collections::BTreeMap;

/// A data set with a name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// Its name in sample-set ids.
    pub(crate) name: &'static str,
    /// Samples of the whole.
    pub(crate) size: u32,
    /// The publisher's archives that hold all of it, pictures and truth: name and checksum as it
    /// was published, `md5:…`. Empty where no archive holds the truth in a form that
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
///
/// Checksums: torchvision's `datasets/voc.py` for VOC; for COCO, whose publisher names none, the
/// ones that many loaders of the archives carry alike. ILSVRC2012's truth lies in a Matlab file of
/// its development kit, which this crate does not read.
pub(crate) const KNOWN: &[Known] = &[
    Known {
        name: "coco-val2017",
        size: 5000,
        archives: &[
            ("val2017.zip", "md5:442b8da7639aecaf257c1dceb8ba8c80"),
            (
                "annotations_trainval2017.zip",
                "md5:f4bbac642086de4f52a3fdda2de5fa2c",
            ),
        ],
    },
    Known {
        name: "voc2012-val",
        size: 5823,
        archives: &[(
            "VOCtrainval_11-May-2012.tar",
            "md5:6cd6e144f989b92b3379bac3b3de84fd",
        )],
    },
    Known {
        name: "voc2007-test",
        size: 4952,
        archives: &[(
            "VOCtest_06-Nov-2007.tar",
            "md5:b6e924de25625d8de591ea690078ad9f",
        )],
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
