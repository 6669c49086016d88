//! The one rule of what can be ordered now and what one unit costs. Adding to the cart, changing and reading it,
//! and placing a round all ask here.

use std::collections::{BTreeMap, BTreeSet};

use crate::Timestamp;
use crate::cart::ChosenModifier;
use crate::ids::{ModifierGroupId, ModifierOptionId, ProductId};
use crate::menu::{MenuGroup, MenuOption, MenuProduct, ProductAllergens, Station};
use crate::money::{self, MoneyError};
use crate::round::ItemModifier;

/// At most this many different options on one line (`domain.md` 9).
pub const MAX_MODIFIERS: usize = 20;

/// The menu of one branch, or the part of it that a decision needs.
pub type BranchMenu = BTreeMap<ProductId, MenuProduct>;

/// A line that can be ordered now, priced for one unit. Amounts are minor units of the branch's currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderableLine<'m> {
    /// The product as the branch offers it.
    pub product: &'m MenuProduct,
    /// Where it is made.
    pub station: Station,
    /// Branch price of the product.
    pub base_amount: i64,
    /// All chosen options, each as often as chosen.
    pub modifiers_amount: i64,
    /// Base plus options.
    pub unit_amount: i64,
    /// The chosen options as they are frozen in a round, in the menu's order.
    pub modifiers: Vec<ItemModifier>,
    /// What the product and the chosen options bring along.
    pub allergens: LineAllergens,
}

/// Allergens of a product with its chosen options: codes, sorted; what is contained is not also a trace.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LineAllergens {
    /// Ingredients.
    pub contains: Vec<String>,
    /// Possible traces.
    pub may_contain: Vec<String>,
}

/// Why a well-formed line cannot be had at this moment (`items_unavailable`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineProblem {
    /// The branch does not offer the product.
    NotOnMenu,
    /// The product is sold out.
    SoldOut,
    /// A chosen option is sold out.
    ModifierUnavailable(ModifierOptionId),
}

impl LineProblem {
    /// The code in the answer's `errors`.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotOnMenu => "not_on_menu",
            Self::SoldOut => "sold_out",
            Self::ModifierUnavailable(_) => "modifier_unavailable",
        }
    }
}

/// Why the chosen options do not fit the product (`modifiers_invalid`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChoiceProblem {
    /// Fewer than the group's minimum, counting quantities.
    TooFew {
        /// The group.
        group: ModifierGroupId,
    },
    /// More than the group's maximum, counting quantities.
    TooMany {
        /// The group.
        group: ModifierGroupId,
    },
    /// An option chosen less than once.
    TooFewOf {
        /// The option.
        option: ModifierOptionId,
    },
    /// An option chosen more often than it may be.
    TooManyOf {
        /// The option.
        option: ModifierOptionId,
    },
    /// More than [`MAX_MODIFIERS`] different options.
    TooManyModifiers,
    /// The product does not offer the option in this branch.
    UnknownOption {
        /// The option.
        option: ModifierOptionId,
    },
}

impl ChoiceProblem {
    /// The code in the answer's `errors`.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooFew { .. } | Self::TooFewOf { .. } => "too_few",
            Self::TooMany { .. } | Self::TooManyOf { .. } | Self::TooManyModifiers => "too_many",
            Self::UnknownOption { .. } => "unknown_option",
        }
    }
}

/// Why a line cannot be ordered. What is unavailable is told first: it cannot be mended by choosing better.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineRefused {
    /// Something of it cannot be had now; at least one problem.
    #[error("cannot be ordered now")]
    Unavailable(Vec<LineProblem>),
    /// The choices do not fit; at least one problem.
    #[error("choices not accepted")]
    Choices(Vec<ChoiceProblem>),
    /// The price of one unit is out of range.
    #[error("amount out of range")]
    AmountOverflow,
}

impl From<MoneyError> for LineRefused {
    fn from(_: MoneyError) -> Self {
        Self::AmountOverflow
    }
}

/// Whether `product_id` with `modifiers` can be ordered `now`, and what one unit of it is and costs.
///
/// An option that is named twice counts as the sum of its quantities.
///
/// # Errors
/// [`LineRefused`] with every problem of its kind.
pub fn orderable<'m>(
    menu: &'m BranchMenu,
    product_id: ProductId,
    modifiers: &[ChosenModifier],
    now: Timestamp,
) -> Result<OrderableLine<'m>, LineRefused> {
    let Some(product) = menu.get(&product_id).filter(|product| product.on_menu) else {
        return Err(LineRefused::Unavailable(vec![LineProblem::NotOnMenu]));
    };
    let chosen = chosen_options(product, modifiers);
    let unavailable = line_problems(product, &chosen, now);
    if !unavailable.is_empty() {
        return Err(LineRefused::Unavailable(unavailable));
    }
    let choices = choice_problems(product, &chosen, modifiers);
    if !choices.is_empty() {
        return Err(LineRefused::Choices(choices));
    }
    let modifiers_amount = chosen_amount(&chosen)?;
    Ok(OrderableLine {
        product,
        station: product.station,
        base_amount: product.price_amount,
        modifiers_amount,
        unit_amount: money::add(product.price_amount, modifiers_amount)?,
        modifiers: chosen.iter().map(ChosenOption::frozen).collect(),
        allergens: line_allergens(product, &chosen),
    })
}

/// A chosen option as the branch offers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChosenOption<'m> {
    /// The group it answers.
    pub group: &'m MenuGroup,
    /// The option.
    pub option: &'m MenuOption,
    /// How often, per unit of the product.
    pub qty: i32,
}

impl ChosenOption<'_> {
    fn frozen(&self) -> ItemModifier {
        ItemModifier {
            option_id: self.option.id,
            name: self.option.name.clone(),
            qty: self.qty,
            unit_amount: self.option.price_amount,
        }
    }
}

/// Quantities per option, in order of id: an option that is named twice counts once, with the sum.
pub fn merged_modifiers(modifiers: &[ChosenModifier]) -> Vec<ChosenModifier> {
    let mut merged = BTreeMap::<ModifierOptionId, i32>::new();
    for chosen in modifiers {
        let qty = merged.entry(chosen.option_id).or_default();
        *qty = qty.saturating_add(chosen.qty);
    }
    merged
        .into_iter()
        .map(|(option_id, qty)| ChosenModifier { option_id, qty })
        .collect()
}

/// The chosen options that the product knows, in the menu's order.
pub(crate) fn chosen_options<'m>(
    product: &'m MenuProduct,
    modifiers: &[ChosenModifier],
) -> Vec<ChosenOption<'m>> {
    let quantities: BTreeMap<_, _> = merged_modifiers(modifiers)
        .into_iter()
        .map(|chosen| (chosen.option_id, chosen.qty))
        .collect();
    product
        .groups
        .iter()
        .flat_map(|group| group.options.iter().map(move |option| (group, option)))
        .filter_map(|(group, option)| {
            let qty = *quantities.get(&option.id)?;
            Some(ChosenOption { group, option, qty })
        })
        .collect()
}

/// What the chosen options add to one unit.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub(crate) fn chosen_amount(chosen: &[ChosenOption<'_>]) -> Result<i64, MoneyError> {
    chosen.iter().try_fold(0, |total, chosen| {
        money::add(total, money::times(chosen.option.price_amount, chosen.qty)?)
    })
}

/// What product and options bring along together.
pub(crate) fn line_allergens(product: &MenuProduct, chosen: &[ChosenOption<'_>]) -> LineAllergens {
    let declared =
        || std::iter::once(&product.allergens).chain(chosen.iter().map(|chosen| &chosen.option.allergens));
    let codes = |of: fn(&ProductAllergens) -> &Vec<String>| -> BTreeSet<String> {
        declared().flat_map(of).cloned().collect()
    };
    let contains = codes(|allergens| &allergens.contains);
    let may_contain = codes(|allergens| &allergens.may_contain);
    LineAllergens {
        may_contain: may_contain.difference(&contains).cloned().collect(),
        contains: contains.into_iter().collect(),
    }
}

fn line_problems(product: &MenuProduct, chosen: &[ChosenOption<'_>], now: Timestamp) -> Vec<LineProblem> {
    let sold_out = (!product.availability.at(now)).then_some(LineProblem::SoldOut);
    let options = chosen
        .iter()
        .filter(|chosen| !chosen.option.availability.at(now))
        .map(|chosen| LineProblem::ModifierUnavailable(chosen.option.id));
    sold_out.into_iter().chain(options).collect()
}

fn choice_problems(
    product: &MenuProduct,
    chosen: &[ChosenOption<'_>],
    modifiers: &[ChosenModifier],
) -> Vec<ChoiceProblem> {
    let mut problems = Vec::new();
    let merged = merged_modifiers(modifiers);
    if merged.len() > MAX_MODIFIERS {
        problems.push(ChoiceProblem::TooManyModifiers);
    }
    let known: BTreeSet<_> = chosen.iter().map(|chosen| chosen.option.id).collect();
    problems.extend(
        merged
            .iter()
            .filter(|modifier| !known.contains(&modifier.option_id))
            .map(|modifier| ChoiceProblem::UnknownOption {
                option: modifier.option_id,
            }),
    );
    // A quantity below one must not pay for another option's excess, so every entry is looked at by itself.
    problems.extend(
        modifiers
            .iter()
            .filter(|modifier| modifier.qty < 1)
            .map(|modifier| ChoiceProblem::TooFewOf {
                option: modifier.option_id,
            }),
    );
    problems.extend(
        chosen
            .iter()
            .filter(|chosen| chosen.qty > chosen.option.max_qty)
            .map(|chosen| ChoiceProblem::TooManyOf {
                option: chosen.option.id,
            }),
    );
    problems.extend(
        product
            .groups
            .iter()
            .filter_map(|group| group_problem(group, chosen)),
    );
    problems
}

fn group_problem(group: &MenuGroup, chosen: &[ChosenOption<'_>]) -> Option<ChoiceProblem> {
    let count = chosen
        .iter()
        .filter(|chosen| chosen.group.id == group.id)
        .fold(0_i32, |count, chosen| count.saturating_add(chosen.qty));
    if count < group.min_select {
        Some(ChoiceProblem::TooFew { group: group.id })
    } else if count > group.max_select {
        Some(ChoiceProblem::TooMany { group: group.id })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::menu::fixtures::{at, bife, id, menu, option_id, product_id};

    fn choose(options: &[(&str, i32)]) -> Vec<ChosenModifier> {
        options
            .iter()
            .map(|(code, qty)| ChosenModifier {
                option_id: option_id(code),
                qty: *qty,
            })
            .collect()
    }

    #[test]
    fn a_bife_with_an_egg_costs_what_the_specification_says() {
        let menu = menu();
        let chosen = choose(&[("huevo_frito", 1), ("jugoso", 1)]);
        let line = orderable(&menu, product_id("bife_chorizo"), &chosen, at(0)).unwrap();
        assert_eq!(
            (line.base_amount, line.modifiers_amount, line.unit_amount),
            (2_490_000, 180_000, 2_670_000)
        );
        assert_eq!(line.station, Station::Grill);
        assert_eq!(line.allergens.contains, ["eggs"]);
        let frozen: Vec<_> = line.modifiers.iter().map(|modifier| modifier.option_id).collect();
        assert_eq!(frozen, [option_id("jugoso"), option_id("huevo_frito")]);
    }

    #[test]
    fn without_a_cooking_point_the_choice_is_too_small() {
        let refused = orderable(&menu(), product_id("bife_chorizo"), &[], at(0)).unwrap_err();
        let LineRefused::Choices(problems) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(problems, [ChoiceProblem::TooFew { group: id("punto") }]);
        assert_eq!(problems[0].code(), "too_few");
    }

    #[test]
    fn every_wrong_choice_is_told() {
        let chosen = choose(&[
            ("jugoso", 1),
            ("cocido", 1),
            ("huevo_frito", 2),
            ("chimichurri", 0),
            ("almendras", 1),
        ]);
        assert_eq!(
            orderable(&menu(), product_id("bife_chorizo"), &chosen, at(0)),
            Err(LineRefused::Choices(vec![
                ChoiceProblem::UnknownOption {
                    option: option_id("almendras")
                },
                ChoiceProblem::TooFewOf {
                    option: option_id("chimichurri")
                },
                ChoiceProblem::TooManyOf {
                    option: option_id("huevo_frito")
                },
                ChoiceProblem::TooMany { group: id("punto") },
            ]))
        );
    }

    #[test]
    fn two_scoops_of_one_flavour_are_two() {
        let menu = menu();
        let split = choose(&[("chocolate", 1), ("chocolate", 1)]);
        let line = orderable(&menu, product_id("helado"), &split, at(0)).unwrap();
        assert_eq!(line.modifiers.len(), 1);
        assert_eq!(line.modifiers[0].qty, 2);
        assert_eq!(line.allergens.contains, ["milk", "soy"]);
        assert_eq!(line.allergens.may_contain, ["nuts", "peanuts"]);
    }

    #[test]
    fn what_is_sold_out_is_told_before_wrong_choices() {
        let mut menu = menu();
        let bife = menu.get_mut(&product_id("bife_chorizo")).unwrap();
        bife.availability.available = false;
        bife.groups[0].options[0].availability.available = false;
        let chosen = choose(&[("jugoso", 5)]);
        assert_eq!(
            orderable(&menu, product_id("bife_chorizo"), &chosen, at(0)),
            Err(LineRefused::Unavailable(vec![
                LineProblem::SoldOut,
                LineProblem::ModifierUnavailable(option_id("jugoso")),
            ]))
        );
    }

    #[test]
    fn what_was_sold_out_until_now_is_back() {
        let mut menu = menu();
        let bife = menu.get_mut(&product_id("bife_chorizo")).unwrap();
        bife.availability.available = false;
        bife.availability.unavailable_until = Some(at(60));
        let chosen = choose(&[("jugoso", 1)]);
        assert!(orderable(&menu, product_id("bife_chorizo"), &chosen, at(59)).is_err());
        assert!(orderable(&menu, product_id("bife_chorizo"), &chosen, at(60)).is_ok());
    }

    #[test]
    fn hidden_and_absent_products_are_not_on_the_menu() {
        let mut menu = menu();
        menu.get_mut(&product_id("helado")).unwrap().on_menu = false;
        for code in ["helado", "no_such_dish"] {
            assert_eq!(
                orderable(&menu, product_id(code), &[], at(0)),
                Err(LineRefused::Unavailable(vec![LineProblem::NotOnMenu]))
            );
        }
    }

    proptest! {
        #[test]
        fn an_accepted_choice_keeps_every_limit_and_adds_up(
            picks in prop::collection::vec((0..10_usize, -1..4_i32), 0..6),
        ) {
            let bife = bife();
            let options: Vec<_> = bife.groups.iter().flat_map(|group| &group.options).cloned().collect();
            let chosen: Vec<_> = picks
                .iter()
                .map(|(index, qty)| ChosenModifier {
                    option_id: options.get(*index).map_or(option_id("nowhere"), |option| option.id),
                    qty: *qty,
                })
                .collect();
            let menu = BranchMenu::from([(bife.id, bife.clone())]);
            if let Ok(line) = orderable(&menu, bife.id, &chosen, at(0)) {
                for group in &bife.groups {
                    let count: i32 = line
                        .modifiers
                        .iter()
                        .filter(|modifier| group.options.iter().any(|option| option.id == modifier.option_id))
                        .map(|modifier| modifier.qty)
                        .sum();
                    prop_assert!((group.min_select..=group.max_select).contains(&count));
                }
                let sum: i64 = line.modifiers.iter().map(|m| m.unit_amount * i64::from(m.qty)).sum();
                prop_assert_eq!(line.unit_amount, bife.price_amount + sum);
                prop_assert!(line.modifiers.iter().all(|modifier| modifier.qty >= 1));
            }
        }
    }
}
