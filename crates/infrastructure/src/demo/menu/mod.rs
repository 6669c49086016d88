//! Reads the menus of the demo restaurants.
//!
//! A menu is a text of lines. `#` begins a comment. A heading in brackets says what the lines below it are:
//! `[allergens]`, `[group] …` or `[category] …`; cells are parted by `|`, lists in a cell by spaces, and empty cells
//! at the end of a line may be left out. What stands in which cell is written at the top of `menu.txt`.

mod cells;
mod error;
mod reader;
#[cfg(test)]
mod tests;

use comanda_domain::diner::Diet;
use comanda_domain::menu::Station;

pub use error::{Cell, MenuError, Wrong};
use reader::Reader;

/// A text in the two languages of the demo restaurants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

/// An allergen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoAllergen {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Names,
}

/// A choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoGroup {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Names,
    /// Fewest selections.
    pub min: i32,
    /// Most selections.
    pub max: i32,
    /// How often one option may be taken.
    pub max_qty: i32,
    /// Its options.
    pub options: Vec<DemoOption>,
}

/// An answer to a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoOption {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Names,
    /// Whole pesos.
    pub pesos: i64,
    /// Codes of allergens it contains.
    pub contains: Vec<String>,
}

/// A category with its dishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoCategory {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Names,
    /// Where its dishes are made.
    pub station: Station,
    /// Its dishes.
    pub dishes: Vec<DemoDish>,
}

/// A dish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoDish {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Names,
    /// Whole pesos.
    pub pesos: i64,
    /// Codes of allergens it contains.
    pub contains: Vec<String>,
    /// Codes of allergens it may contain.
    pub may_contain: Vec<String>,
    /// Codes of allergens it is declared free from: what its diets promise.
    pub free_from: Vec<String>,
    /// Its diets, those that follow from others included.
    pub diets: Vec<Diet>,
    /// Codes of its choices, in order.
    pub groups: Vec<String>,
    /// Where it is made, if not where its category is.
    pub station: Option<Station>,
}

/// A whole menu.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DemoMenu {
    /// Its allergens.
    pub allergens: Vec<DemoAllergen>,
    /// Its choices.
    pub groups: Vec<DemoGroup>,
    /// Its categories.
    pub categories: Vec<DemoCategory>,
}

impl DemoMenu {
    /// All dishes.
    pub fn dishes(&self) -> impl Iterator<Item = &DemoDish> {
        self.categories.iter().flat_map(|category| &category.dishes)
    }

    /// Reads the texts one after the other into one menu.
    ///
    /// # Errors
    /// The first line that cannot be understood, or that contradicts another.
    pub fn parse(files: &[(&'static str, &str)]) -> Result<Self, MenuError> {
        let mut reader = Reader::default();
        for (file, text) in files {
            for (number, line) in (1..).zip(text.lines()) {
                let line = line.trim();
                if !line.is_empty() && !line.starts_with('#') {
                    reader.line(line).map_err(|wrong| MenuError {
                        file,
                        line: number,
                        wrong,
                    })?;
                }
            }
        }
        Ok(reader.menu)
    }
}
