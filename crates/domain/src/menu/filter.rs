//! What of the menu a guest sees, judged by what they avoid and how they eat.

use crate::Timestamp;
use crate::diner::{AllergenMode, Diet, Preferences};
use crate::menu::{Allergen, BranchMenu, MenuCategory, MenuGroup, MenuOption, MenuProduct, ProductAllergens};

/// What is known of a branch's menu.
#[derive(Clone, Copy, Debug)]
pub struct MenuFacts<'m> {
    /// The categories that the branch shows.
    pub categories: &'m [MenuCategory],
    /// Its products.
    pub products: &'m BranchMenu,
    /// The tenant's allergens.
    pub allergens: &'m [Allergen],
}

/// What a guest asks for. The default hides nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MenuFilter {
    /// Codes of allergens to avoid.
    pub exclude: Vec<String>,
    /// How strictly.
    pub mode: AllergenMode,
    /// Ways of eating, all of which a product must satisfy.
    pub diets: Vec<Diet>,
}

impl Default for MenuFilter {
    fn default() -> Self {
        Self::from(&Preferences::default())
    }
}

impl From<&Preferences> for MenuFilter {
    fn from(preferences: &Preferences) -> Self {
        Self {
            exclude: preferences.exclude_allergens.clone(),
            mode: preferences.mode,
            diets: preferences.diets.clone(),
        }
    }
}

impl MenuFilter {
    /// Excluded allergens that speak against something with these declarations: sorted, each once.
    pub fn blocked_by(&self, declared: &ProductAllergens) -> Vec<String> {
        let mut codes: Vec<_> = self
            .exclude
            .iter()
            .filter(|code| self.blocks(code, declared))
            .cloned()
            .collect();
        codes.sort();
        codes.dedup();
        codes
    }

    fn blocks(&self, code: &String, declared: &ProductAllergens) -> bool {
        let contains = declared.contains.contains(code);
        let traces = contains || declared.may_contain.contains(code);
        match self.mode {
            AllergenMode::Contains => contains,
            AllergenMode::Traces => traces,
            AllergenMode::DeclaredFree => traces || !declared.free_from.contains(code),
        }
    }

    fn fits(&self, product: &MenuProduct, groups: &[FilteredGroup<'_>]) -> bool {
        self.blocked_by(&product.allergens).is_empty()
            && self.diets.iter().all(|diet| product.diets.contains(diet))
            && groups
                .iter()
                .all(|group| group.satisfiable(|option| option.blocked_by.is_empty()))
    }
}

/// The menu as a guest sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilteredMenu<'m> {
    /// Categories with something to show, in their order.
    pub categories: Vec<FilteredCategory<'m>>,
    /// Products that the branch offers and the filter hides.
    pub hidden_by_filter: usize,
}

/// One category.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilteredCategory<'m> {
    /// The category.
    pub category: &'m MenuCategory,
    /// Its products, in their order; at least one.
    pub products: Vec<FilteredProduct<'m>>,
}

/// One product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilteredProduct<'m> {
    /// The product, with its declared allergens.
    pub product: &'m MenuProduct,
    /// It can be ordered now: not sold out, and every required choice can still be made.
    pub available: bool,
    /// Regulated allergens about which nothing is declared: codes, sorted.
    pub undeclared: Vec<String>,
    /// Its choices.
    pub groups: Vec<FilteredGroup<'m>>,
    /// The filter keeps it. False only where a single product is asked for by its id.
    pub fits: bool,
}

/// One choice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilteredGroup<'m> {
    /// The group.
    pub group: &'m MenuGroup,
    /// Its options.
    pub options: Vec<FilteredOption<'m>>,
}

/// One option.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilteredOption<'m> {
    /// The option, with its declared allergens.
    pub option: &'m MenuOption,
    /// Not sold out now.
    pub available: bool,
    /// Excluded allergens that speak against it.
    pub blocked_by: Vec<String>,
}

impl FilteredGroup<'_> {
    /// Whether the wanted options alone reach the group's minimum.
    fn satisfiable(&self, wanted: impl Fn(&FilteredOption<'_>) -> bool) -> bool {
        let wanted = self.options.iter().filter(|option| wanted(option));
        let reach = wanted.fold(0_i32, |sum, option| sum.saturating_add(option.option.max_qty));
        reach >= self.group.min_select
    }
}

/// The menu of a branch through a filter. Sold-out products are shown and flagged; products that are not on the
/// menu, or whose required choice could never be made, are left out without being counted as hidden.
pub fn filter_menu<'m>(facts: MenuFacts<'m>, filter: &MenuFilter, now: Timestamp) -> FilteredMenu<'m> {
    let mut categories: Vec<_> = facts.categories.iter().collect();
    categories.sort_by_key(|category| (category.position, &category.code));
    let mut hidden_by_filter = 0;
    let mut shown = Vec::new();
    for category in categories {
        let (products, hidden): (Vec<_>, Vec<_>) = products_of(facts, category)
            .into_iter()
            .filter_map(|product| filter_product(product, facts.allergens, filter, now))
            .partition(|product| product.fits);
        hidden_by_filter += hidden.len();
        if !products.is_empty() {
            shown.push(FilteredCategory { category, products });
        }
    }
    FilteredMenu {
        categories: shown,
        hidden_by_filter,
    }
}

fn products_of<'m>(facts: MenuFacts<'m>, category: &MenuCategory) -> Vec<&'m MenuProduct> {
    let mut products: Vec<_> = facts
        .products
        .values()
        .filter(|product| product.category_id == category.id)
        .collect();
    products.sort_by_key(|product| (product.position, &product.code));
    products
}

/// One product through a filter; none when the branch does not offer it at all.
pub fn filter_product<'m>(
    product: &'m MenuProduct,
    allergens: &[Allergen],
    filter: &MenuFilter,
    now: Timestamp,
) -> Option<FilteredProduct<'m>> {
    let groups: Vec<_> = product
        .groups
        .iter()
        .map(|group| filter_group(group, filter, now))
        .collect();
    if !product.on_menu || !groups.iter().all(|group| group.satisfiable(|_| true)) {
        return None;
    }
    let choices_left = groups
        .iter()
        .all(|group| group.satisfiable(|option| option.available));
    Some(FilteredProduct {
        product,
        available: product.availability.at(now) && choices_left,
        undeclared: undeclared(&product.allergens, allergens),
        fits: filter.fits(product, &groups),
        groups,
    })
}

fn filter_group<'m>(group: &'m MenuGroup, filter: &MenuFilter, now: Timestamp) -> FilteredGroup<'m> {
    let options = group.options.iter().map(|option| FilteredOption {
        option,
        available: option.availability.at(now),
        blocked_by: filter.blocked_by(&option.allergens),
    });
    FilteredGroup {
        group,
        options: options.collect(),
    }
}

fn undeclared(declared: &ProductAllergens, allergens: &[Allergen]) -> Vec<String> {
    let lists = [&declared.contains, &declared.may_contain, &declared.free_from];
    let mut codes: Vec<_> = allergens
        .iter()
        .filter(|allergen| allergen.is_regulated)
        .map(|allergen| &allergen.code)
        .filter(|code| !lists.iter().any(|list| list.contains(code)))
        .cloned()
        .collect();
    codes.sort();
    codes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::cart::ChosenModifier;
    use crate::menu::fixtures::{at, categories, group, id, menu, option_id, product, product_id, text};
    use crate::menu::orderable;

    fn regulated(codes: &[&str]) -> Vec<Allergen> {
        codes
            .iter()
            .map(|code| Allergen {
                id: id(code),
                code: (*code).to_owned(),
                name: text(code),
                is_regulated: *code != "house_spice",
            })
            .collect()
    }

    fn excluding(codes: &[&str], mode: AllergenMode) -> MenuFilter {
        MenuFilter {
            exclude: codes.iter().map(|code| (*code).to_owned()).collect(),
            mode,
            diets: Vec::new(),
        }
    }

    fn shown(products: &BranchMenu, filter: &MenuFilter) -> (Vec<String>, usize) {
        let categories = categories();
        let facts = MenuFacts {
            categories: &categories,
            products,
            allergens: &[],
        };
        let menu = filter_menu(facts, filter, at(0));
        let products = menu.categories.iter().flat_map(|category| &category.products);
        (
            products.map(|shown| shown.product.code.clone()).collect(),
            menu.hidden_by_filter,
        )
    }

    #[test]
    fn modes_hide_what_contains_what_may_contain_and_what_is_not_declared_free() {
        let (all, hidden) = shown(&menu(), &MenuFilter::default());
        assert_eq!(
            (all.join(" ").as_str(), hidden),
            (
                "provoleta empanada_carne bife_chorizo papas_fritas helado limonada",
                0
            )
        );
        let (products, hidden) = shown(&menu(), &excluding(&["gluten"], AllergenMode::Contains));
        assert_eq!((products.len(), hidden), (5, 1));
        let (products, hidden) = shown(&menu(), &excluding(&["gluten"], AllergenMode::Traces));
        assert_eq!((products.len(), hidden), (4, 2));
        let mut menu = menu();
        let limonada = menu.get_mut(&product_id("limonada")).unwrap();
        limonada.allergens.free_from = vec!["gluten".to_owned()];
        let (products, hidden) = shown(&menu, &excluding(&["gluten"], AllergenMode::DeclaredFree));
        assert_eq!((products, hidden), (vec!["limonada".to_owned()], 5));
    }

    #[test]
    fn a_required_choice_without_a_fitting_answer_hides_the_product() {
        let pasta = MenuProduct {
            groups: vec![group(
                "salsa",
                (1, 1),
                1,
                &[("crema", 0, "milk"), ("pesto", 0, "milk nuts")],
            )],
            ..product("noquis", "entradas", 100)
        };
        let products = BranchMenu::from([(pasta.id, pasta)]);
        assert_eq!(
            shown(&products, &excluding(&["milk"], AllergenMode::Traces)),
            (vec![], 1)
        );
        let filter = excluding(&["nuts", "fish", "nuts"], AllergenMode::Traces);
        let pasta = products.values().next().unwrap();
        let kept = filter_product(pasta, &[], &filter, at(0)).unwrap();
        assert!(kept.fits);
        assert!(kept.groups[0].options[0].blocked_by.is_empty());
        assert_eq!(kept.groups[0].options[1].blocked_by, ["nuts"]);
    }

    #[test]
    fn two_scoops_of_one_fitting_flavour_satisfy_a_choice_of_two() {
        // Chocolate is blocked; lemon alone may be taken twice.
        let mut menu = menu();
        let helado = menu.get_mut(&product_id("helado")).unwrap();
        helado.groups[0].options.truncate(2);
        let (products, _) = shown(&menu, &excluding(&["milk"], AllergenMode::Contains));
        assert!(products.contains(&"helado".to_owned()));
    }

    #[test]
    fn diets_are_all_wanted_and_undeclared_means_no_row() {
        let mut products = menu();
        products.get_mut(&product_id("limonada")).unwrap().diets = vec![Diet::Vegan, Diet::GlutenFree];
        products.get_mut(&product_id("provoleta")).unwrap().diets = vec![Diet::GlutenFree];
        let filter = MenuFilter {
            diets: vec![Diet::Vegan, Diet::GlutenFree],
            ..MenuFilter::default()
        };
        assert_eq!(shown(&products, &filter), (vec!["limonada".to_owned()], 5));
        let empanada = products.get(&product_id("empanada_carne")).unwrap();
        let known = regulated(&["soy", "milk", "gluten", "fish", "house_spice"]);
        let judged = filter_product(empanada, &known, &MenuFilter::default(), at(0)).unwrap();
        assert_eq!(judged.undeclared, ["fish", "soy"]);
    }

    #[test]
    fn sold_out_is_flagged_and_off_the_menu_is_gone() {
        let mut products = menu();
        products
            .get_mut(&product_id("helado"))
            .unwrap()
            .availability
            .available = false;
        products.get_mut(&product_id("limonada")).unwrap().on_menu = false;
        for option in &mut products.get_mut(&product_id("bife_chorizo")).unwrap().groups[0].options {
            option.availability.available = false;
        }
        let categories = categories();
        let facts = MenuFacts {
            categories: &categories,
            products: &products,
            allergens: &[],
        };
        let menu = filter_menu(facts, &MenuFilter::default(), at(0));
        let flags: Vec<_> = menu
            .categories
            .iter()
            .flat_map(|category| &category.products)
            .map(|shown| (shown.product.code.as_str(), shown.available))
            .collect();
        assert_eq!(
            flags,
            [
                ("provoleta", true),
                ("empanada_carne", true),
                ("bife_chorizo", false),
                ("papas_fritas", true),
                ("helado", false),
            ]
        );
        assert_eq!(menu.hidden_by_filter, 0);
    }

    const CODES: [&str; 3] = ["gluten", "milk", "nuts"];

    /// Declarations as the primary key allows them: at most one per allergen.
    fn declarations() -> impl Strategy<Value = ProductAllergens> {
        prop::collection::vec(0..4_usize, CODES.len()).prop_map(|picks| {
            let of = |wanted: usize| -> Vec<String> {
                CODES
                    .iter()
                    .zip(&picks)
                    .filter(|(_, pick)| **pick == wanted)
                    .map(|(code, _)| (*code).to_owned())
                    .collect()
            };
            ProductAllergens {
                contains: of(1),
                may_contain: of(2),
                free_from: of(3),
            }
        })
    }

    prop_compose! {
        fn dishes()(
            dishes in prop::collection::vec(
                (declarations(), prop::collection::vec((declarations(), any::<bool>()), 0..3), 0..3_i32),
                1..8,
            ),
        ) -> BranchMenu {
            dishes.into_iter().zip(0..).map(|((declared, options, min_select), number)| {
                let mut dish = product(&format!("dish_{number}"), "entradas", 100);
                dish.allergens = declared;
                let mut choice = group("choice", (min_select, 3), 1, &[("a", 0, ""), ("b", 0, ""), ("c", 0, "")]);
                choice.options.truncate(options.len());
                for (option, (declared, available)) in choice.options.iter_mut().zip(options) {
                    option.allergens = declared;
                    option.availability.available = available;
                }
                dish.groups = vec![choice];
                (dish.id, dish)
            }).collect()
        }
    }

    proptest! {
        // P15
        #[test]
        fn stricter_modes_show_less_and_traces_shows_no_excluded_allergen(
            products in dishes(),
            exclude in prop::sample::subsequence(CODES.to_vec(), 0..=CODES.len()),
        ) {
            let kept = |mode| -> BTreeSet<String> {
                shown(&products, &excluding(&exclude, mode)).0.into_iter().collect()
            };
            let (contains, traces) = (kept(AllergenMode::Contains), kept(AllergenMode::Traces));
            prop_assert!(kept(AllergenMode::DeclaredFree).is_subset(&traces));
            prop_assert!(traces.is_subset(&contains));
            for dish in products.values().filter(|dish| traces.contains(&dish.code)) {
                let mut present = dish.allergens.contains.iter().chain(&dish.allergens.may_contain);
                prop_assert!(!present.any(|code| exclude.contains(&code.as_str())));
            }
        }

        #[test]
        fn every_offered_dish_is_shown_or_counted_as_hidden(
            products in dishes(),
            exclude in prop::sample::subsequence(CODES.to_vec(), 0..=CODES.len()),
        ) {
            let (all, none_hidden) = shown(&products, &MenuFilter::default());
            prop_assert_eq!(none_hidden, 0);
            let (kept, hidden) = shown(&products, &excluding(&exclude, AllergenMode::Traces));
            prop_assert_eq!(kept.len() + hidden, all.len());
        }

        // The menu's flag and the rule of ordering agree: available means that some choice is accepted.
        #[test]
        fn what_is_shown_as_available_can_be_ordered(products in dishes()) {
            for dish in products.values() {
                let available = filter_product(dish, &[], &MenuFilter::default(), at(0))
                    .is_some_and(|judged| judged.available);
                let possible = (0..8_u8).any(|bits| {
                    let chosen: Vec<_> = ["a", "b", "c"]
                        .iter()
                        .enumerate()
                        .filter(|(bit, _)| bits & (1 << bit) != 0)
                        .map(|(_, code)| ChosenModifier { option_id: option_id(code), qty: 1 })
                        .collect();
                    orderable(&products, dish.id, &chosen, at(0)).is_ok()
                });
                prop_assert_eq!(available, possible);
            }
        }
    }
}
