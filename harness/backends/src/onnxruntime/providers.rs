//! The execution providers of ONNX Runtime as a table: names, devices, who ships a library with
//! them, and how each is asked for.
//!
//! Names and options are ONNX Runtime's (*Execution Providers* of its documentation). An option is
//! handed on as it is: `--set provider.enable_qdq_optimizer=true`. Only what dyno itself decides
//! (device, threads, arithmetic) may not be set that way.

use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider, ExecutionProviderDispatch};

/// What a device is called: the word before `:0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// `cpu`
    Cpu,
    /// `gpu` or `gpu:1`
    Gpu,
    /// `npu`
    Npu,
}

impl Class {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Npu => "npu",
        }
    }
}

/// What a provider is asked for.
pub(super) struct Asked<'a> {
    pub(super) class: Class,
    /// Number of the device among those of its class.
    pub(super) index: u32,
    /// Threads of one run.
    pub(super) threads: u32,
    /// Slots that will run at once.
    pub(super) slots: u32,
    /// Arithmetic in half precision was asked for.
    pub(super) half: bool,
    /// Options of the user.
    pub(super) options: &'a [(String, String)],
}

/// A provider.
pub(super) struct Provider {
    /// Value of the setting `provider`.
    pub(super) id: &'static str,
    /// ONNX Runtime's name of it.
    pub(super) name: &'static str,
    /// Devices that it runs on; the first is the default.
    pub(super) classes: &'static [Class],
    /// The runtime of `dyno backends install` whose library has it.
    pub(super) runtime: Option<&'static str>,
    /// Who has it where no runtime can be installed.
    pub(super) shipped: &'static str,
    /// Options that dyno decides by itself, and the flag that says each.
    pub(super) decided: &'static [(&'static str, &'static str)],
    /// It honours `--precision f16` for a model in f32.
    pub(super) half: bool,
    /// The library was built with it.
    pub(super) available: fn() -> ort::Result<bool>,
    build: fn(&Asked<'_>) -> ExecutionProviderDispatch,
}

impl Provider {
    /// How it is registered; a failure to register is an error.
    pub(super) fn dispatch(&self, asked: &Asked<'_>) -> ExecutionProviderDispatch {
        (self.build)(asked).error_on_failure()
    }
}

/// The provider of the processor, which is there always and is registered by the library itself.
pub(super) const CPU: &str = "CPUExecutionProvider";

const DEVICE: &[(&str, &str)] = &[("device_id", "--device")];

/// A provider for a GPU, numbered by `device_id`.
const fn gpu(
    id: &'static str,
    name: &'static str,
    available: fn() -> ort::Result<bool>,
    build: fn(&Asked<'_>) -> ExecutionProviderDispatch,
) -> Provider {
    Provider {
        id,
        name,
        classes: &[Class::Gpu],
        runtime: None,
        shipped: "a build of ONNX Runtime with it",
        decided: DEVICE,
        half: false,
        available,
        build,
    }
}

/// The providers that can be asked for, by the setting `provider`.
pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        classes: &[Class::Cpu, Class::Gpu, Class::Npu],
        runtime: Some("onnxruntime-openvino"),
        decided: &[
            ("device_type", "--device"),
            ("num_of_threads", "--threads"),
            ("num_streams", "--workers"),
            ("precision", "--precision"),
        ],
        half: true,
        ..gpu(
            "openvino",
            "OpenVINOExecutionProvider",
            <ep::OpenVINO as ep::ExecutionProvider>::is_available,
            openvino,
        )
    },
    Provider {
        runtime: Some("onnxruntime-gpu"),
        ..gpu(
            "cuda",
            "CUDAExecutionProvider",
            <ep::CUDA as ep::ExecutionProvider>::is_available,
            // TensorFloat-32 would be no f32.
            |asked| with(ep::CUDA::default(), asked, &[number(asked), tf32()]),
        )
    },
    Provider {
        runtime: Some("onnxruntime-gpu"),
        ..gpu(
            "tensorrt",
            "TensorrtExecutionProvider",
            <ep::TensorRT as ep::ExecutionProvider>::is_available,
            |asked| with(ep::TensorRT::default(), asked, &[number(asked)]),
        )
    },
    gpu(
        "tensorrt-rtx",
        "NvTensorRTRTXExecutionProvider",
        <ep::NVRTX as ep::ExecutionProvider>::is_available,
        |asked| with(ep::NVRTX::default(), asked, &[number(asked)]),
    ),
    gpu(
        "rocm",
        "ROCMExecutionProvider",
        <ep::ROCm as ep::ExecutionProvider>::is_available,
        |asked| with(ep::ROCm::default(), asked, &[number(asked)]),
    ),
    Provider {
        shipped: "AMD's wheel of ONNX Runtime (`onnxruntime-migraphx`)",
        ..gpu(
            "migraphx",
            "MIGraphXExecutionProvider",
            <ep::MIGraphX as ep::ExecutionProvider>::is_available,
            |asked| {
                let device = i32::try_from(asked.index).unwrap_or(i32::MAX);
                ep::MIGraphX::default().with_device_id(device).build()
            },
        )
    },
    Provider {
        shipped: "`onnxruntime-directml` on Windows",
        ..gpu(
            "directml",
            "DmlExecutionProvider",
            <ep::DirectML as ep::ExecutionProvider>::is_available,
            |asked| {
                let device = i32::try_from(asked.index).unwrap_or(i32::MAX);
                ep::DirectML::default().with_device_id(device).build()
            },
        )
    },
    Provider {
        classes: &[Class::Cpu],
        shipped: "ONNX Runtime for macOS",
        ..gpu(
            "coreml",
            "CoreMLExecutionProvider",
            <ep::CoreML as ep::ExecutionProvider>::is_available,
            |asked| with(ep::CoreML::default(), asked, &[]),
        )
    },
    Provider {
        classes: &[Class::Cpu],
        decided: &[("intra_op_num_threads", "--threads")],
        ..gpu(
            "xnnpack",
            "XnnpackExecutionProvider",
            <ep::XNNPACK as ep::ExecutionProvider>::is_available,
            |asked| {
                let threads = ("intra_op_num_threads", asked.threads.to_string());
                with(ep::XNNPACK::default(), asked, &[threads])
            },
        )
    },
    Provider {
        classes: &[Class::Cpu],
        decided: &[],
        ..gpu(
            "dnnl",
            "DnnlExecutionProvider",
            <ep::OneDNN as ep::ExecutionProvider>::is_available,
            |asked| with(ep::OneDNN::default(), asked, &[]),
        )
    },
    Provider {
        classes: &[Class::Npu],
        shipped: "Qualcomm's wheel of ONNX Runtime (`onnxruntime-qnn`)",
        ..gpu(
            "qnn",
            "QNNExecutionProvider",
            <ep::QNN as ep::ExecutionProvider>::is_available,
            |asked| with(ep::QNN::default(), asked, &[number(asked)]),
        )
    },
    Provider {
        classes: &[Class::Npu],
        ..gpu(
            "cann",
            "CANNExecutionProvider",
            <ep::CANN as ep::ExecutionProvider>::is_available,
            |asked| with(ep::CANN::default(), asked, &[number(asked)]),
        )
    },
    Provider {
        classes: &[Class::Npu],
        decided: &[],
        ..gpu(
            "vitis",
            "VitisAIExecutionProvider",
            <ep::Vitis as ep::ExecutionProvider>::is_available,
            |asked| with(ep::Vitis::default(), asked, &[]),
        )
    },
];

fn number(asked: &Asked<'_>) -> (&'static str, String) {
    ("device_id", asked.index.to_string())
}

fn tf32() -> (&'static str, String) {
    ("use_tf32", "0".to_owned())
}

/// `ep` with dyno's own options and then the user's, which win.
fn with<E>(mut ep: E, asked: &Asked<'_>, own: &[(&str, String)]) -> ExecutionProviderDispatch
where
    E: ArbitrarilyConfigurableExecutionProvider + Into<ExecutionProviderDispatch>,
{
    for (key, value) in own {
        ep = ep.with_arbitrary_config(key, value);
    }
    for (key, value) in asked.options {
        ep = ep.with_arbitrary_config(key, value);
    }
    ep.into()
}

/// Threads and streams for the slots together, and arithmetic in words, because the provider's
/// own default is the device's fastest.
fn openvino(asked: &Asked<'_>) -> ExecutionProviderDispatch {
    let device = match asked.class {
        Class::Cpu => "CPU".to_owned(),
        Class::Gpu => format!("GPU.{}", asked.index),
        Class::Npu => "NPU".to_owned(),
    };
    let mut own = vec![
        ("device_type", device),
        (
            "precision",
            if asked.half { "FP16" } else { "FP32" }.to_owned(),
        ),
    ];
    if asked.class == Class::Cpu {
        let threads = asked.threads.saturating_mul(asked.slots);
        own.push(("num_of_threads", threads.to_string()));
        own.push(("num_streams", asked.slots.min(255).to_string()));
    }
    with(ep::OpenVINO::default(), asked, &own)
}
