//! Drawing with integers only: the same pixels on every platform.
//!
//! Shapes are tested pixel by pixel in their own frame: the offset from the centre is turned by a
//! fixed-point rotation and scaled so that the radius of the shape is 1024.

use super::random::Random;

/// The shapes that are classes, in the order of their class ids.
pub const SHAPES: [&str; 6] = ["circle", "cross", "ring", "square", "star", "triangle"];

/// sin(i · 3°) · 1024, i = 0..=30; cosines are read backwards.
const SINE: [i32; 31] = [
    0, 54, 107, 160, 213, 265, 316, 367, 416, 465, 512, 558, 602, 644, 685, 724, 761, 796, 828,
    859, 887, 912, 935, 956, 974, 989, 1002, 1011, 1018, 1023, 1024,
];

/// Sine and cosine (× 1024) of `steps` · 3°, any sign.
fn rotation(steps: i32) -> (i32, i32) {
    let at = |s: i32| {
        let s = s.rem_euclid(120);
        let value = |i: i32| SINE[(i.unsigned_abs() as usize).min(30)];
        match s / 30 {
            0 => value(s),
            1 => value(60 - s),
            2 => -value(s - 60),
            _ => -value(120 - s),
        }
    };
    (at(steps), at(steps + 30))
}

/// A shape at its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Index in [`SHAPES`].
    pub(super) class: u32,
    pub(super) x: i32,
    pub(super) y: i32,
    /// Radius of the circle around it, in pixels.
    pub(super) radius: i32,
    /// Rotation in steps of 3°.
    pub(super) turn: i32,
    pub(super) color: [i32; 3],
}

/// Corners (radius 1024) of the five-pointed star: outer and inner alternate, inner radius 430.
const STAR: [(i32, i32); 10] = [
    (0, -1024),
    (253, -348),
    (974, -316),
    (409, 133),
    (602, 828),
    (0, 430),
    (-602, 828),
    (-409, 133),
    (-974, -316),
    (-253, -348),
];
const TRIANGLE: [(i32, i32); 3] = [(0, -1024), (887, 512), (-887, 512)];

/// Point in polygon by the even-odd rule.
fn inside(corners: &[(i32, i32)], u: i32, v: i32) -> bool {
    let mut odd = false;
    let Some(mut a) = corners.last().copied() else {
        return false;
    };
    for &b in corners {
        if (a.1 > v) != (b.1 > v) {
            let (dx, dy) = (i64::from(b.0 - a.0), i64::from(b.1 - a.1));
            let left = i64::from(u - a.0) * dy;
            let right = i64::from(v - a.1) * dx;
            if if dy > 0 { left < right } else { left > right } {
                odd = !odd;
            }
        }
        a = b;
    }
    odd
}

impl Shape {
    /// Calls `f` for every pixel of the shape, also those outside of the picture.
    pub(super) fn pixels(&self, mut f: impl FnMut(i32, i32)) {
        let (sin, cos) = rotation(self.turn);
        let radius = self.radius.max(1);
        for dy in -radius..=radius {
            for dx in -radius..=radius {
                let u = (dx * cos + dy * sin) / radius;
                let v = (dy * cos - dx * sin) / radius;
                let square = u * u + v * v;
                let hit = match self.class {
                    0 => square <= 1024 * 1024,
                    1 => (u.abs() <= 300 && v.abs() <= 980) || (v.abs() <= 300 && u.abs() <= 980),
                    2 => (560 * 560..=1024 * 1024).contains(&square),
                    3 => u.abs() <= 724 && v.abs() <= 724,
                    4 => inside(&STAR, u, v),
                    _ => inside(&TRIANGLE, u, v),
                };
                if hit {
                    f(self.x + dx, self.y + dy);
                }
            }
        }
    }
}

/// RGB pixels as wide integers until the noise is added.
pub(super) struct Canvas {
    pub(super) width: i32,
    pub(super) height: i32,
    pixels: Vec<[i32; 3]>,
}

impl Canvas {
    /// A canvas with a linear gradient between two colours: right, down or diagonally.
    pub(super) fn gradient(width: i32, height: i32, random: &mut Random) -> Self {
        let (from, to, direction) = (random.color(), random.color(), random.range(0, 2));
        let mut pixels = Vec::with_capacity((width * height) as usize);
        for y in 0..height {
            for x in 0..width {
                let (at, of) = match direction {
                    0 => (x, width),
                    1 => (y, height),
                    _ => (x + y, width + height),
                };
                // Half of the way only: a background that runs through all of the range hides every
                // shape somewhere.
                pixels.push(std::array::from_fn(|c| {
                    from[c] + (to[c] - from[c]) * at / (2 * of.max(1))
                }));
            }
        }
        Self {
            width,
            height,
            pixels,
        }
    }

    /// Position of a pixel in row order; `None` outside.
    pub(super) fn index(&self, x: i32, y: i32) -> Option<usize> {
        ((0..self.width).contains(&x) && (0..self.height).contains(&y))
            .then(|| (y * self.width + x) as usize)
    }

    pub(super) fn pixel(&self, x: i32, y: i32) -> [i32; 3] {
        self.index(x, y)
            .and_then(|i| self.pixels.get(i).copied())
            .unwrap_or([128; 3])
    }

    fn set(&mut self, x: i32, y: i32, color: [i32; 3]) {
        if let Some(p) = self.index(x, y).and_then(|i| self.pixels.get_mut(i)) {
            *p = color;
        }
    }

    pub(super) fn shape(&mut self, shape: &Shape) {
        let color = shape.color;
        let (width, height) = (self.width, self.height);
        shape.pixels(|x, y| {
            if (0..width).contains(&x) && (0..height).contains(&y) {
                self.set(x, y, color);
            }
        });
    }

    /// Strokes and spots that are no object.
    pub(super) fn clutter(&mut self, count: i32, random: &mut Random) {
        for _ in 0..count {
            let color = random.color();
            let (mut x, mut y) = (
                random.range(0, self.width - 1),
                random.range(0, self.height - 1),
            );
            let (dx, dy, thick) = (random.range(-3, 3), random.range(-3, 3), random.range(1, 3));
            // A direction of zero leaves a spot.
            for _ in 0..random.range(2, 14) {
                for ty in 0..thick {
                    for tx in 0..thick {
                        self.set(x + tx, y + ty, color);
                    }
                }
                (x, y) = (x + dx, y + dy);
            }
        }
    }

    /// The bytes, R G B, after noise of at most `amplitude` per channel.
    pub(super) fn noisy(&self, amplitude: i32, random: &mut Random) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.pixels.len() * 3);
        for pixel in &self.pixels {
            let bits = random.bits();
            for (c, value) in pixel.iter().enumerate() {
                let byte = ((bits >> (8 * c)) & 255) as i32;
                let noise = (byte * (2 * amplitude + 1)) / 256 - amplitude;
                out.push((value + noise).clamp(0, 255) as u8);
            }
        }
        out
    }
}

/// Sum of the differences of the channels.
pub(super) fn contrast(a: [i32; 3], b: [i32; 3]) -> i32 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(class: u32, turn: i32) -> i32 {
        let mut n = 0;
        Shape {
            class,
            x: 0,
            y: 0,
            radius: 40,
            turn,
            color: [0; 3],
        }
        .pixels(|_, _| n += 1);
        n
    }

    #[test]
    fn areas_are_those_of_the_shapes_at_every_rotation() {
        // r² times: π, cross 4·0.293·0.957·2 − 0.586², π(1 − 0.547²), 2, star, 3√3/4.
        for (class, area) in [
            (0, std::f64::consts::PI),
            (1, 1.900),
            (2, 2.2020),
            (3, 2.0),
            (5, 1.2990),
        ] {
            for turn in [0, 7, 33, -20, 119] {
                let share = f64::from(count(class, turn)) / 1600.0;
                assert!(
                    (share - area).abs() < 0.09,
                    "{} turned {turn}: {share} for {area}",
                    SHAPES[class as usize]
                );
            }
        }
        // Star: five times two triangles, (5/2)·2·(1024·430·sin 36°)/2/1024².
        assert!(
            (f64::from(count(4, 0)) / 1600.0 - 1.234).abs() < 0.07,
            "{}",
            count(4, 0)
        );
    }

    #[test]
    fn the_sine_table_is_a_sine() {
        for steps in -120..=240 {
            let (s, c) = rotation(steps);
            let angle = f64::from(steps) * 3.0_f64.to_radians();
            assert!(
                (f64::from(s) - angle.sin() * 1024.0).abs() < 1.0
                    && (f64::from(c) - angle.cos() * 1024.0).abs() < 1.0,
                "{steps}"
            );
        }
    }
}
