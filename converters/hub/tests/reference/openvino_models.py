# /// script
# requires-python = ">=3.10"
# dependencies = ["openvino==2026.4.1", "numpy==2.1.3"]
# ///
"""What OpenVINO gives for real IR models on seeded input, in f32.

    DYNO_ASSETS=… python openvino_models.py > openvino_models.json

Each input: pseudo-random numbers in [0, 1) (multiplicative congruence 48271 modulo 2^31 - 1, seed
20260704 plus the input's position) times `scale`, an open batch as 1. Of each output: name, shape, the sum and the greatest of
the magnitudes, and 64 values at equal steps. `tolerance` is a share of the greatest magnitude (and of
the sum): 1e-4, what f32 convolutions in another order of summation differ by.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import openvino as ov

IR = "conformance/openvino_ir/inference-engine/tests/functional/inference_engine/ir_serialization/models"
MODELS = [
    (f"{IR}/add_abc.xml", 1.0),
    (f"{IR}/add_abc_initializers.xml", 1.0),
    (f"{IR}/nms5.xml", 1.0),
    (f"{IR}/pad_with_shape_of.xml", 1.0),
    (f"{IR}/shape_of.xml", 1.0),
    ("models/dldt/deeplabv3-mnv2-voc-v11/deeplabv3_257.xml", 1.0),
    ("models/dldt/mediapipe-face-detection/face_detection.xml", 1.0),
    ("models/dldt/samplenet-cifar10/SampLeNet.xml", 1.0),
    ("models/dldt/squeezenet1.1-imagenet-v11/squeezenet1.1.xml", 255.0),
    ("models/dldt/tf-pose-mobilenetv2-0.5-coco-v11/tf_pose_mobilenetv2_0.5.xml", 255.0),
]


def seeded(shape, position):
    state, out = 20260704 + position, np.empty(int(np.prod(shape)), np.float64)
    for at in range(out.size):
        state = state * 48271 % 2147483647
        out[at] = state / 2147483647.0
    return out.astype(np.float32).reshape(shape)


def main():
    core = ov.Core()
    folder = Path(os.environ["DYNO_ASSETS"])
    models = []
    for name, scale in MODELS:
        model = core.read_model(folder / name)
        inputs = {}
        for at, port in enumerate(model.inputs):
            shape = [d.get_length() if d.is_static else 1 for d in port.get_partial_shape()]
            inputs[port.get_any_name()] = seeded(shape, at) * np.float32(scale)
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        found = compiled(inputs)
        outputs = []
        for output in compiled.outputs:
            values = np.asarray(found[output], np.float32).ravel()
            count = min(64, values.size)
            picked = values[:: max(1, values.size // count)][:count]
            outputs.append({
                "name": output.get_any_name(),
                "shape": list(found[output].shape),
                "sum": float(np.abs(values.astype(np.float64)).sum()),
                "greatest": float(np.abs(values).max()),
                "values": [float(f"{v:.9g}") for v in picked],
            })
        models.append({"model": name, "scale": scale, "tolerance": 1e-4, "outputs": outputs})
    json.dump({"openvino": ov.__version__, "models": models}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
