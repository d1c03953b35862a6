//! What a configuration may ask for: shared refusals.

use dyno_core::{BackendError, OpenConfig, nearest};

/// Refuses devices other than the processor, and what [`check_counts`] refuses.
pub(crate) fn check_cpu(
    backend: &'static str,
    config: &OpenConfig,
    settings: &[&str],
) -> Result<(), BackendError> {
    if config.device != "cpu" {
        return Err(BackendError::Unsupported {
            backend,
            what: format!("device `{}` (there is: cpu)", config.device),
        });
    }
    check_counts(backend, config, settings)
}

/// Refuses a thread, batch or slot count of zero, and settings not among `settings`.
pub(crate) fn check_counts(
    backend: &'static str,
    config: &OpenConfig,
    settings: &[&str],
) -> Result<(), BackendError> {
    let refuse = |what: String| Err(BackendError::Unsupported { backend, what });
    for (name, value) in [
        ("threads", config.threads),
        ("batch", config.batch),
        ("slots", config.slots),
    ] {
        if value == 0 {
            return refuse(format!("{name} = 0 (at least 1)"));
        }
    }
    if let Some(key) = config
        .settings
        .keys()
        .find(|k| !settings.contains(&k.as_str()))
    {
        let hint = nearest(key, settings.iter().copied())
            .map_or_else(String::new, |n| format!(", did you mean `{n}`?"));
        let known = if settings.is_empty() {
            "it has none".to_owned()
        } else {
            format!("there are: {}", settings.join(", "))
        };
        return refuse(format!("setting `{key}`{hint} ({known})"));
    }
    Ok(())
}

/// Positions of the outputs that `config` selects, in its order; all of them when it selects none.
pub(crate) fn select_outputs(
    backend: &'static str,
    config: &OpenConfig,
    names: &[String],
) -> Result<Vec<usize>, BackendError> {
    if config.outputs.is_empty() {
        return Ok((0..names.len()).collect());
    }
    let mut chosen = Vec::with_capacity(config.outputs.len());
    for wanted in &config.outputs {
        let Some(index) = names.iter().position(|n| n == wanted) else {
            return Err(BackendError::Unsupported {
                backend,
                what: format!(
                    "output `{wanted}`: the model has none of that name (there are: {})",
                    names.join(", ")
                ),
            });
        };
        if chosen.contains(&index) {
            return Err(BackendError::Unsupported {
                backend,
                what: format!("output `{wanted}` twice"),
            });
        }
        chosen.push(index);
    }
    Ok(chosen)
}
