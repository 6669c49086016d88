CREATE TABLE category (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    code text NOT NULL,
    name jsonb NOT NULL,
    position integer NOT NULL,
    station text NOT NULL,
    deleted_at timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT category_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT category_code_check CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    CONSTRAINT category_name_check CHECK (jsonb_typeof(name) = 'object'),
    CONSTRAINT category_station_check CHECK (station IN ('bar', 'hot_kitchen', 'cold_kitchen', 'grill', 'pastry', 'other')),
    CONSTRAINT category_version_check CHECK (version >= 1),
    CONSTRAINT category_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);
CREATE UNIQUE INDEX category_code_key ON category (tenant_id, code) WHERE deleted_at IS NULL;
CALL comanda_protect('category', 'SELECT, INSERT, UPDATE');

CREATE TABLE product (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    category_id uuid NOT NULL,
    code text NOT NULL,
    name jsonb NOT NULL,
    position integer NOT NULL,
    description jsonb,
    image_url text,
    station text,
    diets text[] NOT NULL,
    deleted_at timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT product_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT product_code_check CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    CONSTRAINT product_name_check CHECK (jsonb_typeof(name) = 'object'),
    CONSTRAINT product_description_check CHECK (jsonb_typeof(description) = 'object'),
    CONSTRAINT product_image_url_check CHECK (image_url LIKE 'https://%'),
    CONSTRAINT product_image_url_check2 CHECK (char_length(image_url) BETWEEN 0 AND 1000),
    CONSTRAINT product_station_check CHECK (station IN ('bar', 'hot_kitchen', 'cold_kitchen', 'grill', 'pastry', 'other')),
    CONSTRAINT product_diets_check CHECK (diets <@ ARRAY['vegetarian', 'vegan', 'gluten_free', 'dairy_free', 'low_sodium']),
    CONSTRAINT product_version_check CHECK (version >= 1),
    CONSTRAINT product_category_fkey FOREIGN KEY (tenant_id, category_id) REFERENCES category (tenant_id, id)
);
CREATE UNIQUE INDEX product_code_key ON product (tenant_id, code) WHERE deleted_at IS NULL;
CALL comanda_protect('product', 'SELECT, INSERT, UPDATE');

-- No row: not on that branchs menu.
CREATE TABLE branch_product (
    tenant_id uuid NOT NULL,
    branch_id uuid NOT NULL,
    product_id uuid NOT NULL,
    price_amount bigint NOT NULL,
    currency text NOT NULL,
    on_menu boolean NOT NULL,
    available boolean NOT NULL,
    unavailable_until timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT branch_product_pkey PRIMARY KEY (tenant_id, branch_id, product_id),
    CONSTRAINT branch_product_price_amount_check CHECK (price_amount BETWEEN 0 AND 1000000000),
    CONSTRAINT branch_product_version_check CHECK (version >= 1),
    CONSTRAINT branch_product_product_fkey FOREIGN KEY (tenant_id, product_id) REFERENCES product (tenant_id, id),
    CONSTRAINT branch_product_currency_fkey FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency)
);
CALL comanda_protect('branch_product', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE branch_hidden_category (
    tenant_id uuid NOT NULL,
    branch_id uuid NOT NULL,
    category_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT branch_hidden_category_pkey PRIMARY KEY (tenant_id, branch_id, category_id),
    CONSTRAINT branch_hidden_category_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT branch_hidden_category_category_fkey FOREIGN KEY (tenant_id, category_id) REFERENCES category (tenant_id, id)
);
CALL comanda_protect('branch_hidden_category', 'SELECT, INSERT, DELETE');

CREATE TABLE allergen (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    code text NOT NULL,
    name jsonb NOT NULL,
    is_regulated boolean NOT NULL,
    deleted_at timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT allergen_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT allergen_code_check CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    CONSTRAINT allergen_name_check CHECK (jsonb_typeof(name) = 'object'),
    CONSTRAINT allergen_version_check CHECK (version >= 1),
    CONSTRAINT allergen_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);
CREATE UNIQUE INDEX allergen_code_key ON allergen (tenant_id, code) WHERE deleted_at IS NULL;
CALL comanda_protect('allergen', 'SELECT, INSERT, UPDATE');

-- No row: undeclared. The key keeps a product from both containing and being free from one.
CREATE TABLE product_allergen (
    tenant_id uuid NOT NULL,
    product_id uuid NOT NULL,
    allergen_id uuid NOT NULL,
    presence text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT product_allergen_pkey PRIMARY KEY (tenant_id, product_id, allergen_id),
    CONSTRAINT product_allergen_presence_check CHECK (presence IN ('contains', 'may_contain', 'free_from')),
    CONSTRAINT product_allergen_product_fkey FOREIGN KEY (tenant_id, product_id) REFERENCES product (tenant_id, id),
    CONSTRAINT product_allergen_allergen_fkey FOREIGN KEY (tenant_id, allergen_id) REFERENCES allergen (tenant_id, id)
);
CALL comanda_protect('product_allergen', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE modifier_group (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    code text NOT NULL,
    name jsonb NOT NULL,
    min_select integer NOT NULL,
    max_select integer NOT NULL,
    deleted_at timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT modifier_group_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT modifier_group_code_check CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    CONSTRAINT modifier_group_name_check CHECK (jsonb_typeof(name) = 'object'),
    CONSTRAINT modifier_group_max_select_check CHECK (max_select BETWEEN 1 AND 20),
    CONSTRAINT modifier_group_version_check CHECK (version >= 1),
    CONSTRAINT modifier_group_range CHECK (min_select BETWEEN 0 AND max_select),
    CONSTRAINT modifier_group_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);
CREATE UNIQUE INDEX modifier_group_code_key ON modifier_group (tenant_id, code) WHERE deleted_at IS NULL;
CALL comanda_protect('modifier_group', 'SELECT, INSERT, UPDATE');

CREATE TABLE modifier_option (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    group_id uuid NOT NULL,
    code text NOT NULL,
    name jsonb NOT NULL,
    position integer NOT NULL,
    max_qty integer NOT NULL,
    deleted_at timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT modifier_option_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT modifier_option_code_check CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    CONSTRAINT modifier_option_name_check CHECK (jsonb_typeof(name) = 'object'),
    CONSTRAINT modifier_option_max_qty_check CHECK (max_qty BETWEEN 1 AND 10),
    CONSTRAINT modifier_option_version_check CHECK (version >= 1),
    CONSTRAINT modifier_option_group_fkey FOREIGN KEY (tenant_id, group_id) REFERENCES modifier_group (tenant_id, id)
);
CREATE UNIQUE INDEX modifier_option_code_key ON modifier_option (tenant_id, group_id, code) WHERE deleted_at IS NULL;
CALL comanda_protect('modifier_option', 'SELECT, INSERT, UPDATE');

CREATE TABLE modifier_option_allergen (
    tenant_id uuid NOT NULL,
    option_id uuid NOT NULL,
    allergen_id uuid NOT NULL,
    presence text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT modifier_option_allergen_pkey PRIMARY KEY (tenant_id, option_id, allergen_id),
    CONSTRAINT modifier_option_allergen_presence_check CHECK (presence IN ('contains', 'may_contain', 'free_from')),
    CONSTRAINT modifier_option_allergen_option_fkey FOREIGN KEY (tenant_id, option_id) REFERENCES modifier_option (tenant_id, id),
    CONSTRAINT modifier_option_allergen_allergen_fkey FOREIGN KEY (tenant_id, allergen_id) REFERENCES allergen (tenant_id, id)
);
CALL comanda_protect('modifier_option_allergen', 'SELECT, INSERT, UPDATE, DELETE');

-- No row: not offered there.
CREATE TABLE branch_modifier_option (
    tenant_id uuid NOT NULL,
    branch_id uuid NOT NULL,
    option_id uuid NOT NULL,
    price_amount bigint NOT NULL,
    currency text NOT NULL,
    available boolean NOT NULL,
    unavailable_until timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT branch_modifier_option_pkey PRIMARY KEY (tenant_id, branch_id, option_id),
    CONSTRAINT branch_modifier_option_price_amount_check CHECK (price_amount BETWEEN 0 AND 1000000000),
    CONSTRAINT branch_modifier_option_version_check CHECK (version >= 1),
    CONSTRAINT branch_modifier_option_option_fkey FOREIGN KEY (tenant_id, option_id) REFERENCES modifier_option (tenant_id, id),
    CONSTRAINT branch_modifier_option_currency_fkey FOREIGN KEY (tenant_id, branch_id, currency) REFERENCES branch (tenant_id, id, currency)
);
CALL comanda_protect('branch_modifier_option', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE product_modifier_group (
    tenant_id uuid NOT NULL,
    product_id uuid NOT NULL,
    group_id uuid NOT NULL,
    position integer NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT product_modifier_group_pkey PRIMARY KEY (tenant_id, product_id, group_id),
    CONSTRAINT product_modifier_group_product_fkey FOREIGN KEY (tenant_id, product_id) REFERENCES product (tenant_id, id),
    CONSTRAINT product_modifier_group_group_fkey FOREIGN KEY (tenant_id, group_id) REFERENCES modifier_group (tenant_id, id)
);
CALL comanda_protect('product_modifier_group', 'SELECT, INSERT, UPDATE, DELETE');
