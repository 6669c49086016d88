//! What can be wrong with a menu's text.

use std::fmt;

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {wrong}")]
pub struct MenuError {
    /// Of which file.
    pub file: &'static str,
    /// Counted from one.
    pub line: usize,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// A cell that must not be empty is.
    #[error("the {0} is missing")]
    Missing(Cell),
    /// More cells than the kind of line has.
    #[error("{0:?} stands where nothing more is expected")]
    TooMany(String),
    /// A text that is not what its cell needs.
    #[error("{text:?} is no {cell}")]
    NotA {
        /// What the cell holds.
        cell: Cell,
        /// What was found.
        text: String,
    },
    /// A code that no line above declares.
    #[error("no {cell} {code:?} is declared above")]
    Unknown {
        /// What kind of code.
        cell: Cell,
        /// The code.
        code: String,
    },
    /// A code that was used before.
    #[error("the code {0:?} is used twice")]
    Twice(String),
    /// An allergen with two declarations.
    #[error("{0:?} is declared in two ways")]
    Contradiction(String),
    /// A line before the first heading.
    #[error("a heading such as [category] must come first")]
    NoHeading,
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// A code.
    Code,
    /// The Spanish name.
    Spanish,
    /// The English name.
    English,
    /// Whole pesos.
    Price,
    /// An allergen's code.
    Allergen,
    /// A diet's abbreviation.
    Diet,
    /// A group's code.
    Group,
    /// A station.
    Station,
    /// `0..2`
    Range,
    /// `max 2`
    MaxQty,
    /// A heading.
    Heading,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "code",
            Self::Spanish => "Spanish name",
            Self::English => "English name",
            Self::Price => "price in whole pesos",
            Self::Allergen => "allergen",
            Self::Diet => "diet (v, vg, gf, df)",
            Self::Group => "group",
            Self::Station => "station",
            Self::Range => "range such as 0..2",
            Self::MaxQty => "quantity such as max 2",
            Self::Heading => "heading ([allergens], [group], [category])",
        })
    }
}
