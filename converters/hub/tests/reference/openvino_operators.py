# /// script
# requires-python = ">=3.10"
# dependencies = ["openvino==2026.4.1", "numpy==2.1.3"]
# ///
"""Nets of one family of operators each, written as IR v11 by OpenVINO and run by it in f32.

    python openvino_operators.py ../fixtures/openvino

NAME.xml and NAME.bin are the net, NAME.in.npy its input `x` (uniform in [-2, 2) unless said
otherwise), NAME.out.npy all outputs as f32, flat, in the net's order. Tolerance of the test: 1e-5
of the greatest value of an output (1e-4 for transcendental functions).
"""

import re
import sys
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset1 as o1
from openvino import opset2 as o2
from openvino import opset3 as o3
from openvino import opset4 as o4
from openvino import opset5 as o5
from openvino import opset6 as o6
from openvino import opset7 as o7
from openvino import opset8 as o8
from openvino import opset11 as o11
from openvino import opset14 as o14

RNG = np.random.RandomState(7)
I64 = np.int64


def rand(*shape):
    return RNG.uniform(-1, 1, shape).astype(np.float32)


def ints(*values):
    return np.array(values, I64)


def unary(x):
    p = o1.relu(x)
    names = "relu sigmoid tanh exp abs negative floor ceiling sign erf sin cos tan atan sinh cosh".split()
    for name in names:
        yield getattr(o1, name)(x)
    yield o1.sqrt(o1.abs(x))
    yield o1.log(o1.add(p, np.float32(0.5)))
    yield o4.asinh(x)


def activation(x):
    yield o1.clamp(x, -0.5, 1.25)
    yield o1.elu(x, 0.7)
    yield o1.prelu(x, np.array([0.1, 0.2, 0.3, 0.4], np.float32))
    yield o1.prelu(x, np.array([0.25], np.float32))
    yield o4.hswish(x)
    yield o5.hsigmoid(x)
    yield o4.mish(x)
    yield o4.swish(x)
    yield o4.swish(x, np.float32(1.5))
    yield o4.softplus(x)
    yield o1.hard_sigmoid(x, np.float32(0.3), np.float32(0.4))
    yield o1.selu(x, np.float32(1.6), np.float32(1.05))
    yield o7.gelu(x, "erf")
    yield o7.gelu(x, "tanh")
    yield o1.softmax(x, 1)
    yield o8.softmax(x, -1)
    yield o5.log_softmax(x, 2)


def arithmetic(x):
    row, channel = rand(1, 1, 1, 6), rand(1, 4, 1, 1)
    for name in "add subtract multiply maximum minimum squared_difference".split():
        yield getattr(o1, name)(x, row)
        yield getattr(o1, name)(channel, x)
    yield o1.divide(x, o1.add(o1.abs(x), np.float32(0.5)))
    yield o1.power(o1.abs(x), np.float32(1.5))
    yield o1.floor_mod(x, np.float32(0.75))
    whole = o1.convert(o1.multiply(x, np.float32(10)), "i32")
    yield o1.divide(whole, np.array(3, np.int32))
    yield o1.floor_mod(whole, np.array(-3, np.int32))
    yield o1.convert(o1.greater(x, row), "f32")
    yield o1.convert(o1.logical_and(o1.greater(x, row), o1.less_equal(x, channel)), "f32")
    yield o1.select(o1.less(x, channel), x, row)
    yield o1.matmul(x, rand(6, 3), False, False)
    yield o1.matmul(x, rand(3, 6), False, True)
    yield o1.matmul(x, x, True, False)


def reduce(x):
    for name in "reduce_mean reduce_max reduce_min reduce_sum reduce_prod".split():
        yield getattr(o1, name)(x, ints(2, 3), True)
        yield getattr(o1, name)(x, ints(-1), False)
    yield o4.reduce_l1(x, ints(1), False)
    yield o4.reduce_l2(x, ints(1, 2), True)


def convolution(x):
    for auto in ("explicit", "same_upper", "same_lower", "valid"):
        w = rand(5, 4, 3, 2)
        yield o1.convolution(x, w, [2, 1], [1, 0], [0, 1], [1, 1], auto)
    yield o1.convolution(x, rand(3, 4, 2, 2), [1, 1], [1, 1], [1, 1], [2, 2])
    yield o1.group_convolution(x, rand(2, 3, 2, 3, 3), [1, 2], [1, 1], [1, 1], [1, 1])
    yield o1.group_convolution(x, rand(4, 1, 1, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1], "same_upper")


def transposed(x):
    w = rand(4, 3, 3, 3)
    yield o1.convolution_backprop_data(x, w, [2, 2], None, [1, 1], [1, 1], [1, 1], "explicit", [1, 0])
    yield o1.convolution_backprop_data(x, w, [2, 2], ints(14, 12), [0, 0], [0, 0], [1, 1], "same_upper")
    yield o1.convolution_backprop_data(x, w, [2, 2], ints(13, 11), [0, 0], [0, 0], [1, 1], "same_lower")
    yield o1.convolution_backprop_data(x, w, [2, 2], ints(14, 12), [0, 0], [0, 0], [1, 1], "same_lower")
    yield o1.convolution_backprop_data(x, w, [1, 2], None, [0, 1], [0, 1], [2, 1], "explicit", [0, 0])
    g = rand(2, 2, 3, 2, 2)
    yield o1.group_convolution_backprop_data(x, g, [2, 2], None, [0, 0], [0, 0], [1, 1])


def pool(x):
    for rounding in ("floor", "ceil"):
        for pads in (([0, 0], [0, 0]), ([1, 1], [1, 1]), ([1, 0], [0, 1])):
            yield o1.max_pool(x, [2, 2], *pads, [3, 3], rounding)
            for exclude in (True, False):
                yield o1.avg_pool(x, [2, 2], *pads, [3, 3], exclude, rounding)
    for auto in ("same_upper", "same_lower", "valid"):
        yield o1.max_pool(x, [2, 2], [0, 0], [0, 0], [3, 3], "floor", auto)
        yield o1.avg_pool(x, [2, 2], [0, 0], [0, 0], [3, 3], True, "floor", auto)
    yield o14.avg_pool(x, [2, 2], [1, 1], [1, 1], [3, 3], False, "ceil_torch")
    yield o14.max_pool(x, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3], "ceil_torch").output(0)
    indexed = o8.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2])
    yield indexed.output(0)
    yield indexed.output(1)
    yield o8.max_pool(x, [1, 1], [2, 2], [0, 0], [0, 0], [2, 2]).output(0)


def normalize(x):
    yield o1.lrn(x, ints(1), 0.5, 0.75, 1.0, 3)
    yield o1.lrn(x, ints(1), 0.5, 0.75, 2.0, 5)
    yield o1.normalize_l2(x, ints(1), 1e-3, "add")
    yield o1.normalize_l2(x, ints(1, 2, 3), 30.0, "max")
    yield o2.mvn(x, False, True, 1e-3)
    yield o2.mvn(x, True, False, 1e-3)
    yield o6.mvn(x, ints(1, 3), True, 1e-2, "INSIDE_SQRT")
    yield o6.mvn(x, ints(2, 3), True, 1e-2, "OUTSIDE_SQRT")
    yield o1.grn(x, 0.3)
    one = lambda: np.abs(rand(4)) + np.float32(0.1)
    yield o5.batch_norm_inference(x, one(), one(), one(), one(), 1e-3)


def shape(x):
    yield o1.transpose(x, ints(0, 2, 3, 1))
    yield o1.transpose(x, np.array([], I64))
    yield o1.reshape(x, ints(0, -1, 6), True)
    yield o1.reshape(x, ints(2, 2, 7, 6), False)
    yield o1.squeeze(x, ints(0))
    yield o1.unsqueeze(x, ints(1, -1))
    for mode in ("constant", "edge", "reflect"):
        yield o1.pad(x, ints(0, 1, 2, 0), ints(0, 0, 1, 3), mode, np.float32(1.5))
    yield o1.broadcast(o1.reduce_mean(x, ints(1), True), ints(1, 4, 7, 6))
    yield o3.broadcast(x, ints(2, 1, 1, 1), broadcast_spec="BIDIRECTIONAL")
    yield o1.broadcast(o1.reduce_mean(x, ints(0, 2, 3), False), ints(2, 4, 3), ints(1), "EXPLICIT")
    yield o1.tile(x, ints(2, 1, 3))
    yield o1.depth_to_space(x, "blocks_first", 2)
    yield o1.depth_to_space(x, "depth_first", 2)
    even = o1.pad(x, ints(0, 0, 0, 0), ints(0, 0, 1, 0), "constant", np.float32(0))
    yield o1.space_to_depth(even, "blocks_first", 2)
    yield o1.space_to_depth(even, "depth_first", 2)
    yield o3.shuffle_channels(x, 1, 2)
    yield o2.space_to_batch(x, ints(1, 1, 2, 3), ints(0, 0, 1, 0), ints(0, 0, 0, 0))
    wide = o1.tile(x, ints(6, 1, 1, 1))
    yield o2.batch_to_space(wide, ints(1, 1, 2, 3), ints(0, 0, 1, 0), ints(0, 0, 0, 2))
    yield o2.reorg_yolo(even, [2])
    yield o1.convert(o1.shape_of(x), "f32")


def select(x):
    m = lambda *v: list(v)
    z = m(0, 0, 0, 0)
    yield o1.strided_slice(x, ints(0, 1, 2, 1), ints(1, 3, 7, 6), ints(1, 1, 2, 2), z, z)
    yield o1.strided_slice(x, ints(0, 1, -3, 1), ints(1, 3, 0, 0), ints(1, 1, 1, 1), m(1, 0, 0, 1), m(1, 0, 1, 1))
    yield o1.strided_slice(x, ints(0, 1, 2), ints(0, 2, 3), ints(1, 1, 1), m(1, 0, 0), m(1, 0, 0), [], m(0, 1, 0))
    yield o1.strided_slice(x, ints(0, 0, 1), ints(0, 0, 3), ints(1, 1, 1), m(0, 0, 0), m(0, 0, 0), m(1, 0, 0), [], m(0, 1, 0))
    yield o1.strided_slice(x, ints(0, 3), ints(1, 0), ints(1, -1), m(1, 0), m(1, 1))
    yield o8.slice(x, ints(1, 0), ints(4, 6), ints(1, 2), ints(1, -1))
    for part in o1.split(x, np.array(1, I64), 2).outputs():
        yield part
    for part in o1.variadic_split(x, np.array(3, I64), ints(1, -1, 2)).outputs():
        yield part
    yield o8.gather(x, np.array([3, 0, -1], np.int32), np.array(1, I64))
    yield o6.gather_elements(x, RNG.randint(0, 4, (1, 4, 7, 6)).astype(np.int32), 1)
    top = o11.topk(x, np.array(3, I64), 2, "max", "value")
    yield top.output(0)
    yield o1.convert(top.output(1), "f32")
    yield o1.topk(x, np.array(1, I64), 1, "min", "index").output(0)
    yield o3.scatter_elements_update(x, RNG.permutation(4)[:, None, None].reshape(1, 4, 1, 1).astype(I64), rand(1, 4, 1, 1), np.array(1, I64))
    yield o1.concat([x, x], 2)
    yield o3.cum_sum(x, np.array(2, np.int32), True, False)


def resize(x):
    for mode in ("nearest", "linear", "cubic"):
        for aligned in (True, False):
            for size in ((14, 12), (10, 9), (4, 4)):
                a = {"axes": [2, 3], "mode": mode, "align_corners": aligned, "antialias": False,
                     "pads_begin": [0], "pads_end": [0]}
                yield o1.interpolate(x, ints(*size), a)
    for mode in ("nearest", "linear_onnx", "linear", "cubic"):
        for how in ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"):
            for nearest in ("round_prefer_floor", "floor", "ceil", "round_prefer_ceil"):
                if mode == "nearest" or nearest == "floor":
                    yield o11.interpolate(x, ints(9, 15), mode, "sizes", [0, 0], [0, 0], how, nearest,
                                          False, -0.5, ints(2, 3))
    yield o11.interpolate(x, np.array([1.5, 2.0], np.float32), "linear_onnx", "scales", [0, 0], [0, 0],
                          "asymmetric", "floor", False, -0.75, ints(2, 3))


def quantize(x):
    f = lambda v: np.array(v, np.float32)
    c = lambda *v: np.array(v, np.float32).reshape(1, 4, 1, 1)
    yield o1.fake_quantize(x, f(-1.28), f(1.27), f(-1.28), f(1.27), 256)
    yield o1.fake_quantize(x, f(0), f(2.55), f(0), f(2.55), 256)
    lo = c(-1.28, -0.64, 0, -2.56)
    yield o1.fake_quantize(x, lo, lo + c(2.55, 1.275, 2.55, 5.1), lo, lo + c(2.55, 1.275, 2.55, 5.1), 256)
    yield o1.fake_quantize(x, f(-1), f(1.5), f(-1), f(1.5), 256)
    yield o1.fake_quantize(x, f(-1), f(1), f(0), f(3), 16)
    yield o1.fake_quantize(x, c(-1, -2, -1, -1), c(1, 1, 2, 1), c(0, 0, 0, 0), c(1, 1, 1, 2), 255)


def region(x):
    yield o1.region_yolo(x, 4, 2, 2, False, [0, 1], 1, 3, [1.0, 2.0, 3.0, 4.0])
    yield o1.region_yolo(x, 4, 2, 2, True, [], 1, 3, [1.0, 2.0, 3.0, 4.0])


def priors(x):
    s, image = o1.constant(ints(3, 4)), o1.constant(ints(30, 45))
    base = {"min_size": [8.0], "max_size": [12.0], "aspect_ratio": [2.0, 3.0], "flip": True, "clip": False,
            "step": 0.0, "offset": 0.5, "variance": [0.1, 0.1, 0.2, 0.2], "scale_all_sizes": True,
            "density": [], "fixed_ratio": [], "fixed_size": []}
    for change in ({}, {"clip": True}, {"step": 9.0}, {"flip": False}, {"variance": [0.3]},
                   {"min_size": [5.0, 8.0], "max_size": [7.0, 12.0]}, {"max_size": []}, {"variance": []},
                   {"offset": 0.25, "step": 10.0}, {"scale_all_sizes": False, "min_size": [0.2, 0.4], "max_size": [], "step": 0.2},
                   {"aspect_ratio": [1.0, 2.0, 2.0, 0.5]}):
        yield o1.prior_box(s, image, {**base, **change}, "prior")
    yield o8.prior_box(s, image, {**base, "min_max_aspect_ratios_order": False}, "prior")
    c = {"width": [8.0, 5.0], "height": [4.0, 6.0], "clip": False,
         "offset": 0.5, "variance": [0.1, 0.1, 0.2, 0.2]}
    for change in ({}, {"clip": True}, {"step_widths": 9.0, "step_heights": 11.0}, {"variance": [0.1]}):
        yield o1.prior_box_clustered(s, image, {**c, **change})
    yield o1.relu(x)


FAMILIES = {f.__name__: f for f in (
    unary, activation, arithmetic, reduce, convolution, transposed, pool, normalize, shape, select,
    resize, quantize, region, priors)}


def main(out):
    core = ov.Core()
    for name, family in FAMILIES.items():
        shape = [1, 14, 2, 3] if name == "region" else [1, 4, 7, 6]
        x = o1.parameter(shape, np.float32)
        x.output(0).get_tensor().set_names({"x"})
        outputs = []
        for at, node in enumerate(family(x)):
            port = node if isinstance(node, ov.Output) else node.output(0)
            port.get_tensor().set_names({f"y{at}"})
            outputs.append(port)
        model = ov.Model([o1.result(p) for p in outputs], [x], name)
        value = RNG.uniform(-2, 2, shape).astype(np.float32)
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        found = compiled(value)
        flat = [np.asarray(found[o], np.float32).ravel() for o in compiled.outputs]
        ov.serialize(model, out / f"{name}.xml", out / f"{name}.bin")
        text = (out / f"{name}.xml").read_text()
        text = re.sub(r"\t*<rt_info>.*?</rt_info>\n|\t*<rt_info ?/>\n", "", text, flags=re.S)
        (out / f"{name}.xml").write_text(re.sub(r">\s+<dim>", "><dim>", text))
        np.save(out / f"{name}.in.npy", value)
        np.save(out / f"{name}.out.npy", np.concatenate(flat))
        print(name, len(outputs), sum(f.size for f in flat))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
