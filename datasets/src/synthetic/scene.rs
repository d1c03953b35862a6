//! What a picture shows, and its pixels.

use super::{
    draw::{Canvas, SHAPES, Shape, contrast},
    random::Random,
};
use dyno_core::{
    Annotation, DatasetError, ImageAnnotation, LabelId, LabelMap, ObjectAnnotation, Xywh,
};
use dyno_image::{Image, encode_png};

/// What the pictures are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Several shapes a picture, each with its box.
    Detection,
    /// One dominant shape a picture; its class is the shape.
    Classification,
}

impl Task {
    /// Its name: `detection`, `classification`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detection => "detection",
            Self::Classification => "classification",
        }
    }
}

/// A synthetic set: picture `i` depends on `seed`, `size`, `task` and `i` alone, so a longer set
/// begins with the shorter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntheticSpec {
    /// What the pictures are for.
    pub task: Task,
    /// Number of pictures, 1 to 100,000.
    pub count: u32,
    /// Seed.
    pub seed: u64,
    /// The longer side in pixels, 32 to 1024.
    pub size: u32,
}

impl Default for SyntheticSpec {
    fn default() -> Self {
        Self {
            task: Task::Detection,
            count: 256,
            seed: 1,
            size: 160,
        }
    }
}

/// A picture with what is true of it.
pub(super) struct Scene {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) annotation: Annotation,
    canvas: Canvas,
    noise: i32,
    random: Random,
}

impl SyntheticSpec {
    /// Refuses a count or size out of range.
    ///
    /// # Errors
    /// [`DatasetError::Usage`] with the range.
    pub fn check(&self) -> Result<(), DatasetError> {
        if !(1..=100_000).contains(&self.count) {
            return Err(DatasetError::Usage(format!(
                "`count` is {}, it must be 1 to 100000",
                self.count
            )));
        }
        if !(32..=1024).contains(&self.size) {
            return Err(DatasetError::Usage(format!(
                "`size` is {}, it must be 32 to 1024",
                self.size
            )));
        }
        Ok(())
    }

    /// The classes: [`SHAPES`] in their order.
    pub fn labels(&self) -> LabelMap {
        LabelMap::from_names(SHAPES)
    }

    /// Name of a picture: `000000.png`.
    pub(super) fn file_name(index: u32) -> String {
        format!("{index:06}.png")
    }

    pub(super) fn scene(&self, index: u32) -> Scene {
        let mut random = Random::new(
            self.seed,
            if self.task == Task::Detection { 1 } else { 2 },
            index,
        );
        let long = self.size as i32;
        let short = random.range(long * 5 / 8, long);
        let (width, height) = if random.chance(50) {
            (long, short)
        } else {
            (short, long)
        };
        let mut canvas = Canvas::gradient(width, height, &mut random);
        let clutter = random.range(0, 8);
        canvas.clutter(clutter, &mut random);
        let annotation = match self.task {
            Task::Detection => Annotation::Objects(ImageAnnotation {
                // Files count images from 1.
                image_id: i64::from(index) + 1,
                width: width as u32,
                height: height as u32,
                objects: detection(&mut canvas, &mut random),
            }),
            Task::Classification => Annotation::Class(classification(&mut canvas, &mut random)),
        };
        let over = random.range(0, 4);
        canvas.clutter(over, &mut random);
        Scene {
            width: width as u32,
            height: height as u32,
            annotation,
            noise: random.range(
                4,
                if self.task == Task::Detection {
                    56
                } else {
                    100
                },
            ),
            canvas,
            random,
        }
    }
}

impl Scene {
    /// The picture as a PNG file.
    pub(super) fn png(mut self) -> Result<Vec<u8>, DatasetError> {
        let bytes = self.canvas.noisy(self.noise, &mut self.random);
        let encoded =
            Image::from_raw(self.width, self.height, bytes).and_then(|image| encode_png(&image));
        encoded.map_err(|e| {
            DatasetError::Usage(format!(
                "a synthetic picture of {} x {} pixels cannot be encoded: {e}",
                self.width, self.height
            ))
        })
    }
}

/// A shape that differs from what it is drawn on.
fn shape(canvas: &Canvas, random: &mut Random, radius: (i32, i32)) -> Shape {
    let class = random.range(0, SHAPES.len() as i32 - 1) as u32;
    let radius = random.range(radius.0, radius.1).max(4);
    let (x, y) = (
        random.range(0, canvas.width - 1),
        random.range(0, canvas.height - 1),
    );
    let ground = canvas.pixel(x, y);
    let mut color = random.color();
    for _ in 0..16 {
        if contrast(color, ground) >= 70 {
            break;
        }
        color = random.color();
    }
    Shape {
        class,
        x,
        y,
        radius,
        turn: random.range(-8, 8),
        color,
    }
}

/// Shapes that were drawn, with the share of their pixels that still shows.
struct Placed {
    class: u32,
    all: u32,
    visible: u32,
}

/// Draws one to six shapes, every one of which keeps 45 % of its pixels; their boxes are read off
/// the pixels that they own at the end.
fn detection(canvas: &mut Canvas, random: &mut Random) -> Vec<ObjectAnnotation> {
    let side = canvas.width.min(canvas.height);
    let mut owner: Vec<u8> = vec![0; (canvas.width * canvas.height) as usize];
    let mut placed: Vec<Placed> = Vec::new();
    for _ in 0..random.range(1, 6) {
        for _attempt in 0..6 {
            let shape = shape(canvas, random, (side / 14, side / 4));
            let (mut all, mut own) = (0u32, Vec::new());
            shape.pixels(|x, y| {
                all += 1;
                own.extend(canvas.index(x, y));
            });
            let mut covered = vec![0u32; placed.len()];
            for &i in &own {
                if let Some(count) = owner
                    .get(i)
                    .and_then(|o| usize::from(*o).checked_sub(1))
                    .and_then(|o| covered.get_mut(o))
                {
                    *count += 1;
                }
            }
            let enough = |visible: u32, all: u32| u64::from(visible) * 100 >= u64::from(all) * 45;
            let others = placed
                .iter()
                .zip(&covered)
                .all(|(p, c)| enough(p.visible.saturating_sub(*c), p.all));
            if own.is_empty() || !enough(own.len() as u32, all) || !others {
                continue;
            }
            for (p, c) in placed.iter_mut().zip(&covered) {
                p.visible = p.visible.saturating_sub(*c);
            }
            placed.push(Placed {
                class: shape.class,
                all,
                visible: own.len() as u32,
            });
            for i in own {
                if let Some(o) = owner.get_mut(i) {
                    *o = placed.len() as u8;
                }
            }
            canvas.shape(&shape);
            break;
        }
    }
    boxes(&owner, canvas.width as usize, &placed)
}

fn boxes(owner: &[u8], width: usize, placed: &[Placed]) -> Vec<ObjectAnnotation> {
    let mut extents: Vec<Option<[usize; 4]>> = vec![None; placed.len()];
    for (i, o) in owner.iter().enumerate() {
        let (x, y) = (i % width, i / width);
        if let Some(extent) = usize::from(*o)
            .checked_sub(1)
            .and_then(|o| extents.get_mut(o))
        {
            let e = extent.get_or_insert([x, y, x, y]);
            *e = [e[0].min(x), e[1].min(y), e[2].max(x), e[3].max(y)];
        }
    }
    placed
        .iter()
        .zip(extents)
        .filter_map(|(p, extent)| extent.map(|e| (p.class, e)))
        .map(|(class, [x1, y1, x2, y2])| {
            let bbox = Xywh {
                x: x1 as f64,
                y: y1 as f64,
                w: (x2 - x1 + 1) as f64,
                h: (y2 - y1 + 1) as f64,
            };
            // The caller numbers the objects of the set.
            ObjectAnnotation {
                id: 0,
                label: LabelId(class),
                bbox,
                area: bbox.w * bbox.h,
                iscrowd: false,
                difficult: false,
                truncated: false,
            }
        })
        .collect()
}

/// Draws one shape near the middle; in two of three pictures a smaller square hides a part of it.
fn classification(canvas: &mut Canvas, random: &mut Random) -> LabelId {
    let side = canvas.width.min(canvas.height);
    let mut shape = shape(canvas, random, (side / 11, side * 2 / 5));
    shape.x = canvas.width / 2 + random.range(-side / 5, side / 5);
    shape.y = canvas.height / 2 + random.range(-side / 5, side / 5);
    let ground = canvas.pixel(shape.x, shape.y);
    if contrast(shape.color, ground) < 45 {
        shape.color = std::array::from_fn(|c| (ground[c] + 128) % 256);
    }
    canvas.shape(&shape);
    if random.chance(67) {
        let reach = shape.radius * 4 / 5;
        let (x, y) = (
            shape.x + random.range(-reach, reach),
            shape.y + random.range(-reach, reach),
        );
        let color = if random.chance(50) {
            ground
        } else {
            random.color()
        };
        canvas.shape(&Shape {
            class: 3,
            x,
            y,
            radius: shape.radius * random.range(40, 80) / 100,
            turn: random.range(-15, 15),
            color,
        });
    }
    LabelId(shape.class)
}
