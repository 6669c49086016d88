//! Texts in several languages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One text per language tag; contains at least the tenant's default language.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct I18n(pub BTreeMap<String, String>);

impl I18n {
    /// The text of the first language of `preferred` that exists, else any.
    pub fn pick<'a>(&'a self, preferred: &[&str]) -> &'a str {
        preferred
            .iter()
            .find_map(|lang| self.0.get(*lang))
            .or_else(|| self.0.values().next())
            .map_or("", String::as_str)
    }
}
