//! Windows over images: their places, and pooling.
//!
//! `SAME` pads `max((ceil(in / stride) - 1) · stride + (k - 1) · dilation + 1 - in, 0)` in total, the
//! odd one at the end; `VALID` nothing.

use crate::{
    graph::{Attribute, ElementType, Tensor},
    import::tensorflow::{
        context::{Context, Op, Out, signed},
        value::{Live, Val},
    },
};

/// Where windows lie along one axis.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Window {
    pub(in super::super) kernel: usize,
    pub(in super::super) stride: usize,
    pub(in super::super) dilation: usize,
}

/// Number of windows along an axis and the padding before and after; `explicit` are the paddings of
/// `EXPLICIT`.
pub(in super::super) fn out_and_pads(
    extent: usize,
    window: Window,
    padding: &str,
    explicit: (usize, usize),
) -> Result<(usize, usize, usize), String> {
    let Window {
        kernel,
        stride,
        dilation,
    } = window;
    if kernel == 0 || stride == 0 || dilation == 0 {
        return Err(format!(
            "window {kernel}, stride {stride}, dilation {dilation}"
        ));
    }
    let reach = (kernel - 1)
        .checked_mul(dilation)
        .and_then(|r| r.checked_add(1))
        .ok_or("a window too large")?;
    let (before, after) = match padding {
        "SAME" => {
            let out = extent.div_ceil(stride);
            let total = (out.saturating_sub(1) * stride + reach).saturating_sub(extent);
            (total / 2, total - total / 2)
        }
        "VALID" => (0, 0),
        "EXPLICIT" => explicit,
        other => return Err(format!("padding `{other}`")),
    };
    let padded = extent.saturating_add(before).saturating_add(after);
    let room = padded
        .checked_sub(reach)
        .ok_or_else(|| format!("a window of {reach} over {padded}"))?;
    Ok((room / stride + 1, before, after))
}

/// The height and width of a list by axis; the numbers of batch and channels must be 1.
pub(in super::super) fn spatial(
    list: &[i64],
    nchw: bool,
    what: &str,
) -> Result<[usize; 2], String> {
    let (n, c, h, w) = match *list {
        [] => return Ok([1, 1]),
        [n, c, h, w] if nchw => (n, c, h, w),
        [n, h, w, c] => (n, c, h, w),
        _ => return Err(format!("{what} {list:?}")),
    };
    match (usize::try_from(h), usize::try_from(w)) {
        (Ok(h), Ok(w)) if n == 1 && c == 1 && h > 0 && w > 0 => Ok([h, w]),
        _ => Err(format!("{what} {list:?}")),
    }
}

/// An image as an operator gets it: the name of its value in N, C, H, W and its extents.
#[derive(Debug, Clone)]
pub(in super::super) struct Image {
    pub(in super::super) name: String,
    pub(in super::super) batch: usize,
    pub(in super::super) channels: usize,
    pub(in super::super) size: [usize; 2],
    /// TensorFlow's axes are N, C, H, W too.
    pub(in super::super) given_nchw: bool,
}

impl Image {
    /// Input `at` of a node with the attribute `data_format`.
    pub(in super::super) fn of(
        cx: &mut Context<'_>,
        op: &Op<'_>,
        at: usize,
    ) -> Result<Self, String> {
        let given_nchw = match op.text("data_format", "NHWC") {
            "NHWC" => false,
            "NCHW" => true,
            other => return Err(format!("data format `{other}`")),
        };
        let x = op.input(at)?;
        let &[batch, a, b, c] = x.dims() else {
            return Err(format!("an image of shape {:?}", x.dims()));
        };
        let name = if given_nchw {
            cx.plain(x, op.name())?
        } else {
            cx.nchw(x, op.name())?
        };
        let (channels, size) = if given_nchw { (a, [b, c]) } else { (c, [a, b]) };
        Ok(Self {
            name,
            batch,
            channels,
            size,
            given_nchw,
        })
    }

    /// TensorFlow's shape of an image of other channels and size.
    pub(in super::super) fn shape(&self, channels: usize, size: [usize; 2]) -> Vec<usize> {
        let [h, w] = size;
        if self.given_nchw {
            vec![self.batch, channels, h, w]
        } else {
            vec![self.batch, h, w, channels]
        }
    }

    /// The type, shape and order of axes of such an image.
    pub(in super::super) fn out(
        &self,
        channels: usize,
        size: [usize; 2],
    ) -> (ElementType, Vec<usize>, bool) {
        (
            ElementType::F32,
            self.shape(channels, size),
            !self.given_nchw,
        )
    }
}

struct Pool {
    image: Image,
    kernel: [usize; 2],
    strides: [usize; 2],
    pads: [usize; 4],
    size: [usize; 2],
}

impl Pool {
    fn of(cx: &mut Context<'_>, op: &Op<'_>) -> Result<Self, String> {
        if op.input(0)?.dtype() != ElementType::F32 {
            return Err(format!("over {}", op.input(0)?.dtype()));
        }
        let image = Image::of(cx, op, 0)?;
        let kernel = spatial(&op.list("ksize"), image.given_nchw, "window")?;
        let strides = spatial(&op.list("strides"), image.given_nchw, "strides")?;
        let padding = op.text("padding", "");
        let along = |extent, kernel, stride| {
            let window = Window {
                kernel,
                stride,
                dilation: 1,
            };
            if padding == "EXPLICIT" {
                return Err("explicit padding".to_owned());
            }
            out_and_pads(extent, window, padding, (0, 0))
        };
        let [(h, top, bottom), (w, left, right)] = [
            along(image.size[0], kernel[0], strides[0])?,
            along(image.size[1], kernel[1], strides[1])?,
        ];
        Ok(Self {
            image,
            kernel,
            strides,
            pads: [top, left, bottom, right],
            size: [h, w],
        })
    }

    fn attributes(&self) -> [(&'static str, Attribute); 3] {
        [
            ("kernel_shape", signed(&self.kernel).into()),
            ("strides", signed(&self.strides).into()),
            ("pads", signed(&self.pads).into()),
        ]
    }
}

pub(super) fn max(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let pool = Pool::of(cx, op)?;
    let out = pool.image.out(pool.image.channels, pool.size);
    let inputs = [pool.image.name.as_str()];
    let y = cx.add("MaxPool", op.name(), &inputs, pool.attributes(), out);
    Ok(vec![Val::Live(y)])
}

/// Padding does not count.
pub(super) fn average(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let pool = Pool::of(cx, op)?;
    let out = pool.image.out(pool.image.channels, pool.size);
    let [kernel, strides, pads] = pool.attributes();
    let attributes = [kernel, strides, pads, ("count_include_pad", 0i64.into())];
    let inputs = [pool.image.name.as_str()];
    let y = cx.add("AveragePool", op.name(), &inputs, attributes, out);
    Ok(vec![Val::Live(y)])
}

/// Pooling that also says where each value came from: TensorFlow counts `(y · W + x) · C + c`, ONNX
/// `((n · C + c) · H + y) · W + x`.
pub(super) fn max_with_argmax(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    let pool = Pool::of(cx, op)?;
    let image = &pool.image;
    if op.bool("include_batch_in_index", false) && image.batch != 1 {
        return Err("with the batch in the index".to_owned());
    }
    let out = image.out(image.channels, pool.size);
    if cx.net.readers(op.index).iter().all(|r| {
        let inputs = cx.net.node(*r).map_or(&[][..], |n| &n.inputs);
        inputs.iter().all(|i| i.node != op.index || i.output == 0)
    }) {
        let inputs = [image.name.as_str()];
        let y = cx.add("MaxPool", op.name(), &inputs, pool.attributes(), out);
        return Ok(vec![Val::Live(y), Val::Lost]);
    }
    let names = cx.add_many("MaxPool", op.name(), &[&image.name], pool.attributes(), 2);
    let [values, at] = names.as_slice() else {
        return Err("no result".to_owned());
    };
    let values = cx.live(values.clone(), out.0, out.1.clone(), out.2);
    let ints = || (ElementType::I64, out.1.clone(), out.2);
    let at = cx.live(at.clone(), ElementType::I64, out.1.clone(), out.2);
    let name = format!("{}/argmax", op.name());
    let area = cx.list(&name, &signed(&[image.size[0] * image.size[1]]));
    let channels = cx.list(&name, &signed(&[image.channels]));
    let numbers = signed(&(0..image.channels).collect::<Vec<_>>());
    let numbers =
        Tensor::i64(vec![1, image.channels, 1, 1], &numbers).map_err(|e| e.to_string())?;
    let numbers = cx.weights(&name, &numbers);
    let place = cx.add("Mod", &name, &[&at.name, &area], [], ints());
    let first = cx.add("Mul", &name, &[&place.name, &channels], [], ints());
    let at = cx.add("Add", &name, &[&first.name, &numbers], [], ints());
    Ok(vec![Val::Live(values), Val::Live(at)])
}

/// Puts `values` (N, C, h, w) where each 2×2 window of `source` has its first greatest element, and
/// zeros elsewhere: the pooling's windows lie side by side, so that each place is filled once. Only
/// operators that every engine has; the windows' corners are looked at in TensorFlow's order.
pub(in super::super) fn unpool(
    cx: &mut Context<'_>,
    source: &Live,
    pooled: &Live,
    values: &Live,
    name: &str,
) -> Result<Live, String> {
    let &[n, h, w, c] = pooled.dims.as_slice() else {
        return Err("an image without four axes".to_owned());
    };
    let small = || vec![n, h, w, c];
    let zero = cx.weights(&format!("{name}/zero"), &Tensor::scalar(0.0));
    let mut free: Option<Live> = None;
    let mut corners = Vec::new();
    for corner in [[0usize, 0], [0, 1], [1, 0], [1, 1]] {
        let begin = cx.list(&format!("{name}/begin"), &signed(&corner));
        let end = cx.list(&format!("{name}/end"), &[i64::MAX, i64::MAX]);
        let axes = cx.list(&format!("{name}/axes"), &[2, 3]);
        let steps = cx.list(&format!("{name}/steps"), &[2, 2]);
        let inputs = [source.name.as_str(), &begin, &end, &axes, &steps];
        let out = (source.dtype, small(), true);
        let part = cx.add("Slice", &format!("{name}/corner"), &inputs, [], out);
        let flags = || (ElementType::Bool, small(), true);
        let inputs = [part.name.as_str(), pooled.name.as_str()];
        let mut hit = cx.add("Equal", &format!("{name}/hit"), &inputs, [], flags());
        if let Some(free) = &free {
            let inputs = [hit.name.as_str(), free.name.as_str()];
            hit = cx.add("And", &format!("{name}/first"), &inputs, [], flags());
        }
        let miss = cx.add("Not", &format!("{name}/miss"), &[&hit.name], [], flags());
        free = Some(match &free {
            Some(free) => {
                let inputs = [free.name.as_str(), miss.name.as_str()];
                cx.add("And", &format!("{name}/free"), &inputs, [], flags())
            }
            None => miss,
        });
        let inputs = [hit.name.as_str(), values.name.as_str(), &zero];
        let out = (values.dtype, small(), true);
        corners.push(cx.add("Where", &format!("{name}/value"), &inputs, [], out));
    }
    let names: Vec<&str> = corners.iter().map(|c| c.name.as_str()).collect();
    let wide = (values.dtype, vec![n, h, w, 4 * c], true);
    let attributes = [("axis", 1i64.into())];
    let joined = cx.add(
        "Concat",
        &format!("{name}/corners"),
        &names,
        attributes,
        wide,
    );
    let attributes = [("blocksize", 2i64.into()), ("mode", "DCR".into())];
    let out = (values.dtype, vec![n, 2 * h, 2 * w, c], true);
    Ok(cx.add("DepthToSpace", name, &[&joined.name], attributes, out))
}
