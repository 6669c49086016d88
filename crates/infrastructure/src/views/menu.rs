use comanda_domain::branch::Branch;
use comanda_domain::menu::{
    FilteredGroup, FilteredMenu, FilteredOption, FilteredProduct, MenuFilter, ProductAllergens,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{MoneyView, Texts, money, time};

/// The branch of a menu.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MenuBranchView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its currency.
    pub currency: String,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MenuFilterView {
    /// Codes of allergens to avoid.
    pub exclude: Vec<String>,
    /// `contains`, `traces` or `declared_free`.
    pub mode: String,
    /// Ways of eating.
    pub diets: Vec<String>,
}

/// Declared allergens of an option: codes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OptionAllergensView {
    /// Ingredients.
    pub contains: Vec<String>,
    /// Possible traces.
    pub may_contain: Vec<String>,
    /// Declared free.
    pub free_from: Vec<String>,
}

/// Declared allergens of a product: codes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AllergensView {
    /// Ingredients.
    pub contains: Vec<String>,
    /// Possible traces.
    pub may_contain: Vec<String>,
    /// Declared free.
    pub free_from: Vec<String>,
    /// Regulated allergens about which nothing is declared.
    pub undeclared: Vec<String>,
}

/// One answer to a choice.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MenuOptionView {
    /// Its id.
    pub id: String,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it adds to the price.
    pub price: MoneyView,
    /// How often it may be chosen.
    pub max_qty: i32,
    /// Not sold out.
    pub available: bool,
    /// What is declared.
    pub allergens: OptionAllergensView,
    /// Excluded allergens that speak against it.
    pub blocked_by: Vec<String>,
}

/// A choice of a product.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MenuGroupView {
    /// Its id.
    pub id: String,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// How many must be chosen, counting quantities.
    pub min_select: i32,
    /// How many may be chosen, counting quantities.
    pub max_select: i32,
    /// The answers.
    pub options: Vec<MenuOptionView>,
}

/// One product.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MenuProductView {
    /// Its id.
    pub id: String,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// A picture.
    pub image_url: Option<String>,
    /// Its price in this branch.
    pub price: MoneyView,
    /// Can be ordered now.
    pub available: bool,
    /// When it comes back, if it is sold out and that is known.
    pub unavailable_until: Option<String>,
    /// Ways of eating that it satisfies.
    pub diets: Vec<String>,
    /// What is declared.
    pub allergens: AllergensView,
    /// Its choices.
    pub modifier_groups: Vec<MenuGroupView>,
}

/// One category with its products.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MenuCategoryView {
    /// Its id.
    pub id: String,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its products.
    pub products: Vec<MenuProductView>,
}

/// The menu of a branch.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MenuView {
    /// The branch.
    pub branch: MenuBranchView,
    /// The language of its texts.
    pub lang: String,
    /// Rises with every change.
    pub menu_version: i64,
    /// What was asked for.
    pub filter: MenuFilterView,
    /// How many products the filter hides.
    pub hidden_by_filter: usize,
    /// What there is.
    pub categories: Vec<MenuCategoryView>,
}

/// A menu as a guest sees it.
pub fn menu(branch: &Branch, menu: &FilteredMenu<'_>, filter: &MenuFilter, texts: &Texts) -> MenuView {
    let first = menu
        .categories
        .first()
        .map(|shown| texts.lang_of(&shown.category.name));
    MenuView {
        branch: MenuBranchView {
            id: branch.id.to_string(),
            name: branch.name.clone(),
            currency: branch.currency.to_string(),
        },
        lang: first.unwrap_or_else(|| texts.lang().to_owned()),
        menu_version: branch.menu_version,
        filter: MenuFilterView {
            exclude: filter.exclude.clone(),
            mode: filter.mode.to_string(),
            diets: filter.diets.iter().map(ToString::to_string).collect(),
        },
        hidden_by_filter: menu.hidden_by_filter,
        categories: menu
            .categories
            .iter()
            .map(|shown| MenuCategoryView {
                id: shown.category.id.to_string(),
                code: shown.category.code.clone(),
                name: texts.pick(&shown.category.name),
                products: shown
                    .products
                    .iter()
                    .map(|product| menu_product(product, branch, texts))
                    .collect(),
            })
            .collect(),
    }
}

/// One product of a menu.
pub fn menu_product(shown: &FilteredProduct<'_>, branch: &Branch, texts: &Texts) -> MenuProductView {
    let product = shown.product;
    let until = product
        .availability
        .unavailable_until
        .filter(|_| !shown.available);
    MenuProductView {
        id: product.id.to_string(),
        code: product.code.clone(),
        name: texts.pick(&product.name),
        description: product.description.as_ref().map(|text| texts.pick(text)),
        image_url: product.image_url.clone(),
        price: money(product.price_amount, branch.currency),
        available: shown.available,
        unavailable_until: until.map(time),
        diets: product.diets.iter().map(ToString::to_string).collect(),
        allergens: AllergensView {
            contains: product.allergens.contains.clone(),
            may_contain: product.allergens.may_contain.clone(),
            free_from: product.allergens.free_from.clone(),
            undeclared: shown.undeclared.clone(),
        },
        modifier_groups: shown
            .groups
            .iter()
            .map(|group| group_view(group, branch, texts))
            .collect(),
    }
}

fn group_view(shown: &FilteredGroup<'_>, branch: &Branch, texts: &Texts) -> MenuGroupView {
    let group = shown.group;
    MenuGroupView {
        id: group.id.to_string(),
        code: group.code.clone(),
        name: texts.pick(&group.name),
        min_select: group.min_select,
        max_select: group.max_select,
        options: shown
            .options
            .iter()
            .map(|option| option_view(option, branch, texts))
            .collect(),
    }
}

fn option_view(shown: &FilteredOption<'_>, branch: &Branch, texts: &Texts) -> MenuOptionView {
    let option = shown.option;
    let ProductAllergens {
        contains,
        may_contain,
        free_from,
    } = option.allergens.clone();
    MenuOptionView {
        id: option.id.to_string(),
        code: option.code.clone(),
        name: texts.pick(&option.name),
        price: money(option.price_amount, branch.currency),
        max_qty: option.max_qty,
        available: shown.available,
        allergens: OptionAllergensView {
            contains,
            may_contain,
            free_from,
        },
        blocked_by: shown.blocked_by.clone(),
    }
}

/// How the "sold out" switch of a product or an option stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AvailabilityView {
    /// Can be had.
    pub available: bool,
    /// When it comes back by itself.
    pub unavailable_until: Option<String>,
}
