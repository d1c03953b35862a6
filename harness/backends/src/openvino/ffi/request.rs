//! Infer requests and the tensors that go in and come out.

use super::{CShape, Handle, Port};
use crate::openvino::element;
use dyno_core::{DType, TensorSlice, TensorView};
use half::{bf16, f16};
use std::{ffi::c_void, ptr, slice, time::Instant};

/// Run state: one run at a time, and what it made.
pub(in super::super) struct Request {
    /// Of the last run. Before the request, so that they are dropped first.
    outputs: Vec<Output>,
    handle: Handle,
    /// Inputs that the model has: a run must set them all.
    inputs: usize,
}

/// When a run had its inputs set, and when the engine was done.
pub(in super::super) struct Times {
    pub(in super::super) set: Instant,
    pub(in super::super) ended: Instant,
}

impl Request {
    pub(super) fn new(handle: Handle, inputs: usize) -> Self {
        Self {
            outputs: Vec::new(),
            handle,
            inputs,
        }
    }

    /// Runs once and blocks: inputs are read where they are, outputs stay the library's. `ports`
    /// are the model's inputs, each once, in the order of `views`. After an error there are no
    /// outputs.
    ///
    /// # Errors
    /// What the library says; counts that differ; an output of a type that tensors here cannot
    /// hold.
    pub(in super::super) fn run(
        &mut self,
        ports: &[Port],
        views: &[TensorView<'_>],
        outputs: &[Port],
    ) -> Result<Times, String> {
        self.outputs.clear();
        if ports.len() != views.len() || ports.len() != self.inputs {
            return Err(format!(
                "{} inputs and {} places for the model's {}",
                views.len(),
                ports.len(),
                self.inputs
            ));
        }
        let functions = self.handle.functions();
        for (port, &view) in ports.iter().zip(views) {
            let tensor = self.wrap(view)?;
            // SAFETY: request, port and tensor live. The request keeps the tensor, and with it a
            // pointer into memory of the caller's, but reads it in a run only, and every run sets
            // all inputs anew before it begins.
            let status = unsafe {
                (functions.ov_infer_request_set_tensor_by_const_port)(
                    self.handle.pointer,
                    port.0.pointer,
                    tensor.pointer,
                )
            };
            self.handle.api.checked(status)?;
        }
        let set = Instant::now();
        // SAFETY: the request lives, and so does the memory of its inputs, which are borrowed. No
        // output of an earlier run is left that somebody could look at.
        let status = unsafe { (functions.ov_infer_request_infer)(self.handle.pointer) };
        let ended = Instant::now();
        self.handle.api.checked(status)?;
        self.outputs = outputs
            .iter()
            .map(|port| self.take(port))
            .collect::<Result<_, _>>()?;
        Ok(Times { set, ended })
    }

    /// Output `index` of the last run.
    pub(in super::super) fn output(&self, index: usize) -> TensorView<'_> {
        self.outputs[index].view()
    }

    /// Memory of the caller's as a tensor of the library's: nothing is copied.
    fn wrap(&self, view: TensorView<'_>) -> Result<Handle, String> {
        let (first, dtype): (*const c_void, DType) = match view.data() {
            TensorSlice::F32(v) => (v.as_ptr().cast(), DType::F32),
            TensorSlice::F16(v) => (v.as_ptr().cast(), DType::F16),
            TensorSlice::Bf16(v) => (v.as_ptr().cast(), DType::Bf16),
            TensorSlice::I8(v) => (v.as_ptr().cast(), DType::I8),
            TensorSlice::U8(v) => (v.as_ptr().cast(), DType::U8),
            TensorSlice::I32(v) => (v.as_ptr().cast(), DType::I32),
            TensorSlice::I64(v) => (v.as_ptr().cast(), DType::I64),
            TensorSlice::Bool(v) => (v.as_ptr().cast(), DType::Bool),
        };
        let mut dims = view
            .shape()
            .iter()
            .map(|&d| i64::try_from(d))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| e.to_string())?;
        let shape = CShape {
            rank: i64::try_from(dims.len()).map_err(|e| e.to_string())?,
            dims: dims.as_mut_ptr(),
        };
        let functions = self.handle.functions();
        let api = self.handle.api;
        // SAFETY: the shape is copied during the call. The memory has as many values as the shape
        // says (a `TensorView` promises it). A request reads its inputs and never writes them, so
        // that the constness is kept; that it reads them in a run only, see `run`.
        api.object(functions.ov_tensor_free, |to| unsafe {
            (functions.ov_tensor_create_from_host_ptr)(
                element::code(dtype),
                shape,
                first.cast_mut(),
                to,
            )
        })
    }

    fn take(&self, port: &Port) -> Result<Output, String> {
        let functions = self.handle.functions();
        let api = self.handle.api;
        // SAFETY: request and port live, and the place is ours.
        let tensor = api.object(functions.ov_tensor_free, |to| unsafe {
            (functions.ov_infer_request_get_tensor_by_const_port)(
                self.handle.pointer,
                port.0.pointer,
                to,
            )
        })?;
        Output::new(tensor)
    }
}

/// A tensor that a run has made. The request writes into it again in its next run, which drops this
/// before.
struct Output {
    shape: Vec<usize>,
    dtype: DType,
    data: *const c_void,
    count: usize,
    _tensor: Handle,
}

// SAFETY: the pointer is into the tensor, which is held and may be used by any thread.
unsafe impl Send for Output {}

impl Output {
    fn new(tensor: Handle) -> Result<Self, String> {
        let functions = tensor.functions();
        let mut code = 0;
        // SAFETY: the tensor lives, and the place is ours.
        let status =
            unsafe { (functions.ov_tensor_get_element_type)(tensor.pointer, &raw mut code) };
        tensor.api.checked(status)?;
        let dtype = element::dtype(code).map_err(|name| format!("a tensor of type {name}"))?;
        let shape = shape(&tensor)?;
        let count = shape
            .iter()
            .try_fold(1usize, |n, &d| n.checked_mul(d))
            .ok_or("a shape that is too large")?;
        let bytes = tensor.byte_size()?;
        if count.checked_mul(dtype.size_bytes()) != Some(bytes) {
            return Err(format!("{bytes} bytes for {dtype} {shape:?}"));
        }
        let data: *const c_void = if count == 0 {
            ptr::null()
        } else {
            tensor.data()?
        };
        if count > 0 && (data.is_null() || !data.addr().is_multiple_of(dtype.size_bytes())) {
            return Err("memory that is not there or not aligned".to_owned());
        }
        let output = Self {
            shape,
            dtype,
            data,
            count,
            _tensor: tensor,
        };
        if dtype == DType::Bool {
            // SAFETY: as in `view`; any byte is a `u8`.
            let bytes = unsafe { output.values::<u8>() };
            if bytes.iter().any(|&b| b > 1) {
                return Err("a boolean that is neither 0 nor 1".to_owned());
            }
        }
        Ok(output)
    }

    /// The values.
    ///
    /// # Safety
    /// The tensor's type is `T`.
    unsafe fn values<T>(&self) -> &[T] {
        if self.count == 0 {
            return &[];
        }
        // SAFETY: `new` has made sure of size and alignment; the tensor is held, and nobody writes
        // into it while it is borrowed, because a run needs the request mutably and drops this.
        unsafe { slice::from_raw_parts(self.data.cast::<T>(), self.count) }
    }

    /// The tensor.
    fn view(&self) -> TensorView<'_> {
        // SAFETY: each arm is of the tensor's type, and booleans were checked.
        let data = unsafe {
            match self.dtype {
                DType::F32 => TensorSlice::F32(self.values()),
                DType::F16 => TensorSlice::F16(self.values::<f16>()),
                DType::Bf16 => TensorSlice::Bf16(self.values::<bf16>()),
                DType::I8 => TensorSlice::I8(self.values()),
                DType::U8 => TensorSlice::U8(self.values()),
                DType::I32 => TensorSlice::I32(self.values()),
                DType::I64 => TensorSlice::I64(self.values()),
                DType::Bool => TensorSlice::Bool(self.values()),
            }
        };
        #[expect(clippy::expect_used, reason = "`count` is the product of `shape`")]
        TensorView::new(&self.shape, data).expect("as many values as the shape says")
    }
}

fn shape(tensor: &Handle) -> Result<Vec<usize>, String> {
    let functions = tensor.functions();
    let mut shape = CShape {
        rank: 0,
        dims: ptr::null_mut(),
    };
    // SAFETY: the tensor lives, and the place is ours; the array has as many numbers as the rank
    // says, and is freed after it was copied.
    unsafe {
        let status = (functions.ov_tensor_get_shape)(tensor.pointer, &raw mut shape);
        tensor.api.checked(status)?;
        let dims = match usize::try_from(shape.rank) {
            Ok(rank) if rank > 0 && !shape.dims.is_null() => {
                slice::from_raw_parts(shape.dims, rank).to_vec()
            }
            _ => Vec::new(),
        };
        (functions.ov_shape_free)(&raw mut shape);
        dims.into_iter()
            .map(|d| usize::try_from(d).map_err(|_| "a negative dimension".to_owned()))
            .collect()
    }
}
