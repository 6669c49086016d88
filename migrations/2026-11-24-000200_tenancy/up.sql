-- A restaurant business: the boundary that no data crosses.
CREATE TABLE tenant (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    default_locale text NOT NULL,
    allowed_origins text[] NOT NULL,
    webhook_hosts text[],
    status text NOT NULL,
    sandbox boolean NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT tenant_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT tenant_name_check CHECK (char_length(name) BETWEEN 1 AND 120),
    CONSTRAINT tenant_default_locale_check CHECK (char_length(default_locale) BETWEEN 2 AND 35),
    CONSTRAINT tenant_status_check CHECK (status IN ('active', 'suspended')),
    CONSTRAINT tenant_version_check CHECK (version >= 1)
);
CALL comanda_protect('tenant', 'SELECT, INSERT, UPDATE');

-- Finds a tenant before one is known: the only table with a tenant_id and no row policy.
CREATE TABLE tenant_directory (
    tenant_id uuid NOT NULL,
    slug text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT tenant_directory_pkey PRIMARY KEY (slug),
    CONSTRAINT tenant_directory_slug_check CHECK (slug ~ '^[a-z0-9-]{3,40}$'),
    CONSTRAINT tenant_directory_tenant_key UNIQUE (tenant_id),
    CONSTRAINT tenant_directory_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);

-- One of its places; the key with the currency is the target of all money rows.
CREATE TABLE branch (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    currency text NOT NULL,
    locale text NOT NULL,
    timezone text NOT NULL,
    business_day_start time NOT NULL,
    address text,
    phone text,
    receipt_header text,
    receipt_footer text,
    waiter_may_submit boolean NOT NULL,
    auto_submit_on_confirm boolean NOT NULL,
    diners_may_open boolean NOT NULL,
    diners_may_request_check boolean NOT NULL,
    diners_may_pay_online boolean NOT NULL,
    join_code_required boolean NOT NULL,
    idle_flag_minutes integer NOT NULL,
    menu_version bigint NOT NULL,
    deleted_at timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT branch_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT branch_name_check CHECK (char_length(name) BETWEEN 1 AND 120),
    CONSTRAINT branch_slug_check CHECK (slug ~ '^[a-z0-9-]{2,40}$'),
    CONSTRAINT branch_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT branch_locale_check CHECK (char_length(locale) BETWEEN 2 AND 35),
    CONSTRAINT branch_timezone_check CHECK (char_length(timezone) BETWEEN 1 AND 64),
    CONSTRAINT branch_address_check CHECK (char_length(address) BETWEEN 0 AND 300),
    CONSTRAINT branch_phone_check CHECK (char_length(phone) BETWEEN 0 AND 300),
    CONSTRAINT branch_receipt_header_check CHECK (char_length(receipt_header) BETWEEN 0 AND 300),
    CONSTRAINT branch_receipt_footer_check CHECK (char_length(receipt_footer) BETWEEN 0 AND 300),
    CONSTRAINT branch_idle_flag_minutes_check CHECK (idle_flag_minutes BETWEEN 15 AND 1440),
    CONSTRAINT branch_menu_version_check CHECK (menu_version >= 1),
    CONSTRAINT branch_version_check CHECK (version >= 1),
    CONSTRAINT branch_currency_key UNIQUE (tenant_id, id, currency),
    CONSTRAINT branch_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);
CREATE UNIQUE INDEX branch_slug_key ON branch (tenant_id, slug) WHERE deleted_at IS NULL;
CALL comanda_protect('branch', 'SELECT, INSERT, UPDATE');

-- The payment providers that a branch accepts.
CREATE TABLE branch_provider (
    tenant_id uuid NOT NULL,
    branch_id uuid NOT NULL,
    provider text NOT NULL,
    enabled boolean NOT NULL,
    config jsonb,
    sealed_secret bytea,
    created_at timestamptz NOT NULL,
    CONSTRAINT branch_provider_pkey PRIMARY KEY (tenant_id, branch_id, provider),
    CONSTRAINT branch_provider_provider_check CHECK (provider IN ('cash', 'card_terminal', 'transfer', 'mercado_pago', 'sandbox')),
    CONSTRAINT branch_provider_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id)
);
CALL comanda_protect('branch_provider', 'SELECT, INSERT, UPDATE');

-- Gap-free numbers; the row is the last one that an operation locks.
CREATE TABLE branch_counter (
    tenant_id uuid NOT NULL,
    branch_id uuid NOT NULL,
    name text NOT NULL,
    value bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT branch_counter_pkey PRIMARY KEY (tenant_id, branch_id, name),
    CONSTRAINT branch_counter_name_check CHECK (name IN ('check_number', 'event_seq')),
    CONSTRAINT branch_counter_value_check CHECK (value >= 0),
    CONSTRAINT branch_counter_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id)
);
CALL comanda_protect('branch_counter', 'SELECT, INSERT, UPDATE', 'SELECT, INSERT, UPDATE');

CREATE TABLE sector (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    display_order integer NOT NULL,
    deleted_at timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT sector_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT sector_name_check CHECK (char_length(name) BETWEEN 1 AND 60),
    CONSTRAINT sector_prefix_check CHECK (prefix ~ '^[A-Z]{1,4}$'),
    CONSTRAINT sector_version_check CHECK (version >= 1),
    CONSTRAINT sector_branch_key UNIQUE (tenant_id, branch_id, id),
    CONSTRAINT sector_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id)
);
CREATE UNIQUE INDEX sector_prefix_key ON sector (tenant_id, branch_id, prefix) WHERE deleted_at IS NULL;
CALL comanda_protect('sector', 'SELECT, INSERT, UPDATE');

CREATE TABLE restaurant_table (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    branch_id uuid NOT NULL,
    sector_id uuid NOT NULL,
    code text NOT NULL,
    capacity integer NOT NULL,
    out_of_service boolean NOT NULL,
    out_of_service_reason text,
    qr_version integer NOT NULL,
    deleted_at timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT restaurant_table_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT restaurant_table_code_check CHECK (char_length(code) BETWEEN 1 AND 12),
    CONSTRAINT restaurant_table_capacity_check CHECK (capacity BETWEEN 1 AND 50),
    CONSTRAINT restaurant_table_out_of_service_reason_check CHECK (char_length(out_of_service_reason) BETWEEN 0 AND 200),
    CONSTRAINT restaurant_table_qr_version_check CHECK (qr_version BETWEEN 1 AND 65535),
    CONSTRAINT restaurant_table_version_check CHECK (version >= 1),
    CONSTRAINT restaurant_table_branch_key UNIQUE (tenant_id, branch_id, id),
    CONSTRAINT restaurant_table_branch_fkey FOREIGN KEY (tenant_id, branch_id) REFERENCES branch (tenant_id, id),
    CONSTRAINT restaurant_table_sector_fkey FOREIGN KEY (tenant_id, branch_id, sector_id) REFERENCES sector (tenant_id, branch_id, id)
);
CREATE UNIQUE INDEX restaurant_table_code_key ON restaurant_table (tenant_id, branch_id, code) WHERE deleted_at IS NULL;
CALL comanda_protect('restaurant_table', 'SELECT, INSERT, UPDATE');

GRANT SELECT, INSERT ON tenant_directory TO comanda_app;
GRANT SELECT ON tenant_directory TO comanda_support, comanda_backup, comanda_relay;
ALTER TABLE tenant_directory OWNER TO comanda_migrator;
