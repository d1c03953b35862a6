#!/usr/bin/env python3
"""What OpenCV and both forks of Darknet compute of the cfgs in `darknet/`, with weights made from a seed.

usage: darknet.py ASSETS ALEXEYAB/libdarknet.so PJREDDIE/libdarknet.so > darknet.json

needs numpy and OpenCV before 5 (its later versions do not read Darknet). The libraries are https://github.com/AlexeyAB/darknet at 59596d78,
built with `make LIBSO=1`, and https://github.com/pjreddie/darknet at f6afaabc, built with `make`. From ASSETS come one famous topology, with made weights, and the real models.

Weights and inputs are not stored: element i is a function of i and a seed that this script and the Rust test both have (`elements`). The
fixture holds, per part of a file of weights, its length and range, and per output (the layer before each head, else the last) the results
of the engines. Tolerance of the test: 1e-4 of the greatest number. Batch normalization: OpenCV adds 1e-6 to the variance, AlexeyAB 1e-5, and
pjreddie 1e-6 to its root. `boxes` is what
the heads' numbers of OpenCV become by the formulas, in f64: [4 + classes, boxes]; the tests of dyno-vision hold the same formulas against
OpenCV's own layers.
"""
import ctypes
import json
import os
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

FOLDER = Path(__file__).parent / "darknet"
# What OpenCV 4.14 does not read, or reads otherwise than Darknet.
NOT_OPENCV = {
    "crop": "no adjustment",
    "strided-shortcuts": "another extent",
    "activations": "seven activations only",
    "rare": "dilation, reorg3d, local_avgpool, batchnorm, temperature",
    "weighted-shortcuts": "several layers, weights",
}
# What AlexeyAB's fork refuses.
NOT_ALEXEYAB = ["strided-shortcuts"]
# What pjreddie's fork reads as the others do.
PJREDDIE = ["crop", "strided-shortcuts", "v2", "v3", "v3-tiny", "shortcuts", "squeezenet1.1", "yolo-fastest-1.1", "MobileNetV2-YOLOv3-Nano-coco", "MobileNetV2-YOLOv3-Nano-voc"]


def elements(count, seed):
    """Pseudo-random f32 in [0, 1) with 24 bits."""
    u = (np.arange(count, dtype=np.uint64) * 2654435761 + seed * 40503) & 0xFFFFFFFF
    u ^= u >> 15
    u = (u * 2246822519) & 0xFFFFFFFF
    u ^= u >> 13
    return ((u >> 8).astype(np.float32)) / np.float32(16777216)


def read(path):
    sections = []
    for line in path.read_text().splitlines():
        line = line.replace(" ", "")
        if line.startswith("["):
            sections.append((line.strip("[]"), {}))
        elif line and line[0] not in "#;":
            key, value = line.split("=")
            sections[-1][1][key] = value
    return sections


def parts(sections):
    """Parts of the file of weights: [numbers, factor, shift], and the shape of every layer."""
    net = sections[0][1]
    shape = (int(net["channels"]), int(net["height"]), int(net["width"]))
    shapes, made = [], []
    put = lambda n, factor, shift: made.append([n, factor, shift])

    def normalization(n):
        put(n, 1.0, 0.5), put(n, 0.5, -0.25), put(n, 1.0, 0.5)

    for index, (name, o) in enumerate(sections[1:]):
        c, h, w = shape
        number = lambda key, default: int(o.get(key, default))
        at = lambda n: shapes[n if n >= 0 else index + n]
        sx = number("stride_x", number("stride", 1))
        sy = number("stride_y", number("stride", 1))
        if name in ("convolutional", "conv"):
            n, k, g = number("filters", 1), number("size", 1), number("groups", 1)
            p = k // 2 if number("pad", 0) else number("padding", 0)
            fan = c // g * k * k
            put(n, 0.5, -0.25)
            if number("batch_normalize", 0):
                normalization(n)
            put(n * fan, 4 / fan**0.5, -2 / fan**0.5)
            shape = (n, (h + 2 * p - k) // sy + 1, (w + 2 * p - k) // sx + 1)
        elif name == "connected":
            n = number("output", 1)
            put(n, 0.5, -0.25)
            put(n * c * h * w, 4 / (c * h * w) ** 0.5, -2 / (c * h * w) ** 0.5)
            if number("batch_normalize", 0):
                normalization(n)
            shape = (n, 1, 1)
        elif name == "batchnorm":
            put(c, 0.5, -0.25), normalization(c)
        elif name in ("maxpool", "local_avgpool"):
            k = number("size", sx)
            p = number("padding", k - 1)
            shape = (c, (h + p - k) // sy + 1, (w + p - k) // sx + 1)
        elif name == "avgpool":
            shape = (c, 1, 1)
        elif name == "route":
            of = [at(int(n)) for n in o["layers"].split(",")]
            shape = (sum(s[0] for s in of) // number("groups", 1), of[0][1], of[0][2])
        elif name == "shortcut":
            inputs = len(o["from"].split(",")) + 1
            each = {"none": 0, "per_feature": 1, "per_channel": c}[o.get("weights_type", "none")]
            if each:
                put(inputs * each, 1.5, -0.5)
        elif name in ("scale_channels", "sam"):
            shape = at(int(o["from"]))
        elif name == "crop":
            shape = (c, number("crop_height", 1), number("crop_width", 1))
        elif name == "upsample":
            s = number("stride", 2)
            shape = (c, h * s, w * s)
        elif name in ("reorg", "reorg3d"):
            s = number("stride", 1)
            shape = (c * s * s, h // s, w // s)
        elif name not in ("dropout", "cost", "softmax", "activation", "yolo", "region"):
            raise ValueError(name)
        shapes.append(shape)
    return made, shapes


def outputs(sections):
    """Numbers of the layers that are outputs."""
    heads = [i for i, (name, _) in enumerate(sections[1:]) if name in ("yolo", "region")]
    last = max(i for i, (name, _) in enumerate(sections[1:]) if name not in ("cost", "dropout"))
    return [i - 1 for i in heads] or [last]


def weights_of(made, seed):
    total = sum(n for n, _, _ in made)
    raw, at, values = elements(total, seed), 0, []
    for n, factor, shift in made:
        values.append(raw[at : at + n] * np.float32(factor) + np.float32(shift))
        at += n
    header = np.array([0, 2, 5, 0, 0], "<i4").tobytes()
    return header + b"".join(v.astype("<f4").tobytes() for v in values)


def cut(path, layer):
    """The cfg up to a layer."""
    kept, count = [], -2
    for line in path.read_text().splitlines():
        if line.startswith("["):
            count += 1
        if count > layer:
            break
        kept.append(line)
    return "\n".join(kept) + "\n"


def summary(values):
    """At most 200 numbers in equal steps, and the mean of all distances from 0, so that none can hide."""
    step = -(-len(values) // 200)
    digits = lambda v: float(f"{v:.7g}")
    mean = float(np.abs(values.astype(np.float64)).mean())
    return {"step": step, "values": [digits(v) for v in values[::step]], "mean_distance": digits(mean)}


def by_opencv(cfg, weights, x):
    net = cv2.dnn.readNetFromDarknet(cfg, weights)
    net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
    net.setInput(x)
    return net.forward().ravel()


def by_darknet(library, cfg, weights, x, count):
    # The library writes a layer table to both streams.
    saved, null = [os.dup(1), os.dup(2)], os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1), os.dup2(null, 2)
    try:
        floats = ctypes.POINTER(ctypes.c_float)
        library.network_predict.restype = floats
        if hasattr(library, "load_network_custom"):
            library.load_network_custom.restype = ctypes.c_void_p
            library.network_predict_ptr.restype = floats
            net = ctypes.c_void_p(library.load_network_custom(cfg.encode(), weights.encode(), 0, 1))
            predict = library.network_predict_ptr
        else:
            library.load_network.restype = ctypes.c_void_p
            net = ctypes.c_void_p(library.load_network(cfg.encode(), weights.encode(), 0))
            library.set_batch_network(net, 1)
            predict = library.network_predict
        data = np.ascontiguousarray(x, np.float32)
        result = predict(net, data.ctypes.data_as(floats))
        return np.array(result[:count], np.float32)
    finally:
        library.fflush(None) if hasattr(library, "fflush") else None
        os.dup2(saved[0], 1), os.dup2(saved[1], 2)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def boxes(net, o, kind, shape, raw):
    """[4 + classes, anchors * cells]: cx, cy, w, h in pixels, and scores."""
    classes = int(o["classes"])
    anchors = np.array([float(v) for v in o["anchors"].split(",")]).reshape(-1, 2)
    anchors = anchors[[int(m) for m in o["mask"].split(",")]] if "mask" in o else anchors[: int(o["num"])]
    rows, columns = shape[1:]
    cell = np.array([int(net["width"]) / columns, int(net["height"]) / rows])[None, :, None, None]
    t = raw.astype(np.float64).reshape(len(anchors), 5 + classes, rows, columns)
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)))[None]
    s, activated = float(o.get("scale_x_y", 1)), int(o.get("new_coords", 0))
    act = (lambda v: v) if activated else sigmoid
    centre = (act(t[:, :2]) * s - (s - 1) / 2 + grid) * cell
    extent = ((2 * t[:, 2:4]) ** 2 if activated else np.exp(t[:, 2:4])) * anchors[:, :, None, None]
    scores = act(t[:, 5:])
    if kind == "region":
        extent = extent * cell
        if int(o["softmax"]):
            e = np.exp(t[:, 5:] - t[:, 5:].max(1, keepdims=True))
            scores = e / e.sum(1, keepdims=True)
    joined = np.concatenate([centre, extent, act(t[:, 4:5]) * scores], 1)
    return joined.transpose(1, 0, 2, 3).reshape(4 + classes, -1)


def main():
    assets, library, pjreddie = Path(sys.argv[1]), ctypes.CDLL(sys.argv[2]), ctypes.CDLL(sys.argv[3])
    nets = {}
    topology = assets / "conformance" / "opencv_extra_dnn" / "tiny-yolo-voc.cfg"
    models = sorted(assets.glob("models/darknet/*/*.cfg"))
    for seed, path in enumerate([*sorted(FOLDER.glob("*.cfg")), topology, *models]):
        real = path.with_suffix(".weights")
        name, sections = path.stem, read(path)
        made, shapes = parts(sections)
        net = sections[0][1]
        shape = [1, int(net["channels"]), int(net["height"]), int(net["width"])]
        x = elements(int(np.prod(shape)), 1000 + seed).reshape(shape)
        found = []
        with tempfile.TemporaryDirectory() as folder:
            weights, cfg = os.path.join(folder, "net.weights"), os.path.join(folder, "net.cfg")
            if real.exists():
                made, weights = None, str(real)
            else:
                Path(weights).write_bytes(weights_of(made, seed))
            decoded = []
            for layer in outputs(sections):
                Path(cfg).write_text(cut(path, layer))
                result = {"layer": layer, "shape": [1, *shapes[layer]]}
                count = int(np.prod(shapes[layer]))
                if name not in NOT_OPENCV:
                    values = by_opencv(cfg, weights, x)
                    assert len(values) == count, (name, len(values), count)
                    result["opencv"] = summary(values)
                theirs = None
                if name not in NOT_ALEXEYAB:
                    theirs = by_darknet(library, cfg, weights, x, count)
                    result["darknet"] = summary(theirs)
                if name in PJREDDIE:
                    third = by_darknet(pjreddie, cfg, weights, x, count)
                    result["pjreddie"] = summary(third)
                    if theirs is not None:
                        gap = float(np.abs(third - theirs).max() / np.abs(theirs).max())
                        print(f"{name} layer {layer}: the forks differ by {gap:.1e}", file=sys.stderr)
                kind, head = sections[1:][layer + 1] if layer + 2 < len(sections) else ("", {})
                if kind in ("yolo", "region"):
                    decoded.append(boxes(net, head, kind, shapes[layer], values))
                if "opencv" in result:
                    a, b = values, theirs
                    gap = float(np.abs(a - b).max() / np.abs(b).max())
                    print(f"{name} layer {layer}: OpenCV and Darknet differ by {gap:.1e}", file=sys.stderr)
                found.append(result)
        nets[name] = {"seed": seed, "input": shape, "weights": made, "outputs": found}
        if decoded:
            nets[name]["boxes"] = summary(np.concatenate(decoded, 1).ravel())
    versions = {"numpy": np.__version__, "opencv": cv2.__version__, "darknet": "AlexeyAB 59596d78", "pjreddie": "f6afaabc"}
    print(json.dumps({"made_by": "darknet.py", **versions, "nets": nets}, separators=(",", ":")))


if __name__ == "__main__":
    main()
