"""Outputs of OpenCV's own reader of Caffe, for nets with pseudo-random weights.

    python caffe.py ASSETS > caffe.json

Made with opencv-python-headless 4.14.0.94 and numpy 2.4.6. Single layers stand here as text; nets of
`conformance/opencv_extra_dnn` whose weights nobody keeps are named, and get weights that keep numbers
in range. Of an output of more than 16 numbers 16 are stored. Layers that OpenCV has not, or does
otherwise than Caffe, are computed with numpy from Caffe's definition ("by": "numpy").
Tolerance of the test: 1e-4 of the largest number of an output, for whole nets as for layers.
"""

import json
import re
import sys

import cv2
import numpy as np


def elements(count, seed, low, high):
    """As in the test: pseudo-random f32 in [low, high) with 24 bits."""
    i = np.arange(count, dtype=np.uint64)
    u = (i * np.uint64(2654435761) + np.uint64(seed * 40503)) & np.uint64(0xFFFFFFFF)
    u ^= u >> np.uint64(15)
    u = (u * np.uint64(2246822519)) & np.uint64(0xFFFFFFFF)
    u ^= u >> np.uint64(13)
    return (low + (high - low) * ((u >> np.uint64(8)) / 16777216.0)).astype(np.float32)


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def caffemodel(blobs):
    """Layers of the second version; `blobs` is a list of [layer, dims, low, high]."""
    layers = {}
    for seed, (layer, dims, low, high) in enumerate(blobs, 1):
        values = elements(int(np.prod(dims)), seed, low, high)
        blob = field(5, values.tobytes()) + field(7, field(1, b"".join(varint(d) for d in dims)))
        layers[layer] = layers.get(layer, field(1, layer.encode())) + field(7, blob)
    return b"".join(field(100, layer) for layer in layers.values())


def inputs_of(shapes, low=-1, high=1):
    return {name: elements(int(np.prod(s)), 1000 + at, low, high).reshape(s) for at, (name, s) in enumerate(shapes.items())}


def listed(shapes, low=-1, high=1):
    return [[name, shape, low, high] for name, shape in shapes.items()]


def stored(name, value):
    value = np.asarray(value, np.float32)
    flat = value.reshape(-1)
    at = np.arange(flat.size) if flat.size <= 16 else np.unique(np.arange(16) * 2654435761 % flat.size)
    return {
        "name": name,
        "shape": list(value.shape),
        "largest": float(np.abs(flat).max()),
        "at": [int(i) for i in at],
        "values": [float(np.float32(f"{v:.8g}")) for v in flat[at]],
    }


def opencv(text, shapes, blobs, outputs, last=False):
    """`last`: the output is that of the last layer, which OpenCV calls now by its name, now by its top's."""
    net = cv2.dnn.readNetFromCaffe(np.frombuffer(text.encode(), np.uint8), np.frombuffer(caffemodel(blobs) or b"\n\0", np.uint8))
    net.enableFusion(False)
    net.enableWinograd(False)
    for name, value in inputs_of(shapes).items():
        net.setInput(value, name)
    return [stored(n, v) for n, v in zip(outputs, net.forward([net.getLayerNames()[-1]] if last else outputs))]


CASES = []


def layer(name, kind, parameters="", shapes=None, blobs=(), tops=("y",), by=None, before=""):
    """A net of inputs and one layer `l` of this kind, or more before it."""
    shapes = shapes or {"x": [2, 6, 9, 8]}
    text = before
    for blob, shape in shapes.items():
        dims = " ".join(f"dim: {d}" for d in shape)
        text = f'layer {{ name: "{blob}" type: "Input" top: "{blob}" input_param {{ shape {{ {dims} }} }} }}\n' + text
    bottoms = " ".join(f'bottom: "{b}"' for b in shapes if f'"{b}"' not in before)
    bottoms += "".join(f' bottom: "{b}"' for b in re.findall(r'top: "(m\d)"', before))
    named = " ".join(f'top: "{t}"' for t in tops)
    text += f'layer {{ name: "l" type: "{kind}" {bottoms} {named} {parameters} }}\n'
    blobs = [["l", *b] for b in blobs]
    case = {"name": name, "prototxt": text, "inputs": listed(shapes), "blobs": blobs, "by": "numpy" if by else "opencv"}
    case["outputs"] = [stored(t, v) for t, v in zip(tops, by(inputs_of(shapes)))] if by else opencv(text, shapes, blobs, tops, last=True)
    CASES.append(case)


def convolution(name, parameters, weight, outputs, kind="Convolution", **more):
    layer(name, kind, f"convolution_param {{ num_output: {outputs} {parameters} }}", blobs=[(weight, -0.5, 0.5), ([outputs], -1, 1)], **more)


def pool(x, kernel, stride, pad, mean):
    """Caffe's pooling by its definition."""
    n, c, h, w = x.shape
    size = []
    for length in (h, w):
        out = -(-(length + 2 * pad - kernel) // stride) + 1
        size.append(out - 1 if pad and (out - 1) * stride >= length + pad else out)
    y = np.full((n, c, *size), -np.finfo(np.float32).max, np.float32)
    for i in range(size[0]):
        for j in range(size[1]):
            t, l = i * stride - pad, j * stride - pad
            part = x[:, :, max(t, 0) : t + kernel, max(l, 0) : l + kernel]
            divisor = (min(t + kernel, h + pad) - t) * (min(l + kernel, w + pad) - l)
            if part.size:
                y[:, :, i, j] = part.sum((2, 3)) / divisor if mean else part.max((2, 3))
    return y


def lrn(x, size, alpha, beta, k):
    padded = np.pad(x * x, ((0, 0), (size // 2, size // 2), (0, 0), (0, 0)))
    sums = sum(padded[:, at : at + x.shape[1]] for at in range(size))
    return x / (k + alpha / size * sums) ** beta


def layers():
    convolution("convolution", "kernel_size: 3 pad: 1 stride: 2", [4, 6, 3, 3], 4)
    convolution("convolution_groups_dilation", "kernel_h: 3 kernel_w: 2 pad_h: 2 pad_w: 1 dilation: 2 dilation: 3 group: 3", [9, 2, 3, 2], 9)
    convolution("deconvolution", "kernel_size: 4 pad: 1 stride: 2 group: 2", [6, 2, 4, 4], 4, kind="Deconvolution")
    convolution("deconvolution_pair", "kernel_size: 3 kernel_size: 2 stride_h: 2 stride_w: 3", [6, 5, 3, 2], 5, kind="Deconvolution")
    layer("convolution_no_bias", "Convolution", "convolution_param { num_output: 3 kernel_size: 1 bias_term: false }", blobs=[([3, 6, 1, 1], -1, 1)])
    layer("inner_product", "InnerProduct", "inner_product_param { num_output: 5 }", blobs=[([1, 1, 5, 432], -0.1, 0.1), ([1, 1, 1, 5], -1, 1)])
    layer("inner_product_axis", "InnerProduct", "inner_product_param { num_output: 5 axis: 2 bias_term: false }", blobs=[([5, 72], -0.1, 0.1)])
    weight = elements(432 * 5, 1, -0.1, 0.1).reshape(432, 5)
    layer("inner_product_transposed", "InnerProduct", "inner_product_param { num_output: 5 transpose: true bias_term: false }",
          blobs=[([432, 5], -0.1, 0.1)], by=lambda i: [i["x"].reshape(2, -1) @ weight])
    for kernel in (1, 2, 3):
        for stride in (1, 2, 3, 4):
            for pad in range(min(kernel, 2)):
                for length in (5, 6, 7, 8, 9):
                    for kind in ("MAX", "AVE"):
                        last = (-(-(length + 2 * pad - kernel) // stride)) * stride
                        if kind == "AVE" and pad == 0 and (last >= length or -(-(7 - kernel) // stride) * stride >= 7):
                            # A window outside of the input: refused.
                            continue
                        layer(f"pooling_{kind}_{kernel}_{stride}_{pad}_{length}", "Pooling",
                              f"pooling_param {{ pool: {kind} kernel_size: {kernel} stride: {stride} pad: {pad} }}",
                              shapes={"x": [1, 1, length, 7]}, by=lambda i: [pool(i["x"], kernel, stride, pad, kind == "AVE")])
    layer("pooling_rectangle", "Pooling", "pooling_param { pool: AVE kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 3 pad_h: 1 pad_w: 0 }")
    for kind in ("MAX", "AVE"):
        layer(f"pooling_global_{kind}", "Pooling", f"pooling_param {{ pool: {kind} global_pooling: true }}")
        layer(f"pooling_{kind}_opencv", "Pooling", f"pooling_param {{ pool: {kind} kernel_size: 3 stride: 2 pad: 1 }}")
    for kind in ("AbsVal", "BNLL", "Sigmoid", "TanH", "ReLU", "ReLU6", "ELU", "Power", "Exp", "Softmax", "MVN"):
        layer(kind.lower(), kind)
    layer("relu_slope", "ReLU", "relu_param { negative_slope: 0.1 }")
    layer("elu_alpha", "ELU", "elu_param { alpha: 0.5 }")
    layer("power_all", "Power", "power_param { power: 2.5 scale: 0.3 shift: 1.5 }")
    layer("power_square", "Power", "power_param { power: 2 shift: -0.5 }")
    layer("exp_base", "Exp", "exp_param { base: 2 scale: 3 shift: 0.5 }")
    layer("log", "Log", "log_param { base: 10 scale: 2 shift: 3 }", by=lambda i: [np.log10(3 + 2 * i["x"])])
    layer("prelu", "PReLU", blobs=[([6], -0.5, 0.5)])
    layer("prelu_shared", "PReLU", "prelu_param { channel_shared: true }", blobs=[([1], 0.2, 0.3)])
    layer("batch_norm", "BatchNorm", "batch_norm_param { eps: 0.01 }", blobs=[([6], -1, 1), ([6], 0.5, 2), ([1], 2, 3)])
    x = lambda i: i["x"]
    layer("batch_norm_factor_0", "BatchNorm", blobs=[([6], -1, 1), ([6], 0.5, 2), ([1], 0, 0)], by=lambda i: [x(i) / np.sqrt(np.float32(1e-5))])
    layer("batch_norm_own", "BatchNorm", "batch_norm_param { use_global_stats: false }",
          by=lambda i: [(x(i) - x(i).mean((0, 2, 3), keepdims=True)) / np.sqrt(x(i).var((0, 2, 3), keepdims=True) + 1e-5)])
    layer("scale", "Scale", "scale_param { bias_term: true }", blobs=[([6], -1, 1), ([6], -1, 1)])
    layer("scale_axis", "Scale", "scale_param { axis: 2 num_axes: 2 }", blobs=[([9, 8], -1, 1)],
          by=lambda i: [x(i) * elements(72, 1, -1, 1).reshape(9, 8)])
    layer("scale_two", "Scale", "scale_param { axis: 0 }", shapes={"x": [2, 6, 9, 8], "f": [2, 6]}, by=lambda i: [x(i) * i["f"][:, :, None, None]])
    layer("bias", "Bias", "bias_param { axis: 1 }", blobs=[([6], -1, 1)], by=lambda i: [x(i) + elements(6, 1, -1, 1)[:, None, None]])
    # OpenCV has no `k`, and an LRN without parameters hands its input on.
    layer("lrn", "LRN", by=lambda i: [lrn(i["x"], 5, 1, 0.75, 1)])
    layer("lrn_across", "LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.6 k: 2 }", by=lambda i: [lrn(i["x"], 3, 0.5, 0.6, 2)])
    layer("lrn_across_opencv", "LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.6 }")
    layer("lrn_within", "LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.6 norm_region: WITHIN_CHANNEL }")
    layer("mvn_mean", "MVN", "mvn_param { normalize_variance: false across_channels: true }")
    # OpenCV has epsilon under the root, Caffe beside it.
    whole = lambda i: (x(i) - x(i).mean((1, 2, 3), keepdims=True)) / (x(i).std((1, 2, 3), keepdims=True) + 0.001)
    layer("mvn_across", "MVN", "mvn_param { across_channels: true eps: 0.001 }", by=lambda i: [whole(i)])
    for across in ("true", "false"):
        for shared, count in (("true", 1), ("false", 6)):
            # OpenCV has scales of channels for pixels of their own only.
            axes = (1, 2, 3) if across == "true" else 1
            norm = lambda i: np.sqrt((x(i) ** 2).sum(axes, keepdims=True) + 1e-10)
            scale = elements(count, 1, 1, 20).reshape(count, 1, 1)
            by = None if (across, shared) == ("false", "false") else lambda i: [x(i) / norm(i) * scale]
            parameters = f"norm_param {{ across_spatial: {across} channel_shared: {shared} }}"
            layer(f"normalize_{across}_{shared}", "Normalize", parameters, blobs=[([count], 1, 20)], by=by)
    two = {"x": [2, 6, 9, 8], "z": [2, 6, 9, 8]}
    for kind in ("PROD", "MAX", "SUM"):
        layer(f"eltwise_{kind}", "Eltwise", f"eltwise_param {{ operation: {kind} }}", shapes=two)
    layer("eltwise_coeff", "Eltwise", "eltwise_param { coeff: 1 coeff: -2.5 }", shapes=two)
    layer("eltwise_three", "Eltwise", "eltwise_param { operation: MAX }", shapes={**two, "w": [2, 6, 9, 8]})
    layer("concat", "Concat", "concat_param { axis: -2 }", shapes={"x": [2, 6, 9, 8], "z": [2, 6, 3, 8]})
    layer("concat_dim", "Concat", "concat_param { concat_dim: 1 }", shapes={"x": [2, 6, 9, 8], "z": [2, 1, 9, 8]})
    layer("slice", "Slice", tops=("a", "b", "c"), by=lambda i: np.split(x(i), 3, 1))
    layer("slice_points", "Slice", "slice_param { axis: 2 slice_point: 2 slice_point: 3 }", tops=("a", "b", "c"),
          by=lambda i: np.split(x(i), [2, 3], 2))
    layer("softmax_axis", "Softmax", "softmax_param { axis: -1 }")
    layer("reshape", "Reshape", "reshape_param { shape { dim: 0 dim: -1 dim: 12 } }")
    layer("reshape_axes", "Reshape", "reshape_param { shape { dim: 3 dim: -1 dim: 3 } axis: 1 num_axes: 2 }", by=lambda i: [x(i).reshape(2, 3, 6, 3, 8)])
    layer("reshape_insert", "Reshape", "reshape_param { shape { dim: 1 } axis: -1 num_axes: 0 }", by=lambda i: [x(i)[..., None]])
    layer("flatten", "Flatten")
    layer("flatten_part", "Flatten", "flatten_param { axis: 1 end_axis: 2 }")
    layer("permute", "Permute", "permute_param { order: 0 order: 2 order: 3 order: 1 }")
    layer("permute_part", "Permute", "permute_param { order: 1 }", by=lambda i: [x(i).transpose(1, 0, 2, 3)])
    layer("crop", "Crop", "crop_param { axis: 2 offset: 2 offset: 1 }", shapes={"x": [2, 6, 9, 8], "r": [1, 1, 4, 5]})
    layer("crop_one", "Crop", "crop_param { axis: 1 offset: 1 }", shapes={"x": [2, 6, 9, 8], "r": [2, 3, 4, 5]})
    layer("interp", "Interp", "interp_param { height: 17 width: 5 }")
    layer("interp_zoom", "Interp", "interp_param { zoom_factor: 3 }")
    layer("interp_shrink", "Interp", "interp_param { shrink_factor: 2 }", shapes={"x": [1, 2, 9, 7]}, by=lambda i: [x(i)[:, :, ::2, ::2]])
    layer("upsample", "Upsample", "upsample_param { scale: 2 }", by=lambda i: [x(i).repeat(2, 2).repeat(2, 3)])
    layer("shuffle_channel", "ShuffleChannel", "shuffle_channel_param { group: 3 }")
    layer("tile", "Tile", "tile_param { axis: 2 tiles: 3 }", by=lambda i: [np.tile(x(i), (1, 1, 3, 1))])
    for kind, of in (("SUM", np.sum), ("ASUM", lambda v, a: np.abs(v).sum(a)), ("SUMSQ", lambda v, a: (v * v).sum(a)), ("MEAN", np.mean)):
        layer(f"reduction_{kind}", "Reduction", f"reduction_param {{ operation: {kind} axis: 2 coeff: 1.5 }}", by=lambda i: [of(x(i), (2, 3)) * 1.5])
    layer("argmax", "ArgMax", by=lambda i: [x(i).reshape(2, -1).argmax(1).reshape(2, 1, 1, 1)])
    layer("argmax_axis", "ArgMax", "argmax_param { axis: 1 }", by=lambda i: [x(i).argmax(1)[:, None]])
    layer("argmax_value", "ArgMax", "argmax_param { axis: 1 out_max_val: true }", by=lambda i: [x(i).max(1, keepdims=True)])
    flat = lambda i: x(i).reshape(2, -1)
    layer("argmax_both", "ArgMax", "argmax_param { out_max_val: true }", by=lambda i: [np.stack([flat(i).argmax(1), flat(i).max(1)], 1).reshape(2, 2, 1, 1)])
    ties = 'layer { name: "c" type: "Power" bottom: "x" top: "m0" power_param { scale: 0 shift: 3 } }\n'
    layer("argmax_last_of_equals", "ArgMax", "argmax_param { axis: 1 }", by=lambda i: [np.full((2, 1, 9, 8), 5.0)], before=ties)
    layer("axpy", "Axpy", shapes={"a": [2, 6, 1, 1], "x": [2, 6, 9, 8], "z": [2, 6, 9, 8]}, by=lambda i: [i["a"] * x(i) + i["z"]])
    prior = "min_size: 20 min_size: 30.5 max_size: 40 max_size: 50 aspect_ratio: 2 aspect_ratio: 3 aspect_ratio: 1 aspect_ratio: 0.5 variance: 0.1"
    maps = {"x": [1, 6, 3, 4], "data": [1, 3, 60, 90]}
    layer("prior_box", "PriorBox", f"prior_box_param {{ {prior} }}", shapes=maps)
    layer("prior_box_step", "PriorBox", "prior_box_param { min_size: 20 flip: false aspect_ratio: 2 step: 16 offset: 0.25 clip: true variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 }", shapes=maps)


def tokens(text):
    return re.findall(r'"[^"]*"|\'[^\']*\'|[{}]|[^\s{}:;,]+', re.sub(r"#[^\n]*", "", text))


def message(words):
    """Fields as lists by name."""
    fields = {}
    while words:
        name = words.pop(0)
        if name == "}":
            break
        value = words.pop(0)
        fields.setdefault(name, []).append(message(words) if value == "{" else value.strip("\"'"))
    return fields


def weights_of(text, shapes):
    """Shapes of all blobs of a net, with ranges that keep its numbers in range."""
    net, blobs, known = message(tokens(text)), [], dict(shapes)
    for one in net.get("layer", []) + net.get("layers", []):
        name, kind = one["name"][0], one["type"][0].upper().replace("_", "")
        if kind == "INPUT":
            continue
        get = lambda block, key, default: int(one.get(block, [{}])[0].get(key, [default])[0])
        dims = known[one["bottom"][0]]
        if kind in ("CONVOLUTION", "DECONVOLUTION"):
            block = "convolution_param"
            outputs, kernel, groups = get(block, "num_output", 0), get(block, "kernel_size", 0), get(block, "group", 1)
            stride, pad = get(block, "stride", 1), get(block, "pad", 0)
            bound = float(np.sqrt(6 / (dims[1] // groups * kernel * kernel)))
            first = [outputs, dims[1] // groups] if kind == "CONVOLUTION" else [dims[1], outputs // groups]
            blobs.append([name, [*first, kernel, kernel], -bound, bound])
            if one[block][0].get("bias_term", ["true"])[0] == "true":
                blobs.append([name, [outputs], -0.1, 0.1])
            size = lambda n: (n + 2 * pad - kernel) // stride + 1 if kind == "CONVOLUTION" else (n - 1) * stride + kernel - 2 * pad
            dims = [dims[0], outputs, size(dims[2]), size(dims[3])]
        elif kind == "INNERPRODUCT":
            outputs, inner = get("inner_product_param", "num_output", 0), int(np.prod(dims[1:]))
            bound = float(np.sqrt(6 / inner))
            blobs += [[name, [outputs, inner], -bound, bound], [name, [outputs], -0.1, 0.1]]
            dims = [dims[0], outputs]
        elif kind == "BATCHNORM":
            blobs += [[name, [dims[1]], -0.1, 0.1], [name, [dims[1]], 1, 3], [name, [1], 2, 2]]
        elif kind == "SCALE":
            blobs += [[name, [dims[1]], 0.5, 1], [name, [dims[1]], -0.1, 0.1]]
        elif kind == "POOLING":
            block = "pooling_param"
            kernel, stride, pad = get(block, "kernel_size", 1), get(block, "stride", 1), get(block, "pad", 0)
            size = lambda n: pool(np.zeros((1, 1, n, n), np.float32), kernel, stride, pad, False).shape[2]
            whole = one[block][0].get("global_pooling")
            dims = [*dims[:2], 1, 1] if whole else [*dims[:2], size(dims[2]), size(dims[3])]
        elif kind == "CONCAT":
            dims = [dims[0], sum(known[b][1] for b in one["bottom"]), *dims[2:]]
        elif kind == "CROP":
            dims = [*dims[:2], *known[one["bottom"][1]][2:]]
        elif kind == "RESHAPE":
            dims = [dims[0], int(np.prod(dims[1:]))]
        elif kind not in ("RELU", "LRN", "DROPOUT", "SOFTMAX", "ELTWISE", "TANH", "FLATTEN"):
            raise ValueError(kind)
        known[one["top"][0]] = dims
    return blobs


# Wide nets are made narrow: what is looked at is how their layers hang together.
NARROW = [["num_output: 4096", "num_output: 64"]]
NARROWER = [*NARROW, ["num_output: 512", "num_output: 64"], ["num_output: 256", "num_output: 32"], ["num_output: 128", "num_output: 16"]]
NETS = [
    ("squeezenet_v1.1.prototxt", {"data": [1, 3, 227, 227]}, ["prob"], []),
    ("bvlc_googlenet.prototxt", {"data": [1, 3, 224, 224]}, ["prob"], []),
    ("ResNet-50-deploy.prototxt", {"data": [1, 3, 224, 224]}, ["prob"], []),
    ("bvlc_alexnet.prototxt", {"data": [1, 3, 227, 227]}, ["prob"], NARROW),
    ("gtsrb.prototxt", {"input": [1, 3, 48, 48]}, ["loss"], []),
    ("openpose_pose_coco.prototxt", {"image": [1, 3, 40, 56]}, ["Mconv7_stage6_L2"], NARROWER),
    ("openpose_pose_mpi.prototxt", {"image": [1, 3, 40, 56]}, ["Mconv7_stage6_L2"], NARROWER),
    ("openpose_pose_mpi_faster_4_stages.prototxt", {"image": [1, 3, 40, 56]}, ["Mconv7_stage4_L2"], NARROWER),
    ("fcn8s-heavy-pascal.prototxt", {"data": [1, 3, 40, 50]}, ["score"], NARROWER),
]
MODELS = [
    ("squeezenet1.1-imagenet/deploy.prototxt", "squeezenet1.1-imagenet/squeezenet_v1.1.caffemodel", {"data": [1, 3, 227, 227]}, ["prob"], -120, 150),
    ("samplenet-cifar10/SampLeNet.prototxt", "samplenet-cifar10/SampLeNet.caffemodel", {"data": [2, 3, 32, 32]}, ["fc3"], -2, 2),
    ("res10_300x300_ssd-face/deploy.prototxt.txt", "res10_300x300_ssd-face/res10_300x300_ssd_iter_140000.caffemodel",
     {"data": [1, 3, 300, 300]}, ["mbox_loc", "mbox_conf_flatten"], -120, 150),
]


def main():
    layers()
    for name, shapes, outputs, narrow in NETS:
        file = f"conformance/opencv_extra_dnn/{name}"
        with open(f"{sys.argv[1]}/{file}") as opened:
            text = opened.read()
        for wide, less in narrow:
            text = re.sub(wide + r"\b", less, text)
        blobs = weights_of(text, shapes)
        case = {"name": name, "file": file, "replace": narrow, "inputs": listed(shapes), "blobs": blobs, "by": "opencv"}
        CASES.append({**case, "outputs": opencv(text, shapes, blobs, outputs)})
    for text, model, shapes, outputs, low, high in MODELS:
        files = [f"models/caffe/{file}" for file in (text, model)]
        net = cv2.dnn.readNetFromCaffe(*(f"{sys.argv[1]}/{file}" for file in files))
        for name, value in inputs_of(shapes, low, high).items():
            net.setInput(value, name)
        case = {"name": model, "file": files[0], "model": files[1], "inputs": listed(shapes, low, high), "by": "opencv"}
        CASES.append({**case, "outputs": [stored(n, v) for n, v in zip(outputs, net.forward(outputs))]})
    lines = ",\n".join(json.dumps(case) for case in CASES)
    print(f'{{"opencv": "{cv2.__version__}", "numpy": "{np.__version__}", "cases": [\n{lines}\n]}}')


main()
