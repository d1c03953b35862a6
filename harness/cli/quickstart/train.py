"""Trains the two quickstart models on dyno's synthetic set and writes them as ONNX.

    write_synthetic DATA/det-train coco 6000 1001;     write_synthetic DATA/det-val coco 500 3001
    write_synthetic DATA/cls-train imagenet 8000 2001; write_synthetic DATA/cls-val imagenet 1000 4001
    python train.py detector DATA DETECTOR.onnx; python train.py classifier DATA CLASSIFIER.onnx DETECTOR.onnx

The classifier starts from the first five layers of the detector: from random weights it stays at chance for its first epochs.
Everything runs in one thread from fixed seeds. Convolutions are written as shifted slices and one matrix product, because XLA's
backward convolutions are slow on CPUs. Batch normalisation is folded into the convolutions on export. README.md has versions and scores.
"""
import json, os, sys, time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
import cv2, jax, numpy as np, onnx
import jax.numpy as jnp
from onnx import TensorProto, helper, numpy_helper

cv2.setNumThreads(1)
STRIDES, SIZE, CLASSES = (8, 16, 32), 128, 6
# name: (input channels, output channels, stride); all 3 x 3 with padding 1, batch norm and ReLU.
DETECTOR = {"c1": (3, 12, 2), "c2": (12, 24, 2), "c3": (24, 40, 2), "c4": (40, 40, 1), "c5": (40, 48, 2), "c6": (48, 48, 1), "c7": (48, 48, 2)}
LEVELS = {"c4": 8, "c6": 16, "c7": 32}
CLASSIFIER = {name: DETECTOR[name] for name in ("c1", "c2", "c3", "c4", "c5")}


def conv(x, w, b, stride):
    """x [N,H,W,C], w [3,3,C,K] with padding 1."""
    n, h, wd, _ = x.shape
    p = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    parts = [p[:, i : i + h : stride, j : j + wd : stride] for i in range(3) for j in range(3)]
    return jnp.concatenate(parts, -1) @ w.reshape(-1, w.shape[-1]) + b


def init(layers, heads, seed):
    r = np.random.default_rng(seed)
    params, stats = {}, {}
    for name, (c, k, _) in layers.items():
        params[name] = {"w": r.normal(0, (2 / (9 * c)) ** 0.5, (3, 3, c, k)).astype("f4"), "g": np.ones(k, "f4"), "b": np.zeros(k, "f4")}
        stats[name] = {"m": np.zeros(k, "f4"), "v": np.ones(k, "f4")}
    for name, (c, k, bias) in heads.items():
        params[name] = {"w": r.normal(0, 0.01, (c, k)).astype("f4"), "b": np.full(k, bias, "f4")}
    return params, stats


def body(params, stats, x, layers, train):
    new, features = {}, {}
    for name, (_, _, stride) in layers.items():
        p, s = params[name], stats[name]
        x = conv(x, p["w"], 0.0, stride)
        if train:
            m, v = x.mean((0, 1, 2)), x.var((0, 1, 2))
            new[name] = {"m": 0.95 * s["m"] + 0.05 * m, "v": 0.95 * s["v"] + 0.05 * v}
        else:
            m, v = s["m"], s["v"]
        x = jax.nn.relu((x - m) * jax.lax.rsqrt(v + 1e-5) * p["g"] + p["b"])
        features[name] = x
    return features, new


def detector(params, stats, x, train):
    f, new = body(params, stats, x / 255, DETECTOR, train)
    out = []
    for name in LEVELS:
        y = jnp.concatenate([f[name] @ params["r" + name]["w"] + params["r" + name]["b"], f[name] @ params["s" + name]["w"] + params["s" + name]["b"]], -1)
        out.append(y.reshape(y.shape[0], -1, 5 + CLASSES))
    return jnp.concatenate(out, 1), new


def classifier(params, stats, x, train):
    f, new = body(params, stats, x / 255, CLASSIFIER, train)
    return f["c5"].max((1, 2)) @ params["fc"]["w"] + params["fc"]["b"], new


def grid():
    cells = [(x, y, s) for s in STRIDES for y in range(SIZE // s) for x in range(SIZE // s)]
    return np.array(cells, "f4")


GRID = grid()


def bce(logit, target):
    return jnp.maximum(logit, 0) - logit * target + jnp.log1p(jnp.exp(-jnp.abs(logit)))


def detector_loss(params, stats, x, box, label):
    """box [N,A,4] centre and extent in pixels of the input, label [N,A] with -1 for background and -2 for cells that count for nothing."""
    out, new = detector(params, stats, x, True)
    positive = (label >= 0).astype("f4")
    counted = (label != -2).astype("f4")
    n = positive.sum() + 1
    xy, wh = (out[..., :2] + GRID[:, :2]) * GRID[:, 2:], jnp.exp(jnp.clip(out[..., 2:4], -4, 4)) * GRID[:, 2:]
    low, high = jnp.maximum(xy - wh / 2, box[..., :2] - box[..., 2:] / 2), jnp.minimum(xy + wh / 2, box[..., :2] + box[..., 2:] / 2)
    inter = jnp.prod(jnp.maximum(high - low, 0), -1)
    iou = inter / (jnp.prod(wh, -1) + jnp.prod(box[..., 2:], -1) - inter + 1e-6)
    l1 = jnp.abs((xy - box[..., :2]) / GRID[:, 2:]).sum(-1) + jnp.abs(jnp.log(wh / jnp.maximum(box[..., 2:], 1))).sum(-1)
    # The objectness learns the overlap, so that the score orders boxes by their quality.
    obj = (bce(out[..., 4], positive * jax.lax.stop_gradient(iou)) * counted).sum()
    cls = (bce(out[..., 5:], jax.nn.one_hot(label, CLASSES)).sum(-1) * positive).sum()
    return (obj + cls + ((2 * (1 - iou) + 0.5 * l1) * positive).sum()) / n, new


def classifier_loss(params, stats, x, label):
    out, new = classifier(params, stats, x, True)
    return -jnp.take_along_axis(jax.nn.log_softmax(out), label[:, None], 1).mean(), new


def take_over(params, stats, path, images):
    """Weights of an exported model. The batch norms start as the identity on `images`: their statistics are taken layer by layer."""
    weights, x = {w.name: numpy_helper.to_array(w) for w in onnx.load(path).graph.initializer}, images / np.float32(255)
    for name, (_, _, stride) in CLASSIFIER.items():
        w = weights[name + ".w"].transpose(2, 3, 1, 0) * np.float32(255 if name == "c1" else 1)
        y = np.asarray(conv(x, w, 0.0, stride))
        m, v = y.mean((0, 1, 2)), y.var((0, 1, 2))
        params[name], stats[name] = {"w": w, "g": np.sqrt(v + 1e-5), "b": m + weights[name + ".b"]}, {"m": m, "v": v}
        x = np.maximum(y + weights[name + ".b"], 0)


def assign(boxes, labels):
    """Cells of the level that fits the size of a box learn it, when they are within a stride of its centre; larger boxes first."""
    box, label = np.ones((len(GRID), 4), "f4"), np.full(len(GRID), -1, "i4")
    centre = (GRID[:, :2] + 0.5) * GRID[:, 2:]
    for i in sorted(range(len(boxes)), key=lambda i: -boxes[i][2] * boxes[i][3]):
        x, y, w, h = boxes[i]
        side = max(w, h)
        stride = 8 if side < 24 else 16 if side < 48 else 32
        c = np.array([x + w / 2, y + h / 2])
        distance = np.abs(centre - c).max(1) / stride
        level = GRID[:, 2] == stride
        near = level & (distance < 0.8)
        near |= level & (distance == distance[level].min())
        label[level & (distance < 1.2) & (label == -1)] = -2
        box[near], label[near] = (*c, w, h), labels[i]
    return box, label


def load_detector(root):
    file = json.load(open(f"{root}/annotations/instances_val2017.json"))
    objects = {}
    for a in file["annotations"]:
        objects.setdefault(a["image_id"], []).append((a["bbox"], a["category_id"] - 1))
    images, flipped = [], []
    for image in file["images"]:
        pixels = cv2.imread(f"{root}/images/val2017/{image['file_name']}")
        g = min(SIZE / image["width"], SIZE / image["height"])
        w, h = int(image["width"] * g), int(image["height"] * g)
        own = objects.get(image["id"], [])
        for flip in (False, True):
            source = pixels[:, ::-1] if flip else pixels
            canvas = np.full((SIZE, SIZE, 3), 114, "u1")
            canvas[:h, :w] = cv2.resize(np.ascontiguousarray(source), (w, h), interpolation=cv2.INTER_LINEAR)
            boxes = [((image["width"] - b[0] - b[2] if flip else b[0]) * g, b[1] * g, b[2] * g, b[3] * g) for b, _ in own]
            (flipped if flip else images).append((canvas, *assign(boxes, [c for _, c in own])))
    return [np.stack(a) for a in zip(*(images + flipped))]


def load_classifier(root):
    images, labels = [], []
    for line in open(f"{root}/val.txt"):
        name, label = line.split()
        pixels = cv2.resize(cv2.imread(f"{root}/val/{name}"), (64, 64), interpolation=cv2.INTER_LINEAR)[..., ::-1]
        images += [pixels, pixels[:, ::-1]]
        labels += [int(label)] * 2
    return [np.stack(images), np.array(labels, "i4")]


def train(loss, params, stats, data, epochs, batch, rate, seed):
    tree = jax.tree_util
    zeros = lambda: tree.tree_map(np.zeros_like, params)
    steps = epochs * (len(data[0]) // 2 // batch)

    @jax.jit
    def step(params, stats, m, v, i, *item):
        (value, stats), grad = jax.value_and_grad(loss, has_aux=True)(params, stats, item[0].astype("f4"), *item[1:])
        lr = rate * jnp.minimum(1, (i + 1) / 100) * (0.5 + 0.5 * jnp.cos(jnp.pi * i / steps))
        m = tree.tree_map(lambda m, g: 0.9 * m + 0.1 * g, m, grad)
        v = tree.tree_map(lambda v, g: 0.99 * v + 0.01 * g * g, v, grad)
        fix1, fix2 = 1 - 0.9 ** (i + 1), 1 - 0.99 ** (i + 1)
        params = tree.tree_map(lambda p, m, v: p * (1 - 1e-2 * lr) - lr * (m / fix1) / (jnp.sqrt(v / fix2) + 1e-8), params, m, v)
        return params, stats, m, v, value

    r, m, v, i, start = np.random.default_rng(seed), zeros(), zeros(), 0, time.time()
    for epoch in range(epochs):
        # Half of the pictures and their mirror images an epoch.
        order, total, n = r.permutation(len(data[0]))[: len(data[0]) // 2], 0.0, 0
        for k in range(0, len(order) - batch + 1, batch):
            item = [a[order[k : k + batch]] for a in data]
            # Any order of the colours is as good as another.
            item[0] = item[0][..., r.permutation(3)]
            params, stats, m, v, value = step(params, stats, m, v, float(i), *item)
            total, n, i = total + float(value), n + 1, i + 1
        print(f"epoch {epoch + 1}: loss {total / n:.4f}, {time.time() - start:.0f} s", flush=True)
    return tree.tree_map(np.asarray, params), tree.tree_map(np.asarray, stats)


class Graph:
    def __init__(self):
        self.nodes, self.weights = [], []

    def weight(self, name, value):
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def body(self, params, stats, layers, x, scale):
        outputs = {}
        for name, (_, _, stride) in layers.items():
            p, s = params[name], stats[name]
            k = p["g"] / np.sqrt(s["v"] + 1e-5)
            w = (p["w"] * k * (scale if name == "c1" else 1)).transpose(3, 2, 0, 1).astype("f4")
            inputs = [x, self.weight(name + ".w", w), self.weight(name + ".b", (p["b"] - s["m"] * k).astype("f4"))]
            y = self.add("Conv", inputs, name, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[stride, stride])
            x = outputs[name] = self.add("Relu", [y], name + ".relu")
        return outputs

    def point(self, params, name, x):
        w = params[name]["w"].T[:, :, None, None]
        return self.add("Conv", [x, self.weight(name + ".w", w), self.weight(name + ".b", params[name]["b"])], name, kernel_shape=[1, 1])

    def save(self, path, size, output, shape):
        value = lambda n, s: helper.make_tensor_value_info(n, TensorProto.FLOAT, s)
        graph = helper.make_graph(self.nodes, "shapes", [value("images", [1, 3, size, size])], [value(output, shape)], self.weights)
        model = helper.make_model(graph, producer_name="dyno quickstart", opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)
        print(path, os.path.getsize(path), "bytes")


def export_detector(params, stats, path):
    g, parts = Graph(), []
    f = g.body(params, stats, DETECTOR, "images", 1 / 255)
    for name, stride in LEVELS.items():
        scores = g.add("Sigmoid", [g.point(params, "s" + name, f[name])], "s" + name + ".sigmoid")
        y = g.add("Concat", [g.point(params, "r" + name, f[name]), scores], name + ".all", axis=1)
        shape = g.weight(name + ".shape", np.array([1, 5 + CLASSES, (SIZE // stride) ** 2], "i8"))
        parts.append(g.add("Reshape", [y, shape], name + ".flat"))
    g.add("Transpose", [g.add("Concat", parts, "flat", axis=2)], "output", perm=[0, 2, 1])
    g.save(path, SIZE, "output", [1, len(GRID), 5 + CLASSES])


def export_classifier(params, stats, path):
    g = Graph()
    f = g.body(params, stats, CLASSIFIER, "images", 1)
    # The maximum over the picture: a small shape would drown in the mean. rten 0.27 wants the strides said.
    pooled = g.add("MaxPool", [f["c5"]], "pool", kernel_shape=[4, 4], strides=[1, 1])
    flat = g.add("Reshape", [pooled, g.weight("flat.shape", np.array([1, 48], "i8"))], "flat")
    g.add("Gemm", [flat, g.weight("fc.w", params["fc"]["w"]), g.weight("fc.b", params["fc"]["b"])], "logits")
    g.save(path, 64, "logits", [1, CLASSES])


def main(what, data, out, start=None):
    if what == "detector":
        heads = {p + n: (DETECTOR[n][1], k, b) for n in LEVELS for p, k, b in (("r", 4, 0.0), ("s", 1 + CLASSES, -3.0))}
        params, stats = init(DETECTOR, heads, 1)
        params, stats = train(detector_loss, params, stats, load_detector(f"{data}/det-train"), 8, 32, 3e-3, 2)
        export_detector(params, stats, out)
    else:
        params, stats = init(CLASSIFIER, {"fc": (48, CLASSES, 0.0)}, 3)
        items = load_classifier(f"{data}/cls-train")
        take_over(params, stats, start, items[0][:256].astype("f4"))
        params, stats = train(classifier_loss, params, stats, items, 20, 32, 2e-3, 4)
        export_classifier(params, stats, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
