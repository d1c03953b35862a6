//! `FakeQuantize`: to one of `levels` values between two limits, and back.
//!
//! With 256 levels, equal limits of input and output, and a zero that falls on a level it is a pair
//! of `QuantizeLinear` and `DequantizeLinear`; else the same arithmetic by element.

use crate::graph::{ElementType, Tensor};
use crate::import::openvino::context::{Op, Outputs, numbers};

pub(crate) fn fake(op: &mut Op<'_>) -> Outputs {
    op.attributes.only("auto_broadcast", &["numpy"])?;
    let levels: u32 = op.attributes.needed("levels")?;
    if levels < 2 {
        return Err(format!("{levels} levels"));
    }
    let limits: Vec<Vec<f32>> = (1..5).map(|at| op.numbers(at)).collect::<Result<_, _>>()?;
    let shapes: Vec<Vec<usize>> = (1..5).map(|at| op.shape(at)).collect::<Result<_, _>>()?;
    if let Some(pair) = linear(op, levels, &limits, &shapes)? {
        return Ok(vec![pair]);
    }
    by_element(op, levels, &limits, &shapes)
}

/// Scale and zero point of `u8` for limits of one channel.
fn affine(lo: f32, hi: f32) -> Option<(f32, u8)> {
    let scale = (f64::from(hi) - f64::from(lo)) / 255.0;
    if !scale.is_normal() || scale < 0.0 {
        return None;
    }
    let zero = -f64::from(lo) / scale;
    let near = zero.round();
    // Limits are rounded to f32 in the file: a zero point is whole within that.
    let whole = (zero - near).abs() <= 1e-4 && (0.0..=255.0).contains(&near);
    whole.then_some((scale as f32, near as u8))
}

fn linear(
    op: &mut Op<'_>,
    levels: u32,
    limits: &[Vec<f32>],
    shapes: &[Vec<usize>],
) -> Result<Option<String>, String> {
    let [lo, hi, out_lo, out_hi] = limits else {
        return Ok(None);
    };
    if levels != 256 || lo != out_lo || hi != out_hi || lo.len() != hi.len() {
        return Ok(None);
    }
    let pairs: Option<Vec<(f32, u8)>> = lo.iter().zip(hi).map(|(l, h)| affine(*l, *h)).collect();
    let Some(pairs) = pairs else { return Ok(None) };
    let rank = op.rank(0)?;
    // One axis may have limits of its own each.
    let long: Vec<usize> = (0..shapes[0].len()).filter(|a| shapes[0][*a] > 1).collect();
    let axis = match long.as_slice() {
        [] => None,
        [axis] if shapes[0] == shapes[1] => Some((axis + rank - shapes[0].len()) as i64),
        _ => return Ok(None),
    };
    let dims = axis.map_or(Vec::new(), |_| vec![pairs.len()]);
    let scales: Vec<f32> = pairs.iter().map(|p| p.0).collect();
    let zeros: Vec<u8> = pairs.iter().map(|p| p.1).collect();
    let x = op.x(0)?;
    let tensor = Tensor::f32(dims.clone(), &scales).map_err(|e| e.to_string())?;
    let scale = op.constant(tensor);
    let zeros = Tensor::new(ElementType::U8, dims, zeros.into()).map_err(|e| e.to_string())?;
    let zero = op.constant(zeros);
    let parameters = [x.as_str(), &scale, &zero];
    Ok(Some(if let Some(axis) = axis {
        let q = op.add("QuantizeLinear", &parameters, [("axis", axis.into())]);
        op.add(
            "DequantizeLinear",
            &[&q, &scale, &zero],
            [("axis", axis.into())],
        )
    } else {
        let q = op.add("QuantizeLinear", &parameters, []);
        op.add("DequantizeLinear", &[&q, &scale, &zero], [])
    }))
}

/// `round((clip(x) - lo) / (hi - lo) · (levels - 1)) / (levels - 1) · (out_hi - out_lo) + out_lo`,
/// half to even. The limits' order is theirs: `clip` takes the lesser first.
fn by_element(op: &mut Op<'_>, levels: u32, limits: &[Vec<f32>], shapes: &[Vec<usize>]) -> Outputs {
    let steps = f64::from(levels - 1);
    let [lo, hi, out_lo, out_hi] = limits else {
        return Err("four limits are needed".to_owned());
    };
    if lo.len() != hi.len() || shapes[0] != shapes[1] {
        return Err("limits of the input of different shapes".to_owned());
    }
    if out_lo.len() != out_hi.len() || shapes[2] != shapes[3] {
        return Err("limits of the output of different shapes".to_owned());
    }
    if lo.iter().zip(hi).any(|(l, h)| l >= h) {
        return Err("limits of the input that are equal or reversed".to_owned());
    }
    let each = |f: &dyn Fn(f64, f64) -> f64, a: &[f32], b: &[f32], dims: &[usize]| {
        let pairs = a.iter().zip(b);
        let values: Vec<f64> = pairs
            .map(|(a, b)| f(f64::from(*a), f64::from(*b)))
            .collect();
        numbers(ElementType::F32, dims.to_vec(), &values)
    };
    let factor = each(&|l, h| steps / (h - l), lo, hi, &shapes[0])?;
    let back = each(&|l, h| (h - l) / steps, out_lo, out_hi, &shapes[2])?;
    let x = op.x(0)?;
    let (lo, hi, out_lo) = (op.x(1)?, op.x(2)?, op.x(3)?);
    let factor = op.constant(factor);
    let back = op.constant(back);
    let x = op.add("Max", &[&x, &lo], []);
    let x = op.add("Min", &[&x, &hi], []);
    let x = op.add("Sub", &[&x, &lo], []);
    let x = op.add("Mul", &[&x, &factor], []);
    let x = op.add("Round", &[&x], []);
    let x = op.add("Mul", &[&x, &back], []);
    Ok(vec![op.add("Add", &[&x, &out_lo], [])])
}
