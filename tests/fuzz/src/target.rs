//! What a fuzz target is, and what a row of the table makes of it.

/// A property of something that reads bytes of others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// Panics when the property does not hold for these bytes; says whether they were accepted.
    pub(crate) check: fn(&[u8]) -> bool,
    /// Inputs to start from; the first is accepted.
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the format, for the fuzzer's dictionary.
    pub(crate) words: &'static [&'static str],
}

/// The table of targets, and of each row a test that runs over what is there without a fuzzer
/// (`inputs::NAME`) and one that is a campaign under `cargo bolero` (`campaigns::NAME`).
macro_rules! targets {
    ($($name:ident: $module:ident::$constant:ident),* $(,)?) => {
        /// The targets, by name.
        const TARGETS: &[(&str, Target)] = &[$((stringify!($name), $module::$constant)),*];

        mod inputs {
            $(
                #[test]
                fn $name() {
                    crate::tests::holds_for_seeds_and_corpus(stringify!($name), &crate::$module::$constant);
                }
            )*
        }

        mod campaigns {
            $(
                #[test]
                fn $name() {
                    let check = crate::$module::$constant.check;
                    let random = crate::tests::RANDOM_INPUTS;
                    bolero::check!().with_iterations(random).for_each(|bytes: &[u8]| {
                        check(bytes);
                    });
                }
            )*
        }
    };
}

pub(crate) use targets;
