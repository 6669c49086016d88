//! Columns of the catalogue and of what a branch makes of it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::db::row;

row! {
    /// A category.
    CategoryRow = category, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        code: String,
        name: Value,
        position: i32,
        station: String,
        deleted_at: Option<DateTime<Utc>>,
        version: i64,
    }
}

row! {
    /// A product.
    ProductRow = product, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        category_id: Uuid,
        code: String,
        name: Value,
        position: i32,
        description: Option<Value>,
        image_url: Option<String>,
        station: Option<String>,
        diets: Vec<String>,
        deleted_at: Option<DateTime<Utc>>,
        version: i64,
    }
}

row! {
    /// A product in a branch.
    BranchProductRow = branch_product, key (tenant_id, branch_id, product_id), guard "t.version < r.version" {
        tenant_id: Uuid,
        branch_id: Uuid,
        product_id: Uuid,
        created_at: DateTime<Utc>,
        price_amount: i64,
        currency: String,
        on_menu: bool,
        available: bool,
        unavailable_until: Option<DateTime<Utc>>,
        version: i64,
    }
}

row! {
    /// A category that a branch does not show.
    HiddenCategoryRow = branch_hidden_category, key (tenant_id, branch_id, category_id) {
        tenant_id: Uuid,
        branch_id: Uuid,
        category_id: Uuid,
        created_at: DateTime<Utc>,
    }
}

row! {
    /// An allergen.
    AllergenRow = allergen, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        code: String,
        name: Value,
        is_regulated: bool,
        deleted_at: Option<DateTime<Utc>>,
        version: i64,
    }
}

row! {
    /// What is declared of a product and an allergen.
    ProductAllergenRow = product_allergen, key (tenant_id, product_id, allergen_id) {
        tenant_id: Uuid,
        product_id: Uuid,
        allergen_id: Uuid,
        created_at: DateTime<Utc>,
        presence: String,
    }
}

row! {
    /// A choice.
    ModifierGroupRow = modifier_group, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        code: String,
        name: Value,
        min_select: i32,
        max_select: i32,
        deleted_at: Option<DateTime<Utc>>,
        version: i64,
    }
}

row! {
    /// One answer to a choice.
    ModifierOptionRow = modifier_option, key (tenant_id, id), guard "t.version < r.version" {
        tenant_id: Uuid,
        id: Uuid,
        created_at: DateTime<Utc>,
        group_id: Uuid,
        code: String,
        name: Value,
        position: i32,
        max_qty: i32,
        deleted_at: Option<DateTime<Utc>>,
        version: i64,
    }
}

row! {
    /// What is declared of an option and an allergen.
    OptionAllergenRow = modifier_option_allergen, key (tenant_id, option_id, allergen_id) {
        tenant_id: Uuid,
        option_id: Uuid,
        allergen_id: Uuid,
        created_at: DateTime<Utc>,
        presence: String,
    }
}

row! {
    /// An option in a branch.
    BranchOptionRow = branch_modifier_option, key (tenant_id, branch_id, option_id) {
        tenant_id: Uuid,
        branch_id: Uuid,
        option_id: Uuid,
        created_at: DateTime<Utc>,
        price_amount: i64,
        currency: String,
        available: bool,
        unavailable_until: Option<DateTime<Utc>>,
    }
}

row! {
    /// A choice of a product.
    ProductGroupRow = product_modifier_group, key (tenant_id, product_id, group_id) {
        tenant_id: Uuid,
        product_id: Uuid,
        group_id: Uuid,
        created_at: DateTime<Utc>,
        position: i32,
    }
}
