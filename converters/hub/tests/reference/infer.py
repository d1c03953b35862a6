"""Types and shapes as ONNX's own inference and its stored test data have them.

    python infer.py nodes              > ../fixtures/infer/nodes.txt
    python infer.py model FILE.onnx    > ../fixtures/infer/FILE.txt

Reference: onnx 1.22.0 (`onnx.shape_inference`, data propagation on) and the node tests in its wheel.

`nodes`: one line a node test with one node of the standard's domain, fields separated by ` | `:
name, operator set, operator, inputs, attributes, outputs. A tensor is `f32[1x3]`, `?` an open
dimension, `-` an input that is left out, `f32` one of which no shape is known; small lists are
constants: `i64[2]={3,4}`. An output is what the test data hold, `~`, what ONNX infers.

`model`: one line a value of the graph: name, and what ONNX infers, without what the file states.
"""

import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

assert onnx.__version__ == "1.22.0", onnx.__version__
TYPES = {
    TensorProto.FLOAT: "f32", TensorProto.UINT8: "u8", TensorProto.INT8: "i8",
    TensorProto.UINT16: "u16", TensorProto.INT16: "i16", TensorProto.INT32: "i32",
    TensorProto.INT64: "i64", TensorProto.BOOL: "bool", TensorProto.FLOAT16: "f16",
    TensorProto.DOUBLE: "f64", TensorProto.UINT32: "u32", TensorProto.UINT64: "u64",
    TensorProto.BFLOAT16: "bf16",
}
# Operators whose second and later inputs of real numbers decide shapes.
REAL_SIZES = {"Range", "Resize", "Upsample"}


class Unusable(Exception):
    """The case cannot be written in this format."""


def kind(code):
    if code not in TYPES:
        raise Unusable
    return TYPES[code]


def shape_text(dims):
    return "[" + "x".join(str(d) if d is not None else "?" for d in dims) + "]"


def constant(tensor):
    array = numpy_helper.to_array(tensor)
    values = ",".join(repr(v.item()) for v in array.reshape(-1))
    return f"{kind(tensor.data_type)}{shape_text(array.shape)}={{{values}}}"


def declared(value, symbols=False):
    t = value.type.tensor_type
    if not t.elem_type:
        return ""
    if not t.HasField("shape"):
        return kind(t.elem_type)
    dims = [d.dim_value if d.HasField("dim_value")
            else (d.dim_param if symbols and d.dim_param else None) for d in t.shape.dim]
    return kind(t.elem_type) + shape_text(dims)


def attribute(a):
    if a.type == onnx.AttributeProto.INT:
        return f"{a.name}=i:{a.i}"
    if a.type == onnx.AttributeProto.FLOAT:
        return f"{a.name}=f:{a.f!r}"
    if a.type == onnx.AttributeProto.STRING and b" " not in a.s:
        return f"{a.name}=s:{a.s.decode()}"
    if a.type == onnx.AttributeProto.INTS:
        return f"{a.name}=is:" + ",".join(map(str, a.ints))
    if a.type == onnx.AttributeProto.FLOATS:
        return f"{a.name}=fs:" + ",".join(map(repr, a.floats))
    if a.type == onnx.AttributeProto.TENSOR and len(a.t.dims) <= 1:
        return f"{a.name}=t:{constant(a.t)}"
    raise Unusable


def data(path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return tensor


def case(folder):
    model = onnx.load(folder / "model.onnx")
    graph = model.graph
    if len(graph.node) != 1 or graph.node[0].domain or graph.initializer:
        raise Unusable
    if any(v.type.WhichOneof("value") != "tensor_type" for v in [*graph.input, *graph.output]):
        raise Unusable
    node = graph.node[0]
    stored = folder / "test_data_set_0"
    given, constants = {}, []
    for at, value in enumerate(graph.input):
        tensor = data(stored / f"input_{at}.pb")
        given[value.name] = declared(value)
        count = int(np.prod(tensor.dims)) if tensor.dims else 1
        integer = tensor.data_type in (TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL)
        real = tensor.data_type == TensorProto.FLOAT and node.op_type in REAL_SIZES
        first = value.name == node.input[0] and node.op_type not in ("Range", "ConstantOfShape")
        if len(tensor.dims) <= 1 and count <= 16 and (integer or real) and not first:
            tensor.name = value.name
            constants.append(tensor)
            given[value.name] = constant(tensor)
    kept = [v for v in graph.input if v.name not in {t.name for t in constants}]
    del graph.input[:]
    graph.input.extend(kept)
    graph.initializer.extend(constants)
    truth = []
    for at, value in enumerate(graph.output):
        tensor = data(stored / f"output_{at}.pb")
        truth.append(kind(tensor.data_type) + shape_text(list(tensor.dims)))
        value.type.CopyFrom(onnx.TypeProto())
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
        outputs = {v.name: declared(v) for v in inferred.graph.output}
    except onnx.shape_inference.InferenceError:
        raise Unusable from None
    named = [v.name for v in graph.output]
    results = []
    for name in node.output:
        if name in named:
            results.append(f"{truth[named.index(name)]}~{outputs.get(name, '')}")
        else:
            results.append("-")
    opset = next(o.version for o in model.opset_import if not o.domain)
    if opset > 21:
        opset = 21
    inputs = " ".join(given[i] if i else "-" for i in node.input)
    attributes = " ".join(attribute(a) for a in node.attribute)
    return " | ".join([folder.name, str(opset), node.op_type, inputs, attributes, " ".join(results)])


def nodes():
    root = pathlib.Path(onnx.__file__).parent / "backend/test/data/node"
    for folder in sorted(root.iterdir()):
        try:
            print(case(folder))
        except (Unusable, onnx.helper.onnx.onnx_cpp2py_export.checker.ValidationError):
            pass


def values(path):
    model = onnx.load(path)
    inputs = {i.name for i in model.graph.initializer}
    del model.graph.value_info[:]
    kept = [v for v in model.graph.output]
    for value in kept:
        value.type.CopyFrom(onnx.TypeProto())
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    for value in [*inferred.value_info, *inferred.output]:
        if value.name not in inputs:
            print(value.name, declared(value, symbols=True))


if __name__ == "__main__":
    if sys.argv[1] == "nodes":
        nodes()
    else:
        values(sys.argv[2])
