//! The last pass: `u8` pixels to one item of the tensor, in one sweep.
//!
//! A pixel value has 256 states, so the arithmetic of [`Normalize`] is done 256 times a channel
//! when the model is opened and looked up afterwards: the same bits as computing each pixel in f32,
//! whatever the steps cost.

use dyno_core::{ChannelOrder, DType, Layout, Normalize, TensorData, TensorSliceMut};
use dyno_image::View;
use half::f16;

/// One value per pixel value.
type Table<T> = [T; 256];

/// Tables of the tensor's channels, in the tensor's order.
enum Tables {
    F32(Box<[Table<f32>; 3]>),
    F16(Box<[Table<f16>; 3]>),
    U8(Box<[Table<u8>; 3]>),
}

/// Writes images into tensors of one type, layout and channel order.
pub(super) struct Packer {
    tables: Tables,
    order: ChannelOrder,
    layout: Layout,
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer")
            .field("order", &self.order)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

/// Number of channels.
pub(super) fn channel_count(order: ChannelOrder) -> usize {
    match order {
        ChannelOrder::Rgb | ChannelOrder::Bgr => 3,
        ChannelOrder::Gray => 1,
    }
}

/// The documented order: divisor, mean, std, scale, each step in f32.
fn normalized(value: f32, normalize: &Normalize, channel: usize) -> f32 {
    let of = |list: &Option<Vec<f32>>| list.as_ref().and_then(|l| l.get(channel).copied());
    let mut v = value;
    if let Some(divisor) = normalize.divisor {
        v /= divisor;
    }
    if let Some(mean) = of(&normalize.mean) {
        v -= mean;
    }
    if let Some(std) = of(&normalize.std) {
        v /= std;
    }
    if let Some(scale) = normalize.scale {
        v *= scale;
    }
    v
}

fn check(normalize: &Normalize, channels: usize) -> Result<(), String> {
    for (name, list) in [("mean", &normalize.mean), ("std", &normalize.std)] {
        if let Some(list) = list
            && list.len() != channels
        {
            return Err(format!(
                "`{name}` of `normalize` has {} values for {channels} channels",
                list.len()
            ));
        }
    }
    let mut divisors = normalize
        .divisor
        .iter()
        .chain(normalize.std.iter().flatten());
    if divisors.any(|v| v.abs().partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater)) {
        return Err("`normalize` divides by zero".to_owned());
    }
    let mut all = normalize
        .divisor
        .iter()
        .chain(&normalize.scale)
        .chain(normalize.mean.iter().flatten())
        .chain(normalize.std.iter().flatten());
    if all.any(|v| !v.is_finite()) {
        return Err("`normalize` has a number that is not finite".to_owned());
    }
    Ok(())
}

impl Packer {
    /// A packer with its tables.
    ///
    /// # Errors
    /// Says in words why type, channels and normalization do not go together.
    pub(super) fn new(
        dtype: DType,
        layout: Layout,
        order: ChannelOrder,
        normalize: Option<&Normalize>,
    ) -> Result<Self, String> {
        let channels = channel_count(order);
        if let Some(n) = normalize {
            check(n, channels)?;
        }
        let value = |pixel: usize, channel: usize| {
            normalize.map_or(pixel as f32, |n| normalized(pixel as f32, n, channel))
        };
        let tables = match dtype {
            DType::F32 => Tables::F32(Box::new(std::array::from_fn(|c| {
                std::array::from_fn(|p| value(p, c))
            }))),
            DType::F16 => Tables::F16(Box::new(std::array::from_fn(|c| {
                std::array::from_fn(|p| f16::from_f32(value(p, c)))
            }))),
            DType::U8 if normalize.is_none() => Tables::U8(Box::new(std::array::from_fn(|_| {
                std::array::from_fn(|p| p as u8)
            }))),
            DType::U8 => {
                return Err("the model's input is u8, which `normalize` cannot give".to_owned());
            }
            other => {
                return Err(format!(
                    "the model's input is {other}; images become f32, f16 or u8"
                ));
            }
        };
        Ok(Self {
            tables,
            order,
            layout,
        })
    }

    /// Writes `view` into item `item` of `data`, whose items have exactly the view's pixels.
    /// `false` when they have not.
    pub(super) fn pack(&self, view: View<'_>, data: &mut TensorData, item: usize) -> bool {
        match (&self.tables, data.as_mut_slice()) {
            (Tables::F32(tables), TensorSliceMut::F32(data)) => {
                self.write(tables, view, data, item)
            }
            (Tables::F16(tables), TensorSliceMut::F16(data)) => {
                self.write(tables, view, data, item)
            }
            (Tables::U8(tables), TensorSliceMut::U8(data)) => self.write(tables, view, data, item),
            _ => false,
        }
    }

    fn write<T: Copy>(
        &self,
        tables: &[Table<T>; 3],
        view: View<'_>,
        data: &mut [T],
        item: usize,
    ) -> bool {
        let (width, pixels) = (
            view.width() as usize,
            view.width() as usize * view.height() as usize,
        );
        let each = pixels * channel_count(self.order);
        let Some(data) = item
            .checked_mul(each)
            .and_then(|start| data.get_mut(start..start.checked_add(each)?))
        else {
            return false;
        };
        if pixels == 0 {
            return false;
        }
        let [t0, t1, t2] = tables;
        match (self.order, self.layout) {
            (ChannelOrder::Gray, _) => {
                for (y, out) in (0..view.height()).zip(data.chunks_exact_mut(width)) {
                    for (pixel, out) in view.row(y).as_chunks::<3>().0.iter().zip(out) {
                        *out = t0[luma(*pixel) as usize];
                    }
                }
            }
            (order, Layout::Nchw) => {
                let (first, rest) = data.split_at_mut(pixels);
                let (second, third) = rest.split_at_mut(pixels);
                let (reds, blues, red, blue) = if order == ChannelOrder::Bgr {
                    (third, first, t2, t0)
                } else {
                    (first, third, t0, t2)
                };
                let rows = reds
                    .chunks_exact_mut(width)
                    .zip(second.chunks_exact_mut(width))
                    .zip(blues.chunks_exact_mut(width));
                for (y, ((reds, greens), blues)) in (0..view.height()).zip(rows) {
                    for (((pixel, r), g), b) in view
                        .row(y)
                        .as_chunks::<3>()
                        .0
                        .iter()
                        .zip(reds)
                        .zip(greens)
                        .zip(blues)
                    {
                        *r = red[pixel[0] as usize];
                        *g = t1[pixel[1] as usize];
                        *b = blue[pixel[2] as usize];
                    }
                }
            }
            (order, Layout::Nhwc) => {
                let (first, third) = if order == ChannelOrder::Bgr {
                    (2, 0)
                } else {
                    (0, 2)
                };
                for (y, out) in (0..view.height()).zip(data.chunks_exact_mut(width * 3)) {
                    for (pixel, out) in view
                        .row(y)
                        .as_chunks::<3>()
                        .0
                        .iter()
                        .zip(out.as_chunks_mut::<3>().0)
                    {
                        *out = [
                            t0[pixel[first] as usize],
                            t1[pixel[1] as usize],
                            t2[pixel[third] as usize],
                        ];
                    }
                }
            }
        }
        true
    }
}

/// OpenCV's luma of an RGB pixel: 0.299, 0.587, 0.114 in 15-bit fixed point, rounded half up.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    ((u32::from(r) * 9798 + u32::from(g) * 19235 + u32::from(b) * 3735 + (1 << 14)) >> 15).min(255)
        as u8
}
