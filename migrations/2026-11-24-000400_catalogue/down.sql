SET LOCAL ROLE comanda_migrator;
DROP TABLE product_modifier_group, branch_modifier_option, modifier_option_allergen, modifier_option, modifier_group,
    product_allergen, allergen, branch_hidden_category, branch_product, product, category;
RESET ROLE;
