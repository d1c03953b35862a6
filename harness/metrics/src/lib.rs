//! Top-k, COCO AP, VOC AP and their intervals.
