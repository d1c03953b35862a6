//! Models as they were read, compiled models, and their inputs and outputs.

use super::{CDimension, CPartialShape, Handle, Request};
use crate::openvino::element;
use dyno_core::{DType, Dimension};
use std::{
    ffi::{CStr, CString},
    ptr, slice,
};

/// Most dimensions of a tensor that are looked at.
const MOST_DIMENSIONS: i64 = 64;

/// Where an input or output is: in files with names it is asked for by name, in others by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Place {
    /// Its name.
    Name(CString),
    /// Its number.
    Index(usize),
}

/// A model that was read.
pub(in super::super) struct Graph(pub(super) Handle);

impl Graph {
    /// Inputs in the library's order.
    ///
    /// # Errors
    /// What the library says.
    pub(in super::super) fn inputs(&self) -> Result<Vec<Port>, String> {
        let functions = self.0.functions();
        (0..self.0.count(functions.ov_model_inputs_size)?)
            .map(|index| {
                let free = functions.ov_output_const_port_free;
                self.0
                    .child(free, functions.ov_model_const_input_by_index, index)
                    .map(Port)
            })
            .collect()
    }

    /// Outputs in the library's order.
    ///
    /// # Errors
    /// What the library says.
    pub(in super::super) fn outputs(&self) -> Result<Vec<Port>, String> {
        let functions = self.0.functions();
        (0..self.0.count(functions.ov_model_outputs_size)?)
            .map(|index| {
                let free = functions.ov_output_const_port_free;
                self.0
                    .child(free, functions.ov_model_const_output_by_index, index)
                    .map(Port)
            })
            .collect()
    }

    /// Whether an output is there.
    pub(in super::super) fn has_output(&self, place: &Place) -> bool {
        let functions = self.0.functions();
        let free = functions.ov_output_const_port_free;
        match place {
            Place::Name(name) => self
                .0
                .named(free, functions.ov_model_const_output_by_name, name),
            Place::Index(index) => {
                self.0
                    .child(free, functions.ov_model_const_output_by_index, *index)
            }
        }
        .is_ok()
    }

    /// Gives inputs concrete shapes.
    ///
    /// # Errors
    /// What the library says: an operator that cannot have such a shape.
    pub(in super::super) fn reshape(
        &mut self,
        inputs: &[(&Place, &[usize])],
    ) -> Result<(), String> {
        let functions = self.0.functions();
        let free = functions.ov_output_port_free;
        let mut ports = Vec::with_capacity(inputs.len());
        let mut shapes = Vec::with_capacity(inputs.len());
        for (place, shape) in inputs {
            ports.push(match place {
                Place::Name(name) => self.0.named(free, functions.ov_model_input_by_name, name)?,
                Place::Index(index) => {
                    self.0
                        .child(free, functions.ov_model_input_by_index, *index)?
                }
            });
            shapes.push(PartialShape::new(&self.0, shape)?);
        }
        let ports: Vec<_> = ports.iter().map(|p| (p.pointer, p)).collect();
        let pointers: Vec<_> = ports.iter().map(|(pointer, _)| *pointer).collect();
        let values: Vec<CPartialShape> = shapes.iter().map(|s| s.value).collect();
        // SAFETY: the model lives, both arrays have the length that is given, and what they point
        // to lives during the call.
        let status = unsafe {
            (functions.ov_model_reshape_by_ports)(
                self.0.pointer,
                pointers.as_ptr(),
                values.as_ptr(),
                pointers.len(),
            )
        };
        self.0.api.checked(status)
    }
}

/// A shape of the library's, freed when it is dropped.
struct PartialShape<'a> {
    of: &'a Handle,
    value: CPartialShape,
}

impl<'a> PartialShape<'a> {
    fn empty(of: &'a Handle) -> Self {
        let value = CPartialShape {
            rank: CDimension { min: 0, max: 0 },
            dims: ptr::null_mut(),
        };
        Self { of, value }
    }

    fn new(of: &'a Handle, dims: &[usize]) -> Result<Self, String> {
        let dims = dims
            .iter()
            .map(|&d| i64::try_from(d))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| e.to_string())?;
        let rank = i64::try_from(dims.len()).map_err(|e| e.to_string())?;
        let mut shape = Self::empty(of);
        // SAFETY: the array has the length that is given, and the place is ours.
        let status = unsafe {
            (of.functions().ov_partial_shape_create_static)(
                rank,
                dims.as_ptr(),
                &raw mut shape.value,
            )
        };
        of.api.checked(status).map(|()| shape)
    }
}

impl Drop for PartialShape<'_> {
    fn drop(&mut self) {
        if !self.value.dims.is_null() {
            // SAFETY: the library made it, and nobody else has it.
            unsafe { (self.of.functions().ov_partial_shape_free)(&raw mut self.value) }
        }
    }
}

/// An input or output.
pub(in super::super) struct Port(pub(super) Handle);

impl Port {
    /// One of its names; `None` where it has none.
    pub(in super::super) fn name(&self) -> Option<String> {
        let mut text = ptr::null_mut();
        // SAFETY: the port lives; the result is ours and freed.
        unsafe {
            let status = (self.0.functions().ov_port_get_any_name)(self.0.pointer, &raw mut text);
            let named = self.0.api.checked(status);
            let text = self.0.api.owned(text);
            (named.is_ok() && !text.is_empty()).then_some(text)
        }
    }

    /// Its type; the name of the type where tensors here cannot hold it.
    ///
    /// # Errors
    /// What the library says.
    pub(in super::super) fn dtype(&self) -> Result<Result<DType, String>, String> {
        let mut code = 0;
        // SAFETY: the port lives, and the place is ours.
        let status =
            unsafe { (self.0.functions().ov_port_get_element_type)(self.0.pointer, &raw mut code) };
        self.0.api.checked(status).map(|()| element::dtype(code))
    }

    /// Its shape; `None` where not even the rank is known.
    ///
    /// # Errors
    /// What the library says.
    pub(in super::super) fn shape(&self) -> Result<Option<Vec<Dimension>>, String> {
        let mut shape = PartialShape::empty(&self.0);
        // SAFETY: the port lives, and the place is ours.
        let status = unsafe {
            (self.0.functions().ov_port_get_partial_shape)(self.0.pointer, &raw mut shape.value)
        };
        self.0.api.checked(status)?;
        let CPartialShape { rank, dims } = shape.value;
        if rank.min != rank.max || !(0..=MOST_DIMENSIONS).contains(&rank.min) {
            return Ok(None);
        }
        let count = usize::try_from(rank.min).map_err(|e| e.to_string())?;
        if count == 0 || dims.is_null() {
            return Ok(Some(Vec::new()));
        }
        // SAFETY: the library's array has as many dimensions as the rank says, and lives until
        // `shape` is dropped.
        let dims = unsafe { slice::from_raw_parts(dims, count) };
        let dimension = |d: &CDimension| match usize::try_from(d.min) {
            Ok(n) if d.min == d.max => Dimension::Fixed(n),
            _ => Dimension::Unknown,
        };
        Ok(Some(dims.iter().map(dimension).collect()))
    }
}

/// A model that a device can run.
pub(in super::super) struct Compiled(pub(super) Handle);

impl Compiled {
    /// A property as it really is; `None` where this kind of device has no such property.
    pub(in super::super) fn property(&self, key: &CStr) -> Option<String> {
        let mut text = ptr::null_mut();
        // SAFETY: the key lives during the call; the result is ours and freed.
        unsafe {
            let status = (self.0.functions().ov_compiled_model_get_property)(
                self.0.pointer,
                key.as_ptr(),
                &raw mut text,
            );
            let there = self.0.api.checked(status);
            let text = self.0.api.owned(text);
            there.is_ok().then_some(text)
        }
    }

    /// An input.
    ///
    /// # Errors
    /// When there is none.
    pub(in super::super) fn input(&self, place: &Place) -> Result<Port, String> {
        let functions = self.0.functions();
        let free = functions.ov_output_const_port_free;
        match place {
            Place::Name(name) => {
                self.0
                    .named(free, functions.ov_compiled_model_input_by_name, name)
            }
            Place::Index(index) => {
                self.0
                    .child(free, functions.ov_compiled_model_input_by_index, *index)
            }
        }
        .map(Port)
    }

    /// An output.
    ///
    /// # Errors
    /// When there is none.
    pub(in super::super) fn output(&self, place: &Place) -> Result<Port, String> {
        let functions = self.0.functions();
        let free = functions.ov_output_const_port_free;
        match place {
            Place::Name(name) => {
                self.0
                    .named(free, functions.ov_compiled_model_output_by_name, name)
            }
            Place::Index(index) => {
                self.0
                    .child(free, functions.ov_compiled_model_output_by_index, *index)
            }
        }
        .map(Port)
    }

    /// Run state.
    ///
    /// # Errors
    /// What the library says.
    pub(in super::super) fn request(&self) -> Result<Request, String> {
        let functions = self.0.functions();
        let inputs = self.0.count(functions.ov_compiled_model_inputs_size)?;
        // SAFETY: the compiled model lives, and the place is ours.
        self.0
            .api
            .object(functions.ov_infer_request_free, |to| unsafe {
                (functions.ov_compiled_model_create_infer_request)(self.0.pointer, to)
            })
            .map(|request| Request::new(request, inputs))
    }
}
