-- Categories, products, allergens and modifiers belong to the tenant; price, visibility and availability to
-- the branch.
SET LOCAL ROLE comanda_migrator;

CREATE TABLE category (
    tenant_id  uuid        NOT NULL REFERENCES tenant,
    id         uuid        NOT NULL,
    code       text        NOT NULL CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    name       jsonb       NOT NULL CHECK (comanda_i18n(name, 120)),
    position   integer     NOT NULL,
    station    text        NOT NULL
        CONSTRAINT category_station CHECK (station IN ('bar', 'hot_kitchen', 'cold_kitchen', 'grill', 'pastry', 'other')),
    version    bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX category_code_live ON category (tenant_id, code) WHERE deleted_at IS NULL;

CREATE TABLE product (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    category_id uuid        NOT NULL,
    code        text        NOT NULL CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    name        jsonb       NOT NULL CHECK (comanda_i18n(name, 120)),
    description jsonb       CHECK (comanda_i18n(description, 1000)),
    image_url   text        CHECK (image_url LIKE 'https://%' AND char_length(image_url) <= 1000),
    position    integer     NOT NULL,
    station     text
        CONSTRAINT product_station CHECK (station IN ('bar', 'hot_kitchen', 'cold_kitchen', 'grill', 'pastry', 'other')),
    diets       text[]      NOT NULL DEFAULT '{}'
        CONSTRAINT product_diets CHECK (diets <@ ARRAY['vegetarian', 'vegan', 'gluten_free', 'dairy_free', 'low_sodium']),
    version     bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at  timestamptz NOT NULL,
    deleted_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, category_id) REFERENCES category
);
CREATE UNIQUE INDEX product_code_live ON product (tenant_id, code) WHERE deleted_at IS NULL;
CREATE INDEX product_category ON product (tenant_id, category_id);

CREATE TABLE branch_product (
    tenant_id         uuid        NOT NULL,
    branch_id         uuid        NOT NULL,
    product_id        uuid        NOT NULL,
    price_amount      bigint      NOT NULL CHECK (price_amount BETWEEN 0 AND 1000000000),
    currency          text        NOT NULL CHECK (char_length(currency) = 3),
    on_menu           boolean     NOT NULL,
    available         boolean     NOT NULL,
    unavailable_until timestamptz,
    version           bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at        timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, branch_id, product_id),
    FOREIGN KEY (tenant_id, product_id) REFERENCES product,
    FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency)
);

CREATE TABLE branch_hidden_category (
    tenant_id   uuid        NOT NULL,
    branch_id   uuid        NOT NULL,
    category_id uuid        NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, branch_id, category_id),
    FOREIGN KEY (tenant_id, branch_id) REFERENCES branch,
    FOREIGN KEY (tenant_id, category_id) REFERENCES category
);

CREATE TABLE allergen (
    tenant_id    uuid        NOT NULL REFERENCES tenant,
    id           uuid        NOT NULL,
    code         text        NOT NULL CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    name         jsonb       NOT NULL CHECK (comanda_i18n(name, 120)),
    is_regulated boolean     NOT NULL,
    version      bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at   timestamptz NOT NULL,
    deleted_at   timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX allergen_code_live ON allergen (tenant_id, code) WHERE deleted_at IS NULL;

CREATE TABLE product_allergen (
    tenant_id   uuid        NOT NULL,
    product_id  uuid        NOT NULL,
    allergen_id uuid        NOT NULL,
    presence    text        NOT NULL
        CONSTRAINT product_allergen_presence CHECK (presence IN ('contains', 'may_contain', 'free_from')),
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, product_id, allergen_id),
    FOREIGN KEY (tenant_id, product_id) REFERENCES product,
    FOREIGN KEY (tenant_id, allergen_id) REFERENCES allergen
);

CREATE TABLE modifier_group (
    tenant_id  uuid        NOT NULL REFERENCES tenant,
    id         uuid        NOT NULL,
    code       text        NOT NULL CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    name       jsonb       NOT NULL CHECK (comanda_i18n(name, 120)),
    min_select integer     NOT NULL,
    max_select integer     NOT NULL,
    version    bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT modifier_group_selection CHECK (0 <= min_select AND min_select <= max_select AND max_select BETWEEN 1 AND 20)
);
CREATE UNIQUE INDEX modifier_group_code_live ON modifier_group (tenant_id, code) WHERE deleted_at IS NULL;

CREATE TABLE modifier_option (
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    group_id   uuid        NOT NULL,
    code       text        NOT NULL CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    name       jsonb       NOT NULL CHECK (comanda_i18n(name, 120)),
    position   integer     NOT NULL,
    max_qty    integer     NOT NULL CHECK (max_qty BETWEEN 1 AND 10),
    version    bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES modifier_group
);
CREATE UNIQUE INDEX modifier_option_code_live ON modifier_option (tenant_id, group_id, code) WHERE deleted_at IS NULL;

CREATE TABLE modifier_option_allergen (
    tenant_id   uuid        NOT NULL,
    option_id   uuid        NOT NULL,
    allergen_id uuid        NOT NULL,
    presence    text        NOT NULL
        CONSTRAINT modifier_option_allergen_presence CHECK (presence IN ('contains', 'may_contain', 'free_from')),
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, option_id, allergen_id),
    FOREIGN KEY (tenant_id, option_id) REFERENCES modifier_option,
    FOREIGN KEY (tenant_id, allergen_id) REFERENCES allergen
);

CREATE TABLE branch_modifier_option (
    tenant_id         uuid        NOT NULL,
    branch_id         uuid        NOT NULL,
    option_id         uuid        NOT NULL,
    price_amount      bigint      NOT NULL CHECK (price_amount BETWEEN 0 AND 1000000000),
    currency          text        NOT NULL CHECK (char_length(currency) = 3),
    available         boolean     NOT NULL,
    unavailable_until timestamptz,
    created_at        timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, branch_id, option_id),
    FOREIGN KEY (tenant_id, option_id) REFERENCES modifier_option,
    FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency)
);

CREATE TABLE product_modifier_group (
    tenant_id  uuid        NOT NULL,
    product_id uuid        NOT NULL,
    group_id   uuid        NOT NULL,
    position   integer     NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, product_id, group_id),
    FOREIGN KEY (tenant_id, product_id) REFERENCES product,
    FOREIGN KEY (tenant_id, group_id) REFERENCES modifier_group
);

CALL comanda_protect('category', false);
CALL comanda_protect('product', false);
CALL comanda_protect('branch_product', false);
CALL comanda_protect('branch_hidden_category', false);
CALL comanda_protect('allergen', false);
CALL comanda_protect('product_allergen', false);
CALL comanda_protect('modifier_group', false);
CALL comanda_protect('modifier_option', false);
CALL comanda_protect('modifier_option_allergen', false);
CALL comanda_protect('branch_modifier_option', false);
CALL comanda_protect('product_modifier_group', false);

GRANT SELECT, INSERT, UPDATE ON category, product, allergen, modifier_group, modifier_option TO comanda_app;
-- Links without a life of their own come and go.
GRANT SELECT, INSERT, UPDATE, DELETE ON branch_product, branch_hidden_category, product_allergen,
    modifier_option_allergen, branch_modifier_option, product_modifier_group TO comanda_app;

RESET ROLE;
