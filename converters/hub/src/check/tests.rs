//! Each rule, broken once.

use crate::graph::{Attribute, Builder, ElementType, Graph, Node, Tensor, Value};

fn sound() -> Graph {
    let mut b = Builder::new("net");
    let x = b.input("x", ElementType::F32, &[1, 3]);
    let a = b.add("Relu", "a", &[&x], []);
    let y = b.add("Add", "y", &[&a, &x], []);
    b.output(&y);
    b.finish().expect("no contradiction")
}

fn broken(change: impl Fn(&mut Graph), words: &str) {
    let mut graph = sound();
    graph.check().expect("nothing is wrong yet");
    change(&mut graph);
    let problems = graph.check().expect_err(words);
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(text.iter().any(|t| t.contains(words)), "{text:?}");
}

#[test]
fn breaches_are_found() {
    broken(|g| g.opset = 0, "operator set is not declared");
    broken(
        |g| g.nodes[0].domain = "own".to_owned(),
        "operator set `own`",
    );
    broken(
        |g| g.nodes[1].inputs[0] = "z".to_owned(),
        "node `y` (Add): there is no value `z`",
    );
    broken(
        |g| g.nodes.swap(0, 1),
        "node `y` (Add): input `a` comes from a node behind it",
    );
    broken(
        |g| g.nodes[0].inputs[0] = "y".to_owned(),
        "node `a` (Relu): input `y` follows from",
    );
    broken(
        |g| g.nodes[1].outputs[0] = "a".to_owned(),
        "output `a`: the name is taken",
    );
    broken(
        |g| g.outputs.push(Value::unknown("z")),
        "output `z`: there is no such value",
    );
    broken(
        |g| g.outputs.push(g.outputs[0].clone()),
        "output `y`: it stands twice",
    );
    broken(
        |g| g.inputs.push(g.inputs[0].clone()),
        "input `x`: the name is taken",
    );
    broken(
        |g| _ = g.nodes[1].inputs.pop(),
        "1 of its 2 required inputs",
    );
    broken(
        |g| g.nodes[0].inputs.push("x".to_owned()),
        "2 inputs, and it takes 1",
    );
    broken(
        |g| g.nodes[0].outputs.push("b".to_owned()),
        "2 outputs, and it has 1",
    );
    broken(|g| g.nodes[1].outputs[0].clear(), "it has no outputs");
    broken(
        |g| _ = g.initializers.insert("x".to_owned(), Tensor::scalar(1.0)),
        "input `x`: the name is taken",
    );
    broken(
        |g| g.outputs[0].dtype = Some(ElementType::I64),
        "output `y` is stated as i64, and is f32",
    );
}

#[test]
fn bodies_see_the_values_around_them() {
    let body = |name: &str| Graph {
        name: "body".to_owned(),
        nodes: vec![Node {
            op: "Relu".to_owned(),
            inputs: vec![name.to_owned()],
            outputs: vec!["inner".to_owned()],
            ..Node::default()
        }],
        outputs: vec![Value::unknown("inner")],
        ..Graph::default()
    };
    let with = |name: &str| {
        let mut graph = sound();
        let attribute = Attribute::Graph(Box::new(body(name)));
        graph.nodes[1]
            .attributes
            .insert("then_branch".to_owned(), attribute);
        graph.check()
    };
    with("a").expect("`a` is there");
    let problems = with("y").expect_err("`y` is made by the node itself");
    assert!(problems[0].to_string().contains("there is no value `y`"));
}
