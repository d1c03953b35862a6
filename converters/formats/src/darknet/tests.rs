//! What the readers of cfg and weights accept, and what they say of the rest.

use super::*;
use bytes::BytesMut;

const TEXT: &str = "# a comment\r\n\r\n[net]\nwidth = 32\n height=  16 # not in C\n[route]\nlayers = -1, 3,\n; done\nx=1\nx = 2\ny=7\ny=7\n";

fn problem(text: &str) -> String {
    Cfg::read(text.as_bytes()).expect_err("no cfg").to_string()
}

#[test]
fn sections_have_lines_and_settings() {
    let cfg = Cfg::read(TEXT.as_bytes()).expect("a cfg");
    assert_eq!((cfg.net.name.as_str(), cfg.net.line), ("net", 3));
    assert_eq!(cfg.net.number::<u32>("width").expect("a number"), Some(32));
    assert_eq!(cfg.net.number::<u32>("height").expect("a number"), Some(16));
    assert_eq!(cfg.net.number::<u32>("channels").expect("absent"), None);
    let route = &cfg.layers[0];
    assert_eq!(route.place(), "line 6, [route]");
    assert_eq!(
        route.list::<i64>("layers").expect("numbers"),
        Some(vec![-1, 3])
    );
    assert_eq!(route.text("y").expect("said twice alike"), Some("7"));
    let twice = route.text("x").expect_err("said twice").to_string();
    assert!(
        twice.contains("line 9") && twice.contains("line 10"),
        "{twice}"
    );
    let number = cfg.net.number::<u8>("width").map(|_| ());
    assert!(number.is_ok());
    let text = Cfg::read(b"[net]\nwidth=3.5\n").expect("a cfg");
    let e = text.net.number::<u32>("width").expect_err("no integer");
    assert!(
        e.to_string().contains("line 2") && e.to_string().contains("3.5"),
        "{e}"
    );
}

#[test]
fn what_is_no_cfg_is_refused_with_its_line() {
    for (text, words) in [
        ("", "no section"),
        ("width=3\n", "line 1"),
        ("[net]\n\nwidth\n", "line 3"),
        ("[net\n", "no `]`"),
        ("[]\n", "no section"),
        ("[net]x\n", "no section"),
        ("[convolutional]\n", "not [net]"),
    ] {
        assert!(problem(text).contains(words), "{text:?}: {}", problem(text));
    }
    assert!(Cfg::read(b"[net]\nwidth=\xff\n").is_err());
    assert!(Cfg::read(&vec![b'#'; MAX_CFG_BYTES + 1]).is_err());
    let many = "[a]\n".repeat(MAX_SECTIONS + 2);
    assert!(problem(&many.replacen("[a]", "[net]", 1)).contains("10000"));
    let long = format!("[net]\nsteps={}1\n", "1,".repeat(5_000));
    let cfg = Cfg::read(long.as_bytes()).expect("a cfg");
    assert!(cfg.net.list::<u32>("steps").is_err());
}

#[test]
fn a_cfg_is_told_from_weights() {
    assert!(Cfg::looks_like(b"\n# net\n  [net]"));
    assert!(!Cfg::looks_like(&[0, 0, 0, 0, 2, 0, 0, 0]));
    assert!(!Cfg::looks_like(b"") && !Cfg::looks_like(b"# only"));
}

fn header(version: [i32; 3], seen: &[u8]) -> BytesMut {
    let mut bytes: Vec<u8> = version.iter().flat_map(|v| v.to_le_bytes()).collect();
    bytes.extend_from_slice(seen);
    bytes.as_slice().into()
}

#[test]
fn the_header_of_every_version_is_read() {
    for (version, width, transposed) in [
        ([0, 1, 0], 4, false),
        ([0, 2, 5], 8, false),
        ([1, 0, 0], 8, false),
        ([0, 1001, 0], 4, true),
        ([1001, 0, 0], 4, true),
    ] {
        let mut seen = vec![0u8; width];
        seen[0] = 9;
        let weights = Weights::read(header(version, &seen)).expect("a header");
        assert_eq!(weights.header().seen, 9);
        assert_eq!(weights.header().is_transposed(), transposed, "{version:?}");
        weights.finish().expect("nothing is left");
        assert!(Weights::read(header(version, &seen[1..])).is_err());
    }
    assert!(Weights::read(header([-1, 0, 0], &[0; 8])).is_err());
    assert!(Weights::read(BytesMut::from(&b"short"[..])).is_err());
}

#[test]
fn weights_that_do_not_fit_say_how_many_bytes() {
    let mut weights = Weights::read(header([0, 2, 0], &[0; 28])).expect("a header");
    assert_eq!(weights.take(3, "first").map(|p| p.len()), Some(12));
    assert_eq!(weights.take(u64::MAX / 8, "second"), None);
    assert_eq!(weights.take(1, "third"), None, "what follows is not its");
    let e = weights.finish().expect_err("too short").to_string();
    assert!(
        e.contains("second") && e.contains("the file has 40") && e.contains("8 are left"),
        "{e}"
    );
    let mut weights = Weights::read(header([0, 2, 0], &[0; 28])).expect("a header");
    assert!(weights.take(4, "only").is_some());
    let e = weights.finish().expect_err("too long").to_string();
    assert!(e.contains("needs 36 bytes, the file has 40"), "{e}");
}
