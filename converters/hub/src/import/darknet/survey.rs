//! Everything in a cfg that cannot be expressed, found without shapes and weights, so that one error
//! names it all.

use super::{
    activation,
    sections::{REFUSED, TRAINING, find},
};
use dyno_formats::darknet::{Cfg, Section, Setting};

/// `0`, or a comment behind it.
fn is_off(value: &str) -> bool {
    let number = value.split_once('#').map_or(value, |(before, _)| before);
    number.parse() == Ok(0.0f64)
}

fn of_setting(section: &Section, setting: &Setting) -> Option<String> {
    let row = find(&section.name)?;
    let key = setting.key.as_str();
    let shown = format!("`{key}={}`", setting.value);
    if row.refused.contains(&key) || REFUSED.contains(&key) {
        return (!is_off(&setting.value)).then_some(shown);
    }
    if key == "activation" && row.activation.is_some() {
        let kind = setting.value.as_str();
        let known = activation::find(kind).is_some();
        let here = row.activation.is_some_and(|place| place.has(kind));
        return (!(known && here)).then(|| format!("activation `{kind}`"));
    }
    let known = [row.read, row.without_effect, TRAINING]
        .iter()
        .any(|keys| keys.contains(&key));
    (!known).then(|| format!("unknown setting {shown}"))
}

/// What cannot be expressed, each with its line.
pub(super) fn unsupported(cfg: &Cfg, file: &str) -> Vec<String> {
    let mut found = Vec::new();
    for section in &cfg.layers {
        if find(&section.name).is_none() {
            found.push(format!("{file}, line {}: [{}]", section.line, section.name));
        }
        for setting in &section.settings {
            if let Some(what) = of_setting(section, setting) {
                found.push(format!(
                    "{file}, line {}, [{}]: {what}",
                    setting.line, section.name
                ));
            }
        }
    }
    found
}
