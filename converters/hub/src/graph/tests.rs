//! Tensors keep to their shape, names to one value.

use super::*;

#[test]
fn a_tensor_has_the_bytes_of_its_shape() {
    assert!(Tensor::f32(vec![2, 2], &[1.0; 3]).is_err());
    assert!(Tensor::new(ElementType::F32, vec![usize::MAX, 8], bytes::Bytes::new()).is_err());
    let tensor = Tensor::f32(vec![1, 2], &[1.5, -2.0]).expect("two values");
    assert_eq!(tensor.to_f32s().expect("real numbers"), [1.5, -2.0]);
    assert!(tensor.to_i64s().is_err());
    assert!(tensor.reshaped(vec![3]).is_err());
    let list = Tensor::list(&[-1, 7]);
    assert_eq!(list.to_i64s().expect("integers"), [-1, 7]);
    assert_eq!((list.dims(), list.len()), ([2].as_slice(), 2));
}

#[test]
fn element_types_have_onnx_numbers() {
    for number in 0..40 {
        if let Some(element) = ElementType::from_onnx(number) {
            assert_eq!(element.onnx(), number);
        }
    }
    assert_eq!(ElementType::from_onnx(10), Some(ElementType::F16));
    assert_eq!(ElementType::from_onnx(8), None, "texts are no numbers");
}

#[test]
fn names_are_made_unique() {
    let mut builder = Builder::new("net");
    let x = builder.input("x", ElementType::F32, &[1, 3]);
    let first = builder.add("Relu", "x", &[&x], []);
    let second = builder.add("Clip", "x", &[&first], []);
    assert_eq!([x.as_str(), &first, &second], ["x", "x_1", "x_2"]);
    builder.output(&second);
    let graph = builder.finish().expect("no contradiction");
    assert_eq!(graph.nodes.len(), 2);
    assert_eq!(graph.outputs[0].name, "x_2");
    assert_eq!(
        graph.value("x").and_then(|v| v.fixed_shape()),
        Some(vec![1, 3])
    );
}

#[test]
fn nodes_have_names_of_their_own() {
    let mut builder = Builder::new("net");
    let x = builder.input("x", ElementType::F32, &[1]);
    for _ in 0..3 {
        let output = builder.unique("y");
        builder.push(Node {
            name: "layer".to_owned(),
            op: "Relu".to_owned(),
            inputs: vec![x.clone()],
            outputs: vec![output],
            ..Node::default()
        });
    }
    let graph = builder.finish().expect("no contradiction");
    let names: Vec<&str> = graph.nodes.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["layer", "layer_1", "layer_2"]);
}
