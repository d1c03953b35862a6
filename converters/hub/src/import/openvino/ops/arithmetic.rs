//! Arithmetic by element, reductions, matrix products.

use crate::graph::{ElementType, Node, Tensor};
use crate::import::openvino::context::{Op, Outputs, widened};

pub(crate) fn unary(op: &mut Op<'_>, to: &str) -> Outputs {
    let x = op.x(0)?;
    Ok(vec![op.add(to, &[&x], [])])
}

/// Operations whose broadcasting is NumPy's, or that broadcast nothing.
fn check_broadcast(op: &Op<'_>) -> Result<(), String> {
    op.attributes
        .only("auto_broadcast", &["numpy", "none", "NUMPY", "NONE"])
}

pub(crate) fn binary(op: &mut Op<'_>, to: &str) -> Outputs {
    check_broadcast(op)?;
    let a = op.x(0)?;
    let b = op.x(1)?;
    Ok(vec![op.add(to, &[&a, &b], [])])
}

pub(crate) fn not_equal(op: &mut Op<'_>) -> Outputs {
    let equal = binary(op, "Equal")?;
    Ok(vec![op.add("Not", &[&equal[0]], [])])
}

/// Integers are divided towards 0, as in ONNX: so OpenVINO's CPU plugin does whatever `m_pythondiv`
/// says (measured, 2026.4).
pub(crate) fn divide(op: &mut Op<'_>) -> Outputs {
    op.attributes.flag("m_pythondiv", true)?;
    binary(op, "Div")
}

/// `a - b · floor(a / b)`; ONNX's remainder of integers is the same.
pub(crate) fn floor_mod(op: &mut Op<'_>) -> Outputs {
    if !matches!(op.dtype(0)?, ElementType::F32 | ElementType::F64) {
        return binary(op, "Mod");
    }
    check_broadcast(op)?;
    let a = op.x(0)?;
    let b = op.x(1)?;
    let ratio = op.add("Div", &[&a, &b], []);
    let whole = op.add("Floor", &[&ratio], []);
    let multiple = op.add("Mul", &[&b, &whole], []);
    Ok(vec![op.add("Sub", &[&a, &multiple], [])])
}

pub(crate) fn squared_difference(op: &mut Op<'_>) -> Outputs {
    let difference = binary(op, "Sub")?;
    let d = &difference[0];
    Ok(vec![op.add("Mul", &[d, d], [])])
}

/// Half to even; the other mode of the format is away from zero.
pub(crate) fn round(op: &mut Op<'_>) -> Outputs {
    op.attributes
        .only("mode", &["half_to_even", "HALF_TO_EVEN"])?;
    unary(op, "Round")
}

/// To the type that the file gives to the output; half precision is `f32` here.
pub(crate) fn convert(op: &mut Op<'_>) -> Outputs {
    op.attributes.text("destination_type");
    let element = op.layer.outputs.first().and_then(|p| p.element);
    let element = element.ok_or("the output has no type that is known here")?;
    let dtype = widened(element)?;
    let x = op.x(0)?;
    if op.dtype(0)? == dtype {
        return Ok(vec![op.add("Identity", &[&x], [])]);
    }
    let to = i64::from(dtype.onnx());
    Ok(vec![op.add("Cast", &[&x], [("to", to.into())])])
}

pub(crate) fn cumulative_sum(op: &mut Op<'_>) -> Outputs {
    let exclusive = i64::from(op.attributes.flag("exclusive", false)?);
    let reverse = i64::from(op.attributes.flag("reverse", false)?);
    let x = op.x(0)?;
    let axis = op.integers(1)?.first().copied().unwrap_or_default();
    let tensor = Tensor::i64(Vec::new(), &[axis]).map_err(|e| e.to_string())?;
    let axis = op.constant(tensor);
    let attributes = [("exclusive", exclusive.into()), ("reverse", reverse.into())];
    Ok(vec![op.add("CumSum", &[&x, &axis], attributes)])
}

/// A reduction over constant axes. ONNX takes those of `ReduceSum` as an input from operator set
/// 13 on, of the others as an attribute.
pub(crate) fn reduce(op: &mut Op<'_>, to: &str) -> Outputs {
    let keep = i64::from(op.attributes.flag("keep_dims", false)?);
    let axes = op.integers(1)?;
    let x = op.x(0)?;
    Ok(vec![reduction(op, to, &x, &axes, keep)])
}

/// Adds a reduction; without axes it changes nothing.
pub(crate) fn reduction(op: &mut Op<'_>, to: &str, x: &str, axes: &[i64], keep: i64) -> String {
    if axes.is_empty() {
        return op.add("Identity", &[x], []);
    }
    if to == "ReduceSum" {
        let axes = op.list(axes);
        return op.add(to, &[x, &axes], [("keepdims", keep.into())]);
    }
    let attributes = [("axes", axes.to_vec().into()), ("keepdims", keep.into())];
    op.add(to, &[x], attributes)
}

/// A matrix product; transposed factors that are constant are stored transposed.
pub(crate) fn mat_mul(op: &mut Op<'_>) -> Outputs {
    let turned = [
        op.attributes.flag("transpose_a", false)?,
        op.attributes.flag("transpose_b", false)?,
    ];
    let mut names = Vec::with_capacity(2);
    for (at, turned) in turned.into_iter().enumerate() {
        let rank = op.rank(at)?;
        if !turned || rank < 2 {
            names.push(op.x(at)?);
            continue;
        }
        let matrix = op.tensor(at).filter(|t| t.dims().len() == 2).cloned();
        if let Some(matrix) = matrix.filter(|t| t.dtype() == ElementType::F32) {
            let tensor = transposed(&matrix)?;
            names.push(op.constant(tensor));
            continue;
        }
        let x = op.x(at)?;
        let mut order: Vec<i64> = (0..rank as i64).collect();
        order.swap(rank - 2, rank - 1);
        names.push(op.add("Transpose", &[&x], [("perm", order.into())]));
    }
    Ok(vec![op.add("MatMul", &[&names[0], &names[1]], [])])
}

/// A matrix of `f32` with rows and columns exchanged.
pub(crate) fn transposed(matrix: &Tensor) -> Result<Tensor, String> {
    let &[rows, columns] = matrix.dims() else {
        return Err("no matrix".to_owned());
    };
    let values = matrix.to_f32s().map_err(|e| e.to_string())?;
    let mut out = Vec::with_capacity(values.len());
    for column in 0..columns {
        out.extend(
            values
                .iter()
                .skip(column)
                .step_by(columns.max(1))
                .take(rows),
        );
    }
    Tensor::f32(vec![columns, rows], &out).map_err(|e| e.to_string())
}

/// An operation with any number of inputs.
pub(crate) fn variadic(
    op: &mut Op<'_>,
    to: &str,
    inputs: Vec<String>,
    axis: Option<i64>,
) -> String {
    let output = op.builder.unique(&op.layer.name);
    let attributes = axis.map(|a| ("axis".to_owned(), a.into()));
    op.builder.push(Node {
        name: output.clone(),
        op: to.to_owned(),
        domain: String::new(),
        inputs,
        outputs: vec![output.clone()],
        attributes: attributes.into_iter().collect(),
    });
    output
}
