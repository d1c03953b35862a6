//! The reader of IR: what it reads, and what it says of damaged files.

use super::{Element, Net, read};
use bytes::Bytes;

fn net(version: u32, layers: &str, edges: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<net name=\"n\" version=\"{version}\">\n<layers>\n{layers}\n\
         </layers>\n<edges>\n{edges}\n</edges>\n</net>\n"
    )
}

const PAIR: &str = r#"<layer id="3" name="x" type="Parameter" version="opset1">
  <data element_type="f32" shape="1,3,?"/>
  <output><port id="0" precision="FP32" names="a\,b,c"><dim>1</dim><dim>3</dim><dim>-1</dim></port></output>
</layer>
<layer id="8" name="r &amp; s" type="Result" version="opset1" output_names="y">
  <input><port id="0" precision="FP32"><dim>1</dim><dim>3</dim><dim>-1</dim></port></input>
  <rt_info><attribute name="x"/></rt_info>
</layer>"#;
const EDGE: &str = r#"<edge from-layer="3" from-port="0" to-layer="8" to-port="0"/>"#;

fn error(text: &str) -> String {
    read(text.as_bytes()).map_or_else(|e| e.to_string(), |n| format!("{n:?}"))
}

#[test]
fn layers_ports_and_edges_are_read() {
    let net = read(net(11, PAIR, EDGE).as_bytes()).expect("a net");
    assert_eq!((net.version, net.layers.len()), (11, 2));
    let [x, result] = net.layers.as_slice() else {
        unreachable!("two layers, as counted above")
    };
    assert_eq!(x.data.get("shape").map(String::as_str), Some("1,3,?"));
    let port = &x.outputs[0];
    assert_eq!(port.element, Some(Element::F32));
    assert_eq!(port.dims, Some(vec![1, 3, -1]));
    assert_eq!(port.names, ["a,b", "c"], "a comma within a name");
    assert_eq!(result.name, "r & s");
    assert_eq!(result.result_names(), ["y"]);
    assert_eq!((net.edges[0].from, net.edges[0].to), ((0, 0), (1, 0)));
    assert_eq!((x.line, result.line), (4, 8));
    assert_eq!(net.order().expect("no cycle"), [0, 1]);
}

#[test]
fn weights_of_old_layers_are_slices() {
    let layer = r#"<layer id="0" name="c" type="Convolution" precision="FP16">
  <convolution_data kernel="1,1"/><blobs><weights offset="2" size="4"/></blobs>
  <biases offset="6" size="2"/></layer>"#;
    let net = read(net(5, layer, "").as_bytes()).expect("a net");
    let layer = &net.layers[0];
    assert_eq!(layer.precision.as_deref(), Some("FP16"));
    assert_eq!(layer.data.get("kernel").map(String::as_str), Some("1,1"));
    let file = Bytes::from_static(&[0, 1, 2, 3, 4, 5, 6, 7]);
    let names: Vec<&str> = layer.blobs.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["weights", "biases"]);
    let weights = layer.blobs[0].slice(&file, layer).expect("within the file");
    assert_eq!(weights.as_ref(), [2, 3, 4, 5]);
    let short = file.slice(..7);
    let text = layer.blobs[1].slice(&short, layer).expect_err("too short");
    assert!(
        text.to_string()
            .contains("2 bytes at 6, and the weights file has 7 bytes"),
        "{text}"
    );
}

#[test]
fn broken_structure_is_named_with_its_line() {
    struct Case {
        text: String,
        says: &'static str,
    }
    let twice = PAIR.replace("id=\"8\"", "id=\"3\"");
    let cases = [
        Case {
            text: net(9, PAIR, EDGE),
            says: "line 2: version 9",
        },
        Case {
            text: net(11, &twice, ""),
            says: "line 8: two layers have the number 3",
        },
        Case {
            text: net(
                11,
                PAIR,
                &EDGE.replace("from-layer=\"3\"", "from-layer=\"7\""),
            ),
            says: "line 14: no layer has the number 7",
        },
        Case {
            text: net(11, PAIR, &EDGE.replace("to-port=\"0\"", "to-port=\"1\"")),
            says: "layer 8 has no port 1",
        },
        Case {
            text: net(11, PAIR, &format!("{EDGE}{EDGE}")),
            says: "two edges",
        },
        Case {
            text: net(11, &PAIR.replace("<dim>3</dim>", "<dim>-3</dim>"), EDGE),
            says: "`-3` is no length",
        },
        Case {
            text: "<annotation/>".to_owned(),
            says: "the root is `annotation`",
        },
        Case {
            text: String::new(),
            says: "no element `net`",
        },
        Case {
            text: "<!DOCTYPE a [<!ENTITY b \"c\">]><net version=\"11\"/>".to_owned(),
            says: "a document type",
        },
        Case {
            text: format!("<net version=\"11\">{}", "<a>".repeat(100_000)),
            says: "nested more than 100 deep",
        },
    ];
    for case in cases {
        let text = error(&case.text);
        assert!(text.contains(case.says), "{text}\nlacks: {}", case.says);
    }
}

#[test]
fn a_cycle_is_found() {
    let layers = [0, 1, 2].map(|i| {
        format!(
            "<layer id=\"{i}\" name=\"l{i}\" type=\"ReLU\" version=\"opset1\">\
             <input><port id=\"0\"/></input><output><port id=\"1\"/></output></layer>"
        )
    });
    let edges = [(0, 1), (1, 2), (2, 0)].map(|(from, to)| {
        format!("<edge from-layer=\"{from}\" from-port=\"1\" to-layer=\"{to}\" to-port=\"0\"/>")
    });
    let (layers, edges) = (layers.concat(), edges.concat());
    let net: Net = read(net(11, &layers, &edges).as_bytes()).expect("well formed");
    let text = net.order().expect_err("a cycle").to_string();
    assert!(text.contains("layer `l0` depends on itself"), "{text}");
}

#[test]
fn every_truncation_is_an_error() {
    let whole = net(11, PAIR, EDGE);
    for percent in 0..100 {
        let end = whole.len() * percent / 100;
        assert!(read(&whole.as_bytes()[..end]).is_err(), "{percent} %");
    }
    read(whole.as_bytes()).expect("the whole");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let text = read(b"<net version=\"11\">\n\xff\xfe</net>").expect_err("no UTF-8");
    assert!(text.to_string().contains("line 2: not UTF-8"), "{text}");
}
