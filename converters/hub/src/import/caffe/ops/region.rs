//! Layers that change height and width: Interp, Upsample, ROIPooling.

use super::super::{
    blob::{image, signed},
    params::Params,
    problem::Problem,
    scope::{Lowering, Scope},
};
use super::window::pair;

/// Adds a `Resize` to `[height, width]`.
fn resize(
    scope: &mut Scope<'_>,
    x: &str,
    [batch, channels, _, _]: [usize; 4],
    [height, width]: [usize; 2],
    linear: bool,
) -> Result<(), Problem> {
    let out = vec![batch, channels, height, width];
    let sizes = scope.list("sizes", &signed(&out));
    let (mode, coordinates) = if linear {
        ("linear", "align_corners")
    } else {
        ("nearest", "asymmetric")
    };
    let attributes = [
        ("coordinate_transformation_mode", coordinates.into()),
        ("mode", mode.into()),
        ("nearest_mode", "floor".into()),
    ];
    scope.give(0, "Resize", &[x, "", "", &sizes], attributes, out)
}

/// Linear between corners that stay corners.
pub(in super::super) fn interp(params: &mut Params<'_>) -> Lowering {
    for name in ["pad_beg", "pad_end"] {
        if params.int(name).unwrap_or(0) != 0 {
            params.unsupported(name, "padding");
        }
    }
    let size = [params.count("height"), params.count("width")];
    let zoom = params.count("zoom_factor");
    let shrink = params.count("shrink_factor");
    if zoom == Some(0) || shrink == Some(0) {
        params.malformed("zoom_factor", "a factor of 0");
    }
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let image = image(&dims)?;
        let [_, _, height, width] = image;
        let length = |length: usize| {
            let shrunk = (length - 1) / shrink.unwrap_or(1).max(1) + 1;
            let grown = (shrunk - 1).checked_mul(zoom.unwrap_or(1).saturating_sub(1));
            grown.and_then(|n| n.checked_add(shrunk))
        };
        let out = match (size, zoom.or(shrink)) {
            ([Some(height), Some(width)], None) if height > 0 && width > 0 => [height, width],
            ([None, None], Some(_)) => match (length(height), length(width)) {
                (Some(height), Some(width)) => [height, width],
                _ => return Err(Problem::malformed("a factor without measure")),
            },
            _ => {
                return Err(Problem::malformed(
                    "there are `height` and `width`, or a factor",
                ));
            }
        };
        resize(scope, &x, image, out, true)
    })
}

/// Each number `scale` times in both directions.
pub(in super::super) fn upsample(params: &mut Params<'_>) -> Lowering {
    let scale = pair(params, "scale", ["scale_h", "scale_w"]);
    if scale.is_none_or(|s| s.contains(&0)) {
        params.malformed("scale", "the factor is missing");
    }
    let [vertical, horizontal] = scale.unwrap_or([1; 2]);
    Box::new(move |scope| {
        let (x, dims) = scope.single()?;
        let image = image(&dims)?;
        let [_, _, height, width] = image;
        let out = [
            height.saturating_mul(vertical),
            width.saturating_mul(horizontal),
        ];
        resize(scope, &x, image, out, false)
    })
}

/// Maxima of regions that a list `[R, 5]` of image, left, top, right and bottom names.
pub(in super::super) fn roi_pooling(params: &mut Params<'_>) -> Lowering {
    let size = [params.count("pooled_h"), params.count("pooled_w")];
    let scale = params.float("spatial_scale").unwrap_or(1.0);
    let [Some(height), Some(width)] = size else {
        params.malformed("pooled_h", "the size of a pooled region is missing");
        return Box::new(|_| Ok(()));
    };
    Box::new(move |scope| {
        scope.arity(2, 1)?;
        let ((x, dims), (regions, shape)) = (scope.bottom(0)?, scope.bottom(1)?);
        let [_, channels, _, _] = image(&dims)?;
        let (Some(&count), 5) = (shape.first(), shape.iter().skip(1).product::<usize>()) else {
            return Err(Problem::malformed(format!("regions of shape {shape:?}")));
        };
        let mut regions = regions;
        if shape.len() != 2 {
            let list = scope.list("regions_shape", &[count as i64, 5]);
            regions = scope.node("Reshape", "regions", &[&regions, &list], [], &[count, 5])?;
        }
        let attributes = [
            ("pooled_shape", vec![height as i64, width as i64].into()),
            ("spatial_scale", scale.into()),
        ];
        let out = vec![count, channels, height, width];
        scope.give(0, "MaxRoiPool", &[&x, &regions], attributes, out)
    })
}
