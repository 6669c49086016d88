//! A few dishes of the demo restaurant for the tests of this crate.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::Timestamp;
use crate::ids::{ModifierOptionId, ProductId, TypedId};
use crate::menu::{
    Availability, BranchMenu, MenuCategory, MenuGroup, MenuOption, MenuProduct, ProductAllergens, Station,
};
use crate::text::I18n;

/// Seconds after some evening.
pub fn at(seconds: i64) -> Timestamp {
    "2026-11-24T23:00:00Z".parse::<Timestamp>().unwrap() + TimeDelta::seconds(seconds)
}

/// The id of a code, the same in every test: FNV-1a over its letters.
pub fn id<T: TypedId>(code: &str) -> T {
    let offset = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    let prime = 0x0000_0000_0100_0000_0000_0000_0000_013b_u128;
    T::from_uuid(Uuid::from_u128(
        code.bytes()
            .fold(offset, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(prime)),
    ))
}

/// The id of a product.
pub fn product_id(code: &str) -> ProductId {
    id(code)
}

/// The id of an option.
pub fn option_id(code: &str) -> ModifierOptionId {
    id(&format!("option {code}"))
}

/// A text in one language.
pub fn text(es: &str) -> I18n {
    I18n(BTreeMap::from([("es".to_owned(), es.to_owned())]))
}

/// Declared allergens: what it contains and may contain, each as words.
pub fn allergens(contains: &str, may_contain: &str) -> ProductAllergens {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    ProductAllergens {
        contains: words(contains),
        may_contain: words(may_contain),
        free_from: Vec::new(),
    }
}

const IN_STOCK: Availability = Availability {
    available: true,
    unavailable_until: None,
};

/// A product without choices and allergens.
pub fn product(code: &str, category: &str, price_amount: i64) -> MenuProduct {
    MenuProduct {
        id: product_id(code),
        code: code.to_owned(),
        category_id: id(category),
        name: text(code),
        description: None,
        image_url: None,
        position: 1,
        station: Station::HotKitchen,
        diets: Vec::new(),
        price_amount,
        on_menu: true,
        availability: IN_STOCK,
        allergens: ProductAllergens::default(),
        groups: Vec::new(),
    }
}

/// A choice; options are code, price, ingredients.
pub fn group(code: &str, select: (i32, i32), max_qty: i32, options: &[(&str, i64, &str)]) -> MenuGroup {
    MenuGroup {
        id: id(code),
        code: code.to_owned(),
        name: text(code),
        min_select: select.0,
        max_select: select.1,
        options: options
            .iter()
            .map(|(code, price_amount, contains)| MenuOption {
                id: option_id(code),
                code: (*code).to_owned(),
                name: text(code),
                price_amount: *price_amount,
                max_qty,
                availability: IN_STOCK,
                allergens: allergens(contains, ""),
            })
            .collect(),
    }
}

/// Sirloin steak: a cooking point, up to three extras.
pub fn bife() -> MenuProduct {
    MenuProduct {
        station: Station::Grill,
        groups: vec![
            group(
                "punto",
                (1, 1),
                1,
                &[("jugoso", 0, ""), ("a_punto", 0, ""), ("cocido", 0, "")],
            ),
            group(
                "extras",
                (0, 3),
                1,
                &[
                    ("huevo_frito", 180_000, "eggs"),
                    ("provolone", 260_000, "milk"),
                    ("chimichurri", 0, "sulphites"),
                ],
            ),
        ],
        ..product("bife_chorizo", "parrilla", 2_490_000)
    }
}

/// Ice cream, two flavours.
pub fn helado() -> MenuProduct {
    MenuProduct {
        station: Station::Pastry,
        allergens: allergens("", "nuts peanuts"),
        groups: vec![group(
            "sabores",
            (2, 2),
            2,
            &[
                ("chocolate", 0, "milk soy"),
                ("limon", 0, ""),
                ("frutilla", 0, ""),
            ],
        )],
        ..product("helado", "postres", 620_000)
    }
}

/// Six dishes.
pub fn menu() -> BranchMenu {
    [
        bife(),
        helado(),
        MenuProduct {
            allergens: allergens("milk", ""),
            station: Station::Grill,
            ..product("provoleta", "entradas", 980_000)
        },
        MenuProduct {
            allergens: allergens("gluten eggs", "milk sulphites"),
            ..product("empanada_carne", "empanadas", 280_000)
        },
        MenuProduct {
            allergens: allergens("", "gluten"),
            ..product("papas_fritas", "guarniciones", 550_000)
        },
        MenuProduct {
            station: Station::Bar,
            ..product("limonada", "bebidas", 450_000)
        },
    ]
    .into_iter()
    .map(|product| (product.id, product))
    .collect()
}

/// The categories of [`menu`].
pub fn categories() -> Vec<MenuCategory> {
    [
        "entradas",
        "empanadas",
        "parrilla",
        "guarniciones",
        "postres",
        "bebidas",
    ]
    .into_iter()
    .zip(1..)
    .map(|(code, position)| MenuCategory {
        id: id(code),
        code: code.to_owned(),
        name: text(code),
        position,
    })
    .collect()
}
