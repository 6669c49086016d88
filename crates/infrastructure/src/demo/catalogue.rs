//! Rows of a demo menu: the tenant's catalogue, and what each branch makes of it.

use std::collections::HashMap;

use comanda_domain::ids::{BranchId, IdSource};
use comanda_domain::menu::Presence;
use serde_json::{Value, json};
use uuid::Uuid;

use super::menu::{DemoCategory, DemoDish, DemoGroup, DemoMenu, Names};
use super::restaurants::{CURRENCY, DemoBranch};
use crate::db::Act;
use crate::menus::rows::{
    AllergenRow, BranchOptionRow, BranchProductRow, CategoryRow, HiddenCategoryRow, ModifierGroupRow,
    ModifierOptionRow, OptionAllergenRow, ProductAllergenRow, ProductGroupRow, ProductRow,
};

/// A branch that shows the menu.
pub(super) type Shows<'a> = (BranchId, &'a DemoBranch);

/// Records the whole menu.
pub(super) fn record(menu: &DemoMenu, branches: &[Shows<'_>], act: &mut Act<'_>) {
    let mut catalogue = Catalogue {
        branches,
        allergens: HashMap::new(),
        groups: HashMap::new(),
        act,
    };
    catalogue.allergens(menu);
    menu.groups.iter().for_each(|group| catalogue.group(group));
    for (position, category) in (1..).zip(&menu.categories) {
        catalogue.category(position, category);
    }
}

struct Catalogue<'a, 'b> {
    branches: &'a [Shows<'a>],
    /// Id of each code so far.
    allergens: HashMap<&'a str, Uuid>,
    groups: HashMap<&'a str, Uuid>,
    act: &'a mut Act<'b>,
}

impl<'a> Catalogue<'a, '_> {
    fn tenant(&self) -> Uuid {
        self.act.ask.tenant.0
    }

    fn allergens(&mut self, menu: &'a DemoMenu) {
        for allergen in &menu.allergens {
            let row = AllergenRow {
                tenant_id: self.tenant(),
                id: self.act.ids.uuid(),
                created_at: self.act.now,
                code: allergen.code.clone(),
                name: texts(&allergen.name),
                is_regulated: true,
                deleted_at: None,
                version: 1,
            };
            self.allergens.insert(&allergen.code, row.id);
            self.act.rows.insert(&row);
        }
    }

    fn group(&mut self, group: &'a DemoGroup) {
        let row = ModifierGroupRow {
            tenant_id: self.tenant(),
            id: self.act.ids.uuid(),
            created_at: self.act.now,
            code: group.code.clone(),
            name: texts(&group.name),
            min_select: group.min,
            max_select: group.max,
            deleted_at: None,
            version: 1,
        };
        self.groups.insert(&group.code, row.id);
        self.act.rows.insert(&row);
        for (position, option) in (1..).zip(&group.options) {
            let option_row = ModifierOptionRow {
                tenant_id: self.tenant(),
                id: self.act.ids.uuid(),
                created_at: self.act.now,
                group_id: row.id,
                code: option.code.clone(),
                name: texts(&option.name),
                position,
                max_qty: group.max_qty,
                deleted_at: None,
                version: 1,
            };
            self.act.rows.insert(&option_row);
            self.offer_option(option_row.id, option.pesos);
            for allergen in &option.contains {
                let row = OptionAllergenRow {
                    tenant_id: self.tenant(),
                    option_id: option_row.id,
                    allergen_id: id_of(&self.allergens, allergen),
                    created_at: self.act.now,
                    presence: Presence::Contains.to_string(),
                };
                self.act.rows.insert(&row);
            }
        }
    }

    fn offer_option(&mut self, option: Uuid, pesos: i64) {
        for (branch, demo) in self.branches {
            let row = BranchOptionRow {
                tenant_id: self.tenant(),
                branch_id: branch.0,
                option_id: option,
                created_at: self.act.now,
                price_amount: demo.price(pesos),
                currency: CURRENCY.to_owned(),
                available: true,
                unavailable_until: None,
            };
            self.act.rows.insert(&row);
        }
    }

    fn category(&mut self, position: i32, category: &DemoCategory) {
        let row = CategoryRow {
            tenant_id: self.tenant(),
            id: self.act.ids.uuid(),
            created_at: self.act.now,
            code: category.code.clone(),
            name: texts(&category.name),
            position,
            station: category.station.to_string(),
            deleted_at: None,
            version: 1,
        };
        self.act.rows.insert(&row);
        for (branch, _) in self
            .branches
            .iter()
            .filter(|(_, demo)| demo.hides.contains(&category.code.as_str()))
        {
            let hidden = HiddenCategoryRow {
                tenant_id: row.tenant_id,
                branch_id: branch.0,
                category_id: row.id,
                created_at: self.act.now,
            };
            self.act.rows.insert(&hidden);
        }
        for (position, dish) in (1..).zip(&category.dishes) {
            self.dish(row.id, position, dish);
        }
    }

    fn dish(&mut self, category: Uuid, position: i32, dish: &DemoDish) {
        let row = ProductRow {
            tenant_id: self.tenant(),
            id: self.act.ids.uuid(),
            created_at: self.act.now,
            category_id: category,
            code: dish.code.clone(),
            name: texts(&dish.name),
            position,
            description: None,
            image_url: None,
            station: dish.station.map(|station| station.to_string()),
            diets: dish.diets.iter().map(ToString::to_string).collect(),
            deleted_at: None,
            version: 1,
        };
        self.act.rows.insert(&row);
        self.offer_dish(row.id, dish.pesos);
        self.declare(row.id, dish);
        for (position, group) in (1..).zip(&dish.groups) {
            let choice = ProductGroupRow {
                tenant_id: row.tenant_id,
                product_id: row.id,
                group_id: id_of(&self.groups, group),
                created_at: self.act.now,
                position,
            };
            self.act.rows.insert(&choice);
        }
    }

    fn offer_dish(&mut self, product: Uuid, pesos: i64) {
        for (branch, demo) in self.branches {
            let row = BranchProductRow {
                tenant_id: self.tenant(),
                branch_id: branch.0,
                product_id: product,
                created_at: self.act.now,
                price_amount: demo.price(pesos),
                currency: CURRENCY.to_owned(),
                on_menu: true,
                available: true,
                unavailable_until: None,
                version: 1,
            };
            self.act.rows.insert(&row);
        }
    }

    fn declare(&mut self, product: Uuid, dish: &DemoDish) {
        let declared = [
            (Presence::Contains, &dish.contains),
            (Presence::MayContain, &dish.may_contain),
            (Presence::FreeFrom, &dish.free_from),
        ];
        for (presence, codes) in declared {
            for code in codes {
                let row = ProductAllergenRow {
                    tenant_id: self.tenant(),
                    product_id: product,
                    allergen_id: id_of(&self.allergens, code),
                    created_at: self.act.now,
                    presence: presence.to_string(),
                };
                self.act.rows.insert(&row);
            }
        }
    }
}

/// The parser accepts only codes that are declared, so the nil id, which no foreign key accepts, is never used.
fn id_of(ids: &HashMap<&str, Uuid>, code: &str) -> Uuid {
    ids.get(code).copied().unwrap_or_default()
}

fn texts(names: &Names) -> Value {
    json!({ "es": names.es, "en": names.en })
}
