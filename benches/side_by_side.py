#!/usr/bin/env python3
"""dyno against the reference pipeline in plain Python, in one run and alternating, so that the noise of the machine falls on both alike.

    DYNO_ONNXRUNTIME=LIBRARY python side_by_side.py DYNO ASSETS [ROUNDS]

For each model: images a second of the accuracy run (without loading the model, as both sides count), of dyno, of Python's plain loop (2 threads) and of
Python's best mode (2 processes of 1 thread), best and median of ROUNDS; the ratio of wall time to the floor for dyno; and whether the scores are the same.
Python needs onnxruntime, OpenCV below 5, numpy, pillow, pycocotools and psutil, and the scripts beside the assets.
"""
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

dyno, assets = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
scripts = assets.parent / "examples" / "reference_python"
coco, imagenet = f"coco:{assets}/samples/coco", f"imagenet:{assets}/samples/imagenet"
onnx = assets / "models" / "onnx"
models = [
    ("squeezenet1.1", onnx / "squeezenet1.1-imagenet/squeezenet1.1.onnx", ["--recipe", "caffe-bgr"], imagenet,
     ["py_eval_classification.py", "--model", "squeezenet1.1", "--policy", "squash256crop"]),
    ("mobilenet_v2 QDQ", onnx / "mobilenet_v2_1.0_224-imagenet/mobilenet_v2_1.0_224_qdq.onnx", ["--recipe", "tf-slim"], imagenet,
     ["py_eval_classification.py", "--model", "mobilenet_v2_qdq"]),
    ("yolox_nano", onnx / "yolox_nano-coco-416/yolox_nano.onnx", ["--recipe", "yolox"], coco, ["py_eval_detection.py", "--model", "yolox_nano"]),
    ("nanodet_m", onnx / "nanodet_m-coco-320/nanodet_m_320.onnx", ["--recipe", "nanodet"], coco, ["py_eval_detection.py", "--model", "nanodet_m"]),
    ("FastestDet", onnx / "fastestdet-coco-352/FastestDet.onnx", ["--recipe", "fastestdet"], coco, ["py_eval_detection.py", "--model", "fastestdet"]),
]


def run_dyno(path, recipe, dataset):
    with tempfile.TemporaryDirectory() as place:
        command = [dyno, "run", path, *recipe, "--dataset", dataset, "--backend", "onnxruntime", "--only", "accuracy", "--format", "json", "-q"]
        record = json.loads(subprocess.run(list(map(str, command)), cwd=place, check=True, capture_output=True).stdout)
    m = record["measurements"][0]
    slots = m["execution"]["slots"]
    floor = (m["engine_ns"] + m["host_ns"]) / slots
    scores = {s["metric"]: s["value"] for s in m["scores"]}
    score = round(scores["AP"], 4) if "AP" in scores else next(s["hits"] for s in m["scores"] if s["metric"] == "top-1")
    return m["n"] / (m["wall_ns"] / 1e9), m["wall_ns"] / floor, score


def run_python(line, mode):
    extra = ["--mode", "procs", "--workers", "2", "--threads", "1"] if mode == "procs" else ["--mode", "seq", "--threads", "2"]
    out = subprocess.run([sys.executable, scripts / line[0], "--assets", assets, *line[1:], *extra], check=True, capture_output=True).stdout
    result = json.loads(out.splitlines()[-1])
    return result["images_per_s"], round(result["AP"], 4) if "AP" in result else result["hits1"]


print("| model | dyno images/s | Python, loop | Python, 2 processes | dyno ÷ loop | dyno ÷ processes | wall ÷ floor | score: dyno, Python |")
print("|---|---|---|---|---|---|---|---|")
for name, path, recipe, dataset, line in models:
    ours, loop, procs, floors = [], [], [], []
    for _ in range(rounds):
        speed, floor, score = run_dyno(path, recipe, dataset)
        ours.append(speed)
        floors.append(floor)
        speed, reference = run_python(line, "seq")
        loop.append(speed)
        procs.append(run_python(line, "procs")[0])
    median = statistics.median
    against = lambda other: f"{median([a / b for a, b in zip(ours, other)]):.2f}"
    show = lambda v: f"{median(v):.0f} (best {max(v):.0f})"
    print(f"| {name} | {show(ours)} | {show(loop)} | {show(procs)} | {against(loop)} | {against(procs)} | {median(floors):.3f} | {score}, {reference} |", flush=True)
