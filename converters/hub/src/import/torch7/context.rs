//! The translation of one module: its fields, what flows through it, and the graph in the making.

use super::{MODULES, Problem};
use crate::graph::{Attribute, Builder, ElementType, Tensor};
use dyno_formats::torch7::{Element, File, Number, Object, Table, Value};
use half::f16;
use std::collections::BTreeMap;

/// Most modules that are entered: shared ones count each time.
const MOST: usize = 100_000;
/// Deepest nesting of containers: each level is a call.
const DEPTH: usize = 100;

/// A tensor on its way; -1 is an axis whose length is open.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Val {
    pub(super) name: String,
    pub(super) dims: Vec<i64>,
}

/// What flows from module to module: a tensor, or a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Flow {
    One(Val),
    Many(Vec<Flow>),
}

/// A pool whose indices an unpooling may ask for.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    /// What it reads and what it gives.
    pub(super) input: Val,
    pub(super) output: Val,
    pub(super) kernel: [i64; 2],
    pub(super) strides: [i64; 2],
    /// Top, left, bottom, right.
    pub(super) pads: [i64; 4],
    /// The indices, once they were asked for.
    pub(super) indices: Option<String>,
    /// Masks of the four places of a window, once they were asked for.
    pub(super) masks: Option<[String; 4]>,
}

/// What all modules share.
pub(super) struct Context<'a> {
    pub(super) file: &'a File,
    pub(super) builder: Builder,
    /// Pools by the object of their indices, and by themselves.
    pub(super) pools: BTreeMap<Number, usize>,
    pub(super) made: Vec<Pool>,
    /// Modules that cannot be expressed, and where they stand.
    pub(super) unsupported: Vec<String>,
    pub(super) notes: Vec<String>,
    entered: usize,
}

/// One module.
pub(super) struct Module<'c, 'a> {
    pub(super) context: &'c mut Context<'a>,
    /// Its object.
    pub(super) number: Number,
    pub(super) table: &'a Table,
    /// Class, and position in each container from the root on: for names and messages.
    pub(super) path: String,
    depth: usize,
}

impl<'a> Context<'a> {
    pub(super) fn new(file: &'a File) -> Self {
        Self {
            file,
            builder: Builder::new("torch7"),
            pools: BTreeMap::new(),
            made: Vec::new(),
            unsupported: Vec::new(),
            notes: Vec::new(),
            entered: 0,
        }
    }

    /// Runs `x` through the module that `value` is.
    pub(super) fn enter(
        &mut self,
        value: &Value,
        x: Flow,
        path: &str,
        depth: usize,
    ) -> Result<Flow, Problem> {
        let file = self.file;
        self.entered += 1;
        if self.entered > MOST || depth > DEPTH {
            return Err(format!(
                "{path}: more than {MOST} modules, or nested more than {DEPTH} deep"
            ));
        }
        let (Value::Object(number), Some(Object::Class { name, .. })) = (value, file.object(value))
        else {
            return Err(format!("{path}: no module"));
        };
        let table = file.table(value);
        let table = table.ok_or_else(|| format!("{path}: a module without fields"))?;
        let class = name.rsplit('.').next().unwrap_or(name);
        let path = format!("{path}/{class}");
        let Some((_, function)) = MODULES.iter().find(|(row, _)| *row == class) else {
            self.unsupported.push(format!("{path} (class `{name}`)"));
            return Ok(x);
        };
        let mut module = Module {
            context: self,
            number: *number,
            table,
            path: path.clone(),
            depth,
        };
        match function(&mut module, x.clone()) {
            Ok(flow) => Ok(flow),
            Err(problem) if problem.starts_with('/') => Err(problem),
            Err(problem) => {
                self.unsupported.push(format!("{path}: {problem}"));
                Ok(x)
            }
        }
    }
}

impl<'a> Module<'_, 'a> {
    /// Runs `x` through a module within this one.
    pub(super) fn child(&mut self, at: usize, value: &Value, x: Flow) -> Result<Flow, Problem> {
        let path = format!("{}/{}", self.path, at + 1);
        self.context.enter(value, x, &path, self.depth + 1)
    }

    /// The modules of a container.
    pub(super) fn modules(&self) -> Result<Vec<&'a Value>, Problem> {
        let list = self
            .table
            .get("modules")
            .ok_or("a container without `modules`")?;
        let table = self.context.file.table(list);
        Ok(table.ok_or("`modules` is no table")?.list())
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, Problem> {
        match self.table.get(key) {
            None | Some(Value::Nil) => Ok(None),
            Some(Value::Number(v)) => Ok(Some(*v)),
            Some(_) => Err(format!("field `{key}` is no number")),
        }
    }

    /// A whole number; `default` when the field is not there.
    pub(super) fn int(&self, key: &str, default: i64) -> Result<i64, Problem> {
        match self.number(key)? {
            None => Ok(default),
            Some(v) if v.fract() == 0.0 && v.abs() < 1e9 => Ok(v as i64),
            Some(v) => Err(format!("field `{key}` is {v}, no whole number")),
        }
    }

    pub(super) fn needed(&self, key: &str) -> Result<i64, Problem> {
        if self.number(key)?.is_none() {
            return Err(format!("field `{key}` is missing"));
        }
        self.int(key, 0)
    }

    pub(super) fn real(&self, key: &str, default: f64) -> Result<f64, Problem> {
        Ok(self.number(key)?.unwrap_or(default))
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, Problem> {
        match self.table.get(key) {
            None | Some(Value::Nil) => Ok(default),
            Some(Value::Boolean(v)) => Ok(*v),
            Some(Value::Number(v)) => Ok(*v != 0.0),
            Some(_) => Err(format!("field `{key}` is neither true nor false")),
        }
    }

    /// Numbers of a storage: sizes of `Reshape` and `View`.
    pub(super) fn sizes(&self, key: &str) -> Result<Vec<i64>, Problem> {
        let value = self
            .table
            .get(key)
            .ok_or_else(|| format!("field `{key}` is missing"))?;
        match self.context.file.object(value) {
            Some(Object::Storage(s)) if s.element == Element::I64 => {
                let (words, _) = s.bytes.as_chunks::<8>();
                Ok(words.iter().map(|w| i64::from_le_bytes(*w)).collect())
            }
            Some(Object::Table(table)) => table
                .list()
                .iter()
                .map(|v| match v {
                    Value::Number(n) if n.fract() == 0.0 => Ok(*n as i64),
                    _ => Err(format!("field `{key}` holds what is no whole number")),
                })
                .collect(),
            _ => Err(format!("field `{key}` is no list of sizes")),
        }
    }

    /// The tensor of a field as `f32`; `None` where there is none or it is empty.
    pub(super) fn tensor(&self, key: &str) -> Result<Option<Tensor>, Problem> {
        let file = self.context.file;
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        let tensor = match file.object(value) {
            Some(Object::Tensor(tensor)) => tensor,
            None if *value == Value::Nil => return Ok(None),
            _ => return Err(format!("field `{key}` is no tensor")),
        };
        let (element, dims, bytes) = file
            .dense(tensor)
            .ok_or_else(|| format!("field `{key}`: a tensor that leaves its storage"))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let wide = |each: &mut dyn FnMut(&mut Vec<u8>)| {
            let mut out = Vec::new();
            each(&mut out);
            bytes::Bytes::from(out)
        };
        let bytes = match element {
            Element::F32 => bytes,
            Element::F64 => wide(&mut |out| {
                for w in bytes.as_chunks::<8>().0 {
                    out.extend((f64::from_le_bytes(*w) as f32).to_le_bytes());
                }
            }),
            Element::F16 => wide(&mut |out| {
                for w in bytes.as_chunks::<2>().0 {
                    out.extend(f16::from_le_bytes(*w).to_f32().to_le_bytes());
                }
            }),
            other => return Err(format!("field `{key}` holds {other:?}, no real numbers")),
        };
        Tensor::new(ElementType::F32, dims, bytes)
            .map(Some)
            .map_err(|e| e.to_string())
    }

    /// As [`Self::tensor`], in shape `dims`; the file must have as many numbers.
    pub(super) fn shaped(&self, key: &str, dims: &[i64]) -> Result<Option<Tensor>, Problem> {
        let Some(tensor) = self.tensor(key)? else {
            return Ok(None);
        };
        let shape: Option<Vec<usize>> = dims.iter().map(|d| usize::try_from(*d).ok()).collect();
        let shape = shape.ok_or_else(|| format!("a shape {dims:?}"))?;
        let found = tensor.dims().to_vec();
        tensor
            .reshaped(shape)
            .map(Some)
            .map_err(|_| format!("field `{key}` has shape {found:?}, and {dims:?} is expected"))
    }

    /// A constant of the graph, named after the field.
    pub(super) fn weight(&mut self, key: &str, tensor: Tensor) -> String {
        let name = format!("{}/{key}", self.path.trim_start_matches('/'));
        self.context.builder.constant(&name, tensor)
    }

    pub(super) fn list(&mut self, values: &[i64]) -> String {
        self.weight("list", Tensor::list(values))
    }

    pub(super) fn scalar(&mut self, value: f64) -> String {
        self.weight("constant", Tensor::scalar(value as f32))
    }

    /// Adds an operation.
    pub(super) fn add<const N: usize>(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
    ) -> String {
        let name = self.path.trim_start_matches('/').to_owned();
        self.context.builder.add(op, &name, inputs, attributes)
    }
}

impl Flow {
    /// The only tensor.
    pub(super) fn one(self) -> Result<Val, Problem> {
        match self {
            Self::One(val) => Ok(val),
            Self::Many(_) => Err("a table flows in, and a tensor is expected".to_owned()),
        }
    }

    /// The entries of a table.
    pub(super) fn many(self) -> Result<Vec<Flow>, Problem> {
        match self {
            Self::Many(list) => Ok(list),
            Self::One(_) => Err("a tensor flows in, and a table is expected".to_owned()),
        }
    }
}

impl Val {
    pub(super) fn rank(&self) -> usize {
        self.dims.len()
    }

    /// The same shape under another name.
    pub(super) fn like(&self, name: String) -> Flow {
        Flow::One(Self {
            name,
            dims: self.dims.clone(),
        })
    }

    /// All lengths, when none is open.
    pub(super) fn known(&self) -> Option<Vec<i64>> {
        let all = self.dims.iter().all(|d| *d >= 0);
        all.then(|| self.dims.clone())
    }
}

/// A value of this name and shape.
pub(super) fn flow(name: String, dims: Vec<i64>) -> Flow {
    Flow::One(Val { name, dims })
}
