//! Reads line after line.

use std::collections::BTreeSet;

use comanda_domain::diner::Diet;

use super::cells::Cells;
use super::{Cell, DemoAllergen, DemoCategory, DemoDish, DemoGroup, DemoMenu, DemoOption, Wrong};

/// What was read so far.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) menu: DemoMenu,
    below: Option<Heading>,
    codes: BTreeSet<(Heading, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Heading {
    Allergens,
    Group,
    Category,
    /// Not a heading of its own: the lines below a category.
    Dish,
}

impl Reader {
    pub(super) fn line(&mut self, line: &str) -> Result<(), Wrong> {
        match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((heading, rest)) => self.heading(heading, Cells::of(rest)),
            None => self.entry(Cells::of(line)),
        }
    }

    fn heading(&mut self, heading: &str, mut cells: Cells<'_>) -> Result<(), Wrong> {
        match heading {
            "allergens" => self.below = Some(Heading::Allergens),
            "group" => {
                let (code, name) = (cells.code()?, cells.names()?);
                self.once(Heading::Group, &code)?;
                let (min, max) = cells.range()?;
                let group = DemoGroup {
                    code,
                    name,
                    min,
                    max,
                    max_qty: cells.max_qty()?,
                    options: Vec::new(),
                };
                self.menu.groups.push(group);
                self.below = Some(Heading::Group);
            }
            "category" => {
                let (code, name) = (cells.code()?, cells.names()?);
                self.once(Heading::Category, &code)?;
                let station = cells.station()?.ok_or(Wrong::Missing(Cell::Station))?;
                self.menu.categories.push(DemoCategory {
                    code,
                    name,
                    station,
                    dishes: Vec::new(),
                });
                self.below = Some(Heading::Category);
            }
            other => {
                return Err(Wrong::NotA {
                    cell: Cell::Heading,
                    text: other.to_owned(),
                });
            }
        }
        cells.end()
    }

    fn entry(&mut self, mut cells: Cells<'_>) -> Result<(), Wrong> {
        match self.below.ok_or(Wrong::NoHeading)? {
            Heading::Allergens => {
                let (code, name) = (cells.code()?, cells.names()?);
                self.once(Heading::Allergens, &code)?;
                self.menu.allergens.push(DemoAllergen { code, name });
            }
            Heading::Group => {
                let option = self.option(&mut cells)?;
                let group = self.menu.groups.last_mut().ok_or(Wrong::NoHeading)?;
                if group.options.iter().any(|other| other.code == option.code) {
                    return Err(Wrong::Twice(option.code));
                }
                group.options.push(option);
            }
            Heading::Category | Heading::Dish => {
                let dish = self.dish(&mut cells)?;
                self.once(Heading::Dish, &dish.code)?;
                self.menu
                    .categories
                    .last_mut()
                    .ok_or(Wrong::NoHeading)?
                    .dishes
                    .push(dish);
            }
        }
        cells.end()
    }

    fn option(&self, cells: &mut Cells<'_>) -> Result<DemoOption, Wrong> {
        Ok(DemoOption {
            code: cells.code()?,
            name: cells.names()?,
            pesos: cells.pesos()?,
            contains: self.allergens(cells.next())?,
        })
    }

    fn dish(&self, cells: &mut Cells<'_>) -> Result<DemoDish, Wrong> {
        let (code, name, pesos) = (cells.code()?, cells.names()?, cells.pesos()?);
        let (contains, may_contain) = (self.allergens(cells.next())?, self.allergens(cells.next())?);
        let diets = diets(cells.next())?;
        let free_from = promised(&diets);
        let mut declared = BTreeSet::new();
        if let Some(twice) = contains
            .iter()
            .chain(&may_contain)
            .chain(&free_from)
            .find(|code| !declared.insert(*code))
        {
            return Err(Wrong::Contradiction(twice.clone()));
        }
        let groups = known(cells.next(), Cell::Group, |code| {
            self.menu.groups.iter().any(|g| g.code == code)
        })?;
        let station = cells.station()?;
        Ok(DemoDish {
            code,
            name,
            pesos,
            contains,
            may_contain,
            free_from,
            diets,
            groups,
            station,
        })
    }

    fn allergens(&self, cell: &str) -> Result<Vec<String>, Wrong> {
        known(cell, Cell::Allergen, |code| {
            self.menu.allergens.iter().any(|a| a.code == code)
        })
    }

    fn once(&mut self, kind: Heading, code: &str) -> Result<(), Wrong> {
        let fresh = self.codes.insert((kind, code.to_owned()));
        if fresh {
            Ok(())
        } else {
            Err(Wrong::Twice(code.to_owned()))
        }
    }
}

fn known(list: &str, cell: Cell, is_known: impl Fn(&str) -> bool) -> Result<Vec<String>, Wrong> {
    list.split_whitespace()
        .map(|code| {
            let code = code.to_owned();
            if is_known(&code) {
                Ok(code)
            } else {
                Err(Wrong::Unknown { cell, code })
            }
        })
        .collect()
}

/// The diets of a cell; what is vegan is vegetarian, too.
fn diets(list: &str) -> Result<Vec<Diet>, Wrong> {
    let mut diets = Vec::new();
    for short in list.split_whitespace() {
        match short {
            "v" => diets.push(Diet::Vegetarian),
            "vg" => diets.extend([Diet::Vegetarian, Diet::Vegan]),
            "gf" => diets.push(Diet::GlutenFree),
            "df" => diets.push(Diet::DairyFree),
            other => {
                return Err(Wrong::NotA {
                    cell: Cell::Diet,
                    text: other.to_owned(),
                });
            }
        }
    }
    Ok(diets)
}

/// The allergens that a dish of these diets is declared free from.
fn promised(diets: &[Diet]) -> Vec<String> {
    [(Diet::GlutenFree, "gluten"), (Diet::DairyFree, "milk")]
        .into_iter()
        .filter(|(diet, _)| diets.contains(diet))
        .map(|(_, allergen)| allergen.to_owned())
        .collect()
}
