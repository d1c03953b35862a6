//! What this binary is.

use dyno_core::Tool;
use std::sync::LazyLock;

/// The commit that the build script found; `unknown` outside a checkout.
pub(crate) const COMMIT: &str = match option_env!("DYNO_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};

/// Text of `--version` after the name.
pub(crate) fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        format!(
            "{} ({COMMIT}; {})",
            env!("CARGO_PKG_VERSION"),
            crate::tables::features().join(" ")
        )
    });
    &TEXT
}

/// The program, for a record.
pub(crate) fn tool() -> Tool {
    Tool {
        name: "dyno".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: COMMIT.to_owned(),
        features: crate::tables::features(),
    }
}
