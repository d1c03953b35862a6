"""Scores the two quickstart models with onnxruntime on the held-out sets: `python evaluate.py DATA`.

Independent of dyno's own pipeline, so the two can be compared. Detector: OpenCV letterbox, score 0.001, NMS 0.65 per class, at most
100 boxes an image, pycocotools. Classifier: OpenCV stretch, top-1 and top-5.
"""
import contextlib, io, json, os, sys
import cv2, numpy as np, onnxruntime
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

HERE = os.path.dirname(os.path.abspath(__file__))
GRID = np.array([(x, y, s) for s in (8, 16, 32) for y in range(128 // s) for x in range(128 // s)], "f4")


def session(name):
    return onnxruntime.InferenceSession(f"{HERE}/{name}/{name}.onnx", providers=["CPUExecutionProvider"])


def nms(boxes, scores, limit):
    area, order, keep = (boxes[:, 2:] - boxes[:, :2]).prod(1), np.argsort(-scores, kind="stable"), []
    while len(order):
        i, rest = order[0], order[1:]
        keep.append(i)
        inter = np.maximum(np.minimum(boxes[i, 2:], boxes[rest, 2:]) - np.maximum(boxes[i, :2], boxes[rest, :2]), 0).prod(1)
        order = rest[inter / (area[i] + area[rest] - inter) <= limit]
    return keep


def detector(root):
    run, found = session("shapes-detector"), []
    path = f"{root}/annotations/instances_val2017.json"
    for image in json.load(open(path))["images"]:
        pixels = cv2.imread(f"{root}/images/val2017/{image['file_name']}")
        g = min(128 / image["width"], 128 / image["height"])
        w, h = int(image["width"] * g), int(image["height"] * g)
        canvas = np.full((128, 128, 3), 114, "u1")
        canvas[:h, :w] = cv2.resize(pixels, (w, h), interpolation=cv2.INTER_LINEAR)
        out = run.run(None, {"images": canvas.transpose(2, 0, 1)[None].astype("f4")})[0][0]
        centre, extent = (out[:, :2] + GRID[:, :2]) * GRID[:, 2:], np.exp(out[:, 2:4]) * GRID[:, 2:]
        boxes = np.concatenate([centre - extent / 2, centre + extent / 2], 1) / g
        label, score = out[:, 5:].argmax(1), out[:, 4] * out[:, 5:].max(1)
        best = []
        for c in range(6):
            mine = np.flatnonzero((label == c) & (score >= 0.001))
            best += [mine[k] for k in nms(boxes[mine], score[mine], 0.65)]
        for i in sorted(best, key=lambda i: -score[i])[:100]:
            x1, y1, x2, y2 = map(float, boxes[i])
            found.append({"image_id": image["id"], "category_id": int(label[i]) + 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": float(score[i])})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(path)
        e = COCOeval(truth, truth.loadRes(found), "bbox")
        e.evaluate(), e.accumulate(), e.summarize()
    print("detector", *(f"{n} {v:.4f}" for n, v in zip(("AP", "AP50", "AP75"), e.stats)))


def classifier(root):
    run, one, five, n = session("shapes-classifier"), 0, 0, 0
    for line in open(f"{root}/val.txt"):
        name, label = line.split()
        pixels = cv2.resize(cv2.imread(f"{root}/val/{name}"), (64, 64), interpolation=cv2.INTER_LINEAR)[..., ::-1]
        order = np.argsort(-run.run(None, {"images": (pixels.transpose(2, 0, 1)[None].astype("f4") / np.float32(255))})[0][0], kind="stable")
        one, five, n = one + (order[0] == int(label)), five + (int(label) in order[:5]), n + 1
    print(f"classifier top-1 {one / n:.4f} top-5 {five / n:.4f} of {n}")


detector(f"{sys.argv[1]}/det-val")
classifier(f"{sys.argv[1]}/cls-val")
