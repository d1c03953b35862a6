#!/usr/bin/env python3
"""Two builds of dyno against each other, alternating in one run, so that the noise of the machine falls on both alike.

    DYNO_ONNXRUNTIME=LIBRARY python two_binaries.py OLD NEW ASSETS [ROUNDS] [ENGINE...]

For each model and engine: images a second of the accuracy run and of the whole process (from start to exit), NEW ÷ OLD pair by pair, median, least and greatest;
peak resident memory of either with eight workers; and whether the two give the same scores. Needs nothing but Python.
"""
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

old, new, assets = (Path(p).resolve() for p in sys.argv[1:4])
rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
engines = sys.argv[5:] or ["tract", "rten", "onnxruntime"]
onnx = assets / "models" / "onnx"
coco, imagenet = f"coco:{assets}/samples/coco", f"imagenet:{assets}/samples/imagenet"
models = [
    ("squeezenet1.1", onnx / "squeezenet1.1-imagenet/squeezenet1.1.onnx", "caffe-bgr", imagenet),
    ("mobilenet_v2 QDQ", onnx / "mobilenet_v2_1.0_224-imagenet/mobilenet_v2_1.0_224_qdq.onnx", "tf-slim", imagenet),
    ("yolox_nano", onnx / "yolox_nano-coco-416/yolox_nano.onnx", "yolox", coco),
    ("nanodet_m", onnx / "nanodet_m-coco-320/nanodet_m_320.onnx", "nanodet", coco),
    ("FastestDet", onnx / "fastestdet-coco-352/FastestDet.onnx", "fastestdet", coco),
]


def run(binary, path, recipe, dataset, engine, *more):
    """Wall time of the process, its greatest resident memory in MiB, and its record."""
    with tempfile.TemporaryDirectory() as place:
        command = [binary, "run", path, "--recipe", recipe, "--dataset", dataset, "--backend", engine, "--only", "accuracy", "--format", "json", "-q", *more]
        start = time.monotonic()
        process = subprocess.Popen(list(map(str, command)), cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"DYNO_CACHE_DIR": f"{place}/cache"})
        out, err = process.communicate()
        wall = time.monotonic() - start
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {process.returncode}\n{err.decode()}")
    return wall, json.loads(out)


def peak_mib(binary, *arguments):
    """The greatest resident memory of one run, in a process of its own, because the system counts the greatest of all children."""
    code = "import resource,subprocess,sys; subprocess.run(sys.argv[1:],check=True,capture_output=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    with tempfile.TemporaryDirectory() as place:
        out = subprocess.run([sys.executable, "-c", code, str(binary), *map(str, arguments)], cwd=place, check=True, capture_output=True).stdout
    return int(out) / 1024


def images_per_s(record):
    m = record["measurements"][0]
    return m["n"] / (m["wall_ns"] / 1e9)


def scores(record):
    """The scores of the whole; those of single classes are elsewhere in some versions."""
    return {s["metric"]: s["value"] for s in record["measurements"][0]["scores"] if "/" not in s["metric"]}


def ratio(values):
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


print("| engine, model | images/s old, new | images/s new ÷ old | whole process new ÷ old | peak MiB with 8 workers: old, new | scores |")
print("|---|---|---|---|---|---|")
for engine in engines:
    for name, path, recipe, dataset in models:
        speeds, walls, pairs = [], [], []
        same = True
        for number in range(rounds + 1):
            order = [old, new] if number % 2 else [new, old]
            got = {binary: run(binary, path, recipe, dataset, engine) for binary in order}
            same &= scores(got[old][1]) == scores(got[new][1])
            if number == 0:
                continue  # files into the page cache
            pairs.append((images_per_s(got[old][1]), images_per_s(got[new][1])))
            speeds.append(pairs[-1][1] / pairs[-1][0])
            walls.append(got[new][0] / got[old][0])
        eight = ["run", path, "--recipe", recipe, "--dataset", dataset, "--backend", engine, "--only", "accuracy", "-q", "--workers", "8", "--samples", "32"]
        memory = [peak_mib(binary, *eight) for binary in (old, new)]
        shown = [statistics.median(p[i] for p in pairs) for i in (0, 1)]
        print(f"| {engine}, {name} | {shown[0]:.0f}, {shown[1]:.0f} | {ratio(speeds)} | {ratio(walls)} | {memory[0]:.0f}, {memory[1]:.0f} | {'the same bits' if same else 'DIFFERENT'} |", flush=True)
