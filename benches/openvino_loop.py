#!/usr/bin/env python3
"""Latency of one query through dyno's slot against a bare loop over the same library, process by process in turns, so that the noise of the machine falls on both alike.

    DYNO_OPENVINO=LIBRARY python openvino_loop.py DYNO MODEL.onnx [PAIRS]

Python must have `openvino` of the library's version. Both sides: device CPU, f32, one thread, one stream, hint latency, batch 1, one request, as many timed runs as dyno made. dyno says its p50
of scenario single-stream, timed query without preprocessing (`--only latency` without a data set); the loop takes the median of `infer()` on an input that was set once. Prints the medians of each
pair, the geometric mean of the ratios dyno ÷ loop, and its 95 % interval (Student's t on the logarithms).
"""
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

dyno, model = (Path(p).resolve() for p in sys.argv[1:3])
pairs = int(sys.argv[3]) if len(sys.argv) > 3 else 12
# Two-sided 97.5 % points of Student's t by degrees of freedom.
T = {5: 2.571, 7: 2.365, 9: 2.262, 11: 2.201, 15: 2.131, 19: 2.093, 29: 2.045}

LOOP = """
import statistics, sys, time
import numpy as np, openvino as ov
core = ov.Core()
model = core.read_model(sys.argv[1])
compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1})
request = compiled.create_infer_request()
x = np.random.RandomState(0).uniform(0, 1, list(compiled.inputs[0].shape)).astype(np.float32)
request.set_input_tensor(ov.Tensor(x, shared_memory=True))
for _ in range(20):
    request.infer()
times = []
for _ in range(int(sys.argv[2])):
    begin = time.perf_counter_ns()
    request.infer()
    times.append(time.perf_counter_ns() - begin)
print(statistics.median(times))
"""


def of_dyno():
    """p50 in nanoseconds, and how many queries were timed."""
    with tempfile.TemporaryDirectory() as place:
        command = [dyno, "run", model, "--backend", "openvino", "--only", "latency", "--threads", "1", "--profile", "quick", "--format", "json", "-q"]
        done = subprocess.run(list(map(str, command)), cwd=place, capture_output=True, env=os.environ | {"DYNO_CACHE_DIR": f"{place}/cache"})
    # Code 4 is a latency that was not steady, which the interval shows as well.
    if done.returncode not in (0, 4):
        sys.exit(f"dyno: exit {done.returncode}\n{done.stderr.decode()}")
    measured = next(m for m in json.loads(done.stdout)["measurements"] if m["kind"] == "performance")
    return next(p["ns"] for p in measured["percentiles"] if p["p"] == 50), measured["n"]


def of_loop(count):
    done = subprocess.run([sys.executable, "-c", LOOP, str(model), str(count)], capture_output=True, check=True)
    return float(done.stdout)


ratios = []
count = 500
for number in range(pairs + 1):
    if number % 2:
        loop = of_loop(count)
        mine, count = of_dyno()
    else:
        mine, count = of_dyno()
        loop = of_loop(count)
    if number == 0:
        continue  # files into the page cache
    ratios.append(mine / loop)
    print(f"pair {number}: dyno {mine / 1e6:.3f} ms, loop {loop / 1e6:.3f} ms, ratio {ratios[-1]:.4f}", flush=True)
logs = [math.log(r) for r in ratios]
mean, error = statistics.mean(logs), statistics.stdev(logs) / math.sqrt(len(logs))
t = T.get(len(logs) - 1, 2.2)
print(f"ratio dyno / loop: {math.exp(mean):.4f}, 95 % interval {math.exp(mean - t * error):.4f} to {math.exp(mean + t * error):.4f}, {len(logs)} pairs")
