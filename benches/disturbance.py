#!/usr/bin/env python3
"""Does a timed run notice that others had its core? Quiet and loaded runs, alternating, with verdicts.

    python disturbance.py DYNO [ROUNDS [CORE]]

Each round times the quickstart's classifier twice on core CORE (the last one by default): once alone, once beside a busy loop on the same
core. Prints a Markdown table of all runs, and ends with 1 unless no loaded run is VALID and nine of ten quiet ones are. The machine should do nothing else.
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

dyno = Path(sys.argv[1]).resolve()
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
core = int(sys.argv[3]) if len(sys.argv) > 3 else max(os.sched_getaffinity(0))
package = Path(__file__).resolve().parent.parent / "harness/cli/quickstart/shapes-classifier"


def on_core():
    os.sched_setaffinity(0, {core})


def time_it(place):
    line = [dyno, "run", package, "--dataset", "imagenet:classes", "--only", "latency", "--profile", "quick", "--threads", "1", "--format", "json", "-q"]
    done = subprocess.run(list(map(str, line)), cwd=place, capture_output=True, preexec_fn=on_core)
    if done.returncode not in (0, 4):
        sys.exit(done.stderr.decode())
    return next(m for m in json.loads(done.stdout)["measurements"] if m["kind"] == "performance")


def row(number, kind, m):
    median = next(p["ns"] for p in m["percentiles"] if p["p"] == 0.5)
    delays = [t.get("disturbance", {}).get("run_delay_share") for t in m["trials"]]
    shares = ", ".join("?" if d is None else f"{100 * d:.1f} %" for d in delays)
    codes = ", ".join(m["validity"]["codes"])
    print(f"| {number} | {kind} | {median / 1000:.1f} | {shares} | {m['validity']['status']} | {codes} |", flush=True)


valid = {"quiet": 0, "loaded": 0}
with tempfile.TemporaryDirectory() as place:
    subprocess.run([dyno, "datasets", "synthesize", "classes", "--layout", "imagenet", "--count", "40", "-q"], cwd=place, check=True)
    print("| run | machine | p50 µs | waited for the core, each trial | verdict | codes |")
    print("|---|---|---|---|---|---|")
    for number in range(1, rounds + 1):
        for kind in valid:
            busy = subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=on_core) if kind == "loaded" else None
            try:
                measured = time_it(place)
            finally:
                if busy:
                    busy.kill()
                    busy.wait()
            valid[kind] += measured["validity"]["status"] == "VALID"
            row(number, kind, measured)
print(f"\nVALID: {valid['quiet']} of {rounds} quiet runs, {valid['loaded']} of {rounds} loaded ones")
sys.exit(valid["loaded"] > 0 or valid["quiet"] < 0.9 * rounds)
