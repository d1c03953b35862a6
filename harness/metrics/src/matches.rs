//! `matches.json`: the outcome of matching per image, from which average precision of any part of
//! the set, and the difference of two models on the same samples, can be computed without the data.
//!
//! ```json
//! {"schema":"dyno.matches/1","metric":"coco-ap","overlaps":[0.5,0.55],"classes":["person"],"images":[
//! {"sample":"a.jpg","image":1,"objects":[[0,2]],"detections":[[0,0.9,3,0],[0,0.4,0,0]]}
//! ]}
//! ```
//!
//! Images stand in the order of samples, `image` being the number that decides between equal
//! scores. `objects`: class (index into `classes`) and how many of its objects count. `detections`:
//! class, score, and two numbers with one bit an overlap (bit 0 is the first): hits, and those that
//! are neither hit nor miss. Of a class and image they stand by falling score. Detections that
//! score less than every hit of their class in the whole set are left out: they change no curve, of
//! the set or of a part of it.

use dyno_core::{Detail, MetricError};
use serde::Serialize;

/// Value of `schema`.
const SCHEMA: &str = "dyno.matches/1";

/// What the matches of all images share.
pub(crate) struct Matches<'a> {
    pub(crate) metric: &'static str,
    pub(crate) overlaps: &'a [f64],
    pub(crate) classes: Vec<&'a str>,
}

/// The matches of one image.
#[derive(Debug, Serialize)]
pub(crate) struct ImageMatches<'a> {
    pub(crate) sample: &'a str,
    pub(crate) image: i64,
    /// Class, objects that count.
    pub(crate) objects: Vec<(u32, u32)>,
    /// Class, score, hits, ignored.
    pub(crate) detections: Vec<(u32, f32, u16, u16)>,
}

/// Writes the file image by image.
pub(crate) struct MatchesWriter {
    metric: &'static str,
    bytes: Vec<u8>,
    any: bool,
}

impl MatchesWriter {
    pub(crate) fn new(matches: &Matches<'_>) -> Result<Self, MetricError> {
        #[derive(Serialize)]
        struct Head<'a> {
            schema: &'a str,
            metric: &'a str,
            overlaps: &'a [f64],
            classes: &'a [&'a str],
        }
        let mut writer = Self {
            metric: matches.metric,
            bytes: Vec::new(),
            any: false,
        };
        writer.json(&Head {
            schema: SCHEMA,
            metric: matches.metric,
            overlaps: matches.overlaps,
            classes: &matches.classes,
        })?;
        // The list of images goes into the object that was just closed.
        writer.bytes.pop();
        writer.bytes.extend_from_slice(b",\"images\":[\n");
        Ok(writer)
    }

    fn json<T: Serialize>(&mut self, value: &T) -> Result<(), MetricError> {
        serde_json::to_writer(&mut self.bytes, value).map_err(|e| MetricError::Engine {
            metric: self.metric,
            reason: e.to_string(),
        })
    }

    pub(crate) fn add(&mut self, image: &ImageMatches<'_>) -> Result<(), MetricError> {
        if self.any {
            self.bytes.extend_from_slice(b",\n");
        }
        self.any = true;
        self.json(image)
    }

    pub(crate) fn finish(mut self) -> Detail {
        self.bytes.extend_from_slice(b"\n]}\n");
        Detail {
            name: "matches".to_owned(),
            format: "json",
            bytes: self.bytes,
        }
    }
}
