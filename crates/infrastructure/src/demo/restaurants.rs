//! The two demo restaurants (`domain.md` 10). Codes, slugs, e-mails and names are fixed; ids are new at each seeding.

use comanda_domain::actor::Role;
use comanda_domain::billing::Provider;

use super::menu::{DemoMenu, MenuError};

/// The language that every text of the demo restaurants has at least.
pub const LOCALE: &str = "es";
/// What they all charge in.
pub const CURRENCY: &str = "ARS";
/// The providers that their branches accept.
pub const PROVIDERS: [Provider; 4] = [
    Provider::Cash,
    Provider::CardTerminal,
    Provider::Transfer,
    Provider::Sandbox,
];

const ALLERGENS: (&str, &str) = ("allergens.txt", include_str!("allergens.txt"));

/// A restaurant.
#[derive(Debug, Clone, Copy)]
pub struct Restaurant {
    /// Finds it before anything else is known.
    pub slug: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its places.
    pub branches: &'static [DemoBranch],
    /// Its people.
    pub people: &'static [Person],
    menu: (&'static str, &'static str),
}

/// One of its places.
#[derive(Debug, Clone, Copy)]
pub struct DemoBranch {
    /// Its part of addresses.
    pub slug: &'static str,
    /// Its name.
    pub name: &'static str,
    /// IANA zone.
    pub timezone: &'static str,
    /// Waiters send confirmed rounds to the kitchen, and confirming sends them at once.
    pub quick_kitchen: bool,
    /// Dearer than the menu's text by a tenth, rounded down to 100 pesos.
    pub dearer: bool,
    /// Codes of categories that are not shown here.
    pub hides: &'static [&'static str],
    /// Its areas.
    pub sectors: &'static [DemoSector],
    /// Who serves where, all day: e-mail and prefix of the sector.
    pub served_by: &'static [(&'static str, &'static str)],
}

/// An area with its tables `PREFIX-01` and so on.
#[derive(Debug, Clone, Copy)]
pub struct DemoSector {
    /// Its name.
    pub name: &'static str,
    /// What its tables' codes begin with.
    pub prefix: &'static str,
    /// How many tables.
    pub tables: i32,
    /// Seats at each.
    pub seats: i32,
}

/// Somebody who works there.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// Login name.
    pub email: &'static str,
    /// What the others say.
    pub name: &'static str,
    /// Known to everyone, which is why the seed never runs in production.
    pub password: &'static str,
    /// May manage the restaurant.
    pub is_owner: bool,
    /// Slug of the branch and role there.
    pub grants: &'static [(&'static str, Role)],
}

impl DemoBranch {
    /// What a price of the menu's text is here, in minor units.
    pub fn price(&self, pesos: i64) -> i64 {
        let pesos = if self.dearer {
            pesos * 11 / 1000 * 100
        } else {
            pesos
        };
        pesos * 100
    }
}

impl Restaurant {
    /// Its menu.
    ///
    /// # Errors
    /// A defect of the files, which a test would have found.
    pub fn menu(&self) -> Result<DemoMenu, MenuError> {
        DemoMenu::parse(&[ALLERGENS, self.menu])
    }
}

/// The restaurant of the examples.
pub const BUEN_SABOR: Restaurant = Restaurant {
    slug: "buen-sabor",
    name: "Buen Sabor",
    branches: &[
        DemoBranch {
            slug: "centro",
            name: "Buen Sabor Centro",
            timezone: "America/Argentina/Mendoza",
            quick_kitchen: false,
            dearer: false,
            hides: &[],
            sectors: &[
                DemoSector {
                    name: "Salón",
                    prefix: "SAL",
                    tables: 8,
                    seats: 4,
                },
                DemoSector {
                    name: "Terraza",
                    prefix: "TER",
                    tables: 4,
                    seats: 4,
                },
                DemoSector {
                    name: "Barra",
                    prefix: "BAR",
                    tables: 2,
                    seats: 2,
                },
            ],
            served_by: &[
                ("leo@buensabor.demo", "SAL"),
                ("sol@buensabor.demo", "TER"),
                ("sol@buensabor.demo", "BAR"),
            ],
        },
        DemoBranch {
            slug: "palermo",
            name: "Buen Sabor Palermo",
            timezone: "America/Argentina/Buenos_Aires",
            quick_kitchen: true,
            dearer: true,
            hides: &["minutas"],
            sectors: &[
                DemoSector {
                    name: "Salón",
                    prefix: "SAL",
                    tables: 6,
                    seats: 4,
                },
                DemoSector {
                    name: "Patio",
                    prefix: "PAT",
                    tables: 4,
                    seats: 6,
                },
            ],
            served_by: &[],
        },
    ],
    people: &[
        Person {
            email: "olga@buensabor.demo",
            name: "Olga",
            password: "comanda-demo-owner",
            is_owner: true,
            grants: &[("centro", Role::Admin), ("palermo", Role::Admin)],
        },
        Person {
            email: "marta@buensabor.demo",
            name: "Marta",
            password: "comanda-demo-manager",
            is_owner: false,
            grants: &[("centro", Role::Manager)],
        },
        Person {
            email: "leo@buensabor.demo",
            name: "Leo",
            password: "comanda-demo-waiter",
            is_owner: false,
            grants: &[("centro", Role::Waiter)],
        },
        Person {
            email: "sol@buensabor.demo",
            name: "Sol",
            password: "comanda-demo-waiter",
            is_owner: false,
            grants: &[("centro", Role::Waiter)],
        },
        Person {
            email: "nora@buensabor.demo",
            name: "Nora",
            password: "comanda-demo-kitchen",
            is_owner: false,
            grants: &[("centro", Role::Kitchen)],
        },
        Person {
            email: "caro@buensabor.demo",
            name: "Caro",
            password: "comanda-demo-mixed",
            is_owner: false,
            grants: &[("palermo", Role::Manager), ("centro", Role::Waiter)],
        },
        Person {
            email: "teo@buensabor.demo",
            name: "Teo",
            password: "comanda-demo-kitchen",
            is_owner: false,
            grants: &[("palermo", Role::Kitchen)],
        },
    ],
    menu: ("menu.txt", include_str!("menu.txt")),
};

/// Another business, whose data nobody of the first may ever see.
pub const LA_OTRA_MESA: Restaurant = Restaurant {
    slug: "la-otra-mesa",
    name: "La Otra Mesa",
    branches: &[DemoBranch {
        slug: "unica",
        name: "La Otra Mesa",
        timezone: "America/Argentina/Buenos_Aires",
        quick_kitchen: false,
        dearer: false,
        hides: &[],
        sectors: &[DemoSector {
            name: "Salón",
            prefix: "SAL",
            tables: 2,
            seats: 4,
        }],
        served_by: &[],
    }],
    people: &[Person {
        email: "ana@laotramesa.demo",
        name: "Ana",
        password: "comanda-demo-otra",
        is_owner: true,
        grants: &[("unica", Role::Admin)],
    }],
    menu: ("otra_mesa.txt", include_str!("otra_mesa.txt")),
};

/// Both.
pub const RESTAURANTS: [Restaurant; 2] = [BUEN_SABOR, LA_OTRA_MESA];
