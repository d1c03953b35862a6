//! COCO, VOC, ImageNet, folder and synthetic data sets.
