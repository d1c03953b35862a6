//! Texts in every spelling, weights in every form, and files that lie.

use super::*;
use bytes::Bytes;

fn text(text: &str) -> Result<TextMessage, crate::FormatError> {
    TextMessage::read(text.as_bytes())
}

fn word(name: &str, line: u32, value: &str) -> TextField {
    TextField {
        name: name.to_owned(),
        line,
        value: TextValue::Word(value.to_owned()),
    }
}

#[test]
fn every_spelling_of_the_text_format_is_read() {
    let read = text(
        "name: \"a\" 'b\\n\\x41\\101\"' # a comment \" {\n\
         dim: 1 dim: 0x1F, dim: -2; f: - .5 f: 1e-7 f: +2.5E+3 f: -1.f g: -inf\n\
         [",
    );
    assert!(read.is_err(), "a list without a name");
    let read = text(
        "name: \"a\" 'b\\n\\x41\\101\"' # a comment \" {\n\
         dim: 1 dim: 0x1F, dim: -2; f: - .5 f: 1e-7 f: +2.5E+3\n\
         list: [3, 4,\n5] empty: [] a { b < pool: MAX > } c: { d: true }",
    )
    .expect("a good text");
    let name = TextField {
        name: "name".to_owned(),
        line: 1,
        value: TextValue::Quoted("ab\nAA\"".to_owned()),
    };
    assert_eq!(read.fields[0], name);
    let words = [
        word("dim", 2, "1"),
        word("dim", 2, "0x1F"),
        word("dim", 2, "-2"),
        word("f", 2, "-.5"),
        word("f", 2, "1e-7"),
        word("f", 2, "+2.5E+3"),
        word("list", 3, "3"),
        word("list", 3, "4"),
        word("list", 3, "5"),
    ];
    assert_eq!(read.fields[1..10], words);
    let TextValue::Message(a) = &read.fields[10].value else {
        panic!("`a` is a message");
    };
    let TextValue::Message(b) = &a.fields[0].value else {
        panic!("`b` is a message");
    };
    assert_eq!(b.fields, [word("pool", 4, "MAX")]);
    assert_eq!(
        (read.fields[11].name.as_str(), read.fields.len()),
        ("c", 12)
    );
    assert_eq!(read.all("dim").count(), 3);
}

#[test]
fn broken_texts_are_errors_with_their_line() {
    let cases = [
        ("a: 1\nb: ", "line 2: the text ends inside field `b`"),
        ("a {\n\n", "line 3: the text ends inside a message"),
        ("a: \"x\n\"", "line 1: a string does not end"),
        ("a: 1 }", "line 1: `}` where the name of a field must stand"),
        ("a 1", "line 1: field `a` has no `:`"),
        ("a: }", "line 1: field `a`: `}` where a value must stand"),
        ("a: [1 2]", "line 1: a list does not end with `]`"),
        ("\n\n@", "line 3: `@` has no meaning here"),
        ("a: \"\\q\"", "line 1: an unknown escape in a string"),
        ("a: - {", "line 1: field `a`: a minus without a number"),
    ];
    for (given, expected) in cases {
        let error = text(given).expect_err(given).to_string();
        assert!(error.ends_with(expected), "{given:?}: {error}");
    }
    let error = TextMessage::read(b"a: 1\n\xff").expect_err("not UTF-8");
    assert!(error.to_string().contains("line 2: the text is not UTF-8"));
}

#[test]
fn depth_and_size_of_a_text_are_bounded() {
    let nested = |depth: usize| "a {".repeat(depth) + &"}".repeat(depth);
    assert!(text(&nested(MAX_TEXT_DEPTH)).is_ok());
    let error = text(&nested(1_000_000)).expect_err("too deep").to_string();
    assert!(error.contains("nested deeper than 100"), "{error}");
    let many = "a:1 ".repeat(MAX_FIELDS + 1);
    assert!(
        text(&many)
            .expect_err("too many")
            .to_string()
            .contains("more than 1000000 fields")
    );
    let large = vec![b' '; MAX_TEXT_BYTES + 1];
    assert!(TextMessage::read(&large).is_err());
}

/// A field of Protocol Buffers' encoding that holds bytes.
fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut out);
    prost::encoding::encode_varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    out
}

fn varint(number: u32, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    prost::encoding::encode_key(number, prost::encoding::WireType::Varint, &mut out);
    prost::encoding::encode_varint(value, &mut out);
    out
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// A net of one layer `conv` with one blob.
fn net(blob: &[u8]) -> Bytes {
    let layer = [field(1, b"conv"), field(2, b"Convolution"), field(7, blob)].concat();
    [field(1, b"net"), field(100, &layer)].concat().into()
}

fn blob(model: &CaffeModel) -> &Blob {
    &model.layers[0].blobs[0]
}

#[test]
fn blobs_are_read_in_every_form() {
    let packed = [field(7, &field(1, &[2, 1])), field(5, &floats(&[1.0, 2.0]))].concat();
    let file = net(&packed);
    let model = CaffeModel::read(file.clone()).expect("a good file");
    assert_eq!(
        (model.name.as_str(), model.layers[0].name.as_str()),
        ("net", "conv")
    );
    assert_eq!(
        model.layers[0].kind,
        OldKind::Name("Convolution".to_owned())
    );
    assert_eq!(
        (blob(&model).dims.as_slice(), blob(&model).len()),
        ([2, 1].as_slice(), 2)
    );
    let range = file.as_ptr() as usize..file.as_ptr() as usize + file.len();
    assert!(
        range.contains(&(blob(&model).bytes.as_ptr() as usize)),
        "a slice of the file"
    );

    let loose = [0x2d]
        .iter()
        .chain(&1.0f32.to_le_bytes())
        .copied()
        .collect::<Vec<u8>>();
    let loose = [loose.clone(), loose, field(5, &floats(&[2.0]))].concat();
    let model = CaffeModel::read(net(&loose)).expect("numbers one by one");
    assert_eq!(blob(&model).bytes, floats(&[1.0, 1.0, 2.0]));
    assert_eq!(blob(&model).dims, [3], "no shape is a list");

    let old = [
        varint(1, 1),
        varint(2, 2),
        varint(3, 1),
        varint(4, 1),
        field(5, &floats(&[3.0, 4.0])),
    ]
    .concat();
    let layer = [field(4, b"ip"), varint(5, 14), field(6, &old)].concat();
    let model = CaffeModel::read(field(2, &layer).into()).expect("a file of the first version");
    assert_eq!(model.layers[0].kind, OldKind::Number(14));
    assert_eq!(blob(&model).dims, [1, 2, 1, 1]);

    let double = field(8, &1.5f64.to_le_bytes());
    let model = CaffeModel::read(net(&double)).expect("doubles");
    assert_eq!(
        (blob(&model).element, blob(&model).len()),
        (BlobElement::F64, 1)
    );
    let half = [varint(10, 2), field(12, &[0, 0x3c])].concat();
    let model = CaffeModel::read(net(&half)).expect("halves");
    assert_eq!(
        (blob(&model).element, blob(&model).len()),
        (BlobElement::F16, 1)
    );
}

#[test]
fn files_that_lie_are_errors_with_their_byte() {
    let short = [field(7, &field(1, &[3])), field(5, &floats(&[1.0]))].concat();
    let error = CaffeModel::read(net(&short)).expect_err("two values are missing");
    assert!(
        error.to_string().contains("shape [3] with 4 bytes"),
        "{error}"
    );
    let mut huge = Vec::new();
    prost::encoding::encode_varint(u64::MAX, &mut huge);
    let claim = [
        field(7, &field(1, &[&huge[..], &huge].concat())),
        field(5, &[]),
    ]
    .concat();
    assert!(
        CaffeModel::read(net(&claim)).is_err(),
        "2^128 values in no byte"
    );
    // Two gigabytes of floats in a file of some bytes.
    let mut bytes = vec![0x2a];
    prost::encoding::encode_varint(2 << 30, &mut bytes);
    let error = CaffeModel::read(net(&bytes))
        .expect_err("not there")
        .to_string();
    assert!(
        error.contains("a field of 2147483648 bytes where 0 are left"),
        "{error}"
    );
    let many = field(1, &[1; 40]);
    assert!(CaffeModel::read(net(&field(7, &many))).is_err(), "40 axes");
    let inner = field(2, &field(1, b""));
    assert!(CaffeModel::read(inner.into()).is_err(), "version 0");
    assert!(CaffeModel::read(varint(100, 1).into()).is_err());
    let blobs = field(7, b"").repeat(MAX_BLOBS + 1);
    assert!(CaffeModel::read(field(100, &blobs).into()).is_err());
}

#[test]
fn a_file_cut_anywhere_is_an_error_or_a_shorter_file() {
    let whole = net(&[field(7, &field(1, &[2, 1])), field(5, &floats(&[1.0, 2.0]))].concat());
    // Between the two fields of the net stands a file in its own right.
    let between = field(1, b"net").len();
    for length in 1..whole.len() {
        let read = CaffeModel::read(whole.slice(..length));
        assert_eq!(read.is_ok(), length == between, "{length} bytes");
    }
}
