//! Looking names up in the const tables: the one place that says what exists and what was probably
//! meant.

use std::fmt;

/// A row that is found by its name.
pub trait Row {
    /// The name, kebab-case, unique in its table.
    fn name(&self) -> &'static str;
}

/// A name that stands in no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// What was looked for: `backend`, `decoder`, …
    pub what: &'static str,
    /// The name asked for.
    pub name: String,
    /// The names that exist, in the table's order.
    pub known: Vec<String>,
    /// The nearest of them, when one is near.
    pub nearest: Option<String>,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} `{}`", self.what, self.name)?;
        if let Some(near) = &self.nearest {
            write!(f, ", did you mean `{near}`?")?;
        }
        if self.known.is_empty() {
            write!(f, " (there is none in this build)")
        } else {
            write!(f, " (there are: {})", self.known.join(", "))
        }
    }
}

impl std::error::Error for UnknownName {}

/// The known name nearest to `name`, when the two differ by little (Damerau-Levenshtein, a third of
/// the length at most).
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|k| {
            (
                strsim::damerau_levenshtein(&name.to_lowercase(), &k.to_lowercase()),
                k,
            )
        })
        .filter(|(d, k)| *d <= (name.chars().count().max(k.chars().count()) / 3).max(1))
        .min_by_key(|(d, _)| *d)
        .map(|(_, k)| k.to_owned())
}

/// The row called `name`.
///
/// # Errors
/// [`UnknownName`] with everything that exists.
pub fn lookup<'t, R: Row + ?Sized>(
    what: &'static str,
    table: &[&'t R],
    name: &str,
) -> Result<&'t R, UnknownName> {
    table
        .iter()
        .find(|r| r.name() == name)
        .copied()
        .ok_or_else(|| UnknownName {
            what,
            name: name.to_owned(),
            known: table.iter().map(|r| r.name().to_owned()).collect(),
            nearest: nearest(name, table.iter().map(|r| r.name())),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(&'static str);
    impl Row for Thing {
        fn name(&self) -> &'static str {
            self.0
        }
    }

    #[test]
    fn a_typo_is_answered_with_the_nearest_name() {
        let (a, b) = (Thing("onnxruntime"), Thing("tract"));
        let table: [&Thing; 2] = [&a, &b];
        assert_eq!(
            lookup("backend", &table, "tract").expect("exists").0,
            "tract"
        );
        let e = lookup("backend", &table, "onxruntime")
            .map(|t| t.0)
            .expect_err("no such row");
        assert_eq!(e.nearest.as_deref(), Some("onnxruntime"));
        assert_eq!(
            e.to_string(),
            "unknown backend `onxruntime`, did you mean `onnxruntime`? (there are: onnxruntime, tract)"
        );
    }
}
