//! Images in another size. Where the old pixels are looked for has three conventions: corners meet
//! corners (`align_corners`), pixels have centres (`half_pixel_centers`), or neither, which is
//! TensorFlow's first.

use super::pool::Image;
use crate::{
    graph::ElementType,
    import::tensorflow::{
        context::{Context, Op, Out, signed},
        value::Val,
    },
};

fn resized(cx: &mut Context<'_>, op: &Op<'_>, mode: &str) -> Out {
    let image = Image::of(cx, op, 0)?;
    if op.input(0)?.dtype() != ElementType::F32 {
        return Err(format!("over {}", op.input(0)?.dtype()));
    }
    let size = super::shape::target(&op.ints(1)?, None)?;
    let &[height, width] = size.as_slice() else {
        return Err(format!("to size {size:?}"));
    };
    if size.contains(&0) || image.size.contains(&0) {
        return Err(format!("from {:?} to {size:?}", image.size));
    }
    let corners = op.bool("align_corners", false);
    let centres = op.bool("half_pixel_centers", false);
    if corners && centres {
        return Err("with both align_corners and half_pixel_centers".to_owned());
    }
    let (convention, rounding) = if corners {
        ("align_corners", "round_prefer_ceil")
    } else if centres {
        ("half_pixel", "round_prefer_ceil")
    } else {
        ("asymmetric", "floor")
    };
    let sizes = [image.batch, image.channels, height, width];
    let sizes = cx.list(&format!("{}/sizes", op.name()), &signed(&sizes));
    let attributes = [
        ("mode", mode.into()),
        ("coordinate_transformation_mode", convention.into()),
        ("nearest_mode", rounding.into()),
    ];
    let inputs = [image.name.as_str(), "", "", &sizes];
    let out = image.out(image.channels, [height, width]);
    let y = cx.add("Resize", op.name(), &inputs, attributes, out);
    Ok(vec![Val::Live(y)])
}

pub(super) fn bilinear(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    resized(cx, op, "linear")
}

pub(super) fn nearest(cx: &mut Context<'_>, op: &Op<'_>) -> Out {
    resized(cx, op, "nearest")
}
