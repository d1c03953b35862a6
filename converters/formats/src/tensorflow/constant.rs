//! Constants: `TensorProto`, whose values stand either as bytes or as a list that may be shorter
//! than the tensor.

use super::proto::TensorProto;
use bytes::Bytes;

/// Most bytes that a tensor may have beyond those of its list of values: what a short file can make
/// a reader allocate.
pub const MAX_FILLED_BYTES: usize = 64 << 20;

/// Element type; the variants' documentation gives TensorFlow's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// `DT_FLOAT`.
    F32,
    /// `DT_DOUBLE`.
    F64,
    /// `DT_INT32`.
    I32,
    /// `DT_UINT8`.
    U8,
    /// `DT_INT16`.
    I16,
    /// `DT_INT8`.
    I8,
    /// `DT_INT64`.
    I64,
    /// `DT_BOOL`.
    Bool,
    /// `DT_QINT8`: eight bits with a range beside them.
    QI8,
    /// `DT_QUINT8`.
    QU8,
    /// `DT_BFLOAT16`.
    Bf16,
    /// `DT_UINT16`.
    U16,
    /// `DT_HALF`.
    F16,
    /// `DT_UINT32`.
    U32,
    /// `DT_UINT64`.
    U64,
}

impl DataType {
    /// The type of TensorFlow's number; those of reference variables are 100 higher.
    pub fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            1 => Self::F32,
            2 => Self::F64,
            3 => Self::I32,
            4 => Self::U8,
            5 => Self::I16,
            6 => Self::I8,
            9 => Self::I64,
            10 => Self::Bool,
            11 => Self::QI8,
            12 => Self::QU8,
            14 => Self::Bf16,
            17 => Self::U16,
            19 => Self::F16,
            22 => Self::U32,
            23 => Self::U64,
            _ => return None,
        })
    }

    /// Size of one element in bytes.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool | Self::QI8 | Self::QU8 => 1,
            Self::I16 | Self::Bf16 | Self::U16 | Self::F16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }
}

/// A tensor of a file: dense, row-major, little-endian.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// Element type.
    pub data_type: DataType,
    /// Extents.
    pub dims: Vec<usize>,
    /// Its values: a slice of the file where they stand there as bytes.
    pub bytes: Bytes,
}

impl Constant {
    pub(super) fn read(tensor: &TensorProto) -> Result<Self, String> {
        let data_type = DataType::from_number(tensor.dtype)
            .ok_or_else(|| format!("a tensor of type {}, which has no size", tensor.dtype))?;
        let shape = tensor.tensor_shape.as_ref();
        let dims: Vec<usize> = shape
            .map(|s| s.dim.iter().map(|d| usize::try_from(d.size)).collect())
            .transpose()
            .map_err(|_| "a tensor of a shape that is not known".to_owned())?
            .unwrap_or_default();
        let needed = dims
            .iter()
            .try_fold(data_type.size_bytes(), |n, d| n.checked_mul(*d))
            .ok_or_else(|| format!("a tensor of shape {dims:?}, which no machine can hold"))?;
        if !tensor.tensor_content.is_empty() {
            let found = tensor.tensor_content.len();
            if found != needed {
                return Err(format!(
                    "a tensor of shape {dims:?} needs {needed} bytes, found {found}"
                ));
            }
            return Ok(Self {
                data_type,
                dims,
                bytes: tensor.tensor_content.clone(),
            });
        }
        let listed = listed(data_type, tensor);
        Ok(Self {
            data_type,
            bytes: fill(listed, data_type.size_bytes(), needed, &dims)?,
            dims,
        })
    }
}

/// The values of the list that belongs to the type.
fn listed(data_type: DataType, tensor: &TensorProto) -> Vec<u8> {
    fn each<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
        values.iter().flat_map(|v| bytes(*v)).collect()
    }
    let ints = &tensor.int_val;
    match data_type {
        DataType::F32 => each(&tensor.float_val, f32::to_le_bytes),
        DataType::F64 => each(&tensor.double_val, f64::to_le_bytes),
        DataType::I32 => each(ints, i32::to_le_bytes),
        DataType::U8 | DataType::QU8 | DataType::I8 | DataType::QI8 => {
            each(ints, |v| [v.to_le_bytes()[0]])
        }
        DataType::I16 | DataType::U16 => each(ints, |v| {
            let [a, b, ..] = v.to_le_bytes();
            [a, b]
        }),
        DataType::F16 | DataType::Bf16 => each(&tensor.half_val, |v| {
            let [a, b, ..] = v.to_le_bytes();
            [a, b]
        }),
        DataType::I64 => each(&tensor.int64_val, i64::to_le_bytes),
        DataType::Bool => each(&tensor.bool_val, |v| [u8::from(v)]),
        DataType::U32 => each(&tensor.uint32_val, u32::to_le_bytes),
        DataType::U64 => each(&tensor.uint64_val, u64::to_le_bytes),
    }
}

/// All values: those listed, then the last of them again; without any, zeros.
fn fill(mut listed: Vec<u8>, size: usize, needed: usize, dims: &[usize]) -> Result<Bytes, String> {
    let Some(missing) = needed.checked_sub(listed.len()) else {
        return Err(format!(
            "a tensor of shape {dims:?} has {} values",
            listed.len() / size
        ));
    };
    if missing > MAX_FILLED_BYTES {
        return Err(format!(
            "a tensor of shape {dims:?} of which {missing} bytes are not in the file"
        ));
    }
    let last = listed
        .len()
        .checked_sub(size)
        .and_then(|at| listed.get(at..))
        .map_or_else(|| vec![0; size], <[u8]>::to_vec);
    listed.reserve_exact(missing);
    while listed.len() < needed {
        listed.extend_from_slice(&last);
    }
    Ok(listed.into())
}
