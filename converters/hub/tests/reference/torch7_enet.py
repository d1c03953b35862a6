# /// script
# requires-python = ">=3.10"
# dependencies = ["opencv-python-headless==4.14.0.94", "numpy"]
# ///
"""Classes that OpenCV's reader of Torch7 gives ENet on real pictures.

    DYNO_ASSETS=… python torch7_enet.py > torch7_enet.json

The input of each picture is made so that the test makes the same:
pixels of the PNG in RGB, each taken at `floor((i + 0.5) · from / to)`, divided by 255, as
1x3x512x1024. Stored: the sum of that input's bytes, the class of every 37th pixel as a letter (`a`
is 0), the count of each class over all pixels, and the greatest magnitude and 64 values of the
scores.
"""

import json
import os
import sys
from pathlib import Path

import cv2
import numpy as np

PICTURE_FOLDER = "conformance/opencv_extra_dnn"
PICTURES = ["googlenet_0.png", "googlenet_1.png", "grace_hopper_227.png"]
# Every so many-th pixel's class is stored.
STEP = 37
SIZE = (512, 1024)


def main():
    assets = Path(os.environ["DYNO_ASSETS"])
    net = cv2.dnn.readNetFromTorch(str(assets / "models/torch7/enet-cityscapes/enet-model.net"))
    cases = []
    for name in PICTURES:
        picture = cv2.imread(str(assets / PICTURE_FOLDER / name))
        rows, columns = (((np.arange(n) * 2 + 1) * f) // (2 * n) for n, f in zip(SIZE, picture.shape))
        rgb = picture[rows][:, columns][:, :, ::-1]
        x = (rgb.astype(np.float32) / np.float32(255)).transpose(2, 0, 1)[None]
        net.setInput(np.ascontiguousarray(x))
        scores = net.forward()
        classes = scores[0].argmax(0)
        flat = scores.ravel()
        cases.append({
            "picture": f"{PICTURE_FOLDER}/{name}",
            "sum": int(rgb.astype(np.int64).sum()),
            "counts": np.bincount(classes.ravel(), minlength=scores.shape[1]).tolist(),
            "classes": "".join(chr(97 + c) for c in classes.ravel()[::STEP]),
            "greatest": float(np.abs(flat).max()),
            "values": [float(f"{v:.9g}") for v in flat[:: flat.size // 64][:64]],
        })
    json.dump({"opencv": cv2.__version__, "size": SIZE, "cases": cases}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
