#!/usr/bin/env python3
"""Accuracy of Darknet's detectors as OpenCV runs them itself, and as ONNX Runtime runs what dyno imports of them.

usage: darknet_ap.py ASSETS IMPORT [FOLDER]

IMPORT is the program `cargo build --release -p dyno-hub --example import` makes. Needs numpy, onnxruntime, pycocotools and OpenCV before 5.
Both runs see the same tensor (stretched by OpenCV, RGB, / 255), keep every class with a score above 0.001 and suppress per class at 0.45.
OpenCV's run decodes by its own layers, from a cfg whose heads have `thresh=0.001` and no suppression; the other decodes in numpy, by the
formulas. Batch normalization is OpenCV's in both (`epsilon=1e-6`); a third run has Darknet's own. FOLDER keeps the detections (COCO results).
Per model it prints the AP of all runs, and the largest difference of the heads' raw numbers over all pictures, absolute and as a share of the
largest number. With `dyno run … --backend onnxruntime` the same numbers come out of the program itself.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from darknet import boxes, read

REPOSITORY = Path(__file__).resolve().parents[4]
THRESHOLD, IOU = 0.001, 0.45


def suppress(found):
    """Per class, greedy; `found` is [n, 6]: x1, y1, x2, y2, score, class."""
    kept = []
    for c in np.unique(found[:, 5]):
        d = found[found[:, 5] == c]
        d = d[np.argsort(-d[:, 4], kind="stable")]
        area = (d[:, 2] - d[:, 0]) * (d[:, 3] - d[:, 1])
        alive = np.ones(len(d), bool)
        for i in range(len(d)):
            if not alive[i]:
                continue
            kept.append(d[i])
            w = np.minimum(d[i, 2], d[i + 1 :, 2]) - np.maximum(d[i, 0], d[i + 1 :, 0])
            h = np.minimum(d[i, 3], d[i + 1 :, 3]) - np.maximum(d[i, 1], d[i + 1 :, 1])
            inter = np.maximum(w, 0) * np.maximum(h, 0)
            alive[i + 1 :] &= ~(inter / (area[i] + area[i + 1 :] - inter) > IOU)
    return np.array(kept).reshape(-1, 6)


def rows_of(table):
    """cx, cy, w, h as shares and scores, [boxes, 4 + classes], to rows of `suppress`."""
    at, classes = np.nonzero(table[:, 4:] > THRESHOLD)
    cx, cy, w, h = table[at, :4].T
    return np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, table[at, 4 + classes], classes.astype(np.float64)], 1)


def evaluable(text):
    lines = []
    for line in text.splitlines():
        if line.replace(" ", "").split("=")[0] in ("thresh", "nms_threshold"):
            continue
        lines.append(line)
        if line.strip() == "[yolo]":
            lines += [f"thresh={THRESHOLD}", "nms_threshold=0"]
    return "\n".join(lines) + "\n"


def sets(assets):
    coco = assets / "samples/coco"
    truth = json.loads((coco / "annotations/instances_val2017.json").read_text())
    pictures = [(i["id"], coco / "images/val2017" / i["file_name"]) for i in truth["images"]]
    categories = sorted(c["id"] for c in truth["categories"])
    annotations = coco / "annotations/instances_val2017.json"
    yield "coco", pictures, categories, ["coco_ap.py", str(annotations)]
    voc = assets / "samples/voc"
    root = next(p.parents[1] for p in voc.rglob("ImageSets/Main"))
    split = "val"
    names = sorted(line.split()[0] for line in open(root / f"ImageSets/Main/{split}.txt") if line.strip())
    pictures = [(n, root / "JPEGImages" / f"{name}.jpg") for n, name in enumerate(names, 1)]
    yield "voc", pictures, list(range(1, 21)), ["voc_ap.py", str(root), split]


def main():
    assets, program = Path(sys.argv[1]), sys.argv[2]
    models = sorted(assets.glob("models/darknet/*/*.cfg"))
    for kind, pictures, categories, judge in sets(assets):
        for cfg in models:
            sections = read(cfg)
            heads = [(i, o) for i, (name, o) in enumerate(sections[1:]) if name == "yolo"]
            if not heads or int(heads[0][1]["classes"]) != len(categories):
                continue
            net = sections[0][1]
            size = (int(net["width"]), int(net["height"]))
            pixels = np.array(size * 2)
            with tempfile.TemporaryDirectory() as folder:
                folder = Path(folder)
                sessions = {}
                for epsilon in ("1e-6", "1e-5"):
                    onnx = folder / f"{epsilon}.onnx"
                    command = [program, "darknet", str(cfg.with_suffix(".weights")), str(cfg), "-p", f"epsilon={epsilon}", "-o", str(onnx)]
                    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                    sessions[epsilon] = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
                (folder / "net.cfg").write_text(evaluable(cfg.read_text()))
                opencv = cv2.dnn.readNetFromDarknet(str(folder / "net.cfg"), str(cfg.with_suffix(".weights")))
                opencv.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
                names = list(opencv.getUnconnectedOutLayersNames())
                raw = [f"conv_{i - 1}" for i, _ in heads]
                runs, absolute, relative = {"opencv": [], "1e-6": [], "1e-5": []}, 0.0, 0.0

                def keep(run, picture, table):
                    found = suppress(rows_of(table))
                    scale = np.array([*picture.shape[1::-1]] * 2)
                    for r in found:
                        x1, y1, x2, y2 = r[:4] * scale
                        runs[run].append({"image_id": ident, "category_id": categories[int(r[5])], "bbox": [x1, y1, x2 - x1, y2 - y1], "score": float(r[4])})

                for ident, path in pictures:
                    picture = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
                    x = cv2.dnn.blobFromImage(picture, 1 / 255, size, swapRB=True, crop=False)
                    opencv.setInput(x)
                    results = opencv.forward(names + raw)
                    tables = [t.astype(np.float64) for t in results[: len(names)]]
                    keep("opencv", picture, np.concatenate([np.delete(t, 4, 1) for t in tables]))
                    for epsilon, session in sessions.items():
                        ours = session.run(None, {"data": x})
                        decoded = [boxes(net, o, "yolo", t.shape[1:], t) for (_, o), t in zip(heads, ours)]
                        table = np.concatenate(decoded, 1).T
                        table[:, :4] /= pixels
                        keep(epsilon, picture, table)
                        if epsilon == "1e-6":
                            for a, b in zip(ours, results[len(names) :]):
                                gap = float(np.abs(a - b).max())
                                absolute, relative = max(absolute, gap), max(relative, gap / float(np.abs(b).max()))
                print(f"{cfg.stem} on {kind}, {len(pictures)} pictures: raw heads differ by {absolute:.1e}, {relative:.1e} of the greatest number")
                for run, detections in runs.items():
                    kept = Path(sys.argv[3]) if len(sys.argv) > 3 else folder
                    out = kept / f"{cfg.stem}-{run}.json"
                    out.write_text(json.dumps(detections))
                    command = [sys.executable, str(REPOSITORY / "tests/fixtures" / judge[0]), *judge[1:], str(out)]
                    print(f"  {run}: {len(detections)} detections, {subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()}")


if __name__ == "__main__":
    main()
