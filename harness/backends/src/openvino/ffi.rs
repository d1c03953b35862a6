//! The C interface of OpenVINO (`openvino/c/*.h`, 2025.1 to 2026.4) as safe values.
//!
//! Functions are looked up once, when the library is opened: a missing one is a refused library.
//! Exceptions of the library end inside its C functions and come back as a status and a text.
//!
//! What threads may do rests on OpenVINO's documentation: a `Core` and a `CompiledModel` may be used
//! by several threads at once (*OpenVINO Runtime: thread safety*), an infer request by one at a
//! time, which `&mut` says here.
#![expect(
    unsafe_code,
    reason = "functions of a library that is opened at run time"
)]

mod core;
mod graph;
mod request;

pub(super) use self::core::Core;
pub(super) use graph::{Compiled, Graph, Place, Port};
pub(super) use request::Request;

use super::element;
use libloading::Library;
use std::{
    error::Error as _,
    ffi::{CStr, c_char, c_int, c_void},
    path::Path,
    ptr,
};

/// A core, model, compiled model, port, request or tensor of the library's.
type Object = *mut c_void;

#[repr(C)]
struct CVersion {
    build_number: *const c_char,
    description: *const c_char,
}

#[repr(C)]
struct CDevices {
    devices: *mut *mut c_char,
    size: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct CShape {
    rank: i64,
    dims: *mut i64,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct CDimension {
    min: i64,
    max: i64,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct CPartialShape {
    rank: CDimension,
    dims: *mut CDimension,
}

/// Declares the table of functions, and how it is filled.
macro_rules! functions {
    ($($name:ident: $type:ty;)*) => {
        struct Functions { $($name: $type,)* }

        impl Functions {
            fn load(library: &Library) -> Result<Self, String> {
                Ok(Self { $($name: {
                    let name = stringify!($name);
                    // SAFETY: the types are those of the headers named above.
                    let found = unsafe { library.get::<$type>(name.as_bytes()) };
                    *found.map_err(|_| format!("it lacks the function `{name}`"))?
                },)* })
            }
        }
    };
}

type Free = unsafe extern "C" fn(Object);
type Count = unsafe extern "C" fn(Object, *mut usize) -> c_int;
type ByIndex = unsafe extern "C" fn(Object, usize, *mut Object) -> c_int;
type ByName = unsafe extern "C" fn(Object, *const c_char, *mut Object) -> c_int;
type Text = unsafe extern "C" fn(Object, *const c_char, *mut *mut c_char) -> c_int;

functions! {
    ov_get_openvino_version: unsafe extern "C" fn(*mut CVersion) -> c_int;
    ov_version_free: unsafe extern "C" fn(*mut CVersion);
    ov_get_last_err_msg: unsafe extern "C" fn() -> *const c_char;
    ov_free: unsafe extern "C" fn(*const c_char);
    ov_core_create: unsafe extern "C" fn(*mut Object) -> c_int;
    ov_core_free: Free;
    ov_core_get_available_devices: unsafe extern "C" fn(Object, *mut CDevices) -> c_int;
    ov_available_devices_free: unsafe extern "C" fn(*mut CDevices);
    ov_core_get_property:
        unsafe extern "C" fn(Object, *const c_char, *const c_char, *mut *mut c_char) -> c_int;
    ov_core_read_model:
        unsafe extern "C" fn(Object, *const c_char, *const c_char, *mut Object) -> c_int;
    ov_core_read_model_from_memory_buffer:
        unsafe extern "C" fn(Object, *const c_char, usize, Object, *mut Object) -> c_int;
    ov_core_compile_model:
        unsafe extern "C" fn(Object, Object, *const c_char, usize, *mut Object, ...) -> c_int;
    ov_model_free: Free;
    ov_model_inputs_size: Count;
    ov_model_outputs_size: Count;
    ov_model_input_by_index: ByIndex;
    ov_model_input_by_name: ByName;
    ov_model_const_input_by_index: ByIndex;
    ov_model_const_output_by_index: ByIndex;
    ov_model_const_output_by_name: ByName;
    ov_model_reshape_by_ports:
        unsafe extern "C" fn(Object, *const Object, *const CPartialShape, usize) -> c_int;
    ov_output_port_free: Free;
    ov_output_const_port_free: Free;
    ov_port_get_any_name: unsafe extern "C" fn(Object, *mut *mut c_char) -> c_int;
    ov_port_get_element_type: unsafe extern "C" fn(Object, *mut c_int) -> c_int;
    ov_port_get_partial_shape: unsafe extern "C" fn(Object, *mut CPartialShape) -> c_int;
    ov_partial_shape_create_static:
        unsafe extern "C" fn(i64, *const i64, *mut CPartialShape) -> c_int;
    ov_partial_shape_free: unsafe extern "C" fn(*mut CPartialShape);
    ov_compiled_model_free: Free;
    ov_compiled_model_get_property: Text;
    ov_compiled_model_inputs_size: Count;
    ov_compiled_model_input_by_index: ByIndex;
    ov_compiled_model_input_by_name: ByName;
    ov_compiled_model_output_by_index: ByIndex;
    ov_compiled_model_output_by_name: ByName;
    ov_compiled_model_create_infer_request: unsafe extern "C" fn(Object, *mut Object) -> c_int;
    ov_infer_request_free: Free;
    ov_infer_request_set_tensor_by_const_port:
        unsafe extern "C" fn(Object, Object, Object) -> c_int;
    ov_infer_request_get_tensor_by_const_port:
        unsafe extern "C" fn(Object, Object, *mut Object) -> c_int;
    ov_infer_request_infer: unsafe extern "C" fn(Object) -> c_int;
    ov_tensor_create: unsafe extern "C" fn(c_int, CShape, *mut Object) -> c_int;
    ov_tensor_create_from_host_ptr:
        unsafe extern "C" fn(c_int, CShape, *mut c_void, *mut Object) -> c_int;
    ov_tensor_get_shape: unsafe extern "C" fn(Object, *mut CShape) -> c_int;
    ov_tensor_get_element_type: unsafe extern "C" fn(Object, *mut c_int) -> c_int;
    ov_tensor_get_byte_size: unsafe extern "C" fn(Object, *mut usize) -> c_int;
    ov_tensor_data: unsafe extern "C" fn(Object, *mut *mut c_void) -> c_int;
    ov_tensor_free: Free;
    ov_shape_free: unsafe extern "C" fn(*mut CShape) -> c_int;
}

/// The opened library. It stays as long as the process: its threads may outlive everything here.
pub(super) struct Api {
    functions: Functions,
}

impl Api {
    /// Opens a file that may be opened (`native::elf` has looked at it).
    ///
    /// # Errors
    /// What the loader says, a function that is missing, or element types that are numbered as
    /// before 2025.1.
    pub(super) fn open(path: &Path) -> Result<(&'static Self, String), String> {
        // SAFETY: what the library does when it is loaded is the vendor's code, which the user
        // asked for.
        let library = unsafe { Library::new(path) }.map_err(|e| {
            // The loader's own words are the cause.
            e.source()
                .map_or_else(|| e.to_string(), |cause| format!("{e}: {cause}"))
        })?;
        let functions = Functions::load(&library);
        // SAFETY: the type is that of `ov_util.h`; the function came with 2025.4.
        let silence = unsafe {
            library.get::<unsafe extern "C" fn(Option<unsafe extern "C" fn(*const c_char)>)>(
                b"ov_util_set_log_callback",
            )
        }
        .ok()
        .map(|f| *f);
        // A library that started threads cannot be closed safely, also one that is refused.
        std::mem::forget(library);
        if let Some(silence) = silence {
            // SAFETY: no function means no messages, says the header.
            unsafe { silence(None) };
        }
        let api = Box::leak(Box::new(Self {
            functions: functions?,
        }));
        let version = api.version()?;
        Ok((api, version))
    }

    /// The library's error, if the status says that there is one.
    fn checked(&self, status: c_int) -> Result<(), String> {
        if status == 0 {
            return Ok(());
        }
        // SAFETY: the library gives a text ended by NUL, which is its caller's, or null.
        let text = unsafe { self.owned((self.functions.ov_get_last_err_msg)()) };
        Err(if text.is_empty() {
            format!("status {status} without a reason")
        } else {
            text
        })
    }

    /// A text of the library's, which is freed.
    ///
    /// # Safety
    /// `text` is null, or a text ended by NUL that the library handed over.
    unsafe fn owned(&self, text: *const c_char) -> String {
        if text.is_null() {
            return String::new();
        }
        // SAFETY: promised by the caller; it is not used again.
        unsafe {
            let copy = CStr::from_ptr(text).to_string_lossy().into_owned();
            (self.functions.ov_free)(text);
            copy
        }
    }

    fn object(
        &'static self,
        free: Free,
        make: impl FnOnce(*mut Object) -> c_int,
    ) -> Result<Handle, String> {
        let mut pointer = ptr::null_mut();
        let status = make(&raw mut pointer);
        // The object is freed also when the status is bad.
        let handle = Handle {
            api: self,
            free,
            pointer,
        };
        self.checked(status)?;
        if handle.pointer.is_null() {
            return Err("the library gave nothing and said that all is well".to_owned());
        }
        Ok(handle)
    }

    fn version(&self) -> Result<String, String> {
        let mut version = CVersion {
            build_number: ptr::null(),
            description: ptr::null(),
        };
        // SAFETY: the place is ours, and freed by the library's own function after the text was
        // copied.
        unsafe {
            self.checked((self.functions.ov_get_openvino_version)(&raw mut version))?;
            let text = if version.build_number.is_null() {
                String::new()
            } else {
                CStr::from_ptr(version.build_number)
                    .to_string_lossy()
                    .into_owned()
            };
            (self.functions.ov_version_free)(&raw mut version);
            Ok(text)
        }
    }

    /// Whether the library numbers element types as here: a tensor of each must have the size that
    /// follows.
    ///
    /// # Errors
    /// Names a type whose size is another.
    pub(super) fn check_elements(&'static self) -> Result<(), String> {
        for &(dtype, code) in element::HELD {
            let found = self.tensor(code, 3)?.byte_size()?;
            if found != 3 * dtype.size_bytes() {
                return Err(format!(
                    "it numbers element types otherwise: {found} bytes for three values of {dtype}"
                ));
            }
        }
        Ok(())
    }

    /// A new tensor of `count` values of the type of that number.
    fn tensor(&'static self, code: c_int, count: usize) -> Result<Handle, String> {
        let mut dim = i64::try_from(count).map_err(|e| e.to_string())?;
        let shape = CShape {
            rank: 1,
            dims: &raw mut dim,
        };
        let functions = &self.functions;
        // SAFETY: the shape lives during the call, and the library copies it.
        self.object(functions.ov_tensor_free, |to| unsafe {
            (functions.ov_tensor_create)(code, shape, to)
        })
    }

    /// The library's core: plugins, devices.
    ///
    /// # Errors
    /// What the library says.
    pub(super) fn core(&'static self) -> Result<Core, String> {
        let functions = &self.functions;
        // SAFETY: the place is ours.
        self.object(functions.ov_core_free, |to| unsafe {
            (functions.ov_core_create)(to)
        })
        .map(Core)
    }
}

/// An object of the library's, freed when it is dropped.
struct Handle {
    api: &'static Api,
    free: Free,
    pointer: Object,
}

// SAFETY: the library binds no object to a thread. What changes an object takes `&mut` below, and
// what does not may be called by several threads at once, says the documentation named above.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.pointer.is_null() {
            // SAFETY: the object is of the kind that `free` frees, and nobody has it any more.
            unsafe { (self.free)(self.pointer) }
        }
    }
}

impl Handle {
    fn functions(&self) -> &'static Functions {
        &self.api.functions
    }

    fn count(&self, count: Count) -> Result<usize, String> {
        let mut number = 0;
        // SAFETY: the object lives, and is of the kind that `count` counts in.
        let status = unsafe { count(self.pointer, &raw mut number) };
        self.api.checked(status).map(|()| number)
    }

    fn child(&self, free: Free, get: ByIndex, index: usize) -> Result<Handle, String> {
        // SAFETY: the object lives, and is of the kind that `get` looks in.
        self.api
            .object(free, |to| unsafe { get(self.pointer, index, to) })
    }

    fn named(&self, free: Free, get: ByName, name: &CStr) -> Result<Handle, String> {
        // SAFETY: as above; the name lives during the call.
        self.api
            .object(free, |to| unsafe { get(self.pointer, name.as_ptr(), to) })
    }

    fn byte_size(&self) -> Result<usize, String> {
        self.count(self.functions().ov_tensor_get_byte_size)
    }

    fn data(&self) -> Result<*mut c_void, String> {
        let mut data = ptr::null_mut();
        // SAFETY: the object is a tensor, and the place is ours.
        let status = unsafe { (self.functions().ov_tensor_data)(self.pointer, &raw mut data) };
        self.api.checked(status).map(|()| data)
    }
}
