//! Which events somebody wants: `round.*,check.paid`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::EventName;

/// One type, or all types about one kind of object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypeFilter {
    /// `round.submitted`, `round.submitted.v1` or `dev.comanda.round.submitted.v1`
    One(EventName),
    /// `round.*`
    Family(&'static str),
}

/// A text that names no type of the catalogue.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is no event type")]
pub struct FilterError(
    /// The text.
    pub String,
);

impl TypeFilter {
    /// Reads one filter.
    ///
    /// # Errors
    /// [`FilterError`] for anything that could match no event.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let read = match text.strip_suffix(".*") {
            Some(family) => known_family(family).map(Self::Family),
            None => EventName::of_any(text).map(Self::One),
        };
        read.ok_or_else(|| FilterError(text.to_owned()))
    }

    /// Whether it lets the event through.
    pub fn matches(self, name: EventName) -> bool {
        match self {
            Self::One(wanted) => wanted == name,
            Self::Family(family) => name.family() == family,
        }
    }
}

fn known_family(family: &str) -> Option<&'static str> {
    let families = EventName::ALL.iter().map(|name| name.family());
    families.into_iter().find(|known| *known == family)
}

impl fmt::Display for TypeFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(name) => write!(f, "{name}"),
            Self::Family(family) => write!(f, "{family}.*"),
        }
    }
}

impl FromStr for TypeFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

impl Serialize for TypeFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TypeFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Several filters: what any of them lets through. The empty list, which is the default, asks for everything.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TypeFilters(pub Vec<TypeFilter>);

impl TypeFilters {
    /// Reads a comma-separated list of at least one filter. Spaces are not part of the form.
    ///
    /// # Errors
    /// [`FilterError`] for the first item that names no type.
    pub fn parse(list: &str) -> Result<Self, FilterError> {
        list.split(',').map(TypeFilter::parse).collect()
    }

    /// Whether no type is named, which is all of them.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the event is wanted.
    pub fn matches(&self, name: EventName) -> bool {
        self.0.is_empty() || self.0.iter().any(|filter| filter.matches(name))
    }
}

impl FromStr for TypeFilters {
    type Err = FilterError;

    /// As [`TypeFilters::parse`].
    fn from_str(list: &str) -> Result<Self, FilterError> {
        Self::parse(list)
    }
}

impl FromIterator<TypeFilter> for TypeFilters {
    fn from_iter<I: IntoIterator<Item = TypeFilter>>(filters: I) -> Self {
        Self(filters.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn matched(list: &str) -> Vec<&'static str> {
        let filters = TypeFilters::parse(list).unwrap();
        let matching = EventName::ALL.iter().filter(|name| filters.matches(**name));
        matching.map(|name| name.as_str()).collect()
    }

    #[test]
    fn all_four_spellings_are_understood() {
        for text in [
            "round.submitted",
            "round.submitted.v1",
            "dev.comanda.round.submitted.v1",
        ] {
            assert_eq!(matched(text), ["round.submitted"], "{text}");
        }
        assert_eq!(
            matched("diner.*,check.paid"),
            ["diner.joined", "diner.updated", "check.paid"]
        );
        assert_eq!(matched("service_call.*").len(), 5);
        assert!(
            EventName::ALL
                .iter()
                .all(|name| TypeFilters::default().matches(*name))
        );
    }

    #[test]
    fn what_could_match_nothing_is_an_error() {
        for text in [
            "",
            "*",
            ".*",
            "round",
            "round.",
            "round.*.v1",
            "rounds.*",
            "round.submitted.v2",
            "dev.comanda.round.submitted",
            "dev.comanda.dev.comanda.round.submitted.v1",
            "Round.Submitted",
            "cart.changed",
            "auth.key_changed",
            "auth.*",
            " round.submitted",
        ] {
            assert_eq!(TypeFilter::parse(text), Err(FilterError(text.to_owned())));
        }
        assert_eq!(
            TypeFilters::parse("round.*,,check.paid"),
            Err(FilterError(String::new()))
        );
    }

    proptest! {
        #[test]
        fn a_filter_reads_what_it_prints_and_a_family_is_its_members(name in select(EventName::ALL)) {
            for filter in [TypeFilter::One(name), TypeFilter::Family(name.family())] {
                prop_assert_eq!(TypeFilter::parse(&filter.to_string()), Ok(filter));
                prop_assert!(filter.matches(name));
            }
            for other in EventName::ALL.iter().copied() {
                let same_kind = other.as_str().split('.').next() == name.as_str().split('.').next();
                prop_assert_eq!(TypeFilter::Family(name.family()).matches(other), same_kind);
                prop_assert_eq!(TypeFilter::One(name).matches(other), other == name);
            }
        }
    }
}
