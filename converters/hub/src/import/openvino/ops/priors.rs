//! Prior boxes, computed while translating: `[2, 4·P]`, corners as shares of the image, then
//! variances. Arithmetic in `f32`, as OpenVINO's.

use super::super::attributes::Attributes;

/// Most prior boxes of a layer.
const MOST: usize = 1 << 22;

/// Rows and columns of the feature map, height and width of the image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) layer: [usize; 2],
    pub(crate) image: [usize; 2],
}

/// Corners and variances of the boxes, one row after the other.
struct Boxes {
    corners: Vec<f32>,
    image: [f32; 2],
    clip: bool,
}

impl Boxes {
    /// A box of half extents `half` (width, height) about a centre (x, y), in pixels.
    fn push(&mut self, centre: [f32; 2], half: [f32; 2]) {
        let [height, width] = self.image;
        let mut corners = [
            (centre[0] - half[0]) / width,
            (centre[1] - half[1]) / height,
            (centre[0] + half[0]) / width,
            (centre[1] + half[1]) / height,
        ];
        if self.clip {
            corners = corners.map(|c| c.clamp(0.0, 1.0));
        }
        self.corners.extend(corners);
    }

    fn finish(mut self, variance: &[f32]) -> Result<Vec<f32>, String> {
        let four = match variance {
            [] => [0.1; 4],
            [one] => [*one; 4],
            &[a, b, c, d] => [a, b, c, d],
            more => return Err(format!("{} variances", more.len())),
        };
        for _ in 0..self.corners.len() / 4 {
            self.corners.extend(four);
        }
        Ok(self.corners)
    }
}

fn start(sizes: Sizes, each: usize, clip: bool) -> Result<Boxes, String> {
    let cells = sizes.layer[0].checked_mul(sizes.layer[1]);
    let count = cells
        .and_then(|c| c.checked_mul(each))
        .filter(|c| *c <= MOST);
    let count = count.ok_or_else(|| format!("more than {MOST} prior boxes"))?;
    Ok(Boxes {
        corners: Vec::with_capacity(count * 8),
        image: sizes.image.map(|v| v as f32),
        clip,
    })
}

/// `PriorBox`: per cell and `min_size` the square, the one of size `√(min·max)`, and one for each
/// aspect ratio other than 1.
pub(crate) fn prior_box(attributes: &Attributes<'_>, sizes: Sizes) -> Result<Vec<f32>, String> {
    let mut minima: Vec<f32> = attributes.list("min_size")?;
    let maxima: Vec<f32> = attributes.list("max_size")?;
    for key in ["fixed_size", "fixed_ratio", "density"] {
        attributes.only(key, &[""])?;
    }
    let scale_all = attributes.flag("scale_all_sizes", true)?;
    let maximum_second = attributes.flag("min_max_aspect_ratios_order", true)?;
    let offset: f32 = attributes.needed("offset")?;
    let clip = attributes.flag("clip", false)?;
    let variance: Vec<f32> = attributes.list("variance")?;
    let ratios = ratios(attributes)?;
    let mut step: f32 = attributes.number("step", 0.0)?;
    let [rows, columns] = sizes.layer;
    let [height, width] = sizes.image.map(|v| v as f32);
    if !scale_all {
        step = if (step + 1.0).abs() < f32::EPSILON {
            height / rows as f32
        } else {
            step * height
        };
        for size in &mut minima {
            *size *= height;
        }
    }
    let each = minima.len() * (1 + ratios.len()) + maxima.len();
    let mut boxes = start(sizes, each, clip)?;
    let last = minima.len().saturating_sub(1);
    for row in 0..rows {
        for column in 0..columns {
            let centre = if step == 0.0 {
                let [x, y] = [width / columns as f32, height / rows as f32];
                [(column as f32 + 0.5) * x, (row as f32 + 0.5) * y]
            } else {
                [
                    (column as f32 + offset) * step,
                    (row as f32 + offset) * step,
                ]
            };
            for (at, &size) in minima.iter().enumerate() {
                boxes.push(centre, [size * 0.5; 2]);
                let greater = maxima.get(at).map(|max| (size * max).sqrt() * 0.5);
                if let Some(half) = greater.filter(|_| maximum_second) {
                    boxes.push(centre, [half; 2]);
                }
                if scale_all || at == last {
                    let half = if scale_all { size } else { minima[0] } * 0.5;
                    for ratio in &ratios {
                        let root = ratio.sqrt();
                        boxes.push(centre, [half * root, half / root]);
                    }
                }
                if let Some(half) = greater.filter(|_| !maximum_second) {
                    boxes.push(centre, [half; 2]);
                }
            }
        }
    }
    boxes.finish(&variance)
}

/// Aspect ratios other than 1, each once, with `flip` their inverses too.
fn ratios(attributes: &Attributes<'_>) -> Result<Vec<f32>, String> {
    let given: Vec<f32> = attributes.list("aspect_ratio")?;
    let flip = attributes.flag("flip", false)?;
    let mut all = vec![1.0f32];
    for ratio in given {
        if ratio <= 0.0 || !ratio.is_finite() {
            return Err(format!("an aspect ratio of {ratio}"));
        }
        if all.iter().all(|known| (known - ratio).abs() >= 1e-6) {
            all.push(ratio);
            if flip {
                all.push(1.0 / ratio);
            }
        }
    }
    all.remove(0);
    Ok(all)
}

/// `PriorBoxClustered`: per cell one box for each pair of `width` and `height`.
pub(crate) fn clustered(attributes: &Attributes<'_>, sizes: Sizes) -> Result<Vec<f32>, String> {
    let widths: Vec<f32> = attributes.list("width")?;
    let heights: Vec<f32> = attributes.list("height")?;
    if widths.len() != heights.len() {
        return Err(format!(
            "{} widths and {} heights",
            widths.len(),
            heights.len()
        ));
    }
    // Nothing turns: it is written for every kind of prior box.
    attributes.text("flip");
    let clip = attributes.flag("clip", false)?;
    let offset: f32 = attributes.needed("offset")?;
    let variance: Vec<f32> = attributes.list("variance")?;
    let both: f32 = attributes.number("step", 0.0)?;
    let first = |keys: [&str; 2]| -> Result<f32, String> {
        let one: f32 = attributes.number(keys[0], 0.0)?;
        let other: f32 = attributes.number(keys[1], 0.0)?;
        Ok(if one == 0.0 { other } else { one })
    };
    let mut step = [
        first(["step_w", "step_widths"])?,
        first(["step_h", "step_heights"])?,
    ];
    let [rows, columns] = sizes.layer;
    let [height, width] = sizes.image.map(|v| v as f32);
    if step == [0.0, 0.0] {
        step = if both == 0.0 {
            [width / columns as f32, height / rows as f32]
        } else {
            [both; 2]
        };
    }
    let mut boxes = start(sizes, widths.len(), clip)?;
    for row in 0..rows {
        for column in 0..columns {
            let centre = [
                (column as f32 + offset) * step[0],
                (row as f32 + offset) * step[1],
            ];
            for (w, h) in widths.iter().zip(&heights) {
                boxes.push(centre, [w / 2.0, h / 2.0]);
            }
        }
    }
    boxes.finish(&variance)
}
