//! The two menus as they are, and lines that must be refused.

use comanda_domain::diner::Diet;
use comanda_domain::menu::Station;

use super::{Cell, DemoDish, DemoMenu, MenuError, Wrong};
use crate::demo::restaurants::{BUEN_SABOR, LA_OTRA_MESA};

fn buen_sabor() -> DemoMenu {
    BUEN_SABOR.menu().unwrap()
}

fn dish(code: &str) -> DemoDish {
    buen_sabor()
        .dishes()
        .find(|dish| dish.code == code)
        .unwrap()
        .clone()
}

/// What is wrong with `text`, below an allergen, a group and a category.
fn refused(text: &str) -> MenuError {
    let head = "[allergens]\nmilk | Leche | Milk\ngluten | Gluten | Gluten\n[group] salsa | Salsa | Sauce | 1..1\n\
                [category] pastas | Pastas | Pasta | hot_kitchen\n";
    DemoMenu::parse(&[("head", head), ("x.txt", text)]).unwrap_err()
}

#[test]
fn the_menu_is_complete() {
    let menu = buen_sabor();
    assert_eq!(
        (
            menu.categories.len(),
            menu.dishes().count(),
            menu.allergens.len(),
            menu.groups.len()
        ),
        (11, 60, 14, 7)
    );
    assert_eq!(
        menu.groups.iter().map(|group| group.options.len()).sum::<usize>(),
        22
    );
    assert_eq!(LA_OTRA_MESA.menu().unwrap().dishes().count(), 3);
}

#[test]
fn the_dinner_costs_what_the_examples_say() {
    let pesos = |code| dish(code).pesos;
    assert_eq!(
        [
            pesos("bife_chorizo"),
            pesos("provoleta"),
            pesos("empanada_carne"),
            pesos("limonada")
        ],
        [24_900, 9_800, 2_800, 4_500]
    );
    let egg = buen_sabor()
        .groups
        .into_iter()
        .flat_map(|g| g.options)
        .find(|o| o.code == "huevo_frito")
        .unwrap();
    assert_eq!((egg.pesos, egg.contains), (1_800, vec!["eggs".to_owned()]));
}

#[test]
fn twenty_two_dishes_are_hidden_from_whoever_avoids_traces_of_gluten() {
    let gluten = "gluten".to_owned();
    let hidden = buen_sabor()
        .dishes()
        .filter(|d| d.contains.contains(&gluten) || d.may_contain.contains(&gluten))
        .count();
    assert_eq!(hidden, 22);
}

#[test]
fn diets_mean_what_they_promise() {
    for dish in buen_sabor().dishes() {
        let has = |diet| dish.diets.contains(&diet);
        assert!(!has(Diet::Vegan) || has(Diet::Vegetarian), "{}", dish.code);
        assert_eq!(
            has(Diet::GlutenFree),
            dish.free_from.iter().any(|a| a == "gluten"),
            "{}",
            dish.code
        );
        assert_eq!(
            has(Diet::DairyFree),
            dish.free_from.iter().any(|a| a == "milk"),
            "{}",
            dish.code
        );
    }
    assert_eq!(
        dish("agua").diets,
        [Diet::Vegetarian, Diet::Vegan, Diet::GlutenFree, Diet::DairyFree]
    );
}

#[test]
fn some_starters_are_made_elsewhere() {
    assert_eq!(dish("provoleta").station, Some(Station::Grill));
    assert_eq!(dish("carpaccio").station, Some(Station::ColdKitchen));
    assert_eq!(dish("rabas").station, None);
}

#[test]
fn two_flavours_may_be_the_same() {
    let menu = buen_sabor();
    let flavours = menu.groups.iter().find(|group| group.code == "sabores").unwrap();
    assert_eq!((flavours.min, flavours.max, flavours.max_qty), (2, 2, 2));
}

#[test]
fn palermo_is_dearer_by_a_tenth_rounded_down() {
    let [centro, palermo] = BUEN_SABOR.branches else {
        panic!("two branches")
    };
    let both = |pesos| (centro.price(pesos), palermo.price(pesos));
    assert_eq!(both(24_900), (2_490_000, 2_730_000));
    assert_eq!(both(2_800), (280_000, 300_000));
    assert_eq!(both(0), (0, 0));
}

#[test]
fn everyone_serves_and_is_granted_what_exists() {
    for restaurant in [BUEN_SABOR, LA_OTRA_MESA] {
        let menu = restaurant.menu().unwrap();
        for branch in restaurant.branches {
            assert!(
                branch
                    .hides
                    .iter()
                    .all(|code| menu.categories.iter().any(|c| c.code == *code))
            );
            for (email, prefix) in branch.served_by {
                assert!(branch.sectors.iter().any(|sector| sector.prefix == *prefix));
                let person = restaurant
                    .people
                    .iter()
                    .find(|person| person.email == *email)
                    .unwrap();
                assert!(person.grants.iter().any(|(slug, _)| *slug == branch.slug));
            }
        }
        for (slug, _) in restaurant.people.iter().flat_map(|person| person.grants) {
            assert!(restaurant.branches.iter().any(|branch| branch.slug == *slug));
        }
    }
}

#[test]
fn a_refusal_says_where_and_what() {
    let error = refused("\n# a comment\nravioles | Ravioles | Ravioli | 14900 | milk | | | salas\n");
    assert_eq!(
        error.to_string(),
        "x.txt, line 3: no group \"salas\" is declared above"
    );
}

#[test]
fn bad_lines_are_refused() {
    let wrong = |text| refused(text).wrong;
    let not_a = |cell, text: &str| Wrong::NotA {
        cell,
        text: text.to_owned(),
    };
    assert_eq!(
        wrong("Ravioles | Ravioles | Ravioli | 1"),
        not_a(Cell::Code, "Ravioles")
    );
    assert_eq!(wrong("a | Ravioles | | 1"), Wrong::Missing(Cell::English));
    assert_eq!(wrong("a | A | A | 12.50"), not_a(Cell::Price, "12.50"));
    assert_eq!(wrong("a | A | A | -1"), not_a(Cell::Price, "-1"));
    assert_eq!(
        wrong("a | A | A | 1 | milk | milk"),
        Wrong::Contradiction("milk".to_owned())
    );
    assert_eq!(
        wrong("a | A | A | 1 | milk | | df"),
        Wrong::Contradiction("milk".to_owned())
    );
    assert_eq!(wrong("a | A | A | 1 | | | keto"), not_a(Cell::Diet, "keto"));
    assert_eq!(
        wrong("a | A | A | 1 | | | v | | cellar"),
        not_a(Cell::Station, "cellar")
    );
    assert_eq!(
        wrong("a | A | A | 1 | | | v | | bar | more"),
        Wrong::TooMany("more".to_owned())
    );
    assert_eq!(
        wrong("a | A | A | 1\na | B | B | 2"),
        Wrong::Twice("a".to_owned())
    );
    assert_eq!(wrong("[group] g | G | G | 3..1"), not_a(Cell::Range, "3..1"));
    assert_eq!(wrong("[group] g | G | G | 0..1 | 2"), not_a(Cell::MaxQty, "2"));
    assert_eq!(wrong("[drinks] g"), not_a(Cell::Heading, "drinks"));
}

#[test]
fn an_entry_needs_a_heading() {
    let error = DemoMenu::parse(&[("x.txt", "a | A | A | 1")]).unwrap_err();
    assert_eq!(error.wrong, Wrong::NoHeading);
}
