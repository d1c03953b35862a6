//! Values of a tensor as a file holds them: `raw_data`, or the list that its type prescribes
//! (`TensorProto` of `onnx.proto`).

use super::read::refused;
use crate::{
    HubError,
    graph::{ElementType, Tensor},
};
use bytes::Bytes;
use dyno_formats::onnx::proto::TensorProto;

/// The tensor of a message; `place` says where it stands, for errors.
pub(super) fn tensor_of(message: &TensorProto, place: &str) -> Result<Tensor, HubError> {
    let dtype = ElementType::from_onnx(message.data_type).ok_or_else(|| {
        let problem = format!(
            "elements of type {} are not supported: tensors here hold numbers of 8 to 64 bits and \
             booleans",
            message.data_type
        );
        refused(place, problem)
    })?;
    if message.segment.is_some() {
        return Err(refused(place, "a part of a tensor"));
    }
    let dims = message
        .dims
        .iter()
        .map(|&d| usize::try_from(d))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| refused(place, "a dimension that is no size"))?;
    let bytes = match &message.raw_data {
        Some(raw) => raw.clone(),
        None => listed(message, dtype, place)?,
    };
    Tensor::new(dtype, dims, bytes).map_err(|e| refused(place, e.to_string()))
}

/// The values of the list in which a type is kept.
fn listed(m: &TensorProto, dtype: ElementType, place: &str) -> Result<Bytes, HubError> {
    use ElementType as E;
    let narrow = |value: i32| {
        refused(
            place,
            format!("the value {value} does not fit type {dtype}"),
        )
    };
    Ok(match dtype {
        E::F32 => dense(&m.float_data, |v| Ok(v.to_le_bytes()))?,
        E::F64 => dense(&m.double_data, |v| Ok(v.to_le_bytes()))?,
        E::I64 => dense(&m.int64_data, |v| Ok(v.to_le_bytes()))?,
        E::U64 => dense(&m.uint64_data, |v| Ok(v.to_le_bytes()))?,
        E::U32 => dense(&m.uint64_data, |v| match u32::try_from(v) {
            Ok(v) => Ok(v.to_le_bytes()),
            Err(_) => Err(refused(
                place,
                format!("the value {v} does not fit type {dtype}"),
            )),
        })?,
        E::I32 => dense(&m.int32_data, |v| Ok(v.to_le_bytes()))?,
        E::I16 => dense(&m.int32_data, |v| {
            let small = i16::try_from(v).map_err(|_| narrow(v))?;
            Ok(small.to_le_bytes())
        })?,
        // Numbers of 16 bits are kept as their bits.
        E::U16 | E::F16 | E::Bf16 => dense(&m.int32_data, |v| {
            let small = u16::try_from(v).map_err(|_| narrow(v))?;
            Ok(small.to_le_bytes())
        })?,
        E::I8 => dense(&m.int32_data, |v| {
            let small = i8::try_from(v).map_err(|_| narrow(v))?;
            Ok(small.to_le_bytes())
        })?,
        E::U8 => dense(&m.int32_data, |v| {
            let small = u8::try_from(v).map_err(|_| narrow(v))?;
            Ok([small])
        })?,
        E::Bool => dense(&m.int32_data, |v| Ok([u8::from(v != 0)]))?,
    })
}

fn dense<T: Copy, const N: usize>(
    values: &[T],
    bytes: impl Fn(T) -> Result<[u8; N], HubError>,
) -> Result<Bytes, HubError> {
    let mut out = Vec::with_capacity(values.len() * N);
    for &value in values {
        out.extend(bytes(value)?);
    }
    Ok(out.into())
}
