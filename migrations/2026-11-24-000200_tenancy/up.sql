-- Tenants, branches and the floor.
SET LOCAL ROLE comanda_migrator;

CREATE TABLE tenant (
    tenant_id       uuid        NOT NULL,
    name            text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 120),
    default_locale  text        NOT NULL CHECK (char_length(default_locale) BETWEEN 2 AND 35),
    allowed_origins text[]      NOT NULL DEFAULT '{}' CHECK (array_position(allowed_origins, NULL) IS NULL),
    status          text        NOT NULL DEFAULT 'active' CONSTRAINT tenant_status CHECK (status IN ('active', 'suspended')),
    sandbox         boolean     NOT NULL DEFAULT false,
    version         bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id)
);

-- Finds a tenant before one is known: the only table with a tenant_id and no row policy.
CREATE TABLE tenant_directory (
    tenant_id  uuid        NOT NULL UNIQUE REFERENCES tenant,
    slug       text        NOT NULL PRIMARY KEY CHECK (slug ~ '^[a-z0-9-]{3,40}$'),
    created_at timestamptz NOT NULL
);

CREATE TABLE branch (
    tenant_id                uuid        NOT NULL REFERENCES tenant,
    id                       uuid        NOT NULL,
    name                     text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 120),
    slug                     text        NOT NULL CHECK (slug ~ '^[a-z0-9-]{2,40}$'),
    currency                 text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    locale                   text        NOT NULL CHECK (char_length(locale) BETWEEN 2 AND 35),
    timezone                 text        NOT NULL CHECK (char_length(timezone) BETWEEN 1 AND 64),
    business_day_start       time        NOT NULL DEFAULT '05:00',
    address                  text        CHECK (char_length(address) <= 300),
    phone                    text        CHECK (char_length(phone) <= 300),
    receipt_header           text        CHECK (char_length(receipt_header) <= 300),
    receipt_footer           text        CHECK (char_length(receipt_footer) <= 300),
    waiter_may_submit        boolean     NOT NULL DEFAULT false,
    auto_submit_on_confirm   boolean     NOT NULL DEFAULT false,
    diners_may_open          boolean     NOT NULL DEFAULT true,
    diners_may_request_check boolean     NOT NULL DEFAULT true,
    diners_may_pay_online    boolean     NOT NULL DEFAULT true,
    join_code_required       boolean     NOT NULL DEFAULT false,
    idle_flag_minutes        integer     NOT NULL DEFAULT 180 CHECK (idle_flag_minutes BETWEEN 15 AND 1440),
    menu_version             bigint      NOT NULL DEFAULT 1 CHECK (menu_version >= 1),
    version                  bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at               timestamptz NOT NULL,
    deleted_at               timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, id, currency)     -- every row with money refers to it
);
CREATE UNIQUE INDEX branch_slug_live ON branch (tenant_id, slug) WHERE deleted_at IS NULL;

CREATE TABLE branch_provider (
    tenant_id     uuid        NOT NULL,
    branch_id     uuid        NOT NULL,
    provider      text        NOT NULL
        CONSTRAINT branch_provider_provider CHECK (provider IN ('cash', 'card_terminal', 'transfer', 'mercado_pago', 'sandbox')),
    enabled       boolean     NOT NULL,
    config        jsonb,
    sealed_secret bytea,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, branch_id, provider),
    FOREIGN KEY (tenant_id, branch_id) REFERENCES branch
);

CREATE TABLE branch_counter (
    tenant_id  uuid        NOT NULL,
    branch_id  uuid        NOT NULL,
    name       text        NOT NULL CONSTRAINT branch_counter_name CHECK (name IN ('check_number', 'event_seq')),
    value      bigint      NOT NULL DEFAULT 0 CHECK (value >= 0),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, branch_id, name),
    FOREIGN KEY (tenant_id, branch_id) REFERENCES branch
);

CREATE TABLE sector (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    branch_id     uuid        NOT NULL,
    name          text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
    prefix        text        NOT NULL CHECK (prefix ~ '^[A-Z]{1,4}$'),
    display_order integer     NOT NULL,
    version       bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at    timestamptz NOT NULL,
    deleted_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, branch_id) REFERENCES branch
);
CREATE UNIQUE INDEX sector_prefix_live ON sector (tenant_id, branch_id, prefix) WHERE deleted_at IS NULL;

CREATE TABLE restaurant_table (
    tenant_id             uuid        NOT NULL,
    id                    uuid        NOT NULL,
    branch_id             uuid        NOT NULL,
    sector_id             uuid        NOT NULL,
    code                  text        NOT NULL CHECK (char_length(code) BETWEEN 1 AND 12),
    capacity              integer     NOT NULL CHECK (capacity BETWEEN 1 AND 50),
    out_of_service        boolean     NOT NULL DEFAULT false,
    out_of_service_reason text        CHECK (char_length(out_of_service_reason) <= 200),
    qr_version            integer     NOT NULL DEFAULT 1 CHECK (qr_version BETWEEN 1 AND 65535),
    version               bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at            timestamptz NOT NULL,
    deleted_at            timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, branch_id, id),
    FOREIGN KEY (tenant_id, branch_id, sector_id) REFERENCES sector (tenant_id, branch_id, id)
);
CREATE UNIQUE INDEX restaurant_table_code_live ON restaurant_table (tenant_id, branch_id, code) WHERE deleted_at IS NULL;

CALL comanda_protect('tenant', false);
CALL comanda_protect('branch', false);
CALL comanda_protect('branch_provider', false);
CALL comanda_protect('branch_counter', true);
CALL comanda_protect('sector', false);
CALL comanda_protect('restaurant_table', false);

GRANT SELECT ON tenant_directory TO comanda_backup, comanda_support;
GRANT SELECT, INSERT, UPDATE ON tenant_directory, tenant, branch, branch_provider, branch_counter, sector, restaurant_table
    TO comanda_app;
GRANT SELECT, INSERT, UPDATE ON branch_counter TO comanda_relay;

RESET ROLE;
