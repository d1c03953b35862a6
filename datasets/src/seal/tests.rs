//! Tests of sealing: what earns a name, and every way to lose it.

use super::*;
use crate::{
    open, parse_request,
    select::select_among,
    synthetic::{Layout, SyntheticSpec, write as write_set},
};
use dyno_core::{NameSource, SampleSet};
use std::fs;

struct Place {
    dir: tempfile::TempDir,
    folder: PathBuf,
    archives: Vec<PathBuf>,
    known: Vec<Known>,
}

/// A COCO set of 12 pictures, its archives (pictures as zip, truth as tar), and a table that knows
/// it. The strings live as long as the test program.
fn place() -> Place {
    let dir = tempfile::tempdir().expect("temporary folder");
    let folder = dir.path().join("coco");
    let spec = SyntheticSpec {
        count: 12,
        size: 32,
        ..SyntheticSpec::default()
    };
    write_set(&folder, Layout::Coco, &spec).expect("writes");
    fs::remove_file(folder.join(card::FILE)).expect("the card of generated pictures");
    let pictures = dir.path().join("pictures.zip");
    let mut zip = zip::ZipWriter::new(File::create(&pictures).expect("creates"));
    for picture in fs::read_dir(folder.join("images/val2017")).expect("lists") {
        let path = picture.expect("is there").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        zip.start_file(
            format!("val2017/{name}"),
            zip::write::SimpleFileOptions::default(),
        )
        .expect("starts");
        zip.write_all(&fs::read(&path).expect("reads"))
            .expect("writes");
    }
    zip.finish().expect("finishes");
    let truth = dir.path().join("truth.tar");
    let mut tar = tar::Builder::new(File::create(&truth).expect("creates"));
    tar.append_path_with_name(
        folder.join("annotations/instances_val2017.json"),
        "annotations/instances_val2017.json",
    )
    .expect("appends");
    tar.finish().expect("finishes");
    let archives = vec![pictures, truth];
    let names: Vec<(&'static str, &'static str)> = archives
        .iter()
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            let md5 = format!("md5:{}", archive_md5(path).expect("reads"));
            (&*name.into_owned().leak(), &*md5.leak())
        })
        .collect();
    Place {
        known: vec![Known {
            name: "test-shapes",
            size: 12,
            archives: names.leak(),
        }],
        dir,
        folder,
        archives,
    }
}

impl Place {
    fn request(&self) -> DatasetRequest {
        let text = format!("coco:{},name=test-shapes", self.folder.display());
        parse_request(&text).expect("reads")
    }

    fn seal(&self) -> Result<Sealed, DatasetError> {
        let request = self.request();
        let set = open(&request).expect("opens");
        let cache = HashCache::none();
        seal_among(
            &self.known,
            &request,
            set.as_ref(),
            &self.archives,
            "test",
            &cache,
        )
    }

    fn select(&self, samples: Option<u32>) -> Result<SampleSet, DatasetError> {
        let request = self.request();
        let set = open(&request).expect("opens");
        select_among(
            &self.known,
            &request,
            set.as_ref(),
            samples,
            &HashCache::none(),
        )
    }
}

#[test]
fn a_sealed_set_is_verified_and_so_is_a_part_of_it() {
    let place = place();
    let claimed = place.select(None).expect("selects");
    assert_eq!(
        claimed.name_source,
        NameSource::Claimed,
        "a claim is no proof"
    );
    let sealed = place.seal().expect("seals");
    assert_eq!((sealed.name.as_str(), sealed.samples), ("test-shapes", 12));
    assert_eq!(sealed.card, place.folder.join("dataset.dyno.json"));
    let whole = place.select(None).expect("selects");
    assert_eq!(whole.name_source, NameSource::Verified);
    assert_eq!((&whole.sha256, &whole.id), (&claimed.sha256, &claimed.id));
    let part = place.select(Some(5)).expect("selects");
    assert_eq!(
        (part.name_source, part.full()),
        (NameSource::Verified, false)
    );
    // A table with another checksum does not take the card's word for it.
    let doubt = Place {
        known: vec![Known {
            archives: &[("pictures.zip", "md5:0")],
            ..place.known[0]
        }],
        ..place
    };
    let selected = doubt.select(None).expect("selects");
    assert_eq!(selected.name_source, NameSource::Claimed);
}

#[test]
fn what_changed_after_sealing_is_refused() {
    let place = place();
    place.seal().expect("seals");
    let json = place.folder.join("annotations/instances_val2017.json");
    let text = fs::read_to_string(&json).expect("reads");
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    value["annotations"][0]["bbox"][0] = 1.25.into();
    fs::write(&json, value.to_string()).expect("writes");
    let e = place.select(None).expect_err("another truth").to_string();
    assert!(
        e.contains("sealed with") && e.contains("seal it again"),
        "{e}"
    );
    fs::write(&json, text).expect("writes");
    place.select(None).expect("as before");
    let pictures = place.folder.join("images/val2017");
    fs::copy(pictures.join("000001.png"), pictures.join("000002.png")).expect("copies");
    assert!(place.select(None).is_err(), "another picture");
}

#[test]
fn only_the_publishers_files_are_sealed() {
    let fault = |change: &dyn Fn(&mut Place)| {
        let mut place = place();
        change(&mut place);
        let e = place.seal().expect_err("must be refused").to_string();
        assert!(!place.folder.join("dataset.dyno.json").exists(), "{e}");
        e
    };
    let e = fault(&|p| p.archives.truncate(1));
    assert!(e.contains("`truth.tar` is missing"), "{e}");
    let e = fault(&|p| {
        let mut bytes = fs::read(&p.archives[1]).expect("reads");
        bytes.push(0);
        fs::write(&p.archives[1], bytes).expect("writes");
    });
    assert!(e.contains("not the archive that was published"), "{e}");
    let e = fault(&|p| p.known[0].name = "other");
    assert!(e.contains("cannot be sealed") && e.contains("other"), "{e}");
    let e = fault(&|p| p.known[0].size = 13);
    assert!(e.contains("13 samples, here are 12"), "{e}");
    let e = fault(&|p| {
        let pictures = p.folder.join("images/val2017");
        fs::copy(pictures.join("000001.png"), pictures.join("000002.png")).expect("copies");
    });
    assert!(e.contains("not those of the archives (1)"), "{e}");
    let e = fault(&|p| {
        let json = p.folder.join("annotations/instances_val2017.json");
        let text = fs::read_to_string(&json).expect("reads");
        fs::write(&json, format!("{text} ")).expect("writes");
    });
    assert!(e.contains("instances_val2017.json"), "{e}");
    let e = fault(&|p| {
        let place = p.dir.path().join("truth.tar");
        fs::remove_file(place).expect("removes");
    });
    assert!(e.contains("cannot read"), "{e}");
}
