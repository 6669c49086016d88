//! The cart as it is read: nothing is frozen before placing, so every line shows what it would cost now.

use crate::Timestamp;
use crate::cart::{CartFacts, CartLine};
use crate::menu::{
    ChosenOption, LineAllergens, LineRefused, MenuProduct, allergen_alerts, chosen_amount, chosen_options,
    line_allergens, orderable,
};

/// The cart with present prices, in minor units of the branch's currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CartView<'a> {
    /// The cart's version.
    pub version: i64,
    /// The sum of all lines, those that cannot be ordered now included.
    pub total_amount: i64,
    /// In order of id.
    pub lines: Vec<PricedLine<'a>>,
}

/// One line with present prices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PricedLine<'a> {
    /// The line.
    pub line: &'a CartLine,
    /// The product; none when the branch no longer has it, and then the price is zero.
    pub product: Option<&'a MenuProduct>,
    /// The chosen options that the branch still offers, in the menu's order.
    pub chosen: Vec<ChosenOption<'a>>,
    /// Price of one, options included.
    pub unit_amount: i64,
    /// Price of all.
    pub line_amount: i64,
    /// Why it cannot be ordered now; none when it can.
    pub refused: Option<LineRefused>,
    /// Codes of allergens that the owner or a sharer avoids and the line has or may have.
    pub allergen_alerts: Vec<String>,
}

impl PricedLine<'_> {
    /// Whether the line can be ordered now.
    pub fn available(&self) -> bool {
        self.refused.is_none()
    }
}

/// The cart with present prices, availability and alerts.
///
/// Reading never fails: amounts beyond the range of a placed round are shown as they are, and placing refuses
/// them.
pub fn read_cart(facts: CartFacts<'_>, now: Timestamp) -> CartView<'_> {
    let mut lines: Vec<_> = facts.lines.iter().map(|line| priced(facts, line, now)).collect();
    lines.sort_by_key(|priced| priced.line.id);
    CartView {
        version: facts.session.cart_version,
        total_amount: lines
            .iter()
            .fold(0, |total, priced| total.saturating_add(priced.line_amount)),
        lines,
    }
}

fn priced<'a>(facts: CartFacts<'a>, line: &'a CartLine, now: Timestamp) -> PricedLine<'a> {
    let product = facts.menu.get(&line.product_id);
    let chosen = product.map_or_else(Vec::new, |product| chosen_options(product, &line.modifiers));
    let allergens = product.map_or_else(LineAllergens::default, |product| line_allergens(product, &chosen));
    let unit_amount = product.map_or(0, |product| {
        product
            .price_amount
            .saturating_add(chosen_amount(&chosen).unwrap_or(i64::MAX))
    });
    PricedLine {
        line,
        product,
        unit_amount,
        line_amount: unit_amount.saturating_mul(i64::from(line.qty)),
        refused: orderable(facts.menu, line.product_id, &line.modifiers, now).err(),
        allergen_alerts: allergen_alerts(facts.diners, Some(line.diner_id), &line.sharers, &allergens),
        chosen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::{ChosenModifier, Sharing};
    use crate::menu::fixtures::{at, id, menu, option_id, product_id};
    use crate::menu::{BranchMenu, LineProblem};
    use crate::session::SessionStatus;
    use crate::session::fixtures::{diner, session};

    fn line(number: u128, code: &str, qty: i32) -> CartLine {
        CartLine {
            id: uuid::Uuid::from_u128(number).into(),
            diner_id: id("Ana"),
            product_id: product_id(code),
            qty,
            sharing: Sharing::Own,
            sharers: Vec::new(),
            modifiers: Vec::new(),
            notes: String::new(),
        }
    }

    fn dinner() -> Vec<CartLine> {
        let chosen = ["jugoso", "huevo_frito"].map(|code| ChosenModifier {
            option_id: option_id(code),
            qty: 1,
        });
        vec![
            CartLine {
                modifiers: chosen.to_vec(),
                ..line(1, "bife_chorizo", 1)
            },
            line(2, "provoleta", 1),
            line(3, "empanada_carne", 2),
            line(4, "limonada", 1),
        ]
    }

    fn read<T>(lines: &[CartLine], menu: &BranchMenu, look: impl Fn(&CartView<'_>) -> T) -> T {
        let mut ana = diner("Ana");
        ana.preferences.exclude_allergens = vec!["eggs".to_owned(), "milk".to_owned()];
        let session = session(SessionStatus::Open);
        let facts = CartFacts {
            session: &session,
            diners: &[ana],
            lines,
            menu,
        };
        look(&read_cart(facts, at(0)))
    }

    #[test]
    fn the_dinner_of_the_specification_costs_46600() {
        read(&dinner(), &menu(), |cart| {
            assert_eq!(cart.total_amount, 4_660_000);
            let amounts: Vec<_> = cart.lines.iter().map(|line| line.line_amount).collect();
            assert_eq!(amounts, [2_670_000, 980_000, 560_000, 450_000]);
            assert!(cart.lines.iter().all(PricedLine::available));
            assert_eq!(cart.lines[0].allergen_alerts, ["eggs"]);
            assert_eq!(cart.lines[2].allergen_alerts, ["eggs", "milk"]);
            assert_eq!(cart.lines[0].chosen[1].group.code, "extras");
        });
    }

    #[test]
    fn what_cannot_be_ordered_keeps_its_price_if_it_has_one() {
        let mut menu = menu();
        menu.get_mut(&product_id("provoleta")).unwrap().on_menu = false;
        menu.remove(&product_id("limonada"));
        read(&dinner(), &menu, |cart| {
            let refused = |index: usize| cart.lines[index].refused.clone();
            let not_on_menu = Some(LineRefused::Unavailable(vec![LineProblem::NotOnMenu]));
            assert_eq!((refused(1), refused(3)), (not_on_menu.clone(), not_on_menu));
            assert_eq!(cart.lines[1].line_amount, 980_000);
            assert_eq!(cart.lines[3].line_amount, 0);
            assert_eq!(cart.total_amount, 4_660_000 - 450_000);
        });
    }

    #[test]
    fn even_an_absurd_cart_can_be_read() {
        let mut menu = menu();
        menu.get_mut(&product_id("limonada")).unwrap().price_amount = crate::money::MAX_PRICE;
        let lines: Vec<_> = (0..200).map(|number| line(number, "limonada", 99)).collect();
        read(&lines, &menu, |cart| {
            assert_eq!(cart.total_amount, 19_800_000_000_000);
        });
    }
}
