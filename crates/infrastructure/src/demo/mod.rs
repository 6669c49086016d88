//! The demo restaurants: data to try Comanda out with, never for a real house (`domain.md` 10).

mod catalogue;
mod floor;
mod menu;
mod people;
mod restaurants;
mod seed;

pub use menu::{MenuError, Wrong};
pub use restaurants::{BUEN_SABOR, LA_OTRA_MESA, RESTAURANTS, Restaurant};
pub use seed::{SeedError, Seeded, SeededTenant, refuse_guarded, seed};
