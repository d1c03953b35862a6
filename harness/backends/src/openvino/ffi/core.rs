//! The core of the library: plugins, devices, reading and compiling.

use super::{CDevices, Compiled, Graph, Handle};
use crate::openvino::element::U8;
use std::{
    ffi::{CStr, CString, c_char},
    ptr, slice,
};

/// Most properties of one compilation.
const MOST_PROPERTIES: usize = 8;

/// Plugins and devices.
pub(in super::super) struct Core(pub(super) Handle);

impl Core {
    /// Devices of this machine, in the library's names: `CPU`, `GPU.0`.
    ///
    /// # Errors
    /// What the library says.
    pub(in super::super) fn devices(&self) -> Result<Vec<String>, String> {
        let functions = self.0.functions();
        let mut list = CDevices {
            devices: ptr::null_mut(),
            size: 0,
        };
        // SAFETY: the place is ours; the library's array holds `size` texts ended by NUL, which are
        // copied before the library frees them.
        unsafe {
            let status = (functions.ov_core_get_available_devices)(self.0.pointer, &raw mut list);
            self.0.api.checked(status)?;
            let names = if list.devices.is_null() {
                Vec::new()
            } else {
                slice::from_raw_parts(list.devices, list.size)
                    .iter()
                    .map(|&name| CStr::from_ptr(name).to_string_lossy().into_owned())
                    .collect()
            };
            (functions.ov_available_devices_free)(&raw mut list);
            Ok(names)
        }
    }

    /// A property of a device.
    ///
    /// # Errors
    /// What the library says.
    pub(in super::super) fn property(&self, device: &CStr, key: &CStr) -> Result<String, String> {
        let mut text = ptr::null_mut();
        // SAFETY: both texts live during the call; the result is ours and freed.
        unsafe {
            let status = (self.0.functions().ov_core_get_property)(
                self.0.pointer,
                device.as_ptr(),
                key.as_ptr(),
                &raw mut text,
            );
            self.0.api.checked(status)?;
            Ok(self.0.api.owned(text))
        }
    }

    /// Reads a model of bytes: ONNX, or the text of an IR with its weights.
    ///
    /// # Errors
    /// What the library says.
    pub(in super::super) fn read_bytes(
        &self,
        model: &[u8],
        weights: &[u8],
    ) -> Result<Graph, String> {
        let functions = self.0.functions();
        // The graph may keep the tensor, so the weights are copied into memory of the library's.
        let tensor = if weights.is_empty() {
            None
        } else {
            let tensor = self.0.api.tensor(U8, weights.len())?;
            let to = tensor.data()?;
            if to.is_null() || tensor.byte_size()? != weights.len() {
                return Err("no memory for the weights".to_owned());
            }
            // SAFETY: the tensor is new, nobody else has it, and it has as many bytes.
            unsafe { ptr::copy_nonoverlapping(weights.as_ptr(), to.cast::<u8>(), weights.len()) };
            Some(tensor)
        };
        let tensor = tensor.as_ref().map_or(ptr::null_mut(), |t| t.pointer);
        // SAFETY: the bytes live during the call, and the library copies them.
        self.0
            .api
            .object(functions.ov_model_free, |to| unsafe {
                (functions.ov_core_read_model_from_memory_buffer)(
                    self.0.pointer,
                    model.as_ptr().cast::<c_char>(),
                    model.len(),
                    tensor,
                    to,
                )
            })
            .map(Graph)
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// What the library says.
    pub(in super::super) fn read_file(&self, path: &CStr) -> Result<Graph, String> {
        let functions = self.0.functions();
        // SAFETY: the path lives during the call; no second file is one of the header's cases.
        self.0
            .api
            .object(functions.ov_model_free, |to| unsafe {
                (functions.ov_core_read_model)(self.0.pointer, path.as_ptr(), ptr::null(), to)
            })
            .map(Graph)
    }

    /// Compiles a model for a device, with at most [`MOST_PROPERTIES`] properties.
    ///
    /// # Errors
    /// What the library says.
    pub(in super::super) fn compile(
        &self,
        graph: &Graph,
        device: &CStr,
        properties: &[(CString, CString)],
    ) -> Result<Compiled, String> {
        let functions = self.0.functions();
        let mut p = [ptr::null::<c_char>(); 2 * MOST_PROPERTIES];
        if properties.len() > MOST_PROPERTIES {
            return Err(format!("more than {MOST_PROPERTIES} properties"));
        }
        for (to, (key, value)) in p.chunks_exact_mut(2).zip(properties) {
            to.copy_from_slice(&[key.as_ptr(), value.as_ptr()]);
        }
        // SAFETY: all texts live during the call. The library reads as many of the variable
        // arguments as the number before them says; C allows more to be there.
        self.0
            .api
            .object(functions.ov_compiled_model_free, |to| unsafe {
                (functions.ov_core_compile_model)(
                    self.0.pointer,
                    graph.0.pointer,
                    device.as_ptr(),
                    2 * properties.len(),
                    to,
                    p[0],
                    p[1],
                    p[2],
                    p[3],
                    p[4],
                    p[5],
                    p[6],
                    p[7],
                    p[8],
                    p[9],
                    p[10],
                    p[11],
                    p[12],
                    p[13],
                    p[14],
                    p[15],
                )
            })
            .map(Compiled)
    }
}
