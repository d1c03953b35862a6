//! Opening a model with OpenVINO.

use super::{
    device::{self, Device},
    ffi::{Compiled, Core, Place},
    library::{self, OLDEST},
    model::{Loaded, OpenVinoModel},
    settings::{KEYS, Settings, Streams},
    source::{self, Source, load, plain},
};
use crate::{
    config::{check_counts, select_outputs},
    io::{fixed, resolve_shapes},
};
use dyno_core::{
    Absence, Availability, Backend, BackendError, Capability, Dimension, ExecutionFacts, Framework,
    IoSpec, Library, Model, ModelSource, OpenConfig, Presence, Reason, TensorInfo,
};
use std::{
    collections::BTreeMap,
    ffi::{CStr, CString},
    sync::Arc,
    thread::available_parallelism,
};

pub(super) const ID: &str = "openvino";

/// Intel's OpenVINO on the devices that its library lists: one compiled model, an infer request for
/// each slot. Reads IR of versions 10 and 11, ONNX, and frozen graphs of TensorFlow.
///
/// Arithmetic is f32 unless another is asked for, also on processors on which OpenVINO would take
/// bf16 by itself; what the compiled model says of its arithmetic is in the facts. Settings:
///
/// * `hint`: `latency` (default) or `throughput`: what OpenVINO tunes itself for.
/// * `streams`: how many runs are under way at once: a number, or `auto` for what OpenVINO finds
///   best (the default with `hint=throughput`). By default as many as slots, as far as there are
///   cores for their threads; slots beyond that wait for each other. Each stream has `threads`
///   threads; with `auto` OpenVINO divides `threads` × slots among the streams.
/// * `pinning`: `on` or `off`: whether threads are bound to cores; OpenVINO's choice by default.
/// * `cache`: a folder where OpenVINO keeps compiled models; who can write there can change what
///   runs.
/// * `library`: path of the C library; must be the one that this process uses already, if it uses
///   one.
///
/// Devices other than the processor were never run by the authors.
#[derive(Debug, Clone, Copy)]
pub struct OpenVino;

impl Backend for OpenVino {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "Intel's OpenVINO, opened at run time"
    }

    fn reads(&self) -> &'static [Framework] {
        &[Framework::OpenVino, Framework::Onnx, Framework::TensorFlow]
    }

    fn probe(&self) -> Availability {
        let (year, release) = OLDEST;
        let built_for = format!("for OpenVINO {year}.{release} or newer");
        let loaded = match library::load(None) {
            Ok(loaded) => loaded,
            Err(absence) => return Availability::without_library(built_for, absence),
        };
        let core = &loaded.core;
        let (devices, precisions) = match core.devices() {
            Ok(there) => (
                there.iter().map(|d| describe(core, d)).collect(),
                precisions(core, &there),
            ),
            Err(says) => {
                let says = plain(&says);
                let absence = Absence::lasting(Reason::Refused { says });
                (vec![Capability::missing("cpu", absence)], Vec::new())
            }
        };
        Availability {
            library: Some(Presence::Yes(Library {
                path: loaded.path.display().to_string(),
                version: loaded.version.clone(),
                source: loaded.source.to_owned(),
            })),
            devices,
            precisions,
            ..Availability::built_in(built_for)
        }
    }

    fn open(
        &self,
        model: &ModelSource,
        config: &OpenConfig,
    ) -> Result<Arc<dyn Model>, BackendError> {
        check_counts(ID, config, KEYS)?;
        let settings = Settings::read(config)?;
        let library = library::load(settings.library.as_deref()).map_err(|absence| {
            BackendError::Unavailable {
                backend: ID,
                reason: absence.to_string(),
            }
        })?;
        let core = &library.core;
        let devices = core.devices().map_err(|e| load(plain(&e)))?;
        let device = Device::find(&config.device, &devices)?;
        let mut source = source::read(core, model)?;
        let hint = device::precision(
            config.precision,
            source.precision,
            &device.name,
            &capabilities(core, &device)?,
        )?;
        let shapes = resolve_shapes(ID, &source.inputs, config)?;
        let chosen = select_outputs(ID, config, &source.output_names)?;
        reshape(&mut source, &shapes)?;
        let asked = properties(&device, config, &settings, hint)?;
        let compiled = core
            .compile(&source.graph, &device.library, &asked)
            .map_err(|e| load(plain(&e)))?;
        let facts = ExecutionFacts {
            backend: ID.to_owned(),
            library: format!("openvino {}", library.version),
            device: device.name.clone(),
            providers: Vec::new(),
            precision: arithmetic(&compiled, source.precision)?,
            threads: config.threads,
            batch: config.batch,
            shapes: source
                .inputs
                .iter()
                .map(|i| i.name.clone())
                .zip(shapes.iter().cloned())
                .collect(),
            settings: BTreeMap::new(),
        };
        let facts = in_force(facts, &compiled, &device, &settings)?;
        let loaded = ports(compiled, &source, &shapes, &chosen).map_err(load)?;
        Ok(Arc::new(OpenVinoModel {
            loaded: Arc::new(loaded),
            facts,
            is_virtual: device.is_virtual,
        }))
    }
}

/// A text about a device; empty where it has no such.
fn about(core: &Core, theirs: &str, key: &CStr) -> String {
    CString::new(theirs)
        .ok()
        .and_then(|device| core.property(&device, key).ok())
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// A device with its own name.
fn describe(core: &Core, theirs: &str) -> Capability {
    Capability::there(
        device::ours(theirs),
        about(core, theirs, c"FULL_DEVICE_NAME"),
    )
}

/// What can be asked for, with the devices that compute in it.
fn precisions(core: &Core, devices: &[String]) -> Vec<Capability> {
    [
        ("f32", "FP32"),
        ("f16", "FP16"),
        ("bf16", "BF16"),
        ("int8", "INT8"),
    ]
    .into_iter()
    .map(|(name, capability)| {
        let able: Vec<String> = devices
            .iter()
            .filter(|d| {
                about(core, d, c"OPTIMIZATION_CAPABILITIES")
                    .split_whitespace()
                    .any(|c| c == capability)
            })
            .map(|d| device::ours(d))
            .collect();
        if able.is_empty() {
            let detail = "no device of this machine computes in it".to_owned();
            Capability::missing(name, Absence::lasting(Reason::NotSupported { detail }))
        } else {
            Capability::there(name, able.join(", "))
        }
    })
    .collect()
}

/// What all devices in it compute in.
fn capabilities(core: &Core, device: &Device) -> Result<Vec<String>, BackendError> {
    let mut common: Option<Vec<String>> = None;
    for member in &device.members {
        let name = CString::new(member.as_str()).map_err(|e| load(e.to_string()))?;
        let text = core
            .property(&name, c"OPTIMIZATION_CAPABILITIES")
            .map_err(|e| load(plain(&e)))?;
        let can: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        common = Some(match common {
            None => can,
            Some(mut both) => {
                both.retain(|c| can.contains(c));
                both
            }
        });
    }
    Ok(common.unwrap_or_default())
}

/// Gives the graph concrete shapes where its file leaves some open.
fn reshape(source: &mut Source, shapes: &[Vec<usize>]) -> Result<(), BackendError> {
    if source.inputs.iter().all(|i| i.fixed_shape().is_some()) {
        return Ok(());
    }
    let inputs: Vec<(&Place, &[usize])> = source
        .input_places
        .iter()
        .zip(shapes.iter().map(Vec::as_slice))
        .collect();
    source
        .graph
        .reshape(&inputs)
        .map_err(|e| load(format!("these shapes of inputs: {}", plain(&e))))
}

/// What the compilation asks for.
fn properties(
    device: &Device,
    config: &OpenConfig,
    settings: &Settings,
    precision: &str,
) -> Result<Vec<(CString, CString)>, BackendError> {
    let mut asked = vec![
        ("INFERENCE_PRECISION_HINT", precision.to_owned()),
        ("PERFORMANCE_HINT", settings.hint.property().to_owned()),
    ];
    let streams = match settings.streams {
        Streams::Slots => Some(config.slots.min(cores() / config.threads.max(1)).max(1)),
        Streams::Count(count) => Some(count),
        Streams::Auto => None,
    };
    if device.is_cpu() {
        let threads = config
            .threads
            .checked_mul(streams.unwrap_or(config.slots))
            .ok_or_else(|| BackendError::Unsupported {
                backend: ID,
                what: format!("{} threads for each stream", config.threads),
            })?;
        asked.push(("INFERENCE_NUM_THREADS", threads.to_string()));
    }
    if let Some(streams) = streams.filter(|_| !device.is_virtual) {
        asked.push(("NUM_STREAMS", streams.to_string()));
    }
    if let Some(pinning) = settings.pinning {
        let yes = if pinning { "YES" } else { "NO" };
        asked.push(("ENABLE_CPU_PINNING", yes.to_owned()));
    }
    if let Some(cache) = &settings.cache {
        let folder = cache.to_str().ok_or_else(|| BackendError::Unsupported {
            backend: ID,
            what: format!("cache `{}`: the path is not UTF-8", cache.display()),
        })?;
        asked.push(("CACHE_DIR", folder.to_owned()));
    }
    if device.name.starts_with("auto") && device.members.len() > 1 {
        // Without them it runs on the processor until the chosen device is ready, and again when
        // that one fails. With a single device there is nothing to fall back to, and asking is an
        // error.
        asked.push(("ENABLE_STARTUP_FALLBACK", "NO".to_owned()));
        asked.push(("ENABLE_RUNTIME_FALLBACK", "NO".to_owned()));
    }
    asked
        .into_iter()
        .map(|(key, value)| Ok((CString::new(key)?, CString::new(value)?)))
        .collect::<Result<_, std::ffi::NulError>>()
        .map_err(|e| load(e.to_string()))
}

fn cores() -> u32 {
    available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX))
}

/// The arithmetic that the compiled model says it has.
fn arithmetic(compiled: &Compiled, file: &str) -> Result<String, BackendError> {
    if file == "int8" {
        return Ok(file.to_owned());
    }
    let own = compiled.property(c"INFERENCE_PRECISION_HINT").or_else(|| {
        within(
            &compiled.property(c"DEVICE_PROPERTIES")?,
            "INFERENCE_PRECISION_HINT",
        )
    });
    own.map(|p| p.trim().to_owned())
        .filter(|p| !p.is_empty())
        .ok_or_else(|| load("the compiled model does not say what it computes in".to_owned()))
}

/// The value of a key in the text `{CPU:{A:1,B:2}}` of properties of devices.
fn within(text: &str, key: &str) -> Option<String> {
    let rest = text.split_once(&format!("{key}:"))?.1;
    Some(rest.split([',', '}']).next().unwrap_or("").to_owned())
}

/// Settings and threads as the compiled model says that they are.
fn in_force(
    mut facts: ExecutionFacts,
    compiled: &Compiled,
    device: &Device,
    settings: &Settings,
) -> Result<ExecutionFacts, BackendError> {
    let told = &mut facts.settings;
    told.insert(
        "hint".to_owned(),
        settings.hint.property().to_ascii_lowercase(),
    );
    if settings.cache.is_some() {
        // The path would tell about the machine; facts are kept in records.
        told.insert("cache".to_owned(), "on".to_owned());
    }
    let number = |key: &CStr| compiled.property(key)?.trim().parse::<u32>().ok();
    if let Some(streams) = number(c"NUM_STREAMS") {
        told.insert("streams".to_owned(), streams.to_string());
    }
    if !device.is_cpu() {
        return Ok(facts);
    }
    if let Some(pinning) = compiled.property(c"ENABLE_CPU_PINNING") {
        let on = matches!(pinning.trim(), "YES" | "1" | "true");
        let on = if on { "on" } else { "off" };
        told.insert("pinning".to_owned(), on.to_owned());
    }
    let (Some(threads), Some(streams)) = (number(c"INFERENCE_NUM_THREADS"), number(c"NUM_STREAMS"))
    else {
        return Err(load(
            "the compiled model does not say its threads and streams".to_owned(),
        ));
    };
    let each = threads / streams.max(1);
    if settings.streams != Streams::Auto && each != facts.threads {
        return Err(BackendError::Unsupported {
            backend: ID,
            what: format!(
                "threads = {}: of {} cores it gives {streams} streams {threads} threads",
                facts.threads,
                cores()
            ),
        });
    }
    facts.threads = each.max(1);
    if facts.threads > 1 {
        told.insert("thread_pool".to_owned(), "one a stream".to_owned());
    }
    Ok(facts)
}

/// Inputs and chosen outputs of the compiled model, held against what the file declares.
fn ports(
    compiled: Compiled,
    source: &Source,
    shapes: &[Vec<usize>],
    chosen: &[usize],
) -> Result<Loaded, String> {
    let mut io = match &source.onnx {
        Some(facts) => facts.io(shapes, chosen).map_err(|e| e.to_string())?,
        None => IoSpec::default(),
    };
    let mut inputs = Vec::with_capacity(source.inputs.len());
    for (place, info) in source.input_places.iter().zip(&source.inputs) {
        let port = compiled.input(place).map_err(|e| plain(&e))?;
        if port.dtype()? != Ok(info.dtype) {
            return Err(format!(
                "the engine sees input `{}` in another type than {}",
                info.name, info.dtype
            ));
        }
        inputs.push(port);
    }
    if source.onnx.is_none() {
        io.inputs = source
            .inputs
            .iter()
            .zip(shapes)
            .map(|(info, shape)| fixed(&info.name, info.dtype, shape))
            .collect();
    }
    let mut outputs = Vec::with_capacity(chosen.len());
    for (number, &index) in chosen.iter().enumerate() {
        let (Some(place), Some(name)) = (
            source.output_places.get(index),
            source.output_names.get(index),
        ) else {
            return Err(format!("no output {index}"));
        };
        let port = compiled.output(place).map_err(|e| plain(&e))?;
        let dtype = port
            .dtype()?
            .map_err(|t| format!("output `{name}` has element type {t}"))?;
        let shape = port.shape()?;
        match io.outputs.get_mut(number) {
            Some(declared) if declared.dtype != dtype => {
                return Err(format!(
                    "the engine gives output `{name}` in {dtype}, the file declares {}",
                    declared.dtype
                ));
            }
            Some(declared) => settle(declared, shape),
            None => io
                .outputs
                .push(TensorInfo::new(name, dtype, shape.unwrap_or_default())),
        }
        outputs.push(port);
    }
    Ok(Loaded {
        inputs,
        outputs,
        compiled,
        io,
    })
}

/// Dimensions that the engine has worked out where the file leaves them open.
fn settle(declared: &mut TensorInfo, found: Option<Vec<Dimension>>) {
    if let Some(found) = found
        && (declared.shape.len() == found.len() || declared.shape.is_empty())
        && found.iter().all(|d| matches!(d, Dimension::Fixed(_)))
    {
        declared.shape = found;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_of_a_device_within_a_text() {
        let text = "{CPU:{INFERENCE_NUM_THREADS:2,INFERENCE_PRECISION_HINT:f32}}";
        assert_eq!(
            within(text, "INFERENCE_PRECISION_HINT"),
            Some("f32".to_owned())
        );
        assert_eq!(within(text, "NUM_STREAMS"), None);
    }
}
