//! Who may do what: the authorisation table as data, and the one function that reads it.

mod authorize;
mod principal;
mod render;
mod table;

pub use authorize::{Denied, Permit, Resource, authorize};
pub use principal::{ApiKeyPrincipal, DinerPrincipal, Principal, StaffPrincipal, TablePrincipal};
pub use render::authorisation_table;
pub use table::{Action, ApiScope, Mark, RULES, Reach, Rule, Scope};
